/* What the ways to convolve share: the attributes of conv2d, its sizes, and weights in the order in which kernels read
 * them. */
#ifndef TG_OPS_CONV_H
#define TG_OPS_CONV_H

#include "ops/canvas.h"

typedef struct tg_conv2d_attrs {
    uint64_t filters, groups;
    tg_sizes kernel, stride, dilation;
    tg_padding padding;
    bool bias;
    tg_window window; /* completed by infer */
} tg_conv2d_attrs;

/* Per group: f filters, c channels, taps = kh kw, k = c taps weights a filter. p output positions. */
typedef struct tg_conv_sizes {
    size_t groups, f, c, taps, k, p;
    size_t in, out; /* elements of one sample */
} tg_conv_sizes;

tg_conv_sizes tg_conv_sizes_of(const tg_node *node);

/* Weight gradients are summed in shards of consecutive samples, whose number follows from the shape alone. */
size_t tg_conv_shards(size_t n, size_t weights);

/* Two nested loops over an index, and how far apart their steps lie in the weights. */
typedef struct tg_strides {
    size_t outer, inner;
    ptrdiff_t outer_step, inner_step;
} tg_strides;

/* to[panels][k][nr] = w at k and j, j in panels of nr filled up with zeros. */
void tg_conv_pack(const tg_real *w, tg_strides k, tg_strides j, size_t nr, tg_real *to);
/* The way back: w += from. */
void tg_conv_unpack(const tg_real *from, tg_strides k, tg_strides j, size_t nr, tg_real *w);
size_t tg_conv_packed_size(tg_strides k, tg_strides j, size_t nr);

/* One way to convolve. scratch: elements, SIZE_MAX where they cannot be counted. prepared_size, prepare_items and prepare
 * as in tg_op, NULL where nothing is prepared. */
typedef struct tg_conv_way {
    size_t (*prepared_size)(const tg_node *node, const tg_kernels *kernels);
    size_t (*prepare_items)(const tg_node *node, const tg_kernels *kernels);
    void (*prepare)(const tg_node *node, const tg_kernels *kernels, size_t item);
    size_t (*scratch)(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads);
    void (*forward)(const tg_exec *ex, const tg_node *node);
    void (*backward)(const tg_exec *ex, const tg_node *node);
} tg_conv_way;

extern const tg_conv_way tg_conv_direct;    /* any */
extern const tg_conv_way tg_conv_depthwise; /* as many groups as channels and filters */
extern const tg_conv_way tg_conv_winograd;  /* some of 3x3 */
bool tg_conv_winograd_pays(const tg_node *node);

#endif
