/* Convolution 3x3 by Winograd's fewer multiplications, where it pays (kernels/winograd.h). */
#include <string.h>

#include "base/memory.h"
#include "kernels/winograd.h"
#include "ops/conv.h"

static tg_winograd shape_of(const tg_node *node) {
    const tg_conv2d_attrs *a = node->attrs;
    const tg_window *w = &a->window;
    return (tg_winograd){w->in_h,    w->in_w,    w->channels, w->out_h, w->out_w, (size_t)a->filters,
                         w->pad_top, w->pad_left};
}

bool tg_conv_winograd_pays(const tg_node *node) {
    const tg_conv2d_attrs *a = node->attrs;
    const tg_window *w = &a->window;
    tg_winograd shape = shape_of(node);
    return a->groups == 1 && w->k_h == 3 && w->k_w == 3 && w->stride_h == 1 && w->stride_w == 1 &&
           w->dilation_h == 1 && w->dilation_w == 1 && tg_winograd_pays(&shape);
}

/* The bias's gradient is summed sample by sample, behind what the transforms need. */
static size_t winograd_scratch(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads) {
    tg_winograd shape = shape_of(node);
    size_t sums, all;
    if (!tg_mul_size(n, shape.filters, &sums)) return SIZE_MAX;
    return tg_add_size(tg_winograd_scratch(&shape, kernels, n, threads), sums, &all) ? all : SIZE_MAX;
}

/* Transformed weights: forward, and behind them the turned ones where an input asks for its gradient. */
static size_t winograd_prepared_size(const tg_node *node, const tg_kernels *kernels) {
    tg_winograd shape = shape_of(node);
    size_t back = node->inputs[0]->needs_gradient ? tg_winograd_weights_size(&shape, kernels, true) : 0;
    return tg_winograd_weights_size(&shape, kernels, false) + back; /* no more than 40 MB each */
}

static size_t winograd_prepare_items(const tg_node *node, const tg_kernels *kernels) {
    tg_winograd shape = shape_of(node);
    size_t back = node->inputs[0]->needs_gradient ? tg_winograd_weights_parts(&shape, kernels, true) : 0;
    return tg_winograd_weights_parts(&shape, kernels, false) + back;
}

static tg_real *turned_weights(const tg_node *node, const tg_kernels *kernels) {
    tg_winograd shape = shape_of(node);
    return node->prepared + tg_winograd_weights_size(&shape, kernels, false);
}

static void winograd_prepare(const tg_node *node, const tg_kernels *kernels, size_t item) {
    tg_winograd shape = shape_of(node);
    size_t forward = tg_winograd_weights_parts(&shape, kernels, false);
    const tg_real *w = node->params[0].data;
    if (item < forward) tg_winograd_weights(kernels, &shape, false, w, item, node->prepared);
    else tg_winograd_weights(kernels, &shape, true, w, item - forward, turned_weights(node, kernels));
}

static void winograd_forward(const tg_exec *ex, const tg_node *node) {
    tg_winograd shape = shape_of(node);
    tg_winograd_forward(ex->kernels, ex->pool, &shape, ex->n, tg_x(ex, node, 0), node->prepared,
                        node->param_count > 1 ? node->params[1].data : NULL, tg_rectifies(ex, node),
                        tg_y(ex, node), ex->scratch);
}

typedef struct bias_job {
    const tg_exec *ex;
    const tg_node *node;
    size_t filters, positions;
} bias_job;

static void sum_sample(void *ctx, size_t i, size_t thread) {
    (void)thread;
    const bias_job *job = ctx;
    tg_real *sum = job->ex->scratch + i * job->filters;
    memset(sum, 0, job->filters * sizeof *sum);
    job->ex->kernels->sum_rows(job->positions, job->filters,
                               tg_dy(job->ex, job->node) + i * job->positions * job->filters, sum);
}

static void winograd_backward(const tg_exec *ex, const tg_node *node) {
    tg_winograd shape = shape_of(node);
    const tg_real *dy = tg_dy(ex, node);
    const tg_param *w = &node->params[0];
    if (w->gradient)
        tg_winograd_weight_gradient(ex->kernels, ex->pool, &shape, ex->n, tg_x(ex, node, 0), dy, w->gradient,
                                    ex->scratch);
    if (w->gradient && node->param_count > 1) {
        bias_job job = {ex, node, shape.filters, shape.out_h * shape.out_w};
        tg_parallel_for(ex->pool, ex->n, sum_sample, &job);
        ex->kernels->sum_rows(ex->n, shape.filters, ex->scratch, node->params[1].gradient);
    }
    if (tg_dx(ex, node, 0))
        tg_winograd_input_gradient(ex->kernels, ex->pool, &shape, ex->n, turned_weights(node, ex->kernels),
                                   dy, !tg_sets_dx(ex, node), tg_dx(ex, node, 0), ex->scratch);
}

const tg_conv_way tg_conv_winograd = {
    .prepared_size = winograd_prepared_size,
    .prepare_items = winograd_prepare_items,
    .prepare = winograd_prepare,
    .scratch = winograd_scratch,
    .forward = winograd_forward,
    .backward = winograd_backward,
};
