/* SPDX-License-Identifier: MIT */
/*
 * LightGBM's text model (src/boosting/gbdt_model_text.cpp, src/io/tree.cpp; versions v2 to v4): lines KEY=VALUES, a
 * header and one block a tree. Values of a list are parted by one space; jansson reads the numbers, whatever the locale.
 */
#include "model/gbt/exchange/exchange.h"

#include <math.h>
#include <string.h>

/* decision_type (include/LightGBM/tree.h): bit 0 categorical, bit 1 missing left, bits 2..3 missing type */
#define DECISION_CATEGORICAL 1
#define DECISION_LEFT 2
#define DECISION_ZERO 4
#define DECISION_NAN 8

typedef struct span {
    const char *text; /* NULL: absent */
    size_t length;
} span;

typedef struct reader {
    const char *at;
    const char *end;
} reader;

static bool next_line(span *line, reader *from) {
    if (from->at >= from->end) return false;
    const char *stop = memchr(from->at, '\n', (size_t)(from->end - from->at));
    if (!stop) stop = from->end;
    *line = (span){from->at, (size_t)(stop - from->at)};
    from->at = stop < from->end ? stop + 1 : stop;
    if (line->length && line->text[line->length - 1] == '\r') line->length--;
    return true;
}

static bool is_word(span text, const char *word) {
    return text.text && text.length == strlen(word) && memcmp(text.text, word, text.length) == 0;
}

/* Whether a line is KEY=...; then *value is what follows. */
static bool has_key(span *value, span line, const char *key) {
    size_t length = strlen(key);
    if (line.length <= length || memcmp(line.text, key, length) != 0 || line.text[length] != '=')
        return false;
    *value = (span){line.text + length + 1, line.length - length - 1};
    return true;
}

/* ---- lists ---- */

/* "1 2 3" as a JSON array, so that jansson parses it. */
static csm_status read_list(json_t **out, span values, const char *key) {
    csm_buffer text = {0};
    json_error_t error;
    *out = NULL;
    if (!values.text) return csm_fail(CSM_EPARSE, "%s is missing", key);
    while (values.length && values.text[values.length - 1] == ' ') values.length--;
    csm_status status = csm_buffer_append(&text, "[", 1);
    if (!status) status = csm_buffer_append(&text, values.text, values.length);
    if (!status) status = csm_buffer_append(&text, "]", 1);
    if (status) goto done;
    for (size_t i = 1; i + 1 < text.length; i++) {
        if (text.data[i] == ' ') text.data[i] = ',';
    }
    *out = json_loadb(text.data, text.length, 0, &error);
    if (!*out) status = csm_fail(CSM_EPARSE, "%s: %s", key, error.text);
done:
    csm_buffer_free(&text);
    return status;
}

static csm_status read_numbers(double **out, span values, size_t count, const char *key) {
    json_t *list = NULL;
    csm_status status = read_list(&list, values, key);
    *out = NULL;
    if (status) return status;
    if (json_array_size(list) != count) {
        status = csm_fail(CSM_EPARSE, "%s has %zu values, expected %zu", key, json_array_size(list), count);
        goto done;
    }
    *out = csm_alloc_array(count, sizeof **out);
    if (!*out) {
        status = CSM_ENOMEM;
        goto done;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *value = json_array_get(list, i);
        if (!json_is_number(value)) {
            status = csm_fail(CSM_EPARSE, "%s: value %zu is not a number", key, i);
            goto done;
        }
        (*out)[i] = json_number_value(value);
    }
done:
    json_decref(list);
    if (status) {
        csm_dealloc(*out);
        *out = NULL;
    }
    return status;
}

/* A whole number 0..limit. */
static csm_status read_count(size_t *out, span value, size_t limit, const char *key) {
    double *number = NULL;
    csm_status status = read_numbers(&number, value, 1, key);
    if (status) return status;
    if (!(number[0] >= 0 && number[0] <= (double)limit && number[0] == floor(number[0])))
        status = csm_fail(CSM_EPARSE, "%s = %g is outside 0..%zu", key, number[0], limit);
    else
        *out = (size_t)number[0];
    csm_dealloc(number);
    return status;
}

/* ---- trees ---- */

typedef enum tree_key {
    NUM_LEAVES,
    NUM_CAT,
    SPLIT_FEATURE,
    SPLIT_GAIN,
    THRESHOLD,
    DECISION_TYPE,
    LEFT_CHILD,
    RIGHT_CHILD,
    LEAF_VALUE,
    LEAF_COUNT,
    INTERNAL_COUNT,
    CAT_BOUNDARIES,
    CAT_THRESHOLD,
    IS_LINEAR,
    TREE_KEYS
} tree_key;

static const char *const tree_keys[TREE_KEYS] = {
    [NUM_LEAVES] = "num_leaves",         [NUM_CAT] = "num_cat",
    [SPLIT_FEATURE] = "split_feature",   [SPLIT_GAIN] = "split_gain",
    [THRESHOLD] = "threshold",           [DECISION_TYPE] = "decision_type",
    [LEFT_CHILD] = "left_child",         [RIGHT_CHILD] = "right_child",
    [LEAF_VALUE] = "leaf_value",         [LEAF_COUNT] = "leaf_count",
    [INTERNAL_COUNT] = "internal_count", [CAT_BOUNDARIES] = "cat_boundaries",
    [CAT_THRESHOLD] = "cat_threshold",   [IS_LINEAR] = "is_linear",
};

typedef struct tree_block {
    span value[TREE_KEYS];
    double *number[TREE_KEYS];
    size_t leaves;
    size_t sets;
} tree_block;

static void free_block(tree_block *block) {
    for (int key = 0; key < TREE_KEYS; key++) csm_dealloc(block->number[key]);
}

/* Lines up to the next blank one, which ends a tree. */
static void read_block(tree_block *block, reader *from) {
    span line, value;
    *block = (tree_block){0};
    while (next_line(&line, from) && line.length) {
        for (int key = 0; key < TREE_KEYS; key++) {
            if (has_key(&value, line, tree_keys[key])) block->value[key] = value;
        }
    }
}

static csm_status read_key(tree_block *block, tree_key key, size_t count) {
    return read_numbers(&block->number[key], block->value[key], count, tree_keys[key]);
}

static csm_status read_optional(tree_block *block, tree_key key, size_t count) {
    return block->value[key].text ? read_key(block, key, count) : CSM_OK;
}

static csm_status parse_block(tree_block *block) {
    size_t linear = 0;
    span *value = block->value;
    csm_status status = read_count(&block->leaves, value[NUM_LEAVES], INT32_MAX / 2, "num_leaves");
    if (!status && value[NUM_CAT].text)
        status = read_count(&block->sets, value[NUM_CAT], INT32_MAX / 2, "num_cat");
    if (!status && value[IS_LINEAR].text) status = read_count(&linear, value[IS_LINEAR], 1, "is_linear");
    if (status) return status;
    if (linear) return csm_fail(CSM_EUNSUPPORTED, "linear trees are not supported");
    if (block->leaves == 0) return csm_fail(CSM_EPARSE, "num_leaves is 0");
    if ((status = read_key(block, LEAF_VALUE, block->leaves))) return status;
    if (block->leaves == 1) return CSM_OK;
    if ((status = read_optional(block, LEAF_COUNT, block->leaves))) return status;
    static const tree_key inner[] = {SPLIT_FEATURE, THRESHOLD, DECISION_TYPE, LEFT_CHILD, RIGHT_CHILD};
    for (size_t i = 0; i < sizeof inner / sizeof *inner && !status; i++)
        status = read_key(block, inner[i], block->leaves - 1);
    if (!status) status = read_optional(block, SPLIT_GAIN, block->leaves - 1);
    if (!status) status = read_optional(block, INTERNAL_COUNT, block->leaves - 1);
    if (!status && block->sets) status = read_key(block, CAT_BOUNDARIES, block->sets + 1);
    return status;
}

/* cat_threshold has as many words as the last boundary says. */
static csm_status add_set(uint32_t *set, gbt_ensemble *ensemble, const tree_block *block, double index,
                          const double *words, size_t word_count) {
    const double *boundary = block->number[CAT_BOUNDARIES];
    if (!(index >= 0 && index < (double)block->sets && index == floor(index)))
        return csm_fail(CSM_EPARSE, "threshold %g is not one of %zu sets", index, block->sets);
    double begin = boundary[(size_t)index], end = boundary[(size_t)index + 1];
    if (!(begin >= 0 && begin <= end && end <= (double)word_count && begin == floor(begin) &&
          end == floor(end) && 32 * (end - begin) <= GBT_CATEGORIES_MAX))
        return csm_fail(CSM_EPARSE, "cat_boundaries %g..%g of %zu words", begin, end, word_count);
    size_t count = (size_t)(end - begin);
    uint32_t *bits = csm_alloc_array(count, sizeof *bits);
    if (!bits) return CSM_ENOMEM;
    for (size_t i = 0; i < count; i++) bits[i] = (uint32_t)words[(size_t)begin + i];
    csm_status status = gbt_ensemble_add_set(set, ensemble, bits, (uint32_t)count);
    csm_dealloc(bits);
    return status;
}

static csm_status read_words(double **out, size_t *count, const tree_block *block) {
    *out = NULL;
    *count = 0;
    if (!block->sets) return CSM_OK;
    double last = block->number[CAT_BOUNDARIES][block->sets];
    if (!(last >= 0 && last <= INT32_MAX && last == floor(last)))
        return csm_fail(CSM_EPARSE, "cat_boundaries end at %g", last);
    *count = (size_t)last;
    csm_status status = read_numbers(out, block->value[CAT_THRESHOLD], *count, "cat_threshold");
    for (size_t i = 0; i < *count && !status; i++) {
        if (!((*out)[i] >= 0 && (*out)[i] <= UINT32_MAX))
            status = csm_fail(CSM_EPARSE, "cat_threshold: %g is not a word of 32 bits", (*out)[i]);
    }
    return status;
}

static csm_status take_split(foreign_tree *tree, size_t n, gbt_ensemble *ensemble, const tree_block *block,
                             const double *words, size_t word_count) {
    gbt_node *node = &tree->node[n];
    double *const *number = block->number;
    double feature = number[SPLIT_FEATURE][n], decision = number[DECISION_TYPE][n];
    size_t inner = block->leaves - 1;
    if (!(feature >= 0 && feature < EXCHANGE_FEATURES_MAX && decision >= 0 && decision < 12 &&
          fabs(number[LEFT_CHILD][n]) < INT32_MAX && fabs(number[RIGHT_CHILD][n]) < INT32_MAX))
        return csm_fail(CSM_EPARSE,
                        "node %zu has split_feature %g, decision_type %g or children out of range", n,
                        feature, decision);
    uint32_t bits = (uint32_t)decision;
    int64_t left = (int64_t)number[LEFT_CHILD][n], right = (int64_t)number[RIGHT_CHILD][n];
    tree->left[n] = left >= 0 ? left : (int64_t)inner + ~left; /* leaves are ~number */
    tree->right[n] = right >= 0 ? right : (int64_t)inner + ~right;
    node->feature = (int32_t)feature;
    node->gain = number[SPLIT_GAIN] ? number[SPLIT_GAIN][n] : 0;
    node->cover = number[INTERNAL_COUNT] ? number[INTERNAL_COUNT][n] : 0;
    if (bits & DECISION_CATEGORICAL) { /* NaN is in no set, whatever the missing type */
        node->flags = GBT_NODE_CATEGORICAL;
        return add_set(&node->set, ensemble, block, number[THRESHOLD][n], words, word_count);
    }
    node->threshold = exchange_float_below(number[THRESHOLD][n]);
    node->flags =
        (bits & DECISION_NAN ? GBT_NODE_MISSING_NAN : 0) | (bits & DECISION_ZERO ? GBT_NODE_MISSING_ZERO : 0);
    if (node->flags && bits & DECISION_LEFT) node->flags |= GBT_NODE_MISSING_LEFT;
    return CSM_OK;
}

static csm_status take_tree(gbt_ensemble *ensemble, const tree_block *block, size_t index) {
    foreign_tree tree = {0};
    double *words = NULL;
    size_t word_count = 0, inner = block->leaves - 1;
    csm_status status = foreign_tree_new(&tree, 2 * block->leaves - 1);
    if (!status) status = read_words(&words, &word_count, block);
    for (size_t n = 0; n < inner && !status; n++)
        status = take_split(&tree, n, ensemble, block, words, word_count);
    if (status) goto done;
    for (size_t i = 0; i < block->leaves; i++) {
        gbt_node *leaf = &tree.node[inner + i];
        leaf->feature = -1;
        leaf->value = block->number[LEAF_VALUE][i];
        leaf->cover = block->number[LEAF_COUNT] ? block->number[LEAF_COUNT][i] : 0;
    }
    status = foreign_tree_append(ensemble, &tree, index);
done:
    csm_dealloc(words);
    foreign_tree_free(&tree);
    return status;
}

static csm_status read_trees(gbt_ensemble *ensemble, reader *from) {
    span line, value;
    while (next_line(&line, from) && !is_word(line, "end of trees")) {
        if (!has_key(&value, line, "Tree")) continue;
        tree_block block;
        size_t index = ensemble->trees;
        read_block(&block, from);
        csm_status status = parse_block(&block);
        if (!status) status = take_tree(ensemble, &block, index);
        free_block(&block);
        if (status) return csm_fail_prefix(status, "tree %zu", index);
    }
    return CSM_OK;
}

/* ---- header ---- */

/* First words of `objective` (src/objective/objective_function.cpp), and what they make of a raw score. */
static const struct {
    const char *name;
    gbt_link_kind link;
    csm_objective objective;
} objectives[] = {
    {"regression", GBT_LINK_IDENTITY, CSM_OBJECTIVE_SQUARED},
    {"regression_l1", GBT_LINK_IDENTITY, CSM_OBJECTIVE_SQUARED},
    {"huber", GBT_LINK_IDENTITY, CSM_OBJECTIVE_HUBER},
    {"fair", GBT_LINK_IDENTITY, CSM_OBJECTIVE_SQUARED},
    {"mape", GBT_LINK_IDENTITY, CSM_OBJECTIVE_SQUARED},
    {"quantile", GBT_LINK_IDENTITY, CSM_OBJECTIVE_QUANTILE},
    {"poisson", GBT_LINK_EXP, CSM_OBJECTIVE_SQUARED},
    {"gamma", GBT_LINK_EXP, CSM_OBJECTIVE_SQUARED},
    {"tweedie", GBT_LINK_EXP, CSM_OBJECTIVE_SQUARED},
    {"binary", GBT_LINK_LOGISTIC, CSM_OBJECTIVE_LOGISTIC},
    {"multiclass", GBT_LINK_SOFTMAX, CSM_OBJECTIVE_LOGISTIC},
    {"multiclassova", GBT_LINK_LOGISTIC, CSM_OBJECTIVE_LOGISTIC},
    {"cross_entropy", GBT_LINK_LOGISTIC, CSM_OBJECTIVE_LOGISTIC},
    {"cross_entropy_lambda", GBT_LINK_LOG1P_EXP, CSM_OBJECTIVE_SQUARED},
    {"lambdarank", GBT_LINK_IDENTITY, CSM_OBJECTIVE_LAMBDARANK},
    {"rank_xendcg", GBT_LINK_IDENTITY, CSM_OBJECTIVE_LAMBDARANK},
    {"custom", GBT_LINK_IDENTITY, CSM_OBJECTIVE_SQUARED},
};

typedef struct header {
    span version;
    span outputs; /* num_tree_per_iteration */
    span max_feature;
    span names;
    span objective;
    bool averaged;
} header;

static span next_word(span *text) {
    while (text->length && *text->text == ' ') text->text++, text->length--;
    const char *stop = text->length ? memchr(text->text, ' ', text->length) : NULL;
    size_t length = stop ? (size_t)(stop - text->text) : text->length;
    span word = {text->text, length};
    text->text = text->length ? text->text + length : text->text;
    text->length -= length;
    return word;
}

/* A word NAME:NUMBER. */
static csm_status take_setting(double *out, span word, const char *name) {
    size_t length = strlen(name);
    double *number = NULL;
    if (word.length <= length || memcmp(word.text, name, length) != 0 || word.text[length] != ':')
        return CSM_OK;
    csm_status status =
        read_numbers(&number, (span){word.text + length + 1, word.length - length - 1}, 1, name);
    if (!status) *out = number[0];
    csm_dealloc(number);
    return status;
}

static csm_status take_objective(foreign_model *model, gbt_link *link, span text) {
    if (!text.text) return CSM_OK; /* trained with a function of the user's */
    span name = next_word(&text), word;
    size_t known = sizeof objectives / sizeof *objectives, i = 0;
    while (i < known && !is_word(name, objectives[i].name)) i++;
    if (i == known)
        return csm_fail(CSM_EUNSUPPORTED, "objective '%.*s' is not known",
                        name.length < 64 ? (int)name.length : 64, name.text);
    model->objective = objectives[i].objective;
    link->kind = (int32_t)objectives[i].link;
    csm_status status = CSM_OK;
    while (!status && (word = next_word(&text)).length) {
        status = take_setting(&link->scale, word, "sigmoid");
        if (!status) status = take_setting(&model->quantile, word, "alpha");
        if (is_word(word, "sqrt")) link->kind = GBT_LINK_SQUARE;
    }
    if (!status && !(link->scale > 0 && isfinite(link->scale)))
        status = csm_fail(CSM_EPARSE, "sigmoid %g is not positive", link->scale);
    return status;
}

static csm_status take_names(foreign_model *model, span text) {
    model->names = csm_alloc_array(model->features, sizeof *model->names);
    if (!model->names) return CSM_ENOMEM;
    for (size_t f = 0; f < model->features; f++) {
        span word = next_word(&text);
        if (!word.length || memchr(word.text, 0, word.length))
            return csm_fail(CSM_EPARSE, "feature_names: name %zu of %zu is missing", f, model->features);
        model->names[f] = csm_strndup(word.text, word.length);
        if (!model->names[f]) return CSM_ENOMEM;
    }
    return next_word(&text).length ? csm_fail(CSM_EPARSE, "feature_names: more than %zu", model->features)
                                   : CSM_OK;
}

static csm_status read_header(header *out, reader *from) {
    span line;
    *out = (header){0};
    if (!next_line(&line, from) || !is_word(line, "tree"))
        return csm_fail(CSM_EPARSE, "not a LightGBM text model: its first line is not 'tree'");
    for (const char *before = from->at; next_line(&line, from); before = from->at) {
        span value;
        if (has_key(&value, line, "Tree") || is_word(line, "end of trees")) {
            from->at = before;
            return CSM_OK;
        }
        has_key(&out->version, line, "version");
        has_key(&out->outputs, line, "num_tree_per_iteration");
        has_key(&out->max_feature, line, "max_feature_idx");
        has_key(&out->names, line, "feature_names");
        has_key(&out->objective, line, "objective");
        out->averaged = out->averaged || is_word(line, "average_output");
    }
    return csm_fail(CSM_EPARSE, "the model has no trees and no 'end of trees'");
}

static csm_status take_header(foreign_model *model, const header *from) {
    static const double zeros[EXCHANGE_OUTPUTS_MAX];
    gbt_link link = {GBT_LINK_IDENTITY, 1};
    size_t outputs = 1, last = 0;
    if (!is_word(from->version, "v2") && !is_word(from->version, "v3") && !is_word(from->version, "v4"))
        return csm_fail(CSM_EUNSUPPORTED, "version is none of v2, v3 and v4");
    csm_status status = read_count(&last, from->max_feature, EXCHANGE_FEATURES_MAX - 1, "max_feature_idx");
    if (!status && from->outputs.text)
        status = read_count(&outputs, from->outputs, EXCHANGE_OUTPUTS_MAX, "num_tree_per_iteration");
    if (status) return status;
    if (outputs == 0) return csm_fail(CSM_EPARSE, "num_tree_per_iteration is 0");
    model->features = last + 1;
    model->outputs = (uint32_t)outputs;
    if ((status = take_objective(model, &link, from->objective))) return status;
    if (from->names.text && (status = take_names(model, from->names))) return status;
    if ((status = gbt_ensemble_new(&model->ensemble, model->features, model->outputs, zeros))) return status;
    model->ensemble->missing = 1;
    for (size_t o = 0; o < outputs; o++) model->ensemble->link[o] = link;
    return CSM_OK;
}

/* A random forest: the mean of its trees. */
static void average(gbt_ensemble *ensemble) {
    size_t rounds = ensemble->trees / ensemble->outputs;
    for (size_t n = 0; n < ensemble->node_count; n++) ensemble->nodes[n].value /= (double)rounds;
}

csm_status gbt_import_lightgbm(csm_model **out, const char *text, size_t length) {
    reader from = {text, text + length};
    foreign_model model = {.objective = CSM_OBJECTIVE_SQUARED};
    header head;
    *out = NULL;
    csm_status status = read_header(&head, &from);
    if (!status) status = take_header(&model, &head);
    if (!status) status = read_trees(model.ensemble, &from);
    if (status) goto done;
    if (model.ensemble->trees % model.outputs) {
        status =
            csm_fail(CSM_EPARSE, "%zu trees are not a multiple of %u", model.ensemble->trees, model.outputs);
        goto done;
    }
    if (head.averaged) average(model.ensemble);
    status = foreign_model_finish(out, &model);
done:
    foreign_model_free(&model);
    return status ? csm_fail_prefix(status, "LightGBM") : CSM_OK;
}
