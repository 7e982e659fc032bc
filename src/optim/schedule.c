#include <math.h>
#include <string.h>

#include "base/math.h"
#include "optim/optim.h"

struct tg_schedule {
    const char *name;
    const tg_attr *rows;
    size_t row_count;
    /* epoch: finished epochs; progress: share of all steps that is done, 0..1. */
    double (*factor)(const tg_schedule_attrs *a, uint64_t epoch, double progress);
};

static const tg_attr step_rows[] = {
    {"every_epochs", TG_ATTR_INT, offsetof(tg_schedule_attrs, every_epochs), .flags = TG_ATTR_REQUIRED, .min = 1, .max = 1e9},
    {"factor", TG_ATTR_REAL, offsetof(tg_schedule_attrs, factor), .flags = TG_ATTR_REQUIRED | TG_ATTR_ABOVE_MIN, .max = 1e3},
};
static const tg_attr cosine_rows[] = {
    {"final_factor", TG_ATTR_REAL, offsetof(tg_schedule_attrs, final_factor), .max = 1},
};

static double constant_factor(const tg_schedule_attrs *a, uint64_t epoch, double progress) {
    (void)a, (void)epoch, (void)progress;
    return 1;
}
static double step_factor(const tg_schedule_attrs *a, uint64_t epoch, double progress) {
    (void)progress;
    return tg_pow_f64(a->factor, (double)(epoch / a->every_epochs));
}
static double cosine_factor(const tg_schedule_attrs *a, uint64_t epoch, double progress) {
    (void)epoch;
    const double pi = 3.14159265358979323846;
    return a->final_factor + (1 - a->final_factor) * (1 + tg_cos_f64(pi * progress)) / 2;
}

static const tg_schedule table[] = {
    {"constant", NULL, 0, constant_factor},
    {"step", step_rows, 2, step_factor},
    {"cosine", cosine_rows, 1, cosine_factor},
};

static tg_status read_one(const tg_value *value, tg_schedules *out, tg_error *err) {
    TG_REQUIRE(err, out->count < TG_MAX_SCHEDULES, TG_E_RECIPE, "at most %d schedules can follow each other", TG_MAX_SCHEDULES);
    TG_REQUIRE(err, value->kind == TG_OBJECT, TG_E_RECIPE, "must be an object with a type");
    const tg_value *type = tg_value_get(value, "type");
    TG_REQUIRE(err, type && type->kind == TG_STRING, TG_E_RECIPE, "type is missing");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, type->string) != 0) continue;
        out->rows[out->count] = &table[i];
        tg_schedule_attrs *attrs = &out->attrs[out->count++];
        return tg_attrs_read(value, table[i].rows, table[i].row_count, "type", attrs, err);
    }
    return tg_fail(err, TG_E_RECIPE, "unknown type \"%.40s\"; there are constant, step, cosine", type->string);
}

tg_status tg_schedules_read(const tg_value *value, tg_schedules *out, tg_error *err) {
    *out = (tg_schedules){0};
    if (!value) return TG_OK;
    if (value->kind != TG_LIST) {
        tg_status status = read_one(value, out, err);
        return status == TG_OK ? TG_OK : tg_fail_at(err, status, "schedule");
    }
    size_t index = 0;
    for (const tg_value *v = value->first; v; v = v->next, index++) {
        tg_status status = read_one(v, out, err);
        if (status != TG_OK) return tg_fail_at(err, status, "schedule[%zu]", index);
    }
    return TG_OK;
}

void tg_schedules_write(const tg_schedules *schedules, tg_text *text) {
    tg_json_open(text, "schedule", '[');
    for (size_t i = 0; i < schedules->count; i++) {
        tg_json_open(text, NULL, '{');
        tg_json_string(text, "type", schedules->rows[i]->name);
        tg_attrs_write(text, schedules->rows[i]->rows, schedules->rows[i]->row_count, &schedules->attrs[i]);
        tg_json_close(text, '}');
    }
    tg_json_close(text, ']');
}

double tg_schedules_factor(const tg_schedules *schedules, uint64_t step, uint64_t steps_per_epoch, uint64_t epochs) {
    uint64_t all = steps_per_epoch * epochs;
    double progress = all == 0 ? 0 : step >= all ? 1 : (double)step / (double)all;
    double factor = 1;
    for (size_t i = 0; i < schedules->count; i++)
        factor *= schedules->rows[i]->factor(&schedules->attrs[i], step / steps_per_epoch, progress);
    return factor;
}
