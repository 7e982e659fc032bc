/* What a confusion matrix says of each class: precision, recall, and what is taken for what. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"

/* ---- precision and recall ------------------------------------------------------------------------------ */

typedef struct class_score {
    double precision, recall; /* NaN: nothing was taken for this class; there is nothing of it */
    uint64_t count;
} class_score;

static double share(uint64_t part, uint64_t whole) {
    return whole ? (double)part / (double)whole : NAN;
}

static class_score score_class(const tg_evaluation *evaluation, size_t label) {
    size_t classes = evaluation->classes;
    const uint64_t *cells = evaluation->confusion;
    uint64_t right = cells[label * classes + label], taken = 0, count = 0;
    for (size_t i = 0; i < classes; i++) {
        taken += cells[i * classes + label];
        count += cells[label * classes + i];
    }
    return (class_score){share(right, taken), share(right, count), count};
}

/* ---- most confused pairs ------------------------------------------------------------------------------- */

typedef struct confused {
    size_t actual, predicted;
    uint64_t count;
} confused;

static int by_count(const void *left, const void *right) {
    const confused *a = left, *b = right;
    if (a->count != b->count) return a->count < b->count ? 1 : -1;
    if (a->actual != b->actual) return a->actual < b->actual ? -1 : 1;
    return a->predicted < b->predicted ? -1 : 1; /* no pair comes twice */
}

/* All pairs of which one was taken for the other, most first; to be freed. NULL: no memory is left. */
static confused *rank_confused(const tg_evaluation *evaluation, size_t *count) {
    size_t classes = evaluation->classes;
    confused *pairs = malloc(classes * classes * sizeof *pairs); /* fits: the matrix itself does */
    *count = 0;
    for (size_t i = 0; pairs && i < classes * classes; i++)
        if (evaluation->confusion[i] && i / classes != i % classes)
            pairs[(*count)++] = (confused){i / classes, i % classes, evaluation->confusion[i]};
    if (pairs) qsort(pairs, *count, sizeof *pairs, by_count);
    return pairs;
}

/* ---- as JSON and as text ------------------------------------------------------------------------------- */

void cli_json_classes(const tg_evaluation *evaluation, cJSON *object) {
    size_t count;
    cJSON *scores = cJSON_AddArrayToObject(object, "perClass");
    for (size_t i = 0; i < evaluation->classes; i++) {
        class_score score = score_class(evaluation, i);
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "precision", score.precision);
        cJSON_AddNumberToObject(item, "recall", score.recall);
        cJSON_AddNumberToObject(item, "count", (double)score.count);
        cJSON_AddItemToArray(scores, item);
    }
    confused *pairs = rank_confused(evaluation, &count);
    cJSON *list = cJSON_AddArrayToObject(object, "confused");
    for (size_t i = 0; i < count; i++) {
        cJSON *item = cJSON_CreateObject();
        cJSON_AddNumberToObject(item, "actual", (double)pairs[i].actual);
        cJSON_AddNumberToObject(item, "predicted", (double)pairs[i].predicted);
        cJSON_AddNumberToObject(item, "count", (double)pairs[i].count);
        cJSON_AddItemToArray(list, item);
    }
    free(pairs);
}

static void print_percent(double part) {
    if (isnan(part)) printf(" %11s", "-");
    else printf(" %9.2f %%", 100 * part);
}

void cli_print_classes(const tg_run *run, const tg_evaluation *evaluation) {
    enum { SHOWN = 5 };
    size_t count;
    if (evaluation->classes == 0) return;
    printf("\n%-12s %11s %11s %9s\n", "class", "precision", "recall", "samples");
    for (size_t i = 0; i < evaluation->classes; i++) {
        class_score score = score_class(evaluation, i);
        printf("%-12.12s", tg_run_class_name(run, i));
        print_percent(score.precision);
        print_percent(score.recall);
        printf(" %9llu\n", (unsigned long long)score.count);
    }
    confused *pairs = rank_confused(evaluation, &count);
    if (count) printf("\nmost confused:\n");
    for (size_t i = 0; i < count && i < SHOWN; i++)
        printf("%s taken for %s: %llu\n", tg_run_class_name(run, pairs[i].actual),
               tg_run_class_name(run, pairs[i].predicted), (unsigned long long)pairs[i].count);
    free(pairs);
}
