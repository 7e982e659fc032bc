#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"
#include "base/rng.h"

enum { LARGEST = 1000 };

typedef struct visits {
    uint32_t count[LARGEST]; /* plain: the pool alone keeps threads apart */
    uint32_t value;
    size_t threads;
    _Atomic bool busy[TG_MAX_THREADS];
    _Atomic uint32_t wrong;
} visits;

static void count_to(uint32_t rounds) {
    volatile uint32_t count = 0;
    while (count < rounds) count++;
}

static void visit(void *ctx, size_t i, size_t thread) {
    visits *v = ctx;
    /* Two indices at a time in one thread's scratch memory? */
    if (thread >= v->threads || atomic_exchange(&v->busy[thread], true)) v->wrong++;
    v->count[i] += v->value;
    count_to(v->value % 3 * 200);
    v->busy[thread] = false;
}

static tg_pool *pool_of(size_t threads) {
    tg_pool *pool;
    tg_error err;
    if (tg_pool_create(threads, &pool, &err) != TG_OK) return NULL;
    assert_int_equal(tg_pool_threads(pool), threads);
    return pool;
}

/* Loops of all sizes in a row, so quick that workers still look at the last one when the next begins. */
static void every_index_is_visited_once(void **state) {
    (void)state;
    for (size_t threads = 1; threads <= 4; threads++) {
        tg_pool *pool = pool_of(threads);
        if (!pool) skip(); /* a build without threads */
        visits *v = calloc(1, sizeof *v);
        assert_non_null(v);
        v->threads = threads;
        tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
        for (uint32_t loop = 1; loop <= 3000; loop++) {
            size_t n = tg_rng_below(&rng, loop % 10 ? 12 : LARGEST);
            memset(v->count, 0, sizeof v->count);
            v->value = loop;
            tg_parallel_for(pool, n, visit, v);
            for (size_t i = 0; i < LARGEST; i++) assert_int_equal(v->count[i], i < n ? loop : 0);
        }
        assert_int_equal(v->wrong, 0);
        free(v);
        tg_pool_destroy(pool);
    }
}

static void wait_long(void *ctx, size_t i, size_t thread) {
    (void)i;
    (void)thread;
    count_to(2000000);
    atomic_fetch_add((_Atomic uint32_t *)ctx, 1);
}

/* Long serial stretches send the workers to sleep, long indices the caller. */
static void sleepers_are_woken(void **state) {
    (void)state;
    tg_pool *pool = pool_of(3);
    if (!pool) skip();
    _Atomic uint32_t done = 0;
    for (uint32_t loop = 1; loop <= 20; loop++) {
        tg_parallel_for(pool, 3, wait_long, &done);
        assert_int_equal(done, 3 * loop);
        _Atomic uint32_t alone = 0;
        wait_long(&alone, 0, 0);
    }
    tg_pool_destroy(pool);
}

static void add_thread(void *ctx, size_t i, size_t thread) {
    (void)i;
    atomic_fetch_add((_Atomic size_t *)ctx, thread);
}

static void while_it_rests_the_caller_works_alone(void **state) {
    (void)state;
    tg_pool *pool = pool_of(3);
    if (!pool) skip();
    _Atomic uint32_t done = 0;
    _Atomic size_t threads = 0;
    tg_pool_rest(pool, true);
    for (int loop = 0; loop < 1000; loop++) tg_parallel_for(pool, 12, add_thread, &threads);
    assert_int_equal(threads, 0);
    assert_int_equal(tg_pool_threads(pool), 3);
    tg_pool_rest(pool, false);
    for (int loop = 0; loop < 20; loop++) {
        tg_parallel_for(pool, 12, wait_long, &done);
        tg_parallel_for(pool, 12, add_thread, &threads);
    }
    assert_int_equal(done, 20 * 12);
    assert_true(threads > 0);
    tg_pool_destroy(pool);
    tg_pool_rest(NULL, true);
}

static void pools_come_and_go(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        tg_pool *pool = pool_of(4);
        if (!pool) skip();
        if (i % 2) {
            _Atomic uint32_t done = 0;
            tg_parallel_for(pool, 0, wait_long, &done);
            assert_int_equal(done, 0);
        }
        tg_pool_destroy(pool);
    }
    tg_pool_destroy(NULL);
}

static void an_impossible_count_is_refused(void **state) {
    (void)state;
    tg_pool *pool;
    tg_error err;
    assert_int_equal(tg_pool_create(0, &pool, &err), TG_E_ARGUMENT);
    assert_null(pool);
    assert_int_equal(tg_pool_create(TG_MAX_THREADS + 1, &pool, &err), TG_E_ARGUMENT);
    assert_null(pool);
    assert_non_null(strstr(err.what, "65"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_is_visited_once),           cmocka_unit_test(sleepers_are_woken),
        cmocka_unit_test(while_it_rests_the_caller_works_alone), cmocka_unit_test(pools_come_and_go),
        cmocka_unit_test(an_impossible_count_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
