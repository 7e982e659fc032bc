/* Every allocation may fail: the first, the second, ... until an attempt succeeds. What fails says so, leaves
 * nothing behind and changes nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"

enum { MOST_ATTEMPTS = 10000 };

static const char recipe_text[] =
    "{'tabgrad':1,'name':'all','data':{'validation':10,'x-kept':[1]},'preprocess':[{'type':'rescale'},{'type'"
    ":'standardize'}],"
    "'model':{'input':[6,6,1],'layers':["
    "{'type':'conv2d','filters':3,'kernel':3,'padding':'same','initializer':{'type':'normal','std':0.1},"
    "'name':'a'},"
    "{'type':'batch_norm'},{'type':'relu'},{'type':'dropout'},{'type':'max_pool2d','size':2},{'type':"
    "'flatten','name':'f'},{'type':'dense','units':4},"
    "{'type':'dense','units':4,'inputs':'f'},{'type':'add','inputs':['dense1','dense2']},{'type':'concat',"
    "'inputs':['f','add1']},"
    "{'type':'dense','units':4}]},"
    "'losses':[{'type':'cross_entropy','label_smoothing':0.1},{'type':'mean_squared_error','output':'add1'}],"
    "'optimizer':{'type':'adam'},'schedule':[{'type':'cosine'}],'batch_size':8,'epochs':2,'x-note':'kept'}";

static tg_engine *engine;
static tg_dataset *train_set, *test_set;

/* Tries with ever more allocations that succeed; each try fails for want of memory, having freed all it took,
 * or is the last. */
#define EVERY_ALLOCATION(call)                                                                               \
    for (size_t successes = 0;; successes++) {                                                               \
        err.what[0] = 0;                                                                                     \
        begin_allocations(successes);                                                                        \
        tg_status status = (call);                                                                           \
        end_allocations();                                                                                   \
        if (!allocation_failed()) {                                                                          \
            ASSERT_OK(status);                                                                               \
            assert_true(successes > 0);                                                                      \
            break;                                                                                           \
        }                                                                                                    \
        if (status != TG_E_MEMORY || !err.what[0])                                                           \
            fail_msg("allocation %zu: %s", successes, sentence(status, &err));                               \
        assert_true(successes < MOST_ATTEMPTS);                                                              \
        if (live_allocations())                                                                              \
            fail_msg("allocation %zu: %zu were not freed", successes, live_allocations());                   \
    }

static void making_an_engine(void **state) {
    (void)state;
    tg_engine *made;
    tg_error err;
    EVERY_ALLOCATION(tg_engine_create(3, &made, &err))
    tg_engine_destroy(made);
}

static void making_a_run(void **state) {
    (void)state;
    tg_attrs *recipe = attrs_from("%s", recipe_text);
    tg_run *run;
    tg_error err;
    EVERY_ALLOCATION(tg_run_create(engine, recipe, train_set, test_set, &run, &err))
    train_steps(run, 0);
    tg_run *other = make_run(engine, recipe_text, train_set, test_set);
    train_steps(other, 0);
    assert_string_equal(hash_of(run), hash_of(other));
    tg_run_destroy(run);
    tg_run_destroy(other);
    tg_attrs_destroy(recipe);
}

static void making_a_run_of_many_ends_and_taking_its_weights(void **state) {
    (void)state;
    tg_run *giver = make_run(engine, recipe_text, train_set, NULL), *run;
    tg_attrs *recipe = attrs_from(
        "{'tabgrad':1,'model':{'inputs':[{'name':'upper','shape':[2,6,1]},{'name':'lower','shape':[4,6,1]}],"
        "'outputs':['scores','a'],'layers':[{'type':'conv2d','filters':3,'kernel':3,'padding':'same','name':'"
        "a',"
        "'inputs':'lower','weights':'old'},{'type':'flatten'},{'type':'flatten','name':'u','inputs':'upper'},"
        "{'type':'concat','inputs':['flatten1','u']},{'type':'dense','units':4,'name':'scores'}]},"
        "'optimizer':{'type':'sgd'},'batch_size':8}");
    uint8_t *bytes;
    size_t size;
    tg_error err;
    ASSERT_OK(tg_run_save(giver, true, &bytes, &size, &err));
    EVERY_ALLOCATION(tg_run_create(engine, recipe, train_set, NULL, &run, &err))
    EVERY_ALLOCATION(tg_run_take_weights(run, (tg_bytes){"old", bytes, size}, &err))
    assert_memory_equal(parameter(run, "a.weight"), parameter(giver, "a.weight"), 27 * sizeof(tg_real));
    train_steps(run, 0);
    tg_run_destroy(run);
    tg_run_destroy(giver);
    tg_attrs_destroy(recipe);
    tg_free(bytes);
}

static void loading_a_run(void **state) {
    (void)state;
    tg_run *run = make_run(engine, recipe_text, train_set, test_set), *loaded;
    uint8_t *bytes;
    size_t size;
    tg_error err;
    train_steps(run, 7);
    ASSERT_OK(tg_run_set_learning_rate(run, 0.1, &err));
    ASSERT_OK(tg_run_save(run, false, &bytes, &size, &err));
    tg_checkpoint *checkpoint;
    EVERY_ALLOCATION(tg_checkpoint_open((tg_bytes){"file", bytes, size}, &checkpoint, &err))
    tg_attrs *document = document_of(checkpoint);
    EVERY_ALLOCATION(tg_run_load(engine, checkpoint, document, train_set, test_set, &loaded, &err))
    train_steps(run, 0);
    train_steps(loaded, 0);
    assert_string_equal(hash_of(run), hash_of(loaded));
    tg_run_destroy(run);
    tg_run_destroy(loaded);
    tg_attrs_destroy(document);
    tg_checkpoint_destroy(checkpoint);
    tg_free(bytes);
}

/* A tree under construction may be left half-made: it is freed as a whole. */
static tg_status build(tg_attrs **out, tg_error *err) {
    char long_text[9000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = 0;
    tg_status status = tg_attrs_create(out, err);
    if (status != TG_OK) return status;
    status = tg_attrs_open_list(*out, "list", err);
    for (int i = 0; status == TG_OK && i < 200; i++) status = tg_attrs_number(*out, NULL, i, err);
    if (status == TG_OK) status = tg_attrs_string(*out, NULL, long_text, err);
    if (status == TG_OK) status = tg_attrs_close(*out, err);
    if (status != TG_OK) {
        tg_attrs_destroy(*out);
        *out = NULL;
    }
    return status;
}

static void building_attributes(void **state) {
    (void)state;
    tg_attrs *attrs;
    tg_error err;
    EVERY_ALLOCATION(build(&attrs, &err))
    tg_attrs_destroy(attrs);
}

/* ---- on a run that exists: its buffers may have grown, but nothing it says or does may change ---------- */

typedef tg_status (*operation)(tg_run *run, tg_error *err);

static tg_status save(tg_run *run, tg_error *err) {
    uint8_t *bytes = NULL;
    size_t size;
    tg_status status = tg_run_save(run, false, &bytes, &size, err);
    tg_free(bytes);
    return status;
}
static tg_status begin_evaluation(tg_run *run, tg_error *err) {
    return tg_run_evaluate_begin(run, train_set, err);
}
static tg_status tell_recipe(tg_run *run, tg_error *err) {
    const char *json;
    return tg_run_recipe_json(run, &json, err);
}
static tg_status tell_history(tg_run *run, tg_error *err) {
    const char *json;
    return tg_run_history_json(run, &json, err);
}
static tg_status set_learning_rate(tg_run *run, tg_error *err) {
    return tg_run_set_learning_rate(run, 0.5, err);
}
static tg_status set_epochs(tg_run *run, tg_error *err) {
    return tg_run_set_epochs(run, 3, err);
}

static void asking_a_run(void **state) {
    (void)state;
    static const operation operations[] = {save,         begin_evaluation,  tell_recipe,
                                           tell_history, set_learning_rate, set_epochs};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        tg_run *run = make_run(engine, recipe_text, train_set, test_set),
               *same = make_run(engine, recipe_text, train_set, test_set);
        tg_error err;
        train_steps(run, 6);
        train_steps(same, 6);
        ASSERT_OK(tg_run_evaluate_begin(run, test_set, &err));
        size_t failures = 0;
        for (bool failed = true; failed;) {
            begin_allocations(failures);
            tg_status status = operations[i](run, &err);
            end_allocations();
            failed = allocation_failed();
            if (!failed) {
                ASSERT_OK(status);
                break;
            }
            failures++;
            assert_int_equal(status, TG_E_MEMORY);
            assert_true(strlen(err.what) > 0);
            tg_progress p, q;
            tg_run_progress(run, &p);
            tg_run_progress(same, &q);
            assert_memory_equal(&p, &q, offsetof(tg_progress, epoch_finished)); /* padding follows */
            assert_true(p.finished == q.finished);
            assert_string_equal(hash_of(run), hash_of(same));
        }
        assert_true(failures > 0);
        /* The evaluation that was begun before goes on, unless another one was begun with success. */
        tg_evaluation e;
        ASSERT_OK(tg_run_evaluate(run, NULL, NULL, &e, &err));
        assert_int_equal(e.score.count, operations[i] == begin_evaluation ? 40 : 20);
        ASSERT_OK(operations[i](same, &err));
        train_steps(run, 0);
        train_steps(same, 0);
        assert_string_equal(hash_of(run), hash_of(same));
        tg_run_destroy(run);
        tg_run_destroy(same);
    }
}

static int begin(void **state) {
    (void)state;
    engine = make_engine(1);
    train_set = make_pictures(6, 6, 1, 40, 4, 1, 0);
    test_set = make_pictures(6, 6, 1, 20, 4, 1, 1);
    return 0;
}

static int end(void **state) {
    (void)state;
    tg_dataset_destroy(train_set);
    tg_dataset_destroy(test_set);
    tg_engine_destroy(engine);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making_an_engine),
        cmocka_unit_test(making_a_run),
        cmocka_unit_test(making_a_run_of_many_ends_and_taking_its_weights),
        cmocka_unit_test(loading_a_run),
        cmocka_unit_test(building_attributes),
        cmocka_unit_test(asking_a_run),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
