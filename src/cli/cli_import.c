/* Files, folders and archives of the command line into the importer, and datasets out of it. */
#define _XOPEN_SOURCE 700 /* scandir */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "cli.h"

enum { MAX_DEPTH = 16, NAME_SIZE = 4096 };

static size_t inflate_zlib(void *ctx, const uint8_t *from, size_t size, uint8_t *to, size_t room) {
    (void)ctx;
    z_stream stream = {.next_in = (uint8_t *)from, .next_out = to};
    if (size > UINT32_MAX || room > UINT32_MAX || inflateInit(&stream) != Z_OK) return SIZE_MAX;
    stream.avail_in = (unsigned)size;
    stream.avail_out = (unsigned)room;
    int code = inflate(&stream, Z_SYNC_FLUSH);
    size_t written = room - stream.avail_out;
    inflateEnd(&stream);
    return code == Z_OK || code == Z_STREAM_END || (code == Z_BUF_ERROR && written == room) ? written
                                                                                            : SIZE_MAX;
}

/* ---- one file ----------------------------------------------------------------------------------------- */

static tg_status take_file(void *ctx, const char *name, const cli_file *file, tg_error *err) {
    tg_import *import = ctx;
    if (cli_picture_look(file) == CLI_NO_PICTURE)
        return tg_import_file(import, (tg_bytes){name, (const uint8_t *)file->data, file->size}, err);
    cli_picture picture;
    const char *problem = cli_picture_decode(file, &picture);
    if (problem) return tg_import_skip(import, name, problem, err);
    tg_status status =
        tg_import_picture(import, name, picture.height, picture.width, picture.channels, picture.pixels, err);
    free(picture.pixels);
    return status;
}

static tg_status take_skip(void *ctx, const char *name, const char *reason, tg_error *err) {
    return tg_import_skip(ctx, name, reason, err);
}

/* ---- folders ------------------------------------------------------------------------------------------ */

static tg_status visit_path(const char *path, const char *name, unsigned depth, const cli_visitor *visitor,
                            tg_error *err);

static tg_status visit_folder(const char *path, const char *name, unsigned depth, const cli_visitor *visitor,
                              tg_error *err) {
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort);
    if (count < 0) return cli_fail(err, TG_E_FORMAT, path, "cannot be read: %s", strerror(errno));
    tg_status status = TG_OK;
    for (int i = 0; i < count; i++) {
        const char *entry = entries[i]->d_name;
        char inner_path[NAME_SIZE], inner_name[NAME_SIZE];
        bool fits = snprintf(inner_path, NAME_SIZE, "%s/%s", path, entry) < NAME_SIZE &&
                    snprintf(inner_name, NAME_SIZE, "%s/%s", name, entry) < NAME_SIZE;
        if (status == TG_OK && fits && entry[0] != '.')
            status = visit_path(inner_path, inner_name, depth + 1, visitor, err);
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* Why what lies in a folder is left out, or NULL. A link may lead to where it is; a pipe may never end. */
static const char *reason_to_skip(const char *path) {
    struct stat about, itself;
    if (lstat(path, &itself) != 0) return "cannot be read";
    if (stat(path, &about) != 0)
        return S_ISLNK(itself.st_mode) ? "is a link to what cannot be read" : "cannot be read";
    if (S_ISREG(about.st_mode)) return NULL;
    if (!S_ISDIR(about.st_mode)) return "is no file with data in it";
    return S_ISLNK(itself.st_mode) ? "is a link to a folder, and these are not followed" : NULL;
}

static tg_status visit_path(const char *path, const char *name, unsigned depth, const cli_visitor *visitor,
                            tg_error *err) {
    const char *reason = depth > 0 ? reason_to_skip(path) : NULL;
    if (reason) return visitor->skip(visitor->ctx, name, reason, err);
    struct stat about;
    if (stat(path, &about) != 0)
        return cli_fail(err, TG_E_FORMAT, path, "cannot be read: %s", strerror(errno));
    if (!S_ISDIR(about.st_mode)) return cli_archive_visit(path, name, (size_t)about.st_size, visitor, err);
    if (depth >= MAX_DEPTH)
        return visitor->skip(visitor->ctx, name, "lies too deep; give the folder itself", err);
    return visit_folder(path, name, depth, visitor, err);
}

/* Files are called by what was given of them, "digits/train/5/1.png": what lies above tells nothing of them. */
static const char *name_of_path(const char *path, char out[NAME_SIZE]) {
    snprintf(out, NAME_SIZE, "%s", path);
    size_t length = strlen(out);
    while (length > 1 && out[length - 1] == '/') out[--length] = '\0';
    const char *slash = strrchr(out, '/');
    return slash && slash[1] ? slash + 1 : out;
}

/* "train/1.png: ..." was about "../pets/train/1.png". */
static void name_whole_path(const char *const *paths, size_t count, tg_error *err) {
    char room[NAME_SIZE], where[sizeof err->where];
    for (size_t i = 0; i < count; i++) {
        const char *name = name_of_path(paths[i], room);
        size_t length = strlen(name);
        if (strncmp(err->where, name, length) != 0 ||
            (err->where[length] && !strchr("/:", err->where[length])))
            continue;
        snprintf(where, sizeof where, "%.*s%.100s", (int)(name - room), room, err->where);
        memcpy(err->where, where, sizeof where);
        return;
    }
}

/* ---- all of them ---------------------------------------------------------------------------------------- */

static tg_status add_options(const cli_import *in, tg_attrs *attrs, tg_error *err) {
    tg_status status = in->options ? cli_json_walk(in->options, attrs, err) : TG_OK;
    if (status == TG_OK && in->unlabeled) status = tg_attrs_bool(attrs, "unlabeled", true, err);
    if (status != TG_OK || !in->classes_of) return status;
    status = tg_attrs_open_list(attrs, "classes", err);
    for (size_t i = 0; status == TG_OK && i < tg_dataset_classes(in->classes_of); i++)
        status = tg_attrs_string(attrs, NULL, tg_dataset_class_name(in->classes_of, i), err);
    return status == TG_OK ? tg_attrs_close(attrs, err) : status;
}

tg_status cli_import_paths(const cli_import *in, tg_import **out, tg_dataset **train, tg_dataset **test,
                           tg_error *err) {
    tg_attrs *attrs = NULL;
    tg_import *import = *out = NULL;
    *train = *test = NULL;
    tg_status status = tg_attrs_create(&attrs, err);
    if (status == TG_OK) status = add_options(in, attrs, err);
    if (status == TG_OK) status = tg_import_create(attrs, inflate_zlib, NULL, &import, err);
    tg_attrs_destroy(attrs);
    cli_visitor visitor = {import, take_file, take_skip};
    for (size_t i = 0; status == TG_OK && i < in->count; i++) {
        char room[NAME_SIZE];
        status = visit_path(in->paths[i], name_of_path(in->paths[i], room), 0, &visitor, err);
    }
    if (status == TG_OK) {
        status = tg_import_finish(import, train, test, err);
        if (status != TG_OK) name_whole_path(in->paths, in->count, err);
    }
    *out = import;
    return status;
}
