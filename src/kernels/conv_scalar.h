/* The specification of the kernels of convolution and pooling; part of kernels_scalar.c's table. */
#ifndef TG_KERNELS_CONV_SCALAR_H
#define TG_KERNELS_CONV_SCALAR_H

#include "kernels/conv.h"

enum { TG_SCALAR_CONV_NR = 4 };

void tg_scalar_convolve(const tg_convolve *c);
void tg_scalar_correlate(const tg_correlate *c);
void tg_scalar_max_windows(const tg_windows *w, const tg_real *x, tg_real *y, uint32_t *place);
void tg_scalar_spread_windows(const tg_windows *w, const uint32_t *place, const tg_real *dy, const tg_real *y,
                              bool add, tg_real *dx);

#endif
