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

/* y[N,O] = b[O] + x[N,I] w[O,I]^T: the sums start from the bias. */
static void dense_forward(const tg_exec *ex, const tg_node *node) {
    size_t n = ex->n, inputs = node->inputs[0]->shape.dim[0], units = node->shape.dim[0];
    const tg_param *w = &node->params[0], *b = node->param_count > 1 ? &node->params[1] : NULL;
    tg_gemm gemm = {.m = n,
                    .n = units,
                    .k = inputs,
                    .a = {tg_x(ex, node, 0), inputs, 1},
                    .b = {w->data, 1, inputs},
                    .c = tg_y(ex, node),
                    .ldc = units,
                    .bias = b ? b->data : NULL};
    tg_gemm_parallel(ex->kernels, ex->pool, &gemm, ex->scratch);
}

/* dw[O,I] = dy^T[O,N] x[N,I];  db[O] += column sums of dy;  dx[N,I] += dy[N,O] w[O,I]. */
static void dense_backward(const tg_exec *ex, const tg_node *node) {
    size_t n = ex->n, inputs = node->inputs[0]->shape.dim[0], units = node->shape.dim[0];
    const tg_param *w = &node->params[0], *b = node->param_count > 1 ? &node->params[1] : NULL;
    const tg_real *dy = tg_dy(ex, node);
    tg_real *dx = tg_dx(ex, node, 0);
    if (w->gradient) {
        tg_gemm gemm = {.m = units,
                        .n = inputs,
                        .k = n,
                        .a = {dy, 1, units},
                        .b = {tg_x(ex, node, 0), inputs, 1},
                        .c = w->gradient,
                        .ldc = inputs};
        tg_gemm_parallel(ex->kernels, ex->pool, &gemm, ex->scratch);
    }
    if (b && b->gradient) ex->kernels->sum_rows(n, units, dy, b->gradient);
    if (dx) {
        tg_gemm gemm = {.m = n,
                        .n = inputs,
                        .k = units,
                        .a = {dy, units, 1},
                        .b = {w->data, inputs, 1},
                        .c = dx,
                        .ldc = inputs,
                        .accumulate = !tg_sets_dx(ex, node)};
        tg_gemm_parallel(ex->kernels, ex->pool, &gemm, ex->scratch);
    }
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
    .forward = dense_forward,
    .backward = dense_backward,
    .flags = TG_OP_BACKWARD_USES_X | TG_OP_SETS_GRADIENT | TG_OP_SETS_WEIGHT_GRADIENT,
};
