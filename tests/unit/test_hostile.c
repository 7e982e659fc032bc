/* Every file in fixtures/hostile gets exactly the sentence that the table beside it has for it; what came before stays. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "data/dataset.h"
#include "io/safetensors.h"
#include "support/importing.h"

static tg_bytes read_fixture(const char *folder, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s%s", TG_FIXTURES, folder, name);
    tg_bytes bytes = {.name = name};
    bytes.data = read_whole_file(path, &bytes.size);
    if (!bytes.data) fail_msg("%s cannot be read", path);
    return bytes;
}

static cJSON *read_table(const char *name) {
    tg_bytes text = read_fixture("hostile/", name);
    cJSON *table = cJSON_ParseWithLength((const char *)text.data, text.size);
    free((void *)text.data);
    assert_non_null(table);
    return table;
}

static const char *text_of(const cJSON *attack, const char *key) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(attack, key));
}

static void every_checkpoint_gets_its_sentence(void **state) {
    (void)state;
    cJSON *table = read_table("safetensors.json");
    const cJSON *attack;
    assert_true(cJSON_GetArraySize(table) >= 20);
    cJSON_ArrayForEach(attack, table) {
        tg_bytes hostile = read_fixture("hostile/", text_of(attack, "file"));
        tg_safetensors *file = NULL;
        tg_error err;
        char expected[1024];
        snprintf(expected, sizeof expected, "%s: %s", hostile.name, text_of(attack, "sentence"));
        tg_status status = tg_safetensors_open(hostile, &file, &err);
        assert_string_equal(sentence(status, &err), expected);
        assert_null(file);
        free((void *)hostile.data);
    }
    cJSON_Delete(table);
}

static void give_attack(importing *in, const cJSON *attack) {
    const char *beside = text_of(attack, "beside");
    tg_bytes hostile = read_fixture("hostile/", text_of(attack, "file"));
    give_bytes(in, hostile.name, hostile.data, hostile.size);
    if (beside) give_fixture(in, "beside", beside);
    free((void *)hostile.data);
}

static void every_file_gets_its_sentence(void **state) {
    (void)state;
    cJSON *table = read_table("files.json");
    const cJSON *attack;
    assert_true(cJSON_GetArraySize(table) >= 60);
    cJSON_ArrayForEach(attack, table) {
        importing in;
        char expected[1024];
        snprintf(expected, sizeof expected, "%s: %s", text_of(attack, "file"), text_of(attack, "sentence"));
        begin_import(&in, NULL);
        give_attack(&in, attack);
        end_import_failing(&in, expected);
        free_import(&in);
    }
    cJSON_Delete(table);
}

static bool is_listed(const cJSON *report, const cJSON *attack) {
    const cJSON *skip;
    cJSON_ArrayForEach(skip, cJSON_GetObjectItemCaseSensitive(report, "skipped")) {
        if (strcmp(text_of(skip, "name"), text_of(attack, "file")) == 0 &&
            strcmp(text_of(skip, "reason"), text_of(attack, "sentence")) == 0)
            return true;
    }
    return false;
}

static void the_good_beside_the_bad_is_read(void **state) {
    (void)state;
    cJSON *table = read_table("files.json");
    const cJSON *attack;
    cJSON_ArrayForEach(attack, table) {
        if (text_of(attack, "beside")) continue; /* its partner would go with the good ones */
        importing in;
        begin_import(&in, NULL);
        give_fixture(&in, "train-images", "digits/train-images-idx3-ubyte");
        give_attack(&in, attack);
        give_fixture(&in, "train-labels", "digits/train-labels-idx1-ubyte");
        end_import(&in);
        cJSON *report = cJSON_Parse(tg_import_report(in.import));
        if (!is_listed(report, attack))
            fail_msg("%s: %s", text_of(attack, "file"), tg_import_report(in.import));
        assert_int_equal(in.train->count, 10);
        cJSON_Delete(report);
        free_import(&in);
    }
    cJSON_Delete(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_checkpoint_gets_its_sentence),
        cmocka_unit_test(every_file_gets_its_sentence),
        cmocka_unit_test(the_good_beside_the_bad_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
