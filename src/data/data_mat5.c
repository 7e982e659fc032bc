/* MATLAB's versions 5 to 7: elements, each with type and size, that may be compressed and lie inside each other.
 * "MAT-File Format", The MathWorks, chapter 1. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

enum { FILE_HEADER = 128, MI_MATRIX = 14, MI_COMPRESSED = 15, MAX_DEPTH = 8, MAX_DIMS = 32 };
enum {
    CLASS_CELL = 1,
    CLASS_STRUCT = 2,
    CLASS_CHAR = 4,
    CLASS_SPARSE = 5,
    CLASS_DOUBLE = 6,
    CLASS_UINT64 = 15
};
enum { FLAG_COMPLEX = 0x08 };
enum { MOST_INFLATION = 1032 }; /* deflate packs no more bytes into one */

typedef struct reader {
    tg_import *import;
    const char *file;
    bool big_endian;
    size_t found; /* arrays of numbers */
} reader;

/* ---- elements ----------------------------------------------------------------------------------------- */

typedef struct bytes {
    const uint8_t *at, *end;
} bytes;

typedef struct element {
    uint32_t type;
    bytes data;
} element;

static uint32_t word_at(const reader *r, const uint8_t *at) {
    uint32_t word = 0;
    for (size_t i = 0; i < 4; i++) word |= (uint32_t)at[r->big_endian ? 3 - i : i] << 8 * i;
    return word;
}

static size_t left(bytes b) {
    return (size_t)(b.end - b.at);
}

/* Takes the next element off; up to four bytes lie inside the tag itself. */
static bool take_element(const reader *r, bytes *from, element *out) {
    if (left(*from) < 8) return false;
    uint32_t first = word_at(r, from->at);
    if (first >> 16) {
        uint32_t size = first >> 16;
        if (size > 4) return false;
        *out = (element){first & 0xffff, {from->at + 4, from->at + 4 + size}};
        from->at += 8;
        return true;
    }
    size_t size = word_at(r, from->at + 4);
    from->at += 8;
    if (size > left(*from)) return false;
    *out = (element){first, {from->at, from->at + size}};
    size_t padded = first == MI_COMPRESSED ? size : size + (8 - size % 8) % 8;
    from->at += padded < left(*from) ? padded : left(*from);
    return true;
}

/* ---- matrices ----------------------------------------------------------------------------------------------- */

typedef struct matrix {
    unsigned class, flags;
    size_t rank, shape[MAX_DIMS];
    char name[64];
    bytes rest; /* what follows the name */
} matrix;

static bool read_matrix(const reader *r, bytes data, matrix *out) {
    element flags, dims, name;
    *out = (matrix){0};
    if (!take_element(r, &data, &flags) || left(flags.data) < 4) return false;
    out->class = word_at(r, flags.data.at) & 0xff;
    out->flags = word_at(r, flags.data.at) >> 8 & 0xff;
    if (out->class > CLASS_UINT64) return true; /* objects, tables: nothing of it can be used */
    if (!take_element(r, &data, &dims) || left(dims.data) < 8 || left(dims.data) > 4 * MAX_DIMS) return false;
    out->rank = left(dims.data) / 4;
    for (size_t i = 0; i < out->rank; i++) out->shape[i] = word_at(r, dims.data.at + 4 * i);
    while (out->rank > 2 && out->shape[out->rank - 1] == 1) out->rank--;
    if (!take_element(r, &data, &name)) return false;
    size_t length = left(name.data) < sizeof out->name - 1 ? left(name.data) : sizeof out->name - 1;
    memcpy(out->name, name.data.at, length);
    out->rest = data;
    return true;
}

static bool is_numeric(const matrix *m) {
    return m->class >= CLASS_DOUBLE && m->class <= CLASS_UINT64 && !(m->flags & FLAG_COMPLEX);
}

/* Its numbers, which MATLAB stores in the smallest type that holds them. */
static bool view_numbers(const reader *r, const matrix *m, tg_array_view *out, size_t *count) {
    static const struct {
        uint8_t type, element;
    } types[] = {{1, TG_EL_I8},  {2, TG_EL_U8},  {3, TG_EL_I16}, {4, TG_EL_U16},  {5, TG_EL_I32},
                 {6, TG_EL_U32}, {7, TG_EL_F32}, {9, TG_EL_F64}, {12, TG_EL_I64}, {13, TG_EL_U64}};
    element numbers;
    bytes rest = m->rest;
    if (!take_element(r, &rest, &numbers) || !tg_shape_count(m->rank, m->shape, count)) return false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (types[i].type != numbers.type) continue;
        *out = (tg_array_view){.format = "mat",
                               .element = (tg_element)types[i].element,
                               .big_endian = r->big_endian,
                               .column_major = true,
                               .matlab = true,
                               .rank = m->rank,
                               .data = numbers.data.at};
        for (size_t k = 0; k < m->rank && k < TG_ARRAY_RANK; k++) out->shape[k] = m->shape[k];
        size_t size;
        return tg_mul_size(*count, tg_element_size(out->element), &size) && size == left(numbers.data);
    }
    return false;
}

static tg_status fail_damaged(const char *variable, tg_error *err) {
    return tg_fail(err, TG_E_FORMAT, "variable \"%.60s\" is damaged; save the file again", variable);
}

static tg_status skip(reader *r, const char *variable, const char *reason, tg_error *err) {
    char name[192];
    snprintf(name, sizeof name, "%.100s: %.60s", r->file, variable);
    return tg_import_skip(r->import, name, reason, err);
}

static tg_status add_array(reader *r, const char *variable, tg_array_view *view, tg_error *err) {
    char name[192];
    snprintf(name, sizeof name, "%.100s: %.60s", r->file, variable);
    view->name = name;
    r->found++;
    return tg_import_add_array(r->import, view, err);
}

static tg_status read_numbers(reader *r, const char *variable, const matrix *m, tg_error *err) {
    tg_array_view view;
    size_t count;
    if (!view_numbers(r, m, &view, &count)) return fail_damaged(variable, err);
    if (count < 2) return TG_OK; /* a setting, no samples */
    if (m->rank > TG_ARRAY_RANK)
        return skip(r, variable, "has more than 4 dimensions; save one of at most 4", err);
    return add_array(r, variable, &view, err);
}

/* ---- cells: matrices of equally many rows, side by side ------------------------------------------------------ */

/* Goes through the cells, first to count (to NULL), then to copy. *rows 0: they are no such matrices. */
static tg_status join_cells(const reader *r, const char *variable, const matrix *cells, size_t count,
                            float *to, size_t *rows, size_t *columns, bool *alike, tg_error *err) {
    bytes rest = cells->rest;
    *rows = *columns = 0;
    *alike = true;
    for (size_t i = 0; i < count; i++) {
        element part;
        matrix m;
        tg_array_view view;
        size_t numbers;
        if (!take_element(r, &rest, &part) || part.type != MI_MATRIX ||
            (left(part.data) && !read_matrix(r, part.data, &m)))
            return fail_damaged(variable, err);
        if (!left(part.data) || !is_numeric(&m) || m.rank != 2 || (i && m.shape[0] != *rows)) {
            *rows = 0;
            return TG_OK;
        }
        if (!view_numbers(r, &m, &view, &numbers)) return fail_damaged(variable, err);
        *alike = *alike && (i == 0 || m.shape[1] * i == *columns);
        if (to) tg_array_floats(&view, numbers, to + *rows * *columns);
        *rows = m.shape[0];
        if (!tg_add_size(*columns, m.shape[1], columns)) return fail_damaged(variable, err);
    }
    return TG_OK;
}

static tg_status read_cells(reader *r, const char *variable, const matrix *cells, tg_error *err) {
    size_t count, rows, columns, size;
    bool alike;
    if (!tg_shape_count(cells->rank, cells->shape, &count)) return fail_damaged(variable, err);
    TG_TRY(join_cells(r, variable, cells, count, NULL, &rows, &columns, &alike, err));
    if (rows == 0 || columns == 0)
        return skip(r, variable,
                    "is a cell array of other things than matrices of equally many rows; save one array",
                    err);
    bool fits = tg_mul_size(rows, columns, &size) && tg_mul_size(size, sizeof(float), &size);
    float *numbers = fits ? tg_allocate(size) : NULL;
    TG_REQUIRE(err, numbers, TG_E_MEMORY, "no memory is left for variable \"%.60s\"", variable);
    TG_TRY(join_cells(r, variable, cells, count, numbers, &rows, &columns, &alike, err));
    static const uint16_t one = 1;
    tg_array_view view = {.format = "mat",
                          .element = TG_EL_F32,
                          .big_endian = *(const uint8_t *)&one == 0,
                          .column_major = true,
                          .matlab = true,
                          .rank = 2,
                          .shape = {rows, columns},
                          .cells = alike ? count : 0,
                          .data = (const uint8_t *)numbers};
    tg_status status = add_array(r, variable, &view, err);
    tg_free(numbers);
    return status;
}

/* ---- structures: fields become variables of their own, "dataset.train.images" ------------------------------ */

static tg_status read_variable(reader *r, const char *variable, const matrix *m, unsigned depth,
                               tg_error *err);

static tg_status read_fields(reader *r, const char *variable, const matrix *m, unsigned depth,
                             tg_error *err) {
    element length, names;
    bytes rest = m->rest;
    size_t count;
    if (!tg_shape_count(m->rank, m->shape, &count)) return fail_damaged(variable, err);
    if (count != 1) return skip(r, variable, "is an array of structures; save one array", err);
    if (!take_element(r, &rest, &length) || left(length.data) < 4 || !take_element(r, &rest, &names))
        return fail_damaged(variable, err);
    size_t width = word_at(r, length.data.at);
    if (width == 0 || width > 256) return fail_damaged(variable, err);
    for (; left(names.data) >= width; names.data.at += width) {
        element field;
        matrix inner;
        char path[64];
        if (!take_element(r, &rest, &field) || field.type != MI_MATRIX) return fail_damaged(variable, err);
        if (left(field.data) == 0) continue;
        if (!read_matrix(r, field.data, &inner)) return fail_damaged(variable, err);
        snprintf(path, sizeof path, "%.30s.%.*s", variable, (int)(width < 30 ? width : 30),
                 (const char *)names.data.at);
        TG_TRY(read_variable(r, path, &inner, depth + 1, err));
    }
    return TG_OK;
}

static tg_status read_variable(reader *r, const char *variable, const matrix *m, unsigned depth,
                               tg_error *err) {
    if (is_numeric(m)) return read_numbers(r, variable, m, err);
    if (m->class == CLASS_CELL) return read_cells(r, variable, m, err);
    if (m->class == CLASS_STRUCT && depth < MAX_DEPTH) return read_fields(r, variable, m, depth, err);
    if (m->class == CLASS_SPARSE) return skip(r, variable, "is sparse; save full(X)", err);
    if (m->flags & FLAG_COMPLEX) return skip(r, variable, "has complex numbers; save abs(X)", err);
    return TG_OK; /* texts, objects */
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

static tg_status read_top(reader *r, element *e, size_t number, tg_error *err) {
    matrix m;
    if (e->type != MI_MATRIX || left(e->data) == 0) return TG_OK;
    TG_REQUIRE(err, read_matrix(r, e->data, &m), TG_E_FORMAT, "element %zu is damaged; save the file again",
               number);
    return read_variable(r, m.name, &m, 0, err);
}

static tg_status read_compressed(reader *r, element *e, size_t number, tg_error *err) {
    tg_import *import = r->import;
    uint8_t tag[8];
    size_t packed = left(e->data);
    TG_REQUIRE(err, import->inflate, TG_E_FORMAT,
               "is compressed, and nothing here unpacks it; save it with -v6");
    TG_REQUIRE(err, import->inflate(import->inflate_ctx, e->data.at, packed, tag, sizeof tag) == sizeof tag,
               TG_E_FORMAT, "element %zu cannot be unpacked; download the file or save it again", number);
    size_t size = word_at(r, tag + 4), most;
    bool possible = !tg_mul_size(packed, MOST_INFLATION, &most) || size <= most;
    TG_REQUIRE(err, possible && tg_add_size(size, sizeof tag, &size), TG_E_FORMAT,
               "element %zu claims more bytes than its %zu packed ones can hold; save the file again", number,
               packed);
    uint8_t *unpacked = tg_allocate(size);
    TG_REQUIRE(err, unpacked, TG_E_MEMORY, "%zu MB to unpack it could not be had; save it with fewer samples",
               size >> 20);
    size_t there = import->inflate(import->inflate_ctx, e->data.at, packed, unpacked, size);
    bytes all = {unpacked, unpacked + size};
    element inner;
    tg_status status = TG_OK;
    if (there != size || !take_element(r, &all, &inner))
        status = tg_fail(err, TG_E_FORMAT,
                         "element %zu cannot be unpacked; download the file or save it again", number);
    if (status == TG_OK) status = read_top(r, &inner, number, err);
    tg_free(unpacked);
    return status;
}

tg_status tg_read_mat5(tg_import *import, tg_bytes file, tg_error *err) {
    TG_REQUIRE(err, file.size >= FILE_HEADER, TG_E_FORMAT,
               "is cut short after %zu of the 128 bytes of its header; download it again", file.size);
    TG_REQUIRE(
        err, memcmp(file.data + 7, "7.3", 3) != 0, TG_E_FORMAT,
        "is of MATLAB's version 7.3, which is HDF5; save it with -v7: save('file.mat', 'X', 'y', '-v7')");
    reader r = {.import = import, .file = file.name, .big_endian = file.data[126] == 'M'};
    bytes rest = {file.data + FILE_HEADER, file.data + file.size};
    for (size_t number = 1; left(rest) > 0; number++) {
        element e;
        TG_REQUIRE(err, take_element(&r, &rest, &e), TG_E_FORMAT,
                   "is cut short in element %zu; download it or save it again", number);
        TG_TRY(e.type == MI_COMPRESSED ? read_compressed(&r, &e, number, err)
                                       : read_top(&r, &e, number, err));
    }
    TG_REQUIRE(err, r.found > 0, TG_E_FORMAT,
               "holds no arrays of numbers; save samples and labels as arrays");
    return TG_OK;
}
