/* Pictures as hosts hand them over: size, channels, classes and parts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/dataset.h"
#include "data/import.h"
#include "support/importing.h"

static void give_pixels(importing *in, const char *path, size_t height, size_t width, size_t channels,
                        const uint8_t *pixels) {
    tg_error err;
    ASSERT_OK(tg_import_picture(in->import, path, height, width, channels, pixels, &err));
}
#define PICTURE(in, path, h, w, c, ...)                                                                      \
    give_pixels((in), (path), (h), (w), (c), (const uint8_t[]){__VA_ARGS__})
#define ASSERT_PIXELS(set, ...)                                                                              \
    assert_memory_equal((set)->pixels, ((const uint8_t[]){__VA_ARGS__}),                                     \
                        sizeof((const uint8_t[]){__VA_ARGS__}))

static void the_last_folder_is_the_class(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    PICTURE(&in, "pets.zip/train/dog/2.png", 1, 1, 1, 2);
    PICTURE(&in, "pets.zip/test/cat/3.png", 1, 1, 1, 3);
    PICTURE(&in, "pets.zip/train/cat/10.png", 1, 1, 1, 10);
    PICTURE(&in, "pets.zip/cow/train/1.png", 1, 1, 1, 1);
    end_import(&in);
    ASSERT_PIXELS(in.train, 1, 2, 10); /* in the order of their numbers, whatever folder they lie in */
    ASSERT_PIXELS(in.test, 3);
    assert_memory_equal(in.train->labels, ((int32_t[]){1, 2, 0}), 3 * sizeof(int32_t));
    assert_int_equal(in.test->labels[0], 0);
    assert_string_equal(tg_dataset_class_name(in.test, 1), "cow");
    assert_int_equal(in.test->classes, 3);
    free_import(&in);
}

static void classes_are_sorted_as_numbers_where_they_are(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    PICTURE(&in, "10/a.png", 1, 1, 1, 1);
    PICTURE(&in, "9/b.png", 1, 1, 1, 2);
    end_import(&in);
    assert_memory_equal(in.train->labels, ((int32_t[]){1, 0}), 2 * sizeof(int32_t));
    free_import(&in);
    begin_import(&in, "{'classes':['x','10','9']}");
    PICTURE(&in, "10/a.png", 1, 1, 1, 1);
    PICTURE(&in, "9/b.png", 1, 1, 1, 2);
    end_import(&in);
    assert_memory_equal(in.train->labels, ((int32_t[]){1, 2}), 2 * sizeof(int32_t));
    free_import(&in);
}

static void lists_tell_the_parts(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    give_text(&in, "set/train_files.txt", "cat/1.png\ncat/9.png\n");
    PICTURE(&in, "set/cat/1.png", 1, 1, 1, 1);
    PICTURE(&in, "set/dog/2.png", 1, 1, 1, 2);
    PICTURE(&in, "set/dog/3.png", 1, 1, 1, 3);
    give_text(&in, "set/test_files.txt", "  dog/2.png\r\n");
    end_import(&in);
    ASSERT_PIXELS(in.train, 1);
    ASSERT_PIXELS(in.test, 2);
    report_says(&in, "'skipped':[{'name':'set/dog/3.png','reason':'is on none of the lists of files'},"
                     "{'name':'cat/9.png','reason':'is on a list of files, but is not there'}]");
    free_import(&in);
}

static void lists_may_label(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    give_text(&in, "train_files.txt", "all/1.png\nall/2.png\n");
    give_text(&in, "train_labels.txt", "bird\nant\n");
    PICTURE(&in, "all/1.png", 1, 1, 1, 1);
    PICTURE(&in, "all/2.png", 1, 1, 1, 2);
    end_import(&in);
    assert_memory_equal(in.train->labels, ((int32_t[]){1, 0}), 2 * sizeof(int32_t));
    assert_string_equal(tg_dataset_class_name(in.train, 1), "bird");
    free_import(&in);
}

static void a_list_may_name_any_last_part_of_a_path(void **state) {
    (void)state;
    static const char *const lines[] = {
        "a/b/1.png", "b/1.png", "1.png",  "1.png\nb/1.png\na/b/1.png\nx/b/1.png",
        "2/1.png",   "11.png",  "c/1.png"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        importing in;
        begin_import(&in, NULL);
        give_text(&in, "train_files.txt", "9.png\n");
        give_text(&in, "test_files.txt", lines[i]);
        PICTURE(&in, "9.png", 1, 1, 1, 9);
        PICTURE(&in, "a/b/1.png", 1, 1, 1, 1);
        end_import(&in);
        assert_true((in.test != NULL) == (i < 4));
        if (i == 3) /* the longest */
            report_says(&in, "'skipped':[{'name':'1.png','reason':'is on a list of files, but is not there'},"
                             "{'name':'b/1.png','reason':'is on a list of files, but is not there'},"
                             "{'name':'x/b/1.png','reason':'is on a list of files, but is not there'}]");
        free_import(&in);
    }
}

/* Each of its ends, hashed by itself, once took longer than anybody waits. */
static void a_path_of_half_a_million_folders_is_looked_up(void **state) {
    (void)state;
    enum { FOLDERS = 500000 };
    static char path[2 * FOLDERS + sizeof "1.png"];
    for (size_t i = 0; i < FOLDERS; i++) memcpy(path + 2 * i, "a/", 2);
    memcpy(path + 2 * FOLDERS, "1.png", sizeof "1.png");
    importing in;
    begin_import(&in, NULL);
    give_text(&in, "train_files.txt", "a/1.png\n");
    PICTURE(&in, path, 1, 1, 1, 1);
    end_import(&in);
    assert_int_equal(in.train->count, 1);
    assert_int_equal(in.import->skipped_count, 0);
    free_import(&in);
}

static void grey_ones_stay_grey_until_one_has_colours(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    PICTURE(&in, "a/1.png", 1, 2, 3, 7, 7, 7, 9, 9, 9);
    PICTURE(&in, "a/2.png", 1, 2, 2, 4, 255, 0, 0); /* grey, and transparent: white */
    end_import(&in);
    assert_int_equal(in.train->channels, 1);
    ASSERT_PIXELS(in.train, 7, 9, 4, 255);
    free_import(&in);
    begin_import(&in, NULL);
    PICTURE(&in, "a/1.png", 1, 1, 1, 7);
    PICTURE(&in, "a/2.png", 1, 1, 4, 10, 20, 30, 128);
    end_import(&in);
    ASSERT_PIXELS(in.train, 7, 7, 7, 132, 137, 142);
    free_import(&in);
    begin_import(&in, "{'color':'gray'}");
    PICTURE(&in, "a/1.png", 1, 2, 3, 255, 0, 0, 0, 255, 0);
    end_import(&in);
    ASSERT_PIXELS(in.train, 76, 150); /* 0.299 and 0.587 of 255 */
    free_import(&in);
    begin_import(&in, "{'color':'rgb'}");
    PICTURE(&in, "a/1.png", 1, 1, 1, 5);
    end_import(&in);
    ASSERT_PIXELS(in.train, 5, 5, 5);
    free_import(&in);
}

static void they_become_the_size_of_the_first(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    PICTURE(&in, "a/1.png", 1, 2, 1, 10, 20);
    PICTURE(&in, "a/2.png", 2, 4, 1, 0, 100, 50, 50, 100, 0, 50, 50);
    end_import(&in);
    assert_int_equal(in.train->count, 2);
    assert_int_equal(in.train->height * in.train->width, 2);
    report_says(&in, "'note':'pictures of other sizes were made 1x2; every sample is of one class");
    free_import(&in);
    static uint8_t photograph[200 * 300 * 3];
    begin_import(&in, NULL);
    give_pixels(&in, "a/1.jpg", 200, 300, 3, photograph);
    end_import(&in);
    assert_int_equal(in.train->height, 64);
    assert_int_equal(in.train->width, 64);
    free_import(&in);
}

static void resize(size_t h, size_t w, const uint8_t *from, tg_fit fit, size_t to_h, size_t to_w,
                   uint8_t *to) {
    float *work = malloc(tg_resize_work(h, w, 1, to_h, to_w));
    assert_non_null(work);
    tg_resize(from, h, w, 1, fit, to, to_h, to_w, work);
    free(work);
}

static void resizing_keeps_what_can_be_kept(void **state) {
    (void)state;
    static const uint8_t same[] = {1, 2, 3, 4, 5, 6};
    uint8_t out[64];
    resize(2, 3, same, TG_FIT_STRETCH, 2, 3, out);
    assert_memory_equal(out, same, 6); /* the same size: the same pixels */
    static const uint8_t flat[16] = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9};
    resize(4, 4, flat, TG_FIT_STRETCH, 3, 5, out);
    for (size_t i = 0; i < 15; i++) assert_int_equal(out[i], 9);
    /* Halved with a triangle 4 wide: weights 1/8, 3/8, 3/8, 1/8, at the edges 3/7, 3/7, 1/7. */
    static const uint8_t row[] = {0, 70, 140, 210};
    resize(1, 4, row, TG_FIT_STRETCH, 1, 2, out);
    assert_int_equal(out[0], (0 * 3 + 70 * 3 + 140 * 1) / 7);
    assert_int_equal(out[1], (70 * 1 + 140 * 3 + 210 * 3) / 7);
    /* Doubled: between two pixels in quarters. */
    static const uint8_t pair[] = {0, 100};
    resize(1, 2, pair, TG_FIT_STRETCH, 1, 4, out);
    assert_memory_equal(out, ((uint8_t[]){0, 25, 75, 100}), 4);
}

static void fitting_leaves_black_and_cropping_cuts(void **state) {
    (void)state;
    static const uint8_t wide[] = {50, 100, 100, 200};
    uint8_t out[16];
    resize(1, 4, wide, TG_FIT_WHOLE, 4, 4, out);
    static const uint8_t bars[16] = {0, 0, 0, 0, 50, 100, 100, 200};
    assert_memory_equal(out, bars, 16); /* one row of three is odd: the rest is below */
    resize(1, 4, wide, TG_FIT_CROP, 1, 2, out);
    assert_memory_equal(out, ((uint8_t[]){100, 100}), 2);
}

static void what_is_no_picture_is_listed(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    PICTURE(&in, "a/0.png", 0, 2, 1, 1);
    PICTURE(&in, "a/5.png", 1, 1, 5, 1, 2, 3, 4, 5);
    end_import_failing(
        &in, "a/0.png: a picture of 0x2 pixels and 1 channels cannot be used; sides are 1 to 65536");
    report_says(&in, "'skippedCount':2");
    free_import(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_folder_is_the_class),
        cmocka_unit_test(classes_are_sorted_as_numbers_where_they_are),
        cmocka_unit_test(lists_tell_the_parts),
        cmocka_unit_test(lists_may_label),
        cmocka_unit_test(a_list_may_name_any_last_part_of_a_path),
        cmocka_unit_test(a_path_of_half_a_million_folders_is_looked_up),
        cmocka_unit_test(grey_ones_stay_grey_until_one_has_colours),
        cmocka_unit_test(they_become_the_size_of_the_first),
        cmocka_unit_test(resizing_keeps_what_can_be_kept),
        cmocka_unit_test(fitting_leaves_black_and_cropping_cuts),
        cmocka_unit_test(what_is_no_picture_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
