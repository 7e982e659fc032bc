/* Recipes in tests are written as people write them: in JSON, with ' for " to keep C strings readable. */
#ifndef TG_TESTS_RECIPE_H
#define TG_TESTS_RECIPE_H

#include "tabgrad.h"

struct cJSON;

/* The attributes of a JSON object that has been read. */
tg_attrs *attrs_of(const struct cJSON *object);

/* The same of a text; the test fails where the text is none. printf arguments may fill it in. */
tg_attrs *attrs_from(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

/* What tg_run_load asks for: the metadata "recipe", "history" and "classes" of an open checkpoint, walked. */
tg_attrs *document_of(const tg_checkpoint *checkpoint);

#endif
