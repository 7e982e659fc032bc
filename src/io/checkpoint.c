/* A run as one .safetensors file.
 *
 * Tensors: the parameters under their PyTorch names; optimizer.<parameter>.<state>; state.position (I64) and state.sums
 * (F64), in the order of the two lists below. Metadata: tabgrad (format version), recipe, history, classes (JSON),
 * dataset_sha256. Weights-only files hold the parameters and the metadata. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "io/safetensors.h"
#include "train/run.h"

#define POSITION "state.position"
#define SUMS "state.sums"
enum { POSITION_SIZE = 8, SUMS_SIZE = 5, NAME_SIZE = 128 };

static const tg_tensor_type REAL_TYPE = sizeof(tg_real) == 8 ? TG_TENSOR_F64 : TG_TENSOR_F32;
static const char *const REAL_DTYPE = sizeof(tg_real) == 8 ? "F64" : "F32";

typedef struct state_block {
    int64_t position[POSITION_SIZE];
    double sums[SUMS_SIZE];
} state_block;

static state_block state_of(const tg_position *at) {
    return (state_block){{(int64_t)at->epoch, (int64_t)at->step, (int64_t)at->epoch_step, (int64_t)at->samples,
                          (int64_t)at->epoch_correct, (int64_t)at->epoch_samples, (int64_t)at->held_out.count,
                          at->diverged},
                         {at->epoch_loss_sum, at->step_loss, at->base_learning_rate, at->held_out.loss,
                          at->held_out.accuracy}};
}

static tg_position position_of(const state_block *s) {
    return (tg_position){.epoch = (uint64_t)s->position[0],
                         .step = (uint64_t)s->position[1],
                         .epoch_step = (uint64_t)s->position[2],
                         .samples = (uint64_t)s->position[3],
                         .epoch_correct = (uint64_t)s->position[4],
                         .epoch_samples = (uint64_t)s->position[5],
                         .held_out = {.loss = s->sums[3], .accuracy = s->sums[4], .count = (uint64_t)s->position[6]},
                         .diverged = s->position[7] != 0,
                         .epoch_loss_sum = s->sums[0],
                         .step_loss = s->sums[1],
                         .base_learning_rate = s->sums[2]};
}

/* ---- saving ------------------------------------------------------------------------------------------------------- */

static tg_tensor tensor_of(const char *name, const tg_shape *shape, const tg_real *data) {
    tg_tensor t = {.name = name, .type = REAL_TYPE, .dtype = REAL_DTYPE, .rank = shape->rank, .size = tg_shape_size(shape)};
    memcpy(t.shape, shape->dim, shape->rank * sizeof *t.shape);
    t.data = (const uint8_t *)data;
    t.bytes = t.size * sizeof(tg_real);
    return t;
}

static void write_classes(const tg_run *run, tg_text *text) {
    tg_json_open(text, NULL, '[');
    for (size_t i = 0; i < run->class_count; i++) tg_json_string(text, NULL, run->class_names[i]);
    tg_json_close(text, ']');
}

tg_status tg_run_save(tg_run *run, bool weights_only, uint8_t **out, size_t *size, tg_error *err) {
    const char *recipe, *history;
    TG_TRY(tg_run_recipe_json(run, &recipe, err));
    TG_TRY(tg_run_history_json(run, &history, err));
    size_t most = run->param_count * 3 + 2, count = 0;
    tg_tensor *tensors = tg_allocate(most * sizeof *tensors);
    char(*names)[NAME_SIZE] = tg_allocate(most * sizeof *names);
    tg_text classes = {0};
    write_classes(run, &classes);
    if (!tensors || !names || classes.failed) {
        tg_free(tensors);
        tg_free(names);
        tg_text_free(&classes);
        return tg_fail(err, TG_E_MEMORY, "no memory left to save the run");
    }
    state_block state = state_of(&run->at);
    if (!weights_only) { /* the 8-byte tensors first, so that every tensor is aligned in the file */
        tensors[count++] = (tg_tensor){.name = POSITION, .type = TG_TENSOR_I64, .dtype = "I64", .rank = 1,
                                       .shape = {POSITION_SIZE}, .size = POSITION_SIZE,
                                       .data = (const uint8_t *)state.position, .bytes = sizeof state.position};
        tensors[count++] = (tg_tensor){.name = SUMS, .type = TG_TENSOR_F64, .dtype = "F64", .rank = 1,
                                       .shape = {SUMS_SIZE}, .size = SUMS_SIZE,
                                       .data = (const uint8_t *)state.sums, .bytes = sizeof state.sums};
    }
    for (size_t i = 0; i < run->param_count; i++) {
        const tg_param *p = run->params[i];
        tensors[count++] = tensor_of(p->name, &p->shape, p->data);
        for (size_t j = 0; !weights_only && p->trainable && j < run->optimizer->states; j++) {
            snprintf(names[count], NAME_SIZE, "optimizer.%s.%s", p->name, run->optimizer->state_names[j]);
            tensors[count] = tensor_of(names[count], &p->shape, p->state[j]);
            count++;
        }
    }
    const tg_metadata metadata[] = {{"tabgrad", "1"},
                                    {"recipe", recipe},
                                    {"history", history},
                                    {"classes", classes.data},
                                    {"dataset_sha256", run->dataset_sha256}};
    tg_status status = tg_safetensors_write(tensors, count, metadata, sizeof metadata / sizeof *metadata, out, size, err);
    tg_free(tensors);
    tg_free(names);
    tg_text_free(&classes);
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
        tg_fail(err, TG_E_FORMAT, "holds weights but no tabgrad recipe; only checkpoints that tabgrad saved can be opened");
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

/* The tensor of that name, of that type and shape. */
static tg_status find(const tg_checkpoint *c, const char *name, tg_tensor_type type, const tg_shape *shape,
                      const tg_tensor **out, tg_error *err) {
    const tg_tensor *t = *out = tg_safetensors_find(c->file, name);
    char has[96], wants[96];
    TG_REQUIRE(err, t, TG_E_FORMAT, "has no tensor %s, which its recipe asks for", name);
    tg_shape is = {.rank = t->rank < TG_MAX_RANK ? t->rank : TG_MAX_RANK};
    memcpy(is.dim, t->shape, is.rank * sizeof *is.dim);
    TG_REQUIRE(err, t->rank <= TG_MAX_RANK && tg_shape_equal(&is, shape), TG_E_FORMAT,
               "tensor %s is %s but its recipe asks for %s", name, tg_shape_text(&is, has), tg_shape_text(shape, wants));
    TG_REQUIRE(err, t->type == type, TG_E_FORMAT, "tensor %s holds %s, which does not fit its recipe", name, t->dtype);
    return TG_OK;
}

static tg_status read_reals(const tg_checkpoint *c, const char *name, const tg_shape *shape, tg_real *to, tg_error *err) {
    const tg_tensor *t;
    TG_TRY(find(c, name, REAL_TYPE, shape, &t, err));
    memcpy(to, t->data, t->bytes);
    for (size_t i = 0; i < t->size; i++)
        TG_REQUIRE(err, isfinite(to[i]), TG_E_FORMAT, "tensor %s holds a value that is not finite, at %zu", name, i);
    return TG_OK;
}

static tg_status check_names(const tg_checkpoint *c, const tg_run *run, bool *has_state, tg_error *err) {
    *has_state = tg_safetensors_find(c->file, POSITION) != NULL;
    size_t expected = run->param_count + (*has_state ? 2 : 0);
    for (size_t i = 0; *has_state && i < run->param_count; i++)
        expected += run->params[i]->trainable ? run->optimizer->states : 0;
    size_t count = tg_safetensors_count(c->file);
    TG_REQUIRE(err, count == expected, TG_E_FORMAT, "holds %zu tensors but its recipe asks for %zu", count, expected);
    return TG_OK;
}

static tg_status read_position(const tg_checkpoint *c, tg_run *run, tg_error *err) {
    const tg_tensor *position, *sums;
    state_block state;
    TG_TRY(find(c, POSITION, TG_TENSOR_I64, &(tg_shape){1, {POSITION_SIZE}}, &position, err));
    TG_TRY(find(c, SUMS, TG_TENSOR_F64, &(tg_shape){1, {SUMS_SIZE}}, &sums, err));
    memcpy(state.position, position->data, sizeof state.position);
    memcpy(state.sums, sums->data, sizeof state.sums);
    for (size_t i = 0; i < POSITION_SIZE; i++)
        TG_REQUIRE(err, state.position[i] >= 0 && state.position[i] < INT64_C(1) << 53, TG_E_FORMAT, POSITION " makes no sense");
    run->at = position_of(&state);
    TG_REQUIRE(err, isfinite(run->at.base_learning_rate) && run->at.base_learning_rate > 0 &&
                        run->at.epoch <= run->recipe.epochs && run->at.epoch_correct <= run->at.epoch_samples,
               TG_E_FORMAT, POSITION " and " SUMS " make no sense");
    const char *sha256 = tg_safetensors_metadata(c->file, "dataset_sha256");
    bool same_data = run->train && sha256 && strcmp(sha256, run->dataset_sha256) == 0;
    if (!same_data && run->train) { /* other data: the epoch that was going on starts over */
        run->at.epoch_step = run->at.epoch_samples = run->at.epoch_correct = 0;
        run->at.epoch_loss_sum = 0;
    }
    TG_REQUIRE(err, !run->train || run->at.epoch_step <= run->steps_per_epoch, TG_E_FORMAT, POSITION " makes no sense");
    if (!run->train && sha256) snprintf(run->dataset_sha256, sizeof run->dataset_sha256, "%s", sha256);
    if (run->train && run->at.epoch_step == run->steps_per_epoch) {
        run->phase = TG_PHASE_HELD_OUT;
        if (tg_run_has_held_out(run)) tg_run_begin_held_out(run);
    }
    return TG_OK;
}

/* ---- history and classes, as the host walked them ------------------------------------------------------------------ */

static const tg_attr event_rows[] = {
    {"step", TG_ATTR_INT, offsetof(tg_event, step), .flags = TG_ATTR_REQUIRED, .max = 9007199254740992.0},
    {"learning_rate", TG_ATTR_REAL, offsetof(tg_event, learning_rate), .flags = TG_ATTR_ABOVE_MIN, .max = 1e6, .fallback = NAN},
    {"epochs", TG_ATTR_INT, offsetof(tg_event, epochs), .max = 1 << 20},
};

static double number_or_nan(const tg_value *object, const char *key) {
    const tg_value *v = tg_value_get(object, key);
    return v && v->kind == TG_NUMBER ? v->number : NAN;
}

static tg_status read_history(tg_run *run, const tg_value *history, tg_error *err) {
    const tg_value *events = tg_value_get(history, "events"), *epochs = tg_value_get(history, "epochs");
    TG_REQUIRE(err, events && events->kind == TG_LIST && epochs && epochs->kind == TG_LIST, TG_E_FORMAT,
               "the history holds no events and epochs");
    for (const tg_value *v = events->first; v; v = v->next) {
        tg_event event;
        TG_TRY(tg_attrs_read(v, event_rows, 3, NULL, &event, err));
        TG_TRY(tg_run_add_event(run, event, err));
    }
    TG_REQUIRE(err, epochs->count <= run->record_capacity, TG_E_FORMAT, "the history has more epochs than the recipe");
    for (const tg_value *v = epochs->first; v; v = v->next) {
        double epoch = number_or_nan(v, "epoch"), step = number_or_nan(v, "step");
        TG_REQUIRE(err, epoch >= 0 && epoch <= 1 << 20 && step >= 0 && step <= 9007199254740992.0, TG_E_FORMAT,
                   "an epoch of the history has no number");
        run->records[run->record_count++] =
            (tg_epoch_record){.epoch = (uint64_t)epoch,
                              .step = (uint64_t)step,
                              .loss = number_or_nan(v, "loss"),
                              .accuracy = number_or_nan(v, "accuracy"),
                              .held_out_loss = number_or_nan(v, "held_out_loss"),
                              .held_out_accuracy = number_or_nan(v, "held_out_accuracy"),
                              .learning_rate = number_or_nan(v, "learning_rate")};
    }
    TG_REQUIRE(err, run->record_count == run->at.epoch, TG_E_FORMAT, "the history does not fit the position of the run");
    return TG_OK;
}

static tg_status read_classes(tg_run *run, const tg_value *classes, tg_error *err) {
    if (!run->has_labels) return TG_OK;
    TG_REQUIRE(err, classes && classes->kind == TG_LIST && classes->count == run->class_count, TG_E_FORMAT,
               "does not name the model's %zu classes", run->class_count);
    size_t i = 0;
    for (const tg_value *v = classes->first; v; v = v->next, i++) {
        TG_REQUIRE(err, v->kind == TG_STRING, TG_E_FORMAT, "has a class name that is not a text");
        char *name = tg_allocate(strlen(v->string) + 1);
        TG_REQUIRE(err, name, TG_E_MEMORY, "no memory left for the class names");
        memcpy(name, v->string, strlen(v->string) + 1);
        tg_free(run->class_names[i]);
        run->class_names[i] = name;
    }
    return TG_OK;
}

static tg_status restore(const tg_checkpoint *c, const tg_value *document, tg_run *run, tg_error *err) {
    bool has_state;
    TG_TRY(check_names(c, run, &has_state, err));
    for (size_t i = 0; i < run->param_count; i++) {
        tg_param *p = run->params[i];
        TG_TRY(read_reals(c, p->name, &p->shape, p->data, err));
        for (size_t j = 0; has_state && p->trainable && j < run->optimizer->states; j++) {
            char name[NAME_SIZE];
            snprintf(name, sizeof name, "optimizer.%s.%s", p->name, run->optimizer->state_names[j]);
            TG_TRY(read_reals(c, name, &p->shape, p->state[j], err));
        }
    }
    TG_TRY(read_classes(run, tg_value_get(document, "classes"), err));
    if (!has_state) return TG_OK;
    TG_TRY(read_position(c, run, err));
    return read_history(run, tg_value_get(document, "history"), err);
}

tg_status tg_run_load(tg_engine *engine, const tg_checkpoint *checkpoint, const tg_attrs *document, tg_dataset *train,
                      tg_dataset *test, tg_run **out, tg_error *err) {
    *out = NULL;
    const tg_value *root = tg_attrs_root(document), *recipe = tg_value_get(root, "recipe");
    tg_status status = TG_OK;
    tg_run *run = NULL;
    if (!recipe || recipe->kind != TG_OBJECT) status = tg_fail(err, TG_E_FORMAT, "its recipe is not an object");
    else status = tg_run_create_from(engine, recipe, train, test, &run, err);
    if (status == TG_OK) status = restore(checkpoint, root, run, err);
    if (status == TG_OK) *out = run;
    else tg_run_destroy(run);
    return status == TG_OK ? TG_OK : tg_fail_at(err, status, "%s", checkpoint->name);
}
