#include "base/memory.h"
#include "kernels/gemm.h"
#include "ops/op.h"

typedef struct dense_attrs {
    uint64_t units;
    bool bias;
} dense_attrs;

static const tg_attr attrs[] = {
    {"units", TG_ATTR_INT, offsetof(dense_attrs, units), .flags = TG_ATTR_REQUIRED, .min = 1, .max = 1 << 20},
    {"bias", TG_ATTR_FLAG, offsetof(dense_attrs, bias), .fallback = 1},
};

static tg_status dense_infer(tg_node *node, tg_error *err) {
    const dense_attrs *a = node->attrs;
    const tg_shape *x = &node->inputs[0]->shape;
    char text[96];
    TG_REQUIRE(err, x->rank == 1, TG_E_SHAPE, "takes flat input, not %s; put a flatten before it",
               tg_shape_text(x, text));
    size_t inputs = x->dim[0], units = (size_t)a->units;
    node->shape = (tg_shape){1, {units}};
    tg_node_add_param(node, "weight", &(tg_shape){2, {units, inputs}}, inputs, units);
    if (a->bias) tg_node_add_param(node, "bias", &(tg_shape){1, {units}}, inputs, units);
    return TG_OK;
}

static size_t dense_scratch(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads) {
    (void)kernels;
    size_t inputs = node->inputs[0]->shape.dim[0], units = node->shape.dim[0];
    size_t forward = tg_gemm_scratch(n, units, inputs, threads);
    size_t to_x = tg_gemm_scratch(n, inputs, units, threads);
    size_t to_w = tg_gemm_scratch(units, inputs, n, threads);
    size_t most = forward > to_x ? forward : to_x;
    return most > to_w ? most : to_w;
}

/* What the products read of w[O,I]: forward its transpose, on the way back itself. */
static tg_matrix transposed(const tg_node *node) {
    return (tg_matrix){node->params[0].data, 1, node->params[0].shape.dim[1]};
}
static tg_matrix as_it_is(const tg_node *node) {
    return (tg_matrix){node->params[0].data, node->params[0].shape.dim[1], 1};
}

/* Both packed, one behind the other; the second where an input asks for its gradient. */
static size_t packed_forward(const tg_node *node, const tg_kernels *kernels) {
    const size_t line = TG_ALIGNMENT / sizeof(tg_real), *w = node->params[0].shape.dim;
    return (tg_gemm_packed_size(kernels, w[0], w[1]) + line - 1) / line * line;
}

static size_t dense_prepared_size(const tg_node *node, const tg_kernels *kernels) {
    const size_t *w = node->params[0].shape.dim;
    size_t back = node->inputs[0]->needs_gradient ? tg_gemm_packed_size(kernels, w[1], w[0]) : 0;
    return tg_add_size(packed_forward(node, kernels), back, &back) ? back : SIZE_MAX;
}

static size_t dense_prepare_items(const tg_node *node, const tg_kernels *kernels) {
    const size_t *w = node->params[0].shape.dim;
    size_t back = node->inputs[0]->needs_gradient ? tg_gemm_pack_items(kernels, w[1], w[0]) : 0;
    return tg_gemm_pack_items(kernels, w[0], w[1]) + back;
}

static void dense_prepare(const tg_node *node, const tg_kernels *kernels, size_t item) {
    const size_t *w = node->params[0].shape.dim, forward = tg_gemm_pack_items(kernels, w[0], w[1]);
    tg_matrix b = item < forward ? transposed(node) : as_it_is(node);
    if (item < forward) tg_gemm_pack_item(kernels, &b, w[0], w[1], item, node->prepared);
    else
        tg_gemm_pack_item(kernels, &b, w[1], w[0], item - forward,
                          node->prepared + packed_forward(node, kernels));
}

/* y[N,O] = b[O] + x[N,I] w[O,I]^T: the sums start from the bias. */
static void dense_forward(const tg_exec *ex, const tg_node *node) {
    size_t inputs = node->inputs[0]->shape.dim[0], units = node->shape.dim[0];
    tg_gemm gemm = {.m = ex->n,
                    .n = units,
                    .k = inputs,
                    .a = {tg_x(ex, node, 0), inputs, 1},
                    .packed = node->prepared,
                    .c = tg_y(ex, node),
                    .ldc = units,
                    .bias = node->param_count > 1 ? node->params[1].data : NULL,
                    .zeros = TG_ZEROS_IN_A};
    tg_gemm_parallel(ex->kernels, ex->pool, &gemm, ex->scratch);
}

/* dx[N,I] += dy[N,O] w[O,I]. */
static void dense_backward(const tg_exec *ex, const tg_node *node) {
    size_t inputs = node->inputs[0]->shape.dim[0], units = node->shape.dim[0];
    if (!tg_dx(ex, node, 0)) return;
    tg_gemm gemm = {.m = ex->n,
                    .n = inputs,
                    .k = units,
                    .a = {tg_dy(ex, node), units, 1},
                    .packed = node->prepared + packed_forward(node, ex->kernels),
                    .c = tg_dx(ex, node, 0),
                    .ldc = inputs,
                    .accumulate = !tg_sets_dx(ex, node),
                    .zeros = TG_ZEROS_IN_A};
    tg_gemm_parallel(ex->kernels, ex->pool, &gemm, ex->scratch);
}

/* dw[O,I] = dy^T[O,N] x[N,I];  db[O] += column sums of dy. A part: some columns of dw, or some rows where these are more. */
static void dense_backward_weights(const tg_exec *ex, const tg_node *node, size_t part, size_t parts) {
    size_t inputs = node->inputs[0]->shape.dim[0], units = node->shape.dim[0];
    const tg_param *w = &node->params[0], *b = node->param_count > 1 ? &node->params[1] : NULL;
    const tg_real *dy = tg_dy(ex, node);
    const tg_real *x = tg_x(ex, node, 0);
    tg_gemm all = {.m = units,
                   .n = inputs,
                   .k = ex->n,
                   .a = {dy, 1, units},
                   .b = {x, inputs, 1},
                   .c = w->gradient,
                   .ldc = inputs,
                   .zeros = TG_ZEROS_IN_A | TG_ZEROS_IN_B};
    /* What is infinite or no number ends the run, but not where it is left out. Data are finite, and what nobody changes is
     * taken to be; that dy is, its bias says. */
    bool given = !node->inputs[0]->needs_gradient;
    if (!tg_gemm_lists_a(&all) || !(given || ex->kernels->all_finite(ex->n * inputs, x)))
        all.zeros &= ~(unsigned)TG_ZEROS_IN_A;
    if (!b && !ex->kernels->all_finite(ex->n * units, dy)) all.zeros &= ~(unsigned)TG_ZEROS_IN_B;
    size_t size = units > inputs ? units : inputs, step = ex->kernels->gemm_cols;
    size_t steps = (size + step - 1) / step, first = steps * part / parts * step;
    size_t end = part + 1 == parts ? size : steps * (part + 1) / parts * step;
    tg_gemm some =
        units > inputs ? tg_gemm_rows(&all, first, end - first) : tg_gemm_columns(&all, first, end - first);
    tg_gemm_serial(ex->kernels, &some, ex->scratch);
    if (part == 0 && b) ex->kernels->sum_rows(ex->n, units, dy, b->gradient);
}

const tg_op tg_op_dense = {
    .name = "dense",
    .attrs = attrs,
    .attr_count = sizeof attrs / sizeof *attrs,
    .attrs_bytes = sizeof(dense_attrs),
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = dense_infer,
    .scratch = dense_scratch,
    .prepared_size = dense_prepared_size,
    .prepare_items = dense_prepare_items,
    .prepare = dense_prepare,
    .forward = dense_forward,
    .backward = dense_backward,
    .backward_weights = dense_backward_weights,
    .flags = TG_OP_BACKWARD_USES_X | TG_OP_SETS_GRADIENT | TG_OP_SETS_WEIGHT_GRADIENT | TG_OP_BY_SAMPLE,
};
