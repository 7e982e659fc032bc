/* IDX, the format MNIST came in: two zero bytes, element type, rank, then one big-endian u32 per axis, then
 * elements: bytes, or big-endian floats for pixels and features that are no whole numbers. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

enum { MAX_RANK = 4, TYPE_U8 = 0x08, TYPE_F32 = 0x0d };

typedef struct idx {
    bool floats;
    size_t rank;
    size_t shape[MAX_RANK];
    const uint8_t *elements;
} idx;

static const char *type_name(uint8_t type) {
    switch (type) {
    case 0x08: return "unsigned bytes";
    case 0x09: return "signed bytes";
    case 0x0b: return "16-bit integers";
    case 0x0c: return "32-bit integers";
    case 0x0d: return "32-bit floats";
    case 0x0e: return "64-bit floats";
    default: return NULL;
    }
}

static tg_status check_magic(tg_bytes file, bool images, tg_error *err) {
    const uint8_t *data = file.data;
    TG_REQUIRE(err, file.size > 0, TG_E_FORMAT, "the file is empty; download it again");
    TG_REQUIRE(err, file.size < 2 || data[0] != 0x1f || data[1] != 0x8b, TG_E_FORMAT,
               "is gzip-compressed; unpack it first");
    TG_REQUIRE(err, file.size < 2 || data[0] != 'P' || data[1] != 'K', TG_E_FORMAT,
               "is a zip archive; unpack it first");
    TG_REQUIRE(err, file.size >= 4, TG_E_FORMAT,
               "the file has only %zu bytes, less than an IDX header; download it again", file.size);
    TG_REQUIRE(
        err, data[0] == 0 && data[1] == 0 && type_name(data[2]), TG_E_FORMAT,
        "is not an IDX file: it begins with %02x %02x %02x %02x, where MNIST has 00 00 08 03 (images) or "
        "00 00 08 01 (labels)",
        data[0], data[1], data[2], data[3]);
    TG_REQUIRE(err, data[2] == TYPE_U8 || (images && data[2] == TYPE_F32), TG_E_FORMAT,
               "holds %s (type 0x%02x); convert them to unsigned bytes (type 0x08)%s", type_name(data[2]),
               data[2], images ? " or 32-bit floats (type 0x0d)" : "");
    return TG_OK;
}

static tg_status check_rank(size_t rank, bool images, bool floats, tg_error *err) {
    bool as_images = rank == 3 || rank == 4, as_labels = rank == 1;
    if (floats && rank == 2) return TG_OK;
    TG_REQUIRE(err, !(images && as_labels), TG_E_FORMAT,
               "holds labels (rank 1), not images; were the two files given the wrong way round?");
    TG_REQUIRE(err, !(!images && as_images), TG_E_FORMAT,
               "holds images (rank %zu), not labels; were the two files given the wrong way round?", rank);
    TG_REQUIRE(
        err, images ? as_images : as_labels, TG_E_FORMAT,
        "has rank %zu; images have rank 3 (count, height, width) or 4 (and channels), labels have rank 1",
        rank);
    return TG_OK;
}

static tg_status read_idx(tg_bytes file, bool images, idx *out, tg_error *err) {
    *out = (idx){0};
    TG_TRY(check_magic(file, images, err));
    out->floats = file.data[2] == TYPE_F32;
    out->rank = file.data[3];
    TG_TRY(check_rank(out->rank, images, out->floats, err));
    size_t header = 4 + 4 * out->rank;
    TG_REQUIRE(err, file.size >= header, TG_E_FORMAT,
               "is cut short inside its header of %zu bytes; download it again", header);

    const char *unit = out->floats ? "floats of 4 bytes" : "bytes";
    size_t bytes = out->floats ? sizeof(float) : 1;
    bool fits = true;
    for (size_t i = 0; i < out->rank; i++) {
        const uint8_t *axis = file.data + 4 + 4 * i;
        uint32_t size = (uint32_t)axis[0] << 24 | (uint32_t)axis[1] << 16 | (uint32_t)axis[2] << 8 | axis[3];
        out->shape[i] = size;
        fits = fits && tg_mul_size(bytes, size, &bytes);
    }
    char sizes[TG_ARRAY_SHAPE_TEXT];
    tg_array_shape_text(out->rank, out->shape, sizes);
    for (size_t i = 0; i < out->rank; i++)
        TG_REQUIRE(err, out->shape[i] > 0, TG_E_FORMAT,
                   "header promises %s %s, so there is nothing in it; download it again", sizes, unit);
    TG_REQUIRE(err, fits && file.size - header == bytes, TG_E_FORMAT,
               "header promises %s %s, but %zu%s follow it; download it again or check that it is not still "
               "compressed",
               sizes, unit, file.size - header, out->floats ? " bytes" : "");
    out->elements = file.data + header;
    return TG_OK;
}

static void copy_floats(const uint8_t *from, float *to, size_t count) {
    for (size_t i = 0; i < count; i++, from += sizeof *to) {
        uint32_t bits = (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
        memcpy(&to[i], &bits, sizeof bits);
    }
}

/* Height, width, channels of a sample; a row of features is one pixel of so many channels. */
static void sample_shape(const idx *images, size_t out[3]) {
    size_t last = images->rank - 1;
    out[0] = images->rank >= 3 ? images->shape[1] : 1;
    out[1] = images->rank >= 3 ? images->shape[2] : 1;
    out[2] = images->rank == 3 ? 1 : images->shape[last];
}

/* Labels are the numbers of classes, so few of those below the largest can be missing. One that lies far beyond all
 * the others is a mistake in the file, not a class. */
static tg_status check_labels(const idx *labels, size_t *largest, tg_error *err) {
    bool occurs[256] = {false};
    size_t count = labels->shape[0], distinct = 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        distinct += !occurs[labels->elements[i]];
        occurs[labels->elements[i]] = true;
        if (labels->elements[i] > labels->elements[at]) at = i;
    }
    *largest = labels->elements[at];
    TG_REQUIRE(err, *largest <= 16 + 4 * distinct, TG_E_DATA,
               "sample %zu has label %zu, but only %zu different labels occur; correct it, or number the "
               "classes from 0",
               at, *largest, distinct);
    return TG_OK;
}

tg_status tg_dataset_from_idx(tg_bytes images, tg_bytes labels, tg_dataset **out, tg_error *err) {
    *out = NULL;
    idx pixels, classes = {0};
    tg_status status = read_idx(images, true, &pixels, err);
    if (status != TG_OK) return tg_fail_at(err, status, "%s", images.name);
    size_t count = pixels.shape[0], largest = 0;
    if (labels.data) {
        status = read_idx(labels, false, &classes, err);
        if (status != TG_OK) return tg_fail_at(err, status, "%s", labels.name);
        if (classes.shape[0] != count) {
            tg_fail(err, TG_E_DATA,
                    "%zu images but %zu labels in %.100s: take two files that belong together", count,
                    classes.shape[0], labels.name);
            return tg_fail_at(err, TG_E_DATA, "%s", images.name);
        }
        status = check_labels(&classes, &largest, err);
        if (status != TG_OK) return tg_fail_at(err, status, "%s", labels.name);
    }
    tg_dataset *dataset;
    size_t shape[3];
    sample_shape(&pixels, shape);
    status = tg_dataset_create(pixels.floats ? TG_F32 : TG_U8, shape[0], shape[1], shape[2], count,
                               largest + 1, false, &dataset, err);
    if (status != TG_OK) return tg_fail_at(err, status, "%s", images.name);
    if (pixels.floats) copy_floats(pixels.elements, dataset->pixels, count * dataset->sample_size);
    else memcpy(dataset->pixels, pixels.elements, count * dataset->sample_size);
    for (size_t i = 0; labels.data && i < count; i++) dataset->labels[i] = classes.elements[i];
    status = tg_dataset_check(dataset, images.name, err);
    if (status != TG_OK) tg_dataset_destroy(dataset);
    else *out = dataset;
    return status;
}

/* ---- into an import ----------------------------------------------------------------------------------- */

tg_status tg_read_idx(tg_import *import, tg_bytes file, tg_error *err) {
    idx read;
    TG_TRY(read_idx(file, file.size < 4 || file.data[3] != 1, &read, err));
    tg_array_view view = {.name = file.name,
                          .format = "idx",
                          .element = read.floats ? TG_EL_F32 : TG_EL_U8,
                          .big_endian = true,
                          .rank = read.rank,
                          .data = read.elements};
    memcpy(view.shape, read.shape, sizeof view.shape);
    return tg_import_add_array(import, &view, err);
}
