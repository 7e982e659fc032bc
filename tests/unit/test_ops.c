/* What each op computes, against numbers worked out by hand or by the plainest loop there is. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { MOST = 8192 };

static tg_engine *engine;

/* A network without data; mean_squared_error shows its outputs as they are. */
static tg_run *network(const char *input, const char *layers) {
    char recipe[2048];
    snprintf(recipe, sizeof recipe,
             "{'tabgrad':1,'model':{'input':%s,'layers':[%s]},'loss':'mean_squared_error','optimizer':{'type'"
             ":'sgd'}}",
             input, layers);
    return make_run(engine, recipe, NULL, NULL);
}

static void predict(tg_run *run, const float *pixels, size_t n, float *out) {
    tg_error err;
    ASSERT_OK(tg_run_predict(run, TG_F32, pixels, n, out, &err));
}

static void check(const char *input, const char *layers, const float *pixels, const float *expected,
                  size_t count) {
    tg_run *run = network(input, layers);
    assert_int_equal(tg_run_outputs(run), count);
    float out[64];
    predict(run, pixels, 1, out);
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(out[i] - expected[i]) <= 1e-6f) && !(isnan(out[i]) && isnan(expected[i])))
            fail_msg("%s: [%zu] is %.9g, not %.9g", layers, i, (double)out[i], (double)expected[i]);
    tg_run_destroy(run);
}

#define LIST(...)                                                                                            \
    (const float[]) {                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define CHECK(input, layers, pixels, ...)                                                                    \
    check(input, layers, pixels, LIST(__VA_ARGS__), sizeof LIST(__VA_ARGS__) / sizeof(float))

/* ---- dense --------------------------------------------------------------------------------------------- */

/* y = W x + b with W = [[1, 2, 3], [4, 5, 6]], b = [0.5, -0.5]. */
static void dense_multiplies_and_adds(void **state) {
    (void)state;
    tg_run *run = network("[3]", "{'type':'dense','units':2}");
    set_parameter(run, "dense1.weight", (const double[]){1, 2, 3, 4, 5, 6}, 6);
    set_parameter(run, "dense1.bias", (const double[]){0.5, -0.5}, 2);
    const float x[] = {1, 0, -1, 2, 1, 0.5f}, expected[] = {-1.5f, -2.5f, 6, 15.5f};
    float y[4];
    predict(run, x, 2, y);
    /* Second sample: 2 + 2 + 1.5 + 0.5 = 6 and 8 + 5 + 3 - 0.5 = 15.5. */
    assert_memory_equal(y, expected, sizeof y);
    tg_run_destroy(run);
}

/* Pixels lie as [height, width, channels], features count channels first, as PyTorch flattens. */
static void flatten_puts_channels_first(void **state) {
    (void)state;
    CHECK("[2,2,3]", "{'type':'flatten'}", LIST(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 1, 4, 7, 10, 2, 5, 8,
          11, 3, 6, 9, 12);
    CHECK("[2,2,3]", "{'type':'reshape','shape':[2,6]},{'type':'flatten'}",
          LIST(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), 1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12);
}

/* ---- activations: to eight digits, from Python's math module ------------------------------------------- */

static void activations_have_their_values(void **state) {
    (void)state;
    const float *x = LIST(-2, -0.5f, 0, 0.5f, 3);
    CHECK("[5]", "{'type':'relu'}", x, 0, 0, 0, 0.5f, 3);
    CHECK("[5]", "{'type':'leaky_relu'}", x, -0.02f, -0.005f, 0, 0.5f, 3);
    CHECK("[5]", "{'type':'leaky_relu','slope':0.25}", x, -0.5f, -0.125f, 0, 0.5f, 3);
    CHECK("[5]", "{'type':'sigmoid'}", x, 0.11920292f, 0.37754067f, 0.5f, 0.62245933f, 0.95257413f);
    CHECK("[5]", "{'type':'tanh'}", x, -0.96402758f, -0.46211716f, 0, 0.46211716f, 0.99505475f);
    CHECK("[5]", "{'type':'softmax'}", x, 0.00576481f, 0.02583606f, 0.04259647f, 0.07022970f, 0.85557296f);
    CHECK("[3]", "{'type':'softmax'}", LIST(1000, 999, -1000), 0.73105858f, 0.26894142f,
          0); /* stable however large */
}

static void zeros_keep_their_sign_and_nan_goes_through(void **state) {
    (void)state;
    CHECK("[3]", "{'type':'relu'}", LIST(NAN, -1, 2), NAN, 0, 2);
    CHECK("[3]", "{'type':'leaky_relu'}", LIST(NAN, -1, 2), NAN, -0.01f, 2);
    CHECK("[3]", "{'type':'sigmoid'}", LIST(NAN, -INFINITY, INFINITY), NAN, 0, 1);
    CHECK("[3]", "{'type':'tanh'}", LIST(NAN, -INFINITY, INFINITY), NAN, -1, 1);
    CHECK("[3]", "{'type':'softmax'}", LIST(NAN, 1, 2), NAN, NAN, NAN);
    tg_run *run = network("[2]", "{'type':'relu'}");
    float y[2];
    predict(run, LIST(-0.0f, 0.0f), 1, y);
    assert_true(signbit(y[0]) && !signbit(y[1]));
    tg_run_destroy(run);
}

/* y = (x - mean) / sqrt(var + epsilon) w + b with running statistics, per channel; dropout does nothing. */
static void normalisation_and_dropout_have_their_values_in_inference(void **state) {
    (void)state;
    tg_run *run = network(
        "[1,2,2]", "{'type':'batch_norm','epsilon':0.25},{'type':'flatten'},{'type':'dropout','rate':0.9}");
    float y[4];
    predict(run, LIST(1, 10, 2, 20), 1, y); /* mean 0, variance 1: 1 / sqrt(1.25) */
    assert_true(fabsf(y[0] - 0.89442719f) < 1e-6f && fabsf(y[3] - 17.888544f) < 1e-5f);
    set_parameter(run, "batch_norm1.running_mean", (const double[]){1, 12}, 2);
    set_parameter(run, "batch_norm1.running_var", (const double[]){2, 3.75}, 2); /* roots 1.5 and 2 */
    set_parameter(run, "batch_norm1.weight", (const double[]){3, -1}, 2);
    set_parameter(run, "batch_norm1.bias", (const double[]){0.5, 7}, 2);
    predict(run, LIST(1, 10, 2, 20), 1, y);
    assert_true(fabsf(y[0] - 0.5f) < 1e-6f && fabsf(y[1] - 2.5f) < 1e-6f && fabsf(y[2] - 8) < 1e-6f &&
                fabsf(y[3] - 3) < 1e-6f);
    tg_run_destroy(run);
}

/* ---- pools: 3 x 4 numbers 1..12 ------------------------------------------------------------------------ */

static void pools_have_their_values(void **state) {
    (void)state;
    const float *x = LIST(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    CHECK("[3,4,1]", "{'type':'max_pool2d','size':2},{'type':'flatten'}", x, 6, 8);
    CHECK("[3,4,1]", "{'type':'max_pool2d','size':2,'stride':1},{'type':'flatten'}", x, 6, 7, 8, 10, 11, 12);
    CHECK("[3,4,1]", "{'type':'max_pool2d','size':[3,2],'stride':[1,2]},{'type':'flatten'}", x, 10, 12);
    CHECK("[3,4,1]", "{'type':'max_pool2d','size':2,'padding':'same'},{'type':'flatten'}", x, 6, 8, 10, 12);
    CHECK("[3,4,1]", "{'type':'max_pool2d','size':3,'stride':2,'padding':1},{'type':'flatten'}", x, 6, 8, 10,
          12);
    CHECK("[3,4,1]", "{'type':'avg_pool2d','size':2},{'type':'flatten'}", x, 3.5f, 5.5f);
    CHECK("[3,4,1]", "{'type':'avg_pool2d','size':2,'padding':'same'},{'type':'flatten'}", x, 3.5f, 5.5f,
          9.5f, 11.5f);
    CHECK("[3,4,1]", "{'type':'avg_pool2d','size':2,'stride':[2,3],'padding':[1,1,0,0]},{'type':'flatten'}",
          x, 1, 3.5f, 7, 9.5f); /* cells of padding do not count */
    CHECK(
        "[3,4,1]",
        "{'type':'global_avg_pool2d'},{'type':'concat','inputs':['global_avg_pool2d1','global_avg_pool2d1']},"
        "{'type':'flatten'}",
        x, 6.5f, 6.5f);
    CHECK("[2,1,2]", "{'type':'global_avg_pool2d'},{'type':'flatten'}", LIST(1, 10, 2, 30), 1.5f, 20);
}

/* Negative numbers only: padding must not win. A NaN wins in every window it lies in, and nowhere else. */
static void padding_never_wins_and_nan_always(void **state) {
    (void)state;
    CHECK("[2,2,1]", "{'type':'max_pool2d','size':2,'stride':1,'padding':'same'},{'type':'flatten'}",
          LIST(-4, -3, -2, -1), -1, -1, -1, -1);
    CHECK("[1,4,1]", "{'type':'max_pool2d','size':[1,2],'stride':1},{'type':'flatten'}", LIST(9, NAN, 1, 2),
          NAN, NAN, 2);
    CHECK("[1,4,1]", "{'type':'avg_pool2d','size':[1,2],'stride':1},{'type':'flatten'}", LIST(9, NAN, 1, 2),
          NAN, NAN, 1.5f);
}

/* ---- branches ------------------------------------------------------------------------------------------ */

static void add_and_concat_bring_branches_together(void **state) {
    (void)state;
    const float *x = LIST(1, -2, 3, -4);
    CHECK("[4]", "{'type':'relu'},{'type':'add','inputs':['relu1','input','input']}", x, 3, -4, 9, -8);
    CHECK("[4]", "{'type':'relu'},{'type':'concat','inputs':['input','relu1']}", x, 1, -2, 3, -4, 1, 0, 3, 0);
#define SHAPED "{'type':'reshape','shape':[2,1,2]},{'type':'relu'},"
    CHECK("[4]", SHAPED "{'type':'concat','inputs':['reshape1','relu1']},{'type':'flatten'}", x, 1, -2, 3, -4,
          1, 0, 3, 0);
    CHECK("[4]", SHAPED "{'type':'concat','axis':2,'inputs':['reshape1','relu1']},{'type':'flatten'}", x, 1,
          -2, 1, 0, 3, -4, 3, 0);
    CHECK("[4]", SHAPED "{'type':'concat','axis':3,'inputs':['relu1','reshape1']},{'type':'flatten'}", x, 1,
          0, 1, -2, 3, 0, 3, -4);
    CHECK("[4]", SHAPED "{'type':'add','inputs':['relu1','reshape1']},{'type':'flatten'}", x, 2, -2, 6, -4);
}

/* ---- convolution against the plainest loop ------------------------------------------------------------- */

typedef struct conv_case {
    size_t h, w, c, filters, k_h, k_w;
    const char *more;
    size_t stride_h, stride_w, dilation_h, dilation_w, groups;
    size_t top, left, bottom, right; /* what "more" means for the padding, worked out by hand */
} conv_case;

static const conv_case conv_cases[] = {
    {5, 5, 1, 1, 3, 3, "", 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {28, 28, 1, 8, 3, 3, "", 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {13, 13, 8, 16, 3, 3, "", 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {6, 9, 3, 5, 1, 1, "", 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {7, 9, 3, 5, 1, 1, ",'stride':[2,3]", 2, 3, 1, 1, 1, 0, 0, 0, 0},
    {6, 7, 2, 4, 6, 7, "", 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {8, 6, 2, 4, 2, 5, "", 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {8, 6, 2, 4, 3, 3, ",'padding':'same'", 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {8, 6, 2, 4, 2, 4, ",'padding':'same'", 1, 1, 1, 1, 1, 0, 1, 1, 2}, /* the odd cell below and right */
    {8, 7, 2, 4, 3, 3, ",'padding':'same','stride':2", 2, 2, 1, 1, 1, 0, 1, 1,
     1}, /* 8 -> 4 needs 9 rows, 7 -> 4 needs 9 */
    {8, 7, 2, 4, 2, 2, ",'padding':'same','stride':3", 3, 3, 1, 1, 1, 0, 0, 0,
     1}, /* 8 -> 3 takes 8, 7 -> 3 needs 8 */
    {5, 6, 1, 2, 3, 5, ",'padding':'same','dilation':[2,1]", 1, 1, 2, 1, 1, 2, 2, 2, 2}, /* spans 5 x 5 */
    {5, 6, 2, 3, 3, 3, ",'padding':2", 1, 1, 1, 1, 1, 2, 2, 2, 2},
    {5, 6, 2, 3, 3, 4, ",'padding':[0,3]", 1, 1, 1, 1, 1, 0, 3, 0, 3},
    {5, 6, 2, 3, 3, 4, ",'padding':[2,0,1,3]", 1, 1, 1, 1, 1, 2, 0, 1, 3},
    {9, 9, 2, 3, 3, 3, ",'stride':[2,4]", 2, 4, 1, 1, 1, 0, 0, 0, 0},
    {9, 10, 2, 3, 3, 2, ",'dilation':[3,4],'stride':2", 2, 2, 3, 4, 1, 0, 0, 0, 0},
    {9, 8, 4, 6, 3, 3, ",'groups':2", 1, 1, 1, 1, 2, 0, 0, 0, 0},
    {9, 8, 6, 6, 3, 3, ",'groups':6,'padding':'same'", 1, 1, 1, 1, 6, 1, 1, 1, 1},
    {9, 8, 3, 9, 3, 3, ",'groups':3,'stride':2,'padding':1", 2, 2, 1, 1, 3, 1, 1, 1, 1},
    {3, 40, 5, 33, 3, 7, ",'padding':'same'", 1, 1, 1, 1, 1, 1, 3, 1, 3},
    {9, 8, 17, 16, 1, 1, "", 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {1, 2, 16, 10, 1, 1, "", 1, 1, 1, 1, 1, 0, 0, 0, 0},
    {6, 11, 16, 18, 3, 3, "", 1, 1, 1, 1, 1, 0, 0, 0, 0}, /* of 3x3 with many channels: by Winograd's way */
    {7, 6, 17, 16, 3, 3, ",'padding':'same'", 1, 1, 1, 1, 1, 1, 1, 1, 1},
    {6, 5, 16, 21, 3, 3, ",'padding':[2,0,1,2]", 1, 1, 1, 1, 1, 2, 0, 1, 2},
};

/* y[f, oy, ox] = b[f] + sum over c, ky, kx of w[f, c, ky, kx] x[c, oy s - top + ky d, ...], in double. */
static double convolve(const conv_case *t, const tg_real *weight, const tg_real *bias, const float *pixels,
                       size_t f, size_t oy, size_t ox) {
    double sum = (double)bias[f];
    size_t per_group = t->c / t->groups, first = f / (t->filters / t->groups) * per_group;
    for (size_t c = 0; c < per_group; c++)
        for (size_t ky = 0; ky < t->k_h; ky++)
            for (size_t kx = 0; kx < t->k_w; kx++) {
                size_t y = oy * t->stride_h + ky * t->dilation_h, x = ox * t->stride_w + kx * t->dilation_w;
                if (y < t->top || y - t->top >= t->h || x < t->left || x - t->left >= t->w) continue;
                sum += (double)weight[((f * per_group + c) * t->k_h + ky) * t->k_w + kx] *
                       (double)pixels[((y - t->top) * t->w + x - t->left) * t->c + first + c];
            }
    return sum;
}

static void check_convolution(const conv_case *t) {
    char input[64], layers[512];
    snprintf(input, sizeof input, "[%zu,%zu,%zu]", t->h, t->w, t->c);
    snprintf(layers, sizeof layers, "{'type':'conv2d','filters':%zu,'kernel':[%zu,%zu]%s},{'type':'flatten'}",
             t->filters, t->k_h, t->k_w, t->more);
    tg_run *run = network(input, layers);
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
    float pixels[MOST], out[2 * MOST];
    size_t size = t->h * t->w * t->c, outputs = tg_run_outputs(run);
    assert_true(2 * size <= MOST && outputs <= MOST);
    for (size_t i = 0; i < 2 * size; i++) pixels[i] = (float)tg_rng_normal(&rng);
    tg_real *weight = parameter(run, "conv2d1.weight"), *bias = parameter(run, "conv2d1.bias");
    for (size_t f = 0; f < t->filters; f++) bias[f] = (tg_real)f - 1;
    size_t out_h = (t->h + t->top + t->bottom - (t->k_h - 1) * t->dilation_h - 1) / t->stride_h + 1;
    size_t out_w = (t->w + t->left + t->right - (t->k_w - 1) * t->dilation_w - 1) / t->stride_w + 1;
    assert_int_equal(outputs, t->filters * out_h * out_w);
    double within = t->c >= 16 ? 1e-5 : 2e-6; /* Winograd's rounding is relative to the whole output */
    predict(run, pixels, 2, out);
    for (size_t i = 0; i < 2 * outputs; i++) {
        size_t f = i % outputs / (out_h * out_w), oy = i / out_w % out_h, ox = i % out_w;
        double expected = convolve(t, weight, bias, pixels + i / outputs * size, f, oy, ox);
        if (fabs((double)out[i] - expected) > within * fmax(1, fabs(expected)))
            fail_msg("%s: [%zu] is %.9g, not %.9g", layers, i, (double)out[i], expected);
    }
    tg_run_destroy(run);
}

static void convolutions_equal_the_plain_loop(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof conv_cases / sizeof *conv_cases; i++) check_convolution(&conv_cases[i]);
}

/* A NaN spreads over the windows that hold it, and padding is zero, not NaN. */
static void convolution_lets_nan_through(void **state) {
    (void)state;
    tg_run *run = network("[1,5,1]",
                          "{'type':'conv2d','filters':1,'kernel':[1,3],'padding':'same'},{'type':'flatten'}");
    set_parameter(run, "conv2d1.weight", (const double[]){1, 1, 1}, 3);
    float y[5];
    predict(run, LIST(1, 2, 3, 4, NAN), 1, y);
    assert_true(y[0] == 3 && y[1] == 6 && y[2] == 9 && isnan(y[3]) && isnan(y[4]));
    tg_run_destroy(run);
}

static int begin(void **state) {
    (void)state;
    engine = make_engine(1);
    return 0;
}

static int end(void **state) {
    (void)state;
    tg_engine_destroy(engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_multiplies_and_adds),
        cmocka_unit_test(flatten_puts_channels_first),
        cmocka_unit_test(activations_have_their_values),
        cmocka_unit_test(zeros_keep_their_sign_and_nan_goes_through),
        cmocka_unit_test(normalisation_and_dropout_have_their_values_in_inference),
        cmocka_unit_test(pools_have_their_values),
        cmocka_unit_test(padding_never_wins_and_nan_always),
        cmocka_unit_test(add_and_concat_bring_branches_together),
        cmocka_unit_test(convolutions_equal_the_plain_loop),
        cmocka_unit_test(convolution_lets_nan_through),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
