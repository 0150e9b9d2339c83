/* SPDX-License-Identifier: MIT */
#include "emit.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static void print_line(json_t *line) {
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    if (text) {
        puts(text);
        fflush(stdout);
    }
    free(text);
    json_decref(line);
}

json_t *json_number_or_null(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_time_or_null(csm_time time) {
    char text[CSM_TIME_TEXT];
    if (time == CSM_TIME_MIN || time == CSM_TIME_MAX) return json_null();
    return json_string(csm_time_format(time, text, sizeof text));
}

void emit_fact(const char *name, double value, const char *format, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    print_line(json_pack("{s:s,s:o,s:s}", "fact", name, "value", json_number_or_null(value), "text", text));
}

void emit_cursor(const char *cursor) {
    print_line(json_pack("{s:s}", "cursor", cursor));
}

void emit_result(json_t *result) {
    print_line(json_pack("{s:o}", "result", result));
}

int emit_progress(void *user, const char *what, uint64_t done, uint64_t total) {
    static struct timespec last;
    struct timespec now;
    char text[160];
    (void)user;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double passed = (double)(now.tv_sec - last.tv_sec) + (double)(now.tv_nsec - last.tv_nsec) / 1e9;
    if (passed < 0.5) return 0;
    last = now;
    if (total > 0)
        snprintf(text, sizeof text, "%s: %llu of %llu", what, (unsigned long long)done,
                 (unsigned long long)total);
    else
        snprintf(text, sizeof text, "%s: %llu", what, (unsigned long long)done);
    print_line(json_pack("{s:s}", "progress", text));
    return 0;
}

void emit_usage(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    json_int_t processor = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL +
                           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
    print_line(
        json_pack("{s:I,s:I}", "memory", (json_int_t)usage.ru_maxrss * 1024, "processor", processor * 1000));
}
