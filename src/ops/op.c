#include "ops/op.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"

static const tg_op *const table[] = {
    &tg_op_dense,   &tg_op_conv2d,     &tg_op_max_pool2d, &tg_op_avg_pool2d, &tg_op_global_avg_pool2d,
    &tg_op_relu,    &tg_op_leaky_relu, &tg_op_sigmoid,    &tg_op_tanh,       &tg_op_softmax,
    &tg_op_flatten, &tg_op_reshape,    &tg_op_add,        &tg_op_concat,     &tg_op_batch_norm,
    &tg_op_dropout,
};

const tg_op *tg_op_at(size_t index) {
    return index < sizeof table / sizeof *table ? table[index] : NULL;
}

const tg_op *tg_op_find(const char *name) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, name) == 0) return table[i];
    return NULL;
}

size_t tg_shape_size(const tg_shape *shape) {
    size_t size = 1;
    for (size_t i = 0; i < shape->rank; i++)
        if (!tg_mul_size(size, shape->dim[i], &size)) return SIZE_MAX;
    return size;
}

bool tg_shape_equal(const tg_shape *a, const tg_shape *b) {
    if (a->rank != b->rank) return false;
    for (size_t i = 0; i < a->rank; i++)
        if (a->dim[i] != b->dim[i]) return false;
    return true;
}

const char *tg_shape_text(const tg_shape *shape, char text[96]) {
    size_t used = 0;
    text[0] = 0;
    for (size_t i = 0; i < shape->rank && used < 96; i++)
        used += (size_t)snprintf(text + used, 96 - used, i ? "x%zu" : "%zu", shape->dim[i]);
    return text;
}

tg_param *tg_node_add_param(tg_node *node, const char *suffix, const tg_shape *shape, size_t fan_in,
                            size_t fan_out) {
    tg_param *param = &node->params[node->param_count++];
    *param = (tg_param){.shape = *shape,
                        .size = tg_shape_size(shape),
                        .fan_in = fan_in,
                        .fan_out = fan_out,
                        .is_weight = strcmp(suffix, "weight") == 0,
                        .trainable = node->trainable,
                        .learning_rate_factor = node->learning_rate_factor};
    snprintf(param->name, sizeof param->name, "%s.%s", node->name, suffix);
    return param;
}

tg_param *tg_node_add_buffer(tg_node *node, const char *suffix, const tg_shape *shape, tg_real initial) {
    tg_param *buffer = tg_node_add_param(node, suffix, shape, 1, 1);
    buffer->is_buffer = true;
    buffer->trainable = false;
    buffer->initial = initial;
    return buffer;
}
