/* The importer inside: what readers put in (arrays, batches, pictures, lists), and what finish makes of it.
 *
 * A reader checks a whole file before it adds anything, so a file that is refused leaves nothing behind. */
#ifndef TG_DATA_IMPORT_H
#define TG_DATA_IMPORT_H

#include "base/attrs.h"
#include "data/dataset.h"

/* ---- what names tell: import_names.c ------------------------------------------------------------------ */

typedef enum tg_part {
    TG_PART_OPEN,
    TG_PART_TRAIN,
    TG_PART_TEST,
    TG_PART_VALIDATION,
    TG_PART_IGNORE
} tg_part;

/* The file itself speaks first ("train-images"), then its folders from the inside out. */
tg_part tg_part_of_name(const char *name);
tg_part tg_part_of_word(const char *name, size_t length); /* of one folder or file */
/* Whether an array of this name is called labels: "y_train", "train-labels-idx1-ubyte", "digits.mat: gnd". */
bool tg_name_says_labels(const char *name);
/* What is left of a file's name without the words that tell images from labels, so that the names of both are one: "fold0"
 * of "x/fold0-images-idx3" and of "x/Fold0-labels-idx1". Writes at most as many characters as the name has, and no NUL;
 * how many these are is returned. */
size_t tg_stem_of_name(const char *name, char *out);
/* < 0, 0, > 0. Numbers inside names count as numbers: "img2" before "img10". */
int tg_compare_names(const char *a, const char *b);
const char *tg_base_name(const char *path); /* behind the last '/' */
/* ASCII letters of either case; word and ending are in lower case. */
bool tg_same_letters(const char *text, const char *word, size_t length);
bool tg_ends_with(const char *text, const char *ending);
/* Where `part` first stands in the text; NULL: nowhere. libc's is made for long texts, and takes a kilobyte to load. */
const char *tg_find_text(const char *text, const char *part);

/* ---- texts, numbered in the order they came: import_texts.c -------------------------------------------- */

typedef struct tg_texts {
    tg_text bytes; /* one behind the other, each with its NUL */
    size_t *starts;
    size_t count, capacity;
    uint32_t *slots; /* number + 1 of each text, by hash; a power of two of them; NULL until looked for */
    size_t slot_count;
} tg_texts;

void tg_texts_free(tg_texts *texts);
tg_status tg_texts_add(tg_texts *texts, const char *text, size_t length, tg_error *err);
/* The number of this text, added where it is new. */
tg_status tg_texts_intern(tg_texts *texts, const char *text, size_t length, size_t *number, tg_error *err);
const char *tg_texts_at(const tg_texts *texts, size_t number);
size_t tg_texts_length(const tg_texts *texts, size_t number);
/* Makes the texts that were added findable; those that were interned are. */
tg_status tg_texts_index(tg_texts *texts, tg_error *err);
/* SIZE_MAX where it is not there. */
size_t tg_texts_find(const tg_texts *texts, const char *text);
/* The longest text that is the path or what stands behind one of its '/'; in the time of one look at the path. */
size_t tg_texts_find_end(const tg_texts *texts, const char *path);

/* ---- arrays: import_arrays.c ------------------------------------------------------------------------------- */

enum { TG_ARRAY_RANK = 4 };

typedef enum tg_element {
    TG_EL_U8,
    TG_EL_I8,
    TG_EL_U16,
    TG_EL_I16,
    TG_EL_U32,
    TG_EL_I32,
    TG_EL_U64,
    TG_EL_I64,
    TG_EL_F16,
    TG_EL_F32,
    TG_EL_F64
} tg_element;

size_t tg_element_size(tg_element element);

/* An array of a file, while its bytes are borrowed. */
typedef struct tg_array_view {
    const char *name;   /* the file's, or "<file>: <variable>" */
    const char *format; /* "npy" */
    tg_element element;
    bool big_endian;
    bool is_samples;   /* its format says so: also where it is one column, and channels come last */
    bool column_major; /* the first axis varies fastest */
    bool matlab; /* samples may lie along the last axis, classes be counted from 1; doubles say nothing */
    size_t rank, shape[TG_ARRAY_RANK];
    size_t cells; /* so many equal matrices side by side along the last axis; 0: it is one */
    const uint8_t *data;
} tg_array_view;

typedef struct tg_array {
    size_t source; /* its row in the report */
    bool column_major, matlab, used;
    bool is_samples;                          /* also where it is one column */
    bool named;                               /* labels are numbers of import->class_names */
    tg_dtype type;                            /* whole numbers 0..255 are u8, all others f32 */
    size_t rank, shape[TG_ARRAY_RANK], count; /* count: elements */
    size_t cells;                             /* as in the view */
    void *data;
} tg_array;

/* *out = the product of the axes; false where it wraps. */
bool tg_shape_count(size_t rank, const size_t *shape, size_t *out);
/* "60000 x 28 x 28" */
enum { TG_ARRAY_SHAPE_TEXT = TG_ARRAY_RANK * sizeof "18446744073709551615 x " };
void tg_array_shape_text(size_t rank, const size_t *shape, char out[TG_ARRAY_SHAPE_TEXT]);

/* ---- the importer -------------------------------------------------------------------------------------------- */

typedef enum tg_fit { TG_FIT_CROP, TG_FIT_WHOLE, TG_FIT_STRETCH } tg_fit;

typedef struct tg_import_options {
    const tg_value *roles, *classes;
    bool transposed, flat, unlabeled;
    int labels; /* 0 fine, 1 coarse */
    const char *label_column;
    tg_sizes size;
    int fit;   /* tg_fit */
    int color; /* 0 as they are, 1 rgb, 2 gray */
} tg_import_options;

typedef struct tg_source {
    char *name;
    const char *format; /* "idx", "cifar-10", "npy", "mat", "csv", "pictures", "classes", "list" */
    const char *part;   /* "train", "test", "labels", ...: what it was used for; "unused" */
    size_t count, rank, shape[TG_ARRAY_RANK];
    char note[192];
} tg_source;

/* Pictures, resized as they come, all in one set until finish knows their parts. */
typedef struct tg_pictures {
    tg_dataset *samples; /* u8; labels: number of the path; grown */
    tg_texts paths;
    size_t expected, resized;
} tg_pictures;

/* Files of a part as a list names them, "train_files.txt". */
typedef struct tg_split_list {
    tg_texts files;
    tg_texts labels; /* in the same order, where there is such a list: "train_labels.txt" */
} tg_split_list;

/* A set on its way into a part. */
typedef struct tg_set {
    const char *name; /* borrowed: of its source */
    size_t source;    /* its row in the report, or SIZE_MAX: many */
    tg_part part;
    bool named;    /* labels are numbers of import->class_names */
    bool from_one; /* its first class was called 1 */
    tg_dataset *dataset;
} tg_set;

struct tg_import {
    tg_attrs *attrs; /* a copy: options point into it */
    tg_import_options options;
    tg_inflate inflate;
    void *inflate_ctx;

    tg_array *arrays;
    size_t array_count, array_capacity;
    tg_dataset *batches[TG_PART_IGNORE]; /* CIFAR's, by part; NULL until one comes */
    tg_pictures pictures;
    tg_split_list lists[TG_PART_IGNORE];
    tg_texts class_names;   /* of folders and of texts in CSV files, as they came */
    tg_texts named_classes; /* by a file: batches.meta.txt */

    tg_set *sets;
    size_t set_count, set_capacity;

    tg_source *sources;
    size_t source_count, source_capacity;
    tg_texts skipped; /* name, reason, name, reason, ... */
    size_t skipped_count;
    bool from_one, ten_is_zero; /* how MATLAB's labels count */
    tg_text report;
    bool finished;
};

/* Copies the elements; the file's bytes may go. */
tg_status tg_import_add_array(tg_import *import, const tg_array_view *view, tg_error *err);
/* Takes the elements (tg_allocate), also on failure. Of `array` all but source and count is filled in. */
tg_status tg_import_adopt_array(tg_import *import, const char *name, const char *format, tg_array *array,
                                tg_error *err);
/* out[count] = the elements as they are. */
void tg_array_floats(const tg_array_view *view, size_t count, float *out);
/* Adds a row to the report: the last one, for a note and its part. The rank is at most TG_ARRAY_RANK. */
tg_status tg_import_add_source(tg_import *import, const char *name, const char *format, size_t count,
                               size_t rank, const size_t *shape, tg_source **out, tg_error *err);
tg_status tg_import_add_set(tg_import *import, const tg_set *set,
                            tg_error *err); /* takes the dataset, also on failure */
/* Lists what was wrong with `name`: err->what. Out of memory is no reason to go on: it is returned. */
tg_status tg_import_skip_failed(tg_import *import, const char *name, tg_error *err);
/* What the options say of it or of what it lies in; then what its name says. */
tg_part tg_import_role(const tg_import *import, const char *name);
tg_part tg_import_part(const tg_import *import, const char *name);
const char *tg_part_text(tg_part part);

/* ---- readers: data_*.c. Each is given what looks like its own ---------------------------------------------- */

tg_status tg_read_idx(tg_import *import, tg_bytes file, tg_error *err);
tg_status tg_read_cifar(tg_import *import, tg_bytes file, tg_error *err);
tg_status tg_read_npy(tg_import *import, tg_bytes file, tg_error *err);
bool tg_is_mat4(tg_bytes file); /* it has no magic, but little can stand in its header */
tg_status tg_read_mat4(tg_import *import, tg_bytes file, tg_error *err);
tg_status tg_read_mat5(tg_import *import, tg_bytes file, tg_error *err);
tg_status tg_read_csv(tg_import *import, tg_bytes file, tg_error *err);
/* Texts with a line for each class, file or label; TG_OK and *taken false where it is none of them. */
tg_status tg_read_list(tg_import *import, tg_bytes file, bool *taken, tg_error *err);

/* ---- pairs of arrays: import_partners.c finds them, import_pairs.c makes sets of them --------------------------- */

bool tg_array_is_labels(const tg_import *import, const tg_array *array);
/* How many samples these could be the labels of, and how many samples it could hold; how many such counts there are is
 * returned. Those of labels are in the order of preference. */
enum { TG_ARRAY_COUNTS = 3 };
size_t tg_array_label_counts(const tg_array *array, size_t out[TG_ARRAY_COUNTS]);
size_t tg_array_sample_counts(const tg_array *array, size_t out[TG_ARRAY_COUNTS]);
/* The axis along which so many samples lie; false: along none. */
bool tg_array_find_samples(tg_array *array, size_t count, size_t *axis);
/* MATLAB counts from 1: how all labels of its files count is found before any pair is taken. */
void tg_import_find_first_label(tg_import *import);
/* A set of both; of the samples alone where labels is NULL. What is wrong with one of them is noted as skipped. */
tg_status tg_import_take_pair(tg_import *import, tg_array *samples, tg_array *labels, size_t axis,
                              tg_error *err);

/* ---- steps of finish ------------------------------------------------------------------------------------------- */

tg_status tg_import_pair_arrays(tg_import *import, tg_error *err);   /* import_partners.c */
tg_status tg_import_sort_pictures(tg_import *import, tg_error *err); /* import_sort.c */
tg_status tg_import_name_classes(tg_import *import, tg_error *err);  /* import_classes.c */
tg_status tg_import_write_report(tg_import *import, const tg_dataset *train, const tg_dataset *test,
                                 tg_error *err); /* import_report.c */

/* ---- pictures: import_pictures.c, import_resize.c --------------------------------------------------------------------------------- */

/* from[h, w, channels] -> to[to_h, to_w, channels], u8. work: so many bytes. */
size_t tg_resize_work(size_t h, size_t w, size_t channels, size_t to_h, size_t to_w);
void tg_resize(const uint8_t *from, size_t h, size_t w, size_t channels, tg_fit fit, uint8_t *to, size_t to_h,
               size_t to_w, float *work);

#endif
