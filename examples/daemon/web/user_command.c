/* SPDX-License-Identifier: MIT */
/* `cryptosmartd user`: how the first user gets in, and how a lost password is replaced, by who may write the workspace. */
#include "accounts.h"
#include "dashboard.h"

#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { CODE_OK = 0, CODE_FAILED = 1, CODE_USAGE = 2, CODE_NO_DATA = 3 };

static int usage(void) {
    fputs("usage: cryptosmartd user add NAME ROLE | password NAME | role NAME ROLE | remove NAME | list\n"
          "ROLE is viewer, operator or admin. The password is asked on the terminal, or read as the first "
          "line of "
          "standard input.\n",
          stderr);
    return CODE_USAGE;
}

/* One line without its end; false when there is none or it is too long. */
static bool read_line(char *out, size_t size) {
    if (!fgets(out, (int)size, stdin)) return false;
    const size_t length = strcspn(out, "\r\n");
    const bool whole = out[length] != 0 || feof(stdin);
    out[length] = 0;
    return whole;
}

static bool ask(const char *prompt, char *out, size_t size) {
    struct termios shown, hidden;
    fputs(prompt, stderr);
    if (tcgetattr(STDIN_FILENO, &shown) != 0) return false;
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden) != 0) return false;
    const bool read = read_line(out, size);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return read;
}

static bool read_password(char *out, size_t size) {
    char again[1026];
    if (!isatty(STDIN_FILENO)) return read_line(out, size);
    if (!ask("password: ", out, size) || !ask("again: ", again, sizeof again)) return false;
    const bool same = strcmp(out, again) == 0;
    sodium_memzero(again, sizeof again);
    if (!same) fputs("cryptosmartd: the two are not the same\n", stderr);
    return same;
}

/* The trail names who ran the program. */
static void own_name(char *out, size_t size) {
    const struct passwd *user = getpwuid(getuid());
    snprintf(out, size, "shell:%s", user ? user->pw_name : "?");
}

static csm_status list(accounts *a) {
    json_t *rows = json_array(), *row;
    size_t i;
    const csm_status status = accounts_list(a, rows);
    json_array_foreach(rows, i, row) {
        printf("%-32s %s\n", json_string_value(json_object_get(row, "name")),
               json_string_value(json_object_get(row, "role")));
    }
    json_decref(rows);
    return status;
}

static csm_status run(accounts *a, int argc, char **argv, const char *password) {
    char who[80];
    own_name(who, sizeof who);
    if (strcmp(argv[0], "add") == 0) return accounts_add(a, argv[1], role_parse(argv[2]), password, who, "");
    if (strcmp(argv[0], "password") == 0) return accounts_password(a, argv[1], password, "", who, "");
    if (strcmp(argv[0], "role") == 0) return accounts_role(a, argv[1], role_parse(argv[2]), who, "");
    return argc == 2 ? accounts_remove(a, argv[1], who, "") : list(a);
}

int dashboard_user_command(int argc, char **argv, const char *database) {
    static const struct {
        const char *verb;
        int arguments;
        bool password;
    } verbs[] = {{"add", 3, true},
                 {"password", 2, true},
                 {"role", 3, false},
                 {"remove", 2, false},
                 {"list", 1, false}};
    char password[1026] = "";
    size_t verb = 0;
    accounts *a = NULL;
    while (verb < 5 && (argc < 1 || strcmp(argv[0], verbs[verb].verb) != 0)) verb++;
    if (verb == 5 || argc != verbs[verb].arguments) return usage();
    csm_status status = accounts_open(&a, database, NULL, NULL);
    if (status == CSM_OK && verbs[verb].password && !read_password(password, sizeof password)) {
        fputs("cryptosmartd: no password was given\n", stderr);
        accounts_free(a);
        return CODE_USAGE;
    }
    if (status == CSM_OK) status = run(a, argc, argv, password);
    if (status != CSM_OK) fprintf(stderr, "cryptosmartd: %s\n", accounts_error());
    sodium_memzero(password, sizeof password);
    accounts_free(a);
    return status == CSM_OK          ? CODE_OK
           : status == CSM_EINVAL    ? CODE_USAGE
           : status == CSM_ENOTFOUND ? CODE_NO_DATA
                                     : CODE_FAILED;
}
