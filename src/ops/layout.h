/* Where the values of a tensor lie. Its meaning is that of its shape, [C, H, W]; in memory a picture lies as [H, W, C],
 * because kernels take the channels of a cell as a vector. Everything else lies in the order of its shape, and so does
 * an input that nobody reads as a picture. */
#ifndef TG_OPS_LAYOUT_H
#define TG_OPS_LAYOUT_H

#include "ops/op.h"

/* Does value j of the shape's order lie at j? True also of pictures of one channel or one cell. */
bool tg_in_order(const tg_node *node);
/* The place in memory of value j of a sample, counted in the order of the shape. */
size_t tg_place(const tg_node *node, size_t j);

/* Do the values of two tensors of one size lie in the same order? */
bool tg_lie_alike(const tg_node *a, const tg_node *b);

/* y[n, cols, rows] = x[n, rows, cols] transposed, sample by sample; with add, y += that. */
void tg_transpose(tg_pool *pool, size_t n, size_t rows, size_t cols, const tg_real *x, tg_real *y, bool add);

#endif
