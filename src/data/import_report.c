/* What was understood, as JSON. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

enum { EXAMPLES = 20 };

static void write_shape(tg_text *out, const size_t *shape, size_t rank) {
    tg_json_open(out, "shape", '[');
    for (size_t i = 0; i < rank; i++) tg_json_number(out, NULL, (double)shape[i]);
    tg_json_close(out, ']');
}

static void write_source(tg_text *out, const tg_source *source) {
    tg_json_open(out, NULL, '{');
    tg_json_string(out, "name", source->name);
    tg_json_string(out, "format", source->format);
    tg_json_string(out, "part", source->part);
    tg_json_number(out, "count", (double)source->count);
    write_shape(out, source->shape, source->rank);
    if (source->note[0]) tg_json_string(out, "note", source->note);
    tg_json_close(out, '}');
}

static tg_status write_set(tg_text *out, const char *key, const tg_dataset *set, tg_error *err) {
    if (!set) {
        tg_json_number(out, key, (double)NAN);
        return TG_OK;
    }
    size_t *counts = tg_allocate(set->classes * sizeof *counts), shape[3]; /* as many as there are names */
    TG_REQUIRE(err, counts, TG_E_MEMORY, "no memory is left to count the samples of %zu classes",
               set->classes);
    double range[2];
    tg_dataset_class_counts(set, counts);
    tg_dataset_range(set, range);
    tg_dataset_shape(set, shape);
    tg_json_open(out, key, '{');
    tg_json_number(out, "count", (double)set->count);
    write_shape(out, shape, 3);
    tg_json_open(out, "range", '[');
    for (size_t i = 0; i < 2; i++) tg_json_number(out, NULL, range[i]);
    tg_json_close(out, ']');
    tg_json_open(out, "classCounts", '[');
    for (size_t i = 0; i < set->classes; i++) tg_json_number(out, NULL, (double)counts[i]);
    tg_json_close(out, ']');
    tg_json_close(out, '}');
    tg_free(counts);
    return TG_OK;
}

static tg_status write_duplicates(tg_text *out, const tg_dataset *train, const tg_dataset *test,
                                  tg_error *err) {
    uint32_t pairs[EXAMPLES][2];
    size_t count = 0;
    if (train && test) TG_TRY(tg_dataset_duplicates(train, test, pairs, EXAMPLES, &count, err));
    tg_json_open(out, "duplicates", '{');
    tg_json_number(out, "count", (double)count);
    tg_json_open(out, "examples", '[');
    for (size_t i = 0; i < count && i < EXAMPLES; i++) {
        tg_json_open(out, NULL, '[');
        for (size_t k = 0; k < 2; k++) tg_json_number(out, NULL, (double)pairs[i][k]);
        tg_json_close(out, ']');
    }
    tg_json_close(out, ']');
    tg_json_close(out, '}');
    return TG_OK;
}

tg_status tg_import_write_report(tg_import *import, const tg_dataset *train, const tg_dataset *test,
                                 tg_error *err) {
    tg_text *out = &import->report;
    tg_json_open(out, NULL, '{');
    tg_json_open(out, "sources", '[');
    for (size_t i = 0; i < import->source_count; i++) write_source(out, &import->sources[i]);
    tg_json_close(out, ']');
    tg_json_open(out, "skipped", '[');
    for (size_t i = 0; i + 1 < import->skipped.count; i += 2) {
        tg_json_open(out, NULL, '{');
        tg_json_string(out, "name", tg_texts_at(&import->skipped, i));
        tg_json_string(out, "reason", tg_texts_at(&import->skipped, i + 1));
        tg_json_close(out, '}');
    }
    tg_json_close(out, ']');
    tg_json_number(out, "skippedCount", (double)import->skipped_count);
    TG_TRY(write_set(out, "train", train, err));
    TG_TRY(write_set(out, "test", test, err));
    TG_TRY(write_duplicates(out, train, test, err));
    tg_json_close(out, '}');
    TG_REQUIRE(err, !out->failed, TG_E_MEMORY, "no memory is left for the report");
    return TG_OK;
}

const char *tg_import_report(const tg_import *import) {
    return import->report.data && !import->report.failed ? import->report.data : "";
}
