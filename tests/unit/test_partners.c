/* Which arrays are pairs: the same that are found where all are compared with all, but not in that time. */
#include <stdio.h>
#include <string.h>

#include "base/rng.h"
#include "data/import.h"
#include "support/importing.h"

enum { MOST_ARRAYS = 14, CLASSES = 24, CASES = 3000 };

/* ---- arrays by their names and counts ----------------------------------------------------------------- */

typedef enum kind {
    SAMPLES, /* MATLAB's may have as many samples as its first axis is long, or its last */
    VECTOR,
    MATRIX, /* a row for each sample, with one 1: may be the samples of another */
    KINDS
} kind;

typedef struct thing {
    char name[64];
    kind kind;
    bool matlab;
    size_t counts[2];
} thing;

typedef struct couple {
    size_t samples, labels; /* SIZE_MAX: none */
} couple;

static const char *pick(tg_rng *rng, const char *const *words, uint32_t count) {
    return words[tg_rng_below(rng, count)];
}

static size_t make_things(tg_rng *rng, thing out[MOST_ARRAYS]) {
    static const char *const folders[] = {"", "a/", "b/", "train/", "a/test/", "x.mat: "};
    static const char *const stems[] = {"", "fold0", "fold1", "train", "test"};
    static const char *const words[] = {"images", "labels", "x", "Y", "-", "gnd"};
    size_t count = 1 + tg_rng_below(rng, MOST_ARRAYS);
    uint32_t variety = 1 + tg_rng_below(rng, 4);
    for (size_t i = 0; i < count; i++) {
        thing *t = &out[i];
        *t = (thing){.kind = (kind)tg_rng_below(rng, KINDS), .matlab = tg_rng_below(rng, 3) == 0};
        for (size_t k = 0; k < 2; k++) t->counts[k] = 3 + tg_rng_below(rng, variety);
        if (!t->matlab || t->kind != SAMPLES) t->counts[1] = t->counts[0];
        snprintf(t->name, sizeof t->name, "%s%s%s%s", pick(rng, folders, variety + 2),
                 pick(rng, stems, variety + 1), tg_rng_below(rng, 2) ? "-" : "", pick(rng, words, 6));
    }
    return count;
}

/* Its first element tells samples apart; the second label tells labels apart. */
static void give_thing(tg_import *import, const thing *t, size_t place) {
    uint8_t data[8 * 8 * 2 * CLASSES] = {0};
    tg_array_view view = {.name = t->name, .format = "test", .matlab = t->matlab, .data = data, .rank = 1};
    view.shape[0] = t->counts[0];
    data[1] = (uint8_t)(place + 1);
    if (t->kind == SAMPLES) {
        view.rank = 3;
        view.shape[1] = 2;
        view.shape[2] = t->counts[1];
        data[0] = (uint8_t)place;
    } else if (t->kind == MATRIX) {
        view.rank = 2;
        view.shape[1] = CLASSES;
        memset(data, 0, sizeof data);
        for (size_t i = 0; i < t->counts[0]; i++) data[i * CLASSES + (i == 1 ? place + 1 : 0)] = 1;
    }
    tg_error err;
    ASSERT_OK(tg_import_add_array(import, &view, &err));
}

/* ---- all with all --------------------------------------------------------------------------------------- */

static bool is_labels(const thing *t) {
    return t->kind == VECTOR || (t->kind == MATRIX && tg_name_says_labels(t->name));
}

static unsigned fit_of(const thing *a, const thing *b) {
    char stems[2][sizeof a->name];
    size_t lengths[2] = {tg_stem_of_name(a->name, stems[0]), tg_stem_of_name(b->name, stems[1])};
    size_t folder = (size_t)(tg_base_name(a->name) - a->name);
    bool same_folder =
        folder == (size_t)(tg_base_name(b->name) - b->name) && memcmp(a->name, b->name, folder) == 0;
    bool same_stem = lengths[0] == lengths[1] && memcmp(stems[0], stems[1], lengths[0]) == 0;
    tg_part of_a = tg_part_of_name(a->name), of_b = tg_part_of_name(b->name);
    if (of_a && of_b && of_a != of_b) return 0;
    return 1u + same_folder + 2u * same_stem + 4u * (of_a && of_a == of_b);
}

static bool may_pair(const thing *samples, const thing *labels, bool called_labels) {
    return samples != labels && !is_labels(samples) && is_labels(labels) == called_labels &&
           labels->kind != SAMPLES &&
           (samples->counts[0] == labels->counts[0] || samples->counts[1] == labels->counts[0]);
}

static size_t pair_all_with_all(const thing *things, size_t count, bool used[MOST_ARRAYS],
                                couple out[MOST_ARRAYS]) {
    size_t found = 0;
    for (int called_labels = 1; called_labels >= 0; called_labels--)
        for (unsigned fit = 8; fit > 0; fit--)
            for (size_t i = 0; i < count; i++)
                for (size_t j = 0; j < count && !used[i]; j++) {
                    if (used[j] || !may_pair(&things[i], &things[j], called_labels) ||
                        fit_of(&things[i], &things[j]) != fit)
                        continue;
                    out[found++] = (couple){i, j};
                    used[i] = used[j] = true;
                }
    return found;
}

/* What is said of it where it was left over; "": nothing. */
static void say_why(const thing *things, size_t count, const bool *used, size_t i, char out[256]) {
    const thing *meant = NULL;
    bool labels = is_labels(&things[i]);
    for (size_t j = 0; j < count; j++)
        if (!used[j] && is_labels(&things[j]) != labels &&
            (fit_of(&things[i], &things[j]) >= 4 || count == 2))
            meant = &things[j];
    out[0] = '\0';
    if (!meant)
        snprintf(out, 256, "its %s are missing; give both files together", labels ? "images" : "labels");
    else if (!labels)
        snprintf(out, 256, "%zu images but %zu labels in %s: take two files that belong together",
                 things[i].counts[0], meant->counts[0] * (meant->kind == MATRIX ? CLASSES : 1), meant->name);
}

/* ---- the same ------------------------------------------------------------------------------------------- */

static void assert_pairs(const tg_import *import, const couple *pairs, size_t count) {
    assert_int_equal(import->set_count, count);
    for (size_t i = 0; i < count; i++) {
        const tg_dataset *set = import->sets[i].dataset;
        assert_int_equal(import->sets[i].source, pairs[i].samples);
        assert_int_equal(set->labels[1], pairs[i].labels == SIZE_MAX ? 0 : pairs[i].labels + 1);
    }
}

/* Whoever is left is refused with a reason, or taken without labels. */
static void compare_case(uint32_t number) {
    tg_rng rng = tg_rng_stream(7, TG_RNG_TEST, number, 0);
    thing things[MOST_ARRAYS];
    couple pairs[MOST_ARRAYS];
    bool used[MOST_ARRAYS] = {false}, unlabeled = tg_rng_below(&rng, 4) == 0;
    size_t count = make_things(&rng, things), paired = pair_all_with_all(things, count, used, pairs),
           said = 0;
    importing in;
    tg_error err;
    begin_import(&in, unlabeled ? "{'unlabeled':true}" : NULL);
    for (size_t i = 0; i < count; i++) give_thing(in.import, &things[i], i);
    ASSERT_OK(tg_import_pair_arrays(in.import, &err));
    for (size_t i = 0; i < count; i++) {
        char why[256];
        if (used[i]) continue;
        if (unlabeled && !is_labels(&things[i])) {
            used[i] = true;
            pairs[paired++] = (couple){i, SIZE_MAX};
            continue;
        }
        say_why(things, count, used, i, why);
        if (!why[0]) continue;
        assert_true(said + 1 < in.import->skipped.count);
        assert_string_equal(tg_texts_at(&in.import->skipped, said++), things[i].name);
        assert_string_equal(tg_texts_at(&in.import->skipped, said++), why);
    }
    assert_int_equal(in.import->skipped.count, said);
    assert_pairs(in.import, pairs, paired);
    free_import(&in);
}

static void pairs_are_those_of_comparing_all_with_all(void **state) {
    (void)state;
    for (uint32_t i = 0; i < CASES; i++) compare_case(i);
}

/* ---- many ----------------------------------------------------------------------------------------------- */

enum { MANY = 20000 };

/* Compared with each other, eight times, these would take hours: once three thousand files took minutes. */
static void give_many(importing *in, const char *name_of_samples, const char *name_of_labels, size_t samples,
                      size_t labels) {
    begin_import(in, NULL);
    tg_error err;
    char name[64];
    static const uint8_t element[8] = {0, 1, 0, 1, 0, 1, 0, 1};
    for (size_t i = 0; i < samples; i++) {
        snprintf(name, sizeof name, "%zu%s", i, name_of_samples);
        ASSERT_OK(tg_import_array(in->import, name, TG_U8, 3, (size_t[]){2, 2, 1}, element, &err));
    }
    for (size_t i = 0; i < labels; i++) {
        snprintf(name, sizeof name, "%zu%s", i, name_of_labels);
        ASSERT_OK(tg_import_array(in->import, name, TG_U8, 1, (size_t[]){2}, element, &err));
    }
}

static void twenty_thousand_arrays_are_paired(void **state) {
    (void)state;
    static const char *const names[][2] = {
        {"-images", "-labels"}, /* those of a number belong together */
        {"a", "b"},             /* none do */
        {"/train", "/train"},   /* nothing but the part and the folder is the same */
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        importing in;
        give_many(&in, names[i][0], names[i][1], MANY / 2, MANY / 2);
        end_import(&in);
        assert_int_equal(in.train->count, MANY);
        assert_int_equal(in.import->skipped_count, 0);
        free_import(&in);
    }
}

static void twenty_thousand_arrays_without_a_partner_are_refused(void **state) {
    (void)state;
    importing in;
    give_many(&in, "a", "b", MANY, 0);
    end_import_failing(&in, "0a: its labels are missing; give both files together");
    free_import(&in);
    give_many(&in, "a", "b", 0, MANY);
    end_import_failing(&in, "0b: its images are missing; give both files together");
    free_import(&in);
}

/* Names of classes that nobody would read, made for every table anew, once took minutes and gigabytes. */
static void names_of_classes_are_made_once(void **state) {
    (void)state;
    importing in;
    begin_import(&in, NULL);
    for (size_t i = 0; i < MANY; i++) {
        char name[64], text[64];
        snprintf(name, sizeof name, "%zu.csv", i);
        snprintf(text, sizeof text, "a,label\n1,cat %zu\n2,dog %zu\n", i, i);
        give_text(&in, name, text);
    }
    end_import(&in);
    assert_int_equal(in.train->classes, 2 * MANY);
    assert_string_equal(tg_dataset_class_name(in.train, (size_t)in.train->labels[1]), "dog 0");
    free_import(&in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_those_of_comparing_all_with_all),
        cmocka_unit_test(twenty_thousand_arrays_are_paired),
        cmocka_unit_test(twenty_thousand_arrays_without_a_partner_are_refused),
        cmocka_unit_test(names_of_classes_are_made_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
