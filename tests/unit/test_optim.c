/* Optimizers against PyTorch's formulas written out in double, and schedules against theirs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "optim/optim.h"
#include "support/assert.h"
#include "support/recipe.h"

enum { STEPS = 40, SIZE = 20000 /* several pieces of work */, PARAMS = 4 };

static const tg_value *member(const tg_attrs *attrs, const char *key) {
    return tg_value_get(tg_attrs_root(attrs), key);
}

/* ---- parameters ---------------------------------------------------------------------------------------- */

/* A weight, a bias, a weight that learns half as fast, a frozen one. */
typedef struct block {
    tg_param params[PARAMS];
    tg_param *all[PARAMS];
    tg_real memory[PARAMS][4][SIZE];
} block;

static block *make_block(void) {
    block *b = calloc(1, sizeof *b);
    static const size_t sizes[PARAMS] = {SIZE, 7, 33, 5};
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
    for (size_t i = 0; i < PARAMS; i++) {
        b->params[i] = (tg_param){.size = sizes[i],
                                  .is_weight = i != 1,
                                  .trainable = i != 3,
                                  .learning_rate_factor = i == 2 ? 0.5 : 1,
                                  .data = b->memory[i][0],
                                  .gradient = i == 3 ? NULL : b->memory[i][1],
                                  .state = {b->memory[i][2], b->memory[i][3]}};
        b->all[i] = &b->params[i];
        for (size_t k = 0; k < sizes[i]; k++) b->params[i].data[k] = (tg_real)tg_rng_normal(&rng);
    }
    return b;
}

static void draw_gradients(block *b, uint32_t step) {
    tg_rng rng = tg_rng_stream(2, TG_RNG_TEST, step, 0);
    for (size_t i = 0; i < PARAMS; i++)
        for (size_t k = 0; b->params[i].gradient && k < b->params[i].size; k++)
            b->params[i].gradient[k] = (tg_real)tg_rng_normal(&rng);
}

/* ---- the formulas -------------------------------------------------------------------------------------- */

typedef struct weight {
    double w, first, second; /* value, momentum or first moment, second moment */
} weight;

typedef struct formula {
    double rate, l2, decay, momentum, beta1, beta2, epsilon, alpha;
} formula;

/* torch.optim.SGD, dampening 0; l2 adds lambda w^2 to the loss, so its gradient is 2 lambda w. */
static void sgd(weight *x, double g, const formula *f, bool nesterov) {
    g += 2 * f->l2 * x->w + f->decay * x->w;
    x->first = f->momentum * x->first + g;
    x->w -= f->rate * (nesterov ? g + f->momentum * x->first : x->first);
}

/* torch.optim.RMSprop. */
static void rmsprop(weight *x, double g, const formula *f) {
    g += 2 * f->l2 * x->w + f->decay * x->w;
    x->second = f->alpha * x->second + (1 - f->alpha) * g * g;
    x->first = f->momentum * x->first + g / (sqrt(x->second) + f->epsilon);
    x->w -= f->rate * x->first;
}

/* torch.optim.Adam and AdamW. */
static void adam(weight *x, double g, const formula *f, unsigned step, bool decoupled) {
    g += 2 * f->l2 * x->w;
    if (decoupled) x->w -= f->rate * f->decay * x->w;
    else g += f->decay * x->w;
    x->first = f->beta1 * x->first + (1 - f->beta1) * g;
    x->second = f->beta2 * x->second + (1 - f->beta2) * g * g;
    double mean = x->first / (1 - pow(f->beta1, step)), square = x->second / (1 - pow(f->beta2, step));
    x->w -= f->rate * mean / (sqrt(square) + f->epsilon);
}

static void by_formula(const char *type, weight *x, double g, const formula *f, unsigned step) {
    if (strncmp(type, "adam", 4) == 0) adam(x, g, f, step, strcmp(type, "adamw") == 0);
    else if (strcmp(type, "rmsprop") == 0) rmsprop(x, g, f);
    else sgd(x, g, f, strcmp(type, "nesterov") == 0);
}

typedef struct optimizer_case {
    const char *recipe, *type;
    formula f;
} optimizer_case;

static const optimizer_case cases[] = {
    {"{'type':'sgd'}", "sgd", {.rate = 0.01}},
    {"{'type':'sgd','learning_rate':0.1,'l2':0.01,'weight_decay':0.02}",
     "sgd",
     {.rate = 0.1, .l2 = 0.01, .decay = 0.02}},
    {"{'type':'momentum'}", "momentum", {.rate = 0.01, .momentum = 0.9}},
    {"{'type':'momentum','learning_rate':0.02,'momentum':0.5,'l2':0.01,'weight_decay':0.1}",
     "momentum",
     {.rate = 0.02, .momentum = 0.5, .l2 = 0.01, .decay = 0.1}},
    {"{'type':'nesterov'}", "nesterov", {.rate = 0.01, .momentum = 0.9}},
    {"{'type':'nesterov','momentum':0.7,'weight_decay':0.1}",
     "nesterov",
     {.rate = 0.01, .momentum = 0.7, .decay = 0.1}},
    {"{'type':'rmsprop'}", "rmsprop", {.rate = 0.01, .alpha = 0.99, .epsilon = 1e-8}},
    {"{'type':'rmsprop','learning_rate':0.03,'alpha':0.9,'epsilon':0.01,'momentum':0.6,'l2':0.02,'weight_"
     "decay':0.1}",
     "rmsprop",
     {.rate = 0.03, .alpha = 0.9, .epsilon = 0.01, .momentum = 0.6, .l2 = 0.02, .decay = 0.1}},
    {"{'type':'adam'}", "adam", {.rate = 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8}},
    {"{'type':'adam','learning_rate':0.05,'beta1':0.8,'beta2':0.95,'epsilon':0.001,'l2':0.02,'weight_decay':"
     "0.1}",
     "adam",
     {.rate = 0.05, .beta1 = 0.8, .beta2 = 0.95, .epsilon = 0.001, .l2 = 0.02, .decay = 0.1}},
    {"{'type':'adamw'}",
     "adamw",
     {.rate = 0.001, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .decay = 0.01}},
    {"{'type':'adamw','learning_rate':0.02,'weight_decay':0.3,'l2':0.01}",
     "adamw",
     {.rate = 0.02, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .l2 = 0.01, .decay = 0.3}},
};
enum { CASES = sizeof cases / sizeof *cases };

/* ---- the tests ----------------------------------------------------------------------------------------- */

typedef struct optimizer {
    tg_attrs *attrs;
    const tg_optimizer *row;
    tg_optim_attrs of;
    const tg_kernels *kernels;
    tg_pool *pool;
} optimizer;

static optimizer open_optimizer(const char *recipe, size_t threads) {
    optimizer o = {.attrs = attrs_from("{'optimizer':%s}", recipe), .kernels = tg_kernels_choose()};
    tg_error err;
    ASSERT_OK(tg_optimizer_read(member(o.attrs, "optimizer"), &o.row, &o.of, &err));
    ASSERT_OK(tg_pool_create(threads, &o.pool, &err));
    return o;
}

static void close_optimizer(optimizer *o) {
    tg_pool_destroy(o->pool);
    tg_attrs_destroy(o->attrs);
}

static bool step(const optimizer *o, block *b, unsigned number) {
    return tg_optimizer_step(o->row, &o->of, o->kernels, o->pool, o->of.learning_rate, number, b->all,
                             PARAMS);
}

static void check_case(const optimizer_case *c) {
    optimizer o = open_optimizer(c->recipe, 1);
    assert_string_equal(o.row->name, c->type);
    block *b = make_block();
    weight *expected = calloc(PARAMS * SIZE, sizeof *expected);
    for (size_t i = 0; i < PARAMS; i++)
        for (size_t k = 0; k < b->params[i].size; k++)
            expected[i * SIZE + k].w = (double)b->params[i].data[k];
    for (unsigned t = 1; t <= STEPS; t++) {
        draw_gradients(b, t);
        for (size_t i = 0; i < PARAMS; i++) {
            formula f = c->f;
            f.rate *= b->params[i].learning_rate_factor;
            if (!b->params[i].is_weight) f.l2 = 0;
            for (size_t k = 0; b->params[i].gradient && k < b->params[i].size; k++)
                by_formula(c->type, &expected[i * SIZE + k], (double)b->params[i].gradient[k], &f, t);
        }
        assert_true(step(&o, b, t));
    }
    for (size_t i = 0; i < PARAMS; i++)
        for (size_t k = 0; k < b->params[i].size; k++) {
            double is = (double)b->params[i].data[k], should = expected[i * SIZE + k].w;
            if (fabs(is - should) > 1e-5 * fmax(1, fabs(should)))
                fail_msg("%s: parameter %zu[%zu] is %.9g, not %.9g", c->recipe, i, k, is, should);
        }
    free(expected);
    free(b);
    close_optimizer(&o);
}

static void steps_follow_the_formulas(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) check_case(&cases[i]);
}

static void any_number_of_threads_gives_the_same_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        block *blocks[2] = {make_block(), make_block()};
        for (size_t j = 0; j < 2; j++) {
            optimizer o = open_optimizer(cases[i].recipe, j ? 3 : 1);
            for (unsigned t = 1; t <= 3; t++) {
                draw_gradients(blocks[j], t);
                assert_true(step(&o, blocks[j], t));
            }
            close_optimizer(&o);
        }
        for (size_t p = 0; p < PARAMS; p++)
            assert_memory_equal(blocks[0]->params[p].data, blocks[1]->params[p].data,
                                blocks[0]->params[p].size * sizeof(tg_real));
        free(blocks[0]);
        free(blocks[1]);
    }
}

/* One bad gradient among many, in the weight after those that are already done. */
static void a_step_that_is_not_finite_changes_no_weight(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < CASES * 3; i++) {
        optimizer o = open_optimizer(cases[i / 3].recipe, 1);
        block *b = make_block(), *before = malloc(sizeof *before);
        draw_gradients(b, 1);
        assert_true(step(&o, b, 1));
        memcpy(before, b, sizeof *b);
        tg_real *data[PARAMS];
        for (size_t p = 0; p < PARAMS; p++) data[p] = b->params[p].data;
        draw_gradients(b, 2);
        b->params[2].gradient[32] = (tg_real)bad[i % 3];
        assert_false(step(&o, b, 2));
        for (size_t p = 0; p < PARAMS; p++) {
            assert_ptr_equal(b->params[p].data, data[p]);
            size_t at = (size_t)((uint8_t *)data[p] - (uint8_t *)b);
            assert_memory_equal(data[p], (uint8_t *)before + at, b->params[p].size * sizeof(tg_real));
            for (size_t k = 0; b->params[p].gradient && k < b->params[p].size; k++)
                assert_true((o.row->states < 1 || b->params[p].state[0][k] == 0) &&
                            (o.row->states < 2 || b->params[p].state[1][k] == 0));
        }
        free(b);
        free(before);
        close_optimizer(&o);
    }
}

/* The square of 1e25 is infinite in f32, and w - lr m / infinity would be w: finite, and stuck for ever. */
static void an_infinite_second_moment_is_not_finite(void **state) {
    (void)state;
    optimizer o = open_optimizer("{'type':'adam'}", 1);
    block *b = make_block();
    draw_gradients(b, 1);
    b->params[0].gradient[17] = (tg_real)1e25;
    assert_false(step(&o, b, 1));
    free(b);
    close_optimizer(&o);
}

/* ---- schedules ----------------------------------------------------------------------------------------- */

enum { PER_EPOCH = 10, EPOCHS = 8 };

static tg_schedules read_schedules(const char *text) {
    tg_attrs *attrs = attrs_from("{'schedule':%s}", text);
    tg_schedules schedules;
    tg_error err;
    ASSERT_OK(tg_schedules_read(member(attrs, "schedule"), &schedules, &err));
    tg_attrs_destroy(attrs); /* rows and numbers are copied */
    return schedules;
}

static void check_factor(const tg_schedules *schedules, uint64_t step_number, double expected) {
    assert_true(
        fabs(tg_schedules_factor(schedules, &(tg_moment){step_number, step_number, PER_EPOCH, EPOCHS, 0}) -
             expected) <= 1e-15);
}

static void schedules_follow_their_formulas(void **state) {
    (void)state;
    tg_schedules none;
    tg_error err;
    ASSERT_OK(tg_schedules_read(NULL, &none, &err));
    check_factor(&none, 33, 1);
    tg_schedules constant = read_schedules("{'type':'constant'}");
    check_factor(&constant, 79, 1);

    tg_schedules stairs = read_schedules("{'type':'step','every_epochs':2,'factor':0.5}");
    check_factor(&stairs, 0, 1);
    check_factor(&stairs, 19, 1);
    check_factor(&stairs, 20, 0.5);
    check_factor(&stairs, 39, 0.5);
    check_factor(&stairs, 60, 0.125);

    /* f + (1 - f) (1 + cos(pi t)) / 2 at t = 0, 1/4, 1/2, 1; after the end it stays there. */
    tg_schedules cosine = read_schedules("{'type':'cosine','final_factor':0.2}");
    check_factor(&cosine, 0, 1);
    check_factor(&cosine, 20, 0.2 + 0.8 * (1 + sqrt(0.5)) / 2);
    check_factor(&cosine, 40, 0.6);
    check_factor(&cosine, 80, 0.2);
    check_factor(&cosine, 95, 0.2);
    tg_schedules to_zero = read_schedules("{'type':'cosine'}");
    check_factor(&to_zero, 80, 0);

    tg_schedules epochs = read_schedules("{'type':'exponential','factor':0.9}");
    check_factor(&epochs, 9, 1);
    check_factor(&epochs, 39, 0.9 * 0.9 * 0.9);
    tg_schedules steps = read_schedules("{'type':'exponential','factor':0.5,'per':'step'}");
    check_factor(&steps, 3, 0.125);
    tg_schedules inverse = read_schedules("{'type':'inverse_time','rate':0.5}");
    check_factor(&inverse, 25, 1 / (1 + 0.5 * 2));
    tg_schedules inverse_steps = read_schedules("{'type':'inverse_time','rate':0.001,'per':'step'}");
    check_factor(&inverse_steps, 25, 1 / 1.025);
    tg_schedules warm = read_schedules("{'type':'warm_up','epochs':2,'start_factor':0.2}");
    check_factor(&warm, 0, 0.2);
    check_factor(&warm, 10, 0.6);
    check_factor(&warm, 20, 1);
    check_factor(&warm, 70, 1);
}

static void schedules_in_a_list_multiply(void **state) {
    (void)state;
    tg_schedules both = read_schedules(
        "[{'type':'step','every_epochs':1,'factor':0.5},{'type':'cosine'},{'type':'constant'}]");
    check_factor(&both, 0, 1);
    check_factor(&both, 40, 0.0625 * 0.5);
    tg_schedules empty = read_schedules("[]");
    check_factor(&empty, 40, 1);
}

/* torch.nn.utils.clip_grad_norm_ over all tensors together: a longer gradient is shortened, a shorter one left alone. */
static void gradients_are_clipped_by_their_common_norm(void **state) {
    (void)state;
    for (int longer = 0; longer < 2; longer++) {
        optimizer plain = open_optimizer("{'type':'sgd','learning_rate':1}", 2);
        optimizer clips = open_optimizer(longer ? "{'type':'sgd','learning_rate':1,'clip_norm':10}"
                                                : "{'type':'sgd','learning_rate':1,'clip_norm':1000}",
                                         2);
        block *a = make_block(), *b = make_block();
        draw_gradients(a, 1);
        draw_gradients(b, 1);
        double squares = 0;
        for (size_t i = 0; i < PARAMS - 1; i++)
            for (size_t k = 0; k < a->params[i].size; k++)
                squares += (double)a->params[i].gradient[k] * (double)a->params[i].gradient[k];
        assert_true(sqrt(squares) > 100 && sqrt(squares) < 1000);
        double share = longer ? 10 / (sqrt(squares) + 1e-6) : 1;
        block *before = make_block();
        assert_true(step(&plain, a, 1) && step(&clips, b, 1));
        for (size_t i = 0; i < PARAMS; i++)
            for (size_t k = 0; k < a->params[i].size; k++) {
                double start = (double)before->params[i].data[k], rate = a->params[i].learning_rate_factor;
                double whole = start - (double)a->params[i].data[k],
                       clipped = start - (double)b->params[i].data[k];
                assert_true(fabs(clipped - whole * share) < 1e-5 * rate);
            }
        free(before);
        free(a);
        free(b);
        close_optimizer(&plain);
        close_optimizer(&clips);
    }
}

static void what_is_read_is_written(void **state) {
    (void)state;
    tg_text text = {0};
    tg_json_open(&text, NULL, '{');
    tg_schedules both = read_schedules("[{'type':'step','every_epochs':3,'factor':0.25},{'type':'cosine'}]");
    tg_schedules_write(&both, NULL, &text);
    optimizer o = open_optimizer("{'type':'nesterov','l2':0.5}", 1);
    tg_optimizer_write(o.row, &o.of, NULL, &text);
    tg_json_close(&text, '}');
    assert_string_equal(
        text.data,
        "{\"schedule\":[{\"type\":\"step\",\"every_epochs\":3,\"factor\":0.25},{\"type\":\"cosine\","
        "\"final_factor\":0}],\"optimizer\":{\"type\":\"nesterov\",\"learning_rate\":0.01,"
        "\"l2\":0.5,\"weight_decay\":0,\"clip_norm\":0,\"momentum\":0.9}}");
    tg_text_free(&text);
    close_optimizer(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_follow_the_formulas),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(a_step_that_is_not_finite_changes_no_weight),
        cmocka_unit_test(an_infinite_second_moment_is_not_finite),
        cmocka_unit_test(schedules_follow_their_formulas),
        cmocka_unit_test(schedules_in_a_list_multiply),
        cmocka_unit_test(gradients_are_clipped_by_their_common_norm),
        cmocka_unit_test(what_is_read_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
