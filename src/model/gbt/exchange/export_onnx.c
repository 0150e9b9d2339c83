/* SPDX-License-Identifier: MIT */
/*
 * ONNX (onnx.proto, IR version 8): x float (rows, features) -> Cast to double -> ai.onnx.ml TreeEnsembleRegressor (version
 * 3, sums in double) -> "raw" float (rows, outputs), and "response" behind the link where all outputs share one. Protocol
 * buffers need four things: a varint, a tag, bytes with their length, and messages within messages.
 */
#include "model/gbt/exchange/exchange.h"

#include <math.h>
#include <string.h>

#define WIRE_VARINT 0
#define WIRE_BYTES 2

/* onnx.proto: TensorProto.DataType and AttributeProto.AttributeType */
#define TYPE_FLOAT 1
#define TYPE_DOUBLE 11
#define ATTRIBUTE_INT 2
#define ATTRIBUTE_STRING 3
#define ATTRIBUTE_TENSOR 4
#define ATTRIBUTE_INTS 7
#define ATTRIBUTE_STRINGS 8

/* ---- protocol buffers ---- */

static csm_status put_varint(csm_buffer *out, uint64_t value) {
    uint8_t bytes[10];
    size_t count = 0;
    do {
        bytes[count] = (uint8_t)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        count++;
    } while (value >>= 7);
    return csm_buffer_append(out, bytes, count);
}

static csm_status put_int(csm_buffer *out, uint32_t field, int64_t value) {
    csm_status status = put_varint(out, (uint64_t)field << 3 | WIRE_VARINT);
    return status ? status : put_varint(out, (uint64_t)value);
}

static csm_status put_bytes(csm_buffer *out, uint32_t field, const void *data, size_t length) {
    csm_status status = put_varint(out, (uint64_t)field << 3 | WIRE_BYTES);
    if (!status) status = put_varint(out, length);
    return status || length == 0 ? status : csm_buffer_append(out, data, length);
}

static csm_status put_text(csm_buffer *out, uint32_t field, const char *text) {
    return put_bytes(out, field, text, strlen(text));
}

/* A message as a field; the message is freed. `status` is that of filling it. */
static csm_status put_message(csm_buffer *out, uint32_t field, csm_buffer *message, csm_status status) {
    if (!status) status = put_bytes(out, field, message->data, message->length);
    csm_buffer_free(message);
    return status;
}

/* ---- tensors and attributes: AttributeProto name 1, i 3, s 4, t 5, ints 8, strings 9, type 20 ---- */

static csm_status put_attribute(csm_buffer *node, const char *name, uint32_t type, csm_buffer *content,
                                csm_status status) {
    if (!status) status = put_text(content, 1, name);
    if (!status) status = put_int(content, 20, type);
    return put_message(node, 5, content, status);
}

static csm_status put_attribute_int(csm_buffer *node, const char *name, int64_t value) {
    csm_buffer content = {0};
    return put_attribute(node, name, ATTRIBUTE_INT, &content, put_int(&content, 3, value));
}

static csm_status put_attribute_text(csm_buffer *node, const char *name, const char *text) {
    csm_buffer content = {0};
    return put_attribute(node, name, ATTRIBUTE_STRING, &content, put_text(&content, 4, text));
}

/* TensorProto: dims 1, data_type 2, raw_data 9 (little-endian). */
static csm_status put_doubles(csm_buffer *out, uint32_t field, const double *values, size_t count) {
    csm_buffer tensor = {0};
    csm_status status = put_int(&tensor, 1, (int64_t)count);
    if (!status) status = put_int(&tensor, 2, TYPE_DOUBLE);
    if (!status) status = put_bytes(&tensor, 9, values, count * sizeof *values);
    return put_message(out, field, &tensor, status);
}

static csm_status put_attribute_doubles(csm_buffer *node, const char *name, const double *values,
                                        size_t count) {
    csm_buffer content = {0};
    return put_attribute(node, name, ATTRIBUTE_TENSOR, &content, put_doubles(&content, 5, values, count));
}

/* ---- the trees ---- */

/* One element a node, or a leaf, in the order of trees and nodes. */
typedef struct columns {
    size_t nodes;
    size_t leaves;
    const gbt_ensemble *ensemble;
    double *threshold; /* nodes */
    double *weight;    /* leaves */
} columns;

typedef int64_t (*node_fn)(const gbt_ensemble *ensemble, size_t tree, size_t n);

static int64_t tree_of(const gbt_ensemble *ensemble, size_t tree, size_t n) {
    (void)ensemble, (void)n;
    return (int64_t)tree;
}

static int64_t number_of(const gbt_ensemble *ensemble, size_t tree, size_t n) {
    return (int64_t)(n - ensemble->root[tree]);
}

static int64_t feature_of(const gbt_ensemble *ensemble, size_t tree, size_t n) {
    (void)tree;
    return ensemble->nodes[n].feature < 0 ? 0 : ensemble->nodes[n].feature;
}

static int64_t left_of(const gbt_ensemble *ensemble, size_t tree, size_t n) {
    const gbt_node *node = &ensemble->nodes[n];
    return node->feature < 0 ? 0 : number_of(ensemble, tree, (size_t)node->left);
}

static int64_t right_of(const gbt_ensemble *ensemble, size_t tree, size_t n) {
    return ensemble->nodes[n].feature < 0 ? 0 : left_of(ensemble, tree, n) + 1;
}

static int64_t nan_of(const gbt_ensemble *ensemble, size_t tree, size_t n) {
    (void)tree;
    const gbt_node *node = &ensemble->nodes[n];
    return node->feature >= 0 && gbt_goes_left(ensemble, node, NAN);
}

static int64_t output_of(const gbt_ensemble *ensemble, size_t tree, size_t n) {
    (void)n;
    return (int64_t)(tree % ensemble->outputs);
}

static csm_status put_ints(csm_buffer *node, const char *name, const columns *c, bool leaves, node_fn of) {
    csm_buffer content = {0}, packed = {0};
    csm_status status = CSM_OK;
    for (size_t n = 0, tree = 0; n < c->nodes && !status; n++) {
        while (n >= c->ensemble->root[tree + 1]) tree++;
        if (leaves && c->ensemble->nodes[n].feature >= 0) continue;
        status = put_varint(&packed, (uint64_t)of(c->ensemble, tree, n));
    }
    status = put_message(&content, 8, &packed, status);
    return put_attribute(node, name, ATTRIBUTE_INTS, &content, status);
}

static csm_status put_modes(csm_buffer *node, const columns *c) {
    csm_buffer content = {0};
    csm_status status = CSM_OK;
    for (size_t n = 0; n < c->nodes && !status; n++)
        status = put_text(&content, 9, c->ensemble->nodes[n].feature < 0 ? "LEAF" : "BRANCH_LEQ");
    return put_attribute(node, "nodes_modes", ATTRIBUTE_STRINGS, &content, status);
}

/* What BRANCH_LEQ cannot say: sets, and zeros that go another way than the comparison. */
static csm_status check_nodes(const gbt_ensemble *ensemble, size_t count) {
    for (size_t n = 0; n < count; n++) {
        const gbt_node *node = &ensemble->nodes[n];
        if (node->feature < 0) continue;
        if (node->flags & GBT_NODE_CATEGORICAL)
            return csm_fail(CSM_EUNSUPPORTED, "node %zu splits on categories, which is not exported", n);
        bool left = node->flags & GBT_NODE_MISSING_LEFT;
        if (node->flags & GBT_NODE_MISSING_ZERO && left != (0 <= node->threshold))
            return csm_fail(CSM_EUNSUPPORTED, "node %zu takes zeros as missing, which is not exported", n);
    }
    return CSM_OK;
}

static csm_status fill_columns(columns *c, const gbt_ensemble *ensemble, size_t nodes) {
    *c = (columns){.nodes = nodes, .ensemble = ensemble};
    c->threshold = csm_alloc_array(nodes, sizeof *c->threshold);
    c->weight = csm_alloc_array(nodes, sizeof *c->weight);
    if (!c->threshold || !c->weight) return CSM_ENOMEM;
    for (size_t n = 0; n < nodes; n++) {
        const gbt_node *node = &ensemble->nodes[n];
        c->threshold[n] = node->feature < 0 ? 0 : (double)node->threshold;
        if (node->feature < 0) c->weight[c->leaves++] = node->value;
    }
    return CSM_OK;
}

/* NodeProto: input 1, output 2, op_type 4, attribute 5, domain 7. */
static csm_status begin_node(csm_buffer *node, const char *type, const char *input, const char *output) {
    csm_status status = put_text(node, 1, input);
    if (!status) status = put_text(node, 2, output);
    return status ? status : put_text(node, 4, type);
}

static csm_status put_trees(csm_buffer *graph, const columns *c) {
    static const struct {
        const char *name;
        node_fn of;
        bool leaves;
    } ints[] = {{"nodes_treeids", tree_of, false},       {"nodes_nodeids", number_of, false},
                {"nodes_featureids", feature_of, false}, {"nodes_truenodeids", left_of, false},
                {"nodes_falsenodeids", right_of, false}, {"nodes_missing_value_tracks_true", nan_of, false},
                {"target_treeids", tree_of, true},       {"target_nodeids", number_of, true},
                {"target_ids", output_of, true}};
    csm_buffer node = {0};
    const gbt_ensemble *ensemble = c->ensemble;
    csm_status status = begin_node(&node, "TreeEnsembleRegressor", "x_double", "raw");
    if (!status) status = put_text(&node, 7, "ai.onnx.ml");
    for (size_t i = 0; i < sizeof ints / sizeof *ints && !status; i++)
        status = put_ints(&node, ints[i].name, c, ints[i].leaves, ints[i].of);
    if (!status) status = put_modes(&node, c);
    if (!status) status = put_attribute_int(&node, "n_targets", ensemble->outputs);
    if (!status) status = put_attribute_text(&node, "aggregate_function", "SUM");
    if (!status) status = put_attribute_text(&node, "post_transform", "NONE");
    if (!status) status = put_attribute_doubles(&node, "nodes_values_as_tensor", c->threshold, c->nodes);
    if (!status) status = put_attribute_doubles(&node, "target_weights_as_tensor", c->weight, c->leaves);
    if (!status)
        status = put_attribute_doubles(&node, "base_values_as_tensor", ensemble->base, ensemble->outputs);
    return put_message(graph, 1, &node, status);
}

/* ---- the graph ---- */

/* The link as an operator; NULL where there is none, or outputs differ. */
static const char *link_operator(const gbt_ensemble *ensemble) {
    static const char *const operators[GBT_LINK_KINDS] = {[GBT_LINK_IDENTITY] = "Identity",
                                                          [GBT_LINK_LOGISTIC] = "Sigmoid",
                                                          [GBT_LINK_SOFTMAX] = "Softmax",
                                                          [GBT_LINK_EXP] = "Exp",
                                                          [GBT_LINK_LOG1P_EXP] = "Softplus"};
    for (uint32_t o = 0; o < ensemble->outputs; o++) {
        const gbt_link *link = &ensemble->link[o];
        if (link->kind != ensemble->link[0].kind || link->scale < 1 || link->scale > 1) return NULL;
    }
    return operators[ensemble->link[0].kind];
}

static csm_status put_node(csm_buffer *graph, const char *type, const char *input, const char *output,
                           const char *attribute, int64_t value) {
    csm_buffer node = {0};
    csm_status status = begin_node(&node, type, input, output);
    if (!status && attribute) status = put_attribute_int(&node, attribute, value);
    return put_message(graph, 1, &node, status);
}

/* ValueInfoProto: name 1, type 2; TypeProto: tensor_type 1; Tensor: elem_type 1, shape 2; TensorShapeProto: dim 1;
 * Dimension: dim_value 1, dim_param 2. A float matrix (rows, columns). */
static csm_status put_value(csm_buffer *graph, uint32_t field, const char *name, size_t cols) {
    csm_buffer rows = {0}, columns_of = {0}, shape = {0}, tensor = {0}, type = {0}, value = {0};
    csm_status status = put_message(&shape, 1, &rows, put_text(&rows, 2, "rows"));
    csm_status filled = put_int(&columns_of, 1, (int64_t)cols);
    status = put_message(&shape, 1, &columns_of, status ? status : filled);
    filled = put_int(&tensor, 1, TYPE_FLOAT);
    status = put_message(&tensor, 2, &shape, status ? status : filled);
    status = put_message(&type, 1, &tensor, status);
    filled = put_text(&value, 1, name);
    status = put_message(&value, 2, &type, status ? status : filled);
    return put_message(graph, field, &value, status);
}

/* GraphProto: node 1, name 2, input 11, output 12. */
static csm_status put_graph(csm_buffer *graph, const columns *c, const char *link) {
    const gbt_ensemble *ensemble = c->ensemble;
    csm_status status = put_text(graph, 2, "cryptosmart");
    if (!status) status = put_node(graph, "Cast", "x", "x_double", "to", TYPE_DOUBLE);
    if (!status) status = put_trees(graph, c);
    if (!status && link) {
        bool softmax = ensemble->link[0].kind == GBT_LINK_SOFTMAX;
        status = put_node(graph, link, "raw", "response", softmax ? "axis" : NULL, 1);
    }
    if (!status) status = put_value(graph, 11, "x", ensemble->features);
    if (!status) status = put_value(graph, 12, "raw", ensemble->outputs);
    if (!status && link) status = put_value(graph, 12, "response", ensemble->outputs);
    return status;
}

/* OperatorSetIdProto: domain 1, version 2. */
static csm_status put_operators(csm_buffer *model, const char *domain, int64_t version) {
    csm_buffer set = {0};
    csm_status status = put_text(&set, 1, domain);
    if (!status) status = put_int(&set, 2, version);
    return put_message(model, 8, &set, status);
}

/* ModelProto: ir_version 1, producer_name 2, producer_version 3, graph 7, opset_import 8. */
csm_status gbt_export_onnx(csm_buffer *out, const csm_model *model, size_t rounds) {
    const gbt_ensemble *ensemble = model->state;
    size_t nodes = ensemble->root[rounds * ensemble->outputs];
    columns c = {0};
    csm_buffer graph = {0};
    if (nodes == 0) return csm_fail(CSM_EUNSUPPORTED, "ONNX: a model without trees is not exported");
    csm_status status = check_nodes(ensemble, nodes);
    if (!status) status = fill_columns(&c, ensemble, nodes);
    if (!status) status = put_int(out, 1, 8);
    if (!status) status = put_text(out, 2, "libcryptosmart");
    if (!status) status = put_text(out, 3, csm_version());
    if (!status) status = put_graph(&graph, &c, link_operator(ensemble));
    status = put_message(out, 7, &graph, status);
    if (!status) status = put_operators(out, "", 15);
    if (!status) status = put_operators(out, "ai.onnx.ml", 3);
    csm_dealloc(c.threshold);
    csm_dealloc(c.weight);
    return status ? csm_fail_prefix(status, "ONNX") : CSM_OK;
}
