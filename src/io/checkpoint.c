/* A run as one .safetensors file.
 *
 * Tensors: the parameters under their PyTorch names; preprocess.<step>.<what> where numbers were fitted; and, where
 * training is to go on, optimizer.<parameter>.<state>, state.best.<parameter>, state.step_losses, state.position (I64) and
 * state.sums (F64), the last two in the order of the lists below. Metadata: tabgrad (format version), recipe, history, classes (JSON),
 * dataset_sha256. Weights-only files end with the fitted numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/safetensors.h"
#include "train/run.h"

#define POSITION "state.position"
#define SUMS     "state.sums"
enum { POSITION_SIZE = 11, SUMS_SIZE = 5, NAME_SIZE = 128 };

static const tg_tensor_type REAL_TYPE = sizeof(tg_real) == 8 ? TG_TENSOR_F64 : TG_TENSOR_F32;
static const char *const REAL_DTYPE = sizeof(tg_real) == 8 ? "F64" : "F32";

typedef struct state_block {
    int64_t position[POSITION_SIZE];
    double sums[SUMS_SIZE];
} state_block;

static state_block state_of(const tg_position *at) {
    return (state_block){{(int64_t)at->epoch, (int64_t)at->step, (int64_t)at->epoch_step,
                          (int64_t)at->samples, (int64_t)at->epoch_correct, (int64_t)at->epoch_samples,
                          (int64_t)at->held_out.count, at->diverged, (int64_t)at->best_epoch,
                          (int64_t)at->patient_since, at->stopped},
                         {at->epoch_loss_sum, at->step_loss, at->base_learning_rate, at->held_out.loss,
                          at->held_out.accuracy}};
}

static tg_position position_of(const state_block *s) {
    return (tg_position){
        .epoch = (uint64_t)s->position[0],
        .step = (uint64_t)s->position[1],
        .epoch_step = (uint64_t)s->position[2],
        .samples = (uint64_t)s->position[3],
        .epoch_correct = (uint64_t)s->position[4],
        .epoch_samples = (uint64_t)s->position[5],
        .held_out = {.loss = s->sums[3], .accuracy = s->sums[4], .count = (uint64_t)s->position[6]},
        .diverged = s->position[7] != 0,
        .best_epoch = (uint64_t)s->position[8],
        .patient_since = (uint64_t)s->position[9],
        .stopped = s->position[10] != 0,
        .epoch_loss_sum = s->sums[0],
        .step_loss = s->sums[1],
        .base_learning_rate = s->sums[2]};
}

/* ---- what a file holds: one list, for saving and for loading ------------------------------------------------------- */

typedef struct entry {
    char name[NAME_SIZE];
    tg_tensor_type type;
    const char *dtype;
    tg_shape shape;
    void *data; /* of the run */
    size_t bytes;
    bool may_be_infinite;
} entry;

typedef struct entries {
    entry *list;
    size_t count;
} entries;

static void add(entries *e, tg_tensor_type type, const char *dtype, tg_shape shape, void *data,
                size_t element_bytes) {
    entry *next = &e->list[e->count++];
    next->type = type;
    next->dtype = dtype;
    next->shape = shape;
    next->data = data;
    next->bytes = tg_shape_size(&shape) * element_bytes;
}

static void add_real(entries *e, tg_shape shape, tg_real *data) {
    add(e, REAL_TYPE, REAL_DTYPE, shape, data, sizeof *data);
}

enum { MOST_FITTED = 64 };

/* Names go in first, so that they are found in the entry that add() fills. The 8-byte tensors come first, so that every
 * tensor is aligned in the file. */
#define NAMED(e, ...) snprintf((e)->list[(e)->count].name, NAME_SIZE, __VA_ARGS__)

static tg_status list_entries(tg_run *run, state_block *state, entries *e, tg_error *err) {
    tg_fitted fitted[MOST_FITTED];
    size_t fitted_count = tg_preprocess_tensors(run->preprocess, fitted, MOST_FITTED);
    TG_REQUIRE(err, fitted_count <= MOST_FITTED, TG_E_RECIPE, "preprocess has more than %d fitted tensors",
               MOST_FITTED);
    *e = (entries){tg_allocate_zeroed((run->param_count * 4 + fitted_count + 3) * sizeof(entry)), 0};
    TG_REQUIRE(err, e->list, TG_E_MEMORY, "no memory left for the list of the run's tensors");
    if (state) {
        NAMED(e, POSITION);
        add(e, TG_TENSOR_I64, "I64", (tg_shape){1, {POSITION_SIZE}}, state->position, sizeof(int64_t));
        NAMED(e, SUMS);
        add(e, TG_TENSOR_F64, "F64", (tg_shape){1, {SUMS_SIZE}}, state->sums, sizeof(double));
        e->list[e->count - 1].may_be_infinite = true; /* NaN: not measured yet */
        NAMED(e, "state.step_losses");
        add(e, TG_TENSOR_F32, "F32", (tg_shape){1, {run->step_loss_count}}, run->step_losses, sizeof(float));
        e->list[e->count - 1].may_be_infinite = true; /* a loss beyond what float holds */
    }
    for (size_t i = 0; i < fitted_count; i++) {
        tg_shape shape = {.rank = fitted[i].rank};
        memcpy(shape.dim, fitted[i].shape, fitted[i].rank * sizeof *shape.dim);
        NAMED(e, "%.40s", fitted[i].name);
        add_real(e, shape, fitted[i].data);
    }
    tg_real *best = run->best_block;
    for (size_t i = 0; i < run->param_count; i++) {
        tg_param *p = run->params[i];
        NAMED(e, "%s", p->name);
        add_real(e, p->shape, p->data);
        if (!state) continue;
        for (size_t j = 0; p->trainable && j < run->optimizer->states; j++) {
            NAMED(e, "optimizer.%s.%s", p->name, run->optimizer->state_names[j]);
            add_real(e, p->shape, p->state[j]);
        }
        if (!best) continue;
        NAMED(e, "state.best.%s", p->name);
        add_real(e, p->shape, best);
        best += p->size;
    }
    return TG_OK;
}

/* ---- saving ------------------------------------------------------------------------------------------------------- */

static void write_classes(const tg_run *run, tg_text *text) {
    tg_json_open(text, NULL, '[');
    for (size_t i = 0; i < run->class_count; i++) tg_json_string(text, NULL, run->class_names[i]);
    tg_json_close(text, ']');
}

/* Of the data that it was trained on. Taking it is as much work as thousands of steps of a small network, so that waits
 * for the first time that it is needed. */
static const char *dataset_sha256(const tg_run *run) {
    return run->train ? tg_dataset_sha256(run->train) : run->saved_dataset_sha256;
}

bool tg_run_prepare_save(tg_run *run, size_t bytes) {
    return !run->train || tg_dataset_hash_some(run->train, bytes);
}

static tg_status write_file(const tg_run *run, const entries *e, const char *recipe, const char *history,
                            uint8_t **out, size_t *size, tg_error *err) {
    tg_tensor *tensors = tg_allocate_zeroed(e->count * sizeof *tensors);
    tg_text classes = {0};
    write_classes(run, &classes);
    tg_status status = TG_E_MEMORY;
    if (!tensors || classes.failed) {
        tg_fail(err, TG_E_MEMORY, "no memory left to save the run");
    } else {
        for (size_t i = 0; i < e->count; i++) {
            const entry *from = &e->list[i];
            tensors[i] = (tg_tensor){.name = from->name,
                                     .type = from->type,
                                     .dtype = from->dtype,
                                     .rank = from->shape.rank,
                                     .size = tg_shape_size(&from->shape),
                                     .data = from->data,
                                     .bytes = from->bytes};
            memcpy(tensors[i].shape, from->shape.dim, from->shape.rank * sizeof *tensors[i].shape);
        }
        const tg_metadata metadata[] = {{"tabgrad", "1"},
                                        {"recipe", recipe},
                                        {"history", history},
                                        {"classes", classes.data},
                                        {"dataset_sha256", dataset_sha256(run)}};
        status = tg_safetensors_write(tensors, e->count, metadata, sizeof metadata / sizeof *metadata, out,
                                      size, err);
    }
    tg_free(tensors);
    tg_text_free(&classes);
    return status;
}

tg_status tg_run_save(tg_run *run, bool weights_only, uint8_t **out, size_t *size, tg_error *err) {
    const char *recipe, *history;
    TG_TRY(tg_run_check_weights(run, err));
    TG_TRY(tg_run_recipe_json(run, &recipe, err));
    TG_TRY(tg_run_history_json(run, &history, err));
    state_block state = state_of(&run->at);
    entries e;
    TG_TRY(list_entries(run, weights_only ? NULL : &state, &e, err));
    tg_status status = write_file(run, &e, recipe, history, out, size, err);
    tg_free(e.list);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------------- */

struct tg_checkpoint {
    tg_safetensors *file;
    char name[96];
};

tg_status tg_checkpoint_open(tg_bytes file, tg_checkpoint **out, tg_error *err) {
    *out = NULL;
    tg_checkpoint *checkpoint = tg_allocate_zeroed(sizeof *checkpoint);
    TG_REQUIRE(err, checkpoint, TG_E_MEMORY, "no memory left to open the checkpoint");
    snprintf(checkpoint->name, sizeof checkpoint->name, "%s", file.name ? file.name : "checkpoint");
    tg_status status = tg_safetensors_open(file, &checkpoint->file, err);
    if (status == TG_OK && !tg_safetensors_metadata(checkpoint->file, "recipe")) {
        tg_fail(err, TG_E_FORMAT,
                "holds weights but no tabgrad recipe; only checkpoints that tabgrad saved can be opened");
        status = tg_fail_at(err, TG_E_FORMAT, "%s", checkpoint->name);
    }
    if (status == TG_OK) *out = checkpoint;
    else tg_checkpoint_destroy(checkpoint);
    return status;
}

void tg_checkpoint_destroy(tg_checkpoint *checkpoint) {
    if (!checkpoint) return;
    tg_safetensors_close(checkpoint->file);
    tg_free(checkpoint);
}

const char *tg_checkpoint_metadata(const tg_checkpoint *checkpoint, const char *key) {
    return tg_safetensors_metadata(checkpoint->file, key);
}

/* The tensor for this entry, of the right type and shape. */
static tg_status find(const tg_checkpoint *c, const entry *e, const tg_tensor **out, tg_error *err) {
    const tg_tensor *t = *out = tg_safetensors_find(c->file, e->name);
    char has[96], wants[96];
    TG_REQUIRE(err, t, TG_E_FORMAT, "has no tensor %s, which its recipe asks for", e->name);
    tg_shape is = {.rank = t->rank < TG_MAX_RANK ? t->rank : TG_MAX_RANK};
    memcpy(is.dim, t->shape, is.rank * sizeof *is.dim);
    TG_REQUIRE(err, t->rank <= TG_MAX_RANK && tg_shape_equal(&is, &e->shape), TG_E_FORMAT,
               "tensor %s is %s but its recipe asks for %s", e->name, tg_shape_text(&is, has),
               tg_shape_text(&e->shape, wants));
    TG_REQUIRE(err, t->type == e->type, TG_E_FORMAT, "tensor %s holds %s, which does not fit its recipe",
               e->name, t->dtype);
    return TG_OK;
}

static tg_status read_entry(const tg_checkpoint *c, const entry *e, tg_error *err) {
    const tg_tensor *t;
    TG_TRY(find(c, e, &t, err));
    if (t->bytes) memcpy(e->data, t->data, t->bytes);
    const tg_real *values = e->data;
    for (size_t i = 0; e->type == REAL_TYPE && !e->may_be_infinite && i < t->size; i++)
        TG_REQUIRE(err, isfinite(values[i]), TG_E_FORMAT,
                   "tensor %s holds a value that is not finite, at %zu", e->name, i);
    return TG_OK;
}

/* Position and sums, and room for the losses of as many steps. */
static tg_status read_position(const tg_checkpoint *c, tg_run *run, tg_error *err) {
    state_block state;
    const entry position = {POSITION,       TG_TENSOR_I64,         "I64", {1, {POSITION_SIZE}},
                            state.position, sizeof state.position, false};
    const entry sums = {SUMS, TG_TENSOR_F64, "F64", {1, {SUMS_SIZE}}, state.sums, sizeof state.sums, true};
    TG_TRY(read_entry(c, &position, err));
    TG_TRY(read_entry(c, &sums, err));
    for (size_t i = 0; i < POSITION_SIZE; i++)
        TG_REQUIRE(err, state.position[i] >= 0 && state.position[i] < INT64_C(1) << 53, TG_E_FORMAT,
                   POSITION " makes no sense");
    run->at = position_of(&state);
    TG_REQUIRE(err,
               isfinite(run->at.base_learning_rate) && run->at.base_learning_rate > 0 &&
                   run->at.epoch <= run->recipe.epochs && run->at.epoch_correct <= run->at.epoch_samples &&
                   run->at.best_epoch <= run->at.epoch && run->at.patient_since <= run->at.epoch,
               TG_E_FORMAT, POSITION " and " SUMS " make no sense");
    const tg_tensor *losses = tg_safetensors_find(c->file, "state.step_losses");
    TG_REQUIRE(err, losses && losses->size <= run->at.step, TG_E_FORMAT, "has not the losses of its steps");
    TG_TRY(tg_run_reserve_losses(run, losses->size, err));
    run->step_loss_count = losses->size;
    const char *sha256 = tg_safetensors_metadata(c->file, "dataset_sha256");
    bool same_data = run->train && sha256 && strcmp(sha256, dataset_sha256(run)) == 0;
    if (!same_data && run->train) { /* other data: the epoch that was going on starts over */
        run->at.epoch_step = run->at.epoch_samples = run->at.epoch_correct = 0;
        run->at.epoch_loss_sum = 0;
    }
    TG_REQUIRE(err, !run->train || run->at.epoch_step <= run->steps_per_epoch, TG_E_FORMAT,
               POSITION " makes no sense");
    if (sha256) snprintf(run->saved_dataset_sha256, sizeof run->saved_dataset_sha256, "%s", sha256);
    if (run->train && run->at.epoch_step == run->steps_per_epoch) {
        run->phase = TG_PHASE_HELD_OUT;
        if (tg_run_has_held_out(run)) tg_run_begin_held_out(run);
    }
    return TG_OK;
}

/* ---- history and classes, as the host walked them ------------------------------------------------------------------ */

static const tg_attr event_rows[] = {
    {"step", TG_ATTR_INT, offsetof(tg_event, step), .flags = TG_ATTR_REQUIRED, .max = 9007199254740992.0},
    {"learning_rate", TG_ATTR_REAL, offsetof(tg_event, learning_rate), .flags = TG_ATTR_ABOVE_MIN, .max = 1e6,
     .fallback = NAN},
    {"epochs", TG_ATTR_INT, offsetof(tg_event, epochs), .max = 1 << 20},
};

static double number_or_nan(const tg_value *object, const char *key) {
    const tg_value *v = tg_value_get(object, key);
    return v && v->kind == TG_NUMBER ? v->number : NAN;
}

static tg_status read_history(tg_run *run, const tg_value *history, tg_error *err) {
    const tg_value *events = tg_value_get(history, "events"), *epochs = tg_value_get(history, "epochs");
    TG_REQUIRE(err, events && events->kind == TG_LIST && epochs && epochs->kind == TG_LIST, TG_E_FORMAT,
               "holds no events and epochs");
    for (const tg_value *v = events->first; v; v = v->next) {
        tg_event event;
        TG_TRY(tg_attrs_read(v, event_rows, 3, NULL, &event, err));
        TG_TRY(tg_run_add_event(run, event, err));
    }
    TG_REQUIRE(err, epochs->count <= run->record_capacity, TG_E_FORMAT, "has more epochs than the recipe");
    for (const tg_value *v = epochs->first; v; v = v->next) {
        double epoch = number_or_nan(v, "epoch"), step = number_or_nan(v, "step");
        TG_REQUIRE(err, epoch >= 0 && epoch <= 1 << 20 && step >= 0 && step <= 9007199254740992.0,
                   TG_E_FORMAT, "an epoch has no number");
        run->records[run->record_count++] =
            (tg_epoch_record){.epoch = (uint64_t)epoch,
                              .step = (uint64_t)step,
                              .loss = number_or_nan(v, "loss"),
                              .accuracy = number_or_nan(v, "accuracy"),
                              .held_out_loss = number_or_nan(v, "held_out_loss"),
                              .held_out_accuracy = number_or_nan(v, "held_out_accuracy"),
                              .learning_rate = number_or_nan(v, "learning_rate")};
    }
    TG_REQUIRE(err, run->record_count == run->at.epoch, TG_E_FORMAT, "does not fit the position of the run");
    run->at.plateaus = tg_run_plateaus(run);
    return TG_OK;
}

static tg_status read_classes(tg_run *run, const tg_value *classes, tg_error *err) {
    if (!run->has_labels) return TG_OK;
    TG_REQUIRE(err, classes && classes->kind == TG_LIST && classes->count == run->class_count, TG_E_FORMAT,
               "do not name the model's %zu outputs", run->class_count);
    size_t i = 0;
    for (const tg_value *v = classes->first; v; v = v->next, i++) {
        TG_REQUIRE(err, v->kind == TG_STRING, TG_E_FORMAT, "hold a name that is not a text");
        char *name = tg_allocate(strlen(v->string) + 1);
        TG_REQUIRE(err, name, TG_E_MEMORY, "no memory left for the class names");
        memcpy(name, v->string, strlen(v->string) + 1);
        tg_free(run->class_names[i]);
        run->class_names[i] = name;
    }
    return TG_OK;
}

static tg_status restore(const tg_checkpoint *c, const tg_value *document, tg_run *run, tg_error *err) {
    bool has_state = tg_safetensors_find(c->file, POSITION) != NULL;
    if (has_state) TG_TRY(read_position(c, run, err));
    state_block state;
    entries e;
    TG_TRY(list_entries(run, has_state ? &state : NULL, &e, err));
    tg_status status = TG_OK;
    size_t count = tg_safetensors_count(c->file);
    if (count != e.count)
        status = tg_fail(err, TG_E_FORMAT, "holds %zu tensors but its recipe asks for %zu", count, e.count);
    for (size_t i = 0; status == TG_OK && i < e.count; i++) status = read_entry(c, &e.list[i], err);
    tg_free(e.list);
    TG_TRY(status);
    tg_preprocess_mark_fitted(run->preprocess);
    for (size_t i = 0; i < run->graph->count; i++) run->graph->nodes[i].source.taken = true;
    status = read_classes(run, tg_value_get(document, "classes"), err);
    if (status != TG_OK) return tg_fail_at(err, status, "classes");
    if (!has_state) return TG_OK;
    status = read_history(run, tg_value_get(document, "history"), err);
    return status == TG_OK ? TG_OK : tg_fail_at(err, status, "history");
}

tg_status tg_run_load(tg_engine *engine, const tg_checkpoint *checkpoint, const tg_attrs *document,
                      tg_dataset *train, tg_dataset *test, tg_run **out, tg_error *err) {
    *out = NULL;
    const tg_value *root = tg_attrs_root(document), *recipe = tg_value_get(root, "recipe");
    tg_status status = TG_OK;
    tg_run *run = NULL;
    if (!recipe || recipe->kind != TG_OBJECT)
        status = tg_fail(err, TG_E_FORMAT, "its recipe is not an object");
    else status = tg_run_create_from(engine, recipe, train, test, &run, err);
    if (status == TG_OK) status = restore(checkpoint, root, run, err);
    if (status == TG_OK) *out = run;
    else tg_run_destroy(run);
    return status == TG_OK ? TG_OK : tg_fail_at(err, status, "%s", checkpoint->name);
}
