/* Ops that only say the same values in another shape. Where those lie in its order they cost nothing, in place; else they
 * are moved: a picture's channels apart, and together again. */
#include <math.h>
#include <string.h>

#include "ops/layout.h"

typedef struct reshape_attrs {
    tg_sizes shape; /* of one sample */
} reshape_attrs;

static const tg_attr reshape_rows[] = {
    {"shape", TG_ATTR_SIZES, offsetof(reshape_attrs, shape), .flags = TG_ATTR_REQUIRED, .min = 1,
     .max = 1 << 24, .fallback = NAN},
};

static tg_status flatten_infer(tg_node *node, tg_error *err) {
    (void)err;
    node->shape = (tg_shape){1, {tg_shape_size(&node->inputs[0]->shape)}};
    return TG_OK;
}

static tg_status reshape_infer(tg_node *node, tg_error *err) {
    const reshape_attrs *a = node->attrs;
    const tg_shape *x = &node->inputs[0]->shape;
    node->shape.rank = a->shape.count;
    for (size_t i = 0; i < a->shape.count; i++) node->shape.dim[i] = (size_t)a->shape.value[i];
    char from[96], to[96];
    TG_REQUIRE(err, tg_shape_size(&node->shape) == tg_shape_size(x), TG_E_SHAPE,
               "cannot turn %s into %s: other number of values", tg_shape_text(x, from),
               tg_shape_text(&node->shape, to));
    return TG_OK;
}

/* y = x in the order of their shapes, or y += x. */
static void move(const tg_exec *ex, const tg_node *from, const tg_real *x, const tg_node *to, tg_real *y,
                 bool add) {
    size_t size = tg_shape_size(&to->shape), total = ex->n * size;
    size_t from_channels = from->shape.dim[0], to_channels = to->shape.dim[0];
    if (tg_in_order(from) && tg_in_order(to)) {
        if (add) ex->kernels->add(total, x, y);
        else memcpy(y, x, total * sizeof *y);
    } else if (tg_in_order(to)) {
        tg_transpose(ex->pool, ex->n, size / from_channels, from_channels, x, y, add);
    } else if (tg_in_order(from)) {
        tg_transpose(ex->pool, ex->n, to_channels, size / to_channels, x, y, add);
    } else {
        for (size_t i = 0; i < ex->n; i++, x += size, y += size)
            for (size_t j = 0; j < size; j++) {
                tg_real *place = y + tg_place(to, j);
                *place = (add ? *place : 0) + x[tg_place(from, j)];
            }
    }
}

static void shape_forward(const tg_exec *ex, const tg_node *node) {
    const tg_real *x = tg_x(ex, node, 0);
    tg_real *y = tg_y(ex, node);
    if (y != x) move(ex, node->inputs[0], x, node, y, false);
}

static void shape_backward(const tg_exec *ex, const tg_node *node) {
    tg_real *dx = tg_dx(ex, node, 0);
    if (dx && dx != tg_dy(ex, node))
        move(ex, node, tg_dy(ex, node), node->inputs[0], dx, !tg_sets_dx(ex, node));
}

const tg_op tg_op_flatten = {
    .name = "flatten",
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = flatten_infer,
    .forward = shape_forward,
    .backward = shape_backward,
    .flags = TG_OP_INPLACE | TG_OP_SAME_VALUES | TG_OP_SETS_GRADIENT | TG_OP_BY_SAMPLE,
};

const tg_op tg_op_reshape = {
    .name = "reshape",
    .attrs = reshape_rows,
    .attr_count = sizeof reshape_rows / sizeof *reshape_rows,
    .attrs_bytes = sizeof(reshape_attrs),
    .min_inputs = 1,
    .max_inputs = 1,
    .infer = reshape_infer,
    .forward = shape_forward,
    .backward = shape_backward,
    .flags = TG_OP_INPLACE | TG_OP_SAME_VALUES | TG_OP_SETS_GRADIENT | TG_OP_BY_SAMPLE,
};
