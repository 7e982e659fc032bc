#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/dataset.h"
#include "support/importing.h"

static const uint8_t images_3[] = {0, 0, 8, 3, 0, 0, 0, 2, 0,  0,  0,  2,  0,  0,
                                   0, 3, 1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16};
static const uint8_t images_4[] = {0, 0, 8, 4, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0,
                                   0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t labels_2[] = {0, 0, 8, 1, 0, 0, 0, 2, 4, 1};
/* 1, -2.5, 0.1f and their negatives. */
static const uint8_t features[] = {0,    0,    13, 2, 0,    0,    0, 2, 0,    0,    0,    3,
                                   0x3f, 0x80, 0,  0, 0xc0, 0x20, 0, 0, 0x3d, 0xcc, 0xcc, 0xcd,
                                   0xbf, 0x80, 0,  0, 0x40, 0x20, 0, 0, 0xbd, 0xcc, 0xcc, 0xcd};
#define BYTES(array) ((tg_bytes){#array, array, sizeof(array)})

static void rank_3_is_one_channel(void **state) {
    (void)state;
    tg_dataset *dataset = NULL;
    assert_int_equal(import_pair(BYTES(images_3), BYTES(labels_2), &dataset, NULL), TG_OK);
    size_t shape[3];
    tg_dataset_shape(dataset, shape);
    assert_int_equal(shape[0], 2);
    assert_int_equal(shape[1], 3);
    assert_int_equal(shape[2], 1);
    assert_int_equal(tg_dataset_count(dataset), 2);
    assert_int_equal(tg_dataset_classes(dataset), 5); /* largest label + 1 */
    assert_memory_equal(tg_dataset_pixels(dataset), images_3 + 16, 12);
    assert_int_equal(tg_dataset_labels(dataset)[0], 4);
    assert_int_equal(tg_dataset_labels(dataset)[1], 1);
    assert_true(dataset->checked);
    tg_dataset_destroy(dataset);
}

static void rank_4_has_channels(void **state) {
    (void)state;
    tg_dataset *dataset = NULL;
    assert_int_equal(import_pair(BYTES(images_4), BYTES(labels_2), &dataset, NULL), TG_OK);
    size_t shape[3];
    tg_dataset_shape(dataset, shape);
    assert_int_equal(shape[0], 1);
    assert_int_equal(shape[1], 2);
    assert_int_equal(shape[2], 2);
    assert_memory_equal(tg_dataset_pixels(dataset), images_4 + 20, 8);
    tg_dataset_destroy(dataset);
}

static void floats_of_rank_2_are_features(void **state) {
    (void)state;
    tg_dataset *dataset = NULL;
    assert_int_equal(import_pair(BYTES(features), BYTES(labels_2), &dataset, NULL), TG_OK);
    size_t shape[3];
    tg_dataset_shape(dataset, shape);
    assert_int_equal(shape[0], 1);
    assert_int_equal(shape[1], 1);
    assert_int_equal(shape[2], 3);
    assert_int_equal(tg_dataset_count(dataset), 2);
    assert_int_equal(tg_dataset_type(dataset), TG_F32);
    static const float values[] = {1.0f, -2.5f, 0.1f, -1.0f, 2.5f, -0.1f};
    assert_memory_equal(tg_dataset_pixels(dataset), values, sizeof values);
    assert_int_equal(tg_dataset_labels(dataset)[1], 1);
    tg_dataset_destroy(dataset);
}

static void floats_of_rank_3_and_4_are_pictures(void **state) {
    (void)state;
    static const uint8_t grey[] = {0, 0, 13, 3, 0,    0,    0, 1, 0, 0, 0, 1,
                                   0, 0, 0,  2, 0x3f, 0x80, 0, 0, 0, 0, 0, 0};
    static const uint8_t color[] = {0, 0, 13, 4, 0, 0, 0, 1, 0, 0, 0,    1,    0, 0,
                                    0, 1, 0,  0, 0, 2, 0, 0, 0, 0, 0x3f, 0x80, 0, 0};
    static const size_t shapes[][3] = {{1, 2, 1}, {1, 1, 2}};
    const tg_bytes files[] = {BYTES(grey), BYTES(color)};
    for (size_t i = 0; i < 2; i++) {
        tg_dataset *dataset = NULL;
        assert_int_equal(import_pair(files[i], (tg_bytes){0}, &dataset, NULL), TG_OK);
        size_t shape[3];
        tg_dataset_shape(dataset, shape);
        assert_memory_equal(shape, shapes[i], sizeof shape);
        const float *pixels = tg_dataset_pixels(dataset);
        assert_float_equal(pixels[i], 1.0f, 0);
        assert_float_equal(pixels[1 - i], 0.0f, 0);
        tg_dataset_destroy(dataset);
    }
}

static void images_alone_get_label_0(void **state) {
    (void)state;
    tg_dataset *dataset = NULL;
    assert_int_equal(import_pair(BYTES(images_3), (tg_bytes){0}, &dataset, NULL), TG_OK);
    assert_int_equal(tg_dataset_classes(dataset), 1);
    assert_int_equal(tg_dataset_labels(dataset)[0], 0);
    assert_int_equal(tg_dataset_labels(dataset)[1], 0);
    tg_dataset_destroy(dataset);
}

static void counts_must_agree(void **state) {
    (void)state;
    static const uint8_t labels_3[] = {0, 0, 8, 1, 0, 0, 0, 3, 4, 1, 0};
    tg_dataset *dataset = NULL;
    tg_error err;
    tg_status status = import_pair(BYTES(images_3), BYTES(labels_3), &dataset, &err);
    assert_int_equal(status, TG_E_DATA);
    assert_string_equal(sentence(status, &err),
                        "images_3: 2 images but 3 labels in labels_3: take two files that belong together");
    assert_null(dataset);
}

/* A header of a few bytes must not make the reader ask for what it promises. */
static void absurd_headers_are_refused(void **state) {
    (void)state;
    static const uint8_t absurd[] = {0,    0,    8,    3,    0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0};
    tg_dataset *dataset = NULL;
    tg_error err;
    ASSERT_FAILS(
        import_pair(BYTES(absurd), BYTES(labels_2), &dataset, &err), TG_E_DATA,
        "absurd: header promises 4294967295 x 4294967295 x 4294967295 bytes, but 1 follow it; download "
        "it again or check that it is not still compressed");
}

static void integers_and_doubles_are_read_as_well(void **state) {
    (void)state;
    static const uint8_t shorts[] = {0, 0, 0x0b, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0xff, 0xfe, 1, 0};
    static const uint8_t wholes[] = {0, 0, 0x0c, 3, 0, 0, 0, 2, 0, 0, 0, 1,
                                     0, 0, 0,    1, 0, 0, 0, 7, 0, 0, 0, 255};
    tg_dataset *dataset = NULL;
    tg_error err;
    ASSERT_OK(import_pair(BYTES(shorts), BYTES(labels_2), &dataset, &err));
    assert_memory_equal(dataset->pixels, ((float[]){-2, 256}), 2 * sizeof(float));
    tg_dataset_destroy(dataset);
    ASSERT_OK(import_pair(BYTES(wholes), BYTES(labels_2), &dataset, &err));
    assert_memory_equal(dataset->pixels, ((uint8_t[]){7, 255}), 2);
    tg_dataset_destroy(dataset);
}

static void real_mnist_is_read(void **state) {
    (void)state;
    tg_bytes images = {.name = "t10k-images-idx3-ubyte"}, labels = {.name = "t10k-labels-idx1-ubyte"};
    const char *folder = TG_DATA "/mnist/";
    char path[1024];
    snprintf(path, sizeof path, "%s%s", folder, images.name);
    images.data = read_whole_file(path, &images.size);
    snprintf(path, sizeof path, "%s%s", folder, labels.name);
    labels.data = read_whole_file(path, &labels.size);
    if (!images.data || !labels.data) {
        print_message("skipped: MNIST is not prepared in build/data\n");
        skip();
    }
    tg_dataset *dataset = NULL;
    assert_int_equal(import_pair(images, labels, &dataset, NULL), TG_OK);
    assert_int_equal(tg_dataset_count(dataset), 10000);
    assert_int_equal(tg_dataset_classes(dataset), 10);
    size_t of_class[10] = {0};
    for (size_t i = 0; i < 10000; i++) of_class[tg_dataset_labels(dataset)[i]]++;
    assert_int_equal(of_class[1], 1135);
    assert_int_equal(of_class[5], 892);
    tg_dataset_destroy(dataset);
    free((void *)images.data);
    free((void *)labels.data);
}

/* Classes are numbered from 0, and most of the numbers occur; a few may be missing. */
static void a_label_far_beyond_the_others_is_a_mistake(void **state) {
    (void)state;
    const uint8_t images[4 + 12 + 4] = {0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4};
    uint8_t labels[4 + 4 + 4] = {0, 0, 8, 1, 0, 0, 0, 4, 3, 8, 3, 8};
    tg_bytes of_images = {"images", images, sizeof images}, of_labels = {"labels", labels, sizeof labels};
    tg_dataset *dataset = NULL;
    tg_error err;
    assert_int_equal(import_pair(of_images, of_labels, &dataset, &err), TG_OK); /* threes and eights */
    assert_int_equal(tg_dataset_classes(dataset), 9);
    tg_dataset_destroy(dataset);
    labels[10] = 77;
    assert_int_equal(import_pair(of_images, of_labels, &dataset, &err), TG_E_DATA);
    assert_string_equal(err.where, "labels");
    assert_string_equal(err.what,
                        "sample 2 has label 77, but only 3 different labels occur; correct it, or number the "
                        "classes from 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_far_beyond_the_others_is_a_mistake),
        cmocka_unit_test(rank_3_is_one_channel),
        cmocka_unit_test(rank_4_has_channels),
        cmocka_unit_test(floats_of_rank_2_are_features),
        cmocka_unit_test(floats_of_rank_3_and_4_are_pictures),
        cmocka_unit_test(images_alone_get_label_0),
        cmocka_unit_test(counts_must_agree),
        cmocka_unit_test(absurd_headers_are_refused),
        cmocka_unit_test(integers_and_doubles_are_read_as_well),
        cmocka_unit_test(real_mnist_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
