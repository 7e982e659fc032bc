/* tabgrad.h - train small neural networks, the same bits everywhere.
 *
 * Flow: files -> dataset;  JSON (read by the host) -> attributes -> run;  run: train, evaluate, predict, save.
 *
 *     tg_engine_create(2, &engine, &err);
 *     tg_import_file(import, file, &err); ...                // all of them; tg_import_finish(import, &train, &test, &err);
 *     tg_attrs_...(recipe);                                  // the host walks its JSON
 *     tg_run_create(engine, recipe, train, test, &run, &err);
 *     while (!progress.finished) tg_run_train(run, 0, NULL, NULL, &progress, &err);
 *
 * The library never prints, never exits and keeps no global state. What can fail returns a tg_status and fills a
 * tg_error; nothing that was there before is changed then. A handle belongs to one thread at a time; `destroy` takes
 * NULL. Pixels are [height, width, channels]; everything behind them means N, C, H, W, outermost first, as in PyTorch (how
 * it lies inside is nobody's business). */
#ifndef TABGRAD_H
#define TABGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef TG_REAL_F64
typedef double tg_real; /* test build: the truth for gradient checks */
#else
typedef float tg_real;
#endif

/* ---- errors ------------------------------------------------------------------------------------------------ */

/* Values are pinned: they cross the WebAssembly boundary. tg_status_name gives the text ("shape"). */
typedef enum tg_status {
    TG_OK = 0,
    TG_E_ARGUMENT = 1, /* a call that makes no sense: an index out of range, a missing handle */
    TG_E_MEMORY = 2,   /* allocation failed or a size overflowed */
    TG_E_RECIPE = 3,   /* unknown key, wrong type, value out of range */
    TG_E_SHAPE = 4,    /* shapes that do not fit each other */
    TG_E_DATA = 5,     /* samples or labels that cannot be used */
    TG_E_FORMAT = 6,   /* a file that is not what it claims to be */
    TG_E_DIVERGED = 7, /* loss or weights stopped being finite; the last finite weights are kept */
    TG_E_STATE = 8     /* not now: training without data, training a diverged run */
} tg_status;

const char *tg_status_name(tg_status status); /* "ok", "argument", "memory", "recipe", ... */

typedef struct tg_error {
    tg_status status;
    char where[160]; /* "model.layers[3] conv2d", "train-images.gz"; may be empty */
    char what[320];  /* "kernel 5x5 exceeds input 3x3": with `where: ` before it, one sentence */
} tg_error;

/* ---- attributes: what a recipe says, as names and values ---------------------------------------------------- */

/* A tree of values, filled in document order by whoever reads the JSON. `key` is NULL inside a list.
 *     {"epochs": 3, "model": {"layers": [...]}}  ->  number("epochs", 3), open_object("model"), open_list("layers"), ...
 * The root is an object that is open from the start. Strings are copied. */
typedef struct tg_attrs tg_attrs;

tg_status tg_attrs_create(tg_attrs **out, tg_error *err);
void tg_attrs_destroy(tg_attrs *attrs);
tg_status tg_attrs_open_object(tg_attrs *attrs, const char *key, tg_error *err);
tg_status tg_attrs_open_list(tg_attrs *attrs, const char *key, tg_error *err);
tg_status tg_attrs_close(tg_attrs *attrs, tg_error *err);
tg_status tg_attrs_number(tg_attrs *attrs, const char *key, double value, tg_error *err);
tg_status tg_attrs_string(tg_attrs *attrs, const char *key, const char *value, tg_error *err);
tg_status tg_attrs_bool(tg_attrs *attrs, const char *key, bool value, tg_error *err);
tg_status tg_attrs_null(tg_attrs *attrs, const char *key, tg_error *err);

/* ---- engine ------------------------------------------------------------------------------------------------- */

typedef struct tg_engine tg_engine;

/* threads: taken literally, 1..64; this thread counts as one. Builds without threads accept only 1. */
tg_status tg_engine_create(size_t threads, tg_engine **out, tg_error *err);
/* Before the first run: products may be fused with additions, faster, but the bits are then those of such machines only.
 * Fails where there are no instructions for it; never done by itself. */
tg_status tg_engine_fuse(tg_engine *engine, tg_error *err);
void tg_engine_destroy(tg_engine *engine); /* after every run made from it */
size_t tg_engine_threads(const tg_engine *engine);
const char *tg_engine_kernels(
    const tg_engine *engine); /* "scalar", "sse2", "avx2", "avx512", "neon", "wasm128"; "avx2-fma", ... */

/* ---- datasets ----------------------------------------------------------------------------------------------- */

typedef struct tg_dataset tg_dataset;
typedef enum tg_dtype { TG_U8 = 0, TG_F32 = 1 } tg_dtype;
typedef struct tg_bytes {
    const char *name; /* for messages: the file's name */
    const uint8_t *data;
    size_t size;
} tg_bytes;

/* An empty set to be filled: pixels uninitialised, labels 0. height, width, channels, count, classes >= 1.
 * soft: samples carry a distribution over the classes (f32 [count, classes]) instead of one label. */
tg_status tg_dataset_create(tg_dtype type, size_t height, size_t width, size_t channels, size_t count,
                            size_t classes, bool soft, tg_dataset **out, tg_error *err);

void tg_dataset_destroy(tg_dataset *dataset);

/* Checks what a host has filled in: labels below classes, finite pixels, distributions that sum to 1.
 * Must succeed once before a run takes the set; the readers do it themselves. */
tg_status tg_dataset_check(tg_dataset *dataset, const char *name, tg_error *err);

size_t tg_dataset_count(const tg_dataset *dataset);
size_t tg_dataset_classes(const tg_dataset *dataset);
void tg_dataset_shape(const tg_dataset *dataset, size_t shape[3]); /* height, width, channels */
tg_dtype tg_dataset_type(const tg_dataset *dataset);
/* Borrowed, valid until destroy: pixels [count, height, width, channels], labels [count] (NULL when soft),
 * targets [count, classes] (NULL unless soft). After writing, check again. */
void *tg_dataset_pixels(tg_dataset *dataset);
int32_t *tg_dataset_labels(tg_dataset *dataset);
float *tg_dataset_targets(tg_dataset *dataset);
/* Class names: "0", "1", ... until set. */
tg_status tg_dataset_set_classes(tg_dataset *dataset, size_t classes, const char *const *names,
                                 tg_error *err);
const char *tg_dataset_class_name(const tg_dataset *dataset, size_t index);
/* SHA-256 over type, shape, pixels and labels as 64 hexadecimal digits; "" before tg_dataset_check. The first call
 * computes it: a quarter of a second for 50 MB. */
const char *tg_dataset_sha256(tg_dataset *dataset);
/* The same computed for two sets (second: may be NULL) at once, each by a thread of its own. */
void tg_engine_hash_datasets(tg_engine *engine, tg_dataset *first, tg_dataset *second);

/* As large as the set, new and checked: the samples in this order (below count, any of them any number of times). */
tg_status tg_dataset_subset(const tg_dataset *dataset, const uint32_t *indices, size_t count,
                            tg_dataset **out, tg_error *err);
/* Two new sets: `fraction` (above 0, below 1; rounded, at least one sample) of the samples held out, drawn by the seed,
 * and the rest, both in the order they had. stratified: of every class that fraction. */
tg_status tg_dataset_split(const tg_dataset *dataset, double fraction, uint64_t seed, bool stratified,
                           tg_dataset **rest, tg_dataset **held_out, tg_error *err);
/* counts[classes]; a soft sample counts for its most probable class. */
void tg_dataset_class_counts(const tg_dataset *dataset, size_t *counts);
/* Smallest and largest pixel. */
void tg_dataset_range(const tg_dataset *dataset, double range[2]);
/* *count: samples of the second set whose pixels are also those of a sample of the first. pairs[most][2]: the first of
 * them, index in the first set, index in the second. Sets of different shape or type share none. */
tg_status tg_dataset_duplicates(const tg_dataset *first, const tg_dataset *second, uint32_t (*pairs)[2],
                                size_t most, size_t *count, tg_error *err);

/* ---- files -------------------------------------------------------------------------------------------------- */

/* What people have, on its way to datasets. Hand over every file, unpacked, in any order; content and names tell what
 * it is and what belongs together. Read are IDX, CIFAR's binary batches, .npy, .mat (versions 4 to 7), CSV and TSV, lists
 * of class names and of the files of a part. Pictures come decoded; gzip, archives and codecs are the host's business.
 * What cannot be used is skipped and stands in the report with one sentence: an error is only what ends everything. */
typedef struct tg_import tg_import;

/* Unpacks the zlib stream `from` (as it lies inside .mat files) into at most `room` bytes; returns how many there are,
 * fewer than room only where the stream ends, SIZE_MAX where it is damaged. */
typedef size_t (*tg_inflate)(void *ctx, const uint8_t *from, size_t size, uint8_t *to, size_t room);

/* inflate may be NULL: then what is compressed is skipped. options may be NULL; all of them are optional:
 *   roles         { "<file, folder or archive>": "train" | "test" | "ignore" }
 *   classes       names of the classes, in order, instead of those found
 *   transposed    true: rows and columns of the pictures change places, as EMNIST needs it
 *   labels        "fine" | "coarse": those of CIFAR-100
 *   label_column  "first", "last" or the header of the column of a CSV file
 *   flat          true: rows of numbers stay features, also where they could be pictures (784 as 28x28)
 *   size          [height, width] of every picture; rows of as many numbers become pictures of this size
 *   fit           "crop" (cover the size, cut the rest), "fit" (all of it, black around), "stretch"
 *   color         "rgb" | "gray"; without: grey where all pictures are
 *   unlabeled     true: samples alone are enough; every label is 0 */
tg_status tg_import_create(const tg_attrs *options, tg_inflate inflate, void *ctx, tg_import **out,
                           tg_error *err);
void tg_import_destroy(tg_import *import);
/* name: its path inside folders and archives ("cifar.tar.gz/cifar-10/data_batch_1.bin"). The bytes are copied. */
tg_status tg_import_file(tg_import *import, tg_bytes file, tg_error *err);
/* So many pictures are about to come (0: not known): memory is had once instead of growing. */
void tg_import_expect_pictures(tg_import *import, size_t count);
/* pixels[height, width, channels], 1 (grey), 2 (grey, alpha), 3 or 4; what is transparent lies on white. The last folder
 * of its path is its class, one above or a list of files its part. */
tg_status tg_import_picture(tg_import *import, const char *path, size_t height, size_t width, size_t channels,
                            const uint8_t *pixels, tg_error *err);
/* An array that the host has read itself, in C order: type u8 or f32, rank 1 (labels) to 4. The elements are copied. */
tg_status tg_import_array(tg_import *import, const char *name, tg_dtype type, size_t rank,
                          const size_t *shape, const void *elements, tg_error *err);
/* Something the host could not open, for the report. */
tg_status tg_import_skip(tg_import *import, const char *name, const char *reason, tg_error *err);
/* Pairs, joins and converts what has come; once. *test is NULL where everything is one part. Fails where no set can be
 * made, with the sentence of what was skipped if that is one thing. */
tg_status tg_import_finish(tg_import *import, tg_dataset **train, tg_dataset **test, tg_error *err);
/* What was understood, as JSON text, borrowed until destroy; "" before finish, also there after it failed.
 *   { "sources": [{ "name", "format", "part", "count", "shape", "note"? }], "skipped": [{ "name", "reason" }],
 *     "skippedCount", "train": { "count", "shape", "range", "classCounts" }, "test": ... or null,
 *     "duplicates": { "count", "examples": [[train, test]] } } */
const char *tg_import_report(const tg_import *import);

/* ---- runs --------------------------------------------------------------------------------------------------- */

typedef struct tg_run tg_run;

/* Asked after some milliseconds of work whether to return now; the next call goes on from there. NULL: never. */
typedef bool (*tg_interrupt)(void *ctx);

/* Builds the graph, draws the initial weights (they follow from recipe and seed alone) and plans all memory.
 * train may be NULL (evaluate and predict only), test too. The sets are borrowed: they must outlive the run.
 * A wrong recipe names its place: where "model.layers[3] conv2d", what "kernel 5x5 exceeds input 3x3". */
tg_status tg_run_create(tg_engine *engine, const tg_attrs *recipe, tg_dataset *train, tg_dataset *test,
                        tg_run **out, tg_error *err);
void tg_run_destroy(tg_run *run);

/* The same in two steps, for hosts that have others to look after meanwhile: the run, and then, until it is finished, what
 * has to be done with all of the training data. That is to fit the preprocessing (pca takes seconds), before which the
 * run neither trains nor answers; and to keep what costly steps make of every sample, which a run from tg_run_load may
 * do without, only more slowly. */
tg_status tg_run_create_unfitted(tg_engine *engine, const tg_attrs *recipe, tg_dataset *train,
                                 tg_dataset *test, tg_run **out, tg_error *err);
tg_status tg_run_fit(tg_run *run, tg_interrupt interrupt, void *ctx, bool *finished, tg_error *err);

/* Layers whose "weights" name a checkpoint wait for it: until none is waited for (NULL), the run neither trains nor
 * answers. The host hands in the bytes of each, under the name the recipe has for it, which is what the first of these
 * returns; borrowed until the run is destroyed. Runs made by tg_run_load wait for nothing. */
const char *tg_run_waits_for(const tg_run *run);
tg_status tg_run_take_weights(tg_run *run, tg_bytes file, tg_error *err);

typedef struct tg_score {
    double loss;     /* mean over the samples, in the loss's own unit (nats for cross_entropy) */
    double accuracy; /* 0..1; NaN where the target is not a class */
    uint64_t count;  /* samples it was measured on; 0: not measured */
} tg_score;

typedef struct tg_progress {
    uint64_t epoch;      /* finished epochs */
    uint64_t step;       /* finished optimizer steps since the start */
    uint64_t epoch_step; /* of them in the current epoch */
    uint64_t steps_per_epoch;
    uint64_t samples; /* trained on since the start */
    double learning_rate;
    tg_score train; /* over the current epoch so far (the whole one at its end), as it was while training */
    tg_score
        held_out;     /* at the end of the last epoch: validation part, or the test set where there is none */
    double step_loss; /* loss of the last finished step */
    bool epoch_finished; /* this call ended exactly at the end of an epoch, held_out is new */
    bool finished;       /* all epochs of the recipe are done */
} tg_progress;

/* Trains on: until `max_steps` more optimizer steps are done (0: no bound), an epoch has ended (its evaluation
 * included), the run is finished, or `interrupt` says so, possibly in the middle of a step. Allocates nothing.
 * step_losses (may be NULL) receives the loss of every step finished in this call, at most max_losses of them: then it
 * also returns. *losses_written says how many.
 * TG_E_DIVERGED: the weights are those of the last finite step; predict, evaluate and save go on working. */
tg_status tg_run_train(tg_run *run, uint64_t max_steps, tg_interrupt interrupt, void *ctx, float *step_losses,
                       size_t max_losses, size_t *losses_written, tg_progress *out, tg_error *err);
void tg_run_progress(const tg_run *run, tg_progress *out);

/* Whether it trains on the calling thread alone, whatever the engine has: of two that share a core, or that other programs keep
 * waiting, both together can be slower than one. No result depends on it. */
void tg_run_train_alone(tg_run *run, bool alone);

/* From the next step on, instead of what the schedule says up to here (the schedule's factor goes on applying);
 * recorded as an event { step, learning_rate } in the history. value > 0, finite. */
tg_status tg_run_set_learning_rate(tg_run *run, double value, tg_error *err);
/* More (or fewer) epochs than the recipe said; never below those already finished. */
tg_status tg_run_set_epochs(tg_run *run, uint64_t epochs, tg_error *err);

/* raw pixels in, as type and shape of the data the run was made for: pixels[n, h, w, c]; probabilities[n, outputs]
 * (softmax is applied where the loss is cross_entropy, else the outputs as they are). Where the model names several
 * outputs, they lie one behind the other, first the one that the first loss looks at. */
tg_status tg_run_predict(tg_run *run, tg_dtype type, const void *pixels, size_t n, float *probabilities,
                         tg_error *err);
size_t tg_run_outputs(const tg_run *run); /* values of a prediction */
typedef struct tg_output_info {
    const char *layer;   /* borrowed until the run is destroyed */
    size_t offset, size; /* its values in a prediction */
} tg_output_info;
size_t tg_run_output_count(const tg_run *run);
tg_status tg_run_output(const tg_run *run, size_t index, tg_output_info *out, tg_error *err);
void tg_run_input_shape(const tg_run *run, size_t shape[3]); /* height, width, channels */

/* An evaluation over a whole set, interruptible like training. One at a time per run; begin again to start over. */
typedef struct tg_evaluation {
    tg_score score; /* so far */
    size_t classes; /* 0 where the target is not a class */
    const uint64_t
        *confusion; /* [classes, classes], row: true class, column: predicted; borrowed, until next begin */
    const int32_t *predicted; /* [count] class for every sample so far; borrowed */
    const float *losses;      /* [count]; borrowed */
    bool finished;
    /* Where the input is to be repeated: mean over the samples of 10 log10(1 / mean squared error), for pixels 0..1 behind
     * the preprocessing; else NaN. */
    double psnr;
} tg_evaluation;
tg_status tg_run_evaluate_begin(tg_run *run, tg_dataset *dataset, tg_error *err);
tg_status tg_run_evaluate(tg_run *run, tg_interrupt interrupt, void *ctx, tg_evaluation *out, tg_error *err);

/* ---- looking inside ------------------------------------------------------------------------------------------ */

typedef struct tg_layer_info {
    const char *name; /* "conv2d1"; borrowed until the run is destroyed, like the rest */
    const char *type;
    size_t rank;     /* of one output sample */
    size_t shape[4]; /* [C, H, W] or [units] */
    size_t parameters;
    bool trainable;
} tg_layer_info;
size_t tg_run_layers(const tg_run *run);
tg_status tg_run_layer(const tg_run *run, size_t index, tg_layer_info *out, tg_error *err);

typedef struct tg_memory {
    size_t parameters_bytes; /* weights, their gradients, and the weights packed */
    size_t optimizer_bytes;
    size_t activations_bytes; /* training arena: activations, their gradients, workspaces */
    size_t inference_bytes;   /* arenas for predict and evaluate */
    size_t total_bytes;       /* of everything the run has allocated */
} tg_memory;
void tg_run_memory(const tg_run *run, tg_memory *out);

typedef struct tg_tensor_info {
    const char *name; /* "conv2d1.weight" */
    size_t rank;
    size_t shape[4]; /* PyTorch's: [out, in], [out, in, kh, kw], [out] */
    size_t size;     /* elements */
    /* Borrowed; valid until the next tg_run_train. It may be written to until the run computes again. */
    tg_real *data;
} tg_tensor_info;
size_t tg_run_parameters(const tg_run *run); /* how many tensors */
tg_status tg_run_parameter(const tg_run *run, size_t index, tg_tensor_info *out, tg_error *err);
typedef struct tg_tensor_range {
    double min, max, mean;
    size_t zeros;
} tg_tensor_range;
tg_status tg_run_parameter_range(const tg_run *run, size_t index, tg_tensor_range *out, tg_error *err);
/* Rectified units (channels, or features) that answered none of the first `samples` of the set with more than 0: begun,
 * then looked for like an evaluation. units[tg_run_layers], 0 for layers that rectify nothing; dead[tg_run_layers] how
 * many of them, as far as it has got. */
tg_status tg_run_dead_units_begin(tg_run *run, tg_dataset *dataset, size_t samples, tg_error *err);
tg_status tg_run_dead_units(tg_run *run, tg_interrupt interrupt, void *ctx, size_t *units, size_t *dead,
                            bool *finished, tg_error *err);
/* SHA-256 over the little-endian bytes of the parameter tensors in order of their names: 64 digits and NUL. */
void tg_run_hash(const tg_run *run, char hex[65]);
/* The recipe with every default filled in, and the history, as JSON text; borrowed until the next call on the run. */
tg_status tg_run_recipe_json(tg_run *run, const char **out, tg_error *err);
tg_status tg_run_history_json(tg_run *run, const char **out, tg_error *err);

/* What the list "augment" of a recipe makes of one sample in epochs 0, 1, ... of a run with that seed:
 * outcomes[count][height, width, channels], pixels in the unit of the set's own. */
tg_status tg_dataset_augment(const tg_dataset *dataset, const tg_attrs *recipe, uint64_t seed, size_t sample,
                             size_t count, float *outcomes, tg_error *err);

/* Central differences against backpropagation on the first batch (build with TG_REAL_F64 for the truth): begun, with at
 * most max_per_tensor evenly spaced elements of every tensor (0: all), then carried on until it is finished. Training
 * in between ends it. */
typedef struct tg_gradcheck {
    double worst; /* largest |a - n| / max(|a|, |n|, 1e-2) */
    char parameter[80];
    size_t index;     /* where it was */
    uint64_t checked; /* parameters */
    uint64_t skipped; /* their step crossed a kink */
    bool finished;
} tg_gradcheck;
tg_status tg_run_gradcheck_begin(tg_run *run, size_t max_per_tensor, tg_error *err);
tg_status tg_run_gradcheck(tg_run *run, tg_interrupt interrupt, void *ctx, tg_gradcheck *out, tg_error *err);

/* ---- checkpoints: one .safetensors file ----------------------------------------------------------------------- */

/* weights_only leaves optimizer.* and state.* out. *out is owned by the caller: tg_free. */
tg_status tg_run_save(tg_run *run, bool weights_only, uint8_t **out, size_t *size, tg_error *err);
/* Does part of what makes the first saving slow, the digest of the data: of so many bytes of them, 4 at least. Whether
 * nothing of it is left. */
bool tg_run_prepare_save(tg_run *run, size_t bytes);

typedef struct tg_checkpoint tg_checkpoint;
/* Checks the whole file. The bytes are borrowed and must outlive the checkpoint. */
tg_status tg_checkpoint_open(tg_bytes file, tg_checkpoint **out, tg_error *err);
void tg_checkpoint_destroy(tg_checkpoint *checkpoint);
/* A string of __metadata__ ("recipe", "history", "classes": JSON text for the host to read), or NULL. */
const char *tg_checkpoint_metadata(const tg_checkpoint *checkpoint, const char *key);
/* The run that was saved: its next step has the same bits as if it had never stopped. document: an object with the
 * keys "recipe", "history" and "classes", walked from the metadata of the same names. train may be NULL. */
tg_status tg_run_load(tg_engine *engine, const tg_checkpoint *checkpoint, const tg_attrs *document,
                      tg_dataset *train, tg_dataset *test, tg_run **out, tg_error *err);
/* The loss of every step since the start, at most the first 2^22; borrowed until training goes on. */
const float *tg_run_step_losses(const tg_run *run, size_t *count);
/* Class names as they travel with the run (from its data or its checkpoint). */
size_t tg_run_classes(const tg_run *run);
const char *tg_run_class_name(const tg_run *run, size_t index);

void tg_free(void *memory);

#endif
