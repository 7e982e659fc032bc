#include "data/eigen.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/gemm.h"

/* ---- all of them -------------------------------------------------------------------------------------- */

/* Householder (Golub and Van Loan, Matrix Computations, section 8.3.1): a = q t q', t tridiagonal with
 * diagonal d[n] and e[i] between d[i] and d[i + 1]. Each reflection 1 - beta v v' clears a column; v is left
 * in its row of a, beta in the diagonal. */
static void reflect_column(size_t n, size_t k, double *a, double *d, double *e, double *p) {
    double *v = a + k * n + k + 1, *rest = v + n, square = 0; /* rest[size, size] with row stride n */
    size_t size = n - k - 1;
    d[k] = a[k * n + k];
    for (size_t i = 1; i < size; i++) square += v[i] * v[i];
    double norm = sqrt(v[0] * v[0] + square), beta = 0, vp = 0;
    e[k] = v[0];
    if (square > 0) {
        e[k] = v[0] > 0 ? -norm : norm;
        v[0] -= e[k];
        beta = 2 / (v[0] * v[0] + square);
    }
    a[k * n + k] = beta;
    if (beta == 0) return;
    for (size_t i = 0; i < size; i++) {
        double sum = 0;
        for (size_t j = 0; j < size; j++) sum += rest[i * n + j] * v[j];
        p[i] = beta * sum;
        vp += v[i] * p[i];
    }
    for (size_t i = 0; i < size; i++) p[i] -= beta / 2 * vp * v[i];
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j < size; j++) rest[i * n + j] -= v[i] * p[j] + p[i] * v[j];
}

static void make_identity(size_t n, double *qt) {
    memset(qt, 0, n * n * sizeof *qt);
    for (size_t i = 0; i < n; i++) qt[i * n + i] = 1;
}

/* Rows of qt[n, n] become the columns of q: the last reflection first, for what lies above and left of it is still the
 * identity. */
static void apply_reflection(size_t n, size_t k, const double *a, double *qt) {
    const double *v = a + k * n + k + 1, beta = a[k * n + k];
    for (size_t i = k + 1; i < n; i++) {
        double *row = qt + i * n + k + 1, sum = 0;
        for (size_t j = 0; j < n - k - 1; j++) sum += row[j] * v[j];
        for (size_t j = 0; j < n - k - 1; j++) row[j] -= beta * sum * v[j];
    }
}

static void rotate_rows(size_t n, double c, double s, double *upper, double *lower) {
    for (size_t j = 0; j < n; j++) {
        double u = upper[j], l = lower[j];
        upper[j] = c * u - s * l;
        lower[j] = s * u + c * l;
    }
}

/* One implicit QL step with Wilkinson's shift on rows first..last of the tridiagonal matrix (Golub and Van
 * Loan, section 8.3.3; Dubrulle, Martin and Wilkinson 1968): plane rotations from the bottom up, applied to
 * the rows of z as well. */
static void ql_step(size_t n, size_t first, size_t last, double *d, double *e, double *z) {
    double g = (d[first + 1] - d[first]) / (2 * e[first]), r = sqrt(g * g + 1);
    g = d[last] - d[first] + e[first] / (g + (g < 0 ? -r : r));
    double s = 1, c = 1, p = 0;
    for (size_t i = last; i-- > first;) {
        double f = s * e[i], b = c * e[i];
        r = sqrt(f * f + g * g);
        e[i + 1] = r;
        if (r == 0) { /* it has fallen apart here */
            d[i + 1] -= p;
            e[last] = 0;
            return;
        }
        s = f / r;
        c = g / r;
        g = d[i + 1] - p;
        r = (d[i] - g) * s + 2 * c * b;
        p = s * r;
        d[i + 1] = g + p;
        g = c * r - b;
        rotate_rows(n, c, s, z + i * n, z + (i + 1) * n);
    }
    d[first] -= p;
    e[first] = g;
    e[last] = 0;
}

enum { MOST_STEPS = 60 /* for one value; two are usual */ };

/* One step on the part of the matrix that begins at `first`; true where that value is found. */
static bool find_value(const tg_eigen *eigen, size_t first) {
    const double *d = eigen->d, *e = eigen->e;
    size_t last = first;
    while (last + 1 < eigen->n && fabs(e[last]) > 0x1p-52 * (fabs(d[last]) + fabs(d[last + 1]))) last++;
    if (last == first) return true;
    ql_step(eigen->n, first, last, eigen->d, eigen->e, eigen->vectors);
    return false;
}

/* The largest first; of equal ones the first. */
static void sort_values(tg_eigen *eigen) {
    size_t n = eigen->n;
    memcpy(eigen->a, eigen->vectors, n * n * sizeof *eigen->a);
    for (size_t i = 0; i < n; i++) {
        size_t best = 0;
        for (size_t j = 1; j < n; j++)
            if (eigen->d[j] > eigen->d[best]) best = j;
        eigen->values[i] = eigen->d[best];
        memcpy(eigen->vectors + i * n, eigen->a + best * n, n * sizeof *eigen->a);
        eigen->d[best] = -INFINITY;
    }
}

enum { REFLECT, ACCUMULATE, DIAGONALISE, SORT };

void tg_eigen_begin(tg_eigen *eigen, size_t n, double *a, double *values, double *vectors, double *work) {
    *eigen = (tg_eigen){.n = n, .a = a, .values = values, .vectors = vectors, .d = work, .e = work + n};
}

static void next_stage(tg_eigen *eigen) {
    eigen->stage++;
    eigen->at = eigen->steps = 0;
}

bool tg_eigen_advance(tg_eigen *eigen) {
    size_t n = eigen->n;
    switch (eigen->stage) {
    case REFLECT:
        if (eigen->at + 1 < n) {
            /* vectors is room until it is needed */
            reflect_column(n, eigen->at++, eigen->a, eigen->d, eigen->e, eigen->vectors);
            return false;
        }
        eigen->d[n - 1] = eigen->a[n * n - 1];
        eigen->e[n - 1] = 0;
        make_identity(n, eigen->vectors);
        next_stage(eigen);
        return false;
    case ACCUMULATE:
        if (++eigen->at < n) apply_reflection(n, n - 1 - eigen->at, eigen->a, eigen->vectors);
        else next_stage(eigen);
        return false;
    case DIAGONALISE:
        if (eigen->at == n) {
            next_stage(eigen);
        } else if (eigen->steps++ == MOST_STEPS || find_value(eigen, eigen->at)) {
            eigen->at++;
            eigen->steps = 0;
        }
        return false;
    default: sort_values(eigen); return true;
    }
}

void tg_eigen_all(size_t n, double *a, double *values, double *vectors, double *work) {
    tg_eigen eigen;
    tg_eigen_begin(&eigen, n, a, values, vectors, work);
    while (!tg_eigen_advance(&eigen)) {}
}

/* ---- the leading ones --------------------------------------------------------------------------------- */

struct tg_subspace {
    tg_pool *pool;
    const tg_kernels *kernels;
    size_t n, size, count;
    const tg_real *c;  /* [n, n] */
    double *values;    /* [count] */
    tg_real *vectors;  /* [count, n] */
    tg_real *q, *next; /* [size, n]: a basis, by rows */
    tg_real *products; /* [size, size] */
    tg_real *scratch;
    double *small, *w, *all; /* [size, size] twice, [size] */
    tg_eigen eigen;          /* of small */
    tg_rng rng;
    int stage;
    size_t round, at; /* rows done of the stage */
};

/* A basis a quarter larger than asked for: the part beyond is what makes the rest converge. */
static size_t basis_size(size_t n, size_t count) {
    size_t more = count / 4 > 16 ? count / 4 : 16;
    return n - count < more ? n : count + more;
}

/* The larger of the products: basis by matrix, basis by basis. */
static size_t scratch_size(size_t n, size_t size) {
    size_t a = tg_gemm_scratch(size, n, n, TG_MAX_THREADS),
           b = tg_gemm_scratch(size, size, n, TG_MAX_THREADS);
    size_t c = tg_gemm_scratch(size, n, size, TG_MAX_THREADS);
    a = a > b ? a : b;
    return a > c ? a : c;
}

static void multiply(const tg_subspace *s, const tg_gemm *gemm) {
    tg_gemm_parallel(s->kernels, s->pool, gemm, s->scratch);
}

static double dot(size_t n, const tg_real *x, const tg_real *y) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)y[i];
    return sum;
}

static void draw_row(tg_subspace *s, tg_real *row) {
    for (size_t j = 0; j < s->n; j++) row[j] = (tg_real)((double)tg_rng_u32(&s->rng) * 0x1p-31 - 1);
}

enum { PANEL = 32 };

/* Gram and Schmidt on rows first..first+rows, all before them being orthonormal. */
static void orthonormalise_panel(tg_subspace *s, size_t first, size_t rows) {
    size_t n = s->n;
    tg_real *panel = s->q + first * n;
    if (first > 0) { /* panel -= (panel q') q */
        multiply(s, &(tg_gemm){.m = rows,
                               .n = first,
                               .k = n,
                               .a = {panel, n, 1},
                               .b = {s->q, 1, n},
                               .c = s->products,
                               .ldc = first});
        for (size_t i = 0; i < rows * first; i++) s->products[i] = -s->products[i];
        multiply(s, &(tg_gemm){.m = rows,
                               .n = n,
                               .k = first,
                               .a = {s->products, first, 1},
                               .b = {s->q, n, 1},
                               .c = panel,
                               .ldc = n,
                               .accumulate = true});
    }
    for (size_t i = 0; i < rows; i++) {
        tg_real *row = panel + i * n;
        for (size_t k = 0; k < i; k++) {
            tg_real along = (tg_real)dot(n, panel + k * n, row);
            for (size_t j = 0; j < n; j++) row[j] -= along * panel[k * n + j];
        }
        double square = dot(n, row, row);
        if (!(square > 0)) { /* there is no further direction: any will do */
            draw_row(s, row);
            square = dot(n, row, row);
        }
        tg_real factor = (tg_real)(1 / sqrt(square));
        for (size_t j = 0; j < n; j++) row[j] *= factor;
    }
}

/* Rows at..at+PART of a product at most; true where these were the last. */
static bool multiply_part(tg_subspace *s, tg_gemm gemm) {
    enum { PART = 64 };
    size_t rows = gemm.m - s->at < PART ? gemm.m - s->at : PART, all = gemm.m;
    gemm.a.data += s->at * gemm.a.row_stride;
    gemm.c += s->at * gemm.ldc;
    gemm.m = rows;
    multiply(s, &gemm);
    s->at += rows;
    return s->at == all;
}

/* The next panel, and once more for what rounding has left over: twice is enough (Giraud, Langou and Rozloznik 2005). */
static bool orthonormalise_part(tg_subspace *s) {
    size_t rows = s->size - s->at < PANEL ? s->size - s->at : PANEL;
    orthonormalise_panel(s, s->at, rows);
    orthonormalise_panel(s, s->at, rows);
    s->at += rows;
    return s->at == s->size;
}

/* next = q c */
static bool apply_part(tg_subspace *s) {
    return multiply_part(s, (tg_gemm){.m = s->size,
                                      .n = s->n,
                                      .k = s->n,
                                      .a = {s->q, s->n, 1},
                                      .b = {s->c, s->n, 1},
                                      .c = s->next,
                                      .ldc = s->n});
}

/* products = q c q', which is small */
static bool project_part(tg_subspace *s) {
    return multiply_part(s, (tg_gemm){.m = s->size,
                                      .n = s->size,
                                      .k = s->n,
                                      .a = {s->next, s->n, 1},
                                      .b = {s->q, 1, s->n},
                                      .c = s->products,
                                      .ldc = s->size});
}

static void begin_small(tg_subspace *s) {
    size_t size = s->size;
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j < size; j++)
            s->small[i * size + j] =
                ((double)s->products[i * size + j] + (double)s->products[j * size + i]) / 2;
    tg_eigen_begin(&s->eigen, size, s->small, s->all, s->w, s->all + size);
}

static void take_small(tg_subspace *s) {
    memcpy(s->values, s->all, s->count * sizeof *s->values);
    for (size_t i = 0; i < s->count * s->size; i++) s->products[i] = (tg_real)s->w[i];
}

/* vectors = w q */
static bool combine_part(tg_subspace *s) {
    return multiply_part(s, (tg_gemm){.m = s->count,
                                      .n = s->n,
                                      .k = s->size,
                                      .a = {s->products, s->size, 1},
                                      .b = {s->q, s->n, 1},
                                      .c = s->vectors,
                                      .ldc = s->n});
}

enum { ROUNDS = 12 };
enum { DRAW, ORTHONORMALISE, APPLY, PROJECT, DECOMPOSE, COMBINE };

static void go_to(tg_subspace *s, int stage) {
    s->stage = stage;
    s->at = 0;
}

/* Every round makes what belongs to larger eigenvalues longer (Halko, Martinsson and Tropp 2011, algorithm 4.4); then
 * the eigenvectors of the small matrix q c q' tell how to combine the basis (Rayleigh and Ritz). */
bool tg_subspace_advance(tg_subspace *s) {
    switch (s->stage) {
    case DRAW:
        for (size_t i = 0; i < s->size; i++) draw_row(s, s->q + i * s->n);
        go_to(s, ORTHONORMALISE);
        return false;
    case ORTHONORMALISE:
        if (orthonormalise_part(s)) go_to(s, APPLY);
        return false;
    case APPLY:
        if (!apply_part(s)) return false;
        if (s->round++ < ROUNDS) {
            tg_real *swap = s->q;
            s->q = s->next;
            s->next = swap;
            go_to(s, ORTHONORMALISE);
        } else {
            go_to(s, PROJECT);
        }
        return false;
    case PROJECT:
        if (!project_part(s)) return false;
        begin_small(s);
        go_to(s, DECOMPOSE);
        return false;
    case DECOMPOSE:
        if (!tg_eigen_advance(&s->eigen)) return false;
        take_small(s);
        go_to(s, COMBINE);
        return false;
    default: return combine_part(s);
    }
}

tg_status tg_subspace_create(tg_pool *pool, size_t n, const tg_real *c, size_t count, double *values,
                             tg_real *vectors, tg_subspace **out, tg_error *err) {
    size_t size = basis_size(n, count);
    void *block = NULL;
    for (int round = 0; round < 2; round++) {
        tg_arena arena = {.base = block};
        tg_subspace *s = tg_arena_take(&arena, 1, sizeof *s);
        tg_real *q = tg_arena_take(&arena, size * n, sizeof *q);
        tg_real *next = tg_arena_take(&arena, size * n, sizeof *next);
        tg_real *products = tg_arena_take(&arena, size * size, sizeof *products);
        tg_real *scratch = tg_arena_take(&arena, scratch_size(n, size), sizeof *scratch);
        double *room = tg_arena_take(&arena, 2 * size * size + 3 * size, sizeof *room);
        if (round == 1) {
            *s = (tg_subspace){.pool = pool,
                               .kernels = tg_kernels_choose(),
                               .n = n,
                               .size = size,
                               .count = count,
                               .c = c,
                               .values = values,
                               .vectors = vectors,
                               .q = q,
                               .next = next,
                               .products = products,
                               .scratch = scratch,
                               .small = room,
                               .w = room + size * size,
                               .all = room + 2 * size * size,
                               .rng = tg_rng_stream(0, TG_RNG_INIT, UINT32_MAX, UINT32_MAX)};
            *out = s;
            break;
        }
        block = arena.overflow ? NULL : tg_allocate(arena.used);
        TG_REQUIRE(err, block, TG_E_MEMORY, "no memory is left for %zu components of %zu values; use fewer",
                   count, n);
    }
    return TG_OK;
}

void tg_subspace_destroy(tg_subspace *subspace) {
    tg_free(subspace);
}

tg_status tg_eigen_leading(tg_pool *pool, size_t n, const tg_real *c, size_t count, double *values,
                           tg_real *vectors, tg_error *err) {
    tg_subspace *subspace;
    TG_TRY(tg_subspace_create(pool, n, c, count, values, vectors, &subspace, err));
    while (!tg_subspace_advance(subspace)) {}
    tg_subspace_destroy(subspace);
    return TG_OK;
}
