/* SPDX-License-Identifier: MIT */
/* A file of NAME=value lines with secrets (docs/daemon.md, "Secrets"). No expansion, no commands, no nesting: what both common dialects
 * of .env agree on, and the stricter rule where they differ. */
#ifndef DAEMON_DOTENV_H
#define DAEMON_DOTENV_H

#include <cryptosmart/cryptosmart.h>

#define DOTENV_BYTES (1u << 20)
#define DOTENV_NAME 256
#define DOTENV_VALUE 65536

/* Called for each entry, in order; the last of several with one name counts. value is zero-terminated. */
typedef csm_status (*dotenv_fn)(void *user, const char *name, const char *value, int line);

/* Parses `length` bytes in place of a file. CSM_EPARSE with FILE:LINE and no value in the text. */
csm_status dotenv_parse(const char *text, size_t length, const char *file, dotenv_fn on_entry, void *user);
/* Reads a file that only its owner may read (mode 0600 or 0400, owner is this user, no symbolic link). CSM_ENOTFOUND when it is not
 * there, CSM_EAUTH when others may read it. */
csm_status dotenv_load(const char *path, dotenv_fn on_entry, void *user);

#endif
