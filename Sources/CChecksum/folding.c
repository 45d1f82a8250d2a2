#include "folding.h"

#if defined(__x86_64__)
#include <immintrin.h>

bool can_fold(void) { return __builtin_cpu_supports("pclmul"); }

/// What `value` is that many bytes further from the end, with the `next` ones that are there.
__attribute__((target("pclmul"))) static inline __m128i
further(__m128i value, __m128i constants, __m128i next) {
  // The first eight bytes by the first constant, the others by the second.
  __m128i first = _mm_clmulepi64_si128(value, constants, 0x00);
  __m128i second = _mm_clmulepi64_si128(value, constants, 0x11);
  return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

__attribute__((target("pclmul"))) void fold(const void *bytes, size_t count, uint64_t state,
                                            const uint64_t constants[4], void *folded) {
  const __m128i *blocks = bytes;
  const __m128i *end = blocks + count / 16;
  const __m128i by64 = _mm_loadu_si128((const __m128i *)constants);
  const __m128i by16 = _mm_loadu_si128((const __m128i *)(constants + 2));
  __m128i a = _mm_xor_si128(_mm_loadu_si128(blocks), _mm_cvtsi64_si128((long long)state));
  __m128i b = _mm_loadu_si128(blocks + 1);
  __m128i c = _mm_loadu_si128(blocks + 2);
  __m128i d = _mm_loadu_si128(blocks + 3);
  for (blocks += 4; blocks < end; blocks += 4) {
    // Four chains that do not wait for each other.
    a = further(a, by64, _mm_loadu_si128(blocks));
    b = further(b, by64, _mm_loadu_si128(blocks + 1));
    c = further(c, by64, _mm_loadu_si128(blocks + 2));
    d = further(d, by64, _mm_loadu_si128(blocks + 3));
  }
  a = further(a, by16, b);
  a = further(a, by16, c);
  a = further(a, by16, d);
  _mm_storeu_si128((__m128i *)folded, a);
}

#else

// Elsewhere the tables do it all.
bool can_fold(void) { return false; }

void fold(const void *bytes, size_t count, uint64_t state, const uint64_t constants[4],
          void *folded) {
  __builtin_trap();
}

#endif
