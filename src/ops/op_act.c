/* Activations: elementwise, in place where the planner finds nobody else looking. */
#include "ops/op.h"

static size_t total(const tg_exec *ex, const tg_node *node) {
    return ex->n * tg_shape_size(&node->shape);
}

static tg_status same_shape(tg_node *node, tg_error *err) {
    (void)err;
    node->shape = node->inputs[0]->shape;
    return TG_OK;
}

static void relu_forward(const tg_exec *ex, const tg_node *node) {
    ex->kernels->relu(total(ex, node), tg_x(ex, node, 0), tg_y(ex, node));
}
static void relu_backward(const tg_exec *ex, const tg_node *node) {
    tg_real *dx = tg_dx(ex, node, 0);
    if (dx) ex->kernels->relu_backward(total(ex, node), tg_y(ex, node), tg_dy(ex, node), dx);
}

typedef struct leaky_relu_attrs {
    double slope;
} leaky_relu_attrs;

static const tg_attr leaky_rows[] = {
    {"slope", TG_ATTR_REAL, offsetof(leaky_relu_attrs, slope), .min = 0, .max = 1, .fallback = 0.01},
};

static void leaky_relu_forward(const tg_exec *ex, const tg_node *node) {
    const leaky_relu_attrs *a = node->attrs;
    ex->kernels->leaky_relu(total(ex, node), (tg_real)a->slope, tg_x(ex, node, 0), tg_y(ex, node));
}
static void leaky_relu_backward(const tg_exec *ex, const tg_node *node) {
    const leaky_relu_attrs *a = node->attrs;
    tg_real *dx = tg_dx(ex, node, 0);
    if (dx)
        ex->kernels->leaky_relu_backward(total(ex, node), (tg_real)a->slope, tg_y(ex, node), tg_dy(ex, node),
                                         dx);
}

static void sigmoid_forward(const tg_exec *ex, const tg_node *node) {
    ex->kernels->sigmoid(total(ex, node), tg_x(ex, node, 0), tg_y(ex, node));
}
static void sigmoid_backward(const tg_exec *ex, const tg_node *node) {
    tg_real *dx = tg_dx(ex, node, 0);
    if (dx) ex->kernels->sigmoid_backward(total(ex, node), tg_y(ex, node), tg_dy(ex, node), dx);
}

static void tanh_forward(const tg_exec *ex, const tg_node *node) {
    ex->kernels->tanh(total(ex, node), tg_x(ex, node, 0), tg_y(ex, node));
}
static void tanh_backward(const tg_exec *ex, const tg_node *node) {
    tg_real *dx = tg_dx(ex, node, 0);
    if (dx) ex->kernels->tanh_backward(total(ex, node), tg_y(ex, node), tg_dy(ex, node), dx);
}

/* ---- softmax ------------------------------------------------------------------------------------------------------ */

static tg_status softmax_infer(tg_node *node, tg_error *err) {
    char text[96];
    const tg_shape *x = &node->inputs[0]->shape;
    TG_REQUIRE(err, x->rank == 1, TG_E_SHAPE, "takes flat input, not %s; put a flatten before it",
               tg_shape_text(x, text));
    return same_shape(node, err);
}

void tg_softmax_rows(const tg_kernels *kernels, size_t n, size_t size, const tg_real *x, tg_real *y) {
    for (size_t i = 0; i < n; i++, x += size, y += size) {
        tg_real most = kernels->max(size, x, x[0]);
        for (size_t j = 0; j < size; j++) y[j] = x[j] - most;
        kernels->exp(size, y, y);
        kernels->scale(size, 1 / kernels->sum(size, y), y);
    }
}

static void softmax_forward(const tg_exec *ex, const tg_node *node) {
    tg_softmax_rows(ex->kernels, ex->n, node->shape.dim[0], tg_x(ex, node, 0), tg_y(ex, node));
}

/* dx_j = y_j (dy_j - sum_k dy_k y_k), row by row. */
static void softmax_backward(const tg_exec *ex, const tg_node *node) {
    size_t size = node->shape.dim[0];
    const tg_real *y = tg_y(ex, node), *dy = tg_dy(ex, node);
    tg_real *dx = tg_dx(ex, node, 0);
    if (!dx) return;
    for (size_t i = 0; i < ex->n; i++, y += size, dy += size, dx += size) {
        tg_real dot = 0;
        for (size_t j = 0; j < size; j++) dot += dy[j] * y[j];
        for (size_t j = 0; j < size; j++) dx[j] = (dx == dy ? 0 : dx[j]) + y[j] * (dy[j] - dot);
    }
}

#define ACTIVATION(op, row_list, rows, bytes, infer_function, more_flags)                                    \
    const tg_op tg_op_##op = {.name = #op,                                                                   \
                              .attrs = row_list,                                                             \
                              .attr_count = rows,                                                            \
                              .attrs_bytes = bytes,                                                          \
                              .min_inputs = 1,                                                               \
                              .max_inputs = 1,                                                               \
                              .infer = infer_function,                                                       \
                              .forward = op##_forward,                                                       \
                              .backward = op##_backward,                                                     \
                              .flags =                                                                       \
                                  TG_OP_INPLACE | TG_OP_BACKWARD_USES_Y | TG_OP_BY_SAMPLE | (more_flags)}

ACTIVATION(relu, NULL, 0, 0, same_shape, TG_OP_KINK_AT_ZERO);
ACTIVATION(leaky_relu, leaky_rows, 1, sizeof(leaky_relu_attrs), same_shape, TG_OP_KINK_AT_ZERO);
ACTIVATION(sigmoid, NULL, 0, 0, same_shape, 0);
ACTIVATION(tanh, NULL, 0, 0, same_shape, 0);
ACTIVATION(softmax, NULL, 0, 0, softmax_infer, 0);
