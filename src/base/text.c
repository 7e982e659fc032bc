#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/precision.h"

/* ---- growing ------------------------------------------------------------------------------------------ */

void tg_text_free(tg_text *text) {
    tg_free(text->data);
    *text = (tg_text){0};
}

void tg_text_clear(tg_text *text) {
    text->size = 0;
    text->failed = false;
    if (text->data) text->data[0] = '\0';
}

/* Room for `more` bytes and the NUL behind them. */
static bool reserve(tg_text *text, size_t more) {
    size_t needed, doubled;
    if (text->failed) return false;
    if (!tg_add_size(text->size, more, &needed) || !tg_add_size(needed, 1, &needed)) goto fail;
    if (needed <= text->capacity) return true;
    if (!tg_mul_size(text->capacity, 2, &doubled)) goto fail;
    size_t capacity = needed > doubled ? needed : doubled;
    if (capacity < 64) capacity = 64;
    char *data = tg_allocate(capacity);
    if (!data) goto fail;
    if (text->size) memcpy(data, text->data, text->size);
    data[text->size] = '\0';
    tg_free(text->data);
    text->data = data;
    text->capacity = capacity;
    return true;
fail:
    text->failed = true;
    return false;
}

void tg_text_append_bytes(tg_text *text, const void *data, size_t size) {
    if (!reserve(text, size)) return;
    if (size) memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void tg_text_append(tg_text *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        text->failed = true;
    } else if (reserve(text, (size_t)length)) {
        vsnprintf(text->data + text->size, (size_t)length + 1, format, again);
        text->size += (size_t)length;
    }
    va_end(again);
    va_end(arguments);
}

/* ---- JSON --------------------------------------------------------------------------------------------- */

size_t tg_utf8_length(const char *text, size_t size) {
    const unsigned char *byte = (const unsigned char *)text;
    if (size == 0) return 0;
    if (byte[0] < 0x80) return 1;
    if (byte[0] < 0xc2 || byte[0] > 0xf4) return 0; /* a continuation, an overlong form, beyond U+10FFFF */
    size_t length = byte[0] < 0xe0 ? 2 : byte[0] < 0xf0 ? 3 : 4;
    if (length > size) return 0;
    for (size_t i = 1; i < length; i++)
        if ((byte[i] & 0xc0) != 0x80) return 0;
    if (byte[0] == 0xe0 && byte[1] < 0xa0) return 0; /* overlong */
    if (byte[0] == 0xed && byte[1] > 0x9f) return 0; /* a surrogate */
    if (byte[0] == 0xf0 && byte[1] < 0x90) return 0; /* overlong */
    if (byte[0] == 0xf4 && byte[1] > 0x8f) return 0; /* beyond U+10FFFF */
    return length;
}

static void append_quoted(tg_text *text, const char *string) {
    size_t size = strlen(string);
    tg_text_append_bytes(text, "\"", 1);
    for (size_t i = 0; i < size;) {
        unsigned char byte = (unsigned char)string[i];
        size_t length = tg_utf8_length(string + i, size - i);
        if (length == 0) {
            tg_text_append_bytes(text, "\xef\xbf\xbd", 3);
            length = 1;
        } else if (byte < 0x20) {
            tg_text_append(text, "\\u%04x", byte);
        } else {
            if (byte == '"' || byte == '\\') tg_text_append_bytes(text, "\\", 1);
            tg_text_append_bytes(text, string + i, length);
        }
        i += length;
    }
    tg_text_append_bytes(text, "\"", 1);
}

static void begin_value(tg_text *text, const char *key) {
    char last = text->size ? text->data[text->size - 1] : '[';
    if (last != '[' && last != '{' && last != ':') tg_text_append_bytes(text, ",", 1);
    if (!key) return;
    append_quoted(text, key);
    tg_text_append_bytes(text, ":", 1);
}

void tg_json_open(tg_text *text, const char *key, char bracket) {
    begin_value(text, key);
    tg_text_append_bytes(text, &bracket, 1);
}

void tg_json_close(tg_text *text, char bracket) {
    tg_text_append_bytes(text, &bracket, 1);
}

void tg_json_string(tg_text *text, const char *key, const char *value) {
    begin_value(text, key);
    append_quoted(text, value);
}

void tg_json_bool(tg_text *text, const char *key, bool value) {
    begin_value(text, key);
    tg_text_append(text, value ? "true" : "false");
}

void tg_json_number(tg_text *text, const char *key, double value) {
    begin_value(text, key);
    if (!isfinite(value)) {
        tg_text_append(text, "null");
        return;
    }
    char digits[64];
    snprintf(digits, sizeof digits, "%.*g", tg_precision(value), value);
    if (value == rint(value) && fabs(value) < 1e15 && (value != 0 || !signbit(value)))
        snprintf(digits, sizeof digits, "%.0f", value); /* 600000, not 6e+05 */
    /* The host's locale decides what printf puts between whole and fraction: it is whatever is not one of
     * these. */
    for (const char *at = digits; *at;) {
        size_t length = strspn(at, "0123456789+-e");
        tg_text_append_bytes(text, at, length);
        at += length;
        if (*at) tg_text_append_bytes(text, ".", 1);
        at += strcspn(at, "0123456789+-e");
    }
}
