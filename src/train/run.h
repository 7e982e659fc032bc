/* What a run consists of. Everything is allocated when it is made; training allocates nothing. */
#ifndef TG_TRAIN_RUN_H
#define TG_TRAIN_RUN_H

#include "data/augment.h"
#include "data/preprocess.h"
#include "data/split.h"
#include "graph/exec.h"
#include "optim/optim.h"
#include "train/recipe.h"

struct tg_engine {
    tg_engine_parts parts;
};

/* One entry of the recipe's "losses". */
typedef struct tg_run_loss {
    const tg_loss *row;
    const tg_value *recipe; /* as the recipe has it */
    void *attrs;
    size_t node; /* the output it looks at */
    tg_target target;
    double weight;
    bool sum; /* over the batch, instead of the mean */
} tg_run_loss;

enum { TG_MAX_LOSSES = 8, TG_EVALUATE_BATCH = 64, TG_PREDICT_BATCH = 8 };

typedef enum tg_leg { TG_LEG_FORWARD, TG_LEG_LOSSES, TG_LEG_BACKWARD, TG_LEG_WEIGHTS } tg_leg;

/* What the rows of a batch leave behind, for whoever adds it up. */
typedef struct tg_outcome {
    tg_real *losses; /* [losses][n] */
    int32_t *says;   /* [n] the class, where there are classes */
} tg_outcome;

/* Samples index[first..first+n) of a set (index NULL: first..first+n) on their way through a plan. */
typedef struct tg_batch {
    tg_plan *plan;
    const tg_dataset *dataset; /* NULL: what was handed in to be predicted, at `pixels` */
    tg_dtype type;
    const void *pixels;
    const uint32_t *index;
    size_t first, n;
    tg_outcome *outcome;
    tg_leg leg;           /* of the way, and there the */
    size_t segment, done; /* segment, and how many of its rows or parts are done */
} tg_batch;

/* Samples on their way through an inference plan, interruptible in the middle of a batch. */
typedef struct tg_evaluator {
    tg_dataset *dataset;
    const uint32_t *index; /* NULL: 0..count-1 */
    size_t count, position;
    tg_batch batch;
    bool begun;  /* the batch */
    size_t node; /* the next, where every node is looked at */
    double loss_sum, psnr_sum;
    uint64_t correct;
    int32_t *predicted; /* [count] or NULL */
    float *losses;      /* [count] or NULL */
    uint64_t *confusion;
    bool *
        alive; /* of every rectified unit, whether it answered a sample with more than 0; NULL: scores instead */
} tg_evaluator;

typedef enum tg_pass { TG_PASS_GRADIENTS, TG_PASS_ABOVE, TG_PASS_BELOW } tg_pass;

/* A gradient check on its way, interruptible between two nodes. */
typedef struct tg_checker {
    bool begun; /* and not trained since */
    size_t per_tensor;
    size_t tensor, value; /* which of params, and the how-manieth of its values that are looked at */
    tg_pass pass;
    bool backward;
    size_t node;          /* the next; 0 before the forward pass: gather first */
    uint64_t hash, kinks; /* of this pass, of the first */
    double above;         /* the objective there */
    bool crossed;         /* a kink on the way there */
    tg_gradcheck found;
} tg_checker;

typedef enum tg_phase { TG_PHASE_BEGIN, TG_PHASE_BATCH, TG_PHASE_UPDATE, TG_PHASE_HELD_OUT } tg_phase;

typedef struct tg_event {
    uint64_t step;
    double learning_rate; /* NaN: not this */
    uint64_t epochs;      /* 0: not this */
} tg_event;

typedef struct tg_epoch_record {
    uint64_t epoch, step;
    double loss, accuracy, held_out_loss, held_out_accuracy, learning_rate;
} tg_epoch_record;

/* Where a run stands: all that a checkpoint has to hold beside weights and optimizer state. */
typedef struct tg_position {
    uint64_t epoch, step, epoch_step, samples;
    uint64_t epoch_correct, epoch_samples;
    double epoch_loss_sum;
    double step_loss;
    double base_learning_rate; /* before the schedule's factor */
    tg_score held_out;
    bool diverged;
    /* Early stopping: the best epoch so far (0: none), since when nothing got better, whether that was too long. */
    uint64_t best_epoch, patient_since;
    bool stopped;
    uint64_t plateaus; /* of the plateau schedule; follows from the records */
} tg_position;

struct tg_run {
    tg_engine *engine;
    tg_attrs *attrs; /* the run's own copy of the recipe */
    tg_recipe recipe;
    tg_graph *graph;
    bool *is_output; /* [nodes] */
    tg_run_loss losses[TG_MAX_LOSSES];
    size_t loss_count;
    bool has_labels;                /* the first loss looks at labels: there is an accuracy */
    size_t outputs;                 /* values of the output that the first loss looks at */
    size_t *shown;                  /* [shown_count] the nodes that predictions show, that one first */
    size_t shown_count, shown_size; /* how many, and their values together */
    size_t data_shape
        [3]; /* height, width, channels of the data; behind the preprocessing it is the graph's input */
    tg_preprocess *preprocess;
    tg_augment *augment;
    tg_augmenting augmenting;
    const tg_optimizer *optimizer;
    tg_optim_attrs optim_attrs;
    tg_schedules schedules;

    tg_param **params; /* [param_count] in the graph's order */
    size_t param_count;
    void *weights_block, *state_block, *prepared_block;
    tg_real *best_block; /* the best epoch's weights, parameter after parameter; NULL unless asked for */
    size_t weights_bytes, state_bytes, prepared_bytes, best_bytes;

    tg_dataset *train, *test;
    tg_split split;
    tg_split
        entries; /* what an epoch goes through: the training part, and its transformed copy where it is appended */
    uint32_t *order;      /* [entries.train_count] of the current epoch */
    uint64_t order_epoch; /* which epoch it is for; UINT64_MAX: none */
    size_t batch_size;    /* at most as many as an epoch has */
    bool alone;           /* it trains on one thread */
    uint64_t steps_per_epoch;
    char **class_names;
    size_t class_count;
    char saved_dataset_sha256[65]; /* of the checkpoint that it was loaded from */

    tg_plan *train_plan, *evaluate_plan, *predict_plan;
    tg_outcome trained, evaluated;
    /* Of one batch, the larger of training's and evaluation's. */
    tg_real *sample_losses;
    int32_t *batch_labels;
    tg_real *batch_targets; /* [batch, target_size] of soft sets */
    size_t target_size;     /* scores of the largest output that looks at labels */
    tg_real
        *batch_inputs; /* [batch, values of the input] as an output lies; NULL where they lie so already */

    tg_position at;
    tg_phase phase;
    tg_batch batch;
    double batch_loss; /* of the step in progress */
    uint64_t batch_correct;
    double batch_loss_sum; /* per-sample losses added up */
    tg_evaluator held_out, evaluation, answers;
    tg_checker gradcheck;
    const tg_evaluator *evaluate_plan_owner; /* whose batch lies in evaluate_plan */

    tg_event *events;
    size_t event_count, event_capacity;
    tg_epoch_record *records;
    size_t record_count, record_capacity;
    float *step_losses; /* of every step so far, as long as there is room */
    size_t step_loss_count, step_loss_capacity;
    tg_text recipe_json, history_json;
};

/* run_create.c */
tg_status tg_run_create_from(tg_engine *engine, const tg_value *recipe, tg_dataset *train, tg_dataset *test,
                             tg_run **out, tg_error *err);
/* Is the set fit for this run? Errors: where `name`. */
tg_status tg_run_check_dataset(const tg_run *run, const tg_dataset *dataset, const char *name, tg_error *err);

/* run_losses.c */
tg_status tg_run_read_losses(tg_run *run, tg_error *err);
void tg_run_write_losses(const tg_run *run, tg_text *text);

/* run_info.c */
tg_status tg_run_check_weights(const tg_run *run, tg_error *err); /* no layer waits for its own */
tg_status tg_run_add_event(tg_run *run, tg_event event, tg_error *err);
tg_status tg_run_reserve_records(tg_run *run, uint64_t epochs, tg_error *err);
tg_status tg_run_reserve_losses(tg_run *run, uint64_t steps, tg_error *err);

/* run_train.c */
bool tg_run_has_held_out(const tg_run *run);
double tg_run_schedule_factor(const tg_run *run);
bool tg_run_finished(const tg_run *run);
double tg_run_learning_rate(const tg_run *run); /* of the next step */
void tg_run_begin_held_out(tg_run *run);
void tg_run_clear_gradients(tg_run *run);
double tg_run_l2_penalty(const tg_run *run); /* lambda times the sum of squares of the weights */

/* run_watch.c: after every epoch. */
void tg_run_watch(tg_run *run);
uint64_t tg_run_plateaus(const tg_run *run);

/* run_batch.c: rows of a batch. */
tg_order tg_run_input_order(const tg_run *run);
/* The rows' input. */
void tg_run_gather_rows(tg_run *run, const tg_batch *batch, const tg_exec *rows, size_t first, size_t thread);
/* Their losses and classes into the batch's outcome; where the plan trains, the losses' gradients into its outputs. */
void tg_run_row_losses(tg_run *run, const tg_batch *batch, const tg_exec *rows, size_t first);
/* Of the whole batch: per-sample losses (weighted, all added) into sample_losses; the objective: mean or sum over the
 * batch, without the l2 penalty. */
double tg_run_objective(tg_run *run, const tg_batch *batch);
/* 10 log10(1 / MSE) of sample i of the plan's batch against its own input. */
double tg_run_psnr_of(const tg_run *run, const tg_plan *plan, size_t i);
int32_t tg_run_true_class(const tg_dataset *dataset, size_t sample);

/* run_rows.c: a batch on its way. */
/* The plan is set to the batch; gradients of weights are the caller's to clear. */
void tg_batch_begin(const tg_batch *batch);
/* One unit of work, of some milliseconds: rows through a segment, a node, some gradients of weights. True when forward,
 * losses and, where the plan trains, gradients are done. */
bool tg_run_advance_batch(tg_run *run, tg_batch *batch);
/* The same node by node, for who looks at every node: the input, then tg_plan_forward() for every node, the losses, then
 * tg_plan_backward(). */
void tg_run_gather(tg_run *run, tg_batch *batch);
void tg_run_losses(tg_run *run, tg_batch *batch);

/* run_evaluate.c */
void tg_evaluator_begin(tg_evaluator *evaluator, tg_dataset *dataset, const uint32_t *index, size_t count);
/* One unit of work: a gather, a node or the losses of a batch. True when all samples are done. */
bool tg_evaluator_advance(tg_run *run, tg_evaluator *evaluator);
tg_score tg_evaluator_score(const tg_run *run, const tg_evaluator *evaluator);
/* Is everything there that the network needs to compute? */
tg_status tg_run_check_ready(const tg_run *run, tg_error *err);

/* run_inspect.c: what an evaluator does after each node that asks which units are alive. */
void tg_run_note_answers(const tg_run *run, size_t node, bool *alive);

#endif
