/* The recipe's "loss" or "losses", read and checked against the graph. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "train/run.h"

typedef struct loss_attrs {
    const char *type, *output;
    int target, reduction;
    double weight;
} loss_attrs;

static const tg_attr rows[] = {
    {"type", TG_ATTR_NAME, offsetof(loss_attrs, type), .flags = TG_ATTR_REQUIRED},
    {"output", TG_ATTR_NAME, offsetof(loss_attrs, output), .flags = 0},
    {"target", TG_ATTR_CHOICE, offsetof(loss_attrs, target), .choices = "labels|input"},
    {"weight", TG_ATTR_REAL, offsetof(loss_attrs, weight), .max = 1e6, .fallback = 1},
    {"reduction", TG_ATTR_CHOICE, offsetof(loss_attrs, reduction), .choices = "mean|sum"},
};
enum { ROWS = sizeof rows / sizeof *rows };

static const char *loss_name(size_t index) {
    const tg_loss *row = tg_loss_at(index);
    return row ? row->name : NULL;
}

static tg_status read_fields(tg_run *run, const tg_value *value, tg_run_loss *loss, tg_error *err) {
    loss_attrs a = {.weight = 1};
    const char *type = NULL;
    if (!value) type = "cross_entropy";
    else if (value->kind == TG_STRING) type = value->string;
    else if (tg_value_get(value, "type") && tg_value_get(value, "type")->kind == TG_STRING)
        type = tg_value_get(value, "type")->string;
    TG_REQUIRE(err, type, TG_E_RECIPE, "must be a name or an object with a type");
    loss->recipe = value;
    loss->row = tg_loss_find(type);
    if (!loss->row) return tg_attrs_unknown_type(type, loss_name, err);
    loss->attrs = tg_allocate_zeroed(loss->row->attrs_bytes);
    TG_REQUIRE(err, loss->attrs, TG_E_MEMORY, "no memory left for the losses");
    const tg_value *object = value && value->kind == TG_OBJECT ? value : NULL;
    if (object) {
        char own[256] = "";
        size_t used = 0;
        for (size_t i = 0; i < loss->row->attr_count; i++)
            used +=
                (size_t)snprintf(own + used, sizeof own - used, i ? "|%s" : "%s", loss->row->attrs[i].name);
        TG_TRY(tg_attrs_read(object, rows, ROWS, own, &a, err));
    }
    TG_TRY(tg_attrs_read(object, loss->row->attrs, loss->row->attr_count,
                         "type|output|target|weight|reduction", loss->attrs, err));
    loss->node = run->graph->output_count ? run->graph->outputs[0] : run->graph->count - 1;
    if (a.output) {
        const tg_node *node = tg_graph_find(run->graph, a.output);
        TG_REQUIRE(err, node, TG_E_RECIPE, "no layer is named \"%.40s\"", a.output);
        loss->node = node->index;
    }
    loss->target = a.target == 0 ? TG_TARGET_LABELS : TG_TARGET_INPUT;
    loss->weight = a.weight;
    loss->sum = a.reduction == 1;
    return TG_OK;
}

static tg_status check_shape(const tg_run *run, const tg_run_loss *loss, tg_error *err) {
    const tg_shape *y = &run->graph->nodes[loss->node].shape, *x = &run->graph->nodes[0].shape;
    const char *name = run->graph->nodes[loss->node].name;
    char a[96], b[96];
    if (loss->target == TG_TARGET_INPUT) {
        TG_REQUIRE(err, tg_shape_size(y) == tg_shape_size(x), TG_E_SHAPE,
                   "%s (%s) has not as many values as the input (%s) it is to repeat", name,
                   tg_shape_text(y, a), tg_shape_text(x, b));
        return TG_OK;
    }
    TG_REQUIRE(err, y->rank == 1, TG_E_SHAPE,
               "%s gives %s, but one score per class is needed; end with flatten and dense", name,
               tg_shape_text(y, a));
    TG_REQUIRE(err, y->dim[0] >= 2, TG_E_SHAPE, "%s gives one score, but labels need at least two classes",
               name);
    return TG_OK;
}

static tg_status read_one(tg_run *run, const tg_value *value, tg_error *err) {
    TG_REQUIRE(err, run->loss_count < TG_MAX_LOSSES, TG_E_RECIPE, "at most %d losses are possible",
               TG_MAX_LOSSES);
    tg_run_loss *loss = &run->losses[run->loss_count++];
    TG_TRY(read_fields(run, value, loss, err));
    TG_TRY(check_shape(run, loss, err));
    run->is_output[loss->node] = true;
    if (loss->target == TG_TARGET_INPUT) run->is_output[0] = true;
    return TG_OK;
}

/* A layer whose output goes nowhere is a mistake in the recipe. */
static tg_status check_all_used(const tg_run *run, tg_error *err) {
    for (size_t i = 1; i < run->graph->count; i++) {
        const tg_node *node = &run->graph->nodes[i];
        if (run->is_output[i] || tg_graph_consumers(run->graph, node) > 0) continue;
        tg_fail(err, TG_E_RECIPE,
                "nothing uses the output of layer %s; name it in the inputs of another layer or in a loss",
                node->name);
        return tg_fail_at(err, TG_E_RECIPE, "model");
    }
    return TG_OK;
}

/* What predictions show: the layers that the model names, else what the first loss looks at. */
static tg_status choose_outputs(tg_run *run, tg_error *err) {
    const tg_graph *graph = run->graph;
    run->shown_count = graph->output_count ? graph->output_count : 1;
    run->shown = tg_allocate(run->shown_count * sizeof *run->shown);
    TG_REQUIRE(err, run->shown, TG_E_MEMORY, "no memory left for the model");
    for (size_t i = 0; i < run->shown_count; i++) {
        size_t node = run->shown[i] = graph->output_count ? graph->outputs[i] : run->losses[0].node;
        run->is_output[node] = true;
        if (!tg_add_size(run->shown_size, tg_shape_size(&graph->nodes[node].shape), &run->shown_size))
            return tg_fail(err, TG_E_MEMORY, "the outputs do not fit into memory");
    }
    if (run->shown[0] == run->losses[0].node) return TG_OK;
    tg_fail(err, TG_E_RECIPE, "outputs must begin with %s, which the first loss looks at",
            graph->nodes[run->losses[0].node].name);
    return tg_fail_at(err, TG_E_RECIPE, "model");
}

tg_status tg_run_read_losses(tg_run *run, tg_error *err) {
    const tg_value *loss = run->recipe.loss, *losses = run->recipe.losses;
    tg_status status = TG_OK;
    if (loss && losses) {
        tg_fail(err, TG_E_RECIPE, "is there beside \"loss\"; keep one of the two");
        return tg_fail_at(err, TG_E_RECIPE, "losses");
    }
    if (!losses) {
        status = read_one(run, loss, err);
        if (status != TG_OK) return tg_fail_at(err, status, "loss");
    } else {
        if (losses->kind != TG_LIST || losses->count == 0) {
            tg_fail(err, TG_E_RECIPE, "must be a list of losses");
            return tg_fail_at(err, TG_E_RECIPE, "losses");
        }
        size_t index = 0;
        for (const tg_value *v = losses->first; v; v = v->next, index++) {
            status = read_one(run, v, err);
            if (status != TG_OK) return tg_fail_at(err, status, "losses[%zu]", index);
        }
    }
    run->has_labels = run->losses[0].target == TG_TARGET_LABELS;
    run->outputs = tg_shape_size(&run->graph->nodes[run->losses[0].node].shape);
    TG_TRY(choose_outputs(run, err));
    return check_all_used(run, err);
}

void tg_run_write_losses(const tg_run *run, tg_text *text) {
    tg_json_open(text, "losses", '[');
    for (size_t i = 0; i < run->loss_count; i++) {
        const tg_run_loss *loss = &run->losses[i];
        tg_json_open(text, NULL, '{');
        tg_json_string(text, "type", loss->row->name);
        tg_json_string(text, "output", run->graph->nodes[loss->node].name);
        tg_json_string(text, "target", loss->target == TG_TARGET_LABELS ? "labels" : "input");
        tg_json_number(text, "weight", loss->weight);
        tg_json_string(text, "reduction", loss->sum ? "sum" : "mean");
        tg_attrs_write(text, loss->row->attrs, loss->row->attr_count, loss->attrs);
        tg_attrs_write_extra(text, loss->recipe);
        tg_json_close(text, '}');
    }
    tg_json_close(text, ']');
}
