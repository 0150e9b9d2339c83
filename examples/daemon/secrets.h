/* SPDX-License-Identifier: MIT */
/* Secrets, in locked memory: from the environment, else from daemon.env_file, else from Vault. */
#ifndef DAEMON_SECRETS_H
#define DAEMON_SECRETS_H

#include "log.h"

#include <cryptosmart/cryptosmart.h>

enum {
#define SECRET(field, name, channel) SECRET_##field,
#include "secrets.def"
#undef SECRET
    SECRET_COUNT
};

typedef struct secrets {
    char *value[SECRET_COUNT]; /* NULL: not given */
} secrets;

const char *secrets_name(int secret);
/* Fills what it finds, tells the redactor, and erases the values in the environment, so it can be asked once only. The faults of all sources are in failure_text(), one a line. */
csm_status secrets_load(secrets *s, redactor *r, const csm_config *config);
void secrets_free(secrets *s);
/* Keeps a value that is not empty, unless one is there; tells the redactor. */
csm_status secrets_set(secrets *s, redactor *r, int secret, const char *value);
/* Whether a variable of the environment holds a secret, so that children need not see it. `entry` is "NAME=value". */
bool secrets_is_variable(const char *entry);

#endif
