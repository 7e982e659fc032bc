/* The gradients of every ready recipe against central differences, in double, on sampled parameters: the
 * recipe as it stands, but for what hangs on the size of its real data. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { SAMPLES = 24, BATCH = 2, PER_TENSOR = 4, COMPONENTS = 8, MOST_RECIPES = 64 };

/* ---- a recipe made fit for a few made-up pictures -------------------------------------------------------- */

static cJSON *read_recipe(const char *path) {
    size_t size;
    char *text = (char *)read_whole_file(path, &size);
    assert_non_null(text);
    cJSON *recipe = cJSON_Parse(text);
    free(text);
    assert_non_null(recipe);
    return recipe;
}

static void replace_number(cJSON *object, const char *key, double value) {
    cJSON_DeleteItemFromObjectCaseSensitive(object, key);
    cJSON_AddNumberToObject(object, key, value);
}

/* So few samples differ in few directions only. */
static void shrink_pca(cJSON *recipe) {
    cJSON *model = cJSON_GetObjectItemCaseSensitive(recipe, "model"), *step;
    cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(recipe, "preprocess")) {
        if (!cJSON_GetObjectItemCaseSensitive(step, "components")) continue;
        replace_number(step, "components", COMPONENTS);
        cJSON_DeleteItemFromObjectCaseSensitive(model, "input");
        cJSON_AddItemToObject(model, "input", cJSON_CreateIntArray((const int[]){COMPONENTS}, 1));
    }
}

/* A sum of squares in the hundreds would drown the differences in its own rounding. */
static void unweigh_losses(cJSON *recipe) {
    cJSON *loss;
    cJSON_ArrayForEach(loss, cJSON_GetObjectItemCaseSensitive(recipe, "losses"))
        replace_number(loss, "weight", 1);
}

/* Height, width, channels of a sample: what the recipe says of its data, else of its input. */
static void data_shape(const cJSON *recipe, size_t shape[3]) {
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(recipe, "model");
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(recipe, "data");
    const cJSON *sizes = cJSON_GetObjectItemCaseSensitive(data, "shape");
    if (!sizes) sizes = cJSON_GetObjectItemCaseSensitive(model, "input");
    int count = cJSON_GetArraySize(sizes);
    for (int i = 0; i < 3; i++) shape[i] = 1;
    for (int i = 0; i < count; i++) shape[i + 3 - count] = (size_t)cJSON_GetArrayItem(sizes, i)->valuedouble;
}

static size_t class_count(const cJSON *recipe) {
    const cJSON *model = cJSON_GetObjectItemCaseSensitive(recipe, "model"), *layer;
    size_t classes = 0;
    cJSON_ArrayForEach(layer, cJSON_GetObjectItemCaseSensitive(model, "layers")) {
        const cJSON *units = cJSON_GetObjectItemCaseSensitive(layer, "units");
        if (units) classes = (size_t)units->valuedouble;
    }
    return classes;
}

/* ---- the checks ------------------------------------------------------------------------------------------ */

static void check_recipe(void **state) {
    cJSON *recipe = read_recipe(*state), *data = cJSON_GetObjectItemCaseSensitive(recipe, "data");
    size_t shape[3];
    data_shape(recipe, shape);
    for (size_t i = 0; i < 2; i++)
        cJSON_DeleteItemFromObjectCaseSensitive(data, (const char *[]){"train_size", "validation"}[i]);
    replace_number(recipe, "batch_size", BATCH);
    shrink_pca(recipe);
    unweigh_losses(recipe);
    tg_dataset *set = make_pictures(shape[0], shape[1], shape[2], SAMPLES, class_count(recipe), 7, 0);
    tg_engine *engine = make_engine(1);
    tg_attrs *attrs = attrs_of(recipe);
    tg_run *run;
    tg_gradcheck found;
    tg_error err;
    ASSERT_OK(tg_run_create(engine, attrs, set, NULL, &run, &err));
    ASSERT_OK(tg_run_gradcheck_begin(run, PER_TENSOR, &err));
    ASSERT_OK(tg_run_gradcheck(run, NULL, NULL, &found, &err));
    if (found.worst >= 1e-7)
        fail_msg("%s: off by %.2g at %s[%zu]", (const char *)*state, found.worst, found.parameter,
                 found.index);
    assert_true(2 * found.skipped <= found.checked); /* the zeros of mnist-zeros lie on a kink */
    tg_run_destroy(run);
    tg_attrs_destroy(attrs);
    tg_engine_destroy(engine);
    tg_dataset_destroy(set);
    cJSON_Delete(recipe);
}

/* Adds a test for every JSON file in the folder. */
static size_t list_recipes(const char *folder, struct CMUnitTest *tests, size_t count) {
    DIR *directory = opendir(folder);
    if (!directory) return count;
    for (const struct dirent *entry; (entry = readdir(directory)) && count < MOST_RECIPES;) {
        const char *ending = strrchr(entry->d_name, '.');
        if (!ending || strcmp(ending, ".json") != 0) continue;
        size_t size = strlen(folder) + strlen(entry->d_name) + 2;
        char *path = malloc(size);
        snprintf(path, size, "%s/%s", folder, entry->d_name);
        tests[count++] = (struct CMUnitTest){path, check_recipe, NULL, NULL, path};
    }
    closedir(directory);
    return count;
}

int main(void) {
    static struct CMUnitTest tests[MOST_RECIPES];
    size_t count = list_recipes(TG_RECIPES, tests, 0);
    count = list_recipes(TG_RECIPES "/reports", tests, count);
    int failed = _cmocka_run_group_tests("every ready recipe", tests, count, NULL, NULL);
    for (size_t i = 0; i < count; i++) free(tests[i].initial_state);
    return failed || count == 0;
}
