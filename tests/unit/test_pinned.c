/* Same bits everywhere: the hashes in fixtures/pinned, which the tests in Node, Chromium and Firefox compare
 * with too. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "support/importing.h"
#include "support/recipe.h"
#include "support/trial.h"

#define PINNED TG_FIXTURES "/pinned/"

enum { SIDE = 12, COUNT = 250, CLASSES = 10, STEPS = 200 };
static const char *const names[] = {"linear", "mlp", "cnn", "wide", "autoencoder", "regularised", "margins"};
enum { NAMES = sizeof names / sizeof *names };

static cJSON *pinned; /* hashes.json */

static const char *pinned_text(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, key));
    assert_non_null(text);
    return text;
}

static tg_dataset *make_set(void) {
    return make_pictures(SIDE, SIDE, 1, COUNT, CLASSES, 1, 0);
}

static tg_dataset *open_set(void) {
    tg_bytes images = {.name = "images"}, labels = {.name = "labels"};
    uint8_t *pixels = read_whole_file(PINNED "images", &images.size),
            *classes = read_whole_file(PINNED "labels", &labels.size);
    assert_true(pixels && classes);
    images.data = pixels, labels.data = classes;
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(import_pair(images, labels, &dataset, &err));
    free(pixels);
    free(classes);
    return dataset;
}

static const char *hash_after_training(const char *name, tg_dataset *dataset, size_t threads,
                                       const char *kernels) {
    char path[512];
    size_t size;
    snprintf(path, sizeof path, PINNED "%s.json", name);
    uint8_t *text = read_whole_file(path, &size);
    assert_non_null(text);
    setenv("TG_KERNELS", kernels, 1);
    tg_engine *engine = make_engine(threads);
    unsetenv("TG_KERNELS");
    const char *hash = NULL;
    if (strcmp(tg_engine_kernels(engine), kernels) == 0) { /* else this machine has none of that name */
        tg_run *run = make_run(engine, (const char *)text, dataset, NULL);
        train_steps(run, STEPS);
        hash = hash_of(run);
        tg_run_destroy(run);
    }
    tg_engine_destroy(engine);
    free(text);
    return hash;
}

static void the_set_is_the_pinned_one(void **state) {
    (void)state;
    tg_dataset *made = make_set(), *opened = open_set();
    assert_string_equal(tg_dataset_sha256(opened), pinned_text(pinned, "dataset_sha256"));
    assert_string_equal(tg_dataset_sha256(made), pinned_text(pinned, "dataset_sha256"));
    tg_dataset_destroy(made);
    tg_dataset_destroy(opened);
}

static void every_recipe_ends_at_its_hash(const char *kernels, size_t threads) {
    tg_dataset *dataset = open_set();
    for (size_t i = 0; i < NAMES; i++) {
        const char *hash = hash_after_training(names[i], dataset, threads, kernels);
        if (!hash) {
            tg_dataset_destroy(dataset);
            skip();
        }
        if (strcmp(hash, pinned_text(cJSON_GetObjectItem(pinned, "hashes"), names[i])) != 0)
            fail_msg("%s with %s kernels and %zu threads ends at %s", names[i], kernels, threads, hash);
    }
    tg_dataset_destroy(dataset);
}

static void scalar(void **state) {
    (void)state;
    every_recipe_ends_at_its_hash("scalar", 1);
}

static void sse2(void **state) {
    (void)state;
    every_recipe_ends_at_its_hash("sse2", 1);
}

static void avx2(void **state) {
    (void)state;
    every_recipe_ends_at_its_hash("avx2", 1);
}

static void avx512(void **state) {
    (void)state;
    every_recipe_ends_at_its_hash("avx512", 1);
}

static void neon(void **state) {
    (void)state;
    every_recipe_ends_at_its_hash("neon", 1);
}

static void two_threads(void **state) {
    (void)state;
    tg_engine *engine = make_engine(1);
    char kernels[16];
    snprintf(kernels, sizeof kernels, "%s", tg_engine_kernels(engine));
    tg_engine_destroy(engine);
    every_recipe_ends_at_its_hash(kernels, 2);
}

static void three_threads(void **state) {
    (void)state;
    every_recipe_ends_at_its_hash("scalar", 3);
}

/* ---- writing the fixtures: TG_PIN=1 -------------------------------------------------------------------- */

static void write_bytes(const char *name, const void *head, size_t head_size, const void *data, size_t size) {
    char path[512];
    snprintf(path, sizeof path, PINNED "%s", name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(head, 1, head_size, file), head_size);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void pin(void **state) {
    (void)state;
    tg_dataset *dataset = make_set();
    const uint8_t images_head[] = {0, 0, 8, 3, 0, 0, 0, COUNT, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
    const uint8_t labels_head[] = {0, 0, 8, 1, 0, 0, 0, COUNT};
    uint8_t labels[COUNT];
    for (size_t i = 0; i < COUNT; i++) labels[i] = (uint8_t)tg_dataset_labels(dataset)[i];
    write_bytes("images", images_head, sizeof images_head, tg_dataset_pixels(dataset), COUNT * SIDE * SIDE);
    write_bytes("labels", labels_head, sizeof labels_head, labels, sizeof labels);
    char text[1024];
    int used =
        snprintf(text, sizeof text, "{\n  \"steps\": %d,\n  \"dataset_sha256\": \"%s\",\n  \"hashes\": {\n",
                 STEPS, tg_dataset_sha256(dataset));
    for (size_t i = 0; i < NAMES; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "    \"%s\": \"%s\"%s\n", names[i],
                         hash_after_training(names[i], dataset, 1, "scalar"), i + 1 < NAMES ? "," : "");
    used += snprintf(text + used, sizeof text - (size_t)used, "  }\n}\n");
    write_bytes("hashes.json", text, (size_t)used, "", 0);
    tg_dataset_destroy(dataset);
}

int main(void) {
    if (getenv("TG_PIN")) {
        const struct CMUnitTest writing[] = {cmocka_unit_test(pin)};
        return cmocka_run_group_tests(writing, NULL, NULL);
    }
    size_t size;
    uint8_t *text = read_whole_file(PINNED "hashes.json", &size);
    pinned = text ? cJSON_Parse((const char *)text) : NULL;
    free(text);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_set_is_the_pinned_one),
        cmocka_unit_test(scalar),
        cmocka_unit_test(sse2),
        cmocka_unit_test(avx2),
        cmocka_unit_test(avx512),
        cmocka_unit_test(neon),
        cmocka_unit_test(two_threads),
        cmocka_unit_test(three_threads),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cJSON_Delete(pinned);
    return failed;
}
