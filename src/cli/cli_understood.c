/* tabgrad data PATH...: what the importer makes of files, and what it leaves out. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"

static const char *text_of(const cJSON *object, const char *key) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));
    return text ? text : "";
}

static double number_of(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    return item ? item->valuedouble : 0;
}

static void print_shape(const cJSON *object) {
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(object, "shape"), *side;
    const char *between = " of ";
    cJSON_ArrayForEach(side, shape) {
        printf("%s%.0f", between, side->valuedouble);
        between = "x";
    }
}

static void print_set(const char *title, const cJSON *about, tg_dataset *set) {
    if (!set) return;
    const cJSON *range = cJSON_GetObjectItemCaseSensitive(about, "range");
    const cJSON *counts = cJSON_GetObjectItemCaseSensitive(about, "classCounts"), *count;
    printf("%s: %.0f samples", title, number_of(about, "count"));
    print_shape(about);
    printf(", %s, values %g to %g\n  sha256 %s\n", tg_dataset_type(set) == TG_U8 ? "bytes" : "floats",
           cJSON_GetArrayItem(range, 0)->valuedouble, cJSON_GetArrayItem(range, 1)->valuedouble,
           tg_dataset_sha256(set));
    size_t class = 0;
    cJSON_ArrayForEach(count, counts)
        printf("  %-20s %.0f\n", tg_dataset_class_name(set, class ++), count->valuedouble);
}

static void print_understood(const cJSON *report, tg_dataset *train, tg_dataset *test) {
    const cJSON *item;
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(report, "sources")) {
        printf("%s: %s, %s, %.0f", text_of(item, "name"), text_of(item, "format"), text_of(item, "part"),
               number_of(item, "count"));
        print_shape(item);
        printf("%s%s\n", *text_of(item, "note") ? "; " : "", text_of(item, "note"));
    }
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(report, "skipped"))
        printf("skipped: %s: %s\n", text_of(item, "name"), text_of(item, "reason"));
    print_set("train", cJSON_GetObjectItemCaseSensitive(report, "train"), train);
    print_set("test", cJSON_GetObjectItemCaseSensitive(report, "test"), test);
    const cJSON *duplicates = cJSON_GetObjectItemCaseSensitive(report, "duplicates");
    if (number_of(duplicates, "count") > 0)
        printf("%.0f samples of the test set are in the training set as well\n",
               number_of(duplicates, "count"));
}

static void add_set(cJSON *report, const char *key, tg_dataset *set) {
    cJSON *about = cJSON_GetObjectItemCaseSensitive(report, key);
    if (!set) return;
    cJSON *classes = cJSON_AddArrayToObject(about, "classes");
    for (size_t i = 0; i < tg_dataset_classes(set); i++)
        cJSON_AddItemToArray(classes, cJSON_CreateString(tg_dataset_class_name(set, i)));
    cJSON_AddStringToObject(about, "sha256", tg_dataset_sha256(set));
}

static tg_status print(const cli_options *options, const tg_import *import, tg_dataset *train,
                       tg_dataset *test, tg_error *err) {
    cJSON *report = cJSON_Parse(tg_import_report(import));
    if (!report) return cli_fail(err, TG_E_MEMORY, NULL, "no memory is left to print what was understood");
    if (options->json) {
        add_set(report, "train", train);
        add_set(report, "test", test);
        return cli_print_json(report, err);
    }
    print_understood(report, train, test);
    cJSON_Delete(report);
    return TG_OK;
}

tg_status cli_data(const cli_options *options, tg_error *err) {
    cli_import in = {.paths = (const char *const *)options->paths};
    tg_import *import = NULL;
    tg_dataset *train = NULL, *test = NULL;
    cJSON *reading;
    while (in.paths[in.count]) in.count++;
    tg_status status = cli_data_options(options, &reading, err);
    in.options = reading;
    if (status == TG_OK) status = cli_import_paths(&in, &import, &train, &test, err);
    if (status == TG_OK) status = print(options, import, train, test, err);
    tg_dataset_destroy(train);
    tg_dataset_destroy(test);
    tg_import_destroy(import);
    cJSON_Delete(reading);
    return status;
}
