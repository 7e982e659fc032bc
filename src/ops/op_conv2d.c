/* Convolution as a matrix product whose right side, the patches, is unrolled panel by panel while it is packed. */
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
    {"filters", TG_ATTR_INT, offsetof(conv2d_attrs, filters), .flags = TG_ATTR_REQUIRED, .min = 1, .max = 65536},
    {"kernel", TG_ATTR_SIZES, offsetof(conv2d_attrs, kernel), .flags = TG_ATTR_REQUIRED, .min = 1, .max = 1024},
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
    TG_TRY(tg_window_infer(&node->inputs[0]->shape, &a->kernel, &a->stride, &a->dilation, &a->padding, &a->window, err));
    const tg_window *w = &a->window;
    size_t groups = (size_t)a->groups, filters = (size_t)a->filters;
    TG_REQUIRE(err, w->channels % groups == 0 && filters % groups == 0, TG_E_SHAPE,
               "groups %zu must divide the %zu input channels and the %zu filters", groups, w->channels, filters);
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
    size_t h, w;  /* of one plane */
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

static const tg_real *paint(const tg_window *w, canvas c, size_t channels, const tg_real *x, tg_real *padded) {
    if (!c.padded) return x;
    size_t rows, cols;
    visible(w, c, &rows, &cols);
    memset(padded, 0, channels * c.h * c.w * sizeof *padded);
    for (size_t i = 0; i < channels; i++)
        for (size_t y = 0; y < rows; y++)
            memcpy(padded + (i * c.h + y + w->pad_top) * c.w + w->pad_left, x + (i * w->in_h + y) * w->in_w, cols * sizeof *x);
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
static void pack_patches(const void *source, size_t k0, size_t k, size_t n0, size_t cols, size_t nr, tg_real *dst) {
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

/* b = patches^T [P, K]: the panel's rows are positions, its columns taps. */
static void pack_patches_transposed(const void *source, size_t k0, size_t k, size_t n0, size_t cols, size_t nr,
                                    tg_real *dst) {
    const patches *from = source;
    const tg_window *w = from->window;
    size_t taps[WIDEST_PANEL];
    assert(nr <= WIDEST_PANEL);
    for (size_t j = 0; j < cols; j++) taps[j] = tap_offset(from, n0 + j);
    for (size_t i = 0; i < k;) {
        size_t ox = (k0 + i) % w->out_w, left = w->out_w - ox, count = left < k - i ? left : k - i;
        const tg_real *values = from->values + position_offset(from, k0 + i);
        for (size_t end = i + count; i < end; i++, values += w->stride_w, dst += nr) {
            for (size_t j = 0; j < cols; j++) dst[j] = values[taps[j]];
            for (size_t j = cols; j < nr; j++) dst[j] = 0;
        }
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

/* Scratch of one thread: a padded canvas, patch gradients, what a product needs. */
typedef struct thread_layout {
    size_t columns, gemm, end; /* offsets */
} thread_layout;

static thread_layout layout_of(const tg_window *window, conv_sizes s) {
    canvas c = canvas_of(window);
    thread_layout t = {.columns = c.padded ? aligned(s.c * c.h * c.w) : 0};
    t.gemm = t.columns + aligned(s.k * s.p);
    size_t forward = tg_gemm_scratch(s.f, s.p, s.k, 1), to_x = tg_gemm_scratch(s.k, s.p, s.f, 1);
    size_t to_w = tg_gemm_scratch(s.f, s.k, s.p, 1);
    size_t most = forward > to_x ? forward : to_x;
    t.end = aligned(t.gemm + (most > to_w ? most : to_w));
    return t;
}

static size_t conv2d_scratch(const tg_node *node, size_t n, size_t threads) {
    conv_sizes s = sizes_of(node);
    size_t weights = s.groups * s.f * s.k;
    const conv2d_attrs *a = node->attrs;
    return threads * layout_of(&a->window, s).end + aligned(shard_count(n, weights) * weights);
}

typedef struct conv_job {
    const tg_exec *ex;
    const tg_node *node;
    const tg_window *window;
    conv_sizes s;
    canvas canvas;
    thread_layout layout;
    size_t shards;
    tg_real *partial; /* [shards, weights] */
} conv_job;

static conv_job job_of(const tg_exec *ex, const tg_node *node) {
    const conv2d_attrs *a = node->attrs;
    conv_job job = {.ex = ex, .node = node, .window = &a->window, .s = sizes_of(node), .canvas = canvas_of(&a->window)};
    job.layout = layout_of(job.window, job.s);
    job.partial = ex->scratch + job.layout.end * tg_pool_threads(ex->pool);
    return job;
}

static tg_real *scratch_of(const conv_job *job, size_t thread) {
    return job->ex->scratch + thread * job->layout.end;
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

/* y[F,P] = w[F,K] patches[K,P] + b[F], one sample. */
static void forward_sample(void *ctx, size_t i, size_t thread) {
    const conv_job *job = ctx;
    conv_sizes s = job->s;
    const tg_param *w = &job->node->params[0], *b = job->node->param_count > 1 ? &job->node->params[1] : NULL;
    tg_real *scratch = scratch_of(job, thread);
    for (size_t g = 0; g < s.groups; g++) {
        patches from = patches_of(job, i, g, scratch);
        tg_real *y = tg_y(job->ex, job->node) + output_at(job, i, g);
        tg_gemm gemm = {.m = s.f,
                        .n = s.p,
                        .k = s.k,
                        .a = {w->data + g * s.f * s.k, s.k, 1},
                        .pack_b = pack_patches,
                        .b_source = &from,
                        .c = y,
                        .ldc = s.p};
        tg_gemm_serial(job->ex->kernels, &gemm, scratch + job->layout.gemm);
        for (size_t f = 0; b && f < s.f; f++) job->ex->kernels->add_scalar(s.p, b->data[g * s.f + f], y + f * s.p);
    }
}

static void conv2d_forward(const tg_exec *ex, const tg_node *node) {
    conv_job job = job_of(ex, node);
    tg_parallel_for(ex->pool, ex->n, forward_sample, &job);
}

/* dw[F,K] += dy[F,P] patches^T[P,K], the samples of one shard in order. */
static void weights_shard(void *ctx, size_t shard, size_t thread) {
    const conv_job *job = ctx;
    conv_sizes s = job->s;
    size_t weights = s.groups * s.f * s.k, n = job->ex->n;
    size_t begin = n * shard / job->shards, end = n * (shard + 1) / job->shards;
    tg_real *dw = job->partial + shard * weights, *scratch = scratch_of(job, thread);
    for (size_t i = begin; i < end; i++) {
        for (size_t g = 0; g < s.groups; g++) {
            patches from = patches_of(job, i, g, scratch);
            tg_gemm gemm = {.m = s.f,
                            .n = s.k,
                            .k = s.p,
                            .a = {tg_dy(job->ex, job->node) + output_at(job, i, g), s.p, 1},
                            .pack_b = pack_patches_transposed,
                            .b_source = &from,
                            .c = dw + g * s.f * s.k,
                            .ldc = s.k,
                            .accumulate = i > begin};
            tg_gemm_serial(job->ex->kernels, &gemm, scratch + job->layout.gemm);
        }
    }
}

/* db[f] += sums of its planes, sample after sample. */
static void bias_filter(void *ctx, size_t f, size_t thread) {
    (void)thread;
    const conv_job *job = ctx;
    tg_real *db = job->node->params[1].gradient;
    const tg_real *dy = tg_dy(job->ex, job->node) + f * job->s.p;
    for (size_t i = 0; i < job->ex->n; i++) db[f] += job->ex->kernels->sum(job->s.p, dy + i * job->s.out);
}

/* dx += fold(w^T[K,F] dy[F,P]), one sample. */
static void input_sample(void *ctx, size_t i, size_t thread) {
    const conv_job *job = ctx;
    conv_sizes s = job->s;
    canvas c = job->canvas;
    tg_real *padded = scratch_of(job, thread), *columns = padded + job->layout.columns;
    for (size_t g = 0; g < s.groups; g++) {
        tg_gemm gemm = {.m = s.k,
                        .n = s.p,
                        .k = s.f,
                        .a = {job->node->params[0].data + g * s.f * s.k, 1, s.k},
                        .b = {tg_dy(job->ex, job->node) + output_at(job, i, g), s.p, 1},
                        .c = columns,
                        .ldc = s.p};
        tg_gemm_serial(job->ex->kernels, &gemm, padded + job->layout.gemm);
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
                job->ex->kernels->add(cols, padded + (channel * c.h + y + job->window->pad_top) * c.w + job->window->pad_left,
                                      dx + (channel * job->window->in_h + y) * job->window->in_w);
    }
}

static void conv2d_backward(const tg_exec *ex, const tg_node *node) {
    conv_job job = job_of(ex, node);
    const tg_param *w = &node->params[0];
    if (w->gradient) {
        job.shards = shard_count(ex->n, w->size);
        tg_parallel_for(ex->pool, job.shards, weights_shard, &job);
        for (size_t i = 0; i < job.shards; i++) ex->kernels->add(w->size, job.partial + i * w->size, w->gradient);
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
