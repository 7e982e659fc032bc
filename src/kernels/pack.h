/* Packed panels: what a register tile reads from start to end. */
#ifndef TG_KERNELS_PACK_H
#define TG_KERNELS_PACK_H

#include "tabgrad.h"

/* dst[p, i] = src[p * k_stride + i * stride] for p < k and i < live, 0 for live <= i < width. width: a
 * multiple of 4. */
void tg_pack_panel(const tg_real *src, size_t k_stride, size_t stride, size_t k, size_t live, size_t width,
                   tg_real *dst);

/* dst[cols, rows] = the transpose of src[rows, cols]; strides are those of rows. */
void tg_pack_transposed(const tg_real *src, size_t src_stride, size_t rows, size_t cols, tg_real *dst,
                        size_t dst_stride);

#endif
