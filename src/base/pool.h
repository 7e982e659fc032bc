/* Threads behind one loop, with a serial twin (pool_pthread.c, pool_serial.c: same API). */
#ifndef TG_BASE_POOL_H
#define TG_BASE_POOL_H

#include "base/status.h"

#define TG_MAX_THREADS 64

typedef struct tg_pool tg_pool;

/* threads: the caller's counts as one. */
tg_status tg_pool_create(size_t threads, tg_pool **out, tg_error *err);
void tg_pool_destroy(tg_pool *pool);
size_t tg_pool_threads(const tg_pool *pool); /* NULL: 1 */

/* From now on the caller works alone, and all others sleep, until this is taken back. NULL: it does so anyway. */
void tg_pool_rest(tg_pool *pool, bool rest);

/* Runs fn(ctx, i, thread) for every i in [0, n), any order, any thread, and returns when all are done. fn
 * writes only what belongs to i; `thread` (0..threads-1) names scratch memory that is its own while fn runs,
 * and must not influence results. Without a pool, on this thread, which is then number 0. Not reentrant:
 * inside a loop there is no pool. Workers spin briefly between loops, then sleep; no lock
 * while they are awake. */
void tg_parallel_for(tg_pool *pool, size_t n, void (*fn)(void *ctx, size_t i, size_t thread), void *ctx);

#endif
