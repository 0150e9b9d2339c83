/* SPDX-License-Identifier: MIT */
/* Configuration files: YAML through libfyaml, every fault with file, line and column, all at once. */
#include "core/platform.h"
#include "pipeline/config.h"

#include <libfyaml.h>
#include <string.h>

#define CONFIG_BYTES_MOST ((size_t)1 << 20)

typedef struct reading {
    csm_config *config;
    const char *name; /* of the file */
    csm_buffer faults;
    size_t fault_count;
    csm_status memory; /* CSM_ENOMEM when a fault could not be noted */
} reading;

static void fault(reading *r, int line, int column, const char *text) {
    r->fault_count++;
    csm_status status = csm_buffer_printf(&r->faults, "%s%s:%d:%d: %s", r->faults.length ? "\n" : "", r->name,
                                          line, column, text);
    if (status != CSM_OK) r->memory = status;
}

static void fault_at(reading *r, struct fy_node *node, const char *text) {
    struct fy_token *token = fy_node_get_scalar_token(node);
    const struct fy_mark *mark = token ? fy_token_start_mark(token) : NULL;
    fault(r, mark ? mark->line + 1 : 1, mark ? mark->column + 1 : 1, text);
}

/* A scalar's bytes as a string, or NULL with a fault noted. */
static char *scalar_text(reading *r, struct fy_node *node, struct fy_node *place) {
    size_t length = 0;
    const char *text = fy_node_is_scalar(node) ? fy_node_get_scalar(node, &length) : NULL;
    if (!text || memchr(text, 0, length)) {
        fault_at(r, place, "a plain value was expected");
        return NULL;
    }
    char *copy = csm_strndup(text, length);
    if (!copy) r->memory = CSM_ENOMEM;
    return copy;
}

/* A sequence of scalars joined by commas. */
static char *sequence_text(reading *r, struct fy_node *node, struct fy_node *place) {
    csm_buffer joined = {0};
    void *iterator = NULL;
    for (struct fy_node *item; (item = fy_node_sequence_iterate(node, &iterator)) != NULL;) {
        char *text = scalar_text(r, item, place);
        bool comma = text && strchr(text, ',');
        if (comma) fault_at(r, item, "an item of a list may not hold a comma");
        csm_status status =
            text && !comma ? csm_buffer_printf(&joined, "%s%s", joined.length ? "," : "", text) : CSM_OK;
        if (status != CSM_OK) r->memory = status;
        csm_dealloc(text);
    }
    if (!joined.data && csm_buffer_append(&joined, "", 0) != CSM_OK) r->memory = CSM_ENOMEM;
    return joined.data;
}

static void read_option(reading *r, const char *section, struct fy_node_pair *pair) {
    struct fy_node *key = fy_node_pair_key(pair);
    struct fy_node *value = fy_node_pair_value(pair);
    char *word = key ? scalar_text(r, key, key) : NULL;
    if (!word) return;
    char name[128];
    snprintf(name, sizeof name, "%s.%s", section, word);
    csm_dealloc(word);
    const csm_option *option = csm_config_option_named(r->config, name);
    if (!option) {
        csm_fail(CSM_EINVAL, "unknown option '%s'", name);
        fault_at(r, key, csm_error_message());
        return;
    }
    bool list = value && option->type == CSM_OPTION_LIST && fy_node_is_sequence(value);
    char *text = !value ? NULL : list ? sequence_text(r, value, key) : scalar_text(r, value, key);
    if (!value) fault_at(r, key, "a value was expected");
    csm_status status = text ? csm_config_set(r->config, name, text) : CSM_OK;
    if (status == CSM_ENOMEM)
        r->memory = status;
    else if (status != CSM_OK)
        fault_at(r, key, csm_error_message());
    csm_dealloc(text);
}

static void read_sections(reading *r, struct fy_node *root) {
    if (!root) return; /* an empty file changes nothing */
    if (!fy_node_is_mapping(root)) {
        fault_at(r, root, "sections such as 'gate:' were expected");
        return;
    }
    void *sections = NULL;
    for (struct fy_node_pair *pair; (pair = fy_node_mapping_iterate(root, &sections)) != NULL;) {
        struct fy_node *key = fy_node_pair_key(pair);
        struct fy_node *value = fy_node_pair_value(pair);
        char *section = key ? scalar_text(r, key, key) : NULL;
        if (!section) continue;
        if (!value || !fy_node_is_mapping(value)) {
            csm_fail(CSM_EINVAL, "section '%s' holds no options", section);
            fault_at(r, key, csm_error_message());
        } else {
            void *keys = NULL;
            for (struct fy_node_pair *p; (p = fy_node_mapping_iterate(value, &keys)) != NULL;)
                read_option(r, section, p);
        }
        csm_dealloc(section);
    }
}

static void syntax_faults(reading *r, struct fy_diag *diag) {
    void *iterator = NULL;
    for (struct fy_diag_error *e; (e = fy_diag_errors_iterate(diag, &iterator)) != NULL;)
        fault(r, e->line, e->column, e->msg ? e->msg : "not YAML");
    if (r->fault_count == 0) fault(r, 1, 1, "not YAML");
}

/* Reads into a copy, so that a faulty file changes nothing. */
static csm_status read_document(reading *r, const char *text, size_t length) {
    struct fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    diag_config.output_fn = NULL;
    struct fy_diag *diag = fy_diag_create(&diag_config);
    if (!diag) return csm_fail(CSM_ENOMEM, "%s: no memory for the YAML reader", r->name);
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg parse_config = {.flags = FYPCF_QUIET, .diag = diag};
    struct fy_document *document = fy_document_build_from_string(&parse_config, text, length);
    if (document) {
        read_sections(r, fy_document_root(document));
        fy_document_destroy(document);
    } else {
        syntax_faults(r, diag);
    }
    fy_diag_destroy(diag);
    return r->memory;
}

/* Blank lines and comments alone: no document for libfyaml, no fault for us. */
static bool says_nothing(const char *text, size_t length) {
    bool comment = false;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n')
            comment = false;
        else if (text[i] == '#')
            comment = true;
        else if (!comment && (text[i] == 0 || !strchr(" \t\r", text[i])))
            return false;
    }
    return true;
}

/* Bytes of the well-formed UTF-8 character at the start of text (RFC 3629, section 4), 0 when there is none. */
static size_t utf8_bytes(const uint8_t *text, size_t length) {
    const uint8_t first = text[0];
    if (first < 0x80) return 1;
    const size_t bytes = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (bytes == 0 || bytes > length) return 0;
    const uint8_t least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const uint8_t most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (text[1] < least || text[1] > most) return 0;
    for (size_t i = 2; i < bytes; i++) {
        if (text[i] < 0x80 || text[i] > 0xbf) return 0;
    }
    return bytes;
}

/* What libfyaml 0.7 may never return from is kept away from it: bytes that are not UTF-8, control characters, and
 * directives (its issue 101), of which a configuration has no need. */
static bool readable(reading *r, const char *text, size_t length) {
    const uint8_t *bytes = (const uint8_t *)text;
    int line = 1, column = 1;
    bool start = true; /* of a line, byte order mark and all breaks of YAML 1.1 taken into account */
    for (size_t i = 0, n; i < length; i += n, column++) {
        n = utf8_bytes(bytes + i, length - i);
        const char *what = NULL;
        if (n == 0)
            what = "not UTF-8";
        else if ((bytes[i] < 0x20 && !strchr("\t\n\r", bytes[i])) || bytes[i] == 0 || bytes[i] == 0x7f)
            what = "a control character";
        else if (start && bytes[i] == '%')
            what = "directives (lines that start with %) are not taken";
        if (what) {
            fault(r, line, column, what);
            return false;
        }
        const bool wide_break = (n == 2 && memcmp(text + i, "\xc2\x85", 2) == 0) ||
                                (n == 3 && (memcmp(text + i, "\xe2\x80\xa8", 3) == 0 ||
                                            memcmp(text + i, "\xe2\x80\xa9", 3) == 0));
        start = bytes[i] == '\n' || bytes[i] == '\r' || wide_break ||
                (start && n == 3 && memcmp(text + i, "\xef\xbb\xbf", 3) == 0);
        if (bytes[i] == '\n') {
            line++;
            column = 0;
        }
    }
    return true;
}

csm_status csm_config_parse(csm_config *config, const char *text, size_t length, const char *name) {
    if (!config || (!text && length)) return csm_fail(CSM_EINVAL, "config: config and text are required");
    if (length > CONFIG_BYTES_MOST)
        return csm_fail(CSM_EINVAL, "%s: %zu bytes are more than %zu", name ? name : "config", length,
                        CONFIG_BYTES_MOST);
    reading r = {.name = name ? name : "config"};
    csm_status status = csm_config_copy(&r.config, config);
    if (status == CSM_OK && !says_nothing(text, length) && readable(&r, text, length))
        status = read_document(&r, text, length);
    if (status == CSM_OK) status = r.memory;
    if (status == CSM_OK && r.fault_count > 0) status = csm_fail(CSM_EINVAL, "%s", r.faults.data);
    if (status == CSM_OK) csm_config_swap(config, r.config);
    csm_config_free(r.config);
    csm_buffer_free(&r.faults);
    return status;
}

csm_status csm_config_load(csm_config *config, const char *path) {
    if (!config || !path) return csm_fail(CSM_EINVAL, "config: config and path are required");
    csm_buffer bytes = {0};
    csm_status status = csm_file_read(&bytes, path, CONFIG_BYTES_MOST);
    if (status == CSM_OK) status = csm_config_parse(config, bytes.data, bytes.length, path);
    csm_buffer_free(&bytes);
    return status;
}
