/* The importer: takes files in, one by one, and says what each is. */
#include "data/import.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* ---- life --------------------------------------------------------------------------------------------- */

#define FIELD(name) offsetof(tg_import_options, name)
static const tg_attr option_rows[] = {
    {"roles", TG_ATTR_TREE, FIELD(roles), 0, 0, 0, 0, NULL},
    {"classes", TG_ATTR_TREE, FIELD(classes), 0, 0, 0, 0, NULL},
    {"transposed", TG_ATTR_FLAG, FIELD(transposed), 0, 0, 0, 0, NULL},
    {"labels", TG_ATTR_CHOICE, FIELD(labels), 0, 0, 0, 0, "fine|coarse"},
    {"label_column", TG_ATTR_NAME, FIELD(label_column), 0, 0, 0, 0, NULL},
    {"flat", TG_ATTR_FLAG, FIELD(flat), 0, 0, 0, 0, NULL},
    {"size", TG_ATTR_SIZES, FIELD(size), 0, 1, 4096, (double)NAN, NULL},
    {"fit", TG_ATTR_CHOICE, FIELD(fit), 0, 0, 0, TG_FIT_CROP, "crop|fit|stretch"},
    {"color", TG_ATTR_CHOICE, FIELD(color), 0, 0, 0, 0, "auto|rgb|gray"},
    {"unlabeled", TG_ATTR_FLAG, FIELD(unlabeled), 0, 0, 0, 0, NULL},
};

static const char *const role_words[] = {[TG_PART_TRAIN] = "train",
                                         [TG_PART_TEST] = "test",
                                         [TG_PART_VALIDATION] = "validation",
                                         [TG_PART_IGNORE] = "ignore"};

static tg_part part_of_role(const char *word) {
    for (tg_part part = TG_PART_TRAIN; part <= TG_PART_IGNORE; part++)
        if (strcmp(role_words[part], word) == 0) return part;
    return TG_PART_OPEN;
}

const char *tg_part_text(tg_part part) {
    return role_words[part] ? role_words[part] : "unused";
}

static tg_status check_trees(const tg_import_options *options, tg_error *err) {
    if (options->roles) {
        TG_REQUIRE(err, options->roles->kind == TG_OBJECT, TG_E_RECIPE,
                   "roles must be an object of file names");
        for (const tg_value *v = options->roles->first; v; v = v->next)
            TG_REQUIRE(err, v->kind == TG_STRING && part_of_role(v->string), TG_E_RECIPE,
                       "the role of \"%.80s\" must be one of train, test, validation, ignore", v->key);
    }
    if (options->classes) {
        TG_REQUIRE(err, options->classes->kind == TG_LIST && options->classes->count > 0, TG_E_RECIPE,
                   "classes must be a list of names");
        for (const tg_value *v = options->classes->first; v; v = v->next)
            TG_REQUIRE(err, v->kind == TG_STRING, TG_E_RECIPE, "classes must be a list of names");
    }
    TG_REQUIRE(err, options->size.count <= 2, TG_E_RECIPE, "size must be [height, width]");
    return TG_OK;
}

static tg_status read_options(tg_import *import, const tg_attrs *options, tg_error *err) {
    TG_TRY(tg_attrs_create(&import->attrs, err));
    if (options)
        for (const tg_value *v = tg_attrs_root(options)->first; v; v = v->next)
            TG_TRY(tg_attrs_copy(import->attrs, v->key, v, err));
    TG_TRY(tg_attrs_read(tg_attrs_root(import->attrs), option_rows, sizeof option_rows / sizeof *option_rows,
                         NULL, &import->options, err));
    return check_trees(&import->options, err);
}

tg_status tg_import_create(const tg_attrs *options, tg_inflate inflate, void *ctx, tg_import **out,
                           tg_error *err) {
    *out = NULL;
    tg_import *import = tg_allocate_zeroed(sizeof *import);
    TG_REQUIRE(err, import, TG_E_MEMORY, "no memory is left to read files");
    import->inflate = inflate;
    import->inflate_ctx = ctx;
    tg_status status = read_options(import, options, err);
    if (status != TG_OK) {
        tg_import_destroy(import);
        return tg_fail_at(err, status, "options");
    }
    *out = import;
    return TG_OK;
}

void tg_import_destroy(tg_import *import) {
    if (!import) return;
    tg_attrs_destroy(import->attrs);
    for (size_t i = 0; i < import->array_count; i++) tg_free(import->arrays[i].data);
    tg_free(import->arrays);
    for (tg_part part = TG_PART_OPEN; part < TG_PART_IGNORE; part++) {
        tg_dataset_destroy(import->batches[part]);
        tg_texts_free(&import->lists[part].files);
        tg_texts_free(&import->lists[part].labels);
    }
    tg_dataset_destroy(import->pictures.samples);
    tg_texts_free(&import->pictures.paths);
    tg_texts_free(&import->class_names);
    tg_texts_free(&import->named_classes);
    for (size_t i = 0; i < import->set_count; i++) tg_dataset_destroy(import->sets[i].dataset);
    tg_free(import->sets);
    for (size_t i = 0; i < import->source_count; i++) tg_free(import->sources[i].name);
    tg_free(import->sources);
    tg_texts_free(&import->skipped);
    tg_text_free(&import->report);
    tg_free(import);
}

/* ---- notes ------------------------------------------------------------------------------------------------- */

enum { LISTED_SKIPS = 100 }; /* more are only counted */

tg_status tg_import_skip(tg_import *import, const char *name, const char *reason, tg_error *err) {
    import->skipped_count++;
    if (import->skipped_count > LISTED_SKIPS) return TG_OK;
    TG_TRY(tg_texts_add(&import->skipped, name, strlen(name), err));
    return tg_texts_add(&import->skipped, reason, strlen(reason), err);
}

tg_status tg_import_skip_failed(tg_import *import, const char *name, tg_error *err) {
    if (err->status == TG_E_MEMORY) return tg_fail_at(err, TG_E_MEMORY, "%s", name);
    return tg_import_skip(import, name, err->what, err);
}

tg_status tg_import_add_source(tg_import *import, const char *name, const char *format, size_t count,
                               size_t rank, const size_t *shape, tg_source **out, tg_error *err) {
    void *sources = import->sources;
    bool room = tg_reserve(&sources, &import->source_capacity, import->source_count, import->source_count + 1,
                           sizeof(tg_source));
    import->sources = sources;
    size_t bytes = strlen(name) + 1;
    char *copy = room ? tg_allocate(bytes) : NULL;
    TG_REQUIRE(err, copy, TG_E_MEMORY, "no memory is left to take it in");
    memcpy(copy, name, bytes);
    *out = &import->sources[import->source_count++];
    **out = (tg_source){.name = copy, .format = format, .part = "unused", .count = count, .rank = rank};
    if (rank) memcpy((*out)->shape, shape, rank * sizeof *shape);
    return TG_OK;
}

tg_status tg_import_add_set(tg_import *import, const tg_set *set, tg_error *err) {
    void *sets = import->sets;
    bool room =
        tg_reserve(&sets, &import->set_capacity, import->set_count, import->set_count + 1, sizeof(tg_set));
    import->sets = sets;
    if (!room) {
        tg_dataset_destroy(set->dataset);
        return tg_fail(err, TG_E_MEMORY, "no memory is left to take it in");
    }
    import->sets[import->set_count++] = *set;
    return TG_OK;
}

/* ---- parts --------------------------------------------------------------------------------------------------- */

/* A role is said of the path, of its last name, or of an archive or folder around it; the longest that fits holds. */
tg_part tg_import_role(const tg_import *import, const char *name) {
    tg_part part = TG_PART_OPEN;
    size_t longest = 0;
    for (const tg_value *v = import->options.roles ? import->options.roles->first : NULL; v; v = v->next) {
        size_t length = strlen(v->key);
        bool around = strncmp(name, v->key, length) == 0 &&
                      (!name[length] || name[length] == '/' || name[length] == ':');
        if ((around || strcmp(tg_base_name(name), v->key) == 0) && length >= longest) {
            part = part_of_role(v->string);
            longest = length;
        }
    }
    return part;
}

tg_part tg_import_part(const tg_import *import, const char *name) {
    tg_part role = tg_import_role(import, name);
    return role != TG_PART_OPEN ? role : tg_part_of_name(name);
}

/* ---- what a file is ----------------------------------------------------------------------------------------- */

static bool begins(tg_bytes file, const char *start, size_t length) {
    return file.size >= length && memcmp(file.data, start, length) == 0;
}

/* Formats that are not for these readers: what begins like them, and the way out. */
static const struct stranger {
    const char *start;
    size_t length;
    const char *sentence;
} strangers[] = {
    {"\x1f\x8b", 2, "is gzip-compressed; unpack it first"},
    {"PK\x03\x04", 4, "is a zip archive; unpack it first"},
    {"PK\x05\x06", 4, "is an empty zip archive; pack it again"},
    {"\x89HDF\r\n", 6,
     "is an HDF5 file; in MATLAB save it with -v7 instead of -v7.3, in Python write its arrays with "
     "numpy.savez"},
    {"\x80\x02", 2, "is a Python pickle; take the binary version of CIFAR, or write arrays with numpy.savez"},
    {"\x80\x04", 2, "is a Python pickle; write its arrays with numpy.savez"},
    {"PAR1", 4, "is a Parquet file; open it in the page, or write it as CSV"},
    {"\x89PNG", 4, "is a picture that was not decoded; put pictures into one folder for each class"},
    {"\xff\xd8\xff", 3, "is a picture that was not decoded; put pictures into one folder for each class"},
    {"<!DOCTYPE", 9, "is a web page, not data; download the file itself"},
    {"<!doctype", 9, "is a web page, not data; download the file itself"},
    {"<html", 5, "is a web page, not data; download the file itself"},
};

/* "train.csv" and "train.csv.gz", whose bytes come unpacked. */
static bool is_called(tg_bytes file, const char *ending) {
    if (tg_ends_with(file.name, ending)) return true;
    char packed[16];
    snprintf(packed, sizeof packed, "%s.gz", ending);
    return tg_ends_with(file.name, packed);
}

static bool is_idx(tg_bytes file) {
    return file.size >= 4 && file.data[0] == 0 && file.data[1] == 0 && file.data[2] >= 8;
}

static bool says_idx(tg_bytes file) {
    return tg_find_text(file.name, "ubyte") || is_called(file, ".idx");
}

static tg_status read_file(tg_import *import, tg_bytes file, tg_error *err) {
    TG_REQUIRE(err, file.size > 0, TG_E_FORMAT, "the file is empty; download it again");
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
        TG_REQUIRE(err, !begins(file, strangers[i].start, strangers[i].length), TG_E_FORMAT, "%s",
                   strangers[i].sentence);
    if (begins(file, "\x93NUMPY", 6)) return tg_read_npy(import, file, err);
    if (begins(file, "MATLAB ", 7)) return tg_read_mat5(import, file, err);
    if (is_called(file, ".csv") || is_called(file, ".tsv")) return tg_read_csv(import, file, err);
    if (is_called(file, ".bin")) return tg_read_cifar(import, file, err);
    if (is_called(file, ".mat") && tg_is_mat4(file)) return tg_read_mat4(import, file, err);
    if (is_idx(file) || says_idx(file)) return tg_read_idx(import, file, err);
    if (is_called(file, ".txt")) {
        bool taken;
        TG_TRY(tg_read_list(import, file, &taken, err));
        if (taken) return TG_OK;
    }
    return tg_fail(err, TG_E_FORMAT,
                   "is none of the kinds that can be read: IDX, CIFAR, .npy, .mat, .csv, .tsv, "
                   "pictures, and archives of these");
}

/* What systems leave behind in folders and archives, and what lies there for people; not what is given by itself. */
static bool is_litter(const char *name) {
    if (!strchr(name, '/')) return false;
    static const char *const beginnings[] = {".", "license", "licence", "thumbs.db", "desktop.ini"};
    static const char *const endings[] = {".md", ".htm", ".html"};
    const char *base = tg_base_name(name);
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
        if (tg_same_letters(base, beginnings[i], strlen(beginnings[i]))) return true;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (tg_ends_with(base, endings[i])) return true;
    return strncmp(name, "__MACOSX/", 9) == 0 || tg_find_text(name, "/__MACOSX/");
}

tg_status tg_import_file(tg_import *import, tg_bytes file, tg_error *err) {
    TG_REQUIRE(err, !import->finished, TG_E_STATE, "the files were read already; begin again for more");
    if (is_litter(file.name) || tg_import_part(import, file.name) == TG_PART_IGNORE) return TG_OK;
    tg_error own;
    if (!err) err = &own;
    size_t arrays = import->array_count, sources = import->source_count;
    tg_status status = read_file(import, file, err);
    if (status == TG_OK) return TG_OK;
    while (import->array_count > arrays) tg_free(import->arrays[--import->array_count].data);
    while (import->source_count > sources) tg_free(import->sources[--import->source_count].name);
    return tg_import_skip_failed(import, file.name, err);
}
