/* SPDX-License-Identifier: MIT */
#include "accounts.h"

#include "rows.h"

#include <pthread.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define IDLE_TIME (8 * CSM_HOUR)
#define SESSION_TIME (7 * CSM_DAY)
#define SEEN_STEP CSM_MINUTE /* how exactly the last use is kept: not every request writes */
#define SESSIONS_EACH 20     /* of one user; the oldest go */
#define TOKENS_EACH 50

struct accounts {
    sqlite3 *db;
    pthread_mutex_t mutex;
    csm_clock_fn clock;
    void *clock_user;
    char unknown
        [crypto_pwhash_STRBYTES]; /* a hash that no password has: what unknown names are checked against */
};

static _Thread_local char failure[512];

static csm_status fail(csm_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure, sizeof failure, format, arguments);
    va_end(arguments);
    return status;
}

const char *accounts_error(void) {
    return failure;
}

static csm_status database_failed(const accounts *a) {
    return fail(CSM_EIO, "the daemon's database: %s", sqlite3_errmsg(a->db));
}

/* ---- names ---- */

static const char *const role_names[] = {"none", "viewer", "operator", "admin"};

const char *role_name(role r) {
    return role_names[r];
}

role role_parse(const char *name) {
    for (int r = ROLE_VIEWER; r <= ROLE_ADMIN; r++) {
        if (strcmp(name, role_names[r]) == 0) return (role)r;
    }
    return ROLE_NONE;
}

bool scopes_parse(uint32_t *out, const char *text) {
    static const char *const names[] = {"read", "export", "metrics", "operate", "admin"};
    *out = 0;
    while (*text) {
        const size_t length = strcspn(text, ",");
        size_t i = 0;
        while (i < 5 && (strlen(names[i]) != length || memcmp(names[i], text, length) != 0)) i++;
        if (i == 5) return false;
        *out |= 1u << i;
        text += length;
        if (*text == ',' && *++text == 0) return false;
    }
    return *out != 0;
}

/* Letters, digits and . - _ of ASCII, none of the last three first. */
static bool good_name(const char *name) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    const size_t length = strlen(name);
    return length > 0 && length < USER_NAME && strspn(name, letters) == length && !strchr(".-_", name[0]);
}

/* ---- opening ---- */

/* Secrets expire in real time, whatever clock the scheduler runs by. */
static csm_time wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (csm_time)now.tv_sec * CSM_SECOND + now.tv_nsec;
}

csm_status accounts_open(accounts **out, const char *database, csm_clock_fn clock, void *clock_user) {
    csm_status status = CSM_OK;
    accounts *a = NULL;
    unsigned char nobody[32];
    if (sodium_init() < 0) return fail(CSM_EINTERNAL, "libsodium does not start");
    a = calloc(1, sizeof *a);
    if (!a) return fail(CSM_ENOMEM, "no memory for accounts");
    pthread_mutex_init(&a->mutex, NULL);
    a->clock = clock;
    a->clock_user = clock_user;
    if (rows_open(&a->db, database) != CSM_OK) {
        status = fail(CSM_EIO, "%s: %s", database, a->db ? sqlite3_errmsg(a->db) : "no memory");
        goto done;
    }
    randombytes_buf(nobody, sizeof nobody);
    if (crypto_pwhash_str(a->unknown, (const char *)nobody, sizeof nobody, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        status = fail(CSM_ENOMEM, "no memory to hash passwords");
done:
    if (status != CSM_OK) {
        accounts_free(a);
        a = NULL;
    }
    *out = a;
    return status;
}

void accounts_free(accounts *a) {
    if (!a) return;
    sqlite3_close(a->db);
    pthread_mutex_destroy(&a->mutex);
    free(a);
}

static csm_time now(const accounts *a) {
    return a->clock ? a->clock(a->clock_user) : wall_clock();
}

/* ---- transactions ---- */

static bool begin(accounts *a) {
    pthread_mutex_lock(&a->mutex);
    return rows_run(a->db, NULL, "BEGIN IMMEDIATE", "") >= 0;
}

static bool note(accounts *a, const char *who, const char *action, const char *subject, const char *detail,
                 const char *address) {
    return rows_run(a->db, NULL,
                    "INSERT INTO audit(time, who, action, subject, detail, address) VALUES(?, ?, ?, ?, ?, ?)",
                    "isssss", now(a), who, action, subject, detail, address) == 1;
}

/* good: every statement did what it should; else everything is undone, and `status` or the database says why. */
static csm_status finish(accounts *a, bool good, csm_status status) {
    if (status == CSM_OK && !good) status = database_failed(a);
    if (status == CSM_OK && rows_run(a->db, NULL, "COMMIT", "") < 0) status = database_failed(a);
    if (status != CSM_OK) rows_run(a->db, NULL, "ROLLBACK", "");
    pthread_mutex_unlock(&a->mutex);
    return status;
}

/* The one integer a statement about a name gives; `absent` when it gives no row. */
static int64_t lookup(accounts *a, const char *sql, const char *name, int64_t absent) {
    json_t *rows = json_array();
    int64_t value = absent;
    if (rows_run(a->db, rows, sql, "s", name) == 1)
        value = json_integer_value(json_object_get(json_array_get(rows, 0), "value"));
    json_decref(rows);
    return value;
}

static int64_t user_id(accounts *a, const char *name) {
    return lookup(a, "SELECT id AS value FROM users WHERE name = ? AND disabled = 0", name, 0);
}

/* The last admin can neither be removed nor made less: nobody could undo it from the dashboard. */
static bool last_admin(accounts *a, const char *name) {
    return lookup(a,
                  "SELECT count(*) AS value FROM users WHERE role = 'admin' AND disabled = 0 AND name <> ?",
                  name, 0) == 0 &&
           lookup(a, "SELECT count(*) AS value FROM users WHERE role = 'admin' AND name = ?", name, 0) == 1;
}

int64_t accounts_users(accounts *a) {
    pthread_mutex_lock(&a->mutex);
    const int64_t count =
        lookup(a, "SELECT count(*) AS value FROM users WHERE disabled = 0 AND name <> ?", "", -1);
    pthread_mutex_unlock(&a->mutex);
    return count;
}

csm_status accounts_audit(accounts *a, const char *who, const char *action, const char *subject,
                          const char *detail, const char *address) {
    return finish(a, begin(a) && note(a, who, action, subject, detail, address), CSM_OK);
}

/* ---- passwords ---- */

static csm_status hash_password(char hash[crypto_pwhash_STRBYTES], const char *password) {
    const size_t length = strlen(password);
    size_t characters = 0;
    for (size_t i = 0; i < length; i++) characters += ((unsigned char)password[i] & 0xC0) != 0x80;
    if (characters < PASSWORD_LEAST)
        return fail(CSM_EINVAL, "a password has at least %d characters", PASSWORD_LEAST);
    if (length > 1024) return fail(CSM_EINVAL, "a password has at most 1024 bytes");
    if (crypto_pwhash_str(hash, password, length, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return fail(CSM_ENOMEM, "no memory to hash a password");
    return CSM_OK;
}

csm_status accounts_check(accounts *a, const char *name, const char *password) {
    char hash[crypto_pwhash_STRBYTES];
    json_t *rows = json_array();
    pthread_mutex_lock(&a->mutex);
    const bool known =
        rows_run(a->db, rows, "SELECT password FROM users WHERE name = ? AND disabled = 0", "s", name) == 1;
    pthread_mutex_unlock(&a->mutex);
    const char *stored =
        known ? json_string_value(json_object_get(json_array_get(rows, 0), "password")) : a->unknown;
    snprintf(hash, sizeof hash, "%s", stored);
    json_decref(rows);
    const bool same = crypto_pwhash_str_verify(hash, password, strlen(password)) == 0;
    sodium_memzero(hash, sizeof hash);
    return same && known ? CSM_OK : fail(CSM_EAUTH, "wrong name or password");
}

/* ---- users ---- */

csm_status accounts_add(accounts *a, const char *name, role r, const char *password, const char *who,
                        const char *address) {
    char hash[crypto_pwhash_STRBYTES];
    if (!good_name(name))
        return fail(CSM_EINVAL, "'%.40s' is no name: 1 to 32 letters, digits, dots, dashes, underscores",
                    name);
    if (r == ROLE_NONE) return fail(CSM_EINVAL, "the role is viewer, operator or admin");
    csm_status status = hash_password(hash, password);
    if (status != CSM_OK) return status;
    bool good = begin(a);
    if (good && lookup(a, "SELECT id AS value FROM users WHERE name = ?", name, 0))
        status = fail(CSM_EEXIST, "a user '%s' is there already", name);
    if (status == CSM_OK)
        good = good &&
               rows_run(a->db, NULL,
                        "INSERT INTO users(name, role, password, created, changed) VALUES(?, ?, ?, ?, ?)",
                        "sssii", name, role_name(r), hash, now(a), now(a)) == 1 &&
               note(a, who, "user add", name, role_name(r), address);
    sodium_memzero(hash, sizeof hash);
    return finish(a, good, status);
}

csm_status accounts_password(accounts *a, const char *name, const char *password, const char *keep_session,
                             const char *who, const char *address) {
    char hash[crypto_pwhash_STRBYTES];
    csm_status status = hash_password(hash, password);
    if (status != CSM_OK) return status;
    bool good = begin(a);
    const int64_t id = good ? user_id(a, name) : 0;
    if (good && id == 0) status = fail(CSM_ENOTFOUND, "there is no user '%.40s'", name);
    if (status == CSM_OK)
        good = good &&
               rows_run(a->db, NULL, "UPDATE users SET password = ?, changed = ? WHERE id = ?", "sii", hash,
                        now(a), id) == 1 &&
               rows_run(a->db, NULL, "DELETE FROM sessions WHERE user = ? AND hash <> ?", "is", id,
                        keep_session) >= 0 &&
               note(a, who, "user password", name, "", address);
    sodium_memzero(hash, sizeof hash);
    return finish(a, good, status);
}

csm_status accounts_role(accounts *a, const char *name, role r, const char *who, const char *address) {
    csm_status status = CSM_OK;
    if (r == ROLE_NONE) return fail(CSM_EINVAL, "the role is viewer, operator or admin");
    bool good = begin(a);
    if (good && !user_id(a, name)) status = fail(CSM_ENOTFOUND, "there is no user '%.40s'", name);
    if (good && status == CSM_OK && r != ROLE_ADMIN && last_admin(a, name))
        status = fail(CSM_EINVAL, "'%s' is the last admin", name);
    if (status == CSM_OK)
        good = good &&
               rows_run(a->db, NULL, "UPDATE users SET role = ?, changed = ? WHERE name = ?", "sis",
                        role_name(r), now(a), name) == 1 &&
               note(a, who, "user role", name, role_name(r), address);
    return finish(a, good, status);
}

csm_status accounts_remove(accounts *a, const char *name, const char *who, const char *address) {
    csm_status status = CSM_OK;
    bool good = begin(a);
    const int64_t id = good ? user_id(a, name) : 0;
    if (good && id == 0) status = fail(CSM_ENOTFOUND, "there is no user '%.40s'", name);
    if (good && status == CSM_OK && last_admin(a, name))
        status = fail(CSM_EINVAL, "'%s' is the last admin", name);
    if (status == CSM_OK)
        good = good && rows_run(a->db, NULL, "DELETE FROM sessions WHERE user = ?", "i", id) >= 0 &&
               rows_run(a->db, NULL, "DELETE FROM tokens WHERE user = ?", "i", id) >= 0 &&
               rows_run(a->db, NULL, "DELETE FROM users WHERE id = ?", "i", id) == 1 &&
               note(a, who, "user remove", name, "", address);
    return finish(a, good, status);
}

csm_status accounts_list(accounts *a, json_t *out) {
    pthread_mutex_lock(&a->mutex);
    const int64_t count = rows_run(
        a->db, out,
        "SELECT 'users/' || id AS \"from\", name, role, created AS created_time, changed AS changed_time,"
        " (SELECT max(seen) FROM sessions WHERE user = users.id) AS seen_time"
        " FROM users WHERE disabled = 0 ORDER BY name",
        "");
    csm_status status = count < 0 ? database_failed(a) : CSM_OK;
    pthread_mutex_unlock(&a->mutex);
    return status;
}

/* ---- secrets ---- */

static void make_secret(char text[SECRET_TEXT]) {
    unsigned char bytes[32];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(text, SECRET_TEXT, bytes, sizeof bytes, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
}

/* The secret has 256 random bits, so a fast hash is enough. */
static void hash_secret(char hex[65], const char *secret) {
    unsigned char hash[32];
    crypto_generichash(hash, sizeof hash, (const unsigned char *)secret, strlen(secret), NULL, 0);
    sodium_bin2hex(hex, 65, hash, sizeof hash);
}

static bool good_secret(const char *secret) {
    const size_t length = strlen(secret);
    return length == SECRET_TEXT - 1 &&
           strspn(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == length;
}

/* ---- sessions ---- */

csm_status session_make(accounts *a, const char *name, const char *address, char secret[SECRET_TEXT]) {
    char hash[65], csrf[SECRET_TEXT];
    csm_status status = CSM_OK;
    make_secret(secret);
    make_secret(csrf);
    hash_secret(hash, secret);
    bool good = begin(a);
    const int64_t id = good ? user_id(a, name) : 0, at = wall_clock();
    if (good && id == 0) status = fail(CSM_ENOTFOUND, "there is no user '%.40s'", name);
    if (status == CSM_OK)
        good = good &&
               rows_run(a->db, NULL, "DELETE FROM sessions WHERE seen < ? OR created < ?", "ii",
                        at - IDLE_TIME, at - SESSION_TIME) >= 0 &&
               rows_run(a->db, NULL,
                        "DELETE FROM sessions WHERE user = ? AND hash NOT IN (SELECT hash FROM sessions"
                        " WHERE user = ? ORDER BY seen DESC LIMIT ?)",
                        "iii", id, id, (int64_t)SESSIONS_EACH - 1) >= 0 &&
               rows_run(a->db, NULL,
                        "INSERT INTO sessions(hash, user, csrf, address, created, seen, rotated)"
                        " VALUES(?, ?, ?, ?, ?, ?, ?)",
                        "sissiii", hash, id, csrf, address, at, at, at) == 1 &&
               note(a, name, "login", name, "", address);
    return finish(a, good, status);
}

static void copy_text(char *to, size_t size, const json_t *row, const char *member) {
    const char *text = json_string_value(json_object_get(row, member));
    snprintf(to, size, "%s", text ? text : "");
}

static void take_identity(identity *out, const json_t *row) {
    copy_text(out->name, sizeof out->name, row, "name");
    out->user = json_integer_value(json_object_get(row, "user"));
    out->role = role_parse(json_string_value(json_object_get(row, "role")));
}

csm_status session_find(accounts *a, const char *secret, identity *out) {
    char hash[65];
    memset(out, 0, sizeof *out);
    if (!good_secret(secret)) return fail(CSM_ENOTFOUND, "no session");
    hash_secret(hash, secret);
    json_t *rows = json_array();
    pthread_mutex_lock(&a->mutex);
    const int64_t at = wall_clock();
    const bool found =
        rows_run(a->db, rows,
                 "SELECT user, name, role, csrf, seen FROM sessions JOIN users ON users.id = user"
                 " WHERE hash = ? AND seen >= ? AND sessions.created >= ? AND disabled = 0",
                 "sii", hash, at - IDLE_TIME, at - SESSION_TIME) == 1;
    if (found) {
        const json_t *row = json_array_get(rows, 0);
        take_identity(out, row);
        copy_text(out->csrf, sizeof out->csrf, row, "csrf");
        snprintf(out->session, sizeof out->session, "%s", hash);
        out->scopes = UINT32_MAX;
        if (json_integer_value(json_object_get(row, "seen")) + SEEN_STEP < at)
            rows_run(a->db, NULL, "UPDATE sessions SET seen = ? WHERE hash = ?", "is", at, hash);
    }
    pthread_mutex_unlock(&a->mutex);
    json_decref(rows);
    return found ? CSM_OK : fail(CSM_ENOTFOUND, "no session");
}

csm_status session_end(accounts *a, const identity *who, const char *address) {
    bool good = begin(a) &&
                rows_run(a->db, NULL, "DELETE FROM sessions WHERE hash = ?", "s", who->session) >= 0 &&
                note(a, who->name, "logout", who->name, "", address);
    return finish(a, good, CSM_OK);
}

/* ---- tokens ---- */

static void scopes_text(char *text, size_t size, uint32_t scopes) {
    static const char *const names[] = {"read", "export", "metrics", "operate", "admin"};
    size_t used = 0;
    *text = 0;
    for (size_t i = 0; i < 5 && used < size; i++) {
        if (scopes >> i & 1)
            used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "", names[i]);
    }
}

csm_status token_make(accounts *a, const identity *owner, const char *name, uint32_t scopes, int64_t days,
                      const char *address, char secret[TOKEN_TEXT], int64_t *id) {
    char hash[65], text[64];
    csm_status status = CSM_OK;
    memcpy(secret, "cst_", 4);
    make_secret(secret + 4);
    hash_secret(hash, secret);
    scopes_text(text, sizeof text, scopes);
    bool good = begin(a);
    json_t *rows = json_array();
    if (good && rows_run(a->db, rows, "SELECT id FROM tokens WHERE user = ? AND revoked IS NULL", "i",
                         owner->user) >= TOKENS_EACH)
        status = fail(CSM_ENOSPACE, "%d tokens are the most one user may hold", TOKENS_EACH);
    json_decref(rows);
    if (status == CSM_OK) {
        good = good && rows_run(a->db, NULL,
                                "INSERT INTO tokens(hash, user, name, scope, created, expires)"
                                " VALUES(?, ?, ?, ?, ?, ?)",
                                "sissii", hash, owner->user, name, text, wall_clock(),
                                wall_clock() + days * CSM_DAY) == 1;
        *id = sqlite3_last_insert_rowid(a->db);
        good = good && note(a, owner->name, "token add", name, text, address);
    }
    return finish(a, good, status);
}

csm_status token_find(accounts *a, const char *secret, identity *out) {
    char hash[65], scopes[64];
    memset(out, 0, sizeof *out);
    if (strncmp(secret, "cst_", 4) != 0 || !good_secret(secret + 4)) return fail(CSM_ENOTFOUND, "no token");
    hash_secret(hash, secret);
    json_t *rows = json_array();
    pthread_mutex_lock(&a->mutex);
    const int64_t at = wall_clock();
    const bool found =
        rows_run(a->db, rows,
                 "SELECT tokens.id AS token, user, users.name AS name, role, scope, used"
                 " FROM tokens JOIN users ON users.id = user WHERE hash = ? AND revoked IS NULL"
                 " AND (expires IS NULL OR expires > ?) AND disabled = 0",
                 "si", hash, at) == 1;
    if (found) {
        const json_t *row = json_array_get(rows, 0);
        take_identity(out, row);
        out->token = json_integer_value(json_object_get(row, "token"));
        copy_text(scopes, sizeof scopes, row, "scope");
        scopes_parse(&out->scopes, scopes);
        if (json_integer_value(json_object_get(row, "used")) + SEEN_STEP < at)
            rows_run(a->db, NULL, "UPDATE tokens SET used = ? WHERE id = ?", "ii", at, out->token);
    }
    pthread_mutex_unlock(&a->mutex);
    json_decref(rows);
    return found ? CSM_OK : fail(CSM_ENOTFOUND, "no token");
}

csm_status token_revoke(accounts *a, const identity *owner, int64_t id, const char *address) {
    char subject[32];
    csm_status status = CSM_OK;
    snprintf(subject, sizeof subject, "%lld", (long long)id);
    bool good = begin(a);
    const int64_t changed = good ? rows_run(a->db, NULL,
                                            "UPDATE tokens SET revoked = ? WHERE id = ? AND user = ?"
                                            " AND revoked IS NULL",
                                            "iii", wall_clock(), id, owner->user)
                                 : -1;
    if (changed == 0) status = fail(CSM_ENOTFOUND, "you hold no such token");
    good = changed == 1 && note(a, owner->name, "token remove", subject, "", address);
    return finish(a, good, status);
}

csm_status token_list(accounts *a, const identity *owner, json_t *out) {
    pthread_mutex_lock(&a->mutex);
    const int64_t count =
        rows_run(a->db, out,
                 "SELECT 'tokens/' || id AS \"from\", id, name, scope, created AS created_time, expires AS "
                 "expires_time,"
                 " used AS used_time, revoked AS revoked_time FROM tokens WHERE user = ? ORDER BY id DESC",
                 "i", owner->user);
    csm_status status = count < 0 ? database_failed(a) : CSM_OK;
    pthread_mutex_unlock(&a->mutex);
    return status;
}
