/* SPDX-License-Identifier: MIT */
#include "pipeline/config.h"

#include <stdlib.h>
#include <string.h>

static const csm_option options[] = {
#define CSM_OPTION(name, type, standard, minimum, maximum, text)                                             \
    {name, text, standard, minimum, maximum, CSM_OPTION_##type, 0},
#include "pipeline/config.def"
#undef CSM_OPTION
};
#define OPTION_COUNT (sizeof options / sizeof options[0])

struct csm_config {
    char *values[OPTION_COUNT];
    host_options host;
};

size_t csm_config_option_count(void) {
    return OPTION_COUNT;
}

const csm_option *csm_config_option_at(size_t index) {
    return index < OPTION_COUNT ? &options[index] : NULL;
}

int csm_config_find(const char *name) {
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(options[i].name, name) == 0) return (int)i;
    }
    return -1;
}

/* ---- values ---- */

/* A number as plain digits, sign, point and exponent; independent of the locale. */
static bool parse_real(const char *text, double *out) {
    csm_decimal decimal;
    if (csm_decimal_parse(&decimal, text, strlen(text)) != CSM_OK) return false;
    *out = csm_decimal_double(decimal);
    return true;
}

/* As csm_interval_parse, and "0s", which means "none". */
static bool parse_duration(const char *text, csm_time *out) {
    if (strcmp(text, "0s") == 0) {
        *out = 0;
        return true;
    }
    return csm_interval_parse(out, text) == CSM_OK;
}

static size_t list_items(const char *text) {
    size_t count = text[0] ? 1 : 0;
    for (const char *p = text; *p; p++) count += *p == ',';
    return count;
}

static csm_status check_number(const csm_option *option, const char *value) {
    double number = 0;
    if (!parse_real(value, &number))
        return csm_fail(CSM_EINVAL, "%s: '%s' is not a number", option->name, value);
    if (option->type == CSM_OPTION_INTEGER && number != (double)(int64_t)number)
        return csm_fail(CSM_EINVAL, "%s: '%s' is not a whole number", option->name, value);
    if (number < option->minimum || number > option->maximum)
        return csm_fail(CSM_EINVAL, "%s: %s is outside %g..%g", option->name, value, option->minimum,
                        option->maximum);
    return CSM_OK;
}

static csm_status check_duration(const csm_option *option, const char *value) {
    csm_time duration = 0;
    if (!parse_duration(value, &duration))
        return csm_fail(CSM_EINVAL, "%s: '%s' is no duration such as 15m, 6h, 30d or 12w", option->name,
                        value);
    double seconds = (double)duration / (double)CSM_SECOND;
    if (seconds < option->minimum || seconds > option->maximum)
        return csm_fail(CSM_EINVAL, "%s: %s is outside %g..%g seconds", option->name, value, option->minimum,
                        option->maximum);
    return CSM_OK;
}

csm_status csm_config_check_value(const csm_option *option, const char *value) {
    size_t length = strlen(value);
    if (length > 8192) return csm_fail(CSM_EINVAL, "%s: %zu bytes are too many", option->name, length);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)value[i] < 0x20)
            return csm_fail(CSM_EINVAL, "%s: control character at byte %zu", option->name, i);
    }
    switch ((csm_option_type)option->type) {
    case CSM_OPTION_INTEGER:
    case CSM_OPTION_REAL:
        return check_number(option, value);
    case CSM_OPTION_DURATION:
        return check_duration(option, value);
    case CSM_OPTION_BOOLEAN:
        if (strcmp(value, "true") == 0 || strcmp(value, "false") == 0) return CSM_OK;
        return csm_fail(CSM_EINVAL, "%s: '%s' is neither true nor false", option->name, value);
    case CSM_OPTION_LIST:
        length = list_items(value);
        break;
    case CSM_OPTION_TEXT:
        break;
    }
    if ((double)length < option->minimum || (double)length > option->maximum)
        return csm_fail(CSM_EINVAL, "%s: %zu %s are outside %g..%g", option->name, length,
                        option->type == CSM_OPTION_LIST ? "items" : "bytes", option->minimum,
                        option->maximum);
    return CSM_OK;
}

/* ---- objects ---- */

csm_status csm_config_new_with(csm_config **out, const csm_option *extra, size_t count) {
    if (!out || (count > 0 && !extra)) return csm_fail(CSM_EINVAL, "config: out or extra is NULL");
    *out = NULL;
    csm_config *config = csm_alloc_array(1, sizeof *config);
    if (!config) return CSM_ENOMEM;
    csm_status status = csm_host_options_take(&config->host, extra, count);
    for (size_t i = 0; status == CSM_OK && i < OPTION_COUNT; i++) {
        config->values[i] = csm_strdup(options[i].standard);
        if (!config->values[i]) status = CSM_ENOMEM;
    }
    if (status != CSM_OK) {
        csm_config_free(config);
        return status;
    }
    *out = config;
    return CSM_OK;
}

csm_status csm_config_new(csm_config **out) {
    return csm_config_new_with(out, NULL, 0);
}

size_t csm_config_count(const csm_config *config) {
    return config ? OPTION_COUNT + config->host.count : 0;
}

const csm_option *csm_config_option(const csm_config *config, size_t index) {
    if (index >= csm_config_count(config)) return NULL;
    return index < OPTION_COUNT ? &options[index] : &config->host.option[index - OPTION_COUNT];
}

/* Place of the value of `name`, the host's own included; NULL when unknown. */
static char **value_place(csm_config *config, const char *name, const csm_option **option) {
    const int index = csm_config_find(name);
    if (index >= 0) {
        *option = &options[index];
        return &config->values[index];
    }
    for (size_t i = 0; i < config->host.count; i++) {
        if (strcmp(config->host.option[i].name, name) != 0) continue;
        *option = &config->host.option[i];
        return &config->host.value[i];
    }
    return NULL;
}

const csm_option *csm_config_option_named(const csm_config *config, const char *name) {
    const csm_option *option = NULL;
    for (size_t i = 0; i < csm_config_count(config) && !option; i++) {
        if (strcmp(csm_config_option(config, i)->name, name) == 0) option = csm_config_option(config, i);
    }
    return option;
}

void csm_config_free(csm_config *config) {
    if (!config) return;
    for (size_t i = 0; i < OPTION_COUNT; i++) csm_dealloc(config->values[i]);
    csm_host_options_free(&config->host);
    csm_dealloc(config);
}

csm_status csm_config_copy(csm_config **out, const csm_config *config) {
    csm_config *copy = NULL;
    csm_status status = csm_config_new_with(&copy, config->host.option, config->host.count);
    for (size_t i = 0; status == CSM_OK && i < csm_config_count(config); i++) {
        const char *name = csm_config_option(config, i)->name;
        status = csm_config_set(copy, name, csm_config_get(config, name));
    }
    if (status != CSM_OK) {
        csm_config_free(copy);
        return status;
    }
    *out = copy;
    return CSM_OK;
}

void csm_config_swap(csm_config *a, csm_config *b) {
    csm_config kept = *a;
    *a = *b;
    *b = kept;
}

csm_status csm_config_set(csm_config *config, const char *name, const char *value) {
    if (!config || !name || !value)
        return csm_fail(CSM_EINVAL, "config: config, name and value are required");
    const csm_option *option = NULL;
    char **place = value_place(config, name, &option);
    if (!place) return csm_fail(CSM_EINVAL, "config: unknown option '%s'", name);
    csm_status status = csm_config_check_value(option, value);
    if (status != CSM_OK) return status;
    char *copy = csm_strdup(value);
    if (!copy) return CSM_ENOMEM;
    csm_dealloc(*place);
    *place = copy;
    return CSM_OK;
}

const char *csm_config_get(const csm_config *config, const char *name) {
    if (!config || !name) return NULL;
    const int index = csm_config_find(name);
    if (index >= 0) return config->values[index];
    for (size_t i = 0; i < config->host.count; i++) {
        if (strcmp(config->host.option[i].name, name) == 0) return config->host.value[i];
    }
    return NULL;
}

csm_status csm_config_hash(char *hex, size_t size, const csm_config *config) {
    if (!hex || !config || size < CSM_HASH_TEXT)
        return csm_fail(CSM_EINVAL, "config hash: %zu bytes are too few for %d", size, CSM_HASH_TEXT);
    csm_hasher hasher;
    csm_hasher_init(&hasher);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        csm_hasher_update(&hasher, options[i].name, strlen(options[i].name) + 1);
        csm_hasher_update(&hasher, config->values[i], strlen(config->values[i]) + 1);
    }
    csm_hash hash = csm_hasher_final(&hasher);
    csm_hash_format(&hash, hex);
    return CSM_OK;
}

/* ---- typed reading ---- */

static const char *value_of(const csm_config *config, const char *name) {
    const char *value = csm_config_get(config, name);
    return value ? value : "";
}

int64_t csm_config_integer(const csm_config *config, const char *name) {
    return (int64_t)csm_config_real(config, name);
}

double csm_config_real(const csm_config *config, const char *name) {
    double number = 0;
    return parse_real(value_of(config, name), &number) ? number : 0;
}

csm_time csm_config_duration(const csm_config *config, const char *name) {
    csm_time duration = 0;
    return parse_duration(value_of(config, name), &duration) ? duration : 0;
}

bool csm_config_boolean(const csm_config *config, const char *name) {
    return strcmp(value_of(config, name), "true") == 0;
}

size_t csm_config_items(const csm_config *config, const char *name) {
    return list_items(value_of(config, name));
}

bool csm_config_item(const csm_config *config, const char *name, size_t index, char *text, size_t size) {
    const char *item = value_of(config, name);
    if (!*item) return false;
    for (; index > 0; index--) {
        item = strchr(item, ',');
        if (!item) return false;
        item++;
    }
    while (*item == ' ') item++;
    size_t length = strcspn(item, ",");
    while (length > 0 && item[length - 1] == ' ') length--;
    if (size == 0) return false;
    if (length >= size) length = size - 1;
    memcpy(text, item, length);
    text[length] = 0;
    return true;
}

csm_status csm_config_durations(csm_time *out, size_t capacity, size_t *count, const csm_config *config,
                                const char *name) {
    char text[64];
    *count = csm_config_items(config, name);
    if (*count > capacity)
        return csm_fail(CSM_EINVAL, "%s: %zu items are more than %zu", name, *count, capacity);
    for (size_t i = 0; i < *count; i++) {
        csm_config_item(config, name, i, text, sizeof text);
        if (!parse_duration(text, &out[i]))
            return csm_fail(CSM_EINVAL, "%s: item %zu, '%s', is no duration such as 6h or 30d", name, i + 1,
                            text);
    }
    return CSM_OK;
}

static csm_status check_lists(const csm_config *config, csm_time *horizons, size_t *count) {
    static const char *const lists[] = {"train.steps", "train.first", "train.spans", "train.windows"};
    csm_time values[CSM_HORIZONS_MAX];
    size_t items = 0;
    csm_status status = csm_config_durations(horizons, CSM_HORIZONS_MAX, count, config, "train.horizons");
    for (size_t i = 0; status == CSM_OK && i < sizeof lists / sizeof lists[0]; i++) {
        status = csm_config_durations(values, CSM_HORIZONS_MAX, &items, config, lists[i]);
        if (status == CSM_OK && items != *count)
            status = csm_fail(CSM_EINVAL, "%s: %zu items for %zu horizons", lists[i], items, *count);
        for (size_t k = 0; status == CSM_OK && k < items; k++) {
            if (values[k] == 0 && i < 2)
                status = csm_fail(CSM_EINVAL, "%s: item %zu must be longer than nothing", lists[i], k + 1);
        }
    }
    return status;
}

csm_status csm_config_check(const csm_config *config) {
    csm_time horizons[CSM_HORIZONS_MAX];
    size_t count = 0;
    csm_status status = check_lists(config, horizons, &count);
    if (status != CSM_OK) return status;
    csm_time gate = csm_config_duration(config, "gate.horizon");
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (horizons[i] <= 0 || (i > 0 && horizons[i] <= horizons[i - 1]))
            return csm_fail(CSM_EINVAL, "train.horizons: item %zu is not longer than the one before", i + 1);
        found = found || horizons[i] == gate;
    }
    if (!found)
        return csm_fail(CSM_EINVAL, "gate.horizon: %s is not among train.horizons %s",
                        value_of(config, "gate.horizon"), value_of(config, "train.horizons"));
    return CSM_OK;
}
