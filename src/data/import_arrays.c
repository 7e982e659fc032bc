/* Arrays of files, made into the two types that samples have. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

static const struct element_type {
    uint8_t size;
    bool is_float, is_signed;
} types[] = {
    [TG_EL_U8] = {1, false, false},  [TG_EL_I8] = {1, false, true},   [TG_EL_U16] = {2, false, false},
    [TG_EL_I16] = {2, false, true},  [TG_EL_U32] = {4, false, false}, [TG_EL_I32] = {4, false, true},
    [TG_EL_U64] = {8, false, false}, [TG_EL_I64] = {8, false, true},  [TG_EL_F16] = {2, true, true},
    [TG_EL_F32] = {4, true, true},   [TG_EL_F64] = {8, true, true},
};

size_t tg_element_size(tg_element element) {
    return types[element].size;
}

bool tg_shape_count(size_t rank, const size_t *shape, size_t *out) {
    *out = 1;
    for (size_t i = 0; i < rank; i++)
        if (!tg_mul_size(*out, shape[i], out)) return false;
    return true;
}

void tg_array_shape_text(size_t rank, const size_t *shape, char out[TG_ARRAY_SHAPE_TEXT]) {
    int written = 0;
    out[0] = '\0';
    for (size_t i = 0; i < rank && i < TG_ARRAY_RANK; i++)
        written += snprintf(out + written, (size_t)(TG_ARRAY_SHAPE_TEXT - written), "%s%zu", i ? " x " : "",
                            shape[i]);
}

/* IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
static double half_value(uint64_t bits) {
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023);
    double value = exponent == 0    ? ldexp(fraction, -24)
                   : exponent == 31 ? (fraction != 0 ? (double)NAN : (double)INFINITY)
                                    : ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 ? -value : value;
}

static double value_of(uint64_t bits, tg_element element) {
    const struct element_type *type = &types[element];
    if (element == TG_EL_F16) return half_value(bits);
    if (element == TG_EL_F32) {
        uint32_t word = (uint32_t)bits;
        float value;
        memcpy(&value, &word, sizeof value);
        return (double)value;
    }
    if (element == TG_EL_F64) {
        double value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    if (!type->is_signed) return (double)bits;
    unsigned unused = 64 - 8u * type->size;
    int64_t value;
    bits <<= unused;
    memcpy(&value, &bits, sizeof value);
    return (double)(value / ((int64_t)1 << unused)); /* exact: the low bits are 0 */
}

enum { BLOCK = 512 };

/* out[count] = the elements from `first` on. */
static void read_elements(const tg_array_view *view, size_t first, size_t count, double *out) {
    size_t size = types[view->element].size;
    const uint8_t *from = view->data + first * size;
    for (size_t i = 0; i < count; i++, from += size) {
        uint64_t bits = 0;
        for (size_t k = 0; k < size; k++)
            bits |= (uint64_t)from[view->big_endian ? size - 1 - k : k] << 8 * k;
        out[i] = value_of(bits, view->element);
    }
}

/* Whether bytes hold all of it. A float of a format that has integers as well is meant to be one. */
static bool fits_bytes(const tg_array_view *view, size_t count) {
    if (view->element == TG_EL_U8) return true;
    if (types[view->element].is_float && !view->matlab) return false;
    double block[BLOCK];
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t some = count - first < BLOCK ? count - first : BLOCK;
        read_elements(view, first, some, block);
        for (size_t i = 0; i < some; i++)
            if (!(block[i] >= 0 && block[i] <= 255 && block[i] == floor(block[i]))) return false;
    }
    return true;
}

static void convert(const tg_array_view *view, size_t count, tg_dtype type, void *out) {
    if (view->element == TG_EL_U8 && type == TG_U8) {
        memcpy(out, view->data, count);
        return;
    }
    double block[BLOCK];
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t some = count - first < BLOCK ? count - first : BLOCK;
        read_elements(view, first, some, block);
        for (size_t i = 0; i < some; i++) {
            if (type == TG_U8) ((uint8_t *)out)[first + i] = (uint8_t)block[i];
            else ((float *)out)[first + i] = (float)block[i];
        }
    }
}

void tg_array_floats(const tg_array_view *view, size_t count, float *out) {
    convert(view, count, TG_F32, out);
}

tg_status tg_import_adopt_array(tg_import *import, const char *name, const char *format, tg_array *array,
                                tg_error *err) {
    tg_source *source;
    void *arrays = import->arrays;
    tg_status status = TG_OK;
    bool room = tg_reserve(&arrays, &import->array_capacity, import->array_count, import->array_count + 1,
                           sizeof *array);
    import->arrays = arrays;
    if (!room) status = tg_fail(err, TG_E_MEMORY, "no memory is left to take it in");
    if (status == TG_OK)
        status = tg_import_add_source(import, name, format, array->shape[0], array->rank, array->shape,
                                      &source, err);
    if (status != TG_OK) {
        tg_free(array->data);
        return status;
    }
    array->source = (size_t)(source - import->sources);
    tg_shape_count(array->rank, array->shape, &array->count);
    import->arrays[import->array_count++] = *array;
    return TG_OK;
}

tg_status tg_import_add_array(tg_import *import, const tg_array_view *view, tg_error *err) {
    size_t count, bytes;
    TG_REQUIRE(err, view->rank >= 1 && tg_shape_count(view->rank, view->shape, &count) && count > 0,
               TG_E_FORMAT, "holds no elements; save it again");
    tg_array array = {.column_major = view->column_major,
                      .matlab = view->matlab,
                      .is_samples = view->is_samples,
                      .rank = view->rank,
                      .cells = view->cells};
    array.type = fits_bytes(view, count) ? TG_U8 : TG_F32;
    memcpy(array.shape, view->shape, sizeof array.shape);
    if (tg_mul_size(count, array.type == TG_U8 ? 1 : sizeof(float), &bytes)) array.data = tg_allocate(bytes);
    TG_REQUIRE(err, array.data, TG_E_MEMORY, "no memory is left for its %zu elements; use a smaller file",
               count);
    convert(view, count, array.type, array.data);
    return tg_import_adopt_array(import, view->name, view->format, &array, err);
}

tg_status tg_import_array(tg_import *import, const char *name, tg_dtype type, size_t rank,
                          const size_t *shape, const void *elements, tg_error *err) {
    static const uint16_t one = 1;
    bool big_endian = *(const uint8_t *)&one == 0;
    TG_REQUIRE(err, rank >= 1 && rank <= TG_ARRAY_RANK, TG_E_ARGUMENT, "an array has rank 1 to %d, not %zu",
               TG_ARRAY_RANK, rank);
    tg_array_view view = {.name = name,
                          .format = "array",
                          .element = type == TG_U8 ? TG_EL_U8 : TG_EL_F32,
                          .big_endian = big_endian,
                          .rank = rank,
                          .data = elements};
    memcpy(view.shape, shape, rank * sizeof *shape);
    tg_status status = tg_import_add_array(import, &view, err);
    return status == TG_OK ? TG_OK : tg_import_skip_failed(import, name, err);
}
