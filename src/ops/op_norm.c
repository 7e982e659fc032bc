/* Batch normalisation (Ioffe & Szegedy, 2015), as PyTorch has it: statistics of the batch while training, running ones,
 * which are updated after every finite step, for everything else, and (Keras') where the layer is not trainable. Per
 * channel, or per feature: the columns of what lies as [N H W, C]. Sums go down the rows of a sample, then over the
 * samples. */
#include <math.h>
#include <string.h>

#include "ops/op.h"

typedef struct batch_norm_attrs {
    double epsilon, momentum;
} batch_norm_attrs;

static const tg_attr attrs[] = {
    {"epsilon", TG_ATTR_REAL, offsetof(batch_norm_attrs, epsilon), .flags = TG_ATTR_ABOVE_MIN, .max = 1,
     .fallback = 1e-5},
    {"momentum", TG_ATTR_REAL, offsetof(batch_norm_attrs, momentum), .flags = TG_ATTR_ABOVE_MIN, .max = 1,
     .fallback = 0.1},
};

enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR }; /* the parameters in PyTorch's order */

static tg_status batch_norm_infer(tg_node *node, tg_error *err) {
    const tg_shape *x = &node->inputs[0]->shape;
    char text[96];
    TG_REQUIRE(err, x->rank == 1 || x->rank == 3, TG_E_SHAPE, "takes pictures or flat input, not %s",
               tg_shape_text(x, text));
    node->shape = *x;
    const tg_shape channels = {1, {x->dim[0]}};
    tg_param *weight = tg_node_add_param(node, "weight", &channels, 1, 1);
    weight->is_weight = false;
    weight->initial = 1;
    tg_node_add_param(node, "bias", &channels, 1, 1);
    tg_node_add_buffer(node, "running_mean", &channels, 0);
    tg_node_add_buffer(node, "running_var", &channels, 1);
    node->kept_size = 3 * x->dim[0];
    return TG_OK;
}

/* Of the batch, per channel, kept until the step is over. */
typedef struct statistics {
    tg_real *mean, *variance, *inverse; /* [C]; inverse: 1 / sqrt(variance + epsilon) */
} statistics;

typedef struct norm_job {
    const tg_exec *ex;
    const tg_node *node;
    size_t channels, area; /* area 1 for features */
    size_t per_item;       /* samples */
    tg_real epsilon;
    statistics of;
    tg_real *part;                  /* [n, C]: sums of one sample, or two of them */
    tg_real *scale, *shift, *slope; /* [C] */
} norm_job;

static size_t batch_norm_scratch(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads) {
    (void)kernels, (void)threads;
    return (2 * n + 3) * node->shape.dim[0];
}

static norm_job job_of(const tg_exec *ex, const tg_node *node) {
    const batch_norm_attrs *a = node->attrs;
    size_t channels = node->shape.dim[0], size = tg_shape_size(&node->shape);
    tg_real *kept = ex->kept[node->index];
    norm_job job = {.ex = ex,
                    .node = node,
                    .channels = channels,
                    .area = size / channels,
                    .epsilon = (tg_real)a->epsilon};
    job.per_item = 1 + 4096 / size;
    job.part = ex->scratch;
    job.scale = job.part + 2 * ex->n * channels;
    job.shift = job.scale + channels;
    job.slope = job.shift + channels;
    if (kept) job.of = (statistics){kept, kept + channels, kept + 2 * channels};
    return job;
}

static void over_samples(const norm_job *job, void (*fn)(void *ctx, size_t item, size_t thread)) {
    norm_job copy = *job;
    tg_parallel_for(job->ex->pool, (job->ex->n + job->per_item - 1) / job->per_item, fn, &copy);
}

static size_t end_of(const norm_job *job, size_t item) {
    size_t end = (item + 1) * job->per_item;
    return end < job->ex->n ? end : job->ex->n;
}

/* sum[C] = the rows of part, n of them, `step` apart. */
static void add_parts(const norm_job *job, const tg_real *part, size_t step, tg_real *sum) {
    memset(sum, 0, job->channels * sizeof *sum);
    for (size_t i = 0; i < job->ex->n; i++) job->ex->kernels->add(job->channels, part + i * step, sum);
}

/* ---- forward -------------------------------------------------------------------------------------------------------- */

static void sum_samples(void *ctx, size_t item, size_t thread) {
    (void)thread;
    const norm_job *job = ctx;
    size_t size = job->area * job->channels;
    for (size_t i = item * job->per_item; i < end_of(job, item); i++) {
        tg_real *part = job->part + i * job->channels;
        memset(part, 0, job->channels * sizeof *part);
        job->ex->kernels->sum_rows(job->area, job->channels, tg_x(job->ex, job->node, 0) + i * size, part);
    }
}

static void sum_squares_of_samples(void *ctx, size_t item, size_t thread) {
    (void)thread;
    const norm_job *job = ctx;
    size_t size = job->area * job->channels;
    for (size_t i = item * job->per_item; i < end_of(job, item); i++) {
        tg_real *part = job->part + i * job->channels;
        memset(part, 0, job->channels * sizeof *part);
        job->ex->kernels->sum_squares_rows(job->area, job->channels, tg_x(job->ex, job->node, 0) + i * size,
                                           job->of.mean, part);
    }
}

/* y = (x - mean) scale + shift */
static void normalise_samples(void *ctx, size_t item, size_t thread) {
    (void)thread;
    const norm_job *job = ctx;
    size_t channels = job->channels, first = item * job->per_item * job->area,
           end = end_of(job, item) * job->area;
    const tg_real *x = tg_x(job->ex, job->node, 0) + first * channels;
    const tg_real *mean = job->of.mean, *scale = job->scale, *shift = job->shift;
    tg_real *y = tg_y(job->ex, job->node) + first * channels;
    for (size_t row = first; row < end; row++, x += channels, y += channels)
        for (size_t c = 0; c < channels; c++) y[c] = (x[c] - mean[c]) * scale[c] + shift[c];
}

static void find_statistics(const norm_job *job) {
    tg_real count = (tg_real)(job->ex->n * job->area);
    statistics of = job->of;
    over_samples(job, sum_samples);
    add_parts(job, job->part, job->channels, of.mean);
    for (size_t c = 0; c < job->channels; c++) of.mean[c] /= count;
    over_samples(job, sum_squares_of_samples);
    add_parts(job, job->part, job->channels, of.variance);
    for (size_t c = 0; c < job->channels; c++) {
        of.variance[c] /= count;
        of.inverse[c] = 1 / (tg_real)sqrt(of.variance[c] + job->epsilon);
        job->scale[c] = of.inverse[c] * job->node->params[WEIGHT].data[c];
    }
}

static bool uses_batch(const tg_exec *ex, const tg_node *node) {
    return ex->training && node->trainable;
}

static void take_running(norm_job *job) {
    const tg_param *p = job->node->params;
    job->of.mean = p[RUNNING_MEAN].data;
    for (size_t c = 0; c < job->channels; c++)
        job->scale[c] = 1 / (tg_real)sqrt(p[RUNNING_VAR].data[c] + job->epsilon) * p[WEIGHT].data[c];
}

static void batch_norm_forward(const tg_exec *ex, const tg_node *node) {
    norm_job job = job_of(ex, node);
    job.shift = node->params[BIAS].data;
    if (uses_batch(ex, node)) find_statistics(&job);
    else take_running(&job);
    over_samples(&job, normalise_samples);
}

/* ---- backward: with xhat = (x - mean) inverse and means over the batch,
 * dw += sum dy xhat;  db += sum dy;  dx += w inverse (dy - mean(dy) - xhat mean(dy xhat)) ------------------------------ */

static void sum_gradients_of_samples(void *ctx, size_t item, size_t thread) {
    (void)thread;
    const norm_job *job = ctx;
    size_t size = job->area * job->channels;
    for (size_t i = item * job->per_item; i < end_of(job, item); i++) {
        tg_real *part = job->part + 2 * i * job->channels;
        const tg_real *x = tg_x(job->ex, job->node, 0) + i * size, *dy = tg_dy(job->ex, job->node) + i * size;
        memset(part, 0, 2 * job->channels * sizeof *part);
        job->ex->kernels->sum_rows(job->area, job->channels, dy, part);
        job->ex->kernels->sum_products_rows(job->area, job->channels, dy, x, job->of.mean,
                                            part + job->channels);
    }
}

/* dx += scale (dy - shift - (x - mean) slope) */
static void backward_samples(void *ctx, size_t item, size_t thread) {
    (void)thread;
    const norm_job *job = ctx;
    size_t channels = job->channels, first = item * job->per_item * job->area,
           end = end_of(job, item) * job->area;
    const tg_real *x = tg_x(job->ex, job->node, 0) + first * channels;
    const tg_real *dy = tg_dy(job->ex, job->node) + first * channels;
    const tg_real *mean = job->of.mean, *scale = job->scale, *shift = job->shift, *slope = job->slope;
    tg_real *dx = tg_dx(job->ex, job->node, 0) + first * channels;
    for (size_t row = first; row < end; row++, x += channels, dy += channels, dx += channels)
        for (size_t c = 0; c < channels; c++)
            dx[c] += scale[c] * (dy[c] - shift[c] - (x[c] - mean[c]) * slope[c]);
}

/* Of a frozen layer: dx += scale dy. */
static void frozen_backward(norm_job *job) {
    take_running(job);
    memset(job->shift, 0, job->channels * sizeof *job->shift);
    memset(job->slope, 0, job->channels * sizeof *job->slope);
    if (tg_dx(job->ex, job->node, 0)) over_samples(job, backward_samples);
}

static void batch_norm_backward(const tg_exec *ex, const tg_node *node) {
    norm_job job = job_of(ex, node);
    if (!uses_batch(ex, node)) {
        frozen_backward(&job);
        return;
    }
    const tg_param *w = &node->params[WEIGHT], *b = &node->params[BIAS];
    tg_real count = (tg_real)(ex->n * job.area);
    over_samples(&job, sum_gradients_of_samples);
    add_parts(&job, job.part, 2 * job.channels, job.shift);
    add_parts(&job, job.part + job.channels, 2 * job.channels, job.slope);
    for (size_t c = 0; c < job.channels; c++) {
        tg_real inverse = job.of.inverse[c], sum = job.shift[c], products = job.slope[c];
        if (w->gradient) w->gradient[c] += products * inverse;
        if (b->gradient) b->gradient[c] += sum;
        job.scale[c] = w->data[c] * inverse;
        job.shift[c] = sum / count;
        job.slope[c] = inverse * inverse * products / count;
    }
    if (tg_dx(ex, node, 0)) over_samples(&job, backward_samples);
}

/* running = (1 - momentum) running + momentum batch; the variance without bias, as in PyTorch. A batch whose variance
 * does not fit into tg_real teaches nothing. */
static void batch_norm_finish(const tg_exec *ex, const tg_node *node) {
    if (!node->trainable) return;
    norm_job job = job_of(ex, node);
    tg_real momentum = (tg_real)((const batch_norm_attrs *)node->attrs)->momentum;
    tg_real count = (tg_real)(ex->n * job.area), unbiased = count > 1 ? count / (count - 1) : 1;
    tg_real *mean = node->params[RUNNING_MEAN].data, *variance = node->params[RUNNING_VAR].data;
    for (size_t c = 0; c < job.channels; c++) {
        if (!isfinite(job.of.mean[c]) || !isfinite(job.of.variance[c] * unbiased)) continue;
        mean[c] = (1 - momentum) * mean[c] + momentum * job.of.mean[c];
        variance[c] = (1 - momentum) * variance[c] + momentum * (job.of.variance[c] * unbiased);
    }
}

const tg_op tg_op_batch_norm = {
    .name = "batch_norm",
    .attrs = attrs,
    .attr_count = sizeof attrs / sizeof *attrs,
    .attrs_bytes = sizeof(batch_norm_attrs),
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = batch_norm_infer,
    .scratch = batch_norm_scratch,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .finish = batch_norm_finish,
    .flags = TG_OP_BACKWARD_USES_X,
};
