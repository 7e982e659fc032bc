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

static const char *place_of(const cJSON *attack) {
    const char *where = text_of(attack, "where");
    return where ? where : text_of(attack, "file");
}

static void give_attack(importing *in, const cJSON *attack) {
    const char *beside = text_of(attack, "beside");
    tg_bytes hostile = read_fixture("hostile/", text_of(attack, "file"));
    give_bytes(in, hostile.name, hostile.data, hostile.size);
    if (beside) give_fixture(in, strrchr(beside, '/') + 1, beside);
    free((void *)hostile.data);
}

static void every_file_gets_its_sentence(void **state) {
    (void)state;
    cJSON *table = read_table("files.json");
    const cJSON *attack;
    assert_true(cJSON_GetArraySize(table) >= 60);
    cJSON_ArrayForEach(attack, table) {
        const cJSON *read = cJSON_GetObjectItemCaseSensitive(attack, "read");
        importing in;
        begin_import(&in, NULL);
        give_attack(&in, attack);
        if (read) {
            end_import(&in);
            assert_int_equal(in.train->count, (size_t)read->valuedouble);
            report_says(&in, text_of(attack, "sentence"));
        } else {
            char expected[1024];
            snprintf(expected, sizeof expected, "%s: %s", place_of(attack), text_of(attack, "sentence"));
            end_import_failing(&in, expected);
        }
        free_import(&in);
    }
    cJSON_Delete(table);
}

static bool is_listed(const cJSON *report, const cJSON *attack) {
    const cJSON *skip;
    cJSON_ArrayForEach(skip, cJSON_GetObjectItemCaseSensitive(report, "skipped")) {
        if (strcmp(text_of(skip, "name"), place_of(attack)) == 0 &&
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
        if (text_of(attack, "beside") || cJSON_HasObjectItem(attack, "read"))
            continue; /* would go with the good ones */
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

/* One sentence, or sound sets. */
static void read_altered(const char *name, const uint8_t *data, size_t size) {
    importing in;
    tg_error err;
    begin_import(&in, NULL);
    give_bytes(&in, name, data, size);
    give_fixture(&in, "other-images", "idx/images");
    give_fixture(&in, "other-labels", "idx/labels");
    tg_status status = tg_import_finish(in.import, &in.train, &in.test, &err);
    cJSON *report = cJSON_Parse(tg_import_report(in.import));
    assert_non_null(report);
    const cJSON *skip;
    cJSON_ArrayForEach(skip, cJSON_GetObjectItemCaseSensitive(report, "skipped")) {
        assert_true(strlen(text_of(skip, "reason")) > 10);
    }
    assert_true(status == TG_OK ? in.train && in.train->count > 0 : strlen(err.what) > 10);
    cJSON_Delete(report);
    free_import(&in);
}

/* Cut behind every byte of its beginning, and every byte of that at its extremes. */
static void every_field_may_be_cut_or_wrong(void **state) {
    (void)state;
    static const char *const files[] = {
        "idx/images",      "idx/images-color",
        "idx/features",    "idx/labels",
        "npy/x_f4.npy",    "npy/y.npy",
        "mat/numpy.mat",   "mat/numpy-compressed.mat",
        "mat/cells.mat",   "mat/struct.mat",
        "mat/one-hot.mat", "mat/version-4.mat",
        "csv/quoted.csv",  "csv/numbers-beside-texts",
        "csv/names.tsv",   "cifar/two-of-10",
    };
    static const uint8_t extremes[] = {0, 1, 0x7f, 0x80, 0xff};
    enum { HEADER = 320 };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        tg_bytes file = read_fixture("", files[i]);
        uint8_t *data = (uint8_t *)file.data;
        size_t header = file.size < HEADER ? file.size : HEADER;
        for (size_t at = 0; at < header; at++) {
            uint8_t was = data[at];
            read_altered(files[i], data, at);
            for (size_t k = 0; k < sizeof extremes; k++) {
                data[at] = extremes[k];
                read_altered(files[i], data, file.size);
            }
            data[at] = was;
        }
        free(data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_checkpoint_gets_its_sentence),
        cmocka_unit_test(every_file_gets_its_sentence),
        cmocka_unit_test(the_good_beside_the_bad_is_read),
        cmocka_unit_test(every_field_may_be_cut_or_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
