/* MATLAB's version 4: one matrix after the other, each with a header of five 32-bit words and a name.
 * "MAT-File Format", The MathWorks, chapter 1, version 4. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

enum { HEADER = 20, NUMBERS = 0, TEXT = 1, SPARSE = 2 };

static uint32_t word_at(const uint8_t *at, bool big_endian) {
    uint32_t word = 0;
    for (size_t i = 0; i < 4; i++) word |= (uint32_t)at[big_endian ? 3 - i : i] << 8 * i;
    return word;
}

/* The first word is M * 1000 + O * 100 + P * 10 + T: byte order, 0, element type, kind of matrix. */
static bool read_type(const uint8_t *at, bool *big_endian, uint32_t *precision, uint32_t *kind) {
    for (uint32_t order = 0; order < 2; order++) {
        uint32_t type = word_at(at, order == 1);
        *big_endian = order == 1;
        *precision = type / 10 % 10;
        *kind = type % 10;
        if (type / 1000 == order && type / 100 % 10 == 0 && *precision <= 5 && *kind <= 2) return true;
    }
    return false;
}

bool tg_is_mat4(tg_bytes file) {
    bool big_endian;
    uint32_t precision, kind;
    return file.size >= HEADER && read_type(file.data, &big_endian, &precision, &kind) &&
           word_at(file.data + 12, big_endian) <= 1 && word_at(file.data + 16, big_endian) - 1 < 64;
}

tg_status tg_read_mat4(tg_import *import, tg_bytes file, tg_error *err) {
    static const tg_element elements[] = {TG_EL_F64, TG_EL_F32, TG_EL_I32, TG_EL_I16, TG_EL_U16, TG_EL_U8};
    bool found = false;
    for (size_t at = 0, matrix = 1; at < file.size; matrix++) {
        TG_REQUIRE(err, file.size - at >= HEADER, TG_E_FORMAT,
                   "is cut short in the header of matrix %zu; download it or save it again", matrix);
        const uint8_t *head = file.data + at;
        tg_array_view view = {.format = "mat", .column_major = true, .matlab = true, .rank = 2};
        uint32_t precision, kind;
        TG_REQUIRE(err, read_type(head, &view.big_endian, &precision, &kind), TG_E_FORMAT,
                   "has no header where that of matrix %zu must stand; download it or save it again", matrix);
        view.element = elements[precision];
        size_t rows = view.shape[0] = word_at(head + 4, view.big_endian);
        size_t columns = view.shape[1] = word_at(head + 8, view.big_endian), bytes;
        bool complex = word_at(head + 12, view.big_endian) != 0;
        size_t name = word_at(head + 16, view.big_endian), left = file.size - at - HEADER;
        bool fits = tg_mul_size(rows, columns, &bytes) &&
                    tg_mul_size(bytes, tg_element_size(view.element), &bytes) &&
                    tg_mul_size(bytes, complex ? 2 : 1, &bytes);
        TG_REQUIRE(
            err, fits && name <= left && bytes <= left - name, TG_E_FORMAT,
            "matrix %zu is of %zu x %zu elements, but the file ends before; download it or save it again",
            matrix, rows, columns);
        char of[192];
        snprintf(of, sizeof of, "%.100s: %.*s", file.name, (int)(name < 64 ? name : 64),
                 (const char *)head + HEADER);
        view.name = of;
        view.data = head + HEADER + name;
        at += HEADER + name + bytes;
        if (kind == TEXT || rows * columns < 2) continue; /* no samples, and no labels */
        if (kind == SPARSE) TG_TRY(tg_import_skip(import, of, "is sparse; save full(X)", err));
        else if (complex) TG_TRY(tg_import_skip(import, of, "has complex numbers; save abs(X)", err));
        else TG_TRY(tg_import_add_array(import, &view, err));
        found = found || (kind == NUMBERS && !complex);
    }
    TG_REQUIRE(err, found, TG_E_FORMAT, "holds no arrays of numbers; save samples and labels as arrays");
    return TG_OK;
}
