/* SPDX-License-Identifier: MIT */
/* Counts failed logins by address and by account. After a few each further try has to wait, twice as long every time; a success
 * clears the account's count. Memory is bounded: the oldest entry gives way. */
#ifndef WEB_LIMITER_H
#define WEB_LIMITER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct limiter limiter;
limiter *limiter_new(void); /* NULL: no memory */
void limiter_free(limiter *l);
/* Seconds until key may try again; 0: now. kind: 'a' an address, 'u' a user. now: seconds. */
int64_t limiter_wait(limiter *l, char kind, const char *key, int64_t now);
void limiter_failed(limiter *l, char kind, const char *key, int64_t now);
void limiter_cleared(limiter *l, char kind, const char *key);

#endif
