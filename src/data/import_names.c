/* What the name of a file, a folder or a variable tells: its part, whether it holds labels, what belongs to it. */
#include <ctype.h>
#include <string.h>

#include "data/import.h"

static bool is_letter(char c) {
    return isalpha((unsigned char)c) != 0;
}

bool tg_same_letters(const char *text, const char *word, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (tolower((unsigned char)text[i]) != word[i]) return false; /* also at the end of text */
    return true;
}

bool tg_ends_with(const char *text, const char *ending) {
    size_t length = strlen(text), tail = strlen(ending);
    return length >= tail && tg_same_letters(text + length - tail, ending, tail);
}

const char *tg_find_text(const char *text, const char *part) {
    size_t length = strlen(part);
    for (; *text; text++)
        if (strncmp(text, part, length) == 0) return text;
    return NULL;
}

const char *tg_base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "train" in "x_train", "xTrain", "xtrain" and "Xtrain", not in "constraint". */
static bool begins_word(const char *text, size_t at) {
    if (at == 0 || !is_letter(text[at - 1])) return true;
    if (isupper((unsigned char)text[at]) && islower((unsigned char)text[at - 1])) return true;
    return strchr("xyXY", text[at - 1]) && (at == 1 || !is_letter(text[at - 2]));
}

/* Behind "y" in "y", "y2", "y_train", "yTrain" and "ytrain". */
static bool ends_word(const char *text, size_t end) {
    if (!is_letter(text[end])) return true;
    if (isupper((unsigned char)text[end]) && islower((unsigned char)text[end - 1])) return true;
    return tg_same_letters(text + end, "train", 5) || tg_same_letters(text + end, "test", 4);
}

/* ---- parts -------------------------------------------------------------------------------------------- */

static const struct part_word {
    const char *word;
    tg_part part;
    bool whole; /* "val" alone, but "training" as well as "train" */
} part_words[] = {
    {"train", TG_PART_TRAIN, false},      {"test", TG_PART_TEST, false},     {"t10k", TG_PART_TEST, false},
    {"valid", TG_PART_VALIDATION, false}, {"val", TG_PART_VALIDATION, true},
};

tg_part tg_part_of_word(const char *name, size_t length) {
    for (size_t at = 0; at < length; at++)
        for (size_t i = 0; i < sizeof part_words / sizeof *part_words; i++) {
            const struct part_word *row = &part_words[i];
            size_t span = strlen(row->word);
            if (span <= length - at && tg_same_letters(name + at, row->word, span) && begins_word(name, at) &&
                (!row->whole || ends_word(name, at + span)))
                return row->part;
        }
    return TG_PART_OPEN;
}

tg_part tg_part_of_name(const char *name) {
    size_t end = strlen(name);
    for (;;) {
        size_t begin = end;
        while (begin > 0 && name[begin - 1] != '/') begin--;
        tg_part part = tg_part_of_word(name + begin, end - begin);
        if (part != TG_PART_OPEN || begin == 0) return part;
        end = begin - 1;
    }
}

/* ---- images and labels ------------------------------------------------------------------------------------ */

static const char *const label_words[] = {"labels", "label",   "idx1",  "y",   "targets",
                                          "target", "classes", "class", "gnd", NULL};
static const char *const image_words[] = {"images", "image",    "idx2",     "idx3",   "idx4", "x",
                                          "data",   "features", "patterns", "pixels", "fea",  NULL};

/* Length of the one of these words that begins at text[at]; 0: none. */
static size_t word_at(const char *text, size_t at, const char *const *words) {
    if (!begins_word(text, at)) return 0;
    for (; *words; words++) {
        size_t span = strlen(*words);
        if (tg_same_letters(text + at, *words, span) && ends_word(text, at + span)) return span;
    }
    return 0;
}

static bool has_word(const char *text, const char *const *words) {
    for (size_t at = 0; text[at]; at++)
        if (word_at(text, at, words)) return true;
    return false;
}

/* A variable is called for itself: "labels.mat: x" is no label. */
bool tg_name_says_labels(const char *name) {
    const char *base = tg_base_name(name), *variable = tg_find_text(base, ": ");
    if (variable && has_word(variable, image_words) && !has_word(variable, label_words)) return false;
    return has_word(base, label_words);
}

/* The next character that counts, in lower case; 0 at the end. */
static int next_of_stem(const char *name, size_t *at) {
    for (;;) {
        size_t skip = word_at(name, *at, label_words);
        if (!skip) skip = word_at(name, *at, image_words);
        if (!skip && name[*at] && !isalnum((unsigned char)name[*at])) skip = 1;
        if (!skip) break;
        *at += skip;
    }
    return name[*at] ? tolower((unsigned char)name[(*at)++]) : 0;
}

size_t tg_stem_of_name(const char *name, char *out) {
    size_t at = 0, length = 0;
    name = tg_base_name(name);
    for (int next; (next = next_of_stem(name, &at)) != 0;) out[length++] = (char)next;
    return length;
}

/* ---- order ------------------------------------------------------------------------------------------------ */

static size_t digits_at(const char *text) {
    return strspn(text, "0123456789");
}

int tg_compare_names(const char *a, const char *b) {
    const char *first = a, *second = b;
    while (*a && *b) {
        if (digits_at(a) && digits_at(b)) {
            while (*a == '0') a++;
            while (*b == '0') b++;
            size_t left = digits_at(a), right = digits_at(b);
            if (left != right) return left < right ? -1 : 1;
            int order = strncmp(a, b, left);
            if (order != 0) return order;
            a += left;
            b += right;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    if (*a || *b) return *a ? 1 : -1;
    return strcmp(first, second); /* "img01" and "img1" are not the same */
}
