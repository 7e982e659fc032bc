/* From a recipe to everything a run needs, in the order in which the parts depend on each other. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "ops/layout.h"
#include "train/run.h"

static tg_status copy_recipe(tg_run *run, const tg_value *recipe, tg_error *err) {
    TG_TRY(tg_attrs_create(&run->attrs, err));
    for (const tg_value *v = recipe->first; v; v = v->next) TG_TRY(tg_attrs_copy(run->attrs, v->key, v, err));
    return tg_recipe_read(tg_attrs_root(run->attrs), &run->recipe, err);
}

static tg_status make_model(tg_run *run, tg_error *err) {
    TG_TRY(tg_graph_create(run->recipe.model, &run->graph, err));
    run->is_output = tg_allocate_zeroed(run->graph->count * sizeof *run->is_output);
    TG_REQUIRE(err, run->is_output, TG_E_MEMORY, "no memory left for the model");
    TG_TRY(tg_run_read_losses(run, err));
    TG_TRY(tg_optimizer_read(run->recipe.optimizer, &run->optimizer, &run->optim_attrs, err));
    TG_TRY(tg_schedules_read(run->recipe.schedule, &run->schedules, err));
    if (tg_schedules_plateau(&run->schedules) && run->recipe.data.validation == 0) {
        tg_fail(err, TG_E_RECIPE,
                "plateau needs a validation part to watch; set data.validation, for example to 0.1");
        return tg_fail_at(err, TG_E_RECIPE, "schedule");
    }
    run->at.base_learning_rate = run->optim_attrs.learning_rate;
    return TG_OK;
}

static tg_status place_best(tg_run *run, tg_error *err) {
    for (size_t i = 0; i < run->param_count; i++) run->best_bytes += run->params[i]->size * sizeof(tg_real);
    run->best_block = tg_allocate_zeroed(run->best_bytes);
    TG_REQUIRE(err, run->best_block, TG_E_MEMORY,
               "no memory left to keep the best weights; set early_stopping.restore_best to false");
    return TG_OK;
}

/* What ops make of their parameters. */
static tg_status place_prepared(tg_run *run, tg_error *err) {
    for (int round = 0; round < 2; round++) {
        tg_arena arena = {.base = run->prepared_block};
        for (size_t i = 0; i < run->graph->count; i++) {
            tg_node *node = &run->graph->nodes[i];
            if (!node->op->prepare) continue;
            size_t size = node->op->prepared_size(node, run->engine->parts.kernels);
            node->prepared = tg_arena_take(&arena, size, sizeof *node->prepared);
        }
        if (round == 1) break;
        run->prepared_bytes = arena.used;
        if (!arena.overflow) run->prepared_block = tg_allocate(arena.used);
        TG_REQUIRE(err, run->prepared_block, TG_E_MEMORY,
                   "no memory left for the packed weights; use smaller layers");
    }
    return TG_OK;
}

/* Two rounds: the arenas count, then hand out. Every tensor begins on a cache line. */
static tg_status place_parameters(tg_run *run, tg_error *err) {
    for (size_t i = 0; i < run->graph->count; i++) run->param_count += run->graph->nodes[i].param_count;
    run->params = tg_allocate_zeroed(run->param_count * sizeof *run->params);
    TG_REQUIRE(err, run->params, TG_E_MEMORY, "no memory left for the model");
    for (int round = 0; round < 2; round++) {
        tg_arena weights = {.base = run->weights_block}, state = {.base = run->state_block};
        size_t at = 0;
        for (size_t i = 0; i < run->graph->count; i++) {
            tg_node *node = &run->graph->nodes[i];
            for (size_t j = 0; j < node->param_count; j++) {
                tg_param *p = run->params[at++] = &node->params[j];
                p->data = tg_arena_take(&weights, p->size, sizeof *p->data);
                if (!p->trainable) continue;
                p->gradient = tg_arena_take(&weights, p->size, sizeof *p->gradient);
                for (size_t k = 0; k < run->optimizer->states; k++)
                    p->state[k] = tg_arena_take(&state, p->size, sizeof *p->state[k]);
            }
        }
        if (round == 1) break;
        run->weights_bytes = weights.used;
        run->state_bytes = state.used;
        bool fits = !weights.overflow && !state.overflow;
        if (fits) {
            run->weights_block = tg_allocate_zeroed(weights.used);
            run->state_block = tg_allocate_zeroed(state.used);
        }
        if (fits && run->weights_block && run->state_block) continue;
        tg_fail(err, TG_E_MEMORY,
                "the parameters need %.0f MB, which this machine does not give; use smaller layers",
                fits ? ((double)weights.used + (double)state.used) / 1e6 : (double)SIZE_MAX / 1e6);
        return tg_fail_at(err, TG_E_MEMORY, "model");
    }
    TG_TRY(tg_graph_initialize(run->graph, run->recipe.seed, err));
    return run->recipe.early_stopping.restore_best ? place_best(run, err) : TG_OK;
}

/* Scores of an output that is compared with labels; 0 where it is compared with something else. */
static size_t label_scores(const tg_run *run, const tg_run_loss *loss) {
    return loss->target == TG_TARGET_LABELS ? tg_shape_size(&run->graph->nodes[loss->node].shape) : 0;
}

static tg_status check_classes(const tg_run *run, const tg_dataset *dataset, tg_error *err) {
    for (size_t i = 0; i < run->loss_count; i++) {
        size_t scores = label_scores(run, &run->losses[i]);
        if (!scores || dataset->classes <= scores) continue;
        const char *layer = run->graph->nodes[run->losses[i].node].name;
        size_t at = 0;
        while (dataset->labels && at < dataset->count && (size_t)dataset->labels[at] < scores) at++;
        TG_REQUIRE(err, !dataset->labels || at == dataset->count, TG_E_SHAPE,
                   "sample %zu has label %d, but layer %s gives only %zu scores, for labels 0 to %zu; "
                   "correct the label, "
                   "or give it %zu units",
                   at, (int)dataset->labels[at], layer, scores, scores - 1, dataset->classes);
        return tg_fail(err, TG_E_SHAPE,
                       "there are %zu classes but layer %s gives only %zu scores; give it %zu units",
                       dataset->classes, layer, scores, dataset->classes);
    }
    return TG_OK;
}

/* Data, augmentation and preprocessing, up to the network's input. */
static tg_status make_input(tg_run *run, const tg_dataset *data, tg_error *err) {
    const tg_sizes *said = &run->recipe.data.shape;
    size_t threads = tg_pool_threads(run->engine->parts.pool);
    memcpy(run->data_shape, run->graph->input_shape, sizeof run->data_shape);
    for (size_t i = 0; i < said->count; i++) run->data_shape[i] = (size_t)said->value[i];
    if (data && said->count == 0)
        memcpy(run->data_shape, (size_t[]){data->height, data->width, data->channels},
               sizeof run->data_shape);
    for (size_t i = 0; i < 3; i++) run->recipe.data.shape.value[i] = run->data_shape[i];
    run->recipe.data.shape.count = 3;
    TG_TRY(tg_augment_create(run->recipe.augment, run->data_shape, threads, &run->augment, err));
    run->augmenting = (tg_augmenting){
        .augment = run->augment, .seed = run->recipe.seed, .appended = run->recipe.augment_mode == 1};
    TG_TRY(tg_preprocess_create(run->recipe.preprocess, run->data_shape, threads, &run->preprocess, err));
    size_t is[3];
    const size_t *wants = run->graph->input_shape;
    tg_preprocess_shape(run->preprocess, is);
    if (is[0] == wants[0] && is[1] == wants[1] && is[2] == wants[2]) return TG_OK;
    /* Among several inputs, the values of a sample are dealt out whatever its shape. */
    if (run->graph->part_count && is[0] * is[1] * is[2] == wants[2]) return TG_OK;
    tg_fail(err, TG_E_SHAPE, "%s %zux%zux%zu but model.input is %zux%zux%zu; change one of the two",
            data && memcmp(is, run->data_shape, sizeof is) == 0 ? "samples are" : "gives", is[0], is[1],
            is[2], wants[0], wants[1], wants[2]);
    return tg_fail_at(err, TG_E_SHAPE, "%s",
                      memcmp(is, run->data_shape, sizeof is) != 0 ? "preprocess"
                      : run->train                                ? "training data"
                                                                  : "test data");
}

tg_status tg_run_check_dataset(const tg_run *run, const tg_dataset *dataset, const char *name,
                               tg_error *err) {
    const size_t *shape = run->data_shape;
    tg_status status = TG_OK;
    if (!dataset->checked)
        status = tg_fail(err, TG_E_STATE, "the data has not been checked since it was filled in");
    else if (dataset->height != shape[0] || dataset->width != shape[1] || dataset->channels != shape[2])
        status = tg_fail(err, TG_E_SHAPE,
                         "samples are %zux%zux%zu but the run takes %zux%zux%zu; use data of that shape",
                         dataset->height, dataset->width, dataset->channels, shape[0], shape[1], shape[2]);
    else status = check_classes(run, dataset, err);
    return status == TG_OK ? TG_OK : tg_fail_at(err, status, "%s", name);
}

/* The set, and behind it, with TG_TRANSFORMED, the set again. */
static tg_status append_copy(tg_run *run, tg_error *err) {
    size_t count = run->split.train_count;
    run->entries.index = tg_allocate(2 * count * sizeof *run->entries.index);
    TG_REQUIRE(err, run->entries.index, TG_E_MEMORY, "no memory left for the order of the samples");
    run->entries.train_count = 2 * count;
    for (size_t i = 0; i < 2 * count; i++)
        run->entries.index[i] = run->split.index[i % count] | (i < count ? 0 : TG_TRANSFORMED);
    return TG_OK;
}

static tg_status take_data(tg_run *run, tg_dataset *train, tg_dataset *test, tg_error *err) {
    run->train = train;
    run->test = test;
    run->order_epoch = UINT64_MAX;
    run->batch_size = (size_t)run->recipe.batch_size;
    run->steps_per_epoch = 1;
    TG_TRY(make_input(run, train ? train : test, err));
    if (test) TG_TRY(tg_run_check_dataset(run, test, "test data", err));
    if (!train) return TG_OK;
    TG_TRY(tg_run_check_dataset(run, train, "training data", err));
    TG_TRY(tg_split_create(train->count, run->recipe.data.train_size, run->recipe.data.validation,
                           run->recipe.seed, &run->split, err));
    run->entries = (tg_split){run->split.index, run->split.train_count, 0};
    if (run->augmenting.appended && !tg_augment_empty(run->augment)) TG_TRY(append_copy(run, err));
    size_t count = run->entries.train_count;
    run->order = tg_allocate(count * sizeof *run->order);
    TG_REQUIRE(err, run->order, TG_E_MEMORY, "no memory left for the order of the samples");
    if (run->batch_size > count) run->batch_size = count;
    run->steps_per_epoch = (count + run->batch_size - 1) / run->batch_size;
    return TG_OK;
}

static tg_status take_class_names(tg_run *run, const tg_dataset *dataset, tg_error *err) {
    if (!run->has_labels) return TG_OK;
    run->class_names = tg_allocate_zeroed(run->outputs * sizeof *run->class_names);
    TG_REQUIRE(err, run->class_names, TG_E_MEMORY, "no memory left for the class names");
    run->class_count = run->outputs;
    for (size_t i = 0; i < run->class_count; i++) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i);
        const char *name = dataset && i < dataset->classes ? tg_dataset_class_name(dataset, i) : number;
        run->class_names[i] = tg_allocate(strlen(name) + 1);
        TG_REQUIRE(err, run->class_names[i], TG_E_MEMORY, "no memory left for the class names");
        memcpy(run->class_names[i], name, strlen(name) + 1);
    }
    return TG_OK;
}

/* Room for inputs in the order of the outputs that are to repeat them, where it is another. */
static tg_status reserve_inputs(tg_run *run, size_t batch, tg_error *err) {
    const tg_node *nodes = run->graph->nodes;
    bool needed = false;
    for (size_t i = 0; i < run->loss_count; i++)
        needed |=
            run->losses[i].target == TG_TARGET_INPUT && !tg_lie_alike(&nodes[0], &nodes[run->losses[i].node]);
    size_t bytes = 0;
    bool fits = tg_mul_size(batch * sizeof(tg_real), tg_shape_size(&nodes[0].shape), &bytes);
    if (needed && fits) run->batch_inputs = tg_allocate(bytes);
    TG_REQUIRE(err, !needed || run->batch_inputs, TG_E_MEMORY,
               "the targets of a batch do not fit into memory; use a smaller batch_size");
    return TG_OK;
}

static tg_status reserve_outcome(const tg_run *run, size_t batch, tg_outcome *out, tg_error *err) {
    out->losses = tg_allocate(run->loss_count * batch * sizeof *out->losses);
    out->says = tg_allocate(batch * sizeof *out->says);
    TG_REQUIRE(err, out->losses && out->says, TG_E_MEMORY, "no memory left for the losses of a batch");
    return TG_OK;
}

static tg_status plan_memory(tg_run *run, tg_error *err) {
    tg_engine_parts parts = run->engine->parts;
    TG_TRY(tg_plan_create(run->graph, parts, true, run->batch_size, run->is_output, run->train != NULL,
                          &run->train_plan, err));
    run->train_plan->exec.seed = run->recipe.seed;
    TG_TRY(tg_plan_create(run->graph, parts, false, TG_EVALUATE_BATCH, run->is_output, true,
                          &run->evaluate_plan, err));
    TG_TRY(tg_plan_create(run->graph, parts, false, TG_PREDICT_BATCH, run->is_output, true,
                          &run->predict_plan, err));
    size_t batch = run->batch_size > TG_EVALUATE_BATCH ? run->batch_size : TG_EVALUATE_BATCH, targets;
    for (size_t i = 0; i < run->loss_count; i++) {
        size_t scores = label_scores(run, &run->losses[i]);
        if (scores > run->target_size) run->target_size = scores;
    }
    TG_REQUIRE(err, tg_mul_size(batch * sizeof(tg_real), run->target_size, &targets), TG_E_MEMORY,
               "the targets of a batch do not fit into memory; use a smaller batch_size");
    TG_TRY(reserve_outcome(run, run->batch_size, &run->trained, err));
    TG_TRY(reserve_outcome(run, TG_EVALUATE_BATCH, &run->evaluated, err));
    run->sample_losses = tg_allocate(batch * sizeof *run->sample_losses);
    run->batch_labels = tg_allocate(batch * sizeof *run->batch_labels);
    run->batch_targets = tg_allocate(targets);
    TG_REQUIRE(err, run->sample_losses && run->batch_labels && run->batch_targets, TG_E_MEMORY,
               "no memory left for the targets of a batch");
    TG_TRY(reserve_inputs(run, batch, err));
    if (run->train) TG_TRY(tg_run_reserve_losses(run, run->recipe.epochs * run->steps_per_epoch, err));
    return tg_run_reserve_records(run, run->recipe.epochs, err);
}

tg_status tg_run_create_from(tg_engine *engine, const tg_value *recipe, tg_dataset *train, tg_dataset *test,
                             tg_run **out, tg_error *err) {
    *out = NULL;
    tg_run *run = tg_allocate_zeroed(sizeof *run);
    TG_REQUIRE(err, run, TG_E_MEMORY, "no memory left for the run");
    run->engine = engine;
    run->at.held_out = (tg_score){.loss = NAN, .accuracy = NAN};
    run->at.step_loss = NAN;
    tg_status status = copy_recipe(run, recipe, err);
    if (status == TG_OK) status = make_model(run, err);
    if (status == TG_OK) status = take_data(run, train, test, err);
    if (status == TG_OK) status = take_class_names(run, train ? train : test, err);
    if (status == TG_OK) status = place_parameters(run, err);
    if (status == TG_OK) status = place_prepared(run, err);
    if (status == TG_OK) status = plan_memory(run, err);
    if (status == TG_OK) *out = run;
    else tg_run_destroy(run);
    return status;
}

tg_status tg_run_create_unfitted(tg_engine *engine, const tg_attrs *recipe, tg_dataset *train,
                                 tg_dataset *test, tg_run **out, tg_error *err) {
    return tg_run_create_from(engine, tg_attrs_root(recipe), train, test, out, err);
}

tg_status tg_run_create(tg_engine *engine, const tg_attrs *recipe, tg_dataset *train, tg_dataset *test,
                        tg_run **out, tg_error *err) {
    bool finished;
    TG_TRY(tg_run_create_unfitted(engine, recipe, train, test, out, err));
    tg_status status = tg_run_fit(*out, NULL, NULL, &finished, err);
    if (status == TG_OK) return TG_OK;
    tg_run_destroy(*out);
    *out = NULL;
    return status;
}

/* One unit: of what has to be fitted, then of what is kept of every sample. */
static tg_status advance_fit(tg_run *run, bool *finished, tg_error *err) {
    tg_pool *pool = run->engine->parts.pool;
    *finished = false;
    if (!tg_preprocess_fitted(run->preprocess))
        return tg_preprocess_advance_fit(run->preprocess, pool, run->train, run->split.index,
                                         run->split.train_count, err);
    *finished = tg_preprocess_remember(run->preprocess, pool, run->train, &run->augmenting);
    return TG_OK;
}

tg_status tg_run_fit(tg_run *run, tg_interrupt interrupt, void *ctx, bool *finished, tg_error *err) {
    *finished = !run->train;
    while (!*finished) {
        TG_TRY(advance_fit(run, finished, err));
        if (interrupt && interrupt(ctx)) break;
    }
    return TG_OK;
}

void tg_run_destroy(tg_run *run) {
    if (!run) return;
    tg_plan_destroy(run->train_plan);
    tg_plan_destroy(run->evaluate_plan);
    tg_plan_destroy(run->predict_plan);
    for (size_t i = 0; i < run->loss_count; i++) tg_free(run->losses[i].attrs);
    for (size_t i = 0; run->class_names && i < run->class_count; i++) tg_free(run->class_names[i]);
    tg_free(run->class_names);
    tg_free(run->params);
    tg_free(run->weights_block);
    tg_free(run->state_block);
    tg_free(run->prepared_block);
    tg_free(run->best_block);
    tg_free(run->order);
    tg_free(run->sample_losses);
    tg_free(run->trained.losses);
    tg_free(run->trained.says);
    tg_free(run->evaluated.losses);
    tg_free(run->evaluated.says);
    tg_free(run->batch_labels);
    tg_free(run->batch_targets);
    tg_free(run->batch_inputs);
    tg_free(run->evaluation.losses);
    tg_free(run->evaluation.predicted);
    tg_free(run->evaluation.confusion);
    tg_free(run->answers.alive);
    tg_free(run->events);
    tg_free(run->records);
    tg_free(run->step_losses);
    tg_text_free(&run->recipe_json);
    tg_text_free(&run->history_json);
    if (run->entries.index != run->split.index) tg_split_destroy(&run->entries);
    tg_split_destroy(&run->split);
    tg_augment_destroy(run->augment);
    tg_preprocess_destroy(run->preprocess);
    tg_graph_destroy(run->graph);
    tg_free(run->is_output);
    tg_free(run->shown);
    tg_attrs_destroy(run->attrs);
    tg_free(run);
}
