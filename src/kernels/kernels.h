/* kernels.h - the arithmetic of training, arrays only: one table of functions per instruction set.
 *
 * The scalar table is the specification. Every other table yields the same bits, because the order of every
 * sum is part of the specification and no kernel fuses a multiplication with an addition:
 *   - elementwise kernels compute each element by the same operations in the same order;
 *   - a matrix product adds its k terms one after the other, starting from c (or 0): vectors run along n,
 *     never along k;
 *   - sum() has 16 virtual lanes (see there).
 * Pointers need tg_real's alignment only. Arrays do not overlap unless said. n may be 0. */
#ifndef TG_KERNELS_KERNELS_H
#define TG_KERNELS_KERNELS_H

#include "kernels/conv.h"

/* The numbers of one optimizer step, rounded to tg_real once. */
typedef struct tg_sgd_step {
    tg_real learning_rate, l2, weight_decay; /* g += 2 l2 w + weight_decay w */
    tg_real momentum;
    bool nesterov;
} tg_sgd_step;

typedef struct tg_adam_step {
    tg_real learning_rate, l2, weight_decay;
    tg_real decoupled_decay; /* AdamW: w is first multiplied by 1 - learning_rate * decoupled_decay */
    tg_real beta1, beta2, epsilon;
    tg_real correction1, correction2; /* 1 - beta1^t, sqrt(1 - beta2^t) */
} tg_adam_step;

typedef struct tg_rmsprop_step {
    tg_real learning_rate, l2, weight_decay;
    tg_real alpha, epsilon, momentum;
} tg_rmsprop_step;

/* An element of a row of a, and where the row of b begins that it meets, in elements. */
typedef struct tg_term {
    tg_real value;
    uint32_t row;
} tg_term;

/* The terms of a row of a that are not 0, in order. */
typedef struct tg_list {
    size_t count;
    tg_term *terms;
} tg_list;

typedef struct tg_kernels {
    const char *name; /* "scalar", "sse2", "avx2", "avx512", "neon", "wasm128" */

    /* A panel of the matrix product: c[rows, cols] = start + a b, cols <= gemm_cols, any number of rows, c's ldc apart.
     * a: element (i, p) is a[i * a_row + p].
     * b: row p begins at b[p * b_row] and can be read up to the next multiple of `lanes` columns.
     * start: what the sums begin with, start[i * start_row + j]; NULL: 0. May be c. */
    size_t gemm_cols, lanes;
    void (*gemm_panel)(size_t k, const tg_real *a, size_t a_row, const tg_real *b, size_t b_row,
                       const tg_real *start, size_t start_row, tg_real *c, size_t ldc, size_t rows,
                       size_t cols);
    /* The same by some terms of each row alone, for up to gemm_at_once panels of b of gemm_cols columns each, which are
     * `apart` elements apart. */
    size_t gemm_at_once;
    void (*gemm_listed)(const tg_list *lists, const tg_real *b, size_t apart, const tg_real *start,
                        size_t start_row, tg_real *c, size_t ldc, size_t rows, size_t panels);

    /* Convolution: tiles that read pictures where they lie (kernels/conv.h). conv_nr filters a panel; vectors of dy are
     * conv_lanes long. Sums in the order of the taps, or of rows and columns. */
    size_t conv_nr, conv_lanes;
    void (*convolve)(const tg_convolve *convolve);
    void (*correlate)(const tg_correlate *correlate);
    /* y[count, channels] = the largest tap of every window: of equals the first, of NaNs the last; place, unless it is
     * NULL, which tap that was. */
    void (*max_windows)(const tg_windows *windows, const tg_real *x, tg_real *y, uint32_t *place);
    /* The way back: the tap at place gets dy, the others 0; where y is given, 0 also where that is not above 0. dx is set,
     * or with add added to. */
    void (*spread_windows)(const tg_windows *windows, const uint32_t *place, const tg_real *dy,
                           const tg_real *y, bool add, tg_real *dx);

    const struct tg_winograd_kernels *winograd; /* kernels/winograd_kernels.h */

    /* Activations. forward: y may be x. backward: dx += dy * y'(x), or dx = ... where dx is dy.
     * relu(x) = x < 0 ? 0 : x, so NaN stays NaN and -0 stays -0; its slope is y > 0 ? 1 : 0, and where it is
     * 0, 0 is added whatever dy is. */
    void (*relu)(size_t n, const tg_real *x, tg_real *y);
    void (*relu_backward)(size_t n, const tg_real *y, const tg_real *dy, tg_real *dx);
    void (*leaky_relu)(size_t n, tg_real slope, const tg_real *x, tg_real *y);
    /* slope >= 0 */
    void (*leaky_relu_backward)(size_t n, tg_real slope, const tg_real *y, const tg_real *dy, tg_real *dx);
    void (*sigmoid)(size_t n, const tg_real *x, tg_real *y);
    void (*sigmoid_backward)(size_t n, const tg_real *y, const tg_real *dy, tg_real *dx);
    void (*tanh)(size_t n, const tg_real *x, tg_real *y);
    void (*tanh_backward)(size_t n, const tg_real *y, const tg_real *dy, tg_real *dx);
    void (*exp)(size_t n, const tg_real *x, tg_real *y);

    /* Vectors. */
    void (*add)(size_t n, const tg_real *x, tg_real *y);                            /* y += x */
    void (*multiply_add)(size_t n, const tg_real *a, const tg_real *b, tg_real *y); /* y += a b */
    void (*scale)(size_t n, tg_real alpha, tg_real *y);                             /* y *= alpha */
    /* y = x high + x low */
    void (*scale_u8)(size_t n, const uint8_t *x, tg_real high, tg_real low, tg_real *y);
    /* The same of n pixels of three channels, into planes: y[c n + i] from x[3 i + c] */
    void (*scale_rgb)(size_t n, const uint8_t *x, tg_real high, tg_real low, tg_real *y);
    /* 16 lanes: lane l adds x[l], x[l + 16], ... in order from 0; then lanes 8 apart are added, 4, 2, 1. */
    tg_real (*sum)(size_t n, const tg_real *x);
    /* In the same lanes: the sum of (x - centre)^2. */
    tg_real (*sum_squares)(size_t n, const tg_real *x, tg_real centre);
    bool (*all_finite)(size_t n, const tg_real *x);
    uint64_t (*nonzero)(size_t n, const tg_real *x); /* bit i: x[i] is neither 0 nor -0; n <= 64 */
    /* The largest of start and x[0..n): NaN if there is one, and a zero is +0, so that no order matters. */
    tg_real (*max)(size_t n, const tg_real *x, tg_real start);

    /* Rows: y[rows, cols]. */
    void (*add_row)(size_t rows, size_t cols, const tg_real *row, tg_real *y); /* y[r, :] += row */
    /* out[:] += x[0, :], then x[1, :], ... */
    void (*sum_rows)(size_t rows, size_t cols, const tg_real *x, tg_real *out);
    /* The same with (x - centre[:])^2 and y (x - centre[:]). */
    void (*sum_squares_rows)(size_t rows, size_t cols, const tg_real *x, const tg_real *centre, tg_real *out);
    void (*sum_products_rows)(size_t rows, size_t cols, const tg_real *y, const tg_real *x,
                              const tg_real *centre, tg_real *out);

    /* Optimizers, one pass. g holds the gradient before and the new weight afterwards: the old one stays in w
     * until the caller knows that the step is finite. v, m, s: state, updated in place.
     *   sgd:      g' = g + (2 l2 + weight_decay) w;  w' = w - lr g'
     *   momentum: v = momentum v + g';  w' = w - lr (nesterov ? g' + momentum v : v)          (PyTorch's)
     *   rmsprop:  s = alpha s + (1 - alpha) g'^2;  v = momentum v + g' / (sqrt(s) + epsilon);
     *             w' = w - lr v                                                                (PyTorch's)
     *   adam:     m = b1 m + (1 - b1) g';  s = b2 s + (1 - b2) g'^2;
     *             w' = w (1 - lr decoupled_decay) - lr (m / correction1) / (sqrt(s) / correction2 + epsilon)
     * What does not depend on the element is computed once: see kernels/coefficients.h. They return whether all that they
     * wrote is finite: an infinite second moment leaves weights finite, and stuck. */
    bool (*sgd)(size_t n, const tg_sgd_step *step, const tg_real *w, tg_real *g);
    bool (*momentum)(size_t n, const tg_sgd_step *step, const tg_real *w, tg_real *g, tg_real *v);
    bool (*rmsprop)(size_t n, const tg_rmsprop_step *step, const tg_real *w, tg_real *g, tg_real *s,
                    tg_real *v);
    bool (*adam)(size_t n, const tg_adam_step *step, const tg_real *w, tg_real *g, tg_real *m, tg_real *s);
} tg_kernels;

const tg_kernels *tg_kernels_scalar(void);
/* NULL where this build has no such code or this machine cannot run it. */
const tg_kernels *tg_kernels_sse2(void);
const tg_kernels *tg_kernels_avx2(void);
const tg_kernels *tg_kernels_avx512(void);
const tg_kernels *tg_kernels_avx2_fma(void); /* of other bits: see tg_kernels_choose_fused() */
const tg_kernels *tg_kernels_avx512_fma(void);
const tg_kernels *tg_kernels_neon(void);
const tg_kernels *tg_kernels_wasm128(void);

/* The widest that runs here, chosen anew at each call; the environment variable TG_KERNELS (a table's name)
 * overrides it natively, so that tests force every path on one machine. */
const tg_kernels *tg_kernels_choose(void);
/* The widest that rounds a product and its addition once, outside of the promise of equal bits; NULL where there is none. */
const tg_kernels *tg_kernels_choose_fused(void);

#endif
