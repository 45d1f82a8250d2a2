#ifndef FOLDING_H
#define FOLDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Whether this processor multiplies without carries, and `fold` may be called.
bool can_fold(void);

/// Makes sixteen bytes that have the same remainder as all of `bytes`, 64 at a time.
///
/// For reflected cyclic redundancy checks. Source: Gopal and others, *Fast CRC computation for
/// generic polynomials using PCLMULQDQ instruction*, Intel, 2009.
///
/// - Parameters:
///   - count: of `bytes`: a multiple of 64, and not 0.
///   - state: of the check before these bytes.
///   - constants: x⁵⁷⁵, x⁵¹¹, x¹⁹¹ and x¹²⁷ modulo the polynomial, with x⁰ at the highest bit.
void fold(const void *bytes, size_t count, uint64_t state, const uint64_t constants[4],
          void *folded);

#endif
