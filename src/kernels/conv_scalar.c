#include "kernels/conv_scalar.h"

#include <float.h>

enum { NR = TG_SCALAR_CONV_NR };

/* As in kernels_scalar.c: -0 stays -0. */
static tg_real rectify(tg_real x) {
#ifdef TG_REAL_F64
    return x <= -DBL_TRUE_MIN ? 0 : x;
#else
    return x <= -FLT_TRUE_MIN ? 0 : x;
#endif
}

void tg_scalar_convolve(const tg_convolve *c) {
    for (size_t i = 0; i < c->count; i++) {
        const tg_real *x = c->x + c->position[i], *w = c->w;
        tg_real *y = c->y + i * c->ldy, sum[NR] = {0};
        for (size_t j = 0; j < c->cols; j++) sum[j] = c->accumulate ? y[j] : c->start ? c->start[j] : 0;
        for (size_t r = 0; r < c->taps.runs; r++)
            for (size_t k = 0; k < c->taps.length; k++, w += NR)
                for (size_t j = 0; j < NR; j++) sum[j] += x[c->taps.offset[r] + k] * w[j];
        for (size_t j = 0; j < c->cols; j++) y[j] = c->rectified ? rectify(sum[j]) : sum[j];
    }
}

void tg_scalar_correlate(const tg_correlate *c) {
    for (size_t p = 0; c->sum && p < c->rows * c->cols; p++)
        for (size_t j = 0; j < c->width; j++)
            c->sum[j] += c->dy[p / c->cols * c->dy_row + p % c->cols * c->dy_step + j];
    for (size_t k = 0; k < c->count; k++) {
        tg_real *sum = c->dw + k * NR;
        for (size_t r = 0; r < c->rows; r++) {
            const tg_real *x = c->x + r * c->x_row + c->tap[k], *dy = c->dy + r * c->dy_row;
            for (size_t p = 0; p < c->cols; p++, x += c->x_step, dy += c->dy_step)
                for (size_t j = 0; j < c->width; j++) sum[j] += *x * dy[j];
        }
    }
}

void tg_scalar_max_windows(const tg_windows *w, const tg_real *x, tg_real *y, uint32_t *place) {
    for (size_t i = 0; i < w->count * w->channels; i++) {
        const tg_real *from = x + i / w->channels * w->step + i % w->channels;
        size_t at = 0;
        for (size_t t = 1; t < w->taps; t++) {
            tg_real v = from[w->offset[t]];
            if (v > from[w->offset[at]] || v != v) at = t;
        }
        y[i] = from[w->offset[at]];
        if (place) place[i] = (uint32_t)at;
    }
}

void tg_scalar_spread_windows(const tg_windows *w, const uint32_t *place, const tg_real *dy, const tg_real *y,
                              bool add, tg_real *dx) {
    for (size_t i = 0; i < w->count * w->channels; i++) {
        tg_real g = !y || y[i] > 0 ? dy[i] : 0;
        for (size_t t = 0; t < w->taps; t++) {
            tg_real *to = dx + i / w->channels * w->step + i % w->channels + w->offset[t];
            *to = (add ? *to : 0) + (place[i] == t ? g : 0);
        }
    }
}
