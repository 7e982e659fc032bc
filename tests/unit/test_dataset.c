#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "data/dataset.h"
#include "support/check.h"

/* Two samples of 1 x 2 x 1 with the given labels. */
static tg_dataset *two_samples(tg_dtype type, bool soft) {
    tg_dataset *dataset = NULL;
    assert_int_equal(tg_dataset_create(type, 1, 2, 1, 2, 3, soft, &dataset, NULL), TG_OK);
    for (size_t i = 0; i < 4; i++) {
        if (type == TG_U8) ((uint8_t *)tg_dataset_pixels(dataset))[i] = (uint8_t)(10 + i);
        else ((float *)tg_dataset_pixels(dataset))[i] = (float)(10 + i);
    }
    if (soft)
        for (size_t i = 0; i < 6; i++) tg_dataset_targets(dataset)[i] = i % 3 == 1 ? 0.5f : 0.25f;
    else tg_dataset_labels(dataset)[1] = 2;
    return dataset;
}

static void new_set_is_empty_and_named_by_number(void **state) {
    (void)state;
    tg_dataset *dataset = NULL;
    assert_int_equal(tg_dataset_create(TG_U8, 5, 4, 3, 7, 12, false, &dataset, NULL), TG_OK);
    size_t shape[3];
    tg_dataset_shape(dataset, shape);
    assert_int_equal(shape[0], 5);
    assert_int_equal(shape[1], 4);
    assert_int_equal(shape[2], 3);
    assert_int_equal(tg_dataset_count(dataset), 7);
    assert_int_equal(tg_dataset_classes(dataset), 12);
    assert_int_equal(tg_dataset_type(dataset), TG_U8);
    assert_string_equal(tg_dataset_sha256(dataset), "");
    assert_null(tg_dataset_targets(dataset));
    for (size_t i = 0; i < 7; i++) assert_int_equal(tg_dataset_labels(dataset)[i], 0);
    assert_string_equal(tg_dataset_class_name(dataset, 0), "0");
    assert_string_equal(tg_dataset_class_name(dataset, 11), "11");
    assert_null(tg_dataset_class_name(dataset, 12));
    tg_dataset_destroy(dataset);
    tg_dataset_destroy(NULL);
}

static void impossible_sets_are_refused(void **state) {
    (void)state;
    static const struct {
        size_t height, width, channels, count, classes;
        const char *expected;
    } cases[] = {
        {0, 2, 1, 1, 2, "a sample of 0 x 2 x 1 (height, width, channels) is empty; each must be at least 1"},
        {2, 2, 0, 1, 2, "a sample of 2 x 2 x 0 (height, width, channels) is empty; each must be at least 1"},
        {2, 2, 1, 0, 2, "there are no samples; at least one is needed"},
        {2, 2, 1, 1, 0, "0 classes; there must be 1 to 2147483647"},
        {2, 2, 1, 1, (size_t)1 << 31, "2147483648 classes; there must be 1 to 2147483647"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tg_dataset *dataset = NULL;
        tg_error err;
        tg_status status = tg_dataset_create(TG_U8, cases[i].height, cases[i].width, cases[i].channels,
                                             cases[i].count, cases[i].classes, false, &dataset, &err);
        assert_int_equal(status, TG_E_DATA);
        assert_string_equal(sentence(status, &err), cases[i].expected);
        assert_null(dataset);
    }
}

static void sizes_that_overflow_are_refused(void **state) {
    (void)state;
    const size_t half = (size_t)1 << (sizeof(size_t) * 4);
    tg_dataset *dataset = NULL;
    tg_error err;
    assert_int_equal(tg_dataset_create(TG_U8, half, half, 1, 1, 2, false, &dataset, &err), TG_E_MEMORY);
    assert_non_null(strstr(err.what, "does not fit into memory; use a smaller size"));
    assert_int_equal(tg_dataset_create(TG_F32, half, half / 4, 1, 1, 2, false, &dataset, &err), TG_E_MEMORY);
    assert_non_null(strstr(err.what, "does not fit into memory; use a smaller size"));
    assert_int_equal(tg_dataset_create(TG_U8, half / 2, half / 2, 1, 64, 2, false, &dataset, &err),
                     TG_E_MEMORY);
    assert_non_null(
        strstr(err.what, "GB for the pixels could not be had; use fewer samples or a smaller size"));
    assert_null(dataset);
}

static void lack_of_memory_is_one_sentence(void **state) {
    (void)state;
    tg_dataset *dataset = NULL;
    tg_error err;
    begin_allocations(1);
    assert_int_equal(tg_dataset_create(TG_F32, 100, 100, 1, 80000, 2, false, &dataset, &err), TG_E_MEMORY);
    assert_string_equal(err.what,
                        "3.2 GB for the pixels could not be had; use fewer samples or a smaller size");
    assert_int_equal(live_allocations(), 0);
    for (size_t successes = 0;; successes++) {
        begin_allocations(successes);
        tg_status status = tg_dataset_create(TG_U8, 2, 2, 1, 3, 2, successes % 2, &dataset, &err);
        if (status == TG_OK) {
            assert_false(allocation_failed());
            break;
        }
        assert_int_equal(status, TG_E_MEMORY);
        assert_null(dataset);
        assert_int_equal(live_allocations(), 0);
    }
    tg_dataset_destroy(dataset);
    assert_int_equal(live_allocations(), 0);
    end_allocations();
}

static void labels_are_checked(void **state) {
    (void)state;
    tg_dataset *dataset = two_samples(TG_U8, false);
    tg_error err;
    tg_dataset_labels(dataset)[1] = 3;
    tg_status status = tg_dataset_check(dataset, "digits", &err);
    assert_int_equal(status, TG_E_DATA);
    assert_string_equal(sentence(status, &err),
                        "digits: sample 1 has label 3; with 3 classes labels are 0 to 2");
    assert_false(dataset->checked);
    tg_dataset_labels(dataset)[1] = -1;
    status = tg_dataset_check(dataset, NULL, &err);
    assert_string_equal(sentence(status, &err), "sample 1 has label -1; with 3 classes labels are 0 to 2");
    tg_dataset_labels(dataset)[1] = 2;
    assert_int_equal(tg_dataset_check(dataset, "digits", &err), TG_OK);
    assert_true(dataset->checked);
    tg_dataset_destroy(dataset);
}

static void pixels_are_checked(void **state) {
    (void)state;
    tg_dataset *dataset = two_samples(TG_F32, false);
    float *pixels = tg_dataset_pixels(dataset);
    tg_error err;
    assert_int_equal(tg_dataset_check(dataset, "digits", &err), TG_OK);
    pixels[3] = NAN;
    tg_status status = tg_dataset_check(dataset, "digits", &err);
    assert_string_equal(
        sentence(status, &err),
        "digits: sample 1 has NaN at row 0, column 1, channel 0; every pixel must be a finite number");
    assert_string_equal(tg_dataset_sha256(dataset), "");
    pixels[3] = -INFINITY;
    status = tg_dataset_check(dataset, "digits", &err);
    assert_non_null(strstr(sentence(status, &err), "sample 1 has an infinity at row 0, column 1"));
    tg_dataset_destroy(dataset);
}

static void targets_are_checked(void **state) {
    (void)state;
    tg_dataset *dataset = two_samples(TG_U8, true);
    float *targets = tg_dataset_targets(dataset);
    tg_error err;
    assert_null(tg_dataset_labels(dataset));
    assert_int_equal(tg_dataset_check(dataset, "soft", &err), TG_OK);
    targets[4] = 0.4f;
    tg_status status = tg_dataset_check(dataset, "soft", &err);
    assert_string_equal(sentence(status, &err),
                        "soft: the targets of sample 1 sum to 0.9; they must sum to 1");
    targets[4] = 0.5004f; /* within 1e-3 */
    assert_int_equal(tg_dataset_check(dataset, "soft", &err), TG_OK);
    targets[3] = -0.25f;
    status = tg_dataset_check(dataset, "soft", &err);
    assert_string_equal(sentence(status, &err),
                        "soft: sample 1 has target -0.25 for class 0; targets are finite and not negative");
    targets[3] = NAN;
    assert_int_equal(tg_dataset_check(dataset, "soft", &err), TG_E_DATA);
    tg_dataset_destroy(dataset);
}

/* Expected values: Python's hashlib.sha256 over struct.pack('<7Q', type, 1, 2, 1, 2, 3, soft), the pixels
 * (bytes([10, 11, 12, 13]) or struct.pack('<4f', 10, 11, 12, 13)) and the labels (struct.pack('<2i', 0, 2))
 * or targets (struct.pack('<6f', .25, .5, .25, .25, .5, .25)). */
static void hash_is_over_type_shape_pixels_and_labels(void **state) {
    (void)state;
    static const struct {
        tg_dtype type;
        bool soft;
        const char *sha256;
    } cases[] = {
        {TG_U8, false, "d23695ee3141e2822dbc04463bd0346e1452d950d1c9a87070c7693ee10abb15"},
        {TG_F32, false, "82413d4e4a35684ef95fdad3daa2f522c6f70babdabc1813d365e08e2249d726"},
        {TG_U8, true, "3eba9e8328083ecca32ab0eefce61e768178914af5ff4960ea1b9ed159e1044f"},
    };
    for (size_t i = 0; i < 3; i++) {
        tg_dataset *dataset = two_samples(cases[i].type, cases[i].soft);
        assert_int_equal(tg_dataset_check(dataset, "set", NULL), TG_OK);
        assert_string_equal(tg_dataset_sha256(dataset), cases[i].sha256);
        tg_dataset_destroy(dataset);
    }
}

static void hash_can_be_taken_bit_by_bit(void **state) {
    (void)state;
    tg_dataset *all[] = {two_samples(TG_U8, false), two_samples(TG_F32, true)};
    for (size_t i = 0; i < 2; i++) {
        assert_true(tg_dataset_hash_some(all[i], 4)); /* not checked: there is none */
        assert_int_equal(tg_dataset_check(all[i], "set", NULL), TG_OK);
        assert_false(tg_dataset_hash_some(all[i], 4));
        ((uint8_t *)all[i]->pixels)[0] ^= 1; /* what was hashed of it counts no more */
        assert_int_equal(tg_dataset_check(all[i], "set", NULL), TG_OK);
        size_t calls = 1;
        while (!tg_dataset_hash_some(all[i], 7)) calls++; /* 4 bytes each */
        assert_int_equal(calls, i == 0 ? 1 + 2 : 4 + 6);
        char expected[65];
        snprintf(expected, sizeof expected, "%s", tg_dataset_sha256(all[i]));
        assert_int_equal(tg_dataset_check(all[i], "set", NULL), TG_OK);
        assert_string_equal(tg_dataset_sha256(all[i]), expected);
        tg_dataset_destroy(all[i]);
    }
}

static void two_sets_are_hashed_at_once(void **state) {
    (void)state;
    tg_engine *engine;
    assert_int_equal(tg_engine_create(2, &engine, NULL), TG_OK);
    tg_dataset *u8 = two_samples(TG_U8, false), *f32 = two_samples(TG_F32, true),
               *alone = two_samples(TG_U8, true);
    tg_dataset *all[] = {u8, f32, alone};
    char expected[3][65];
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(tg_dataset_check(all[i], "set", NULL), TG_OK);
        snprintf(expected[i], sizeof expected[i], "%s", tg_dataset_sha256(all[i]));
        assert_int_equal(tg_dataset_check(all[i], "set", NULL),
                         TG_OK); /* as if it had never been asked for */
    }
    tg_engine_hash_datasets(engine, u8, f32);
    tg_engine_hash_datasets(engine, alone, NULL);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(all[i]->sha256, expected[i]);
        tg_dataset_destroy(all[i]);
    }
    tg_engine_destroy(engine);
}

static void classes_can_be_named(void **state) {
    (void)state;
    tg_dataset *dataset = two_samples(TG_U8, false);
    const char *const names[] = {"cat", "", "d\xc3\xb6g", "unseen"};
    tg_error err;
    assert_int_equal(tg_dataset_check(dataset, "pets", NULL), TG_OK);
    assert_int_equal(tg_dataset_set_classes(dataset, 3, names, &err), TG_OK);
    assert_string_equal(tg_dataset_class_name(dataset, 0), "cat");
    assert_string_equal(tg_dataset_class_name(dataset, 1), "");
    assert_string_equal(tg_dataset_class_name(dataset, 2), "d\xc3\xb6g");
    assert_true(dataset->checked); /* names are not part of the hash */
    assert_int_equal(tg_dataset_set_classes(dataset, 4, names, &err), TG_OK);
    assert_int_equal(tg_dataset_classes(dataset), 4);
    assert_false(dataset->checked);
    tg_status status = tg_dataset_set_classes(dataset, 2, names, &err);
    assert_string_equal(sentence(status, &err), "2 class names, but sample 1 has label 2; name every class");
    assert_string_equal(tg_dataset_class_name(dataset, 3), "unseen");
    tg_dataset_destroy(dataset);

    dataset = two_samples(TG_U8, true);
    status = tg_dataset_set_classes(dataset, 4, names, &err);
    assert_string_equal(sentence(status, &err), "4 class names, but the targets have 3 classes");
    tg_dataset_destroy(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_set_is_empty_and_named_by_number),
        cmocka_unit_test(impossible_sets_are_refused),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(lack_of_memory_is_one_sentence),
        cmocka_unit_test(labels_are_checked),
        cmocka_unit_test(pixels_are_checked),
        cmocka_unit_test(targets_are_checked),
        cmocka_unit_test(hash_is_over_type_shape_pixels_and_labels),
        cmocka_unit_test(hash_can_be_taken_bit_by_bit),
        cmocka_unit_test(two_sets_are_hashed_at_once),
        cmocka_unit_test(classes_can_be_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
