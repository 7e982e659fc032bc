/* From the recipe's layers to sorted, shape-checked nodes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "graph/graph_ends.h"

enum { MOST_LAYERS = 4096 };

typedef struct model_attrs {
    tg_sizes input;
    const tg_value *inputs, *outputs, *layers;
} model_attrs;

static const tg_attr model_rows[] = {
    {"input", TG_ATTR_SIZES, offsetof(model_attrs, input), .min = 1, .max = 1 << 20, .fallback = NAN},
    {"inputs", TG_ATTR_TREE, offsetof(model_attrs, inputs), .flags = 0},
    {"outputs", TG_ATTR_TREE, offsetof(model_attrs, outputs), .flags = 0},
    {"layers", TG_ATTR_TREE, offsetof(model_attrs, layers), .flags = TG_ATTR_REQUIRED},
};

/* What any layer takes beside its op's own attributes. */
typedef struct layer_attrs {
    const char *type, *name;
    const tg_value *inputs, *initializer, *weights;
    bool trainable;
    double learning_rate_factor;
} layer_attrs;

#define COMMON_KEYS "type|name|inputs|initializer|weights|trainable|learning_rate_factor"
static const tg_attr layer_rows[] = {
    {"type", TG_ATTR_NAME, offsetof(layer_attrs, type), .flags = TG_ATTR_REQUIRED},
    {"name", TG_ATTR_NAME, offsetof(layer_attrs, name), .flags = 0},
    {"inputs", TG_ATTR_TREE, offsetof(layer_attrs, inputs), .flags = 0},
    {"initializer", TG_ATTR_TREE, offsetof(layer_attrs, initializer), .flags = 0},
    {"weights", TG_ATTR_TREE, offsetof(layer_attrs, weights), .flags = 0},
    {"trainable", TG_ATTR_FLAG, offsetof(layer_attrs, trainable), .fallback = 1},
    {"learning_rate_factor", TG_ATTR_REAL, offsetof(layer_attrs, learning_rate_factor), .min = 0, .max = 1e6,
     .fallback = 1},
};
enum { LAYER_ROWS = sizeof layer_rows / sizeof *layer_rows };

/* A layer on its way to becoming a node. */
typedef struct draft {
    const tg_value *value;
    layer_attrs common;
    const tg_op *op;
    char name[64];
    size_t inputs_at, input_count; /* in `sources` */
    bool placed;
} draft;

typedef struct builder {
    draft *drafts;
    size_t count;
    size_t *
        sources; /* for every input of every layer: below `first` a node that was there before, then layers */
    size_t source_count;
    tg_graph *graph;
    size_t first;    /* nodes that were there before: the input and its parts */
    size_t *node_of; /* [first + count] of each source */
} builder;

static tg_status at_layer(tg_error *err, tg_status status, size_t index, const char *type) {
    return tg_fail_at(err, status, type ? "model.layers[%zu] %.40s" : "model.layers[%zu]", index, type);
}

static const char *op_name(size_t index) {
    const tg_op *op = tg_op_at(index);
    return op ? op->name : NULL;
}

tg_status tg_name_check(const char *name, tg_error *err) {
    size_t length = strlen(name);
    TG_REQUIRE(err, length >= 1 && length < 48, TG_E_RECIPE, "name must have 1 to 47 characters");
    for (const char *c = name; *c; c++)
        TG_REQUIRE(err,
                   (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
                       *c == '_' || *c == '-',
                   TG_E_RECIPE, "name \"%s\" may hold letters, digits, _ and - only", name);
    TG_REQUIRE(err,
               strcmp(name, "input") != 0 && strcmp(name, "optimizer") != 0 && strcmp(name, "state") != 0,
               TG_E_RECIPE, "name \"%s\" is taken", name);
    return TG_OK;
}

static tg_status read_layer(builder *b, size_t index, const tg_value *value, tg_error *err) {
    draft *d = &b->drafts[index];
    d->value = value;
    TG_REQUIRE(err, value->kind == TG_OBJECT, TG_E_RECIPE, "a layer is an object with a type");
    /* The op's own keys are checked with its own table; here only the common ones are read. */
    const tg_value *type = tg_value_get(value, "type");
    TG_REQUIRE(err, type, TG_E_RECIPE, "type is missing");
    TG_REQUIRE(err, type->kind == TG_STRING, TG_E_RECIPE, "type must be a text");
    d->op = tg_op_find(type->string);
    if (!d->op) return tg_attrs_unknown_type(type->string, op_name, err);
    char also[512];
    size_t used = 0;
    for (size_t i = 0; i < d->op->attr_count; i++)
        used += (size_t)snprintf(also + used, sizeof also - used, i ? "|%s" : "%s", d->op->attrs[i].name);
    TG_TRY(tg_attrs_read(value, layer_rows, LAYER_ROWS, used ? also : NULL, &d->common, err));
    if (d->common.name) TG_TRY(tg_name_check(d->common.name, err));
    if (d->common.initializer) {
        tg_status status = tg_initializer_check(d->common.initializer, err);
        if (status != TG_OK) return tg_fail_at(err, status, "initializer");
    }
    size_t nth = 1;
    for (size_t i = 0; i < index; i++) nth += b->drafts[i].op == d->op;
    if (d->common.name) snprintf(d->name, sizeof d->name, "%s", d->common.name);
    else snprintf(d->name, sizeof d->name, "%s%zu", d->op->name, nth);
    return TG_OK;
}

static tg_status find_source(const builder *b, const tg_value *name, size_t *out, tg_error *err) {
    TG_REQUIRE(err, name->kind == TG_STRING, TG_E_RECIPE, "inputs must name layers");
    for (size_t i = b->graph->part_count ? 1 : 0; i < b->first; i++) {
        if (strcmp(b->graph->nodes[i].name, name->string) != 0) continue;
        *out = i;
        return TG_OK;
    }
    for (size_t i = 0; i < b->count; i++) {
        if (strcmp(b->drafts[i].name, name->string) != 0) continue;
        *out = b->first + i;
        return TG_OK;
    }
    return tg_fail(err, TG_E_RECIPE, "no layer is named \"%.40s\"", name->string);
}

static tg_status read_inputs(builder *b, size_t index, tg_error *err) {
    draft *d = &b->drafts[index];
    d->inputs_at = b->source_count;
    const tg_value *inputs = d->common.inputs;
    if (!inputs) {
        TG_REQUIRE(err, index || !b->graph->part_count, TG_E_RECIPE,
                   "is the first layer of a model with several inputs; name those it takes in \"inputs\"");
        b->sources[b->source_count++] = index ? b->first + index - 1 : 0; /* the layer before, or the input */
    } else if (inputs->kind == TG_STRING) {
        TG_TRY(find_source(b, inputs, &b->sources[b->source_count++], err));
    } else {
        TG_REQUIRE(err, inputs->kind == TG_LIST && inputs->count >= 1, TG_E_RECIPE,
                   "inputs must name layers");
        for (const tg_value *v = inputs->first; v; v = v->next)
            TG_TRY(find_source(b, v, &b->sources[b->source_count++], err));
    }
    d->input_count = b->source_count - d->inputs_at;
    TG_REQUIRE(err, d->input_count >= d->op->min_inputs, TG_E_RECIPE,
               "needs at least %zu inputs, has %zu; name them in \"inputs\"", d->op->min_inputs,
               d->input_count);
    TG_REQUIRE(err, d->input_count <= d->op->max_inputs, TG_E_RECIPE, "takes at most %zu inputs, has %zu",
               d->op->max_inputs, d->input_count);
    return TG_OK;
}

static tg_status place(builder *b, size_t index, tg_error *err) {
    draft *d = &b->drafts[index];
    tg_graph *graph = b->graph;
    tg_node *node = &graph->nodes[graph->count];
    node->index = graph->count;
    node->op = d->op;
    memcpy(node->name, d->name, sizeof node->name);
    node->inputs = graph->inputs_block + graph->part_count + d->inputs_at;
    node->input_count = d->input_count;
    for (size_t i = 0; i < d->input_count; i++)
        node->inputs[i] = &graph->nodes[b->node_of[b->sources[d->inputs_at + i]]];
    node->trainable = d->common.trainable;
    node->learning_rate_factor = d->common.learning_rate_factor;
    node->recipe = d->value;
    node->initializer = d->common.initializer;
    node->attrs = tg_allocate_zeroed(d->op->attrs_bytes);
    TG_REQUIRE(err, node->attrs, TG_E_MEMORY, "no memory left for the model");
    graph->count++; /* from here on destroy knows it */
    b->node_of[b->first + index] = node->index;
    d->placed = true;
    TG_TRY(tg_attrs_read(d->value, d->op->attrs, d->op->attr_count, COMMON_KEYS, node->attrs, err));
    TG_TRY(d->op->infer(node, err));
    TG_TRY(tg_source_read(d->common.weights, node, err));
    size_t bytes;
    TG_REQUIRE(err, tg_mul_size(tg_shape_size(&node->shape), sizeof(tg_real), &bytes), TG_E_MEMORY,
               "the output is too large for this machine");
    for (size_t i = 0; i < node->param_count; i++) {
        const tg_param *p = &node->params[i];
        TG_REQUIRE(err, tg_mul_size(p->size, sizeof(tg_real), &bytes), TG_E_MEMORY,
                   "%s is too large for this machine", p->name);
        node->needs_gradient |= p->trainable;
    }
    for (size_t i = 0; i < node->input_count; i++) node->needs_gradient |= node->inputs[i]->needs_gradient;
    return TG_OK;
}

/* Kahn's algorithm, always taking the first layer in the recipe's order whose inputs are there. */
static tg_status sort_and_place(builder *b, tg_error *err) {
    for (size_t done = 0; done < b->count; done++) {
        size_t next = 0;
        for (; next < b->count; next++) {
            draft *d = &b->drafts[next];
            bool ready = !d->placed;
            for (size_t i = 0; ready && i < d->input_count; i++) {
                size_t source = b->sources[d->inputs_at + i];
                ready = source < b->first || b->drafts[source - b->first].placed;
            }
            if (ready) break;
        }
        if (next == b->count) {
            size_t stuck = 0;
            while (b->drafts[stuck].placed) stuck++;
            tg_fail(err, TG_E_RECIPE, "its inputs go round in a circle");
            return at_layer(err, TG_E_RECIPE, stuck, b->drafts[stuck].op->name);
        }
        tg_status status = place(b, next, err);
        if (status != TG_OK) return at_layer(err, status, next, b->drafts[next].op->name);
    }
    return TG_OK;
}

static tg_status read_layers(builder *b, const tg_value *layers, tg_error *err) {
    size_t index = 0;
    for (const tg_value *v = layers->first; v; v = v->next, index++) {
        tg_status status = read_layer(b, index, v, err);
        const tg_value *type = tg_value_get(v, "type");
        if (status != TG_OK)
            return at_layer(err, status, index, type && type->kind == TG_STRING ? type->string : NULL);
        const char *name = b->drafts[index].name;
        bool taken = tg_graph_find(b->graph, name) != NULL;
        for (size_t i = 0; i < index; i++) taken |= strcmp(b->drafts[i].name, name) == 0;
        if (!taken) continue;
        tg_fail(err, TG_E_RECIPE, "the name \"%s\" stands twice", name);
        return at_layer(err, TG_E_RECIPE, index, b->drafts[index].op->name);
    }
    for (index = 0; index < b->count; index++) {
        tg_status status = read_inputs(b, index, err);
        if (status != TG_OK) return at_layer(err, status, index, b->drafts[index].op->name);
    }
    return TG_OK;
}

/* The nodes that are there before any layer: the input and, where the recipe names several, its parts. */
static tg_status place_inputs(builder *b, const model_attrs *attrs, tg_error *err) {
    tg_graph *graph = b->graph;
    tg_node *node = &graph->nodes[graph->count++];
    node->op = &tg_op_input;
    snprintf(node->name, sizeof node->name, "input");
    graph->input = attrs->input;
    tg_status status = attrs->inputs
                           ? tg_inputs_place(graph, attrs->inputs, err)
                           : tg_input_shape("input", &attrs->input, graph->input_shape, &node->shape, err);
    if (status != TG_OK) return tg_fail_at(err, status, "model");
    b->first = graph->count;
    for (size_t i = 0; i < b->first; i++) b->node_of[i] = i;
    return TG_OK;
}

/* An input whose values are only wanted in the order of their shape lies so from the start. */
static bool only_flattened(const tg_graph *graph) {
    size_t flattened = 0;
    for (size_t i = 1; i < graph->count; i++)
        for (size_t j = 0; j < graph->nodes[i].input_count; j++) {
            if (graph->nodes[i].inputs[j]->index != 0) continue;
            if (!(graph->nodes[i].op->flags & TG_OP_SAME_VALUES)) return false;
            flattened++;
        }
    return flattened > 0;
}

static size_t count_sources(const tg_value *layers) {
    size_t most = 0;
    for (const tg_value *v = layers->first; v; v = v->next) {
        const tg_value *inputs = tg_value_get(v, "inputs");
        most += inputs && inputs->kind == TG_LIST && inputs->count > 1 ? inputs->count : 1;
    }
    return most;
}

static tg_status check_model(const model_attrs *attrs, tg_error *err) {
    const tg_value *layers = attrs->layers, *inputs = attrs->inputs;
    TG_REQUIRE(err, !inputs || !attrs->input.count, TG_E_RECIPE,
               "inputs is there beside \"input\"; keep one");
    TG_REQUIRE(err, inputs || attrs->input.count, TG_E_RECIPE, "input is missing");
    TG_REQUIRE(
        err, !inputs || (inputs->kind == TG_LIST && inputs->count >= 1 && inputs->count <= MOST_LAYERS),
        TG_E_RECIPE, "inputs must be a list of 1 to %d inputs, each with a name and a shape", MOST_LAYERS);
    TG_REQUIRE(err, layers->kind == TG_LIST && layers->count >= 1 && layers->count <= MOST_LAYERS,
               TG_E_RECIPE, "layers must be a list of 1 to %d layers", MOST_LAYERS);
    return TG_OK;
}

tg_status tg_graph_create(const tg_value *model, tg_graph **out, tg_error *err) {
    *out = NULL;
    model_attrs attrs;
    tg_status status =
        tg_attrs_read(model, model_rows, sizeof model_rows / sizeof *model_rows, NULL, &attrs, err);
    if (status != TG_OK) return tg_fail_at(err, status, "model");
    status = check_model(&attrs, err);
    if (status != TG_OK) return tg_fail_at(err, status, "model");

    const tg_value *layers = attrs.layers;
    size_t parts = attrs.inputs ? attrs.inputs->count : 0;
    size_t sources = count_sources(layers);
    builder b = {.count = layers->count};
    b.drafts = tg_allocate_zeroed(b.count * sizeof *b.drafts);
    b.sources = tg_allocate_zeroed(sources * sizeof *b.sources);
    b.node_of = tg_allocate_zeroed((b.count + parts + 1) * sizeof *b.node_of);
    b.graph = tg_allocate_zeroed(sizeof *b.graph);
    if (b.graph) {
        b.graph->nodes = tg_allocate_zeroed((b.count + parts + 1) * sizeof *b.graph->nodes);
        b.graph->inputs_block = tg_allocate_zeroed((sources + parts) * sizeof *b.graph->inputs_block);
    }
    if (!b.drafts || !b.sources || !b.node_of || !b.graph || !b.graph->nodes || !b.graph->inputs_block) {
        status = tg_fail(err, TG_E_MEMORY, "no memory left for the model");
    } else {
        status = place_inputs(&b, &attrs, err);
        if (status == TG_OK) status = read_layers(&b, layers, err);
        if (status == TG_OK) status = sort_and_place(&b, err);
        if (status == TG_OK) status = tg_outputs_find(b.graph, attrs.outputs, err);
        b.graph->nodes[0].planes = only_flattened(b.graph);
    }
    tg_free(b.drafts);
    tg_free(b.sources);
    tg_free(b.node_of);
    if (status == TG_OK) *out = b.graph;
    else tg_graph_destroy(b.graph);
    return status;
}

void tg_graph_destroy(tg_graph *graph) {
    if (!graph) return;
    for (size_t i = 0; graph->nodes && i < graph->count; i++) tg_free(graph->nodes[i].attrs);
    tg_free(graph->nodes);
    tg_free(graph->outputs);
    tg_free(graph->inputs_block);
    tg_free(graph);
}

tg_node *tg_graph_find(const tg_graph *graph, const char *name) {
    for (size_t i = 0; i < graph->count; i++)
        if (strcmp(graph->nodes[i].name, name) == 0) return &graph->nodes[i];
    return NULL;
}

size_t tg_graph_consumers(const tg_graph *graph, const tg_node *node) {
    size_t consumers = 0;
    for (size_t i = 0; i < graph->count; i++)
        for (size_t j = 0; j < graph->nodes[i].input_count; j++)
            consumers += graph->nodes[i].inputs[j] == node;
    return consumers;
}

void tg_graph_write(const tg_graph *graph, const tg_value *model, tg_text *text) {
    tg_json_open(text, "model", '{');
    tg_ends_write(graph, text);
    tg_json_open(text, "layers", '[');
    for (size_t i = 1 + graph->part_count; i < graph->count; i++) {
        const tg_node *node = &graph->nodes[i];
        tg_json_open(text, NULL, '{');
        tg_json_string(text, "type", node->op->name);
        tg_json_string(text, "name", node->name);
        tg_json_open(text, "inputs", '[');
        for (size_t j = 0; j < node->input_count; j++) tg_json_string(text, NULL, node->inputs[j]->name);
        tg_json_close(text, ']');
        tg_attrs_write(text, node->op->attrs, node->op->attr_count, node->attrs);
        if (node->param_count) {
            tg_json_bool(text, "trainable", node->trainable);
            tg_json_number(text, "learning_rate_factor", node->learning_rate_factor);
            if (node->source.checkpoint) tg_source_write(&node->source, text);
            else if (node->initializer) tg_value_write(text, "initializer", node->initializer);
            else tg_json_string(text, "initializer", "xavier_uniform");
        }
        tg_attrs_write_extra(text, node->recipe);
        tg_json_close(text, '}');
    }
    tg_json_close(text, ']');
    tg_attrs_write_extra(text, model);
    tg_json_close(text, '}');
}
