/* SPDX-License-Identifier: MIT */
#include "dotenv.h"

#include "failure.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct reader {
    const char *at;
    const char *end;
    const char *file;
    int line;
    char name[DOTENV_NAME];
    char *value; /* DOTENV_VALUE bytes */
    size_t used;
} reader;

static csm_status refuse(const reader *r, const char *text) {
    return fail(CSM_EPARSE, "%s:%d: %s", r->file, r->line, text);
}

static bool at_blank(const reader *r) {
    return r->at < r->end && (*r->at == ' ' || *r->at == '\t');
}

static bool at_line_end(const reader *r) {
    return r->at == r->end || *r->at == '\n' || *r->at == '\r';
}

static void skip_blanks(reader *r) {
    while (at_blank(r)) r->at++;
}

/* CR LF, CR and LF all end a line. */
static void next_line(reader *r) {
    while (!at_line_end(r)) r->at++;
    if (r->at < r->end && *r->at == '\r') r->at++;
    if (r->at < r->end && *r->at == '\n') r->at++;
    r->line++;
}

static bool is_name_byte(char c, bool first) {
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
    return letter || (!first && c >= '0' && c <= '9');
}

static csm_status read_name(reader *r) {
    size_t n = 0;
    while (r->at < r->end && is_name_byte(*r->at, n == 0)) {
        if (n == DOTENV_NAME - 1) return refuse(r, "a name is longer than 255 bytes");
        r->name[n++] = *r->at++;
    }
    r->name[n] = 0;
    return n > 0 ? CSM_OK : refuse(r, "a name of letters, digits and '_' is wanted here");
}

static csm_status put(reader *r, char c) {
    if (c == 0) return refuse(r, "a zero byte");
    if (r->used == DOTENV_VALUE - 1) return refuse(r, "a value is longer than 65535 bytes");
    r->value[r->used++] = c;
    return CSM_OK;
}

static char escaped(char c) {
    switch (c) {
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '"':
    case '\\':
    case '$':
        return c;
    default:
        return 0;
    }
}

/* Quoted values may span lines. 'single' is literal; "double" knows \n \r \t \" \\ \$, and keeps other backslashes. */
static csm_status read_quoted(reader *r, char quote) {
    csm_status status = CSM_OK;
    int began = r->line;
    for (r->at++; status == CSM_OK; r->at++) {
        if (r->at == r->end) {
            r->line = began;
            return refuse(r, "a quote is not closed");
        }
        if (*r->at == quote) break;
        r->line += *r->at == '\n';
        char plain = quote == '"' && *r->at == '\\' && r->at + 1 < r->end ? escaped(r->at[1]) : 0;
        status = put(r, plain ? plain : *r->at);
        if (plain) r->at++;
    }
    if (status != CSM_OK) return status;
    r->at++;
    bool blank = at_blank(r);
    skip_blanks(r);
    if (at_line_end(r) || (blank && *r->at == '#')) return CSM_OK;
    return refuse(r, "text behind the closing quote");
}

/* A '#' begins a comment only behind a blank: secrets may hold one. */
static csm_status read_plain(reader *r) {
    csm_status status = CSM_OK;
    while (status == CSM_OK && !at_line_end(r)) {
        if (*r->at == '#' && (r->used == 0 || r->at[-1] == ' ' || r->at[-1] == '\t')) break;
        status = put(r, *r->at++);
    }
    while (r->used > 0 && (r->value[r->used - 1] == ' ' || r->value[r->used - 1] == '\t')) r->used--;
    return status;
}

static csm_status read_entry(reader *r, dotenv_fn on_entry, void *user) {
    int line = r->line;
    csm_status status = read_name(r);
    if (status == CSM_OK && strcmp(r->name, "export") == 0 && at_blank(r)) {
        skip_blanks(r);
        status = read_name(r);
    }
    if (status != CSM_OK) return status;
    skip_blanks(r);
    if (r->at == r->end || *r->at != '=') return refuse(r, "'=' is missing");
    r->at++;
    skip_blanks(r);
    r->used = 0;
    if (r->at < r->end && (*r->at == '"' || *r->at == '\''))
        status = read_quoted(r, *r->at);
    else
        status = read_plain(r);
    r->value[r->used] = 0;
    return status == CSM_OK ? on_entry(user, r->name, r->value, line) : status;
}

csm_status dotenv_parse(const char *text, size_t length, const char *file, dotenv_fn on_entry, void *user) {
    if (!text) return CSM_OK; /* an empty file */
    reader r = {.at = text, .end = text + length, .file = file, .line = 1};
    csm_status status = CSM_OK;
    r.value = sodium_malloc(DOTENV_VALUE);
    if (!r.value) return fail(CSM_ENOMEM, "no locked memory for %s", file);
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) r.at += 3;
    while (status == CSM_OK && r.at < r.end) {
        skip_blanks(&r);
        if (!at_line_end(&r) && *r.at != '#') status = read_entry(&r, on_entry, user);
        if (r.at < r.end) next_line(&r);
    }
    sodium_free(r.value);
    return status;
}

static csm_status check_file(int fd, const char *path, size_t *size) {
    struct stat file;
    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode)) return fail(CSM_EIO, "%s is no file", path);
    if (file.st_uid != geteuid() || (file.st_mode & 077) != 0)
        return fail(CSM_EAUTH,
                    "%s holds secrets, but its mode is %03o: only its owner may have rights (0600)", path,
                    (unsigned)file.st_mode & 0777u);
    if (file.st_size > (off_t)DOTENV_BYTES) return fail(CSM_EINVAL, "%s is larger than 1 MiB", path);
    *size = (size_t)file.st_size;
    return CSM_OK;
}

csm_status dotenv_load(const char *path, dotenv_fn on_entry, void *user) {
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return fail(errno == ENOENT ? CSM_ENOTFOUND : CSM_EIO, "%s cannot be opened: %s", path,
                    strerror(errno));
    csm_status status = check_file(fd, path, &size);
    char *text = status == CSM_OK ? sodium_malloc(size + 1) : NULL;
    if (status == CSM_OK && !text) status = fail(CSM_ENOMEM, "no locked memory for %s", path);
    if (status == CSM_OK && read(fd, text, size) != (ssize_t)size)
        status = fail(CSM_EIO, "%s cannot be read whole", path);
    close(fd);
    if (status == CSM_OK && text) status = dotenv_parse(text, size, path, on_entry, user);
    sodium_free(text);
    return status;
}
