/* CIFAR's binary version: records without a header, each a label (CIFAR-100: two) and a picture in planes. */
#include <stdio.h>
#include <string.h>

#include "base/hot.h"
#include "base/memory.h"
#include "data/import.h"

enum { SIDE = 32, AREA = SIDE * SIDE, CHANNELS = 3, PICTURE = CHANNELS * AREA };

typedef enum kind { CIFAR_10, CIFAR_100_FINE, CIFAR_100_COARSE } kind;

typedef struct layout {
    size_t labels, used; /* bytes before the picture, and which of them is the label */
    size_t classes;
    const char *name, *format, *note;
} layout;

static const layout layouts[] = {
    [CIFAR_10] = {1, 0, 10, "CIFAR-10", "cifar-10", ""},
    [CIFAR_100_FINE] = {2, 1, 100, "CIFAR-100", "cifar-100", "its 100 fine labels"},
    [CIFAR_100_COARSE] = {2, 0, 20, "CIFAR-100", "cifar-100", "its 20 coarse labels"},
};

static tg_status check_batch(const layout *form, tg_bytes file, tg_error *err) {
    size_t record = form->labels + PICTURE;
    TG_REQUIRE(
        err, file.size % record == 0, TG_E_FORMAT,
        "has %zu bytes, no multiple of the %zu of a %s record; take the binary version and download it again",
        file.size, record, form->name);
    for (size_t i = 0; i < file.size / record; i++) {
        uint8_t label = file.data[i * record + form->used];
        TG_REQUIRE(err, label < form->classes, TG_E_FORMAT,
                   "record %zu has label %u, but %s has %zu classes; this is no batch of %s", i, label,
                   form->name, form->classes, form->name);
    }
    return TG_OK;
}

/* pixels[32, 32, 3] = planes[3, 32, 32] */
TG_HOT static void interleave(const uint8_t *planes, uint8_t *pixels) {
    for (size_t j = 0; j < AREA; j++, pixels += CHANNELS) {
        pixels[0] = planes[j];
        pixels[1] = planes[AREA + j];
        pixels[2] = planes[2 * AREA + j];
    }
}

enum { TRAINING_BATCHES = 5 }; /* of CIFAR-10, all of one size: their memory is had once */

/* By size alone a file may be of both; then the labels decide. */
static tg_status find_layout(const tg_import *import, tg_bytes file, const layout **out, tg_error *err) {
    const layout *of_100 = &layouts[import->options.labels == 1 ? CIFAR_100_COARSE : CIFAR_100_FINE];
    bool may_be_100 = file.size % (2 + PICTURE) == 0;
    *out = may_be_100 && file.size % (1 + PICTURE) != 0 ? of_100 : &layouts[CIFAR_10];
    tg_status status = check_batch(*out, file, err);
    if (status == TG_OK || *out == of_100 || !may_be_100) return status;
    *out = of_100;
    return check_batch(of_100, file, err);
}

tg_status tg_read_cifar(tg_import *import, tg_bytes file, tg_error *err) {
    const layout *form;
    TG_TRY(find_layout(import, file, &form, err));
    size_t record = form->labels + PICTURE, count = file.size / record;
    tg_part part = tg_import_part(import, file.name);
    if (part == TG_PART_OPEN) part = TG_PART_TRAIN;
    for (tg_part other = TG_PART_OPEN; other < TG_PART_IGNORE; other++)
        TG_REQUIRE(err, !import->batches[other] || import->batches[other]->classes == form->classes,
                   TG_E_DATA, "is a batch of %s, but others are not; give the files of one set at a time",
                   form->name);
    tg_dataset **set = &import->batches[part];
    if (!*set) {
        bool more = form == &layouts[CIFAR_10] && tg_find_text(tg_base_name(file.name), "data_batch");
        TG_TRY(tg_dataset_create(TG_U8, SIDE, SIDE, CHANNELS, more ? count * TRAINING_BATCHES : count,
                                 form->classes, false, set, err));
        (*set)->count = 0;
    }
    size_t before = (*set)->count, shape[] = {SIDE, SIDE, CHANNELS};
    TG_TRY(tg_dataset_grow(*set, count, err));
    tg_source *source;
    TG_TRY(tg_import_add_source(import, file.name, form->format, count, 3, shape, &source, err));
    source->part = tg_part_text(part);
    snprintf(source->note, sizeof source->note, "%s", form->note);
    uint8_t *pixels = (uint8_t *)(*set)->pixels + before * PICTURE;
    const uint8_t *at = file.data;
    for (size_t i = 0; i < count; i++, at += record, pixels += PICTURE) {
        (*set)->labels[before + i] = at[form->used];
        interleave(at + form->labels, pixels);
    }
    return TG_OK;
}
