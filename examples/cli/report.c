/* SPDX-License-Identifier: MIT */
/* One HTML page without outside resources or scripts. */
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- head of the page ---- */

static void begin_page(markup *m) {
    markup_add(m, "<!DOCTYPE html>\n"
                  "<html lang=\"en\">\n"
                  "<head>\n"
                  "<meta charset=\"utf-8\"/>\n"
                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                  "'unsafe-inline'\"/>\n"
                  "<title>cryptosmart: report</title>\n"
                  "<style>\n");
    for (size_t i = 0; report_style[i]; i++) markup_add(m, "%s", report_style[i]);
    markup_add(m, "</style>\n</head>\n<body>\n");
}

static const char *evidence_sentence(uint32_t status) {
    switch (status) {
    case CSM_EVIDENCE_REVOKED:
        return "the record contradicts a precision of 80&#160;%, so nothing more is issued at this horizon";
    case CSM_EVIDENCE_CERTIFIED:
        return "the 95&#160;% lower bound of the precision of issued calls is at least 80&#160;%";
    case CSM_EVIDENCE_CONSISTENT:
        return "the record does not contradict a precision of 80&#160;%, and does not prove it";
    default:
        return "fewer than 14 disjoint blocks of issued calls have matured, so nothing is proven; at 30 "
               "days that is the expected state for years";
    }
}

static void headline(const report *r) {
    markup *m = r->out;
    size_t shown = r->ranking ? csm_ranking_count(r->ranking) : 0,
           total = r->ranking ? csm_ranking_total(r->ranking) : 0;
    char count[48], all[48], time[64];
    if (!r->ranking) {
        markup_add(m, "<h1>What the walk-forward record shows</h1>\n");
        return;
    }
    if (shown == 0)
        markup_add(m, "<h1>No reliable opportunities</h1>\n");
    else
        markup_add(m, "<h1>%s %s the gate%s</h1>\n", count_text(shown, count, sizeof count),
                   shown == 1 ? "coin passes" : "coins pass",
                   live_clock_full(r->ranking) ? "" : ", on backtest evidence only");
    markup_add(m, "<p class=\"lede\">Decision of %s UTC: %s coins looked at, %s shown.</p>\n",
               total ? time_text(csm_ranking_all_at(r->ranking, 0)->time, time, sizeof time) : "-",
               count_text(total, all, sizeof all), shown ? count : "none");
}

static void evidence_line(const report *r) {
    int h = gate_index(r);
    char name[32], issued[48], blocks[32];
    if (h < 0) return;
    const csm_horizon_training *t = csm_training_horizon(r->training, (size_t)h);
    markup_add(r->out, "<p>Evidence at %s: ", horizon_text(t->horizon, name, sizeof name));
    evidence_badge(r->out, t->evidence.status);
    markup_add(r->out, " &#8211; %s. ", evidence_sentence(t->evidence.status));
    if (t->evidence.issued == 0)
        markup_add(r->out, "No call was issued in the walk-forward record.</p>\n");
    else
        markup_add(r->out, "%s calls were issued in the walk-forward record, in %s disjoint blocks.</p>\n",
                   count_text(t->evidence.issued, issued, sizeof issued),
                   blocks_text(t->evidence.blocks, blocks, sizeof blocks));
}

static void fact(markup *m, const char *class, const char *title, const char *value) {
    markup_add(m, "<div class=\"%s\"><dt>%s</dt><dd>", class, title);
    markup_text(m, value ? value : "-");
    markup_add(m, "</dd></div>\n");
}

static void live_clock_fact(const report *r) {
    char text[96];
    csm_time live = csm_ranking_total(r->ranking) ? csm_ranking_all_at(r->ranking, 0)->gate.live : 0;
    snprintf(text, sizeof text, "%.1f of 12 weeks", (double)live / (double)CSM_WEEK);
    fact(r->out, "short", "live clock", text);
}

static void facts(const report *r) {
    markup *m = r->out;
    char text[96], name[32];
    markup_add(m, "<dl class=\"facts\">\n");
    fact(m, "short", "library", csm_version());
    if (r->ranking && csm_ranking_total(r->ranking) > 0) {
        fact(m, "short", "decision (UTC)",
             time_text(csm_ranking_all_at(r->ranking, 0)->time, text, sizeof text));
        fact(m, "short", "coins", count_text(csm_ranking_total(r->ranking), text, sizeof text));
        live_clock_fact(r);
    }
    if (r->training) {
        fact(m, "short", "trained as of (UTC)",
             time_text(csm_training_as_of(r->training), text, sizeof text));
        fact(m, "short", "recipe", csm_training_recipe(r->training));
        fact(m, "short", "features", count_text(csm_training_features(r->training), text, sizeof text));
        text[0] = 0;
        for (size_t h = csm_training_horizons(r->training), at = 0; h-- > 0 && at < sizeof text;)
            at += (size_t)snprintf(
                text + at, sizeof text - at, "%s%s", at ? ", " : "",
                horizon_text(csm_training_horizon(r->training, h)->horizon, name, sizeof name));
        fact(m, "short", "horizons", text);
        fact(m, "long", "model (SHA-256)", csm_training_hash(r->training));
    }
    markup_add(m, "</dl>\n");
}

static void contents(const report *r) {
    markup *m = r->out;
    char name[32];
    markup_add(m, "<nav aria-label=\"Sections\">");
    if (r->ranking) {
        markup_add(m, "<a href=\"#table\">Table</a><a href=\"#gate\">Gate</a>");
        if (csm_ranking_total(r->ranking) > 0) markup_add(m, "<a href=\"#coins\">All coins</a>");
    }
    if (gate_index(r) >= 0) markup_add(m, "<a href=\"#time-machine\">Time machine</a>");
    for (size_t h = r->training ? csm_training_horizons(r->training) : 0; h-- > 0;) {
        horizon_text(csm_training_horizon(r->training, h)->horizon, name, sizeof name);
        markup_add(m, "<a href=\"#horizon-%s\">%s</a>", name, name);
    }
    markup_add(m, "<a href=\"#methods\">Methods</a></nav>\n");
}

static void header(const report *r) {
    markup_add(r->out, "<header>\n<p class=\"kicker\">cryptosmart %s</p>\n", csm_version());
    headline(r);
    evidence_line(r);
    markup_add(r->out, "<p class=\"claim\">What may be claimed: &#8220;a target with monitored evidence; "
                       "no promise for a single coin or for the future&#8221;.</p>\n");
    facts(r);
    contents(r);
    markup_add(r->out, "</header>\n<main>\n");
}

/* ---- methods ---- */

static const struct {
    const char *id;
    const char *term;
    const char *text;
} glossary[] = {
    {"event", "Event",
     "A coin rises when the logarithm of exit over entry price exceeds the costs. Entry is the first "
     "executable price after the decision, exit the last traded price at the end of the horizon. An exit "
     "inside a gap makes the outcome unknown: it is counted, never trained on and never scored. A market "
     "delisted on the way counts as not risen, at its last price."},
    {"costs", "Costs",
     "Fees, spread and slippage of the round trip, as known at the decision. Where no fee schedule or book "
     "was known, a stated assumption of the configuration stands in its place."},
    {"walk-forward", "Walk-forward record",
     "Training, calibration and test follow each other in time. Training labels that reach into the test "
     "are purged. Everything about a past decision (model, calibrator, bounds, threshold) was fixed by "
     "what had matured before it."},
    {"probability", "Probability",
     "The calibrated probability of the event. The gate asks for at least 80&#160;%."},
    {"lower-bound", "Lower bound",
     "A one-sided 95&#160;% lower bound for the precision of predictions with at least this probability: "
     "the lesser of Venn&#8211;Abers p<sub>0</sub> and a betting bound over blocks."},
    {"blocks", "Disjoint blocks, N<sub>eff</sub>",
     "Decisions closer together than the horizon share their outcome, and coins rise together. So "
     "observations are counted in spans of one horizon, all coins pooled. The number of predictions alone "
     "says little."},
    {"evidence", "Evidence",
     "UNPROVEN: fewer than 14 disjoint blocks were issued. REVOKED: the upper bound of precision fell "
     "below 80&#160;%, or the e-process against it reached 20. CERTIFIED: the lower bound is at least "
     "80&#160;%. CONSISTENT: neither."},
    {"gate-definition", "Gate",
     "A coin is shown only if its data is complete, 12 weeks of final bars stand behind every group of "
     "features, it is liquid enough for the reference notional, its calibrator was fit on matured "
     "out-of-fold predictions, its evidence is not revoked, its probability reaches the threshold and its "
     "expected return exceeds the costs."},
    {"live-clock", "Live clock",
     "The span of predictions that this workspace wrote into its ledger before their outcome. Below 12 "
     "weeks everything shown is backtest evidence only, and never a trade signal."},
    {"interval", "Conformal interval",
     "Split conformal: the forecast plus and minus a quantile of earlier matured errors, so that the share "
     "asked for of future returns falls inside if errors stay alike."},
    {"scores", "Scores",
     "Brier score: mean squared error of the probability. Brier skill: its improvement over the base rate "
     "known at the time. ECE: mean distance between predicted and happened over bins of equal mass. Rank "
     "IC: mean over dates of Spearman&#8217;s correlation between expected and realised return; above 0.10 "
     "a day is a reason to look for a leak."},
    {"skill-or-luck", "Skill or luck",
     "The probabilistic Sharpe ratio (Bailey &amp; L&#243;pez de Prado 2012) allows for few blocks and fat "
     "tails, the deflated one (2014) also for every trial in the register that one could have picked from. "
     "The probability of backtest overfitting (Bailey, Borwein, L&#243;pez de Prado &amp; Zhu 2017) cuts the "
     "record into parts without the block whose labels reach across. The test for superior predictive "
     "ability "
     "(Hansen 2005) allows for several members having been compared; its consistent p-value is shown."},
    {"regime", "Regime",
     "Calm or turbulent: the state of the whole market by a hidden Markov model of its realised volatility "
     "and "
     "the week&#8217;s return, filtered (nothing later is known to it) and fitted on earlier days alone. A "
     "choice of "
     "member by regime is supported where a member&#8217;s band of rank IC lies above the ensemble&#8217;s."},
    {"momentum", "Momentum rule",
     "Takes the coins that rose most over the past span of one horizon, as many as the model takes. What "
     "does not beat it needs no model."},
};

static void methods(markup *m) {
    markup_add(m, "<section id=\"methods\"><h2>Methods</h2>\n<dl class=\"glossary\">\n");
    for (size_t i = 0; i < sizeof glossary / sizeof *glossary; i++)
        markup_add(m, "<dt id=\"%s\">%s</dt><dd>%s</dd>\n", glossary[i].id, glossary[i].term,
                   glossary[i].text);
    markup_add(m, "</dl></section>\n");
}

static void footer(markup *m) {
    markup_add(
        m,
        "</main>\n"
        "<footer>\n"
        "<p>Where the recipe uses market sentiment, it is the <a "
        "href=\"https://alternative.me/crypto/fear-and-greed-index/\">Crypto Fear &amp; Greed Index</a> of "
        "Alternative.me.</p>\n"
        "<p>Returns are simple returns unless called logarithmic. Times are UTC. Not investment "
        "advice.</p>\n"
        "</footer>\n"
        "</body>\n"
        "</html>\n");
}

static csm_status write_page(const report *r) {
    csm_status status = CSM_OK;
    begin_page(r->out);
    header(r);
    if (r->ranking) {
        report_shown(r);
        report_funnel(r);
        report_coins(r);
    }
    if (r->training) status = report_time_machine(r);
    if (r->training && status == CSM_OK) status = report_horizons(r);
    methods(r->out);
    footer(r->out);
    return r->out->failed ? CSM_ENOMEM : status;
}

/* ---- the file ---- */

static csm_status file_error(const char *path, const char *what) {
    int error = errno;
    return own_failure(error == ENOSPC ? CSM_ENOSPACE : CSM_EIO, "report: %s: %s: %s", path, what,
                       strerror(error));
}

static int write_all(int file, const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(file, bytes, length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return -1;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

/* Whole or not at all: a temporary in the same folder, then rename. */
static csm_status write_file(const char *path, const markup *m) {
    struct stat there;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return own_failure(CSM_EIO, "report: %s is not a regular file", path);
    size_t size = strlen(path) + 32;
    char *temporary = malloc(size);
    if (!temporary) return own_failure(CSM_ENOMEM, "report: %s: no memory", path);
    snprintf(temporary, size, "%s.%ld.tmp", path, (long)getpid());
    csm_status status = CSM_OK;
    int file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (file < 0) {
        status = file_error(temporary, "open");
        goto done;
    }
    if (write_all(file, m->text, m->length) != 0)
        status = file_error(temporary, "write");
    else if (fsync(file) != 0)
        status = file_error(temporary, "fsync");
    if (close(file) != 0 && status == CSM_OK) status = file_error(temporary, "close");
    if (status == CSM_OK && rename(temporary, path) != 0) status = file_error(path, "rename");
    if (status != CSM_OK) unlink(temporary);
done:
    free(temporary);
    return status;
}

csm_status write_report(const char *path, const csm_ranking *ranking, const csm_training *training,
                        const judgement *judged, csm_time gate_horizon) {
    markup m = {0};
    report r = {
        .out = &m, .ranking = ranking, .training = training, .judged = judged, .gate_horizon = gate_horizon};
    csm_status status = write_page(&r);
    if (status != CSM_OK)
        own_failure(status, "report: %s: no memory for the page", path);
    else
        status = write_file(path, &m);
    markup_free(&m);
    return status;
}
