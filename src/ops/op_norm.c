/* Batch normalisation (Ioffe & Szegedy, 2015), as PyTorch has it: statistics of the batch while training, running ones,
 * which are updated after every finite step, for everything else. Per channel of [C, H, W], or per feature. */
#include <math.h>

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
    tg_real epsilon;
    statistics of;
} norm_job;

static norm_job job_of(const tg_exec *ex, const tg_node *node) {
    const batch_norm_attrs *a = node->attrs;
    size_t channels = node->shape.dim[0];
    tg_real *kept = ex->kept[node->index];
    norm_job job = {ex, node, channels, tg_shape_size(&node->shape) / channels, (tg_real)a->epsilon, {0}};
    if (kept) job.of = (statistics){kept, kept + channels, kept + 2 * channels};
    return job;
}

/* ---- forward -------------------------------------------------------------------------------------------------------- */

static void train_channel(void *ctx, size_t c, size_t thread) {
    (void)thread;
    const norm_job *job = ctx;
    size_t area = job->area, stride = job->channels * area, n = job->ex->n;
    const tg_real *x = tg_x(job->ex, job->node, 0) + c * area;
    tg_real *y = tg_y(job->ex, job->node) + c * area;
    tg_real count = (tg_real)(n * area), sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++)
        sum += area == 1 ? x[i * stride] : job->ex->kernels->sum(area, x + i * stride);
    tg_real mean = sum / count;
    for (size_t i = 0; i < n; i++) squares += job->ex->kernels->sum_squares(area, x + i * stride, mean);
    tg_real variance = squares / count, inverse = 1 / (tg_real)sqrt(variance + job->epsilon);
    job->of.mean[c] = mean;
    job->of.variance[c] = variance;
    job->of.inverse[c] = inverse;
    tg_real scale = inverse * job->node->params[WEIGHT].data[c], shift = job->node->params[BIAS].data[c];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < area; j++) y[i * stride + j] = (x[i * stride + j] - mean) * scale + shift;
}

static void infer_channel(void *ctx, size_t c, size_t thread) {
    (void)thread;
    const norm_job *job = ctx;
    const tg_param *p = job->node->params;
    size_t area = job->area, stride = job->channels * area;
    const tg_real *x = tg_x(job->ex, job->node, 0) + c * area;
    tg_real *y = tg_y(job->ex, job->node) + c * area;
    tg_real mean = p[RUNNING_MEAN].data[c], shift = p[BIAS].data[c];
    tg_real scale = 1 / (tg_real)sqrt(p[RUNNING_VAR].data[c] + job->epsilon) * p[WEIGHT].data[c];
    for (size_t i = 0; i < job->ex->n; i++)
        for (size_t j = 0; j < area; j++) y[i * stride + j] = (x[i * stride + j] - mean) * scale + shift;
}

static void batch_norm_forward(const tg_exec *ex, const tg_node *node) {
    norm_job job = job_of(ex, node);
    tg_parallel_for(ex->pool, job.channels, ex->training ? train_channel : infer_channel, &job);
}

/* ---- backward: with xhat = (x - mean) inverse and means over the batch,
 * dw += sum dy xhat;  db += sum dy;  dx += w inverse (dy - mean(dy) - xhat mean(dy xhat)) ------------------------------ */

static void backward_channel(void *ctx, size_t c, size_t thread) {
    (void)thread;
    const norm_job *job = ctx;
    const tg_param *w = &job->node->params[WEIGHT], *b = &job->node->params[BIAS];
    size_t area = job->area, stride = job->channels * area, n = job->ex->n;
    const tg_real *x = tg_x(job->ex, job->node, 0) + c * area, *dy = tg_dy(job->ex, job->node) + c * area;
    tg_real mean = job->of.mean[c], inverse = job->of.inverse[c], count = (tg_real)(n * area);
    tg_real sum = 0, products = 0;
    for (size_t i = 0; i < n; i++) {
        sum += area == 1 ? dy[i * stride] : job->ex->kernels->sum(area, dy + i * stride);
        products += job->ex->kernels->sum_products(area, dy + i * stride, x + i * stride, mean);
    }
    if (w->gradient) w->gradient[c] += products * inverse;
    if (b->gradient) b->gradient[c] += sum;
    tg_real *dx = tg_dx(job->ex, job->node, 0);
    if (!dx) return;
    dx += c * area;
    tg_real scale = w->data[c] * inverse, mean_dy = sum / count, slope = inverse * inverse * products / count;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i * stride; j < i * stride + area; j++)
            dx[j] += scale * (dy[j] - mean_dy - (x[j] - mean) * slope);
}

static void batch_norm_backward(const tg_exec *ex, const tg_node *node) {
    norm_job job = job_of(ex, node);
    tg_parallel_for(ex->pool, job.channels, backward_channel, &job);
}

/* running = (1 - momentum) running + momentum batch; the variance without bias, as in PyTorch. A batch whose variance
 * does not fit into tg_real teaches nothing. */
static void batch_norm_finish(const tg_exec *ex, const tg_node *node) {
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
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
    .finish = batch_norm_finish,
    .flags = TG_OP_BACKWARD_USES_X,
};
