#include "base/pool.h"

#ifdef TG_THREADS

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/memory.h"

/* How often a waiting thread looks before it sleeps. A worker: some 200 microseconds, longer than the serial stretches
 * inside a step, because being woken takes tens of them. The caller, who waits for items that others have begun: 50, as
 * whoever has one may have lost its core. Where there is no pause instruction, as in WebAssembly, a look is shorter. */
#if defined(__x86_64__)
enum { WORKER_LOOKS = 8000, CALLER_LOOKS = 2000 };
#define PAUSE() __builtin_ia32_pause()
#else
enum { WORKER_LOOKS = 200000, CALLER_LOOKS = 50000 };
#define PAUSE() ((void)0)
#endif

/* Every thread has a share of a loop: indices that lie together, so that whoever works on the same data loop after loop
 * finds them in the caches of its core. A share is one word: the loop's generation above, the number of indices not
 * handed out yet below. A thread takes an index by counting a word down, first that of its own share, then those of the
 * others, so it can only ever take one of the loop that is running; what else there is to know (fn, ctx, n) it reads
 * after that. The loop is over when `finished` has reached n. Hence nobody waits for a thread that sleeps or was never
 * scheduled: whoever is awake does the work. */
typedef struct share {
    _Alignas(TG_ALIGNMENT) _Atomic uint64_t word;
} share;

struct tg_pool {
    size_t threads;
    size_t started; /* of the threads - 1 workers */
    bool rests;
    pthread_t worker[TG_MAX_THREADS];

    void (*fn)(void *ctx, size_t i, size_t thread);
    void *ctx;
    uint32_t n, generation;
    share shares[TG_MAX_THREADS];
    _Alignas(TG_ALIGNMENT) _Atomic uint32_t finished;

    _Alignas(TG_ALIGNMENT) _Atomic uint32_t sleeping_workers;
    _Atomic bool caller_sleeps;
    _Atomic bool stop;
    pthread_mutex_t mutex;
    pthread_cond_t wake_workers;
    pthread_cond_t wake_caller;
    _Atomic uint32_t next_thread; /* numbers the workers as they start */
};

static uint32_t left(uint64_t word) {
    return (uint32_t)word;
}

/* Where the share of a thread ends; it begins where the one before ends. */
static uint32_t share_end(const tg_pool *pool, size_t thread) {
    return (uint32_t)((uint64_t)pool->n * (thread + 1) / pool->threads);
}

/* Runs indices of a share until none is left. */
static void work_on(tg_pool *pool, share *from, size_t whose, size_t thread) {
    uint64_t word = atomic_load(&from->word);
    while (left(word) > 0) {
        if (!atomic_compare_exchange_weak(&from->word, &word, word - 1)) continue;
        uint32_t n = pool->n;
        pool->fn(pool->ctx, share_end(pool, whose) - left(word), thread);
        if (atomic_fetch_add(&pool->finished, 1) + 1 == n && atomic_load(&pool->caller_sleeps)) {
            pthread_mutex_lock(&pool->mutex);
            pthread_cond_signal(&pool->wake_caller);
            pthread_mutex_unlock(&pool->mutex);
        }
        word = atomic_load(&from->word);
    }
}

static void work(tg_pool *pool, size_t thread) {
    for (size_t i = 0; i < pool->threads; i++) {
        size_t whose = (thread + i) % pool->threads;
        work_on(pool, &pool->shares[whose], whose, thread);
    }
}

static bool some_left(tg_pool *pool) {
    bool some = false;
    for (size_t i = 0; i < pool->threads && !some; i++) some = left(atomic_load(&pool->shares[i].word)) > 0;
    return some;
}

static bool worker_has_reason(tg_pool *pool) {
    return some_left(pool) || atomic_load(&pool->stop);
}

static void *worker_main(void *argument) {
    tg_pool *pool = argument;
    size_t thread = 1 + atomic_fetch_add(&pool->next_thread, 1);
    while (!atomic_load(&pool->stop)) {
        work(pool, thread);
        for (int i = 0; i < WORKER_LOOKS && !worker_has_reason(pool); i++) PAUSE();
        if (worker_has_reason(pool)) continue;
        /* Announce the sleep, then look once more: who publishes a loop looks for announcements after. */
        pthread_mutex_lock(&pool->mutex);
        atomic_fetch_add(&pool->sleeping_workers, 1);
        while (!worker_has_reason(pool)) pthread_cond_wait(&pool->wake_workers, &pool->mutex);
        atomic_fetch_sub(&pool->sleeping_workers, 1);
        pthread_mutex_unlock(&pool->mutex);
    }
    return NULL;
}

static void wake_workers(tg_pool *pool) {
    if (atomic_load(&pool->sleeping_workers) == 0) return;
    pthread_mutex_lock(&pool->mutex);
    pthread_cond_broadcast(&pool->wake_workers);
    pthread_mutex_unlock(&pool->mutex);
}

static void wait_until_finished(tg_pool *pool, uint32_t n) {
    for (int i = 0; i < CALLER_LOOKS; i++) {
        if (atomic_load(&pool->finished) == n) return;
        PAUSE();
    }
    pthread_mutex_lock(&pool->mutex);
    atomic_store(&pool->caller_sleeps, true);
    while (atomic_load(&pool->finished) != n) pthread_cond_wait(&pool->wake_caller, &pool->mutex);
    atomic_store(&pool->caller_sleeps, false);
    pthread_mutex_unlock(&pool->mutex);
}

void tg_parallel_for(tg_pool *pool, size_t n, void (*fn)(void *ctx, size_t i, size_t thread), void *ctx) {
    assert(n <= UINT32_MAX);
    if (n <= 1 || tg_pool_threads(pool) == 1 || pool->rests) {
        for (size_t i = 0; i < n; i++) fn(ctx, i, 0);
        return;
    }
    pool->fn = fn;
    pool->ctx = ctx;
    pool->n = (uint32_t)n;
    atomic_store(&pool->finished, 0);
    uint64_t generation = ++pool->generation;
    for (size_t i = 0, begin = 0; i < pool->threads; begin = share_end(pool, i++))
        atomic_store(&pool->shares[i].word, generation << 32 | (share_end(pool, i) - begin));
    wake_workers(pool);
    work(pool, 0);
    wait_until_finished(pool, (uint32_t)n);
}

size_t tg_pool_threads(const tg_pool *pool) {
    return pool ? pool->threads : 1;
}

void tg_pool_rest(tg_pool *pool, bool rest) {
    if (pool) pool->rests = rest;
}

tg_status tg_pool_create(size_t threads, tg_pool **out, tg_error *err) {
    *out = NULL;
    TG_REQUIRE(err, threads >= 1 && threads <= TG_MAX_THREADS, TG_E_ARGUMENT, "%zu threads: ask for 1 to %d",
               threads, TG_MAX_THREADS);
    tg_pool *pool = tg_allocate_zeroed(sizeof *pool);
    TG_REQUIRE(err, pool, TG_E_MEMORY, "no memory for the thread pool");
    pool->threads = threads;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->wake_workers, NULL);
    pthread_cond_init(&pool->wake_caller, NULL);
    while (pool->started < threads - 1) {
        if (pthread_create(&pool->worker[pool->started], NULL, worker_main, pool) != 0) {
            size_t refused = pool->started + 2; /* the caller's is the first */
            tg_pool_destroy(pool);
            return tg_fail(err, TG_E_MEMORY, "the system refused thread %zu of %zu: ask for fewer", refused,
                           threads);
        }
        pool->started++;
    }
    *out = pool;
    return TG_OK;
}

void tg_pool_destroy(tg_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->stop, true);
    wake_workers(pool);
    for (size_t i = 0; i < pool->started; i++) pthread_join(pool->worker[i], NULL);
    pthread_cond_destroy(&pool->wake_caller);
    pthread_cond_destroy(&pool->wake_workers);
    pthread_mutex_destroy(&pool->mutex);
    tg_free(pool);
}

#endif
