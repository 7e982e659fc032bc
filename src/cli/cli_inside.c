/* What is inside a network: ranges of its weights, units that never answer. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"

/* ---- weights ------------------------------------------------------------------------------------------ */

static tg_status read_tensor(const tg_run *run, size_t index, tg_tensor_info *info, tg_tensor_range *range,
                             tg_error *err) {
    tg_status status = tg_run_parameter(run, index, info, err);
    return status == TG_OK ? tg_run_parameter_range(run, index, range, err) : status;
}

static tg_status add_tensors(const tg_run *run, cJSON *object, tg_error *err) {
    cJSON *list = cJSON_AddArrayToObject(object, "tensors");
    for (size_t i = 0; i < tg_run_parameters(run); i++) {
        tg_tensor_info info;
        tg_tensor_range range;
        if (read_tensor(run, i, &info, &range, err) != TG_OK) return err->status;
        cJSON *tensor = cJSON_CreateObject(), *shape;
        cJSON_AddStringToObject(tensor, "name", info.name);
        shape = cJSON_AddArrayToObject(tensor, "shape");
        for (size_t j = 0; j < info.rank; j++)
            cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)info.shape[j]));
        cJSON_AddNumberToObject(tensor, "min", range.min);
        cJSON_AddNumberToObject(tensor, "max", range.max);
        cJSON_AddNumberToObject(tensor, "mean", range.mean);
        cJSON_AddNumberToObject(tensor, "zeros", (double)range.zeros);
        cJSON_AddItemToArray(list, tensor);
    }
    return TG_OK;
}

static tg_status print_tensors(const tg_run *run, tg_error *err) {
    printf("\n%-24s %10s %12s %12s %12s %10s\n", "tensor", "size", "min", "max", "mean", "zeros");
    for (size_t i = 0; i < tg_run_parameters(run); i++) {
        tg_tensor_info info;
        tg_tensor_range range;
        if (read_tensor(run, i, &info, &range, err) != TG_OK) return err->status;
        printf("%-24s %10zu %12.4g %12.4g %12.4g %10zu\n", info.name, info.size, range.min, range.max,
               range.mean, range.zeros);
    }
    return TG_OK;
}

/* ---- dead units --------------------------------------------------------------------------------------- */

typedef struct rectifier {
    const char *name;
    size_t units, dead;
} rectifier;

/* counts: units, then dead units, of every layer. */
static tg_status keep_rectifiers(const tg_run *run, const size_t *counts, rectifier *out, size_t *found,
                                 tg_error *err) {
    size_t layers = tg_run_layers(run);
    for (size_t i = 0; i < layers; i++) {
        tg_layer_info info;
        if (counts[i] == 0) continue;
        if (tg_run_layer(run, i, &info, err) != TG_OK) return err->status;
        out[(*found)++] = (rectifier){info.name, counts[i], counts[layers + i]};
    }
    return TG_OK;
}

/* The layers that rectify, on the first test samples; *out to be freed. */
static tg_status find_dead(cli_session *session, rectifier **out, size_t *found, tg_error *err) {
    enum { SAMPLES = 1000 };
    const cli_number *limit = &session->options->limit;
    size_t layers = tg_run_layers(session->run), samples = limit->given ? (size_t)limit->value : SAMPLES;
    size_t *counts = malloc(2 * layers * sizeof *counts);
    *out = malloc(layers * sizeof **out);
    *found = 0;
    tg_status status = TG_OK;
    if (!counts || !*out) status = cli_fail(err, TG_E_MEMORY, NULL, "no memory is left to count dead units");
    bool finished;
    if (status == TG_OK) status = tg_run_dead_units_begin(session->run, session->test, samples, err);
    if (status == TG_OK)
        status = tg_run_dead_units(session->run, NULL, NULL, counts, counts + layers, &finished, err);
    if (status == TG_OK) status = keep_rectifiers(session->run, counts, *out, found, err);
    free(counts);
    return status;
}

static tg_status add_dead(cli_session *session, cJSON *object, tg_error *err) {
    rectifier *layers;
    size_t found;
    tg_status status = find_dead(session, &layers, &found, err);
    cJSON *list = cJSON_AddArrayToObject(object, "deadUnits");
    for (size_t i = 0; i < found; i++) {
        cJSON *layer = cJSON_CreateObject();
        cJSON_AddStringToObject(layer, "name", layers[i].name);
        cJSON_AddNumberToObject(layer, "units", (double)layers[i].units);
        cJSON_AddNumberToObject(layer, "dead", (double)layers[i].dead);
        cJSON_AddItemToArray(list, layer);
    }
    free(layers);
    return status;
}

static tg_status print_dead(cli_session *session, tg_error *err) {
    rectifier *layers;
    size_t found;
    tg_status status = find_dead(session, &layers, &found, err);
    if (found) printf("\n");
    for (size_t i = 0; i < found; i++)
        printf("%s: %zu of %zu units are dead\n", layers[i].name, layers[i].dead, layers[i].units);
    free(layers);
    return status;
}

/* ---- both --------------------------------------------------------------------------------------------- */

tg_status cli_json_inside(cli_session *session, cJSON *object, tg_error *err) {
    if (add_tensors(session->run, object, err) != TG_OK) return err->status;
    if (session->test) return add_dead(session, object, err);
    cJSON_AddNullToObject(object, "deadUnits");
    return TG_OK;
}

tg_status cli_print_inside(cli_session *session, tg_error *err) {
    tg_status status = print_tensors(session->run, err);
    return status == TG_OK && session->test ? print_dead(session, err) : status;
}
