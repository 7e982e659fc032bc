/* conv2d: what a recipe says about it, and by which way it is computed. */
#include "ops/conv.h"

static const tg_attr attrs[] = {
    {"filters", TG_ATTR_INT, offsetof(tg_conv2d_attrs, filters), .flags = TG_ATTR_REQUIRED, .min = 1,
     .max = 65536},
    {"kernel", TG_ATTR_SIZES, offsetof(tg_conv2d_attrs, kernel), .flags = TG_ATTR_REQUIRED, .min = 1,
     .max = 1024},
    {"stride", TG_ATTR_SIZES, offsetof(tg_conv2d_attrs, stride), .min = 1, .max = 1024, .fallback = 1},
    {"dilation", TG_ATTR_SIZES, offsetof(tg_conv2d_attrs, dilation), .min = 1, .max = 1024, .fallback = 1},
    {"groups", TG_ATTR_INT, offsetof(tg_conv2d_attrs, groups), .min = 1, .max = 65536, .fallback = 1},
    {"padding", TG_ATTR_PADDING, offsetof(tg_conv2d_attrs, padding), .max = 1024,
     .choices = TG_PADDING_CHOICES},
    {"bias", TG_ATTR_FLAG, offsetof(tg_conv2d_attrs, bias), .fallback = 1},
};

static tg_status conv2d_infer(tg_node *node, tg_error *err) {
    tg_conv2d_attrs *a = node->attrs;
    TG_TRY(tg_window_infer(&node->inputs[0]->shape, &a->kernel, &a->stride, &a->dilation, &a->padding,
                           &a->window, err));
    const tg_window *w = &a->window;
    size_t groups = (size_t)a->groups, filters = (size_t)a->filters;
    TG_REQUIRE(err, w->channels % groups == 0 && filters % groups == 0, TG_E_SHAPE,
               "groups %zu must divide the %zu input channels and the %zu filters", groups, w->channels,
               filters);
    size_t channels = w->channels / groups, area = w->k_h * w->k_w;
    node->shape = (tg_shape){3, {filters, w->out_h, w->out_w}};
    tg_node_add_param(node, "weight", &(tg_shape){4, {filters, channels, w->k_h, w->k_w}}, channels * area,
                      filters * area);
    if (a->bias) tg_node_add_param(node, "bias", &(tg_shape){1, {filters}}, channels * area, filters * area);
    return TG_OK;
}

tg_conv_sizes tg_conv_sizes_of(const tg_node *node) {
    const tg_conv2d_attrs *a = node->attrs;
    const tg_window *w = &a->window;
    tg_conv_sizes s = {.groups = (size_t)a->groups};
    s.f = (size_t)a->filters / s.groups;
    s.c = w->channels / s.groups;
    s.taps = w->k_h * w->k_w;
    s.k = s.c * s.taps;
    s.p = w->out_h * w->out_w;
    s.in = w->channels * w->in_h * w->in_w;
    s.out = (size_t)a->filters * s.p;
    return s;
}

size_t tg_conv_shards(size_t n, size_t weights) {
    enum { MOST = 16, MOST_ELEMENTS = 1 << 21 };
    size_t fit = MOST_ELEMENTS / weights;
    size_t shards = fit < 1 ? 1 : fit > MOST ? MOST : fit;
    return shards < n ? shards : n;
}

/* By the shape alone: the order of the sums depends on it. */
static const tg_conv_way *way_of(const tg_node *node) {
    tg_conv_sizes s = tg_conv_sizes_of(node);
    if (s.groups > 1 && s.c == 1 && s.f == 1) return &tg_conv_depthwise;
    return tg_conv_winograd_pays(node) ? &tg_conv_winograd : &tg_conv_direct;
}

static size_t conv2d_scratch(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads) {
    return way_of(node)->scratch(node, n, kernels, threads);
}

static size_t conv2d_prepared_size(const tg_node *node, const tg_kernels *kernels) {
    const tg_conv_way *way = way_of(node);
    return way->prepare ? way->prepared_size(node, kernels) : 0;
}

static size_t conv2d_prepare_items(const tg_node *node, const tg_kernels *kernels) {
    const tg_conv_way *way = way_of(node);
    return way->prepare ? way->prepare_items(node, kernels) : 0;
}

static void conv2d_prepare(const tg_node *node, const tg_kernels *kernels, size_t item) {
    way_of(node)->prepare(node, kernels, item);
}

static void conv2d_forward(const tg_exec *ex, const tg_node *node) {
    way_of(node)->forward(ex, node);
}

static void conv2d_backward(const tg_exec *ex, const tg_node *node) {
    way_of(node)->backward(ex, node);
}

const tg_op tg_op_conv2d = {
    .name = "conv2d",
    .attrs = attrs,
    .attr_count = sizeof attrs / sizeof *attrs,
    .attrs_bytes = sizeof(tg_conv2d_attrs),
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = conv2d_infer,
    .scratch = conv2d_scratch,
    .prepared_size = conv2d_prepared_size,
    .prepare_items = conv2d_prepare_items,
    .prepare = conv2d_prepare,
    .forward = conv2d_forward,
    .backward = conv2d_backward,
    .flags = TG_OP_BACKWARD_USES_X | TG_OP_SETS_GRADIENT | TG_OP_RECTIFIES,
};
