/* bench_ops [THREADS [SHAPE]]: the networks of W5 and W6 op by op, forward and backward as training runs them, each with
 * the microseconds that a batch takes; products also with their GFLOP/s and share of the peak, counted as a direct
 * convolution needs them. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "graph/exec.h"

typedef struct network {
    const char *name;
    size_t batch, side, channels, filters[3], hidden;
    const char *padding;
} network;

static const network networks[] = {
    {"W5", 32, 28, 1, {8, 16, 0}, 0, "valid"},
    {"W6", 50, 32, 3, {32, 64, 64}, 64, "same"},
    {"W6 n=1", 1, 32, 3, {32, 64, 64}, 64, "same"},
};

static void add_layer(tg_attrs *attrs, const char *type, const char *key, double value, const char *padding) {
    tg_error err;
    tg_attrs_open_object(attrs, NULL, &err);
    tg_attrs_string(attrs, "type", type, &err);
    if (key) tg_attrs_number(attrs, key, value, &err);
    if (padding) {
        tg_attrs_number(attrs, "kernel", 3, &err);
        tg_attrs_string(attrs, "padding", padding, &err);
    }
    tg_attrs_close(attrs, &err);
}

static tg_attrs *describe(const network *net) {
    tg_attrs *attrs;
    tg_error err;
    if (tg_attrs_create(&attrs, &err) != TG_OK) return NULL;
    tg_attrs_open_list(attrs, "input", &err);
    tg_attrs_number(attrs, NULL, (double)net->side, &err);
    tg_attrs_number(attrs, NULL, (double)net->side, &err);
    tg_attrs_number(attrs, NULL, (double)net->channels, &err);
    tg_attrs_close(attrs, &err);
    tg_attrs_open_list(attrs, "layers", &err);
    for (size_t i = 0; i < 3 && net->filters[i]; i++) {
        add_layer(attrs, "conv2d", "filters", (double)net->filters[i], net->padding);
        add_layer(attrs, "relu", NULL, 0, NULL);
        add_layer(attrs, "max_pool2d", "size", 2, NULL);
    }
    add_layer(attrs, "flatten", NULL, 0, NULL);
    if (net->hidden) {
        add_layer(attrs, "dense", "units", (double)net->hidden, NULL);
        add_layer(attrs, "relu", NULL, 0, NULL);
    }
    add_layer(attrs, "dense", "units", 10, NULL);
    tg_attrs_close(attrs, &err);
    return attrs;
}

static double product_flop(const tg_node *node, size_t n) {
    if (!node->param_count) return 0;
    size_t area = node->shape.rank == 3 ? node->shape.dim[1] * node->shape.dim[2] : 1;
    return 2.0 * (double)node->params[0].size * (double)area * (double)n;
}

/* The shortest of many: whatever else the machine does takes away. */
static double fastest(tg_plan *plan, size_t node, void (*run)(tg_plan *plan, size_t node)) {
    double best = INFINITY;
    for (int window = 0; window < 60; window++) {
        double calls = 0, start = bench_seconds(), took;
        do {
            run(plan, node);
            calls++;
            took = bench_seconds() - start;
        } while (took < 0.0005);
        best = fmin(best, took / calls);
    }
    return best;
}

static void print(const network *net, const tg_kernels *kernels, size_t threads, const tg_node *node,
                  const char *pass, double flop, double took, double peak) {
    printf("{\"kernel\":\"%s\",\"shape\":\"%s %s %s\",\"threads\":%zu,\"microseconds\":%.2f", kernels->name,
           net->name, node->name, pass, threads, took * 1e6);
    if (flop > 0)
        printf(",\"gflops\":%.2f,\"share\":%.4f", flop / took / 1e9,
               flop / took / 1e9 / peak / (double)threads);
    puts("}");
    fflush(stdout);
}

static void measure(const network *net, const tg_kernels *kernels, tg_pool *pool, double peak) {
    tg_attrs *attrs = describe(net);
    tg_graph *graph;
    tg_plan *plan;
    tg_error err;
    bool is_output[32] = {false};
    if (!attrs || tg_graph_create(tg_attrs_root(attrs), &graph, &err) != TG_OK) exit(2);
    for (size_t i = 0; i < graph->count; i++) {
        tg_node *node = &graph->nodes[i];
        if (node->op->prepare)
            node->prepared = tg_allocate(node->op->prepared_size(node, kernels) * sizeof *node->prepared);
        for (size_t j = 0; j < node->param_count; j++) {
            tg_param *p = &node->params[j];
            p->data = tg_allocate_zeroed(p->size * sizeof *p->data);
            p->gradient = tg_allocate_zeroed(p->size * sizeof *p->gradient);
        }
    }
    is_output[graph->count - 1] = true;
    if (tg_graph_initialize(graph, 1, &err) != TG_OK ||
        tg_plan_create(graph, (tg_engine_parts){kernels, pool}, true, net->batch, is_output, true, &plan,
                       &err) != TG_OK)
        exit(2);
    plan->exec.n = net->batch;
    tg_rng rng = tg_rng_stream(1, TG_RNG_TEST, 0, 0);
    size_t count = net->batch * net->side * net->side * net->channels, threads = tg_pool_threads(pool);
    for (size_t i = 0; i < count; i++) tg_plan_input(plan)[i] = (tg_real)tg_rng_uniform(&rng);
    double all = 0;
    for (size_t i = 1; i < graph->count; i++) {
        double flop = product_flop(&graph->nodes[i], net->batch), took = fastest(plan, i, tg_plan_forward);
        all += took;
        print(net, kernels, threads, &graph->nodes[i], "forward", flop, took, peak);
    }
    size_t last = graph->count - 1;
    for (size_t i = 0; i < 10 * net->batch; i++)
        plan->exec.dy[last][i] = (tg_real)(0.001 * tg_rng_normal(&rng));
    for (size_t i = last; i >= 1; i--) {
        double flop = product_flop(&graph->nodes[i], net->batch), took = fastest(plan, i, tg_plan_backward);
        all += took;
        print(net, kernels, threads, &graph->nodes[i], "backward", i == 1 ? flop : 2 * flop, took, peak);
    }
    printf("{\"kernel\":\"%s\",\"shape\":\"%s step\",\"threads\":%zu,\"microseconds\":%.2f}\n", kernels->name,
           net->name, threads, all * 1e6);
    tg_plan_destroy(plan);
    for (size_t i = 0; i < graph->count; i++) {
        tg_free(graph->nodes[i].prepared);
        for (size_t j = 0; j < graph->nodes[i].param_count; j++) {
            tg_free(graph->nodes[i].params[j].data);
            tg_free(graph->nodes[i].params[j].gradient);
        }
    }
    tg_graph_destroy(graph);
    tg_attrs_destroy(attrs);
}

int main(int argc, char **argv) {
    size_t threads = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    const char *only = argc > 2 ? argv[2] : "";
    tg_pool *pool;
    tg_error err;
    if (tg_pool_create(threads, &pool, &err) != TG_OK) {
        fprintf(stderr, "%s\n", err.what);
        return 2;
    }
    const tg_kernels *(*const all[])(void) = {tg_kernels_sse2, tg_kernels_avx2, tg_kernels_avx512,
                                              tg_kernels_neon, tg_kernels_wasm128};
    for (size_t t = 0; t < sizeof all / sizeof *all; t++) {
        if (!all[t]()) continue;
        double peak = bench_peak(all[t]()->name);
        bench_print(all[t]()->name, "peak", 1, peak, peak);
        for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
            if (strncmp(networks[i].name, only, strlen(only)) == 0)
                measure(&networks[i], all[t](), pool, peak);
    }
    tg_pool_destroy(pool);
    return 0;
}
