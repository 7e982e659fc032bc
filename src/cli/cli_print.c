#include <math.h>
#include <stdio.h>

#include "cli.h"

tg_status cli_print_json(cJSON *object, tg_error *err) {
    char *text = cJSON_PrintUnformatted(object);
    cJSON_Delete(object);
    if (!text) return cli_fail(err, TG_E_MEMORY, NULL, "no memory is left to print the result");
    puts(text);
    fflush(stdout); /* whoever reads along gets every line at once */
    cJSON_free(text);
    return TG_OK;
}

cJSON *cli_json_score(const tg_score *score) {
    if (score->count == 0) return cJSON_CreateNull();
    cJSON *object = cJSON_CreateObject();
    cJSON_AddNumberToObject(object, "loss", score->loss);
    cJSON_AddNumberToObject(object, "accuracy", score->accuracy);
    cJSON_AddNumberToObject(object, "count", (double)score->count);
    return object;
}

cJSON *cli_json_evaluation(const tg_evaluation *evaluation) {
    cJSON *object = cli_json_score(&evaluation->score);
    cJSON_AddNumberToObject(object, "psnr", evaluation->psnr);
    if (evaluation->classes == 0) {
        cJSON_AddNullToObject(object, "confusion");
        cJSON_AddNullToObject(object, "perClass");
        cJSON_AddNullToObject(object, "confused");
        return object;
    }
    cJSON *rows = cJSON_AddArrayToObject(object, "confusion");
    for (size_t i = 0; i < evaluation->classes; i++) {
        cJSON *row = cJSON_CreateArray();
        for (size_t j = 0; j < evaluation->classes; j++)
            cJSON_AddItemToArray(
                row, cJSON_CreateNumber((double)evaluation->confusion[i * evaluation->classes + j]));
        cJSON_AddItemToArray(rows, row);
    }
    cli_json_classes(evaluation, object);
    return object;
}

void cli_print_score(const tg_evaluation *evaluation) {
    printf("loss %.4f", evaluation->score.loss);
    if (!isnan(evaluation->score.accuracy)) printf("  accuracy %.2f %%", 100 * evaluation->score.accuracy);
    if (!isnan(evaluation->psnr)) printf("  PSNR %.2f dB", evaluation->psnr);
    printf("  (%llu samples)\n", (unsigned long long)evaluation->score.count);
}

void cli_print_confusion(const tg_run *run, const tg_evaluation *evaluation) {
    enum { WIDEST = 16 }; /* more columns than that do not fit a terminal */
    size_t classes = evaluation->classes;
    if (classes == 0 || classes > WIDEST) return;
    printf("\nrow: true class, column: predicted\n%-12s", "");
    for (size_t j = 0; j < classes; j++) printf(" %5.5s", tg_run_class_name(run, j));
    for (size_t i = 0; i < classes; i++) {
        printf("\n%-12.12s", tg_run_class_name(run, i));
        for (size_t j = 0; j < classes; j++)
            printf(" %5llu", (unsigned long long)evaluation->confusion[i * classes + j]);
    }
    printf("\n");
}
