/* Dropout (Srivastava et al., 2014), inverted: what is kept in training is scaled up, so that inference changes nothing.
 * The mask of a sample follows from seed, layer, epoch and sample alone: batches, threads and resuming cannot matter. */
#include <string.h>

#include "base/rng.h"
#include "ops/layout.h"

typedef struct dropout_attrs {
    double rate;
} dropout_attrs;

static const tg_attr attrs[] = {
    {"rate", TG_ATTR_REAL, offsetof(dropout_attrs, rate), .flags = TG_ATTR_BELOW_MAX, .max = 1,
     .fallback = 0.5},
};

static tg_status dropout_infer(tg_node *node, tg_error *err) {
    (void)err;
    node->shape = node->inputs[0]->shape;
    node->saved_bytes = tg_shape_size(&node->shape); /* the mask */
    return TG_OK;
}

typedef struct dropout_job {
    const tg_exec *ex;
    const tg_node *node;
    size_t size;         /* of one sample */
    uint64_t keep_below; /* of 2^32 */
    tg_real scale;
} dropout_job;

static dropout_job job_of(const tg_exec *ex, const tg_node *node) {
    double keep = 1 - ((const dropout_attrs *)node->attrs)->rate;
    return (dropout_job){ex, node, tg_shape_size(&node->shape), (uint64_t)(keep * 4294967296.0),
                         (tg_real)(1 / keep)};
}

static void forward_sample(void *ctx, size_t i, size_t thread) {
    (void)thread;
    const dropout_job *job = ctx;
    const tg_exec *ex = job->ex;
    const tg_real *x = tg_x(ex, job->node, 0) + i * job->size;
    tg_real *y = tg_y(ex, job->node) + i * job->size;
    uint8_t *mask = ex->saved[job->node->index] + i * job->size;
    tg_rng rng =
        tg_rng_layer_stream(ex->seed, TG_RNG_DROPOUT, (uint32_t)job->node->index, ex->epoch, ex->samples[i]);
    /* Drawn in the order of the shape, wherever the values lie. */
    size_t channels = tg_in_order(job->node) ? 1 : job->node->shape.dim[0];
    for (size_t c = 0; c < channels; c++)
        for (size_t j = c; j < job->size; j += channels) {
            mask[j] = tg_rng_u32(&rng) < job->keep_below;
            y[j] = mask[j] ? x[j] * job->scale : 0;
        }
}

static void dropout_forward(const tg_exec *ex, const tg_node *node) {
    dropout_job job = job_of(ex, node);
    if (ex->training) tg_parallel_for(ex->pool, ex->n, forward_sample, &job);
    else if (tg_y(ex, node) != tg_x(ex, node, 0))
        memcpy(tg_y(ex, node), tg_x(ex, node, 0), ex->n * job.size * sizeof(tg_real));
}

static void dropout_backward(const tg_exec *ex, const tg_node *node) {
    dropout_job job = job_of(ex, node);
    const tg_real *dy = tg_dy(ex, node);
    const uint8_t *mask = ex->saved[node->index];
    tg_real *dx = tg_dx(ex, node, 0);
    if (!dx) return;
    for (size_t i = 0; i < ex->n * job.size; i++)
        dx[i] = (dx == dy ? 0 : dx[i]) + (mask[i] ? dy[i] * job.scale : 0);
}

const tg_op tg_op_dropout = {
    .name = "dropout",
    .attrs = attrs,
    .attr_count = sizeof attrs / sizeof *attrs,
    .attrs_bytes = sizeof(dropout_attrs),
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = dropout_infer,
    .forward = dropout_forward,
    .backward = dropout_backward,
    .flags = TG_OP_INPLACE | TG_OP_BY_SAMPLE,
};
