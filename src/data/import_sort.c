/* Pictures into classes and parts: the last folder is the class; a folder above it, a role or a list of files the part. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

typedef struct place {
    const char *path, *base;
    const char *class; /* not NUL-terminated */
    size_t class_length;
    uint32_t number; /* of the path, and of the sample */
    tg_part part;
} place;

/* ---- folders ------------------------------------------------------------------------------------------- */

enum { MAX_DEPTH = 32 }; /* folders further out tell nothing */

typedef struct folder {
    const char *name;
    size_t length;
} folder;

/* Innermost first. */
static size_t find_folders(const char *path, folder out[MAX_DEPTH]) {
    size_t count = 0, end = (size_t)(tg_base_name(path) - path);
    while (end > 0 && count < MAX_DEPTH) {
        size_t begin = --end; /* the '/' */
        while (begin > 0 && path[begin - 1] != '/') begin--;
        out[count++] = (folder){path + begin, end - begin};
        end = begin;
    }
    return count;
}

/* "train", "Testing": a folder that is a part and nothing else. */
static bool is_part(const folder *f) {
    static const char *const words[] = {"train", "training", "test", "testing", "val", "valid", "validation"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == f->length && tg_same_letters(f->name, words[i], f->length)) return true;
    return false;
}

/* "data/train/cat/1.png" and "data/cat/train/1.png" are cats to train on. */
static void find_place(const tg_import *import, place *out) {
    folder folders[MAX_DEPTH];
    size_t count = find_folders(out->path, folders), class = count && is_part(&folders[0]) ? 1 : 0;
    out->base = tg_base_name(out->path);
    out->part = tg_import_role(import, out->path);
    for (size_t i = 0; i < count && out->part == TG_PART_OPEN; i++)
        if (i != class) out->part = tg_part_of_word(folders[i].name, folders[i].length);
    folder none = {"pictures", sizeof "pictures" - 1}, *named = class < count ? &folders[class] : &none;
    out->class = named->name;
    out->class_length = named->length;
}

static bool have_same_class(const place *a, const place *b) {
    return a->class_length == b->class_length && memcmp(a->class, b->class, a->class_length) == 0;
}

/* ---- lists ------------------------------------------------------------------------------------------------- */

static bool have_lists(const tg_import *import) {
    for (tg_part part = TG_PART_TRAIN; part < TG_PART_IGNORE; part++)
        if (import->lists[part].files.count) return true;
    return false;
}

/* Lists go before folders; what is on none of them, and in no folder of a part, is left out. */
static tg_status look_up(tg_import *import, place *places, size_t *count, bool *const *listed,
                         tg_error *err) {
    size_t kept = 0;
    bool one_folder = true;
    for (size_t i = 1; i < *count && one_folder; i++) one_folder = have_same_class(&places[0], &places[i]);
    for (size_t i = 0; i < *count; i++) {
        place p = places[i];
        bool found = false;
        for (tg_part part = TG_PART_TRAIN; part < TG_PART_IGNORE && !found; part++) {
            const tg_split_list *list = &import->lists[part];
            size_t line = tg_texts_find_end(&list->files, p.path); /* it names it from where itself lies */
            if (line == SIZE_MAX) continue;
            found = listed[part][line] = true;
            p.part = part;
            if (one_folder && list->labels.count == list->files.count) {
                p.class = tg_texts_at(&list->labels, line);
                p.class_length = strlen(p.class);
            }
        }
        if (found || p.part != TG_PART_OPEN) places[kept++] = p;
        else TG_TRY(tg_import_skip(import, p.path, "is on none of the lists of files", err));
    }
    *count = kept;
    return TG_OK;
}

/* Whether it was there, but could not be read. */
static bool was_skipped(const tg_import *import, const char *file, size_t length) {
    for (size_t i = 0; i < import->skipped.count; i += 2) {
        const char *name = tg_texts_at(&import->skipped, i);
        size_t whole = tg_texts_length(&import->skipped, i);
        if (whole > length && name[whole - length - 1] == '/' &&
            memcmp(name + whole - length, file, length) == 0)
            return true;
    }
    return false;
}

static tg_status refuse_missing(tg_import *import, tg_part part, const bool *listed, tg_error *err) {
    const tg_texts *files = &import->lists[part].files;
    for (size_t i = 0; i < files->count; i++) {
        const char *file = tg_texts_at(files, i);
        if (listed[i] || was_skipped(import, file, tg_texts_length(files, i))) continue;
        TG_TRY(tg_import_skip(import, file, "is on a list of files, but is not there", err));
    }
    return TG_OK;
}

static tg_status apply_lists(tg_import *import, place *places, size_t *count, tg_error *err) {
    bool *listed[TG_PART_IGNORE] = {NULL};
    tg_status status = TG_OK;
    for (tg_part part = TG_PART_TRAIN; part < TG_PART_IGNORE && status == TG_OK; part++) {
        tg_texts *files = &import->lists[part].files;
        status = tg_texts_index(files, err);
        listed[part] = tg_allocate_zeroed(files->count + 1);
        if (status == TG_OK && !listed[part])
            status = tg_fail(err, TG_E_MEMORY, "no memory is left for the lists of files");
    }
    if (status == TG_OK) status = look_up(import, places, count, listed, err);
    for (tg_part part = TG_PART_TRAIN; part < TG_PART_IGNORE && status == TG_OK; part++)
        status = refuse_missing(import, part, listed[part], err);
    for (tg_part part = TG_PART_TRAIN; part < TG_PART_IGNORE; part++) tg_free(listed[part]);
    return status;
}

/* ---- sets -------------------------------------------------------------------------------------------------- */

/* By the names of the files first: numbered pictures keep their order across folders, whatever packed them. */
static int by_part_and_name(const void *a, const void *b) {
    const place *left = a, *right = b;
    if (left->part != right->part) return left->part < right->part ? -1 : 1;
    int order = tg_compare_names(left->base, right->base);
    return order ? order : tg_compare_names(left->path, right->path);
}

/* The samples at the places in this order, labelled; the rest of them is dropped. */
static tg_status arrange(tg_import *import, const place *places, size_t count, tg_error *err) {
    tg_dataset *samples = import->pictures.samples;
    size_t used = 0;
    uint32_t *order = tg_allocate(samples->count * sizeof *order);
    bool *taken = tg_allocate_zeroed(samples->count);
    tg_status status = TG_OK;
    if (!order || !taken) status = tg_fail(err, TG_E_MEMORY, "no memory is left to sort the pictures");
    for (size_t i = 0; status == TG_OK && i < count; i++) {
        order[used++] = places[i].number;
        taken[places[i].number] = true;
    }
    for (size_t i = 0; status == TG_OK && i < samples->count; i++)
        if (!taken[i]) order[used++] = (uint32_t)i;
    if (status == TG_OK) status = tg_dataset_permute(samples, order, err);
    for (size_t i = 0; status == TG_OK && i < count; i++) {
        size_t class;
        status = tg_texts_intern(&import->class_names, places[i].class, places[i].class_length, &class, err);
        samples->labels[i] = (int32_t) class;
    }
    samples->count = count;
    tg_free(order);
    tg_free(taken);
    return status;
}

/* The outermost folder or archive. */
static tg_status add_source(tg_import *import, const char *path, const tg_dataset *set, tg_error *err) {
    char name[128];
    size_t length = strcspn(path, "/");
    if (!path[length]) path = "pictures", length = strlen(path);
    snprintf(name, sizeof name, "%.*s", (int)(length < 120 ? length : 120), path);
    size_t shape[3];
    tg_source *source;
    tg_dataset_shape(set, shape);
    TG_TRY(tg_import_add_source(import, name, "pictures", set->count, 3, shape, &source, err));
    if (import->pictures.resized)
        snprintf(source->note, sizeof source->note, "pictures of other sizes were made %zux%zu", shape[0],
                 shape[1]);
    return TG_OK;
}

/* Takes the samples from `first` on, which are one part, off the end into a set of their own; the last to be taken is all
 * there is left, and keeps the memory. */
static tg_status take_tail(tg_import *import, const place *places, size_t first, tg_error *err) {
    tg_dataset *samples = import->pictures.samples, *set = samples;
    size_t shape[3], count = samples->count - first, bytes = samples->sample_size;
    tg_dataset_shape(samples, shape);
    if (first > 0) {
        TG_TRY(tg_dataset_create(TG_U8, shape[0], shape[1], shape[2], count, 1, false, &set, err));
        memcpy(set->pixels, (const uint8_t *)samples->pixels + first * bytes, count * bytes);
        memcpy(set->labels, samples->labels + first, count * sizeof *set->labels);
        samples->count = first;
    } else {
        import->pictures.samples = NULL;
    }
    tg_set taken = {
        .source = import->source_count, .part = places[first].part, .named = true, .dataset = set};
    tg_status status = add_source(import, places[first].path, set, err);
    if (status != TG_OK) {
        tg_dataset_destroy(set);
        return status;
    }
    taken.name = import->sources[taken.source].name;
    return tg_import_add_set(import, &taken, err);
}

static tg_status sort_pictures(tg_import *import, place *places, tg_error *err) {
    const tg_pictures *pictures = &import->pictures;
    size_t count = pictures->samples->count;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = (uint32_t)pictures->samples->labels[i];
        places[i] = (place){.path = tg_texts_at(&pictures->paths, number), .number = (uint32_t)i};
        find_place(import, &places[i]);
    }
    if (have_lists(import)) TG_TRY(apply_lists(import, places, &count, err));
    qsort(places, count, sizeof *places, by_part_and_name);
    TG_TRY(arrange(import, places, count, err));
    while (count > 0) {
        size_t first = count - 1;
        while (first > 0 && places[first - 1].part == places[first].part) first--;
        TG_TRY(take_tail(import, places, first, err));
        count = first;
    }
    return TG_OK;
}

tg_status tg_import_sort_pictures(tg_import *import, tg_error *err) {
    const tg_dataset *samples = import->pictures.samples;
    size_t none = 0;
    if (!samples || samples->count == 0)
        return have_lists(import) ? apply_lists(import, NULL, &none, err) : TG_OK;
    place *places = tg_allocate(samples->count * sizeof *places);
    TG_REQUIRE(err, places, TG_E_MEMORY, "no memory is left to sort %zu pictures", samples->count);
    tg_status status = sort_pictures(import, places, err);
    tg_free(places);
    return status;
}
