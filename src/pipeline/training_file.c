/* SPDX-License-Identifier: MIT */
/* A training as one safetensors file: recipe and markets as metadata, models and calibrators under each horizon's prefix, the
 * walk as one tensor a column. */
#include "calibrate/internal.h"
#include "core/platform.h"
#include "model/internal.h"
#include "pipeline/training.h"
#include "pipeline/training_facts.h"

#include <jansson.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRAINING_FORMAT 2
#define TRAINING_BYTES_MOST ((size_t)8 << 30)
#define MARKETS_MOST 100000
#define WINDOW_MOST 100000 /* rows */

/* ---- walk: one line a column ---- */

typedef struct walk_column {
    const char *name;
    csm_tensor_type type;
    size_t offset;
} walk_column;

static const walk_column columns[] = {
    {"time", CSM_TENSOR_I64, offsetof(csm_walk_row, time)},
    {"matures", CSM_TENSOR_I64, offsetof(csm_walk_row, matures)},
    {"score", CSM_TENSOR_F64, offsetof(csm_walk_row, score)},
    {"probability", CSM_TENSOR_F64, offsetof(csm_walk_row, probability)},
    {"lower", CSM_TENSOR_F64, offsetof(csm_walk_row, lower)},
    {"expected_return", CSM_TENSOR_F64, offsetof(csm_walk_row, expected_return)},
    {"low", CSM_TENSOR_F64, offsetof(csm_walk_row, low)},
    {"high", CSM_TENSOR_F64, offsetof(csm_walk_row, high)},
    {"log_return", CSM_TENSOR_F64, offsetof(csm_walk_row, log_return)},
    {"cost", CSM_TENSOR_F64, offsetof(csm_walk_row, cost)},
    {"momentum", CSM_TENSOR_F64, offsetof(csm_walk_row, momentum)},
    {"show", CSM_TENSOR_I64, offsetof(csm_walk_row, show)},
    {"market", CSM_TENSOR_I32, offsetof(csm_walk_row, market)},
    {"rises", CSM_TENSOR_I32, offsetof(csm_walk_row, rises)},
};
#define COLUMN_COUNT (sizeof columns / sizeof columns[0])

/* Column c of a walk with so many members: those of the table, then each member's score and return. */
static walk_column column_at(char *name, size_t size, size_t c) {
    if (c < COLUMN_COUNT) {
        snprintf(name, size, "walk.%s", columns[c].name);
        return columns[c];
    }
    const size_t member = (c - COLUMN_COUNT) / 2;
    const bool score = (c - COLUMN_COUNT) % 2 == 0;
    snprintf(name, size, "walk.member%zu.%s", member, score ? "score" : "return");
    const size_t first = score ? offsetof(csm_walk_row, member_score) : offsetof(csm_walk_row, member_return);
    return (walk_column){name, CSM_TENSOR_F64, first + member * sizeof(double)};
}

static csm_status write_walk(csm_tensors_writer *writer, const char *prefix, const horizon_walk *walk) {
    uint8_t *values = csm_alloc_array(walk->length + 1, 8);
    csm_status status = values ? CSM_OK : CSM_ENOMEM;
    for (size_t c = 0; status == CSM_OK && c < COLUMN_COUNT + 2 * walk->members; c++) {
        char name[64];
        const walk_column column = column_at(name, sizeof name, c);
        const size_t bytes = csm_tensor_type_bytes(column.type);
        for (size_t i = 0; i < walk->length; i++)
            memcpy(values + i * bytes, (const char *)&walk->rows[i] + column.offset, bytes);
        status = csm_tensors_add_array(writer, prefix, name, column.type, values, walk->length);
    }
    csm_dealloc(values);
    return status;
}

static csm_status read_walk(horizon_walk *walk, const csm_tensors *tensors, const char *prefix,
                            size_t markets) {
    size_t length = SIZE_MAX;
    csm_status status = CSM_OK;
    for (size_t c = 0; status == CSM_OK && c < COLUMN_COUNT + 2 * walk->members; c++) {
        void *values = NULL;
        char name[64];
        const walk_column column = column_at(name, sizeof name, c);
        const size_t bytes = csm_tensor_type_bytes(column.type);
        status = csm_tensors_copy(&values, &length, tensors, prefix, name, column.type);
        if (status == CSM_OK && !walk->rows) walk->rows = csm_alloc_array(length + 1, sizeof *walk->rows);
        if (status == CSM_OK && !walk->rows) status = CSM_ENOMEM;
        for (size_t i = 0; status == CSM_OK && i < length; i++)
            memcpy((char *)&walk->rows[i] + column.offset, (const char *)values + i * bytes, bytes);
        csm_dealloc(values);
    }
    if (status != CSM_OK) return status;
    walk->length = length;
    for (size_t i = 0; i < length; i++) {
        if (walk->rows[i].market >= markets)
            return csm_fail(CSM_ECORRUPT, "%swalk row %zu names market %u of %zu", prefix, i,
                            walk->rows[i].market, markets);
    }
    return CSM_OK;
}

/* Copies an array tensor of exactly `count` elements. */
static csm_status read_exactly(void *out, const csm_tensors *tensors, const char *prefix, const char *name,
                               csm_tensor_type type, size_t count) {
    void *values = NULL;
    size_t wanted = count;
    csm_status status = csm_tensors_copy(&values, &wanted, tensors, prefix, name, type);
    if (status == CSM_OK) memcpy(out, values, count * csm_tensor_type_bytes(type));
    csm_dealloc(values);
    return status;
}

/* ---- the ensemble: names, weights, two models a member ---- */

static csm_status write_ensemble(csm_tensors_writer *writer, const char *prefix,
                                 const horizon_result *result) {
    const ensemble *e = &result->ensemble;
    const int64_t window = (int64_t)e->window;
    char names[CSM_MEMBERS_MAX * (CSM_MEMBER_NAME + 1)] = "", inner[96];
    for (size_t m = 0; m < e->members; m++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", m ? "," : "", e->name[m]);
    csm_status status = csm_tensors_add_text(writer, prefix, "members", names);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, prefix, "window", CSM_TENSOR_I64, &window, 1);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, prefix, "weights.score", CSM_TENSOR_F64, result->weights.score,
                                       e->members);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, prefix, "weights.return", CSM_TENSOR_F64,
                                       result->weights.expected, e->members);
    for (size_t m = 0; status == CSM_OK && m < e->members; m++) {
        snprintf(inner, sizeof inner, "%s%s.direction.", prefix, e->name[m]);
        status = csm_model_write(writer, inner, e->member[m].direction);
        snprintf(inner, sizeof inner, "%s%s.expected.", prefix, e->name[m]);
        if (status == CSM_OK && e->member[m].expected)
            status = csm_model_write(writer, inner, e->member[m].expected);
    }
    return status;
}

/* Splits "trees,linear". */
static csm_status read_member_names(ensemble *e, const char *text) {
    for (const char *at = text; at && *at; e->members++) {
        const size_t length = strcspn(at, ",");
        if (e->members == CSM_MEMBERS_MAX || length == 0 || length >= CSM_MEMBER_NAME)
            return csm_fail(CSM_ECORRUPT, "members: '%.80s' are not 1..%d names", text, CSM_MEMBERS_MAX);
        memcpy(e->name[e->members], at, length);
        at += length + (at[length] == ',');
    }
    return e->members ? CSM_OK : csm_fail(CSM_ECORRUPT, "members: none are named");
}

static csm_status check_weights(const double *weight, size_t members) {
    for (size_t m = 0; m < members; m++) {
        if (!(weight[m] >= 0 && isfinite(weight[m])))
            return csm_fail(CSM_ECORRUPT, "weight %g of member %zu is below 0 or not finite", weight[m], m);
    }
    return CSM_OK;
}

static csm_status read_member(member_models *out, const csm_tensors *tensors, const char *prefix,
                              const char *name) {
    char inner[96];
    csm_model_info direction = {0}, expected = {0};
    snprintf(inner, sizeof inner, "%s%s.direction.", prefix, name);
    csm_status status = csm_model_read(&out->direction, tensors, inner);
    if (status == CSM_OK) status = csm_model_describe(&direction, out->direction);
    if (status != CSM_OK || direction.outputs == 2) return status;
    snprintf(inner, sizeof inner, "%s%s.expected.", prefix, name);
    status = csm_model_read(&out->expected, tensors, inner);
    if (status == CSM_OK) status = csm_model_describe(&expected, out->expected);
    if (status == CSM_OK &&
        (direction.outputs != 1 || expected.outputs != 1 || direction.learner != expected.learner))
        status = csm_fail(CSM_ECORRUPT, "%s%s: its two models do not belong together", prefix, name);
    return status;
}

static csm_status read_ensemble(horizon_result *result, const csm_tensors *tensors, const char *prefix) {
    ensemble *e = &result->ensemble;
    int64_t window = 0;
    csm_status status = read_member_names(e, csm_tensors_text(tensors, prefix, "members"));
    result->weights.members = result->walk.members = e->members;
    if (status == CSM_OK) status = read_exactly(&window, tensors, prefix, "window", CSM_TENSOR_I64, 1);
    if (status == CSM_OK && (window < 1 || window > WINDOW_MOST))
        status = csm_fail(CSM_ECORRUPT, "%swindow is %lld rows", prefix, (long long)window);
    e->window = (size_t)window;
    if (status == CSM_OK)
        status =
            read_exactly(result->weights.score, tensors, prefix, "weights.score", CSM_TENSOR_F64, e->members);
    if (status == CSM_OK)
        status = read_exactly(result->weights.expected, tensors, prefix, "weights.return", CSM_TENSOR_F64,
                              e->members);
    if (status == CSM_OK) status = check_weights(result->weights.score, e->members);
    if (status == CSM_OK) status = check_weights(result->weights.expected, e->members);
    for (size_t m = 0; status == CSM_OK && m < e->members; m++)
        status = read_member(&e->member[m], tensors, prefix, e->name[m]);
    return status;
}

/* ---- one horizon ---- */

static csm_status write_horizon(csm_tensors_writer *writer, const char *prefix,
                                const horizon_result *result) {
    char inner[80];
    double facts[CSM_FACTS_NUMBERS];
    csm_facts_to_numbers(facts, &result->facts);
    csm_status status = csm_tensors_add_text(writer, prefix, "event", result->event);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, prefix, "horizon", CSM_TENSOR_I64, &result->facts.horizon, 1);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, prefix, "facts", CSM_TENSOR_F64, facts, CSM_FACTS_NUMBERS);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, prefix, "radius", CSM_TENSOR_F64, &result->radius, 1);
    if (status == CSM_OK) status = write_ensemble(writer, prefix, result);
    snprintf(inner, sizeof inner, "%scalibrator.", prefix);
    if (status == CSM_OK)
        status = csm_tensors_add_text(writer, prefix, "calibrated", result->calibrator ? "true" : "false");
    if (status == CSM_OK && result->calibrator)
        status = csm_calibrator_write(writer, inner, result->calibrator);
    if (status == CSM_OK) status = write_walk(writer, prefix, &result->walk);
    return status;
}

static csm_status read_texts(horizon_result *result, bool *calibrated, const csm_tensors *tensors,
                             const char *prefix) {
    const char *event = csm_tensors_text(tensors, prefix, "event");
    const char *flag = csm_tensors_text(tensors, prefix, "calibrated");
    csm_hash hash;
    if (!event || csm_hash_parse(&hash, event) != CSM_OK)
        return csm_fail(CSM_ECORRUPT, "%sevent is no hash", prefix);
    if (!flag || (strcmp(flag, "true") != 0 && strcmp(flag, "false") != 0))
        return csm_fail(CSM_ECORRUPT, "%scalibrated is neither true nor false", prefix);
    memcpy(result->event, event, CSM_HASH_TEXT);
    *calibrated = strcmp(flag, "true") == 0;
    return CSM_OK;
}

static csm_status read_horizon(horizon_result *result, const csm_tensors *tensors, const char *prefix,
                               size_t markets) {
    char inner[80];
    double facts[CSM_FACTS_NUMBERS];
    csm_time horizon = 0;
    bool calibrated = false;
    csm_status status = read_texts(result, &calibrated, tensors, prefix);
    if (status == CSM_OK) status = read_exactly(&horizon, tensors, prefix, "horizon", CSM_TENSOR_I64, 1);
    if (status == CSM_OK)
        status = read_exactly(facts, tensors, prefix, "facts", CSM_TENSOR_F64, CSM_FACTS_NUMBERS);
    if (status == CSM_OK)
        status = read_exactly(&result->radius, tensors, prefix, "radius", CSM_TENSOR_F64, 1);
    if (status == CSM_OK) status = csm_facts_from_numbers(&result->facts, facts);
    result->facts.horizon = horizon;
    if (status == CSM_OK) status = read_ensemble(result, tensors, prefix);
    snprintf(inner, sizeof inner, "%scalibrator.", prefix);
    if (status == CSM_OK && calibrated) status = csm_calibrator_read(&result->calibrator, tensors, inner);
    if (status == CSM_OK) status = read_walk(&result->walk, tensors, prefix, markets);
    if (status == CSM_OK && result->facts.members != result->ensemble.members)
        status = csm_fail(CSM_ECORRUPT, "%sfacts are of %zu members", prefix, result->facts.members);
    for (size_t m = 0; m < result->ensemble.members; m++)
        memcpy(result->facts.member[m].name, result->ensemble.name[m], CSM_MEMBER_NAME);
    if (status == CSM_OK && (horizon <= 0 || result->facts.walk_rows != result->walk.length))
        status = csm_fail(CSM_ECORRUPT, "%sfacts do not belong to this walk", prefix);
    return status;
}

/* ---- the reference of drift, which files of earlier builds lack ---- */

static csm_status write_drift(csm_tensors_writer *writer, const drift_reference *d) {
    const int64_t window = d->window;
    if (d->features == 0) return CSM_OK;
    csm_status status = csm_tensors_add_text(writer, "drift.", "reference", "quantiles");
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, "drift.", "window", CSM_TENSOR_I64, &window, 1);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, "drift.", "quantiles", CSM_TENSOR_F32, d->quantile,
                                       d->features * CSM_DRIFT_QUANTILES);
    if (status == CSM_OK)
        status = csm_tensors_add_array(writer, "drift.", "psi", CSM_TENSOR_F64, d->psi, d->windows);
    return status == CSM_OK ? csm_tensors_add_array(writer, "drift.", "ks", CSM_TENSOR_F64, d->ks, d->windows)
                            : status;
}

static csm_status check_drift(const drift_reference *d) {
    for (size_t i = 0; i < d->features * CSM_DRIFT_QUANTILES; i++) {
        if (!isfinite(d->quantile[i])) return csm_fail(CSM_ECORRUPT, "drift: quantile %zu is not finite", i);
    }
    for (size_t w = 0; w < d->windows; w++) {
        if (!(d->psi[w] >= 0 && d->ks[w] >= 0 && isfinite(d->psi[w]) && isfinite(d->ks[w])))
            return csm_fail(CSM_ECORRUPT, "drift: window %zu is no distance", w);
    }
    return CSM_OK;
}

static csm_status read_drift(drift_reference *d, const csm_tensors *tensors, size_t features) {
    void *quantile = NULL, *psi = NULL, *ks = NULL;
    size_t values = features * CSM_DRIFT_QUANTILES, windows = SIZE_MAX;
    int64_t window = 0;
    if (!csm_tensors_text(tensors, "drift.", "reference")) return CSM_OK;
    csm_status status = read_exactly(&window, tensors, "drift.", "window", CSM_TENSOR_I64, 1);
    if (status == CSM_OK)
        status = csm_tensors_copy(&quantile, &values, tensors, "drift.", "quantiles", CSM_TENSOR_F32);
    if (status == CSM_OK) status = csm_tensors_copy(&psi, &windows, tensors, "drift.", "psi", CSM_TENSOR_F64);
    if (status == CSM_OK) status = csm_tensors_copy(&ks, &windows, tensors, "drift.", "ks", CSM_TENSOR_F64);
    *d = (drift_reference){.window = window, .quantile = quantile, .psi = psi, .ks = ks};
    if (status != CSM_OK) return status;
    d->features = features;
    d->windows = windows;
    if (window < CSM_DAY || window > 3660 * CSM_DAY)
        return csm_fail(CSM_ECORRUPT, "drift: window of %lld ns", (long long)window);
    return check_drift(d);
}

/* ---- what it is about ---- */

static csm_status write_about(csm_tensors_writer *writer, const csm_training *training) {
    json_t *markets = json_array(), *coins = json_array();
    for (size_t m = 0; m < training->markets; m++) {
        json_array_append_new(markets, json_string(training->market[m]));
        json_array_append_new(coins, json_string(training->coin[m]));
    }
    json_t *about =
        json_pack("{s:i,s:I,s:i,s:o,s:o}", "format", TRAINING_FORMAT, "as_of", (json_int_t)training->as_of,
                  "horizons", (int)training->horizons, "markets", markets, "coins", coins);
    char *text = about ? json_dumps(about, JSON_COMPACT) : NULL, *recipe = NULL;
    csm_status status = text ? csm_fuse_recipe_json(&recipe, training->recipe)
                             : csm_fail(CSM_ENOMEM, "training: no memory for its description");
    if (status == CSM_OK) status = csm_tensors_add_text(writer, "", "training", text);
    if (status == CSM_OK) status = csm_tensors_add_text(writer, "", "recipe", recipe);
    csm_fuse_text_free(recipe);
    free(text); /* jansson's */
    json_decref(about);
    return status;
}

static csm_status read_names(char ***out, const json_t *list, size_t count) {
    char **names = csm_alloc_array(count + 1, sizeof *names);
    if (!names) return CSM_ENOMEM;
    *out = names;
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text) return csm_fail(CSM_ECORRUPT, "training: name %zu is no text", i);
        if (!(names[i] = csm_strdup(text))) return CSM_ENOMEM;
    }
    return CSM_OK;
}

static csm_status read_about(csm_training *training, const csm_tensors *tensors) {
    const char *text = csm_tensors_text(tensors, "", "training"),
               *recipe = csm_tensors_text(tensors, "", "recipe");
    json_t *about = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *markets = json_object_get(about, "markets"), *coins = json_object_get(about, "coins");
    json_int_t format = json_integer_value(json_object_get(about, "format"));
    json_int_t horizons = json_integer_value(json_object_get(about, "horizons"));
    size_t count = json_array_size(markets);
    csm_status status = CSM_OK;
    if (!about || !recipe)
        status = csm_fail(CSM_EPARSE, "not a training: no description");
    else if (format != TRAINING_FORMAT)
        status = csm_fail(CSM_EUNSUPPORTED, "training format %lld; this build reads %d", (long long)format,
                          TRAINING_FORMAT);
    else if (horizons < 1 || horizons > CSM_HORIZONS_MAX || count > MARKETS_MOST ||
             json_array_size(coins) != count)
        status = csm_fail(CSM_ECORRUPT, "training: %lld horizons, %zu markets, %zu coins",
                          (long long)horizons, count, json_array_size(coins));
    if (status == CSM_OK) {
        training->horizons = (size_t)horizons;
        training->as_of = json_integer_value(json_object_get(about, "as_of"));
        status = read_names(&training->market, markets, count);
        training->markets = training->market ? count : 0;
    }
    if (status == CSM_OK) status = read_names(&training->coin, coins, count);
    if (status == CSM_OK) status = csm_fuse_recipe_parse(&training->recipe, recipe, strlen(recipe));
    json_decref(about);
    return status;
}

/* ---- files ---- */

csm_status csm_training_save(csm_training *training, const char *path) {
    csm_tensors_writer *writer = NULL;
    csm_buffer file = {0};
    csm_status status = csm_tensors_writer_new(&writer);
    if (status == CSM_OK) status = write_about(writer, training);
    for (size_t h = 0; status == CSM_OK && h < training->horizons; h++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "h%zu.", h);
        status = write_horizon(writer, prefix, &training->horizon[h]);
    }
    if (status == CSM_OK) status = write_drift(writer, &training->drift);
    if (status == CSM_OK) status = csm_tensors_finish(&file, writer);
    if (status == CSM_OK) {
        csm_hash hash = csm_hash_bytes(file.data, file.length);
        csm_hash_format(&hash, training->hash);
        status = csm_file_write_atomic(path, file.data, file.length, 0644);
    }
    csm_buffer_free(&file);
    csm_tensors_writer_free(writer);
    return status;
}

static csm_status read_training(csm_training *training, const void *bytes, size_t length) {
    csm_tensors *tensors = NULL;
    csm_status status = csm_tensors_read(&tensors, bytes, length);
    if (status == CSM_OK) status = read_about(training, tensors);
    for (size_t h = 0; status == CSM_OK && h < training->horizons; h++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "h%zu.", h);
        status = read_horizon(&training->horizon[h], tensors, prefix, training->markets);
    }
    if (status == CSM_OK)
        status = read_drift(&training->drift, tensors, csm_recipe_features(training->recipe));
    csm_hash hash = csm_hash_bytes(bytes, length);
    csm_hash_format(&hash, training->hash);
    csm_tensors_free(tensors);
    return status;
}

csm_status csm_training_parse(csm_training **out, const void *bytes, size_t length) {
    *out = NULL;
    csm_training *training = csm_alloc_array(1, sizeof *training);
    if (!training) return CSM_ENOMEM;
    const csm_status status = read_training(training, bytes, length);
    if (status == CSM_OK)
        *out = training;
    else
        csm_training_free(training);
    return status;
}

csm_status csm_training_load(csm_training **out, const char *path) {
    if (!out || !path) return csm_fail(CSM_EINVAL, "training: out and path are required");
    csm_buffer file = {0};
    *out = NULL;
    csm_status status = csm_file_read(&file, path, TRAINING_BYTES_MOST);
    if (status == CSM_OK) {
        status = csm_training_parse(out, file.data, file.length);
        if (status != CSM_OK) csm_fail_prefix(status, "%s", path);
    }
    csm_buffer_free(&file);
    return status;
}
