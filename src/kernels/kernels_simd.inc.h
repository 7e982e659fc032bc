/* The kernel table of one instruction set, written once for all of them: simd.h has the vector, and the file
 * that includes this one defines
 *     TG_NAME "avx2"    TG_REGISTERS: how many vector registers there are
 *     TG_CONV_MR, TG_CONV_NV: rows and vectors of the register tile of convolution
 * Operation by operation what kernels_scalar.c and base/math.c do, so the bits are the same. */
#include "base/math_f32.h"
#include "kernels/coefficients.h"
#include "kernels/kernels.h"
#include "kernels/simd.h"

#include "kernels/gemm_simd.inc.h"

/* ---- elementary functions: base/math.c -----------------------------------------------------------------
 * The operations on one value wait for each other, a hundred cycles in all, and a core looks ahead for less. So each step
 * is done for some vectors before the next. */

enum { AT_ONCE = 64, VECTORS_AT_ONCE = AT_ONCE / TG_LANES };

/* exp(r) = 2^n (1 + p), where r follows from x; in the end p becomes the result. */
typedef struct exp_block {
    size_t vectors;
    vf x[VECTORS_AT_ONCE], r[VECTORS_AT_ONCE], p[VECTORS_AT_ONCE];
    vi n[VECTORS_AT_ONCE];
} exp_block;

static void reduce(exp_block *e) {
    const tg_exp_terms *k = &tg_exp_terms_f32;
    for (size_t v = 0; v < e->vectors; v++) {
        vf r = e->r[v], shifted = r * k->log2_e + k->round, whole = shifted - k->round;
        e->n[v] = (vi)shifted - (vi)set1(k->round);
        r = r - whole * k->ln2_high;
        e->r[v] = r - whole * k->ln2_low;
    }
    for (size_t v = 0; v < e->vectors; v++) {
        vf r = e->r[v], sum = set1(k->c7);
        sum = sum * r + k->c6;
        sum = sum * r + k->c5;
        sum = sum * r + k->c4;
        e->p[v] = sum * r + k->c3;
    }
    for (size_t v = 0; v < e->vectors; v++) {
        vf r = e->r[v], sum = e->p[v] * r + k->c2;
        e->p[v] = r * r * sum + r;
    }
}

/* y = what `after` makes of exp of what `before` makes of x. */
static void through_exp(size_t n, const float *x, float *y, void (*before)(exp_block *),
                        void (*after)(exp_block *)) {
    exp_block e;
    for (size_t i = 0; i < n; i += AT_ONCE) {
        size_t count = n - i < AT_ONCE ? n - i : AT_ONCE, bytes = count * sizeof *x;
        e.vectors = (count + TG_LANES - 1) / TG_LANES;
        e.x[e.vectors - 1] = (vf){0}; /* which may stay in part */
        memcpy(e.x, x + i, bytes);
        before(&e);
        reduce(&e);
        after(&e);
        memcpy(y + i, e.p, bytes);
    }
}

static inline vf absolute(vf x) {
    return (vf)((vu)x & 0x7fffffffu);
}

/* 2^n. */
static inline vf power_of_two(vi n) {
    return (vf)((vu)(n + 127) << 23);
}

/* NaN passes both, and makes p NaN. */
static void before_exp(exp_block *e) {
    const tg_exp_terms *k = &tg_exp_terms_f32;
    for (size_t v = 0; v < e->vectors; v++)
        e->r[v] = larger_of(smaller_of(e->x[v], set1(k->max)), set1(k->min));
}

static void after_exp(exp_block *e) {
    for (size_t v = 0; v < e->vectors; v++) {
        vi half = e->n[v] >> 1;
        e->p[v] = (1.0f + e->p[v]) * power_of_two(half) * power_of_two(e->n[v] - half);
    }
}

static void exp_(size_t n, const float *x, float *y) {
    through_exp(n, x, y, before_exp, after_exp);
}

static void before_sigmoid(exp_block *e) {
    for (size_t v = 0; v < e->vectors; v++)
        e->r[v] = larger_of(-absolute(e->x[v]), set1(tg_exp_terms_f32.min));
}

/* exp is at most 1 here: by way of a number 2^64 times as large, so that what is subnormal is rounded once, by the last
 * multiplication. The larger of it and 0 or 1 is itself where x < 0, else 1. */
static void after_sigmoid(exp_block *e) {
    const tg_exp_terms *k = &tg_exp_terms_f32;
    for (size_t v = 0; v < e->vectors; v++) {
        vf one = set1(k->one), power = (vf)((vu)set1(k->up) + ((vu)e->n[v] << 23)); /* 2^(n + 64) */
        vf exp = (one + e->p[v]) * power * k->down;
        e->p[v] = larger_of((vf)(~((vi)e->x[v] >> 31) & (vi)one), exp) / (one + exp);
    }
}

static void sigmoid(size_t n, const float *x, float *y) {
    through_exp(n, x, y, before_sigmoid, after_sigmoid);
}

static void before_tanh(exp_block *e) {
    for (size_t v = 0; v < e->vectors; v++)
        e->r[v] = smaller_of(2.0f * absolute(e->x[v]), set1(tg_exp_terms_f32.tanh_max));
}

static void after_tanh(exp_block *e) {
    for (size_t v = 0; v < e->vectors; v++) {
        vf power = power_of_two(e->n[v]);
        vf t = power * e->p[v] + (power - 1.0f);
        vf y = t / (t + 2.0f);
        e->p[v] = (vf)((vu)y | ((vu)e->x[v] & 0x80000000u));
    }
}

static void tanh_(size_t n, const float *x, float *y) {
    through_exp(n, x, y, before_tanh, after_tanh);
}

/* ---- activations --------------------------------------------------------------------------------------- */

static inline vf relu_of(vf x) {
    return larger_of(x, (vf){0}); /* -0 and NaN stay */
}

static void relu(size_t n, const float *x, float *y) {
    for (size_t i = 0; i < n; i += TG_LANES) store_first(y + i, relu_of(load_first(x + i, n - i)), n - i);
}

static void leaky_relu(size_t n, float slope, const float *x, float *y) {
    for (size_t i = 0; i < n; i += TG_LANES) {
        vf v = load_first(x + i, n - i);
        store_first(y + i, select(v < 0.0f, slope * v, v), n - i);
    }
}

/* Every backward: in place where dx is dy, else added. */
static inline void add_gradient(vf gradient, const float *dy, float *dx, size_t n) {
    vf base = dx == dy ? (vf){0} : load_first(dx, n);
    store_first(dx, base + gradient, n);
}

static void relu_backward(size_t n, const float *y, const float *dy, float *dx) {
    for (size_t i = 0; i < n; i += TG_LANES) {
        vf g = load_first(dy + i, n - i);
        add_gradient(select(load_first(y + i, n - i) > 0.0f, g, (vf){0}), dy + i, dx + i, n - i);
    }
}

static void leaky_relu_backward(size_t n, float slope, const float *y, const float *dy, float *dx) {
    for (size_t i = 0; i < n; i += TG_LANES) {
        vf g = load_first(dy + i, n - i);
        add_gradient(select(load_first(y + i, n - i) > 0.0f, g, slope * g), dy + i, dx + i, n - i);
    }
}

static void sigmoid_backward(size_t n, const float *y, const float *dy, float *dx) {
    for (size_t i = 0; i < n; i += TG_LANES) {
        vf v = load_first(y + i, n - i);
        add_gradient(load_first(dy + i, n - i) * (v * (1.0f - v)), dy + i, dx + i, n - i);
    }
}

static void tanh_backward(size_t n, const float *y, const float *dy, float *dx) {
    for (size_t i = 0; i < n; i += TG_LANES) {
        vf v = load_first(y + i, n - i);
        add_gradient(load_first(dy + i, n - i) * (1.0f - v * v), dy + i, dx + i, n - i);
    }
}

/* ---- vectors ------------------------------------------------------------------------------------------- */

static void add(size_t n, const float *x, float *y) {
    for (size_t i = 0; i < n; i += TG_LANES) {
        store_first(y + i, load_first(y + i, n - i) + load_first(x + i, n - i), n - i);
    }
}

static void multiply_add_each(size_t n, const float *a, const float *b, float *y) {
    for (size_t i = 0; i < n; i += TG_LANES) {
        vf product = load_first(a + i, n - i) * load_first(b + i, n - i);
        store_first(y + i, load_first(y + i, n - i) + product, n - i);
    }
}

static void scale(size_t n, float alpha, float *y) {
    for (size_t i = 0; i < n; i += TG_LANES) store_first(y + i, load_first(y + i, n - i) * alpha, n - i);
}

/* x becomes a float as the low bits of 2^23 + x: WebAssembly's compilers turn the conversion of what cannot be negative into
 * that of unsigned numbers, for which x86 has no instruction. */
__attribute__((noinline)) static void scale_u8(size_t n, const uint8_t *x, float high, float low, float *y) {
    typedef uint8_t bytes __attribute__((vector_size(TG_LANES)));
    size_t i = 0;
    for (; i + TG_LANES <= n; i += TG_LANES) {
        bytes b;
        memcpy(&b, x + i, sizeof b);
        vf v = (vf)(__builtin_convertvector(b, vi) | (vi)set1(0x1p23f)) - 0x1p23f;
        store(y + i, v * high + v * low);
    }
    for (; i < n; i++) y[i] = (float)x[i] * high + (float)x[i] * low;
}

/* Some pixels at a time become planes of bytes: sixteen are three vectors, from which each channel takes what is its. */
static void scale_rgb(size_t n, const uint8_t *x, float high, float low, float *y) {
    enum { PIXELS = 16, BLOCK = 16 * PIXELS };
    typedef uint8_t bytes __attribute__((vector_size(PIXELS)));
    bytes planes[3][BLOCK / PIXELS];
    for (size_t first = 0, count; first < n; first += count) {
        count = n - first < BLOCK ? n - first : BLOCK;
        for (size_t i = 0; i < count; i += PIXELS) {
            bytes from[3] = {0};
            const uint8_t *pixels = x + 3 * (first + i);
            if (count - i < PIXELS) memcpy(from, pixels, 3 * (count - i));
            else memcpy(from, pixels, sizeof from);
            const bytes a = from[0], b = from[1], c = from[2];
            bytes red = SHUFFLE_BYTES(a, b, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0);
            bytes green = SHUFFLE_BYTES(a, b, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0);
            bytes blue = SHUFFLE_BYTES(a, b, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0);
            planes[0][i / PIXELS] =
                SHUFFLE_BYTES(red, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 17, 20, 23, 26, 29);
            planes[1][i / PIXELS] =
                SHUFFLE_BYTES(green, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18, 21, 24, 27, 30);
            planes[2][i / PIXELS] =
                SHUFFLE_BYTES(blue, c, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 19, 22, 25, 28, 31);
        }
        for (size_t c = 0; c < 3; c++)
            scale_u8(count, (const uint8_t *)planes[c], high, low, y + c * n + first);
    }
}

/* A lane starts from +0, so the zeros that load_first fills in change nothing. */
enum { VECTORS = 16 / TG_LANES };

static float sum_lanes(const vf part[VECTORS]) {
    float lane[16];
    memcpy(lane, part, sizeof lane);
    for (size_t half = 8; half >= 1; half /= 2) {
        for (size_t l = 0; l < half; l++) lane[l] += lane[l + half];
    }
    return lane[0];
}

static float sum(size_t n, const float *x) {
    vf part[VECTORS] = {0};
    size_t i = 0;
    for (; i + 16 <= n; i += 16) {
        for (int j = 0; j < VECTORS; j++) part[j] += load(x + i + j * TG_LANES);
    }
    for (int j = 0; i < n; j++, i += TG_LANES) part[j] += load_first(x + i, n - i);
    return sum_lanes(part);
}

/* Lanes past the end hold the centre, whose distance from it is 0. */
static inline vf distance(const float *x, float centre, size_t n) {
    if (n >= TG_LANES) return load(x) - centre;
    vf v = set1(centre);
    for (size_t l = 0; l < n; l++) v[l] = x[l];
    return v - centre;
}

static float sum_squares(size_t n, const float *x, float centre) {
    vf part[VECTORS] = {0};
    for (size_t i = 0; i < n; i += 16) {
        for (size_t j = 0; j < VECTORS && i + j * TG_LANES < n; j++) {
            vf d = distance(x + i + j * TG_LANES, centre, n - i - j * TG_LANES);
            part[j] += d * d;
        }
    }
    return sum_lanes(part);
}

/* x - x is 0, or NaN where x is infinite or NaN. */
static inline vi is_finite(vf x) {
    return x - x == 0.0f;
}

/* The mask in the first n lanes, true in the others. */
static inline vi in_first(vi mask, size_t n) {
    for (size_t l = n; l < TG_LANES; l++) mask[l] = -1;
    return mask;
}

static bool in_all_lanes(vi mask) {
    bool all = true;
    for (size_t l = 0; l < TG_LANES; l++) all = all && mask[l];
    return all;
}

static bool all_finite(size_t n, const float *x) {
    vi finite = ~(vi){0};
    for (size_t i = 0; i < n; i += TG_LANES) finite &= is_finite(load_first(x + i, n - i));
    return in_all_lanes(finite);
}

static uint64_t nonzero(size_t n, const float *x) {
    uint64_t bits = 0;
    size_t i = 0;
    for (; i + TG_LANES <= n; i += TG_LANES) bits |= (uint64_t)lane_bits(load(x + i) != 0.0f) << i;
    if (i < n) bits |= (uint64_t)lane_bits(load_first(x + i, n - i) != 0.0f) << i;
    return bits;
}

static inline float larger(float x, float m) {
    return x > m || x != x ? x : m;
}

static float max(size_t n, const float *x, float start) {
    size_t i = 0;
    vf m = set1(start);
    for (; i + TG_LANES <= n; i += TG_LANES) {
        vf v = load(x + i);
        m = select((v > m) | (v != v), v, m);
    }
    float largest = start;
    for (size_t l = 0; l < TG_LANES; l++) largest = larger(m[l], largest);
    for (; i < n; i++) largest = larger(x[i], largest);
    return largest + 0.0f;
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static void add_row(size_t rows, size_t cols, const float *row, float *y) {
    for (size_t r = 0; r < rows; r++) add(cols, row, y + r * cols);
}

/* Four vectors at a time: so much of a row is a cache line. */
static void sum_rows(size_t rows, size_t cols, const float *x, float *out) {
    size_t j = 0;
    for (; j + 4 * TG_LANES <= cols; j += 4 * TG_LANES) {
        vf total[4];
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) total[v] = load(out + j + v * TG_LANES);
        for (const float *from = x + j, *end = from + rows * cols; from != end; from += cols) {
#pragma GCC unroll 4
            for (int v = 0; v < 4; v++) total[v] += load(from + v * TG_LANES);
        }
#pragma GCC unroll 4
        for (int v = 0; v < 4; v++) store(out + j + v * TG_LANES, total[v]);
    }
    for (; j < cols; j += TG_LANES) {
        vf total = load_first(out + j, cols - j);
        for (size_t r = 0; r < rows; r++) total += load_first(x + r * cols + j, cols - j);
        store_first(out + j, total, cols - j);
    }
}

#include "kernels/conv_simd.inc.h"

/* ---- optimizers ---------------------------------------------------------------------------------------- */

static bool sgd(size_t n, const tg_sgd_step *step, const float *w, float *g) {
    float decay = tg_sgd_decay(step), rate = step->learning_rate;
    vi finite = ~(vi){0};
    for (size_t i = 0; i < n; i += TG_LANES) {
        vf weight = load_first(w + i, n - i);
        vf slope = load_first(g + i, n - i) + decay * weight;
        vf next = weight - rate * slope;
        finite &= in_first(is_finite(next), n - i);
        store_first(g + i, next, n - i);
    }
    return in_all_lanes(finite);
}

static bool momentum(size_t n, const tg_sgd_step *step, const float *w, float *g, float *v) {
    float decay = tg_sgd_decay(step), rate = step->learning_rate, keep = step->momentum;
    bool nesterov = step->nesterov;
    vi finite = ~(vi){0};
    size_t i = 0;
    for (; i + TG_LANES <= n; i += TG_LANES) {
        vf weight = load(w + i), slope = load(g + i) + decay * weight;
        vf velocity = keep * load(v + i) + slope;
        vf next = weight - rate * (nesterov ? slope + keep * velocity : velocity);
        finite &= is_finite(velocity) & is_finite(next);
        store(v + i, velocity);
        store(g + i, next);
    }
    if (i == n) return in_all_lanes(finite);
    float rest[3][TG_LANES] = {
        {0}}; /* what does not fill a vector, filled up with zeros, which stay finite */
    size_t bytes = (n - i) * sizeof *w;
    memcpy(rest[0], w + i, bytes);
    memcpy(rest[1], g + i, bytes);
    memcpy(rest[2], v + i, bytes);
    bool rest_finite = momentum(TG_LANES, step, rest[0], rest[1], rest[2]);
    memcpy(g + i, rest[1], bytes);
    memcpy(v + i, rest[2], bytes);
    return rest_finite && in_all_lanes(finite);
}

static bool rmsprop(size_t n, const tg_rmsprop_step *step, const float *w, float *g, float *s, float *v) {
    float decay = 2 * step->l2 + step->weight_decay, rest = 1 - step->alpha;
    float alpha = step->alpha, epsilon = step->epsilon, keep = step->momentum, rate = step->learning_rate;
    vi finite = ~(vi){0};
    for (size_t i = 0; i < n; i += TG_LANES) {
        vf weight = load_first(w + i, n - i);
        vf slope = load_first(g + i, n - i) + decay * weight;
        vf square = alpha * load_first(s + i, n - i) + rest * (slope * slope);
        vf velocity = keep * load_first(v + i, n - i) + slope / (sqrt_each(square) + epsilon);
        vf next = weight - rate * velocity;
        finite &= in_first(is_finite(square) & is_finite(velocity) & is_finite(next), n - i);
        store_first(s + i, square, n - i);
        store_first(v + i, velocity, n - i);
        store_first(g + i, next, n - i);
    }
    return in_all_lanes(finite);
}

static bool adam(size_t n, const tg_adam_step *step, const float *w, float *g, float *m, float *s) {
    tg_adam_coefficients c = tg_adam_prepare(step);
    float beta1 = step->beta1, beta2 = step->beta2, epsilon = step->epsilon;
    vi finite = ~(vi){0};
    for (size_t i = 0; i < n; i += TG_LANES) {
        vf weight = load_first(w + i, n - i);
        vf slope = load_first(g + i, n - i) + c.decay * weight;
        vf mean = beta1 * load_first(m + i, n - i) + c.rest1 * slope;
        vf square = beta2 * load_first(s + i, n - i) + c.rest2 * (slope * slope);
        vf next = c.keep * weight - c.rate * mean / (c.root * sqrt_each(square) + epsilon);
        finite &= in_first(is_finite(mean) & is_finite(square) & is_finite(next), n - i);
        store_first(m + i, mean, n - i);
        store_first(s + i, square, n - i);
        store_first(g + i, next, n - i);
    }
    return in_all_lanes(finite);
}

#include "kernels/winograd_simd.inc.h"

static const tg_kernels table = {
    .name = TG_NAME,
    .lanes = TG_LANES,
    .gemm_cols = GEMM_COLS,
    .gemm_panel = gemm_panel,
    .gemm_at_once = LISTED_PANELS,
    .gemm_listed = gemm_listed,
    .conv_nr = CONV_NR,
    .conv_lanes = TG_LANES,
    .convolve = convolve,
    .correlate = correlate,
    .multiply_add = multiply_add_each,
    .max_windows = max_windows,
    .spread_windows = spread_windows,
    .winograd = &winograd_table,
    .relu = relu,
    .relu_backward = relu_backward,
    .leaky_relu = leaky_relu,
    .leaky_relu_backward = leaky_relu_backward,
    .sigmoid = sigmoid,
    .sigmoid_backward = sigmoid_backward,
    .tanh = tanh_,
    .tanh_backward = tanh_backward,
    .exp = exp_,
    .add = add,
    .scale = scale,
    .scale_u8 = scale_u8,
    .scale_rgb = scale_rgb,
    .sum = sum,
    .sum_squares = sum_squares,
    .all_finite = all_finite,
    .nonzero = nonzero,
    .max = max,
    .add_row = add_row,
    .sum_rows = sum_rows,
    .sum_squares_rows = sum_squares_rows,
    .sum_products_rows = sum_products_rows,
    .sgd = sgd,
    .momentum = momentum,
    .rmsprop = rmsprop,
    .adam = adam,
};
