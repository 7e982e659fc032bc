#include "support/importing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "support/recipe.h"

size_t inflate_with_zlib(void *ctx, const uint8_t *from, size_t size, uint8_t *to, size_t room) {
    (void)ctx;
    z_stream stream = {
        .next_in = (uint8_t *)from, .avail_in = (unsigned)size, .next_out = to, .avail_out = (unsigned)room};
    if (inflateInit(&stream) != Z_OK) return SIZE_MAX;
    int code = room ? inflate(&stream, Z_SYNC_FLUSH) : Z_OK;
    size_t written = room - stream.avail_out;
    inflateEnd(&stream);
    return code == Z_OK || code == Z_STREAM_END || (code == Z_BUF_ERROR && written == room) ? written
                                                                                            : SIZE_MAX;
}

void begin_import(importing *in, const char *options) {
    *in = (importing){0};
    tg_error err;
    tg_attrs *attrs = options ? attrs_from("%s", options) : NULL;
    ASSERT_OK(tg_import_create(attrs, inflate_with_zlib, NULL, &in->import, &err));
    tg_attrs_destroy(attrs);
}

void give_bytes(importing *in, const char *name, const void *data, size_t size) {
    uint8_t *exact = malloc(size ? size : 1); /* so that a sanitizer sees a read behind it */
    assert_non_null(exact);
    if (size) memcpy(exact, data, size);
    tg_error err;
    ASSERT_OK(tg_import_file(in->import, (tg_bytes){name, exact, size}, &err));
    free(exact);
}

void give_text(importing *in, const char *name, const char *text) {
    give_bytes(in, name, text, strlen(text));
}

void give_fixture(importing *in, const char *name, const char *path) {
    char whole[1024];
    snprintf(whole, sizeof whole, "%s/%s", TG_FIXTURES, path);
    size_t size;
    uint8_t *data = read_whole_file(whole, &size);
    if (!data) fail_msg("%s cannot be read", whole);
    give_bytes(in, name, data, size);
    free(data);
}

void end_import(importing *in) {
    tg_error err;
    ASSERT_OK(tg_import_finish(in->import, &in->train, &in->test, &err));
    assert_non_null(in->train);
}

void end_import_failing(importing *in, const char *expected) {
    tg_error err;
    tg_status status = tg_import_finish(in->import, &in->train, &in->test, &err);
    assert_string_equal(sentence(status, &err), expected);
    assert_null(in->train);
    assert_null(in->test);
}

void report_says(const importing *in, const char *text) {
    char json[1024];
    size_t length = strlen(text);
    assert_true(length < sizeof json);
    for (size_t i = 0; i <= length; i++) json[i] = (char)(text[i] == '\'' ? '"' : text[i]);
    if (!strstr(tg_import_report(in->import), json))
        fail_msg("%s\nis not in\n%s", json, tg_import_report(in->import));
}

void free_import(importing *in) {
    tg_dataset_destroy(in->train);
    tg_dataset_destroy(in->test);
    tg_import_destroy(in->import);
    *in = (importing){0};
}

tg_status import_pair(tg_bytes images, tg_bytes labels, tg_dataset **out, tg_error *err) {
    tg_import *import = NULL;
    tg_dataset *test = NULL;
    tg_attrs *options = labels.data ? NULL : attrs_from("{'unlabeled':true}");
    *out = NULL;
    tg_status status = tg_import_create(options, inflate_with_zlib, NULL, &import, err);
    tg_attrs_destroy(options);
    if (status == TG_OK) status = tg_import_file(import, images, err);
    if (status == TG_OK && labels.data) status = tg_import_file(import, labels, err);
    if (status == TG_OK) status = tg_import_finish(import, out, &test, err);
    tg_dataset_destroy(test);
    tg_import_destroy(import);
    return status;
}
