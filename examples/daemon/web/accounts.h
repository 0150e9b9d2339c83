/* SPDX-License-Identifier: MIT */
/* Users, sessions, API tokens and the audit trail, in the daemon's database. Any thread may call; one connection, one lock.
 * Passwords are argon2id hashes; sessions and tokens are kept as BLAKE2b hashes of random secrets, so that the database alone
 * opens nothing. */
#ifndef WEB_ACCOUNTS_H
#define WEB_ACCOUNTS_H

#include <cryptosmart/cryptosmart.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum role { ROLE_NONE, ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN } role;
const char *role_name(role r);
/* ROLE_NONE for anything but the three names. */
role role_parse(const char *name);

/* What a token may be used for. SESSION routes take no token at all. */
typedef enum scope {
    SCOPE_NONE = 0,
    SCOPE_READ = 1,
    SCOPE_EXPORT = 2,
    SCOPE_METRICS = 4,
    SCOPE_OPERATE = 8,
    SCOPE_ADMIN = 16,
    SCOPE_SESSION = 32
} scope;
/* Comma separated names; false when one is unknown or none is given. */
bool scopes_parse(uint32_t *out, const char *text);

#define USER_NAME 33      /* bytes, with the terminator */
#define SECRET_TEXT 44    /* 32 random bytes as base64url without padding, with the terminator */
#define PASSWORD_LEAST 10 /* characters */

typedef struct identity {
    int64_t user; /* 0: nobody */
    char name[USER_NAME];
    role role;
    uint32_t scopes;        /* of the token; all of them for a session */
    int64_t token;          /* 0: a session */
    char csrf[SECRET_TEXT]; /* of the session */
    char session[65];       /* its hash */
} identity;

typedef struct accounts accounts;
/* clock: dates users and the audit trail; NULL: the system's. Sessions and tokens always live by the system's. */
csm_status accounts_open(accounts **out, const char *database, csm_clock_fn clock, void *clock_user);
void accounts_free(accounts *a);
/* Text of this thread's last failure here. */
const char *accounts_error(void);
/* Number of users; -1 when the database does not say. */
int64_t accounts_users(accounts *a);

/* who, address: for the audit trail. Each is one transaction with its row of the trail. */
csm_status accounts_add(accounts *a, const char *name, role r, const char *password, const char *who,
                        const char *address);
csm_status accounts_password(accounts *a, const char *name, const char *password, const char *keep_session,
                             const char *who, const char *address);
csm_status accounts_role(accounts *a, const char *name, role r, const char *who, const char *address);
csm_status accounts_remove(accounts *a, const char *name, const char *who, const char *address);
csm_status accounts_list(accounts *a, json_t *out);
csm_status accounts_audit(accounts *a, const char *who, const char *action, const char *subject,
                          const char *detail, const char *address);

/* Takes as long for unknown names as for known ones. CSM_EAUTH: wrong name or password. */
csm_status accounts_check(accounts *a, const char *name, const char *password);
/* Makes a session: its secret goes into the cookie. */
csm_status session_make(accounts *a, const char *name, const char *address, char secret[SECRET_TEXT]);
/* CSM_ENOTFOUND when there is no such session, or it has expired: idle for 8 hours, or older than 7 days. */
csm_status session_find(accounts *a, const char *secret, identity *out);
csm_status session_end(accounts *a, const identity *who, const char *address);

/* secret: "cst_" and SECRET_TEXT. */
#define TOKEN_TEXT (SECRET_TEXT + 4)
csm_status token_make(accounts *a, const identity *owner, const char *name, uint32_t scopes, int64_t days,
                      const char *address, char secret[TOKEN_TEXT], int64_t *id);
csm_status token_find(accounts *a, const char *secret, identity *out);
csm_status token_revoke(accounts *a, const identity *owner, int64_t id, const char *address);
csm_status token_list(accounts *a, const identity *owner, json_t *out);

#endif
