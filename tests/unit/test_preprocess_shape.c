/* Steps that change the shape, and steps fitted to tensors. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "data/preprocess.h"
#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

static tg_preprocess *make_threaded(const char *list, const size_t shape[3], size_t threads) {
    tg_attrs *attrs = attrs_from("{'list': %s}", list);
    tg_preprocess *preprocess;
    tg_error err;
    ASSERT_OK(
        tg_preprocess_create(tg_value_get(tg_attrs_root(attrs), "list"), shape, threads, &preprocess, &err));
    tg_attrs_destroy(attrs);
    return preprocess;
}

static tg_preprocess *make(const char *list, size_t height, size_t width, size_t channels) {
    return make_threaded(list, (const size_t[]){height, width, channels}, 1);
}

static void assert_shape(const tg_preprocess *preprocess, size_t height, size_t width, size_t channels) {
    size_t shape[3];
    tg_preprocess_shape(preprocess, shape);
    assert_memory_equal(shape, ((size_t[]){height, width, channels}), sizeof shape);
}

/* One sample of bytes through the list gives exactly `expected`. */
static void check(const char *list, const size_t shape[3], const uint8_t *pixels, const tg_real *expected,
                  size_t size) {
    tg_preprocess *preprocess = make_threaded(list, shape, 1);
    tg_real x[64];
    assert_true(size <= 64);
    tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, NULL, 1, TG_PLANES, x, NULL);
    for (size_t i = 0; i < size; i++)
        if (x[i] != expected[i])
            fail_msg("%s: value %zu is %g, not %g", list, i, (double)x[i], (double)expected[i]);
    tg_real picture[64];
    size_t out[3];
    tg_preprocess_gather(preprocess, NULL, TG_U8, pixels, NULL, 1, TG_PICTURES, picture, NULL);
    tg_preprocess_shape(preprocess, out);
    for (size_t i = 0, area = out[0] * out[1]; i < size; i++)
        assert_true(picture[i % area * out[2] + i / area] == expected[i]);
    tg_preprocess_destroy(preprocess);
}
#define CHECK(list, height, width, channels, pixels, ...)                                                    \
    check(list, (const size_t[]){height, width, channels}, pixels, (const tg_real[]){__VA_ARGS__},           \
          sizeof((const tg_real[]){__VA_ARGS__}) / sizeof(tg_real))

/* ---- what they compute -------------------------------------------------------------------------------- */

static const uint8_t square[] = {0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33};

static void rescale_reaches_any_range(void **state) {
    (void)state;
    CHECK("[{'type': 'rescale', 'divide': 127.5, 'offset': -1}]", 1, 3, 1, ((uint8_t[]){0, 255, 51}), -1, 1,
          (tg_real)51 / (tg_real)127.5 - 1);
}

static void nearest_takes_the_pixel_in_the_middle(void **state) {
    (void)state;
    CHECK("[{'type': 'resize', 'height': 2, 'width': 2, 'method': 'nearest'}]", 4, 4, 1, square, 11, 13, 31,
          33);
    CHECK("[{'type': 'resize', 'height': 2, 'width': 4, 'method': 'nearest'}]", 2, 2, 1,
          ((uint8_t[]){1, 2, 3, 4}), 1, 1, 2, 2, 3, 3, 4, 4);
}

/* By PyTorch: interpolate([[1, 2], [3, 4]], size (4, 4), mode "bilinear", align_corners false). */
static void bilinear_is_that_of_pytorch(void **state) {
    (void)state;
    CHECK("[{'type': 'resize', 'height': 4, 'width': 4, 'method': 'bilinear'}]", 2, 2, 1,
          ((uint8_t[]){1, 2, 3, 4}), 1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25,
          3.75, 4);
    CHECK("[{'type': 'resize', 'height': 2, 'width': 2}]", 4, 4, 1, square, 5.5, 7.5, 25.5, 27.5);
}

static void area_is_the_mean_of_what_is_covered(void **state) {
    (void)state;
    CHECK("[{'type': 'resize', 'height': 2, 'width': 1, 'method': 'area'}]", 4, 4, 1, square, 6.5, 26.5);
    /* 3 pixels onto 2: (a + b / 2) / 1.5, (b / 2 + c) / 1.5 */
    CHECK("[{'type': 'resize', 'height': 2, 'width': 2, 'method': 'area'}]", 2, 3, 1,
          ((uint8_t[]){3, 6, 9, 30, 60, 90}), 4, 8, 40, 80);
}

static void each_channel_is_resized_by_itself(void **state) {
    (void)state;
    CHECK("[{'type': 'resize', 'height': 1, 'width': 1, 'method': 'area'}]", 2, 2, 2,
          ((uint8_t[]){1, 100, 3, 200, 5, 100, 7, 200}), 4, 150);
}

static void pad_keeps_the_picture_in_the_middle(void **state) {
    (void)state;
    CHECK("[{'type': 'pad', 'height': 4, 'width': 3, 'value': 9}]", 2, 2, 1, ((uint8_t[]){1, 2, 3, 4}), 9, 9,
          9, 1, 2, 9, 3, 4, 9, 9, 9, 9);
}

static void center_crop_keeps_the_middle_of_the_picture(void **state) {
    (void)state;
    CHECK("[{'type': 'center_crop', 'height': 2, 'width': 2}]", 4, 4, 1, square, 11, 12, 21, 22);
    CHECK("[{'type': 'center_crop', 'height': 1, 'width': 3}]", 4, 4, 1, square, 10, 11, 12);
    CHECK("[{'type': 'center_crop', 'height': 4, 'width': 4}]", 4, 4, 1, square, 0, 1, 2, 3, 10, 11, 12, 13,
          20, 21, 22, 23, 30, 31, 32, 33);
    CHECK("[{'type': 'center_crop', 'height': 1, 'width': 1}]", 3, 2, 2,
          ((uint8_t[]){1, 100, 2, 101, 3, 102, 4, 103, 5, 104, 6, 105}), 3, 102);
}

static void center_crop_takes_away_what_pad_puts_there(void **state) {
    (void)state;
    for (size_t height = 4; height < 8; height++)
        for (size_t width = 4; width < 8; width++) {
            char list[200];
            snprintf(list, sizeof list,
                     "[{'type': 'pad', 'height': %zu, 'width': %zu, 'value': 7}, "
                     "{'type': 'center_crop', 'height': 4, 'width': 4}]",
                     height, width);
            CHECK(list, 4, 4, 1, square, 0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23, 30, 31, 32, 33);
        }
}

static void flatten_is_in_the_order_of_the_network(void **state) {
    (void)state;
    const char *list = "[{'type': 'flatten'}, {'type': 'rescale', 'divide': 2}]";
    CHECK(list, 1, 2, 3, ((uint8_t[]){2, 4, 6, 8, 10, 12}), 1, 4, 2, 5, 3, 6);
    tg_preprocess *preprocess = make(list, 1, 2, 3);
    assert_shape(preprocess, 1, 1, 6);
    tg_preprocess_destroy(preprocess);
}

static void shapes_follow_each_other(void **state) {
    (void)state;
    tg_preprocess *preprocess =
        make("[{'type': 'rescale'}, {'type': 'resize', 'height': 7, 'width': 5}, "
             "{'type': 'pad', 'height': 8, 'width': 8}, {'type': 'rescale', 'divide': 2}]",
             28, 28, 3);
    assert_shape(preprocess, 8, 8, 3);
    tg_preprocess_destroy(preprocess);
    preprocess = make("[{'type': 'rescale'}]", 28, 28, 3);
    assert_shape(preprocess, 28, 28, 3);
    tg_preprocess_destroy(preprocess);
}

/* Groups of samples and threads: 75 samples are two groups and a part. */
static void threads_and_groups_do_not_matter(void **state) {
    (void)state;
    enum { COUNT = 75, OUT = 9 * 9 * 3 };
    tg_dataset *dataset = make_pictures(11, 10, 3, COUNT, 2, 1, 0);
    static tg_real alone[COUNT * OUT], shared[COUNT * OUT];
    const char *list =
        "[{'type': 'resize', 'height': 7, 'width': 9}, {'type': 'standardize', 'per': 'pixel'}, "
        "{'type': 'pad', 'height': 10, 'width': 12}, {'type': 'center_crop', 'height': 9, 'width': 9}, "
        "{'type': 'rescale', 'divide': 3}]";
    tg_preprocess *preprocess = make_threaded(list, (const size_t[]){11, 10, 3}, 3);
    tg_error err;
    ASSERT_OK(tg_preprocess_fit(preprocess, NULL, dataset, NULL, COUNT, &err));
    uint32_t index[COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        index[i] = i * 7 % COUNT;
        tg_preprocess_gather(preprocess, NULL, TG_U8, tg_dataset_pixels(dataset), index + i, 1, TG_PLANES,
                             alone + i * OUT, NULL);
    }
    for (size_t threads = 1; threads <= 3; threads++) {
        tg_pool *pool = NULL;
        if (tg_pool_create(threads, &pool, NULL) != TG_OK) break; /* a build without threads has one */
        memset(shared, 0, sizeof shared);
        tg_preprocess_gather(preprocess, pool, TG_U8, tg_dataset_pixels(dataset), index, COUNT, TG_PLANES,
                             shared, NULL);
        assert_memory_equal(alone, shared, sizeof alone);
        tg_pool_destroy(pool);
    }
    tg_preprocess_destroy(preprocess);
    tg_dataset_destroy(dataset);
}

/* ---- fitted per pixel --------------------------------------------------------------------------------- */

static tg_dataset *set_of(const uint8_t *pixels, size_t count, size_t height, size_t width) {
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_U8, height, width, 1, count, 2, false, &dataset, &err));
    memcpy(tg_dataset_pixels(dataset), pixels, count * height * width);
    ASSERT_OK(tg_dataset_check(dataset, "set", &err));
    return dataset;
}

/* The third sample is held out; the second pixel is constant. */
static void mean_and_deviation_of_every_pixel(void **state) {
    (void)state;
    tg_dataset *dataset = set_of((uint8_t[]){1, 7, 5, 7, 200, 200}, 3, 1, 2);
    const uint32_t index[] = {0, 1};
    for (int scale = 0; scale < 2; scale++) {
        tg_preprocess *preprocess = make(scale ? "[{'type': 'standardize', 'per': 'pixel'}]"
                                               : "[{'type': 'standardize', 'per': 'pixel', 'scale': false}]",
                                         1, 2, 1);
        tg_error err;
        assert_false(tg_preprocess_fitted(preprocess));
        ASSERT_OK(tg_preprocess_fit(preprocess, NULL, dataset, index, 2, &err));
        tg_real x[6];
        tg_preprocess_gather(preprocess, NULL, TG_U8, tg_dataset_pixels(dataset), NULL, 3, TG_PLANES, x,
                             NULL);
        const tg_real std = scale ? 2 : 1;
        assert_memory_equal(x, ((tg_real[]){-2 / std, 0, 2 / std, 0, 197 / std, 193}), sizeof x);

        tg_fitted tensors[3];
        assert_int_equal(tg_preprocess_tensors(preprocess, tensors, 3), scale ? 2 : 1);
        assert_string_equal(tensors[0].name, "preprocess.0.mean");
        assert_int_equal(tensors[0].rank, 3);
        assert_memory_equal(tensors[0].shape, ((size_t[]){1, 1, 2}), sizeof tensors[0].shape);
        assert_memory_equal(tensors[0].data, ((tg_real[]){3, 7}), 2 * sizeof(tg_real));
        if (scale) assert_string_equal(tensors[1].name, "preprocess.0.std");
        if (scale) assert_memory_equal(tensors[1].data, ((tg_real[]){2, 1}), 2 * sizeof(tg_real));

        tg_text text = {0}; /* the numbers are tensors, and no part of the recipe */
        tg_preprocess_write(preprocess, NULL, &text, NULL);
        assert_string_equal(text.data,
                            scale ? "[{\"type\":\"standardize\",\"per\":\"pixel\",\"scale\":true}]"
                                  : "[{\"type\":\"standardize\",\"per\":\"pixel\",\"scale\":false}]");
        tg_text_free(&text);
        tg_preprocess_destroy(preprocess);
    }
    tg_dataset_destroy(dataset);
}

static void the_mean_alone_of_every_channel(void **state) {
    (void)state;
    CHECK("[{'type': 'standardize', 'scale': false, 'mean': [1, 2]}]", 1, 2, 2, ((uint8_t[]){5, 5, 6, 6}), 4,
          5, 3, 4);
    tg_dataset *dataset = set_of((uint8_t[]){1, 7, 5, 7}, 2, 1, 2);
    tg_preprocess *preprocess = make("[{'type': 'standardize', 'scale': false}]", 1, 2, 1);
    tg_error err;
    ASSERT_OK(tg_preprocess_fit(preprocess, NULL, dataset, NULL, 2, &err));
    tg_text text = {0};
    tg_preprocess_write(preprocess, NULL, &text, NULL);
    assert_string_equal(text.data,
                        "[{\"type\":\"standardize\",\"mean\":5,\"per\":\"channel\",\"scale\":false}]");
    tg_text_free(&text);
    tg_preprocess_destroy(preprocess);
    tg_dataset_destroy(dataset);
}

/* What a checkpoint does: the tensors of one are copied into another that has seen no data. */
static void fitted_tensors_travel(void **state) {
    (void)state;
    enum { COUNT = 40 };
    const char *list = "[{'type': 'standardize', 'per': 'pixel'}, {'type': 'pca', 'components': 5}]";
    tg_dataset *dataset = make_pictures(4, 5, 3, COUNT, 2, 1, 0);
    tg_preprocess *fitted = make(list, 4, 5, 3), *again = make(list, 4, 5, 3);
    tg_error err;
    ASSERT_OK(tg_preprocess_fit(fitted, NULL, dataset, NULL, COUNT, &err));
    tg_fitted from[8], to[8];
    size_t count = tg_preprocess_tensors(fitted, from, 8);
    assert_int_equal(count, 5);
    assert_int_equal(tg_preprocess_tensors(again, to, 2), 5); /* says how many there are */
    assert_int_equal(tg_preprocess_tensors(again, to, 8), 5);
    assert_string_equal(from[3].name, "preprocess.1.components");
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(from[i].name, to[i].name);
        assert_int_equal(from[i].size, to[i].size);
        memcpy(to[i].data, from[i].data, from[i].size * sizeof(tg_real));
    }
    assert_false(tg_preprocess_fitted(again));
    tg_preprocess_mark_fitted(again);
    assert_true(tg_preprocess_fitted(again));
    tg_real x[COUNT * 5], y[COUNT * 5];
    tg_preprocess_gather(fitted, NULL, TG_U8, tg_dataset_pixels(dataset), NULL, COUNT, TG_PLANES, x, NULL);
    tg_preprocess_gather(again, NULL, TG_U8, tg_dataset_pixels(dataset), NULL, COUNT, TG_PLANES, y, NULL);
    assert_memory_equal(x, y, sizeof x);
    tg_preprocess_destroy(fitted);
    tg_preprocess_destroy(again);
    tg_dataset_destroy(dataset);
}

/* ---- what they refuse --------------------------------------------------------------------------------- */

static void wrong_steps_are_refused(void **state) {
    (void)state;
    static const struct {
        size_t shape[3];
        const char *step, *expected;
    } cases[] = {
        {{8, 8, 1}, "{'type': 'resize', 'width': 7}", "preprocess[0] resize: height is missing"},
        {{8, 8, 1},
         "{'type': 'resize', 'height': 0, 'width': 7}",
         "preprocess[0] resize: height must be at least 1, not 0"},
        {{8, 8, 1},
         "{'type': 'resize', 'height': 7, 'width': 7, 'method': 'cubic'}",
         "preprocess[0] resize: method must be one of nearest|bilinear|area, not \"cubic\""},
        {{1, 1, 512},
         "{'type': 'resize', 'height': 7, 'width': 7}",
         "preprocess[0] resize: is for pictures, but what comes in is 1x1x512; leave it out"},
        {{8, 8, 1},
         "{'type': 'pad', 'height': 7, 'width': 9}",
         "preprocess[0] pad: 7x9 is smaller than the pictures of 8x8; make it as large, or resize them"},
        {{8, 8, 1},
         "{'type': 'center_crop', 'height': 8, 'width': 9}",
         "preprocess[0] center_crop: 8x9 is larger than the pictures of 8x8; make it as small, or pad them"},
        {{8, 8, 1}, "{'type': 'pca'}", "preprocess[0] pca: components is missing"},
        {{8, 8, 1},
         "{'type': 'pca', 'components': 0}",
         "preprocess[0] pca: components must be at least 1, not 0"},
        {{8, 8, 1},
         "{'type': 'pca', 'components': 65}",
         "preprocess[0] pca: components 65 exceeds the 64 features of a sample; use at most 64"},
        {{8, 8, 1},
         "{'type': 'flatten', 'axis': 1}",
         "preprocess[0] flatten: unknown key \"axis\"; there are type"},
        {{8, 8, 1},
         "{'type': 'standardize', 'per': 'row'}",
         "preprocess[0] standardize: per must be one of channel|pixel, not \"row\""},
        {{8, 8, 1},
         "{'type': 'standardize', 'per': 'pixel', 'mean': 1, 'std': 1}",
         "preprocess[0] standardize: per pixel mean and std are fitted on the training part; leave out the "
         "numbers"},
        {{8, 8, 1},
         "{'type': 'standardize', 'scale': false, 'mean': 1, 'std': 1}",
         "preprocess[0] standardize: scale is false, so there is no use for std; leave it out"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tg_attrs *attrs = attrs_from("{'list': [%s]}", cases[i].step);
        tg_preprocess *preprocess;
        tg_error err;
        tg_status status = tg_preprocess_create(tg_value_get(tg_attrs_root(attrs), "list"), cases[i].shape, 1,
                                                &preprocess, &err);
        assert_string_equal(sentence(status, &err), cases[i].expected);
        assert_null(preprocess);
        tg_attrs_destroy(attrs);
    }
}

static void more_components_than_samples_can_have(void **state) {
    (void)state;
    tg_dataset *dataset = make_pictures(4, 4, 1, 5, 2, 1, 0);
    tg_preprocess *preprocess = make("[{'type': 'rescale'}, {'type': 'pca', 'components': 5}]", 4, 4, 1);
    tg_error err;
    ASSERT_FAILS(
        tg_preprocess_fit(preprocess, NULL, dataset, NULL, 5, &err), TG_E_DATA,
        "preprocess[1] pca: components 5 exceeds the 4 directions that 5 samples can differ in; use fewer");
    assert_false(tg_preprocess_fitted(preprocess));
    tg_preprocess_destroy(preprocess);
    tg_dataset_destroy(dataset);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    tg_dataset *dataset = make_pictures(4, 4, 1, 9, 2, 1, 0);
    tg_attrs *attrs =
        attrs_from("{'list': [{'type': 'standardize', 'per': 'pixel'}, "
                   "{'type': 'resize', 'height': 3, 'width': 3}, {'type': 'pca', 'components': 2}]}");
    for (size_t successes = 0;; successes++) {
        tg_preprocess *preprocess = NULL;
        tg_error err;
        begin_allocations(successes);
        tg_status status = tg_preprocess_create(tg_value_get(tg_attrs_root(attrs), "list"),
                                                (const size_t[]){4, 4, 1}, 1, &preprocess, &err);
        if (status == TG_OK) status = tg_preprocess_fit(preprocess, NULL, dataset, NULL, 9, &err);
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
        cmocka_unit_test(rescale_reaches_any_range),
        cmocka_unit_test(nearest_takes_the_pixel_in_the_middle),
        cmocka_unit_test(bilinear_is_that_of_pytorch),
        cmocka_unit_test(area_is_the_mean_of_what_is_covered),
        cmocka_unit_test(each_channel_is_resized_by_itself),
        cmocka_unit_test(pad_keeps_the_picture_in_the_middle),
        cmocka_unit_test(center_crop_keeps_the_middle_of_the_picture),
        cmocka_unit_test(center_crop_takes_away_what_pad_puts_there),
        cmocka_unit_test(flatten_is_in_the_order_of_the_network),
        cmocka_unit_test(shapes_follow_each_other),
        cmocka_unit_test(threads_and_groups_do_not_matter),
        cmocka_unit_test(mean_and_deviation_of_every_pixel),
        cmocka_unit_test(the_mean_alone_of_every_channel),
        cmocka_unit_test(fitted_tensors_travel),
        cmocka_unit_test(wrong_steps_are_refused),
        cmocka_unit_test(more_components_than_samples_can_have),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
