/* One set of ten pictures in every format (tests/make_data_fixtures.py): whatever wrote it, it is the same set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "support/importing.h"

enum { PICTURES = 10, SIDE = 8, AREA = SIDE * SIDE };

static importing truth;

static int read_truth(void **state) {
    (void)state;
    begin_import(&truth, NULL);
    give_fixture(&truth, "train-images-idx3-ubyte", "digits/train-images-idx3-ubyte");
    give_fixture(&truth, "train-labels-idx1-ubyte", "digits/train-labels-idx1-ubyte");
    end_import(&truth);
    assert_int_equal(truth.train->count, PICTURES);
    return 0;
}

static int forget_truth(void **state) {
    (void)state;
    free_import(&truth);
    return 0;
}

static void assert_true_set(const tg_dataset *set) {
    assert_non_null(set);
    assert_string_equal(set->sha256, truth.train->sha256);
}

/* The same numbers, but as floats. */
static void assert_true_floats(const tg_dataset *set) {
    assert_int_equal(set->type, TG_F32);
    assert_int_equal(set->count * set->sample_size, PICTURES * AREA);
    for (size_t i = 0; i < PICTURES * AREA; i++)
        assert_float_equal(((float *)set->pixels)[i], ((uint8_t *)truth.train->pixels)[i], 0);
    assert_memory_equal(set->labels, truth.train->labels, PICTURES * sizeof(int32_t));
}

/* ---- .npy --------------------------------------------------------------------------------------------- */

static void read_npy(importing *in, const char *x, const char *y, const char *options) {
    char path[64];
    begin_import(in, options);
    snprintf(path, sizeof path, "npy/%s.npy", x);
    give_fixture(in, "digits.npz/x_train.npy", path);
    snprintf(path, sizeof path, "npy/%s.npy", y);
    give_fixture(in, "digits.npz/y_train.npy", path);
    end_import(in);
}

static void whole_numbers_of_any_width_are_bytes(void **state) {
    (void)state;
    static const char *const names[] = {"x_u1", "x_u2", "x_i2",      "x_i4",
                                        "x_i8", "x_u8", "x_fortran", "x_flat"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        importing in;
        read_npy(&in, names[i], "y", NULL);
        assert_true_set(in.train);
        free_import(&in);
    }
}

static void floats_stay_floats(void **state) {
    (void)state;
    static const char *const names[] = {"x_f2", "x_f4", "x_f8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        importing in;
        read_npy(&in, names[i], "y", NULL);
        assert_true_floats(in.train);
        free_import(&in);
    }
}

static void labels_may_stand_in_a_column_or_be_one_hot(void **state) {
    (void)state;
    static const char *const names[] = {"y_column", "y_onehot"};
    for (size_t i = 0; i < 2; i++) {
        importing in;
        read_npy(&in, "x_u1", names[i], NULL);
        assert_true_set(in.train);
        free_import(&in);
    }
}

static void planes_become_channels(void **state) {
    (void)state;
    importing in;
    read_npy(&in, "x_planes", "y", NULL);
    assert_int_equal(in.train->channels, 3);
    for (size_t i = 0; i < PICTURES * AREA; i++)
        for (size_t c = 0; c < 3; c++)
            assert_int_equal(((uint8_t *)in.train->pixels)[3 * i + c], ((uint8_t *)truth.train->pixels)[i]);
    free_import(&in);
}

static void bools_are_0_and_1(void **state) {
    (void)state;
    importing in;
    read_npy(&in, "x_bool", "y", NULL);
    for (size_t i = 0; i < PICTURES * AREA; i++)
        assert_int_equal(((uint8_t *)in.train->pixels)[i], ((uint8_t *)truth.train->pixels)[i] > 127);
    free_import(&in);
}

static void rows_are_features_or_pictures_as_asked(void **state) {
    (void)state;
    static const struct {
        const char *options;
        size_t height, width, channels;
    } rows[] = {
        {"{'flat':true}", 1, 1, 64}, {"{'size':[4,16]}", 4, 16, 1}, {"{'size':8,'flat':true}", 8, 8, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        importing in;
        read_npy(&in, "x_flat", "y", rows[i].options);
        assert_int_equal(in.train->height, rows[i].height);
        assert_int_equal(in.train->width, rows[i].width);
        assert_int_equal(in.train->channels, rows[i].channels);
        assert_memory_equal(in.train->pixels, truth.train->pixels, PICTURES * AREA);
        free_import(&in);
    }
}

/* ---- .mat --------------------------------------------------------------------------------------------- */

static void read_mat(importing *in, const char *name) {
    char path[64];
    snprintf(path, sizeof path, "mat/%s", name);
    begin_import(in, NULL);
    give_fixture(in, name, path);
    end_import(in);
}

static void matlab_and_scipy_write_the_same_set(void **state) {
    (void)state;
    static const char *const names[] = {"numpy.mat",  "numpy-compressed.mat", "one-hot.mat",
                                        "struct.mat", "version-4.mat",        "cells.mat",
                                        "matlab.mat"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        importing in;
        read_mat(&in, names[i]);
        assert_true_set(in.train);
        free_import(&in);
    }
}

static void in_svhn_ten_is_zero(void **state) {
    (void)state;
    importing in;
    read_mat(&in, "svhn_32x32.mat");
    assert_int_equal(in.train->channels, 3);
    assert_memory_equal(in.train->labels, truth.train->labels, PICTURES * sizeof(int32_t));
    for (size_t i = 0; i < PICTURES * AREA; i++)
        assert_int_equal(((uint8_t *)in.train->pixels)[3 * i + 2], ((uint8_t *)truth.train->pixels)[i]);
    report_says(&in, "'note':'labels 1 to 10: 10 stands for 0, as in SVHN'");
    free_import(&in);
}

static void classes_that_count_from_1_keep_their_names(void **state) {
    (void)state;
    importing in;
    read_mat(&in, "from-one.mat");
    for (size_t i = 0; i < PICTURES; i++) assert_int_equal(in.train->labels[i], truth.train->labels[i] / 2);
    assert_int_equal(in.train->classes, 5);
    assert_string_equal(tg_dataset_class_name(in.train, 4), "5");
    report_says(&in, "'name':'from-one.mat: gnd','format':'mat','part':'labels','count':10,'shape':[10,1],"
                     "'note':'labels 1 to 5: the first class is called 1'");
    free_import(&in);
}

static void without_inflate_a_compressed_one_is_skipped(void **state) {
    (void)state;
    tg_import *import;
    tg_error err;
    size_t size;
    uint8_t *data = read_whole_file(TG_FIXTURES "/mat/numpy-compressed.mat", &size);
    assert_non_null(data);
    ASSERT_OK(tg_import_create(NULL, NULL, NULL, &import, &err));
    ASSERT_OK(tg_import_file(import, (tg_bytes){"a.mat", data, size}, &err));
    tg_dataset *train, *test;
    ASSERT_FAILS(tg_import_finish(import, &train, &test, &err), TG_E_DATA,
                 "a.mat: is compressed, and nothing here unpacks it; save it with -v6");
    tg_import_destroy(import);
    free(data);
}

/* ---- tables ------------------------------------------------------------------------------------------- */

static void kaggle_writes_the_same_set(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    give_fixture(&in, "train.csv", "csv/kaggle.csv");
    end_import(&in);
    assert_true_set(in.train);
    free_import(&in);
}

static void texts_are_names_of_classes_in_order(void **state) {
    (void)state;
    importing in;
    begin_import(&in, "{'label_column':'first'}");
    give_fixture(&in, "names.tsv", "csv/names.tsv");
    end_import(&in);
    static const char *const names[] = {"zero", "one", "two",   "three", "four",
                                        "five", "six", "seven", "eight", "nine"};
    assert_memory_equal(in.train->pixels, truth.train->pixels, PICTURES * AREA);
    for (size_t i = 0; i < PICTURES; i++) {
        const char *name = tg_dataset_class_name(in.train, (size_t)in.train->labels[i]);
        assert_string_equal(name, names[truth.train->labels[i]]);
    }
    assert_string_equal(tg_dataset_class_name(in.train, 0), "eight");
    free_import(&in);
    begin_import(&in, "{'classes':['zero','one','two','three','four','five','six','seven','eight','nine']}");
    give_fixture(&in, "names.tsv", "csv/names.tsv");
    end_import(&in);
    assert_true_set(in.train); /* the names that were given number the classes */
    free_import(&in);
}

static void iris_has_no_header_and_its_label_last(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    give_fixture(&in, "iris.data.csv", "csv/iris.csv");
    end_import(&in);
    static const float values[] = {5.1f, 3.5f, 1.4f, 0.2f, 7, 3.2f, 4.7f, 1.4f, 6.3f, 3.3f, 6, 2.5f};
    assert_int_equal(in.train->count, 3);
    assert_int_equal(in.train->channels, 4);
    assert_memory_equal(in.train->pixels, values, sizeof values);
    assert_string_equal(tg_dataset_class_name(in.train, 2), "Iris-virginica");
    free_import(&in);
}

static void quotes_hold_what_would_part_cells(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    give_fixture(&in, "quoted.csv", "csv/quoted.csv");
    end_import(&in);
    static const float values[] = {-1.5e-3f, 2};
    assert_int_equal(in.train->sample_size, 1); /* the id is left out */
    assert_memory_equal(in.train->pixels, values, sizeof values);
    assert_string_equal(tg_dataset_class_name(in.train, 0), "x; y");
    free_import(&in);
}

static void a_table_takes_the_label_column_it_is_told(void **state) {
    (void)state;
    importing in;
    begin_import(&in, "{'label_column':'b'}");
    give_text(&in, "t.csv", "a,b,c\n1,0,3\n4,1,6\n");
    end_import(&in);
    assert_memory_equal(in.train->pixels, ((uint8_t[]){1, 3, 4, 6}), 4);
    assert_memory_equal(in.train->labels, ((int32_t[]){0, 1}), 2 * sizeof(int32_t));
    free_import(&in);
    begin_import(&in, "{'label_column':'z'}");
    give_text(&in, "t.csv", "a,b,c\n1,0,3\n4,1,6\n");
    end_import_failing(&in, "t.csv: there is no column \"z\"; name one of the first line, or first or last");
    free_import(&in);
}

static void rows_that_cannot_be_read_are_left_out(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    give_text(&in, "t.csv", "a,b,label\n1,2,0\n3,x,1\n\n5,6\n7,300,1\n8,9,0");
    end_import(&in);
    static const float values[] = {1, 2, 7, 300, 8, 9};
    assert_int_equal(in.train->count, 3);
    assert_memory_equal(in.train->pixels, values, sizeof values);
    report_says(
        &in, "'skipped':[{'name':'t.csv','reason':'row 3 has \\'x\\' in column 2, where a number must stand; "
             "2 of 5 rows are left out'}]");
    free_import(&in);
}

static void bytes_are_read_however_they_are_written(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    give_text(&in, "t.csv",
              "label,a,b,c\r\n1,0255, 7,\"3\"\r\n0,007,255,1e1\n2,1,2,3,\n3,1,2,\n1,9,0,+8\n0,6,5,4");
    end_import(&in);
    static const uint8_t values[] = {255, 7, 3, 7, 255, 10, 9, 0, 8, 6, 5, 4};
    assert_int_equal(in.train->count, 4);
    assert_int_equal(in.train->sample_size, 3);
    assert_memory_equal(in.train->pixels, values, sizeof values);
    assert_memory_equal(in.train->labels, ((int32_t[]){1, 0, 1, 0}), 4 * sizeof(int32_t));
    report_says(&in, "'skipped':[{'name':'t.csv','reason':'row 4 has not the 4 cells of the first; 2 of 6 "
                     "rows are left out'}]");
    free_import(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_of_any_width_are_bytes),
        cmocka_unit_test(floats_stay_floats),
        cmocka_unit_test(labels_may_stand_in_a_column_or_be_one_hot),
        cmocka_unit_test(planes_become_channels),
        cmocka_unit_test(bools_are_0_and_1),
        cmocka_unit_test(rows_are_features_or_pictures_as_asked),
        cmocka_unit_test(matlab_and_scipy_write_the_same_set),
        cmocka_unit_test(in_svhn_ten_is_zero),
        cmocka_unit_test(classes_that_count_from_1_keep_their_names),
        cmocka_unit_test(without_inflate_a_compressed_one_is_skipped),
        cmocka_unit_test(kaggle_writes_the_same_set),
        cmocka_unit_test(texts_are_names_of_classes_in_order),
        cmocka_unit_test(iris_has_no_header_and_its_label_last),
        cmocka_unit_test(quotes_hold_what_would_part_cells),
        cmocka_unit_test(a_table_takes_the_label_column_it_is_told),
        cmocka_unit_test(rows_that_cannot_be_read_are_left_out),
        cmocka_unit_test(bytes_are_read_however_they_are_written),
    };
    return cmocka_run_group_tests(tests, read_truth, forget_truth);
}
