/* SPDX-License-Identifier: MIT */
/* Numbers as text and as JSON. */
#include "cli.h"

#include <math.h>
#include <string.h>

int print_json(json_t *document) {
    if (!document) {
        fputs("cryptosmart: no memory for the JSON document\n", stderr);
        return EXIT_FAILED;
    }
    json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
    putchar('\n');
    json_decref(document);
    return EXIT_OK;
}

json_t *json_number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

json_t *json_time(csm_time time) {
    char text[CSM_TIME_TEXT];
    if (time == CSM_TIME_MIN || time == CSM_TIME_MAX) return json_null();
    return json_string(csm_time_format(time, text, sizeof text));
}

json_t *json_reasons(csm_reason reasons) {
    json_t *list = json_array();
    for (uint32_t bit = 0; bit < 64; bit++) {
        const char *name = (reasons >> bit & 1) ? csm_reason_name(bit) : NULL;
        if (name) json_array_append_new(list, json_string(name));
    }
    return list;
}

const char *time_text(csm_time time, char *text, size_t size) {
    if (time == CSM_TIME_MIN || time == CSM_TIME_MAX) {
        snprintf(text, size, "-");
        return text;
    }
    csm_calendar c = csm_time_calendar(time);
    snprintf(text, size, "%04d-%02d-%02d %02d:%02d", (int)c.year, (int)c.month, (int)c.day, (int)c.hour,
             (int)c.minute);
    return text;
}

const char *percent_text(double value, char *text, size_t size) {
    if (isfinite(value))
        snprintf(text, size, "%+.1f %%", 100 * (exp(value) - 1));
    else
        snprintf(text, size, "n/a");
    return text;
}

const char *probability_text(double value, char *text, size_t size) {
    if (isfinite(value))
        snprintf(text, size, "%.1f %%", 100 * value);
    else
        snprintf(text, size, "n/a");
    return text;
}

const char *horizon_text(csm_time horizon, char *text, size_t size) {
    if (horizon == CSM_DAY)
        snprintf(text, size, "24h");
    else if (horizon % CSM_DAY == 0)
        snprintf(text, size, "%lldd", (long long)(horizon / CSM_DAY));
    else
        csm_interval_format(horizon, text, size);
    return text;
}
