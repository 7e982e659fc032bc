/* Which arrays are samples, and which their labels: what two names have in common decides, then how many there are. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

static const char *name_of(const tg_import *import, const tg_array *array) {
    return import->sources[array->source].name;
}

/* ---- what arrays have in common ----------------------------------------------------------------------- */

/* Of two arrays. The larger the sum, the better they fit. */
enum {
    SAME_FOLDER = 1,
    SAME_STEM = 2,
    SAME_NAME = SAME_FOLDER | SAME_STEM,
    SAME_PART = 4,
    MOST_IN_COMMON = 7
};
enum { PARTS = TG_PART_IGNORE + 1 };

/* Found once for each array: to compare the names of all with those of all takes minutes where there are thousands. */
typedef struct traits {
    bool labels;
    tg_part part;
    size_t
        names[SAME_NAME + 1]; /* by what must be the same of a name, the number that all have where it is */
} traits;

static tg_status number_names(const tg_import *import, const tg_array *array, char *room, tg_texts *names,
                              traits *out, tg_error *err) {
    const char *name = name_of(import, array);
    size_t folder = (size_t)(tg_base_name(name) - name);
    memcpy(room, name, folder);
    size_t stem = tg_stem_of_name(name, room + folder);
    out->names[0] = 0;
    TG_TRY(tg_texts_intern(names, room, folder, &out->names[SAME_FOLDER], err));
    TG_TRY(tg_texts_intern(names, room + folder, stem, &out->names[SAME_STEM], err));
    return tg_texts_intern(names, room, folder + stem, &out->names[SAME_NAME], err);
}

/* out[i] is of array i; numbers of names are below *name_count. */
static tg_status find_traits(const tg_import *import, traits *out, size_t *name_count, tg_error *err) {
    size_t longest = 0;
    for (size_t i = 0; i < import->array_count; i++) {
        size_t length = strlen(name_of(import, &import->arrays[i]));
        longest = length > longest ? length : longest;
    }
    tg_texts names = {0};
    char *room = tg_allocate(longest + 1);
    tg_status status = room ? TG_OK : tg_fail(err, TG_E_MEMORY, "no memory is left to compare names");
    for (size_t i = 0; status == TG_OK && i < import->array_count; i++) {
        const tg_array *array = &import->arrays[i];
        out[i].labels = tg_array_is_labels(import, array);
        out[i].part = tg_import_part(import, name_of(import, array));
        status = number_names(import, array, room, &names, &out[i], err);
    }
    *name_count = names.count;
    tg_texts_free(&names);
    tg_free(room);
    return status;
}

/* Where the part need not be the same, an open one goes with every other. */
static bool parts_meet(tg_part a, tg_part b, unsigned common) {
    if (common & SAME_PART) return a == b && a != TG_PART_OPEN;
    return a == b || a == TG_PART_OPEN || b == TG_PART_OPEN;
}

/* ---- labels on offer ---------------------------------------------------------------------------------- */

/* Labels of so many samples, under what samples look for. */
typedef struct offer {
    size_t name, count;
    tg_part part;
    size_t array;
    size_t order; /* among all: where several fit, the first is taken */
    size_t
        behind; /* in the first of those that are alike: how many of them were taken, one behind the other */
} offer;

typedef struct shelf {
    offer *offers;
    size_t count;
} shelf;

static int compare_kinds(const offer *a, const offer *b) {
    if (a->name != b->name) return a->name < b->name ? -1 : 1;
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    return a->part == b->part ? 0 : a->part < b->part ? -1 : 1;
}

static int by_kind_and_order(const void *a, const void *b) {
    const offer *left = a, *right = b;
    int order = compare_kinds(left, right);
    if (order) return order;
    return left->order < right->order ? -1 : 1;
}

/* Of matrices, those that could be labels are not called so: they are tried when nothing else is left. */
static void fill_shelf(const tg_import *import, const traits *of, bool called_labels, shelf *out) {
    out->count = 0;
    for (size_t i = 0; i < import->array_count; i++) {
        size_t counts[TG_ARRAY_COUNTS];
        if (import->arrays[i].used || of[i].labels != called_labels) continue;
        size_t found = tg_array_label_counts(&import->arrays[i], counts);
        for (size_t k = 0; k < found; k++, out->count++)
            out->offers[out->count] = (offer){.count = counts[k], .array = i, .order = out->count};
    }
}

/* What is still there, by what must be in common. */
static void sort_shelf(const tg_import *import, const traits *of, unsigned common, shelf *out) {
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++) {
        offer o = out->offers[i];
        if (import->arrays[o.array].used) continue;
        o.name = of[o.array].names[common & SAME_NAME];
        o.part = of[o.array].part;
        o.behind = 0;
        out->offers[kept++] = o;
    }
    out->count = kept;
    if (kept) qsort(out->offers, kept, sizeof *out->offers, by_kind_and_order);
}

/* The first offer that is like this one; NULL: there is none. */
static offer *find_kind(const shelf *from, const offer *kind) {
    size_t low = 0, high = from->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_kinds(&from->offers[middle], kind) < 0) low = middle + 1;
        else high = middle;
    }
    bool found = low < from->count && compare_kinds(&from->offers[low], kind) == 0;
    return found ? &from->offers[low] : NULL;
}

/* The first of the kind that was not taken, and is not the array itself. */
static const offer *first_left(const tg_import *import, const shelf *from, const offer *kind, size_t itself) {
    offer *first = find_kind(from, kind), *end = from->offers + from->count;
    if (!first) return NULL;
    offer *at = first + first->behind;
    for (; at < end && compare_kinds(at, kind) == 0 && import->arrays[at->array].used; at++) first->behind++;
    for (; at < end && compare_kinds(at, kind) == 0; at++)
        if (!import->arrays[at->array].used && at->array != itself) return at;
    return NULL;
}

static const offer *find_labels(const tg_import *import, const traits *of, size_t samples, const shelf *from,
                                unsigned common) {
    size_t counts[TG_ARRAY_COUNTS], found = tg_array_sample_counts(&import->arrays[samples], counts);
    const offer *best = NULL;
    for (size_t i = 0; i < found; i++)
        for (tg_part part = TG_PART_OPEN; part <= TG_PART_IGNORE; part++) {
            if (!parts_meet(of[samples].part, part, common)) continue;
            offer kind = {.name = of[samples].names[common & SAME_NAME], .count = counts[i], .part = part};
            const offer *labels = first_left(import, from, &kind, samples);
            if (labels && (!best || labels->order < best->order)) best = labels;
        }
    return best;
}

/* ---- pairs -------------------------------------------------------------------------------------------- */

/* Pairs that fit best first, so that a name decides before a mere count. What has more in common was taken before what
 * has less is looked for, so nothing needs to differ. */
static tg_status pair_with(tg_import *import, const traits *of, shelf *labels, tg_error *err) {
    for (unsigned common = MOST_IN_COMMON + 1; common-- > 0 && labels->count > 0;) {
        sort_shelf(import, of, common, labels);
        for (size_t i = 0; i < import->array_count; i++) {
            tg_array *samples = &import->arrays[i];
            if (samples->used || of[i].labels) continue;
            const offer *best = find_labels(import, of, i, labels, common);
            size_t axis;
            if (best && tg_array_find_samples(samples, best->count, &axis))
                TG_TRY(tg_import_take_pair(import, samples, &import->arrays[best->array], axis, err));
        }
    }
    return TG_OK;
}

static tg_status pair_all(tg_import *import, const traits *of, tg_error *err) {
    size_t most = 0, bytes = 0; /* a matrix may be labels the one way and the other */
    bool fits = tg_mul_size(import->array_count, 2, &most) && tg_mul_size(most, sizeof(offer), &bytes);
    shelf labels = {.offers = fits ? tg_allocate(bytes) : NULL};
    TG_REQUIRE(err, labels.offers, TG_E_MEMORY, "no memory is left to pair %zu arrays", import->array_count);
    tg_status status = TG_OK;
    for (int called_labels = 1; called_labels >= 0 && status == TG_OK; called_labels--) {
        fill_shelf(import, of, called_labels, &labels);
        status = pair_with(import, of, &labels, err);
    }
    tg_free(labels.offers);
    return status;
}

/* ---- what is left ------------------------------------------------------------------------------------- */

/* The last of each kind, as its place + 1; 0: there is none. */
typedef struct last_places {
    size_t by_part[2][PARTS];      /* of samples, of labels */
    uint32_t (*by_name)[2][PARTS]; /* and of each name */
} last_places;

static void note_last(const tg_import *import, const traits *of, last_places *out) {
    for (size_t i = 0; i < import->array_count; i++) {
        if (import->arrays[i].used) continue;
        out->by_part[of[i].labels][of[i].part] = i + 1;
        out->by_name[of[i].names[SAME_NAME]][of[i].labels][of[i].part] = (uint32_t)i + 1;
    }
}

/* The last array that was meant for this one by its part, or by its name; NULL: there is none. It was not taken since,
 * or all before it were. */
static const tg_array *find_meant(const tg_import *import, const traits *of, const last_places *last,
                                  size_t array) {
    bool other = !of[array].labels;
    size_t best = 0;
    for (tg_part part = TG_PART_OPEN; part <= TG_PART_IGNORE; part++) {
        size_t found = 0;
        if (parts_meet(of[array].part, part, SAME_PART)) found = last->by_part[other][part];
        else if (parts_meet(of[array].part, part, SAME_NAME))
            found = last->by_name[of[array].names[SAME_NAME]][other][part];
        best = found > best ? found : best;
    }
    if (import->array_count == 2 && of[1 - array].labels == other) best = 1 - array + 1;
    return best && !import->arrays[best - 1].used ? &import->arrays[best - 1] : NULL;
}

/* Why an array has no partner, and what to do. */
static tg_status refuse(tg_import *import, const tg_array *array, bool labels, const tg_array *meant,
                        tg_error *err) {
    if (!meant)
        tg_fail(err, TG_E_DATA, "its %s are missing; give both files together", labels ? "images" : "labels");
    else if (labels) return TG_OK; /* said of its images */
    else
        tg_fail(err, TG_E_DATA, "%zu images but %zu labels in %.100s: take two files that belong together",
                array->shape[0], meant->count, name_of(import, meant));
    return tg_import_skip_failed(import, name_of(import, array), err);
}

static tg_status settle_rest(tg_import *import, const traits *of, size_t name_count, tg_error *err) {
    size_t bytes = 0;
    last_places last = {0};
    if (tg_mul_size(name_count, sizeof *last.by_name, &bytes)) last.by_name = tg_allocate_zeroed(bytes);
    TG_REQUIRE(err, last.by_name, TG_E_MEMORY, "no memory is left to compare %zu names", name_count);
    note_last(import, of, &last);
    tg_status status = TG_OK;
    for (size_t i = 0; status == TG_OK && i < import->array_count; i++) {
        tg_array *array = &import->arrays[i];
        size_t end = array->rank - 1;
        bool from_end = array->matlab && array->shape[end] > array->shape[0];
        if (array->used) continue;
        if (!of[i].labels && import->options.unlabeled)
            status = tg_import_take_pair(import, array, NULL, from_end ? end : 0, err);
        else status = refuse(import, array, of[i].labels, find_meant(import, of, &last, i), err);
    }
    tg_free(last.by_name);
    return status;
}

tg_status tg_import_pair_arrays(tg_import *import, tg_error *err) {
    if (import->array_count == 0) return TG_OK;
    size_t bytes = 0, name_count = 0;
    traits *of = tg_mul_size(import->array_count, sizeof *of, &bytes) ? tg_allocate(bytes) : NULL;
    TG_REQUIRE(err, of, TG_E_MEMORY, "no memory is left to compare %zu arrays", import->array_count);
    tg_import_find_first_label(import);
    tg_status status = find_traits(import, of, &name_count, err);
    if (status == TG_OK) status = pair_all(import, of, err);
    if (status == TG_OK) status = settle_rest(import, of, name_count, err);
    tg_free(of);
    return status;
}
