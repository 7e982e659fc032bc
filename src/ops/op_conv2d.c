/* Convolution as a matrix product whose right side, the patches, is unrolled panel by panel while it is packed. */
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

/* The patches of one sample and group: a matrix [K, P] that exists only as packed panels. */
typedef struct patches {
    const tg_window *window;
    const tg_real *x; /* [C, H, W] of the group */
} patches;

/* Row k of the patch matrix is one (channel, ky, kx); its input cell for output (oy, ox) is (oy s - pad + ky d, ...). */
typedef struct tap {
    size_t channel, dy, dx; /* dy, dx: offset of the tap before the padding is taken off */
} tap;

static tap tap_at(const tg_window *w, size_t k) {
    size_t kx = k % w->k_w, ky = k / w->k_w % w->k_h;
    return (tap){k / (w->k_w * w->k_h), ky * w->dilation_h, kx * w->dilation_w};
}

/* Values of row `k` at output positions p0..p0+count, zeros in the padding. */
static void unroll_row(const patches *from, size_t k, size_t p0, size_t count, tg_real *dst) {
    const tg_window *w = from->window;
    tap t = tap_at(w, k);
    const tg_real *plane = from->x + t.channel * w->in_h * w->in_w;
    size_t oy = p0 / w->out_w, ox = p0 % w->out_w;
    while (count) {
        size_t run = w->out_w - ox < count ? w->out_w - ox : count;
        size_t iy = oy * w->stride_h + t.dy - w->pad_top; /* wraps where it lies in the padding */
        if (iy >= w->in_h) {
            for (size_t i = 0; i < run; i++) dst[i] = 0;
        } else {
            const tg_real *row = plane + iy * w->in_w;
            size_t ix = ox * w->stride_w + t.dx - w->pad_left;
            for (size_t i = 0; i < run; i++, ix += w->stride_w) dst[i] = ix < w->in_w ? row[ix] : 0;
        }
        dst += run, count -= run, oy++, ox = 0;
    }
}

/* b = patches [K, P]. */
static void pack_patches(const void *source, size_t k0, size_t k, size_t n0, size_t cols, size_t nr, tg_real *dst) {
    for (size_t i = 0; i < k; i++, dst += nr) {
        unroll_row(source, k0 + i, n0, cols, dst);
        for (size_t j = cols; j < nr; j++) dst[j] = 0;
    }
}

/* b = patches^T [P, K]: the panel's rows are positions, its columns taps. */
static void pack_patches_transposed(const void *source, size_t k0, size_t k, size_t n0, size_t cols, size_t nr,
                                    tg_real *dst) {
    enum { BLOCK = 64 }; /* positions unrolled at a time: they stay in the first-level cache */
    tg_real row[BLOCK];
    for (size_t p = 0; p < k; p += BLOCK) {
        size_t count = k - p < BLOCK ? k - p : BLOCK;
        for (size_t j = 0; j < nr; j++) {
            if (j < cols) unroll_row(source, n0 + j, k0 + p, count, row);
            else memset(row, 0, count * sizeof *row);
            for (size_t i = 0; i < count; i++) dst[(p + i) * nr + j] = row[i];
        }
    }
}

/* dx += the patch gradients [K, P], each added where its value was read. */
static void fold_patches(const tg_window *w, const tg_real *columns, size_t k_count, tg_real *dx) {
    for (size_t k = 0; k < k_count; k++) {
        tap t = tap_at(w, k);
        tg_real *plane = dx + t.channel * w->in_h * w->in_w;
        for (size_t oy = 0; oy < w->out_h; oy++, columns += w->out_w) {
            size_t iy = oy * w->stride_h + t.dy - w->pad_top;
            if (iy >= w->in_h) continue;
            tg_real *row = plane + iy * w->in_w;
            size_t ix = t.dx - w->pad_left;
            for (size_t ox = 0; ox < w->out_w; ox++, ix += w->stride_w)
                if (ix < w->in_w) row[ix] += columns[ox];
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

typedef struct conv_job {
    const tg_exec *ex;
    const tg_node *node;
    conv_sizes s;
    size_t shards;
    tg_real *partial;      /* [shards, weights] */
    tg_real *thread;       /* scratch of thread 0 */
    size_t thread_stride;  /* elements */
} conv_job;

static size_t thread_scratch(conv_sizes s) {
    size_t forward = tg_gemm_scratch(s.f, s.p, s.k, 1);
    size_t to_x = aligned(s.k * s.p) + tg_gemm_scratch(s.k, s.p, s.f, 1);
    size_t to_w = tg_gemm_scratch(s.f, s.k, s.p, 1);
    size_t most = forward > to_x ? forward : to_x;
    return aligned(most > to_w ? most : to_w);
}

static size_t conv2d_scratch(const tg_node *node, size_t n, size_t threads) {
    conv_sizes s = sizes_of(node);
    size_t weights = s.groups * s.f * s.k;
    return threads * thread_scratch(s) + aligned(shard_count(n, weights) * weights);
}

static conv_job job_of(const tg_exec *ex, const tg_node *node) {
    conv_job job = {.ex = ex, .node = node, .s = sizes_of(node), .thread = ex->scratch};
    job.thread_stride = thread_scratch(job.s);
    job.partial = ex->scratch + job.thread_stride * tg_pool_threads(ex->pool);
    return job;
}

/* y[F,P] = w[F,K] patches[K,P] + b[F], one sample. */
static void forward_sample(void *ctx, size_t i, size_t thread) {
    const conv_job *job = ctx;
    const tg_node *node = job->node;
    const conv2d_attrs *a = node->attrs;
    conv_sizes s = job->s;
    const tg_param *w = &node->params[0], *b = node->param_count > 1 ? &node->params[1] : NULL;
    for (size_t g = 0; g < s.groups; g++) {
        patches from = {&a->window, tg_x(job->ex, node, 0) + i * s.in + g * s.c * a->window.in_h * a->window.in_w};
        tg_real *y = tg_y(job->ex, node) + i * s.out + g * s.f * s.p;
        tg_gemm gemm = {.m = s.f,
                        .n = s.p,
                        .k = s.k,
                        .a = {w->data + g * s.f * s.k, s.k, 1},
                        .pack_b = pack_patches,
                        .b_source = &from,
                        .c = y,
                        .ldc = s.p};
        tg_gemm_serial(job->ex->kernels, &gemm, job->thread + thread * job->thread_stride);
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
    const tg_node *node = job->node;
    const conv2d_attrs *a = node->attrs;
    conv_sizes s = job->s;
    size_t weights = s.groups * s.f * s.k, n = job->ex->n;
    size_t begin = n * shard / job->shards, end = n * (shard + 1) / job->shards;
    tg_real *dw = job->partial + shard * weights;
    for (size_t i = begin; i < end; i++) {
        for (size_t g = 0; g < s.groups; g++) {
            patches from = {&a->window, tg_x(job->ex, node, 0) + i * s.in + g * s.c * a->window.in_h * a->window.in_w};
            tg_gemm gemm = {.m = s.f,
                            .n = s.k,
                            .k = s.p,
                            .a = {tg_dy(job->ex, node) + i * s.out + g * s.f * s.p, s.p, 1},
                            .pack_b = pack_patches_transposed,
                            .b_source = &from,
                            .c = dw + g * s.f * s.k,
                            .ldc = s.k,
                            .accumulate = i > begin};
            tg_gemm_serial(job->ex->kernels, &gemm, job->thread + thread * job->thread_stride);
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
    const tg_node *node = job->node;
    const conv2d_attrs *a = node->attrs;
    conv_sizes s = job->s;
    tg_real *columns = job->thread + thread * job->thread_stride;
    for (size_t g = 0; g < s.groups; g++) {
        tg_gemm gemm = {.m = s.k,
                        .n = s.p,
                        .k = s.f,
                        .a = {node->params[0].data + g * s.f * s.k, 1, s.k},
                        .b = {tg_dy(job->ex, node) + i * s.out + g * s.f * s.p, s.p, 1},
                        .c = columns,
                        .ldc = s.p};
        tg_gemm_serial(job->ex->kernels, &gemm, columns + aligned(s.k * s.p));
        tg_real *dx = tg_dx(job->ex, node, 0) + i * s.in + g * s.c * a->window.in_h * a->window.in_w;
        fold_patches(&a->window, columns, s.k, dx);
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
