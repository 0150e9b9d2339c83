/* SPDX-License-Identifier: MIT */
/* backup: the workspace and daemon.db into a folder named by its time. drill: the newest backup restored elsewhere, checked in full,
 * its ledger's chain recomputed, and removed again. */
#include "job.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MOST 4096
#define PATH_BYTES (DAEMON_PATH + 128)
#define STAMP "backup-YYYYMMDDThhmmssZ"
#define PART ".part" /* of a backup that is not finished */

static void backup_folder(char *path, size_t size, const job_process *p) {
    const char *configured = settings_text(p->config, "daemon.backup_folder");
    if (*configured)
        snprintf(path, size, "%s", configured);
    else
        snprintf(path, size, "%s.backups", p->daemon->workspace);
}

/* ---- folders ---- */

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place) {
    (void)status;
    (void)place;
    return type == FTW_DP || type == FTW_D ? rmdir(path) : unlink(path);
}

static csm_status remove_folder(const char *path) {
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 || errno == ENOENT) return CSM_OK;
    return fail(CSM_EIO, "%s cannot be removed: %s", path, strerror(errno));
}

static bool is_backup(const char *name) {
    return strncmp(name, "backup-", 7) == 0 && strlen(name) >= strlen(STAMP);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of backups in a folder, finished or not, oldest first; the names' form makes that the order of names. */
static csm_status list_backups(char **names, size_t *count, const char *folder) {
    *count = 0;
    DIR *listing = opendir(folder);
    if (!listing) return errno == ENOENT ? CSM_OK : fail(CSM_EIO, "%s: %s", folder, strerror(errno));
    for (const struct dirent *entry = readdir(listing); entry && *count < NAMES_MOST;
         entry = readdir(listing)) {
        if (!is_backup(entry->d_name)) continue;
        names[*count] = strdup(entry->d_name);
        if (names[*count]) (*count)++;
    }
    closedir(listing);
    qsort(names, *count, sizeof *names, by_name);
    return CSM_OK;
}

static void free_names(char **names, size_t count) {
    for (size_t i = 0; names && i < count; i++) free(names[i]);
    free(names);
}

static bool is_part(const char *name) {
    size_t length = strlen(name);
    return length > strlen(PART) && strcmp(name + length - strlen(PART), PART) == 0;
}

/* Parts that a kill left go; of the finished ones the oldest beyond `keep`. */
static csm_status tidy(const char *folder, size_t keep) {
    char path[2 * PATH_BYTES];
    size_t count = 0, finished = 0;
    char **names = calloc(NAMES_MOST, sizeof *names);
    csm_status status = names ? list_backups(names, &count, folder) : fail(CSM_ENOMEM, "no memory for names");
    for (size_t i = 0; names && i < count; i++) finished += !is_part(names[i]);
    for (size_t i = 0; names && status == CSM_OK && i < count; i++) {
        bool part = is_part(names[i]);
        if (!part && finished <= keep) continue;
        finished -= !part;
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        status = remove_folder(path);
    }
    free_names(names, count);
    return status;
}

/* ---- backup ---- */

static csm_status copy_database(const job_process *p, const char *folder) {
    char from[PATH_BYTES], to[2 * PATH_BYTES];
    database *db = NULL;
    snprintf(from, sizeof from, "%s/daemon.db", p->daemon->workspace);
    snprintf(to, sizeof to, "%s/daemon.db", folder);
    if (access(from, F_OK) != 0) return CSM_OK; /* the job was started by hand, without a daemon */
    csm_status status = database_open_reader(&db, from);
    if (status == CSM_OK) status = database_copy(db, to);
    database_close(db);
    return status;
}

static csm_status write_backup(const job_process *p, const char *part) {
    char workspace[2 * PATH_BYTES];
    csm_store *store = NULL;
    snprintf(workspace, sizeof workspace, "%s/workspace", part);
    if (mkdir(part, 0700) != 0) return fail(CSM_EIO, "%s: %s", part, strerror(errno));
    csm_status status = csm_store_open(&store, p->context, p->daemon->workspace, CSM_STORE_READ);
    if (status == CSM_OK) status = csm_store_backup(store, p->context, workspace);
    csm_store_free(store);
    if (status != CSM_OK) return fail_library(status, "");
    return copy_database(p, part);
}

static csm_status sync_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    csm_status status = CSM_OK;
    if (fd < 0 || fsync(fd) != 0) status = fail(CSM_EIO, "%s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    return status;
}

csm_status job_backup(const job_process *p) {
    char folder[PATH_BYTES], path[PATH_BYTES + 64], part[PATH_BYTES + 80];
    csm_calendar c = csm_time_calendar(csm_context_now(p->context));
    backup_folder(folder, sizeof folder, p);
    snprintf(path, sizeof path, "%s/backup-%04d%02d%02dT%02d%02d%02dZ", folder, c.year, c.month, c.day,
             c.hour, c.minute, c.second);
    snprintf(part, sizeof part, "%s%s", path, PART);
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return fail(CSM_EIO, "%s cannot be made: %s", folder, strerror(errno));
    if (access(path, F_OK) == 0) { /* a run that was killed after its work was done */
        emit_result(json_pack("{s:s}", "backup", path));
        return CSM_OK;
    }
    size_t keep = (size_t)settings_integer(p->config, "daemon.backup_keep");
    csm_status status = tidy(folder, keep); /* also what a kill left */
    if (status == CSM_OK) status = write_backup(p, part);
    if (status == CSM_OK) status = sync_folder(part);
    if (status == CSM_OK && rename(part, path) != 0) status = fail(CSM_EIO, "%s: %s", path, strerror(errno));
    if (status == CSM_OK) status = sync_folder(folder);
    if (status == CSM_OK) status = tidy(folder, keep);
    if (status == CSM_OK) emit_result(json_pack("{s:s}", "backup", path));
    return status;
}

/* ---- drill ---- */

static csm_status newest_backup(char *path, size_t size, const char *folder) {
    size_t count = 0;
    char **names = calloc(NAMES_MOST, sizeof *names);
    csm_status status = names ? list_backups(names, &count, folder) : fail(CSM_ENOMEM, "no memory for names");
    size_t at = names ? count : 0;
    while (at > 0 && is_part(names[at - 1])) at--;
    if (status == CSM_OK && at == 0) status = fail(CSM_ENODATA, "%s holds no backup yet", folder);
    if (status == CSM_OK && at > 0) snprintf(path, size, "%s/%s", folder, names[at - 1]);
    free_names(names, count);
    return status;
}

static csm_status check_ledger(const job_process *p, const char *scratch) {
    csm_store *store = NULL;
    csm_ledger_head head = {0};
    csm_status status = csm_store_open(&store, p->context, scratch, CSM_STORE_WRITE);
    if (status == CSM_OK) status = csm_learn_verify(&head, p->context, store);
    if (status == CSM_OK)
        emit_result(json_pack("{s:I,s:s}", "ledger_rows", (json_int_t)head.rows, "ledger_head", head.hash));
    csm_store_free(store);
    return status == CSM_OK ? CSM_OK : fail_library(status, "restored backup");
}

static csm_status check_database(const char *backup) {
    char path[2 * PATH_BYTES], check[256] = "";
    database *db = NULL;
    snprintf(path, sizeof path, "%s/daemon.db", backup);
    if (access(path, F_OK) != 0) return CSM_OK;
    csm_status status = database_open_reader(&db, path);
    if (status == CSM_OK) status = database_text(check, sizeof check, db, "PRAGMA integrity_check(1)", "");
    if (status == CSM_OK && strcmp(check, "ok") != 0) status = fail(CSM_ECORRUPT, "%s: %s", path, check);
    database_close(db);
    return status;
}

csm_status job_drill(const job_process *p) {
    char folder[PATH_BYTES], backup[PATH_BYTES + 300], workspace[PATH_BYTES + 320], scratch[PATH_BYTES + 64];
    uint64_t findings = 0;
    backup_folder(folder, sizeof folder, p);
    csm_status status = newest_backup(backup, sizeof backup, folder);
    if (status != CSM_OK) return status;
    snprintf(workspace, sizeof workspace, "%s/workspace", backup);
    snprintf(scratch, sizeof scratch, "%s/drill", folder);
    status = remove_folder(scratch);
    if (status != CSM_OK) return status;
    status = csm_store_verify_backup(&findings, p->context, workspace, scratch);
    if (status == CSM_OK && findings > 0) status = CSM_ECORRUPT;
    if (status != CSM_OK) status = fail_library(status, backup);
    if (status == CSM_OK) status = check_ledger(p, scratch);
    if (status == CSM_OK) status = check_database(backup);
    emit_fact("backup.faults", status == CSM_OK ? 0 : 1, "%s", status == CSM_OK ? backup : failure_text());
    csm_status removed = remove_folder(scratch);
    return status == CSM_OK ? removed : status;
}
