/* op.h - what an op is, and what it sees while it runs.
 *
 * Every op is one row of a table: its name in recipes and messages, the attributes it takes, how it infers its output's
 * shape, forward, backward, and what the planner has to know about it. A layer of a recipe becomes a node of the graph. */
#ifndef TG_OPS_OP_H
#define TG_OPS_OP_H

#include "base/attrs.h"
#include "base/pool.h"
#include "kernels/kernels.h"

#define TG_MAX_RANK 4

/* Of one sample: [C, H, W] or [features]; of a parameter: as in PyTorch. How pictures lie in memory is another matter:
 * see ops/layout.h. */
typedef struct tg_shape {
    size_t rank;
    size_t dim[TG_MAX_RANK];
} tg_shape;

size_t tg_shape_size(const tg_shape *shape); /* elements; checked for overflow where a graph is built */
bool tg_shape_equal(const tg_shape *a, const tg_shape *b);
/* "16x13x13"; borrowed from the caller's buffer. */
const char *tg_shape_text(const tg_shape *shape, char text[96]);

/* A trained tensor. Gradients are added to, unless its op has TG_OP_SETS_WEIGHT_GRADIENT; gradient is NULL where the layer is not trainable. */
typedef struct tg_param {
    char name[80]; /* "conv2d1.weight" */
    tg_shape shape;
    size_t size;
    size_t fan_in, fan_out;
    bool is_weight; /* drawn by an initializer, and l2 acts on it; the others begin at `initial` */
    bool is_buffer; /* kept by its op (running statistics), never trained, no parameter to count */
    bool trainable;
    tg_real initial;
    double learning_rate_factor;
    tg_real *data, *gradient;
    tg_real *state[2]; /* of the optimizer */
} tg_param;

enum { TG_MAX_PARAMS = 4 };

/* Where the tensors of a layer come from instead of an initializer: those of `layer` in a checkpoint. */
typedef struct tg_source {
    const char *checkpoint; /* its name, borrowed from the recipe; NULL: they are drawn */
    const char *layer;
    char sha256[65]; /* of the file: as the recipe wants it ("": any), then as it was */
    bool taken;
} tg_source;

typedef struct tg_op tg_op;

typedef struct tg_node {
    const tg_op *op;
    char name[64];
    size_t index; /* in topological order, which is also the order of running */
    void *attrs;  /* the op's own struct */
    struct tg_node **inputs;
    size_t input_count;
    tg_shape shape; /* of one output sample */
    tg_param params[TG_MAX_PARAMS];
    size_t param_count;
    bool trainable;
    double learning_rate_factor;
    const tg_value *recipe;      /* the layer as the recipe has it; NULL for the input */
    const tg_value *initializer; /* of it, or NULL */
    tg_source source;
    bool needs_gradient; /* of its output: something trainable lies at or before it */
    bool planes;         /* of the input: it is only ever flattened, and lies as [C, H, W] */
    size_t saved_bytes;  /* per sample, kept from forward to backward; set by infer */
    size_t kept_size;    /* elements per batch, kept from forward to the end of the step; set by infer */
    tg_real *prepared;   /* what the op has made of its parameters */
    bool stale;          /* they have changed since */
} tg_node;

/* A graph placed in memory for batches of at most `capacity` samples, for training or for inference. */
typedef struct tg_exec {
    const tg_kernels *kernels;
    tg_pool *pool;
    bool training;
    size_t capacity;
    size_t n;             /* samples in the current batch */
    tg_real **y, **dy;    /* [nodes]; dy[i] is NULL where no gradient is needed */
    const bool *sets_dx;  /* [nodes]: nobody has written the gradient of its input yet */
    const uint8_t *fused; /* [nodes]: TG_FUSED_ */
    uint8_t **saved;      /* [nodes] */
    tg_real **kept;       /* [nodes] */
    /* What random ops draw from in training: a stream per sample (its number in the set) and epoch. */
    uint64_t seed;
    uint32_t epoch;
    const uint32_t *samples; /* [n] */
    tg_real *scratch;        /* as large as the op that asks for most */
} tg_exec;

/* What an op reads and writes. The gradient of an input is NULL where nobody needs it. y may be x and dy may be dx where
 * the planner runs an op in place. */
static inline const tg_real *tg_x(const tg_exec *ex, const tg_node *node, size_t i) {
    return ex->y[node->inputs[i]->index];
}
static inline tg_real *tg_dx(const tg_exec *ex, const tg_node *node, size_t i) {
    return ex->dy[node->inputs[i]->index];
}
static inline tg_real *tg_y(const tg_exec *ex, const tg_node *node) {
    return ex->y[node->index];
}
static inline tg_real *tg_dy(const tg_exec *ex, const tg_node *node) {
    return ex->dy[node->index];
}

/* Whether an op with TG_OP_SETS_GRADIENT has to set the gradient of its only input, every value of it, instead of adding
 * to it. */
static inline bool tg_sets_dx(const tg_exec *ex, const tg_node *node) {
    return ex->sets_dx[node->index];
}

/* A ReLU in place between a convolution and a pool is done by its neighbours: the one rectifies what it stores, the other
 * keeps back the gradient of what is not above 0. */
enum {
    TG_FUSED_RECTIFIES = 1,  /* forward does the ReLU behind it as well */
    TG_FUSED_RECTIFIED = 2,  /* backward does the ReLU before it as well */
    TG_FUSED_NO_FORWARD = 4, /* the ReLU itself */
    TG_FUSED_NO_BACKWARD = 8,
};

static inline bool tg_rectifies(const tg_exec *ex, const tg_node *node) {
    return (ex->fused[node->index] & TG_FUSED_RECTIFIES) != 0;
}
static inline bool tg_rectified(const tg_exec *ex, const tg_node *node) {
    return (ex->fused[node->index] & TG_FUSED_RECTIFIED) != 0;
}

enum {
    TG_OP_INPLACE =
        1, /* y may share memory with the only input, dy with dx (which is then set, not added to) */
    TG_OP_BACKWARD_USES_X = 2, /* inputs are kept for backward */
    TG_OP_BACKWARD_USES_Y = 4, /* the output is kept for backward */
    TG_OP_SAME_VALUES = 8, /* the output is the input in another shape: in place, it disturbs nobody. It may
                                * run so where both lie in the order of their shapes */
    TG_OP_KINK_AT_ZERO =
        16, /* its slope jumps where the output changes sign: gradient checks step around that */
    TG_OP_SETS_GRADIENT = 32, /* asks tg_sets_dx(), so that nobody has to clear the gradient before it */
    TG_OP_RECTIFIES = 64,     /* asks tg_rectifies() in forward */
    TG_OP_RECTIFIED = 128,    /* asks tg_rectified() in backward */
    TG_OP_SETS_WEIGHT_GRADIENT = 256, /* of its first parameter, which nobody has to clear before */
    TG_OP_BY_SAMPLE =
        512, /* forward and backward treat every sample alone, so that threads may take some rows each of a
                            * batch through several such nodes */
};

struct tg_op {
    const char *name;
    const tg_attr *attrs;
    size_t attr_count, attrs_bytes;
    size_t min_inputs, max_inputs;
    /* Sets shape, params (name, shape, fans) and saved_bytes from the inputs' shapes; may complete attrs. */
    tg_status (*infer)(tg_node *node, tg_error *err);
    /* Elements of scratch for a batch of at most n with these kernels on `threads` threads. NULL: none. */
    size_t (*scratch)(const tg_node *node, size_t n, const tg_kernels *kernels, size_t threads);
    /* What the op makes of its parameters once for as long as they stay, such as packed weights: elements of
     * node->prepared, and the work as items, which any threads do in any order. NULL: nothing. */
    size_t (*prepared_size)(const tg_node *node, const tg_kernels *kernels);
    size_t (*prepare_items)(const tg_node *node, const tg_kernels *kernels);
    void (*prepare)(const tg_node *node, const tg_kernels *kernels, size_t item);
    void (*forward)(const tg_exec *ex, const tg_node *node);
    /* Gradients of the inputs; those of the parameters too where there is no backward_weights. */
    void (*backward)(const tg_exec *ex, const tg_node *node);
    /* Part `part` of `parts` of the parameters' gradients, over the whole batch: in any order, on several threads at once,
     * each with the scratch of a single thread. */
    void (*backward_weights)(const tg_exec *ex, const tg_node *node, size_t part, size_t parts);
    /* After a step whose update was finite: takes over what the batch taught beside gradients. NULL: nothing. */
    void (*finish)(const tg_exec *ex, const tg_node *node);
    unsigned flags;
};

const tg_op *tg_op_find(const char *name); /* NULL where there is none */
const tg_op *tg_op_at(size_t index);       /* NULL past the last */

/* For infer: adds a parameter "<node>.<suffix>". */
tg_param *tg_node_add_param(tg_node *node, const char *suffix, const tg_shape *shape, size_t fan_in,
                            size_t fan_out);

/* The same for a tensor that the op keeps up itself. */
tg_param *tg_node_add_buffer(tg_node *node, const char *suffix, const tg_shape *shape, tg_real initial);

/* Families, one file each. */
extern const tg_op tg_op_input, tg_op_part;
extern const tg_op tg_op_dense;
extern const tg_op tg_op_conv2d;
extern const tg_op tg_op_max_pool2d, tg_op_avg_pool2d, tg_op_global_avg_pool2d;
extern const tg_op tg_op_relu, tg_op_leaky_relu, tg_op_sigmoid, tg_op_tanh, tg_op_softmax;
extern const tg_op tg_op_flatten, tg_op_reshape;
extern const tg_op tg_op_add, tg_op_concat;
extern const tg_op tg_op_batch_norm, tg_op_dropout;

/* Of tg_op_part: which values of a sample it hands on. */
typedef struct tg_part {
    size_t offset;  /* in the sample as [height, width, channels] holds it */
    tg_sizes sizes; /* as the recipe has them */
} tg_part;

/* ---- losses -------------------------------------------------------------------------------------------------- */

typedef enum tg_target { TG_TARGET_LABELS, TG_TARGET_INPUT } tg_target;

/* What the network should have said for the current batch. */
typedef struct tg_targets {
    const int32_t *labels; /* [n], or NULL */
    const tg_real *values; /* [n, size]: soft targets or the input itself; NULL with labels */
} tg_targets;

typedef struct tg_loss {
    const char *name;
    const tg_attr *attrs;
    size_t attr_count, attrs_bytes;
    bool softmax; /* predictions are shown through softmax */
    /* losses[n]: one per sample. With dy: dy[n, size] += scale * d losses / dy. */
    void (*run)(const tg_kernels *kernels, const void *attrs, size_t n, size_t size, const tg_real *y,
                const tg_targets *targets, tg_real *losses, tg_real scale, tg_real *dy);
} tg_loss;

const tg_loss *tg_loss_find(const char *name);
const tg_loss *tg_loss_at(size_t index);

/* y[n, size] = softmax of each row of x; y may be x. */
void tg_softmax_rows(const tg_kernels *kernels, size_t n, size_t size, const tg_real *x, tg_real *y);

#endif
