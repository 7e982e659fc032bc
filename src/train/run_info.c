/* What a run says about itself, and what can be changed while it goes on. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "train/run.h"

size_t tg_run_outputs(const tg_run *run) {
    return run->shown_size;
}

size_t tg_run_output_count(const tg_run *run) {
    return run->shown_count;
}

tg_status tg_run_output(const tg_run *run, size_t index, tg_output_info *out, tg_error *err) {
    TG_REQUIRE(err, index < run->shown_count, TG_E_ARGUMENT, "there is no output %zu", index);
    *out = (tg_output_info){0};
    for (size_t i = 0; i <= index; i++) {
        const tg_node *node = &run->graph->nodes[run->shown[i]];
        out->offset += out->size;
        out->layer = node->name;
        out->size = tg_shape_size(&node->shape);
    }
    return TG_OK;
}

void tg_run_input_shape(const tg_run *run, size_t shape[3]) {
    memcpy(shape, run->data_shape, sizeof run->data_shape);
}

size_t tg_run_classes(const tg_run *run) {
    return run->class_count;
}

const char *tg_run_class_name(const tg_run *run, size_t index) {
    return index < run->class_count ? run->class_names[index] : NULL;
}

const char *tg_run_waits_for(const tg_run *run) {
    for (size_t i = 1; i < run->graph->count; i++) {
        const tg_source *source = &run->graph->nodes[i].source;
        if (source->checkpoint && !source->taken) return source->checkpoint;
    }
    return NULL;
}

tg_status tg_run_check_weights(const tg_run *run, tg_error *err) {
    const char *name = tg_run_waits_for(run);
    TG_REQUIRE(err, !name, TG_E_STATE,
               "there are layers that wait for the weights in %.200s; hand that file in", name);
    return TG_OK;
}

size_t tg_run_layers(const tg_run *run) {
    return run->graph->count - 1;
}

tg_status tg_run_layer(const tg_run *run, size_t index, tg_layer_info *out, tg_error *err) {
    TG_REQUIRE(err, index < tg_run_layers(run), TG_E_ARGUMENT, "there is no layer %zu", index);
    const tg_node *node = &run->graph->nodes[index + 1];
    *out = (tg_layer_info){
        .name = node->name, .type = node->op->name, .rank = node->shape.rank, .trainable = node->trainable};
    memcpy(out->shape, node->shape.dim, sizeof out->shape);
    for (size_t i = 0; i < node->param_count; i++)
        out->parameters += node->params[i].is_buffer ? 0 : node->params[i].size;
    return TG_OK;
}

void tg_run_memory(const tg_run *run, tg_memory *out) {
    *out = (tg_memory){.parameters_bytes = run->weights_bytes + run->prepared_bytes + run->best_bytes,
                       .optimizer_bytes = run->state_bytes,
                       .activations_bytes = run->train_plan->arena_bytes,
                       .inference_bytes = run->evaluate_plan->arena_bytes + run->predict_plan->arena_bytes};
    out->total_bytes = out->parameters_bytes + out->optimizer_bytes + out->activations_bytes +
                       out->inference_bytes + tg_preprocess_bytes(run->preprocess);
}

size_t tg_run_parameters(const tg_run *run) {
    return run->param_count;
}

tg_status tg_run_parameter(const tg_run *run, size_t index, tg_tensor_info *out, tg_error *err) {
    TG_REQUIRE(err, index < run->param_count, TG_E_ARGUMENT, "there is no parameter %zu", index);
    const tg_param *p = run->params[index];
    *out = (tg_tensor_info){.name = p->name, .rank = p->shape.rank, .size = p->size, .data = p->data};
    memcpy(out->shape, p->shape.dim, sizeof out->shape);
    tg_graph_param_changed(run->graph, p); /* it may be written to */
    return TG_OK;
}

/* Names are unique, so the next one is the smallest above the last: no memory needed, hashing cannot fail. */
void tg_run_hash(const tg_run *run, char hex[65]) {
    tg_sha256 hash;
    tg_sha256_begin(&hash);
    const char *last = "";
    for (size_t done = 0; done < run->param_count; done++) {
        const tg_param *next = NULL;
        for (size_t i = 0; i < run->param_count; i++) {
            const tg_param *p = run->params[i];
            if (strcmp(p->name, last) > 0 && (!next || strcmp(p->name, next->name) < 0)) next = p;
        }
        tg_sha256_update(&hash, next->data, next->size * sizeof *next->data);
        last = next->name;
    }
    tg_sha256_end(&hash, hex);
}

/* ---- events and records ---------------------------------------------------------------------------------------------- */

/* Room for one more element of `size` bytes behind `count`. */
static tg_status grow(void **array, size_t *capacity, size_t wanted, size_t size, tg_error *err) {
    if (wanted <= *capacity) return TG_OK;
    size_t bytes;
    void *grown = tg_mul_size(wanted, size, &bytes) ? tg_allocate_zeroed(bytes) : NULL;
    TG_REQUIRE(err, grown, TG_E_MEMORY, "no memory left for the history of %zu entries", wanted);
    if (*array) memcpy(grown, *array, *capacity * size);
    tg_free(*array);
    *array = grown;
    *capacity = wanted;
    return TG_OK;
}

tg_status tg_run_add_event(tg_run *run, tg_event event, tg_error *err) {
    if (run->event_count == run->event_capacity) {
        void *events = run->events;
        TG_TRY(grow(&events, &run->event_capacity, run->event_capacity * 2 + 8, sizeof *run->events, err));
        run->events = events;
    }
    run->events[run->event_count++] = event;
    return TG_OK;
}

tg_status tg_run_reserve_records(tg_run *run, uint64_t epochs, tg_error *err) {
    void *records = run->records;
    TG_TRY(grow(&records, &run->record_capacity, (size_t)epochs, sizeof *run->records, err));
    run->records = records;
    return TG_OK;
}

enum { MOST_STEP_LOSSES = 1 << 22 }; /* 16 MB; later steps are in the records of their epochs */

tg_status tg_run_reserve_losses(tg_run *run, uint64_t steps, tg_error *err) {
    void *losses = run->step_losses;
    size_t wanted = steps < MOST_STEP_LOSSES ? (size_t)steps : MOST_STEP_LOSSES;
    TG_TRY(grow(&losses, &run->step_loss_capacity, wanted, sizeof *run->step_losses, err));
    run->step_losses = losses;
    return TG_OK;
}

const float *tg_run_step_losses(const tg_run *run, size_t *count) {
    *count = run->step_loss_count;
    return run->step_losses;
}

tg_status tg_run_set_learning_rate(tg_run *run, double value, tg_error *err) {
    TG_REQUIRE(err, isfinite(value) && value > 0 && value <= 1e6, TG_E_ARGUMENT,
               "learning_rate must be above 0 and at most 1e6, not %g", value);
    double factor = tg_run_schedule_factor(run);
    TG_REQUIRE(err, factor > 0, TG_E_STATE,
               "the schedule has brought the learning rate to 0; there is nothing to change");
    TG_TRY(tg_run_add_event(run, (tg_event){.step = run->at.step, .learning_rate = value}, err));
    run->at.base_learning_rate = value / factor;
    return TG_OK;
}

tg_status tg_run_set_epochs(tg_run *run, uint64_t epochs, tg_error *err) {
    uint64_t begun = run->at.epoch + (run->at.epoch_step > 0);
    TG_REQUIRE(err, epochs >= 1 && epochs >= begun && epochs <= 1 << 20, TG_E_ARGUMENT,
               "epochs must be at least %llu and at most %d, not %llu",
               (unsigned long long)(begun ? begun : 1), 1 << 20, (unsigned long long)epochs);
    if (epochs == run->recipe.epochs) return TG_OK;
    TG_TRY(tg_run_reserve_records(run, epochs, err));
    if (run->train) TG_TRY(tg_run_reserve_losses(run, epochs * run->steps_per_epoch, err));
    if (run->at.step > 0)
        TG_TRY(tg_run_add_event(run, (tg_event){.step = run->at.step, .learning_rate = NAN, .epochs = epochs},
                                err));
    run->recipe.epochs = epochs;
    run->at.stopped = false; /* asked for more: patience begins anew */
    run->at.patient_since = run->at.epoch;
    return TG_OK;
}

/* ---- as JSON ----------------------------------------------------------------------------------------------------------- */

static tg_status finished_text(tg_text *text, const char **out, tg_error *err) {
    TG_REQUIRE(err, !text->failed, TG_E_MEMORY, "no memory left for the text of the recipe or its history");
    *out = text->data;
    return TG_OK;
}

tg_status tg_run_recipe_json(tg_run *run, const char **out, tg_error *err) {
    tg_text *text = &run->recipe_json;
    tg_text_clear(text);
    tg_json_open(text, NULL, '{');
    tg_recipe_write_head(&run->recipe, text);
    tg_preprocess_write(run->preprocess, run->recipe.preprocess, text, "preprocess");
    tg_augment_write(run->augment, run->recipe.augment, text, "augment");
    tg_graph_write(run->graph, run->recipe.model, text);
    tg_run_write_losses(run, text);
    tg_optimizer_write(run->optimizer, &run->optim_attrs, run->recipe.optimizer, text);
    tg_schedules_write(&run->schedules, run->recipe.schedule, text);
    tg_recipe_write_tail(&run->recipe, tg_attrs_root(run->attrs), text);
    tg_json_close(text, '}');
    return finished_text(text, out, err);
}

tg_status tg_run_history_json(tg_run *run, const char **out, tg_error *err) {
    tg_text *text = &run->history_json;
    tg_text_clear(text);
    tg_json_open(text, NULL, '{');
    tg_json_open(text, "events", '[');
    for (size_t i = 0; i < run->event_count; i++) {
        const tg_event *event = &run->events[i];
        tg_json_open(text, NULL, '{');
        tg_json_number(text, "step", (double)event->step);
        if (event->epochs) tg_json_number(text, "epochs", (double)event->epochs);
        else tg_json_number(text, "learning_rate", event->learning_rate);
        tg_json_close(text, '}');
    }
    tg_json_close(text, ']');
    tg_json_open(text, "epochs", '[');
    for (size_t i = 0; i < run->record_count; i++) {
        const tg_epoch_record *r = &run->records[i];
        tg_json_open(text, NULL, '{');
        tg_json_number(text, "epoch", (double)r->epoch);
        tg_json_number(text, "step", (double)r->step);
        tg_json_number(text, "loss", r->loss);
        tg_json_number(text, "accuracy", r->accuracy);
        tg_json_number(text, "held_out_loss", r->held_out_loss);
        tg_json_number(text, "held_out_accuracy", r->held_out_accuracy);
        tg_json_number(text, "learning_rate", r->learning_rate);
        tg_json_close(text, '}');
    }
    tg_json_close(text, ']');
    if (run->at.best_epoch) tg_json_number(text, "best_epoch", (double)run->at.best_epoch);
    tg_json_close(text, '}');
    return finished_text(text, out, err);
}
