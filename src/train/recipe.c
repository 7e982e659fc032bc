#include "train/recipe.h"

#include <string.h>

static const tg_attr rows[] = {
    {"tabgrad", TG_ATTR_INT, offsetof(tg_recipe, version), .flags = TG_ATTR_REQUIRED, .min = 1, .max = 1},
    {"name", TG_ATTR_NAME, offsetof(tg_recipe, name), .flags = 0},
    {"data", TG_ATTR_TREE, offsetof(tg_recipe, data_tree), .flags = 0},
    {"preprocess", TG_ATTR_TREE, offsetof(tg_recipe, preprocess), .flags = 0},
    {"augment", TG_ATTR_TREE, offsetof(tg_recipe, augment), .flags = 0},
    {"model", TG_ATTR_TREE, offsetof(tg_recipe, model), .flags = TG_ATTR_REQUIRED},
    {"loss", TG_ATTR_TREE, offsetof(tg_recipe, loss), .flags = 0},
    {"losses", TG_ATTR_TREE, offsetof(tg_recipe, losses), .flags = 0},
    {"optimizer", TG_ATTR_TREE, offsetof(tg_recipe, optimizer), .flags = 0},
    {"schedule", TG_ATTR_TREE, offsetof(tg_recipe, schedule), .flags = 0},
    {"batch_size", TG_ATTR_INT, offsetof(tg_recipe, batch_size), .min = 1, .max = 1 << 24, .fallback = 32},
    {"epochs", TG_ATTR_INT, offsetof(tg_recipe, epochs), .min = 1, .max = 1 << 20, .fallback = 1},
    {"seed", TG_ATTR_INT, offsetof(tg_recipe, seed), .min = 0, .max = 9007199254740991.0, .fallback = 1},
};
enum { ROWS = sizeof rows / sizeof *rows, FIRST_NUMBER = ROWS - 3 };

static const tg_attr data_rows[] = {
    {"dataset", TG_ATTR_NAME, offsetof(tg_recipe_data, dataset), .flags = 0},
    {"train_size", TG_ATTR_INT, offsetof(tg_recipe_data, train_size), .max = 4294967295.0},
    {"validation", TG_ATTR_REAL, offsetof(tg_recipe_data, validation), .max = 4294967295.0},
};
enum { DATA_ROWS = sizeof data_rows / sizeof *data_rows };

tg_status tg_recipe_read(const tg_value *root, tg_recipe *out, tg_error *err) {
    tg_status status = tg_attrs_read(root, rows, ROWS, NULL, out, err);
    if (status != TG_OK) return tg_fail_at(err, status, "recipe");
    status = tg_attrs_read(out->data_tree, data_rows, DATA_ROWS, NULL, &out->data, err);
    if (status != TG_OK) return tg_fail_at(err, status, "data");
    if (out->augment && (out->augment->kind != TG_LIST || out->augment->count > 0)) {
        tg_fail(err, TG_E_RECIPE, "there are no augmentations in this version; leave the list empty");
        return tg_fail_at(err, TG_E_RECIPE, "augment");
    }
    return TG_OK;
}

void tg_recipe_write_head(const tg_recipe *recipe, tg_text *text) {
    tg_json_number(text, "tabgrad", (double)recipe->version);
    if (recipe->name) tg_json_string(text, "name", recipe->name);
    tg_json_open(text, "data", '{');
    tg_attrs_write(text, data_rows, DATA_ROWS, &recipe->data);
    for (const tg_value *v = recipe->data_tree ? recipe->data_tree->first : NULL; v; v = v->next)
        if (strncmp(v->key, "x-", 2) == 0) tg_value_write(text, v->key, v);
    tg_json_close(text, '}');
}

void tg_recipe_write_tail(const tg_recipe *recipe, const tg_value *root, tg_text *text) {
    tg_attrs_write(text, rows + FIRST_NUMBER, ROWS - FIRST_NUMBER, recipe);
    for (const tg_value *v = root->first; v; v = v->next)
        if (strncmp(v->key, "x-", 2) == 0) tg_value_write(text, v->key, v);
}
