/* Pooling: cell by cell, all channels at once. */
#include <math.h>
#include <string.h>

#include "ops/canvas.h"

typedef struct pool_attrs {
    tg_sizes size, stride;
    tg_padding padding;
    tg_window window; /* completed by infer */
} pool_attrs;

static const tg_attr attrs[] = {
    {"size", TG_ATTR_SIZES, offsetof(pool_attrs, size), .flags = TG_ATTR_REQUIRED, .min = 1, .max = 1024},
    {"stride", TG_ATTR_SIZES, offsetof(pool_attrs, stride), .min = 1, .max = 1024, .fallback = NAN},
    {"padding", TG_ATTR_PADDING, offsetof(pool_attrs, padding), .max = 1024, .choices = TG_PADDING_CHOICES},
};

static tg_status pool_infer(tg_node *node, tg_error *err) {
    pool_attrs *a = node->attrs;
    if (a->stride.count == 0) a->stride = a->size;
    const tg_sizes one = {1, {1}};
    TG_TRY(
        tg_window_infer(&node->inputs[0]->shape, &a->size, &a->stride, &one, &a->padding, &a->window, err));
    node->shape = (tg_shape){3, {a->window.channels, a->window.out_h, a->window.out_w}};
    return TG_OK;
}

static tg_status max_pool2d_infer(tg_node *node, tg_error *err) {
    TG_TRY(pool_infer(node, err));
    node->saved_bytes = tg_shape_size(&node->shape) * sizeof(uint32_t);
    return TG_OK;
}

typedef struct pool_job {
    const tg_exec *ex;
    const tg_node *node;
    const tg_window *w;
    size_t channels, in, out; /* values of one sample */
    bool sets;                /* the gradient of the input */
    bool clears, adds;        /* what that means where windows overlap, and where they leave cells out */
    bool rectified;           /* the input is a ReLU's, whose backward is done along with this one */
} pool_job;

/* Every thread lists the taps of its window in a part of the scratch. */
static size_t pool_scratch(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads) {
    (void)n, (void)kernels;
    const tg_window *w = &((const pool_attrs *)node->attrs)->window;
    return threads * w->k_h * w->k_w * (sizeof(size_t) / sizeof(float));
}

static size_t *taps_of(const pool_job *job, size_t thread) {
    return (size_t *)(void *)job->ex->scratch + thread * job->w->k_h * job->w->k_w;
}

static void over_samples(const tg_exec *ex, const tg_node *node, void (*fn)(void *, size_t, size_t)) {
    const tg_window *w = &((const pool_attrs *)node->attrs)->window;
    bool disjoint = w->stride_h >= w->k_h && w->stride_w >= w->k_w;
    bool adjoins = w->stride_h == w->k_h && w->stride_w == w->k_w && w->pad_top == 0 && w->pad_left == 0;
    bool covers = adjoins && w->out_h * w->k_h == w->in_h && w->out_w * w->k_w == w->in_w;
    pool_job job = {.ex = ex,
                    .node = node,
                    .w = w,
                    .channels = w->channels,
                    .in = tg_shape_size(&node->inputs[0]->shape),
                    .out = tg_shape_size(&node->shape),
                    .sets = tg_sets_dx(ex, node)};
    job.clears = job.sets && !covers;
    job.adds = !(job.sets && disjoint);
    job.rectified = tg_rectified(ex, node);
    tg_parallel_for(ex->pool, ex->n, fn, &job);
}

/* The cells of a window that lie inside the input. */
typedef struct cells {
    size_t y0, y1, x0, x1;
} cells;

/* Of window o along one axis: [*begin, *end). */
static void inside(size_t o, size_t stride, size_t pad, size_t k, size_t in, size_t *begin, size_t *end) {
    size_t start = o * stride, stop = start + k;
    *begin = start > pad ? start - pad : 0;
    *end = stop - pad < in ? stop - pad : in; /* padding is smaller than the window, so stop > pad */
}

static cells cells_of(const tg_window *w, size_t oy, size_t ox) {
    cells c;
    inside(oy, w->stride_h, w->pad_top, w->k_h, w->in_h, &c.y0, &c.y1);
    inside(ox, w->stride_w, w->pad_left, w->k_w, w->in_w, &c.x0, &c.x1);
    return c;
}

static size_t count_of(cells c) {
    return (c.y1 - c.y0) * (c.x1 - c.x0);
}

static size_t place_of(const pool_job *job, cells c, size_t tap) {
    size_t width = c.x1 - c.x0;
    return ((c.y0 + tap / width) * job->w->in_w + c.x0 + tap % width) * job->channels;
}

/* ---- max_pool2d: the tap of the maximum is kept for backward; of equals the first, of NaNs the last --------------- */

/* Taps of a window, row by row. */
static void list_taps(const pool_job *job, cells c, size_t *offset) {
    for (size_t y = 0; y < c.y1 - c.y0; y++)
        for (size_t x = 0; x < c.x1 - c.x0; x++) *offset++ = (y * job->w->in_w + x) * job->channels;
}

/* Neighbouring windows of a row that see equally many columns and lie one stride apart, from ox on. */
static size_t alike_from(const tg_window *w, size_t ox, cells c) {
    if (c.x1 - c.x0 < w->k_w) return 1;
    size_t whole =
        (w->in_w + w->pad_left - w->k_w) / w->stride_w + 1; /* so many do not end beyond the input */
    return (whole < w->out_w ? whole : w->out_w) - ox;
}

/* Calls visit for all windows of a sample, rows of them where they are alike. at: the cell of the first one's first tap. */
static void over_windows(const pool_job *job, size_t *offset,
                         void (*visit)(const pool_job *job, const tg_windows *windows, size_t at, size_t to,
                                       void *ctx),
                         void *ctx) {
    const tg_window *w = job->w;
    for (size_t oy = 0; oy < w->out_h; oy++)
        for (size_t ox = 0, count; ox < w->out_w; ox += count) {
            cells c = cells_of(w, oy, ox);
            count = alike_from(w, ox, c);
            list_taps(job, c, offset);
            const tg_windows windows = {count, w->stride_w * job->channels, job->channels, count_of(c),
                                        offset};
            visit(job, &windows, (c.y0 * w->in_w + c.x0) * job->channels,
                  (oy * w->out_w + ox) * job->channels, ctx);
        }
}

static void max_visit(const pool_job *job, const tg_windows *windows, size_t at, size_t to, void *ctx) {
    const size_t i = *(const size_t *)ctx;
    uint32_t *place = (uint32_t *)(void *)job->ex->saved[job->node->index];
    job->ex->kernels->max_windows(windows, tg_x(job->ex, job->node, 0) + i * job->in + at,
                                  tg_y(job->ex, job->node) + i * job->out + to,
                                  job->ex->training ? place + i * job->out + to : NULL);
}

static void max_forward_sample(void *ctx, size_t i, size_t thread) {
    const pool_job *job = ctx;
    over_windows(job, taps_of(job, thread), max_visit, &i);
}

static void spread_visit(const pool_job *job, const tg_windows *windows, size_t at, size_t to, void *ctx) {
    const size_t i = *(const size_t *)ctx;
    const uint32_t *place = (const uint32_t *)(const void *)job->ex->saved[job->node->index];
    size_t from = i * job->out + to;
    job->ex->kernels->spread_windows(windows, place + from, tg_dy(job->ex, job->node) + from,
                                     job->rectified ? tg_y(job->ex, job->node) + from : NULL, job->adds,
                                     tg_dx(job->ex, job->node, 0) + i * job->in + at);
}

static void max_backward_sample(void *ctx, size_t i, size_t thread) {
    const pool_job *job = ctx;
    if (job->clears) memset(tg_dx(job->ex, job->node, 0) + i * job->in, 0, job->in * sizeof(tg_real));
    over_windows(job, taps_of(job, thread), spread_visit, &i);
}

static void max_pool2d_forward(const tg_exec *ex, const tg_node *node) {
    over_samples(ex, node, max_forward_sample);
}
static void max_pool2d_backward(const tg_exec *ex, const tg_node *node) {
    if (tg_dx(ex, node, 0)) over_samples(ex, node, max_backward_sample);
}

/* ---- avg_pool2d: the mean of the cells inside the input; padding does not count (Keras; ONNX's default) ---------- */

static void avg_forward_sample(void *ctx, size_t i, size_t thread) {
    (void)thread;
    const pool_job *job = ctx;
    const tg_window *w = job->w;
    const tg_real *x = tg_x(job->ex, job->node, 0) + i * job->in;
    tg_real *y = tg_y(job->ex, job->node) + i * job->out;
    for (size_t oy = 0; oy < w->out_h; oy++)
        for (size_t ox = 0; ox < w->out_w; ox++, y += job->channels) {
            cells c = cells_of(w, oy, ox);
            tg_real count = (tg_real)count_of(c);
            memset(y, 0, job->channels * sizeof *y);
            for (size_t iy = c.y0; iy < c.y1; iy++)
                job->ex->kernels->sum_rows(c.x1 - c.x0, job->channels,
                                           x + (iy * w->in_w + c.x0) * job->channels, y);
            for (size_t k = 0; k < job->channels; k++) y[k] /= count;
        }
}

static void avg_backward_sample(void *ctx, size_t i, size_t thread) {
    (void)thread;
    const pool_job *job = ctx;
    const tg_window *w = job->w;
    const tg_real *dy = tg_dy(job->ex, job->node) + i * job->out;
    tg_real *dx = tg_dx(job->ex, job->node, 0) + i * job->in;
    if (job->sets) memset(dx, 0, job->in * sizeof *dx);
    for (size_t oy = 0; oy < w->out_h; oy++)
        for (size_t ox = 0; ox < w->out_w; ox++, dy += job->channels) {
            cells c = cells_of(w, oy, ox);
            tg_real count = (tg_real)count_of(c);
            for (size_t t = 0; t < count_of(c); t++) {
                tg_real *to = dx + place_of(job, c, t);
                for (size_t k = 0; k < job->channels; k++) to[k] += dy[k] / count;
            }
        }
}

static void avg_pool2d_forward(const tg_exec *ex, const tg_node *node) {
    over_samples(ex, node, avg_forward_sample);
}
static void avg_pool2d_backward(const tg_exec *ex, const tg_node *node) {
    if (tg_dx(ex, node, 0)) over_samples(ex, node, avg_backward_sample);
}

/* ---- global_avg_pool2d: [C, H, W] -> [C, 1, 1], as in ONNX --------------------------------------------------------- */

static tg_status global_avg_pool2d_infer(tg_node *node, tg_error *err) {
    const tg_shape *x = &node->inputs[0]->shape;
    char text[96];
    TG_REQUIRE(err, x->rank == 3, TG_E_SHAPE, "takes pictures (channels x height x width), not %s",
               tg_shape_text(x, text));
    node->shape = (tg_shape){3, {x->dim[0], 1, 1}};
    return TG_OK;
}

static void global_avg_pool2d_forward(const tg_exec *ex, const tg_node *node) {
    const tg_shape *shape = &node->inputs[0]->shape;
    size_t channels = shape->dim[0], area = shape->dim[1] * shape->dim[2];
    const tg_real *x = tg_x(ex, node, 0);
    tg_real *y = tg_y(ex, node);
    memset(y, 0, ex->n * channels * sizeof *y);
    for (size_t i = 0; i < ex->n; i++)
        ex->kernels->sum_rows(area, channels, x + i * area * channels, y + i * channels);
    for (size_t i = 0; i < ex->n * channels; i++) y[i] /= (tg_real)area;
}

static void global_avg_pool2d_backward(const tg_exec *ex, const tg_node *node) {
    const tg_shape *shape = &node->inputs[0]->shape;
    size_t channels = shape->dim[0], area = shape->dim[1] * shape->dim[2];
    const tg_real *dy = tg_dy(ex, node);
    tg_real *dx = tg_dx(ex, node, 0);
    bool sets = tg_sets_dx(ex, node);
    for (size_t i = 0; dx && i < ex->n; i++, dy += channels)
        for (size_t p = 0; p < area; p++, dx += channels)
            for (size_t c = 0; c < channels; c++) dx[c] = (sets ? 0 : dx[c]) + dy[c] / (tg_real)area;
}

const tg_op tg_op_max_pool2d = {
    .name = "max_pool2d",
    .attrs = attrs,
    .attr_count = sizeof attrs / sizeof *attrs,
    .attrs_bytes = sizeof(pool_attrs),
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = max_pool2d_infer,
    .scratch = pool_scratch,
    .forward = max_pool2d_forward,
    .backward = max_pool2d_backward,
    .flags = TG_OP_SETS_GRADIENT | TG_OP_RECTIFIED,
};

const tg_op tg_op_avg_pool2d = {
    .name = "avg_pool2d",
    .attrs = attrs,
    .attr_count = sizeof attrs / sizeof *attrs,
    .attrs_bytes = sizeof(pool_attrs),
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = pool_infer,
    .forward = avg_pool2d_forward,
    .backward = avg_pool2d_backward,
    .flags = TG_OP_SETS_GRADIENT,
};

const tg_op tg_op_global_avg_pool2d = {
    .name = "global_avg_pool2d",
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = global_avg_pool2d_infer,
    .forward = global_avg_pool2d_forward,
    .backward = global_avg_pool2d_backward,
    .flags = TG_OP_SETS_GRADIENT,
};
