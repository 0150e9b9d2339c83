/* SPDX-License-Identifier: MIT */
/* What every command of the program shares. Public headers of the library only. */
#ifndef CLI_H
#define CLI_H

#include <cryptosmart/cryptosmart.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

typedef struct cli {
    csm_context *context;
    csm_config *config;
    const char *workspace;
    bool json;
    bool verbose;
    bool replayed; /* --now was given: predictions are backfill, whatever else is said */
    int argc;      /* arguments behind the command's name */
    char **argv;
} cli;

/* Exit codes, documented in docs/cli.md. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NO_DATA = 3,
    EXIT_COVERAGE = 4,
    EXIT_BUSY = 5,
    EXIT_NETWORK = 6,
    EXIT_DAMAGED = 7,
    EXIT_CANCELLED = 130
};

typedef struct command {
    const char *name;
    const char *arguments;
    const char *text;
    int (*run)(cli *c);
} command;
extern const command commands[];

#define COMMAND(name, arguments, text) int command_##name(cli *c);
#include "commands.def"
#undef COMMAND

/* ---- options of a command ---- */

/* Takes "--name VALUE" or "--name=VALUE" out of the arguments; NULL when it was not given. */
const char *take_option(cli *c, const char *name);
bool take_flag(cli *c, const char *name);
/* After all options were taken: EXIT_USAGE with a message when something is left, at most `positional` arguments allowed. */
int check_arguments(const cli *c, int positional);
/* A time option; `standard` when absent. EXIT_USAGE with a message when it is no time. */
int take_time(cli *c, const char *name, csm_time standard, csm_time *out);

/* ---- results ---- */

/* Keeps the text of a failure of this program's own, for fail(). Returns `status`. */
csm_status own_failure(csm_status status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints the text of own_failure, or else the library's error (as JSON with --json), and gives the exit code of `status`. */
int fail(const cli *c, csm_status status);
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints and frees a JSON document. */
int print_json(json_t *document);
json_t *json_number(double value); /* null for NaN and infinities */
json_t *json_time(csm_time time);  /* null for CSM_TIME_MIN and CSM_TIME_MAX */
json_t *json_reasons(csm_reason reasons);
json_t *json_forecast(const csm_forecast *forecast);
json_t *json_ranking(const csm_ranking *ranking);
json_t *json_training(const csm_training *training);
json_t *json_coverage(const csm_discovery *discovery);
json_t *json_learned(const csm_maturing *maturing, const csm_decision_list *decisions);

const char *time_text(csm_time time, char *text, size_t size);   /* "2023-12-30 20:00", "-" when unknown */
const char *percent_text(double value, char *text, size_t size); /* log return as simple return, "+3.1 %" */
const char *probability_text(double value, char *text, size_t size); /* "83 %" */
const char *horizon_text(csm_time horizon, char *text, size_t size); /* "24h", "30d" */

void print_ranking(FILE *out, const csm_ranking *ranking, csm_time gate_horizon);
void print_funnel(FILE *out, const csm_ranking *ranking);
void print_ranking_csv(FILE *out, const csm_ranking *ranking);
void print_evaluation(FILE *out, const csm_training *training);
void print_coverage(FILE *out, const csm_discovery *discovery);
void print_learned(FILE *out, const csm_maturing *maturing, const csm_decision_list *decisions);

/* The configured horizon of the gate. */
csm_time gate_horizon(const cli *c);
/* Opens the pipeline of the workspace. */
csm_status open_pipeline(cli *c, csm_pipeline **out, uint32_t mode);

/* ---- report ---- */

/* One HTML page without outside resources: ranking, funnel, time machine, reliability, equity of issued calls, skill or luck.
 * Written whole or not at all. ranking, training or judged (one a horizon) may be NULL: their sections are left out. */
struct judgement;
csm_status write_report(const char *path, const csm_ranking *ranking, const csm_training *training,
                        const struct judgement *judged, csm_time gate_horizon);

/* ---- progress ---- */

/* A bar on a terminal, plain lines otherwise; on standard error. */
int show_progress(void *user, const char *what, uint64_t done, uint64_t total);
void end_progress(void);

#endif
