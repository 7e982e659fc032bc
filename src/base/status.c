#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *tg_status_name(tg_status status) {
    switch (status) {
    case TG_OK: return "ok";
    case TG_E_ARGUMENT: return "argument";
    case TG_E_MEMORY: return "memory";
    case TG_E_RECIPE: return "recipe";
    case TG_E_SHAPE: return "shape";
    case TG_E_DATA: return "data";
    case TG_E_FORMAT: return "format";
    case TG_E_DIVERGED: return "diverged";
    case TG_E_STATE: return "state";
    }
    return "unknown";
}

tg_status tg_fail(tg_error *err, tg_status status, const char *format, ...) {
    if (!err) return status;
    err->status = status;
    err->where[0] = '\0';
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->what, sizeof err->what, format, arguments);
    va_end(arguments);
    return status;
}

/* Cut where the room ends. */
static void append(char *to, size_t room, const char *text) {
    size_t used = strlen(to);
    while (*text && used + 1 < room) to[used++] = *text++;
    to[used] = '\0';
}

tg_status tg_fail_at(tg_error *err, tg_status status, const char *format, ...) {
    if (!err) return status;
    char inner[sizeof err->where];
    memcpy(inner, err->where, sizeof inner);
    err->status = status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(err->where, sizeof err->where, format, arguments);
    va_end(arguments);
    if (inner[0]) {
        append(err->where, sizeof err->where, ": ");
        append(err->where, sizeof err->where, inner);
    }
    return status;
}
