#include "base/math.h"

#include <assert.h>
#include <math.h> /* sqrt, fabs, copysign: IEEE operations; the functions of libm are not used */
#include <string.h>

#include "base/math_f32.h"

/* The functions below reduce their argument to a small interval in the manner of Cody and Waite, then sum
 * Taylor's series there: its coefficients need no explanation, and the few terms more than a minimax
 * polynomial has do not matter where these functions are used. */

static uint64_t bits_of_f64(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static double f64_of_bits(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^n for -1022 <= n <= 1023. */
static double power_of_two_f64(int64_t n) {
    return f64_of_bits((uint64_t)(n + 1023) << 52);
}

/* y 2^n in two steps, so that results beyond the range become infinite or subnormal by one rounding. */
static double scale_f64(double y, int64_t n) {
    int64_t half = n / 2;
    return y * power_of_two_f64(half) * power_of_two_f64(n - half);
}

/* x + 1.5 * 2^52 has x, rounded to nearest even, in its low bits. */
static const double round_f64 = 0x1.8p+52;

/* ln 2 in two parts, the first of 33 bits, so that n * ln2_high is exact for |n| < 2^20. */
static const double ln2_high = 0x1.62e42fefp-1;
static const double ln2_low = 0x1.473de6af278edp-34;

/* ---- pairs: for what needs some bits more than a double has -------------------------------------------- */

/* A sum of two doubles that do not overlap (Dekker, "A floating-point technique for extending the available
 * precision", 1971). */
typedef struct pair {
    double high, low;
} pair;

static pair two_sum(double a, double b) {
    double sum = a + b;
    double part = sum - a;
    return (pair){sum, (a - (sum - part)) + (b - part)};
}

static pair two_product(double a, double b) {
    double t = 134217729.0 * a; /* 2^27 + 1: splits 53 bits into 26 and 27 */
    double a1 = t - (t - a), a2 = a - a1;
    t = 134217729.0 * b;
    double b1 = t - (t - b), b2 = b - b1;
    double product = a * b;
    return (pair){product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2};
}

static pair pair_add(pair a, pair b) {
    pair sum = two_sum(a.high, b.high);
    return two_sum(sum.high, sum.low + (a.low + b.low));
}

static pair pair_multiply(pair a, pair b) {
    pair product = two_product(a.high, b.high);
    return two_sum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

static pair pair_divide(pair a, pair b) {
    double quotient = a.high / b.high;
    pair back = pair_multiply((pair){quotient, 0.0}, b);
    double rest = ((a.high - back.high) - back.low) + a.low;
    return two_sum(quotient, rest / b.high);
}

/* ---- exp and what follows from it ---------------------------------------------------------------------- */

/* exp(x + tail) = 2^n (1 + p), returning p and n; |tail| far below |x|, both finite. */
static double exp_reduced(double x, double tail, int64_t *n) {
    double shifted = x * 0x1.71547652b82fep+0 + round_f64; /* x / ln 2 */
    double whole = shifted - round_f64;
    *n = (int64_t)whole;
    double high = x - whole * ln2_high; /* exact */
    double low = whole * ln2_low - tail;
    double r = high - low;

    double sum = 1.0 / 6227020800.0; /* 1 / 13!; the next term lies below 2^-57 */
    sum = sum * r + 1.0 / 479001600.0;
    sum = sum * r + 1.0 / 39916800.0;
    sum = sum * r + 1.0 / 3628800.0;
    sum = sum * r + 1.0 / 362880.0;
    sum = sum * r + 1.0 / 40320.0;
    sum = sum * r + 1.0 / 5040.0;
    sum = sum * r + 1.0 / 720.0;
    sum = sum * r + 1.0 / 120.0;
    sum = sum * r + 1.0 / 24.0;
    sum = sum * r + 1.0 / 6.0;
    sum = sum * r + 1.0 / 2.0;
    return high - (low - r * r * sum);
}

static double exp_with_tail(double x, double tail) {
    if (x != x) return x;
    if (x > 710.0) return INFINITY;
    if (x < -746.0) return 0.0;
    int64_t n;
    double p = exp_reduced(x, tail, &n);
    return scale_f64(1.0 + p, n);
}

double tg_exp_f64(double x) {
    return exp_with_tail(x, 0.0);
}

double tg_sigmoid_f64(double x) {
    double e = tg_exp_f64(-fabs(x)); /* never overflows; 1 + e never cancels */
    if (e != e) return e;
    return pair_divide((pair){x < 0.0 ? e : 1.0, 0.0}, two_sum(1.0, e)).high;
}

double tg_tanh_f64(double x) {
    double twice = 2.0 * fabs(x);
    if (!(twice < 44.0)) return x != x ? x : copysign(1.0, x);
    int64_t n;
    double p = exp_reduced(twice, 0.0, &n);
    double power = power_of_two_f64(n);
    double t = power * p + (power - 1.0); /* exp(2|x|) - 1, accurate for small x too */
    return copysign(pair_divide((pair){t, 0.0}, two_sum(2.0, t)).high, x);
}

/* ---- log ----------------------------------------------------------------------------------------------- */

/* x = 2^k m with m in [sqrt(1/2), sqrt(2)), x positive and finite. */
static double split_exponent(double x, int64_t *k) {
    *k = 0;
    if (x < 0x1p-1022) {
        x *= 0x1p54;
        *k = -54;
    }
    uint64_t bits = bits_of_f64(x);
    int64_t exponent = (int64_t)(bits >> 52) - 1023;
    double m = f64_of_bits((bits & 0x000fffffffffffffu) | 0x3ff0000000000000u);
    if (m > 1.4142135623730951) {
        m *= 0.5;
        exponent++;
    }
    *k += exponent;
    return m;
}

/* With f = m - 1 and s = f / (2 + f):  log m = 2 artanh(s) = 2 s + 2/3 s^3 + 2/5 s^5 + ..., |s| < 0.172.
 * Since 2 s = f - s f, log m = f - s (f - R) with R = 2/3 s^2 + ..., and s (f - R) = f^2/2 - s (f^2/2 + R):
 * f - f^2/2 in front keeps the large part exact (as in Ng's fdlibm, e_log.c). */
double tg_log_f64(double x) {
    if (x != x || x < 0.0) return NAN;
    if (x == 0.0) return -INFINITY;
    if (x > 0x1.fffffffffffffp+1023) return x;
    int64_t k;
    double f = split_exponent(x, &k) - 1.0;
    double s = f / (2.0 + f);
    double z = s * s;

    double sum = 2.0 / 21.0; /* the next term lies below 2^-60 */
    sum = sum * z + 2.0 / 19.0;
    sum = sum * z + 2.0 / 17.0;
    sum = sum * z + 2.0 / 15.0;
    sum = sum * z + 2.0 / 13.0;
    sum = sum * z + 2.0 / 11.0;
    sum = sum * z + 2.0 / 9.0;
    sum = sum * z + 2.0 / 7.0;
    sum = sum * z + 2.0 / 5.0;
    sum = sum * z + 2.0 / 3.0;
    double remainder = sum * z;

    double half_square = 0.5 * f * f;
    double whole = (double)k;
    return whole * ln2_high - ((half_square - (s * (half_square + remainder) + whole * ln2_low)) - f);
}

/* ---- pow ----------------------------------------------------------------------------------------------- */

/* The series of tg_log_f64, in pairs: the exponent multiplies its error by up to 2^10. x positive, finite. */
static pair log_pair(double x) {
    int64_t k;
    double f = split_exponent(x, &k) - 1.0;
    pair s = pair_divide((pair){f, 0.0}, two_sum(2.0, f));
    pair z = pair_multiply(s, s);
    pair sum = {0.0, 0.0};
    for (int odd = 27; odd >= 1; odd -= 2) {
        sum = pair_add(pair_multiply(sum, z), pair_divide((pair){2.0, 0.0}, (pair){(double)odd, 0.0}));
    }
    pair whole = two_sum((double)k * ln2_high, 0.0);
    whole = pair_add(whole, two_product((double)k, ln2_low));
    return pair_add(whole, pair_multiply(s, sum));
}

double tg_pow_f64(double base, double exponent) {
    if (exponent == 0.0 || base == 1.0) return 1.0;
    if (base != base || exponent != exponent) return NAN;

    /* Beyond 2^53 every number is an even integer. */
    double magnitude = fabs(exponent);
    bool integer = magnitude >= 0x1p53 || (double)(int64_t)magnitude == magnitude;
    bool odd = integer && magnitude < 0x1p53 && (int64_t)magnitude % 2 == 1;
    double sign = odd ? copysign(1.0, base) : 1.0;
    double size = fabs(base);

    if (size == 0.0 || size == INFINITY) return sign * ((size == 0.0) == (exponent > 0.0) ? 0.0 : INFINITY);
    if (base < 0.0 && !integer) return NAN;
    if (size == 1.0) return sign;
    if (magnitude > 0x1p65) return (size > 1.0) == (exponent > 0.0) ? INFINITY : 0.0; /* |log| >= 2^-53 */

    pair power = pair_multiply(log_pair(size), (pair){exponent, 0.0});
    return sign * exp_with_tail(power.high, power.low);
}

/* ---- sin and cos --------------------------------------------------------------------------------------- */

/* r = x - n pi/2, |r| <= pi/4, as a pair; returns n mod 4. pi/2 in parts of 33 bits: n times one of them is
 * exact for n < 2^20, and 151 bits of it leave a full double even where x is as near to n pi/2 as a double
 * can be. */
static unsigned reduce_angle(double x, pair *r) {
    double whole = x * 0x1.45f306dc9c883p-1 + round_f64 - round_f64; /* x / (pi/2) */
    double first = x - whole * 0x1.921fb544p+0;                      /* exact */
    pair second = two_sum(first, -(whole * 0x1.0b4611a6p-34));
    pair third = two_sum(second.high, -(whole * 0x1.3198a2ep-69));
    *r = two_sum(third.high, (second.low + third.low) - whole * 0x1.b839a252049c1p-104);
    return (unsigned)((int64_t)whole & 3);
}

static double sin_reduced(pair r) {
    double z = r.high * r.high;
    double sum = 1.0 / 355687428096000.0; /* 1 / 17!; the next term lies below 2^-62 */
    sum = sum * z - 1.0 / 1307674368000.0;
    sum = sum * z + 1.0 / 6227020800.0;
    sum = sum * z - 1.0 / 39916800.0;
    sum = sum * z + 1.0 / 362880.0;
    sum = sum * z - 1.0 / 5040.0;
    sum = sum * z + 1.0 / 120.0;
    sum = sum * z - 1.0 / 6.0;
    return r.high + (r.high * z * sum + r.low * (1.0 - 0.5 * z)); /* sin' = cos */
}

static double cos_reduced(pair r) {
    double z = r.high * r.high;
    double sum = 1.0 / 20922789888000.0; /* 1 / 16! */
    sum = sum * z - 1.0 / 87178291200.0;
    sum = sum * z + 1.0 / 479001600.0;
    sum = sum * z - 1.0 / 3628800.0;
    sum = sum * z + 1.0 / 40320.0;
    sum = sum * z - 1.0 / 720.0;
    sum = sum * z + 1.0 / 24.0;
    double half = 0.5 * z;
    double large = 1.0 - half;
    return large + (((1.0 - large) - half) + (z * z * sum - r.high * r.low)); /* cos' = -sin */
}

double tg_sin_f64(double x) {
    if (!(fabs(x) < 1e5)) return NAN;
    pair r;
    unsigned quadrant = reduce_angle(x, &r);
    double y = quadrant % 2 ? cos_reduced(r) : sin_reduced(r);
    return quadrant < 2 ? y : -y;
}

double tg_cos_f64(double x) {
    if (!(fabs(x) < 1e5)) return NAN;
    pair r;
    unsigned quadrant = reduce_angle(x, &r);
    double y = quadrant % 2 ? sin_reduced(r) : cos_reduced(r);
    return quadrant == 0 || quadrant == 3 ? y : -y;
}

/* ---- f32: see math_f32.h ------------------------------------------------------------------------------- */

const tg_exp_terms tg_exp_terms_f32 = {
    .max = TG_EXP_MAX,
    .min = TG_EXP_MIN,
    .tanh_max = TG_TANH_MAX,
    .log2_e = TG_LOG2_E,
    .round = TG_ROUND,
    .ln2_high = TG_LN2_HIGH,
    .ln2_low = TG_LN2_LOW,
    .c7 = TG_EXP_C7,
    .c6 = TG_EXP_C6,
    .c5 = TG_EXP_C5,
    .c4 = TG_EXP_C4,
    .c3 = TG_EXP_C3,
    .c2 = TG_EXP_C2,
    .one = 1,
    .up = 0x1p64f,
    .down = 0x1p-64f,
};

/* 2^n for -126 <= n <= 127. */
static float power_of_two_f32(int32_t n) {
    uint32_t bits = (uint32_t)(n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

/* exp(x) = 2^n (1 + p), returning p and n. TG_EXP_MIN <= x <= TG_EXP_MAX. */
static float exp_reduced_f32(float x, int32_t *n) {
    float whole = x * TG_LOG2_E + TG_ROUND - TG_ROUND;
    *n = (int32_t)whole;
    float r = x - whole * TG_LN2_HIGH;
    r = r - whole * TG_LN2_LOW;
    float sum = TG_EXP_C7;
    sum = sum * r + TG_EXP_C6;
    sum = sum * r + TG_EXP_C5;
    sum = sum * r + TG_EXP_C4;
    sum = sum * r + TG_EXP_C3;
    sum = sum * r + TG_EXP_C2;
    return r * r * sum + r;
}

float tg_exp_f32(float x) {
    if (x != x) return x;
    if (x > TG_EXP_MAX) x = TG_EXP_MAX;
    if (x < TG_EXP_MIN) x = TG_EXP_MIN;
    int32_t n;
    float p = exp_reduced_f32(x, &n);
    int32_t half = n >> 1;
    return (1.0f + p) * power_of_two_f32(half) * power_of_two_f32(n - half);
}

float tg_log_f32(float x) {
    return (float)tg_log_f64((double)x); /* not needed in vectors: the easy way is the most exact one */
}

float tg_sigmoid_f32(float x) {
    float e = tg_exp_f32(-fabsf(x));
    return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

float tg_tanh_f32(float x) {
    if (x != x) return x;
    float twice = 2.0f * fabsf(x);
    if (twice > TG_TANH_MAX) twice = TG_TANH_MAX;
    int32_t n;
    float p = exp_reduced_f32(twice, &n);
    float power = power_of_two_f32(n);
    float t = power * p + (power - 1.0f);
    return copysignf(t / (t + 2.0f), x);
}

tg_real tg_sqrt(tg_real x) {
#ifdef TG_REAL_F64
    return sqrt(x);
#else
    return sqrtf(x);
#endif
}
