#include "data/eigen.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"
#include "kernels/gemm.h"

/* ---- all of them -------------------------------------------------------------------------------------- */

/* Householder (Golub and Van Loan, Matrix Computations, section 8.3.1): a = q t q', t tridiagonal with
 * diagonal d[n] and e[i] between d[i] and d[i + 1]. Each reflection 1 - beta v v' clears a column; v is left
 * in its row of a, beta in the diagonal. Rows of qt[n, n] become the columns of q. */
static void tridiagonalise(size_t n, double *a, double *d, double *e, double *qt) {
    for (size_t k = 0; k + 1 < n; k++) {
        double *v = a + k * n + k + 1, *rest = v + n, square = 0; /* rest[size, size] with row stride n */
        size_t size = n - k - 1;
        d[k] = a[k * n + k];
        for (size_t i = 1; i < size; i++) square += v[i] * v[i];
        double norm = sqrt(v[0] * v[0] + square), beta = 0;
        e[k] = v[0];
        if (square > 0) {
            e[k] = v[0] > 0 ? -norm : norm;
            v[0] -= e[k];
            beta = 2 / (v[0] * v[0] + square);
        }
        a[k * n + k] = beta;
        if (beta == 0) continue;
        double *p = qt, vp = 0; /* room until qt is needed */
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
    d[n - 1] = a[n * n - 1];
    e[n - 1] = 0;
    memset(qt, 0, n * n * sizeof *qt);
    for (size_t i = 0; i < n; i++) qt[i * n + i] = 1;
    for (size_t k = n - 1;
         k-- > 0;) { /* the last first: what lies above and left of it is still the identity */
        const double *v = a + k * n + k + 1, beta = a[k * n + k];
        for (size_t i = k + 1; i < n; i++) {
            double *row = qt + i * n + k + 1, sum = 0;
            for (size_t j = 0; j < n - k - 1; j++) sum += row[j] * v[j];
            for (size_t j = 0; j < n - k - 1; j++) row[j] -= beta * sum * v[j];
        }
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

static void diagonalise(size_t n, double *d, double *e, double *z) {
    for (size_t first = 0; first < n; first++)
        for (size_t steps = 0; steps < MOST_STEPS; steps++) {
            size_t last = first;
            while (last + 1 < n && fabs(e[last]) > 0x1p-52 * (fabs(d[last]) + fabs(d[last + 1]))) last++;
            if (last == first) break;
            ql_step(n, first, last, d, e, z);
        }
}

void tg_eigen_all(size_t n, double *a, double *values, double *vectors, double *work) {
    tridiagonalise(n, a, work, work + n, vectors);
    diagonalise(n, work, work + n, vectors);
    memcpy(a, vectors, n * n * sizeof *a);
    for (size_t i = 0; i < n; i++) { /* the largest first; of equal ones the first */
        size_t best = 0;
        for (size_t j = 1; j < n; j++)
            if (work[j] > work[best]) best = j;
        values[i] = work[best];
        memcpy(vectors + i * n, a + best * n, n * sizeof *a);
        work[best] = -INFINITY;
    }
}

/* ---- the leading ones --------------------------------------------------------------------------------- */

typedef struct subspace {
    tg_pool *pool;
    const tg_kernels *kernels;
    size_t n, size;
    tg_real *q, *next; /* [size, n]: a basis, by rows */
    tg_real *products; /* [size, size] */
    tg_real *scratch;
    tg_rng rng;
} subspace;

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

static void multiply(const subspace *s, const tg_gemm *gemm) {
    if (s->pool) tg_gemm_parallel(s->kernels, s->pool, gemm, s->scratch);
    else tg_gemm_serial(s->kernels, gemm, s->scratch);
}

static double dot(size_t n, const tg_real *x, const tg_real *y) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)y[i];
    return sum;
}

static void draw_row(subspace *s, tg_real *row) {
    for (size_t j = 0; j < s->n; j++) row[j] = (tg_real)((double)tg_rng_u32(&s->rng) * 0x1p-31 - 1);
}

enum { PANEL = 32 };

/* Gram and Schmidt on rows first..first+rows, all before them being orthonormal. */
static void orthonormalise_panel(subspace *s, size_t first, size_t rows) {
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

/* Once more for what rounding has left over: twice is enough (Giraud, Langou and Rozloznik 2005). */
static void orthonormalise(subspace *s) {
    for (size_t first = 0; first < s->size; first += PANEL) {
        size_t rows = s->size - first < PANEL ? s->size - first : PANEL;
        orthonormalise_panel(s, first, rows);
        orthonormalise_panel(s, first, rows);
    }
}

/* next = q c */
static void apply(subspace *s, const tg_real *c) {
    multiply(s, &(tg_gemm){.m = s->size,
                           .n = s->n,
                           .k = s->n,
                           .a = {s->q, s->n, 1},
                           .b = {c, s->n, 1},
                           .c = s->next,
                           .ldc = s->n});
}

enum { ROUNDS = 12 };

/* Every round makes what belongs to larger eigenvalues longer (Halko, Martinsson and Tropp 2011,
 * algorithm 4.4). */
static void iterate(subspace *s, const tg_real *c) {
    for (size_t i = 0; i < s->size; i++) draw_row(s, s->q + i * s->n);
    orthonormalise(s);
    for (size_t round = 0; round < ROUNDS; round++) {
        apply(s, c);
        tg_real *swap = s->q;
        s->q = s->next;
        s->next = swap;
        orthonormalise(s);
    }
}

/* Rayleigh and Ritz: the eigenvectors w of the small matrix q c q' tell how to combine the basis. */
static void combine(subspace *s, const tg_real *c, double *room, size_t count, double *values,
                    tg_real *vectors) {
    size_t n = s->n, size = s->size;
    double *small = room, *w = small + size * size, *all = w + size * size, *work = all + size;
    apply(s, c);
    multiply(s, &(tg_gemm){.m = size,
                           .n = size,
                           .k = n,
                           .a = {s->next, n, 1},
                           .b = {s->q, 1, n},
                           .c = s->products,
                           .ldc = size});
    for (size_t i = 0; i < size; i++)
        for (size_t j = 0; j < size; j++)
            small[i * size + j] = ((double)s->products[i * size + j] + (double)s->products[j * size + i]) / 2;
    tg_eigen_all(size, small, all, w, work);
    memcpy(values, all, count * sizeof *values);
    for (size_t i = 0; i < count * size; i++) s->products[i] = (tg_real)w[i];
    multiply(s, &(tg_gemm){.m = count,
                           .n = n,
                           .k = size,
                           .a = {s->products, size, 1},
                           .b = {s->q, n, 1},
                           .c = vectors,
                           .ldc = n});
}

tg_status tg_eigen_leading(tg_pool *pool, size_t n, const tg_real *c, size_t count, double *values,
                           tg_real *vectors, tg_error *err) {
    size_t size = basis_size(n, count);
    subspace s = {.pool = pool,
                  .kernels = tg_kernels_choose(),
                  .n = n,
                  .size = size,
                  .rng = tg_rng_stream(0, TG_RNG_INIT, UINT32_MAX, UINT32_MAX)};
    void *block = NULL;
    for (int round = 0; round < 2; round++) {
        tg_arena arena = {.base = block};
        s.q = tg_arena_take(&arena, size * n, sizeof *s.q);
        s.next = tg_arena_take(&arena, size * n, sizeof *s.next);
        s.products = tg_arena_take(&arena, size * size, sizeof *s.products);
        s.scratch = tg_arena_take(&arena, scratch_size(n, size), sizeof *s.scratch);
        double *room = tg_arena_take(&arena, 2 * size * size + 3 * size, sizeof *room);
        if (round == 1) {
            iterate(&s, c);
            combine(&s, c, room, count, values, vectors);
            break;
        }
        block = arena.overflow ? NULL : tg_allocate(arena.used);
        TG_REQUIRE(err, block, TG_E_MEMORY, "no memory is left for %zu components of %zu values; use fewer",
                   count, n);
    }
    tg_free(block);
    return TG_OK;
}
