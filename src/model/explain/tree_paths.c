/* SPDX-License-Identifier: MIT */
/* Each leaf becomes the list of its path's distinct features, with the codes that pass and the cover's share. */
#include "model/explain/trees.h"

#include <math.h>
#include <string.h>

/* One feature of the path being climbed. */
typedef struct climbed_feature {
    uint32_t feature;
    double share; /* z: product of cover(child) / cover(parent) */
} climbed_feature;

typedef struct climbed_condition {
    uint32_t at; /* which climbed feature */
    uint32_t column;
    uint32_t low, high; /* codes that pass */
} climbed_condition;

typedef struct path_maker {
    tree_explanation *explanation;
    const gbt_ensemble *ensemble;
    bool covers_needed;
    uint32_t *parent; /* of each node within its tree */
    climbed_feature *feature;
    climbed_condition *condition;
    size_t features, conditions; /* of the present path */
    csm_buffer paths_out, features_out, conditions_out, constants_out;
} path_maker;

void tree_paths_free(gbt_paths *paths) {
    csm_dealloc(paths->path);
    csm_dealloc(paths->feature);
    csm_dealloc(paths->condition);
    csm_dealloc(paths->constant);
    for (size_t n = 0; n <= GBT_PATH_NODES; n++) csm_dealloc(paths->weight[n]);
    *paths = (gbt_paths){0};
}

/* weight[n]: weights, g0, nodes. */
static csm_status need_quadrature(gbt_paths *paths, uint32_t n) {
    if (paths->weight[n]) return CSM_OK;
    double *table = csm_alloc_array(3 * (size_t)n, sizeof *table);
    if (!table) return CSM_ENOMEM;
    quadrature_make(table + 2 * (size_t)n, table, n);
    for (uint32_t q = 0; q < n; q++) table[n + q] = -1 / (1 - table[2 * n + q]);
    paths->weight[n] = table;
    return CSM_OK;
}

/* ---- climbing from a leaf to the root ---- */

static size_t find_feature(path_maker *m, uint32_t feature) {
    for (size_t j = 0; j < m->features; j++) {
        if (m->feature[j].feature == feature) return j;
    }
    m->feature[m->features] = (climbed_feature){feature, 1};
    return m->features++;
}

/* Narrows what passes in a column. A contradiction stays as two conditions, which nothing passes. */
static void narrow(path_maker *m, size_t at, uint32_t column, uint32_t low, uint32_t high) {
    for (size_t c = 0; c < m->conditions; c++) {
        climbed_condition *known = &m->condition[c];
        uint32_t from = known->low > low ? known->low : low, to = known->high < high ? known->high : high;
        if (known->column != column || from > to) continue;
        known->low = from;
        known->high = to;
        return;
    }
    m->condition[m->conditions++] = (climbed_condition){(uint32_t)at, column, low, high};
}

static void climb(path_maker *m, size_t root, size_t leaf) {
    const gbt_node *nodes = m->ensemble->nodes + root;
    const gbt_walk_node *walk = m->explanation->plan->walk + root;
    m->features = m->conditions = 0;
    for (size_t n = leaf; n != 0; n = m->parent[n]) {
        size_t above = m->parent[n];
        bool right = n != (size_t)nodes[above].left - root;
        size_t at = find_feature(m, (uint32_t)nodes[above].feature);
        double cover = nodes[above].cover;
        m->feature[at].share *= cover > 0 ? nodes[n].cover / cover : 0;
        narrow(m, at, walk[above].column, right ? walk[above].bin + 1 : 0, right ? 255 : walk[above].bin);
    }
}

/* ---- keeping a path ---- */

static csm_status put_feature(path_maker *m, size_t j, uint32_t nodes) {
    const double *t = m->explanation->paths.weight[nodes] + 2 * (size_t)nodes;
    gbt_path_feature feature = {.feature = m->feature[j].feature,
                                .condition = (uint32_t)(m->conditions_out.length / sizeof(gbt_condition))};
    double constant[3 * GBT_PATH_NODES], share = m->feature[j].share;
    for (uint32_t q = 0; q < nodes; q++) {
        constant[q] = (1 - t[q]) * share;
        constant[nodes + q] = t[q] + constant[q];
        constant[2 * nodes + q] = (1 - share) / constant[nodes + q];
    }
    csm_status status = csm_buffer_append(&m->constants_out, constant, 3 * (size_t)nodes * sizeof *constant);
    for (size_t c = 0; c < m->conditions && !status; c++) {
        const climbed_condition *from = &m->condition[c];
        if (from->at != j) continue;
        const gbt_condition condition = {from->column, (uint8_t)from->low, (uint8_t)(from->high - from->low)};
        status = csm_buffer_append(&m->conditions_out, &condition, sizeof condition);
        feature.conditions++;
    }
    return status ? status : csm_buffer_append(&m->features_out, &feature, sizeof feature);
}

static csm_status put_path(path_maker *m, double value, uint32_t output) {
    uint32_t nodes = (uint32_t)(m->features + 1) / 2;
    if (m->features > GBT_PATH_FEATURES)
        return csm_fail(CSM_EUNSUPPORTED, "explain: a path of %zu distinct features; %d are the most",
                        m->features, GBT_PATH_FEATURES);
    if (m->features_out.length / sizeof(gbt_path_feature) > INT32_MAX ||
        m->conditions_out.length / sizeof(gbt_condition) > INT32_MAX)
        return csm_fail(CSM_EUNSUPPORTED, "explain: the trees have too many paths");
    const gbt_path path = {.value = value,
                           .constant = m->constants_out.length / sizeof(double),
                           .feature = (uint32_t)(m->features_out.length / sizeof(gbt_path_feature)),
                           .features = (uint32_t)m->features,
                           .nodes = nodes,
                           .output = output};
    csm_status status = need_quadrature(&m->explanation->paths, nodes);
    for (size_t j = 0; j < m->features && !status; j++) status = put_feature(m, j, nodes);
    return status ? status : csm_buffer_append(&m->paths_out, &path, sizeof path);
}

static csm_status make_tree(path_maker *m, size_t t) {
    size_t root = m->ensemble->root[t], count = m->ensemble->root[t + 1] - root;
    const gbt_node *nodes = m->ensemble->nodes + root;
    uint32_t output = (uint32_t)(t % m->ensemble->outputs);
    csm_status status = CSM_OK;
    if (m->covers_needed && count > 1 && !(nodes[0].cover > 0))
        return csm_fail(CSM_EUNSUPPORTED, "explain: tree %zu has no covers", t);
    for (size_t n = 0; n < count && !status; n++) {
        if (nodes[n].feature >= 0) {
            m->parent[(size_t)nodes[n].left - root] = m->parent[(size_t)nodes[n].left + 1 - root] =
                (uint32_t)n;
            continue;
        }
        double expected = nodes[n].value;
        climb(m, root, n);
        for (size_t j = 0; j < m->features; j++) expected *= m->feature[j].share;
        m->explanation->expected[output] += expected;
        if (nodes[n].value < 0 || nodes[n].value > 0) status = put_path(m, nodes[n].value, output);
    }
    return status;
}

/* An array of its own, so that what was appended is aligned and freed alike. */
static csm_status take_array(void **out, csm_buffer *from) {
    *out = csm_alloc(from->length ? from->length : 1);
    if (!*out) return CSM_ENOMEM;
    if (from->length) memcpy(*out, from->data, from->length);
    return CSM_OK;
}

static csm_status take_paths(gbt_paths *paths, path_maker *m) {
    csm_status status = take_array((void **)&paths->path, &m->paths_out);
    if (!status) status = take_array((void **)&paths->feature, &m->features_out);
    if (!status) status = take_array((void **)&paths->condition, &m->conditions_out);
    if (!status) status = take_array((void **)&paths->constant, &m->constants_out);
    paths->count = m->paths_out.length / sizeof *paths->path;
    return status;
}

csm_status tree_paths_make(tree_explanation *explanation, const gbt_ensemble *ensemble, bool covers_needed) {
    path_maker m = {.explanation = explanation, .ensemble = ensemble, .covers_needed = covers_needed};
    size_t largest = 1;
    csm_status status = CSM_ENOMEM;
    for (size_t t = 0; t < ensemble->trees; t++) {
        size_t count = ensemble->root[t + 1] - ensemble->root[t];
        largest = count > largest ? count : largest;
    }
    m.parent = csm_alloc_array(largest, sizeof *m.parent);
    m.feature = csm_alloc_array(largest, sizeof *m.feature);
    m.condition = csm_alloc_array(largest, sizeof *m.condition);
    explanation->expected = csm_alloc_array(ensemble->outputs, sizeof *explanation->expected);
    if (!m.parent || !m.feature || !m.condition || !explanation->expected) goto done;
    memcpy(explanation->expected, ensemble->base, ensemble->outputs * sizeof *explanation->expected);
    status = CSM_OK;
    for (size_t t = 0; t < ensemble->trees && !status; t++) status = make_tree(&m, t);
    if (!status) status = take_paths(&explanation->paths, &m);
done:
    csm_dealloc(m.parent);
    csm_dealloc(m.feature);
    csm_dealloc(m.condition);
    csm_buffer_free(&m.paths_out);
    csm_buffer_free(&m.features_out);
    csm_buffer_free(&m.conditions_out);
    csm_buffer_free(&m.constants_out);
    return status;
}
