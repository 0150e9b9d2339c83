/* SPDX-License-Identifier: MIT */
/* Trees for people and programs: JSON with one object a node, and Graphviz. */
#include "model/gbt/exchange/exchange.h"

#include <math.h>
#include <stdlib.h>

static const char *const link_names[GBT_LINK_KINDS] = {
    [GBT_LINK_IDENTITY] = "identity", [GBT_LINK_LOGISTIC] = "logistic",   [GBT_LINK_SOFTMAX] = "softmax",
    [GBT_LINK_EXP] = "exp",           [GBT_LINK_LOG1P_EXP] = "log1p_exp", [GBT_LINK_SQUARE] = "signed_square",
    [GBT_LINK_STEP] = "step",
};

static bool holds(const uint32_t *set, uint32_t category) {
    return set[1 + category / 32] >> category % 32 & 1;
}

static json_t *categories_json(const uint32_t *set) {
    json_t *list = json_array();
    for (uint32_t c = 0; c < 32 * set[0]; c++) {
        if (holds(set, c) && json_array_append_new(list, json_integer(c))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Where NaN goes. */
static bool nan_goes_left(const gbt_ensemble *ensemble, const gbt_node *node) {
    return gbt_goes_left(ensemble, node, NAN);
}

static json_t *node_json(const csm_model *model, size_t n, size_t root) {
    const gbt_ensemble *ensemble = model->state;
    const gbt_node *node = &ensemble->nodes[n];
    json_int_t number = (json_int_t)(n - root);
    if (node->feature < 0)
        return json_pack("{s:I, s:f, s:f}", "node", number, "leaf", node->value, "cover", node->cover);
    bool categorical = node->flags & GBT_NODE_CATEGORICAL;
    json_int_t left = (json_int_t)((size_t)node->left - root);
    json_t *test = categorical ? categories_json(ensemble->category + node->set) : json_real(node->threshold);
    return json_pack("{s:I, s:i, s:s, s:o, s:I, s:I, s:s, s:b, s:f, s:f}", "node", number, "feature",
                     node->feature, "name", model->feature_names[node->feature],
                     categorical ? "in" : "at_most", test, "left", left, "right", left + 1, "nan",
                     nan_goes_left(ensemble, node) ? "left" : "right", "zero_is_missing",
                     (node->flags & GBT_NODE_MISSING_ZERO) != 0, "gain", node->gain, "cover", node->cover);
}

/* Appends the JSON text of a value, which it takes. */
static csm_status append_json(csm_buffer *out, json_t *value) {
    char *text =
        value ? json_dumps(value, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(17)) : NULL;
    csm_status status = text ? csm_buffer_printf(out, "%s", text)
                             : csm_fail(CSM_EINVAL, "JSON: a name is not UTF-8, or memory is short");
    free(text); /* jansson's */
    json_decref(value);
    return status;
}

static json_t *outputs_json(const gbt_ensemble *ensemble) {
    json_t *list = json_array();
    for (uint32_t o = 0; o < ensemble->outputs; o++) {
        const gbt_link *link = &ensemble->link[o];
        if (json_array_append_new(list, json_pack("{s:f, s:s, s:f}", "base", ensemble->base[o], "link",
                                                  link_names[link->kind], "scale", link->scale))) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

csm_status gbt_export_json(csm_buffer *out, const csm_model *model, size_t rounds) {
    const gbt_ensemble *ensemble = model->state;
    csm_status status = csm_buffer_printf(out, "{\"outputs\":");
    if (!status) status = append_json(out, outputs_json(ensemble));
    if (!status) status = csm_buffer_printf(out, ",\n\"trees\":[");
    for (size_t t = 0; t < rounds * ensemble->outputs && !status; t++) {
        size_t root = ensemble->root[t];
        status = csm_buffer_printf(out, "%s\n{\"tree\":%zu,\"output\":%zu,\"nodes\":[", t ? "," : "", t,
                                   t % ensemble->outputs);
        for (size_t n = root; n < ensemble->root[t + 1] && !status; n++) {
            status = csm_buffer_printf(out, "%s\n", n > root ? "," : "");
            if (!status) status = append_json(out, node_json(model, n, root));
        }
        if (!status) status = csm_buffer_printf(out, "]}");
    }
    return status ? status : csm_buffer_printf(out, "]}\n");
}

/* ---- Graphviz ---- */

/* `text` as the inside of a quoted DOT string. */
static csm_status append_quoted(csm_buffer *out, const char *text) {
    csm_status status = CSM_OK;
    for (; *text && !status; text++) {
        if (*text == '"' || *text == '\\') status = csm_buffer_append(out, "\\", 1);
        if (!status) status = csm_buffer_append(out, (unsigned char)*text < ' ' ? " " : text, 1);
    }
    return status;
}

static csm_status append_test(csm_buffer *out, const gbt_ensemble *ensemble, const gbt_node *node) {
    if (!(node->flags & GBT_NODE_CATEGORICAL))
        return csm_buffer_printf(out, "\\n&le; %.9g", (double)node->threshold);
    const uint32_t *set = ensemble->category + node->set;
    csm_status status = csm_buffer_printf(out, "\\nin {");
    const char *comma = "";
    for (uint32_t c = 0; c < 32 * set[0] && !status; c++) {
        if (!holds(set, c)) continue;
        status = csm_buffer_printf(out, "%s%u", comma, c);
        comma = ", ";
    }
    return status ? status : csm_buffer_printf(out, "}");
}

static csm_status append_node(csm_buffer *out, const csm_model *model, size_t n) {
    const gbt_ensemble *ensemble = model->state;
    const gbt_node *node = &ensemble->nodes[n];
    if (node->feature < 0)
        return csm_buffer_printf(out, "    n%zu [label=\"%.9g\\ncover %.9g\", shape=box, style=rounded];\n",
                                 n, node->value, node->cover);
    csm_status status = csm_buffer_printf(out, "    n%zu [label=\"", n);
    if (!status) status = append_quoted(out, model->feature_names[node->feature]);
    if (!status) status = append_test(out, ensemble, node);
    if (status) return status;
    bool left = nan_goes_left(ensemble, node);
    const char *yes = ensemble->missing && left ? "yes, missing" : "yes";
    const char *no = ensemble->missing && !left ? "no, missing" : "no";
    return csm_buffer_printf(out,
                             "\\ngain %.9g, cover %.9g\"];\n    n%zu -> n%d [label=\"%s\"];\n"
                             "    n%zu -> n%d [label=\"%s\"];\n",
                             node->gain, node->cover, n, node->left, yes, n, node->left + 1, no);
}

csm_status gbt_export_graphviz(csm_buffer *out, const csm_model *model, size_t rounds) {
    const gbt_ensemble *ensemble = model->state;
    csm_status status =
        csm_buffer_printf(out, "digraph trees {\n  node [shape=ellipse, fontname=\"sans-serif\"];\n");
    for (size_t t = 0; t < rounds * ensemble->outputs && !status; t++) {
        status = csm_buffer_printf(out, "  subgraph cluster_%zu {\n    label=\"tree %zu, output %zu\";\n", t,
                                   t, t % ensemble->outputs);
        for (size_t n = ensemble->root[t]; n < ensemble->root[t + 1] && !status; n++)
            status = append_node(out, model, n);
        if (!status) status = csm_buffer_printf(out, "  }\n");
    }
    return status ? status : csm_buffer_printf(out, "}\n");
}
