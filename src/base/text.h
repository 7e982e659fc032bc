/* Growing text, and JSON written into it. */
#ifndef TG_BASE_TEXT_H
#define TG_BASE_TEXT_H

#include "base/status.h"

typedef struct tg_text {
    char *data; /* NUL-terminated; NULL while empty */
    size_t size, capacity;
    bool failed; /* an allocation failed: everything since is lost; checked once, at the end */
} tg_text;

void tg_text_free(tg_text *text);
void tg_text_clear(tg_text *text); /* keeps the memory */
void tg_text_append(tg_text *text, const char *format, ...) TG_PRINTF(2, 3);
void tg_text_append_bytes(tg_text *text, const void *data, size_t size);

/* JSON values. A comma is put in by itself where the text before ends a value. Numbers: shortest decimal that
 * reads back to the same double; NaN and infinities become null. Strings are escaped, invalid UTF-8 becomes
 * U+FFFD. */
void tg_json_open(tg_text *text, const char *key, char bracket); /* '{' or '['; key NULL inside a list */
void tg_json_close(tg_text *text, char bracket);                 /* '}' or ']' */
void tg_json_number(tg_text *text, const char *key, double value);
void tg_json_string(tg_text *text, const char *key, const char *value);
void tg_json_bool(tg_text *text, const char *key, bool value);

/* Bytes (1..4) of the UTF-8 sequence that text[0..size) begins with; 0 where it is not valid. */
size_t tg_utf8_length(const char *text, size_t size);

#endif
