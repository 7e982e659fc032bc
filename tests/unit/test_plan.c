/* The memory planner: whatever shares memory, the numbers are those of a graph in which nothing does. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "graph/exec.h"
#include "support/assert.h"
#include "support/recipe.h"

enum { N = 3, FEATURES = 12, GRAPHS = 2000, MOST_LAYERS = 20 };

/* ---- random models ------------------------------------------------------------------------------------- */

/* Tensors have 12 values, flat or as a picture [3, 2, 2], so that anything fits anything; a concat has 24
 * and goes back to 12 at once. */
typedef enum form { FLAT, PICTURE, WIDE } form;

typedef struct sketch {
    tg_rng rng;
    char text[8192];
    size_t used, count; /* tensors: the input and the layers so far */
    form form[64];
} sketch;

__attribute__((__format__(__printf__, 3, 4))) static void layer(sketch *s, form is, const char *format, ...) {
    char *end = s->text + sizeof s->text;
    va_list arguments;
    va_start(arguments, format);
    s->used += (size_t)sprintf(s->text + s->used, "%s{'name':'n%zu',", s->count > 1 ? "," : "", s->count);
    s->used += (size_t)vsnprintf(s->text + s->used, (size_t)(end - s->text) - s->used, format, arguments);
    s->used += (size_t)sprintf(s->text + s->used, "}");
    va_end(arguments);
    s->form[s->count++] = is;
}

static const char *name_of(size_t index, char text[16]) {
    snprintf(text, 16, index ? "n%zu" : "input", index);
    return text;
}

/* Any earlier tensor of that form, mostly the newest. */
static size_t pick(sketch *s, form wanted) {
    for (int attempt = 0; attempt < 64; attempt++) {
        uint32_t back = tg_rng_below(&s->rng, 2) ? 0 : tg_rng_below(&s->rng, (uint32_t)s->count);
        if (s->form[s->count - 1 - back] == wanted) return s->count - 1 - back;
    }
    if (wanted == FLAT) return 0; /* the input */
    layer(s, PICTURE, "'type':'reshape','shape':[3,2,2],'inputs':'input'");
    return s->count - 1;
}

static void add_layer(sketch *s) {
    static const char *const own[][4] = {
        [FLAT] = {"'type':'dense','units':12", "'type':'dense','units':12,'trainable':false",
                  "'type':'softmax'", "'type':'reshape','shape':[12]"},
        [PICTURE] = {"'type':'conv2d','filters':3,'kernel':3,'padding':'same'",
                     "'type':'conv2d','filters':3,'kernel':1,'trainable':false",
                     "'type':'max_pool2d','size':2,'stride':1,'padding':'same'",
                     "'type':'avg_pool2d','size':2,'stride':1,'padding':'same'"}};
    static const char *const either[] = {
        "'type':'tanh'", "'type':'sigmoid'",    "'type':'leaky_relu','slope':0.5",
        "'type':'relu'", "'type':'batch_norm'", "'type':'dropout','rate':0.3"};
    static const char *const turn[] = {
        [FLAT] = "'type':'reshape','shape':[3,2,2]", [PICTURE] = "'type':'flatten'"};
    static const char *const narrow[] = {[FLAT] = "'type':'dense','units':12",
                                         [PICTURE] =
                                             "'type':'conv2d','filters':3,'kernel':2,'padding':'same'"};
    char a[16], b[16], c[16];
    form is = tg_rng_below(&s->rng, 4) ? s->form[s->count - 1] : tg_rng_below(&s->rng, 2) ? PICTURE : FLAT;
    uint32_t which = tg_rng_below(&s->rng, 4);
    name_of(pick(s, is), a);
    switch (tg_rng_below(&s->rng, 6)) {
    case 0:
    case 1: layer(s, is, "%s,'inputs':'%s'", own[is][which], a); break;
    case 2: layer(s, is, "%s,'inputs':'%s'", either[tg_rng_below(&s->rng, 6)], a); break;
    case 3: layer(s, is == FLAT ? PICTURE : FLAT, "%s,'inputs':'%s'", turn[is], a); break;
    case 4:
        name_of(pick(s, is), b);
        name_of(pick(s, is), c);
        layer(s, is, "'type':'add','inputs':['%s','%s','%s']", a, b, c);
        break;
    default:
        layer(s, WIDE, "'type':'concat','inputs':['%s','%s']", a, name_of(pick(s, is), b));
        layer(s, is, "%s,'inputs':'%s'", narrow[is], name_of(s->count - 1, a));
    }
}

static tg_engine_parts parts;

/* ---- running a plan ------------------------------------------------------------------------------------ */

/* Everything in memory of its own, nothing in place. */
static tg_plan *unshared_plan(tg_graph *graph, bool training, const bool *is_output) {
    tg_plan *plan = calloc(1, sizeof *plan);
    plan->graph = graph;
    tg_exec *ex = &plan->exec;
    *ex = (tg_exec){.kernels = parts.kernels, .pool = parts.pool, .training = training, .capacity = N};
    ex->y = calloc(graph->count, sizeof *ex->y);
    ex->dy = calloc(graph->count, sizeof *ex->dy);
    ex->saved = calloc(graph->count, sizeof *ex->saved);
    ex->kept = calloc(graph->count, sizeof *ex->kept);
    plan->first_writer = calloc(graph->count, sizeof *plan->first_writer);
    plan->exec.fused = plan->fused = calloc(graph->count, sizeof *plan->fused);
    plan->exec.sets_dx = plan->sets_dx = calloc(graph->count, sizeof *plan->sets_dx);
    size_t scratch = 1;
    for (size_t i = 0; i < graph->count; i++) {
        const tg_node *node = &graph->nodes[i];
        size_t elements = N * tg_shape_size(&node->shape);
        ex->y[i] = calloc(elements, sizeof(tg_real));
        if (training && node->needs_gradient) ex->dy[i] = calloc(elements, sizeof(tg_real));
        if (node->saved_bytes) ex->saved[i] = calloc(N, node->saved_bytes);
        if (node->kept_size) ex->kept[i] = calloc(node->kept_size, sizeof(tg_real));
        plan->first_writer[i] = SIZE_MAX;
        for (size_t j = i + 1; j < graph->count && !is_output[i]; j++)
            for (size_t k = 0; k < graph->nodes[j].input_count; k++)
                if (graph->nodes[j].inputs[k]->index == i) plan->first_writer[i] = j;
        size_t wants = node->op->scratch ? node->op->scratch(node, N, ex->kernels, 1) : 0;
        if (wants > scratch) scratch = wants;
    }
    ex->scratch = aligned_alloc(64, (scratch * sizeof(tg_real) + 63) / 64 * 64);
    return plan;
}

static void free_unshared(tg_plan *plan) {
    for (size_t i = 0; i < plan->graph->count; i++) {
        free(plan->exec.y[i]);
        free(plan->exec.dy[i]);
        free(plan->exec.saved[i]);
        free(plan->exec.kept[i]);
    }
    free(plan->exec.y);
    free(plan->exec.dy);
    free(plan->exec.saved);
    free(plan->exec.kept);
    free(plan->exec.scratch);
    free(plan->first_writer);
    free(plan->sets_dx);
    free(plan->fused);
    free(plan);
}

/* Forward, a loss of y^2 / 2 on every output, backward. Results: outputs, gradients, running statistics. */
static size_t run_plan(tg_plan *plan, const bool *is_output, tg_real *results) {
    tg_graph *graph = plan->graph;
    static const uint32_t samples[N] = {4, 1, 7};
    plan->exec.n = N;
    plan->exec.samples = samples;
    tg_error err;
    ASSERT_OK(tg_graph_initialize(graph, 1, &err)); /* running statistics begin anew */
    tg_rng rng = tg_rng_stream(5, TG_RNG_TEST, 0, 0);
    for (size_t i = 0; i < N * FEATURES; i++) tg_plan_input(plan)[i] = (tg_real)tg_rng_normal(&rng);
    for (size_t i = 1; i < graph->count; i++) tg_plan_forward(plan, i);
    size_t used = 0;
    for (size_t i = 0; i < graph->count; i++) {
        size_t size = N * tg_shape_size(&graph->nodes[i].shape);
        if (!is_output[i]) continue;
        memcpy(results + used, plan->exec.y[i], size * sizeof *results);
        used += size;
        if (!plan->exec.dy[i]) continue;
        tg_plan_clear_gradient(plan, i);
        for (size_t k = 0; k < size; k++) plan->exec.dy[i][k] += plan->exec.y[i][k];
    }
    for (size_t i = graph->count; plan->exec.training && i-- > 1;) {
        for (size_t j = 0; j < graph->nodes[i].param_count; j++)
            if (graph->nodes[i].params[j].gradient)
                memset(graph->nodes[i].params[j].gradient, 0,
                       graph->nodes[i].params[j].size * sizeof(tg_real));
        tg_plan_backward(plan, i);
        for (size_t j = 0; j < graph->nodes[i].param_count; j++) {
            const tg_param *p = &graph->nodes[i].params[j];
            if (!p->gradient) continue;
            memcpy(results + used, p->gradient, p->size * sizeof *results);
            used += p->size;
        }
    }
    if (plan->exec.training) tg_plan_finish(plan);
    for (size_t i = 1; i < graph->count; i++)
        for (size_t j = 0; j < graph->nodes[i].param_count; j++) {
            const tg_param *p = &graph->nodes[i].params[j];
            if (!p->is_buffer) continue;
            memcpy(results + used, p->data, p->size * sizeof *results);
            used += p->size;
        }
    return used;
}

static tg_graph *open_graph(const tg_attrs *attrs) {
    tg_graph *graph;
    tg_error err;
    ASSERT_OK(tg_graph_create(tg_value_get(tg_attrs_root(attrs), "model"), &graph, &err));
    for (size_t i = 0; i < graph->count; i++) {
        tg_node *node = &graph->nodes[i];
        size_t size = node->op->prepare ? node->op->prepared_size(node, parts.kernels) : 0;
        node->prepared = aligned_alloc(64, (size * sizeof(tg_real) + 63) / 64 * 64);
        for (size_t j = 0; j < node->param_count; j++) {
            tg_param *p = &node->params[j];
            p->data = calloc(p->size, sizeof *p->data);
            if (p->trainable) p->gradient = calloc(p->size, sizeof *p->gradient);
        }
    }
    return graph;
}

static void close_graph(tg_graph *graph) {
    for (size_t i = 0; i < graph->count; i++) {
        free(graph->nodes[i].prepared);
        for (size_t j = 0; j < graph->nodes[i].param_count; j++) {
            free(graph->nodes[i].params[j].data);
            free(graph->nodes[i].params[j].gradient);
        }
    }
    tg_graph_destroy(graph);
}

static size_t unshared_bytes(const tg_graph *graph, bool training) {
    size_t bytes = 0;
    for (size_t i = 0; i < graph->count; i++) {
        const tg_node *node = &graph->nodes[i];
        size_t y = (N * tg_shape_size(&node->shape) * sizeof(tg_real) + 63) / 64 * 64;
        bytes += training && node->needs_gradient ? 2 * y : y;
        bytes += training ? (N * node->saved_bytes + 63) / 64 * 64 : 0;
        bytes += training ? (node->kept_size * sizeof(tg_real) + 63) / 64 * 64 : 0;
    }
    return bytes;
}

/* ---- the tests ----------------------------------------------------------------------------------------- */

static int begin(void **state) {
    (void)state;
    parts.kernels = tg_kernels_choose();
    return tg_pool_create(1, &parts.pool, NULL) == TG_OK ? 0 : -1;
}

static int end(void **state) {
    (void)state;
    tg_pool_destroy(parts.pool);
    return 0;
}

static void compare(uint64_t seed, bool training) {
    sketch s = {.rng = tg_rng_stream(seed, TG_RNG_TEST, 0, 0), .count = 1};
    size_t layers = 2 + tg_rng_below(&s.rng, MOST_LAYERS - 2);
    while (s.count <= layers) add_layer(&s);
    tg_attrs *attrs = attrs_from("{'model':{'input':[%d],'layers':[%s]}}", FEATURES, s.text);
    tg_graph *graph = open_graph(attrs);
    bool is_output[64] = {false};
    for (size_t i = 1; i < graph->count; i++)
        is_output[i] = tg_graph_consumers(graph, &graph->nodes[i]) == 0 || tg_rng_below(&s.rng, 6) == 0;
    tg_plan *planned, *unshared = unshared_plan(graph, training, is_output);
    tg_error err;
    ASSERT_OK(tg_plan_create(graph, parts, training, N, is_output, true, &planned, &err));
    static tg_real got[1 << 16], expected[1 << 16];
    size_t count = run_plan(unshared, is_output, expected);
    assert_int_equal(run_plan(planned, is_output, got), count);
    for (size_t i = 0; i < count; i++)
        if (got[i] != expected[i])
            fail_msg("graph %llu, value %zu of %zu: %s", (unsigned long long)seed, i, count, s.text);
    assert_true(planned->arena_bytes <= unshared_bytes(graph, training) + 64 * 1024); /* and scratch */
    tg_plan_destroy(planned);
    free_unshared(unshared);
    close_graph(graph);
    tg_attrs_destroy(attrs);
}

static void training_is_as_without_sharing(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) compare(seed, true);
}

static void inference_is_as_without_sharing(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) compare(seed, false);
}

/* 20 layers of 12 values in inference: two buffers are enough for any chain. */
static void a_chain_needs_two_buffers(void **state) {
    (void)state;
    char text[4096] = "";
    for (size_t i = 0, used = 0; i < 20; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s{'type':'global_avg_pool2d'}", i ? "," : "");
    tg_attrs *attrs = attrs_from("{'model':{'input':[1,1,12],'layers':[%s]}}", text);
    tg_graph *graph = open_graph(attrs);
    bool is_output[21] = {false};
    is_output[20] = true;
    tg_plan *inference, *training;
    tg_error err;
    ASSERT_OK(tg_plan_create(graph, parts, false, 16, is_output, true, &inference, &err));
    ASSERT_OK(tg_plan_create(graph, parts, true, 16, is_output, false, &training, &err));
    size_t one = 16 * 12 * sizeof(tg_real);
    assert_int_equal(inference->arena_bytes, 2 * one);
    assert_int_equal(training->arena_bytes, 2 * one); /* nothing trains, nobody keeps */
    tg_plan_destroy(inference);
    tg_plan_destroy(training);
    close_graph(graph);
    tg_attrs_destroy(attrs);
}

/* relu, reshape and flatten lie where their input lies; what is measured is what is allocated. */
static void in_place_costs_nothing(void **state) {
    (void)state;
    static const char *const models[] = {
        "{'type':'dense','units':64}",
        "{'type':'dense','units':64},{'type':'relu'},{'type':'reshape','shape':[1,8,8]},{'type':'flatten'}"};
    size_t bytes[2];
    for (size_t i = 0; i < 2; i++) {
        tg_attrs *attrs = attrs_from("{'model':{'input':[12],'layers':[%s]}}", models[i]);
        tg_graph *graph = open_graph(attrs);
        bool is_output[5] = {false};
        is_output[graph->count - 1] = true;
        tg_plan *measured, *allocated;
        tg_error err;
        ASSERT_OK(tg_plan_create(graph, parts, true, 16, is_output, false, &measured, &err));
        ASSERT_OK(tg_plan_create(graph, parts, true, 16, is_output, true, &allocated, &err));
        assert_int_equal(measured->arena_bytes, allocated->arena_bytes);
        assert_null(measured->arena);
        bytes[i] = allocated->arena_bytes;
        tg_plan_destroy(measured);
        tg_plan_destroy(allocated);
        close_graph(graph);
        tg_attrs_destroy(attrs);
    }
    assert_int_equal(bytes[0], bytes[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_is_as_without_sharing),
        cmocka_unit_test(inference_is_as_without_sharing),
        cmocka_unit_test(a_chain_needs_two_buffers),
        cmocka_unit_test(in_place_costs_nothing),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
