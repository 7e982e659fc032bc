/* IDX, the format MNIST came in: two zero bytes, element type, rank, then one big-endian u32 per axis, then the
 * elements, big-endian as well. */
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

static const struct idx_type {
    uint8_t code;
    tg_element element;
    const char *name;
} types[] = {
    {0x08, TG_EL_U8, "bytes"},
    {0x09, TG_EL_I8, "signed bytes"},
    {0x0b, TG_EL_I16, "integers of 2 bytes"},
    {0x0c, TG_EL_I32, "integers of 4 bytes"},
    {0x0d, TG_EL_F32, "floats of 4 bytes"},
    {0x0e, TG_EL_F64, "floats of 8 bytes"},
};

static const struct idx_type *find_type(uint8_t code) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].code == code) return &types[i];
    return NULL;
}

static tg_status read_header(tg_bytes file, const struct idx_type **type, tg_array_view *out, tg_error *err) {
    const uint8_t *data = file.data;
    TG_REQUIRE(err, file.size >= 4, TG_E_FORMAT,
               "the file has only %zu bytes, less than an IDX header; download it again", file.size);
    *type = find_type(data[2]);
    TG_REQUIRE(
        err, data[0] == 0 && data[1] == 0 && *type, TG_E_FORMAT,
        "is not an IDX file: it begins with %02x %02x %02x %02x, where MNIST has 00 00 08 03 (images) or "
        "00 00 08 01 (labels)",
        data[0], data[1], data[2], data[3]);
    out->element = (*type)->element;
    out->rank = data[3];
    TG_REQUIRE(
        err, out->rank >= 1 && out->rank <= TG_ARRAY_RANK, TG_E_FORMAT,
        "has rank %zu; images have rank 3 (count, height, width) or 4 (and channels), rows of features "
        "rank 2, labels rank 1",
        out->rank);
    size_t header = 4 + 4 * out->rank;
    TG_REQUIRE(err, file.size >= header, TG_E_FORMAT,
               "is cut short inside its header of %zu bytes; download it again", header);
    for (size_t i = 0; i < out->rank; i++) {
        const uint8_t *axis = data + 4 + 4 * i;
        out->shape[i] = (size_t)axis[0] << 24 | (size_t)axis[1] << 16 | (size_t)axis[2] << 8 | axis[3];
    }
    out->data = data + header;
    return TG_OK;
}

tg_status tg_read_idx(tg_import *import, tg_bytes file, tg_error *err) {
    const struct idx_type *type = NULL;
    tg_array_view view = {.name = file.name, .format = "idx", .big_endian = true};
    TG_TRY(read_header(file, &type, &view, err));
    size_t count, bytes, follow = file.size - (size_t)(view.data - file.data);
    char sizes[TG_ARRAY_SHAPE_TEXT];
    tg_array_shape_text(view.rank, view.shape, sizes);
    for (size_t i = 0; i < view.rank; i++)
        TG_REQUIRE(err, view.shape[i] > 0, TG_E_FORMAT,
                   "header promises %s %s, so there is nothing in it; download it again", sizes, type->name);
    bool fits = tg_shape_count(view.rank, view.shape, &count) &&
                tg_mul_size(count, tg_element_size(view.element), &bytes);
    TG_REQUIRE(err, fits && bytes == follow, TG_E_FORMAT,
               "header promises %s %s, but %zu%s follow it; download it again or check that it is not still "
               "compressed",
               sizes, type->name, follow, view.element == TG_EL_U8 ? "" : " bytes");
    view.is_samples = view.rank > 1; /* as MNIST has it, labels are of rank 1 */
    return tg_import_add_array(import, &view, err);
}
