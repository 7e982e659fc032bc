/* Each kind of augmentation against small pictures worked out by hand, and what holds for all of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/preprocess.h"
#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { SEED = 5, MOST = 1024 };

static tg_augment *make(const char *list, const size_t shape[3], size_t threads) {
    tg_attrs *attrs = attrs_from("{'list': %s}", list);
    tg_augment *augment;
    tg_error err;
    ASSERT_OK(tg_augment_create(tg_value_get(tg_attrs_root(attrs), "list"), shape, threads, &augment, &err));
    tg_attrs_destroy(attrs);
    return augment;
}

/* ---- by hand ------------------------------------------------------------------------------------------ */

/* One picture, as sample number `sample`, becomes exactly `expected`, or within `error` of it. */
static void check(const char *step, tg_dtype type, const size_t shape[3], const float *from,
                  const float *expected, float error) {
    char list[256];
    snprintf(list, sizeof list, "[%s]", step);
    size_t size = shape[0] * shape[1] * shape[2];
    tg_augment *augment = make(list, shape, 1);
    memcpy(tg_augment_sample(augment, 0), from, size * sizeof *from);
    tg_augment_apply(augment, type, SEED, 0, 0, 0);
    const float *x = tg_augment_sample(augment, 0);
    for (size_t i = 0; i < size; i++)
        if (!(fabsf(x[i] - expected[i]) <= error))
            fail_msg("%s: value %zu is %.9g, not %g", step, i, (double)x[i], (double)expected[i]);
    tg_augment_destroy(augment);
}
#define PICTURE(...) ((const float[]){__VA_ARGS__})
#define SHAPE(...)   ((const size_t[]){__VA_ARGS__})

static void flips(void **state) {
    (void)state;
    const float *picture = PICTURE(1, 2, 3, 4, 5, 6);
    check("{'type': 'flip_horizontal'}", TG_U8, SHAPE(2, 3, 1), picture, PICTURE(3, 2, 1, 6, 5, 4), 0);
    check("{'type': 'flip_vertical'}", TG_U8, SHAPE(2, 3, 1), picture, PICTURE(4, 5, 6, 1, 2, 3), 0);
    check("{'type': 'flip_horizontal'}", TG_U8, SHAPE(2, 2, 2), PICTURE(1, 10, 2, 20, 3, 30, 4, 40),
          PICTURE(2, 20, 1, 10, 4, 40, 3, 30), 0); /* channels stay together */
}

static void contrast_is_stretched_to_the_full_range(void **state) {
    (void)state;
    check("{'type': 'contrast_stretch'}", TG_U8, SHAPE(2, 2, 1), PICTURE(100, 110, 120, 150),
          PICTURE(0, 51, 102, 255), 0);
    check("{'type': 'contrast_stretch'}", TG_F32, SHAPE(2, 2, 1), PICTURE(-1, 0, 1, 3),
          PICTURE(0, 0.25f, 0.5f, 1), 0);
    check("{'type': 'contrast_stretch'}", TG_U8, SHAPE(2, 2, 1), PICTURE(7, 7, 7, 7), PICTURE(7, 7, 7, 7), 0);
}

static void posterized_values_lie_on_levels(void **state) {
    (void)state;
    check("{'type': 'posterize', 'levels': 2}", TG_U8, SHAPE(2, 2, 1), PICTURE(0, 127, 128, 255),
          PICTURE(0, 0, 255, 255), 0);
    check("{'type': 'posterize', 'levels': 4}", TG_U8, SHAPE(2, 3, 1), PICTURE(63, 64, 127, 128, 191, 192),
          PICTURE(0, 85, 85, 170, 170, 255), 0);
    check("{'type': 'posterize', 'levels': 3}", TG_F32, SHAPE(2, 2, 1), PICTURE(-2, 0.4f, 1, 9),
          PICTURE(0, 0.5f, 1, 1), 0);
}

static void contrast_moves_values_from_the_mean_of_the_channel(void **state) {
    (void)state;
    const char *twice = "{'type': 'random_contrast', 'min': 2, 'max': 2}";
    check(twice, TG_F32, SHAPE(2, 2, 2), PICTURE(1, 10, 3, 10, 1, 10, 3, 10),
          PICTURE(0, 10, 4, 10, 0, 10, 4, 10), 0);
    check(twice, TG_U8, SHAPE(2, 2, 1), PICTURE(0, 0, 200, 200), PICTURE(0, 0, 255, 255), 0); /* clipped */
    check("{'type': 'random_contrast', 'min': 0, 'max': 0}", TG_U8, SHAPE(2, 2, 1), PICTURE(0, 0, 200, 200),
          PICTURE(100, 100, 100, 100), 0);
}

static void brightness_is_a_factor(void **state) {
    (void)state;
    check("{'type': 'brightness', 'min': 0.5, 'max': 0.5}", TG_U8, SHAPE(2, 2, 1), PICTURE(0, 1, 100, 255),
          PICTURE(0, 0.5f, 50, 127.5f), 0);
    check("{'type': 'brightness', 'min': 3, 'max': 3}", TG_U8, SHAPE(1, 1, 2), PICTURE(10, 100),
          PICTURE(30, 255), 0);
    check("{'type': 'brightness', 'min': 3, 'max': 3}", TG_F32, SHAPE(1, 1, 2), PICTURE(-10, 100),
          PICTURE(-30, 300), 0); /* features have no range to be clipped to */
}

static const float square[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

/* A quarter turn counterclockwise, half a turn, three quarters: every way gives the same. */
static void quarter_turns_are_exact(void **state) {
    (void)state;
    static const char *const ways[] = {"bilinear", "nearest", "forward"};
    const float odd[][9] = {
        {3, 6, 9, 2, 5, 8, 1, 4, 7}, {9, 8, 7, 6, 5, 4, 3, 2, 1}, {7, 4, 1, 8, 5, 2, 9, 6, 3}};
    const float even[][4] = {{2, 4, 1, 3}, {4, 3, 2, 1}, {3, 1, 4, 2}};
    const int degrees[] = {90, 180, -90};
    for (size_t way = 0; way < 3; way++)
        for (size_t turn = 0; turn < 3; turn++) {
            char step[128];
            snprintf(step, sizeof step,
                     "{'type': 'rotate', 'degrees': %d, 'exact': true, 'interpolation': '%s'}", degrees[turn],
                     ways[way]);
            check(step, TG_U8, SHAPE(3, 3, 1), square, odd[turn], 1e-6f);
            check(step, TG_U8, SHAPE(2, 2, 1), square, even[turn], 1e-6f);
        }
}

/* By 45 degrees the ring of eight pixels moves on by one; what was a corner lies sqrt(2) off the middle, so
 * that new corners come from between the side's middle and what lies outside. */
static void an_eighth_turn(void **state) {
    (void)state;
    const char *format =
        "{'type': 'rotate', 'degrees': 45, 'exact': true, 'interpolation': '%s', 'fill': 99}";
    char step[128];
    snprintf(step, sizeof step, format, "nearest");
    check(step, TG_U8, SHAPE(3, 3, 1), square, PICTURE(2, 3, 6, 1, 5, 9, 4, 7, 8), 0);
    snprintf(step, sizeof step, format, "forward");
    check(step, TG_U8, SHAPE(3, 3, 1), square, PICTURE(2, 3, 6, 1, 5, 9, 4, 7, 8), 0);
    snprintf(step, sizeof step, format, "bilinear");
    float r = sqrtf(0.5f), s = 1 - r, in = 2 - 2 * r,
          out = (1 - in) * 99; /* weights of pixels at a distance of 1 - w */
    float left = r * r * 1 + r * s * (2 + 4) + s * s * 5, up = r * r * 3 + r * s * (2 + 6) + s * s * 5;
    float down = r * r * 7 + r * s * (4 + 8) + s * s * 5, right = r * r * 9 + r * s * (6 + 8) + s * s * 5;
    check(step, TG_U8, SHAPE(3, 3, 1), square,
          PICTURE(in * 2 + out, up, in * 6 + out, left, 5, right, in * 4 + out, down, in * 8 + out), 1e-4f);
}

/* Turning forward leaves places that no pixel comes to; turning backward does not. */
static void turning_forward_leaves_holes(void **state) {
    (void)state;
    enum { SIDE = 32 };
    size_t holes[2] = {0, 0};
    for (int way = 0; way < 2; way++) {
        tg_augment *augment =
            make(way ? "[{'type': 'rotate', 'degrees': 30, 'exact': true, 'interpolation': 'forward'}]"
                     : "[{'type': 'rotate', 'degrees': 30, 'exact': true, 'interpolation': 'nearest'}]",
                 SHAPE(SIDE, SIDE, 1), 1);
        float *x = tg_augment_sample(augment, 0);
        for (size_t i = 0; i < SIDE * SIDE; i++) x[i] = 1;
        tg_augment_apply(augment, TG_U8, SEED, 0, 0, 0);
        for (size_t row = 8; row < 24; row++)
            for (size_t col = 8; col < 24; col++) holes[way] += x[row * SIDE + col] == 0;
        tg_augment_destroy(augment);
    }
    assert_int_equal(holes[0], 0);
    assert_in_range(holes[1], 10, 100);
}

static void scaling_is_about_the_middle(void **state) {
    (void)state;
    check("{'type': 'scale', 'min': 2, 'max': 2}", TG_U8, SHAPE(3, 3, 1), square,
          PICTURE(3, 3.5f, 4, 4.5f, 5, 5.5f, 6, 6.5f, 7), 1e-6f);
    check("{'type': 'scale', 'min': 0.5, 'max': 0.5, 'fill': 9}", TG_U8, SHAPE(3, 3, 1), square,
          PICTURE(9, 9, 9, 9, 5, 9, 9, 9, 9), 0);
    check("{'type': 'scale', 'min': 1, 'max': 1}", TG_U8, SHAPE(3, 3, 1), square, square, 0);
}

/* ---- drawn ones: every outcome is one of those there can be, and all of them come up ------------------ */

static float *apply(tg_augment *augment, const float *from, size_t size, uint32_t epoch, uint32_t sample) {
    float *x = tg_augment_sample(augment, 0);
    memcpy(x, from, size * sizeof *from);
    tg_augment_apply(augment, TG_U8, SEED, epoch, sample, 0);
    return x;
}

/* Where the picture's only pixel of 1 has gone to; 99: nowhere. */
static size_t find_one(const float *x, size_t size) {
    size_t found = 99;
    for (size_t i = 0; i < size; i++) {
        assert_true(x[i] == 0 || x[i] == 1);
        if (x[i] == 1) found = i;
    }
    return found;
}

static void shifts_reach_every_place_alike(void **state) {
    (void)state;
    const float dot[25] = {[12] = 1};
    size_t seen[25] = {0};
    tg_augment *augment = make("[{'type': 'shift', 'x': 2, 'y': 1}]", SHAPE(5, 5, 1), 1);
    for (uint32_t sample = 0; sample < 1500; sample++)
        seen[find_one(apply(augment, dot, 25, 0, sample), 25)]++;
    for (size_t i = 0; i < 25; i++) {
        bool reachable = i / 5 >= 1 && i / 5 <= 3; /* 15 places, 100 times each on average */
        assert_in_range(seen[i], reachable ? 60 : 0, reachable ? 150 : 0);
    }
    tg_augment_destroy(augment);
    check("{'type': 'shift', 'x': 1, 'fill': 9, 'probability': 0}", TG_U8, SHAPE(3, 3, 1), square, square, 0);
}

/* Rows of the 5x5 picture that a crop of 3x3 with one pixel of padding can show. */
static void crops_show_a_part_of_the_padded_picture(void **state) {
    (void)state;
    for (int mode = 0; mode < 2; mode++) {
        const float padded[2][25] = {
            {8, 8, 8, 8, 8, 8, 1, 2, 3, 8, 8, 4, 5, 6, 8, 8, 7, 8, 9, 8, 8, 8, 8, 8, 8},
            {5, 4, 5, 6, 5, 2, 1, 2, 3, 2, 5, 4, 5, 6, 5, 8, 7, 8, 9, 8, 5, 4, 5, 6, 5},
        };
        tg_augment *augment = make(mode ? "[{'type': 'crop', 'padding': 1, 'mode': 'reflect'}]"
                                        : "[{'type': 'crop', 'padding': 1, 'fill': 8}]",
                                   SHAPE(3, 3, 1), 1);
        size_t seen[9] = {0};
        for (uint32_t sample = 0; sample < 300; sample++) {
            const float *x = apply(augment, square, 9, 0, sample);
            for (size_t place = 0; place < 9; place++) {
                bool same = true;
                for (size_t i = 0; i < 9; i++)
                    same = same && x[i] == padded[mode][(place / 3 + i / 3) * 5 + place % 3 + i % 3];
                seen[place] += same;
            }
        }
        size_t all = 0;
        for (size_t place = 0; place < 9; place++) all += seen[place];
        assert_int_equal(all, 300);
        for (size_t place = 0; place < 9; place++) assert_in_range(seen[place], 15, 60);
        tg_augment_destroy(augment);
    }
}

static void cutouts_paint_a_square_over(void **state) {
    (void)state;
    float white[64];
    for (size_t i = 0; i < 64; i++) white[i] = 1;
    tg_augment *augment = make("[{'type': 'cutout', 'size': 3}]", SHAPE(8, 8, 1), 1);
    size_t whole = 0, corners = 0;
    for (uint32_t sample = 0; sample < 640; sample++) {
        const float *x = apply(augment, white, 64, 0, sample);
        size_t top = 8, left = 8, bottom = 0, right = 0, painted = 0;
        for (size_t i = 0; i < 64; i++) {
            if (x[i] == 1) continue;
            assert_true(x[i] == 0);
            painted++;
            if (i / 8 < top) top = i / 8;
            if (i % 8 < left) left = i % 8;
            if (i / 8 + 1 > bottom) bottom = i / 8 + 1;
            if (i % 8 + 1 > right) right = i % 8 + 1;
        }
        assert_int_equal(painted, (bottom - top) * (right - left)); /* one full rectangle */
        assert_in_range(bottom - top, 2, 3);
        assert_in_range(right - left, 2, 3);
        whole += painted == 9;
        corners += painted == 4;
    }
    assert_in_range(whole, 300, 420); /* 36 of 64 middles */
    assert_in_range(corners, 15, 70); /* 4 of 64 */
    tg_augment_destroy(augment);
}

static void elastic_bends_but_hardly_moves_without_force(void **state) {
    (void)state;
    float ramp[256];
    for (size_t i = 0; i < 256; i++) ramp[i] = (float)(i % 16);
    tg_augment *augment = make("[{'type': 'elastic', 'alpha': 0}]", SHAPE(16, 16, 1), 1);
    assert_memory_equal(apply(augment, ramp, 256, 0, 1), ramp, sizeof ramp);
    tg_augment_destroy(augment);
    augment = make("[{'type': 'elastic', 'alpha': 8, 'sigma': 3}]", SHAPE(16, 16, 1), 1);
    const float *x = apply(augment, ramp, 256, 0, 1);
    double moved = 0;
    for (size_t row = 4; row < 12; row++)
        for (size_t col = 4; col < 12; col++) { /* away from the border: bent, and smoothly */
            double shift = (double)x[row * 16 + col] - (double)col;
            double next = (double)x[row * 16 + col + 1] - (double)(col + 1);
            assert_true(fabs(shift) < 4 && fabs(shift - next) < 0.6);
            moved += fabs(shift);
        }
    assert_true(moved > 64 * 0.05);
    tg_augment_destroy(augment);
}

static void random_factors_fill_their_range(void **state) {
    (void)state;
    const float hundred[] = {100};
    tg_augment *augment = make("[{'type': 'brightness', 'min': 0.5, 'max': 1.5}]", SHAPE(1, 1, 1), 1);
    float least = 1000, most = 0;
    double sum = 0;
    for (uint32_t sample = 0; sample < 1000; sample++) {
        float x = *apply(augment, hundred, 1, 0, sample);
        least = x < least ? x : least;
        most = x > most ? x : most;
        sum += (double)x / 1000;
    }
    assert_true(least >= 50 && least < 52 && most < 150 && most > 148 && fabs(sum - 100) < 3);
    tg_augment_destroy(augment);
}

static void probability_says_how_often(void **state) {
    (void)state;
    static const struct {
        const char *list;
        size_t least, most;
    } cases[] = {{"[{'type': 'flip_horizontal', 'probability': 0}]", 0, 0},
                 {"[{'type': 'flip_horizontal', 'probability': 0.25}]", 210, 290},
                 {"[{'type': 'flip_horizontal', 'probability': 1}]", 1000, 1000},
                 {"[{'type': 'flip_horizontal'}]", 1000, 1000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tg_augment *augment = make(cases[i].list, SHAPE(2, 2, 1), 1);
        size_t flipped = 0;
        for (uint32_t sample = 0; sample < 1000; sample++)
            flipped += apply(augment, PICTURE(1, 2, 3, 4), 4, 3, sample)[0] == 2;
        assert_in_range(flipped, cases[i].least, cases[i].most);
        tg_augment_destroy(augment);
    }
}

/* ---- all of them together ------------------------------------------------------------------------------ */

static const char everything[] =
    "[{'type': 'flip_horizontal', 'probability': 0.5}, {'type': 'flip_vertical', 'probability': 0.5}, "
    "{'type': 'shift', 'x': 2, 'y': 3}, {'type': 'crop', 'padding': 2, 'mode': 'reflect'}, "
    "{'type': 'rotate', 'degrees': 180}, {'type': 'scale'}, {'type': 'elastic', 'probability': 0.5}, "
    "{'type': 'cutout', 'size': 4}, {'type': 'random_contrast'}, {'type': 'contrast_stretch'}, "
    "{'type': 'posterize'}, {'type': 'brightness', 'probability': 0.9}]";

static void every_value_stays_in_range(void **state) {
    (void)state;
    tg_dataset *dataset = make_pictures(9, 12, 3, 50, 2, 1, 0);
    tg_augment *augment = make(everything, SHAPE(9, 12, 3), 1);
    float from[9 * 12 * 3];
    for (uint32_t sample = 0; sample < 50; sample++) {
        const uint8_t *pixels =
            (const uint8_t *)tg_dataset_pixels(dataset) + sample * sizeof from / sizeof *from;
        for (size_t i = 0; i < sizeof from / sizeof *from; i++) from[i] = pixels[i];
        const float *x = apply(augment, from, sizeof from / sizeof *from, 0, sample);
        for (size_t i = 0; i < sizeof from / sizeof *from; i++)
            assert_true(x[i] >= 0 && x[i] <= 255); /* nor NaN */
    }
    tg_augment_destroy(augment);
    tg_dataset_destroy(dataset);
}

typedef struct task {
    tg_dataset *dataset;
    tg_preprocess *preprocess;
    tg_augment *augment;
} task;

enum { COUNT = 64, SIZE = 9 * 12 * 3 };

static task begin_task(void) {
    tg_preprocess *preprocess;
    tg_error err;
    ASSERT_OK(tg_preprocess_create(NULL, SHAPE(9, 12, 3), 3, &preprocess, &err));
    return (task){make_pictures(9, 12, 3, COUNT, 2, 1, 0), preprocess, make(everything, SHAPE(9, 12, 3), 3)};
}

static void end_task(task t) {
    tg_augment_destroy(t.augment);
    tg_preprocess_destroy(t.preprocess);
    tg_dataset_destroy(t.dataset);
}

static void gather(task t, tg_pool *pool, const uint32_t *index, size_t n, uint32_t epoch, bool appended,
                   tg_real *x) {
    tg_augmenting augmenting = {t.augment, SEED, epoch, appended};
    tg_preprocess_gather(t.preprocess, pool, TG_U8, tg_dataset_pixels(t.dataset), index, n, TG_PLANES, x,
                         &augmenting);
}

/* One at a time, or all at once in another order on any number of threads. */
static void order_and_threads_do_not_matter(void **state) {
    (void)state;
    static tg_real one[COUNT * SIZE], all[COUNT * SIZE];
    uint32_t index[COUNT];
    task t = begin_task();
    for (uint32_t i = 0; i < COUNT; i++) {
        gather(t, NULL, &i, 1, 2, false, one + i * SIZE);
        index[i] = i * 37 % COUNT;
    }
    for (size_t threads = 1; threads <= 3; threads++) {
        tg_pool *pool = NULL;
        if (tg_pool_create(threads, &pool, NULL) != TG_OK) break; /* a build without threads has one */
        gather(t, pool, index, COUNT, 2, false, all);
        for (size_t i = 0; i < COUNT; i++)
            assert_memory_equal(all + i * SIZE, one + index[i] * SIZE, SIZE * sizeof(tg_real));
        tg_pool_destroy(pool);
    }
    end_task(t);
}

static bool same(const tg_real *x, const tg_real *y) {
    return memcmp(x, y, SIZE * sizeof(tg_real)) == 0;
}

static void every_epoch_and_every_seed_draws_anew(void **state) {
    (void)state;
    tg_real first[SIZE], again[SIZE], next[SIZE], other[SIZE];
    const uint32_t index[] = {7};
    task t = begin_task();
    gather(t, NULL, index, 1, 0, false, first);
    gather(t, NULL, index, 1, 1, false, next);
    gather(t, NULL, index, 1, 0, false, again);
    tg_augmenting augmenting = {t.augment, SEED + 1, 0, false};
    tg_preprocess_gather(t.preprocess, NULL, TG_U8, tg_dataset_pixels(t.dataset), index, 1, TG_PLANES, other,
                         &augmenting);
    assert_true(same(first, again));
    assert_false(same(first, next));
    assert_false(same(first, other));
    end_task(t);
}

/* Appended: the originals stay, their copies are the same in every epoch. */
static void appended_copies_stay_the_same(void **state) {
    (void)state;
    tg_real plain[SIZE], original[SIZE], copy[SIZE], later[SIZE], fresh[SIZE];
    const uint32_t index[] = {9}, transformed[] = {9 | TG_TRANSFORMED};
    task t = begin_task();
    tg_preprocess_gather(t.preprocess, NULL, TG_U8, tg_dataset_pixels(t.dataset), index, 1, TG_PLANES, plain,
                         NULL);
    gather(t, NULL, index, 1, 3, true, original);
    gather(t, NULL, transformed, 1, 3, true, copy);
    gather(t, NULL, transformed, 1, 4, true, later);
    gather(t, NULL, index, 1, 0, false, fresh); /* the stream of epoch 0 */
    assert_true(same(original, plain));
    assert_false(same(copy, plain));
    assert_true(same(copy, later));
    assert_true(same(copy, fresh));
    end_task(t);
}

static void an_empty_list_changes_nothing(void **state) {
    (void)state;
    task t = begin_task();
    tg_augment_destroy(t.augment);
    tg_error err;
    ASSERT_OK(tg_augment_create(NULL, SHAPE(9, 12, 3), 3, &t.augment, &err));
    assert_true(tg_augment_empty(t.augment));
    tg_real plain[SIZE], x[SIZE];
    const uint32_t index[] = {3};
    tg_preprocess_gather(t.preprocess, NULL, TG_U8, tg_dataset_pixels(t.dataset), index, 1, TG_PLANES, plain,
                         NULL);
    gather(t, NULL, index, 1, 0, false, x);
    assert_true(same(plain, x));
    end_task(t);
}

/* What a step works on are bytes or their values as f32: both draw the same. */
static void f32_pixels_are_changed_like_u8(void **state) {
    (void)state;
    task t = begin_task();
    tg_augment_destroy(t.augment);
    t.augment = make("[{'type': 'rotate', 'degrees': 40}, {'type': 'crop'}]", SHAPE(9, 12, 3), 1);
    static float floats[COUNT * SIZE];
    for (size_t i = 0; i < COUNT * SIZE; i++) floats[i] = ((uint8_t *)tg_dataset_pixels(t.dataset))[i];
    tg_real bytes[SIZE], x[SIZE];
    const uint32_t index[] = {21};
    tg_augmenting augmenting = {t.augment, SEED, 0, false};
    gather(t, NULL, index, 1, 0, false, bytes);
    tg_preprocess_gather(t.preprocess, NULL, TG_F32, floats, index, 1, TG_PLANES, x, &augmenting);
    assert_true(same(bytes, x));
    end_task(t);
}

static void what_is_written_reads_back(void **state) {
    (void)state;
    tg_augment *augment = make("[{'type': 'rotate', 'degrees': 10}, {'type': 'crop'}]", SHAPE(9, 12, 3), 1);
    tg_text text = {0};
    tg_augment_write(augment, NULL, &text, NULL);
    assert_string_equal(text.data,
                        "[{\"type\":\"rotate\",\"probability\":1,\"degrees\":10,\"exact\":false,"
                        "\"interpolation\":\"bilinear\",\"fill\":0},{\"type\":\"crop\",\"probability\":1,"
                        "\"padding\":4,\"mode\":\"constant\",\"fill\":0}]");
    tg_augment *again = make(text.data, SHAPE(9, 12, 3), 1);
    tg_text second = {0};
    tg_augment_write(again, NULL, &second, NULL);
    assert_string_equal(text.data, second.data);
    tg_text_free(&text);
    tg_text_free(&second);
    tg_augment_destroy(augment);
    tg_augment_destroy(again);
}

/* ---- what they refuse --------------------------------------------------------------------------------- */

static void wrong_steps_are_refused(void **state) {
    (void)state;
    static const struct {
        size_t shape[3];
        const char *list, *expected;
    } cases[] = {
        {{8, 8, 1}, "'flip_horizontal'", "augment: must be a list such as [{\"type\": \"flip_horizontal\"}]"},
        {{8, 8, 1}, "['flip']", "augment[0]: must be an object such as {\"type\": \"flip_horizontal\"}"},
        {{8, 8, 1}, "[{'probability': 1}]", "augment[0]: needs a type, such as \"flip_horizontal\""},
        {{8, 8, 1},
         "[{'type': 'flip_horizontal'}, {'type': 'mirror'}]",
         "augment[1]: unknown type \"mirror\"; there are flip_horizontal, flip_vertical, shift, crop, "
         "rotate, scale, "
         "cutout, elastic, random_contrast, contrast_stretch, posterize, brightness"},
        {{8, 8, 1}, "[{'type': 'rotate'}]", "augment[0] rotate: degrees is missing"},
        {{8, 8, 1},
         "[{'type': 'rotate', 'degrees': 181}]",
         "augment[0] rotate: degrees must be at most 180, not 181"},
        {{8, 8, 1},
         "[{'type': 'rotate', 'degrees': 9, 'interpolation': 'cubic'}]",
         "augment[0] rotate: interpolation must be one of bilinear|nearest|forward, not \"cubic\""},
        {{1, 1, 512},
         "[{'type': 'rotate', 'degrees': 9}]",
         "augment[0] rotate: is for pictures, but a sample is 1x1x512; leave it out"},
        {{1, 64, 1},
         "[{'type': 'contrast_stretch'}]",
         "augment[0] contrast_stretch: is for pictures, but a sample is 1x64x1; leave it out"},
        {{8, 8, 1},
         "[{'type': 'flip_vertical', 'probability': 1.5}]",
         "augment[0] flip_vertical: probability must be at most 1, not 1.5"},
        {{8, 8, 1},
         "[{'type': 'flip_vertical', 'probability': -0.1}]",
         "augment[0] flip_vertical: probability must be at least 0, not -0.1"},
        {{8, 8, 1},
         "[{'type': 'flip_vertical', 'axis': 0}]",
         "augment[0] flip_vertical: unknown key \"axis\"; there are type, probability"},
        {{8, 8, 1},
         "[{'type': 'posterize', 'levels': 1}]",
         "augment[0] posterize: levels must be at least 2, not 1"},
        {{8, 8, 1},
         "[{'type': 'random_contrast', 'min': 2}]",
         "augment[0] random_contrast: min 2 exceeds max 1.5"},
        {{8, 8, 1},
         "[{'type': 'brightness', 'min': -1}]",
         "augment[0] brightness: min must be at least 0, not -1"},
        {{8, 8, 1}, "[{'type': 'brightness', 'max': 0.1}]", "augment[0] brightness: min 0.5 exceeds max 0.1"},
        {{8, 8, 1}, "[{'type': 'scale', 'min': 0}]", "augment[0] scale: min must be at least 0.01, not 0"},
        {{8, 8, 1}, "[{'type': 'scale', 'min': 1.2}]", "augment[0] scale: min 1.2 exceeds max 1.1"},
        {{8, 8, 1}, "[{'type': 'shift'}]", "augment[0] shift: moves nothing; give x or y, in pixels"},
        {{8, 9, 1},
         "[{'type': 'shift', 'x': 9}]",
         "augment[0] shift: x 9 moves pictures 9 wide out of sight; give at most 8"},
        {{8, 9, 1},
         "[{'type': 'shift', 'y': 8}]",
         "augment[0] shift: y 8 moves pictures 8 high out of sight; give at most 7"},
        {{8, 9, 1},
         "[{'type': 'crop', 'padding': 8}]",
         "augment[0] crop: padding 8 is too much for pictures of 8x9; give at most 7"},
        {{8, 8, 1},
         "[{'type': 'crop', 'padding': 1.5}]",
         "augment[0] crop: padding must be a whole number, not 1.5"},
        {{8, 9, 1},
         "[{'type': 'cutout', 'size': 9}]",
         "augment[0] cutout: size 9 would cover pictures of 8x9; give at most 8"},
        {{8, 8, 1},
         "[{'type': 'elastic', 'sigma': 17}]",
         "augment[0] elastic: sigma must be at most 16, not 17"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tg_attrs *attrs = attrs_from("{'list': %s}", cases[i].list);
        tg_augment *augment;
        tg_error err;
        tg_status status =
            tg_augment_create(tg_value_get(tg_attrs_root(attrs), "list"), cases[i].shape, 1, &augment, &err);
        assert_string_equal(sentence(status, &err), cases[i].expected);
        assert_null(augment);
        tg_attrs_destroy(attrs);
    }
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    tg_attrs *attrs = attrs_from("{'list': %s}", everything);
    for (size_t successes = 0;; successes++) {
        tg_augment *augment;
        tg_error err;
        begin_allocations(successes);
        tg_status status =
            tg_augment_create(tg_value_get(tg_attrs_root(attrs), "list"), SHAPE(9, 12, 3), 2, &augment, &err);
        bool failed = allocation_failed();
        assert_int_equal(status, failed ? TG_E_MEMORY : TG_OK);
        tg_augment_destroy(augment);
        assert_int_equal(live_allocations(), 0);
        end_allocations();
        if (!failed) break;
    }
    tg_attrs_destroy(attrs);
}

/* What a preview shows is what the sample becomes in epochs 0, 1, ... */
static void a_preview_shows_what_training_sees(void **state) {
    (void)state;
    enum { SAMPLE = 3, EPOCHS = 4 };
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_U8, 4, 4, 1, 5, 1, false, &dataset, &err));
    uint8_t *pixels = tg_dataset_pixels(dataset);
    for (size_t i = 0; i < 80; i++) pixels[i] = (uint8_t)(3 * i);
    tg_attrs *recipe =
        attrs_from("{'augment': [{'type': 'brightness', 'max': 0.5}, {'type': 'rotate', 'degrees': 30}]}");
    float outcomes[EPOCHS][16];
    ASSERT_OK(tg_dataset_augment(dataset, recipe, SEED, SAMPLE, EPOCHS, outcomes[0], &err));
    tg_augment *augment;
    ASSERT_OK(
        tg_augment_create(tg_value_get(tg_attrs_root(recipe), "augment"), SHAPE(4, 4, 1), 1, &augment, &err));
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        float *sample = tg_augment_sample(augment, 0);
        for (size_t i = 0; i < 16; i++) sample[i] = pixels[SAMPLE * 16 + i];
        tg_augment_apply(augment, TG_U8, SEED, epoch, SAMPLE, 0);
        assert_memory_equal(outcomes[epoch], sample, sizeof outcomes[epoch]);
    }
    assert_memory_not_equal(outcomes[0], outcomes[1], sizeof outcomes[0]);
    tg_augment_destroy(augment);
    tg_attrs_destroy(recipe);

    recipe = attrs_from("{}");
    ASSERT_OK(tg_dataset_augment(dataset, recipe, SEED, SAMPLE, 1, outcomes[0], &err));
    assert_float_equal(outcomes[0][1], pixels[SAMPLE * 16 + 1], 0);
    assert_int_equal(tg_dataset_augment(dataset, recipe, SEED, 5, 1, outcomes[0], &err), TG_E_ARGUMENT);
    assert_string_equal(err.what, "there is no sample 5; they go from 0 to 4");
    tg_attrs_destroy(recipe);
    tg_dataset_destroy(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flips),
        cmocka_unit_test(contrast_is_stretched_to_the_full_range),
        cmocka_unit_test(posterized_values_lie_on_levels),
        cmocka_unit_test(contrast_moves_values_from_the_mean_of_the_channel),
        cmocka_unit_test(brightness_is_a_factor),
        cmocka_unit_test(quarter_turns_are_exact),
        cmocka_unit_test(an_eighth_turn),
        cmocka_unit_test(turning_forward_leaves_holes),
        cmocka_unit_test(scaling_is_about_the_middle),
        cmocka_unit_test(shifts_reach_every_place_alike),
        cmocka_unit_test(crops_show_a_part_of_the_padded_picture),
        cmocka_unit_test(cutouts_paint_a_square_over),
        cmocka_unit_test(elastic_bends_but_hardly_moves_without_force),
        cmocka_unit_test(random_factors_fill_their_range),
        cmocka_unit_test(probability_says_how_often),
        cmocka_unit_test(every_value_stays_in_range),
        cmocka_unit_test(order_and_threads_do_not_matter),
        cmocka_unit_test(every_epoch_and_every_seed_draws_anew),
        cmocka_unit_test(appended_copies_stay_the_same),
        cmocka_unit_test(an_empty_list_changes_nothing),
        cmocka_unit_test(f32_pixels_are_changed_like_u8),
        cmocka_unit_test(what_is_written_reads_back),
        cmocka_unit_test(wrong_steps_are_refused),
        cmocka_unit_test(a_preview_shows_what_training_sees),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
