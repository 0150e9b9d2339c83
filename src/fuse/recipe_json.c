/* SPDX-License-Identifier: MIT */
/* Recipes as JSON. The canonical form is compact, with the keys in the order written here. */
#include "fuse/recipe.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define RECIPE_FORMAT 1
#define FEATURES_LIMIT 4096
#define NAME_LIMIT 200
#define TEXT_LIMIT ((size_t)4 << 20)

void csm_fuse_text_free(char *text) {
    csm_dealloc(text);
}

/* ---- writing ------------------------------------------------------------------------------------------------------- */

static int set_numbers(json_t *object, const char *key, const double *values, uint32_t count) {
    json_t *array = json_array();
    int failed = !array;
    for (uint32_t i = 0; i < count && !failed; i++)
        failed = json_array_append_new(array, json_real(values[i]));
    return json_object_set_new(object, key, array) || failed;
}

static json_t *feature_json(const csm_feature *feature) {
    json_t *object = json_object();
    if (!object) return NULL;
    int failed = json_object_set_new(object, "name", json_string(feature->name));
    failed |= json_object_set_new(object, "group", json_string(feature->formula->group));
    failed |= json_object_set_new(object, "formula", json_string(feature->formula->name));
    failed |= set_numbers(object, "parameters", feature->parameter, feature->formula->parameters);
    if (feature->indicator) {
        const csm_indicator *indicator = feature->indicator;
        failed |= json_object_set_new(object, "indicator", json_string(indicator->name));
        failed |= set_numbers(object, "indicator_parameters", feature->indicator_parameter,
                              indicator->parameter_count);
        failed |= json_object_set_new(object, "output", json_string(indicator->outputs[feature->output]));
    }
    failed |= json_object_set_new(object, "memory", json_integer((json_int_t)feature->memory));
    if (!failed) return object;
    json_decref(object);
    return NULL;
}

static json_t *recipe_json(const csm_recipe *recipe) {
    json_t *root = json_object(), *features = json_array();
    int failed = !root || !features;
    for (size_t i = 0; i < recipe->count && !failed; i++)
        failed = json_array_append_new(features, feature_json(&recipe->features[i]));
    failed = failed || json_object_set_new(root, "format", json_integer(RECIPE_FORMAT));
    failed = failed || json_object_set_new(root, "name", json_string(recipe->name));
    if (!failed) {
        failed = json_object_set(root, "features", features);
    }
    json_decref(features);
    if (!failed) return root;
    json_decref(root);
    return NULL;
}

csm_status csm_fuse_recipe_json(char **json, const csm_recipe *recipe) {
    if (!json || !recipe) return csm_fail(CSM_EINVAL, "recipe json: out and recipe must not be NULL");
    *json = NULL;
    json_t *root = recipe_json(recipe);
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    if (!text) return csm_fail(CSM_ENOMEM, "recipe %s: no memory for its JSON", recipe->name);
    *json = csm_strdup(text);
    free(text); /* jansson's own allocation */
    return *json ? CSM_OK : CSM_ENOMEM;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static csm_status get_text(const char **out, const json_t *object, const char *key, size_t index) {
    const json_t *value = json_object_get(object, key);
    *out = json_string_value(value);
    if (*out && json_string_length(value) > 0 && json_string_length(value) <= NAME_LIMIT &&
        strlen(*out) == json_string_length(value))
        return CSM_OK;
    return csm_fail(CSM_EPARSE, "recipe: \"%s\" of feature %zu is not a text of 1..%d bytes", key, index,
                    NAME_LIMIT);
}

static csm_status get_numbers(double *out, uint32_t count, const json_t *object, const char *key,
                              size_t index) {
    const json_t *array = json_object_get(object, key);
    if (!json_is_array(array) || json_array_size(array) != count)
        return csm_fail(CSM_EPARSE, "recipe: \"%s\" of feature %zu is not a list of %u numbers", key, index,
                        count);
    for (uint32_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_number(value))
            return csm_fail(CSM_EPARSE, "recipe: \"%s\" of feature %zu: element %u is not a number", key,
                            index, i);
        out[i] = json_number_value(value);
    }
    return CSM_OK;
}

static csm_status get_indicator(csm_feature *feature, const json_t *object, size_t index) {
    const char *name = NULL, *output = NULL;
    csm_status status = get_text(&name, object, "indicator", index);
    if (!status) status = get_text(&output, object, "output", index);
    if (status) return status;
    feature->indicator = csm_indicator_find(name);
    if (!feature->indicator)
        return csm_fail(CSM_EUNSUPPORTED, "recipe: feature %zu: indicator \"%s\" is unknown to this version",
                        index, name);
    while (feature->output < feature->indicator->output_count &&
           strcmp(feature->indicator->outputs[feature->output], output) != 0)
        feature->output++;
    if (feature->output == feature->indicator->output_count)
        return csm_fail(CSM_EUNSUPPORTED, "recipe: feature %zu: %s has no output \"%s\"", index, name,
                        output);
    return get_numbers(feature->indicator_parameter, feature->indicator->parameter_count, object,
                       "indicator_parameters", index);
}

static csm_status get_feature(csm_recipe *recipe, const json_t *object, size_t index) {
    const char *name = NULL, *formula = NULL, *group = NULL;
    csm_feature feature = {0};
    if (!json_is_object(object)) return csm_fail(CSM_EPARSE, "recipe: feature %zu is not an object", index);
    csm_status status = get_text(&name, object, "name", index);
    if (!status) status = get_text(&formula, object, "formula", index);
    if (!status) status = get_text(&group, object, "group", index);
    if (status) return status;
    feature.name = (char *)name;
    feature.formula = csm_formula_find(formula);
    if (!feature.formula)
        return csm_fail(CSM_EUNSUPPORTED, "recipe: feature %zu: formula \"%s\" is unknown to this version",
                        index, formula);
    if (strcmp(feature.formula->group, group) != 0)
        return csm_fail(CSM_EPARSE, "recipe: feature %zu: %s is not of group \"%s\"", index, formula, group);
    status = get_numbers(feature.parameter, feature.formula->parameters, object, "parameters", index);
    if (!status && feature.formula->indicator) status = get_indicator(&feature, object, index);
    if (!status) status = csm_recipe_add(recipe, &feature);
    if (status) return status;
    const size_t memory = recipe->features[recipe->count - 1].memory;
    const json_t *stated = json_object_get(object, "memory");
    if (json_is_integer(stated) && json_integer_value(stated) == (json_int_t)memory) return CSM_OK;
    return csm_fail(CSM_EUNSUPPORTED,
                    "recipe: feature %s needs %zu bars in this version, which is not what is stated", name,
                    memory);
}

static csm_status get_recipe(csm_recipe **recipe, const json_t *root) {
    const json_t *format = json_object_get(root, "format"), *features = json_object_get(root, "features");
    const char *name = NULL;
    if (!json_is_integer(format) || json_integer_value(format) != RECIPE_FORMAT)
        return csm_fail(CSM_EUNSUPPORTED, "recipe: \"format\" is not %d", RECIPE_FORMAT);
    csm_status status = get_text(&name, root, "name", 0);
    if (status) return status;
    const size_t count = json_array_size(features);
    if (!json_is_array(features) || count == 0 || count > FEATURES_LIMIT)
        return csm_fail(CSM_EPARSE, "recipe: \"features\" is not a list of 1..%d", FEATURES_LIMIT);
    status = csm_recipe_new(recipe, name, count);
    for (size_t i = 0; i < count && !status; i++)
        status = get_feature(*recipe, json_array_get(features, i), i);
    return status ? status : csm_recipe_seal(*recipe);
}

csm_status csm_fuse_recipe_parse(csm_recipe **out, const char *json, size_t length) {
    if (!out || !json) return csm_fail(CSM_EINVAL, "recipe parse: out and json must not be NULL");
    *out = NULL;
    if (length > TEXT_LIMIT)
        return csm_fail(CSM_EPARSE, "recipe: %zu bytes are more than %zu", length, TEXT_LIMIT);
    json_error_t error;
    json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &error);
    if (!root) return csm_fail(CSM_EPARSE, "recipe: byte %d: %s", error.position, error.text);
    csm_recipe *recipe = NULL;
    const csm_status status = get_recipe(&recipe, root);
    json_decref(root);
    if (status) {
        csm_recipe_free(recipe);
        return status;
    }
    *out = recipe;
    return CSM_OK;
}
