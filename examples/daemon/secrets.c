/* SPDX-License-Identifier: MIT */
#include "secrets.h"

#include "dotenv.h"
#include "failure.h"
#include "settings.h"
#include "vault.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[SECRET_COUNT] = {
#define SECRET(field, name, channel) name,
#include "secrets.def"
#undef SECRET
};

const char *secrets_name(int secret) {
    return names[secret];
}

bool secrets_is_variable(const char *entry) {
    for (int i = 0; i < SECRET_COUNT; i++) {
        size_t length = strlen(names[i]);
        if (strncmp(entry, names[i], length) == 0 && entry[length] == '=') return true;
    }
    return false;
}

/* Of a webhook the path alone is secret too: it may stand in an error without its host. */
static csm_status redact_path(redactor *r, const char *value) {
    const char *host = strstr(value, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    return path && strlen(path) > 8 ? redactor_add(r, path) : CSM_OK;
}

csm_status secrets_set(secrets *s, redactor *r, int secret, const char *value) {
    if (s->value[secret] || !value || !*value) return CSM_OK;
    size_t size = strlen(value) + 1;
    char *copy = sodium_malloc(size);
    if (!copy) return fail(CSM_ENOMEM, "no locked memory for a secret");
    memcpy(copy, value, size);
    s->value[secret] = copy;
    /* a user's name is no secret, and may be a word of every other line */
    csm_status status = secret == SECRET_mail_user ? CSM_OK : redactor_add(r, copy);
    return status == CSM_OK ? redact_path(r, copy) : status;
}

void secrets_free(secrets *s) {
    for (int i = 0; i < SECRET_COUNT; i++) {
        sodium_free(s->value[i]);
        s->value[i] = NULL;
    }
}

/* ---- sources, the first that has a value counts ---- */

/* The environment's own copy is erased: it could be read in /proc, and in a core file. */
static csm_status from_environment(secrets *s, redactor *r) {
    csm_status status = CSM_OK;
    for (int i = 0; status == CSM_OK && i < SECRET_COUNT; i++) {
        char *value = getenv(names[i]);
        status = secrets_set(s, r, i, value);
        if (value) sodium_memzero(value, strlen(value));
    }
    return status;
}

typedef struct file_values {
    secrets found; /* the last of several lines counts, so they are gathered first */
    redactor *redactor;
} file_values;

static csm_status take_entry(void *user, const char *name, const char *value, int line) {
    file_values *f = user;
    (void)line;
    for (int i = 0; i < SECRET_COUNT; i++) {
        if (strcmp(names[i], name) != 0) continue;
        sodium_free(f->found.value[i]);
        f->found.value[i] = NULL;
        return secrets_set(&f->found, f->redactor, i, value);
    }
    return CSM_OK; /* other programs may share the file */
}

static csm_status from_file(secrets *s, redactor *r, const char *path) {
    file_values f = {.redactor = r};
    if (!*path) return CSM_OK;
    csm_status status = dotenv_load(path, take_entry, &f);
    for (int i = 0; status == CSM_OK && i < SECRET_COUNT; i++)
        status = secrets_set(s, r, i, f.found.value[i]);
    secrets_free(&f.found);
    return status;
}

static csm_status take_vault(void *user, const char *name, const char *value) {
    file_values *f = user;
    return take_entry(f, name, value, 0);
}

static csm_status from_vault(secrets *s, redactor *r, const csm_config *config) {
    file_values f = {.redactor = r};
    if (!*settings_text(config, "vault.address")) return CSM_OK;
    const vault_access access = {.token = s->value[SECRET_vault_token],
                                 .role = s->value[SECRET_vault_role],
                                 .secret = s->value[SECRET_vault_secret]};
    csm_status status = vault_read(config, &access, r, take_vault, &f);
    for (int i = 0; status == CSM_OK && i < SECRET_COUNT; i++)
        status = secrets_set(s, r, i, f.found.value[i]);
    secrets_free(&f.found);
    return status;
}

csm_status secrets_load(secrets *s, redactor *r, const csm_config *config) {
    char texts[2000] = "";
    csm_status status = from_environment(s, r);
    if (status != CSM_OK) return status;
    status = from_file(s, r, settings_text(config, "daemon.env_file"));
    if (status != CSM_OK) snprintf(texts, sizeof texts, "%s", failure_text());
    csm_status other = from_vault(s, r, config);
    if (other != CSM_OK) {
        size_t used = strlen(texts);
        snprintf(texts + used, sizeof texts - used, "%s%s", used ? "\n" : "", failure_text());
        status = other;
    }
    return status == CSM_OK ? CSM_OK : fail(status, "%s", texts);
}
