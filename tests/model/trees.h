/* SPDX-License-Identifier: MIT */
/* Random ensembles, and prediction by the plainest walk. */
#ifndef CSM_TESTS_MODEL_TREES_H
#define CSM_TESTS_MODEL_TREES_H

#include "model/support.h"

#include "model/gbt/internal.h"

typedef struct forest_shape {
    uint64_t seed;
    size_t features;
    uint32_t outputs;
    size_t rounds;
    uint32_t leaves;  /* of each tree */
    double grain;     /* thresholds are multiples of it; 0: any float */
    bool missing;     /* flags of every kind, and NaN allowed */
    bool categorical; /* the last feature is a category below 40 */
} forest_shape;

static inline double draw(const forest_shape *shape, uint64_t *at) {
    return csm_random_uniform(shape->seed, 77, (*at)++);
}

static inline void draw_node(gbt_node *node, gbt_ensemble *ensemble, const forest_shape *shape,
                             uint64_t *at) {
    static const uint32_t kinds[] = {0, GBT_NODE_MISSING_NAN, GBT_NODE_MISSING_NAN | GBT_NODE_MISSING_LEFT,
                                     GBT_NODE_MISSING_ZERO, GBT_NODE_MISSING_ZERO | GBT_NODE_MISSING_LEFT};
    double threshold = 4 * draw(shape, at) - 2;
    node->feature = (int32_t)(draw(shape, at) * (double)shape->features);
    node->gain = draw(shape, at);
    node->threshold = (float)(shape->grain > 0 ? shape->grain * round(threshold / shape->grain) : threshold);
    node->flags = shape->missing ? kinds[(size_t)(draw(shape, at) * 5)] : 0;
    if (!shape->categorical || (size_t)node->feature + 1 != shape->features) return;
    const uint32_t words[2] = {(uint32_t)(draw(shape, at) * 4294967295.0), (uint32_t)(draw(shape, at) * 255)};
    node->flags = GBT_NODE_CATEGORICAL | (node->flags & (GBT_NODE_MISSING_NAN | GBT_NODE_MISSING_LEFT));
    assert_ok(gbt_ensemble_add_set(&node->set, ensemble, words, 2));
}

/* Splits a random leaf until there are enough. Covers are whole numbers that add up. */
static inline void draw_tree(gbt_ensemble *ensemble, const forest_shape *shape, uint64_t *at) {
    size_t capacity = 2 * (size_t)shape->leaves - 1, count = 1;
    gbt_node *nodes = calloc(capacity, sizeof *nodes);
    size_t *leaf = calloc(shape->leaves, sizeof *leaf), leaves = 1;
    nodes[0].feature = -1;
    while (leaves < shape->leaves) {
        size_t chosen = (size_t)(draw(shape, at) * (double)leaves);
        gbt_node *node = &nodes[leaf[chosen]];
        draw_node(node, ensemble, shape, at);
        node->left = (int32_t)count;
        nodes[count].feature = nodes[count + 1].feature = -1;
        leaf[chosen] = count;
        leaf[leaves++] = count + 1;
        count += 2;
    }
    for (size_t n = count; n-- > 0;) {
        if (nodes[n].feature < 0) {
            nodes[n].value = 2 * draw(shape, at) - 1;
            nodes[n].cover = 1 + floor(20 * draw(shape, at));
        } else {
            nodes[n].cover = nodes[nodes[n].left].cover + nodes[nodes[n].left + 1].cover;
        }
    }
    assert_ok(gbt_ensemble_append(ensemble, nodes, count));
    free(nodes);
    free(leaf);
}

static inline csm_model *model_of(gbt_ensemble *ensemble) {
    csm_model_info info = {.learner = "gbt",
                           .outputs = ensemble->outputs,
                           .features = ensemble->features,
                           .rounds = ensemble->trees / ensemble->outputs,
                           .training_loss = NAN,
                           .validation_loss = NAN};
    double values[GBT_PARAMETER_COUNT];
    csm_model *model;
    assert_ok(csm_model_parameters(values, &csm_learner_gbt.about, NULL, 0));
    assert_ok(csm_model_new(&model, &csm_learner_gbt, &info, NULL, values));
    model->state = ensemble;
    return model;
}

static inline csm_model *random_forest(const forest_shape *shape) {
    double base[8] = {0};
    gbt_ensemble *ensemble;
    uint64_t at = 0;
    for (uint32_t o = 0; o < shape->outputs; o++) base[o] = draw(shape, &at);
    assert_ok(gbt_ensemble_new(&ensemble, shape->features, shape->outputs, base));
    ensemble->missing = shape->missing;
    for (size_t t = 0; t < shape->rounds * shape->outputs; t++) draw_tree(ensemble, shape, &at);
    return model_of(ensemble);
}

/* (rows, features): values about where thresholds are, categories in the last column, some NaN and 0 where allowed. */
static inline float *random_rows(const forest_shape *shape, size_t rows) {
    float *x = calloc(rows * shape->features, sizeof *x);
    uint64_t at = 1u << 30;
    for (size_t i = 0; i < rows * shape->features; i++) {
        double value = 5 * draw(shape, &at) - 2.5, kind = draw(shape, &at);
        if (shape->grain > 0) value = shape->grain * round(value / shape->grain);
        if (shape->categorical && (i + 1) % shape->features == 0)
            value = floor(44 * draw(shape, &at)) - 2;
        else if (shape->missing && kind < 0.1)
            value = kind < 0.05 ? 0 : 1e-36;
        if (shape->missing && kind > 0.9) value = NAN;
        x[i] = (float)value;
    }
    return x;
}

static inline const gbt_node *walk(const gbt_ensemble *ensemble, size_t tree, const float *row) {
    const gbt_node *node = ensemble->nodes + ensemble->root[tree];
    while (node->feature >= 0)
        node = ensemble->nodes + node->left + !gbt_goes_left(ensemble, node, row[node->feature]);
    return node;
}

/* Score of one output after the first `trees` trees. */
static inline double plain_score(const gbt_ensemble *ensemble, size_t trees, uint32_t output,
                                 const float *row) {
    double sum = ensemble->base[output];
    for (size_t t = output; t < trees; t += ensemble->outputs) sum += walk(ensemble, t, row)->value;
    return sum;
}

#endif
