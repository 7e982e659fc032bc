#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/text.h"
#include "support/check.h"

static void text_grows_and_stays_terminated(void **state) {
    (void)state;
    tg_text text = {0};
    for (int i = 0; i < 1000; i++) {
        tg_text_append(&text, "%d,", i % 10);
        assert_int_equal(text.size, 2 * (i + 1));
        assert_int_equal(strlen(text.data), text.size);
    }
    tg_text_clear(&text);
    assert_string_equal(text.data, "");
    tg_text_append_bytes(&text, "a\0b", 3);
    assert_int_equal(text.size, 3);
    assert_memory_equal(text.data, "a\0b", 4);
    assert_false(text.failed);
    tg_text_free(&text);
    assert_null(text.data);
}

static void json_puts_its_commas(void **state) {
    (void)state;
    tg_text text = {0};
    tg_json_open(&text, NULL, '{');
    tg_json_string(&text, "type", "dense");
    tg_json_open(&text, "shape", '[');
    tg_json_number(&text, NULL, 1);
    tg_json_number(&text, NULL, 2.5);
    tg_json_close(&text, ']');
    tg_json_open(&text, "empty", '{');
    tg_json_close(&text, '}');
    tg_json_open(&text, "rows", '[');
    tg_json_open(&text, NULL, '[');
    tg_json_close(&text, ']');
    tg_json_open(&text, NULL, '{');
    tg_json_bool(&text, "on", true);
    tg_json_bool(&text, "off", false);
    tg_json_close(&text, '}');
    tg_json_close(&text, ']');
    tg_json_number(&text, "nan", NAN);
    tg_json_close(&text, '}');
    assert_string_equal(text.data, "{\"type\":\"dense\",\"shape\":[1,2.5],\"empty\":{},"
                                   "\"rows\":[[],{\"on\":true,\"off\":false}],\"nan\":null}");
    tg_text_free(&text);
}

static void check_number(double value, const char *expected) {
    tg_text text = {0};
    tg_json_number(&text, NULL, value);
    assert_string_equal(text.data, expected);
    tg_text_free(&text);
}

static void json_numbers_are_shortest(void **state) {
    (void)state;
    check_number(0, "0");
    check_number(-0.0, "-0");
    check_number(0.1, "0.1");
    check_number(1.0 / 3, "0.3333333333333333");
    check_number(600000, "600000");
    check_number(-60000, "-60000");
    check_number(999999999999999, "999999999999999");
    check_number(1e22, "1e+22");
    check_number(5e-324, "5e-324");
    check_number(1.7976931348623157e308, "1.7976931348623157e+308");
    check_number(INFINITY, "null");
    check_number(-INFINITY, "null");
}

static void json_numbers_read_back(void **state) {
    (void)state;
    tg_rng rng = tg_rng_stream(7, TG_RNG_TEST, 0, 0);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = (uint64_t)tg_rng_u32(&rng) << 32 | tg_rng_u32(&rng);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value)) continue;
        tg_text text = {0};
        tg_json_number(&text, NULL, value);
        double back = strtod(text.data, NULL);
        assert_memory_equal(&back, &value, sizeof value);
        tg_text_free(&text);
    }
}

static void json_numbers_ignore_the_locale(void **state) {
    (void)state;
    const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "es_ES.UTF-8", "pt_BR.UTF-8"};
    bool comma = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0] && !comma; i++)
        comma = setlocale(LC_NUMERIC, names[i]);
    if (!comma) {
        print_message("skipped: no locale with a decimal comma is installed\n");
        skip();
    }
    check_number(2.5, "2.5");
    check_number(1.25e-300, "1.25e-300");
    setlocale(LC_NUMERIC, "C");
}

static void check_string(const char *value, const char *expected) {
    tg_text text = {0};
    tg_json_string(&text, NULL, value);
    assert_string_equal(text.data, expected);
    tg_text_free(&text);
}

static void json_strings_are_escaped(void **state) {
    (void)state;
    check_string("", "\"\"");
    check_string("a \"b\" \\ /", "\"a \\\"b\\\" \\\\ /\"");
    check_string("\n\t\x01\x7f", "\"\\u000a\\u0009\\u0001\x7f\"");
    check_string("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"");
    check_string("a\xff"
                 "b\xc3",
                 "\"a\xef\xbf\xbd"
                 "b\xef\xbf\xbd\"");
}

static void utf8_is_checked(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {
        {"a", 1},
        {"\xc2\x80", 2},
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"", 0},
        {"\x80", 0},             /* continuation first */
        {"\xc0\x80", 0},         /* overlong */
        {"\xe0\x9f\xbf", 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
        {"\xed\xa0\x80", 0},     /* surrogate */
        {"\xf4\x90\x80\x80", 0}, /* beyond U+10FFFF */
        {"\xf5\x80\x80\x80", 0},
        {"\xe2\x82", 0}, /* cut short */
        {"\xe2\x82x", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(tg_utf8_length(cases[i].text, strlen(cases[i].text)), cases[i].length);
}

static void failed_allocation_is_remembered(void **state) {
    (void)state;
    tg_text text = {0};
    begin_allocations(1);
    tg_text_append(&text, "kept");
    for (int i = 0; i < 100; i++) tg_text_append(&text, "0123456789");
    assert_true(text.failed);
    tg_text_append(&text, "more");
    assert_true(text.failed);
    tg_text_free(&text);
    assert_int_equal(live_allocations(), 0);
    end_allocations();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_and_stays_terminated),
        cmocka_unit_test(json_puts_its_commas),
        cmocka_unit_test(json_numbers_are_shortest),
        cmocka_unit_test(json_numbers_read_back),
        cmocka_unit_test(json_numbers_ignore_the_locale),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(failed_allocation_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
