/* SPDX-License-Identifier: MIT */
/* LightGBM's text model, version v4. Base scores go into the first round's leaves, where LightGBM keeps them too. */
#include "model/gbt/exchange/exchange.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* KEY=numbers parted by spaces. Takes the list. jansson writes numbers without regard to the locale. */
static csm_status write_list(csm_buffer *out, const char *key, json_t *list) {
    char *text = list ? json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    size_t length = text ? strlen(text) : 0;
    csm_status status = CSM_ENOMEM;
    json_decref(list);
    if (length < 2) goto done;
    for (size_t i = 0; i < length; i++) text[i] = text[i] == ',' ? ' ' : text[i];
    if ((status = csm_buffer_printf(out, "%s=", key))) goto done;
    if ((status = csm_buffer_append(out, text + 1, length - 2))) goto done;
    status = csm_buffer_append(out, "\n", 1);
done:
    free(text); /* jansson's */
    return status;
}

/* ---- one tree ---- */

/* A tree with LightGBM's numbers: inner nodes 0.. in our order, leaves ~0, ~1, ... */
typedef struct tree_view {
    const gbt_ensemble *ensemble;
    size_t root;
    size_t count;
    size_t leaves;
    int64_t *number; /* of each node within the tree */
    double base;     /* added to leaves */
} tree_view;

typedef json_t *(*value_fn)(const tree_view *view, const gbt_node *node);

static json_t *value_of(const tree_view *view, const gbt_node *node) {
    return json_real(view->base + node->value);
}

static json_t *cover_of(const tree_view *view, const gbt_node *node) {
    (void)view;
    return json_real(node->cover);
}

static json_t *count_of(const tree_view *view, const gbt_node *node) {
    (void)view;
    return json_integer((json_int_t)fmin(floor(node->cover + 0.5), INT32_MAX));
}

static json_t *feature_of(const tree_view *view, const gbt_node *node) {
    (void)view;
    return json_integer(node->feature);
}

static json_t *gain_of(const tree_view *view, const gbt_node *node) {
    (void)view;
    return json_real(node->gain);
}

static json_t *left_of(const tree_view *view, const gbt_node *node) {
    return json_integer(view->number[(size_t)node->left - view->root]);
}

static json_t *right_of(const tree_view *view, const gbt_node *node) {
    return json_integer(view->number[(size_t)node->left + 1 - view->root]);
}

static json_t *decision_of(const tree_view *view, const gbt_node *node) {
    (void)view;
    if (node->flags & GBT_NODE_CATEGORICAL) return json_integer(1);
    return json_integer((node->flags & GBT_NODE_MISSING_LEFT ? 2 : 0) +
                        (node->flags & GBT_NODE_MISSING_ZERO ? 4 : 0) +
                        (node->flags & GBT_NODE_MISSING_NAN ? 8 : 0));
}

/* Values of all leaves, or of all inner nodes, in their order. */
static csm_status write_values(csm_buffer *out, const char *key, const tree_view *view, bool leaves,
                               value_fn of) {
    json_t *list = json_array();
    const gbt_node *nodes = view->ensemble->nodes + view->root;
    for (size_t n = 0; n < view->count; n++) {
        if ((nodes[n].feature < 0) != leaves) continue;
        if (json_array_append_new(list, of(view, &nodes[n]))) {
            json_decref(list);
            return CSM_ENOMEM;
        }
    }
    return write_list(out, key, list);
}

/* threshold: of a categorical node, which of the tree's sets it is. Then the sets. */
static csm_status write_thresholds(csm_buffer *out, const tree_view *view, size_t *sets) {
    json_t *threshold = json_array(), *boundary = json_array(), *words = json_array();
    const gbt_ensemble *ensemble = view->ensemble;
    const gbt_node *nodes = ensemble->nodes + view->root;
    size_t word_count = 0;
    int failed = json_array_append_new(boundary, json_integer(0));
    *sets = 0;
    for (size_t n = 0; n < view->count; n++) {
        if (nodes[n].feature < 0) continue;
        if (!(nodes[n].flags & GBT_NODE_CATEGORICAL)) {
            failed |= json_array_append_new(threshold, json_real(nodes[n].threshold));
            continue;
        }
        const uint32_t *set = ensemble->category + nodes[n].set;
        for (uint32_t w = 0; w < set[0]; w++)
            failed |= json_array_append_new(words, json_integer(set[1 + w]));
        word_count += set[0];
        failed |= json_array_append_new(threshold, json_integer((json_int_t)*sets));
        failed |= json_array_append_new(boundary, json_integer((json_int_t)word_count));
        ++*sets;
    }
    csm_status status = failed ? CSM_ENOMEM : write_list(out, "threshold", json_incref(threshold));
    if (!status && *sets) status = write_list(out, "cat_boundaries", json_incref(boundary));
    if (!status && *sets) status = write_list(out, "cat_threshold", json_incref(words));
    json_decref(threshold);
    json_decref(boundary);
    json_decref(words);
    return status;
}

static csm_status write_inner(csm_buffer *out, const tree_view *view) {
    static const struct {
        const char *key;
        value_fn of;
        bool leaves;
    } lists[] = {{"split_feature", feature_of, false},  {"split_gain", gain_of, false},
                 {"decision_type", decision_of, false}, {"left_child", left_of, false},
                 {"right_child", right_of, false},      {"internal_weight", cover_of, false},
                 {"internal_count", count_of, false},   {"leaf_weight", cover_of, true},
                 {"leaf_count", count_of, true}};
    csm_status status = CSM_OK;
    for (size_t i = 0; i < sizeof lists / sizeof *lists && !status; i++)
        status = write_values(out, lists[i].key, view, lists[i].leaves, lists[i].of);
    return status;
}

static csm_status check_tree(const tree_view *view, size_t tree) {
    const gbt_node *nodes = view->ensemble->nodes + view->root;
    for (size_t n = 0; n < view->count; n++) {
        bool left = nodes[n].flags & GBT_NODE_MISSING_LEFT && nodes[n].flags & GBT_NODE_MISSING_NAN;
        if (nodes[n].feature >= 0 && nodes[n].flags & GBT_NODE_CATEGORICAL && left)
            return csm_fail(CSM_EUNSUPPORTED,
                            "tree %zu, node %zu sends a missing category left; LightGBM knows only right",
                            tree, n);
    }
    return CSM_OK;
}

static void number_nodes(tree_view *view) {
    const gbt_node *nodes = view->ensemble->nodes + view->root;
    int64_t inner = 0, leaf = 0;
    for (size_t n = 0; n < view->count; n++) view->number[n] = nodes[n].feature < 0 ? ~leaf++ : inner++;
    view->leaves = (size_t)leaf;
}

static csm_status write_tree(csm_buffer *out, const gbt_ensemble *ensemble, size_t tree, double base) {
    tree_view view = {.ensemble = ensemble,
                      .root = ensemble->root[tree],
                      .count = ensemble->root[tree + 1] - ensemble->root[tree],
                      .base = base};
    csm_buffer thresholds = {0};
    size_t sets = 0;
    csm_status status = check_tree(&view, tree);
    if (status) return status;
    view.number = csm_alloc_array(view.count, sizeof *view.number);
    if (!view.number) return CSM_ENOMEM;
    number_nodes(&view);
    if ((status = write_thresholds(&thresholds, &view, &sets))) goto done;
    status = csm_buffer_printf(out, "Tree=%zu\nnum_leaves=%zu\nnum_cat=%zu\n", tree, view.leaves, sets);
    if (status) goto done;
    if (view.leaves > 1 && (status = write_inner(out, &view))) goto done;
    if (view.leaves > 1 && (status = csm_buffer_append(out, thresholds.data, thresholds.length))) goto done;
    if ((status = write_values(out, "leaf_value", &view, true, value_of))) goto done;
    status = csm_buffer_printf(out, "is_linear=0\nshrinkage=1\n\n\n");
done:
    csm_buffer_free(&thresholds);
    csm_dealloc(view.number);
    return status;
}

/* ---- header ---- */

static bool all_of(const gbt_ensemble *ensemble, gbt_link_kind kind) {
    for (uint32_t o = 0; o < ensemble->outputs; o++) {
        const gbt_link *link = &ensemble->link[o];
        if (link->kind != (int32_t)kind || link->scale < ensemble->link[0].scale ||
            link->scale > ensemble->link[0].scale)
            return false;
    }
    return true;
}

static csm_status write_number(csm_buffer *out, const char *before, double value) {
    char *text = NULL;
    json_t *number = json_real(value);
    if (number) text = json_dumps(number, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    csm_status status = text ? csm_buffer_printf(out, "%s%s", before, text) : CSM_ENOMEM;
    free(text); /* jansson's */
    json_decref(number);
    return status;
}

static csm_status write_objective(csm_buffer *out, const csm_model *model) {
    const gbt_ensemble *ensemble = model->state;
    bool several = ensemble->outputs > 1;
    csm_status status;
    if (all_of(ensemble, GBT_LINK_LOGISTIC)) {
        status = several ? csm_buffer_printf(out, "objective=multiclassova num_class:%u", ensemble->outputs)
                         : csm_buffer_printf(out, "objective=binary");
        if (!status) status = write_number(out, " sigmoid:", ensemble->link[0].scale);
        return status ? status : csm_buffer_append(out, "\n", 1);
    }
    if (several && all_of(ensemble, GBT_LINK_SOFTMAX))
        return csm_buffer_printf(out, "objective=multiclass num_class:%u\n", ensemble->outputs);
    if (all_of(ensemble, GBT_LINK_IDENTITY)) {
        if (several) return CSM_OK; /* as of a function of the user's: raw scores */
        if (model->info.objective == CSM_OBJECTIVE_QUANTILE) {
            status = write_number(out, "objective=quantile alpha:", model->values[GBT_QUANTILE]);
            return status ? status : csm_buffer_append(out, "\n", 1);
        }
        return csm_buffer_printf(out, "objective=regression\n");
    }
    if (!several && all_of(ensemble, GBT_LINK_EXP)) return csm_buffer_printf(out, "objective=poisson\n");
    if (!several && all_of(ensemble, GBT_LINK_LOG1P_EXP))
        return csm_buffer_printf(out, "objective=cross_entropy_lambda\n");
    if (!several && all_of(ensemble, GBT_LINK_SQUARE))
        return csm_buffer_printf(out, "objective=regression sqrt\n");
    return csm_fail(CSM_EUNSUPPORTED, "LightGBM has no objective with this model's links");
}

/* Names without what LightGBM does not take in them. */
static csm_status write_names(csm_buffer *out, const csm_model *model) {
    csm_status status = csm_buffer_printf(out, "feature_names=");
    for (size_t f = 0; f < model->info.features && !status; f++) {
        size_t begin = out->length + (f > 0);
        status = csm_buffer_printf(out, "%s%s", f ? " " : "", model->feature_names[f]);
        for (size_t i = begin; i < out->length && !status; i++) {
            if (strchr(" \t\r\n\",:[]{}=", out->data[i])) out->data[i] = '_';
        }
    }
    if (!status) status = csm_buffer_printf(out, "\nfeature_infos=");
    for (size_t f = 0; f < model->info.features && !status; f++)
        status = csm_buffer_printf(out, "%s[-1e+300:1e+300]", f ? " " : "");
    return status ? status : csm_buffer_append(out, "\n", 1);
}

/* A constant tree for each output: what remains of a model without trees. */
static csm_status write_constants(csm_buffer *out, const gbt_ensemble *ensemble) {
    csm_status status = CSM_OK;
    for (uint32_t o = 0; o < ensemble->outputs && !status; o++) {
        status = csm_buffer_printf(out, "Tree=%u\nnum_leaves=1\nnum_cat=0\n", o);
        if (!status) status = write_number(out, "leaf_value=", ensemble->base[o]);
        if (!status) status = csm_buffer_printf(out, "\nis_linear=0\nshrinkage=1\n\n\n");
    }
    return status;
}

csm_status gbt_export_lightgbm(csm_buffer *out, const csm_model *model, size_t rounds) {
    const gbt_ensemble *ensemble = model->state;
    uint32_t outputs = ensemble->outputs;
    csm_status status = csm_buffer_printf(out,
                                          "tree\nversion=v4\nnum_class=%u\nnum_tree_per_iteration=%u\n"
                                          "label_index=0\nmax_feature_idx=%zu\n",
                                          outputs, outputs, model->info.features - 1);
    if (!status) status = write_objective(out, model);
    if (!status) status = write_names(out, model);
    if (!status) status = csm_buffer_append(out, "\n", 1);
    if (!status && rounds == 0) status = write_constants(out, ensemble);
    for (size_t t = 0; t < rounds * outputs && !status; t++)
        status = write_tree(out, ensemble, t, t < outputs ? ensemble->base[t] : 0);
    if (!status) status = csm_buffer_printf(out, "end of trees\n\nparameters:\nend of parameters\n");
    return status ? csm_fail_prefix(status, "LightGBM") : CSM_OK;
}
