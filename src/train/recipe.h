/* The recipe: one document that determines a run. Here it is read whole; every part is checked by who owns it. */
#ifndef TG_TRAIN_RECIPE_H
#define TG_TRAIN_RECIPE_H

#include "base/attrs.h"

typedef struct tg_recipe_data {
    const char *dataset;
    int sampling;        /* 0: every sample once an epoch, 1: drawn with replacement */
    uint64_t train_size; /* 0: all */
    double validation;   /* below 1: a fraction, else a count; of the training part */
    tg_sizes shape;      /* height, width, channels of a sample; none: as the data says, or model.input */
} tg_recipe_data;

/* patience 0: not asked for. */
typedef struct tg_early_stopping {
    uint64_t patience; /* epochs without getting better after which the run ends (Keras) */
    double min_delta;
    int metric;        /* tg_metric */
    bool restore_best; /* the weights of the best epoch are put back at the end */
} tg_early_stopping;

typedef struct tg_recipe {
    uint64_t version;
    const char *name;
    const tg_value *data_tree, *preprocess, *augment, *model, *loss, *losses, *optimizer, *schedule,
        *early_stopping_tree;
    int augment_mode; /* 0: every sample anew in every epoch, 1: a transformed copy of the set is appended */
    uint64_t batch_size, epochs, seed;
    tg_recipe_data data;
    tg_early_stopping early_stopping;
} tg_recipe;

/* Reads the top level and "data"; the trees are borrowed from root. */
tg_status tg_recipe_read(const tg_value *root, tg_recipe *out, tg_error *err);
/* Writes "tabgrad", "name" and "data". */
void tg_recipe_write_head(const tg_recipe *recipe, tg_text *text);
/* Writes "early_stopping", "batch_size", "epochs", "seed" and the keys of root that begin with "x-". */
void tg_recipe_write_tail(const tg_recipe *recipe, const tg_value *root, tg_text *text);

#endif
