/* Any bytes given as a checkpoint: a sentence, or a run that predicts, trains on, is saved and loaded again.
 */
#include "fuzz_recipe.h"

/* {"recipe": .., "history": .., "classes": ..} from the metadata, as a host puts it together. */
static tg_attrs *read_document(const tg_checkpoint *checkpoint) {
    static const char *const keys[] = {"recipe", "history", "classes"};
    tg_attrs *attrs = NULL;
    bool good = tg_attrs_create(&attrs, NULL) == TG_OK;
    for (size_t i = 0; i < 3 && good; i++) {
        const char *text = tg_checkpoint_metadata(checkpoint, keys[i]);
        cJSON *json = text ? cJSON_Parse(text) : NULL;
        if (json) good = walk_json(attrs, keys[i], json) == TG_OK;
        cJSON_Delete(json);
    }
    if (good) return attrs;
    tg_attrs_destroy(attrs);
    return NULL;
}

static tg_run *load(tg_engine *engine, tg_bytes file, tg_dataset *train) {
    tg_checkpoint *checkpoint = NULL;
    tg_run *run = NULL;
    tg_error err = {0};
    tg_status status = tg_checkpoint_open(file, &checkpoint, &err);
    REQUIRE((status == TG_OK) == (checkpoint != NULL));
    tg_attrs *document = checkpoint ? read_document(checkpoint) : NULL;
    if (document) {
        status = tg_run_load(engine, checkpoint, document, train, NULL, &run, &err);
        REQUIRE((status == TG_OK) == (run != NULL));
    }
    REQUIRE(status == TG_OK || (err.status == status && err.what[0]));
    tg_attrs_destroy(document);
    tg_checkpoint_destroy(checkpoint);
    return run;
}

/* What is saved is a checkpoint with the same parameters. */
static void round_trip(tg_engine *engine, tg_run *run, tg_dataset *data) {
    uint8_t *bytes;
    size_t size;
    char hash[65], hash_again[65];
    if (tg_run_save(run, false, &bytes, &size, NULL) != TG_OK) return; /* out of memory */
    tg_run *again = load(engine, (tg_bytes){"again", bytes, size}, data);
    if (again) {
        tg_run_hash(run, hash);
        tg_run_hash(again, hash_again);
        REQUIRE(strcmp(hash, hash_again) == 0);
    }
    tg_run_destroy(again);
    tg_free(bytes);
}

static void use(tg_engine *engine, tg_run *run, tg_dataset *data) {
    tg_progress progress;
    tg_evaluation evaluation;
    for (int step = 0; step < 3; step++)
        if (tg_run_train(run, 1, NULL, NULL, NULL, 0, NULL, &progress, NULL) != TG_OK) break;
    if (tg_run_evaluate_begin(run, data, NULL) == TG_OK)
        REQUIRE(tg_run_evaluate(run, NULL, NULL, &evaluation, NULL) == TG_OK);
    round_trip(engine, run, data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    tg_engine *engine = NULL;
    tg_bytes file = {"input", data, size};
    limit_memory();
    REQUIRE(tg_engine_create(1, &engine, NULL) == TG_OK);
    tg_run *run = load(engine, file, NULL);
    if (run) {
        tg_dataset *samples = make_data(run);
        tg_run *trainable = samples ? load(engine, file, samples) : NULL;
        if (trainable) use(engine, trainable, samples);
        tg_run_destroy(trainable);
        tg_dataset_destroy(samples);
    }
    tg_run_destroy(run);
    tg_engine_destroy(engine);
    REQUIRE(live_bytes == 0);
    return 0;
}
