#include <math.h>
#include <string.h>

#include "base/math.h"
#include "optim/optim.h"

struct tg_schedule {
    const char *name;
    const tg_attr *rows;
    size_t row_count;
    double (*factor)(const tg_schedule_attrs *a, const tg_moment *at);
};

#define FIELD(name) offsetof(tg_schedule_attrs, name)
#define FACTOR(most)                                                                                         \
    { "factor", TG_ATTR_REAL, FIELD(factor), .flags = TG_ATTR_REQUIRED | TG_ATTR_ABOVE_MIN, .max = most }
#define PER                                                                                                  \
    { "per", TG_ATTR_CHOICE, FIELD(per), .choices = "epoch|step" }

static const tg_attr step_rows[] = {
    {"every_epochs", TG_ATTR_INT, FIELD(every_epochs), .flags = TG_ATTR_REQUIRED, .min = 1, .max = 1e9},
    FACTOR(1e3),
};
static const tg_attr exponential_rows[] = {FACTOR(1), PER};
static const tg_attr inverse_time_rows[] = {
    {"rate", TG_ATTR_REAL, FIELD(rate), .flags = TG_ATTR_REQUIRED, .max = 1e6},
    PER,
};
static const tg_attr cosine_rows[] = {
    {"final_factor", TG_ATTR_REAL, FIELD(final_factor), .max = 1},
};
static const tg_attr warm_up_rows[] = {
    {"epochs", TG_ATTR_REAL, FIELD(epochs), .flags = TG_ATTR_ABOVE_MIN, .max = 1e6, .fallback = 1},
    {"start_factor", TG_ATTR_REAL, FIELD(start_factor), .max = 1},
};
static const tg_attr plateau_rows[] = {
    FACTOR(1),
    {"patience", TG_ATTR_INT, FIELD(patience), .max = 1e6, .fallback = 5},
    {"min_delta", TG_ATTR_REAL, FIELD(min_delta), .max = 1e6},
    {"metric", TG_ATTR_CHOICE, FIELD(metric), .choices = "loss|accuracy"},
};

static double epoch_of(const tg_moment *at) {
    return (double)(at->place / at->steps_per_epoch);
}
static double time_of(const tg_schedule_attrs *a, const tg_moment *at) {
    return a->per ? (double)at->step : epoch_of(at);
}

static double constant_factor(const tg_schedule_attrs *a, const tg_moment *at) {
    (void)a, (void)at;
    return 1;
}
static double step_factor(const tg_schedule_attrs *a, const tg_moment *at) {
    return tg_pow_f64(a->factor, floor(epoch_of(at) / (double)a->every_epochs));
}
static double exponential_factor(const tg_schedule_attrs *a, const tg_moment *at) {
    return tg_pow_f64(a->factor, time_of(a, at));
}
static double inverse_time_factor(const tg_schedule_attrs *a, const tg_moment *at) {
    return 1 / (1 + a->rate * time_of(a, at));
}
static double cosine_factor(const tg_schedule_attrs *a, const tg_moment *at) {
    const double pi = 3.14159265358979323846;
    uint64_t all = at->steps_per_epoch * at->epochs;
    double progress = all == 0 ? 0 : at->place >= all ? 1 : (double)at->place / (double)all;
    return a->final_factor + (1 - a->final_factor) * (1 + tg_cos_f64(pi * progress)) / 2;
}
static double warm_up_factor(const tg_schedule_attrs *a, const tg_moment *at) {
    double progress = (double)at->place / (a->epochs * (double)at->steps_per_epoch);
    return progress >= 1 ? 1 : a->start_factor + (1 - a->start_factor) * progress;
}
static double plateau_factor(const tg_schedule_attrs *a, const tg_moment *at) {
    return tg_pow_f64(a->factor, (double)at->plateaus);
}

#define ROWS(rows) rows, sizeof rows / sizeof *rows

static const tg_schedule table[] = {
    {"constant", NULL, 0, constant_factor},
    {"step", ROWS(step_rows), step_factor},
    {"exponential", ROWS(exponential_rows), exponential_factor},
    {"inverse_time", ROWS(inverse_time_rows), inverse_time_factor},
    {"cosine", ROWS(cosine_rows), cosine_factor},
    {"warm_up", ROWS(warm_up_rows), warm_up_factor},
    {"plateau", ROWS(plateau_rows), plateau_factor},
};

static const char *schedule_name(size_t index) {
    return index < sizeof table / sizeof *table ? table[index].name : NULL;
}

static tg_status read_one(const tg_value *value, tg_schedules *out, tg_error *err) {
    TG_REQUIRE(err, out->count < TG_MAX_SCHEDULES, TG_E_RECIPE, "at most %d schedules can follow each other",
               TG_MAX_SCHEDULES);
    TG_REQUIRE(err, value->kind == TG_OBJECT, TG_E_RECIPE, "must be an object with a type");
    const tg_value *type = tg_value_get(value, "type");
    TG_REQUIRE(err, type && type->kind == TG_STRING, TG_E_RECIPE, "type is missing");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, type->string) != 0) continue;
        TG_REQUIRE(err, table[i].factor != plateau_factor || !tg_schedules_plateau(out), TG_E_RECIPE,
                   "there can be only one plateau");
        tg_schedule_attrs *attrs = &out->attrs[out->count];
        TG_TRY(tg_attrs_read(value, table[i].rows, table[i].row_count, "type", attrs, err));
        out->rows[out->count++] = &table[i];
        return TG_OK;
    }
    return tg_attrs_unknown_type(type->string, schedule_name, err);
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

void tg_schedules_write(const tg_schedules *schedules, const tg_value *value, tg_text *text) {
    const tg_value *one = value && value->kind == TG_LIST ? value->first : value;
    tg_json_open(text, "schedule", '[');
    for (size_t i = 0; i < schedules->count; i++) {
        tg_json_open(text, NULL, '{');
        tg_json_string(text, "type", schedules->rows[i]->name);
        tg_attrs_write(text, schedules->rows[i]->rows, schedules->rows[i]->row_count, &schedules->attrs[i]);
        tg_attrs_write_extra(text, one);
        tg_json_close(text, '}');
        if (one) one = one->next;
    }
    tg_json_close(text, ']');
}

double tg_schedules_factor(const tg_schedules *schedules, const tg_moment *at) {
    double factor = 1;
    for (size_t i = 0; i < schedules->count; i++)
        factor *= schedules->rows[i]->factor(&schedules->attrs[i], at);
    return factor;
}

const tg_schedule_attrs *tg_schedules_plateau(const tg_schedules *schedules) {
    for (size_t i = 0; i < schedules->count; i++)
        if (schedules->rows[i]->factor == plateau_factor) return &schedules->attrs[i];
    return NULL;
}
