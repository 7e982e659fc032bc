/* Pooling: plane by plane, so that any number of threads does the same. */
#include <math.h>

#include "ops/window.h"

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
} pool_job;

static void over_planes(const tg_exec *ex, const tg_node *node, void (*fn)(void *, size_t, size_t)) {
    const pool_attrs *a = node->attrs;
    pool_job job = {ex, node, &a->window};
    tg_parallel_for(ex->pool, ex->n * a->window.channels, fn, &job);
}

/* The cells of window o along one axis that lie inside the input: [*begin, *end). */
static void inside(size_t o, size_t stride, size_t pad, size_t k, size_t in, size_t *begin, size_t *end) {
    size_t start = o * stride, stop = start + k;
    *begin = start > pad ? start - pad : 0;
    *end = stop - pad < in ? stop - pad : in; /* padding is smaller than the window, so stop > pad */
}

/* ---- max_pool2d: the place of the maximum is kept for backward; of equals the first, of NaNs the last ------------- */

/* One tap of a row of windows: y = the larger of y and x. */
static void max_tap(const tg_real *x, size_t stride, size_t count, tg_real *y) {
    for (size_t i = 0; i < count; i++) {
        tg_real v = x[i * stride], most = y[i];
        bool larger = (v > most) | (v != v);
        y[i] = larger ? v : most;
    }
}

/* The same with the place of what is in y, which lies at `at` for the first of x. */
static void max_tap_with_place(const tg_real *x, size_t stride, uint32_t at, size_t count, tg_real *y,
                               uint32_t *place) {
    for (size_t i = 0; i < count; i++) {
        tg_real v = x[i * stride], most = y[i];
        bool larger = (v > most) | (v != v);
        y[i] = larger ? v : most;
        uint32_t here = at + (uint32_t)i * (uint32_t)stride;
        place[i] = larger ? here : place[i];
    }
}

/* Windows [*first, *end) whose tap kx lies inside the input. */
static void windows_with_tap(const tg_window *w, size_t kx, size_t *first, size_t *end) {
    *first = kx < w->pad_left ? (w->pad_left - kx + w->stride_w - 1) / w->stride_w : 0;
    size_t reach = w->in_w + w->pad_left - 1; /* last column, counted with the padding */
    *end = reach < kx ? 0 : (reach - kx) / w->stride_w + 1;
    if (*end > w->out_w) *end = w->out_w;
}

static void max_forward_plane(void *ctx, size_t plane, size_t thread) {
    (void)thread;
    const pool_job *job = ctx;
    const tg_window *w = job->w;
    const tg_real *x = tg_x(job->ex, job->node, 0) + plane * w->in_h * w->in_w;
    size_t out = w->out_h * w->out_w;
    tg_real *y = tg_y(job->ex, job->node) + plane * out;
    uint32_t *place =
        job->ex->training ? (uint32_t *)(void *)job->ex->saved[job->node->index] + plane * out : NULL;
    for (size_t oy = 0; oy < w->out_h; oy++, y += w->out_w) {
        size_t y0, y1;
        inside(oy, w->stride_h, w->pad_top, w->k_h, w->in_h, &y0, &y1);
        for (size_t ox = 0; ox < w->out_w; ox++) {
            size_t x0, x1;
            inside(ox, w->stride_w, w->pad_left, w->k_w, w->in_w, &x0, &x1);
            y[ox] = x[y0 * w->in_w + x0];
            if (place) place[ox] = (uint32_t)(y0 * w->in_w + x0);
        }
        for (size_t iy = y0; iy < y1; iy++) {
            for (size_t kx = 0; kx < w->k_w; kx++) {
                size_t first, end;
                windows_with_tap(w, kx, &first, &end);
                if (first >= end) continue;
                size_t at = iy * w->in_w + first * w->stride_w + kx - w->pad_left;
                if (place)
                    max_tap_with_place(x + at, w->stride_w, (uint32_t)at, end - first, y + first,
                                       place + first);
                else max_tap(x + at, w->stride_w, end - first, y + first);
            }
        }
        if (place) place += w->out_w;
    }
}

static void max_backward_plane(void *ctx, size_t plane, size_t thread) {
    (void)thread;
    const pool_job *job = ctx;
    size_t out = job->w->out_h * job->w->out_w;
    const tg_real *dy = tg_dy(job->ex, job->node) + plane * out;
    const uint32_t *place = (const uint32_t *)(const void *)job->ex->saved[job->node->index] + plane * out;
    tg_real *dx = tg_dx(job->ex, job->node, 0) + plane * job->w->in_h * job->w->in_w;
    for (size_t i = 0; i < out; i++) dx[place[i]] += dy[i];
}

static void max_pool2d_forward(const tg_exec *ex, const tg_node *node) {
    over_planes(ex, node, max_forward_plane);
}
static void max_pool2d_backward(const tg_exec *ex, const tg_node *node) {
    if (tg_dx(ex, node, 0)) over_planes(ex, node, max_backward_plane);
}

/* ---- avg_pool2d: the mean of the cells inside the input; padding does not count (Keras; ONNX's default) ---------- */

static void avg_forward_plane(void *ctx, size_t plane, size_t thread) {
    (void)thread;
    const pool_job *job = ctx;
    const tg_window *w = job->w;
    const tg_real *x = tg_x(job->ex, job->node, 0) + plane * w->in_h * w->in_w;
    tg_real *y = tg_y(job->ex, job->node) + plane * w->out_h * w->out_w;
    for (size_t oy = 0; oy < w->out_h; oy++) {
        size_t y0, y1;
        inside(oy, w->stride_h, w->pad_top, w->k_h, w->in_h, &y0, &y1);
        for (size_t ox = 0; ox < w->out_w; ox++) {
            size_t x0, x1;
            inside(ox, w->stride_w, w->pad_left, w->k_w, w->in_w, &x0, &x1);
            tg_real sum = 0;
            for (size_t iy = y0; iy < y1; iy++)
                for (size_t ix = x0; ix < x1; ix++) sum += x[iy * w->in_w + ix];
            *y++ = sum / (tg_real)((y1 - y0) * (x1 - x0));
        }
    }
}

static void avg_backward_plane(void *ctx, size_t plane, size_t thread) {
    (void)thread;
    const pool_job *job = ctx;
    const tg_window *w = job->w;
    const tg_real *dy = tg_dy(job->ex, job->node) + plane * w->out_h * w->out_w;
    tg_real *dx = tg_dx(job->ex, job->node, 0) + plane * w->in_h * w->in_w;
    for (size_t oy = 0; oy < w->out_h; oy++) {
        size_t y0, y1;
        inside(oy, w->stride_h, w->pad_top, w->k_h, w->in_h, &y0, &y1);
        for (size_t ox = 0; ox < w->out_w; ox++) {
            size_t x0, x1;
            inside(ox, w->stride_w, w->pad_left, w->k_w, w->in_w, &x0, &x1);
            tg_real share = *dy++ / (tg_real)((y1 - y0) * (x1 - x0));
            for (size_t iy = y0; iy < y1; iy++)
                for (size_t ix = x0; ix < x1; ix++) dx[iy * w->in_w + ix] += share;
        }
    }
}

static void avg_pool2d_forward(const tg_exec *ex, const tg_node *node) {
    over_planes(ex, node, avg_forward_plane);
}
static void avg_pool2d_backward(const tg_exec *ex, const tg_node *node) {
    if (tg_dx(ex, node, 0)) over_planes(ex, node, avg_backward_plane);
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
    const tg_shape *x = &node->inputs[0]->shape;
    size_t area = x->dim[1] * x->dim[2], planes = ex->n * x->dim[0];
    for (size_t i = 0; i < planes; i++)
        tg_y(ex, node)[i] = ex->kernels->sum(area, tg_x(ex, node, 0) + i * area) / (tg_real)area;
}

static void global_avg_pool2d_backward(const tg_exec *ex, const tg_node *node) {
    const tg_shape *x = &node->inputs[0]->shape;
    size_t area = x->dim[1] * x->dim[2], planes = ex->n * x->dim[0];
    tg_real *dx = tg_dx(ex, node, 0);
    for (size_t i = 0; dx && i < planes; i++)
        ex->kernels->add_scalar(area, tg_dy(ex, node)[i] / (tg_real)area, dx + i * area);
}

const tg_op tg_op_max_pool2d = {
    .name = "max_pool2d",
    .attrs = attrs,
    .attr_count = sizeof attrs / sizeof *attrs,
    .attrs_bytes = sizeof(pool_attrs),
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = max_pool2d_infer,
    .forward = max_pool2d_forward,
    .backward = max_pool2d_backward,
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
};

const tg_op tg_op_global_avg_pool2d = {
    .name = "global_avg_pool2d",
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = global_avg_pool2d_infer,
    .forward = global_avg_pool2d_forward,
    .backward = global_avg_pool2d_backward,
};
