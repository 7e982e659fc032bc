/* Ops that bring several branches together. */
#include <string.h>

#include "ops/layout.h"

enum { MOST_INPUTS = 64 };

/* ---- add ---------------------------------------------------------------------------------------------------------- */

static tg_status add_infer(tg_node *node, tg_error *err) {
    const tg_node *first = node->inputs[0];
    char a[96], b[96];
    for (size_t i = 1; i < node->input_count; i++)
        TG_REQUIRE(err, tg_shape_equal(&first->shape, &node->inputs[i]->shape), TG_E_SHAPE,
                   "cannot add %s (%s) and %s (%s): shapes differ", first->name,
                   tg_shape_text(&first->shape, a), node->inputs[i]->name,
                   tg_shape_text(&node->inputs[i]->shape, b));
    node->shape = first->shape;
    return TG_OK;
}

static void add_forward(const tg_exec *ex, const tg_node *node) {
    size_t total = ex->n * tg_shape_size(&node->shape);
    memcpy(tg_y(ex, node), tg_x(ex, node, 0), total * sizeof(tg_real));
    for (size_t i = 1; i < node->input_count; i++) ex->kernels->add(total, tg_x(ex, node, i), tg_y(ex, node));
}

static void add_backward(const tg_exec *ex, const tg_node *node) {
    size_t total = ex->n * tg_shape_size(&node->shape);
    for (size_t i = 0; i < node->input_count; i++)
        if (tg_dx(ex, node, i)) ex->kernels->add(total, tg_dy(ex, node), tg_dx(ex, node, i));
}

/* ---- concat ------------------------------------------------------------------------------------------------------- */

typedef struct concat_attrs {
    uint64_t axis; /* counts the batch as axis 0, as in PyTorch: 1 is channels or features */
} concat_attrs;

static const tg_attr concat_rows[] = {
    {"axis", TG_ATTR_INT, offsetof(concat_attrs, axis), .min = 1, .max = TG_MAX_RANK, .fallback = 1},
};

static tg_status concat_infer(tg_node *node, tg_error *err) {
    size_t axis = (size_t)((const concat_attrs *)node->attrs)->axis - 1;
    const tg_node *first = node->inputs[0];
    char a[96], b[96];
    TG_REQUIRE(err, axis < first->shape.rank, TG_E_SHAPE,
               "axis %zu does not exist in %s (%s), whose axis 0 is the batch", axis + 1, first->name,
               tg_shape_text(&first->shape, a));
    node->shape = first->shape;
    for (size_t i = 1; i < node->input_count; i++) {
        tg_shape other = node->inputs[i]->shape;
        size_t dim = other.rank == first->shape.rank ? other.dim[axis] : 0;
        other.dim[axis] = first->shape.dim[axis];
        TG_REQUIRE(err, tg_shape_equal(&first->shape, &other), TG_E_SHAPE,
                   "cannot join %s (%s) and %s (%s): they differ beside axis %zu", first->name,
                   tg_shape_text(&first->shape, a), node->inputs[i]->name,
                   tg_shape_text(&node->inputs[i]->shape, b), axis + 1);
        node->shape.dim[axis] += dim;
    }
    return TG_OK;
}

/* Every input is `outer` blocks of consecutive values, batch included; calls visit once a block. */
static void concat_blocks(const tg_exec *ex, const tg_node *node,
                          void (*visit)(const tg_exec *ex, const tg_node *node, size_t input, size_t from,
                                        size_t to, size_t count)) {
    size_t axis = (size_t)((const concat_attrs *)node->attrs)->axis - 1;
    size_t outer = ex->n, inner = 1;
    tg_shape lying = node->shape;
    size_t lies = axis; /* where the axis lies */
    if (node->shape.rank == 3) {
        lying = (tg_shape){3, {node->shape.dim[1], node->shape.dim[2], node->shape.dim[0]}};
        lies = (axis + 2) % 3;
    }
    for (size_t i = 0; i < lies; i++) outer *= lying.dim[i];
    for (size_t i = lies + 1; i < lying.rank; i++) inner *= lying.dim[i];
    for (size_t o = 0, to = 0; o < outer; o++) {
        for (size_t i = 0; i < node->input_count; i++) {
            size_t count = node->inputs[i]->shape.dim[axis] * inner;
            visit(ex, node, i, o * count, to, count);
            to += count;
        }
    }
}

static void copy_block(const tg_exec *ex, const tg_node *node, size_t i, size_t from, size_t to,
                       size_t count) {
    memcpy(tg_y(ex, node) + to, tg_x(ex, node, i) + from, count * sizeof(tg_real));
}

static void add_block(const tg_exec *ex, const tg_node *node, size_t i, size_t from, size_t to,
                      size_t count) {
    if (tg_dx(ex, node, i)) ex->kernels->add(count, tg_dy(ex, node) + to, tg_dx(ex, node, i) + from);
}

static void concat_forward(const tg_exec *ex, const tg_node *node) {
    concat_blocks(ex, node, copy_block);
}

static void concat_backward(const tg_exec *ex, const tg_node *node) {
    concat_blocks(ex, node, add_block);
}

const tg_op tg_op_add = {
    .name = "add",
    .min_inputs = 2,
    .max_inputs = MOST_INPUTS,
    .infer = add_infer,
    .forward = add_forward,
    .backward = add_backward,
    .flags = TG_OP_BY_SAMPLE,
};

const tg_op tg_op_concat = {
    .name = "concat",
    .attrs = concat_rows,
    .attr_count = sizeof concat_rows / sizeof *concat_rows,
    .attrs_bytes = sizeof(concat_attrs),
    .min_inputs = 2,
    .max_inputs = MOST_INPUTS,
    .infer = concat_infer,
    .forward = concat_forward,
    .backward = concat_backward,
    .flags = TG_OP_BY_SAMPLE,
};
