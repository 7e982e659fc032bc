/* The end of an import: every set finds its part, classes are numbered alike in all of them, parts become datasets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

/* ---- batches of CIFAR, in the order of their names ------------------------------------------------------- */

typedef struct batch {
    const char *name;
    uint32_t first, count;
} batch;

static int by_name(const void *a, const void *b) {
    return tg_compare_names(((const batch *)a)->name, ((const batch *)b)->name);
}

/* Samples of the batches of a part lie as these came: data_batch_3 may have been before data_batch_2. */
static tg_status sort_batches(tg_import *import, tg_part part, tg_error *err) {
    tg_dataset *set = import->batches[part];
    size_t used = 0, first = 0;
    batch *batches =
        tg_allocate(import->source_count * sizeof *batches); /* no more than there are in memory */
    uint32_t *order = tg_allocate(set->count * sizeof *order);
    tg_status status = TG_OK;
    if (!batches || !order) status = tg_fail(err, TG_E_MEMORY, "no memory is left to sort the batches");
    for (size_t i = 0; status == TG_OK && i < import->source_count; i++) {
        const tg_source *source = &import->sources[i];
        if (strncmp(source->format, "cifar", 5) != 0 || strcmp(source->part, tg_part_text(part)) != 0)
            continue;
        batches[used++] = (batch){source->name, (uint32_t)first, (uint32_t)source->count};
        first += source->count;
    }
    if (status == TG_OK) {
        qsort(batches, used, sizeof *batches, by_name);
        size_t at = 0;
        for (size_t i = 0; i < used; i++)
            for (uint32_t j = 0; j < batches[i].count; j++) order[at++] = batches[i].first + j;
        status = tg_dataset_permute(set, order, err);
    }
    tg_free(batches);
    tg_free(order);
    return status;
}

static tg_status take_batches(tg_import *import, tg_error *err) {
    for (tg_part part = TG_PART_OPEN; part < TG_PART_IGNORE; part++) {
        tg_dataset *set = import->batches[part];
        if (!set || set->count == 0) continue;
        TG_TRY(sort_batches(import, part, err));
        import->batches[part] = NULL;
        tg_set taken = {.name = "CIFAR", .source = SIZE_MAX, .part = part, .dataset = set};
        TG_TRY(tg_import_add_set(import, &taken, err));
    }
    return TG_OK;
}

/* ---- one shape -------------------------------------------------------------------------------------------- */

static int compare_shapes(const tg_dataset *a, const tg_dataset *b) {
    if (a->height != b->height) return a->height < b->height ? -1 : 1;
    if (a->width != b->width) return a->width < b->width ? -1 : 1;
    return a->channels == b->channels ? 0 : a->channels < b->channels ? -1 : 1;
}

typedef struct shaped {
    const tg_dataset *set;
    size_t place, samples; /* of the first of a shape: of all that have it */
} shaped;

static int by_shape(const void *a, const void *b) {
    const shaped *left = a, *right = b;
    int order = compare_shapes(left->set, right->set);
    return order ? order : left->place < right->place ? -1 : 1;
}

/* Of equally many samples pictures, then those that come first. */
static bool is_better(const shaped *a, const shaped *b) {
    if (a->samples != b->samples) return a->samples > b->samples;
    bool picture = a->set->height * a->set->width > 1, other = b->set->height * b->set->width > 1;
    return picture == other ? a->place < b->place : picture;
}

/* A set of the shape that most samples have. */
static tg_status find_main_shape(const tg_import *import, const tg_dataset **out, tg_error *err) {
    size_t count = import->set_count, bytes = 0;
    shaped *sets = tg_mul_size(count, sizeof *sets, &bytes) ? tg_allocate(bytes) : NULL;
    TG_REQUIRE(err, sets, TG_E_MEMORY, "no memory is left to compare %zu sets", count);
    for (size_t i = 0; i < count; i++)
        sets[i] = (shaped){import->sets[i].dataset, i, import->sets[i].dataset->count};
    qsort(sets, count, sizeof *sets, by_shape);
    size_t best = 0;
    for (size_t i = 0, first = 0; i < count; i++) {
        if (compare_shapes(sets[first].set, sets[i].set) != 0) first = i;
        if (first < i) sets[first].samples += sets[i].samples;
        if (is_better(&sets[first], &sets[best])) best = first;
    }
    *out = sets[best].set;
    tg_free(sets);
    return TG_OK;
}

/* Leaves out what cannot be one set with the rest, such as the same samples in another form. */
static tg_status keep_one_shape(tg_import *import, tg_error *err) {
    if (import->set_count == 0) return TG_OK;
    const tg_dataset *main = NULL;
    TG_TRY(find_main_shape(import, &main, err));
    size_t kept = 0;
    for (size_t i = 0; i < import->set_count; i++) {
        tg_set set = import->sets[i];
        const tg_dataset *own = set.dataset;
        import->sets[i].dataset = NULL; /* it has one owner */
        if (compare_shapes(main, own) == 0) {
            import->sets[kept++] = set;
            continue;
        }
        tg_fail(err, TG_E_DATA,
                "its samples are %zux%zux%zu, those of the others %zux%zux%zu; give the files of one set at "
                "a time",
                own->height, own->width, own->channels, main->height, main->width, main->channels);
        tg_dataset_destroy(set.dataset);
        TG_TRY(tg_import_skip_failed(import, set.name, err));
    }
    import->set_count = kept;
    return TG_OK;
}

/* ---- parts ----------------------------------------------------------------------------------------------- */

static size_t count_part(const tg_import *import, tg_part part) {
    size_t count = 0;
    for (size_t i = 0; i < import->set_count; i++) count += import->sets[i].part == part;
    return count;
}

static void move_part(tg_import *import, tg_part from, tg_part to) {
    for (size_t i = 0; i < import->set_count; i++)
        if (import->sets[i].part == from) import->sets[i].part = to;
}

static int by_set_name(const void *a, const void *b) {
    return tg_compare_names(((const tg_set *)a)->name, ((const tg_set *)b)->name);
}

/* Of sets that no name tells apart the larger of two is trained on; a single part is always the one trained on. */
static void settle_parts(tg_import *import) {
    move_part(import, TG_PART_VALIDATION, count_part(import, TG_PART_TEST) ? TG_PART_TRAIN : TG_PART_TEST);
    size_t open = count_part(import, TG_PART_OPEN), train = count_part(import, TG_PART_TRAIN);
    bool test = count_part(import, TG_PART_TEST) > 0;
    if (open == 2 && !train && !test) {
        tg_set *pair[2] = {NULL, NULL};
        for (size_t i = 0; i < import->set_count; i++)
            if (import->sets[i].part == TG_PART_OPEN) pair[pair[0] != NULL] = &import->sets[i];
        pair[pair[0]->dataset->count >= pair[1]->dataset->count ? 1 : 0]->part = TG_PART_TEST;
    }
    move_part(import, TG_PART_OPEN, open == 1 && train && !test ? TG_PART_TEST : TG_PART_TRAIN);
    if (!count_part(import, TG_PART_TRAIN)) move_part(import, TG_PART_TEST, TG_PART_TRAIN);
}

/* Numbers that bytes held here and did not there are floats everywhere. */
static tg_status make_types_equal(tg_import *import, tg_error *err) {
    bool floats = false;
    for (size_t i = 0; i < import->set_count; i++) floats = floats || import->sets[i].dataset->type == TG_F32;
    for (size_t i = 0; floats && i < import->set_count; i++) {
        tg_dataset *set = import->sets[i].dataset;
        if (set->type == TG_F32) continue;
        size_t elements = set->count * set->sample_size, bytes;
        float *pixels = tg_mul_size(elements, sizeof *pixels, &bytes) ? tg_allocate(bytes) : NULL;
        TG_REQUIRE(err, pixels, TG_E_MEMORY, "no memory is left for %zu pixels as floats; use fewer samples",
                   elements);
        for (size_t j = 0; j < elements; j++) pixels[j] = (float)((const uint8_t *)set->pixels)[j];
        tg_free(set->pixels);
        set->pixels = pixels;
        set->type = TG_F32;
        set->capacity = set->count;
    }
    return TG_OK;
}

static tg_status append(tg_dataset *to, const tg_dataset *from, tg_error *err) {
    size_t before = to->count, bytes = tg_dataset_sample_bytes(to);
    TG_TRY(tg_dataset_grow(to, from->count, err));
    memcpy((uint8_t *)to->pixels + before * bytes, from->pixels, from->count * bytes);
    memcpy(to->labels + before, from->labels, from->count * sizeof *from->labels);
    return TG_OK;
}

/* All sets of a part into the first of them; the others go. */
static tg_status join_part(tg_import *import, tg_part part, tg_dataset **out, tg_error *err) {
    *out = NULL;
    for (size_t i = 0; i < import->set_count; i++) {
        tg_set *set = &import->sets[i];
        if (set->part != part) continue;
        if (set->source != SIZE_MAX) import->sources[set->source].part = tg_part_text(part);
        if (*out) {
            TG_TRY(append(*out, set->dataset, err));
            tg_dataset_destroy(set->dataset);
        } else {
            *out = set->dataset;
        }
        set->dataset = NULL;
    }
    return TG_OK;
}

/* ---- one class -------------------------------------------------------------------------------------------- */

/* It can be read, and an autoencoder learns from it; whoever wanted a classifier has to know. */
static void note_one_class(tg_import *import, const tg_dataset *train) {
    if (train->count < 2) return;
    for (size_t i = 1; i < train->count; i++)
        if (train->labels[i] != train->labels[0]) return;
    for (size_t i = 0; i < import->source_count; i++) {
        tg_source *source = &import->sources[i];
        if (strcmp(source->part, tg_part_text(TG_PART_TRAIN)) != 0) continue;
        size_t length = strlen(source->note);
        snprintf(
            source->note + length, sizeof source->note - length,
            "%severy sample is of one class, so there is nothing to tell apart; give samples of others as "
            "well",
            length ? "; " : "");
        return;
    }
}

/* ---- the end ------------------------------------------------------------------------------------------------- */

/* Why there is no set: where one thing went wrong, that. */
static tg_status fail_for_nothing(const tg_import *import, tg_error *err) {
    if (import->skipped_count == 0)
        return tg_fail_at(err,
                          tg_fail(err, TG_E_DATA,
                                  "there are no samples; give images and labels as IDX, .npy, .mat "
                                  "or CSV files, CIFAR's batches, or pictures in one folder for "
                                  "each class"),
                          "files");
    tg_fail(err, TG_E_DATA, "%s", tg_texts_at(&import->skipped, 1));
    return tg_fail_at(err, TG_E_DATA, "%s", tg_texts_at(&import->skipped, 0));
}

static tg_status finish(tg_import *import, tg_dataset **train, tg_dataset **test, tg_error *err) {
    TG_TRY(tg_import_pair_arrays(import, err));
    TG_TRY(take_batches(import, err));
    TG_TRY(tg_import_sort_pictures(import, err));
    if (import->set_count) qsort(import->sets, import->set_count, sizeof *import->sets, by_set_name);
    TG_TRY(keep_one_shape(import, err));
    settle_parts(import);
    TG_TRY(make_types_equal(import, err));
    TG_TRY(tg_import_name_classes(import, err));
    TG_TRY(join_part(import, TG_PART_TRAIN, train, err));
    if (!*train) return fail_for_nothing(import, err);
    TG_TRY(join_part(import, TG_PART_TEST, test, err));
    if (!import->options.unlabeled) note_one_class(import, *train);
    TG_TRY(tg_dataset_check(*train, "files", err));
    return *test ? tg_dataset_check(*test, "files", err) : TG_OK;
}

tg_status tg_import_finish(tg_import *import, tg_dataset **train, tg_dataset **test, tg_error *err) {
    tg_error own;
    if (!err) err = &own;
    *train = *test = NULL;
    TG_REQUIRE(err, !import->finished, TG_E_STATE, "the files were read already; begin again for more");
    import->finished = true;
    tg_status status = finish(import, train, test, err);
    if (status != TG_OK) {
        tg_dataset_destroy(*train);
        tg_dataset_destroy(*test);
        *train = *test = NULL;
    }
    tg_error unwritten; /* the first one says more */
    tg_status written = tg_import_write_report(import, *train, *test, status == TG_OK ? err : &unwritten);
    if (status == TG_OK && written != TG_OK) {
        tg_dataset_destroy(*train);
        tg_dataset_destroy(*test);
        *train = *test = NULL;
    }
    return status != TG_OK ? status : written;
}
