/* The graph: what a recipe's "model" says, as nodes in topological order. */
#ifndef TG_GRAPH_GRAPH_H
#define TG_GRAPH_GRAPH_H

#include "ops/op.h"

typedef struct tg_graph {
    tg_node *nodes; /* [count]; nodes[0] is the input */
    size_t count;
    tg_sizes input;        /* as the recipe has it: [h, w, c], [h, w] or [features] */
    size_t input_shape[3]; /* height, width, channels */
    size_t part_count; /* nodes[1..part_count] are the inputs the recipe names; their values are a sample's */
    size_t *outputs;   /* [output_count] nodes that predictions show; none: what the first loss looks at */
    size_t output_count;
    tg_node **inputs_block; /* all nodes' inputs */
    bool stale;             /* some node is */
} tg_graph;

/* Reads, checks and sorts the model. Errors: where "model.layers[3] conv2d". */
tg_status tg_graph_create(const tg_value *model, tg_graph **out, tg_error *err);
void tg_graph_destroy(tg_graph *graph);

tg_node *tg_graph_find(const tg_graph *graph, const char *name);       /* NULL where absent */
size_t tg_graph_consumers(const tg_graph *graph, const tg_node *node); /* how many nodes read its output */

/* For whoever has written to parameters, to all, to those that are trained, to a single one: what ops have made of them is
 * stale. */
void tg_graph_changed(tg_graph *graph);
void tg_graph_trained(tg_graph *graph);
void tg_graph_param_changed(tg_graph *graph, const tg_param *param);

/* The model as it was understood, every default filled in. */
void tg_graph_write(const tg_graph *graph, const tg_value *model, tg_text *text);

/* Draws the initial values of every parameter from the seed: they depend on the graph and the seed alone.
 * Schemes, named in a layer's "initializer" (default xavier_uniform), biases always 0:
 *   xavier_uniform, xavier   U(-a, a), a = gain sqrt(6 / (fan_in + fan_out))     Glorot & Bengio 2010
 *   xavier_normal            N(0, gain^2 2 / (fan_in + fan_out))
 *   he_uniform               U(-a, a), a = gain sqrt(6 / fan_in)                 He et al. 2015
 *   he_normal, he            N(0, gain^2 2 / fan_in)
 *   normal                   N(mean, std^2)
 *   uniform                  U(-limit, limit)
 *   spectral_normal          N(0, 1), scaled so that the largest singular value of [out, the rest] is gain
 *   zeros */
tg_status tg_initializer_check(const tg_value *initializer, tg_error *err);
tg_status tg_graph_initialize(tg_graph *graph, uint64_t seed, tg_error *err);

/* A layer's "weights" (NULL: none): { "checkpoint": "digits.safetensors", "layer": "conv2d1", "sha256": "..." }, or the
 * checkpoint's name alone where the layer is called the same there. "sha256": only that very file will do. */
tg_status tg_source_read(const tg_value *weights, tg_node *node, tg_error *err);
void tg_source_write(const tg_source *source, tg_text *text);

#endif
