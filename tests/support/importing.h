/* One import at a time, as the tests make it: begin, give files, end. */
#ifndef TG_TESTS_IMPORTING_H
#define TG_TESTS_IMPORTING_H

#include "support/assert.h"

typedef struct importing {
    tg_import *import;
    tg_dataset *train, *test; /* after end_import */
} importing;

/* zlib as a tg_inflate. */
size_t inflate_with_zlib(void *ctx, const uint8_t *from, size_t size, uint8_t *to, size_t room);

/* options: JSON with ' for ", or NULL. */
void begin_import(importing *in, const char *options);
void give_bytes(importing *in, const char *name, const void *data, size_t size);
#define GIVE(in, name, ...)                                                                                  \
    give_bytes((in), (name), (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
void give_text(importing *in, const char *name, const char *text);
/* tests/fixtures/<path>, under this name. */
void give_fixture(importing *in, const char *name, const char *path);
/* Fails where no set comes out. */
void end_import(importing *in);
/* Fails unless the import ends with exactly this sentence. */
void end_import_failing(importing *in, const char *expected);
/* This stands in the report (JSON with ' for "). */
void report_says(const importing *in, const char *text);
void free_import(importing *in);

/* The set of a pair of files; labels.data NULL: of images alone. */
tg_status import_pair(tg_bytes images, tg_bytes labels, tg_dataset **out, tg_error *err);

#endif
