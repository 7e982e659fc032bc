/* Tables as text, RFC 4180 and its kin: cells parted by commas, semicolons or tabs, quoted where they must be. One
 * column is the label, the others are numbers; one pass over the file. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "data/import.h"

enum { MAX_LABELS = 65536, SHOWN = 40 /* bytes of a cell in a sentence */ };

typedef enum role { FEATURE, LABEL, LEFT_OUT } role;

typedef struct table {
    const uint8_t *at, *end;
    uint8_t delimiter;
    tg_text quoted; /* a cell without its quotes */

    tg_texts headers; /* none: count 0 */
    size_t columns, features;
    uint8_t *roles; /* of each column */

    void *values; /* [rows, features], u8 until a number does not fit, then f32 */
    bool floats;
    size_t rows, capacity;
    tg_texts texts;   /* the different labels, as they are written */
    uint32_t *labels; /* [rows] numbers of texts */
    size_t label_capacity;

    size_t bad_rows;
    char first_bad[192];
} table;

/* ---- cells -------------------------------------------------------------------------------------------- */

typedef struct cell {
    const char *text; /* valid until the next one */
    size_t length;
} cell;

static bool ends_cell(const table *t, const uint8_t *p) {
    return p == t->end || *p == t->delimiter || *p == '\n' || *p == '\r';
}

/* Over what parts two cells; true where that was not a line's end. */
static bool next_in_row(table *t) {
    if (t->at < t->end && *t->at == t->delimiter) {
        t->at++;
        return true;
    }
    if (t->at < t->end && *t->at == '\r') t->at++;
    if (t->at < t->end && *t->at == '\n') t->at++;
    return false;
}

static tg_status read_quoted(table *t, cell *out, tg_error *err) {
    const uint8_t *start = t->at++;
    tg_text_clear(&t->quoted);
    for (;;) {
        const uint8_t *quote = memchr(t->at, '"', (size_t)(t->end - t->at));
        TG_REQUIRE(err, quote, TG_E_FORMAT,
                   "the quote before \"%.*s\" is never closed; close it or remove it",
                   (int)(t->end - start - 1 < SHOWN ? t->end - start - 1 : SHOWN), (const char *)start + 1);
        tg_text_append_bytes(&t->quoted, t->at, (size_t)(quote - t->at));
        t->at = quote + 1;
        if (t->at == t->end || *t->at != '"') break;
        tg_text_append_bytes(&t->quoted, t->at++, 1); /* "" is one of them */
    }
    while (!ends_cell(t, t->at)) tg_text_append_bytes(&t->quoted, t->at++, 1);
    TG_REQUIRE(err, !t->quoted.failed, TG_E_MEMORY, "no memory is left for a cell");
    *out = (cell){t->quoted.data ? t->quoted.data : "", t->quoted.size};
    return TG_OK;
}

/* The cell at t->at, without blanks around it; t->at moves to its end. */
static tg_status read_cell(table *t, cell *out, tg_error *err) {
    while (t->at < t->end && *t->at == ' ') t->at++;
    if (t->at < t->end && *t->at == '"') return read_quoted(t, out, err);
    const uint8_t *start = t->at;
    while (!ends_cell(t, t->at)) t->at++;
    size_t length = (size_t)(t->at - start);
    while (length && isspace(start[length - 1])) length--;
    *out = (cell){(const char *)start, length};
    return TG_OK;
}

static double power_of_ten(int exponent) {
    double power = 1, base = 10;
    for (unsigned e = (unsigned)(exponent < 0 ? -exponent : exponent); e; e >>= 1, base *= base)
        if (e & 1) power *= base;
    return power;
}

/* Decimal number; false where the text is anything else. By itself, because strtod asks the locale; the same bits on
 * every machine, and for up to 15 digits within 10^22 those nearest to what is written. */
static bool parse_number(cell c, double *out) {
    const char *p = c.text, *end = p + c.length;
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    uint64_t digits = 0;
    int exponent = 0, seen = 0;
    bool point = false;
    for (; p < end && (isdigit((unsigned char)*p) || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        seen++;
        bool fits = digits <= (UINT64_MAX - 9) / 10;
        if (fits) digits = digits * 10 + (uint64_t)(*p - '0');
        exponent += (fits ? 0 : 1) - (point ? 1 : 0);
    }
    if (seen == 0) return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool down = ++p < end && *p == '-';
        int power = 0;
        if (p < end && (*p == '-' || *p == '+')) p++;
        if (p == end) return false;
        for (; p < end && isdigit((unsigned char)*p); p++)
            if (power < 10000) power = power * 10 + (*p - '0');
        exponent += down ? -power : power;
    }
    if (p != end) return false;
    double value = (double)digits;
    if (digits && exponent > 0) value *= power_of_ten(exponent);
    if (digits && exponent < 0) value /= power_of_ten(exponent);
    *out = negative ? -value : value;
    return true;
}

/* What almost every cell of a table of pixels is: takes features of up to three digits and 255, each with another cell
 * behind it, for as long as they come, and returns how many. In locals: for all a compiler knows, a byte that is stored
 * could be part of the table. */
static size_t take_bytes(table *t, const uint8_t *roles, size_t most, uint8_t *out) {
    const uint8_t *p = t->at, *const end = t->end, delimiter = t->delimiter;
    size_t taken = 0;
    for (; taken < most && roles[taken] == FEATURE && end - p > 3; taken++) {
        unsigned value = p[0] - (unsigned)'0', digit;
        size_t length = 1;
        if (value > 9) break;
        while (length < 3 && (digit = p[length] - (unsigned)'0') <= 9) value = value * 10 + digit, length++;
        if (value > 255 || p[length] != delimiter) break;
        out[taken] = (uint8_t)value;
        p += length + 1;
    }
    t->at = p;
    return taken;
}

/* ---- columns -------------------------------------------------------------------------------------------- */

/* By the first line: what parts most. */
static void find_delimiter(table *t) {
    static const char candidates[] = ",;\t";
    size_t counts[3] = {0};
    bool quoted = false;
    for (const uint8_t *p = t->at; p < t->end && (quoted || *p != '\n'); p++) {
        if (*p == '"') quoted = !quoted;
        for (size_t i = 0; i < 3 && !quoted; i++) counts[i] += *p == candidates[i];
    }
    size_t best = 0;
    for (size_t i = 1; i < 3; i++)
        if (counts[i] > counts[best]) best = i;
    t->delimiter = (uint8_t)candidates[best];
}

static void skip_empty_lines(table *t) {
    while (t->at < t->end && (*t->at == '\n' || *t->at == '\r')) t->at++;
}

static tg_status read_row_of_texts(table *t, tg_texts *out, tg_error *err) {
    skip_empty_lines(t);
    cell c;
    do {
        TG_TRY(read_cell(t, &c, err));
        TG_TRY(tg_texts_add(out, c.text, c.length, err));
    } while (next_in_row(t));
    return TG_OK;
}

static bool is_number(const tg_texts *row, size_t column) {
    const char *text = tg_texts_at(row, column);
    double value;
    return parse_number((cell){text, strlen(text)}, &value);
}

/* The first line names the columns where it has a text above a number, or nothing but texts. */
static bool is_header(const tg_texts *first, const tg_texts *second) {
    bool only_texts = true;
    for (size_t i = 0; i < first->count; i++) {
        bool number = is_number(first, i);
        if (!number && i < second->count && is_number(second, i)) return true;
        only_texts = only_texts && !number;
    }
    return only_texts;
}

static bool same_name(const char *a, const char *b) {
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b)) a++, b++;
    return *a == *b;
}

/* Numbers of rows, as pandas and Kaggle write them. */
static bool counts_rows(const char *header) {
    return !*header || same_name(header, "id") || same_name(header, "index") ||
           same_name(header, "Unnamed: 0");
}

static bool could_be_picture(size_t columns) {
    size_t root = (size_t)sqrt((double)columns);
    return root >= 8 && root * root == columns;
}

/* The column of the labels; SIZE_MAX: there is none. */
static tg_status find_label(const tg_import *import, const table *t, const tg_texts *row, size_t *out,
                            tg_error *err) {
    const char *asked = import->options.label_column;
    size_t last = t->columns - 1;
    *out = last;
    if (asked) {
        if (strcmp(asked, "last") == 0) return TG_OK;
        for (*out = 0; *out < t->headers.count; ++*out)
            if (strcmp(tg_texts_at(&t->headers, *out), asked) == 0) return TG_OK;
        *out = 0;
        TG_REQUIRE(err, strcmp(asked, "first") == 0, TG_E_DATA,
                   "there is no column \"%.*s\"; name one of the first line, or first or last", SHOWN, asked);
        return TG_OK;
    }
    for (*out = 0; *out < t->headers.count; ++*out) {
        const char *header = tg_texts_at(&t->headers, *out);
        if (tg_name_says_labels(header) || same_name(header, "species") || same_name(header, "digit"))
            return TG_OK;
    }
    bool first_is_text = !is_number(row, 0), last_is_text = row->count == t->columns && !is_number(row, last);
    *out = !last_is_text && (first_is_text || could_be_picture(last)) ? 0 : last;
    bool kaggle = t->headers.count && could_be_picture(t->columns); /* its files to predict on */
    if (kaggle && !first_is_text && !last_is_text) *out = SIZE_MAX;
    return TG_OK;
}

static tg_status give_roles(const tg_import *import, table *t, const tg_texts *row, tg_error *err) {
    size_t label;
    TG_TRY(find_label(import, t, row, &label, err));
    t->roles = tg_allocate_zeroed(t->columns);
    TG_REQUIRE(err, t->roles, TG_E_MEMORY, "no memory is left for %zu columns", t->columns);
    for (size_t i = 0; i < t->columns; i++) {
        bool left_out = t->headers.count && counts_rows(tg_texts_at(&t->headers, i));
        t->roles[i] = i == label ? LABEL : left_out ? LEFT_OUT : FEATURE;
        t->features += t->roles[i] == FEATURE;
    }
    TG_REQUIRE(err, t->features > 0, TG_E_FORMAT,
               "has no column beside the labels; give one column for each number of a sample");
    return TG_OK;
}

/* Header, columns and their roles; t->at is at the first row of data then. */
static tg_status begin_table(const tg_import *import, table *t, tg_error *err) {
    tg_texts second = {0};
    find_delimiter(t);
    skip_empty_lines(t);
    const uint8_t *begin = t->at;
    tg_status status = read_row_of_texts(t, &t->headers, err);
    t->columns = t->headers.count;
    const uint8_t *behind = t->at;
    if (status == TG_OK) status = read_row_of_texts(t, &second, err);
    if (status == TG_OK && t->columns < 2)
        status =
            tg_fail(err, TG_E_FORMAT, "has one column only; part the cells with commas, semicolons or tabs");
    if (status == TG_OK) {
        bool header = is_header(&t->headers, &second);
        t->at = header ? behind : begin;
        if (!header) {
            tg_texts row = t->headers;
            t->headers = (tg_texts){0};
            status = give_roles(import, t, &row, err);
            tg_texts_free(&row);
        } else {
            status = give_roles(import, t, &second, err);
        }
    }
    tg_texts_free(&second);
    return status;
}

/* ---- rows -------------------------------------------------------------------------------------------------- */

static tg_status make_floats(table *t, size_t used, tg_error *err) {
    size_t bytes;
    bool fits = tg_mul_size(t->capacity, t->features, &bytes) && tg_mul_size(bytes, sizeof(float), &bytes);
    float *values = fits ? tg_allocate(bytes) : NULL;
    TG_REQUIRE(err, values, TG_E_MEMORY, "no memory is left for %zu rows of numbers; use fewer", t->rows);
    for (size_t i = 0; i < used; i++) values[i] = (float)((const uint8_t *)t->values)[i];
    tg_free(t->values);
    t->values = values;
    t->floats = true;
    return TG_OK;
}

static tg_status make_room(table *t, tg_error *err) {
    void *labels = t->labels;
    bool fits = tg_reserve(&labels, &t->label_capacity, t->rows, t->rows + 1, sizeof *t->labels);
    t->labels = labels;
    size_t row =
        t->features * (t->floats ? sizeof(float) : 1); /* features are fewer than the bytes of the file */
    fits = fits && tg_reserve(&t->values, &t->capacity, t->rows, t->rows + 1, row);
    TG_REQUIRE(err, fits, TG_E_MEMORY, "no memory is left for %zu rows of %zu numbers; use fewer", t->rows,
               t->features);
    return TG_OK;
}

/* Says of the first row that is left out why; the rest are counted. */
static void leave_out(table *t, size_t row, size_t column, const cell *c) {
    if (t->bad_rows++) return;
    if (!c)
        snprintf(t->first_bad, sizeof t->first_bad, "row %zu has not the %zu cells of the first", row,
                 t->columns);
    else
        snprintf(t->first_bad, sizeof t->first_bad,
                 "row %zu has %s%.*s%s in column %zu, where a number must stand", row,
                 c->length ? "\"" : "nothing", (int)(c->length < SHOWN ? c->length : SHOWN), c->text,
                 c->length ? "\"" : "", column + 1);
}

static tg_status put_slowly(table *t, size_t index, bool *good, cell *c, tg_error *err) {
    double value;
    TG_TRY(read_cell(t, c, err));
    *good = parse_number(*c, &value) && fabs(value) <= 3.4e38;
    if (!*good) return TG_OK;
    if (!t->floats && !(value >= 0 && value <= 255 && value == floor(value)))
        TG_TRY(make_floats(t, index, err));
    if (t->floats) ((float *)t->values)[index] = (float)value;
    else ((uint8_t *)t->values)[index] = (uint8_t)value;
    return TG_OK;
}

static tg_status put_label(table *t, cell *c, tg_error *err) {
    size_t number;
    TG_TRY(read_cell(t, c, err));
    TG_TRY(tg_texts_intern(&t->texts, c->text, c->length, &number, err));
    TG_REQUIRE(err, t->texts.count <= MAX_LABELS, TG_E_DATA,
               "has more than %d different labels; say which column they stand in", MAX_LABELS);
    t->labels[t->rows] = (uint32_t)number;
    return TG_OK;
}

static tg_status read_row(table *t, size_t row, tg_error *err) {
    TG_TRY(make_room(t, err));
    size_t index = t->rows * t->features, column = 0;
    bool good = true;
    cell c;
    do {
        if (!t->floats && column + 1 < t->columns) {
            uint8_t *to = (uint8_t *)t->values + index;
            size_t taken = take_bytes(t, t->roles + column, t->columns - 1 - column, to);
            column += taken;
            index += taken;
        }
        if (column < t->columns && t->roles[column] == FEATURE) {
            bool number;
            TG_TRY(put_slowly(t, index++, &number, &c, err));
            if (!number && good) leave_out(t, row, column, &c);
            good = good && number;
        } else if (column < t->columns && t->roles[column] == LABEL) {
            TG_TRY(put_label(t, &c, err));
            if (c.length == 0 && good) leave_out(t, row, column, &c);
            good = good && c.length > 0;
        } else {
            TG_TRY(read_cell(t, &c, err));
        }
        column++;
    } while (next_in_row(t));
    if (good && column != t->columns) leave_out(t, row, 0, NULL);
    t->rows += good && column == t->columns;
    return TG_OK;
}

static tg_status read_rows(table *t, tg_error *err) {
    const uint8_t *line_end = memchr(t->at, '\n', (size_t)(t->end - t->at));
    size_t left = (size_t)(t->end - t->at), line = line_end ? (size_t)(line_end - t->at) + 1 : left;
    t->capacity = left / (line ? line : 1) + 1; /* lines are of about one length */
    size_t bytes;
    if (tg_mul_size(t->capacity, t->features, &bytes)) t->values = tg_allocate(bytes);
    if (!t->values) t->capacity = 0;
    for (size_t row = t->headers.count ? 2 : 1; t->at < t->end; row++) {
        skip_empty_lines(t);
        if (t->at < t->end) TG_TRY(read_row(t, row, err));
    }
    if (t->bad_rows > t->rows) return tg_fail(err, TG_E_DATA, "%s", t->first_bad);
    TG_REQUIRE(err, t->rows > 0, TG_E_DATA, "has a first line, but no rows; give at least one sample");
    return TG_OK;
}

/* ---- into the import --------------------------------------------------------------------------------------- */

/* Labels that are all whole numbers are those of classes; others become names of classes. used: those of rows that were
 * not left out. */
static tg_status number_texts(tg_import *import, const tg_texts *texts, const bool *used, uint32_t *map,
                              bool *named, tg_error *err) {
    *named = false;
    for (size_t i = 0; i < texts->count && !*named; i++) {
        const char *text = tg_texts_at(texts, i);
        double value;
        bool number = parse_number((cell){text, strlen(text)}, &value);
        *named = used[i] && !(number && value >= 0 && value == floor(value) && value <= (double)MAX_LABELS);
        if (used[i] && !*named) map[i] = (uint32_t)value;
    }
    for (size_t i = 0; *named && i < texts->count; i++) {
        const char *text = tg_texts_at(texts, i);
        size_t number = 0;
        if (used[i]) TG_TRY(tg_texts_intern(&import->class_names, text, strlen(text), &number, err));
        map[i] = (uint32_t)number;
    }
    return TG_OK;
}

static tg_status number_labels(tg_import *import, table *t, bool *named, tg_error *err) {
    uint32_t *map = tg_allocate(t->texts.count * sizeof *map); /* at most MAX_LABELS */
    bool *used = tg_allocate_zeroed(t->texts.count);
    tg_status status = TG_OK;
    if (!map || !used)
        status = tg_fail(err, TG_E_MEMORY, "no memory is left for %zu different labels", t->texts.count);
    for (size_t i = 0; status == TG_OK && i < t->rows; i++) used[t->labels[i]] = true;
    if (status == TG_OK) status = number_texts(import, &t->texts, used, map, named, err);
    for (size_t i = 0; status == TG_OK && i < t->rows; i++) t->labels[i] = map[t->labels[i]];
    tg_free(map);
    tg_free(used);
    return status;
}

static tg_status add_labels(tg_import *import, table *t, const char *name, tg_error *err) {
    bool named;
    TG_TRY(number_labels(import, t, &named, err));
    float *labels = tg_allocate(t->rows * sizeof *labels);
    TG_REQUIRE(err, labels, TG_E_MEMORY, "no memory is left for %zu labels", t->rows);
    for (size_t i = 0; i < t->rows; i++) labels[i] = (float)t->labels[i];
    tg_array array = {.named = named, .type = TG_F32, .rank = 1, .shape = {t->rows}, .data = labels};
    char of[160];
    snprintf(of, sizeof of, "%.140s: labels", name);
    return tg_import_adopt_array(import, of, "csv", &array, err);
}

static tg_status add_table(tg_import *import, table *t, const char *name, tg_error *err) {
    bool labelled = false;
    for (size_t i = 0; i < t->columns; i++) labelled = labelled || t->roles[i] == LABEL;
    TG_REQUIRE(err, labelled || import->options.unlabeled, TG_E_DATA,
               "has no column of labels; it can only be predicted on");
    tg_array array = {.is_samples = true,
                      .type = t->floats ? TG_F32 : TG_U8,
                      .rank = 2,
                      .shape = {t->rows, t->features},
                      .data = t->values};
    t->values = NULL;
    TG_TRY(tg_import_adopt_array(import, name, "csv", &array, err));
    if (t->bad_rows) {
        char reason[256];
        snprintf(reason, sizeof reason, "%s; %zu of %zu rows are left out", t->first_bad, t->bad_rows,
                 t->bad_rows + t->rows);
        TG_TRY(tg_import_skip(import, name, reason, err));
    }
    return labelled ? add_labels(import, t, name, err) : TG_OK;
}

tg_status tg_read_csv(tg_import *import, tg_bytes file, tg_error *err) {
    table t = {.at = file.data, .end = file.data + file.size};
    TG_REQUIRE(err, !memchr(file.data, '\0', file.size < 4096 ? file.size : 4096), TG_E_FORMAT,
               "is no text; save it as UTF-8, not as UTF-16 or as a spreadsheet");
    if (file.size >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0) t.at += 3;
    tg_status status = begin_table(import, &t, err);
    if (status == TG_OK) status = read_rows(&t, err);
    if (status == TG_OK) status = add_table(import, &t, file.name, err);
    tg_text_free(&t.quoted);
    tg_texts_free(&t.headers);
    tg_texts_free(&t.texts);
    tg_free(t.roles);
    tg_free(t.values);
    tg_free(t.labels);
    return status;
}
