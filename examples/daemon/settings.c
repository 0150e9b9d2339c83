/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include "failure.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const csm_option options[] = {
#define DAEMON_OPTION(name, type, standard, minimum, maximum, text)                                          \
    {name, text, standard, minimum, maximum, CSM_OPTION_##type, 0},
#include "options.def"
#undef DAEMON_OPTION
};
#define OPTION_COUNT (sizeof options / sizeof options[0])

#define FILE_BYTES 262144

/* Joins the texts of several faulty files, so that all of them are told at once. */
static void gather(char *texts, size_t size, const char *text) {
    size_t used = strlen(texts);
    if (used < size) snprintf(texts + used, size - used, "%s%s", used ? "\n" : "", text);
}

/* Takes what a faulty file says beside its faulty lines, so that faults that show only then are told at once too. The result is for
 * looking at, never for use: the load has failed. */
static void load_rest(csm_config *config, const char *path, const char *faults) {
    char prefix[512], *text = NULL;
    size_t length = 0;
    FILE *file = fopen(path, "re");
    if (!file) return;
    text = calloc(1, FILE_BYTES + 1);
    if (text) length = fread(text, 1, FILE_BYTES, file);
    fclose(file);
    snprintf(prefix, sizeof prefix, "%s:", path);
    for (const char *at = strstr(faults, prefix); text && at; at = strstr(at + 1, prefix)) {
        long line = strtol(at + strlen(prefix), NULL, 10);
        char *start = text;
        for (long i = 1; i < line && start; i++) start = strchr(start, '\n') ? strchr(start, '\n') + 1 : NULL;
        if (start) memset(start, ' ', strcspn(start, "\n"));
    }
    if (text) (void)csm_config_parse(config, text, length, path);
    free(text);
}

csm_status settings_load(csm_config **out, const settings_source *source) {
    char texts[4000] = "";
    csm_config *config = NULL;
    csm_status status = csm_config_new_with(&config, options, OPTION_COUNT), one = CSM_OK;
    if (status != CSM_OK) return fail_library(status, "");
    for (int i = 0; i < source->file_count; i++) {
        one = csm_config_load(config, source->files[i]);
        if (one == CSM_OK) continue;
        gather(texts, sizeof texts, csm_error_message());
        status = one;
        load_rest(config, source->files[i], texts);
    }
    one = csm_config_environment(config, (const char *const *)environ);
    if (one != CSM_OK) {
        gather(texts, sizeof texts, csm_error_message());
        status = one;
    }
    *out = config;
    return status == CSM_OK ? CSM_OK : fail(status, "%s", texts);
}

void settings_print(FILE *out) {
    for (size_t i = 0; i < OPTION_COUNT; i++)
        fprintf(out, "%-26s %-10s %s\n", options[i].name, *options[i].standard ? options[i].standard : "\"\"",
                options[i].text);
}

const char *settings_text(const csm_config *config, const char *name) {
    const char *value = csm_config_get(config, name);
    return value ? value : "";
}

int64_t settings_integer(const csm_config *config, const char *name) {
    return (int64_t)settings_real(config, name);
}

double settings_real(const csm_config *config, const char *name) {
    csm_decimal number;
    const char *value = settings_text(config, name);
    return csm_decimal_parse(&number, value, strlen(value)) == CSM_OK ? csm_decimal_double(number) : 0;
}

csm_time settings_duration(const csm_config *config, const char *name) {
    csm_time span = 0;
    return csm_interval_parse(&span, settings_text(config, name)) == CSM_OK ? span : 0;
}

bool settings_boolean(const csm_config *config, const char *name) {
    return strcmp(settings_text(config, name), "true") == 0;
}

bool settings_item(const csm_config *config, const char *name, size_t index, char *text, size_t size) {
    const char *item = settings_text(config, name);
    if (!*item || size == 0) return false;
    for (; index > 0; index--) {
        item = strchr(item, ',');
        if (!item) return false;
        item++;
    }
    item += strspn(item, " ");
    size_t length = strcspn(item, ",");
    while (length > 0 && item[length - 1] == ' ') length--;
    if (length >= size) length = size - 1;
    memcpy(text, item, length);
    text[length] = 0;
    return true;
}
