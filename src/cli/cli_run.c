#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* ---- recipe or checkpoint ----------------------------------------------------------------------------- */

/* A .safetensors file begins with a 64-bit length far below 2^48: no text has zeros there. */
static bool is_checkpoint(const cli_session *session) {
    const char *name = session->options->input, *ending = ".safetensors";
    size_t length = strlen(name), tail = strlen(ending);
    const cli_file *file = &session->file;
    if (length > tail && strcmp(name + length - tail, ending) == 0) return true;
    return file->size >= 8 && file->data[6] == 0 && file->data[7] == 0;
}

static tg_status override(cJSON *recipe, const char *key, cli_number number, tg_error *err) {
    if (!number.given) return TG_OK;
    cJSON_DeleteItemFromObjectCaseSensitive(recipe, key);
    if (cJSON_AddNumberToObject(recipe, key, (double)number.value)) return TG_OK;
    return cli_fail(err, TG_E_MEMORY, NULL, "no memory is left to read the recipe");
}

/* What is trained on files of one's own does not claim to be the recipe's dataset: its checkpoint would go on with that. */
static tg_status name_files(cJSON *recipe, tg_error *err) {
    cJSON *data = cJSON_GetObjectItemCaseSensitive(recipe, "data");
    if (data && !cJSON_IsObject(data)) return TG_OK; /* the engine says what it should be */
    if (!data) data = cJSON_AddObjectToObject(recipe, "data");
    cJSON_DeleteItemFromObjectCaseSensitive(data, "dataset");
    return cJSON_AddStringToObject(data, "dataset", "files")
               ? TG_OK
               : cli_fail(err, TG_E_MEMORY, NULL, "no memory is left to read the recipe");
}

static tg_status read_recipe(cli_session *session, unsigned data, tg_error *err) {
    const cli_options *options = session->options;
    tg_status status =
        cli_json_parse(options->input, session->file.data, session->file.size, &session->document, err);
    if (status != TG_OK) return status;
    if (!cJSON_IsObject(session->document))
        return cli_fail(err, TG_E_RECIPE, options->input,
                        "a recipe is a JSON object, { \"tabgrad\": 1, ... }");
    status = override(session->document, "epochs", options->epochs, err);
    if (status == TG_OK) status = override(session->document, "seed", options->seed, err);
    if (status == TG_OK)
        status = override(session->document, "batch_size", (cli_number){(data & CLI_PAIRS) != 0, 2}, err);
    if (status == TG_OK && options->train) status = name_files(session->document, err);
    if (status == TG_OK) status = cli_json_walk(session->document, session->attrs, err);
    return status == TG_OK ? TG_OK : cli_fail_in(err, options->input);
}

static tg_status read_checkpoint(cli_session *session, tg_error *err) {
    static const char *const keys[] = {"recipe", "history", "classes"};
    const char *name = session->options->input;
    if (session->options->seed.given)
        return cli_fail(err, TG_E_ARGUMENT, "--seed",
                        "does not go with a checkpoint, whose seed is part of what it learned");
    tg_bytes bytes = {name, (uint8_t *)session->file.data, session->file.size};
    tg_status status = tg_checkpoint_open(bytes, &session->checkpoint, err);
    session->document = cJSON_CreateObject();
    for (size_t i = 0; status == TG_OK && i < 3; i++) {
        const char *text = tg_checkpoint_metadata(session->checkpoint, keys[i]);
        cJSON *value = NULL;
        if (text) status = cli_json_parse(keys[i], text, strlen(text), &value, err);
        if (value && !cJSON_AddItemToObject(session->document, keys[i], value)) cJSON_Delete(value);
    }
    if (status == TG_OK) status = cli_json_walk(session->document, session->attrs, err);
    return status == TG_OK ? TG_OK : cli_fail_in(err, name);
}

/* ---- data --------------------------------------------------------------------------------------------- */

static tg_status open_named(cli_session *session, const char *name, const char *split, const char *option,
                            tg_dataset **out, tg_error *err) {
    if (name) return cli_data_named(session->options, name, split, out, err);
    return cli_fail(err, TG_E_DATA, session->options->input, "data.dataset names no dataset; give %s PATH",
                    option);
}

/* Files where the command line names them, else the recipe's dataset. */
static tg_status open_data(cli_session *session, unsigned wanted, tg_error *err) {
    const cli_options *options = session->options;
    const cJSON *recipe = session->checkpoint ? cJSON_GetObjectItemCaseSensitive(session->document, "recipe")
                                              : session->document;
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(recipe, "data");
    const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(data, "dataset"));
    cJSON *reading;
    tg_status status = cli_data_options(options, &reading, err);
    cli_import in = {.options = reading};
    if (status == TG_OK && (wanted & CLI_TRAIN_DATA)) {
        if (options->train) status = cli_data_open(options->train, in, &session->train, &session->test, err);
        else status = open_named(session, name, "train", "--train", &session->train, err);
    }
    in.classes_of = session->train; /* both parts number their classes alike */
    if (status == TG_OK && (wanted & CLI_TEST_DATA)) {
        if (options->test) {
            tg_dataset_destroy(session->test);
            session->test = NULL;
            status = cli_data_open_test(options->test, in, &session->test, err);
        } else if (!options->train) { /* own data may have none to test on */
            status = open_named(session, name, "test", "--test", &session->test, err);
        }
    }
    cJSON_Delete(reading);
    return status;
}

/* ---- weights that the recipe takes from checkpoints ------------------------------------------------------ */

/* Beside the recipe, unless the name is a path from the root; *out to be freed. */
static tg_status find_beside(const char *recipe, const char *name, char **out, tg_error *err) {
    const char *slash = name[0] == '/' ? NULL : strrchr(recipe, '/');
    size_t folder = slash ? (size_t)(slash + 1 - recipe) : 0, length = strlen(name);
    *out = malloc(folder + length + 1);
    if (!*out) return cli_fail(err, TG_E_MEMORY, NULL, "no memory is left for the path of %.100s", name);
    memcpy(*out, recipe, folder);
    memcpy(*out + folder, name, length + 1);
    return TG_OK;
}

static tg_status take_weights(cli_session *session, const char *name, tg_error *err) {
    char *path;
    cli_file file = {0};
    if (find_beside(session->options->input, name, &path, err) != TG_OK) return err->status;
    tg_status status = cli_file_read(path, &file, err);
    if (status == TG_OK)
        status = tg_run_take_weights(session->run, (tg_bytes){name, (uint8_t *)file.data, file.size}, err);
    free(file.data);
    free(path);
    return status;
}

/* ---- all of it ---------------------------------------------------------------------------------------- */

static size_t thread_count(const cli_options *options) {
    if (options->threads.given) return (size_t)options->threads.value;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 64 ? 64 : (size_t)cores;
}

static tg_status make_engine(const cli_options *options, tg_engine **out, tg_error *err) {
    const char *precision = options->precision ? options->precision : "exact";
    bool fast = strcmp(precision, "fast") == 0;
    if (!fast && strcmp(precision, "exact") != 0)
        return cli_fail(err, TG_E_ARGUMENT, "--precision", "must be exact or fast, not \"%.40s\"", precision);
    if (tg_engine_create(thread_count(options), out, err) != TG_OK) return err->status;
    return fast && tg_engine_fuse(*out, err) != TG_OK ? cli_fail_in(err, "--precision") : TG_OK;
}

static tg_status make_run(cli_session *session, tg_error *err) {
    tg_status status = session->checkpoint ? tg_run_load(session->engine, session->checkpoint, session->attrs,
                                                         session->train, session->test, &session->run, err)
                                           : tg_run_create(session->engine, session->attrs, session->train,
                                                           session->test, &session->run, err);
    bool finished;
    if (status == TG_OK) status = tg_run_fit(session->run, NULL, NULL, &finished, err);
    for (const char *name; status == TG_OK && (name = tg_run_waits_for(session->run));)
        status = take_weights(session, name, err);
    return status == TG_OK ? TG_OK : cli_fail_in(err, session->options->input);
}

tg_status cli_session_open(const cli_options *options, unsigned data, cli_session *out, tg_error *err) {
    *out = (cli_session){.options = options};
    tg_status status = cli_file_read(options->input, &out->file, err);
    if (status == TG_OK) status = tg_attrs_create(&out->attrs, err);
    if (status == TG_OK && (data & CLI_PAIRS) && is_checkpoint(out))
        status = cli_fail(err, TG_E_ARGUMENT, options->input, "is a checkpoint; name a recipe");
    if (status == TG_OK)
        status = is_checkpoint(out) ? read_checkpoint(out, err) : read_recipe(out, data, err);
    if (status == TG_OK) status = make_engine(options, &out->engine, err);
    if (status == TG_OK) status = open_data(out, data, err);
    if (status == TG_OK) status = make_run(out, err);
    if (status != TG_OK) cli_session_close(out);
    return status;
}

void cli_session_close(cli_session *session) {
    tg_run_destroy(session->run);
    tg_dataset_destroy(session->train);
    tg_dataset_destroy(session->test);
    tg_engine_destroy(session->engine);
    tg_checkpoint_destroy(session->checkpoint);
    tg_attrs_destroy(session->attrs);
    cJSON_Delete(session->document);
    free(session->file.data);
    *session = (cli_session){0};
}
