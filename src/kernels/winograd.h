/* Convolution 3x3 with stride 1 in fewer multiplications: F(4x4, 3x3) of Lavin and Gray, "Fast algorithms for
 * convolutional neural networks" (2016). A tile of 4x4 outputs sees 6x6 inputs, and with
 *
 *     y = A^T [ (G w G^T) * (B^T x B) ] A          * element by element, summed over the channels
 *
 * it takes 36 multiplications a channel instead of 144. Summing over channels for each of the 36 elements is a
 * matrix product [tiles, channels] x [channels, filters], where nearly all the time goes. Backward is the same
 * thing turned: dx is a convolution of dy with the turned weights, and dw = G^T [ sum over tiles of
 * (B^T x B) * (A dy A^T) ] G.
 *
 * Rounding. The interpolation points are 0, +-5/8, +-3/2 and infinity, whose matrices are better conditioned
 * than the usual 0, +-1, +-2 (after Barabasz, Anderson, Soodhalter and Gregg, "Error analysis and improving the
 * accuracy of Winograd convolution for deep neural networks", 2018): half the error. In float, with inputs after a
 * ReLU and weights and gradients around zero, errors of y and dx are 4e-7 to 1.3e-6 for 16 to 256 channels, which
 * is 2 to 3 times that of a direct sum; those of dw are no larger than a direct sum's (both grow with the number
 * of tiles: 5.9e-6 for 500 pictures of 32x32, where a direct sum has 6.7e-6). All relative to the exact result, as
 * Euclidean norms; tests hold them below TG_WINOGRAD_ERROR on layers of up to some 500 tiles.
 *
 * Pictures lie as [n, height, width, channels], weights as [filters, channels, 3, 3]. What a sample yields does not
 * depend on the others, and no bit on the kernel table or the number of threads. */
#ifndef TG_KERNELS_WINOGRAD_H
#define TG_KERNELS_WINOGRAD_H

#include "base/pool.h"
#include "kernels/kernels.h"

#define TG_WINOGRAD_ERROR 3e-6

typedef struct tg_winograd {
    size_t in_h, in_w, channels;
    size_t out_h, out_w, filters; /* what lies below and right of the input is zero as well */
    size_t pad_top, pad_left;     /* 0, 1 or 2 rows and columns of zeros */
} tg_winograd;

/* Whether this is the faster way for such a layer: one rule for every build, since it decides the bits. */
bool tg_winograd_pays(const tg_winograd *shape);

/* Elements of scratch (64-byte aligned) for any of the functions below, with batches of at most n; SIZE_MAX
 * where that does not fit into a size_t. */
size_t tg_winograd_scratch(const tg_winograd *shape, const tg_kernels *kernels, size_t n, size_t threads);

/* G w G^T, as products read it: for y or, turned, for dx. It lasts as long as the weights do. */
size_t tg_winograd_weights_size(const tg_winograd *shape, const tg_kernels *kernels,
                                bool turned); /* elements */
/* They are made in so many parts, by any threads in any order. */
size_t tg_winograd_weights_parts(const tg_winograd *shape, const tg_kernels *kernels, bool turned);
void tg_winograd_weights(const tg_kernels *kernels, const tg_winograd *shape, bool turned,
                         const tg_real *weights, size_t part, tg_real *to);

/* y = x convolved with the transformed weights, + bias unless that is NULL, then max(0, .) as relu() has it if wanted. */
void tg_winograd_forward(const tg_kernels *kernels, tg_pool *pool, const tg_winograd *shape, size_t n,
                         const tg_real *x, const tg_real *weights, const tg_real *bias, bool relu, tg_real *y,
                         tg_real *scratch);

/* dx = (add ? dx : 0) + the gradient, with the turned weights transformed. */
void tg_winograd_input_gradient(const tg_kernels *kernels, tg_pool *pool, const tg_winograd *shape, size_t n,
                                const tg_real *weights, const tg_real *dy, bool add, tg_real *dx,
                                tg_real *scratch);

/* dw += the gradient. Tiles are summed in sequence within shards, whose number follows from shape and n. */
void tg_winograd_weight_gradient(const tg_kernels *kernels, tg_pool *pool, const tg_winograd *shape, size_t n,
                                 const tg_real *x, const tg_real *dy, tg_real *dw, tg_real *scratch);

#endif
