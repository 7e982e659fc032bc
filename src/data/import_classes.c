/* One numbering of the classes for all sets, and their names. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

/* Names given from outside, by the options or by a file, in the order of the classes. */
static tg_status take_given_names(tg_import *import, tg_texts *out, tg_error *err) {
    const tg_value *list = import->options.classes;
    for (const tg_value *v = list ? list->first : NULL; v; v = v->next)
        TG_TRY(tg_texts_add(out, v->string, strlen(v->string), err));
    for (size_t i = 0; !list && i < import->named_classes.count; i++) {
        const char *name = tg_texts_at(&import->named_classes, i);
        TG_TRY(tg_texts_add(out, name, strlen(name), err));
    }
    return tg_texts_index(out, err);
}

typedef struct found_class {
    const char *name;
    size_t number;
} found_class;

static int by_name(const void *a, const void *b) {
    return tg_compare_names(((const found_class *)a)->name, ((const found_class *)b)->name);
}

/* map[number of a text] = class. Where all the names found are among those given, their places; else in order. */
static tg_status number_found(const tg_import *import, const tg_texts *given, size_t *map, tg_error *err) {
    const tg_texts *found = &import->class_names;
    bool all_given = given->count > 0;
    for (size_t i = 0; i < found->count; i++) {
        map[i] = tg_texts_find(given, tg_texts_at(found, i));
        all_given = all_given && map[i] != SIZE_MAX;
    }
    if (all_given) return TG_OK;
    found_class *sorted = tg_allocate(found->count * sizeof *sorted);
    TG_REQUIRE(err, sorted, TG_E_MEMORY, "no memory is left for the names of %zu classes", found->count);
    for (size_t i = 0; i < found->count; i++) sorted[i] = (found_class){tg_texts_at(found, i), i};
    qsort(sorted, found->count, sizeof *sorted, by_name);
    for (size_t i = 0; i < found->count; i++) map[sorted[i].number] = i;
    tg_free(sorted);
    return TG_OK;
}

/* Renumbers the sets whose labels are texts; the texts by class into names. */
static tg_status settle_found(tg_import *import, const tg_texts *given, const char **names, tg_error *err) {
    const tg_texts *found = &import->class_names;
    size_t *map = tg_allocate((found->count + 1) * sizeof *map);
    TG_REQUIRE(err, map, TG_E_MEMORY, "no memory is left for the names of %zu classes", found->count);
    tg_status status = number_found(import, given, map, err);
    for (size_t i = 0; status == TG_OK && i < found->count; i++)
        if (map[i] < found->count) names[map[i]] = tg_texts_at(found, i);
    for (size_t s = 0; status == TG_OK && s < import->set_count; s++) {
        tg_dataset *set = import->sets[s].dataset;
        if (!import->sets[s].named) continue;
        for (size_t i = 0; i < set->count; i++) set->labels[i] = (int32_t)map[set->labels[i]];
    }
    tg_free(map);
    return status;
}

/* Where some labels are texts, numbers are texts as well: "3" beside "cat". */
static tg_status name_numbers(tg_import *import, tg_error *err) {
    bool any = false;
    for (size_t s = 0; s < import->set_count; s++) any = any || import->sets[s].named;
    for (size_t s = 0; any && s < import->set_count; s++) {
        tg_set *set = &import->sets[s];
        for (size_t i = 0; !set->named && i < set->dataset->count; i++) {
            char text[16];
            size_t length = (size_t)snprintf(text, sizeof text, "%" PRId32, set->dataset->labels[i]), number;
            TG_TRY(tg_texts_intern(&import->class_names, text, length, &number, err));
            set->dataset->labels[i] = (int32_t)number;
        }
        set->named = true;
    }
    return TG_OK;
}

/* Classes that occur, in all sets together. */
static size_t count_classes(const tg_import *import) {
    size_t classes = 1;
    for (size_t s = 0; s < import->set_count; s++) {
        const tg_set *set = &import->sets[s];
        if (!set->named && set->dataset->classes > classes) classes = set->dataset->classes;
        for (size_t i = 0; i < set->dataset->count; i++)
            if ((size_t)set->dataset->labels[i] >= classes) classes = (size_t)set->dataset->labels[i] + 1;
    }
    return classes;
}

/* Of the sets of a part only the first gets names: it takes in the others. */
static tg_status set_names(tg_import *import, size_t classes, const char *const *names, tg_error *err) {
    bool have_names[TG_PART_IGNORE + 1] = {false};
    for (size_t s = 0; s < import->set_count; s++) {
        const tg_set *set = &import->sets[s];
        if (have_names[set->part]) continue;
        have_names[set->part] = true;
        TG_TRY(tg_dataset_set_classes(set->dataset, classes, names, err));
    }
    return TG_OK;
}

/* Those given, where they are enough; else those found; else numbers. */
static tg_status choose_names(tg_import *import, const tg_texts *given, const char **names, tg_error *err) {
    bool named = false;
    for (size_t s = 0; s < import->set_count; s++) named = named || import->sets[s].named;
    if (named) TG_TRY(settle_found(import, given, names, err));
    size_t classes = count_classes(import);
    if (given->count >= classes) {
        for (size_t i = 0; i < given->count; i++) names[i] = tg_texts_at(given, i);
        return set_names(import, given->count, names, err);
    }
    if (given->count) {
        tg_fail(err, TG_E_DATA, "%zu class names, but there are %zu classes; name every class", given->count,
                classes);
        if (import->options.classes) return tg_fail_at(err, TG_E_DATA, "options");
        TG_TRY(tg_import_skip_failed(import, "class names", err));
    }
    return set_names(import, classes, named ? names : NULL, err);
}

/* The first class was 1. */
static tg_status name_by_number(size_t classes, tg_texts *out, tg_error *err) {
    char name[24];
    for (size_t i = 0; i < classes; i++)
        TG_TRY(tg_texts_add(out, name, (size_t)snprintf(name, sizeof name, "%zu", i + 1), err));
    return TG_OK;
}

tg_status tg_import_name_classes(tg_import *import, tg_error *err) {
    if (import->set_count == 0) return TG_OK;
    tg_texts given = {0};
    const char **names = NULL;
    tg_status status = name_numbers(import, err);
    if (status == TG_OK) status = take_given_names(import, &given, err);
    bool from_one = false;
    for (size_t s = 0; s < import->set_count; s++) from_one = from_one || import->sets[s].from_one;
    if (status == TG_OK && !given.count && from_one)
        status = name_by_number(count_classes(import), &given, err);
    if (status == TG_OK) {
        names = tg_allocate_zeroed((given.count + import->class_names.count + 1) * sizeof *names);
        if (!names) status = tg_fail(err, TG_E_MEMORY, "no memory is left for the names of the classes");
    }
    if (status == TG_OK) status = choose_names(import, &given, names, err);
    tg_free(names);
    tg_texts_free(&given);
    return status;
}
