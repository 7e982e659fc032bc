#define _XOPEN_SOURCE 700 /* realpath */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

enum { PATH_SIZE = 4096 };

static tg_status open_paths(cli_import in, tg_dataset **train, tg_dataset **test, tg_error *err) {
    tg_import *import;
    tg_status status = cli_import_paths(&in, &import, train, test, err);
    tg_import_destroy(import);
    return status;
}

/* ---- PATH[,LABELS] ------------------------------------------------------------------------------------- */

static bool exists(const char *path) {
    return access(path, F_OK) == 0;
}

/* Replaces the last `from` by `to`, which is as long or longer; false where there is none or no room. */
static bool replace_last(char *text, size_t size, const char *from, const char *to) {
    char *found = NULL;
    for (char *at = strstr(text, from); at; at = strstr(at + 1, from)) found = at;
    size_t more = strlen(to) - strlen(from);
    if (!found || strlen(text) + more >= size) return false;
    memmove(found + strlen(to), found + strlen(from), strlen(found + strlen(from)) + 1);
    memcpy(found, to, strlen(to));
    return true;
}

/* "x/train-images-idx3-ubyte.gz" -> "x/train-labels-idx1-ubyte.gz", with or without .gz, whichever is there.
 */
static bool guess_labels(const char *images, char *labels, size_t size) {
    snprintf(labels, size, "%s", images);
    if (!replace_last(labels, size, "images", "labels")) return false;
    if (!replace_last(labels, size, "idx3", "idx1")) replace_last(labels, size, "idx4", "idx1");
    if (exists(labels)) return true;
    size_t length = strlen(labels);
    if (length > 3 && strcmp(labels + length - 3, ".gz") == 0) labels[length - 3] = '\0';
    else if (length + 4 <= size) memcpy(labels + length, ".gz", 4);
    return exists(labels);
}

static tg_status too_long(const char *path, tg_error *err) {
    return cli_fail(err, TG_E_ARGUMENT, NULL, "a path of %zu bytes is too long", strlen(path));
}

/* Images may come without the labels that lie beside them, or with those behind a comma. */
tg_status cli_data_open(const char *path, cli_import in, tg_dataset **train, tg_dataset **test,
                        tg_error *err) {
    char images[PATH_SIZE], labels[PATH_SIZE];
    const char *paths[2] = {images, labels};
    if (strlen(path) >= PATH_SIZE) return too_long(path, err);
    snprintf(images, sizeof images, "%s", path);
    in.paths = paths;
    in.count = 1;
    char *comma = exists(path) ? NULL : strchr(images, ',');
    if (comma) {
        *comma = '\0';
        snprintf(labels, sizeof labels, "%s", comma + 1);
        in.count = 2;
    } else if (!in.unlabeled && guess_labels(images, labels, sizeof labels)) {
        in.count = 2;
    }
    return open_paths(in, train, test, err);
}

tg_status cli_data_open_test(const char *path, cli_import in, tg_dataset **out, tg_error *err) {
    tg_dataset *test;
    tg_status status = cli_data_open(path, in, out, &test, err);
    if (status != TG_OK || !test) return status;
    tg_dataset_destroy(*out);
    *out = test;
    return TG_OK;
}

tg_status cli_data_options(const cli_options *options, cJSON **out, tg_error *err) {
    *out = NULL;
    if (!options->read) return TG_OK;
    if (cli_json_parse("--read", options->read, strlen(options->read), out, err) != TG_OK) return err->status;
    return cJSON_IsObject(*out)
               ? TG_OK
               : cli_fail(err, TG_E_ARGUMENT, "--read", "must be a JSON object: {\"size\": [32, 32]}");
}

/* ---- a set by name ------------------------------------------------------------------------------------ */

/* The checkout that build/native/tabgrad lies in, or "." */
static void find_project(const cli_options *options, char *out) {
    char self[PATH_SIZE];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length > 0) self[length] = '\0';
    else if (!realpath(options->argv[0], self)) self[0] = '\0';
    char *folder = self[0] ? dirname(self) : NULL;
    if (!folder || snprintf(out, PATH_SIZE, "%s/../..", folder) >= PATH_SIZE) strcpy(out, ".");
}

/* datasets/NAME.json, from the first of the two places that has it. */
static tg_status read_descriptor(const char *project, const char *name, const char **root, cJSON **out,
                                 tg_error *err) {
    const char *roots[] = {".", project};
    char path[2 * PATH_SIZE];
    bool plain = name[0] && name[0] != '.' && !strchr(name, '/');
    for (size_t i = 0; plain && i < 2; i++) {
        snprintf(path, sizeof path, "%s/datasets/%s.json", roots[i], name);
        if (!exists(path)) continue;
        cli_file file;
        if (cli_file_read(path, &file, err) != TG_OK) return err->status;
        *root = roots[i];
        tg_status status = cli_json_parse(path, file.data, file.size, out, err);
        free(file.data);
        return status;
    }
    return cli_fail(err, TG_E_DATA, NULL,
                    "there is no dataset \"%.60s\"; datasets/ has those there are, "
                    "and --train and --test take files of your own",
                    name);
}

static tg_status name_classes(const cJSON *descriptor, tg_dataset *dataset, tg_error *err) {
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(descriptor, "classes");
    size_t count = (size_t)cJSON_GetArraySize(list), used = 0;
    if (count == 0) return TG_OK;
    const char **names = malloc(count * sizeof *names);
    if (!names) return cli_fail(err, TG_E_MEMORY, NULL, "no memory is left for the class names");
    for (const cJSON *item = list->child; item && used < count; item = item->next)
        names[used++] = cJSON_IsString(item) ? item->valuestring : "";
    tg_status status = tg_dataset_set_classes(dataset, count, names, err);
    free(names);
    if (status == TG_OK && !tg_dataset_sha256(dataset)[0]) status = tg_dataset_check(dataset, NULL, err);
    return status;
}

/* *out: the path of a file of a prepared set, to be freed. */
static tg_status find_file(const char *root, const char *name, const char *file, const char *split,
                           char **out, tg_error *err) {
    if (!file)
        return cli_fail(err, TG_E_DATA, NULL, "its descriptor does not name all files for \"%s\"", split);
    size_t size = strlen(root) + strlen(name) + strlen(file) + sizeof "/build/data//";
    char *path = *out = malloc(size);
    if (!path) return cli_fail(err, TG_E_MEMORY, NULL, "no memory is left for the name of a file");
    snprintf(path, size, "%s/build/data/%s/%s", root, name, file);
    if (exists(path)) return TG_OK;
    return cli_fail(err, TG_E_DATA, NULL, "\"%.60s\" is not prepared yet; run: npm run datasets %.60s", name,
                    name);
}

static tg_status open_split(const cJSON *descriptor, const char *root, const char *name, const char *split,
                            tg_dataset **out, tg_error *err) {
    const cJSON *files =
        cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(descriptor, "splits"), split);
    const cJSON *batches =
        cJSON_GetObjectItemCaseSensitive(files, "batches"); /* CIFAR's, or a pair of IDX files */
    const char *keys[] = {"images", "labels"};
    enum { MOST_BATCHES = 8 };
    size_t count = batches ? (size_t)cJSON_GetArraySize(batches) : 2, ready = 0;
    char *paths[MOST_BATCHES] = {NULL};
    tg_status status = TG_OK;
    if (count == 0 || count > MOST_BATCHES)
        return cli_fail(err, TG_E_DATA, NULL, "its descriptor must name 1 to %d batches for \"%s\"",
                        MOST_BATCHES, split);
    for (; ready < count && status == TG_OK; ready++) {
        const cJSON *item = batches ? cJSON_GetArrayItem(batches, (int)ready)
                                    : cJSON_GetObjectItemCaseSensitive(files, keys[ready]);
        status = find_file(root, name, cJSON_GetStringValue(item), split, &paths[ready], err);
    }
    tg_dataset *none = NULL;
    if (status == TG_OK)
        status =
            open_paths((cli_import){.paths = (const char *const *)paths, .count = count}, out, &none, err);
    tg_dataset_destroy(none);
    for (size_t i = 0; i < ready; i++) free(paths[i]);
    return status;
}

tg_status cli_data_named(const cli_options *options, const char *name, const char *split, tg_dataset **out,
                         tg_error *err) {
    char project[PATH_SIZE];
    const char *root = NULL;
    cJSON *descriptor = NULL;
    find_project(options, project);
    tg_status status = read_descriptor(project, name, &root, &descriptor, err);
    if (status == TG_OK) status = open_split(descriptor, root, name, split, out, err);
    if (status == TG_OK) status = name_classes(descriptor, *out, err);
    cJSON_Delete(descriptor);
    if (status == TG_OK || err->where[0]) return status;
    cli_fail_in(err, "data.dataset"); /* what concerns no file concerns the recipe's choice */
    return cli_fail_in(err, options->input);
}

/* ---- part of a set ------------------------------------------------------------------------------------ */

tg_status cli_data_limit(tg_dataset **dataset, uint64_t count, tg_error *err) {
    if (count >= tg_dataset_count(*dataset)) return TG_OK;
    uint32_t *first = malloc((size_t)count * sizeof *first);
    if (!first) return cli_fail(err, TG_E_MEMORY, NULL, "no memory is left for part of the data");
    for (uint32_t i = 0; i < count; i++) first[i] = i;
    tg_dataset *part;
    tg_status status = tg_dataset_subset(*dataset, first, (size_t)count, &part, err);
    free(first);
    if (status != TG_OK) return status;
    tg_dataset_destroy(*dataset);
    *dataset = part;
    return TG_OK;
}
