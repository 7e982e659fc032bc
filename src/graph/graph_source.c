/* Layers that begin with the weights of a checkpoint: what the recipe says of it. */
#include <stdio.h>
#include <string.h>

#include "graph/graph.h"

typedef struct source_attrs {
    const char *checkpoint, *layer, *sha256;
} source_attrs;

static const tg_attr rows[] = {
    {"checkpoint", TG_ATTR_NAME, offsetof(source_attrs, checkpoint), .flags = TG_ATTR_REQUIRED},
    {"layer", TG_ATTR_NAME, offsetof(source_attrs, layer), .flags = 0},
    {"sha256", TG_ATTR_NAME, offsetof(source_attrs, sha256), .flags = 0},
};

static tg_status read_value(const tg_value *weights, source_attrs *out, tg_error *err) {
    *out = (source_attrs){0};
    if (weights->kind == TG_STRING) {
        out->checkpoint = weights->string;
        return TG_OK;
    }
    TG_REQUIRE(err, weights->kind == TG_OBJECT, TG_E_RECIPE,
               "must be the name of a checkpoint or an object with a checkpoint");
    return tg_attrs_read(weights, rows, sizeof rows / sizeof *rows, NULL, out, err);
}

static tg_status check(const source_attrs *a, const tg_node *node, tg_error *err) {
    TG_REQUIRE(err, node->param_count, TG_E_RECIPE, "a layer of type %s has none", node->op->name);
    TG_REQUIRE(err, !node->initializer, TG_E_RECIPE, "stand beside \"initializer\"; keep one of the two");
    TG_REQUIRE(err, a->checkpoint[0], TG_E_RECIPE, "name no checkpoint");
    TG_REQUIRE(err, !a->sha256 || (strspn(a->sha256, "0123456789abcdef") == 64 && !a->sha256[64]),
               TG_E_RECIPE, "sha256 must be 64 lower-case hexadecimal digits");
    return TG_OK;
}

tg_status tg_source_read(const tg_value *weights, tg_node *node, tg_error *err) {
    if (!weights) return TG_OK;
    source_attrs a;
    tg_status status = read_value(weights, &a, err);
    if (status == TG_OK) status = check(&a, node, err);
    if (status != TG_OK) return tg_fail_at(err, status, "weights");
    node->source = (tg_source){.checkpoint = a.checkpoint, .layer = a.layer ? a.layer : node->name};
    snprintf(node->source.sha256, sizeof node->source.sha256, "%s", a.sha256 ? a.sha256 : "");
    return TG_OK;
}

void tg_source_write(const tg_source *source, tg_text *text) {
    tg_json_open(text, "weights", '{');
    tg_json_string(text, "checkpoint", source->checkpoint);
    tg_json_string(text, "layer", source->layer);
    if (source->sha256[0]) tg_json_string(text, "sha256", source->sha256);
    tg_json_close(text, '}');
}
