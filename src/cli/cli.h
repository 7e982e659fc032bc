/* The command line program: reads files and arguments, calls tabgrad.h, prints. One file for each step of
 * that. */
#ifndef TG_CLI_H
#define TG_CLI_H

#include <cjson/cJSON.h>

#include "tabgrad.h"

/* ---- cli_main.c: arguments ---------------------------------------------------------------------------- */

typedef struct cli_number {
    bool given;
    uint64_t value;
} cli_number;

typedef struct cli_options {
    const char *input;        /* RECIPE or CHECKPOINT */
    const char *file;         /* predict: FILE */
    char **paths;             /* data: PATH..., up to NULL */
    const char *read;         /* how files are read, as JSON; NULL: as they are */
    const char *train, *test; /* PATH[,LABELS]; NULL: the recipe's dataset */
    const char *out;
    const char *precision; /* "exact", which is also what NULL means, or "fast" */
    cli_number epochs, steps, limit, seed, threads;
    bool json, weights_only;
    char **argv; /* as the program was called */
} cli_options;

/* Fills err as the library does; where may be NULL. */
tg_status cli_fail(tg_error *err, tg_status status, const char *where, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts a place before the one the error has: "recipe.json" before "model.layers[3]". Returns err->status. */
tg_status cli_fail_in(tg_error *err, const char *where);

/* ---- cli_files.c: bytes in and out -------------------------------------------------------------------- */

typedef struct cli_file {
    char *data; /* NUL-terminated; malloc */
    size_t size;
} cli_file;

/* The whole file, unpacked where it begins as gzip does (1f 8b), whatever its name. */
tg_status cli_file_read(const char *path, cli_file *out, tg_error *err);
/* First under a temporary name, so that what was there before is lost only when the new file is complete. */
tg_status cli_file_write(const char *path, const void *data, size_t size, tg_error *err);
/* Whether cli_file_write could begin: better said before hours of training than after. */
tg_status cli_file_probe(const char *path, tg_error *err);

/* ---- cli_recipe.c: JSON -> attributes ----------------------------------------------------------------- */

/* Syntax errors: where "recipe.json:3:14" (line, column). */
tg_status cli_json_parse(const char *name, const char *text, size_t size, cJSON **out, tg_error *err);
/* The members of an object into attrs, in order. Errors name the place: "model.layers[3]". */
tg_status cli_json_walk(const cJSON *object, tg_attrs *attrs, tg_error *err);

/* ---- cli_picture.c: PNG, JPEG, GIF, WebP, BMP --------------------------------------------------------- */

typedef enum cli_picture_kind {
    CLI_NO_PICTURE,
    CLI_PNG,
    CLI_JPEG,
    CLI_GIF,
    CLI_WEBP,
    CLI_BMP
} cli_picture_kind;

typedef struct cli_picture {
    size_t height, width, channels;
    uint8_t *pixels; /* malloc */
} cli_picture;

cli_picture_kind cli_picture_look(const cli_file *file);
/* Of what looks like one: NULL, or why it cannot be read. */
const char *cli_picture_decode(const cli_file *file, cli_picture *out);

/* ---- cli_archive.c: what lies in a file ---------------------------------------------------------------- */

/* Is given everything there is, or why something is not; what it returns ends the visit unless it is TG_OK. */
typedef struct cli_visitor {
    void *ctx;
    tg_status (*file)(void *ctx, const char *name, const cli_file *file, tg_error *err);
    tg_status (*skip)(void *ctx, const char *name, const char *reason, tg_error *err);
} cli_visitor;

/* The file itself, unpacked, or the members of an archive: "<name>/<member>". size: its bytes. */
tg_status cli_archive_visit(const char *path, const char *name, size_t size, const cli_visitor *visitor,
                            tg_error *err);

/* ---- cli_import.c: files -> datasets -------------------------------------------------------------------- */

typedef struct cli_import {
    const char *const *paths; /* files, archives, folders */
    size_t count;
    const cJSON *options;         /* those of tg_import_create; NULL: none */
    const tg_dataset *classes_of; /* its classes are those of the new sets; NULL: those that are found */
    bool unlabeled;
} cli_import;

/* *out has the report, also after a failure, unless it is NULL. */
tg_status cli_import_paths(const cli_import *in, tg_import **out, tg_dataset **train, tg_dataset **test,
                           tg_error *err);

/* ---- cli_data.c: datasets ----------------------------------------------------------------------------- */

/* PATH[,LABELS], for the paths of `in`; without LABELS "images" in the name becomes "labels". *test: NULL, or the part to
 * test on that lies there too. */
tg_status cli_data_open(const char *path, cli_import in, tg_dataset **train, tg_dataset **test,
                        tg_error *err);
/* The part to test on, or all there is. */
tg_status cli_data_open_test(const char *path, cli_import in, tg_dataset **out, tg_error *err);
/* The options behind --read; *out NULL without it. */
tg_status cli_data_options(const cli_options *options, cJSON **out, tg_error *err);
/* A set by name, prepared in build/data/NAME: split "train" or "test". Class names come from
 * datasets/NAME.json. */
tg_status cli_data_named(const cli_options *options, const char *name, const char *split, tg_dataset **out,
                         tg_error *err);
/* Keeps the first `count` samples. */
tg_status cli_data_limit(tg_dataset **dataset, uint64_t count, tg_error *err);

/* ---- cli_run.c: a run with everything it stands on ---------------------------------------------------- */

typedef struct cli_session {
    const cli_options *options;
    tg_engine *engine;
    cli_file file;   /* RECIPE or CHECKPOINT */
    cJSON *document; /* {"recipe": ..}; of a checkpoint with "history" and "classes" */
    tg_attrs *attrs;
    tg_checkpoint *checkpoint; /* NULL: a recipe */
    tg_dataset *train, *test;
    tg_run *run;
} cli_session;

/* CLI_PAIRS: a recipe only, and batches of two, so that a step crosses few of the kinks of all samples. */
enum { CLI_TRAIN_DATA = 1, CLI_TEST_DATA = 2, CLI_PAIRS = 4 };

/* Reads options->input, which may be a recipe or a checkpoint, and the data the command needs, and makes the
 * run. */
tg_status cli_session_open(const cli_options *options, unsigned data, cli_session *out, tg_error *err);
void cli_session_close(cli_session *session);

/* ---- cli_print.c ------------------------------------------------------------------------------------------
 */

/* One JSON object on a line of its own; frees it. */
tg_status cli_print_json(cJSON *object, tg_error *err);
/* {"loss": .., "accuracy": .., "count": ..}; null where nothing was measured. */
cJSON *cli_json_score(const tg_score *score);
cJSON *cli_json_evaluation(const tg_evaluation *evaluation);
/* "loss 0.1234  accuracy 98.76 %  (10000 samples)" and the end of the line. */
void cli_print_score(const tg_evaluation *evaluation);
void cli_print_confusion(const tg_run *run, const tg_evaluation *evaluation);

/* ---- cli_classes.c: what the confusion matrix says of each class -------------------------------------- */

/* Adds "perClass" and "confused" to the object. */
void cli_json_classes(const tg_evaluation *evaluation, cJSON *object);
void cli_print_classes(const tg_run *run, const tg_evaluation *evaluation);

/* ---- cli_inside.c: ranges of the weights, dead units -------------------------------------------------- */

/* Adds "tensors", and "deadUnits": null without test data. */
tg_status cli_json_inside(cli_session *session, cJSON *object, tg_error *err);
tg_status cli_print_inside(cli_session *session, tg_error *err);

/* ---- commands ---------------------------------------------------------------------------------------------
 */

tg_status cli_train(const cli_options *options, tg_error *err);
tg_status cli_evaluate(const cli_options *options, tg_error *err);
tg_status cli_predict(const cli_options *options, tg_error *err);
tg_status cli_summary(const cli_options *options, tg_error *err);
tg_status cli_gradcheck(const cli_options *options, tg_error *err);
tg_status cli_data(const cli_options *options, tg_error *err); /* cli_understood.c */

#endif
