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
enum {
    SUSPICIOUS_RATIO = 250,
    MOST_NESTED = 1,
    MOST_FILTERS = 3,
    NAME_SIZE = 1024,
    REASON_SIZE = 200,
    CHUNK = 1 << 16
};

static const char *const too_deep = "is packed too many times over; unpack it once first";

typedef struct visit {
    const cli_visitor *visitor;
    const char *name; /* of the file or archive */
    size_t packed;    /* its bytes */
    size_t unpacked;  /* so far, of all members */
    unsigned depth;
} visit;

/* raw: what is in it, whatever it is, is one file. */
static struct archive *make_reader(bool raw) {
    struct archive *reader = archive_read_new();
    if (!reader) return NULL;
    /* Those that begin with bytes of their own; others take a MATLAB file for theirs, or start programs. */
    archive_read_support_filter_gzip(reader);
    archive_read_support_filter_bzip2(reader);
    archive_read_support_filter_xz(reader);
    if (!raw) archive_read_support_format_tar(reader);
    if (!raw) archive_read_support_format_zip(reader);
    archive_read_support_format_raw(reader);
    archive_read_support_format_empty(reader);
    return reader;
}

static tg_status skip(const visit *v, const char *name, const char *reason, tg_error *err) {
    return v->visitor->skip(v->visitor->ctx, name, reason, err);
}

static void explain(struct archive *reader, char out[REASON_SIZE]) {
    const char *text = archive_error_string(reader);
    if (text && strstr(text, "runcated")) snprintf(out, REASON_SIZE, "is cut short; get it again");
    else if (text && (strstr(text, "ncrypt") || strstr(text, "assphrase")))
        snprintf(out, REASON_SIZE, "is encrypted; unpack it with its password first");
    else snprintf(out, REASON_SIZE, "is damaged (%.120s); get it again", text ? text : "it has no end");
}

static bool is_bomb(const visit *v) {
    return v->unpacked > most_bytes ||
           (v->unpacked > suspicious_bytes && v->unpacked / SUSPICIOUS_RATIO > v->packed);
}

/* reason: "", or why it could not be read. */
static tg_status read_member(visit *v, struct archive *reader, cli_file *out, char reason[REASON_SIZE],
                             tg_error *err) {
    size_t capacity = CHUNK;
    *out = (cli_file){.data = malloc(capacity + 1)};
    reason[0] = '\0';
    while (out->data && !reason[0]) {
        la_ssize_t count = archive_read_data(reader, out->data + out->size, capacity - out->size);
        if (count < 0) explain(reader, reason);
        if (count <= 0) break;
        out->size += (size_t)count;
        v->unpacked += (size_t)count;
        if (is_bomb(v))
            snprintf(reason, REASON_SIZE,
                     "unpacks to far more than data would; unpack it yourself if you trust it");
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

/* "x/mnist.npz" and "./a/../b.npy" -> "x/mnist.npz/a/b.npy": names only tell what belongs together here. */
static void name_member(const visit *v, struct archive *reader, struct archive_entry *entry,
                        char out[NAME_SIZE]) {
    const char *rest = archive_format(reader) == ARCHIVE_FORMAT_RAW ? NULL : archive_entry_pathname(entry);
    size_t used = (size_t)snprintf(out, NAME_SIZE, "%s", v->name);
    while (rest && *rest && used < NAME_SIZE) {
        int part = (int)strcspn(rest, "/");
        bool tells = part > 0 && !(part <= 2 && strncmp(rest, "..", (size_t)part) == 0);
        if (tells) used += (size_t)snprintf(out + used, NAME_SIZE - used, "/%.*s", part, rest);
        rest += part + (rest[part] == '/');
    }
}

static bool is_packed(const cli_file *file) {
    return (file->size > 4 && (!memcmp(file->data, "PK\x03\x04", 4) || !memcmp(file->data, "\x1f\x8b", 2))) ||
           (file->size > 512 && !memcmp(file->data + 257, "ustar", 5));
}

static tg_status visit_members(visit *v, struct archive *reader, size_t *members, tg_error *err);

typedef struct input {
    const char *path; /* NULL: bytes */
    const cli_file *bytes;
} input;

/* *members: how many there were; those that begin with zeros pass for an empty tar. */
static tg_status visit_as(visit *v, const input *in, bool raw, size_t *members, tg_error *err) {
    struct archive *reader = make_reader(raw);
    if (!reader) return cli_fail(err, TG_E_MEMORY, v->name, "no memory is left to read it");
    int code = in->path ? archive_read_open_filename(reader, in->path, CHUNK)
                        : archive_read_open_memory(reader, in->bytes->data, in->bytes->size);
    tg_status status;
    if (code == ARCHIVE_OK) {
        status = visit_members(v, reader, members, err);
    } else {
        char reason[REASON_SIZE];
        explain(reader, reason);
        *members = 1;
        status = skip(v, v->name, reason, err);
    }
    archive_read_free(reader);
    return status;
}

static tg_status visit_all(visit *v, const input *in, tg_error *err) {
    size_t members = 0;
    tg_status status = visit_as(v, in, false, &members, err);
    if (status == TG_OK && members == 0) status = visit_as(v, in, true, &members, err);
    if (status == TG_OK && members == 0)
        status = v->visitor->file(v->visitor->ctx, v->name, &(cli_file){.data = "", .size = 0}, err);
    return status;
}

static tg_status visit_inside(const visit *v, const char *name, const cli_file *file, tg_error *err) {
    visit inner = {.visitor = v->visitor, .name = name, .packed = file->size, .depth = v->depth + 1};
    if (v->depth >= MOST_NESTED) return skip(v, name, too_deep, err);
    return visit_all(&inner, &(input){.bytes = file}, err);
}

static tg_status visit_member(visit *v, struct archive *reader, struct archive_entry *entry, bool *goes_on,
                              tg_error *err) {
    char name[NAME_SIZE], reason[REASON_SIZE];
    bool raw = archive_format(reader) == ARCHIVE_FORMAT_RAW;
    name_member(v, reader, entry, name);
    if (archive_entry_hardlink(entry) || archive_entry_filetype(entry) == AE_IFLNK)
        return skip(v, name, "is a link to another file, and links are not followed", err);
    if (archive_entry_filetype(entry) != AE_IFREG && !raw) return TG_OK;
    if (archive_entry_is_encrypted(entry))
        return skip(v, name, "is encrypted; unpack it with its password first", err);
    cli_file file;
    tg_status status = read_member(v, reader, &file, reason, err);
    if (status != TG_OK) return status;
    bool plain = raw && archive_filter_count(reader) <= 1;
    if (reason[0]) status = skip(v, name, reason, err);
    else if (is_packed(&file) && !plain) status = visit_inside(v, name, &file, err);
    else status = v->visitor->file(v->visitor->ctx, name, &file, err);
    *goes_on = !reason[0];
    free(file.data);
    return status;
}

static tg_status visit_members(visit *v, struct archive *reader, size_t *members, tg_error *err) {
    struct archive_entry *entry;
    bool goes_on = true;
    for (int code; goes_on && (code = archive_read_next_header(reader, &entry)) != ARCHIVE_EOF; ++*members) {
        if (archive_filter_count(reader) > MOST_FILTERS) {
            ++*members;
            return skip(v, v->name, too_deep, err);
        }
        if (code < ARCHIVE_WARN) {
            char reason[REASON_SIZE];
            explain(reader, reason);
            ++*members;
            return skip(v, v->name, reason, err);
        }
        tg_status status = visit_member(v, reader, entry, &goes_on, err);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

tg_status cli_archive_visit(const char *path, const char *name, size_t size, const cli_visitor *visitor,
                            tg_error *err) {
    visit v = {.visitor = visitor, .name = name, .packed = size};
    return visit_all(&v, &(input){.path = path}, err);
}
