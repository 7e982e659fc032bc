#include "support/trial.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "support/assert.h"
#include "support/recipe.h"

enum { CLASS_PICTURES = 0, SAMPLES = 1 }; /* first index of the random streams */

static uint8_t random_byte(tg_rng *rng) {
    return (uint8_t)(tg_rng_u32(rng) >> 24);
}

/* Integers only: there is nothing in it that could differ between machines. */
tg_dataset *make_pictures(size_t height, size_t width, size_t channels, size_t count, size_t classes,
                          uint64_t seed, uint32_t set) {
    size_t size = height * width * channels;
    uint8_t *pictures = malloc(classes * size);
    tg_rng rng = tg_rng_stream(seed, TG_RNG_TEST, CLASS_PICTURES, 0);
    for (size_t i = 0; i < classes * size; i++) pictures[i] = random_byte(&rng);
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_U8, height, width, channels, count, classes, false, &dataset, &err));
    uint8_t *pixels = tg_dataset_pixels(dataset);
    rng = tg_rng_stream(seed, TG_RNG_TEST, SAMPLES, set);
    for (size_t i = 0; i < count; i++) {
        uint32_t label = tg_rng_below(&rng, (uint32_t)classes);
        tg_dataset_labels(dataset)[i] = (int32_t)label;
        for (size_t j = 0; j < size; j++)
            *pixels++ = (uint8_t)((3 * pictures[label * size + j] + random_byte(&rng)) / 4);
    }
    free(pictures);
    ASSERT_OK(tg_dataset_check(dataset, "pictures", &err));
    return dataset;
}

tg_dataset *make_noise(size_t height, size_t width, size_t channels, size_t count, size_t classes, bool soft,
                       uint64_t seed) {
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_F32, height, width, channels, count, classes, soft, &dataset, &err));
    tg_rng rng = tg_rng_stream(seed, TG_RNG_TEST, SAMPLES, 0);
    float *pixels = tg_dataset_pixels(dataset);
    for (size_t i = 0; i < count * height * width * channels; i++) pixels[i] = (float)tg_rng_normal(&rng);
    for (size_t i = 0; i < count; i++) {
        if (!soft) {
            tg_dataset_labels(dataset)[i] = (int32_t)tg_rng_below(&rng, (uint32_t)classes);
            continue;
        }
        float *row = tg_dataset_targets(dataset) + i * classes, sum = 0;
        for (size_t j = 0; j < classes; j++) sum += row[j] = (float)tg_rng_uniform(&rng);
        for (size_t j = 0; j < classes; j++) row[j] /= sum;
    }
    ASSERT_OK(tg_dataset_check(dataset, "noise", &err));
    return dataset;
}

tg_engine *make_engine(size_t threads) {
    tg_engine *engine;
    tg_error err;
    ASSERT_OK(tg_engine_create(threads, &engine, &err));
    return engine;
}

tg_run *make_run(tg_engine *engine, const char *recipe, tg_dataset *train, tg_dataset *test) {
    tg_attrs *attrs = attrs_from("%s", recipe);
    tg_run *run;
    tg_error err;
    ASSERT_OK(tg_run_create(engine, attrs, train, test, &run, &err));
    tg_attrs_destroy(attrs);
    return run;
}

tg_progress train_steps(tg_run *run, uint64_t steps) {
    tg_progress progress;
    tg_error err;
    tg_run_progress(run, &progress);
    uint64_t target = progress.step + steps;
    while (!progress.finished && (steps == 0 || progress.step < target))
        ASSERT_OK(tg_run_train(run, steps ? target - progress.step : 0, NULL, NULL, NULL, 0, NULL, &progress,
                               &err));
    return progress;
}

const char *hash_of(const tg_run *run) {
    static char hex[4][65];
    static size_t next;
    char *text = hex[next++ % 4];
    tg_run_hash(run, text);
    return text;
}

static tg_tensor_info tensor(const tg_run *run, const char *name) {
    for (size_t i = 0; i < tg_run_parameters(run); i++) {
        tg_tensor_info info;
        tg_error err;
        ASSERT_OK(tg_run_parameter(run, i, &info, &err));
        if (strcmp(info.name, name) == 0) return info;
    }
    fail_msg("the run has no parameter %s", name);
    return (tg_tensor_info){0};
}

tg_real *parameter(const tg_run *run, const char *name) {
    return tensor(run, name).data;
}

void set_parameter(tg_run *run, const char *name, const double *values, size_t count) {
    tg_tensor_info info = tensor(run, name);
    assert_int_equal(info.size, count);
    for (size_t i = 0; i < count; i++) info.data[i] = (tg_real)values[i];
}

tg_evaluation evaluate_all(tg_run *run, tg_dataset *dataset) {
    tg_evaluation evaluation;
    tg_error err;
    ASSERT_OK(tg_run_evaluate_begin(run, dataset, &err));
    ASSERT_OK(tg_run_evaluate(run, NULL, NULL, &evaluation, &err));
    assert_true(evaluation.finished);
    return evaluation;
}

tg_run *load_bytes(tg_engine *engine, const uint8_t *bytes, size_t size, tg_dataset *train,
                   tg_dataset *test) {
    tg_checkpoint *checkpoint;
    tg_run *run;
    tg_error err;
    ASSERT_OK(tg_checkpoint_open((tg_bytes){"run.safetensors", bytes, size}, &checkpoint, &err));
    tg_attrs *document = document_of(checkpoint);
    ASSERT_OK(tg_run_load(engine, checkpoint, document, train, test, &run, &err));
    tg_attrs_destroy(document);
    tg_checkpoint_destroy(checkpoint);
    return run;
}

tg_run *save_and_load(tg_engine *engine, tg_run *run, tg_dataset *train, tg_dataset *test) {
    uint8_t *bytes;
    size_t size;
    tg_error err;
    ASSERT_OK(tg_run_save(run, false, &bytes, &size, &err));
    tg_run *loaded = load_bytes(engine, bytes, size, train, test);
    tg_free(bytes);
    return loaded;
}
