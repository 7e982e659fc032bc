/* The first 20 losses against PyTorch's, from the same weights and the same batches: tests/make_pytorch_fixture.py wrote
 * what is expected, and says how both sides know the weights and the data. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "support/assert.h"
#include "support/recipe.h"
#include "support/trial.h"
#include "train/run.h"

enum { SAMPLES = 12, PIXELS = 36, STEPS = 20 };

static double wave(uint64_t k, uint64_t salt) {
    uint64_t word = (k * UINT64_C(2654435761) + salt * 40503 + 12345) & UINT32_MAX;
    return (double)word / 2147483648.0 - 1;
}

static cJSON *read_cases(void) {
    FILE *file = fopen(TG_FIXTURES "/pytorch/losses.json", "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    cJSON *root = cJSON_Parse(text);
    assert_non_null(root);
    free(text);
    return root;
}

static tg_dataset *make_waves(void) {
    tg_dataset *dataset;
    tg_error err;
    ASSERT_OK(tg_dataset_create(TG_F32, 6, 6, 1, SAMPLES, 4, false, &dataset, &err));
    float *pixels = tg_dataset_pixels(dataset);
    for (size_t i = 0; i < SAMPLES * PIXELS; i++) pixels[i] = (float)wave(i, 99);
    for (size_t i = 0; i < SAMPLES; i++) tg_dataset_labels(dataset)[i] = (int32_t)((i * 7 + i / 3) % 4);
    ASSERT_OK(tg_dataset_check(dataset, "waves", &err));
    return dataset;
}

/* Parameters in PyTorch's order, which does not count running statistics. */
static void set_weights(tg_run *run) {
    uint64_t salt = 0;
    for (size_t i = 0; i < run->param_count; i++) {
        tg_param *p = run->params[i];
        if (p->is_buffer) continue;
        double scale = sqrt(3.0 / ((double)p->size / (double)p->shape.dim[0]));
        for (size_t k = 0; p->is_weight && k < p->size; k++) p->data[k] = (tg_real)(wave(k, salt) * scale);
        salt++;
    }
}

static void first_losses_equal_pytorchs(void **state) {
    (void)state;
    cJSON *root = read_cases();
    tg_engine *engine = make_engine(1);
    tg_dataset *waves = make_waves();
    size_t compared = 0;
    const cJSON *one;
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(root, "cases")) {
        char *recipe = cJSON_PrintUnformatted(cJSON_GetObjectItem(one, "recipe"));
        tg_run *run = make_run(engine, recipe, waves, NULL);
        set_weights(run);
        for (int i = 0; i < STEPS; i++) {
            double expected = cJSON_GetArrayItem(cJSON_GetObjectItem(one, "losses"), i)->valuedouble;
            double loss = train_steps(run, 1).step_loss;
            if (!(fabs(loss - expected) <= 1e-4 * fabs(expected)))
                fail_msg("%s: loss %d is %.9g, PyTorch's %.9g", cJSON_GetObjectItem(one, "name")->valuestring,
                         i + 1, loss, expected);
            compared++;
        }
        tg_run_destroy(run);
        free(recipe);
    }
    print_message("%zu losses compared\n", compared);
    assert_int_equal(compared, 3 * 12 * STEPS);
    tg_dataset_destroy(waves);
    tg_engine_destroy(engine);
    cJSON_Delete(root);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(first_losses_equal_pytorchs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
