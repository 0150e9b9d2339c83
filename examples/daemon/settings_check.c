/* SPDX-License-Identifier: MIT */
/* Faults of a configuration that no single option shows, with the file and line where the option was set. */
#include "log.h"
#include "schedule.h"
#include "settings.h"

#include <stdarg.h>
#include <string.h>

/* Line of "key:" below or beside "section:" in a YAML file, as far as a plain look shows; 0 when it is not there. */
static int line_of(const char *path, const char *name) {
    char line[1024], section[64], key[64];
    const char *dot = strchr(name, '.');
    int number = 0, found = 0;
    bool inside = false;
    FILE *file = dot ? fopen(path, "re") : NULL;
    if (!file) return 0;
    snprintf(section, sizeof section, "%.*s:", (int)(dot - name), name);
    snprintf(key, sizeof key, "%s:", dot + 1);
    while (fgets(line, sizeof line, file)) {
        number++;
        if (line[0] != ' ' && line[0] != '\n' && line[0] != '#')
            inside = strncmp(line, section, strlen(section)) == 0;
        if (inside && strstr(line, key)) found = number;
    }
    fclose(file);
    return found;
}

void settings_fault(char *text, size_t size, const settings_source *source, const char *name,
                    const char *format, ...) {
    size_t used = strlen(text);
    va_list arguments;
    if (used + 2 >= size) return;
    if (used > 0) text[used++] = '\n';
    text[used] = 0;
    for (int i = source->file_count - 1; i >= 0; i--) {
        int line = line_of(source->files[i], name);
        if (line == 0) continue;
        used += (size_t)snprintf(text + used, size - used, "%s:%d: ", source->files[i], line);
        break;
    }
    if (used < size) used += (size_t)snprintf(text + used, size - used, "%s: ", name);
    if (used >= size) return;
    va_start(arguments, format);
    vsnprintf(text + used, size - used, format, arguments);
    va_end(arguments);
}

static void check_jobs(const csm_config *config, const settings_source *source, char *text, size_t size) {
    char item[64];
    for (size_t i = 0; settings_item(config, "ingest.sources", i, item, sizeof item); i++) {
        if (!csm_ingest_source_find(item))
            settings_fault(text, size, source, "ingest.sources", "'%s' is no source", item);
    }
    if (settings_duration(config, "daemon.retry_first") > settings_duration(config, "daemon.retry_last"))
        settings_fault(text, size, source, "daemon.retry_first", "is longer than daemon.retry_last");
    if (settings_duration(config, "daemon.predict_after") >=
        settings_duration(config, "daemon.predict_every"))
        settings_fault(text, size, source, "daemon.predict_after",
                       "is not shorter than daemon.predict_every");
}

static bool is_loopback(const char *address) {
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strcmp(address, "localhost") == 0;
}

static void check_address(const csm_config *config, const settings_source *source, char *text, size_t size) {
    const char *listen = settings_text(config, "daemon.listen");
    bool certificate = *settings_text(config, "daemon.tls_certificate"),
         key = *settings_text(config, "daemon.tls_key");
    if (certificate != key)
        settings_fault(text, size, source, certificate ? "daemon.tls_certificate" : "daemon.tls_key",
                       "certificate and key go together");
    if (!is_loopback(listen) && !certificate)
        settings_fault(text, size, source, "daemon.listen",
                       "'%s' is beyond this machine and wants daemon.tls_certificate and daemon.tls_key",
                       listen);
}

static void check_alerts(const csm_config *config, const settings_source *source, char *text, size_t size) {
    const char *url = settings_text(config, "alert.mail_url");
    if (*url && strncmp(url, "smtps://", 8) != 0 && strncmp(url, "smtp://", 7) != 0)
        settings_fault(text, size, source, "alert.mail_url", "is neither smtps:// nor smtp://");
    if (*url && strchr(url, '@'))
        settings_fault(text, size, source, "alert.mail_url", "user and password belong into the secrets");
}

bool settings_check(const csm_config *config, const settings_source *source, char *text, size_t size) {
    size_t before = strlen(text);
    if (log_level_parse(settings_text(config, "daemon.log_level")) < 0)
        settings_fault(text, size, source, "daemon.log_level", "'%s' is none of error, warn, info, debug",
                       settings_text(config, "daemon.log_level"));
    check_jobs(config, source, text, size);
    check_address(config, source, text, size);
    check_alerts(config, source, text, size);
    return strlen(text) == before;
}
