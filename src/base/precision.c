#include "base/precision.h"

#ifdef __EMSCRIPTEN__

/* The host reads and writes numbers as well as libc does, and is there already: strtod weighs six kilobytes. */
#include <emscripten.h>

/* clang-format off */
EM_JS(int, host_precision, (double value), {
    let digits = 1;
    while (digits < 17 && Number(value.toPrecision(digits)) !== value) digits++;
    return digits;
})
/* clang-format on */

int tg_precision(double value) {
    return host_precision(value);
}

#else

#include <stdio.h>
#include <stdlib.h>

int tg_precision(double value) {
    char text[32]; /* of the same locale in both directions */
    int digits = 0;
    do snprintf(text, sizeof text, "%.*g", ++digits, value);
    while (digits < 17 && strtod(text, NULL) != value);
    return digits;
}

#endif
