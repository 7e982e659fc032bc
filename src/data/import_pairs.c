/* A pair of arrays into a set: which classes the labels are, along which axis the samples lie, and what shape a sample
 * has. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

enum { MAX_LABEL = 65535 };

static const char *name_of(const tg_import *import, const tg_array *array) {
    return import->sources[array->source].name;
}

static double value_at(const tg_array *array, size_t index) {
    return array->type == TG_U8 ? (double)((const uint8_t *)array->data)[index]
                                : (double)((const float *)array->data)[index];
}

/* Elements from one index of an axis to the next. */
static size_t stride_of(const tg_array *array, size_t axis) {
    size_t stride = 1;
    if (array->column_major)
        for (size_t i = 0; i < axis; i++) stride *= array->shape[i];
    else
        for (size_t i = axis + 1; i < array->rank; i++) stride *= array->shape[i];
    return stride;
}

/* ---- labels ------------------------------------------------------------------------------------------- */

/* A row or a column of numbers. */
static bool is_vector(const tg_array *array) {
    return !array->is_samples &&
           (array->rank == 1 || (array->rank == 2 && (array->shape[0] == 1 || array->shape[1] == 1)));
}

/* Whether each line along the axis has one 1 among zeros, as a matrix of labels has it. */
static bool is_one_hot(const tg_array *array, size_t axis) {
    size_t lines = stride_of(array, axis), along = stride_of(array, 1 - axis);
    for (size_t i = 0; i < array->shape[axis]; i++) {
        size_t ones = 0, zeros = 0;
        for (size_t k = 0; k < array->shape[1 - axis]; k++) {
            double value = value_at(array, i * lines + k * along);
            ones += value == 1;
            zeros += value == 0;
        }
        if (ones != 1 || ones + zeros != array->shape[1 - axis]) return false;
    }
    return true;
}

/* The axis of such a matrix that counts the samples; where either could, the one that theirs is like. */
static bool find_one_hot(const tg_array *array, size_t count, bool last, size_t *axis) {
    if (array->rank != 2) return false;
    for (size_t i = 0; i < 2; i++) {
        *axis = last ? 1 - i : i;
        if (array->shape[*axis] == count && (*axis == 0 || array->matlab) && is_one_hot(array, *axis))
            return true;
    }
    return false;
}

bool tg_array_is_labels(const tg_import *import, const tg_array *array) {
    return is_vector(array) ||
           (!array->is_samples && array->rank == 2 && tg_name_says_labels(name_of(import, array)));
}

/* Of a matrix, first the one way, then the other. */
size_t tg_array_label_counts(const tg_array *array, size_t out[TG_ARRAY_COUNTS]) {
    size_t found = 0, axis;
    if (is_vector(array)) out[found++] = array->count;
    for (size_t i = 0; i < 2 && !is_vector(array); i++)
        if (find_one_hot(array, array->shape[i], false, &axis)) out[found++] = array->shape[i];
    return found;
}

/* Labels are the numbers of classes, so few of those below the largest can be missing. One that lies far beyond all
 * the others is a mistake in the file, not a class. */
static tg_status check_labels(const tg_array *labels, tg_error *err) {
    uint8_t occurs[MAX_LABEL / 8 + 1] = {0};
    size_t distinct = 0, at = 0;
    for (size_t i = 0; i < labels->count; i++) {
        double label = value_at(labels, i);
        TG_REQUIRE(err, label >= 0 && label == floor(label) && label <= (double)MAX_LABEL, TG_E_DATA,
                   "sample %zu has label %g; labels are whole numbers from 0 to %d", i, label, MAX_LABEL);
        size_t number = (size_t)label;
        distinct += !(occurs[number / 8] >> number % 8 & 1);
        occurs[number / 8] |= (uint8_t)(1u << number % 8);
        if (label > value_at(labels, at)) at = i;
    }
    double largest = value_at(labels, at);
    TG_REQUIRE(err, largest <= 16 + 4 * (double)distinct, TG_E_DATA,
               "sample %zu has label %g, but only %zu different labels occur; correct it, or number the "
               "classes from "
               "0",
               at, largest, distinct);
    return TG_OK;
}

/* last: whether the samples lie along the last axis of theirs. */
static tg_status fill_labels(const tg_import *import, const tg_array *labels, bool last, tg_dataset *dataset,
                             tg_error *err) {
    size_t classes = 0;
    if (is_vector(labels)) {
        if (!labels->named) TG_TRY(check_labels(labels, err));
        for (size_t i = 0; i < dataset->count; i++) {
            int32_t label = (int32_t)value_at(labels, i);
            if (labels->matlab && import->ten_is_zero) label %= 10;
            else if (labels->matlab && import->from_one) label -= 1;
            dataset->labels[i] = label;
        }
    } else {
        size_t axis;
        find_one_hot(labels, dataset->count, last, &axis);
        size_t lines = stride_of(labels, axis), along = stride_of(labels, 1 - axis);
        classes = labels->shape[1 - axis];
        for (size_t i = 0; i < dataset->count; i++) {
            int32_t label = 0;
            while (value_at(labels, i * lines + (size_t)label * along) != 1) label++;
            dataset->labels[i] = label;
        }
    }
    if (labels->named) return TG_OK; /* numbered anew once all names are known */
    for (size_t i = 0; i < dataset->count; i++)
        if ((size_t)dataset->labels[i] >= classes) classes = (size_t)dataset->labels[i] + 1;
    return tg_dataset_set_classes(dataset, classes, NULL, err);
}

/* Where no label of any part is 0, the first class is 1. In ten classes of digits, as SVHN has them, 10 stands for 0. */
void tg_import_find_first_label(tg_import *import) {
    bool any = false, zero = false;
    double largest = 0;
    for (size_t i = 0; i < import->array_count; i++) {
        const tg_array *array = &import->arrays[i];
        if (!array->matlab || !is_vector(array)) continue;
        any = true;
        for (size_t j = 0; j < array->count; j++) {
            zero = zero || value_at(array, j) < 1;
            if (value_at(array, j) > largest) largest = value_at(array, j);
        }
    }
    import->from_one = any && !zero;
    import->ten_is_zero = any && !zero && largest == 10;
}

/* ---- samples ------------------------------------------------------------------------------------------ */

/* Where sample n, row h, column w, channel c lies: n * step[0] + h * step[1] + w * step[2] + c * step[3]. */
typedef struct layout {
    size_t count, shape[3], step[4];
} layout;

static bool may_be_cells(const tg_array *array) {
    return array->rank == 2 && array->cells > 1 && array->shape[1] != array->cells;
}

size_t tg_array_sample_counts(const tg_array *array, size_t out[TG_ARRAY_COUNTS]) {
    size_t found = 0;
    out[found++] = array->shape[0];
    if (array->matlab) out[found++] = array->shape[array->rank - 1];
    if (may_be_cells(array)) out[found++] = array->cells;
    return found;
}

/* The first axis; in MATLAB mostly the last. Cells may be samples themselves, or hold many. */
bool tg_array_find_samples(tg_array *array, size_t count, size_t *axis) {
    if (may_be_cells(array) && array->cells == count) {
        array->shape[1] /= count;
        array->shape[2] = count;
        array->rank = 3;
    }
    size_t last = array->rank - 1;
    bool at_last = array->matlab && array->shape[last] == count;
    *axis = at_last && (last > 1 || array->shape[0] != count) ? last : 0;
    return at_last || array->shape[0] == count;
}

static size_t whole_root(size_t n) {
    size_t root = (size_t)sqrt((double)n);
    return root * root == n ? root : 0;
}

/* Features of a row as the pixels of a picture, grey or in planes: of the size that is asked for, or square. */
static bool is_picture(const tg_import *import, const tg_array *array, size_t features, size_t shape[3]) {
    const tg_sizes *size = &import->options.size;
    for (size_t channels = 1; channels <= 3; channels += 2) {
        size_t root = features % channels == 0 ? whole_root(features / channels) : 0;
        size_t height = root, width = root;
        if (size->count) {
            height = (size_t)size->value[0];
            width = (size_t)size->value[size->count - 1];
        } else if (import->options.flat || array->type != TG_U8 || root < 8) {
            continue;
        }
        if (height * width * channels != features) continue; /* sizes are at most 4096 */
        shape[0] = height;
        shape[1] = width;
        shape[2] = channels;
        return true;
    }
    return false;
}

static layout lay_out(const tg_import *import, const tg_array *array, size_t axis) {
    layout out = {.count = array->shape[axis], .step = {stride_of(array, axis)}};
    size_t rest[TG_ARRAY_RANK - 1] = {0}, used = 0;
    for (size_t i = 0; i < array->rank; i++)
        if (i != axis) rest[used++] = i;
    if (used == 1) {
        size_t features = array->shape[rest[0]], step = stride_of(array, rest[0]);
        size_t shape[3] = {1, 1, features};
        is_picture(import, array, features, shape);
        memcpy(out.shape, shape, sizeof shape);
        bool planes = shape[0] > 1 || shape[1] > 1;
        out.step[1] = shape[1] * step;
        out.step[2] = step;
        out.step[3] = planes ? shape[0] * shape[1] * step : step;
    } else {
        size_t planes = used == 3 ? array->shape[rest[0]] : 0, inner = used == 3 ? array->shape[rest[2]] : 1;
        bool channels_first =
            !array->is_samples && (planes == 1 || planes == 3) && inner != 1 && inner != 3 && inner != 4;
        size_t order[3] = {rest[0], rest[1], rest[used - 1]};
        if (channels_first) order[0] = rest[1], order[1] = rest[2], order[2] = rest[0];
        for (size_t i = 0; i < 3; i++) {
            bool grey = used == 2 && i == 2;
            out.shape[i] = grey ? 1 : array->shape[order[i]];
            out.step[i + 1] = grey ? 1 : stride_of(array, order[i]);
        }
    }
    if (import->options.transposed) {
        size_t height = out.shape[0], down = out.step[1];
        out.shape[0] = out.shape[1];
        out.step[1] = out.step[2];
        out.shape[1] = height;
        out.step[2] = down;
    }
    return out;
}

/* Whether the elements lie as a dataset has them. */
static bool is_dataset_order(const layout *lay) {
    size_t step = 1;
    for (size_t i = 3; i-- > 0; step *= lay->shape[i])
        if (lay->shape[i] > 1 && lay->step[i + 1] != step) return false;
    return lay->count == 1 || lay->step[0] == step;
}

static void gather(const tg_array *array, const layout *lay, tg_dataset *dataset) {
    size_t element = array->type == TG_U8 ? 1 : sizeof(float);
    uint8_t *to = dataset->pixels;
    for (size_t n = 0; n < lay->count; n++)
        for (size_t h = 0; h < lay->shape[0]; h++)
            for (size_t w = 0; w < lay->shape[1]; w++) {
                size_t at = n * lay->step[0] + h * lay->step[1] + w * lay->step[2];
                for (size_t c = 0; c < lay->shape[2]; c++, at += lay->step[3], to += element) {
                    if (element == 1) *to = ((const uint8_t *)array->data)[at];
                    else memcpy(to, (const float *)array->data + at, element);
                }
            }
}

/* The array's memory becomes that of the set where it can, and is freed where not. */
static tg_status make_samples(const tg_import *import, tg_array *array, size_t axis, tg_dataset **out,
                              tg_error *err) {
    layout lay = lay_out(import, array, axis);
    bool as_it_is = is_dataset_order(&lay);
    TG_TRY(tg_dataset_create_on(array->type, lay.shape, lay.count, as_it_is ? array->data : NULL, out, err));
    if (!as_it_is) {
        gather(array, &lay, *out);
        tg_free(array->data);
    }
    array->data = NULL;
    return tg_dataset_check_samples(*out, err);
}

/* ---- pairs -------------------------------------------------------------------------------------------- */

static void note_samples(const tg_import *import, tg_source *source, const tg_dataset *set) {
    source->count = set->count;
    source->rank = 3;
    tg_dataset_shape(set, source->shape);
    bool emnist = false;
    for (const char *at = source->name; *at && !emnist; at++) emnist = tg_same_letters(at, "emnist", 6);
    if (emnist && !import->options.transposed)
        snprintf(source->note, sizeof source->note,
                 "looks like EMNIST, whose pictures are transposed; say transposed to turn them");
}

static void note_labels(const tg_import *import, tg_source *source, const tg_array *labels,
                        const tg_dataset *set) {
    source->part = "labels";
    source->count = set->count;
    if (!labels->matlab || !is_vector(labels)) return;
    if (import->ten_is_zero)
        snprintf(source->note, sizeof source->note, "labels 1 to 10: 10 stands for 0, as in SVHN");
    else if (import->from_one)
        snprintf(source->note, sizeof source->note, "labels 1 to %zu: the first class is called 1",
                 set->classes);
}

tg_status tg_import_take_pair(tg_import *import, tg_array *samples, tg_array *labels, size_t axis,
                              tg_error *err) {
    tg_source *source = &import->sources[samples->source];
    const char *culprit = source->name;
    tg_set set = {.name = culprit, .source = samples->source, .part = tg_import_part(import, culprit)};
    samples->used = true;
    tg_status status = make_samples(import, samples, axis, &set.dataset, err);
    if (status == TG_OK) note_samples(import, source, set.dataset);
    if (status == TG_OK && labels) {
        culprit = name_of(import, labels);
        if (set.part == TG_PART_OPEN) set.part = tg_import_part(import, culprit);
        set.named = labels->named;
        set.from_one = labels->matlab && is_vector(labels) && import->from_one && !import->ten_is_zero;
        labels->used = true;
        status = fill_labels(import, labels, axis > 0, set.dataset, err);
        if (status == TG_OK) note_labels(import, &import->sources[labels->source], labels, set.dataset);
    }
    if (status == TG_OK) return tg_import_add_set(import, &set, err);
    tg_dataset_destroy(set.dataset);
    return tg_import_skip_failed(import, culprit, err);
}
