/* What the kernels of convolution and pooling are given. Pictures lie as [H, W, C], so a window is a few runs of
 * neighbouring values, and the filters (or channels) of a place are a vector. */
#ifndef TG_KERNELS_CONV_H
#define TG_KERNELS_CONV_H

#include "tabgrad.h"

/* The values that a filter sees from a position: `runs` of them, each `length` neighbours, in the order of their
 * weights. */
typedef struct tg_taps {
    size_t runs, length;
    const size_t *offset; /* [runs] */
} tg_taps;

/* y[count, cols] = (start or y) + sum over the taps of x[position + tap] w[tap, cols], then max(0, .) if rectified. */
typedef struct tg_convolve {
    tg_taps taps;
    const tg_real *x;
    const size_t *position; /* [count] */
    size_t count;
    const tg_real *w;     /* [taps, conv_nr], columns from cols on zero */
    const tg_real *start; /* [conv_nr]: the bias; NULL: 0 */
    tg_real *y;
    size_t ldy, cols; /* cols <= conv_nr */
    bool accumulate;  /* start from y */
    bool rectified;
} tg_convolve;

/* dw[count, conv_nr] += sum over rows x cols positions of x[position + tap] dy[position, 0..width); and, unless it is NULL,
 * sum[conv_nr] += dy alone: the bias's gradient. */
typedef struct tg_correlate {
    const size_t *tap; /* [count] */
    size_t count;
    const tg_real *x;
    size_t x_row, x_step; /* from one position to the next, down and across */
    const tg_real *dy;    /* may be read up to conv_lanes - 1 values past the last position's */
    size_t dy_row, dy_step;
    size_t rows, cols, width;
    tg_real *dw, *sum;
} tg_correlate;

/* Windows of a pool in a row: `count` of them, of taps values each, `step` apart, for `channels` channels side by side. */
typedef struct tg_windows {
    size_t count, step, channels;
    size_t taps;          /* >= 1 */
    const size_t *offset; /* [taps] */
} tg_windows;

#endif
