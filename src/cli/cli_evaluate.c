/* evaluate and predict: what a trained network makes of data it is given. */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"

static tg_status open_checkpoint(const cli_options *options, unsigned data, cli_session *out, tg_error *err) {
    if (cli_session_open(options, data, out, err) != TG_OK) return err->status;
    if (out->checkpoint) return TG_OK;
    cli_session_close(out);
    return cli_fail(err, TG_E_ARGUMENT, options->input, "is a recipe; train it first, with --out CHECKPOINT");
}

/* ---- evaluate ----------------------------------------------------------------------------------------- */

static tg_status evaluate(cli_session *session, tg_error *err) {
    const cli_options *options = session->options;
    tg_status status =
        options->limit.given ? cli_data_limit(&session->test, options->limit.value, err) : TG_OK;
    tg_evaluation result;
    if (status == TG_OK) status = tg_run_evaluate_begin(session->run, session->test, err);
    if (status == TG_OK) status = tg_run_evaluate(session->run, NULL, NULL, &result, err);
    if (status != TG_OK) return status;
    if (options->json) return cli_print_json(cli_json_evaluation(&result), err);
    cli_print_score(&result);
    cli_print_confusion(session->run, &result);
    cli_print_classes(session->run, &result);
    return TG_OK;
}

tg_status cli_evaluate(const cli_options *options, tg_error *err) {
    cli_session session;
    if (open_checkpoint(options, CLI_TEST_DATA, &session, err) != TG_OK) return err->status;
    tg_status status = evaluate(&session, err);
    cli_session_close(&session);
    return status;
}

/* ---- predict ------------------------------------------------------------------------------------------ */

static void add_numbers(cJSON *object, const char *key, const float *values, size_t count) {
    cJSON *list = cJSON_AddArrayToObject(object, key);
    for (size_t i = 0; i < count; i++) cJSON_AddItemToArray(list, cJSON_CreateNumber((double)values[i]));
}

/* What else the model's "outputs" name, each under the name of its layer. */
static tg_status add_other_outputs(cJSON *line, const tg_run *run, const float *outputs, tg_error *err) {
    if (tg_run_output_count(run) == 1) return TG_OK;
    cJSON *others = cJSON_AddObjectToObject(line, "others");
    for (size_t i = 1; i < tg_run_output_count(run); i++) {
        tg_output_info info;
        if (tg_run_output(run, i, &info, err) != TG_OK) return err->status;
        add_numbers(others, info.layer, outputs + info.offset, info.size);
    }
    return TG_OK;
}

static tg_status print_prediction(const cli_session *session, size_t sample, const float *outputs,
                                  tg_error *err) {
    tg_output_info first;
    if (tg_run_output(session->run, 0, &first, err) != TG_OK) return err->status;
    size_t count = first.size, best = 0;
    for (size_t i = 1; i < count; i++)
        if (outputs[i] > outputs[best]) best = i;
    const char *name = tg_run_classes(session->run) ? tg_run_class_name(session->run, best) : NULL;
    if (!session->options->json) {
        if (name) printf("%zu  %s  %.4f\n", sample, name, (double)outputs[best]);
        else printf("%zu  %zu outputs, the largest is %.4f\n", sample, count, (double)outputs[best]);
        return TG_OK;
    }
    cJSON *line = cJSON_CreateObject();
    cJSON_AddNumberToObject(line, "sample", (double)sample);
    if (name) {
        cJSON_AddNumberToObject(line, "label", (double)best);
        cJSON_AddStringToObject(line, "class", name);
    }
    add_numbers(line, name ? "probabilities" : "outputs", outputs, count);
    if (add_other_outputs(line, session->run, outputs, err) == TG_OK) return cli_print_json(line, err);
    cJSON_Delete(line);
    return err->status;
}

static tg_status predict(cli_session *session, tg_dataset *images, tg_error *err) {
    enum { AT_ONCE = 64 };
    size_t shape[3], wanted[3], outputs = tg_run_outputs(session->run), count = tg_dataset_count(images);
    tg_dataset_shape(images, shape);
    tg_run_input_shape(session->run, wanted);
    if (shape[0] != wanted[0] || shape[1] != wanted[1] || shape[2] != wanted[2])
        return cli_fail(err, TG_E_SHAPE, session->options->file,
                        "its images are %zux%zux%zu, but the network reads %zux%zux%zu", shape[0], shape[1],
                        shape[2], wanted[0], wanted[1], wanted[2]);
    if (session->options->limit.given && session->options->limit.value < count)
        count = (size_t)session->options->limit.value;
    float *rows = malloc(AT_ONCE * outputs * sizeof *rows);
    if (!rows) return cli_fail(err, TG_E_MEMORY, NULL, "no memory is left for the predictions");
    const uint8_t *pixels = tg_dataset_pixels(images);
    tg_dtype type = tg_dataset_type(images);
    size_t sample_bytes = shape[0] * shape[1] * shape[2] * (type == TG_U8 ? 1 : sizeof(float));
    tg_status status = TG_OK;
    for (size_t first = 0; status == TG_OK && first < count; first += AT_ONCE) {
        size_t n = count - first < AT_ONCE ? count - first : AT_ONCE;
        status = tg_run_predict(session->run, type, pixels + first * sample_bytes, n, rows, err);
        for (size_t i = 0; status == TG_OK && i < n; i++)
            status = print_prediction(session, first + i, rows + i * outputs, err);
    }
    free(rows);
    return status;
}

/* Pictures become as large as the network reads them, unless --read says otherwise. */
static tg_status open_images(cli_session *session, tg_dataset **out, tg_error *err) {
    const cli_options *options = session->options;
    cJSON *reading;
    size_t wanted[3];
    if (cli_data_options(options, &reading, err) != TG_OK) return err->status;
    tg_run_input_shape(session->run, wanted);
    if (!reading) {
        reading = cJSON_CreateObject();
        cJSON_AddItemToObject(reading, "size",
                              cJSON_CreateIntArray((int[]){(int)wanted[0], (int)wanted[1]}, 2));
        if (wanted[2] == 1 || wanted[2] == 3)
            cJSON_AddStringToObject(reading, "color", wanted[2] == 1 ? "gray" : "rgb");
    }
    cli_import in = {.options = reading, .unlabeled = true};
    tg_status status = cli_data_open_test(options->file, in, out, err);
    cJSON_Delete(reading);
    return status;
}

tg_status cli_predict(const cli_options *options, tg_error *err) {
    cli_session session;
    tg_dataset *images = NULL;
    if (open_checkpoint(options, 0, &session, err) != TG_OK) return err->status;
    tg_status status = open_images(&session, &images, err);
    if (status == TG_OK) status = predict(&session, images, err);
    tg_dataset_destroy(images);
    cli_session_close(&session);
    return status;
}
