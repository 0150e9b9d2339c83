/* SPDX-License-Identifier: MIT */
/* cryptosmartd: the cycle around the clock. Without further words it serves; `job NAME` is how it starts itself for one job. See
 * docs/daemon.md. */
#include "daemon.h"
#include "doctor.h"

#include <limits.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct arguments {
    const char *workspace;
    const char *test_clock;
    bool check_config;
    bool print_options;
    bool alert_test;
    bool doctor;
    int user_words; /* behind `user`; -1: not asked for */
    char **user;
    job_request job;
} arguments;

static const char usage[] =
    "usage: cryptosmartd [-c FILE]... [--workspace DIR] [--check-config | --options | --alert-test | job "
    "NAME |\n"
    "                    doctor | user add|password|role|remove|list ...]\n"
    "Discovers, ingests, predicts and learns around the clock, and serves a dashboard.\n\n"
    "  -c FILE             configuration (YAML); repeatable, later files override\n"
    "  --workspace DIR     where data, models, ledger and daemon.db live (default: ./workspace)\n"
    "  --check-config      say all that is wrong with the configuration, and end\n"
    "  --options           list the daemon's options, and end\n"
    "  --alert-test        send a message to every configured channel, and end\n"
    "  --test-clock URL    take the time from a cryptosmart-replay on this machine, and jump over idle time\n"
    "  --version, --help\n"
    "  doctor              look at configuration, machine, workspace and daemon.db; 7 when something is "
    "wrong\n"
    "  job NAME            do one job now, in this process\n"
    "  user ...            add, change or list who may log in; `user` alone says how\n";

static int usage_error(const char *text, const char *word) {
    fprintf(stderr, "cryptosmartd: %s%s\n", text, word);
    return CODE_USAGE;
}

/* Options with a value; NULL when `word` is none of them. */
static const char **value_of(arguments *a, const char *word) {
    if (strcmp(word, "--workspace") == 0) return &a->workspace;
    if (strcmp(word, "--test-clock") == 0) return &a->test_clock;
    if (strcmp(word, "--test-now") == 0) return &a->job.now;
    if (strcmp(word, "--cursor") == 0) return &a->job.cursor;
    return NULL;
}

static int64_t *number_of(arguments *a, const char *word) {
    if (strcmp(word, "--run") == 0) return &a->job.run;
    if (strcmp(word, "--parent") == 0) return &a->job.parent;
    return NULL;
}

/* -1: go on; else the exit code. */
static int read_word(arguments *a, settings_source *source, int *i, int argc, char **argv) {
    const char *word = argv[*i];
    const char **value = value_of(a, word);
    int64_t *number = number_of(a, word);
    bool file = strcmp(word, "-c") == 0, job = strcmp(word, "job") == 0;
    if ((value || number || file || job) && ++*i >= argc)
        return usage_error("a value is missing behind ", word);
    if (value) {
        *value = argv[*i];
    } else if (number) {
        *number = strtoll(argv[*i], NULL, 10);
    } else if (job) {
        a->job.name = argv[*i];
    } else if (strcmp(word, "user") == 0) {
        a->user = argv + *i + 1;
        a->user_words = argc - *i - 1;
        *i = argc;
    } else if (file) {
        if (source->file_count == SETTINGS_FILES) return usage_error("too many configuration files", "");
        source->files[source->file_count++] = argv[*i];
    } else if (strcmp(word, "--check-config") == 0) {
        a->check_config = true;
    } else if (strcmp(word, "--alert-test") == 0) {
        a->alert_test = true;
    } else if (strcmp(word, "doctor") == 0) {
        a->doctor = true;
    } else if (strcmp(word, "--options") == 0) {
        a->print_options = true;
    } else if (strcmp(word, "--version") == 0) {
        printf("cryptosmartd %s\n", csm_version());
        return CODE_OK;
    } else if (strcmp(word, "--help") == 0) {
        fputs(usage, stdout);
        return CODE_OK;
    } else {
        return usage_error("unknown word ", word);
    }
    return -1;
}

static int prepare(daemon_state *d, const arguments *a) {
    ssize_t length = readlink("/proc/self/exe", d->program, sizeof d->program - 1);
    if (length < 0) return usage_error("/proc/self/exe cannot be read", "");
    d->program[length] = 0;
    if (strlen(a->workspace) >= sizeof d->workspace) return usage_error("too long: ", a->workspace);
    snprintf(d->workspace, sizeof d->workspace, "%s", a->workspace);
    redactor_init(&d->redactor);
    d->log = (logger){.out = stderr, .redactor = &d->redactor, .level = CSM_LOG_INFO};
    if (daemon_configure(d, a->job.name == NULL) != CSM_OK) {
        fprintf(stderr, "%s\n", failure_text());
        return CODE_USAGE;
    }
    return -1;
}

static void release(daemon_state *d) {
    for (size_t i = 0; i < d->config_count; i++) csm_config_free(d->configs[i]);
    free(d->configs);
    secrets_free(&d->secrets);
    redactor_free(&d->redactor);
}

int main(int argc, char **argv) {
    static daemon_state state; /* large, and one a process */
    arguments a = {.workspace = "workspace", .user_words = -1, .job = {.cursor = ""}};
    int code = -1;
    for (int i = 1; code < 0 && i < argc; i++) code = read_word(&a, &state.source, &i, argc, argv);
    if (code >= 0) return code;
    if (a.print_options) {
        settings_print(stdout);
        return CODE_OK;
    }
    if (sodium_init() < 0) return usage_error("libsodium cannot start", "");
    code = prepare(&state, &a);
    if (code < 0 && a.check_config) {
        puts("the configuration is whole and within its ranges");
        code = CODE_OK;
    }
    if (code < 0 && a.doctor) code = doctor(&state);
    if (code < 0 && a.alert_test) code = alerts_test(&state);
    if (code < 0 && a.test_clock && test_clock_open(&state, a.test_clock) != CSM_OK)
        code = usage_error("", failure_text());
#ifdef DAEMON_WEB
    if (code < 0 && a.user_words >= 0) code = web_user(&state, a.user_words, a.user);
#endif
    if (code < 0) code = a.job.name ? job_main(&state, &a.job) : daemon_serve(&state);
    release(&state);
    return code;
}
