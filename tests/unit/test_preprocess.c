#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/preprocess.h"
#include "support/importing.h"
#include "support/recipe.h"

static const size_t gray_2x2[3] = {2, 2, 1}, color_1x2[3] = {1, 2, 3};

/* ---- building the list that a recipe would hold -------------------------------------------------------- */

static tg_attrs *open_steps(void) {
    tg_attrs *attrs = NULL;
    assert_int_equal(tg_attrs_create(&attrs, NULL), TG_OK);
    assert_int_equal(tg_attrs_open_list(attrs, "preprocess", NULL), TG_OK);
    return attrs;
}

static void open_step(tg_attrs *attrs, const char *type) {
    assert_int_equal(tg_attrs_open_object(attrs, NULL, NULL), TG_OK);
    if (type) assert_int_equal(tg_attrs_string(attrs, "type", type, NULL), TG_OK);
}

static void add_numbers(tg_attrs *attrs, const char *key, const double *values, size_t count) {
    assert_int_equal(tg_attrs_open_list(attrs, key, NULL), TG_OK);
    for (size_t i = 0; i < count; i++) assert_int_equal(tg_attrs_number(attrs, NULL, values[i], NULL), TG_OK);
    assert_int_equal(tg_attrs_close(attrs, NULL), TG_OK);
}

static void add_rescale(tg_attrs *attrs, double divide) {
    open_step(attrs, "rescale");
    assert_int_equal(tg_attrs_number(attrs, "divide", divide, NULL), TG_OK);
    assert_int_equal(tg_attrs_close(attrs, NULL), TG_OK);
}

static void add_standardize(tg_attrs *attrs, const double *mean, const double *std, size_t count) {
    open_step(attrs, "standardize");
    if (mean) add_numbers(attrs, "mean", mean, count);
    if (std) add_numbers(attrs, "std", std, count);
    assert_int_equal(tg_attrs_close(attrs, NULL), TG_OK);
}

static tg_status create(const tg_attrs *attrs, const size_t shape[3], tg_preprocess **out, tg_error *err) {
    return tg_preprocess_create(tg_value_get(tg_attrs_root(attrs), "preprocess"), shape, 3, out, err);
}

static tg_preprocess *create_and_free(tg_attrs *attrs, const size_t shape[3]) {
    tg_preprocess *preprocess = NULL;
    assert_int_equal(create(attrs, shape, &preprocess, NULL), TG_OK);
    tg_attrs_destroy(attrs);
    return preprocess;
}

/* ---- what it computes ---------------------------------------------------------------------------------- */

static void without_steps_pixels_stay_and_channels_move_out(void **state) {
    (void)state;
    tg_preprocess *preprocess = NULL;
    assert_int_equal(tg_preprocess_create(NULL, color_1x2, 1, &preprocess, NULL), TG_OK);
    assert_true(tg_preprocess_fitted(preprocess));
    const uint8_t pixels[] = {1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16};
    const tg_real expected[] = {1, 4, 2, 5, 3, 6, 11, 14, 12, 15, 13, 16};
    tg_real x[12];
    tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, NULL, 2, TG_PLANES, x, NULL);
    assert_memory_equal(x, expected, sizeof x);
    tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, NULL, 2, TG_PICTURES, x, NULL);
    for (size_t i = 0; i < 12; i++) assert_true(x[i] == pixels[i]);
    tg_preprocess_destroy(preprocess);
}

static void index_says_which_samples(void **state) {
    (void)state;
    tg_preprocess *preprocess = NULL;
    assert_int_equal(tg_preprocess_create(NULL, gray_2x2, 1, &preprocess, NULL), TG_OK);
    const uint8_t pixels[] = {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23};
    const uint32_t index[] = {2, 0, 2};
    const tg_real expected[] = {20, 21, 22, 23, 0, 1, 2, 3, 20, 21, 22, 23};
    tg_real x[12];
    tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, index, 3, TG_PLANES, x, NULL);
    assert_memory_equal(x, expected, sizeof x);
    tg_preprocess_destroy(preprocess);
}

static void steps_apply_in_order(void **state) {
    (void)state;
    tg_attrs *attrs = open_steps();
    add_rescale(attrs, 10);
    add_standardize(attrs, (const double[]){1}, (const double[]){2}, 1);
    tg_preprocess *preprocess = create_and_free(attrs, gray_2x2);
    const uint8_t pixels[] = {10, 30, 50, 0};
    const tg_real expected[] = {0, 1, 2, -0.5};
    tg_real x[4];
    tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, NULL, 1, TG_PLANES, x, NULL);
    assert_memory_equal(x, expected, sizeof x);
    tg_preprocess_destroy(preprocess);
}

static void each_channel_has_its_own_numbers(void **state) {
    (void)state;
    tg_attrs *attrs = open_steps();
    add_standardize(attrs, (const double[]){1, 2, 3}, (const double[]){1, 2, 4}, 3);
    tg_preprocess *preprocess = create_and_free(attrs, color_1x2);
    const uint8_t pixels[] = {1, 4, 7, 3, 6, 11};
    const tg_real expected[] = {0, 2, 1, 2, 1, 2};
    tg_real x[6];
    tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, NULL, 1, TG_PLANES, x, NULL);
    assert_memory_equal(x, expected, sizeof x);
    const tg_real side_by_side[] = {0, 1, 1, 2, 2, 2};
    const float floats[] = {1, 4, 7, 3, 6, 11};
    tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, NULL, 1, TG_PICTURES, x, NULL);
    assert_memory_equal(x, side_by_side, sizeof x);
    tg_preprocess_gather(preprocess, NULL, TG_F32, floats, NULL, 1, TG_PICTURES, x, NULL);
    assert_memory_equal(x, side_by_side, sizeof x);
    tg_preprocess_destroy(preprocess);
}

/* All 256 levels in 3 channels, once as u8 and once as f32. */
static void u8_and_f32_give_the_same_bits(void **state) {
    (void)state;
    enum { SIZE = 256 * 3 };
    tg_attrs *attrs = open_steps();
    add_rescale(attrs, 255);
    add_standardize(attrs, (const double[]){0.485, 0.456, 0.406}, (const double[]){0.229, 0.224, 0.225}, 3);
    tg_preprocess *preprocess = create_and_free(attrs, (const size_t[3]){16, 16, 3});
    uint8_t bytes[SIZE];
    float floats[SIZE];
    for (size_t i = 0; i < SIZE; i++) floats[i] = (float)(bytes[i] = (uint8_t)(i / 3));
    tg_real from_bytes[SIZE], from_floats[SIZE];
    tg_preprocess_gather(preprocess, NULL, TG_U8, bytes, NULL, 1, TG_PLANES, from_bytes, NULL);
    tg_preprocess_gather(preprocess, NULL, TG_F32, floats, NULL, 1, TG_PLANES, from_floats, NULL);
    assert_memory_equal(from_bytes, from_floats, sizeof from_bytes);
    tg_preprocess_destroy(preprocess);
}

/* Bytes that are only divided go another way, where that gives the same bits. */
static void divided_bytes_have_the_bits_of_a_division(void **state) {
    (void)state;
    enum { SIZE = 256 * 3 };
    static const double divisors[] = {255, 256, 1, 127.5, 3, 0.7, 1e30, 1e-30};
    uint8_t bytes[SIZE];
    float floats[SIZE];
    tg_real from_bytes[SIZE], from_floats[SIZE];
    for (size_t i = 0; i < SIZE; i++) floats[i] = (float)(bytes[i] = (uint8_t)(i / 3));
    for (size_t d = 0; d < sizeof divisors / sizeof *divisors; d++) {
        tg_attrs *attrs = open_steps();
        add_rescale(attrs, divisors[d]);
        tg_preprocess *preprocess = create_and_free(attrs, (const size_t[3]){16, 16, 3});
        for (int order = 0; order < 2; order++) {
            tg_order as = order ? TG_PLANES : TG_PICTURES;
            tg_preprocess_gather(preprocess, NULL, TG_U8, bytes, NULL, 1, as, from_bytes, NULL);
            tg_preprocess_gather(preprocess, NULL, TG_F32, floats, NULL, 1, as, from_floats, NULL);
            assert_memory_equal(from_bytes, from_floats, sizeof from_bytes);
        }
        tg_preprocess_destroy(preprocess);
    }
}

static void threads_do_not_matter(void **state) {
    (void)state;
    enum { SAMPLES = 501, SIZE = 12 * 12 };
    static uint8_t pixels[SAMPLES * SIZE];
    static tg_real alone[SAMPLES * SIZE], shared[SAMPLES * SIZE];
    static uint32_t index[SAMPLES];
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(i * 31 / 7);
    for (uint32_t i = 0; i < SAMPLES; i++) index[i] = i * 250 % SAMPLES;
    tg_attrs *attrs = open_steps();
    add_rescale(attrs, 255);
    tg_preprocess *preprocess = create_and_free(attrs, (const size_t[3]){12, 12, 1});
    tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, index, SAMPLES, TG_PLANES, alone, NULL);
    for (size_t threads = 1; threads <= 3; threads++) {
        tg_pool *pool = NULL;
        if (tg_pool_create(threads, &pool, NULL) != TG_OK) break; /* a build without threads has one */
        memset(shared, 0, sizeof shared);
        tg_preprocess_gather(preprocess, pool, TG_U8, pixels, index, SAMPLES, TG_PLANES, shared, NULL);
        assert_memory_equal(alone, shared, sizeof alone);
        tg_pool_destroy(pool);
    }
    tg_preprocess_destroy(preprocess);
}

/* ---- fitting ------------------------------------------------------------------------------------------- */

/* Three samples of 1 x 2 x 3. By channel the first and the last hold 0 2 4 6, 7 7 7 7 and 10 20 30 40. */
static tg_dataset *color_set(tg_dtype type) {
    static const uint8_t pixels[] = {0, 7, 10, 2, 7, 20, 255, 0, 255, 255, 0, 255, 4, 7, 30, 6, 7, 40};
    tg_dataset *dataset = NULL;
    assert_int_equal(tg_dataset_create(type, 1, 2, 3, 3, 2, false, &dataset, NULL), TG_OK);
    for (size_t i = 0; i < sizeof pixels; i++) {
        if (type == TG_U8) ((uint8_t *)tg_dataset_pixels(dataset))[i] = pixels[i];
        else ((float *)tg_dataset_pixels(dataset))[i] = pixels[i];
    }
    return dataset;
}

/* The sample in the middle is held out; the constant channel gets std 1. */
static void mean_and_std_are_fitted_on_the_given_samples(void **state) {
    (void)state;
    const uint32_t index[] = {0, 2};
    for (int type = TG_U8; type <= TG_F32; type++) {
        tg_dataset *dataset = color_set((tg_dtype)type);
        tg_attrs *attrs = open_steps();
        add_rescale(attrs, 2);
        add_standardize(attrs, NULL, NULL, 0);
        tg_preprocess *preprocess = create_and_free(attrs, color_1x2);
        assert_false(tg_preprocess_fitted(preprocess));
        assert_int_equal(tg_preprocess_fit(preprocess, NULL, dataset, index, 2, NULL), TG_OK);
        assert_true(tg_preprocess_fitted(preprocess));

        tg_text text = {0};
        tg_preprocess_write(preprocess, NULL, &text, NULL);
        assert_string_equal(text.data,
                            "[{\"type\":\"rescale\",\"divide\":2,\"offset\":0},{\"type\":\"standardize\","
                            "\"mean\":[1.5,3.5,12.5],"
                            "\"std\":[1.118033988749895,1,5.5901699437494745],"
                            "\"per\":\"channel\",\"scale\":true}]");
        tg_text_free(&text);

        tg_real x[6];
        tg_preprocess_gather(preprocess, NULL, dataset->type, dataset->pixels, index, 1, TG_PLANES, x, NULL);
        assert_memory_equal(x,
                            ((tg_real[]){(tg_real)-1.5 / (tg_real)1.118033988749895,
                                         (tg_real)-0.5 / (tg_real)1.118033988749895, 0, 0,
                                         (tg_real)-7.5 / (tg_real)5.5901699437494745,
                                         (tg_real)-2.5 / (tg_real)5.5901699437494745}),
                            sizeof x);
        tg_preprocess_destroy(preprocess);
        tg_dataset_destroy(dataset);
    }
}

/* A set's own numbers, however large, are read again where they were saved. */
static void what_was_fitted_can_be_read_again(void **state) {
    (void)state;
    tg_dataset *dataset = color_set(TG_F32);
    float *pixels = (float *)tg_dataset_pixels(dataset);
    for (size_t i = 0; i < 18; i++) pixels[i] = i % 2 == 0 ? FLT_MAX : i % 3 == 0 ? -FLT_MAX : FLT_TRUE_MIN;
    tg_attrs *attrs = open_steps();
    add_standardize(attrs, NULL, NULL, 0);
    tg_preprocess *preprocess = create_and_free(attrs, color_1x2);
    assert_int_equal(tg_preprocess_fit(preprocess, NULL, dataset, NULL, 3, NULL), TG_OK);
    tg_text text = {0};
    tg_preprocess_write(preprocess, NULL, &text, NULL);
    tg_preprocess_destroy(preprocess);
    tg_dataset_destroy(dataset);
    tg_preprocess *again = create_and_free(attrs_from("{'preprocess':%s}", text.data), color_1x2);
    assert_true(tg_preprocess_fitted(again));
    tg_preprocess_destroy(again);
    tg_text_free(&text);
}

/* The two numbers that every MNIST recipe quotes. */
static void mnist_is_standardized_by_its_known_mean_and_std(void **state) {
    (void)state;
    tg_bytes images = {.name = "train-images-idx3-ubyte"};
    images.data = read_whole_file(TG_DATA "/mnist/train-images-idx3-ubyte", &images.size);
    if (!images.data) {
        print_message("skipped: MNIST is not prepared in build/data\n");
        skip();
    }
    tg_dataset *dataset = NULL;
    assert_int_equal(import_pair(images, (tg_bytes){0}, &dataset, NULL), TG_OK);
    free((void *)images.data);
    static uint32_t index[60000];
    for (uint32_t i = 0; i < 60000; i++) index[i] = i;
    tg_attrs *attrs = open_steps();
    add_rescale(attrs, 255);
    add_standardize(attrs, NULL, NULL, 0);
    tg_preprocess *preprocess = create_and_free(attrs, (const size_t[3]){28, 28, 1});
    assert_int_equal(tg_preprocess_fit(preprocess, NULL, dataset, index, 60000, NULL), TG_OK);
    tg_text text = {0};
    tg_preprocess_write(preprocess, NULL, &text, NULL);
    double mean, std;
    const char *format = "[{\"type\":\"rescale\",\"divide\":255,\"offset\":0},{\"type\":\"standardize\","
                         "\"mean\":%lf,\"std\":%lf,";
    assert_int_equal(sscanf(text.data, format, &mean, &std), 2);
    assert_float_equal(mean, 0.1307, 5e-5);
    assert_float_equal(std, 0.3081, 5e-5);
    tg_text_free(&text);
    tg_preprocess_destroy(preprocess);
    tg_dataset_destroy(dataset);
}

/* What is written reads back to the same bits: that is how fitted numbers travel with a checkpoint. */
static void fitted_numbers_travel(void **state) {
    (void)state;
    tg_dataset *dataset = color_set(TG_U8);
    tg_attrs *attrs = open_steps();
    add_standardize(attrs, NULL, NULL, 0);
    tg_preprocess *fitted = create_and_free(attrs, color_1x2);
    const uint32_t index[] = {0, 1, 2};
    assert_int_equal(tg_preprocess_fit(fitted, NULL, dataset, index, 3, NULL), TG_OK);
    tg_text text = {0};
    tg_preprocess_write(fitted, NULL, &text, NULL);
    double mean[3], std[3];
    assert_int_equal(sscanf(text.data,
                            "[{\"type\":\"standardize\",\"mean\":[%lf,%lf,%lf],\"std\":[%lf,%lf,%lf]}]",
                            &mean[0], &mean[1], &mean[2], &std[0], &std[1], &std[2]),
                     6);
    attrs = open_steps();
    add_standardize(attrs, mean, std, 3);
    tg_preprocess *again = create_and_free(attrs, color_1x2);
    assert_true(tg_preprocess_fitted(again));
    tg_real x[18], y[18];
    tg_preprocess_gather(fitted, NULL, TG_U8, dataset->pixels, NULL, 3, TG_PLANES, x, NULL);
    tg_preprocess_gather(again, NULL, TG_U8, dataset->pixels, NULL, 3, TG_PLANES, y, NULL);
    assert_memory_equal(x, y, sizeof x);
    tg_text_free(&text);
    tg_preprocess_destroy(again);
    tg_preprocess_destroy(fitted);
    tg_dataset_destroy(dataset);
}

/* ---- what it refuses ----------------------------------------------------------------------------------- */

static void check_refused(tg_attrs *attrs, const size_t shape[3], const char *expected) {
    tg_preprocess *preprocess = NULL;
    tg_error err;
    tg_status status = create(attrs, shape, &preprocess, &err);
    assert_string_equal(sentence(status, &err), expected);
    assert_null(preprocess);
    tg_attrs_destroy(attrs);
}

static void wrong_steps_are_refused(void **state) {
    (void)state;
    tg_attrs *attrs = NULL;
    assert_int_equal(tg_attrs_create(&attrs, NULL), TG_OK);
    assert_int_equal(tg_attrs_string(attrs, "preprocess", "rescale", NULL), TG_OK);
    check_refused(attrs, gray_2x2, "preprocess: must be a list of steps such as [{\"type\": \"rescale\"}]");

    attrs = open_steps();
    assert_int_equal(tg_attrs_number(attrs, NULL, 255, NULL), TG_OK);
    check_refused(attrs, gray_2x2, "preprocess[0]: must be an object such as {\"type\": \"rescale\"}");

    attrs = open_steps();
    open_step(attrs, NULL);
    check_refused(attrs, gray_2x2, "preprocess[0]: needs a type, such as \"rescale\"");

    attrs = open_steps();
    add_rescale(attrs, 255);
    open_step(attrs, "standardise");
    check_refused(
        attrs, gray_2x2,
        "preprocess[1]: unknown type \"standardise\"; there are rescale, standardize, resize, pad, "
        "center_crop, pca, flatten");

    attrs = open_steps();
    open_step(attrs, "rescale");
    assert_int_equal(tg_attrs_number(attrs, "factor", 255, NULL), TG_OK);
    check_refused(attrs, gray_2x2,
                  "preprocess[0] rescale: unknown key \"factor\"; there are type, divide, offset");

    attrs = open_steps();
    add_rescale(attrs, 0);
    check_refused(attrs, gray_2x2, "preprocess[0] rescale: divide must be at least 1e-30, not 0");

    attrs = open_steps();
    add_standardize(attrs, (const double[]){1}, NULL, 1);
    check_refused(attrs, gray_2x2,
                  "preprocess[0] standardize: mean and std go together; without both they are fitted "
                  "on the training part");

    attrs = open_steps();
    add_standardize(attrs, (const double[]){1, 2}, (const double[]){1, 2}, 2);
    check_refused(
        attrs, color_1x2,
        "preprocess[0] standardize: mean has 2 numbers; give one, or one for each of the 3 channels");

    attrs = open_steps();
    add_standardize(attrs, NULL, NULL, 0);
    check_refused(
        attrs, (const size_t[3]){1, 1, 65},
        "preprocess[0] standardize: can be fitted on at most 64 channels, not 65; give one mean and std, or "
        "\"per\": \"pixel\"");
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    tg_dataset *dataset = color_set(TG_U8);
    tg_attrs *attrs = open_steps();
    add_standardize(attrs, NULL, NULL, 0);
    const uint32_t index[] = {0, 2};
    for (size_t successes = 0;; successes++) {
        tg_preprocess *preprocess = NULL;
        tg_error err;
        begin_allocations(successes);
        tg_status status = create(attrs, color_1x2, &preprocess, &err);
        if (status == TG_OK) status = tg_preprocess_fit(preprocess, NULL, dataset, index, 2, &err);
        bool failed = allocation_failed();
        assert_int_equal(status, failed ? TG_E_MEMORY : TG_OK);
        if (preprocess) assert_int_equal(tg_preprocess_fitted(preprocess), !failed);
        tg_preprocess_destroy(preprocess);
        assert_int_equal(live_allocations(), 0);
        end_allocations();
        if (!failed) break;
    }
    tg_attrs_destroy(attrs);
    tg_dataset_destroy(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_steps_pixels_stay_and_channels_move_out),
        cmocka_unit_test(index_says_which_samples),
        cmocka_unit_test(steps_apply_in_order),
        cmocka_unit_test(each_channel_has_its_own_numbers),
        cmocka_unit_test(u8_and_f32_give_the_same_bits),
        cmocka_unit_test(divided_bytes_have_the_bits_of_a_division),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(mean_and_std_are_fitted_on_the_given_samples),
        cmocka_unit_test(what_was_fitted_can_be_read_again),
        cmocka_unit_test(mnist_is_standardized_by_its_known_mean_and_std),
        cmocka_unit_test(fitted_numbers_travel),
        cmocka_unit_test(wrong_steps_are_refused),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
