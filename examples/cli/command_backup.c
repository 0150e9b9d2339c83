/* SPDX-License-Identifier: MIT */
/* Backup of a workspace, the proof that it can be restored, and its restoring. */
#include "cli.h"

#include <ftw.h>
#include <math.h>
#include <string.h>

int command_backup(cli *c) {
    const int code = check_arguments(c, 1);
    if (code != EXIT_OK) return code;
    csm_store *store = NULL;
    csm_status status = csm_store_open(&store, c->context, c->workspace, CSM_STORE_READ);
    if (status == CSM_OK) status = csm_store_backup(store, c->context, c->argv[0]);
    csm_store_free(store);
    if (status != CSM_OK) return fail(c, status);
    end_progress();
    if (c->json) return print_json(json_pack("{s:s}", "backup", c->argv[0]));
    printf("%s: backed up; check it with: cryptosmart verify %s\n", c->argv[0], c->argv[0]);
    return EXIT_OK;
}

int command_restore(cli *c) {
    const int code = check_arguments(c, 1);
    if (code != EXIT_OK) return code;
    const csm_status status = csm_store_restore(c->context, c->argv[0], c->workspace);
    if (status != CSM_OK) return fail(c, status);
    end_progress();
    if (c->json) return print_json(json_pack("{s:s}", "workspace", c->workspace));
    printf("%s: restored from %s\n", c->workspace, c->argv[0]);
    return EXIT_OK;
}

/* ---- verify ---- */

typedef struct looked {
    uint64_t findings;
    char text[512];
    csm_ledger_head head;
    size_t predictions; /* of the ledger's last decision, made again */
    size_t equal;       /* to the last bit */
    char why[512];      /* none were made */
} looked;

static bool is_same(const csm_ledger_entry *e, const csm_ranking *ranking) {
    for (size_t i = 0; i < csm_ranking_total(ranking); i++) {
        const csm_forecast *f = csm_ranking_all_at(ranking, i);
        if (f->time != e->decision || f->epoch != e->epoch || strcmp(f->market, e->market) != 0) continue;
        for (size_t h = 0; h < f->horizon_count; h++) {
            const csm_horizon_forecast *at = &f->horizons[h];
            if (at->horizon == e->horizon)
                return at->probability == e->probability || (isnan(at->probability) && isnan(e->probability));
        }
    }
    return false;
}

/* The champion of the restored workspace decides once more as of the ledger's last decision. */
static csm_status predict_again(looked *out, csm_pipeline *p) {
    csm_ledger_history *history = NULL;
    csm_ranking *ranking = NULL;
    csm_predict_options options;
    csm_predict_options_init(&options);
    options.dry = 1;
    csm_status status = csm_learn_history(&history, csm_pipeline_store(p), 0, CSM_TIME_MIN, CSM_TIME_MAX, 0);
    const size_t count = status == CSM_OK ? csm_ledger_history_count(history) : 0;
    if (count > 0) {
        options.as_of = csm_ledger_history_at(history, count - 1)->decision;
        status = csm_pipeline_predict(&ranking, p, &options);
    }
    for (size_t i = 0; status == CSM_OK && i < count; i++) {
        const csm_ledger_entry *e = csm_ledger_history_at(history, i);
        if (e->decision != options.as_of) continue;
        out->predictions++;
        out->equal += is_same(e, ranking);
    }
    csm_ranking_free(ranking);
    csm_ledger_history_free(history);
    return status;
}

/* What the store's own check does not know: the ledger's chain, and whether the models still say the same. */
static csm_status look(looked *out, cli *c, const char *scratch) {
    const char *workspace = c->workspace;
    csm_pipeline *p = NULL;
    c->workspace = scratch;
    csm_status status = open_pipeline(c, &p, CSM_STORE_READ);
    c->workspace = workspace;
    if (status == CSM_OK) status = csm_learn_verify(&out->head, c->context, csm_pipeline_store(p));
    if (status == CSM_OK && out->head.rows > 0 && predict_again(out, p) != CSM_OK)
        snprintf(out->why, sizeof out->why, "%s", csm_error_message());
    csm_pipeline_free(p);
    return status;
}

static int show(const cli *c, const looked *out) {
    end_progress();
    const int code = out->findings ? EXIT_DAMAGED : EXIT_OK;
    if (c->json) {
        print_json(json_pack("{s:I,s:s,s:I,s:s,s:I,s:I,s:s}", "findings", (json_int_t)out->findings, "text",
                             out->text, "ledger_rows", (json_int_t)out->head.rows, "ledger_head",
                             out->head.hash, "predictions", (json_int_t)out->predictions, "equal",
                             (json_int_t)out->equal, "not_predicted", out->why));
        return code;
    }
    if (out->findings) {
        printf("%llu faults, the first: %s\n", (unsigned long long)out->findings, out->text);
        return code;
    }
    printf("every hash and row holds; %lld ledger rows, chain verified\n", (long long)out->head.rows);
    if (*out->why)
        printf("the last decision was not made again: %s\n", out->why);
    else
        printf("%zu of %zu forecasts of the last decision came out the same, bit for bit%s\n", out->equal,
               out->predictions,
               out->equal < out->predictions ? " (another model may have made the rest)" : "");
    return code;
}

static int remove_entry(const char *path, const struct stat *info, int flag, struct FTW *where) {
    (void)info;
    (void)flag;
    (void)where;
    return remove(path);
}

int command_verify(cli *c) {
    looked out = {.findings = 0};
    const char *into = take_option(c, "into");
    int code = check_arguments(c, 1);
    if (code != EXIT_OK) return code;
    char scratch[4096];
    if (snprintf(scratch, sizeof scratch, into ? "%s" : "%s.verify", into ? into : c->argv[0]) >=
        (int)sizeof scratch)
        return usage_error("verify: the path is too long");
    csm_status status = csm_store_verify_backup(&out.findings, c->context, c->argv[0], scratch);
    if (status == CSM_OK && out.findings) snprintf(out.text, sizeof out.text, "%s", csm_error_message());
    const bool restored = status == CSM_OK && out.findings == 0;
    if (restored) status = look(&out, c, scratch);
    code = status == CSM_OK ? show(c, &out) : fail(c, status);
    if (restored && !into) nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return code;
}
