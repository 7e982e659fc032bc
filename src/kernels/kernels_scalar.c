/* The specification of kernels.h: plain loops, one element at a time. */
#include <float.h>
#include <math.h> /* isfinite: a classification, not a computation */

#include "base/math.h"
#include "kernels/coefficients.h"
#include "kernels/conv_scalar.h"
#include "kernels/kernels.h"

enum { GEMM_COLS = 8, LANES = 16 };

static void gemm_panel(size_t k, const tg_real *a, size_t a_row, const tg_real *b, size_t b_row,
                       const tg_real *start, size_t start_row, tg_real *c, size_t ldc, size_t rows,
                       size_t cols) {
    for (size_t i = 0; i < rows; i++) {
        tg_real sum[GEMM_COLS] = {0};
        for (size_t j = 0; start && j < cols; j++) sum[j] = start[i * start_row + j];
        for (size_t p = 0; p < k; p++) {
            for (size_t j = 0; j < cols; j++) sum[j] += a[i * a_row + p] * b[p * b_row + j];
        }
        for (size_t j = 0; j < cols; j++) c[i * ldc + j] = sum[j];
    }
}

static void gemm_listed(const tg_list *lists, const tg_real *b, size_t apart, const tg_real *start,
                        size_t start_row, tg_real *c, size_t ldc, size_t rows, size_t panels) {
    for (size_t i = 0; i < rows; i++) {
        const tg_term *terms = lists[i].terms;
        for (size_t j = 0; j < panels * GEMM_COLS; j++) {
            const tg_real *column = b + j / GEMM_COLS * apart + j % GEMM_COLS;
            tg_real sum = start ? start[i * start_row + j] : 0;
            for (size_t t = 0; t < lists[i].count; t++) sum += terms[t].value * column[terms[t].row];
            c[i * ldc + j] = sum;
        }
    }
}

/* ---- activations --------------------------------------------------------------------------------------- */

/* x < 0 in a form that Clang (seen: 14 for AArch64) does not merge with `? 0 : x` into max(x, 0), which makes
 * +0 of -0: no number lies between 0 and the smallest. */
static bool is_negative(tg_real x) {
#ifdef TG_REAL_F64
    return x <= -DBL_TRUE_MIN;
#else
    return x <= -FLT_TRUE_MIN;
#endif
}

static tg_real relu_of(tg_real x) {
    return is_negative(x) ? 0 : x;
}

static void relu(size_t n, const tg_real *x, tg_real *y) {
    for (size_t i = 0; i < n; i++) y[i] = relu_of(x[i]);
}

static void leaky_relu(size_t n, tg_real slope, const tg_real *x, tg_real *y) {
    for (size_t i = 0; i < n; i++) y[i] = x[i] < 0 ? slope * x[i] : x[i];
}

static void sigmoid_(size_t n, const tg_real *x, tg_real *y) {
    for (size_t i = 0; i < n; i++) y[i] = tg_sigmoid(x[i]);
}

static void tanh_(size_t n, const tg_real *x, tg_real *y) {
    for (size_t i = 0; i < n; i++) y[i] = tg_tanh(x[i]);
}

static void exp_(size_t n, const tg_real *x, tg_real *y) {
    for (size_t i = 0; i < n; i++) y[i] = tg_exp(x[i]);
}

/* Every backward: in place where dx is dy, else added. */
static tg_real gradient_base(const tg_real *dy, const tg_real *dx, size_t i) {
    return dx == dy ? 0 : dx[i];
}

static void relu_backward(size_t n, const tg_real *y, const tg_real *dy, tg_real *dx) {
    for (size_t i = 0; i < n; i++) dx[i] = gradient_base(dy, dx, i) + (y[i] > 0 ? dy[i] : 0);
}

static void leaky_relu_backward(size_t n, tg_real slope, const tg_real *y, const tg_real *dy, tg_real *dx) {
    for (size_t i = 0; i < n; i++) dx[i] = gradient_base(dy, dx, i) + (y[i] > 0 ? dy[i] : slope * dy[i]);
}

static void sigmoid_backward(size_t n, const tg_real *y, const tg_real *dy, tg_real *dx) {
    for (size_t i = 0; i < n; i++) dx[i] = gradient_base(dy, dx, i) + dy[i] * (y[i] * (1 - y[i]));
}

static void tanh_backward(size_t n, const tg_real *y, const tg_real *dy, tg_real *dx) {
    for (size_t i = 0; i < n; i++) dx[i] = gradient_base(dy, dx, i) + dy[i] * (1 - y[i] * y[i]);
}

/* ---- vectors ------------------------------------------------------------------------------------------- */

static void add(size_t n, const tg_real *x, tg_real *y) {
    for (size_t i = 0; i < n; i++) y[i] += x[i];
}

static void scale(size_t n, tg_real alpha, tg_real *y) {
    for (size_t i = 0; i < n; i++) y[i] *= alpha;
}

static void multiply_add_each(size_t n, const tg_real *a, const tg_real *b, tg_real *y) {
    for (size_t i = 0; i < n; i++) y[i] += a[i] * b[i];
}

static void scale_u8(size_t n, const uint8_t *x, tg_real high, tg_real low, tg_real *y) {
    for (size_t i = 0; i < n; i++) y[i] = (tg_real)x[i] * high + (tg_real)x[i] * low;
}

static void scale_rgb(size_t n, const uint8_t *x, tg_real high, tg_real low, tg_real *y) {
    for (size_t c = 0; c < 3; c++) {
        for (size_t i = 0; i < n; i++)
            y[c * n + i] = (tg_real)x[3 * i + c] * high + (tg_real)x[3 * i + c] * low;
    }
}

static tg_real sum_lanes(tg_real lane[LANES]) {
    for (size_t half = LANES / 2; half >= 1; half /= 2) {
        for (size_t l = 0; l < half; l++) lane[l] += lane[l + half];
    }
    return lane[0];
}

static tg_real sum(size_t n, const tg_real *x) {
    tg_real lane[LANES] = {0};
    for (size_t i = 0; i < n; i++) lane[i % LANES] += x[i];
    return sum_lanes(lane);
}

static tg_real sum_squares(size_t n, const tg_real *x, tg_real centre) {
    tg_real lane[LANES] = {0};
    for (size_t i = 0; i < n; i++) lane[i % LANES] += (x[i] - centre) * (x[i] - centre);
    return sum_lanes(lane);
}

static bool all_finite(size_t n, const tg_real *x) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) return false;
    }
    return true;
}

static uint64_t nonzero(size_t n, const tg_real *x) {
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) bits |= (uint64_t)(x[i] != 0) << i;
    return bits;
}

static tg_real max(size_t n, const tg_real *x, tg_real start) {
    tg_real m = start;
    for (size_t i = 0; i < n; i++) m = x[i] > m || x[i] != x[i] ? x[i] : m;
    return m + 0; /* -0 + 0 is +0 */
}

/* ---- rows ---------------------------------------------------------------------------------------------- */

static void add_row(size_t rows, size_t cols, const tg_real *row, tg_real *y) {
    for (size_t r = 0; r < rows; r++) add(cols, row, y + r * cols);
}

static void sum_rows(size_t rows, size_t cols, const tg_real *x, tg_real *out) {
    for (size_t r = 0; r < rows; r++) add(cols, x + r * cols, out);
}

static void sum_squares_rows(size_t rows, size_t cols, const tg_real *x, const tg_real *centre,
                             tg_real *out) {
    for (size_t r = 0; r < rows; r++, x += cols)
        for (size_t j = 0; j < cols; j++) out[j] += (x[j] - centre[j]) * (x[j] - centre[j]);
}

static void sum_products_rows(size_t rows, size_t cols, const tg_real *y, const tg_real *x,
                              const tg_real *centre, tg_real *out) {
    for (size_t r = 0; r < rows; r++, x += cols, y += cols)
        for (size_t j = 0; j < cols; j++) out[j] += y[j] * (x[j] - centre[j]);
}

/* ---- optimizers ---------------------------------------------------------------------------------------- */

static bool sgd(size_t n, const tg_sgd_step *step, const tg_real *w, tg_real *g) {
    tg_real decay = tg_sgd_decay(step);
    for (size_t i = 0; i < n; i++) g[i] = w[i] - step->learning_rate * (g[i] + decay * w[i]);
    return all_finite(n, g);
}

static bool momentum(size_t n, const tg_sgd_step *step, const tg_real *w, tg_real *g, tg_real *v) {
    tg_real decay = tg_sgd_decay(step);
    for (size_t i = 0; i < n; i++) {
        tg_real slope = g[i] + decay * w[i];
        v[i] = step->momentum * v[i] + slope;
        tg_real direction = step->nesterov ? slope + step->momentum * v[i] : v[i];
        g[i] = w[i] - step->learning_rate * direction;
    }
    return all_finite(n, g) && all_finite(n, v);
}

static bool rmsprop(size_t n, const tg_rmsprop_step *step, const tg_real *w, tg_real *g, tg_real *s,
                    tg_real *v) {
    tg_real decay = 2 * step->l2 + step->weight_decay, rest = 1 - step->alpha;
    for (size_t i = 0; i < n; i++) {
        tg_real slope = g[i] + decay * w[i];
        s[i] = step->alpha * s[i] + rest * (slope * slope);
        v[i] = step->momentum * v[i] + slope / (tg_sqrt(s[i]) + step->epsilon);
        g[i] = w[i] - step->learning_rate * v[i];
    }
    return all_finite(n, g) && all_finite(n, s) && all_finite(n, v);
}

static bool adam(size_t n, const tg_adam_step *step, const tg_real *w, tg_real *g, tg_real *m, tg_real *s) {
    tg_adam_coefficients c = tg_adam_prepare(step);
    for (size_t i = 0; i < n; i++) {
        tg_real slope = g[i] + c.decay * w[i];
        m[i] = step->beta1 * m[i] + c.rest1 * slope;
        s[i] = step->beta2 * s[i] + c.rest2 * (slope * slope);
        g[i] = c.keep * w[i] - c.rate * m[i] / (c.root * tg_sqrt(s[i]) + step->epsilon);
    }
    return all_finite(n, g) && all_finite(n, m) && all_finite(n, s);
}

/* ---- Winograd: the vectors are single numbers ------------------------------------------------------------ */

#define TG_LANES            1
#define TG_WINOGRAD_ROWS    4
#define TG_WINOGRAD_VECTORS 8
typedef tg_real vf;

static vf load(const tg_real *from) {
    return *from;
}

static void store(tg_real *to, vf v) {
    *to = v;
}

static vf load_first(const tg_real *from, size_t n) {
    (void)n;
    return *from;
}

static void store_first(tg_real *to, vf v, size_t n) {
    (void)n;
    *to = v;
}

static vf set1(tg_real x) {
    return x;
}

static vf multiply_add(vf a, vf b, vf c) {
    return c + a * b;
}

#include "kernels/winograd_simd.inc.h"

static const tg_kernels table = {
    .name = "scalar",
    .lanes = 1,
    .gemm_cols = GEMM_COLS,
    .gemm_panel = gemm_panel,
    .gemm_at_once = 2,
    .gemm_listed = gemm_listed,
    .conv_nr = TG_SCALAR_CONV_NR,
    .conv_lanes = 1,
    .convolve = tg_scalar_convolve,
    .correlate = tg_scalar_correlate,
    .multiply_add = multiply_add_each,
    .max_windows = tg_scalar_max_windows,
    .spread_windows = tg_scalar_spread_windows,
    .winograd = &winograd_table,
    .relu = relu,
    .relu_backward = relu_backward,
    .leaky_relu = leaky_relu,
    .leaky_relu_backward = leaky_relu_backward,
    .sigmoid = sigmoid_,
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

const tg_kernels *tg_kernels_scalar(void) {
    return &table;
}
