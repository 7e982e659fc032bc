#include "io/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { MAX_HEADER = 100000000, LENGTH_BYTES = 8, MAX_RANK = 8 };

/* In the order of tg_tensor_type; the rest is TG_TENSOR_OTHER. */
static const struct {
    const char *name;
    size_t size; /* bytes of one element */
} dtypes[] = {{"F32", 4},  {"F64", 8}, {"I64", 8},     {"U8", 1},      {"U64", 8},    {"I32", 4},
              {"U32", 4},  {"I16", 2}, {"U16", 2},     {"I8", 1},      {"BOOL", 1},   {"F16", 2},
              {"BF16", 2}, {"C64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F8_E8M0", 1}};
enum { DTYPE_COUNT = sizeof dtypes / sizeof dtypes[0] };

/* A list that doubles. */
typedef struct list {
    void *items;
    size_t count, capacity;
} list;

struct tg_safetensors {
    char *header;           /* a copy, in which strings are unescaped in place and end with NUL */
    list tensors, metadata; /* of tg_tensor in order of their data; of tg_metadata in order of their keys */
    const tg_tensor **by_name;
};

/* ---- scanning the header: JSON as far as the format allows it, strictly and in one pass --------------- */

typedef struct scanner {
    char *text; /* [size], ends with NUL */
    size_t size, at;
    const uint8_t *data; /* the tensor data behind the header */
    size_t data_size;
    tg_error *err;
} scanner;

#define EXPECT(scan, condition, ...) TG_REQUIRE((scan)->err, condition, TG_E_FORMAT, __VA_ARGS__)

static void skip_space(scanner *scan) {
    while (scan->at < scan->size && strchr(" \t\r\n", scan->text[scan->at]) && scan->text[scan->at])
        scan->at++;
}

/* The next character that is not space; NUL at the end. */
static char peek(scanner *scan) {
    skip_space(scan);
    return scan->at < scan->size ? scan->text[scan->at] : '\0';
}

static tg_status expect(scanner *scan, char wanted) {
    EXPECT(scan, peek(scan) == wanted,
           "byte %zu of the header is not the '%c' that must stand there; the file is damaged", scan->at,
           wanted);
    scan->at++;
    return TG_OK;
}

/* After an item of a list or object: *more says whether a comma or the closing bracket came. */
static tg_status expect_more(scanner *scan, char close, bool *more) {
    *more = peek(scan) == ',';
    return expect(scan, *more ? ',' : close);
}

/* An opening bracket; *more says whether anything is inside. */
static tg_status expect_open(scanner *scan, char open, char close, bool *more) {
    TG_TRY(expect(scan, open));
    *more = peek(scan) != close;
    return *more ? TG_OK : expect(scan, close);
}

static bool scan_hex4(scanner *scan, uint32_t *out) {
    *out = 0;
    for (size_t i = 0; i < 4; i++, scan->at++) {
        char c = scan->at < scan->size ? scan->text[scan->at] : '\0';
        if (c >= '0' && c <= '9') *out = *out << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f') *out = *out << 4 | (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F') *out = *out << 4 | (uint32_t)(c - 'A' + 10);
        else return false;
    }
    return true;
}

/* What follows a \u; a high surrogate needs its low one. U+0000 would end the string early, so it is no
 * character here. */
static bool scan_code_point(scanner *scan, uint32_t *out) {
    uint32_t low;
    if (!scan_hex4(scan, out) || *out == 0 || (*out >= 0xdc00 && *out <= 0xdfff)) return false;
    if (*out < 0xd800 || *out > 0xdbff) return true;
    if (scan->size - scan->at < 6 || scan->text[scan->at] != '\\' || scan->text[scan->at + 1] != 'u')
        return false;
    scan->at += 2;
    if (!scan_hex4(scan, &low) || low < 0xdc00 || low > 0xdfff) return false;
    *out = 0x10000 + ((*out - 0xd800) << 10 | (low - 0xdc00));
    return true;
}

static char *put_utf8(char *to, uint32_t code) {
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const uint32_t lead[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(lead[more] | code >> 6 * more);
    while (more--) *to++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return to;
}

/* Unescapes in place: the result is never longer than what stood there, and its NUL falls on the closing
 * quote at most. */
static tg_status scan_string(scanner *scan, const char **out) {
    TG_TRY(expect(scan, '"'));
    size_t start = scan->at;
    char *to = scan->text + start;
    for (;;) {
        size_t length = tg_utf8_length(scan->text + scan->at, scan->size - scan->at);
        EXPECT(scan, length > 0,
               "the header has a text at byte %zu that does not end or is not UTF-8; the file is damaged",
               start);
        unsigned char c = (unsigned char)scan->text[scan->at];
        EXPECT(scan, c >= 0x20, "the header has a control character at byte %zu; the file is damaged",
               scan->at);
        if (c == '"') break;
        if (c != '\\') {
            memmove(to, scan->text + scan->at, length);
            to += length;
            scan->at += length;
            continue;
        }
        static const char names[] = "\"\\/bfnrtu", meanings[] = "\"\\/\b\f\n\r\t";
        const char *name =
            scan->at + 1 < scan->size ? memchr(names, scan->text[scan->at + 1], sizeof names - 1) : NULL;
        uint32_t code = 0;
        scan->at += 2;
        bool valid = name && (*name != 'u' || scan_code_point(scan, &code));
        EXPECT(scan, valid, "the header has an invalid escape at byte %zu; the file is damaged", scan->at);
        if (*name != 'u') code = (uint32_t)meanings[name - names];
        to = put_utf8(to, code);
    }
    scan->at++;
    *to = '\0';
    *out = scan->text + start;
    return TG_OK;
}

static tg_status scan_size(scanner *scan, size_t *out) {
    *out = 0;
    char first = peek(scan);
    size_t start = scan->at;
    for (; scan->at < scan->size && scan->text[scan->at] >= '0' && scan->text[scan->at] <= '9'; scan->at++) {
        bool fits =
            tg_mul_size(*out, 10, out) && tg_add_size(*out, (size_t)(scan->text[scan->at] - '0'), out);
        EXPECT(scan, fits,
               "the number at byte %zu of the header is larger than any file; the file is damaged", start);
    }
    EXPECT(scan, scan->at > start && (first != '0' || scan->at == start + 1),
           "byte %zu of the header is not the whole number that must stand there; the file is damaged",
           start);
    return TG_OK;
}

/* ---- entries of the header ---------------------------------------------------------------------------- */

static void *list_add(list *into, size_t item_size) {
    if (into->count == into->capacity) {
        size_t capacity = into->capacity ? into->capacity : 8, bytes;
        if (!tg_mul_size(capacity, 2 * item_size, &bytes)) return NULL;
        void *items = tg_allocate(bytes);
        if (!items) return NULL;
        if (into->count) memcpy(items, into->items, into->count * item_size);
        tg_free(into->items);
        into->items = items;
        into->capacity = 2 * capacity;
    }
    return (uint8_t *)into->items + into->count++ * item_size;
}

static tg_status scan_dtype(scanner *scan, tg_tensor *tensor, size_t *element) {
    TG_TRY(scan_string(scan, &tensor->dtype));
    for (size_t i = 0; i < DTYPE_COUNT; i++)
        if (strcmp(dtypes[i].name, tensor->dtype) == 0) {
            tensor->type = i < TG_TENSOR_OTHER ? (tg_tensor_type)i : TG_TENSOR_OTHER;
            *element = dtypes[i].size;
            return TG_OK;
        }
    return tg_fail(scan->err, TG_E_FORMAT, "tensor \"%.60s\" has the unknown dtype \"%.20s\"; save it as F32",
                   tensor->name, tensor->dtype);
}

static tg_status scan_shape(scanner *scan, tg_tensor *tensor) {
    bool more;
    TG_TRY(expect_open(scan, '[', ']', &more));
    tensor->size = 1;
    while (more) {
        EXPECT(scan, tensor->rank < MAX_RANK,
               "tensor \"%.60s\" has more than %d axes; reshape it before saving", tensor->name, MAX_RANK);
        size_t *axis = &tensor->shape[tensor->rank++];
        TG_TRY(scan_size(scan, axis));
        EXPECT(scan, tg_mul_size(tensor->size, *axis, &tensor->size),
               "the shape of tensor \"%.60s\" has more elements than any file; the file is damaged",
               tensor->name);
        TG_TRY(expect_more(scan, ']', &more));
    }
    return TG_OK;
}

static tg_status scan_offsets(scanner *scan, tg_tensor *tensor) {
    size_t begin, end;
    TG_TRY(expect(scan, '['));
    TG_TRY(scan_size(scan, &begin));
    TG_TRY(expect(scan, ','));
    TG_TRY(scan_size(scan, &end));
    TG_TRY(expect(scan, ']'));
    EXPECT(scan, begin <= end,
           "tensor \"%.60s\" ends at byte %zu, before it begins at %zu; the file is damaged", tensor->name,
           end, begin);
    EXPECT(scan, end <= scan->data_size,
           "tensor \"%.60s\" ends at byte %zu of the data, but only %zu are there; the file is cut short, "
           "download it again",
           tensor->name, end, scan->data_size);
    tensor->data = scan->data + begin;
    tensor->bytes = end - begin;
    return TG_OK;
}

/* {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, in any order, each exactly once */
static tg_status scan_tensor(scanner *scan, tg_tensor *tensor) {
    bool more, dtype = false, shape = false, offsets = false;
    size_t element = 0, bytes = 0;
    TG_TRY(expect_open(scan, '{', '}', &more));
    while (more) {
        const char *key;
        TG_TRY(scan_string(scan, &key));
        TG_TRY(expect(scan, ':'));
        bool *seen = NULL;
        if (strcmp(key, "dtype") == 0) seen = &dtype;
        if (strcmp(key, "shape") == 0) seen = &shape;
        if (strcmp(key, "data_offsets") == 0) seen = &offsets;
        EXPECT(scan, seen, "tensor \"%.60s\" has the unknown key \"%.40s\"; the file is damaged",
               tensor->name, key);
        EXPECT(scan, !*seen, "tensor \"%.60s\" has the key \"%s\" twice; the file is damaged", tensor->name,
               key);
        *seen = true;
        if (seen == &dtype) TG_TRY(scan_dtype(scan, tensor, &element));
        else if (seen == &shape) TG_TRY(scan_shape(scan, tensor));
        else TG_TRY(scan_offsets(scan, tensor));
        TG_TRY(expect_more(scan, '}', &more));
    }
    EXPECT(scan, dtype && shape && offsets, "tensor \"%.60s\" has no %s; the file is damaged", tensor->name,
           !dtype   ? "dtype"
           : !shape ? "shape"
                    : "data_offsets");
    EXPECT(scan, tg_mul_size(tensor->size, element, &bytes) && bytes == tensor->bytes,
           "tensor \"%.60s\" has %zu elements of %s, but %zu bytes of data; the file is damaged",
           tensor->name, tensor->size, tensor->dtype, tensor->bytes);
    return TG_OK;
}

static tg_status scan_metadata(scanner *scan, list *metadata) {
    bool more;
    TG_TRY(expect_open(scan, '{', '}', &more));
    while (more) {
        tg_metadata *entry = list_add(metadata, sizeof *entry);
        TG_REQUIRE(scan->err, entry, TG_E_MEMORY,
                   "no memory is left to read the header; close other runs first");
        TG_TRY(scan_string(scan, &entry->key));
        TG_TRY(expect(scan, ':'));
        TG_TRY(scan_string(scan, &entry->value));
        TG_TRY(expect_more(scan, '}', &more));
    }
    return TG_OK;
}

static tg_status scan_header(scanner *scan, tg_safetensors *into) {
    bool more, metadata = false;
    EXPECT(scan, scan->size > 0 && scan->text[0] == '{',
           "the header does not begin with '{'; this is no .safetensors file");
    TG_TRY(expect_open(scan, '{', '}', &more));
    while (more) {
        const char *name;
        TG_TRY(scan_string(scan, &name));
        TG_TRY(expect(scan, ':'));
        if (strcmp(name, "__metadata__") == 0) {
            EXPECT(scan, !metadata, "the header has __metadata__ twice; the file is damaged");
            metadata = true;
            TG_TRY(scan_metadata(scan, &into->metadata));
        } else {
            tg_tensor *tensor = list_add(&into->tensors, sizeof *tensor);
            TG_REQUIRE(scan->err, tensor, TG_E_MEMORY,
                       "no memory is left to read the header; close other runs first");
            *tensor = (tg_tensor){.name = name};
            TG_TRY(scan_tensor(scan, tensor));
        }
        TG_TRY(expect_more(scan, '}', &more));
    }
    skip_space(scan);
    EXPECT(scan, scan->at == scan->size, "the header goes on at byte %zu after its end; the file is damaged",
           scan->at);
    return TG_OK;
}

/* ---- the whole file ----------------------------------------------------------------------------------- */

static int compare_data(const void *left, const void *right) {
    const tg_tensor *a = left, *b = right;
    if (a->data != b->data) return a->data < b->data ? -1 : 1;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? -1 : 1; /* an empty tensor comes before the one it touches */
    return strcmp(a->name, b->name);
}

static int compare_names(const void *left, const void *right) {
    const tg_tensor *const *a = left, *const *b = right;
    return strcmp((*a)->name, (*b)->name);
}

static int compare_keys(const void *left, const void *right) {
    const tg_metadata *a = left, *b = right;
    return strcmp(a->key, b->key);
}

static tg_status check_extents(tg_safetensors *file, const scanner *scan) {
    tg_tensor *tensors = file->tensors.items;
    size_t count = file->tensors.count;
    const uint8_t *end = scan->data;
    if (count) qsort(tensors, count, sizeof *tensors, compare_data);
    for (size_t i = 0; i < count; i++) {
        EXPECT(scan, tensors[i].data >= end,
               "the data of tensors \"%.60s\" and \"%.60s\" overlap; the file is damaged",
               tensors[i - 1].name, tensors[i].name);
        EXPECT(scan, tensors[i].data == end,
               "%zu bytes before the data of tensor \"%.60s\" belong to none; the file is damaged",
               (size_t)(tensors[i].data - end), tensors[i].name);
        end = tensors[i].data + tensors[i].bytes;
    }
    size_t used = (size_t)(end - scan->data);
    EXPECT(scan, used == scan->data_size, "%zu bytes at the end belong to no tensor; the file is damaged",
           scan->data_size - used);
    return TG_OK;
}

static tg_status check_names(tg_safetensors *file, const scanner *scan) {
    tg_tensor *tensors = file->tensors.items;
    tg_metadata *metadata = file->metadata.items;
    size_t count = file->tensors.count;
    file->by_name =
        tg_allocate(count * sizeof *file->by_name); /* fits: a tensor is larger than a pointer to it */
    TG_REQUIRE(scan->err, file->by_name, TG_E_MEMORY,
               "no memory is left to read the header; close other runs first");
    for (size_t i = 0; i < count; i++) file->by_name[i] = &tensors[i];
    if (count) qsort(file->by_name, count, sizeof *file->by_name, compare_names);
    for (size_t i = 1; i < count; i++)
        EXPECT(scan, strcmp(file->by_name[i - 1]->name, file->by_name[i]->name) != 0,
               "tensor \"%.60s\" is there twice; the file is damaged", file->by_name[i]->name);
    if (file->metadata.count) qsort(metadata, file->metadata.count, sizeof *metadata, compare_keys);
    for (size_t i = 1; i < file->metadata.count; i++)
        EXPECT(scan, strcmp(metadata[i - 1].key, metadata[i].key) != 0,
               "the key \"%.60s\" is in __metadata__ twice; the file is damaged", metadata[i].key);
    return TG_OK;
}

static tg_status read_file(tg_bytes bytes, tg_safetensors *file, tg_error *err) {
    TG_REQUIRE(err, bytes.size >= LENGTH_BYTES, TG_E_FORMAT,
               "has only %zu bytes, less than a .safetensors file begins with; download or save it again",
               bytes.size);
    uint64_t length = 0;
    for (size_t i = 0; i < LENGTH_BYTES; i++) length |= (uint64_t)bytes.data[i] << 8 * i;
    TG_REQUIRE(err, length <= MAX_HEADER, TG_E_FORMAT,
               "claims a header of %" PRIu64
               " bytes, more than the format allows; this is no .safetensors file",
               length);
    TG_REQUIRE(err, length <= bytes.size - LENGTH_BYTES, TG_E_FORMAT,
               "claims a header of %" PRIu64
               " bytes, but only %zu follow; the file is cut short, download or save it again",
               length, bytes.size - LENGTH_BYTES);
    size_t size = (size_t)length;
    file->header = tg_allocate(size + 1);
    TG_REQUIRE(err, file->header, TG_E_MEMORY,
               "no memory is left for a header of %zu bytes; close other runs first", size);
    memcpy(file->header, bytes.data + LENGTH_BYTES, size);
    file->header[size] = '\0';
    scanner scan = {file->header, size, 0, bytes.data + LENGTH_BYTES + size, bytes.size - LENGTH_BYTES - size,
                    err};
    TG_TRY(scan_header(&scan, file));
    TG_TRY(check_extents(file, &scan));
    return check_names(file, &scan);
}

tg_status tg_safetensors_open(tg_bytes bytes, tg_safetensors **out, tg_error *err) {
    *out = NULL;
    tg_safetensors *file = tg_allocate_zeroed(sizeof *file);
    tg_status status =
        file ? read_file(bytes, file, err) : tg_fail(err, TG_E_MEMORY, "no memory is left to open it");
    if (status != TG_OK) {
        tg_safetensors_close(file);
        return tg_fail_at(err, status, "%s", bytes.name);
    }
    *out = file;
    return TG_OK;
}

void tg_safetensors_close(tg_safetensors *file) {
    if (!file) return;
    tg_free(file->header);
    tg_free(file->tensors.items);
    tg_free(file->metadata.items);
    tg_free(file->by_name);
    tg_free(file);
}

size_t tg_safetensors_count(const tg_safetensors *file) {
    return file->tensors.count;
}

const tg_tensor *tg_safetensors_at(const tg_safetensors *file, size_t index) {
    return index < file->tensors.count ? (const tg_tensor *)file->tensors.items + index : NULL;
}

const tg_tensor *tg_safetensors_find(const tg_safetensors *file, const char *name) {
    tg_tensor wanted = {.name = name};
    const tg_tensor *key = &wanted, **found = NULL;
    if (file->tensors.count)
        found = bsearch(&key, file->by_name, file->tensors.count, sizeof *file->by_name, compare_names);
    return found ? *found : NULL;
}

const char *tg_safetensors_metadata(const tg_safetensors *file, const char *key) {
    tg_metadata wanted = {.key = key};
    const tg_metadata *found = NULL;
    if (file->metadata.count)
        found = bsearch(&wanted, file->metadata.items, file->metadata.count, sizeof wanted, compare_keys);
    return found ? found->value : NULL;
}

/* ---- writing ------------------------------------------------------------------------------------------ */

static const char *dtype_name(const tg_tensor *tensor) {
    return tensor->type < TG_TENSOR_OTHER ? dtypes[tensor->type].name : tensor->dtype;
}

static void write_header(tg_text *text, const tg_tensor *tensors, size_t count, const tg_metadata *metadata,
                         size_t metadata_count) {
    tg_json_open(text, NULL, '{');
    if (metadata_count) tg_json_open(text, "__metadata__", '{');
    for (size_t i = 0; i < metadata_count; i++) tg_json_string(text, metadata[i].key, metadata[i].value);
    if (metadata_count) tg_json_close(text, '}');
    size_t begin = 0;
    for (size_t i = 0; i < count; i++) {
        tg_json_open(text, tensors[i].name, '{');
        tg_json_string(text, "dtype", dtype_name(&tensors[i]));
        tg_json_open(text, "shape", '[');
        for (size_t axis = 0; axis < tensors[i].rank; axis++)
            tg_json_number(text, NULL, (double)tensors[i].shape[axis]);
        tg_json_close(text, ']');
        tg_json_open(text, "data_offsets", '[');
        tg_json_number(text, NULL, (double)begin);
        tg_json_number(text, NULL, (double)(begin += tensors[i].bytes));
        tg_json_close(text, ']');
        tg_json_close(text, '}');
    }
    tg_json_close(text, '}');
    while (!text->failed && text->size % LENGTH_BYTES) tg_text_append_bytes(text, " ", 1);
}

tg_status tg_safetensors_write(const tg_tensor *tensors, size_t count, const tg_metadata *metadata,
                               size_t metadata_count, uint8_t **out, size_t *size, tg_error *err) {
    *out = NULL;
    tg_text header = {0};
    write_header(&header, tensors, count, metadata, metadata_count);
    size_t total = 0;
    bool fits = !header.failed && tg_add_size(header.size, LENGTH_BYTES, &total);
    for (size_t i = 0; fits && i < count; i++) fits = tg_add_size(total, tensors[i].bytes, &total);
    uint8_t *file = fits ? tg_allocate(total) : NULL;
    if (!file || header.size > MAX_HEADER) {
        tg_free(file);
        size_t length = header.size;
        tg_text_free(&header);
        TG_REQUIRE(err, length <= MAX_HEADER, TG_E_FORMAT,
                   "its header would have %zu bytes, more than the format allows", length);
        return tg_fail(err, TG_E_MEMORY, "%.1f MB for the file could not be had; close other runs first",
                       (double)total / 1e6);
    }
    uint8_t *to = file;
    for (size_t i = 0; i < LENGTH_BYTES; i++) *to++ = (uint8_t)((uint64_t)header.size >> 8 * i);
    memcpy(to, header.data, header.size);
    to += header.size;
    for (size_t i = 0; i < count; i++) {
        if (tensors[i].bytes) memcpy(to, tensors[i].data, tensors[i].bytes);
        to += tensors[i].bytes;
    }
    tg_text_free(&header);
    *out = file;
    *size = total;
    return TG_OK;
}
