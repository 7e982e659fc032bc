/* wasm_exports.c - tabgrad.h for JavaScript: numbers and pointers only, no logic.
 *
 * What already takes nothing but those is exported as it is (exports.txt). Here stands the rest: structs become rows
 * of doubles (every count fits one exactly), 64-bit arguments become doubles, and the interrupt becomes a duration.
 * The order of each row is that of its fields in tabgrad.h; web/src/worker/core.js reads it. */
#include <emscripten.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "tabgrad.h"

#define EXPORT EMSCRIPTEN_KEEPALIVE

static double number_of_pointer(const void *pointer)
{
    return (double)(uintptr_t)pointer;
}

static double *put_score(double *row, const tg_score *score)
{
    *row++ = score->loss;
    *row++ = score->accuracy;
    *row++ = (double)score->count;
    return row;
}

static double *put_shape(double *row, size_t rank, const size_t shape[4])
{
    *row++ = (double)rank;
    for (size_t i = 0; i < 4; i++)
        *row++ = i < rank ? (double)shape[i] : 0;
    return row;
}

static void put_progress(double *row, const tg_progress *progress)
{
    *row++ = (double)progress->epoch;
    *row++ = (double)progress->step;
    *row++ = (double)progress->epoch_step;
    *row++ = (double)progress->steps_per_epoch;
    *row++ = (double)progress->samples;
    *row++ = progress->learning_rate;
    row = put_score(row, &progress->train);
    row = put_score(row, &progress->held_out);
    *row++ = progress->step_loss;
    *row++ = progress->epoch_finished;
    *row++ = progress->finished;
}

/* ---- errors, memory ------------------------------------------------------------------------------------------ */

EXPORT tg_error *tg_wasm_error_create(void)
{
    return calloc(1, sizeof(tg_error));
}

EXPORT const char *tg_wasm_error_where(const tg_error *err)
{
    return err->where;
}

EXPORT const char *tg_wasm_error_what(const tg_error *err)
{
    return err->what;
}

/* Bytes of a tg_real: 4, or 8 where this variant computes in double. */
EXPORT size_t tg_wasm_real_size(void)
{
    return sizeof(tg_real);
}

/* Bytes of the heap that are handed out at this moment. */
EXPORT size_t tg_wasm_heap_used(void)
{
    return (size_t)mallinfo().uordblks;
}

/* ---- datasets ------------------------------------------------------------------------------------------------ */

EXPORT tg_status tg_wasm_dataset_augment(const tg_dataset *dataset, const tg_attrs *recipe, double seed,
                                         size_t sample, size_t count, float *outcomes, tg_error *err)
{
    return tg_dataset_augment(dataset, recipe, (uint64_t)seed, sample, count, outcomes, err);
}

EXPORT tg_status tg_wasm_dataset_split(const tg_dataset *dataset, double fraction, double seed, bool stratified,
                                       tg_dataset **rest, tg_dataset **held_out, tg_error *err)
{
    return tg_dataset_split(dataset, fraction, (uint64_t)seed, stratified, rest, held_out, err);
}

/* ---- files --------------------------------------------------------------------------------------------------- */

/* Unpacks a zlib stream; the module's maker may bring this as `inflate(from, size, to, room)`, of which the result is
 * tg_inflate's, and -1 stands for SIZE_MAX. */
EM_JS(size_t, host_inflate, (const uint8_t *from, size_t size, uint8_t *to, size_t room), {
    return Module['inflate'] ? Module['inflate'](from >>> 0, size >>> 0, to >>> 0, room >>> 0) : -1;
})

static size_t inflate_by_host(void *ctx, const uint8_t *from, size_t size, uint8_t *to, size_t room)
{
    (void)ctx;
    return host_inflate(from, size, to, room);
}

EXPORT tg_status tg_wasm_import_create(const tg_attrs *options, tg_import **out, tg_error *err)
{
    return tg_import_create(options, inflate_by_host, NULL, out, err);
}

EXPORT tg_status tg_wasm_import_file(tg_import *import, const char *name, const uint8_t *data, size_t size,
                                     tg_error *err)
{
    return tg_import_file(import, (tg_bytes){name, data, size}, err);
}

/* ---- runs ---------------------------------------------------------------------------------------------------- */

EXPORT tg_status tg_wasm_run_take_weights(tg_run *run, const char *name, const uint8_t *data, size_t size,
                                          tg_error *err)
{
    return tg_run_take_weights(run, (tg_bytes){name, data, size}, err);
}

/* Whether somebody waits for the end of this call: the module's maker may bring this as `isWanted()`. */
EM_JS(bool, host_is_wanted, (void), { return Module['isWanted']?.() })

/* How long a call may compute. Asking the host takes as long as a small layer, so it is asked at every eighth question
 * only while these come quickly. */
typedef struct slice {
    double deadline, looked; /* ms */
    unsigned to_skip, units; /* of work, after each of which it is asked whether to go on */
} slice;

static slice slice_of(double ms)
{
    double now = emscripten_get_now();
    return (slice){.deadline = now + ms, .looked = now};
}

static bool is_past(void *ctx)
{
    slice *slice = ctx;
    slice->units++;
    if (slice->to_skip > 0) {
        slice->to_skip--;
        return false;
    }
    double now = emscripten_get_now();
    slice->to_skip = now - slice->looked < 0.4 ? 7 : 0;
    slice->looked = now;
    return now >= slice->deadline || host_is_wanted();
}

/* row[1]: whether that was all. */
EXPORT tg_status tg_wasm_run_fit(tg_run *run, double slice_ms, double *row, tg_error *err)
{
    slice slice = slice_of(slice_ms);
    bool finished = false;
    tg_status status = tg_run_fit(run, is_past, &slice, &finished, err);
    *row = finished;
    return status;
}

/* row[17]: tg_progress, how many losses were written, units of work; also after a failure. */
EXPORT tg_status tg_wasm_run_train(tg_run *run, double max_steps, double slice_ms, float *step_losses,
                                   size_t max_losses, double *row, tg_error *err)
{
    slice slice = slice_of(slice_ms);
    tg_progress progress;
    size_t losses_written = 0;
    tg_status status = tg_run_train(run, (uint64_t)max_steps, is_past, &slice, step_losses, max_losses,
                                    &losses_written, &progress, err);
    if (status != TG_OK)
        tg_run_progress(run, &progress);
    put_progress(row, &progress);
    row[15] = (double)losses_written;
    row[16] = slice.units;
    return status;
}

/* row[15]: tg_progress. */
EXPORT void tg_wasm_run_progress(const tg_run *run, double *row)
{
    tg_progress progress;
    tg_run_progress(run, &progress);
    put_progress(row, &progress);
}

EXPORT tg_status tg_wasm_run_set_epochs(tg_run *run, double epochs, tg_error *err)
{
    return tg_run_set_epochs(run, (uint64_t)epochs, err);
}

/* row[9]: tg_evaluation, its score first. Written only when the status is TG_OK. */
EXPORT tg_status tg_wasm_run_evaluate(tg_run *run, double slice_ms, double *row, tg_error *err)
{
    slice slice = slice_of(slice_ms);
    tg_evaluation evaluation;
    tg_status status = tg_run_evaluate(run, is_past, &slice, &evaluation, err);
    if (status != TG_OK)
        return status;
    row = put_score(row, &evaluation.score);
    *row++ = (double)evaluation.classes;
    *row++ = number_of_pointer(evaluation.confusion);
    *row++ = number_of_pointer(evaluation.predicted);
    *row++ = number_of_pointer(evaluation.losses);
    *row++ = evaluation.finished;
    *row++ = evaluation.psnr;
    return TG_OK;
}

/* row[9]: tg_layer_info. */
EXPORT tg_status tg_wasm_run_layer(const tg_run *run, size_t index, double *row, tg_error *err)
{
    tg_layer_info layer;
    tg_status status = tg_run_layer(run, index, &layer, err);
    if (status != TG_OK)
        return status;
    *row++ = number_of_pointer(layer.name);
    *row++ = number_of_pointer(layer.type);
    row = put_shape(row, layer.rank, layer.shape);
    *row++ = (double)layer.parameters;
    *row++ = layer.trainable;
    return TG_OK;
}

/* row[3]: tg_output_info. */
EXPORT tg_status tg_wasm_run_output(const tg_run *run, size_t index, double *row, tg_error *err)
{
    tg_output_info output;
    tg_status status = tg_run_output(run, index, &output, err);
    if (status != TG_OK)
        return status;
    *row++ = number_of_pointer(output.layer);
    *row++ = (double)output.offset;
    *row++ = (double)output.size;
    return TG_OK;
}

/* row[5]: tg_memory. */
EXPORT void tg_wasm_run_memory(const tg_run *run, double *row)
{
    tg_memory memory;
    tg_run_memory(run, &memory);
    *row++ = (double)memory.parameters_bytes;
    *row++ = (double)memory.optimizer_bytes;
    *row++ = (double)memory.activations_bytes;
    *row++ = (double)memory.inference_bytes;
    *row++ = (double)memory.total_bytes;
}

/* row[8]: tg_tensor_info without the gradient. */
EXPORT tg_status tg_wasm_run_parameter(const tg_run *run, size_t index, double *row, tg_error *err)
{
    tg_tensor_info tensor;
    tg_status status = tg_run_parameter(run, index, &tensor, err);
    if (status != TG_OK)
        return status;
    *row++ = number_of_pointer(tensor.name);
    row = put_shape(row, tensor.rank, tensor.shape);
    *row++ = (double)tensor.size;
    *row++ = number_of_pointer(tensor.data);
    return TG_OK;
}

/* row[4]: tg_tensor_range. */
EXPORT tg_status tg_wasm_run_parameter_range(const tg_run *run, size_t index, double *row, tg_error *err)
{
    tg_tensor_range range;
    tg_status status = tg_run_parameter_range(run, index, &range, err);
    if (status != TG_OK)
        return status;
    *row++ = range.min;
    *row++ = range.max;
    *row++ = range.mean;
    *row++ = (double)range.zeros;
    return TG_OK;
}

/* row[1]: whether all samples are through. */
EXPORT tg_status tg_wasm_run_dead_units(tg_run *run, double slice_ms, size_t *units, size_t *dead, double *row,
                                        tg_error *err)
{
    slice slice = slice_of(slice_ms);
    bool finished = false;
    tg_status status = tg_run_dead_units(run, is_past, &slice, units, dead, &finished, err);
    *row = finished;
    return status;
}

/* row[5]: tg_gradcheck without the name, which goes to parameter[80]. */
EXPORT tg_status tg_wasm_run_gradcheck(tg_run *run, double slice_ms, char *parameter, double *row, tg_error *err)
{
    slice slice = slice_of(slice_ms);
    tg_gradcheck found;
    tg_status status = tg_run_gradcheck(run, is_past, &slice, &found, err);
    if (status != TG_OK)
        return status;
    memcpy(parameter, found.parameter, sizeof found.parameter);
    *row++ = found.worst;
    *row++ = (double)found.index;
    *row++ = (double)found.checked;
    *row++ = (double)found.skipped;
    *row++ = found.finished;
    return TG_OK;
}

/* ---- checkpoints --------------------------------------------------------------------------------------------- */

EXPORT tg_status tg_wasm_checkpoint_open(const char *name, const uint8_t *data, size_t size, tg_checkpoint **out,
                                         tg_error *err)
{
    return tg_checkpoint_open((tg_bytes){name, data, size}, out, err);
}
