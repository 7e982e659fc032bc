/* cJSON reads the JSON, the engine's own tables say what is allowed in it: between them there is only this
 * walk. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

/* ---- text -> JSON ------------------------------------------------------------------------------------- */

tg_status cli_json_parse(const char *name, const char *text, size_t size, cJSON **out, tg_error *err) {
    const char *end = text;
    *out = cJSON_ParseWithLengthOpts(text, size, &end, false);
    size_t at = (size_t)(end - text);
    if (*out) {
        while (at < size && strchr(" \t\r\n", text[at]) && text[at]) at++;
        if (at == size) return TG_OK;
        cJSON_Delete(*out);
        *out = NULL;
    }
    size_t line = 1, column = 1;
    for (size_t i = 0; i < at && i < size; i++) {
        column++;
        if (text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    char where[sizeof err->where];
    snprintf(where, sizeof where, "%.120s:%zu:%zu", name, line, column);
    return cli_fail(err, TG_E_RECIPE, where,
                    "is no JSON from here on; look for a missing or surplus comma, quote or bracket");
}

/* ---- JSON -> attributes ------------------------------------------------------------------------------- */

/* Where the walk is: a member of an object, or the index-th item of a list. */
typedef struct place {
    const struct place *outer;
    const char *key;
    size_t index;
} place;

/* "model.layers[3]" */
static size_t write_place(const place *here, char *text, size_t size) {
    if (!here) return 0;
    size_t used = write_place(here->outer, text, size);
    if (used >= size) return used;
    int written = here->key ? snprintf(text + used, size - used, "%s%.60s", used ? "." : "", here->key)
                            : snprintf(text + used, size - used, "[%zu]", here->index);
    return written < 0 ? used : used + (size_t)written;
}

static tg_status walk_value(const cJSON *value, const char *key, const place *here, tg_attrs *attrs,
                            tg_error *err);

static tg_status walk_members(const cJSON *container, const place *outer, tg_attrs *attrs, tg_error *err) {
    size_t index = 0;
    for (const cJSON *item = container->child; item; item = item->next, index++) {
        const char *key = cJSON_IsObject(container) ? item->string : NULL;
        place here = {outer, key, index};
        if (walk_value(item, key, &here, attrs, err) != TG_OK) return err->status;
    }
    return TG_OK;
}

static tg_status walk_value(const cJSON *value, const char *key, const place *here, tg_attrs *attrs,
                            tg_error *err) {
    tg_status status;
    if (cJSON_IsNumber(value)) status = tg_attrs_number(attrs, key, value->valuedouble, err);
    else if (cJSON_IsString(value)) status = tg_attrs_string(attrs, key, value->valuestring, err);
    else if (cJSON_IsBool(value)) status = tg_attrs_bool(attrs, key, cJSON_IsTrue(value), err);
    else if (cJSON_IsNull(value)) status = tg_attrs_null(attrs, key, err);
    else {
        status = cJSON_IsObject(value) ? tg_attrs_open_object(attrs, key, err)
                                       : tg_attrs_open_list(attrs, key, err);
        if (status == TG_OK) {
            status = walk_members(value, here, attrs, err);
            return status == TG_OK ? tg_attrs_close(attrs, err) : status;
        }
    }
    if (status != TG_OK) write_place(here, err->where, sizeof err->where);
    return status;
}

tg_status cli_json_walk(const cJSON *object, tg_attrs *attrs, tg_error *err) {
    return walk_members(object, NULL, attrs, err);
}
