/* Convolution as a matrix product with the patches of the input, which exist only as addresses: the tile reads them where
 * they lie or, where rows are short or strided, panel by panel as they are packed. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/gemm.h"
#include "ops/window.h"

typedef struct conv2d_attrs {
    uint64_t filters, groups;
    tg_sizes kernel, stride, dilation;
    tg_padding padding;
    bool bias;
    tg_window window; /* completed by infer */
} conv2d_attrs;

static const tg_attr attrs[] = {
    {"filters", TG_ATTR_INT, offsetof(conv2d_attrs, filters), .flags = TG_ATTR_REQUIRED, .min = 1,
     .max = 65536},
    {"kernel", TG_ATTR_SIZES, offsetof(conv2d_attrs, kernel), .flags = TG_ATTR_REQUIRED, .min = 1,
     .max = 1024},
    {"stride", TG_ATTR_SIZES, offsetof(conv2d_attrs, stride), .min = 1, .max = 1024, .fallback = 1},
    {"dilation", TG_ATTR_SIZES, offsetof(conv2d_attrs, dilation), .min = 1, .max = 1024, .fallback = 1},
    {"groups", TG_ATTR_INT, offsetof(conv2d_attrs, groups), .min = 1, .max = 65536, .fallback = 1},
    {"padding", TG_ATTR_PADDING, offsetof(conv2d_attrs, padding), .max = 1024, .choices = TG_PADDING_CHOICES},
    {"bias", TG_ATTR_FLAG, offsetof(conv2d_attrs, bias), .fallback = 1},
};

/* Per group: F filters, C channels, K = C kh kw weights per filter, P output positions. */
typedef struct conv_sizes {
    size_t groups, f, c, k, p;
    size_t in, out; /* elements of one sample */
} conv_sizes;

static conv_sizes sizes_of(const tg_node *node) {
    const conv2d_attrs *a = node->attrs;
    const tg_window *w = &a->window;
    conv_sizes s = {.groups = (size_t)a->groups};
    s.f = (size_t)a->filters / s.groups;
    s.c = w->channels / s.groups;
    s.k = s.c * w->k_h * w->k_w;
    s.p = w->out_h * w->out_w;
    s.in = w->channels * w->in_h * w->in_w;
    s.out = (size_t)a->filters * s.p;
    return s;
}

static tg_status conv2d_infer(tg_node *node, tg_error *err) {
    conv2d_attrs *a = node->attrs;
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

/* ---- patches ---------------------------------------------------------------------------------------------------- */

/* What the windows of one sample and group see: the picture itself or, where there is padding, a copy with its zeros. */
typedef struct canvas {
    size_t h, w; /* of one plane */
    bool padded;
} canvas;

static canvas canvas_of(const tg_window *w) {
    size_t h = (w->out_h - 1) * w->stride_h + (w->k_h - 1) * w->dilation_h + 1;
    size_t width = (w->out_w - 1) * w->stride_w + (w->k_w - 1) * w->dilation_w + 1;
    bool padded = w->pad_top || w->pad_left || h > w->in_h || width > w->in_w;
    return padded ? (canvas){h, width, true} : (canvas){w->in_h, w->in_w, false};
}

/* The part of the input that lies on a padded canvas: rows and columns from its upper left corner. */
static void visible(const tg_window *w, canvas c, size_t *rows, size_t *cols) {
    *rows = c.h - w->pad_top < w->in_h ? c.h - w->pad_top : w->in_h;
    *cols = c.w - w->pad_left < w->in_w ? c.w - w->pad_left : w->in_w;
}

static const tg_real *paint(const tg_window *w, canvas c, size_t channels, const tg_real *x,
                            tg_real *padded) {
    if (!c.padded) return x;
    size_t rows, cols;
    visible(w, c, &rows, &cols);
    memset(padded, 0, channels * c.h * c.w * sizeof *padded);
    for (size_t i = 0; i < channels; i++)
        for (size_t y = 0; y < rows; y++)
            memcpy(padded + (i * c.h + y + w->pad_top) * c.w + w->pad_left, x + (i * w->in_h + y) * w->in_w,
                   cols * sizeof *x);
    return padded;
}

/* The patches of a canvas: a matrix [K, P] that exists only as packed panels. Row k is one tap (channel, ky, kx), column
 * p one output position; the value lies at tap_offset(k) + position_offset(p). */
typedef struct patches {
    const tg_window *window;
    canvas canvas;
    const tg_real *values; /* [C, h, w] */
} patches;

static size_t tap_offset(const patches *from, size_t k) {
    const tg_window *w = from->window;
    size_t kx = k % w->k_w, ky = k / w->k_w % w->k_h, channel = k / (w->k_w * w->k_h);
    return (channel * from->canvas.h + ky * w->dilation_h) * from->canvas.w + kx * w->dilation_w;
}

static size_t position_offset(const patches *from, size_t p) {
    const tg_window *w = from->window;
    return p / w->out_w * w->stride_h * from->canvas.w + p % w->out_w * w->stride_w;
}

/* A tap that walks on, without a division at every step. */
typedef struct tap {
    size_t kx, ky, offset;
} tap;

static tap first_tap(const patches *from, size_t k) {
    const tg_window *w = from->window;
    return (tap){k % w->k_w, k / w->k_w % w->k_h, tap_offset(from, k)};
}

static void next_tap(const patches *from, tap *t) {
    const tg_window *w = from->window;
    canvas c = from->canvas;
    t->offset += w->dilation_w;
    if (++t->kx < w->k_w) return;
    t->kx = 0;
    t->offset += w->dilation_h * c.w - w->k_w * w->dilation_w;
    if (++t->ky < w->k_h) return;
    t->ky = 0;
    t->offset += (c.h - w->k_h * w->dilation_h) * c.w;
}

enum { WIDEST_PANEL = 64 };

/* Columns of a panel that lie in one output row: `count` values, `stride` apart, from `offset` on. */
typedef struct run {
    size_t column, offset, count;
} run;

/* b = patches [K, P]. */
static void pack_patches(const void *source, size_t k0, size_t k, size_t n0, size_t cols, size_t nr,
                         tg_real *dst) {
    const patches *from = source;
    size_t out_w = from->window->out_w, stride = from->window->stride_w, run_count = 0;
    run runs[WIDEST_PANEL];
    assert(nr <= WIDEST_PANEL);
    for (size_t j = 0; j < cols; j += runs[run_count++].count) {
        size_t left = out_w - (n0 + j) % out_w;
        runs[run_count] = (run){j, position_offset(from, n0 + j), left < cols - j ? left : cols - j};
    }
    tap t = first_tap(from, k0);
    for (size_t i = 0; i < k; i++, dst += nr, next_tap(from, &t)) {
        for (size_t r = 0; r < run_count; r++) {
            const tg_real *values = from->values + t.offset + runs[r].offset;
            tg_real *to = dst + runs[r].column;
            if (stride == 1)
                for (size_t j = 0; j < runs[r].count; j++) to[j] = values[j];
            else
                for (size_t j = 0; j < runs[r].count; j++) to[j] = values[j * stride];
        }
        for (size_t j = cols; j < nr; j++) dst[j] = 0;
    }
}

/* canvas += the patch gradients [K, P], each added where its value was read. */
static void fold_patches(const patches *to, size_t k_count, const tg_real *columns, tg_real *gradient) {
    const tg_window *w = to->window;
    for (size_t k = 0; k < k_count; k++) {
        tg_real *plane = gradient + tap_offset(to, k);
        for (size_t oy = 0; oy < w->out_h; oy++, columns += w->out_w) {
            tg_real *row = plane + oy * w->stride_h * to->canvas.w;
            if (w->stride_w == 1)
                for (size_t ox = 0; ox < w->out_w; ox++) row[ox] += columns[ox];
            else
                for (size_t ox = 0; ox < w->out_w; ox++) row[ox * w->stride_w] += columns[ox];
        }
    }
}

/* ---- forward and backward ----------------------------------------------------------------------------------------- */

/* Weight gradients are summed in shards of consecutive samples, whose number follows from the shape alone. */
static size_t shard_count(size_t n, size_t weights) {
    enum { MOST = 16, MOST_ELEMENTS = 1 << 21 };
    size_t fit = MOST_ELEMENTS / weights;
    size_t shards = fit < 1 ? 1 : fit > MOST ? MOST : fit;
    return shards < n ? shards : n;
}

static size_t aligned(size_t elements) {
    size_t line = TG_ALIGNMENT / sizeof(tg_real);
    return (elements + line - 1) / line * line;
}

static size_t round_up(size_t count, size_t step) {
    return (count + step - 1) / step * step;
}

/* Scratch, as offsets. Of each thread: a padded canvas, patch gradients, and what a product packs. Then, shared: where
 * each tap lies on the canvas, and packed weights in forward, partial weight gradients in backward. */
typedef struct layout {
    size_t columns, packed, thread_end;
    size_t taps, weights, end;
} layout;

typedef struct conv_job {
    const tg_exec *ex;
    const tg_node *node;
    const tg_window *window;
    const tg_kernels *kernels;
    conv_sizes s;
    canvas canvas;
    size_t shards, shard_size; /* elements: per group and panel of nr filters, [K rounded up to mr, nr] */
    layout at;
    size_t *taps;     /* [K rounded up to mr] */
    tg_real *weights; /* forward: [groups][panels of mr filters][K, mr]; backward: [shards, shard_size] */
} conv_job;

static size_t most_of(size_t a, size_t b) {
    return a > b ? a : b;
}

static conv_job measure(const tg_node *node, const tg_kernels *kernels, size_t n, size_t threads) {
    const conv2d_attrs *a = node->attrs;
    conv_job job = {.node = node,
                    .window = &a->window,
                    .kernels = kernels,
                    .s = sizes_of(node),
                    .canvas = canvas_of(&a->window)};
    conv_sizes s = job.s;
    size_t rows = round_up(s.k, kernels->mr);
    job.shards = shard_count(n, s.groups * s.f * s.k);
    job.shard_size = s.groups * round_up(s.f, kernels->nr) * rows;
    size_t to_x = tg_gemm_scratch(s.k, s.p, s.f, 1), forward = tg_gemm_scratch(s.f, s.p, s.k, 1);
    job.at.columns = job.canvas.padded ? aligned(s.c * job.canvas.h * job.canvas.w) : 0;
    job.at.packed = job.at.columns + aligned(s.k * s.p);
    job.at.thread_end = job.at.packed + aligned(most_of(most_of(to_x, forward), s.p * kernels->nr));
    job.at.taps = threads * job.at.thread_end;
    job.at.weights = job.at.taps + aligned(rows * sizeof(size_t) / sizeof(float));
    size_t packed_weights = s.groups * round_up(s.f, kernels->mr) * s.k;
    job.at.end = job.at.weights + aligned(most_of(packed_weights, job.shards * job.shard_size));
    return job;
}

/* The sizes of measure() are sums of products that may wrap; in floating point they cannot. */
static size_t conv2d_scratch(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads) {
    conv_job job = measure(node, kernels, n, threads);
    conv_sizes s = job.s;
    double groups = (double)s.groups, f = (double)s.f, c = (double)s.c, k = (double)s.k, p = (double)s.p;
    double canvas_size = c * (double)job.canvas.h * (double)job.canvas.w,
           tile = (double)(kernels->mr + kernels->nr);
    double thread = canvas_size + k * p + p * (double)kernels->nr;
    double shared = (k + tile) + (double)job.shards * groups * (f + tile) * (k + tile);
    bool fits = (double)threads * thread + shared < (double)(SIZE_MAX / 4 / sizeof(tg_real));
    return fits ? job.at.end : SIZE_MAX;
}

static conv_job job_of(const tg_exec *ex, const tg_node *node) {
    conv_job job = measure(node, ex->kernels, ex->n, tg_pool_threads(ex->pool));
    job.ex = ex;
    job.taps = (size_t *)(void *)(ex->scratch + job.at.taps);
    job.weights = ex->scratch + job.at.weights;
    const patches on = {job.window, job.canvas, NULL};
    for (size_t k = 0; k < round_up(job.s.k, job.kernels->mr); k++)
        job.taps[k] = k < job.s.k ? tap_offset(&on, k) : 0;
    return job;
}

static tg_real *scratch_of(const conv_job *job, size_t thread) {
    return job->ex->scratch + thread * job->at.thread_end;
}

/* Elements before group g of sample i. */
static size_t input_at(const conv_job *job, size_t i, size_t g) {
    return i * job->s.in + g * job->s.c * job->window->in_h * job->window->in_w;
}
static size_t output_at(const conv_job *job, size_t i, size_t g) {
    return i * job->s.out + g * job->s.f * job->s.p;
}

static patches patches_of(const conv_job *job, size_t i, size_t g, tg_real *scratch) {
    const tg_real *x = tg_x(job->ex, job->node, 0) + input_at(job, i, g);
    return (patches){job->window, job->canvas, paint(job->window, job->canvas, job->s.c, x, scratch)};
}

/* ---- forward: y[F,P] = w[F,K] patches[K,P] + b[F] ------------------------------------------------------------------- */

/* Neighbouring outputs read neighbouring cells, so the patches need not be packed, unless rows are very short. */
static bool reads_in_place(const conv_job *job) {
    return job->window->stride_w == 1 && job->window->out_w >= job->kernels->half_nr;
}

/* Row by row, in tiles as wide as fit; the last one of a row may do some columns again. */
static void forward_in_place(const conv_job *job, const patches *from, const tg_real *weights, tg_real *y) {
    const tg_kernels *kernels = job->kernels;
    const tg_window *w = job->window;
    conv_sizes s = job->s;
    for (size_t oy = 0; oy < w->out_h; oy++) {
        const tg_real *row = from->values + oy * w->stride_h * job->canvas.w;
        for (size_t ox = 0, width; ox < w->out_w; ox += width) {
            size_t left = w->out_w - ox;
            width = left > kernels->half_nr && w->out_w >= kernels->nr ? kernels->nr : kernels->half_nr;
            size_t x0 = left < width ? w->out_w - width : ox;
            for (size_t f = 0; f < s.f; f += kernels->mr)
                kernels->conv_tile(s.k, weights + f * s.k, row + x0, job->taps,
                                   y + f * s.p + oy * w->out_w + x0, s.p,
                                   s.f - f < kernels->mr ? s.f - f : kernels->mr, width);
        }
    }
}

static void forward_sample(void *ctx, size_t i, size_t thread) {
    const conv_job *job = ctx;
    conv_sizes s = job->s;
    const tg_param *w = &job->node->params[0], *b = job->node->param_count > 1 ? &job->node->params[1] : NULL;
    tg_real *scratch = scratch_of(job, thread);
    for (size_t g = 0; g < s.groups; g++) {
        patches from = patches_of(job, i, g, scratch);
        tg_real *y = tg_y(job->ex, job->node) + output_at(job, i, g);
        if (reads_in_place(job)) {
            forward_in_place(job, &from, job->weights + g * round_up(s.f, job->kernels->mr) * s.k, y);
        } else {
            tg_gemm gemm = {.m = s.f,
                            .n = s.p,
                            .k = s.k,
                            .a = {w->data + g * s.f * s.k, s.k, 1},
                            .pack_b = pack_patches,
                            .b_source = &from,
                            .c = y,
                            .ldc = s.p};
            tg_gemm_serial(job->kernels, &gemm, scratch + job->at.packed);
        }
        for (size_t f = 0; b && f < s.f; f++)
            job->kernels->add_scalar(s.p, b->data[g * s.f + f], y + f * s.p);
    }
}

/* Panels of mr filters, [K, mr], the last one filled up with zeros. */
static void pack_weights(const conv_job *job) {
    conv_sizes s = job->s;
    size_t mr = job->kernels->mr;
    const tg_real *w = job->node->params[0].data;
    tg_real *to = job->weights;
    for (size_t g = 0; g < s.groups; g++, w += s.f * s.k)
        for (size_t f = 0; f < s.f; f += mr)
            for (size_t k = 0; k < s.k; k++)
                for (size_t i = 0; i < mr; i++) *to++ = f + i < s.f ? w[(f + i) * s.k + k] : 0;
}

static void conv2d_forward(const tg_exec *ex, const tg_node *node) {
    conv_job job = job_of(ex, node);
    if (reads_in_place(&job)) pack_weights(&job);
    tg_parallel_for(ex->pool, ex->n, forward_sample, &job);
}

/* ---- backward: weights. dw^T[K,F] += patches[K,P] dy^T[P,F], the samples of one shard in order ----------------------- */

/* to[P, nr] = dy^T of nr filters; columns from `filters` on are zero. */
static void pack_filters(const conv_job *job, const tg_real *dy, size_t filters, tg_real *to) {
    size_t nr = job->kernels->nr;
    for (size_t j = 0; j < nr; j++)
        for (size_t p = 0; p < job->s.p; p++) to[p * nr + j] = j < filters ? dy[j * job->s.p + p] : 0;
}

static void weights_shard(void *ctx, size_t shard, size_t thread) {
    const conv_job *job = ctx;
    const tg_kernels *kernels = job->kernels;
    const tg_window *w = job->window;
    conv_sizes s = job->s;
    size_t n = job->ex->n, nr = kernels->nr, rows = round_up(s.k, kernels->mr);
    size_t begin = n * shard / job->shards, end = n * (shard + 1) / job->shards;
    tg_real *partial = job->weights + shard * job->shard_size;
    tg_real *scratch = scratch_of(job, thread), *packed = scratch + job->at.packed;
    memset(partial, 0, job->shard_size * sizeof *partial);
    for (size_t i = begin; i < end; i++) {
        tg_real *dw = partial;
        for (size_t g = 0; g < s.groups; g++) {
            patches from = patches_of(job, i, g, scratch);
            for (size_t f = 0; f < s.f; f += nr, dw += rows * nr) {
                size_t filters = s.f - f < nr ? s.f - f : nr;
                pack_filters(job, tg_dy(job->ex, job->node) + output_at(job, i, g) + f * s.p, filters,
                             packed);
                for (size_t oy = 0; oy < w->out_h; oy++)
                    for (size_t k = 0; k < s.k; k += kernels->mr)
                        kernels->conv_gradient_tile(w->out_w, from.values + oy * w->stride_h * job->canvas.w,
                                                    w->stride_w, job->taps + k, packed + oy * w->out_w * nr,
                                                    dw + k * nr, filters);
            }
        }
    }
}

/* dw[F,K] += one shard's sums. */
static void add_shard(const conv_job *job, size_t shard, tg_real *dw) {
    conv_sizes s = job->s;
    size_t nr = job->kernels->nr, rows = round_up(s.k, job->kernels->mr);
    const tg_real *from = job->weights + shard * job->shard_size;
    for (size_t g = 0; g < s.groups; g++, dw += s.f * s.k)
        for (size_t f = 0; f < s.f; f += nr, from += rows * nr)
            for (size_t j = 0; j < nr && f + j < s.f; j++)
                for (size_t k = 0; k < s.k; k++) dw[(f + j) * s.k + k] += from[k * nr + j];
}

/* db[f] += sums of its planes, sample after sample. */
static void bias_filter(void *ctx, size_t f, size_t thread) {
    (void)thread;
    const conv_job *job = ctx;
    tg_real *db = job->node->params[1].gradient;
    const tg_real *dy = tg_dy(job->ex, job->node) + f * job->s.p;
    for (size_t i = 0; i < job->ex->n; i++) db[f] += job->kernels->sum(job->s.p, dy + i * job->s.out);
}

/* ---- backward: input. dx += fold(w^T[K,F] dy[F,P]), one sample -------------------------------------------------------- */

static void input_sample(void *ctx, size_t i, size_t thread) {
    const conv_job *job = ctx;
    conv_sizes s = job->s;
    canvas c = job->canvas;
    tg_real *padded = scratch_of(job, thread), *columns = padded + job->at.columns;
    for (size_t g = 0; g < s.groups; g++) {
        tg_gemm gemm = {.m = s.k,
                        .n = s.p,
                        .k = s.f,
                        .a = {job->node->params[0].data + g * s.f * s.k, 1, s.k},
                        .b = {tg_dy(job->ex, job->node) + output_at(job, i, g), s.p, 1},
                        .c = columns,
                        .ldc = s.p};
        tg_gemm_serial(job->kernels, &gemm, padded + job->at.packed);
        tg_real *dx = tg_dx(job->ex, job->node, 0) + input_at(job, i, g);
        patches to = {job->window, c, NULL};
        if (!c.padded) {
            fold_patches(&to, s.k, columns, dx);
            continue;
        }
        size_t rows, cols;
        visible(job->window, c, &rows, &cols);
        memset(padded, 0, s.c * c.h * c.w * sizeof *padded);
        fold_patches(&to, s.k, columns, padded);
        for (size_t channel = 0; channel < s.c; channel++)
            for (size_t y = 0; y < rows; y++)
                job->kernels->add(
                    cols, padded + (channel * c.h + y + job->window->pad_top) * c.w + job->window->pad_left,
                    dx + (channel * job->window->in_h + y) * job->window->in_w);
    }
}

static void conv2d_backward(const tg_exec *ex, const tg_node *node) {
    conv_job job = job_of(ex, node);
    const tg_param *w = &node->params[0];
    if (w->gradient) {
        tg_parallel_for(ex->pool, job.shards, weights_shard, &job);
        for (size_t i = 0; i < job.shards; i++) add_shard(&job, i, w->gradient);
        if (node->param_count > 1) tg_parallel_for(ex->pool, node->shape.dim[0], bias_filter, &job);
    }
    if (tg_dx(ex, node, 0)) tg_parallel_for(ex->pool, ex->n, input_sample, &job);
}

const tg_op tg_op_conv2d = {
    .name = "conv2d",
    .attrs = attrs,
    .attr_count = sizeof attrs / sizeof *attrs,
    .attrs_bytes = sizeof(conv2d_attrs),
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = conv2d_infer,
    .scratch = conv2d_scratch,
    .forward = conv2d_forward,
    .backward = conv2d_backward,
    .flags = TG_OP_BACKWARD_USES_X,
};
