/* What a model is fed with and what it answers, where it says more than "input". */
#ifndef TG_GRAPH_GRAPH_ENDS_H
#define TG_GRAPH_GRAPH_ENDS_H

#include "graph/graph.h"

/* 1 to 47 letters, digits, _ and -; not a name that checkpoints keep for themselves. */
tg_status tg_name_check(const char *name, tg_error *err);

/* [height, width, channels], [height, width] or [features], said under `key`: as shape[3], and as the network sees it. */
tg_status tg_input_shape(const char *key, const tg_sizes *sizes, size_t shape[3], tg_shape *out,
                         tg_error *err);

/* "inputs": [{ "name": "left", "shape": [14, 28, 1] }, ...]. The values of a sample, as [height, width, channels] holds
 * them, are dealt out one input after another: a node each, right behind the input. */
tg_status tg_inputs_place(tg_graph *graph, const tg_value *inputs, tg_error *err);

/* "outputs": ["dense2", "code"]: the layers that predictions show. NULL: none named. */
tg_status tg_outputs_find(tg_graph *graph, const tg_value *outputs, tg_error *err);

/* "input" or "inputs", and "outputs" where there are some. */
void tg_ends_write(const tg_graph *graph, tg_text *text);

#endif
