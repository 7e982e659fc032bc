#include "base/pool.h"

#ifndef TG_THREADS

#include "base/memory.h"

struct tg_pool {
    size_t threads;
};

tg_status tg_pool_create(size_t threads, tg_pool **out, tg_error *err) {
    *out = NULL;
    TG_REQUIRE(err, threads == 1, TG_E_ARGUMENT, "this build has no threads: ask for 1, not %zu", threads);
    tg_pool *pool = tg_allocate(sizeof *pool);
    TG_REQUIRE(err, pool, TG_E_MEMORY, "no memory for the thread pool");
    pool->threads = threads;
    *out = pool;
    return TG_OK;
}

void tg_pool_destroy(tg_pool *pool) {
    tg_free(pool);
}

size_t tg_pool_threads(const tg_pool *pool) {
    return pool ? pool->threads : 1;
}

void tg_pool_rest(tg_pool *pool, bool rest) {
    (void)pool;
    (void)rest;
}

void tg_parallel_for(tg_pool *pool, size_t n, void (*fn)(void *ctx, size_t i, size_t thread), void *ctx) {
    (void)pool;
    for (size_t i = 0; i < n; i++) fn(ctx, i, 0);
}

#endif
