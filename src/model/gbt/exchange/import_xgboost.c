/* SPDX-License-Identifier: MIT */
/*
 * XGBoost's JSON model (doc/model.schema; Booster.save_model("m.json"), versions 1 to 3). x < split_condition goes left
 * there; categories of a node's list go right. base_score is a response, which the objective's link takes back.
 */
#include "model/gbt/exchange/exchange.h"

#include "core/real.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    gbt_link_kind link;
    gbt_link_kind base; /* link between base_score and its raw score: IDENTITY, LOGISTIC or EXP */
    csm_objective objective;
} objectives[] = {
    {"reg:squarederror", GBT_LINK_IDENTITY, GBT_LINK_IDENTITY, CSM_OBJECTIVE_SQUARED},
    {"reg:linear", GBT_LINK_IDENTITY, GBT_LINK_IDENTITY, CSM_OBJECTIVE_SQUARED},
    {"reg:squaredlogerror", GBT_LINK_IDENTITY, GBT_LINK_IDENTITY, CSM_OBJECTIVE_SQUARED},
    {"reg:pseudohubererror", GBT_LINK_IDENTITY, GBT_LINK_IDENTITY, CSM_OBJECTIVE_HUBER},
    {"reg:absoluteerror", GBT_LINK_IDENTITY, GBT_LINK_IDENTITY, CSM_OBJECTIVE_SQUARED},
    {"reg:quantileerror", GBT_LINK_IDENTITY, GBT_LINK_IDENTITY, CSM_OBJECTIVE_QUANTILE},
    {"reg:logistic", GBT_LINK_LOGISTIC, GBT_LINK_LOGISTIC, CSM_OBJECTIVE_LOGISTIC},
    {"binary:logistic", GBT_LINK_LOGISTIC, GBT_LINK_LOGISTIC, CSM_OBJECTIVE_LOGISTIC},
    {"binary:logitraw", GBT_LINK_IDENTITY, GBT_LINK_IDENTITY, CSM_OBJECTIVE_LOGISTIC},
    {"binary:hinge", GBT_LINK_STEP, GBT_LINK_IDENTITY, CSM_OBJECTIVE_SQUARED},
    {"multi:softprob", GBT_LINK_SOFTMAX, GBT_LINK_IDENTITY, CSM_OBJECTIVE_LOGISTIC},
    {"multi:softmax", GBT_LINK_SOFTMAX, GBT_LINK_IDENTITY, CSM_OBJECTIVE_LOGISTIC},
    {"count:poisson", GBT_LINK_EXP, GBT_LINK_EXP, CSM_OBJECTIVE_SQUARED},
    {"reg:gamma", GBT_LINK_EXP, GBT_LINK_EXP, CSM_OBJECTIVE_SQUARED},
    {"reg:tweedie", GBT_LINK_EXP, GBT_LINK_EXP, CSM_OBJECTIVE_SQUARED},
    {"survival:cox", GBT_LINK_EXP, GBT_LINK_EXP, CSM_OBJECTIVE_SQUARED},
    {"survival:aft", GBT_LINK_EXP, GBT_LINK_EXP, CSM_OBJECTIVE_SQUARED},
    {"rank:pairwise", GBT_LINK_IDENTITY, GBT_LINK_IDENTITY, CSM_OBJECTIVE_LAMBDARANK},
    {"rank:ndcg", GBT_LINK_IDENTITY, GBT_LINK_IDENTITY, CSM_OBJECTIVE_LAMBDARANK},
    {"rank:map", GBT_LINK_IDENTITY, GBT_LINK_IDENTITY, CSM_OBJECTIVE_LAMBDARANK},
};
#define OBJECTIVES (sizeof objectives / sizeof *objectives)

/* ---- numbers, which XGBoost writes as text in places ---- */

static csm_status read_size(size_t *out, const json_t *object, const char *key, size_t limit) {
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    char *end = NULL;
    unsigned long long number = 0;
    if (text && *text >= '0' && *text <= '9')
        number = strtoull(text, &end, 10);
    else if (json_is_integer(value) && json_integer_value(value) >= 0)
        number = (unsigned long long)json_integer_value(value), end = (char *)(uintptr_t) "";
    if (!end || *end || number > limit) return csm_fail(CSM_EPARSE, "%s is not within 0..%zu", key, limit);
    *out = (size_t)number;
    return CSM_OK;
}

/* An array of `count` numbers (or booleans) under `key`. */
static csm_status get_array(const json_t **out, const json_t *object, const char *key, size_t count) {
    const json_t *array = json_object_get(object, key);
    *out = NULL;
    if (!json_is_array(array) || (count != SIZE_MAX && json_array_size(array) != count))
        return csm_fail(CSM_EPARSE, "%s is not an array of %zu", key, count);
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *value = json_array_get(array, i);
        if (!json_is_number(value) && !json_is_boolean(value))
            return csm_fail(CSM_EPARSE, "%s: element %zu is not a number", key, i);
    }
    *out = array;
    return CSM_OK;
}

static double number_at(const json_t *array, size_t i) {
    const json_t *value = json_array_get(array, i);
    return json_is_boolean(value) ? (double)json_is_true(value) : json_number_value(value);
}

/* A number that is a whole one within lowest..highest, or EPARSE. */
static csm_status whole_at(int64_t *out, const json_t *array, size_t i, double lowest, double highest,
                           const char *key) {
    double value = number_at(array, i);
    if (!(value >= lowest && value <= highest && value == floor(value)))
        return csm_fail(CSM_EPARSE, "%s: element %zu is %g", key, i, value);
    *out = (int64_t)value;
    return CSM_OK;
}

/* ---- one tree ---- */

typedef struct tree_arrays {
    size_t count;
    const json_t *left;
    const json_t *right;
    const json_t *feature;
    const json_t *condition;
    const json_t *default_left;
    const json_t *type; /* NULL: all numeric */
    const json_t *gain;
    const json_t *cover;
    const json_t *categories;
    const json_t *set_node;
    const json_t *set_begin;
    const json_t *set_size;
} tree_arrays;

static csm_status get_tree(tree_arrays *out, const json_t *object) {
    const json_t *parameters = json_object_get(object, "tree_param");
    size_t vector = 1;
    *out = (tree_arrays){0};
    csm_status status = read_size(&out->count, parameters, "num_nodes", INT32_MAX);
    if (!status && json_object_get(parameters, "size_leaf_vector"))
        status = read_size(&vector, parameters, "size_leaf_vector", INT32_MAX);
    if (status) return status;
    if (vector > 1)
        return csm_fail(CSM_EUNSUPPORTED, "leaves of %zu values (multi_output_tree) are not supported",
                        vector);
    const struct {
        const json_t **array;
        const char *key;
    } needed[] = {{&out->left, "left_children"},        {&out->right, "right_children"},
                  {&out->feature, "split_indices"},     {&out->condition, "split_conditions"},
                  {&out->default_left, "default_left"}, {&out->gain, "loss_changes"},
                  {&out->cover, "sum_hessian"}};
    for (size_t i = 0; i < sizeof needed / sizeof *needed && !status; i++)
        status = get_array(needed[i].array, object, needed[i].key, out->count);
    if (status || !json_object_get(object, "split_type")) return status;
    if ((status = get_array(&out->type, object, "split_type", out->count))) return status;
    if (!json_object_get(object, "categories_nodes")) return CSM_OK;
    if ((status = get_array(&out->set_node, object, "categories_nodes", SIZE_MAX))) return status;
    size_t sets = json_array_size(out->set_node);
    if ((status = get_array(&out->set_begin, object, "categories_segments", sets))) return status;
    if ((status = get_array(&out->set_size, object, "categories_sizes", sets))) return status;
    return get_array(&out->categories, object, "categories", SIZE_MAX);
}

/* The categories begin..begin + size of the list as bits. */
static csm_status add_set(uint32_t *set, gbt_ensemble *ensemble, const json_t *categories, size_t begin,
                          size_t size) {
    int64_t category = 0, most = 0;
    csm_status status = CSM_OK;
    for (size_t i = begin; i < begin + size; i++) {
        status = whole_at(&category, categories, i, 0, GBT_CATEGORIES_MAX - 1, "categories");
        if (status) return status;
        most = category > most ? category : most;
    }
    uint32_t words = (uint32_t)most / 32 + 1;
    uint32_t *bits = csm_alloc_array(words, sizeof *bits);
    if (!bits) return CSM_ENOMEM;
    for (size_t i = begin; i < begin + size; i++) {
        uint32_t c = (uint32_t)number_at(categories, i);
        bits[c / 32] |= 1u << c % 32;
    }
    status = gbt_ensemble_add_set(set, ensemble, bits, words);
    csm_dealloc(bits);
    return status;
}

/* Sets of the tree's categorical nodes: categories_nodes ascends, and each of them has a segment of categories. */
static csm_status take_sets(foreign_tree *tree, gbt_ensemble *ensemble, const tree_arrays *from) {
    size_t sets = json_array_size(from->set_node), all = json_array_size(from->categories);
    for (size_t i = 0; i < sets; i++) {
        int64_t n = 0, begin = 0, size = 0;
        csm_status status = whole_at(&n, from->set_node, i, 0, (double)tree->count - 1, "categories_nodes");
        if (!status) status = whole_at(&begin, from->set_begin, i, 0, (double)all, "categories_segments");
        if (!status) status = whole_at(&size, from->set_size, i, 0, (double)all, "categories_sizes");
        if (status) return status;
        if ((size_t)begin + (size_t)size > all)
            return csm_fail(CSM_EPARSE, "categories %lld + %lld of %zu", (long long)begin, (long long)size,
                            all);
        status = add_set(&tree->node[n].set, ensemble, from->categories, (size_t)begin, (size_t)size);
        if (status) return status;
        tree->node[n].bin = 1; /* has its set */
    }
    return CSM_OK;
}

static csm_status take_node(foreign_tree *tree, const tree_arrays *from, size_t n, double weight) {
    gbt_node *node = &tree->node[n];
    int64_t left = 0, right = 0, feature = 0, type = 0;
    csm_status status = whole_at(&left, from->left, n, -1, INT32_MAX, "left_children");
    if (!status) status = whole_at(&right, from->right, n, -1, INT32_MAX, "right_children");
    if (!status) status = whole_at(&feature, from->feature, n, 0, INT32_MAX, "split_indices");
    if (!status && from->type) status = whole_at(&type, from->type, n, 0, 1, "split_type");
    if (status) return status;
    node->cover = number_at(from->cover, n);
    double condition = number_at(from->condition, n);
    if (left < 0) {
        node->feature = -1;
        node->value = weight * (double)(float)condition;
        return CSM_OK;
    }
    bool default_left = number_at(from->default_left, n) != 0;
    node->feature = (int32_t)feature;
    node->gain = number_at(from->gain, n);
    node->flags = GBT_NODE_MISSING_NAN;
    if (type == 0) {
        node->threshold = nextafterf((float)condition, -INFINITY);
        if (default_left) node->flags |= GBT_NODE_MISSING_LEFT;
        tree->left[n] = left;
        tree->right[n] = right;
        return CSM_OK;
    }
    if (!node->bin) return csm_fail(CSM_EPARSE, "node %zu has no categories", n);
    node->flags |= GBT_NODE_CATEGORICAL | (default_left ? 0u : GBT_NODE_MISSING_LEFT);
    tree->left[n] = right; /* the list goes right there, and left here */
    tree->right[n] = left;
    return CSM_OK;
}

static csm_status take_tree(gbt_ensemble *ensemble, const json_t *object, double weight, size_t index) {
    tree_arrays from;
    foreign_tree tree = {0};
    csm_status status = get_tree(&from, object);
    if (!status) status = foreign_tree_new(&tree, from.count);
    if (!status) status = take_sets(&tree, ensemble, &from);
    for (size_t n = 0; n < from.count && !status; n++) status = take_node(&tree, &from, n, weight);
    for (size_t n = 0; n < from.count && !status; n++) tree.node[n].bin = 0;
    if (!status) status = foreign_tree_append(ensemble, &tree, index);
    foreign_tree_free(&tree);
    return status ? csm_fail_prefix(status, "tree %zu", index) : CSM_OK;
}

/* ---- all trees ---- */

static csm_status append_nothing(gbt_ensemble *ensemble) {
    const gbt_node leaf = {.feature = -1};
    return gbt_ensemble_append(ensemble, &leaf, 1);
}

/* Here outputs take turns; there a round may have several trees an output (num_parallel_tree). So each output's trees are
 * taken in their order, and one that has fewer gets empty ones. */
static csm_status take_trees(foreign_model *model, const json_t *booster, const json_t *drop) {
    const json_t *trees = json_object_get(booster, "trees"), *info;
    size_t count = json_array_size(trees), most = 0;
    size_t *queue = csm_alloc_array(count, sizeof *queue);                      /* trees by output, */
    size_t *first = csm_alloc_array((size_t)model->outputs + 1, sizeof *first); /* from first[output] */
    csm_status status = queue && first ? CSM_OK : CSM_ENOMEM;
    if (!status && !json_is_array(trees)) status = csm_fail(CSM_EPARSE, "trees is not an array");
    if (!status) status = get_array(&info, booster, "tree_info", count);
    if (status) goto done;
    for (uint32_t o = 0, at = 0; o < model->outputs; o++) {
        first[o] = at;
        for (size_t t = 0; t < count; t++) {
            int64_t output = 0;
            if ((status = whole_at(&output, info, t, 0, model->outputs - 1.0, "tree_info"))) goto done;
            if ((uint32_t)output == o) queue[at++] = t;
        }
        first[o + 1] = at;
        most = at - first[o] > most ? at - first[o] : most;
    }
    if (most * (uint64_t)model->outputs > INT32_MAX) {
        status = csm_fail(CSM_EPARSE, "%zu trees for %u outputs", count, model->outputs);
        goto done;
    }
    for (size_t i = 0; i < most * model->outputs && !status; i++) {
        size_t o = i % model->outputs, at = first[o] + i / model->outputs;
        if (at >= first[o + 1]) {
            status = append_nothing(model->ensemble);
            continue;
        }
        size_t t = queue[at];
        double weight = drop ? number_at(drop, t) : 1;
        status = take_tree(model->ensemble, json_array_get(trees, t), weight, t);
    }
done:
    csm_dealloc(queue);
    csm_dealloc(first);
    return status;
}

/* ---- header ---- */

/* "[5E-1,2E0]" or "5E-1": one number for all outputs or one for each. */
static csm_status take_base(double *base, const json_t *parameters, uint32_t outputs, size_t kind) {
    const json_t *given = json_object_get(parameters, "base_score");
    const char *text = json_string_value(given);
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY, NULL) : json_incref((json_t *)(uintptr_t)given);
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    csm_status status = CSM_OK;
    if (count != 1 && count != outputs)
        status = csm_fail(CSM_EPARSE, "base_score has %zu values for %u outputs", count, outputs);
    for (uint32_t o = 0; o < outputs && !status; o++) {
        const json_t *number = json_is_array(value) ? json_array_get(value, count == 1 ? 0 : o) : value;
        double score = json_number_value(number);
        if (objectives[kind].base == GBT_LINK_LOGISTIC)
            score = -csm_log(1 / score - 1);
        else if (objectives[kind].base == GBT_LINK_EXP)
            score = csm_log(score);
        base[o] = score;
        if (!json_is_number(number) || !isfinite(score))
            status = csm_fail(CSM_EPARSE, "base_score of output %u is none of %s", o, objectives[kind].name);
    }
    json_decref(value);
    return status;
}

static csm_status take_names(foreign_model *model, const json_t *names) {
    if (json_array_size(names) == 0) return CSM_OK;
    if (json_array_size(names) != model->features)
        return csm_fail(CSM_EPARSE, "%zu feature_names for %zu features", json_array_size(names),
                        model->features);
    model->names = csm_alloc_array(model->features, sizeof *model->names);
    if (!model->names) return CSM_ENOMEM;
    for (size_t f = 0; f < model->features; f++) {
        const char *name = json_string_value(json_array_get(names, f));
        if (!name) return csm_fail(CSM_EPARSE, "feature_names: name %zu is not text", f);
        model->names[f] = csm_strdup(name);
        if (!model->names[f]) return CSM_ENOMEM;
    }
    return CSM_OK;
}

static csm_status take_shape(foreign_model *model, const json_t *parameters) {
    size_t classes = 0, targets = 1;
    csm_status status = read_size(&model->features, parameters, "num_feature", EXCHANGE_FEATURES_MAX);
    if (!status && json_object_get(parameters, "num_class"))
        status = read_size(&classes, parameters, "num_class", EXCHANGE_OUTPUTS_MAX);
    if (!status && json_object_get(parameters, "num_target"))
        status = read_size(&targets, parameters, "num_target", EXCHANGE_OUTPUTS_MAX);
    if (status) return status;
    if (model->features == 0) return csm_fail(CSM_EPARSE, "num_feature is 0");
    if (classes > 1 && targets > 1)
        return csm_fail(CSM_EUNSUPPORTED, "%zu classes of %zu targets are not supported", classes, targets);
    model->outputs = (uint32_t)(classes > 1 ? classes : targets > 1 ? targets : 1);
    return CSM_OK;
}

static csm_status take_header(foreign_model *model, const json_t *learner) {
    const json_t *parameters = json_object_get(learner, "learner_model_param");
    const char *name = json_string_value(json_object_get(json_object_get(learner, "objective"), "name"));
    size_t kind = 0;
    csm_status status = take_shape(model, parameters);
    if (status) return status;
    while (kind < OBJECTIVES && (!name || strcmp(objectives[kind].name, name) != 0)) kind++;
    if (kind == OBJECTIVES)
        return csm_fail(CSM_EUNSUPPORTED, "objective '%.64s' is not known", name ? name : "(none)");
    model->objective = objectives[kind].objective;
    double *base = csm_alloc_array(model->outputs, sizeof *base);
    if (!base) return CSM_ENOMEM;
    if ((status = take_base(base, parameters, model->outputs, kind))) goto done;
    if ((status = take_names(model, json_object_get(learner, "feature_names")))) goto done;
    status = gbt_ensemble_new(&model->ensemble, model->features, model->outputs, base);
    if (status) goto done;
    model->ensemble->missing = 1;
    for (uint32_t o = 0; o < model->outputs; o++)
        model->ensemble->link[o].kind = (int32_t)objectives[kind].link;
done:
    csm_dealloc(base);
    return status;
}

static csm_status take_booster(foreign_model *model, const json_t *booster) {
    const char *name = json_string_value(json_object_get(booster, "name"));
    const json_t *drop = NULL;
    if (name && strcmp(name, "gblinear") == 0)
        return csm_fail(CSM_EUNSUPPORTED, "gblinear has no trees and is not supported");
    if (name && strcmp(name, "dart") == 0) {
        const json_t *trees = json_object_get(json_object_get(booster, "gbtree"), "model");
        size_t count = json_array_size(json_object_get(trees, "trees"));
        csm_status status = get_array(&drop, booster, "weight_drop", count);
        return status ? status : take_trees(model, trees, drop);
    }
    if (!name || strcmp(name, "gbtree") != 0)
        return csm_fail(CSM_EUNSUPPORTED, "booster '%.64s' is not known", name ? name : "(none)");
    return take_trees(model, json_object_get(booster, "model"), NULL);
}

csm_status gbt_import_xgboost(csm_model **out, const char *text, size_t length) {
    foreign_model model = {0};
    json_error_t error;
    csm_status status;
    *out = NULL;
    json_t *root = json_loadb(text, length, 0, &error);
    const json_t *learner = json_object_get(root, "learner");
    if (!learner) {
        status = csm_fail(CSM_EPARSE, "not an XGBoost JSON model: %s", root ? "no learner" : error.text);
        goto done;
    }
    if ((status = take_header(&model, learner))) goto done;
    if ((status = take_booster(&model, json_object_get(learner, "gradient_booster")))) goto done;
    status = foreign_model_finish(out, &model);
done:
    json_decref(root);
    foreign_model_free(&model);
    return status ? csm_fail_prefix(status, "XGBoost") : CSM_OK;
}
