#include "base/memory.h"
#include "train/run.h"

tg_status tg_engine_create(size_t threads, tg_engine **out, tg_error *err) {
    *out = tg_allocate_zeroed(sizeof **out);
    TG_REQUIRE(err, *out, TG_E_MEMORY, "no memory left for the engine");
    (*out)->parts.kernels = tg_kernels_choose();
    tg_status status = tg_pool_create(threads, &(*out)->parts.pool, err);
    if (status == TG_OK) return TG_OK;
    tg_free(*out);
    *out = NULL;
    return status;
}

tg_status tg_engine_fuse(tg_engine *engine, tg_error *err) {
    const tg_kernels *fused = tg_kernels_choose_fused();
    TG_REQUIRE(err, fused, TG_E_ARGUMENT,
               "\"fast\" needs a processor that fuses multiplications with additions; use \"exact\"");
    engine->parts.kernels = fused;
    return TG_OK;
}

void tg_engine_destroy(tg_engine *engine) {
    if (!engine) return;
    tg_pool_destroy(engine->parts.pool);
    tg_free(engine);
}

static void hash_dataset(void *datasets, size_t i, size_t thread) {
    (void)thread;
    tg_dataset *dataset = ((tg_dataset **)datasets)[i];
    if (dataset) tg_dataset_sha256(dataset);
}

void tg_engine_hash_datasets(tg_engine *engine, tg_dataset *first, tg_dataset *second) {
    tg_dataset *both[] = {first, second};
    tg_parallel_for(engine->parts.pool, 2, hash_dataset, both);
}

size_t tg_engine_threads(const tg_engine *engine) {
    return tg_pool_threads(engine->parts.pool);
}

const char *tg_engine_kernels(const tg_engine *engine) {
    return engine->parts.kernels->name;
}
