/* What winograd.c asks of an instruction set: transforms of one tile, all its channels, and products.
 *
 * A tile of transformed numbers is spread over 36 planes: element i of channel c at i * plane + c. Transforms write
 * whole vectors of channels, with zeros behind the last one; `width` is a multiple of a vector. The operations of
 * each lane are the same in every table. */
#ifndef TG_KERNELS_WINOGRAD_KERNELS_H
#define TG_KERNELS_WINOGRAD_KERNELS_H

#include "kernels/kernels.h"

enum {
    TG_WINOGRAD_OUT = 4, /* a tile of outputs is 4x4, */
    TG_WINOGRAD_IN = 6,  /* the inputs it sees 6x6 */
    TG_WINOGRAD_POINTS = 36
};

typedef struct tg_winograd_kernels {
    size_t rows, width; /* of a register tile; width is a multiple of rows, and rows divides 16 */

    /* to[36] = B^T x B, x[i] of 6x6 lying at from[i]. */
    void (*input)(size_t channels, const tg_real *const *from, tg_real *to, size_t plane);
    /* y = A^T m A, y[i] of 4x4 lying at to[i]; + bias unless NULL, ReLU if wanted, added to what is there if wanted. */
    void (*output)(size_t channels, const tg_real *from, size_t plane, const tg_real *bias, bool relu,
                   bool add, tg_real *const *to);
    /* to[36] = A dy A^T, dy[i] of 4x4 lying at from[i]. */
    void (*gradient)(size_t channels, const tg_real *const *from, tg_real *to, size_t plane);
    /* to[36] = G w G^T, w[i] of 3x3 lying at from + i * taps. */
    void (*weights)(size_t channels, const tg_real *from, size_t taps, tg_real *to, size_t plane);
    /* to[9] = G^T m G. */
    void (*weights_gradient)(size_t channels, const tg_real *from, size_t plane, tg_real *to, size_t taps);

    /* c[m, width] = a[m, k] b[k, width]: m filled up to whole tiles; k in sequence; rows lda, width and ldc apart. */
    void (*product)(size_t m, size_t k, const tg_real *a, size_t lda, const tg_real *b, tg_real *c,
                    size_t ldc);
    /* c[m, width] += a^T b, where row p of a begins at a + p * lda, of b at b + p * ldb. */
    void (*product_turned)(size_t m, size_t k, const tg_real *a, size_t lda, const tg_real *b, size_t ldb,
                           tg_real *c, size_t ldc);
} tg_winograd_kernels;

#endif
