#include "base/attrs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* ---- the tree ------------------------------------------------------------------------------------------------ */

enum { MAX_DEPTH = 32, CHUNK_BYTES = 4096 };

typedef struct chunk {
    struct chunk *next;
    size_t used, capacity;
    _Alignas(8) uint8_t data[];
} chunk;

struct tg_attrs {
    tg_value root;
    tg_value *open; /* where the next value goes */
    size_t depth;
    chunk *chunks; /* every value and string lives in these */
};

static void *take(tg_attrs *attrs, size_t bytes) {
    bytes = (bytes + 7) & ~(size_t)7;
    chunk *top = attrs->chunks;
    if (!top || top->capacity - top->used < bytes) {
        size_t capacity = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
        top = tg_allocate(sizeof(chunk) + capacity);
        if (!top) return NULL;
        *top = (chunk){.next = attrs->chunks, .capacity = capacity};
        attrs->chunks = top;
    }
    void *memory = top->data + top->used;
    top->used += bytes;
    return memory;
}

static const char *take_string(tg_attrs *attrs, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = take(attrs, bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

tg_status tg_attrs_create(tg_attrs **out, tg_error *err) {
    *out = tg_allocate_zeroed(sizeof(tg_attrs));
    TG_REQUIRE(err, *out, TG_E_MEMORY, "no memory left for the recipe");
    (*out)->root.kind = TG_OBJECT;
    (*out)->open = &(*out)->root;
    return TG_OK;
}

void tg_attrs_destroy(tg_attrs *attrs) {
    if (!attrs) return;
    for (chunk *c = attrs->chunks; c;) {
        chunk *next = c->next;
        tg_free(c);
        c = next;
    }
    tg_free(attrs);
}

static tg_status add(tg_attrs *attrs, const char *key, tg_value value, tg_value **out, tg_error *err) {
    tg_value *into = attrs->open;
    TG_REQUIRE(err, (into->kind == TG_OBJECT) == (key != NULL), TG_E_ARGUMENT,
               "a value in an object needs a key, one in a list has none");
    if (key && tg_value_get(into, key))
        return tg_fail(err, TG_E_RECIPE, "the key \"%.60s\" stands twice", key);
    tg_value *added = take(attrs, sizeof *added);
    TG_REQUIRE(err, added, TG_E_MEMORY, "no memory left for the recipe");
    *added = value;
    added->parent = into;
    if (key && !(added->key = take_string(attrs, key)))
        return tg_fail(err, TG_E_MEMORY, "no memory left for the recipe");
    if (value.string && !(added->string = take_string(attrs, value.string)))
        return tg_fail(err, TG_E_MEMORY, "no memory left for the recipe");
    if (into->last) into->last->next = added;
    else into->first = added;
    into->last = added;
    into->count++;
    if (out) *out = added;
    return TG_OK;
}

static tg_status open_container(tg_attrs *attrs, const char *key, tg_value_kind kind, tg_error *err) {
    TG_REQUIRE(err, attrs->depth < MAX_DEPTH, TG_E_RECIPE, "nested deeper than %d levels", MAX_DEPTH);
    tg_value *added;
    TG_TRY(add(attrs, key, (tg_value){.kind = kind}, &added, err));
    attrs->open = added;
    attrs->depth++;
    return TG_OK;
}

tg_status tg_attrs_open_object(tg_attrs *attrs, const char *key, tg_error *err) {
    return open_container(attrs, key, TG_OBJECT, err);
}

tg_status tg_attrs_open_list(tg_attrs *attrs, const char *key, tg_error *err) {
    return open_container(attrs, key, TG_LIST, err);
}

tg_status tg_attrs_close(tg_attrs *attrs, tg_error *err) {
    TG_REQUIRE(err, attrs->depth > 0, TG_E_ARGUMENT, "closed more objects and lists than were opened");
    attrs->open = attrs->open->parent;
    attrs->depth--;
    return TG_OK;
}

tg_status tg_attrs_number(tg_attrs *attrs, const char *key, double value, tg_error *err) {
    return add(attrs, key, (tg_value){.kind = TG_NUMBER, .number = value}, NULL, err);
}

tg_status tg_attrs_string(tg_attrs *attrs, const char *key, const char *value, tg_error *err) {
    return add(attrs, key, (tg_value){.kind = TG_STRING, .string = value}, NULL, err);
}

tg_status tg_attrs_bool(tg_attrs *attrs, const char *key, bool value, tg_error *err) {
    return add(attrs, key, (tg_value){.kind = TG_BOOL, .number = value}, NULL, err);
}

tg_status tg_attrs_null(tg_attrs *attrs, const char *key, tg_error *err) {
    return add(attrs, key, (tg_value){.kind = TG_NULL}, NULL, err);
}

const tg_value *tg_attrs_root(const tg_attrs *attrs) {
    return &attrs->root;
}

const tg_value *tg_value_get(const tg_value *object, const char *key) {
    if (!object || object->kind != TG_OBJECT) return NULL;
    for (const tg_value *v = object->first; v; v = v->next)
        if (strcmp(v->key, key) == 0) return v;
    return NULL;
}

tg_status tg_attrs_copy(tg_attrs *attrs, const char *key, const tg_value *value, tg_error *err) {
    if (value->kind != TG_LIST && value->kind != TG_OBJECT)
        return add(attrs, key,
                   (tg_value){.kind = value->kind, .number = value->number, .string = value->string}, NULL,
                   err);
    TG_TRY(open_container(attrs, key, value->kind, err));
    for (const tg_value *v = value->first; v; v = v->next) TG_TRY(tg_attrs_copy(attrs, v->key, v, err));
    return tg_attrs_close(attrs, err);
}

void tg_value_write(tg_text *text, const char *key, const tg_value *value) {
    switch (value->kind) {
    case TG_NULL: tg_json_number(text, key, NAN); break;
    case TG_BOOL: tg_json_bool(text, key, value->number != 0); break;
    case TG_NUMBER: tg_json_number(text, key, value->number); break;
    case TG_STRING: tg_json_string(text, key, value->string); break;
    case TG_LIST:
    case TG_OBJECT:
        tg_json_open(text, key, value->kind == TG_LIST ? '[' : '{');
        for (const tg_value *v = value->first; v; v = v->next) tg_value_write(text, v->key, v);
        tg_json_close(text, value->kind == TG_LIST ? ']' : '}');
        break;
    }
}

/* ---- the tables ---------------------------------------------------------------------------------------------- */

static bool has_word(const char *words, const char *word) {
    size_t length = strlen(word);
    for (const char *at = words; at && *at;) {
        const char *end = strchr(at, '|');
        size_t span = end ? (size_t)(end - at) : strlen(at);
        if (span == length && memcmp(at, word, length) == 0) return true;
        at = end ? end + 1 : NULL;
    }
    return false;
}

static int choice_index(const char *choices, const char *word) {
    int index = 0;
    size_t length = strlen(word);
    for (const char *at = choices; at; index++) {
        const char *end = strchr(at, '|');
        size_t span = end ? (size_t)(end - at) : strlen(at);
        if (span == length && memcmp(at, word, length) == 0) return index;
        at = end ? end + 1 : NULL;
    }
    return -1;
}

static const char *choice_text(const char *choices, int index, size_t *span) {
    const char *at = choices;
    while (index-- > 0) at = strchr(at, '|') + 1;
    const char *end = strchr(at, '|');
    *span = end ? (size_t)(end - at) : strlen(at);
    return at;
}

static const char *kind_name(tg_value_kind kind) {
    static const char *const names[] = {"null", "true or false", "a number", "a text", "a list", "an object"};
    return names[kind];
}

static tg_status check_number(const tg_attr *row, const tg_value *value, bool whole, tg_error *err) {
    TG_REQUIRE(err, value->kind == TG_NUMBER, TG_E_RECIPE, "%s must be %s, not %s", row->name,
               whole ? "a whole number" : "a number", kind_name(value->kind));
    double x = value->number;
    TG_REQUIRE(err, isfinite(x), TG_E_RECIPE, "%s must be a finite number", row->name);
    TG_REQUIRE(err, !whole || x == floor(x), TG_E_RECIPE, "%s must be a whole number, not %.16g", row->name,
               x);
    bool low = (row->flags & TG_ATTR_ABOVE_MIN) ? x <= row->min : x < row->min;
    bool high = (row->flags & TG_ATTR_BELOW_MAX) ? x >= row->max : x > row->max;
    TG_REQUIRE(err, !low, TG_E_RECIPE, "%s must be %s %.16g, not %.16g", row->name,
               (row->flags & TG_ATTR_ABOVE_MIN) ? "above" : "at least", row->min, x);
    TG_REQUIRE(err, !high, TG_E_RECIPE, "%s must be %s %.16g, not %.16g", row->name,
               (row->flags & TG_ATTR_BELOW_MAX) ? "below" : "at most", row->max, x);
    return TG_OK;
}

/* A number or a list of numbers, handed to put(into, index, number). */
static tg_status read_numbers(const tg_attr *row, const tg_value *value, bool whole, size_t most,
                              size_t *count, void (*put)(void *into, size_t index, double number), void *into,
                              tg_error *err) {
    *count = 0;
    if (value->kind != TG_LIST) {
        TG_TRY(check_number(row, value, whole, err));
        put(into, (*count)++, value->number);
        return TG_OK;
    }
    TG_REQUIRE(err, value->count >= 1 && value->count <= most, TG_E_RECIPE,
               "%s must be a number or a list of 1 to %zu numbers", row->name, most);
    for (const tg_value *v = value->first; v; v = v->next) {
        TG_TRY(check_number(row, v, whole, err));
        put(into, (*count)++, v->number);
    }
    return TG_OK;
}

static void put_size(void *into, size_t index, double number) {
    ((tg_sizes *)into)->value[index] = (uint64_t)number;
}

static void put_real(void *into, size_t index, double number) {
    ((tg_reals *)into)->value[index] = number;
}

static tg_status read_one(const tg_attr *row, const tg_value *value, void *field, tg_error *err) {
    switch (row->type) {
    case TG_ATTR_INT:
        TG_TRY(check_number(row, value, true, err));
        *(uint64_t *)field = (uint64_t)value->number;
        return TG_OK;
    case TG_ATTR_REAL:
        TG_TRY(check_number(row, value, false, err));
        *(double *)field = value->number;
        return TG_OK;
    case TG_ATTR_FLAG:
        TG_REQUIRE(err, value->kind == TG_BOOL, TG_E_RECIPE, "%s must be true or false, not %s", row->name,
                   kind_name(value->kind));
        *(bool *)field = value->number != 0;
        return TG_OK;
    case TG_ATTR_CHOICE: {
        TG_REQUIRE(err, value->kind == TG_STRING, TG_E_RECIPE, "%s must be one of %s, not %s", row->name,
                   row->choices, kind_name(value->kind));
        int index = choice_index(row->choices, value->string);
        TG_REQUIRE(err, index >= 0, TG_E_RECIPE, "%s must be one of %s, not \"%.40s\"", row->name,
                   row->choices, value->string);
        *(int *)field = index;
        return TG_OK;
    }
    case TG_ATTR_NAME:
        TG_REQUIRE(err, value->kind == TG_STRING, TG_E_RECIPE, "%s must be a text, not %s", row->name,
                   kind_name(value->kind));
        *(const char **)field = value->string;
        return TG_OK;
    case TG_ATTR_SIZES: {
        tg_sizes *sizes = field;
        return read_numbers(row, value, true, TG_MAX_SIZES, &sizes->count, put_size, sizes, err);
    }
    case TG_ATTR_REALS: {
        tg_reals *reals = field;
        return read_numbers(row, value, false, TG_MAX_REALS, &reals->count, put_real, reals, err);
    }
    case TG_ATTR_PADDING: {
        tg_padding *padding = field;
        padding->choice = value->kind == TG_STRING ? choice_index(row->choices, value->string) : -1;
        if (value->kind != TG_STRING)
            return read_numbers(row, value, true, TG_MAX_SIZES, &padding->sizes.count, put_size,
                                &padding->sizes, err);
        TG_REQUIRE(err, padding->choice >= 0, TG_E_RECIPE,
                   "%s must be one of %s or whole numbers, not \"%.40s\"", row->name, row->choices,
                   value->string);
        return TG_OK;
    }
    case TG_ATTR_TREE: *(const tg_value **)field = value; return TG_OK;
    }
    return tg_fail(err, TG_E_ARGUMENT, "%s has no type", row->name);
}

static void set_default(const tg_attr *row, void *field) {
    switch (row->type) {
    case TG_ATTR_INT: *(uint64_t *)field = (uint64_t)row->fallback; break;
    case TG_ATTR_REAL: *(double *)field = row->fallback; break;
    case TG_ATTR_FLAG: *(bool *)field = row->fallback != 0; break;
    case TG_ATTR_CHOICE: *(int *)field = (int)row->fallback; break;
    case TG_ATTR_PADDING: *(tg_padding *)field = (tg_padding){.choice = (int)row->fallback}; break;
    case TG_ATTR_NAME: *(const char **)field = NULL; break;
    case TG_ATTR_TREE: *(const tg_value **)field = NULL; break;
    case TG_ATTR_SIZES:
        *(tg_sizes *)field = (tg_sizes){.count = isnan(row->fallback) ? 0u : 1u};
        if (!isnan(row->fallback)) put_size(field, 0, row->fallback);
        break;
    case TG_ATTR_REALS:
        *(tg_reals *)field = (tg_reals){.count = isnan(row->fallback) ? 0u : 1u};
        if (!isnan(row->fallback)) put_real(field, 0, row->fallback);
        break;
    }
}

tg_status tg_attrs_unknown_type(const char *type, const char *(*name_at)(size_t index), tg_error *err) {
    char known[240] = "";
    size_t written = 0;
    const char *name;
    for (size_t i = 0; (name = name_at(i)) && written < sizeof known; i++)
        written += (size_t)snprintf(known + written, sizeof known - written, "%s%s", i ? ", " : "", name);
    return tg_fail(err, TG_E_RECIPE, "unknown type \"%.40s\"; there are %s", type, known);
}

static tg_status unknown_key(const char *key, const tg_attr *rows, size_t count, const char *also,
                             tg_error *err) {
    char known[240];
    int used = 0;
    for (const char *at = also; at && *at;) {
        int span = (int)strcspn(at, "|");
        if ((size_t)used < sizeof known)
            used += snprintf(known + used, sizeof known - (size_t)used, "%.*s, ", span, at);
        at += at[span] ? span + 1 : span;
    }
    for (size_t i = 0; i < count && (size_t)used < sizeof known; i++)
        used += snprintf(known + used, sizeof known - (size_t)used, "%s, ", rows[i].name);
    if (used == 0) return tg_fail(err, TG_E_RECIPE, "unknown key \"%.40s\"; there are none", key);
    if ((size_t)used < sizeof known) known[used - 2] = 0; /* the last comma */
    return tg_fail(err, TG_E_RECIPE, "unknown key \"%.40s\"; there are %s", key, known);
}

tg_status tg_attrs_read(const tg_value *object, const tg_attr *rows, size_t count, const char *also,
                        void *out, tg_error *err) {
    TG_REQUIRE(err, !object || object->kind == TG_OBJECT, TG_E_RECIPE, "must be an object, not %s",
               kind_name(object->kind));
    for (size_t i = 0; i < count; i++) {
        void *field = (uint8_t *)out + rows[i].offset;
        set_default(&rows[i], field);
        const tg_value *value = tg_value_get(object, rows[i].name);
        if (value) TG_TRY(read_one(&rows[i], value, field, err));
        else TG_REQUIRE(err, !(rows[i].flags & TG_ATTR_REQUIRED), TG_E_RECIPE, "%s is missing", rows[i].name);
    }
    for (const tg_value *v = object ? object->first : NULL; v; v = v->next) {
        bool known = strncmp(v->key, "x-", 2) == 0 || has_word(also, v->key);
        for (size_t i = 0; i < count && !known; i++) known = strcmp(rows[i].name, v->key) == 0;
        if (!known) return unknown_key(v->key, rows, count, also, err);
    }
    return TG_OK;
}

static void write_choice(tg_text *text, const tg_attr *row, int index) {
    size_t span;
    const char *choice = choice_text(row->choices, index, &span);
    char word[64];
    if (span >= sizeof word) span = sizeof word - 1;
    memcpy(word, choice, span);
    word[span] = 0;
    tg_json_string(text, row->name, word);
}

/* One number is written as such, several as a list, none not at all. */
static void write_sizes(tg_text *text, const char *key, const tg_sizes *sizes) {
    if (sizes->count == 1) tg_json_number(text, key, (double)sizes->value[0]);
    if (sizes->count < 2) return;
    tg_json_open(text, key, '[');
    for (size_t j = 0; j < sizes->count; j++) tg_json_number(text, NULL, (double)sizes->value[j]);
    tg_json_close(text, ']');
}

static void write_reals(tg_text *text, const char *key, const tg_reals *reals) {
    if (reals->count == 1) tg_json_number(text, key, reals->value[0]);
    if (reals->count < 2) return;
    tg_json_open(text, key, '[');
    for (size_t j = 0; j < reals->count; j++) tg_json_number(text, NULL, reals->value[j]);
    tg_json_close(text, ']');
}

void tg_attrs_write(tg_text *text, const tg_attr *rows, size_t count, const void *in) {
    for (size_t i = 0; i < count; i++) {
        const tg_attr *row = &rows[i];
        const void *field = (const uint8_t *)in + row->offset;
        switch (row->type) {
        case TG_ATTR_INT: tg_json_number(text, row->name, (double)*(const uint64_t *)field); break;
        case TG_ATTR_REAL: tg_json_number(text, row->name, *(const double *)field); break;
        case TG_ATTR_FLAG: tg_json_bool(text, row->name, *(const bool *)field); break;
        case TG_ATTR_CHOICE: write_choice(text, row, *(const int *)field); break;
        case TG_ATTR_SIZES: write_sizes(text, row->name, field); break;
        case TG_ATTR_REALS: write_reals(text, row->name, field); break;
        case TG_ATTR_PADDING: {
            const tg_padding *padding = field;
            if (padding->choice >= 0) write_choice(text, row, padding->choice);
            else write_sizes(text, row->name, &padding->sizes);
            break;
        }
        case TG_ATTR_NAME:
            if (*(const char *const *)field) tg_json_string(text, row->name, *(const char *const *)field);
            break;
        case TG_ATTR_TREE:
            if (*(const tg_value *const *)field)
                tg_value_write(text, row->name, *(const tg_value *const *)field);
            break;
        }
    }
}

void tg_attrs_write_extra(tg_text *text, const tg_value *object) {
    if (!object || object->kind != TG_OBJECT) return;
    for (const tg_value *v = object->first; v; v = v->next)
        if (strncmp(v->key, "x-", 2) == 0) tg_value_write(text, v->key, v);
}
