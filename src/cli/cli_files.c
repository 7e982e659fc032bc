#define _XOPEN_SOURCE 700 /* realpath, strdup */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "cli.h"

static const size_t largest = (size_t)4 << 30; /* a few kilobytes of gzip can claim to be any size */

/* zlib reads what does not begin as gzip does just as it is. */
static tg_status read_all(gzFile file, const char *path, cli_file *out, tg_error *err) {
    size_t capacity = 1 << 16;
    for (;;) {
        char *larger = capacity > largest ? NULL : realloc(out->data, capacity + 1);
        if (!larger)
            return cli_fail(err, TG_E_MEMORY, path,
                            "is larger than %zu MB, more than can be read; use a smaller file",
                            capacity >> 21);
        out->data = larger;
        while (out->size < capacity) {
            size_t room = capacity - out->size;
            int count = gzread(file, out->data + out->size, room < 1 << 30 ? (unsigned)room : 1u << 30);
            int code;
            const char *problem = gzerror(file, &code);
            if (count < 0 || code != Z_OK)
                return cli_fail(err, TG_E_FORMAT, path, "cannot be read: %s",
                                code == Z_ERRNO       ? strerror(errno)
                                : code == Z_BUF_ERROR ? "its gzip data is cut short; download it again"
                                                      : problem);
            if (count == 0) {
                out->data[out->size] = '\0';
                return TG_OK;
            }
            out->size += (size_t)count;
        }
        capacity *= 2;
    }
}

tg_status cli_file_read(const char *path, cli_file *out, tg_error *err) {
    *out = (cli_file){0};
    errno = 0;
    gzFile file = gzopen(path, "rb");
    if (!file)
        return cli_fail(err, TG_E_FORMAT, path, "cannot be read: %s", strerror(errno ? errno : ENOMEM));
    tg_status status = read_all(file, path, out, err);
    gzclose_r(file);
    if (status != TG_OK) {
        free(out->data);
        *out = (cli_file){0};
    }
    return status;
}

/* Where a result goes: beside a regular file, which it then replaces; or straight into a device or a pipe. */
static tg_status find_target(const char *path, char **real, bool *replace, tg_error *err) {
    struct stat about;
    *real = NULL;
    *replace = true;
    size_t length = strlen(path);
    if (stat(path, &about) != 0) {
        if (length > 0 && path[length - 1] == '/')
            return cli_fail(err, TG_E_ARGUMENT, path, "is no name of a file; leave out the / at its end");
        *real = strdup(path);
    } else {
        if (S_ISDIR(about.st_mode))
            return cli_fail(err, TG_E_ARGUMENT, path, "is a folder; name a file in it");
        *replace = S_ISREG(about.st_mode);
        *real = realpath(path, NULL); /* a link goes on pointing at what is written */
    }
    return *real ? TG_OK : cli_fail(err, TG_E_ARGUMENT, path, "cannot be written: %s", strerror(errno));
}

static tg_status open_temporary(const char *path, char **name, int *descriptor, tg_error *err) {
    size_t size = strlen(path) + 32;
    *name = malloc(size);
    if (!*name) return cli_fail(err, TG_E_MEMORY, path, "no memory is left to write it");
    snprintf(*name, size, "%s.%ld.tmp", path, (long)getpid());
    *descriptor = open(*name, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (*descriptor >= 0) return TG_OK;
    tg_status status = cli_fail(err, TG_E_ARGUMENT, path, "cannot be written: %s", strerror(errno));
    free(*name);
    return status;
}

static tg_status probe(const char *path, bool replace, tg_error *err) {
    if (!replace)
        return access(path, W_OK) == 0
                   ? TG_OK
                   : cli_fail(err, TG_E_ARGUMENT, path, "cannot be written: %s", strerror(errno));
    char *name;
    int descriptor;
    if (open_temporary(path, &name, &descriptor, err) != TG_OK) return err->status;
    close(descriptor);
    unlink(name);
    free(name);
    return TG_OK;
}

tg_status cli_file_probe(const char *path, tg_error *err) {
    char *real;
    bool replace;
    if (find_target(path, &real, &replace, err) != TG_OK) return err->status;
    tg_status status = probe(real, replace, err);
    free(real);
    return status;
}

static bool write_bytes(int descriptor, const char *data, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t count = write(descriptor, data + done, size - done);
        if (count >= 0) done += (size_t)count;
        else if (errno != EINTR) return false;
    }
    return true;
}

static tg_status write_through(const char *path, const void *data, size_t size, tg_error *err) {
    int descriptor = open(path, O_WRONLY);
    bool good = descriptor >= 0 && write_bytes(descriptor, data, size);
    int problem = errno;
    if (descriptor >= 0) close(descriptor);
    return good ? TG_OK : cli_fail(err, TG_E_ARGUMENT, path, "cannot be written: %s", strerror(problem));
}

static tg_status write_and_replace(const char *path, const void *data, size_t size, tg_error *err) {
    char *name;
    int descriptor;
    if (open_temporary(path, &name, &descriptor, err) != TG_OK) return err->status;
    bool good =
        write_bytes(descriptor, data, size) &&
        fsync(descriptor) == 0; /* the name must not become the new file's before its bytes are safe */
    int problem = errno;
    if (close(descriptor) != 0 && good) {
        good = false;
        problem = errno;
    }
    if (good && rename(name, path) != 0) {
        good = false;
        problem = errno;
    }
    if (!good) unlink(name);
    free(name);
    return good ? TG_OK : cli_fail(err, TG_E_ARGUMENT, path, "cannot be written: %s", strerror(problem));
}

tg_status cli_file_write(const char *path, const void *data, size_t size, tg_error *err) {
    char *real;
    bool replace;
    if (find_target(path, &real, &replace, err) != TG_OK) return err->status;
    tg_status status = (replace ? write_and_replace : write_through)(real, data, size, err);
    free(real);
    return status;
}
