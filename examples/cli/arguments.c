/* SPDX-License-Identifier: MIT */
#include "cli.h"

#include <stdarg.h>
#include <string.h>

int usage_error(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("cryptosmart: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return EXIT_USAGE;
}

static void drop(cli *c, int at, int count) {
    for (int i = at; i + count < c->argc; i++) c->argv[i] = c->argv[i + count];
    c->argc -= count;
}

const char *take_option(cli *c, const char *name) {
    size_t length = strlen(name);
    for (int i = 0; i < c->argc; i++) {
        char *word = c->argv[i];
        if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, name, length) != 0) continue;
        if (word[2 + length] == '=') {
            drop(c, i, 1);
            return word + 2 + length + 1;
        }
        if (word[2 + length] == 0 && i + 1 < c->argc) {
            char *value = c->argv[i + 1];
            drop(c, i, 2);
            return value;
        }
    }
    return NULL;
}

bool take_flag(cli *c, const char *name) {
    for (int i = 0; i < c->argc; i++) {
        if (strncmp(c->argv[i], "--", 2) == 0 && strcmp(c->argv[i] + 2, name) == 0) {
            drop(c, i, 1);
            return true;
        }
    }
    return false;
}

int check_arguments(const cli *c, int positional) {
    for (int i = 0; i < c->argc; i++) {
        if (c->argv[i][0] == '-' && c->argv[i][1])
            return usage_error("unknown or incomplete option %s", c->argv[i]);
    }
    if (c->argc > positional) return usage_error("unexpected argument '%s'", c->argv[positional]);
    if (c->argc < positional) return usage_error("an argument is missing; see --help");
    return EXIT_OK;
}

int take_time(cli *c, const char *name, csm_time standard, csm_time *out) {
    const char *text = take_option(c, name);
    *out = standard;
    if (!text) return EXIT_OK;
    if (csm_time_parse(out, text, strlen(text)) == CSM_OK) return EXIT_OK;
    return usage_error("--%s: %s", name, csm_error_message());
}

csm_status open_pipeline(cli *c, csm_pipeline **out, uint32_t mode) {
    return csm_pipeline_open(out, c->context, c->config, c->workspace, mode);
}

static int exit_code(csm_status status) {
    switch (status) {
    case CSM_OK:
        return EXIT_OK;
    case CSM_EINVAL:
        return EXIT_USAGE;
    case CSM_ENODATA:
    case CSM_ENOTFOUND:
        return EXIT_NO_DATA;
    case CSM_ECOVERAGE:
        return EXIT_COVERAGE;
    case CSM_ELOCKED:
        return EXIT_BUSY;
    case CSM_ELIMITED:
    case CSM_ETRANSIENT:
    case CSM_EPERMANENT:
    case CSM_EAUTH:
        return EXIT_NETWORK;
    case CSM_ECORRUPT:
    case CSM_EPARSE:
    case CSM_EPROVENANCE:
        return EXIT_DAMAGED;
    case CSM_ECANCELLED:
        return EXIT_CANCELLED;
    default:
        return EXIT_FAILED;
    }
}

static char own_text[1024]; /* of this program's last failure; empty: the library's text holds */

csm_status own_failure(csm_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(own_text, sizeof own_text, format, arguments);
    va_end(arguments);
    return status;
}

int fail(const cli *c, csm_status status) {
    const char *text = *own_text ? own_text : csm_error_message();
    end_progress();
    if (c->json)
        print_json(json_pack("{s:{s:s,s:s}}", "error", "status", csm_status_name(status), "text", text));
    fprintf(stderr, "cryptosmart: %s: %s\n", csm_status_name(status), text);
    return exit_code(status);
}
