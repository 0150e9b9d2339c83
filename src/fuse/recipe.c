/* SPDX-License-Identifier: MIT */
#include "fuse/recipe.h"

#include <math.h>
#include <string.h>

#define WINDOW_LIMIT 1000000.0

/* ---- built-in recipes ------------------------------------------------------------------------------------------------ */

typedef struct feature_line {
    const char *name;
    const char *formula;
    double parameter[CSM_FORMULA_PARAMETERS_MAX];
    const char *indicator;
    uint32_t output;
    double indicator_parameter[CSM_INDICATOR_PARAMETERS_MAX];
} feature_line;

#define CSM_FEATURE(name_, formula_, p, q) {.name = name_, .formula = #formula_, .parameter = {p, q}},
#define CSM_INDICATED(name_, formula_, p, indicator_, output_, ...)                                          \
    {.name = name_,                                                                                          \
     .formula = #formula_,                                                                                   \
     .parameter = {p},                                                                                       \
     .indicator = indicator_,                                                                                \
     .output = output_,                                                                                      \
     .indicator_parameter = {__VA_ARGS__}},
static const feature_line spine_1[] = {
#include "fuse/spine_1.def"
};
#undef CSM_FEATURE
#undef CSM_INDICATED

typedef struct builtin {
    const char *name;
    const feature_line *lines;
    size_t count;
} builtin;

static const builtin builtins[] = {
    {"spine-1", spine_1, sizeof spine_1 / sizeof spine_1[0]},
};

size_t csm_fuse_recipe_count(void) {
    return sizeof builtins / sizeof builtins[0];
}

const char *csm_fuse_recipe_name(size_t index) {
    return index < csm_fuse_recipe_count() ? builtins[index].name : NULL;
}

static csm_status add_line(csm_recipe *recipe, const feature_line *line) {
    csm_feature feature = {.name = (char *)line->name, .output = line->output};
    feature.formula = csm_formula_find(line->formula);
    if (line->indicator) feature.indicator = csm_indicator_find(line->indicator);
    if (!feature.formula || (line->indicator && !feature.indicator))
        return csm_fail(CSM_EINTERNAL, "recipe %s: feature %s names an unknown formula or indicator",
                        recipe->name, line->name);
    memcpy(feature.parameter, line->parameter, sizeof feature.parameter);
    memcpy(feature.indicator_parameter, line->indicator_parameter, sizeof feature.indicator_parameter);
    return csm_recipe_add(recipe, &feature);
}

csm_status csm_fuse_recipe(csm_recipe **out, const char *name) {
    if (!out || !name) return csm_fail(CSM_EINVAL, "recipe: out and name must not be NULL");
    *out = NULL;
    const builtin *found = NULL;
    for (size_t i = 0; i < csm_fuse_recipe_count(); i++)
        if (strcmp(builtins[i].name, name) == 0) found = &builtins[i];
    if (!found) return csm_fail(CSM_ENOTFOUND, "recipe: \"%s\" is not built in", name);
    csm_recipe *recipe = NULL;
    csm_status status = csm_recipe_new(&recipe, found->name, found->count);
    for (size_t i = 0; i < found->count && !status; i++) status = add_line(recipe, &found->lines[i]);
    if (!status) status = csm_recipe_seal(recipe);
    if (status) {
        csm_recipe_free(recipe);
        return status;
    }
    *out = recipe;
    return CSM_OK;
}

/* ---- making one ---------------------------------------------------------------------------------------------------------- */

csm_status csm_recipe_new(csm_recipe **out, const char *name, size_t capacity) {
    *out = NULL;
    csm_recipe *recipe = csm_alloc_array(1, sizeof *recipe);
    if (!recipe) return CSM_ENOMEM;
    recipe->name = csm_strdup(name);
    recipe->features = csm_alloc_array(capacity, sizeof *recipe->features);
    if (!recipe->name || !recipe->features) {
        csm_recipe_free(recipe);
        return CSM_ENOMEM;
    }
    *out = recipe;
    return CSM_OK;
}

static csm_status check_feature(const csm_recipe *recipe, const csm_feature *feature) {
    const csm_formula *formula = feature->formula;
    for (uint32_t i = 0; i < CSM_FORMULA_PARAMETERS_MAX; i++) {
        const double p = feature->parameter[i];
        const bool used = i < formula->parameters;
        if (used ? p >= 1 && p <= WINDOW_LIMIT && p == floor(p) : p == 0) continue;
        return csm_fail(CSM_EINVAL, "recipe %s: feature %s: parameter %u of %s is %g; %s", recipe->name,
                        feature->name, i + 1, formula->name, p,
                        used ? "whole bars 1..1000000 are taken" : "there is none");
    }
    if (!formula->indicator != !feature->indicator)
        return csm_fail(CSM_EINVAL, "recipe %s: feature %s: formula %s takes %s indicator", recipe->name,
                        feature->name, formula->name, formula->indicator ? "an" : "no");
    if (!feature->indicator) return CSM_OK;
    if (feature->output >= feature->indicator->output_count)
        return csm_fail(CSM_EINVAL, "recipe %s: feature %s: %s has no output %u", recipe->name, feature->name,
                        feature->indicator->name, feature->output);
    if (strcmp(formula->name, "indicator_spread") == 0 && feature->indicator->output_count < 3)
        return csm_fail(CSM_EINVAL, "recipe %s: feature %s: %s has no third output", recipe->name,
                        feature->name, feature->indicator->name);
    const csm_status status = csm_indicator_check(feature->indicator, feature->indicator_parameter);
    return status ? csm_fail_prefix(status, "recipe %s: feature %s", recipe->name, feature->name) : CSM_OK;
}

csm_status csm_recipe_add(csm_recipe *recipe, const csm_feature *feature) {
    csm_feature *added = &recipe->features[recipe->count];
    const csm_status status = check_feature(recipe, feature);
    if (status) return status;
    *added = *feature;
    added->memory = feature->formula->memory(feature);
    if (added->memory == 0 || added->memory > (size_t)WINDOW_LIMIT * 4)
        return csm_fail(CSM_EINVAL, "recipe %s: feature %s needs %zu bars", recipe->name, feature->name,
                        added->memory);
    added->name = csm_strdup(feature->name);
    if (!added->name) return CSM_ENOMEM;
    recipe->count++;
    return CSM_OK;
}

csm_status csm_recipe_seal(csm_recipe *recipe) {
    if (recipe->count == 0) return csm_fail(CSM_EINVAL, "recipe %s has no features", recipe->name);
    for (size_t i = 0; i < recipe->count; i++) {
        if (recipe->features[i].memory > recipe->memory) recipe->memory = recipe->features[i].memory;
        for (size_t j = 0; j < i; j++)
            if (strcmp(recipe->features[i].name, recipe->features[j].name) == 0)
                return csm_fail(CSM_EINVAL, "recipe %s names feature %s twice", recipe->name,
                                recipe->features[i].name);
    }
    char *json = NULL;
    const csm_status status = csm_fuse_recipe_json(&json, recipe);
    if (status) return status;
    const csm_hash hash = csm_hash_bytes(json, strlen(json));
    csm_hash_format(&hash, recipe->hash);
    csm_fuse_text_free(json);
    return CSM_OK;
}

void csm_recipe_free(csm_recipe *recipe) {
    if (!recipe) return;
    for (size_t i = 0; recipe->features && i < recipe->count; i++) csm_dealloc(recipe->features[i].name);
    csm_dealloc(recipe->features);
    csm_dealloc(recipe->name);
    csm_dealloc(recipe);
}

static csm_status copy_where(csm_recipe **out, const csm_recipe *recipe, const char *name,
                             const char *without) {
    csm_recipe *copy = NULL;
    csm_status status = csm_recipe_new(&copy, name, recipe->count);
    for (size_t i = 0; i < recipe->count && !status; i++) {
        if (without && strcmp(recipe->features[i].formula->group, without) == 0) continue;
        status = csm_recipe_add(copy, &recipe->features[i]);
    }
    if (!status) status = csm_recipe_seal(copy);
    if (status) {
        csm_recipe_free(copy);
        return status;
    }
    *out = copy;
    return CSM_OK;
}

csm_status csm_recipe_copy(csm_recipe **out, const csm_recipe *recipe) {
    return copy_where(out, recipe, recipe->name, NULL);
}

/* The group's absence is part of the name: "spine-1-sentiment". A recipe that never had the group keeps its name. */
csm_status csm_fuse_recipe_without(csm_recipe **out, const csm_recipe *recipe, const char *group) {
    if (!out || !recipe || !group) return csm_fail(CSM_EINVAL, "recipe without: no argument may be NULL");
    *out = NULL;
    if (!csm_recipe_uses(recipe, group)) return csm_recipe_copy(out, recipe);
    char *name = csm_strformat("%s-%s", recipe->name, group);
    if (!name) return CSM_ENOMEM;
    const csm_status status = copy_where(out, recipe, name, group);
    csm_dealloc(name);
    return status;
}

/* ---- reading one ---------------------------------------------------------------------------------------------------------- */

bool csm_recipe_uses(const csm_recipe *recipe, const char *group) {
    for (size_t i = 0; i < recipe->count; i++)
        if (strcmp(recipe->features[i].formula->group, group) == 0) return true;
    return false;
}

const char *csm_recipe_name(const csm_recipe *recipe) {
    return recipe ? recipe->name : "";
}

const char *csm_recipe_hash(const csm_recipe *recipe) {
    return recipe ? recipe->hash : "";
}

size_t csm_recipe_features(const csm_recipe *recipe) {
    return recipe ? recipe->count : 0;
}

size_t csm_recipe_memory(const csm_recipe *recipe) {
    return recipe ? recipe->memory : 0;
}

csm_status csm_recipe_feature(csm_feature_info *out, const csm_recipe *recipe, size_t index) {
    if (!out || !recipe) return csm_fail(CSM_EINVAL, "recipe feature: out and recipe must not be NULL");
    if (index >= recipe->count)
        return csm_fail(CSM_EINVAL, "recipe %s: feature %zu is past the last of %zu", recipe->name, index,
                        recipe->count);
    const csm_feature *feature = &recipe->features[index];
    *out = (csm_feature_info){.name = feature->name,
                              .group = feature->formula->group,
                              .text = feature->formula->text,
                              .memory = feature->memory};
    return CSM_OK;
}
