/* A vector of floats, as wide as the instruction set for which this file is compiled, through the vector
 * extension of GCC and Clang: + - * / and comparisons work on vectors as they do on numbers, each lane one
 * IEEE operation. Only what the extension lacks is spelled out per instruction set. A comparison yields lanes
 * of all ones or zeros. */
#ifndef TG_KERNELS_SIMD_H
#define TG_KERNELS_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
#include <immintrin.h>
#define TG_LANES 16
#elif defined(__AVX2__)
#include <immintrin.h>
#define TG_LANES 8
#elif defined(__SSE2__)
#include <emmintrin.h>
#define TG_LANES 4
#elif defined(__aarch64__)
#include <arm_neon.h>
#define TG_LANES 4
#elif defined(__wasm_simd128__)
#include <wasm_simd128.h>
#define TG_LANES 4
#endif

typedef float vf __attribute__((vector_size(TG_LANES * 4)));
typedef int32_t vi __attribute__((vector_size(TG_LANES * 4)));
typedef uint32_t vu __attribute__((vector_size(TG_LANES * 4)));

/* The bytes of a, then b, by number. */
#ifdef __clang__
#define SHUFFLE_BYTES(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE_BYTES(a, b, ...) __builtin_shuffle(a, b, (bytes){__VA_ARGS__})
#endif

static inline vf load(const float *from) {
    vf v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline void store(float *to, vf v) {
    memcpy(to, &v, sizeof v);
}

/* The first n of the lanes, the others 0; n may be larger than TG_LANES. */
static inline vf load_first(const float *from, size_t n) {
    if (n >= TG_LANES) return load(from);
#if defined(__AVX512F__)
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), from);
#else
    vf v = {0};
    for (size_t l = 0; l < n; l++) v[l] = from[l];
    return v;
#endif
}

static inline void store_first(float *to, vf v, size_t n) {
    if (n >= TG_LANES) {
        store(to, v);
        return;
    }
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << n) - 1), (__m512)v);
#else
    for (size_t l = 0; l < n; l++) to[l] = v[l];
#endif
}

static inline vf set1(float x) {
    return x - (vf){0}; /* x - 0 is x, also for -0 */
}

static inline vf select(vi mask, vf yes, vf no) {
    return (vf)((mask & (vi)yes) | (~mask & (vi)no));
}

/* A bit for each lane of a comparison. */
static inline uint32_t lane_bits(vi mask) {
#if defined(__AVX512F__)
    return (uint32_t)_mm512_movepi32_mask((__m512i)mask);
#elif defined(__AVX2__)
    return (uint32_t)_mm256_movemask_ps((__m256)mask);
#elif defined(__SSE2__)
    return (uint32_t)_mm_movemask_ps((__m128)mask);
#elif defined(__wasm_simd128__)
    return wasm_i32x4_bitmask((v128_t)mask);
#elif defined(__aarch64__)
    return vaddvq_u32((uint32x4_t)(mask & (vi){1, 2, 4, 8}));
#endif
}

/* b where it is larger, else a: also where they are equal, or one is NaN. */
static inline vf larger_of(vf a, vf b) {
#if defined(__AVX512F__)
    return (vf)_mm512_max_ps((__m512)b, (__m512)a);
#elif defined(__AVX2__)
    return (vf)_mm256_max_ps((__m256)b, (__m256)a);
#elif defined(__SSE2__)
    return (vf)_mm_max_ps((__m128)b, (__m128)a);
#elif defined(__wasm_simd128__)
    return (vf)wasm_f32x4_pmax((v128_t)a, (v128_t)b);
#elif defined(__aarch64__)
    vi larger = b > a;
    __asm__("" : "+w"(larger)); /* Clang 14 would merge it with the choice into fmax, which makes +0 of -0 */
    return select(larger, b, a);
#endif
}

/* b where it is smaller, else a: also where they are equal, or one is NaN. */
static inline vf smaller_of(vf a, vf b) {
    return -larger_of(-a, -b);
}

static inline vf sqrt_each(vf v) {
#if defined(__AVX512F__)
    return (vf)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
    return (vf)_mm256_sqrt_ps((__m256)v);
#elif defined(__SSE2__)
    return (vf)_mm_sqrt_ps((__m128)v);
#elif defined(__aarch64__)
    return (vf)vsqrtq_f32((float32x4_t)v);
#elif defined(__wasm_simd128__)
    return (vf)wasm_f32x4_sqrt((v128_t)v);
#endif
}

/* c + a b in two roundings; in one where relaxed SIMD or TG_FMA was asked for, and with it other bits. */
static inline vf multiply_add(vf a, vf b, vf c) {
#if defined(__wasm_relaxed_simd__)
    return (vf)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c);
#elif defined(TG_FMA) && defined(__AVX512F__)
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(TG_FMA)
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    return c + a * b;
#endif
}

#endif
