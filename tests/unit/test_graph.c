/* From a recipe's layers to a sorted graph with names, shapes and first weights. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

static tg_engine *engine;

static tg_run *open_model(const char *input, const char *layers, uint64_t seed) {
    char recipe[4096];
    snprintf(recipe, sizeof recipe,
             "{'tabgrad':1,'model':{'input':%s,'layers':[%s]},'optimizer':{'type':'sgd'},'seed':%llu}", input,
             layers, (unsigned long long)seed);
    return make_run(engine, recipe, NULL, NULL);
}

static void check_layer(const tg_run *run, size_t index, const char *name, const char *type,
                        const char *shape, size_t parameters) {
    tg_layer_info info;
    tg_error err;
    ASSERT_OK(tg_run_layer(run, index, &info, &err));
    char text[96] = "";
    for (size_t i = 0, used = 0; i < info.rank; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, i ? "x%zu" : "%zu", info.shape[i]);
    assert_string_equal(info.name, name);
    assert_string_equal(info.type, type);
    assert_string_equal(text, shape);
    assert_int_equal(info.parameters, parameters);
}

static void layers_tell_names_shapes_and_parameters(void **state) {
    (void)state;
    tg_run *run = open_model(
        "[28,28,3]",
        "{'type':'conv2d','filters':8,'kernel':[3,5]},{'type':'relu'},{'type':'max_pool2d','size':2},"
        "{'type':'conv2d','filters':16,'kernel':3,'groups':4,'padding':'same','bias':false},"
        "{'type':'global_avg_pool2d','name':'mean'},{'type':'flatten'},"
        "{'type':'dense','units':10,'trainable':false}",
        1);
    assert_int_equal(tg_run_layers(run), 7);
    check_layer(run, 0, "conv2d1", "conv2d", "8x26x24", 8 * 3 * 15 + 8);
    check_layer(run, 1, "relu1", "relu", "8x26x24", 0);
    check_layer(run, 2, "max_pool2d1", "max_pool2d", "8x13x12", 0);
    check_layer(run, 3, "conv2d2", "conv2d", "16x13x12", 16 * 2 * 9);
    check_layer(run, 4, "mean", "global_avg_pool2d", "16x1x1", 0);
    check_layer(run, 5, "flatten1", "flatten", "16", 0);
    check_layer(run, 6, "dense1", "dense", "10", 170);
    tg_layer_info info;
    tg_error err;
    ASSERT_OK(tg_run_layer(run, 6, &info, &err));
    assert_false(info.trainable);
    ASSERT_FAILS(tg_run_layer(run, 7, &info, &err), TG_E_ARGUMENT, "there is no layer 7");
    tg_run_destroy(run);
}

static void parameters_have_the_shapes_of_pytorch(void **state) {
    (void)state;
    tg_run *run = open_model("[6,6,4]",
                             "{'type':'conv2d','filters':6,'kernel':[2,3],'groups':2},{'type':'flatten'},"
                             "{'type':'dense','units':5,'name':'out'}",
                             1);
    static const struct {
        const char *name;
        size_t rank, shape[4];
    } expected[] = {{"conv2d1.weight", 4, {6, 2, 2, 3}},
                    {"conv2d1.bias", 1, {6}},
                    {"out.weight", 2, {5, 120}},
                    {"out.bias", 1, {5}}};
    assert_int_equal(tg_run_parameters(run), 4);
    tg_tensor_info info;
    tg_error err;
    for (size_t i = 0; i < 4; i++) {
        ASSERT_OK(tg_run_parameter(run, i, &info, &err));
        assert_string_equal(info.name, expected[i].name);
        assert_int_equal(info.rank, expected[i].rank);
        size_t size = 1;
        for (size_t k = 0; k < info.rank; k++) {
            assert_int_equal(info.shape[k], expected[i].shape[k]);
            size *= info.shape[k];
        }
        assert_int_equal(info.size, size);
    }
    ASSERT_FAILS(tg_run_parameter(run, 4, &info, &err), TG_E_ARGUMENT, "there is no parameter 4");
    tg_run_destroy(run);
}

/* The order of the list is kept where it can be; else a layer waits for its inputs. */
static void layers_are_sorted_by_need(void **state) {
    (void)state;
    tg_run *run = open_model("[4]",
                             "{'type':'dense','units':2,'inputs':['sum'],'name':'last'},"
                             "{'type':'add','inputs':['a','b'],'name':'sum'},"
                             "{'type':'dense','units':3,'inputs':'input','name':'b'},"
                             "{'type':'tanh','inputs':'b','name':'t'},"
                             "{'type':'dense','units':3,'inputs':'t','name':'a'}",
                             1);
    static const char *const order[] = {"b", "t", "a", "sum", "last"};
    tg_layer_info info;
    tg_error err;
    for (size_t i = 0; i < 5; i++) {
        ASSERT_OK(tg_run_layer(run, i, &info, &err));
        assert_string_equal(info.name, order[i]);
    }
    tg_run_destroy(run);
}

static void input_may_have_one_two_or_three_sizes(void **state) {
    (void)state;
    static const struct {
        const char *input, *layer, *shape;
        size_t sizes[3];
    } cases[] = {{"[5]", "{'type':'relu'}", "5", {1, 1, 5}},
                 {"7", "{'type':'relu'}", "7", {1, 1, 7}},
                 {"[4,3]", "{'type':'flatten'}", "12", {4, 3, 1}},
                 {"[4,3,2]", "{'type':'flatten'}", "24", {4, 3, 2}}};
    for (size_t i = 0; i < 4; i++) {
        tg_run *run = open_model(cases[i].input, cases[i].layer, 1);
        size_t shape[3];
        tg_run_input_shape(run, shape);
        assert_memory_equal(shape, cases[i].sizes, sizeof shape);
        check_layer(run, 0, i < 2 ? "relu1" : "flatten1", i < 2 ? "relu" : "flatten", cases[i].shape, 0);
        tg_run_destroy(run);
    }
}

/* What is written back is a recipe again, the same one: names, inputs and every default filled in. */
static void the_written_recipe_is_a_fixed_point(void **state) {
    (void)state;
    static const char text[] =
        "{'tabgrad':1,'name':'all','data':{'dataset':'mnist','validation':0.25,'x-source':['here']},"
        "'preprocess':[{'type':'rescale','x-step':1},{'type':'standardize','mean':[0.5],'std':[0.25]}],"
        "'augment':[{'type':'flip_horizontal','x-kind':2}],"
        "'model':{'input':[8,8],'x-drawn':true,'layers':["
        "{'type':'conv2d','filters':3,'kernel':[3,2],'padding':[1,0,1,0],'initializer':{'type':'normal','std'"
        ":0.2}},"
        "{'type':'leaky_relu','x-why':'kinks'},{'type':'max_pool2d','size':2,'padding':'same'},{'type':'"
        "reshape','shape':[3,"
        "4,4]},"
        "{'type':'flatten','name':'flat'},{'type':'dense','units':12,'bias':false,'trainable':false},{'type':"
        "'relu'},"
        "{'type':'dense','units':4,'inputs':'flat','learning_rate_factor':0.1}]},"
        "'losses':[{'type':'cross_entropy','label_smoothing':0.1,'weight':0.5},{'type':'mean_squared_error',"
        "'output':'relu1','x-loss':1}],"
        "'optimizer':{'type':'adamw','l2':0.001,'x-from':'a "
        "paper'},'schedule':{'type':'cosine','x-half':2},'batch_size':16,'epochs':3,"
        "'seed':9007199254740991,'x-note':{'kept':[1,2.5,null]}}";
    tg_run *run = make_run(engine, text, NULL, NULL);
    const char *json, *again;
    tg_error err;
    ASSERT_OK(tg_run_recipe_json(run, &json, &err));
    tg_run *second = make_run(engine, json, NULL, NULL);
    ASSERT_OK(tg_run_recipe_json(second, &again, &err));
    assert_string_equal(json, again);
    assert_string_equal(hash_of(run), hash_of(second));
    static const char *const expected[] = {
        "\"input\":[8,8]",
        "\"x-drawn\":true",
        "\"x-step\":1}",
        "\"x-kind\":2}",
        "\"x-source\":[\"here\"]",
        "\"x-note\":{\"kept\":[1,2.5,null]}",
        "{\"type\":\"leaky_relu\",\"name\":\"leaky_relu1\",\"inputs\":[\"conv2d1\"],\"slope\":0.01,\"x-why\":"
        "\"kinks\"}",
        "\"x-loss\":1}",
        "\"x-from\":\"a paper\"}",
        "\"x-half\":2}",
        "\"stride\":2,\"padding\":\"same\"",
        "\"padding\":[1,0,1,0]",
        "\"seed\":9007199254740991",
        "\"beta2\":0.999",
        "{\"type\":\"mean_squared_error\",\"output\":\"relu1\",\"target\":\"labels\",\"weight\":1,"};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strstr(json, expected[i])) fail_msg("%s is not in %s", expected[i], json);
    tg_run_destroy(run);
    tg_run_destroy(second);
}

/* ---- first weights ------------------------------------------------------------------------------------- */

enum { INPUTS = 200, UNITS = 300, WEIGHTS = INPUTS * UNITS };

static const struct {
    const char *initializer;
    bool normal;
    double mean, spread; /* deviation, or half the width */
} schemes[] = {
    {"'xavier_uniform'", false, 0, 0.10954451150103322 /* sqrt(6 / 500) */},
    {"'xavier'", false, 0, 0.10954451150103322},
    {"{'type':'xavier_uniform','gain':2}", false, 0, 0.21908902300206645},
    {"'xavier_normal'", true, 0, 0.06324555320336758 /* sqrt(2 / 500) */},
    {"'he_uniform'", false, 0, 0.17320508075688773 /* sqrt(6 / 200) */},
    {"'he_normal'", true, 0, 0.1 /* sqrt(2 / 200) */},
    {"'he'", true, 0, 0.1},
    {"{'type':'normal','mean':1,'std':0.5}", true, 1, 0.5},
    {"'normal'", true, 0, 0.01},
    {"{'type':'uniform','limit':0.3}", false, 0, 0.3},
    {"'zeros'", false, 0, 0},
};

static void initializers_follow_their_formulas(void **state) {
    (void)state;
    for (size_t s = 0; s < sizeof schemes / sizeof *schemes; s++) {
        char layers[256];
        snprintf(layers, sizeof layers, "{'type':'dense','units':%d,'initializer':%s}", UNITS,
                 schemes[s].initializer);
        tg_run *run = open_model("[200]", layers, 3);
        const tg_real *w = parameter(run, "dense1.weight"), *b = parameter(run, "dense1.bias");
        double sum = 0, squares = 0, least = INFINITY, most = -INFINITY;
        for (size_t i = 0; i < WEIGHTS; i++) {
            double x = (double)w[i] - schemes[s].mean;
            sum += x, squares += x * x;
            least = fmin(least, x), most = fmax(most, x);
        }
        for (size_t i = 0; i < UNITS; i++) assert_true(b[i] == 0);
        double spread = schemes[s].spread, deviation = schemes[s].normal ? spread : spread / sqrt(3);
        /* Four standard errors of 60,000 draws. */
        assert_true(fabs(sum / WEIGHTS) <= 4 * deviation / sqrt(WEIGHTS));
        assert_true(fabs(sqrt(squares / WEIGHTS) - deviation) <= 4 * deviation / sqrt(2 * WEIGHTS));
        if (schemes[s].normal) assert_true(most > 3 * spread && least < -3 * spread);
        else assert_true(most <= spread * (1 + 1e-6) && most >= spread * 0.999 && least <= -spread * 0.999);
        tg_run_destroy(run);
    }
}

/* The largest singular value, found on the other side: power iteration on w w^T from a random start, and longer. */
static double largest_singular_value(const tg_real *w, size_t rows, size_t cols) {
    double u[64], next[64], norm = 0;
    assert_true(rows <= 64);
    tg_rng rng = tg_rng_stream(9, TG_RNG_TEST, 0, 0);
    for (size_t i = 0; i < rows; i++) u[i] = tg_rng_normal(&rng);
    for (int round = 0; round < 3000; round++) {
        memset(next, 0, sizeof next);
        for (size_t j = 0; j < cols; j++) {
            double dot = 0;
            for (size_t i = 0; i < rows; i++) dot += (double)w[i * cols + j] * u[i];
            for (size_t i = 0; i < rows; i++) next[i] += (double)w[i * cols + j] * dot;
        }
        norm = 0;
        for (size_t i = 0; i < rows; i++) norm += next[i] * next[i];
        norm = sqrt(norm);
        for (size_t i = 0; i < rows; i++) u[i] = next[i] / norm;
    }
    return sqrt(norm);
}

static void spectral_normal_has_the_norm_it_promises(void **state) {
    (void)state;
    tg_run *run =
        open_model("[784]",
                   "{'type':'dense','units':10,'initializer':'spectral_normal'},{'type':'dense','units':7,"
                   "'initializer':{'type':'spectral_normal','gain':2.5}}",
                   4);
    assert_true(fabs(largest_singular_value(parameter(run, "dense1.weight"), 10, 784) - 1) < 1e-3);
    assert_true(fabs(largest_singular_value(parameter(run, "dense2.weight"), 7, 10) - 2.5) < 1e-3);
    tg_run_destroy(run);
}

/* conv2d: fan_in is channels times area, fan_out filters times area. */
static void convolutions_count_their_fans(void **state) {
    (void)state;
    tg_run *run = open_model(
        "[9,9,8]", "{'type':'conv2d','filters':16,'kernel':[5,3],'groups':2},{'type':'flatten'}", 1);
    const tg_real *w = parameter(run, "conv2d1.weight");
    double most = 0, limit = sqrt(6.0 / (4 * 15 + 16 * 15));
    for (size_t i = 0; i < 16 * 4 * 15; i++) most = fmax(most, fabs((double)w[i]));
    assert_true(most <= limit * (1 + 1e-6) && most > limit * 0.98);
    tg_run_destroy(run);
}

static void weights_depend_on_graph_and_seed_alone(void **state) {
    (void)state;
    static const char layers[] = "{'type':'dense','units':20},{'type':'tanh'},{'type':'dense','units':20}";
    tg_run *a = open_model("[20]", layers, 5), *b = open_model("[20]", layers, 5),
           *c = open_model("[20]", layers, 6);
    assert_string_equal(hash_of(a), hash_of(b));
    assert_string_not_equal(hash_of(a), hash_of(c));
    assert_memory_not_equal(parameter(a, "dense1.weight"), parameter(a, "dense2.weight"),
                            400 * sizeof(tg_real));
    tg_run_destroy(a);
    tg_run_destroy(b);
    tg_run_destroy(c);
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
        cmocka_unit_test(layers_tell_names_shapes_and_parameters),
        cmocka_unit_test(parameters_have_the_shapes_of_pytorch),
        cmocka_unit_test(layers_are_sorted_by_need),
        cmocka_unit_test(input_may_have_one_two_or_three_sizes),
        cmocka_unit_test(the_written_recipe_is_a_fixed_point),
        cmocka_unit_test(initializers_follow_their_formulas),
        cmocka_unit_test(spectral_normal_has_the_norm_it_promises),
        cmocka_unit_test(convolutions_count_their_fans),
        cmocka_unit_test(weights_depend_on_graph_and_seed_alone),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
