/* What must hold of an import whatever it was given: sound sets and a whole report, or one sentence. */
#ifndef TG_TESTS_FUZZ_IMPORT_H
#define TG_TESTS_FUZZ_IMPORT_H

#include <stdlib.h>
#include <string.h>

#include "support/importing.h"

#define REQUIRE(condition)                                                                                   \
    do {                                                                                                     \
        if (!(condition)) abort();                                                                           \
    } while (0)

static inline void require_sound_set(tg_dataset *set) {
    size_t shape[3], count = tg_dataset_count(set), sum = 0;
    tg_dataset_shape(set, shape);
    size_t bytes =
        count * shape[0] * shape[1] * shape[2] * (tg_dataset_type(set) == TG_F32 ? sizeof(float) : 1);
    const uint8_t *pixels = tg_dataset_pixels(set);
    for (size_t i = 0; i < bytes; i++) sum += pixels[i]; /* all of them are there */
    REQUIRE(count > 0 && sum <= 255 * bytes);
    for (size_t i = 0; i < count; i++) REQUIRE((size_t)tg_dataset_labels(set)[i] < tg_dataset_classes(set));
    REQUIRE(strlen(tg_dataset_sha256(set)) == 64);
}

static inline void end_fuzzed_import(tg_import *import) {
    tg_dataset *train, *test;
    tg_error err = {0};
    tg_status status = tg_import_finish(import, &train, &test, &err);
    REQUIRE((status == TG_OK) == (train != NULL));
    REQUIRE(status == TG_OK || (err.status == status && err.what[0] && !test));
    if (train) require_sound_set(train);
    if (test) require_sound_set(test);
    if (test) REQUIRE(tg_dataset_classes(train) == tg_dataset_classes(test));
    const char *report = tg_import_report(import);
    size_t length = strlen(report);
    REQUIRE(length > 2 && report[0] == '{' && report[length - 1] == '}');
    tg_dataset_destroy(train);
    tg_dataset_destroy(test);
    tg_import_destroy(import);
}

static inline tg_import *begin_fuzzed_import(bool unlabeled) {
    tg_attrs *options;
    tg_import *import;
    REQUIRE(tg_attrs_create(&options, NULL) == TG_OK &&
            tg_attrs_bool(options, "unlabeled", unlabeled, NULL) == TG_OK);
    REQUIRE(tg_import_create(options, inflate_with_zlib, NULL, &import, NULL) == TG_OK);
    tg_attrs_destroy(options);
    return import;
}

static inline void give_fuzzed(tg_import *import, const char *name, const uint8_t *data, size_t size) {
    static const uint8_t nothing[1];
    REQUIRE(tg_import_file(import, (tg_bytes){name, size ? data : nothing, size}, NULL) == TG_OK);
}

/* The bytes as a file of this name, alone: once with labels, once without. */
static inline void fuzz_file(const char *name, const uint8_t *data, size_t size) {
    for (int unlabeled = 0; unlabeled < 2; unlabeled++) {
        tg_import *import = begin_fuzzed_import(unlabeled);
        give_fuzzed(import, name, data, size);
        end_fuzzed_import(import);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
