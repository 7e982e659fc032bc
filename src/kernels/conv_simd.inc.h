/* Convolution's part of a kernel table: register tiles of TG_CONV_MR (or one less) positions or taps by TG_CONV_NV vectors
 * of filters. One operand is broadcast from where it lies, the other loaded as vectors, the sums stay in registers. */

enum {
    CONV_MR = TG_CONV_MR,
    CONV_NV = TG_CONV_NV,
    CONV_NR = CONV_NV * TG_LANES,
    CONV_HALF = (CONV_NV + 1) / 2 * TG_LANES,
};

/* How many tiles of CONV_MR or CONV_MR - 1 cover `count`, the last of them perhaps overlapping the one before. */
static inline size_t conv_tiles(size_t count) {
    return (count + CONV_MR - 1) / CONV_MR;
}

/* ---- forward: positions by filters ---------------------------------------------------------------------------- */

__attribute__((always_inline)) static inline void
convolve_tap(const float *const *x, size_t k, const float *w, vf sum[][TG_CONV_NV], int rows, int vectors) {
    vf row[TG_CONV_NV];
#pragma GCC unroll 4
    for (int j = 0; j < vectors; j++) row[j] = load(w + j * TG_LANES);
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        vf factor = set1(x[i][k]);
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) sum[i][j] = multiply_add(factor, row[j], sum[i][j]);
    }
}

__attribute__((always_inline)) static inline void convolve_tile(const tg_convolve *c, const size_t *position,
                                                                float *y, int rows, int vectors) {
    static const float none[CONV_NR] = {0};
    const float *start = c->accumulate ? y : c->start ? c->start : none;
    size_t ldy = c->ldy, start_row = c->accumulate ? ldy : 0;
    vf sum[TG_CONV_MR][TG_CONV_NV];
    const float *x[TG_CONV_MR];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++, start += start_row) {
        x[i] = c->x + position[i];
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) sum[i][j] = load(start + j * TG_LANES);
    }
    const float *w = c->w;
    size_t length = c->taps.length;
    for (const size_t *offset = c->taps.offset, *end = offset + c->taps.runs; offset != end; offset++) {
        const float *at[TG_CONV_MR];
#pragma GCC unroll 16
        for (int i = 0; i < rows; i++) at[i] = x[i] + *offset;
        for (size_t left = length; left > 0;) {
#pragma GCC unroll 4
            for (size_t t = 0; t < TERMS_AT_ONCE; t++) {
                convolve_tap(at, t, w, sum, rows, vectors);
                w += CONV_NR;
                if (--left == 0) break;
            }
#pragma GCC unroll 16
            for (int i = 0; i < rows; i++) at[i] += TERMS_AT_ONCE;
        }
    }
    bool rectified = c->rectified;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++, y += ldy) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++)
            store(y + j * TG_LANES, rectified ? larger_of(sum[i][j], (vf){0}) : sum[i][j]);
    }
}

__attribute__((always_inline)) static inline void convolve_tiles(const tg_convolve *c, int vectors) {
    size_t tiles = conv_tiles(c->count), more = c->count - tiles * (CONV_MR - 1);
    const size_t *position = c->position;
    float *y = c->y;
    for (size_t t = 0, rows; t < tiles; t++, position += rows, y += rows * c->ldy) {
        rows = t < more ? CONV_MR : CONV_MR - 1;
        if (t < more) convolve_tile(c, position, y, CONV_MR, vectors);
        else convolve_tile(c, position, y, CONV_MR - 1, vectors);
    }
}

static void convolve_whole(const tg_convolve *c) {
    convolve_tiles(c, CONV_NV);
}

static void convolve_half(const tg_convolve *c) {
    convolve_tiles(c, CONV_HALF / TG_LANES);
}

/* Fewer positions than the smaller tile has, or columns that are no whole vectors: by way of a tile of its own. */
static void convolve_edge(const tg_convolve *c, size_t first, size_t rows) {
    float edge[CONV_MR * CONV_NR];
    size_t position[CONV_MR];
    tg_convolve tile = *c;
    tile.position = position, tile.count = CONV_MR, tile.y = edge, tile.ldy = CONV_NR;
    for (size_t i = 0; i < CONV_MR; i++) position[i] = c->position[first + (i < rows ? i : rows - 1)];
    float *y = c->y + first * c->ldy;
    for (size_t i = 0; c->accumulate && i < CONV_MR; i++)
        for (size_t j = 0; j < CONV_NR; j++)
            edge[i * CONV_NR + j] = i < rows && j < c->cols ? y[i * c->ldy + j] : 0;
    (c->cols > CONV_HALF ? convolve_whole : convolve_half)(&tile);
    for (size_t i = 0; i < rows; i++) memcpy(y + i * c->ldy, edge + i * CONV_NR, c->cols * sizeof *y);
}

static void convolve(const tg_convolve *c) {
    bool whole = c->cols == CONV_NR || c->cols == CONV_HALF;
    /* So many can be had from tiles of both sizes; the others go one by one. */
    size_t tiles = conv_tiles(c->count), even = tiles * (CONV_MR - 1);
    if (whole && even <= c->count) {
        (c->cols == CONV_NR ? convolve_whole : convolve_half)(c);
        return;
    }
    for (size_t p = 0; p < c->count; p += CONV_MR)
        convolve_edge(c, p, c->count - p < CONV_MR ? c->count - p : CONV_MR);
}

/* ---- weight gradient: taps by filters ---------------------------------------------------------------------------- */

/* with_sum: the tile has one tap less, and dy alone is summed in its place. neighbours: the taps lie side by side. */
__attribute__((always_inline)) static inline void correlate_tile(const tg_correlate *c, const size_t *tap,
                                                                 float *dw, int taps, int vectors,
                                                                 bool with_sum, bool neighbours) {
    vf sum[TG_CONV_MR][TG_CONV_NV];
#pragma GCC unroll 16
    for (int i = 0; i < taps + with_sum; i++) {
        const float *from = i < taps ? dw + i * CONV_NR : c->sum;
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) sum[i][j] = load(from + j * TG_LANES);
    }
    size_t x_step = c->x_step, dy_step = c->dy_step, place[TG_CONV_MR];
#pragma GCC unroll 16
    for (int i = 0; i < taps; i++) place[i] = neighbours ? tap[0] + (size_t)i : tap[i];
    for (size_t r = 0; r < c->rows; r++) {
        const float *x = c->x + r * c->x_row, *dy = c->dy + r * c->dy_row;
        for (const float *end = dy + c->cols * dy_step; dy != end; dy += dy_step, x += x_step) {
            vf row[TG_CONV_NV];
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++) row[j] = load(dy + j * TG_LANES);
#pragma GCC unroll 16
            for (int i = 0; i < taps; i++) {
                vf factor = set1(x[place[i]]);
#pragma GCC unroll 4
                for (int j = 0; j < vectors; j++) sum[i][j] = multiply_add(factor, row[j], sum[i][j]);
            }
#pragma GCC unroll 4
            for (int j = 0; with_sum && j < vectors; j++) sum[taps][j] += row[j];
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < taps + with_sum; i++) {
        float *to = i < taps ? dw + i * CONV_NR : c->sum;
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) store(to + j * TG_LANES, sum[i][j]);
    }
}

static void correlate(const tg_correlate *c);

/* Some taps less than a tile has. */
static void correlate_edge(const tg_correlate *c, size_t first, size_t taps) {
    float edge[CONV_MR * CONV_NR] = {0};
    size_t tap[CONV_MR];
    tg_correlate tile = *c;
    tile.tap = tap, tile.count = CONV_MR, tile.dw = edge, tile.sum = NULL;
    for (size_t i = 0; i < CONV_MR; i++) tap[i] = c->tap[first + (i < taps ? i : taps - 1)];
    memcpy(edge, c->dw + first * CONV_NR, taps * CONV_NR * sizeof *edge);
    correlate(&tile);
    memcpy(c->dw + first * CONV_NR, edge, taps * CONV_NR * sizeof *edge);
}

static bool are_neighbours(const size_t *tap, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (tap[i] != tap[0] + i) return false;
    return true;
}

__attribute__((always_inline)) static inline void correlate_tiles(const tg_correlate *c, int vectors) {
    const size_t *tap = c->tap, *end = tap + c->count;
    float *dw = c->dw;
    if (c->sum && c->count >= CONV_MR - 1) {
        correlate_tile(c, tap, dw, CONV_MR - 1, vectors, true, false);
        tap += CONV_MR - 1, dw += (CONV_MR - 1) * CONV_NR;
    } else if (c->sum) {
        correlate_tile(c, tap, dw, 0, vectors, true, false);
    }
    while (tap != end) {
        size_t left = (size_t)(end - tap), small = conv_tiles(left) * (CONV_MR - 1);
        if (small > left) break;
        size_t taps = small < left ? CONV_MR : CONV_MR - 1;
        if (taps == CONV_MR) correlate_tile(c, tap, dw, CONV_MR, vectors, false, false);
        else if (are_neighbours(tap, taps)) correlate_tile(c, tap, dw, CONV_MR - 1, vectors, false, true);
        else correlate_tile(c, tap, dw, CONV_MR - 1, vectors, false, false);
        tap += taps, dw += taps * CONV_NR;
    }
    for (size_t taps; tap != end; tap += taps) {
        taps = (size_t)(end - tap) < CONV_MR ? (size_t)(end - tap) : CONV_MR;
        correlate_edge(c, (size_t)(tap - c->tap), taps);
    }
}

static void correlate_whole(const tg_correlate *c) {
    correlate_tiles(c, CONV_NV);
}

static void correlate_half(const tg_correlate *c) {
    correlate_tiles(c, CONV_HALF / TG_LANES);
}

static void correlate(const tg_correlate *c) {
    (c->width > CONV_HALF ? correlate_whole : correlate_half)(c);
}

/* ---- pooling ------------------------------------------------------------------------------------------------------ */

static inline vi load_places(const uint32_t *from, size_t n) {
    vi v = {0};
    if (n >= TG_LANES) memcpy(&v, from, sizeof v);
    else memcpy(&v, from, n * sizeof *from);
    return v;
}

static inline void store_places(uint32_t *to, vi v, size_t n) {
    if (n >= TG_LANES) memcpy(to, &v, sizeof v);
    else memcpy(to, &v, n * sizeof *to);
}

static void max_windows_of_any(const tg_windows *w, const float *x, float *y, uint32_t *place) {
    size_t n = w->channels;
    for (size_t r = 0; r < w->count; r++, x += w->step, y += n, place += place ? n : 0) {
        for (size_t i = 0; i < n; i += TG_LANES) {
            size_t left = n - i;
            vf most = load_first(x + w->offset[0] + i, left);
            vi at = {0};
            for (size_t t = 1; t < w->taps; t++) {
                vf v = load_first(x + w->offset[t] + i, left);
                vi larger = (v > most) | (v != v);
                most = select(larger, v, most);
                at = (at & ~larger) | (larger & (int32_t)t);
            }
            store_first(y + i, most, left);
            if (place) store_places(place + i, at, left);
        }
    }
}

static bool any_lane(vi mask) {
    int32_t lane[TG_LANES], any = 0;
    memcpy(lane, &mask, sizeof lane);
    for (size_t i = 0; i < TG_LANES; i++) any |= lane[i];
    return any != 0;
}

/* Of 2x2 cells and whole vectors of channels. False where a sum of four was NaN: then one of them may be, and the largest
 * is another. */
__attribute__((always_inline)) static inline bool max_of_4(const tg_windows *w, const float *x, float *y,
                                                           uint32_t *place, bool placed) {
    size_t n = w->channels, offset[4];
    for (size_t t = 0; t < 4; t++) offset[t] = w->offset[t];
    vi odd = {0};
    for (size_t r = 0; r < w->count; r++, x += w->step, y += n, place += placed ? n : 0) {
        for (size_t i = 0; i < n; i += TG_LANES) {
            vf a = load(x + offset[0] + i), b = load(x + offset[1] + i), c = load(x + offset[2] + i),
               d = load(x + offset[3] + i);
            vf sum = (a + b) + (c + d), most = larger_of(larger_of(a, b), larger_of(c, d));
            odd |= sum != sum;
            store(y + i, most);
            if (!placed) continue;
            vi after_b = (c != most) & 1, after_a = (b != most) & (after_b + 1);
            store_places(place + i, (a != most) & (after_a + 1), TG_LANES);
        }
    }
    return !any_lane(odd);
}

static bool max_windows_of_4(const tg_windows *w, const float *x, float *y, uint32_t *place) {
    return place ? max_of_4(w, x, y, place, true) : max_of_4(w, x, y, place, false);
}

static void max_windows(const tg_windows *w, const float *x, float *y, uint32_t *place) {
    bool whole = w->taps == 4 && w->channels % TG_LANES == 0;
    if (!(whole && max_windows_of_4(w, x, y, place))) max_windows_of_any(w, x, y, place);
}

__attribute__((always_inline)) static inline void spread(const tg_windows *w, bool whole,
                                                         const uint32_t *place, const float *dy,
                                                         const float *y, bool add, float *dx) {
    size_t n = w->channels, taps = whole ? 4 : w->taps, offset[4] = {0};
    for (size_t t = 0; whole && t < 4; t++) offset[t] = w->offset[t];
    for (size_t r = 0; r < w->count; r++, dx += w->step, dy += n, place += n, y += y ? n : 0) {
        for (size_t i = 0; i < n; i += TG_LANES) {
            size_t left = whole ? TG_LANES : n - i;
            vf g = load_first(dy + i, left);
            if (y) g = select(load_first(y + i, left) > 0.0f, g, (vf){0});
            vi at = load_places(place + i, left);
#pragma GCC unroll 4
            for (size_t t = 0; t < taps; t++) {
                float *to = dx + (whole ? offset[t] : w->offset[t]) + i;
                vf v = select(at == (int32_t)t, g, (vf){0});
                store_first(to, add ? load_first(to, left) + v : v, left);
            }
        }
    }
}

static void spread_windows_of_4(const tg_windows *w, const uint32_t *place, const float *dy, const float *y,
                                float *dx) {
    spread(w, true, place, dy, y, false, dx);
}

static void spread_windows(const tg_windows *w, const uint32_t *place, const float *dy, const float *y,
                           bool add, float *dx) {
    if (w->taps == 4 && w->channels % TG_LANES == 0 && !add) spread_windows_of_4(w, place, dy, y, dx);
    else spread(w, false, place, dy, y, add, dx);
}

/* ---- sums over rows ------------------------------------------------------------------------------------------------ */

static void sum_squares_rows(size_t rows, size_t cols, const float *x, const float *centre, float *out) {
    for (size_t j = 0; j < cols; j += TG_LANES) {
        vf total = load_first(out + j, cols - j), mean = load_first(centre + j, cols - j);
        for (size_t r = 0; r < rows; r++) {
            vf d = load_first(x + r * cols + j, cols - j) - mean;
            total += d * d;
        }
        store_first(out + j, total, cols - j);
    }
}

static void sum_products_rows(size_t rows, size_t cols, const float *y, const float *x, const float *centre,
                              float *out) {
    for (size_t j = 0; j < cols; j += TG_LANES) {
        vf total = load_first(out + j, cols - j), mean = load_first(centre + j, cols - j);
        for (size_t r = 0; r < rows; r++)
            total += load_first(y + r * cols + j, cols - j) * (load_first(x + r * cols + j, cols - j) - mean);
        store_first(out + j, total, cols - j);
    }
}
