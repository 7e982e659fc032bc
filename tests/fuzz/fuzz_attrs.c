/* Any recipe: a sentence, or a run whose filled-in recipe makes the same run again, and that trains. */
#include "fuzz_recipe.h"

/* The members of the JSON object `text`; NULL where it is none or no attributes can be made of it. */
static tg_attrs *read_attrs(const char *text, size_t size) {
    cJSON *json = cJSON_ParseWithLength(text, size);
    tg_attrs *attrs = NULL;
    bool good = cJSON_IsObject(json) && tg_attrs_create(&attrs, NULL) == TG_OK;
    for (const cJSON *item = good ? json->child : NULL; item && good; item = item->next)
        good = walk_json(attrs, item->string, item) == TG_OK;
    cJSON_Delete(json);
    if (good) return attrs;
    tg_attrs_destroy(attrs);
    return NULL;
}

static tg_run *create(tg_engine *engine, const tg_attrs *recipe, tg_dataset *train) {
    tg_run *run = NULL;
    tg_error err = {0};
    tg_status status = tg_run_create(engine, recipe, train, NULL, &run, &err);
    REQUIRE((status == TG_OK) == (run != NULL));
    REQUIRE(status == TG_OK || (err.status == status && err.what[0]));
    return run;
}

/* The recipe with every default filled in means the same. */
static void again_from_its_own_recipe(tg_engine *engine, tg_run *run) {
    const char *text, *text_again;
    char hash[65], hash_again[65];
    if (tg_run_recipe_json(run, &text, NULL) != TG_OK) return; /* out of memory */
    tg_attrs *recipe = read_attrs(text, strlen(text));
    tg_run *again = recipe ? create(engine, recipe, NULL) : NULL;
    if (again && tg_run_recipe_json(again, &text_again, NULL) == TG_OK) {
        tg_run_hash(run, hash);
        tg_run_hash(again, hash_again);
        REQUIRE(strcmp(hash, hash_again) == 0);
        REQUIRE(strcmp(text, text_again) == 0);
    }
    tg_run_destroy(again);
    tg_attrs_destroy(recipe);
}

/* Two steps, so that every kernel sees its shapes forwards and backwards. */
static void train(tg_engine *engine, const tg_attrs *recipe, tg_dataset *data) {
    tg_run *run = create(engine, recipe, data);
    tg_progress progress;
    for (int step = 0; run && step < 2; step++) {
        tg_status status = tg_run_train(run, 1, NULL, NULL, NULL, 0, NULL, &progress, NULL);
        REQUIRE(status == TG_OK || status == TG_E_DIVERGED);
        if (status != TG_OK) break;
    }
    float *outputs = run ? malloc(3 * tg_run_outputs(run) * sizeof *outputs) : NULL;
    if (outputs) REQUIRE(tg_run_predict(run, TG_U8, tg_dataset_pixels(data), 3, outputs, NULL) == TG_OK);
    free(outputs);
    tg_run_destroy(run);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    tg_attrs *recipe = NULL;
    tg_engine *engine = NULL;
    limit_memory();
    if (size) recipe = read_attrs((const char *)data, size);
    if (recipe) REQUIRE(tg_engine_create(1, &engine, NULL) == TG_OK);
    tg_run *run = recipe ? create(engine, recipe, NULL) : NULL;
    if (run) {
        again_from_its_own_recipe(engine, run);
        tg_dataset *samples = make_data(run);
        if (samples) train(engine, recipe, samples);
        tg_dataset_destroy(samples);
    }
    tg_run_destroy(run);
    tg_engine_destroy(engine);
    tg_attrs_destroy(recipe);
    REQUIRE(live_bytes == 0);
    return 0;
}
