/* The constants of the f32 functions: base/math.c and the vector kernels carry out the same operations.
 *
 *   exp(x):     exp(x) = 2^n (1 + p), where n = round(x / ln 2), p = exp(r) - 1, r = x - n ln 2.
 *   p:          Taylor's series r + r^2/2! + ... + r^7/7!; as |r| <= ln 2 / 2, the rest lies below 2^-27.
 *   sigmoid(x): with e = exp(-|x|):  1 / (1 + e) where x >= 0, else e / (1 + e); nothing overflows.
 *   tanh(x):    with t = exp(2|x|) - 1 = 2^n p + (2^n - 1):  sign(x) t / (t + 2), for the smallest x too. */
#ifndef TG_BASE_MATH_F32_H
#define TG_BASE_MATH_F32_H

#define TG_EXP_MAX  89.0f   /* exp is infinite from 88.73 on */
#define TG_EXP_MIN  -104.0f /* and 0 below -103.98 */
#define TG_TANH_MAX 20.0f   /* 2|x| from which tanh is 1 */

#define TG_LOG2_E 0x1.715476p+0f
#define TG_ROUND  0x1.8p+23f /* x + TG_ROUND has x, rounded to nearest even, in its low bits */

/* ln 2 in two parts, the first of 15 bits, so that n * TG_LN2_HIGH is exact (Cody and Waite, 1980). */
#define TG_LN2_HIGH 0x1.62e4p-1f
#define TG_LN2_LOW  0x1.7f7d1cp-20f

#define TG_EXP_C2 (1.0f / 2.0f)
#define TG_EXP_C3 (1.0f / 6.0f)
#define TG_EXP_C4 (1.0f / 24.0f)
#define TG_EXP_C5 (1.0f / 120.0f)
#define TG_EXP_C6 (1.0f / 720.0f)
#define TG_EXP_C7 (1.0f / 5040.0f)

/* The same in memory, for vectors: V8 makes a constant vector of four instructions wherever it is used, and a load is one.
 * The compiler does not see these values, and so cannot make them constants again. */
typedef struct tg_exp_terms {
    float max, min, tanh_max, log2_e, round, ln2_high, ln2_low, c7, c6, c5, c4, c3, c2, one;
    float up, down; /* 2^64, 2^-64 */
} tg_exp_terms;

extern const tg_exp_terms tg_exp_terms_f32;

#endif
