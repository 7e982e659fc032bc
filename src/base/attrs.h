/* Attributes: the tree of names and values a host hands in, and the tables that say what is allowed in it.
 *
 * Everything a recipe can say is one row of a table of tg_attr; reading, checking, defaults, error texts and writing the
 * filled-in recipe back all follow from that row. */
#ifndef TG_BASE_ATTRS_H
#define TG_BASE_ATTRS_H

#include "base/text.h"

typedef enum tg_value_kind { TG_NULL, TG_BOOL, TG_NUMBER, TG_STRING, TG_LIST, TG_OBJECT } tg_value_kind;

typedef struct tg_value {
    tg_value_kind kind;
    const char *key;    /* NULL inside a list */
    double number;      /* TG_NUMBER; TG_BOOL: 0 or 1 */
    const char *string; /* TG_STRING */
    size_t count;       /* TG_LIST, TG_OBJECT: how many inside */
    struct tg_value *first, *last, *next, *parent;
} tg_value;

const tg_value *tg_attrs_root(const tg_attrs *attrs);
const tg_value *tg_value_get(const tg_value *object, const char *key); /* NULL where absent */
/* Adds a deep copy of `value` under `key` to the object that is open. */
tg_status tg_attrs_copy(tg_attrs *attrs, const char *key, const tg_value *value, tg_error *err);
void tg_value_write(tg_text *text, const char *key, const tg_value *value);

typedef enum tg_attr_type {
    TG_ATTR_INT,     /* uint64_t: a whole number */
    TG_ATTR_REAL,    /* double */
    TG_ATTR_FLAG,    /* bool */
    TG_ATTR_CHOICE,  /* int: index into choices, "same|valid" */
    TG_ATTR_NAME,    /* const char *: borrowed from the tree */
    TG_ATTR_SIZES,   /* tg_sizes: a whole number or a list of them */
    TG_ATTR_REALS,   /* tg_reals: a number or a list of numbers */
    TG_ATTR_PADDING, /* tg_padding: one of choices, or a whole number or a list of them */
    TG_ATTR_TREE     /* const tg_value *: a list or object that somebody else reads */
} tg_attr_type;

#define TG_MAX_SIZES 4
typedef struct tg_sizes {
    size_t count;
    uint64_t value[TG_MAX_SIZES];
} tg_sizes;

#define TG_MAX_REALS 64
typedef struct tg_reals {
    size_t count;
    double value[TG_MAX_REALS];
} tg_reals;

typedef struct tg_padding {
    int choice; /* index into choices, or -1: explicit */
    tg_sizes sizes;
} tg_padding;

enum { TG_ATTR_REQUIRED = 1, TG_ATTR_ABOVE_MIN = 2 /* min itself is not allowed */, TG_ATTR_BELOW_MAX = 4 };

typedef struct tg_attr {
    const char *name;
    tg_attr_type type;
    size_t offset; /* of the field in the struct that is filled */
    unsigned flags;
    double min, max; /* of every number */
    double
        fallback; /* default of INT, REAL, FLAG, CHOICE, PADDING (index); SIZES, REALS: one value, NAN: none */
    const char *choices; /* of CHOICE */
} tg_attr;

/* Reads `object` into the struct at `out`: defaults, then what is there. Keys that no row names are errors unless they
 * begin with "x-" or are in `also` ("type|name|inputs"; NULL: none). The error's where is left to the caller. */
tg_status tg_attrs_read(const tg_value *object, const tg_attr *rows, size_t count, const char *also,
                        void *out, tg_error *err);
/* "unknown type "x"; there are a, b, c": the names of a table, name_at(0), name_at(1), ... up to NULL. */
tg_status tg_attrs_unknown_type(const char *type, const char *(*name_at)(size_t index), tg_error *err);
/* Writes every row of the struct as key and value into an object that is open. */
void tg_attrs_write(tg_text *text, const tg_attr *rows, size_t count, const void *in);
/* Carries the keys of an object (NULL, or no object: none) that begin with "x-" along into one that is open. */
void tg_attrs_write_extra(tg_text *text, const tg_value *object);

#endif
