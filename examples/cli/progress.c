/* SPDX-License-Identifier: MIT */
/* Progress on standard error: a bar on a terminal, a line now and then otherwise. */
#include "cli.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    char what[64];
    bool open;      /* a bar stands on the current line */
    time_t printed; /* of the last plain line */
} state;

void end_progress(void) {
    if (state.open) fputs("\r\033[K", stderr);
    state.open = false;
}

static void draw_bar(const char *what, uint64_t done, uint64_t total) {
    enum { WIDTH = 30 };
    int filled = total ? (int)(WIDTH * (done < total ? done : total) / total) : 0;
    fprintf(stderr, "\r\033[K%-14.40s [", what);
    for (int i = 0; i < WIDTH; i++) fputc(i < filled ? '#' : '.', stderr);
    if (total)
        fprintf(stderr, "] %llu/%llu", (unsigned long long)done, (unsigned long long)total);
    else
        fprintf(stderr, "] %llu", (unsigned long long)done);
    fflush(stderr);
    state.open = true;
}

int show_progress(void *user, const char *what, uint64_t done, uint64_t total) {
    (void)user;
    if (isatty(STDERR_FILENO)) {
        draw_bar(what, done, total);
        return 0;
    }
    time_t now = time(NULL);
    bool changed = strcmp(state.what, what) != 0;
    if (!changed && now < state.printed + 10) return 0;
    snprintf(state.what, sizeof state.what, "%s", what);
    state.printed = now;
    if (total)
        fprintf(stderr, "%s: %llu of %llu\n", what, (unsigned long long)done, (unsigned long long)total);
    else
        fprintf(stderr, "%s\n", what);
    return 0;
}
