/* Statuses and one-sentence errors: every function that can fail returns a tg_status and fills a tg_error. */
#ifndef TG_BASE_STATUS_H
#define TG_BASE_STATUS_H

#include "tabgrad.h"

#if defined(__GNUC__)
#define TG_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define TG_PRINTF(text, first)
#endif

/* Fills err (NULL is fine) and returns status, so that `return tg_fail(...)` reads as one thing. where starts
 * empty. */
tg_status tg_fail(tg_error *err, tg_status status, const char *format, ...) TG_PRINTF(3, 4);

/* Sets the place of an error, or prepends to it on its way up: "recipe.json", then "model.layers[3]" inside
 * it, becomes "recipe.json: model.layers[3]". Returns status. */
tg_status tg_fail_at(tg_error *err, tg_status status, const char *format, ...) TG_PRINTF(3, 4);

#define TG_REQUIRE(err, condition, status, ...)                                                              \
    do {                                                                                                     \
        if (!(condition)) return tg_fail((err), (status), __VA_ARGS__);                                      \
    } while (0)

#define TG_TRY(call)                                                                                         \
    do {                                                                                                     \
        tg_status tg_try_status = (call);                                                                    \
        if (tg_try_status != TG_OK) return tg_try_status;                                                    \
    } while (0)

#endif
