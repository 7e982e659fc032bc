/* What winograd.c asks of an instruction set: transforms of one tile, all its channels, and products.
 *
 * Transformed numbers lie as 36 planes of panels of tiles, [36][panels][tiles][width]: `width` channels of a tile side
 * by side, so that products read from start to end. Number i of channel c is at i * plane + c / width * panel +
 * c % width from where the tile begins. Transforms write whole vectors, with zeros behind the last channel; width is a
 * multiple of a vector. The operations of each lane are the same in every table. */
#ifndef TG_KERNELS_WINOGRAD_KERNELS_H
#define TG_KERNELS_WINOGRAD_KERNELS_H

#include "kernels/kernels.h"

enum {
    TG_WINOGRAD_OUT = 4, /* a tile of outputs is 4x4, */
    TG_WINOGRAD_IN = 6,  /* the inputs it sees 6x6 */
    TG_WINOGRAD_POINTS = 36,
    TG_WINOGRAD_WIDEST = 16 /* any table's width */
};

typedef struct tg_winograd_kernels {
    size_t rows, width; /* of a register tile; width is a multiple of rows, and rows divides 16 */

    /* to[36] = B^T x B, x[i] of 6x6 lying at from[i]. */
    void (*input)(size_t channels, const tg_real *const *from, tg_real *to, size_t panel, size_t plane);
    /* y = A^T m A, y[i] of 4x4 lying at to[i]; + bias unless NULL, ReLU if wanted, added to what is there if wanted. */
    void (*output)(size_t channels, const tg_real *from, size_t panel, size_t plane, const tg_real *bias,
                   bool relu, bool add, tg_real *const *to);
    /* to[36] = A dy A^T, dy[i] of 4x4 lying at from[i]. */
    void (*gradient)(size_t channels, const tg_real *const *from, tg_real *to, size_t panel, size_t plane);
    /* to[36] = G w G^T, w[i] of 3x3 lying at from + i * taps. */
    void (*weights)(size_t channels, const tg_real *from, size_t taps, tg_real *to, size_t plane);
    /* to[9] = G^T m G. */
    void (*weights_gradient)(size_t channels, const tg_real *from, size_t plane, tg_real *to, size_t taps);

    /* c[m, width] = a[m, k] b[k, width], a in panels; m is filled up to whole tiles; k in sequence. */
    void (*product)(size_t m, size_t k, const tg_real *a, size_t panel, const tg_real *b, tg_real *c);
    /* c[m, width] = (accumulate ? c : 0) + a^T[m, k] b[k, width]: a[k, m] in panels. */
    void (*product_turned)(size_t m, size_t k, const tg_real *a, size_t panel, const tg_real *b,
                           bool accumulate, tg_real *c);
} tg_winograd_kernels;

#endif
