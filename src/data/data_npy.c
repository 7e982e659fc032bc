/* .npy, NumPy's own format: a magic, a version, the length of a header, a Python dictionary as text, the elements.
 * https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

typedef struct header {
    char descr[16]; /* "<f4" */
    bool fortran_order, structured;
    size_t rank, shape[TG_ARRAY_RANK];
    unsigned keys; /* one bit each: descr, fortran_order, shape */
} header;

/* ---- the dictionary ----------------------------------------------------------------------------------- */

typedef struct cursor {
    const char *at, *end;
} cursor;

static void skip_blanks(cursor *c) {
    while (c->at < c->end && strchr(" \t\r\n", *c->at) && *c->at) c->at++;
}

static bool take(cursor *c, const char *text) {
    skip_blanks(c);
    size_t length = strlen(text);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, text, length) != 0) return false;
    c->at += length;
    return true;
}

/* 'text' or "text", cut to the room there is. */
static bool take_string(cursor *c, char *out, size_t room) {
    char quote = take(c, "'") ? '\'' : take(c, "\"") ? '"' : '\0';
    const char *end = quote ? memchr(c->at, quote, (size_t)(c->end - c->at)) : NULL;
    if (!end) return false;
    size_t length = (size_t)(end - c->at);
    if (length >= room) length = room - 1;
    memcpy(out, c->at, length);
    out[length] = '\0';
    c->at = end + 1;
    return true;
}

static bool take_size(cursor *c, size_t *out) {
    skip_blanks(c);
    const char *start = c->at;
    for (*out = 0; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (!tg_mul_size(*out, 10, out) || !tg_add_size(*out, (size_t)(*c->at - '0'), out)) return false;
    take(c, "L"); /* Python 2's long numbers */
    return c->at > start;
}

/* (), (3,), (3, 4): all axes are counted, the first few kept. */
static bool take_shape(cursor *c, header *out) {
    if (!take(c, "(")) return false;
    while (!take(c, ")")) {
        size_t size;
        if (!take_size(c, &size)) return false;
        if (out->rank < TG_ARRAY_RANK) out->shape[out->rank] = size;
        out->rank++;
        if (!take(c, ",")) return take(c, ")");
    }
    return true;
}

static bool take_entry(cursor *c, header *out) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    char key[16];
    if (!take_string(c, key, sizeof key) || !take(c, ":")) return false;
    unsigned i = 0;
    while (i < 3 && strcmp(key, keys[i]) != 0) i++;
    if (i == 3 || out->keys & 1u << i) return false;
    out->keys |= 1u << i;
    if (i == 2) return take_shape(c, out);
    if (i == 1) return (out->fortran_order = take(c, "True")) || take(c, "False");
    skip_blanks(c);
    if (c->at < c->end && *c->at == '[') { /* fields of a record; the way out is the same whatever they are */
        out->structured = true;
        return true;
    }
    return take_string(c, out->descr, sizeof out->descr);
}

static bool parse(const char *text, size_t size, header *out) {
    cursor c = {text, text + size};
    *out = (header){0};
    if (!take(&c, "{")) return false;
    while (!take(&c, "}")) {
        if (!take_entry(&c, out)) return false;
        if (out->structured) return true;
        if (!take(&c, ",")) return take(&c, "}") && out->keys == 7;
    }
    return out->keys == 7;
}

/* ---- the elements ----------------------------------------------------------------------------------------- */

static tg_status find_element(const header *head, tg_array_view *view, tg_error *err) {
    static const struct {
        const char *type;
        tg_element element;
    } types[] = {{"u1", TG_EL_U8},  {"b1", TG_EL_U8},  {"i1", TG_EL_I8},  {"u2", TG_EL_U16},
                 {"i2", TG_EL_I16}, {"u4", TG_EL_U32}, {"i4", TG_EL_I32}, {"u8", TG_EL_U64},
                 {"i8", TG_EL_I64}, {"f2", TG_EL_F16}, {"f4", TG_EL_F32}, {"f8", TG_EL_F64}};
    const char *descr = head->descr, *type = descr[0] && strchr("<>|=", descr[0]) ? descr + 1 : descr;
    TG_REQUIRE(err, type[0] != 'O', TG_E_FORMAT,
               "holds Python objects; save an array of numbers: numpy.save(file, numpy.stack(array))");
    TG_REQUIRE(err, type[0] != 'U' && type[0] != 'S', TG_E_FORMAT,
               "holds texts; save numbers of classes: numpy.unique(array, return_inverse=True)[1]");
    view->big_endian = descr[0] == '>';
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].type, type) == 0) {
            view->element = types[i].element;
            return TG_OK;
        }
    return tg_fail(err, TG_E_FORMAT, "holds elements of type \"%s\"; save it as uint8 or float32", descr);
}

static tg_status read_header(tg_bytes file, header *out, size_t *data, tg_error *err) {
    static const char *const again = "download it or save it again";
    TG_REQUIRE(err, file.size >= 10, TG_E_FORMAT, "is cut short after %zu bytes of its header; %s", file.size,
               again);
    unsigned version = file.data[6];
    TG_REQUIRE(err, version >= 1 && version <= 3, TG_E_FORMAT,
               "is version %u of the format, which is not known; save it again with numpy.save", version);
    size_t begin = version == 1 ? 10 : 12, length = file.data[8] | (size_t)file.data[9] << 8;
    if (version > 1 && file.size >= 12) length |= (size_t)file.data[10] << 16 | (size_t)file.data[11] << 24;
    TG_REQUIRE(err, file.size >= begin && file.size - begin >= length, TG_E_FORMAT,
               "is cut short inside its header of %zu bytes; %s", length, again);
    TG_REQUIRE(err, parse((const char *)file.data + begin, length, out), TG_E_FORMAT,
               "its header is not one that NumPy writes; save it again with numpy.save");
    *data = begin + length;
    return TG_OK;
}

tg_status tg_read_npy(tg_import *import, tg_bytes file, tg_error *err) {
    header head;
    size_t data = 0, count, bytes;
    TG_TRY(read_header(file, &head, &data, err));
    TG_REQUIRE(err, !head.structured, TG_E_FORMAT,
               "holds records of several fields; save each field as an array of its own");
    tg_array_view view = {
        .name = file.name, .format = "npy", .column_major = head.fortran_order, .rank = head.rank};
    TG_TRY(find_element(&head, &view, err));
    TG_REQUIRE(err, head.rank > 0, TG_E_FORMAT,
               "is a single number; labels have rank 1, samples rank 2 to 4");
    TG_REQUIRE(err, head.rank <= TG_ARRAY_RANK, TG_E_FORMAT,
               "has rank %zu; samples have rank 2 (features), 3 (height, width) or 4 (and channels)",
               head.rank);
    memcpy(view.shape, head.shape, sizeof view.shape);
    char sizes[TG_ARRAY_SHAPE_TEXT];
    tg_array_shape_text(head.rank, head.shape, sizes);
    size_t element = tg_element_size(view.element);
    bool fits = tg_shape_count(head.rank, head.shape, &count) && tg_mul_size(count, element, &bytes);
    TG_REQUIRE(err, !fits || count > 0, TG_E_FORMAT,
               "has the shape %s, so there is nothing in it; save it again", sizes);
    TG_REQUIRE(
        err, fits && bytes == file.size - data, TG_E_FORMAT,
        "header promises %s elements of %zu bytes, but %zu bytes follow it; download it or save it again",
        sizes, element, file.size - data);
    view.data = file.data + data;
    return tg_import_add_array(import, &view, err);
}
