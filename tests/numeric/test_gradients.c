/* Every op and every loss against central differences, in double: |a - n| / max(|a|, |n|, 1e-2) below 1e-7.
 *
 * Only parameters are compared, so what is to be checked stands behind a trainable layer: its gradient with
 * respect to its input is then part of theirs. */
#include <stdio.h>
#include <string.h>

#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

#define CROSS_ENTROPY       "'loss':'cross_entropy'"
#define SQUARES             "'loss':'mean_squared_error'"
#define DENSE(units)        "{'type':'dense','units':" #units "}"
#define CONV(filters, more) "{'type':'conv2d','filters':" #filters ",'kernel':3" more "}"
#define MIX(filters)        "{'type':'conv2d','filters':" #filters ",'kernel':1}"
#define TANH                "{'type':'tanh'}"
#define END                 "{'type':'flatten'}," DENSE(3)

typedef struct gradient_case {
    const char *title;
    size_t height, width, channels;
    const char *layers;
    const char *rest; /* of the recipe: losses and what else matters */
    size_t samples;   /* 0: four */
    bool soft;        /* targets are distributions, not labels */
} gradient_case;

/* ---- convolution: the case stands between two layers, after channels were mixed ------------------------ */

#define CONV_CASE(name, h, w, c, attributes)                                                                 \
    { name, h, w, 2, MIX(c) "," TANH ",{'type':'conv2d'," attributes "}," END, CROSS_ENTROPY, 0, false }

static const gradient_case conv_cases[] = {
    CONV_CASE("3x3", 6, 6, 2, "'filters':3,'kernel':3"),
    CONV_CASE("no bias", 5, 5, 2, "'filters':3,'kernel':3,'bias':false"),
    CONV_CASE("1x1", 4, 5, 3, "'filters':4,'kernel':1"),
    CONV_CASE("1x1, stride 2", 5, 4, 2, "'filters':3,'kernel':1,'stride':2"),
    CONV_CASE("kernel as large as the input", 4, 5, 2, "'filters':3,'kernel':[4,5]"),
    CONV_CASE("not square", 7, 5, 2, "'filters':3,'kernel':[2,4]"),
    CONV_CASE("even kernel, same", 6, 7, 2, "'filters':2,'kernel':[2,4],'padding':'same'"),
    CONV_CASE("same", 5, 6, 2, "'filters':3,'kernel':3,'padding':'same'"),
    CONV_CASE("same, stride 2", 6, 7, 2, "'filters':3,'kernel':3,'padding':'same','stride':2"),
    CONV_CASE("same, stride 3 above kernel 2", 7, 8, 2, "'filters':2,'kernel':2,'padding':'same','stride':3"),
    CONV_CASE("valid by name", 5, 5, 2, "'filters':2,'kernel':3,'padding':'valid'"),
    CONV_CASE("padding p", 4, 5, 2, "'filters':2,'kernel':3,'padding':1"),
    CONV_CASE("padding [h, w]", 4, 5, 2, "'filters':2,'kernel':5,'padding':[2,1]"),
    CONV_CASE("padding [t, l, b, r]", 4, 4, 2, "'filters':2,'kernel':[3,4],'padding':[2,0,1,3]"),
    CONV_CASE("stride", 7, 7, 2, "'filters':2,'kernel':3,'stride':2"),
    CONV_CASE("stride that leaves cells over", 8, 6, 2, "'filters':2,'kernel':3,'stride':[3,2]"),
    CONV_CASE("dilation", 7, 7, 2, "'filters':2,'kernel':3,'dilation':2"),
    CONV_CASE("dilation, stride, padding", 9, 8, 2,
              "'filters':2,'kernel':[3,2],'dilation':[2,3],'stride':[2,1],'padding':[1,2]"),
    CONV_CASE("two groups", 5, 5, 4, "'filters':6,'kernel':3,'groups':2"),
    CONV_CASE("depthwise", 5, 6, 3, "'filters':3,'kernel':3,'groups':3,'padding':'same'"),
    CONV_CASE("depthwise, two filters a channel, stride 2", 6, 6, 3,
              "'filters':6,'kernel':3,'groups':3,'stride':2"),
    CONV_CASE("one filter", 5, 5, 1, "'filters':1,'kernel':3"),
    CONV_CASE("more filters and taps than a register tile", 7, 7, 5, "'filters':19,'kernel':3"),
    CONV_CASE("1x1, many channels", 3, 3, 17, "'filters':18,'kernel':1"),
    CONV_CASE("Winograd", 7, 6, 16, "'filters':17,'kernel':3"),
    CONV_CASE("Winograd, same", 5, 6, 17, "'filters':16,'kernel':3,'padding':'same'"),
    CONV_CASE("Winograd, padding [t, l, b, r]", 4, 5, 16, "'filters':16,'kernel':3,'padding':[2,0,1,2]"),
    {"two in a row", 8, 8, 1, CONV(2, "") "," TANH "," CONV(3, ",'padding':'same'") "," END, CROSS_ENTROPY, 0,
     false},
    {"one sample", 5, 5, 2, MIX(2) "," CONV(3, "") "," END, CROSS_ENTROPY, 1, false},
    {"more samples than shards", 4, 4, 1, MIX(2) "," TANH "," CONV(2, "") "," END, CROSS_ENTROPY, 21, false},
};

/* ---- pooling ------------------------------------------------------------------------------------------- */

#define POOL_CASE(name, h, w, pool)                                                                          \
    { name, h, w, 2, MIX(3) "," TANH "," pool "," END, CROSS_ENTROPY, 0, false }

static const gradient_case pool_cases[] = {
    POOL_CASE("max", 6, 6, "{'type':'max_pool2d','size':2}"),
    POOL_CASE("max, overlapping", 6, 7, "{'type':'max_pool2d','size':3,'stride':2}"),
    POOL_CASE("max, stride above size", 7, 7, "{'type':'max_pool2d','size':2,'stride':3}"),
    POOL_CASE("max, padding, as many cells as windows have", 6, 6,
              "{'type':'max_pool2d','size':3,'padding':1}"),
    POOL_CASE("max, stride above size, as many cells as windows have", 4, 4,
              "{'type':'max_pool2d','size':2,'stride':3,'padding':'same'}"),
    POOL_CASE("max, same", 5, 5, "{'type':'max_pool2d','size':[2,3],'padding':'same'}"),
    POOL_CASE("max, padding [t, l, b, r]", 5, 4,
              "{'type':'max_pool2d','size':3,'stride':1,'padding':[2,0,1,2]}"),
    POOL_CASE("average", 6, 6, "{'type':'avg_pool2d','size':2}"),
    POOL_CASE("average, overlapping", 6, 7, "{'type':'avg_pool2d','size':[3,2],'stride':[2,1]}"),
    POOL_CASE("average, same", 5, 5, "{'type':'avg_pool2d','size':3,'stride':2,'padding':'same'}"),
    POOL_CASE("average, padding [h, w]", 5, 4, "{'type':'avg_pool2d','size':3,'stride':1,'padding':[1,2]}"),
    POOL_CASE("global average", 5, 4, "{'type':'global_avg_pool2d'}"),
    {"two pools on one convolution", 6, 6, 1,
     "{'type':'conv2d','filters':2,'kernel':3,'name':'c'},{'type':'max_pool2d','size':2},"
     "{'type':'avg_pool2d','size':2,'inputs':'c'},{'type':'concat','inputs':['max_pool2d1','avg_pool2d1']}"
     "," END,
     CROSS_ENTROPY, 0, false},
};

/* ---- activations, each behind weights and again behind itself ------------------------------------------ */

#define ACT_CASE(name, act)                                                                                  \
    { name, 1, 1, 4, DENSE(5) "," act "," DENSE(4) "," act "," DENSE(3), CROSS_ENTROPY, 0, false }

static const gradient_case activation_cases[] = {
    ACT_CASE("relu", "{'type':'relu'}"),
    ACT_CASE("leaky_relu", "{'type':'leaky_relu'}"),
    ACT_CASE("leaky_relu 0.3", "{'type':'leaky_relu','slope':0.3}"),
    ACT_CASE("sigmoid", "{'type':'sigmoid'}"),
    ACT_CASE("tanh", TANH),
    ACT_CASE("softmax", "{'type':'softmax'}"),
    ACT_CASE("tanh of sigmoid", "{'type':'sigmoid'}," TANH),
    ACT_CASE("relu of sigmoid of tanh", TANH ",{'type':'sigmoid'},{'type':'relu'}"),
    ACT_CASE("leaky_relu of softmax of sigmoid",
             "{'type':'sigmoid'},{'type':'softmax'},{'type':'leaky_relu'}"),
    {"after a convolution", 5, 5, 1, CONV(3, "") ",{'type':'relu'}," CONV(2, "") ",{'type':'sigmoid'}," END,
     CROSS_ENTROPY, 0, false},
    {"as the output", 1, 1, 4, DENSE(4) "," TANH "," DENSE(3) ",{'type':'sigmoid'}", SQUARES, 0, false},
};

/* ---- shapes, branches, memory shared in every way the planner knows ------------------------------------ */

static const gradient_case graph_cases[] = {
    {"dense without bias", 1, 1, 4, "{'type':'dense','units':5,'bias':false}," TANH "," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"dense, more units than a register tile", 1, 1, 37, DENSE(19) "," TANH "," DENSE(3), CROSS_ENTROPY, 0,
     false},
    {"reshape to pictures and back", 1, 1, 6,
     DENSE(18) ",{'type':'reshape','shape':[2,3,3]}," CONV(
         2, ",'padding':1") ",{'type':'reshape','shape':[18]}," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"an activation behind a reshape behind an activation", 1, 1, 4,
     DENSE(6) "," TANH
              ",{'type':'reshape','shape':[2,3]},{'type':'leaky_relu','slope':0.5},{'type':'flatten'}," DENSE(
                  3),
     CROSS_ENTROPY, 0, false},
    {"the same through two reshapes", 1, 1, 4,
     DENSE(6) ",{'type':'sigmoid'},{'type':'reshape','shape':[2,3]},{'type':'flatten'}," TANH "," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"residual", 1, 1, 4,
     "{'type':'dense','units':5,'name':'a'}," TANH
     "," DENSE(5) ",{'type':'add','inputs':['a','dense2']}," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"residual around a convolution, rectified", 5, 5, 1,
     "{'type':'conv2d','filters':3,'kernel':1,'name':'a'},{'type':'relu'}," CONV(
         3, ",'padding':'same'") ",{'type':'add','inputs':['conv2d2','a']},{'type':'relu'}," END,
     CROSS_ENTROPY, 0, false},
    {"two residual blocks", 1, 1, 3,
     "{'type':'dense','units':4,'name':'a'}," TANH ",{'type':'dense','units':4,'name':'b'},"
     "{'type':'add','inputs':['a','b'],'name':'c'}," TANH ",{'type':'dense','units':4,'name':'d'},"
     "{'type':'add','inputs':['d','c']}," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"add of the same twice", 1, 1, 4,
     "{'type':'dense','units':4,'name':'a'},{'type':'add','inputs':['a','a']}," TANH "," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"add of three, one of them twice", 1, 1, 4,
     "{'type':'dense','units':4,'name':'a'},{'type':'tanh','name':'t'},{'type':'dense','units':4,'name':'b'},"
     "{'type':'add','inputs':['t','b','a','t']}," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"add of the input", 1, 1, 4, DENSE(4) ",{'type':'add','inputs':['dense1','input']}," TANH "," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"concat of features", 1, 1, 4,
     "{'type':'dense','units':2,'name':'a'},{'type':'tanh','name':'t'},{'type':'dense','units':3,'inputs':"
     "'input','name':'b'},"
     "{'type':'concat','inputs':['t','b','input']}," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"concat of the same twice", 1, 1, 4,
     "{'type':'dense','units':2,'name':'a'},{'type':'concat','inputs':['a','a']}," TANH "," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"concat of channels", 4, 5, 1,
     "{'type':'conv2d','filters':2,'kernel':3,'padding':'same','name':'a'},"
     "{'type':'conv2d','filters':3,'kernel':1,'inputs':'input','name':'b'},"
     "{'type':'concat','inputs':['a','b','input']}," TANH "," CONV(2, "") "," END,
     CROSS_ENTROPY, 0, false},
    {"concat of rows", 4, 5, 1,
     "{'type':'conv2d','filters':2,'kernel':[3,1],'name':'a'},"
     "{'type':'conv2d','filters':2,'kernel':1,'inputs':'input','name':'b'},"
     "{'type':'concat','axis':2,'inputs':['a','b']}," TANH "," CONV(2, "") "," END,
     CROSS_ENTROPY, 0, false},
    {"concat of columns", 4, 5, 1,
     "{'type':'conv2d','filters':2,'kernel':[1,3],'name':'a'},"
     "{'type':'conv2d','filters':2,'kernel':1,'inputs':'input','name':'b'},"
     "{'type':'concat','axis':3,'inputs':['b','a','b']}," TANH "," CONV(2, "") "," END,
     CROSS_ENTROPY, 0, false},
    {"one tensor, four readers", 1, 1, 4,
     "{'type':'dense','units':4,'name':'a'},{'type':'tanh','inputs':'a','name':'t'},{'type':'sigmoid',"
     "'inputs':'a','name':'s'},"
     "{'type':'dense','units':4,'inputs':'a','name':'d'},{'type':'add','inputs':['t','s','d','a']}," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"layers in another order than the graph's", 1, 1, 4,
     "{'type':'dense','units':3,'inputs':'j'},{'type':'add','inputs':['t','a'],'name':'j'},"
     "{'type':'tanh','inputs':'a','name':'t'},{'type':'dense','units':4,'inputs':'input','name':'a'}",
     "'losses':[{'type':'cross_entropy','output':'dense1'}]", 0, false},
    {"frozen in front", 1, 1, 4, "{'type':'dense','units':5,'trainable':false}," TANH "," DENSE(3),
     CROSS_ENTROPY, 0, false},
    {"frozen in the middle", 1, 1, 4,
     DENSE(4) ",{'type':'dense','units':5,'trainable':false}," TANH "," DENSE(3), CROSS_ENTROPY, 0, false},
    {"frozen convolution, then max_pool2d", 6, 6, 1,
     "{'type':'conv2d','filters':2,'kernel':3,'trainable':false},{'type':'max_pool2d','size':2}," END,
     CROSS_ENTROPY, 0, false},
    {"max_pool2d of the input", 4, 4, 2, "{'type':'max_pool2d','size':2}," END, CROSS_ENTROPY, 0, false},
    {"one branch frozen", 1, 1, 4,
     "{'type':'dense','units':4,'trainable':false,'name':'a'},{'type':'dense','units':4,'inputs':'input',"
     "'name':'b'},"
     "{'type':'add','inputs':['a','b','a']}," TANH "," DENSE(3),
     CROSS_ENTROPY, 0, false},
};

/* ---- ops that see the whole batch, or chance ----------------------------------------------------------- */

static const gradient_case batch_cases[] = {
    {"batch_norm of features", 1, 1, 4, DENSE(5) ",{'type':'batch_norm'}," TANH "," DENSE(3), CROSS_ENTROPY,
     7, false},
    {"batch_norm of channels", 5, 6, 2, CONV(3, "") ",{'type':'batch_norm'}," TANH "," END, CROSS_ENTROPY, 3,
     false},
    {"batch_norm of more cells than lanes", 7, 7, 1, CONV(2, "") ",{'type':'batch_norm'}," TANH "," END,
     CROSS_ENTROPY, 2, false},
    {"batch_norm of the input", 4, 4, 2, "{'type':'batch_norm'}," END, CROSS_ENTROPY, 5, false},
    {"batch_norm, frozen", 1, 1, 4, DENSE(5) ",{'type':'batch_norm','trainable':false}," TANH "," DENSE(3),
     CROSS_ENTROPY, 6, false},
    {"two batch_norms and a sum", 4, 4, 1,
     CONV(2, ",'padding':'same'") ",{'type':'batch_norm','name':'a'},{'type':'relu'}," CONV(
         2, ",'padding':'same'") ",{'type':'batch_norm'},{'type':'add','inputs':['batch_norm2','a']}," END,
     CROSS_ENTROPY, 4, false},
    {"dropout", 1, 1, 4, DENSE(9) ",{'type':'dropout','rate':0.3}," TANH "," DENSE(3), CROSS_ENTROPY, 6,
     false},
    {"dropout of the input", 4, 4, 1, "{'type':'dropout','rate':0.25}," END, CROSS_ENTROPY, 6, false},
    {"dropout in place after a sigmoid", 1, 1, 4, DENSE(9) ",{'type':'sigmoid'},{'type':'dropout'}," DENSE(3),
     CROSS_ENTROPY, 6, false},
    {"dropout between convolutions", 6, 6, 1,
     CONV(3, "") ",{'type':'dropout','rate':0.2},{'type':'relu'}," CONV(2, "") "," END, CROSS_ENTROPY, 4,
     false},
};

/* ---- losses -------------------------------------------------------------------------------------------- */

#define TWO_LAYERS DENSE(5) "," TANH "," DENSE(3)
#define CODE       "{'type':'dense','units':2,'name':'code'}," TANH ",{'type':'dense','units':6,'name':'picture'}"

static const gradient_case loss_cases[] = {
    {"cross_entropy", 1, 1, 4, TWO_LAYERS, CROSS_ENTROPY, 0, false},
    {"cross_entropy, soft targets", 1, 1, 4, TWO_LAYERS, CROSS_ENTROPY, 0, true},
    {"cross_entropy, label smoothing", 1, 1, 4, TWO_LAYERS,
     "'loss':{'type':'cross_entropy','label_smoothing':0.2}", 0, false},
    {"cross_entropy, soft targets smoothed", 1, 1, 4, TWO_LAYERS,
     "'loss':{'type':'cross_entropy','label_smoothing':0.2}", 0, true},
    {"cross_entropy, sum", 1, 1, 4, TWO_LAYERS, "'loss':{'type':'cross_entropy','reduction':'sum'}", 0,
     false},
    {"cross_entropy, weight", 1, 1, 4, TWO_LAYERS, "'loss':{'type':'cross_entropy','weight':2.5}", 0, false},
    {"cross_entropy, more classes than a block", 1, 1, 4, DENSE(70), CROSS_ENTROPY, 0, false},
    {"mean_squared_error, one-hot", 1, 1, 4, TWO_LAYERS, SQUARES, 0, false},
    {"mean_squared_error, soft targets", 1, 1, 4, TWO_LAYERS, SQUARES, 0, true},
    {"mean_squared_error, sum", 1, 1, 4, TWO_LAYERS, "'loss':{'type':'mean_squared_error','reduction':'sum'}",
     0, false},
    {"autoencoder", 1, 1, 6, CODE, "'loss':{'type':'mean_squared_error','target':'input'}", 0, false},
    {"autoencoder of pictures", 4, 4, 1,
     CONV(2, ",'padding':'same'") "," TANH "," CONV(1, ",'padding':'same'"),
     "'loss':{'type':'mean_squared_error','target':'input'}", 0, false},
    {"two losses on two outputs", 1, 1, 6, CODE ",{'type':'dense','units':3,'inputs':'tanh1','name':'class'}",
     "'losses':[{'type':'cross_entropy','output':'class','weight':0.5},"
     "{'type':'mean_squared_error','output':'picture','target':'input','weight':2}]",
     0, false},
    {"the same, the picture first", 1, 1, 6,
     CODE ",{'type':'dense','units':3,'inputs':'tanh1','name':'class'}",
     "'losses':[{'type':'mean_squared_error','output':'picture','target':'input','reduction':'sum'},"
     "{'type':'cross_entropy','output':'class'}]",
     0, true},
    {"a loss on an inner layer", 1, 1, 4, "{'type':'dense','units':4,'name':'inner'}," TANH "," DENSE(3),
     "'losses':[{'type':'cross_entropy'},{'type':'cross_entropy','output':'inner'}]", 0, true},
    {"a loss on an inner layer that others run in place of", 1, 1, 4,
     DENSE(4) ",{'type':'sigmoid','name':'inner'},{'type':'reshape','shape':[2,2]},{'type':'flatten'}," TANH
              "," DENSE(3),
     "'losses':[{'type':'cross_entropy'},{'type':'mean_squared_error','output':'inner'}]", 0, true},
    {"two losses on one output", 1, 1, 4, TWO_LAYERS,
     "'losses':[{'type':'cross_entropy'},{'type':'mean_squared_error','weight':0.3}]", 0, false},
    {"l2", 1, 1, 4, TWO_LAYERS, CROSS_ENTROPY ",'optimizer':{'type':'sgd','l2':0.05}", 0, false},
    {"l2 of convolutions", 5, 5, 1, CONV(2, "") "," TANH "," END,
     CROSS_ENTROPY ",'optimizer':{'type':'sgd','l2':0.05}", 0, false},
};

/* ---- several inputs, several outputs -------------------------------------------------------------------- */

static const struct end_case {
    const char *ends; /* of the model, instead of "input" */
    gradient_case of;
} end_cases[] = {
    {"'inputs':[{'name':'picture','shape':[3,3,2]},{'name':'more','shape':[12]}]",
     {"a picture and features", 1, 1, 30,
      CONV(3, ",'inputs':'picture'") "," TANH ",{'type':'flatten'},"
                                     "{'type':'concat','inputs':['flatten1','more']}," DENSE(3),
      CROSS_ENTROPY, 0, false}},
    {"'inputs':[{'name':'upper','shape':[2,3,2]},{'name':'lower','shape':[2,3,2]}]",
     {"two halves through one sum", 4, 3, 2,
      "{'type':'conv2d','filters':2,'kernel':1,'inputs':'upper'},"
      "{'type':'conv2d','filters':2,'kernel':1,'inputs':'lower'},"
      "{'type':'add','inputs':['conv2d1','conv2d2']}," TANH "," END,
      CROSS_ENTROPY, 0, false}},
    {"'input':[4],'outputs':['end','aside','seen']",
     {"outputs that no loss looks at", 1, 1, 4,
      "{'type':'dense','units':4,'name':'inner'},{'type':'tanh','name':'seen'},"
      "{'type':'dense','units':3,'name':'end'},{'type':'dense','units':2,'name':'aside','inputs':'seen'}",
      CROSS_ENTROPY, 0, false}},
};

/* ---- the checks ---------------------------------------------------------------------------------------- */

static uint64_t all_checked, all_skipped;

static tg_gradcheck check(tg_engine *engine, const gradient_case *c, const tg_attrs *recipe, size_t seed) {
    tg_dataset *noise =
        make_noise(c->height, c->width, c->channels, c->samples ? c->samples : 4, 3, c->soft, seed);
    tg_run *run;
    tg_error err;
    tg_status status = tg_run_create(engine, recipe, noise, NULL, &run, &err);
    if (status != TG_OK) fail_msg("%s: %s", c->title, sentence(status, &err));
    tg_gradcheck result;
    ASSERT_OK(tg_run_gradcheck_begin(run, 0, &err));
    ASSERT_OK(tg_run_gradcheck(run, NULL, NULL, &result, &err));
    tg_run_destroy(run);
    tg_dataset_destroy(noise);
    return result;
}

static void run_case(tg_engine *engine, const gradient_case *c, const char *ends, size_t seed) {
    const char *optimizer = strstr(c->rest, "'optimizer'") ? "" : ",'optimizer':{'type':'sgd'}";
    tg_attrs *recipe = attrs_from("{'tabgrad':1,'model':{%s,'layers':[%s]},%s%s,'batch_size':64}", ends,
                                  c->layers, c->rest, optimizer);
    tg_gradcheck result = check(engine, c, recipe, seed);
    if (result.worst >= 1e-7)
        fail_msg("%s: off by %.3g at %s[%zu]", c->title, result.worst, result.parameter, result.index);
    if (result.checked <= result.skipped) fail_msg("%s: nothing was compared", c->title);
    all_checked += result.checked;
    all_skipped += result.skipped;
    tg_attrs_destroy(recipe);
}

static void run_cases(const gradient_case *cases, size_t count) {
    tg_engine *engine = make_engine(1);
    for (size_t i = 0; i < count; i++) {
        const gradient_case *c = &cases[i];
        char input[64];
        if (c->height * c->width == 1) snprintf(input, sizeof input, "'input':[%zu]", c->channels);
        else snprintf(input, sizeof input, "'input':[%zu,%zu,%zu]", c->height, c->width, c->channels);
        run_case(engine, c, input, i + 1);
    }
    tg_engine_destroy(engine);
}

#define RUN(cases) run_cases(cases, sizeof cases / sizeof *cases)

static void convolutions_match_differences(void **state) {
    (void)state;
    RUN(conv_cases);
}

static void pools_match_differences(void **state) {
    (void)state;
    RUN(pool_cases);
}

static void activations_match_differences(void **state) {
    (void)state;
    RUN(activation_cases);
}

static void graphs_match_differences(void **state) {
    (void)state;
    RUN(graph_cases);
}

static void batches_and_chance_match_differences(void **state) {
    (void)state;
    RUN(batch_cases);
}

static void several_ends_match_differences(void **state) {
    (void)state;
    tg_engine *engine = make_engine(1);
    for (size_t i = 0; i < sizeof end_cases / sizeof *end_cases; i++)
        run_case(engine, &end_cases[i].of, end_cases[i].ends, i + 1);
    tg_engine_destroy(engine);
}

static void losses_match_differences(void **state) {
    (void)state;
    RUN(loss_cases);
}

/* Fewer than one in a hundred comparisons may have been left out because they crossed a kink. */
static void hardly_anything_was_skipped(void **state) {
    (void)state;
    print_message("%llu gradients compared, %llu skipped at kinks\n",
                  (unsigned long long)(all_checked - all_skipped), (unsigned long long)all_skipped);
    assert_true(all_checked > 5000);
    assert_true(all_skipped * 100 < all_checked);
}

static tg_gradcheck check_recipe(const char *layers, const char *scale_up) {
    tg_engine *engine = make_engine(1);
    tg_dataset *noise = make_noise(1, 1, 4, 4, 3, false, 1);
    tg_attrs *recipe =
        attrs_from("{'tabgrad':1,'model':{'input':[4],'layers':[%s]},'optimizer':{'type':'sgd'}}", layers);
    tg_run *run;
    tg_error err;
    ASSERT_OK(tg_run_create(engine, recipe, noise, NULL, &run, &err));
    for (size_t i = 0; scale_up && i < 12; i++) parameter(run, scale_up)[i] *= 1e9;
    tg_gradcheck result;
    ASSERT_OK(tg_run_gradcheck_begin(run, 0, &err));
    ASSERT_OK(tg_run_gradcheck(run, NULL, NULL, &result, &err));
    tg_run_destroy(run);
    tg_attrs_destroy(recipe);
    tg_dataset_destroy(noise);
    tg_engine_destroy(engine);
    return result;
}

/* The check must be able to fail. Two layers without anything between them, the first of weights around 1e9:
 * the exponentials of scores that far apart are steps, and no difference comes near their gradient. */
static void what_is_not_the_gradient_is_found(void **state) {
    (void)state;
    tg_gradcheck result = check_recipe(DENSE(3) "," DENSE(3), "dense1.weight");
    assert_true(result.worst > 1e-3);
    assert_string_equal(result.parameter, "dense1.weight");
}

/* With weights of zero every rectified value lies on its kink, and any step of a weight or bias leaves it. */
static void kinks_are_stepped_around(void **state) {
    (void)state;
    tg_gradcheck result =
        check_recipe("{'type':'dense','units':4,'initializer':'zeros'},{'type':'relu'}," DENSE(3), NULL);
    assert_int_equal(result.checked, 4 * 5 + 3 * 5);
    assert_int_equal(result.skipped, 4 * 5);
    assert_true(result.worst < 1e-7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_match_differences),       cmocka_unit_test(pools_match_differences),
        cmocka_unit_test(activations_match_differences),        cmocka_unit_test(graphs_match_differences),
        cmocka_unit_test(batches_and_chance_match_differences), cmocka_unit_test(losses_match_differences),
        cmocka_unit_test(several_ends_match_differences),       cmocka_unit_test(hardly_anything_was_skipped),
        cmocka_unit_test(what_is_not_the_gradient_is_found),    cmocka_unit_test(kinks_are_stepped_around),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
