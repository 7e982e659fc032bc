/* The tree a host fills in, and the tables that say what may stand in it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attrs.h"
#include "support/assert.h"
#include "support/recipe.h"

/* ---- the tree ------------------------------------------------------------------------------------------ */

static tg_attrs *make(void) {
    tg_attrs *attrs;
    tg_error err;
    ASSERT_OK(tg_attrs_create(&attrs, &err));
    return attrs;
}

static void values_are_found_by_key_in_document_order(void **state) {
    (void)state;
    tg_attrs *attrs = attrs_from("{'b':1.5,'a':'text','list':[true,null,[2]],'c':{'d':false}}");
    const tg_value *root = tg_attrs_root(attrs);
    assert_int_equal(root->count, 4);
    assert_string_equal(root->first->key, "b");
    assert_string_equal(root->last->key, "c");
    assert_true(tg_value_get(root, "b")->number == 1.5);
    assert_string_equal(tg_value_get(root, "a")->string, "text");
    const tg_value *list = tg_value_get(root, "list");
    assert_int_equal(list->kind, TG_LIST);
    assert_int_equal(list->count, 3);
    assert_true(list->first->kind == TG_BOOL && list->first->number == 1 && !list->first->key);
    assert_int_equal(list->first->next->kind, TG_NULL);
    assert_true(list->last->first->number == 2);
    assert_true(tg_value_get(tg_value_get(root, "c"), "d")->number == 0);
    assert_null(tg_value_get(root, "e"));
    assert_null(tg_value_get(list, "a"));
    assert_null(tg_value_get(NULL, "a"));
    tg_attrs_destroy(attrs);
    tg_attrs_destroy(NULL);
}

static void strings_are_copied(void **state) {
    (void)state;
    tg_attrs *attrs = make();
    char key[] = "key", text[] = "text";
    assert_int_equal(tg_attrs_string(attrs, key, text, NULL), TG_OK);
    key[0] = text[0] = '?';
    assert_string_equal(tg_value_get(tg_attrs_root(attrs), "key")->string, "text");
    tg_attrs_destroy(attrs);
}

/* More than one chunk of memory, and strings larger than a chunk. */
static void trees_may_be_large(void **state) {
    (void)state;
    enum { LONG = 100000, MANY = 5000 };
    char *text = malloc(LONG + 1);
    memset(text, 'x', LONG);
    text[LONG] = 0;
    tg_attrs *attrs = make();
    tg_error err;
    ASSERT_OK(tg_attrs_string(attrs, "long", text, &err));
    ASSERT_OK(tg_attrs_open_list(attrs, "many", &err));
    for (int i = 0; i < MANY; i++) ASSERT_OK(tg_attrs_number(attrs, NULL, i, &err));
    ASSERT_OK(tg_attrs_close(attrs, &err));
    assert_string_equal(tg_value_get(tg_attrs_root(attrs), "long")->string, text);
    int expected = 0;
    for (const tg_value *v = tg_value_get(tg_attrs_root(attrs), "many")->first; v; v = v->next)
        assert_true(v->number == expected++);
    assert_int_equal(expected, MANY);
    tg_attrs_destroy(attrs);
    free(text);
}

static void misuse_is_told(void **state) {
    (void)state;
    tg_attrs *attrs = make();
    tg_error err;
    ASSERT_FAILS(tg_attrs_number(attrs, NULL, 1, &err), TG_E_ARGUMENT,
                 "a value in an object needs a key, one in a list has none");
    ASSERT_FAILS(tg_attrs_close(attrs, &err), TG_E_ARGUMENT,
                 "closed more objects and lists than were opened");
    ASSERT_OK(tg_attrs_open_list(attrs, "list", &err));
    ASSERT_FAILS(tg_attrs_bool(attrs, "key", true, &err), TG_E_ARGUMENT,
                 "a value in an object needs a key, one in a list has none");
    ASSERT_OK(tg_attrs_close(attrs, &err));
    ASSERT_FAILS(tg_attrs_null(attrs, "list", &err), TG_E_RECIPE, "the key \"list\" stands twice");
    for (int depth = 0; depth < 32; depth++) ASSERT_OK(tg_attrs_open_object(attrs, "deeper", &err));
    ASSERT_FAILS(tg_attrs_open_object(attrs, "deeper", &err), TG_E_RECIPE, "nested deeper than 32 levels");
    ASSERT_FAILS(tg_attrs_open_list(attrs, "deeper", &err), TG_E_RECIPE, "nested deeper than 32 levels");
    ASSERT_OK(tg_attrs_number(attrs, "deeper", 1, &err));
    tg_attrs_destroy(attrs);
}

static void a_copy_stands_alone(void **state) {
    (void)state;
    static const char text[] = "{'a':[1,'two',{'three':[null,true]}],'b':{}}";
    tg_attrs *original = attrs_from(text), *copy = make();
    tg_error err;
    for (const tg_value *v = tg_attrs_root(original)->first; v; v = v->next)
        ASSERT_OK(tg_attrs_copy(copy, v->key, v, &err));
    tg_attrs_destroy(original);
    tg_text json = {0};
    tg_value_write(&json, NULL, tg_attrs_root(copy));
    assert_string_equal(json.data, "{\"a\":[1,\"two\",{\"three\":[null,true]}],\"b\":{}}");
    tg_text_free(&json);
    tg_attrs_destroy(copy);
}

/* ---- tables -------------------------------------------------------------------------------------------- */

typedef struct sample {
    uint64_t whole;
    double real, above, below;
    bool flag;
    int choice;
    const char *name;
    tg_sizes sizes;
    tg_reals reals;
    tg_padding padding;
    const tg_value *tree;
} sample;

static const tg_attr rows[] = {
    {"whole", TG_ATTR_INT, offsetof(sample, whole), .flags = TG_ATTR_REQUIRED, .min = 2,
     .max = 9007199254740992.0},
    {"real", TG_ATTR_REAL, offsetof(sample, real), .min = -1, .max = 1, .fallback = 0.25},
    {"above", TG_ATTR_REAL, offsetof(sample, above), .flags = TG_ATTR_ABOVE_MIN, .max = 1, .fallback = 1},
    {"below", TG_ATTR_REAL, offsetof(sample, below), .flags = TG_ATTR_BELOW_MAX, .max = 1},
    {"flag", TG_ATTR_FLAG, offsetof(sample, flag), .fallback = 1},
    {"choice", TG_ATTR_CHOICE, offsetof(sample, choice), .choices = "one|two|three", .fallback = 1},
    {"name", TG_ATTR_NAME, offsetof(sample, name), .flags = 0},
    {"sizes", TG_ATTR_SIZES, offsetof(sample, sizes), .min = 1, .max = 9, .fallback = 3},
    {"reals", TG_ATTR_REALS, offsetof(sample, reals), .min = 0, .max = 9, .fallback = NAN},
    {"padding", TG_ATTR_PADDING, offsetof(sample, padding), .max = 9, .choices = "valid|same", .fallback = 0},
    {"tree", TG_ATTR_TREE, offsetof(sample, tree), .flags = 0},
};
enum { ROWS = sizeof rows / sizeof *rows };

static tg_status read_text(const char *text, const char *also, sample *out, tg_error *err) {
    tg_attrs *attrs = attrs_from("%s", text);
    tg_status status = tg_attrs_read(tg_attrs_root(attrs), rows, ROWS, also, out, err);
    tg_attrs_destroy(attrs);
    return status;
}

static void what_is_not_there_has_its_default(void **state) {
    (void)state;
    sample s;
    tg_error err;
    ASSERT_OK(read_text("{'whole':2}", NULL, &s, &err));
    assert_true(s.whole == 2 && s.real == 0.25 && s.above == 1 && s.below == 0 && s.flag && s.choice == 1);
    assert_true(!s.name && !s.tree && s.reals.count == 0);
    assert_true(s.sizes.count == 1 && s.sizes.value[0] == 3);
    assert_true(s.padding.choice == 0 && s.padding.sizes.count == 0);
}

static void what_is_there_is_read(void **state) {
    (void)state;
    tg_attrs *attrs = attrs_from(
        "{'whole':9007199254740991,'real':-1,'above':1e-300,'below':0,'flag':false,'choice':'three',"
        "'name':'n','sizes':[1,9],'reals':[0,9,0.5],'padding':[0,1,2,3],'tree':{'a':1},"
        "'x-note':[1,2],'type':'sample'}");
    sample s;
    tg_error err;
    ASSERT_OK(tg_attrs_read(tg_attrs_root(attrs), rows, ROWS, "kind|type", &s, &err));
    assert_true(s.whole == UINT64_C(9007199254740991) && s.real == -1 && s.above == 1e-300 && s.below == 0);
    assert_true(!s.flag && s.choice == 2);
    assert_string_equal(s.name, "n");
    assert_true(s.sizes.count == 2 && s.sizes.value[1] == 9);
    assert_true(s.reals.count == 3 && s.reals.value[2] == 0.5);
    assert_true(s.padding.choice == -1 && s.padding.sizes.count == 4 && s.padding.sizes.value[3] == 3);
    assert_true(tg_value_get(s.tree, "a")->number == 1);
    tg_attrs_destroy(attrs);
    ASSERT_OK(read_text("{'whole':2,'sizes':4,'reals':1,'padding':'same'}", NULL, &s, &err));
    assert_true(s.sizes.count == 1 && s.sizes.value[0] == 4 && s.reals.count == 1 && s.padding.choice == 1);
}

static const struct {
    const char *text, *expected;
} wrong[] = {
    {"{}", "whole is missing"},
    {"{'whole':1}", "whole must be at least 2, not 1"},
    {"{'whole':2.5}", "whole must be a whole number, not 2.5"},
    {"{'whole':1e300}", "whole must be at most 9007199254740992, not 1e+300"},
    {"{'whole':true}", "whole must be a whole number, not true or false"},
    {"{'whole':[2]}", "whole must be a whole number, not a list"},
    {"{'whole':2,'real':1.0000001}", "real must be at most 1, not 1.0000001"},
    {"{'whole':2,'real':{}}", "real must be a number, not an object"},
    {"{'whole':2,'above':0}", "above must be above 0, not 0"},
    {"{'whole':2,'below':1}", "below must be below 1, not 1"},
    {"{'whole':2,'flag':0}", "flag must be true or false, not a number"},
    {"{'whole':2,'flag':null}", "flag must be true or false, not null"},
    {"{'whole':2,'choice':'on'}", "choice must be one of one|two|three, not \"on\""},
    {"{'whole':2,'choice':'one|two'}", "choice must be one of one|two|three, not \"one|two\""},
    {"{'whole':2,'choice':1}", "choice must be one of one|two|three, not a number"},
    {"{'whole':2,'name':1}", "name must be a text, not a number"},
    {"{'whole':2,'sizes':[]}", "sizes must be a number or a list of 1 to 4 numbers"},
    {"{'whole':2,'sizes':[1,2,3,4,5]}", "sizes must be a number or a list of 1 to 4 numbers"},
    {"{'whole':2,'sizes':[1,0]}", "sizes must be at least 1, not 0"},
    {"{'whole':2,'sizes':'4'}", "sizes must be a whole number, not a text"},
    {"{'whole':2,'reals':[1,10]}", "reals must be at most 9, not 10"},
    {"{'whole':2,'padding':'none'}", "padding must be one of valid|same or whole numbers, not \"none\""},
    {"{'whole':2,'padding':[1,-1]}", "padding must be at least 0, not -1"},
    {"{'whole':2,'type':'sample'}",
     "unknown key \"type\"; there are kind, whole, real, above, below, flag, choice, "
     "name, sizes, reals, padding, tree"},
    {"{'whole':2,'X-note':1}",
     "unknown key \"X-note\"; there are kind, whole, real, above, below, flag, choice, "
     "name, sizes, reals, padding, tree"},
};

static void what_is_wrong_is_told(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        sample s;
        tg_error err;
        ASSERT_FAILS(read_text(wrong[i].text, "kind", &s, &err), TG_E_RECIPE, wrong[i].expected);
    }
}

/* JSON knows no NaN, but a host of another kind may hand one in. */
static void numbers_must_be_finite(void **state) {
    (void)state;
    const double odd[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 3; i++) {
        tg_attrs *attrs = make();
        tg_error err;
        sample s;
        ASSERT_OK(tg_attrs_number(attrs, "whole", odd[i], &err));
        ASSERT_FAILS(tg_attrs_read(tg_attrs_root(attrs), rows, ROWS, NULL, &s, &err), TG_E_RECIPE,
                     "whole must be a finite number");
        tg_attrs_destroy(attrs);
    }
}

/* A key or a text of any length must not make a sentence longer than there is room for. */
static void long_names_are_cut(void **state) {
    (void)state;
    char name[2001], text[2200];
    memset(name, 'k', 2000);
    name[2000] = 0;
    sample s;
    tg_error err;
    snprintf(text, sizeof text, "{'whole':2,'%s':1}", name);
    assert_int_equal(read_text(text, NULL, &s, &err), TG_E_RECIPE);
    assert_non_null(strstr(err.what, "kkkk\"; there are whole"));
    snprintf(text, sizeof text, "{'whole':2,'choice':'%s'}", name);
    assert_int_equal(read_text(text, NULL, &s, &err), TG_E_RECIPE);
    assert_true(strlen(err.what) < 120);
}

static void what_is_read_is_written(void **state) {
    (void)state;
    tg_attrs *attrs = attrs_from(
        "{'whole':7,'sizes':[1,2],'reals':0.5,'padding':'same','name':'it','tree':[1,{'a':null}]}");
    sample s;
    tg_error err;
    ASSERT_OK(tg_attrs_read(tg_attrs_root(attrs), rows, ROWS, NULL, &s, &err));
    tg_text text = {0};
    tg_json_open(&text, NULL, '{');
    tg_attrs_write(&text, rows, ROWS, &s);
    tg_json_close(&text, '}');
    assert_string_equal(text.data,
                        "{\"whole\":7,\"real\":0.25,\"above\":1,\"below\":0,\"flag\":true,\"choice\":\"two\","
                        "\"name\":\"it\",\"sizes\":[1,2],\"reals\":0.5,\"padding\":\"same\","
                        "\"tree\":[1,{\"a\":null}]}");
    tg_text_free(&text);
    tg_attrs_destroy(attrs);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_key_in_document_order),
        cmocka_unit_test(strings_are_copied),
        cmocka_unit_test(trees_may_be_large),
        cmocka_unit_test(misuse_is_told),
        cmocka_unit_test(a_copy_stands_alone),
        cmocka_unit_test(what_is_not_there_has_its_default),
        cmocka_unit_test(what_is_there_is_read),
        cmocka_unit_test(what_is_wrong_is_told),
        cmocka_unit_test(numbers_must_be_finite),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(what_is_read_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
