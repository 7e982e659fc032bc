/* summary and gradcheck: what a recipe makes, and whether its gradients are right. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* ---- summary ------------------------------------------------------------------------------------------ */

static tg_status add_layers(const tg_run *run, cJSON *object, tg_error *err) {
    cJSON *list = cJSON_AddArrayToObject(object, "layers");
    for (size_t i = 0; i < tg_run_layers(run); i++) {
        tg_layer_info info;
        if (tg_run_layer(run, i, &info, err) != TG_OK) return err->status;
        cJSON *layer = cJSON_CreateObject(), *shape;
        cJSON_AddStringToObject(layer, "name", info.name);
        cJSON_AddStringToObject(layer, "type", info.type);
        shape = cJSON_AddArrayToObject(layer, "shape");
        for (size_t j = 0; j < info.rank; j++)
            cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)info.shape[j]));
        cJSON_AddNumberToObject(layer, "parameters", (double)info.parameters);
        cJSON_AddBoolToObject(layer, "trainable", info.trainable);
        cJSON_AddItemToArray(list, layer);
    }
    return TG_OK;
}

static size_t count_parameters(const tg_run *run) {
    size_t parameters = 0;
    tg_layer_info info;
    for (size_t i = 0; i < tg_run_layers(run); i++)
        if (tg_run_layer(run, i, &info, NULL) == TG_OK) parameters += info.parameters;
    return parameters;
}

static tg_status print_summary_json(cli_session *session, tg_error *err) {
    const char *recipe;
    tg_memory memory;
    char hash[65];
    if (tg_run_recipe_json(session->run, &recipe, err) != TG_OK) return err->status;
    tg_run_memory(session->run, &memory);
    tg_run_hash(session->run, hash);
    cJSON *line = cJSON_CreateObject();
    cJSON_AddItemToObject(line, "recipe", cJSON_CreateRaw(recipe));
    if (add_layers(session->run, line, err) != TG_OK || cli_json_inside(session, line, err) != TG_OK) {
        cJSON_Delete(line);
        return err->status;
    }
    cJSON_AddNumberToObject(line, "parameters", (double)count_parameters(session->run));
    cJSON *bytes = cJSON_AddObjectToObject(line, "memory");
    cJSON_AddNumberToObject(bytes, "parametersBytes", (double)memory.parameters_bytes);
    cJSON_AddNumberToObject(bytes, "optimizerBytes", (double)memory.optimizer_bytes);
    cJSON_AddNumberToObject(bytes, "activationsBytes", (double)memory.activations_bytes);
    cJSON_AddNumberToObject(bytes, "inferenceBytes", (double)memory.inference_bytes);
    cJSON_AddNumberToObject(bytes, "totalBytes", (double)memory.total_bytes);
    cJSON_AddStringToObject(line, "hash", hash);
    cJSON_AddNumberToObject(line, "threads", (double)tg_engine_threads(session->engine));
    cJSON_AddStringToObject(line, "kernels", tg_engine_kernels(session->engine));
    return cli_print_json(line, err);
}

static tg_status print_summary(cli_session *session, tg_error *err) {
    tg_memory memory;
    printf("%-20s %-18s %-16s %12s\n", "layer", "type", "output", "parameters");
    for (size_t i = 0; i < tg_run_layers(session->run); i++) {
        tg_layer_info info;
        if (tg_run_layer(session->run, i, &info, err) != TG_OK) return err->status;
        char shape[64] = "";
        for (size_t j = 0, used = 0; j < info.rank && used < sizeof shape; j++)
            used +=
                (size_t)snprintf(shape + used, sizeof shape - used, "%s%zu", j ? " x " : "", info.shape[j]);
        printf("%-20s %-18s %-16s %12zu%s\n", info.name, info.type, shape, info.parameters,
               info.trainable ? "" : "  frozen");
    }
    tg_run_memory(session->run, &memory);
    printf("\n%zu parameters. Memory: %.2f MB (parameters %.2f, optimizer %.2f, activations %.2f, inference "
           "%.2f)\n",
           count_parameters(session->run), (double)memory.total_bytes / 1e6,
           (double)memory.parameters_bytes / 1e6, (double)memory.optimizer_bytes / 1e6,
           (double)memory.activations_bytes / 1e6, (double)memory.inference_bytes / 1e6);
    return cli_print_inside(session, err);
}

tg_status cli_summary(const cli_options *options, tg_error *err) {
    cli_session session;
    unsigned data = options->test ? CLI_TEST_DATA : 0;
    if (cli_session_open(options, data, &session, err) != TG_OK) return err->status;
    tg_status status = options->json ? print_summary_json(&session, err) : print_summary(&session, err);
    cli_session_close(&session);
    return status;
}

/* ---- gradcheck ---------------------------------------------------------------------------------------- */

#ifdef TG_REAL_F64

static const double tolerance = 1e-7;

tg_status cli_gradcheck(const cli_options *options, tg_error *err) {
    cli_session session;
    tg_gradcheck found;
    if (cli_session_open(options, CLI_TRAIN_DATA | CLI_PAIRS, &session, err) != TG_OK) return err->status;
    size_t per_tensor = options->limit.given ? (size_t)options->limit.value : 20;
    tg_status status = tg_run_gradcheck_begin(session.run, per_tensor, err);
    if (status == TG_OK) status = tg_run_gradcheck(session.run, NULL, NULL, &found, err);
    cli_session_close(&session);
    if (status != TG_OK) return status;
    if (options->json) {
        cJSON *line = cJSON_CreateObject();
        cJSON_AddNumberToObject(line, "worst", found.worst);
        cJSON_AddStringToObject(line, "parameter", found.parameter);
        cJSON_AddNumberToObject(line, "index", (double)found.index);
        cJSON_AddNumberToObject(line, "checked", (double)found.checked);
        cJSON_AddNumberToObject(line, "skipped", (double)found.skipped);
        if (cli_print_json(line, err) != TG_OK) return err->status;
    } else {
        printf("%llu parameters checked, %llu skipped at a kink; worst error %.3g at %s[%zu]\n",
               (unsigned long long)found.checked, (unsigned long long)found.skipped, found.worst,
               found.parameter, found.index);
    }
    if (found.worst < tolerance) return TG_OK;
    return cli_fail(err, TG_E_DATA, found.parameter,
                    "the gradient of element %zu is off by %.3g, more than %g", found.index, found.worst,
                    tolerance);
}

#else

/* Float cannot tell a wrong gradient from rounding: the same program in double, built beside this one, takes
 * over. */
tg_status cli_gradcheck(const cli_options *options, tg_error *err) {
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof "-f64");
    if (length > 0) path[length] = '\0';
    else snprintf(path, sizeof path - sizeof "-f64", "%s", options->argv[0]);
    strcat(path, "-f64");
    execv(path, options->argv);
    return cli_fail(err, TG_E_STATE, path, "cannot be run: %s; npm run build:native makes it",
                    strerror(errno));
}

#endif
