/* Networks learn: a stated accuracy in a stated number of epochs. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "support/importing.h"
#include "support/recipe.h"
#include "support/trial.h"

static tg_engine *engine;

/* Trains to the end; the accuracy on `test` afterwards. */
static double learn(const char *recipe, tg_dataset *train, tg_dataset *test) {
    tg_run *run = make_run(engine, recipe, train, NULL);
    train_steps(run, 0);
    double accuracy = evaluate_all(run, test).score.accuracy;
    tg_run_destroy(run);
    return accuracy;
}

static void xor_is_learned(void **state) {
    (void)state;
    tg_dataset *corners;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_F32, 1, 1, 2, 4, 2, false, &corners, &err));
    float *x = tg_dataset_pixels(corners);
    for (int i = 0; i < 4; i++) {
        x[2 * i] = (float)(i & 1), x[2 * i + 1] = (float)(i >> 1);
        tg_dataset_labels(corners)[i] = (i & 1) ^ (i >> 1);
    }
    ASSERT_OK(tg_dataset_check(corners, "xor", &err));
    static const char *const optimizers[] = {"'sgd','learning_rate':0.5", "'momentum','learning_rate':0.2",
                                             "'nesterov','learning_rate':0.2", "'adam','learning_rate':0.05",
                                             "'adamw','learning_rate':0.05"};
    for (size_t i = 0; i < 5; i++) {
        char recipe[1024];
        snprintf(recipe, sizeof recipe,
                 "{'tabgrad':1,'model':{'input':[2],'layers':[{'type':'dense','units':8},{'type':'tanh'},"
                 "{'type':'dense','units':2}]},'optimizer':{'type':%s},'batch_size':4,'epochs':300}",
                 optimizers[i]);
        double accuracy = learn(recipe, corners, corners);
        if (accuracy != 1) fail_msg("%s: %g", optimizers[i], accuracy);
    }
    tg_dataset_destroy(corners);
}

/* Two arms around each other, one and a half turns. */
static tg_dataset *make_spirals(size_t count, uint32_t set) {
    tg_dataset *spirals;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_F32, 1, 1, 2, count, 2, false, &spirals, &err));
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, set, 0);
    float *x = tg_dataset_pixels(spirals);
    for (size_t i = 0; i < count; i++) {
        int32_t arm = (int32_t)tg_rng_below(&rng, 2);
        double t = 0.1 + 0.9 * tg_rng_uniform(&rng), angle = 3 * 3.14159265358979 * (t + arm / 3.0);
        x[2 * i] = (float)(4 * t * cos(angle) + 0.05 * tg_rng_normal(&rng));
        x[2 * i + 1] = (float)(4 * t * sin(angle) + 0.05 * tg_rng_normal(&rng));
        tg_dataset_labels(spirals)[i] = arm;
    }
    ASSERT_OK(tg_dataset_check(spirals, "spirals", &err));
    return spirals;
}

static void spirals_are_learned(void **state) {
    (void)state;
    tg_dataset *train = make_spirals(400, 0), *test = make_spirals(400, 1);
    double accuracy =
        learn("{'tabgrad':1,'model':{'input':[2],'layers':[{'type':'dense','units':32},{'type':'tanh'},"
              "{'type':'dense','units':32},{'type':'tanh'},{'type':'dense','units':2}]},"
              "'optimizer':{'type':'adam','learning_rate':0.01},'batch_size':32,'epochs':120}",
              train, test);
    print_message("spirals: %.1f %%\n", 100 * accuracy);
    assert_true(accuracy >= 0.97);
    tg_dataset_destroy(train);
    tg_dataset_destroy(test);
}

/* What a convolution is for: a small picture anywhere in a large one. */
static tg_dataset *make_shifted(size_t count, uint32_t set) {
    enum { SIDE = 12, PATCH = 5, CLASSES = 4 };
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_U8, SIDE, SIDE, 1, count, CLASSES, false, &dataset, &err));
    static const char *const shapes[CLASSES] = {"..#....#..#####..#....#..", "#...#.#.#...#...#.#.#...#",
                                                "######...##...##...######", "..#...#.#.#...#.#.#...#.."};
    tg_rng rng = tg_rng_stream(7, TG_RNG_TEST, set, 0);
    uint8_t *pixels = tg_dataset_pixels(dataset);
    for (size_t i = 0; i < count; i++, pixels += SIDE * SIDE) {
        uint32_t label = tg_rng_below(&rng, CLASSES), top = tg_rng_below(&rng, SIDE - PATCH + 1),
                 left = tg_rng_below(&rng, SIDE - PATCH + 1);
        tg_dataset_labels(dataset)[i] = (int32_t)label;
        for (uint32_t k = 0; k < SIDE * SIDE; k++) pixels[k] = (uint8_t)tg_rng_below(&rng, 80);
        for (uint32_t k = 0; k < PATCH * PATCH; k++)
            if (shapes[label][k] == '#') pixels[(top + k / PATCH) * SIDE + left + k % PATCH] = 220;
    }
    ASSERT_OK(tg_dataset_check(dataset, "shifted", &err));
    return dataset;
}

#define PIXELS(layers)                                                                                       \
    "{'tabgrad':1,'preprocess':[{'type':'rescale'}],'model':{'input':[12,12,1],'layers':[" layers "]},"

static void shapes_anywhere_are_learned_by_convolution(void **state) {
    (void)state;
    tg_dataset *train = make_shifted(600, 0), *test = make_shifted(300, 1);
    double cnn = learn(
        PIXELS("{'type':'conv2d','filters':8,'kernel':3},{'type':'relu'},{'type':'conv2d','filters':16,"
               "'kernel':3},{'type':'relu'},{'type':'max_pool2d','size':8},{'type':'flatten'},"
               "{'type':'dense','units':4}") "'optimizer':{'type':'adam','learning_rate':0.01},'epochs':30}",
        train, test);
    double linear = learn(
        PIXELS("{'type':'flatten'},{'type':'dense','units':4}") "'optimizer':{'type':'adam'},'epochs':30}",
        train, test);
    print_message("shifted shapes: convolution %.1f %%, linear %.1f %%\n", 100 * cnn, 100 * linear);
    assert_true(cnn >= 0.98 && cnn > linear + 0.2);
    tg_dataset_destroy(train);
    tg_dataset_destroy(test);
}

/* 16 values through a code of four: better than the mean picture, which has the variance for its error. */
static void an_autoencoder_learns_its_pictures(void **state) {
    (void)state;
    tg_dataset *train = make_pictures(4, 4, 1, 300, 3, 2, 0), *test = make_pictures(4, 4, 1, 100, 3, 2, 1);
    tg_run *run =
        make_run(engine,
                 "{'tabgrad':1,'preprocess':[{'type':'rescale'},{'type':'standardize'}],"
                 "'model':{'input':[4,4],'layers':[{'type':'flatten'},{'type':'dense','units':4},"
                 "{'type':'tanh'},{'type':'dense','units':16}]},'loss':{'type':'mean_squared_error',"
                 "'target':'input'},'optimizer':{'type':'adam','learning_rate':0.02},'epochs':40}",
                 train, NULL);
    double before = evaluate_all(run, test).score.loss;
    train_steps(run, 0);
    double after = evaluate_all(run, test).score.loss;
    print_message("autoencoder: %.3f, then %.3f\n", before, after);
    assert_true(before > 1 && after < 0.2);
    tg_run_destroy(run);
    tg_dataset_destroy(train);
    tg_dataset_destroy(test);
}

/* ---- real digits, where the build has prepared them ---------------------------------------------------- */

static tg_dataset *open_mnist(const char *images, const char *labels) {
    char path[2][512];
    snprintf(path[0], sizeof path[0], TG_DATA "/mnist/%s", images);
    snprintf(path[1], sizeof path[1], TG_DATA "/mnist/%s", labels);
    tg_bytes files[2] = {{.name = images}, {.name = labels}};
    uint8_t *bytes[2];
    for (size_t i = 0; i < 2; i++) files[i].data = bytes[i] = read_whole_file(path[i], &files[i].size);
    tg_dataset *dataset = NULL;
    tg_error err;
    if (bytes[0] && bytes[1]) ASSERT_OK(import_pair(files[0], files[1], &dataset, &err));
    free(bytes[0]);
    free(bytes[1]);
    return dataset;
}

/* A tenth of MNIST, one epoch of a perceptron. (The whole of it is measured from the command line.) */
static void digits_are_learned(void **state) {
    (void)state;
    tg_dataset *train = open_mnist("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
               *test = open_mnist("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");
    if (!train || !test) {
        print_message("MNIST has not been prepared in build/data\n");
        skip();
    }
    double accuracy = learn(
        "{'tabgrad':1,'data':{'train_size':6000},'preprocess':[{'type':'rescale'},{'type':'standardize',"
        "'mean':0.1307,'std':0.3081}],'model':{'input':[28,28],'layers':[{'type':'flatten'},"
        "{'type':'dense','units':64},{'type':'relu'},{'type':'dense','units':10}]},"
        "'optimizer':{'type':'adam'}}",
        train, test);
    print_message("MNIST: %.1f %%\n", 100 * accuracy);
    assert_true(accuracy >= 0.88);
    tg_dataset_destroy(train);
    tg_dataset_destroy(test);
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
        cmocka_unit_test(xor_is_learned),
        cmocka_unit_test(spirals_are_learned),
        cmocka_unit_test(shapes_anywhere_are_learned_by_convolution),
        cmocka_unit_test(an_autoencoder_learns_its_pictures),
        cmocka_unit_test(digits_are_learned),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
