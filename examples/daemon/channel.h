/* SPDX-License-Identifier: MIT */
/* Sends one message to one channel: Telegram, Discord, Slack or mail. Sends are not idempotent: a message whose answer was lost may come
 * twice, never not at all; its alert's id stands in it. */
#ifndef DAEMON_CHANNEL_H
#define DAEMON_CHANNEL_H

#include "log.h"
#include "secrets.h"
#include "settings.h"

#include <cryptosmart/cryptosmart.h>

typedef struct message {
    int64_t alert;
    const char *severity;
    const char *subject; /* one line */
    const char *text;
    csm_time time;
} message;

typedef struct channel_access {
    const csm_config *config;
    const secrets *secrets;
    csm_context *context;
    csm_net *net;
} channel_access;

/* CSM_OK: the other side has taken it. CSM_ELIMITED: not before *retry_at. CSM_ETRANSIENT: may pass. Anything else will not. */
csm_status channel_send(csm_time *retry_at, const channel_access *access, const char *channel,
                        const message *message);
bool channel_exists(const char *name);
/* What each configured channel lacks, added to text, one a line; false when something is missing. */
bool channel_check(const csm_config *config, const secrets *secrets, const settings_source *source,
                   char *text, size_t size);

/* The mail channel (mail.c). */
csm_status mail_send(const channel_access *access, const message *message);
/* The message as it goes over the wire (RFC 5322), for mail_send and its test; free() it. NULL without memory. */
char *mail_compose(const csm_config *config, const message *message);

#endif
