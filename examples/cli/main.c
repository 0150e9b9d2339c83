/* SPDX-License-Identifier: MIT */
/* cryptosmart: the command line over the public API. Global options first, then a command; see docs/cli.md. */
#include "cli.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const command commands[] = {
#define COMMAND(name, arguments, text) {#name, arguments, text, command_##name},
#include "commands.def"
#undef COMMAND
    {NULL, NULL, NULL, NULL},
};

static csm_context *interrupted; /* for the signal handler alone */

static void on_interrupt(int signal_number) {
    (void)signal_number;
    if (interrupted) csm_context_cancel(interrupted);
}

static void print_log(void *user, csm_log_level level, const char *module, const char *text) {
    static const char *const names[] = {"error", "warning", "info", "debug"};
    (void)user;
    end_progress();
    fprintf(stderr, "%s: %s: %s\n", names[level <= CSM_LOG_DEBUG ? level : CSM_LOG_DEBUG], module, text);
}

static void print_help(FILE *out) {
    fprintf(out,
            "cryptosmart %s: finds crypto coins about to rise, honestly\n\n"
            "usage: cryptosmart [-c FILE]... [--workspace DIR] [--json] [-v] COMMAND [ARGUMENTS]\n\n"
            "  -c FILE          configuration (YAML); repeatable, later files override\n"
            "  --workspace DIR  where data, models and ledger live (default: ./workspace)\n"
            "  --json           machine-readable results on standard output\n"
            "  -v               log what happens on standard error\n"
            "  --version        print the version\n\ncommands:\n",
            csm_version());
    for (const command *k = commands; k->name; k++) fprintf(out, "  %-11s%s\n", k->name, k->text);
    fprintf(out, "\n'cryptosmart COMMAND --help' shows a command's arguments.\n");
}

typedef struct globals {
    const char *workspace;
    const char *now;
    const char *files[16];
    int file_count;
    bool json;
    bool verbose;
} globals;

/* Reads options before the command. Gives the index of the command, or -(exit code) - 1. */
static int read_globals(globals *g, int argc, char **argv) {
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        const char *word = argv[i];
        bool value =
            strcmp(word, "-c") == 0 || strcmp(word, "--workspace") == 0 || strcmp(word, "--now") == 0;
        if (value && i + 1 >= argc) return -1 - usage_error("%s needs a value", word);
        if (strcmp(word, "-c") == 0) {
            if (g->file_count == 16) return -1 - usage_error("more than 16 configuration files");
            g->files[g->file_count++] = argv[++i];
        } else if (strcmp(word, "--workspace") == 0) {
            g->workspace = argv[++i];
        } else if (strcmp(word, "--now") == 0) {
            g->now = argv[++i];
        } else if (strncmp(word, "--workspace=", 12) == 0) {
            g->workspace = word + 12;
        } else if (strcmp(word, "--json") == 0) {
            g->json = true;
        } else if (strcmp(word, "-v") == 0) {
            g->verbose = true;
        } else if (strcmp(word, "--version") == 0) {
            printf("cryptosmart %s\n", csm_version());
            return -1 - EXIT_OK;
        } else if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
            print_help(stdout);
            return -1 - EXIT_OK;
        } else {
            return -1 - usage_error("unknown option %s", word);
        }
    }
    if (i >= argc) {
        print_help(stderr);
        return -1 - EXIT_USAGE;
    }
    return i;
}

static csm_status read_config(csm_config **out, const globals *g) {
    csm_status status = csm_config_new(out);
    for (int i = 0; status == CSM_OK && i < g->file_count; i++) status = csm_config_load(*out, g->files[i]);
    if (status == CSM_OK) status = csm_config_environment(*out, (const char *const *)environ);
    return status;
}

static csm_time fixed_now;

static csm_time fixed_clock(void *user) {
    return *(const csm_time *)user;
}

static csm_status make_context(csm_context **out, const globals *g, const csm_config *config) {
    csm_context_options options;
    csm_context_options_init(&options);
    options.threads = (uint32_t)strtoul(csm_config_get(config, "run.threads"), NULL, 10);
    options.seed = strtoull(csm_config_get(config, "run.seed"), NULL, 10);
    options.log_level = g->verbose ? CSM_LOG_INFO : CSM_LOG_WARN;
    csm_status status = csm_context_new(out, &options);
    if (status != CSM_OK) return status;
    csm_context_set_log(*out, print_log, NULL);
    csm_context_set_progress(*out, show_progress, NULL);
    if (g->now) {
        status = csm_time_parse(&fixed_now, g->now, strlen(g->now));
        if (status != CSM_OK) return status;
        csm_context_set_clock(*out, fixed_clock, &fixed_now);
    }
    interrupted = *out;
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return CSM_OK;
}

static int run_command(const command *k, const globals *g, int argc, char **argv) {
    cli c = {.workspace = g->workspace,
             .json = g->json,
             .verbose = g->verbose,
             .replayed = g->now != NULL,
             .argc = argc,
             .argv = argv};
    csm_status status = read_config(&c.config, g);
    if (status == CSM_OK) status = make_context(&c.context, g, c.config);
    int code = status == CSM_OK ? k->run(&c) : fail(&c, status) == EXIT_FAILED ? EXIT_FAILED : EXIT_USAGE;
    end_progress();
    interrupted = NULL;
    csm_context_free(c.context);
    csm_config_free(c.config);
    return code;
}

int main(int argc, char **argv) {
    globals g = {.workspace = "workspace"};
    int at = read_globals(&g, argc, argv);
    if (at < 0) return -at - 1;
    for (const command *k = commands; k->name; k++) {
        if (strcmp(k->name, argv[at]) != 0) continue;
        if (at + 1 < argc && (strcmp(argv[at + 1], "--help") == 0 || strcmp(argv[at + 1], "-h") == 0)) {
            printf("usage: cryptosmart %s %s\n\n%s\n", k->name, k->arguments, k->text);
            return EXIT_OK;
        }
        return run_command(k, &g, argc - at - 1, argv + at + 1);
    }
    return usage_error("unknown command '%s'; 'cryptosmart --help' lists them", argv[at]);
}
