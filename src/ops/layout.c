#include "ops/layout.h"

static size_t area_of(const tg_shape *shape) {
    return shape->dim[1] * shape->dim[2];
}

bool tg_in_order(const tg_node *node) {
    const tg_shape *shape = &node->shape;
    return shape->rank != 3 || shape->dim[0] == 1 || area_of(shape) == 1 || node->planes;
}

size_t tg_place(const tg_node *node, size_t j) {
    if (tg_in_order(node)) return j;
    size_t area = area_of(&node->shape);
    return j % area * node->shape.dim[0] + j / area;
}

bool tg_lie_alike(const tg_node *a, const tg_node *b) {
    if (tg_in_order(a) || tg_in_order(b)) return tg_in_order(a) && tg_in_order(b);
    return a->shape.dim[0] == b->shape.dim[0];
}

typedef struct transposition {
    size_t rows, cols;
    const tg_real *x;
    tg_real *y;
    bool add;
} transposition;

static void transpose_sample(void *ctx, size_t sample, size_t thread) {
    (void)thread;
    const transposition *t = ctx;
    const tg_real *x = t->x + sample * t->rows * t->cols;
    tg_real *y = t->y + sample * t->rows * t->cols;
    for (size_t j = 0; j < t->cols; j++)
        for (size_t i = 0; i < t->rows; i++, y++) *y = (t->add ? *y : 0) + x[i * t->cols + j];
}

void tg_transpose(tg_pool *pool, size_t n, size_t rows, size_t cols, const tg_real *x, tg_real *y, bool add) {
    enum { SMALLEST_PARALLEL = 1 << 15 };
    transposition t = {rows, cols, x, y, add};
    if (n * rows * cols >= SMALLEST_PARALLEL) {
        tg_parallel_for(pool, n, transpose_sample, &t);
    } else {
        for (size_t i = 0; i < n; i++) transpose_sample(&t, i, 0);
    }
}
