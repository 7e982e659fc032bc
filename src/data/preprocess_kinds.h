/* What preprocessing consists of, between preprocess.c, which keeps the list, preprocess_gather.c, which
 * sends samples through it, and the files that compute the steps. */
#ifndef TG_DATA_PREPROCESS_KINDS_H
#define TG_DATA_PREPROCESS_KINDS_H

#include "data/preprocess.h"

typedef struct tg_rescale {
    double divide, offset;
} tg_rescale;

typedef struct tg_standardize {
    tg_reals mean, std; /* per channel: one number, or one each; none: still to be fitted */
    int per;            /* TG_PER_CHANNEL, TG_PER_PIXEL */
    bool scale;
} tg_standardize;
enum { TG_PER_CHANNEL, TG_PER_PIXEL };

typedef struct tg_resize {
    uint64_t height, width;
    int method;
} tg_resize;

typedef struct tg_pad {
    uint64_t height, width;
    double value;
} tg_pad;

typedef struct tg_center_crop {
    uint64_t height, width;
} tg_center_crop;

typedef struct tg_pca {
    uint64_t components;
    bool whiten;
    tg_reals explained; /* none until fitted: the share of the variance that is kept */
} tg_pca;

enum { TG_STEP_TENSORS = 3 };

typedef struct tg_preprocess_step {
    const struct tg_preprocess_kind *kind;
    size_t in[3], out[3];     /* height, width, channels */
    size_t in_size, out_size; /* of a sample */
    bool by_channel;          /* works on values of one channel, wherever they are */
    bool fitted;              /* or there is nothing to fit */
    void *progress;           /* of a fit that goes on; NULL: none */
    tg_fitted tensors[TG_STEP_TENSORS];
    size_t tensor_count;
    union {
        tg_rescale rescale;
        tg_standardize standardize;
        tg_resize resize;
        tg_pad pad;
        tg_center_crop center_crop;
        tg_pca pca;
    } of;
} tg_preprocess_step;

enum { TG_LEVELS = 256 /* of a u8 */ };

/* Steps by channel at the beginning of the list are the head: u8 samples go through a table instead. What
 * follows works on a group of samples at a time, in a room of the thread's own. */
struct tg_preprocess {
    size_t shape[3]; /* height, width, channels of the dataset */
    size_t size;     /* of a sample of it */
    tg_real *table;  /* [channels, TG_LEVELS]: what the head makes of each u8; valid once it is fitted */
    /* Where level * high + level * low has the bits of the table in every channel: that is faster. */
    bool linear;
    tg_real high, low;
    size_t threads, group;
    size_t largest, work; /* elements of a sample between any two steps, and of the steps' own scratch */
    tg_real *room;        /* [threads, 2 * group * largest + work]; NULL where the head is all */
    struct {
        const void *pixels; /* of the set */
        size_t count;       /* of its samples */
        bool copies;        /* behind them, the transformed copies */
        tg_real *rows;      /* [count, size that comes out]; NULL: nothing is remembered */
        size_t filled;      /* of these rows; they are used once all are */
    } memory;
    size_t head, count;
    tg_preprocess_step steps[];
};
size_t tg_preprocess_size(const tg_preprocess *preprocess); /* of a sample that comes out */

/* What a step is fitted on: samples as the steps before it leave them, [n, C, H, W]. */
typedef struct tg_fitting {
    tg_preprocess *before;
    tg_pool *pool;
    const tg_dataset *dataset;
    const uint32_t *index; /* NULL: 0..count-1 */
    size_t count;
} tg_fitting;
void tg_fitting_samples(const tg_fitting *fitting, size_t first, size_t n, tg_real *x);

typedef struct tg_preprocess_kind {
    const char *name;
    const tg_attr *rows;
    size_t row_count;
    bool costly; /* a sample takes longer than reading the result from memory by far */
    /* Everything that the rows cannot say: out (where it is not in), by_channel, fitted, tensors. May be
     * NULL: values that need no fitting, by channel. */
    tg_status (*prepare)(tg_preprocess_step *self, tg_error *err);
    /* A unit of work, of some milliseconds; *finished is set with the last one. */
    tg_status (*fit)(tg_preprocess_step *self, const tg_fitting *fitting, bool *finished, tg_error *err);
    void (*abandon)(tg_preprocess_step *self); /* frees `progress`; NULL: there is never any */
    /* by_channel: in place. */
    void (*values)(const tg_preprocess_step *self, size_t channel, tg_real *x, size_t n);
    /* else: y[n, out] from x[n, in], which may be spoilt. */
    void (*samples)(const tg_preprocess_step *self, size_t n, tg_real *x, tg_real *y, tg_real *work);
    size_t (*work)(const tg_preprocess_step *self, size_t n); /* elements that `samples` needs; NULL: none */
} tg_preprocess_kind;

/* Adds a tensor, zeroed, that fitting fills in: 1 <= rank <= 3. */
tg_status tg_preprocess_add_tensor(tg_preprocess_step *self, const char *name, size_t rank,
                                   const size_t *shape, tg_error *err);

/* preprocess_values.c */
extern const tg_preprocess_kind tg_preprocess_rescale, tg_preprocess_standardize;
/* preprocess_shape.c */
extern const tg_preprocess_kind tg_preprocess_resize, tg_preprocess_pad, tg_preprocess_center_crop,
    tg_preprocess_flatten;
/* preprocess_pca.c */
extern const tg_preprocess_kind tg_preprocess_pca;

#endif
