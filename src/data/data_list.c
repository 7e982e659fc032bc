/* Texts beside the data: names of the classes, and the files of a part. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "data/import.h"

/* The next line that is not empty, without the blanks around it. */
static bool next_line(tg_bytes *rest, const char **line, size_t *length) {
    while (rest->size > 0) {
        const uint8_t *end = memchr(rest->data, '\n', rest->size);
        size_t span = end ? (size_t)(end - rest->data) : rest->size;
        *line = (const char *)rest->data;
        *length = span;
        rest->data += end ? span + 1 : span;
        rest->size -= end ? span + 1 : span;
        while (*length && isspace((unsigned char)**line)) ++*line, --*length;
        while (*length && isspace((unsigned char)(*line)[*length - 1])) --*length;
        if (*length) return true;
    }
    return false;
}

static tg_status read_lines(tg_bytes file, tg_texts *out, tg_error *err) {
    const char *line;
    size_t length;
    while (next_line(&file, &line, &length)) TG_TRY(tg_texts_add(out, line, length, err));
    return TG_OK;
}

static bool names_picture(const char *line, size_t length) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t span = strlen(endings[i]);
        if (length > span && tg_same_letters(line + length - span, endings[i], span)) return true;
    }
    return false;
}

static bool lists_files(tg_bytes file) {
    const char *line;
    size_t length;
    return next_line(&file, &line, &length) && names_picture(line, length);
}

/* Names of classes: CIFAR's own files, or what is called so. */
static bool lists_classes(const tg_import *import, const char *base) {
    static const char *const names[] = {"batches.meta.txt", "classes.txt", "class_names.txt",
                                        "class-names.txt",  "labels.txt",  "label_names.txt",
                                        "labelmap.txt"};
    const char *cifar_100 = import->options.labels == 1 ? "coarse_label_names.txt" : "fine_label_names.txt";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(base, names[i]) == 0) return true;
    return strcmp(base, cifar_100) == 0;
}

static bool is_other_cifar_list(const char *base) {
    return strcmp(base, "coarse_label_names.txt") == 0 || strcmp(base, "fine_label_names.txt") == 0;
}

tg_status tg_read_list(tg_import *import, tg_bytes file, bool *taken, tg_error *err) {
    const char *base = tg_base_name(file.name);
    tg_part part = tg_import_part(import, file.name);
    *taken = true;
    if (is_other_cifar_list(base) && !lists_classes(import, base))
        return TG_OK; /* of the labels nobody asked for */
    tg_texts *into = NULL;
    const char *kind = "list";
    if (lists_files(file)) {
        TG_REQUIRE(err, part != TG_PART_OPEN, TG_E_FORMAT,
                   "is a list of files of no part; call it train_files.txt or test_files.txt");
        into = &import->lists[part].files;
    } else if (lists_classes(import, base)) {
        into = &import->named_classes;
        kind = "classes";
    } else if (part != TG_PART_OPEN && tg_name_says_labels(file.name)) {
        into = &import->lists[part].labels;
        kind = "labels";
    }
    *taken = into != NULL;
    if (!into) return TG_OK;
    TG_REQUIRE(err, into->count == 0, TG_E_FORMAT, "is one %s too many; give one", kind);
    TG_TRY(read_lines(file, into, err));
    tg_source *source;
    TG_TRY(tg_import_add_source(import, file.name, "text", into->count, 0, NULL, &source, err));
    source->part = kind;
    return TG_OK;
}
