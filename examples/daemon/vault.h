/* SPDX-License-Identifier: MIT */
/* Reads secrets from HashiCorp Vault or OpenBao: KV version 2, with a token or by AppRole login (developer.hashicorp.com/vault/api-docs). */
#ifndef DAEMON_VAULT_H
#define DAEMON_VAULT_H

#include "log.h"

#include <cryptosmart/cryptosmart.h>

typedef struct vault_access {
    const char *token; /* NULL: log in with role and secret */
    const char *role;
    const char *secret;
} vault_access;

/* Calls on_secret for each text of the secret at vault.mount and vault.path. Failures say what Vault answered, never a value. */
csm_status vault_read(const csm_config *config, const vault_access *access, redactor *r,
                      csm_status (*on_secret)(void *user, const char *name, const char *value), void *user);

#endif
