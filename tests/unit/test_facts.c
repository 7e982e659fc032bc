/* What is said of a set, parts of it, and an import that runs out of memory anywhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "support/importing.h"

enum { COUNT = 40, CLASSES = 4 };

/* Sample i is i; every tenth is of class 3, the others take turns. */
static tg_dataset *make_set(void) {
    tg_dataset *set;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_U8, 1, 1, 1, COUNT, CLASSES, false, &set, &err));
    for (size_t i = 0; i < COUNT; i++) {
        ((uint8_t *)set->pixels)[i] = (uint8_t)i;
        set->labels[i] = (int32_t)(i % 10 == 0 ? 3 : i % 3);
    }
    ASSERT_OK(tg_dataset_check(set, "set", &err));
    return set;
}

static void counts_and_range(void **state) {
    (void)state;
    tg_dataset *set = make_set();
    size_t counts[CLASSES];
    double range[2];
    tg_dataset_class_counts(set, counts);
    tg_dataset_range(set, range);
    assert_int_equal(counts[0] + counts[1] + counts[2], 36);
    assert_int_equal(counts[3], 4);
    assert_float_equal(range[0], 0, 0);
    assert_float_equal(range[1], COUNT - 1, 0);
    tg_dataset_destroy(set);
}

static void a_subset_takes_samples_in_any_order(void **state) {
    (void)state;
    tg_dataset *set = make_set(), *part;
    tg_error err;
    ASSERT_OK(tg_dataset_set_classes(set, CLASSES, (const char *const[]){"a", "b", "c", "d"}, &err));
    ASSERT_OK(tg_dataset_subset(set, (uint32_t[]){30, 2, 2}, 3, &part, &err));
    assert_memory_equal(part->pixels, ((uint8_t[]){30, 2, 2}), 3);
    assert_memory_equal(part->labels, ((int32_t[]){3, 2, 2}), 3 * sizeof(int32_t));
    assert_string_equal(tg_dataset_class_name(part, 3), "d");
    tg_dataset_destroy(part);
    ASSERT_FAILS(tg_dataset_subset(set, (uint32_t[]){40}, 1, &part, &err), TG_E_ARGUMENT,
                 "there is no sample 40; they go from 0 to 39");
    assert_null(part);
    tg_dataset_destroy(set);
}

static void a_split_loses_nothing_and_follows_the_seed(void **state) {
    (void)state;
    tg_dataset *set = make_set(), *rest[2], *held[2];
    tg_error err;
    for (size_t i = 0; i < 2; i++) {
        ASSERT_OK(tg_dataset_split(set, 0.25, 7, i == 1, &rest[i], &held[i], &err));
        assert_int_equal(rest[i]->count, 30);
        assert_int_equal(held[i]->count, 10);
        bool seen[COUNT] = {false};
        for (size_t k = 0; k < 30; k++) seen[((uint8_t *)rest[i]->pixels)[k]] = true;
        for (size_t k = 0; k < 10; k++) assert_false(seen[((uint8_t *)held[i]->pixels)[k]]);
    }
    size_t counts[CLASSES];
    tg_dataset_class_counts(held[1], counts);
    assert_memory_equal(counts, ((size_t[]){3, 3, 3, 1}), sizeof counts); /* a quarter of each class */
    tg_dataset *again[2], *other[2];
    ASSERT_OK(tg_dataset_split(set, 0.25, 7, false, &again[0], &again[1], &err));
    ASSERT_OK(tg_dataset_split(set, 0.25, 8, false, &other[0], &other[1], &err));
    assert_memory_equal(again[1]->pixels, held[0]->pixels, 10);
    assert_memory_not_equal(other[1]->pixels, held[0]->pixels, 10);
    for (size_t i = 0; i < 2; i++) {
        tg_dataset_destroy(rest[i]);
        tg_dataset_destroy(held[i]);
        tg_dataset_destroy(again[i]);
        tg_dataset_destroy(other[i]);
    }
    ASSERT_FAILS(tg_dataset_split(set, 1, 7, false, &rest[0], &held[0], &err), TG_E_ARGUMENT,
                 "the fraction must lie between 0 and 1, not be 1");
    tg_dataset_destroy(set);
}

static void duplicates_are_found_by_their_pixels(void **state) {
    (void)state;
    tg_dataset *set = make_set(), *part;
    tg_error err;
    uint32_t pairs[2][2];
    size_t count;
    ASSERT_OK(tg_dataset_subset(set, (uint32_t[]){30, 2, 5}, 3, &part, &err));
    ((uint8_t *)part->pixels)[1] = 200;
    ASSERT_OK(tg_dataset_duplicates(set, part, pairs, 2, &count, &err));
    assert_int_equal(count, 2);
    assert_memory_equal(pairs, ((uint32_t[2][2]){{30, 0}, {5, 2}}), sizeof pairs);
    tg_dataset_destroy(part);
    tg_dataset_destroy(set);
}

/* ---- memory --------------------------------------------------------------------------------------------- */

static tg_status import_everything(tg_error *err) {
    static const struct {
        const char *name, *data;
        size_t size;
    } files[] = {{"train.csv", "label,a,b\ncat,1,2\ndog,3,444\n", 27},
                 {"test.csv", "label,a,b\ndog,1,\"2\"\n", 20},
                 {"train-images", "\0\0\10\3\0\0\0\1\0\0\0\1\0\0\0\1x", 17},
                 {"train-labels", "\0\0\10\1\0\0\0\1\0", 9},
                 {"train_files.txt", "b/2.png\n", 8},
                 {"bad.npy", "\223NUMPY", 6}};
    tg_import *import = NULL;
    tg_dataset *train = NULL, *test = NULL;
    tg_status status = tg_import_create(NULL, inflate_with_zlib, NULL, &import, err);
    for (size_t i = 0; status == TG_OK && i < sizeof files / sizeof *files; i++)
        status = tg_import_file(
            import, (tg_bytes){files[i].name, (const uint8_t *)files[i].data, files[i].size}, err);
    if (status == TG_OK) status = tg_import_picture(import, "a/1.png", 1, 1, 1, (const uint8_t[]){1}, err);
    if (status == TG_OK)
        status = tg_import_picture(import, "b/2.png", 2, 1, 3, (const uint8_t[]){1, 2, 3, 4, 5, 6}, err);
    if (status == TG_OK) status = tg_import_finish(import, &train, &test, err);
    tg_dataset_destroy(train);
    tg_dataset_destroy(test);
    tg_import_destroy(import);
    return status;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    for (size_t successes = 0;; successes++) {
        tg_error err = {0};
        begin_allocations(successes);
        tg_status status = import_everything(&err);
        bool failed = allocation_failed();
        if (live_allocations()) fail_msg("allocation %zu: %zu were not freed", successes, live_allocations());
        end_allocations();
        assert_true(status == TG_OK || (status == TG_E_MEMORY && err.what[0]));
        if (!failed) {
            assert_int_equal(status, TG_OK);
            assert_true(successes > 50);
            break;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_range),
        cmocka_unit_test(a_subset_takes_samples_in_any_order),
        cmocka_unit_test(a_split_loses_nothing_and_follows_the_seed),
        cmocka_unit_test(duplicates_are_found_by_their_pixels),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
