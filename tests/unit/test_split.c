#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/split.h"
#include "support/check.h"

enum { COUNT = 1000 };

static tg_split make(uint64_t train_size, double validation, uint64_t seed) {
    tg_split split;
    assert_int_equal(tg_split_create(COUNT, train_size, validation, seed, &split, NULL), TG_OK);
    return split;
}

/* Every number below COUNT at most once; the answer is how many there were. */
static size_t count_distinct(const uint32_t *index, size_t count) {
    bool seen[COUNT] = {false};
    size_t distinct = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(index[i] < COUNT);
        if (!seen[index[i]]) distinct++;
        seen[index[i]] = true;
    }
    return distinct;
}

static void everything_is_everything_in_order(void **state) {
    (void)state;
    tg_split split = make(0, 0, 1);
    assert_int_equal(split.train_count, COUNT);
    assert_int_equal(split.validation_count, 0);
    for (size_t i = 0; i < COUNT; i++) assert_int_equal(split.index[i], i);
    tg_split_destroy(&split);
}

static void parts_are_disjoint(void **state) {
    (void)state;
    static const struct {
        uint64_t train_size;
        double validation;
        size_t train, held_out;
    } cases[] = {{0, 0.1, 900, 100}, {500, 0, 500, 0},        {500, 0.25, 375, 125}, {0, 1, 999, 1},
                 {0, 999, 1, 999},   {1000, 0.0004, 1000, 0}, {7, 0.5, 3, 4},        {1, 0, 1, 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tg_split split = make(cases[i].train_size, cases[i].validation, 5);
        assert_int_equal(split.train_count, cases[i].train);
        assert_int_equal(split.validation_count, cases[i].held_out);
        size_t all = cases[i].train + cases[i].held_out;
        assert_int_equal(count_distinct(split.index, all), all);
        tg_split_destroy(&split);
    }
}

static void seed_alone_decides(void **state) {
    (void)state;
    tg_split a = make(600, 0.1, 3), b = make(600, 0.1, 3), c = make(600, 0.1, 4);
    assert_memory_equal(a.index, b.index, 600 * sizeof *a.index);
    assert_memory_not_equal(a.index, c.index, 600 * sizeof *a.index);
    tg_split_destroy(&a);
    tg_split_destroy(&b);
    tg_split_destroy(&c);
}

/* Taking fewer samples for training keeps drawing the same ones first: runs of growing size can be compared.
 */
static void smaller_draw_is_a_beginning_of_the_larger(void **state) {
    (void)state;
    tg_split small = make(100, 0, 9), large = make(400, 0, 9);
    assert_memory_equal(small.index, large.index, 100 * sizeof *small.index);
    tg_split_destroy(&small);
    tg_split_destroy(&large);
}

static void every_epoch_has_every_sample_once_in_its_own_order(void **state) {
    (void)state;
    tg_split split = make(700, 0.1, 2);
    uint32_t first[COUNT], again[COUNT], second[COUNT];
    tg_split_shuffle(&split, 2, 0, first);
    tg_split_shuffle(&split, 2, 1, second);
    tg_split_shuffle(&split, 2, 0, again);
    assert_int_equal(count_distinct(first, 630), 630);
    assert_int_equal(count_distinct(second, 630), 630);
    assert_memory_equal(first, again, 630 * sizeof *first);
    assert_memory_not_equal(first, second, 630 * sizeof *first);
    bool held_out[COUNT] = {false};
    for (size_t i = 0; i < split.validation_count; i++) held_out[split.index[split.train_count + i]] = true;
    for (size_t i = 0; i < split.train_count; i++) assert_false(held_out[first[i]] || held_out[second[i]]);
    tg_split_destroy(&split);
}

static void impossible_splits_are_refused(void **state) {
    (void)state;
    static const struct {
        uint64_t train_size;
        double validation;
        const char *expected;
    } cases[] = {
        {1001, 0, "data: train_size 1001 exceeds the 1000 samples there are"},
        {0, 1000, "data: validation 1000 leaves none of 1000 samples to train on; make it smaller"},
        {10, 20, "data: validation 20 leaves none of 10 samples to train on; make it smaller"},
        {1, 0.5, "data: validation 0.5 leaves none of 1 samples to train on; make it smaller"},
        {0, 1.5, "data: validation must be a fraction below 1 or a whole number of samples, not 1.5"},
        {0, -0.5, "data: validation must be a fraction below 1 or a whole number of samples, not -0.5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tg_split split;
        tg_error err;
        tg_status status = tg_split_create(COUNT, cases[i].train_size, cases[i].validation, 1, &split, &err);
        assert_int_equal(status, TG_E_RECIPE);
        assert_string_equal(sentence(status, &err), cases[i].expected);
        assert_null(split.index);
    }
}

static void lack_of_memory_is_said(void **state) {
    (void)state;
    tg_split split;
    tg_error err;
    begin_allocations(0);
    tg_status status = tg_split_create(COUNT * 1000, 0, 0.1, 1, &split, &err);
    end_allocations();
    assert_int_equal(status, TG_E_MEMORY);
    assert_string_equal(sentence(status, &err),
                        "data: 4.0 MB to number the samples could not be had; use fewer samples");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_is_everything_in_order),
        cmocka_unit_test(parts_are_disjoint),
        cmocka_unit_test(seed_alone_decides),
        cmocka_unit_test(smaller_draw_is_a_beginning_of_the_larger),
        cmocka_unit_test(every_epoch_has_every_sample_once_in_its_own_order),
        cmocka_unit_test(impossible_splits_are_refused),
        cmocka_unit_test(lack_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
