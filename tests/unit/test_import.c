/* What people drop, in whatever order, becomes the sets that were meant. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/import.h"
#include "support/importing.h"

/* Headers of IDX files of bytes. */
#define LABELS(n)       0, 0, 8, 1, 0, 0, 0, n
#define IMAGES(n, h, w) 0, 0, 8, 3, 0, 0, 0, n, 0, 0, 0, h, 0, 0, 0, w

static void assert_labels(const tg_dataset *set, const int32_t *labels, size_t count) {
    assert_non_null(set);
    assert_int_equal(set->count, count);
    assert_memory_equal(set->labels, labels, count * sizeof *labels);
}
#define ASSERT_LABELS(set, ...)                                                                              \
    assert_labels((set), (const int32_t[]){__VA_ARGS__},                                                     \
                  sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))
#define ASSERT_PIXELS(set, ...)                                                                              \
    assert_memory_equal((set)->pixels, ((const uint8_t[]){__VA_ARGS__}),                                     \
                        sizeof((const uint8_t[]){__VA_ARGS__}))

static void mnist_is_four_files_in_any_order(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    GIVE(&in, "mnist/t10k-labels-idx1-ubyte", LABELS(2), 7, 8);
    GIVE(&in, "mnist/train-images-idx3-ubyte", IMAGES(2, 1, 2), 1, 2, 3, 4);
    GIVE(&in, "mnist/train-labels-idx1-ubyte", LABELS(2), 0, 1);
    GIVE(&in, "mnist/t10k-images-idx3-ubyte", IMAGES(2, 1, 2), 5, 6, 1, 2);
    GIVE(&in, "mnist/.DS_Store", 0, 0, 0, 1);
    give_text(&in, "mnist/Readme.html", "<html>");
    end_import(&in);
    ASSERT_LABELS(in.train, 0, 1);
    ASSERT_PIXELS(in.train, 1, 2, 3, 4);
    ASSERT_LABELS(in.test, 7, 8);
    ASSERT_PIXELS(in.test, 5, 6, 1, 2);
    assert_int_equal(in.train->classes, 9); /* numbered alike in both */
    assert_int_equal(in.test->classes, 9);
    assert_true(in.train->checked && in.test->checked);
    report_says(
        &in,
        "{'name':'mnist/train-images-idx3-ubyte','format':'idx','part':'train','count':2,'shape':[1,2,1]}");
    report_says(
        &in, "{'name':'mnist/t10k-labels-idx1-ubyte','format':'idx','part':'labels','count':2,'shape':[2]}");
    report_says(&in, "'skipped':[],'skippedCount':0,"
                     "'train':{'count':2,'shape':[1,2,1],'range':[1,4],'classCounts':[1,1,0,0,0,0,0,0,0]}");
    report_says(&in, "'duplicates':{'count':1,'examples':[[0,1]]}");
    free_import(&in);
}

static void names_that_tell_nothing_leave_it_to_the_counts(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    GIVE(&in, "a", IMAGES(1, 1, 1), 9);
    GIVE(&in, "b", IMAGES(2, 1, 1), 1, 2);
    GIVE(&in, "c", LABELS(2), 1, 0);
    GIVE(&in, "d", LABELS(1), 1);
    end_import(&in);
    ASSERT_LABELS(in.train, 1, 0);
    ASSERT_PIXELS(in.train, 1, 2);
    ASSERT_LABELS(in.test, 1);
    free_import(&in);
}

static void a_name_goes_before_a_count(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    GIVE(&in, "fold1-labels", LABELS(1), 1);
    GIVE(&in, "fold2-labels", LABELS(1), 0);
    GIVE(&in, "fold2-images", IMAGES(1, 1, 1), 2);
    GIVE(&in, "fold1-images", IMAGES(1, 1, 1), 1);
    end_import(&in);
    ASSERT_PIXELS(in.train, 1);
    ASSERT_LABELS(in.train, 1);
    ASSERT_PIXELS(in.test, 2);
    ASSERT_LABELS(in.test, 0);
    free_import(&in);
}

static void a_role_goes_before_a_name(void **state) {
    (void)state;
    importing in;
    begin_import(&in, "{'roles':{'train-images':'test','train-labels':'test','old':'ignore'}}");
    GIVE(&in, "train-images", IMAGES(1, 1, 1), 1);
    GIVE(&in, "train-labels", LABELS(1), 1);
    GIVE(&in, "old/train-images", IMAGES(1, 1, 1), 7);
    GIVE(&in, "test-images", IMAGES(1, 1, 1), 2);
    GIVE(&in, "test-labels", LABELS(1), 0);
    end_import(&in);
    assert_null(in.test); /* both are test, so there is one part */
    ASSERT_PIXELS(in.train, 2, 1);
    free_import(&in);
}

static void the_bad_is_listed_and_the_good_stays(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    GIVE(&in, "train-images", IMAGES(1, 1, 1), 1);
    GIVE(&in, "train-labels", LABELS(1), 1);
    GIVE(&in, "test-images", IMAGES(2, 1, 1), 1);
    GIVE(&in, "test-labels", LABELS(2), 1, 0);
    end_import(&in);
    assert_null(in.test);
    ASSERT_PIXELS(in.train, 1);
    report_says(
        &in, "'skipped':[{'name':'test-images','reason':'header promises 2 x 1 x 1 bytes, but 1 follow it; "
             "download it again or check that it is not still compressed'},"
             "{'name':'test-labels','reason':'its images are missing; give both files together'}],"
             "'skippedCount':2");
    report_says(&in, "'test':null");
    free_import(&in);
}

/* Of equally many samples those that are pictures, and of these the first. */
static void the_shape_of_most_samples_is_kept(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    GIVE(&in, "a-images", IMAGES(2, 1, 1), 1, 2);
    GIVE(&in, "a-labels", LABELS(2), 0, 1);
    GIVE(&in, "b-images", IMAGES(2, 1, 2), 3, 4, 5, 6);
    GIVE(&in, "b-labels", LABELS(2), 0, 1);
    GIVE(&in, "c-images", IMAGES(1, 2, 1), 7, 8);
    GIVE(&in, "c-labels", LABELS(1), 0);
    GIVE(&in, "d-images", IMAGES(1, 2, 1), 9, 10);
    GIVE(&in, "d-labels", LABELS(1), 0);
    end_import(&in);
    assert_null(in.test);
    ASSERT_PIXELS(in.train, 3, 4, 5, 6);
    assert_int_equal(in.import->skipped_count, 3);
    free_import(&in);
    begin_import(&in, NULL);
    GIVE(&in, "a-images", IMAGES(2, 1, 2), 3, 4, 5, 6);
    GIVE(&in, "a-labels", LABELS(2), 0, 1);
    for (char name[] = "b-images", of[] = "b-labels"; name[0] < 'e'; name[0]++, of[0]++) {
        GIVE(&in, name, IMAGES(1, 2, 1), (uint8_t)name[0], 1);
        GIVE(&in, of, LABELS(1), 0);
    }
    end_import(&in);
    ASSERT_PIXELS(in.train, 'b', 1, 'c', 1, 'd', 1);
    free_import(&in);
}

static void what_is_missing_is_said(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    GIVE(&in, "train-images", IMAGES(1, 1, 1), 1);
    end_import_failing(&in, "train-images: its labels are missing; give both files together");
    free_import(&in);
    begin_import(&in, NULL);
    GIVE(&in, "images", IMAGES(1, 1, 1), 1);
    GIVE(&in, "labels", LABELS(2), 1, 2);
    end_import_failing(&in, "images: 1 images but 2 labels in labels: take two files that belong together");
    free_import(&in);
    begin_import(&in, NULL);
    end_import_failing(&in,
                       "files: there are no samples; give images and labels as IDX, .npy, .mat or CSV files, "
                       "CIFAR's batches, or pictures in one folder for each class");
    free_import(&in);
}

static void images_alone_are_enough_to_predict(void **state) {
    (void)state;
    importing in;
    begin_import(&in, "{'unlabeled':true}");
    GIVE(&in, "images", IMAGES(2, 1, 1), 3, 4);
    end_import(&in);
    ASSERT_PIXELS(in.train, 3, 4);
    ASSERT_LABELS(in.train, 0, 0);
    free_import(&in);
}

static void emnist_is_turned(void **state) {
    (void)state;
    importing in;
    begin_import(&in, "{'transposed':true}");
    GIVE(&in, "images", IMAGES(1, 2, 3), 1, 2, 3, 4, 5, 6);
    GIVE(&in, "labels", LABELS(1), 1);
    end_import(&in);
    ASSERT_PIXELS(in.train, 1, 4, 2, 5, 3, 6);
    assert_int_equal(in.train->height, 3);
    assert_int_equal(in.train->width, 2);
    free_import(&in);
}

static void emnist_is_noticed(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    GIVE(&in, "EMNIST-digits-images", IMAGES(1, 2, 2), 1, 2, 3, 4);
    GIVE(&in, "EMNIST-digits-labels", LABELS(1), 1);
    end_import(&in);
    report_says(&in,
                "'note':'looks like EMNIST, whose pictures are transposed; say transposed to turn them'");
    free_import(&in);
}

/* One record of CIFAR-10: the label, and planes of one value each. */
static void give_batch(importing *in, const char *name, uint8_t label) {
    static uint8_t record[3073];
    record[0] = label;
    for (size_t i = 0; i < 3; i++) memset(record + 1 + 1024 * i, (int)(10 * label + i), 1024);
    give_bytes(in, name, record, sizeof record);
}

static void batches_of_cifar_lie_in_the_order_of_their_names(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    static const uint8_t order[] = {2, 1, 5, 3, 4};
    for (size_t i = 0; i < sizeof order; i++) {
        char name[64];
        snprintf(name, sizeof name, "cifar.tar.gz/cifar-10/data_batch_%d.bin", order[i]);
        give_batch(&in, name, order[i]);
    }
    give_batch(&in, "cifar.tar.gz/cifar-10/test_batch.bin", 9);
    give_text(&in, "cifar.tar.gz/cifar-10/batches.meta.txt", "a\nb\nc\r\nd\ne\nf\ng\nh\ni\nj\n\n");
    end_import(&in);
    ASSERT_LABELS(in.train, 1, 2, 3, 4, 5);
    ASSERT_LABELS(in.test, 9);
    ASSERT_PIXELS(in.train, 10, 11, 12, 10, 11, 12);
    ASSERT_PIXELS(in.test, 90, 91, 92);
    assert_string_equal(tg_dataset_class_name(in.test, 9), "j");
    assert_int_equal(in.train->capacity, 5); /* had once */
    free_import(&in);
}

static void numbers_beside_texts_are_names_of_classes(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    give_text(&in, "train.csv", "a,label\n1,3\n2,10\n");
    give_text(&in, "test.csv", "a,label\n1,cat\n2,10\n");
    end_import(&in);
    ASSERT_LABELS(in.train, 0, 1);
    ASSERT_LABELS(in.test, 2, 1);
    assert_string_equal(tg_dataset_class_name(in.train, 0), "3");
    assert_string_equal(tg_dataset_class_name(in.test, 2), "cat");
    free_import(&in);
}

static void options_are_checked(void **state) {
    (void)state;
    importing in;
    tg_error err;
    begin_import(&in, "{'classes':['only'],'transposed':false}");
    GIVE(&in, "images", IMAGES(1, 1, 1), 3);
    GIVE(&in, "labels", LABELS(1), 1);
    end_import_failing(&in, "options: 1 class names, but there are 2 classes; name every class");
    free_import(&in);
    tg_attrs *attrs;
    ASSERT_OK(tg_attrs_create(&attrs, &err));
    ASSERT_OK(tg_attrs_bool(attrs, "rotated", true, &err));
    ASSERT_FAILS(
        tg_import_create(attrs, NULL, NULL, &in.import, &err), TG_E_RECIPE,
        "options: unknown key \"rotated\"; there are roles, classes, transposed, labels, label_column, flat, "
        "size, fit, color, unlabeled");
    assert_null(in.import);
    tg_attrs_destroy(attrs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mnist_is_four_files_in_any_order),
        cmocka_unit_test(names_that_tell_nothing_leave_it_to_the_counts),
        cmocka_unit_test(a_name_goes_before_a_count),
        cmocka_unit_test(a_role_goes_before_a_name),
        cmocka_unit_test(the_bad_is_listed_and_the_good_stays),
        cmocka_unit_test(the_shape_of_most_samples_is_kept),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(images_alone_are_enough_to_predict),
        cmocka_unit_test(emnist_is_turned),
        cmocka_unit_test(emnist_is_noticed),
        cmocka_unit_test(batches_of_cifar_lie_in_the_order_of_their_names),
        cmocka_unit_test(numbers_beside_texts_are_names_of_classes),
        cmocka_unit_test(options_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
