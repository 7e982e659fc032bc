#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

/* ---- Ctrl-C, and the clock ---------------------------------------------------------------------------- */

static volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number) {
    (void)signal_number;
    stop_requested = 1;
}

static bool stop_wanted(void *ctx) {
    (void)ctx;
    return stop_requested;
}

/* The first Ctrl-C or termination ends training in order; the second ends the program. */
static void catch_signals(void) {
    struct sigaction action = {.sa_handler = request_stop, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static double now_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static bool should_return(void *ctx) {
    const double *deadline = ctx;
    return stop_requested || now_seconds() >= *deadline;
}

/* ---- reports ------------------------------------------------------------------------------------------ */

static const double report_seconds = 0.5;

/* When so many samples were done. */
typedef struct moment {
    double time;
    uint64_t samples;
} moment;

typedef struct reporter {
    cli_session *session;
    double epochs; /* of the whole run */
    bool terminal, line_open;
    double samples_per_second;
    moment last_report, last_epoch;
} reporter;

static tg_status reporter_begin(reporter *out, cli_session *session, tg_error *err) {
    const char *text;
    if (tg_run_recipe_json(session->run, &text, err) != TG_OK) return err->status;
    cJSON *recipe = cJSON_Parse(text);
    cJSON *epochs = cJSON_GetObjectItemCaseSensitive(recipe, "epochs");
    tg_progress at;
    tg_run_progress(session->run, &at);
    *out = (reporter){.session = session,
                      .epochs = session->options->epochs.given ? (double)session->options->epochs.value
                                                               : cJSON_GetNumberValue(epochs),
                      .terminal = isatty(STDOUT_FILENO),
                      .samples_per_second = NAN,
                      .last_report = {now_seconds(), at.samples}};
    out->last_epoch = out->last_report;
    cJSON_Delete(recipe);
    return TG_OK;
}

static tg_status report_json(const reporter *self, const tg_progress *at, double seconds_left,
                             tg_error *err) {
    cJSON *line = cJSON_CreateObject();
    cJSON_AddNumberToObject(line, "epoch", (double)at->epoch);
    cJSON_AddNumberToObject(line, "step", (double)at->step);
    cJSON_AddNumberToObject(line, "epochStep", (double)at->epoch_step);
    cJSON_AddNumberToObject(line, "stepsPerEpoch", (double)at->steps_per_epoch);
    cJSON_AddNumberToObject(line, "samples", (double)at->samples);
    cJSON_AddNumberToObject(line, "loss", at->train.loss);
    cJSON_AddNumberToObject(line, "accuracy", at->train.accuracy);
    cJSON_AddNumberToObject(line, "learningRate", at->learning_rate);
    cJSON_AddNumberToObject(line, "samplesPerSecond", self->samples_per_second);
    cJSON_AddNumberToObject(line, "secondsLeft", seconds_left);
    cJSON_AddBoolToObject(line, "epochFinished", at->epoch_finished);
    cJSON_AddItemToObject(line, "heldOut", cli_json_score(&at->held_out));
    cJSON_AddBoolToObject(line, "finished", at->finished);
    return cli_print_json(line, err);
}

/* One line for every epoch; on a terminal the last line also shows how far the current one is. */
static void report_text(reporter *self, const tg_progress *at, double seconds_left) {
    if (!at->epoch_finished && !self->terminal) return;
    if (self->line_open) printf("\r\033[K");
    uint64_t epoch = at->epoch_finished ? at->epoch : at->epoch + 1;
    printf("epoch %llu/%g  step %llu  loss %.4f", (unsigned long long)epoch, self->epochs,
           (unsigned long long)at->step, at->train.loss);
    if (!isnan(at->train.accuracy)) printf("  accuracy %.2f %%", 100 * at->train.accuracy);
    if (at->epoch_finished && at->held_out.count) {
        printf("  held out: loss %.4f", at->held_out.loss);
        if (!isnan(at->held_out.accuracy)) printf("  accuracy %.2f %%", 100 * at->held_out.accuracy);
    }
    if (!isnan(self->samples_per_second)) printf("  %.0f samples/s", self->samples_per_second);
    if (!at->epoch_finished && !isnan(seconds_left)) printf("  %.0f s left", seconds_left);
    if (at->epoch_finished) printf("\n");
    self->line_open = !at->epoch_finished;
    fflush(stdout);
}

static tg_status report(reporter *self, const tg_progress *at, tg_error *err) {
    moment now = {now_seconds(), at->samples};
    /* An epoch ends with an evaluation: only over the whole epoch is its time spread fairly. */
    const moment *since = at->epoch_finished ? &self->last_epoch : &self->last_report;
    if (now.samples > since->samples)
        self->samples_per_second = (double)(now.samples - since->samples) / (now.time - since->time);
    self->last_report = now;
    if (at->epoch_finished) self->last_epoch = now;
    /* Every epoch has as many samples as the ones so far, step for step. */
    double epochs_left = self->epochs - (double)at->epoch;
    double steps_left = epochs_left * (double)at->steps_per_epoch - (double)at->epoch_step;
    double samples_left = at->step ? steps_left * (double)at->samples / (double)at->step : NAN;
    double seconds_left = samples_left / self->samples_per_second;
    if (self->session->options->json) return report_json(self, at, seconds_left, err);
    report_text(self, at, seconds_left);
    return TG_OK;
}

/* ---- training ----------------------------------------------------------------------------------------- */

static tg_status save(const cli_session *session, tg_error *err) {
    const cli_options *options = session->options;
    if (!options->out) return TG_OK;
    uint8_t *bytes;
    size_t size;
    if (tg_run_save(session->run, options->weights_only, &bytes, &size, err) != TG_OK) return err->status;
    tg_status status = cli_file_write(options->out, bytes, size, err);
    tg_free(bytes);
    return status;
}

static tg_status train(cli_session *session, reporter *self, tg_progress *at, tg_error *err) {
    cli_number steps = session->options->steps;
    uint64_t last = at->step + steps.value;
    while (!at->finished && !stop_requested && (!steps.given || at->step < last)) {
        double deadline = now_seconds() + report_seconds;
        tg_status status = tg_run_train(session->run, steps.given ? last - at->step : 0, should_return,
                                        &deadline, NULL, 0, NULL, at, err);
        if (status == TG_OK) status = report(self, at, err);
        if (status == TG_OK && at->epoch_finished) status = save(session, err);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

static tg_status evaluate(cli_session *session, tg_evaluation *out, tg_error *err) {
    if (tg_run_evaluate_begin(session->run, session->test, err) != TG_OK) return err->status;
    return tg_run_evaluate(session->run, stop_wanted, NULL, out, err);
}

static tg_status print_result(const cli_session *session, const tg_progress *at, const tg_evaluation *test,
                              tg_error *err) {
    const char *out = session->options->out;
    char hash[65];
    tg_run_hash(session->run, hash);
    if (!session->options->json) {
        if (stop_requested) printf("interrupted after step %llu\n", (unsigned long long)at->step);
        if (test) {
            printf("test: ");
            cli_print_score(test);
        }
        printf("hash: %s\n", hash);
        if (out) printf("saved: %s\n", out);
        return TG_OK;
    }
    cJSON *line = cJSON_CreateObject();
    cJSON_AddNumberToObject(line, "epoch", (double)at->epoch);
    cJSON_AddNumberToObject(line, "step", (double)at->step);
    cJSON_AddBoolToObject(line, "finished", at->finished);
    cJSON_AddBoolToObject(line, "interrupted", stop_requested);
    cJSON_AddItemToObject(line, "test", test ? cli_json_evaluation(test) : cJSON_CreateNull());
    cJSON_AddStringToObject(line, "hash", hash);
    cJSON_AddItemToObject(line, "checkpoint", out ? cJSON_CreateString(out) : cJSON_CreateNull());
    return cli_print_json(line, err);
}

static tg_status train_and_tell(cli_session *session, tg_error *err) {
    reporter self = {0};
    tg_progress at;
    tg_evaluation test;
    tg_status status = TG_OK;
    if (session->checkpoint && session->options->epochs.given)
        status = tg_run_set_epochs(session->run, session->options->epochs.value, err);
    if (status == TG_OK) status = reporter_begin(&self, session, err);
    if (status != TG_OK) return status;
    tg_run_progress(session->run, &at);
    if (at.finished)
        return cli_fail(err, TG_E_STATE, session->options->input,
                        "has all its epochs behind it; --epochs N, with N above %llu, trains on",
                        (unsigned long long)at.epoch);
    catch_signals();
    status = train(session, &self, &at, err);
    if (self.line_open) printf("\n");
    if (status == TG_OK) status = save(session, err);
    test.finished = false;
    if (status == TG_OK && session->test && !stop_requested) status = evaluate(session, &test, err);
    return status == TG_OK ? print_result(session, &at, test.finished ? &test : NULL, err) : status;
}

tg_status cli_train(const cli_options *options, tg_error *err) {
    if (options->out && cli_file_probe(options->out, err) != TG_OK) return err->status;
    cli_session session;
    if (cli_session_open(options, CLI_TRAIN_DATA | CLI_TEST_DATA, &session, err) != TG_OK) return err->status;
    tg_status status = train_and_tell(&session, err);
    cli_session_close(&session);
    return status;
}
