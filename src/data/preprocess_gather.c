/* Samples through the list, a batch at a time. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "data/preprocess_kinds.h"
#include "kernels/kernels.h"

/* ---- gathering ---------------------------------------------------------------------------------------- */

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static bool augments(const tg_augmenting *augmenting) {
    return augmenting && !tg_augment_empty(augmenting->augment);
}

typedef struct gathering {
    const tg_preprocess *preprocess;
    const tg_kernels *kernels;
    tg_dtype type;
    const void *pixels;
    const uint32_t *index;
    size_t n, per_piece;
    tg_real *x;
    tg_order order;
    const tg_augmenting *augmenting;
    bool known; /* remembered */
} gathering;

static size_t rows_to_remember(const tg_preprocess *preprocess) {
    return preprocess->memory.count * (preprocess->memory.copies ? 2 : 1);
}

static bool is_known(const tg_preprocess *preprocess, const void *pixels, const uint32_t *index,
                     const tg_augmenting *augmenting) {
    return preprocess->memory.rows && preprocess->memory.filled == rows_to_remember(preprocess) &&
           preprocess->memory.pixels == pixels && index &&
           (!augments(augmenting) || (augmenting->appended && preprocess->memory.copies));
}

/* Are planes, in which steps work, what is asked for? */
static bool wants_planes(const gathering *g) {
    size_t shape[3];
    tg_preprocess_shape(g->preprocess, shape);
    return g->order == TG_PLANES || shape[2] == 1 || shape[0] * shape[1] == 1;
}

static void hand_over(const gathering *g, const tg_real *planes, tg_real *x) {
    size_t shape[3];
    tg_preprocess_shape(g->preprocess, shape);
    size_t area = shape[0] * shape[1], channels = shape[2];
    if (wants_planes(g)) {
        memcpy(x, planes, area * channels * sizeof *x);
        return;
    }
    for (size_t c = 0; c < channels; c++, planes += area)
        for (size_t j = 0; j < area; j++) x[j * channels + c] = planes[j];
}

/* x = what came out for this entry of the index. */
static void recall(const gathering *g, uint32_t entry, size_t size, tg_real *x) {
    bool copy = g->augmenting && (entry & TG_TRANSFORMED);
    size_t row = copy ? g->preprocess->memory.count + (entry & ~TG_TRANSFORMED) : entry;
    hand_over(g, g->preprocess->memory.rows + row * size, x);
}

/* The values of one channel lie `step` apart: every one in a picture, `area` channels apart in planes. */
static tg_real *channel_of(const tg_preprocess *preprocess, tg_order order, tg_real *x, size_t c,
                           size_t *step) {
    *step = order == TG_PLANES ? 1 : preprocess->shape[2];
    return x + (order == TG_PLANES ? c * preprocess->shape[0] * preprocess->shape[1] : c);
}

/* x = the head of one sample [area, C] of bytes. */
static void gather_u8(const gathering *g, const uint8_t *sample, tg_order order, tg_real *x) {
    const tg_preprocess *preprocess = g->preprocess;
    size_t channels = preprocess->shape[2], area = preprocess->shape[0] * preprocess->shape[1];
    if (preprocess->linear && (order == TG_PICTURES || channels == 1 || area == 1)) {
        g->kernels->scale_u8(channels * area, sample, preprocess->high, preprocess->low, x);
        return;
    }
    if (preprocess->linear && channels == 3) {
        g->kernels->scale_rgb(area, sample, preprocess->high, preprocess->low, x);
        return;
    }
    for (size_t c = 0; c < channels; c++) {
        const tg_real *row = preprocess->table + c * TG_LEVELS;
        size_t step;
        tg_real *to = channel_of(preprocess, order, x, c, &step);
        if (channels == 1)
            for (size_t j = 0; j < area; j++) to[j] = row[sample[j]];
        else
            for (size_t j = 0; j < area; j++) to[j * step] = row[sample[j * channels + c]];
    }
}

static void gather_f32(const tg_preprocess *preprocess, const float *sample, tg_order order, tg_real *x) {
    enum { AT_ONCE = 256 };
    size_t channels = preprocess->shape[2], area = preprocess->shape[0] * preprocess->shape[1];
    for (size_t c = 0; c < channels; c++) {
        size_t step;
        tg_real *to = channel_of(preprocess, order, x, c, &step), part[AT_ONCE];
        for (size_t first = 0; first < area; first += AT_ONCE) {
            size_t count = area - first < AT_ONCE ? area - first : AT_ONCE;
            for (size_t j = 0; j < count; j++) part[j] = (tg_real)sample[(first + j) * channels + c];
            for (size_t s = 0; s < preprocess->head; s++)
                preprocess->steps[s].kind->values(&preprocess->steps[s], c, part, count);
            for (size_t j = 0; j < count; j++) to[(first + j) * step] = part[j];
        }
    }
}

/* x = the head of a sample, augmented before if its entry says so. */
static void gather_sample(const gathering *g, size_t i, size_t thread, tg_order order, tg_real *x) {
    const tg_preprocess *preprocess = g->preprocess;
    const tg_augmenting *augmenting = g->augmenting;
    uint32_t entry = g->index ? g->index[i] : 0, number = augmenting ? entry & ~TG_TRANSFORMED : entry;
    size_t from = (g->index ? number : i) * preprocess->size;
    bool transform = augments(augmenting) && (!augmenting->appended || (entry & TG_TRANSFORMED));
    if (transform) {
        float *sample = tg_augment_sample(augmenting->augment, thread);
        for (size_t j = 0; j < preprocess->size; j++)
            sample[j] = g->type == TG_U8 ? ((const uint8_t *)g->pixels)[from + j]
                                         : ((const float *)g->pixels)[from + j];
        tg_augment_apply(augmenting->augment, g->type, augmenting->seed,
                         augmenting->appended ? 0 : augmenting->epoch, number, thread);
        gather_f32(preprocess, sample, order, x);
    } else if (g->type == TG_U8) {
        gather_u8(g, (const uint8_t *)g->pixels + from, order, x);
    } else {
        gather_f32(preprocess, (const float *)g->pixels + from, order, x);
    }
}

/* The steps behind the head, on n samples; the result lies in the one or in the other half of the room, or at `last`, where
 * the last step may write at once; NULL: it may not. */
static const tg_real *run_steps(const tg_preprocess *preprocess, size_t n, tg_real *x, tg_real *y,
                                tg_real *work, tg_real *last) {
    for (size_t s = preprocess->head; s < preprocess->count; s++) {
        const tg_preprocess_step *self = &preprocess->steps[s];
        if (self->by_channel) {
            size_t area = self->in[0] * self->in[1];
            for (size_t plane = 0; plane < n * self->in[2]; plane++)
                self->kind->values(self, plane % self->in[2], x + plane * area, area);
            continue;
        }
        if (last && s + 1 == preprocess->count) y = last;
        self->kind->samples(self, n, x, y, work);
        tg_real *swap = x;
        x = y;
        y = swap;
    }
    return x;
}

/* Samples drawn at random lie anywhere in memory: touching all of their cache lines first, they are waited for together
 * instead of one after the other. */
static void fetch(const gathering *g, size_t first, size_t n) {
    size_t bytes = g->preprocess->size * (g->type == TG_U8 ? 1 : sizeof(float));
    for (size_t i = first; g->index && i < first + n; i++) {
        const volatile uint8_t *sample = (const uint8_t *)g->pixels + (g->index[i] & ~TG_TRANSFORMED) * bytes;
        for (size_t at = 0; at < bytes; at += TG_ALIGNMENT) (void)sample[at];
    }
}

static void gather_piece(void *ctx, size_t piece, size_t thread) {
    const gathering *g = ctx;
    const tg_preprocess *preprocess = g->preprocess;
    size_t first = piece * g->per_piece, n = smaller(g->n - first, g->per_piece);
    size_t size = tg_preprocess_size(preprocess);
    tg_real *x = g->x + first * size;
    if (!g->known) fetch(g, first, n);
    if (g->known) {
        for (size_t i = 0; i < n; i++) recall(g, g->index[first + i], size, x + i * size);
    } else if (preprocess->head == preprocess->count) {
        for (size_t i = 0; i < n; i++) gather_sample(g, first + i, thread, g->order, x + i * size);
    } else {
        size_t half = preprocess->group * preprocess->largest;
        tg_real *room = preprocess->room + thread * (2 * half + preprocess->work);
        for (size_t i = 0; i < n; i++)
            gather_sample(g, first + i, thread, TG_PLANES, room + i * preprocess->size);
        const tg_real *planes =
            run_steps(preprocess, n, room, room + half, room + 2 * half, wants_planes(g) ? x : NULL);
        for (size_t i = 0; i < n && planes != x; i++) hand_over(g, planes + i * size, x + i * size);
    }
}

static gathering begin(const tg_preprocess *preprocess, tg_dtype type, const void *pixels,
                       const uint32_t *index, size_t n, tg_order order, tg_real *x,
                       const tg_augmenting *augmenting) {
    assert(index || !augmenting); /* the entry names the random stream */
    return (gathering){.preprocess = preprocess,
                       .kernels = tg_kernels_choose(),
                       .type = type,
                       .pixels = pixels,
                       .index = index,
                       .n = n,
                       .x = x,
                       .order = order,
                       .augmenting = augmenting,
                       .known = is_known(preprocess, pixels, index, augmenting)};
}

/* In pieces that each fit into one thread's room; those without steps behind the head take some microseconds, more than
 * handing them out costs. */
static size_t cut(gathering *g, size_t threads) {
    const tg_preprocess *preprocess = g->preprocess;
    if (g->n == 0) return 0;
    g->per_piece = smaller(preprocess->group, (g->n - 1) / threads + 1);
    if (g->known || preprocess->head == preprocess->count)
        g->per_piece = 1 + 4096 / tg_preprocess_size(preprocess);
    return (g->n - 1) / g->per_piece + 1;
}

void tg_preprocess_gather(const tg_preprocess *preprocess, tg_pool *pool, tg_dtype type, const void *pixels,
                          const uint32_t *index, size_t n, tg_order order, tg_real *x,
                          const tg_augmenting *augmenting) {
    gathering g = begin(preprocess, type, pixels, index, n, order, x, augmenting);
    size_t pieces = cut(&g, tg_pool_threads(pool));
    tg_parallel_for(pool, pieces, gather_piece, &g);
}

void tg_preprocess_gather_on(const tg_preprocess *preprocess, size_t thread, tg_dtype type,
                             const void *pixels, const uint32_t *index, size_t n, tg_order order, tg_real *x,
                             const tg_augmenting *augmenting) {
    gathering g = begin(preprocess, type, pixels, index, n, order, x, augmenting);
    size_t pieces = cut(&g, 1);
    for (size_t i = 0; i < pieces; i++) gather_piece(&g, i, thread);
}

/* ---- remembering -------------------------------------------------------------------------------------- */

static bool has_costly_step(const tg_preprocess *preprocess) {
    for (size_t s = 0; s < preprocess->count; s++)
        if (preprocess->steps[s].kind->costly) return true;
    return false;
}

/* Room for what is to be remembered, where there is use and memory for it. */
static bool begin_remembering(tg_preprocess *preprocess, const tg_dataset *dataset,
                              const tg_augmenting *augmenting) {
    bool copies = augments(augmenting) && augmenting->appended;
    size_t bytes = 0;
    if (!has_costly_step(preprocess) || (augments(augmenting) && !copies)) return false;
    if (!tg_mul_size(dataset->count, (copies ? 2 : 1) * sizeof(tg_real), &bytes) ||
        !tg_mul_size(bytes, tg_preprocess_size(preprocess), &bytes))
        return false;
    preprocess->memory.rows = tg_allocate(bytes);
    preprocess->memory.pixels = dataset->pixels;
    preprocess->memory.count = dataset->count;
    preprocess->memory.copies = copies;
    preprocess->memory.filled = 0;
    return preprocess->memory.rows != NULL;
}

bool tg_preprocess_remember(tg_preprocess *preprocess, tg_pool *pool, const tg_dataset *dataset,
                            const tg_augmenting *augmenting) {
    enum { AT_ONCE = 256 };
    assert(tg_preprocess_fitted(preprocess));
    if (!preprocess->memory.rows && !begin_remembering(preprocess, dataset, augmenting)) return true;
    size_t filled = preprocess->memory.filled, count = dataset->count, size = tg_preprocess_size(preprocess);
    size_t copy = filled >= count, first = copy ? filled - count : filled;
    if (filled == rows_to_remember(preprocess)) return true;
    uint32_t index[AT_ONCE];
    size_t n = count - first < AT_ONCE ? count - first : AT_ONCE;
    for (size_t i = 0; i < n; i++) index[i] = (uint32_t)(first + i) | (copy ? TG_TRANSFORMED : 0);
    tg_preprocess_gather(preprocess, pool, dataset->type, dataset->pixels, index, n, TG_PLANES,
                         preprocess->memory.rows + filled * size, copy ? augmenting : NULL);
    preprocess->memory.filled += n;
    return preprocess->memory.filled == rows_to_remember(preprocess);
}
