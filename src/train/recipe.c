#include "train/recipe.h"

#include <math.h>
#include <string.h>

static const tg_attr rows[] = {
    {"tabgrad", TG_ATTR_INT, offsetof(tg_recipe, version), .flags = TG_ATTR_REQUIRED, .min = 1, .max = 1},
    {"name", TG_ATTR_NAME, offsetof(tg_recipe, name), .flags = 0},
    {"data", TG_ATTR_TREE, offsetof(tg_recipe, data_tree), .flags = 0},
    {"preprocess", TG_ATTR_TREE, offsetof(tg_recipe, preprocess), .flags = 0},
    {"augment", TG_ATTR_TREE, offsetof(tg_recipe, augment), .flags = 0},
    {"augment_mode", TG_ATTR_CHOICE, offsetof(tg_recipe, augment_mode), .choices = "on_the_fly|append"},
    {"model", TG_ATTR_TREE, offsetof(tg_recipe, model), .flags = TG_ATTR_REQUIRED},
    {"loss", TG_ATTR_TREE, offsetof(tg_recipe, loss), .flags = 0},
    {"losses", TG_ATTR_TREE, offsetof(tg_recipe, losses), .flags = 0},
    {"optimizer", TG_ATTR_TREE, offsetof(tg_recipe, optimizer), .flags = 0},
    {"schedule", TG_ATTR_TREE, offsetof(tg_recipe, schedule), .flags = 0},
    {"early_stopping", TG_ATTR_TREE, offsetof(tg_recipe, early_stopping_tree), .flags = 0},
    {"batch_size", TG_ATTR_INT, offsetof(tg_recipe, batch_size), .min = 1, .max = 1 << 24, .fallback = 32},
    {"epochs", TG_ATTR_INT, offsetof(tg_recipe, epochs), .min = 1, .max = 1 << 20, .fallback = 1},
    {"seed", TG_ATTR_INT, offsetof(tg_recipe, seed), .min = 0, .max = 9007199254740991.0, .fallback = 1},
};
enum { ROWS = sizeof rows / sizeof *rows, FIRST_NUMBER = ROWS - 3 };

static const tg_attr data_rows[] = {
    {"dataset", TG_ATTR_NAME, offsetof(tg_recipe_data, dataset), .flags = 0},
    {"train_size", TG_ATTR_INT, offsetof(tg_recipe_data, train_size), .max = 4294967295.0},
    {"sampling", TG_ATTR_CHOICE, offsetof(tg_recipe_data, sampling),
     .choices = "without_replacement|with_replacement"},
    {"validation", TG_ATTR_REAL, offsetof(tg_recipe_data, validation), .max = 4294967295.0},
    {"shape", TG_ATTR_SIZES, offsetof(tg_recipe_data, shape), .min = 1, .max = 1 << 20, .fallback = NAN},
};
enum { DATA_ROWS = sizeof data_rows / sizeof *data_rows };

static const tg_attr stopping_rows[] = {
    {"patience", TG_ATTR_INT, offsetof(tg_early_stopping, patience), .flags = TG_ATTR_REQUIRED, .min = 1,
     .max = 1e6},
    {"min_delta", TG_ATTR_REAL, offsetof(tg_early_stopping, min_delta), .max = 1e6},
    {"metric", TG_ATTR_CHOICE, offsetof(tg_early_stopping, metric), .choices = "loss|accuracy"},
    {"restore_best", TG_ATTR_FLAG, offsetof(tg_early_stopping, restore_best), .fallback = 1},
};
enum { STOPPING_ROWS = sizeof stopping_rows / sizeof *stopping_rows };

static tg_status read_early_stopping(tg_recipe *out, tg_error *err) {
    if (!out->early_stopping_tree) return TG_OK;
    TG_TRY(tg_attrs_read(out->early_stopping_tree, stopping_rows, STOPPING_ROWS, NULL, &out->early_stopping,
                         err));
    TG_REQUIRE(err, out->data.validation > 0, TG_E_RECIPE,
               "needs a validation part to watch; set data.validation, for example to 0.1");
    return TG_OK;
}

tg_status tg_recipe_read(const tg_value *root, tg_recipe *out, tg_error *err) {
    tg_status status = tg_attrs_read(root, rows, ROWS, NULL, out, err);
    if (status != TG_OK) return tg_fail_at(err, status, "recipe");
    status = tg_attrs_read(out->data_tree, data_rows, DATA_ROWS, NULL, &out->data, err);
    if (status != TG_OK) return tg_fail_at(err, status, "data");
    out->early_stopping = (tg_early_stopping){0};
    status = read_early_stopping(out, err);
    if (status != TG_OK) return tg_fail_at(err, status, "early_stopping");
    if (out->data.shape.count == 0 || out->data.shape.count == 3) return TG_OK;
    tg_fail(err, TG_E_RECIPE, "shape must be [height, width, channels]");
    return tg_fail_at(err, TG_E_RECIPE, "data");
}

void tg_recipe_write_head(const tg_recipe *recipe, tg_text *text) {
    tg_json_number(text, "tabgrad", (double)recipe->version);
    if (recipe->name) tg_json_string(text, "name", recipe->name);
    tg_json_open(text, "data", '{');
    tg_attrs_write(text, data_rows, DATA_ROWS, &recipe->data);
    tg_attrs_write_extra(text, recipe->data_tree);
    tg_json_close(text, '}');
}

void tg_recipe_write_tail(const tg_recipe *recipe, const tg_value *root, tg_text *text) {
    tg_json_string(text, "augment_mode", recipe->augment_mode ? "append" : "on_the_fly");
    if (recipe->early_stopping.patience) {
        tg_json_open(text, "early_stopping", '{');
        tg_attrs_write(text, stopping_rows, STOPPING_ROWS, &recipe->early_stopping);
        tg_attrs_write_extra(text, recipe->early_stopping_tree);
        tg_json_close(text, '}');
    }
    tg_attrs_write(text, rows + FIRST_NUMBER, ROWS - FIRST_NUMBER, recipe);
    tg_attrs_write_extra(text, root);
}
