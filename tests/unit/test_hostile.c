/* Every file in fixtures/hostile gets exactly the sentence that expected.tsv has for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/safetensors.h"
#include "support/check.h"

static tg_bytes read_fixture(const char *folder, const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s/%s", TG_FIXTURES, folder, name);
    tg_bytes bytes = {.name = name};
    bytes.data = read_whole_file(path, &bytes.size);
    if (!bytes.data) fail_msg("%s cannot be read", path);
    return bytes;
}

/* Opens the file as what it is given for, beside a valid partner; nothing may come out of it. */
static tg_status open_as(const char *given, tg_bytes hostile, tg_error *err) {
    tg_status status;
    if (strcmp(given, "safetensors") == 0) {
        tg_safetensors *file = NULL;
        status = tg_safetensors_open(hostile, &file, err);
        assert_null(file);
        return status;
    }
    tg_dataset *dataset = NULL;
    static const char *const cifars[] = {"cifar-10", "cifar-100-fine", "cifar-100-coarse"};
    for (int kind = TG_CIFAR_10; kind <= TG_CIFAR_100_COARSE; kind++) {
        if (strcmp(given, cifars[kind]) != 0) continue;
        status = tg_dataset_from_cifar(&hostile, 1, (tg_cifar)kind, &dataset, err);
        assert_null(dataset);
        return status;
    }
    bool as_images = strcmp(given, "images") == 0;
    assert_true(as_images || strcmp(given, "labels") == 0);
    tg_bytes partner = read_fixture("idx", as_images ? "labels" : "images");
    status = tg_dataset_from_idx(as_images ? hostile : partner, as_images ? partner : hostile, &dataset, err);
    assert_null(dataset);
    free((void *)partner.data);
    return status;
}

static void every_attack_gets_its_sentence(void **state) {
    (void)state;
    tg_bytes table = read_fixture("hostile", "expected.tsv");
    size_t attacks = 0;
    for (char *line = (char *)table.data; *line;) {
        char *name = strchr(line, '\t'), *what = name ? strchr(name + 1, '\t') : NULL;
        char *end = what ? strchr(what, '\n') : NULL;
        assert_non_null(end);
        *name++ = *what++ = *end = '\0';
        tg_bytes hostile = read_fixture("hostile", name);
        char expected[1024];
        snprintf(expected, sizeof expected, "%s: %s", name, what);
        tg_error err;
        tg_status status = open_as(line, hostile, &err);
        assert_string_equal(sentence(status, &err), expected);
        free((void *)hostile.data);
        attacks++;
        line = end + 1;
    }
    assert_true(attacks >= 40);
    free((void *)table.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_attack_gets_its_sentence)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
