/* CIFAR's binary version: records without a header, each a label (CIFAR-100: two) and a picture in planes. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

enum { SIDE = 32, AREA = SIDE * SIDE, CHANNELS = 3, PICTURE = CHANNELS * AREA };

typedef struct layout {
    size_t labels, used; /* bytes before the picture, and which of them is the label */
    size_t classes;
    const char *name;
} layout;

static const layout layouts[] = {
    [TG_CIFAR_10] = {1, 0, 10, "CIFAR-10"},
    [TG_CIFAR_100_FINE] = {2, 1, 100, "CIFAR-100"},
    [TG_CIFAR_100_COARSE] = {2, 0, 20, "CIFAR-100"},
};

static tg_status check_batch(const layout *kind, tg_bytes file, tg_error *err) {
    const uint8_t *data = file.data;
    size_t record = kind->labels + PICTURE;
    TG_REQUIRE(err, file.size > 0, TG_E_FORMAT, "the file is empty; download it again");
    TG_REQUIRE(err, file.size < 2 || data[0] != 0x1f || data[1] != 0x8b, TG_E_FORMAT,
               "is gzip-compressed; unpack it first");
    TG_REQUIRE(err, file.size < 2 || data[0] != 0x80 || data[1] != 0x02, TG_E_FORMAT,
               "is the Python version of %s; take the binary version", kind->name);
    TG_REQUIRE(
        err, file.size % record == 0, TG_E_FORMAT,
        "has %zu bytes, no multiple of the %zu of a %s record; take the binary version and download it again",
        file.size, record, kind->name);
    for (size_t i = 0; i < file.size / record; i++) {
        uint8_t label = data[i * record + kind->used];
        TG_REQUIRE(err, label < kind->classes, TG_E_FORMAT,
                   "record %zu has label %u, but %s has %zu classes; this is no batch of %s", i, label,
                   kind->name, kind->classes, kind->name);
    }
    return TG_OK;
}

/* pixels[32, 32, 3] = planes[3, 32, 32] */
static void interleave(const uint8_t *planes, uint8_t *pixels) {
    for (size_t c = 0; c < CHANNELS; c++)
        for (size_t j = 0; j < AREA; j++) pixels[j * CHANNELS + c] = planes[c * AREA + j];
}

tg_status tg_dataset_from_cifar(const tg_bytes *files, size_t count, tg_cifar kind, tg_dataset **out,
                                tg_error *err) {
    *out = NULL;
    TG_REQUIRE(err, kind == TG_CIFAR_10 || kind == TG_CIFAR_100_FINE || kind == TG_CIFAR_100_COARSE,
               TG_E_ARGUMENT, "CIFAR comes as 10 (0), 100 fine (1) or 100 coarse (2), not %d", (int)kind);
    TG_REQUIRE(err, count > 0, TG_E_ARGUMENT, "there are no batches; at least one is needed");
    const layout *form = &layouts[kind];
    size_t record = form->labels + PICTURE, samples = 0;
    for (size_t f = 0; f < count; f++) {
        tg_status status = check_batch(form, files[f], err);
        if (status != TG_OK) return tg_fail_at(err, status, "%s", files[f].name);
        samples += files[f].size / record; /* cannot wrap: the bytes are all in memory */
    }
    tg_dataset *dataset;
    tg_status status =
        tg_dataset_create(TG_U8, SIDE, SIDE, CHANNELS, samples, form->classes, false, &dataset, err);
    if (status != TG_OK) return tg_fail_at(err, status, "%s", files[0].name);
    uint8_t *pixels = dataset->pixels;
    int32_t *labels = dataset->labels;
    for (size_t f = 0; f < count; f++) {
        const uint8_t *end = files[f].data + files[f].size;
        for (const uint8_t *at = files[f].data; at < end; at += record, pixels += PICTURE) {
            *labels++ = at[form->used];
            interleave(at + form->labels, pixels);
        }
    }
    status = tg_dataset_check(dataset, files[0].name, err);
    if (status != TG_OK) tg_dataset_destroy(dataset);
    else *out = dataset;
    return status;
}

/* ---- into an import ----------------------------------------------------------------------------------- */

enum { TRAINING_BATCHES = 5 }; /* of CIFAR-10, all of one size: their memory is had once */

/* By size alone a file may be of both; then the labels decide. */
static tg_status find_kind(const tg_import *import, tg_bytes file, tg_cifar *kind, tg_error *err) {
    tg_cifar of_100 = import->options.labels == 1 ? TG_CIFAR_100_COARSE : TG_CIFAR_100_FINE;
    *kind = file.size % (1 + PICTURE) != 0 && file.size % (2 + PICTURE) == 0 ? of_100 : TG_CIFAR_10;
    tg_status status = check_batch(&layouts[*kind], file, err);
    if (status != TG_OK && *kind == TG_CIFAR_10 && file.size > 0 && file.size % (2 + PICTURE) == 0) {
        *kind = of_100;
        status = check_batch(&layouts[*kind], file, err);
    }
    return status;
}

tg_status tg_read_cifar(tg_import *import, tg_bytes file, tg_error *err) {
    tg_cifar kind;
    TG_TRY(find_kind(import, file, &kind, err));
    const layout *form = &layouts[kind];
    size_t record = form->labels + PICTURE, count = file.size / record;
    tg_part part = tg_import_part(import, file.name);
    if (part == TG_PART_OPEN) part = TG_PART_TRAIN;
    for (tg_part other = TG_PART_OPEN; other < TG_PART_IGNORE; other++)
        TG_REQUIRE(err, !import->batches[other] || import->batches[other]->classes == form->classes,
                   TG_E_DATA, "is a batch of %s, but others are not; give the files of one set at a time",
                   form->name);
    tg_dataset **set = &import->batches[part];
    if (!*set) {
        bool more = kind == TG_CIFAR_10 && strstr(tg_base_name(file.name), "data_batch");
        TG_TRY(tg_dataset_create(TG_U8, SIDE, SIDE, CHANNELS, more ? count * TRAINING_BATCHES : count,
                                 form->classes, false, set, err));
        (*set)->count = 0;
    }
    size_t before = (*set)->count, shape[] = {SIDE, SIDE, CHANNELS};
    TG_TRY(tg_dataset_grow(*set, count, err));
    tg_source *source;
    TG_TRY(tg_import_add_source(import, file.name, kind == TG_CIFAR_10 ? "cifar-10" : "cifar-100", count, 3,
                                shape, &source, err));
    source->part = tg_part_text(part);
    if (kind != TG_CIFAR_10)
        snprintf(source->note, sizeof source->note, "its %s labels",
                 kind == TG_CIFAR_100_COARSE ? "20 coarse" : "100 fine");
    uint8_t *pixels = (uint8_t *)(*set)->pixels + before * PICTURE;
    const uint8_t *at = file.data;
    for (size_t i = 0; i < count; i++, at += record, pixels += PICTURE) {
        (*set)->labels[before + i] = at[form->used];
        interleave(at + form->labels, pixels);
    }
    return TG_OK;
}
