/* Layers that begin with the weights of a checkpoint: any .safetensors file whose tensors have PyTorch's names and
 * layouts, one of tabgrad's or not. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256.h"
#include "io/safetensors.h"
#include "train/run.h"

typedef struct giver {
    const tg_safetensors *tensors;
    const char *name;
    char sha256[65];
} giver;

static bool waits_for(const tg_node *node, const char *name) {
    const tg_source *source = &node->source;
    return source->checkpoint && !source->taken && strcmp(source->checkpoint, name) == 0;
}

/* The value at `index` of a tensor that holds F32 or F64. */
static tg_real value_at(const tg_tensor *tensor, size_t index) {
    if (tensor->type == TG_TENSOR_F64) {
        double value;
        memcpy(&value, tensor->data + index * sizeof value, sizeof value);
        return (tg_real)value;
    }
    float value;
    memcpy(&value, tensor->data + index * sizeof value, sizeof value);
    return (tg_real)value;
}

/* The tensor that parameter p of the node is to begin as: "<layer there>.weight". */
static tg_status find(const giver *from, const tg_node *node, const tg_param *p, const tg_tensor **out,
                      tg_error *err) {
    char name[sizeof p->name + 256], has[96], wants[96];
    snprintf(name, sizeof name, "%.255s%s", node->source.layer, p->name + strlen(node->name));
    const tg_tensor *t = *out = tg_safetensors_find(from->tensors, name);
    TG_REQUIRE(err, t, TG_E_FORMAT, "%s has no tensor %.200s", from->name, name);
    TG_REQUIRE(err, t->type == TG_TENSOR_F32 || t->type == TG_TENSOR_F64, TG_E_FORMAT,
               "%.200s in %s holds %s; only F32 and F64 can be taken", name, from->name, t->dtype);
    tg_shape is = {.rank = t->rank < TG_MAX_RANK ? t->rank : TG_MAX_RANK};
    memcpy(is.dim, t->shape, is.rank * sizeof *is.dim);
    TG_REQUIRE(err, t->rank <= TG_MAX_RANK && tg_shape_equal(&is, &p->shape), TG_E_SHAPE,
               "%.120s in %.60s is %s but the layer takes %s", name, from->name, tg_shape_text(&is, has),
               tg_shape_text(&p->shape, wants));
    for (size_t i = 0; i < t->size; i++)
        TG_REQUIRE(err, isfinite(value_at(t, i)), TG_E_FORMAT,
                   "%.200s in %s holds a value that is not finite, at %zu", name, from->name, i);
    return TG_OK;
}

static tg_status check_node(const giver *from, const tg_node *node, tg_error *err) {
    const tg_tensor *tensor;
    const char *wanted = node->source.sha256;
    TG_REQUIRE(err, !wanted[0] || strcmp(wanted, from->sha256) == 0, TG_E_FORMAT,
               "%s is not the file meant: its sha256 is %s", from->name, from->sha256);
    for (size_t i = 0; i < node->param_count; i++) TG_TRY(find(from, node, &node->params[i], &tensor, err));
    return TG_OK;
}

static void take_node(const giver *from, tg_node *node) {
    for (size_t i = 0; i < node->param_count; i++) {
        const tg_tensor *tensor;
        find(from, node, &node->params[i], &tensor, NULL); /* checked before */
        for (size_t j = 0; j < tensor->size; j++) node->params[i].data[j] = value_at(tensor, j);
    }
    memcpy(node->source.sha256, from->sha256, sizeof from->sha256);
    node->source.taken = true;
}

static tg_status at_layer(const tg_run *run, const tg_node *node, tg_status status, tg_error *err) {
    size_t index = 0;
    for (const tg_value *v = tg_value_get(run->recipe.model, "layers")->first; v != node->recipe; v = v->next)
        index++;
    tg_fail_at(err, status, "weights");
    return tg_fail_at(err, status, "model.layers[%zu] %s", index, node->op->name);
}

/* All layers are checked before the first is changed. */
static tg_status take_all(tg_run *run, const giver *from, tg_error *err) {
    size_t takers = 0;
    for (size_t i = 1; i < run->graph->count; i++) {
        const tg_node *node = &run->graph->nodes[i];
        if (!waits_for(node, from->name)) continue;
        tg_status status = check_node(from, node, err);
        if (status != TG_OK) return at_layer(run, node, status, err);
        takers++;
    }
    TG_REQUIRE(err, takers, TG_E_ARGUMENT, "no layer waits for the weights in %.200s", from->name);
    for (size_t i = 1; i < run->graph->count; i++)
        if (waits_for(&run->graph->nodes[i], from->name)) take_node(from, &run->graph->nodes[i]);
    tg_graph_changed(run->graph);
    return TG_OK;
}

tg_status tg_run_take_weights(tg_run *run, tg_bytes file, tg_error *err) {
    tg_safetensors *tensors;
    TG_TRY(tg_safetensors_open(file, &tensors, err));
    giver from = {.tensors = tensors, .name = file.name};
    tg_sha256 hash;
    tg_sha256_begin(&hash);
    tg_sha256_update(&hash, file.data, file.size);
    tg_sha256_end(&hash, from.sha256);
    tg_status status = take_all(run, &from, err);
    tg_safetensors_close(tensors);
    return status;
}
