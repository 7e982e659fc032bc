#include "support/recipe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "support/assert.h"

static void walk(tg_attrs *attrs, const char *key, const cJSON *value) {
    tg_error err;
    if (cJSON_IsNumber(value)) ASSERT_OK(tg_attrs_number(attrs, key, value->valuedouble, &err));
    else if (cJSON_IsString(value)) ASSERT_OK(tg_attrs_string(attrs, key, value->valuestring, &err));
    else if (cJSON_IsBool(value)) ASSERT_OK(tg_attrs_bool(attrs, key, cJSON_IsTrue(value), &err));
    else if (cJSON_IsNull(value)) ASSERT_OK(tg_attrs_null(attrs, key, &err));
    else {
        if (cJSON_IsObject(value)) ASSERT_OK(tg_attrs_open_object(attrs, key, &err));
        else ASSERT_OK(tg_attrs_open_list(attrs, key, &err));
        for (const cJSON *item = value->child; item; item = item->next)
            walk(attrs, cJSON_IsObject(value) ? item->string : NULL, item);
        ASSERT_OK(tg_attrs_close(attrs, &err));
    }
}

static cJSON *parse(const char *text) {
    cJSON *json = cJSON_Parse(text);
    if (!json) fail_msg("no JSON at: %.80s", cJSON_GetErrorPtr());
    return json;
}

tg_attrs *attrs_of(const cJSON *object) {
    tg_attrs *attrs;
    tg_error err;
    ASSERT_OK(tg_attrs_create(&attrs, &err));
    for (const cJSON *item = object->child; item; item = item->next) walk(attrs, item->string, item);
    return attrs;
}

tg_attrs *attrs_from(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = malloc((size_t)length + 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    for (char *c = text; *c; c++)
        if (*c == '\'') *c = '"';
    cJSON *json = parse(text);
    tg_attrs *attrs = attrs_of(json);
    cJSON_Delete(json);
    free(text);
    return attrs;
}

tg_attrs *document_of(const tg_checkpoint *checkpoint) {
    static const char *const keys[] = {"recipe", "history", "classes"};
    tg_attrs *attrs;
    tg_error err;
    ASSERT_OK(tg_attrs_create(&attrs, &err));
    for (size_t i = 0; i < 3; i++) {
        cJSON *json = parse(tg_checkpoint_metadata(checkpoint, keys[i]));
        walk(attrs, keys[i], json);
        cJSON_Delete(json);
    }
    return attrs;
}
