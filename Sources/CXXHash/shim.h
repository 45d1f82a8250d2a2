// The library has XXH3 for each kind of x86 processor and chooses when it runs, but only behind
// names that this header puts in place of the usual ones. It is there where the library has them.
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#else
#include <xxhash.h>
#endif

/// Takes bytes into a checksum, by the quickest way that the processor knows.
static inline XXH_errorcode xxh3_update(XXH3_state_t *state, const void *bytes, size_t count) {
  return XXH3_64bits_update(state, bytes, count);
}
