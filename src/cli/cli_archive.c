/* What a file holds, through libarchive: itself, unpacked, or the members of a zip or tar; archives inside of archives one
 * deep. */
#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* A few kilobytes can claim to hold any number of them. */
static const size_t most_bytes = (size_t)4 << 30, suspicious_bytes = (size_t)64 << 20;
enum { SUSPICIOUS_RATIO = 100, MOST_NESTED = 1, NAME_SIZE = 1024, CHUNK = 1 << 16 };

typedef struct visit {
    const cli_visitor *visitor;
    const char *name; /* of the file or archive */
    size_t packed;    /* its bytes */
    size_t unpacked;  /* so far, of all members */
    unsigned depth;
} visit;

static struct archive *make_reader(void) {
    struct archive *reader = archive_read_new();
    if (!reader) return NULL;
    /* Those that begin with bytes of their own; others take a MATLAB file for theirs, or start programs. */
    archive_read_support_filter_gzip(reader);
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_xz(reader);
    archive_read_support_format_tar(reader);
    archive_read_support_format_zip(reader);
    archive_read_support_format_raw(reader);
    archive_read_support_format_empty(reader);
    return reader;
}

static tg_status skip(const visit *v, const char *name, const char *reason, tg_error *err) {
    return v->visitor->skip(v->visitor->ctx, name, reason, err);
}

static const char *explain(struct archive *reader) {
    const char *text = archive_error_string(reader);
    if (!text) return "it is damaged; download it again";
    if (strstr(text, "runcated")) return "its packed data is cut short; download it again";
    if (strstr(text, "ncrypt") || strstr(text, "assphrase")) return "it is encrypted; unpack it first";
    return text;
}

static bool is_bomb(const visit *v) {
    return v->unpacked > most_bytes ||
           (v->unpacked > suspicious_bytes && v->unpacked / SUSPICIOUS_RATIO > v->packed);
}

/* *problem: NULL, or why it could not be read. */
static tg_status read_member(visit *v, struct archive *reader, cli_file *out, const char **problem,
                             tg_error *err) {
    size_t capacity = CHUNK;
    *out = (cli_file){.data = malloc(capacity + 1)};
    *problem = NULL;
    while (out->data && !*problem) {
        la_ssize_t count = archive_read_data(reader, out->data + out->size, capacity - out->size);
        if (count < 0) *problem = explain(reader);
        if (count <= 0) break;
        out->size += (size_t)count;
        v->unpacked += (size_t)count;
        if (is_bomb(v))
            *problem = "unpacks to far more than its own size; unpack it yourself if it is meant to";
        if (out->size < capacity) continue;
        char *larger = realloc(out->data, 2 * capacity + 1);
        if (!larger) free(out->data);
        out->data = larger;
        capacity *= 2;
    }
    if (!out->data) return cli_fail(err, TG_E_MEMORY, v->name, "no memory is left to unpack it");
    out->data[out->size] = '\0';
    return TG_OK;
}

/* "x/mnist.npz" and "a/b.npy" -> "x/mnist.npz/a/b.npy" */
static void name_member(const visit *v, struct archive *reader, struct archive_entry *entry,
                        char out[NAME_SIZE]) {
    const char *inner = archive_format(reader) == ARCHIVE_FORMAT_RAW ? NULL : archive_entry_pathname(entry);
    snprintf(out, NAME_SIZE, "%s%s%s", v->name, inner ? "/" : "", inner ? inner : "");
}

static bool is_packed(const cli_file *file) {
    return (file->size > 4 && (!memcmp(file->data, "PK\x03\x04", 4) || !memcmp(file->data, "\x1f\x8b", 2))) ||
           (file->size > 512 && !memcmp(file->data + 257, "ustar", 5));
}

static tg_status visit_all(visit *v, struct archive *reader, tg_error *err);

static tg_status visit_inside(const visit *v, const char *name, const cli_file *file, tg_error *err) {
    visit inner = {.visitor = v->visitor, .name = name, .packed = file->size, .depth = v->depth + 1};
    if (v->depth >= MOST_NESTED) return skip(v, name, "is packed more than twice; unpack it first", err);
    struct archive *reader = make_reader();
    if (!reader) return cli_fail(err, TG_E_MEMORY, name, "no memory is left to unpack it");
    tg_status status = TG_OK;
    if (archive_read_open_memory(reader, file->data, file->size) == ARCHIVE_OK)
        status = visit_all(&inner, reader, err);
    else status = skip(v, name, explain(reader), err);
    archive_read_free(reader);
    return status;
}

static tg_status visit_member(visit *v, struct archive *reader, struct archive_entry *entry, bool *goes_on,
                              tg_error *err) {
    char name[NAME_SIZE];
    name_member(v, reader, entry, name);
    if (archive_entry_filetype(entry) == AE_IFDIR) return TG_OK;
    if (archive_entry_filetype(entry) != AE_IFREG && archive_format(reader) != ARCHIVE_FORMAT_RAW)
        return TG_OK;
    if (archive_entry_is_encrypted(entry)) return skip(v, name, "is encrypted; unpack it first", err);
    cli_file file;
    const char *problem;
    tg_status status = read_member(v, reader, &file, &problem, err);
    if (status != TG_OK) return status;
    bool plain = archive_format(reader) == ARCHIVE_FORMAT_RAW && archive_filter_count(reader) <= 1;
    char sentence[160];
    if (problem) snprintf(sentence, sizeof sentence, "cannot be read: %.120s", problem);
    if (problem) status = skip(v, name, sentence, err);
    else if (is_packed(&file) && !plain) status = visit_inside(v, name, &file, err);
    else status = v->visitor->file(v->visitor->ctx, name, &file, err);
    *goes_on = !problem;
    free(file.data);
    return status;
}

static tg_status visit_all(visit *v, struct archive *reader, tg_error *err) {
    struct archive_entry *entry;
    bool goes_on = true;
    size_t members = 0;
    for (int code; goes_on && (code = archive_read_next_header(reader, &entry)) != ARCHIVE_EOF; members++) {
        if (code < ARCHIVE_WARN) {
            char sentence[160];
            snprintf(sentence, sizeof sentence, "cannot be read: %.120s", explain(reader));
            return skip(v, v->name, sentence, err);
        }
        tg_status status = visit_member(v, reader, entry, &goes_on, err);
        if (status != TG_OK) return status;
    }
    if (members == 0)
        return v->visitor->file(v->visitor->ctx, v->name, &(cli_file){.data = "", .size = 0}, err);
    return TG_OK;
}

tg_status cli_archive_visit(const char *path, const char *name, size_t size, const cli_visitor *visitor,
                            tg_error *err) {
    visit v = {.visitor = visitor, .name = name, .packed = size};
    struct archive *reader = make_reader();
    if (!reader) return cli_fail(err, TG_E_MEMORY, path, "no memory is left to read it");
    tg_status status;
    if (archive_read_open_filename(reader, path, CHUNK) == ARCHIVE_OK) {
        status = visit_all(&v, reader, err);
    } else {
        char sentence[160];
        snprintf(sentence, sizeof sentence, "cannot be read: %.120s", explain(reader));
        status = skip(&v, name, sentence, err);
    }
    archive_read_free(reader);
    return status;
}
