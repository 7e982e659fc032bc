/* The ends of a model: named inputs, among which the values of a sample are dealt out, and named outputs. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "graph/graph_ends.h"

/* ---- inputs ---------------------------------------------------------------------------------------------- */

typedef struct part_attrs {
    const char *name;
    tg_sizes shape;
} part_attrs;

static const tg_attr part_rows[] = {
    {"name", TG_ATTR_NAME, offsetof(part_attrs, name), .flags = TG_ATTR_REQUIRED},
    {"shape", TG_ATTR_SIZES, offsetof(part_attrs, shape), .flags = TG_ATTR_REQUIRED, .min = 1, .max = 1 << 20,
     .fallback = NAN},
};

tg_status tg_input_shape(const char *key, const tg_sizes *sizes, size_t shape[3], tg_shape *out,
                         tg_error *err) {
    const uint64_t *v = sizes->value;
    size_t elements = 1;
    bool fits = sizes->count <= 3;
    for (size_t i = 0; i < sizes->count; i++) fits = fits && tg_mul_size(elements, (size_t)v[i], &elements);
    TG_REQUIRE(err, fits && elements <= SIZE_MAX / 4 / sizeof(tg_real), TG_E_RECIPE,
               "%s must be [height, width, channels], [height, width] or [features], and fit into memory",
               key);
    size_t h = sizes->count == 1 ? 1 : (size_t)v[0], w = sizes->count == 1 ? 1 : (size_t)v[1];
    size_t c = sizes->count == 1 ? (size_t)v[0] : sizes->count == 2 ? 1 : (size_t)v[2];
    memcpy(shape, (size_t[]){h, w, c}, 3 * sizeof *shape);
    *out = sizes->count == 1 ? (tg_shape){1, {c}} : (tg_shape){3, {c, h, w}};
    return TG_OK;
}

/* Adds a node that hands on the values of a sample from `offset` on. */
static tg_status place_part(tg_graph *graph, const tg_value *value, size_t offset, tg_error *err) {
    part_attrs attrs;
    size_t shape[3];
    tg_node *node = &graph->nodes[graph->count];
    TG_TRY(tg_attrs_read(value, part_rows, sizeof part_rows / sizeof *part_rows, NULL, &attrs, err));
    TG_TRY(tg_name_check(attrs.name, err));
    TG_REQUIRE(err, !tg_graph_find(graph, attrs.name), TG_E_RECIPE, "the name \"%s\" stands twice",
               attrs.name);
    TG_TRY(tg_input_shape("shape", &attrs.shape, shape, &node->shape, err));
    node->op = &tg_op_part;
    node->index = graph->count;
    snprintf(node->name, sizeof node->name, "%s", attrs.name);
    node->inputs = &graph->inputs_block[graph->count - 1];
    node->inputs[0] = &graph->nodes[0];
    node->input_count = 1;
    node->attrs = tg_allocate_zeroed(tg_op_part.attrs_bytes);
    TG_REQUIRE(err, node->attrs, TG_E_MEMORY, "no memory left for the model");
    *(tg_part *)node->attrs = (tg_part){.offset = offset, .sizes = attrs.shape};
    graph->count++;
    return TG_OK;
}

tg_status tg_inputs_place(tg_graph *graph, const tg_value *inputs, tg_error *err) {
    size_t total = 0, index = 0;
    for (const tg_value *v = inputs->first; v; v = v->next, index++) {
        tg_status status = place_part(graph, v, total, err);
        if (status != TG_OK) return tg_fail_at(err, status, "inputs[%zu]", index);
        if (!tg_add_size(total, tg_shape_size(&graph->nodes[graph->count - 1].shape), &total) ||
            total > SIZE_MAX / 4 / sizeof(tg_real))
            return tg_fail(err, TG_E_RECIPE, "inputs do not fit into memory together");
        graph->part_count++;
    }
    graph->input_shape[0] = graph->input_shape[1] = 1;
    graph->input_shape[2] = total;
    graph->nodes[0].shape = (tg_shape){1, {total}};
    return TG_OK;
}

/* ---- outputs --------------------------------------------------------------------------------------------- */

static tg_status find_output(tg_graph *graph, const tg_value *name, tg_error *err) {
    TG_REQUIRE(err, name->kind == TG_STRING, TG_E_RECIPE, "outputs must name layers");
    const tg_node *node = tg_graph_find(graph, name->string);
    TG_REQUIRE(err, node && node->index > graph->part_count, TG_E_RECIPE,
               "outputs: no layer is named \"%.40s\"", name->string);
    for (size_t i = 0; i < graph->output_count; i++)
        TG_REQUIRE(err, graph->outputs[i] != node->index, TG_E_RECIPE, "outputs: \"%s\" stands twice",
                   node->name);
    graph->outputs[graph->output_count++] = node->index;
    return TG_OK;
}

tg_status tg_outputs_find(tg_graph *graph, const tg_value *outputs, tg_error *err) {
    if (!outputs) return TG_OK;
    tg_status status = TG_OK;
    bool list = outputs->kind == TG_LIST;
    graph->outputs = tg_allocate((list ? outputs->count : 1) * sizeof *graph->outputs);
    if (!graph->outputs) status = tg_fail(err, TG_E_MEMORY, "no memory left for the model");
    else if (!list) status = find_output(graph, outputs, err);
    else if (!outputs->count) status = tg_fail(err, TG_E_RECIPE, "outputs must name layers");
    for (const tg_value *v = outputs->first; list && status == TG_OK && v; v = v->next)
        status = find_output(graph, v, err);
    return status == TG_OK ? TG_OK : tg_fail_at(err, status, "model");
}

/* ---- both, written back ---------------------------------------------------------------------------------- */

static void write_sizes(tg_text *text, const char *key, const tg_sizes *sizes) {
    tg_json_open(text, key, '[');
    for (size_t i = 0; i < sizes->count; i++) tg_json_number(text, NULL, (double)sizes->value[i]);
    tg_json_close(text, ']');
}

void tg_ends_write(const tg_graph *graph, tg_text *text) {
    if (!graph->part_count) write_sizes(text, "input", &graph->input);
    else tg_json_open(text, "inputs", '[');
    for (size_t i = 1; i <= graph->part_count; i++) {
        const tg_part *part = graph->nodes[i].attrs;
        tg_json_open(text, NULL, '{');
        tg_json_string(text, "name", graph->nodes[i].name);
        write_sizes(text, "shape", &part->sizes);
        tg_json_close(text, '}');
    }
    if (graph->part_count) tg_json_close(text, ']');
    if (!graph->output_count) return;
    tg_json_open(text, "outputs", '[');
    for (size_t i = 0; i < graph->output_count; i++)
        tg_json_string(text, NULL, graph->nodes[graph->outputs[i]].name);
    tg_json_close(text, ']');
}
