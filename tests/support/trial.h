/* Runs on made-up data, in few lines. Whatever fails here fails the test with its sentence. */
#ifndef TG_TESTS_TRIAL_H
#define TG_TESTS_TRIAL_H

#include "tabgrad.h"

/* Pictures of u8 that can be learned: every class has its own random picture, a quarter of each sample is noise.
 * The same seed gives the same classes; `set` tells training from test samples. */
tg_dataset *make_pictures(size_t height, size_t width, size_t channels, size_t count, size_t classes,
                          uint64_t seed, uint32_t set);
/* Normally distributed f32 values with random labels, or random distributions over the classes: nothing to
 * learn, but smooth. */
tg_dataset *make_noise(size_t height, size_t width, size_t channels, size_t count, size_t classes, bool soft,
                       uint64_t seed);

tg_engine *make_engine(size_t threads);
tg_run *make_run(tg_engine *engine, const char *recipe, tg_dataset *train, tg_dataset *test);

/* Exactly `steps` more optimizer steps, or to the end of the run (0), over the ends of epochs. */
tg_progress train_steps(tg_run *run, uint64_t steps);
/* The hash of the parameters; at most four live at a time. */
const char *hash_of(const tg_run *run);
/* The data of a parameter by its name. */
tg_real *parameter(const tg_run *run, const char *name);
void set_parameter(tg_run *run, const char *name, const double *values, size_t count);

/* All of a set evaluated at one go. */
tg_evaluation evaluate_all(tg_run *run, tg_dataset *dataset);

/* Saves the run and makes another of the file. */
tg_run *save_and_load(tg_engine *engine, tg_run *run, tg_dataset *train, tg_dataset *test);
tg_run *load_bytes(tg_engine *engine, const uint8_t *bytes, size_t size, tg_dataset *train, tg_dataset *test);

#endif
