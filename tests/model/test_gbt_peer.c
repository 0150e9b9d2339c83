/* SPDX-License-Identifier: MIT */
/* Each option beside LightGBM's own: golden/gbt_options.txt holds what its models become (make_gbt_options.py). Sums are exact
 * here (quantise 0), so that models without chance agree to rounding; where chance or a definition differs, the option has
 * to change the model in the peer's direction, and about as far. */
#include "model/support.h"

#define ROWS 1200
#define FEATURES 6
#define LEVELS 40
#define CATEGORIES 12
#define GROUP 20
#define STATISTICS                                                                                           \
    4 /* loss on the training rows; mean, root mean square and tilt of predictions on the test rows */
#define PARAMETERS_MAX 4

typedef enum target_kind { VALUES, CLASSES, RELEVANCE } target_kind;

typedef struct peer_case {
    const char *name;
    const char *without; /* the case that lacks the option; NULL: itself */
    csm_objective objective;
    target_kind kind;
    csm_parameter parameter[PARAMETERS_MAX];
    int8_t monotone[FEATURES];
    bool categorical, missing, weighted;
    double
        share; /* the option's effect may be off by less than so much of the peer's; 0: equal to rounding */
} peer_case;

static const peer_case cases[] = {
    {.name = "plain"},
    {.name = "l1", .without = "plain", .parameter = {{"l1", 40}}, .share = 0.1},
    {.name = "l2", .without = "plain", .parameter = {{"l2", 30}}, .share = 0.1},
    {.name = "min_gain", .without = "plain", .parameter = {{"min_gain", 300}}, .share = 0.7},
    {.name = "stump", .without = "plain", .parameter = {{"leaves", 2}}},
    {.name = "l1_stump", .without = "stump", .parameter = {{"leaves", 2}, {"l1", 400}}},
    {.name = "l2_stump", .without = "stump", .parameter = {{"leaves", 2}, {"l2", 300}}},
    {.name = "min_gain_stump", .without = "stump", .parameter = {{"leaves", 2}, {"min_gain", 2500}}},
    {.name = "min_rows", .without = "plain", .parameter = {{"min_rows", 80}}},
    {.name = "depth", .without = "plain", .parameter = {{"depth", 3}}},
    {.name = "leaves", .without = "plain", .parameter = {{"leaves", 5}}},
    {.name = "bins", .without = "plain", .parameter = {{"bins", 8}}, .share = 0.5},
    {.name = "light", .without = "plain", .parameter = {{"min_rows", 1}, {"leaves", 5}}},
    {.name = "weights", .without = "light", .parameter = {{"min_rows", 1}, {"leaves", 5}}, .weighted = true},
    {.name = "monotone", .without = "plain", .monotone = {0, -1, 0, 0, 0, 0}, .share = 0.1},
    {.name = "monotone_up", .without = "plain", .monotone = {1, 1, 1, 0, 0, 0}, .share = 0.1},
    {.name = "missing", .without = "plain", .missing = true},
    {.name = "categorical", .without = "plain", .categorical = true, .share = 0.01},
    {.name = "logistic",
     .objective = CSM_OBJECTIVE_LOGISTIC,
     .kind = CLASSES,
     .parameter = {{"min_rows", 1}}},
    {.name = "min_hessian",
     .without = "logistic",
     .objective = CSM_OBJECTIVE_LOGISTIC,
     .kind = CLASSES,
     .parameter = {{"min_rows", 1}, {"min_hessian", 15}}},
    {.name = "huber",
     .without = "plain",
     .objective = CSM_OBJECTIVE_HUBER,
     .parameter = {{"huber_delta", 2}},
     .share = 0.5},
    {.name = "quantile",
     .without = "plain",
     .objective = CSM_OBJECTIVE_QUANTILE,
     .parameter = {{"quantile", 0.9}},
     .share = 0.5},
    {.name = "relevance", .kind = RELEVANCE},
    {.name = "lambdarank",
     .without = "relevance",
     .objective = CSM_OBJECTIVE_LAMBDARANK,
     .kind = RELEVANCE,
     .share = 0.5},
    {.name = "long", .parameter = {{"rounds", 30}}},
    {.name = "bagging", .without = "long", .parameter = {{"rounds", 30}, {"row_share", 0.3}}, .share = 1},
    {.name = "goss",
     .without = "long",
     .parameter = {{"rounds", 30}, {"goss_top", 0.1}, {"goss_other", 0.1}},
     .share = 1},
    {.name = "columns", .without = "long", .parameter = {{"rounds", 30}, {"column_share", 0.5}}, .share = 1},
};

typedef struct outcome {
    size_t trees;
    double statistic[STATISTICS];
} outcome;

/* ---- the script's rows again ---- */

typedef struct rows {
    dataset set;
    uint32_t group[ROWS];
} rows;

static uint64_t next_draw(uint64_t *state) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void rows_open(rows *r, uint64_t seed, const peer_case *c) {
    dataset set = dataset_new(ROWS, FEATURES, 0, 0);
    for (size_t i = 0; i < ROWS; i++) {
        double k[FEATURES];
        for (size_t f = 0; f < FEATURES; f++)
            k[f] = (double)(next_draw(&seed) % (f == FEATURES - 1 ? CATEGORIES : LEVELS));
        double noise = (double)(next_draw(&seed) % 1024) - 512;
        for (size_t f = 0; f < FEATURES; f++) set.x[i * FEATURES + f] = (float)k[f];
        set.y[i] = (k[0] - 20) / 8 + k[1] * k[2] / 128 + fmod(k[5] * 5, CATEGORIES) / 2 + noise / 128 +
                   (i % 50 == 7 ? 40 : 0);
        if (c->kind == CLASSES) set.y[i] = set.y[i] > 10;
        if (c->kind == RELEVANCE) set.y[i] = fmin(fmax(floor(set.y[i] / 4), 0), 4);
        if (c->missing && i % 7 == 3) set.x[i * FEATURES + 1] = NAN;
        set.weight[i] = (double)(i % 3) + 1;
        r->group[i] = (uint32_t)(i / GROUP);
    }
    if (c->weighted) set.samples.weight = set.weight;
    if (c->kind == RELEVANCE) set.samples.group = r->group;
    r->set = set;
}

/* ---- statistics ---- */

static double gain_of(double relevance) {
    return exp2(relevance) - 1;
}

/* Gains of the first five in the order of `key`, high first, the earlier of equals first. */
static double discounted_gain(const double *key, const double *relevance) {
    double sum = 0;
    for (size_t i = 0; i < GROUP; i++) {
        size_t place = 0;
        for (size_t j = 0; j < GROUP; j++) place += key[j] > key[i] || (key[j] >= key[i] && j < i);
        if (place < 5) sum += gain_of(relevance[i]) / log2((double)place + 2);
    }
    return sum;
}

static double loss_of(const peer_case *c, const double *score, const double *y) {
    double sum = 0;
    for (size_t i = 0; i < ROWS && c->kind == VALUES; i++)
        sum += (score[i] - y[i]) * (score[i] - y[i]) / ROWS;
    for (size_t i = 0; i < ROWS && c->kind == CLASSES; i++)
        sum += log1p(exp(y[i] > 0 ? -score[i] : score[i])) / ROWS;
    for (size_t i = 0; i < ROWS && c->kind == RELEVANCE; i += GROUP)
        sum += (1 - discounted_gain(score + i, y + i) / discounted_gain(y + i, y + i)) * GROUP / ROWS;
    return sum;
}

static outcome outcome_of(const csm_model *model, const peer_case *c, const rows *learn) {
    outcome out = {.trees = describe(model).rounds};
    double *score = predict(model, &learn->set);
    out.statistic[0] = loss_of(c, score, learn->set.y);
    for (size_t i = 0; i < ROWS; i++) {
        out.statistic[1] += score[i] / ROWS;
        out.statistic[2] += score[i] * score[i] / ROWS;
        out.statistic[3] += score[i] * ((double)(i % 7) - 3) / ROWS;
    }
    out.statistic[2] = sqrt(out.statistic[2]);
    free(score);
    return out;
}

static outcome peer_outcome(const char *name) {
    FILE *file = fopen(CSM_SOURCE_DIR "/tests/model/golden/gbt_options.txt", "r");
    char line[512], found[64];
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        outcome out;
        double *s = out.statistic;
        if (sscanf(line, "%63s %zu %lf %lf %lf %lf", found, &out.trees, s, s + 1, s + 2, s + 3) != 6)
            continue;
        if (strcmp(found, name) != 0) continue;
        fclose(file);
        return out;
    }
    fail_msg("gbt_options.txt has no case %s", name);
    return (outcome){0};
}

/* ---- training ---- */

typedef struct going {
    const csm_model *start;
    const csm_samples *validation;
    uint32_t patience;
    csm_parameter parameter[2];
} going;

static csm_model *train_case(const peer_case *c, const rows *learn, const going *more) {
    const uint8_t categorical[FEATURES] = {0, 0, 0, 0, 0, 1};
    csm_parameter parameters[8 + PARAMETERS_MAX] = {{"rounds", 10},  {"learning_rate", 0.1}, {"leaves", 15},
                                                    {"min_rows", 5}, {"min_hessian", 0},     {"l2", 0},
                                                    {"quantise", 0}, {"missing", c->missing}};
    size_t count = 8;
    for (size_t p = 0; p < PARAMETERS_MAX + 2; p++) {
        const csm_parameter *given =
            p < PARAMETERS_MAX ? &c->parameter[p] : &more->parameter[p - PARAMETERS_MAX];
        size_t at = 0;
        if (!given->name) continue;
        while (at < count && strcmp(parameters[at].name, given->name) != 0) at++;
        parameters[at] = *given;
        if (at == count) count++;
    }
    csm_context *context = context_new(1);
    csm_train_options options;
    csm_model *model;
    csm_model_train_options_init(&options);
    options.objective = (uint32_t)c->objective;
    options.parameters = parameters;
    options.parameter_count = count;
    options.monotone = c->monotone;
    options.categorical = c->categorical ? categorical : NULL;
    options.start = more->start;
    options.validation = more->validation;
    options.early_stopping_rounds = more->patience;
    options.metric = more->patience ? "rmse" : NULL;
    assert_ok(csm_model_train(&model, context, "gbt", &learn->set.samples, &options));
    csm_context_free(context);
    return model;
}

static outcome our_outcome(const char *name) {
    const peer_case *c = cases;
    const going nothing = {0};
    rows learn;
    while (strcmp(c->name, name) != 0) c++;
    rows_open(&learn, 1, c);
    csm_model *model = train_case(c, &learn, &nothing);
    outcome out = outcome_of(model, c, &learn);
    csm_model_free(model);
    dataset_free(&learn.set);
    return out;
}

static void expect_equal(const char *name, const outcome *ours, const outcome *peers) {
    for (size_t s = 0; s < STATISTICS; s++) {
        double off = fabs(ours->statistic[s] - peers->statistic[s]);
        if (!(off <= 1e-6 * (1 + fabs(peers->statistic[s]))))
            fail_msg("%s: statistic %zu is %.12g, the peer's %.12g", name, s, ours->statistic[s],
                     peers->statistic[s]);
    }
    assert_int_equal(ours->trees, peers->trees);
}

/* ---- tests ---- */

static void options_without_chance_give_the_peers_models(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(cases); k++) {
        if (cases[k].share > 0) continue;
        outcome ours = our_outcome(cases[k].name), peers = peer_outcome(cases[k].name);
        expect_equal(cases[k].name, &ours, &peers);
    }
}

static void every_option_changes_the_model_as_the_peers_does(void **state) {
    (void)state;
    for (size_t k = 0; k < COUNT(cases); k++) {
        const peer_case *c = &cases[k];
        if (!c->without) continue;
        outcome on = our_outcome(c->name), off = our_outcome(c->without);
        outcome peer_on = peer_outcome(c->name), peer_off = peer_outcome(c->without);
        double change = on.statistic[0] - off.statistic[0];
        double peer_change = peer_on.statistic[0] - peer_off.statistic[0];
        double share = c->share > 0 ? c->share : 1e-3;
        if (!(fabs(change - peer_change) < share * fabs(peer_change)))
            fail_msg("%s: the loss goes from %.6g to %.6g, the peer's from %.6g to %.6g", c->name,
                     off.statistic[0], on.statistic[0], peer_off.statistic[0], peer_on.statistic[0]);
    }
}

static void going_on_and_early_stopping_end_where_the_peer_ends(void **state) {
    (void)state;
    const peer_case *plain = &cases[0];
    rows learn, test;
    rows_open(&learn, 1, plain);
    rows_open(&test, 2, plain);
    const going half = {.parameter = {{"rounds", 5}}};
    csm_model *first = train_case(plain, &learn, &half);
    const going rest = {.start = first, .parameter = {{"rounds", 5}}};
    csm_model *whole = train_case(plain, &learn, &rest);
    outcome ours = outcome_of(whole, plain, &learn), peers = peer_outcome("going_on");
    expect_equal("going_on", &ours, &peers);
    const going stopping = {.validation = &test.set.samples,
                            .patience = 5,
                            .parameter = {{"rounds", 400}, {"learning_rate", 0.3}}};
    csm_model *stopped = train_case(plain, &learn, &stopping);
    ours = outcome_of(stopped, plain, &learn);
    peers = peer_outcome("early_stopping");
    expect_equal("early_stopping", &ours, &peers);
    csm_model_free(first);
    csm_model_free(whole);
    csm_model_free(stopped);
    dataset_free(&learn.set);
    dataset_free(&test.set);
}

/* The peer's leaves start from 0 where ours start from the base, so only how far the rest goes is compared. */
static void refitted_leaves_move_as_the_peers_do(void **state) {
    (void)state;
    const peer_case *plain = &cases[0];
    const going nothing = {0};
    rows learn, test;
    rows_open(&learn, 1, plain);
    rows_open(&test, 2, plain);
    csm_context *context = context_new(1);
    csm_model *model = train_case(plain, &learn, &nothing), *moved;
    assert_ok(csm_model_refit(&moved, context, model, &test.set.samples, NULL, 0.5));
    outcome ours = outcome_of(moved, plain, &learn), before = peer_outcome("plain"),
            peers = peer_outcome("refit");
    assert_true(ours.statistic[0] > before.statistic[0] && peers.statistic[0] > before.statistic[0]);
    csm_model_free(model);
    csm_model_free(moved);
    csm_context_free(context);
    dataset_free(&learn.set);
    dataset_free(&test.set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_without_chance_give_the_peers_models),
        cmocka_unit_test(every_option_changes_the_model_as_the_peers_does),
        cmocka_unit_test(going_on_and_early_stopping_end_where_the_peer_ends),
        cmocka_unit_test(refitted_leaves_move_as_the_peers_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
