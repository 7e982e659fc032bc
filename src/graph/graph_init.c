/* Initial weights. */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "base/memory.h"
#include "base/rng.h"
#include "graph/graph.h"

typedef struct scheme_attrs {
    double gain, mean, std, limit;
} scheme_attrs;

typedef enum draw { UNIFORM, NORMAL, SPECTRAL } draw;

typedef struct scheme {
    const char *name;
    const tg_attr *rows;
    size_t row_count;
    draw draw;
    double (*spread)(const scheme_attrs *a, const tg_param *p); /* half width, or deviation */
} scheme;

static const tg_attr gain_row[] = {
    {"gain", TG_ATTR_REAL, offsetof(scheme_attrs, gain), .max = 1e6, .fallback = 1},
};
static const tg_attr normal_rows[] = {
    {"mean", TG_ATTR_REAL, offsetof(scheme_attrs, mean), .min = -1e6, .max = 1e6},
    {"std", TG_ATTR_REAL, offsetof(scheme_attrs, std), .max = 1e6, .fallback = 0.01},
};
static const tg_attr limit_row[] = {
    {"limit", TG_ATTR_REAL, offsetof(scheme_attrs, limit), .max = 1e6, .fallback = 0.05},
};

static double xavier_uniform(const scheme_attrs *a, const tg_param *p) {
    return a->gain * sqrt(6.0 / ((double)p->fan_in + (double)p->fan_out));
}
static double xavier_normal(const scheme_attrs *a, const tg_param *p) {
    return a->gain * sqrt(2.0 / ((double)p->fan_in + (double)p->fan_out));
}
static double he_uniform(const scheme_attrs *a, const tg_param *p) {
    return a->gain * sqrt(6.0 / (double)p->fan_in);
}
static double he_normal(const scheme_attrs *a, const tg_param *p) {
    return a->gain * sqrt(2.0 / (double)p->fan_in);
}
static double normal(const scheme_attrs *a, const tg_param *p) {
    (void)p;
    return a->std;
}
static double uniform(const scheme_attrs *a, const tg_param *p) {
    (void)p;
    return a->limit;
}
static double one(const scheme_attrs *a, const tg_param *p) {
    (void)a, (void)p;
    return 1;
}
static double zeros(const scheme_attrs *a, const tg_param *p) {
    (void)a, (void)p;
    return 0;
}

static const scheme schemes[] = {
    {"xavier_uniform", gain_row, 1, UNIFORM, xavier_uniform},
    {"xavier_normal", gain_row, 1, NORMAL, xavier_normal},
    {"he_uniform", gain_row, 1, UNIFORM, he_uniform},
    {"he_normal", gain_row, 1, NORMAL, he_normal},
    {"xavier", gain_row, 1, UNIFORM, xavier_uniform},
    {"he", gain_row, 1, NORMAL, he_normal},
    {"normal", normal_rows, 2, NORMAL, normal},
    {"uniform", limit_row, 1, UNIFORM, uniform},
    {"spectral_normal", gain_row, 1, SPECTRAL, one},
    {"zeros", NULL, 0, UNIFORM, zeros},
};

/* "he_normal", or { "type": "normal", "std": 0.1 }. */
static tg_status read_scheme(const tg_value *value, const scheme **out, scheme_attrs *attrs, tg_error *err) {
    const char *name = "xavier_uniform";
    const tg_value *object = NULL;
    if (value && value->kind == TG_OBJECT) {
        object = value;
        const tg_value *type = tg_value_get(value, "type");
        TG_REQUIRE(err, type && type->kind == TG_STRING, TG_E_RECIPE, "type is missing");
        name = type->string;
    } else if (value) {
        TG_REQUIRE(err, value->kind == TG_STRING, TG_E_RECIPE, "must be a name or an object with a type");
        name = value->string;
    }
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (strcmp(schemes[i].name, name) != 0) continue;
        *out = &schemes[i];
        *attrs = (scheme_attrs){0};
        return tg_attrs_read(object, schemes[i].rows, schemes[i].row_count, "type", attrs, err);
    }
    return tg_fail(err, TG_E_RECIPE,
                   "unknown type \"%.40s\"; there are xavier_uniform, xavier_normal, he_uniform, he_normal, "
                   "normal, uniform, spectral_normal, zeros",
                   name);
}

tg_status tg_initializer_check(const tg_value *initializer, tg_error *err) {
    const scheme *found;
    scheme_attrs attrs;
    return read_scheme(initializer, &found, &attrs, err);
}

/* Largest singular value of w[rows, cols], by power iteration on w^T w: v := w^T (w v), normalised. */
static double spectral_norm(const tg_real *w, size_t rows, size_t cols, double *v) {
    enum { ROUNDS = 300 };
    double norm = 0;
    for (size_t j = 0; j < cols; j++) v[j] = 1 / sqrt((double)cols);
    for (int round = 0; round < ROUNDS; round++) {
        double *next = v + cols, squares = 0;
        for (size_t j = 0; j < cols; j++) next[j] = 0;
        for (size_t i = 0; i < rows; i++) {
            double dot = 0;
            for (size_t j = 0; j < cols; j++) dot += (double)w[i * cols + j] * v[j];
            for (size_t j = 0; j < cols; j++) next[j] += (double)w[i * cols + j] * dot;
        }
        for (size_t j = 0; j < cols; j++) squares += next[j] * next[j];
        norm = sqrt(squares); /* the largest eigenvalue of w^T w */
        for (size_t j = 0; j < cols; j++) v[j] = next[j] / norm;
    }
    return sqrt(norm);
}

static tg_status scale_to_spectral_norm(tg_param *p, double norm, tg_error *err) {
    size_t rows = p->shape.dim[0], cols = p->size / rows;
    double *v = tg_allocate(2 * cols * sizeof *v);
    TG_REQUIRE(err, v, TG_E_MEMORY, "no memory left for the spectral norm of %s", p->name);
    double scale = norm / spectral_norm(p->data, rows, cols, v);
    for (size_t k = 0; k < p->size; k++) p->data[k] = (tg_real)((double)p->data[k] * scale);
    tg_free(v);
    return TG_OK;
}

tg_status tg_graph_initialize(tg_graph *graph, uint64_t seed, tg_error *err) {
    tg_graph_changed(graph);
    uint32_t tensor = 0;
    for (size_t i = 0; i < graph->count; i++) {
        const tg_node *node = &graph->nodes[i];
        const scheme *found = NULL;
        scheme_attrs attrs;
        if (read_scheme(node->initializer, &found, &attrs, NULL) != TG_OK)
            continue; /* checked when the graph was built */
        for (size_t j = 0; j < node->param_count; j++, tensor++) {
            tg_param *p = &graph->nodes[i].params[j];
            if (!p->is_weight) {
                for (size_t k = 0; k < p->size; k++) p->data[k] = p->initial;
                continue;
            }
            tg_rng rng = tg_rng_stream(seed, TG_RNG_INIT, tensor, 0);
            double spread = found->spread(&attrs, p);
            for (size_t k = 0; k < p->size; k++) {
                double unit = found->draw != UNIFORM ? tg_rng_normal(&rng) : 2 * tg_rng_uniform(&rng) - 1;
                p->data[k] = (tg_real)(attrs.mean + spread * unit);
            }
            if (found->draw == SPECTRAL) TG_TRY(scale_to_spectral_norm(p, attrs.gain, err));
        }
    }
    return TG_OK;
}
