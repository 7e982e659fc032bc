/* Where the samples come in, gathered by whoever runs the graph; and the parts of them that named inputs stand for. */
#include <string.h>

#include "ops/op.h"

/* The gather step writes y before the first node runs. */
static void nothing(const tg_exec *ex, const tg_node *node) {
    (void)ex;
    (void)node;
}

const tg_op tg_op_input = {
    .name = "input", .forward = nothing, .backward = nothing, .flags = TG_OP_BY_SAMPLE};

static void part_forward(const tg_exec *ex, const tg_node *node) {
    size_t size = tg_shape_size(&node->shape), whole = tg_shape_size(&node->inputs[0]->shape);
    const tg_real *x = tg_x(ex, node, 0) + ((const tg_part *)node->attrs)->offset;
    tg_real *y = tg_y(ex, node);
    for (size_t i = 0; i < ex->n; i++) memcpy(y + i * size, x + i * whole, size * sizeof *y);
}

/* Not in the table of ops: recipes ask for it by "inputs". The samples take no gradient. */
const tg_op tg_op_part = {.name = "input",
                          .attrs_bytes = sizeof(tg_part),
                          .forward = part_forward,
                          .backward = nothing,
                          .flags = TG_OP_BY_SAMPLE};
