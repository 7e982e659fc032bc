/* What the C tests share: errors as the one sentence people read, whole files, an allocator that fails on
 * demand. */
#ifndef TG_TESTS_CHECK_H
#define TG_TESTS_CHECK_H

#include "tabgrad.h"

/* "where: what", or "" for TG_OK. The text lives until the next call. */
const char *sentence(tg_status status, const tg_error *err);

/* The whole file with a NUL behind it, to be freed with free; NULL where it cannot be read. */
uint8_t *read_whole_file(const char *path, size_t *size);

/* From now on every allocation of the library is counted, and the one after `successes` more of them fails.
 * SIZE_MAX: none. end_allocations restores malloc and free. */
void begin_allocations(size_t successes);
void end_allocations(void);
size_t live_allocations(void);
bool allocation_failed(void); /* whether the one that was to fail has been asked for */

#endif
