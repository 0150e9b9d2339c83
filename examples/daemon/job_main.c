/* SPDX-License-Identifier: MIT */
/* One job in a process of its own: limits first, then the context, then the work. */
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct {
    const char *name;
    csm_status (*run)(const job_process *p);
} works[] = {
#define JOB(name, heavy, network, priority, every, after, text) {#name, job_##name},
#include "jobs.def"
#undef JOB
};

static csm_context *running; /* for the signal handler alone */

static void on_terminate(int number) {
    (void)number;
    if (running) csm_context_cancel(running);
}

static csm_time fixed_clock(void *user) {
    return *(const csm_time *)user;
}

/* ---- a process that dies with its daemon and keeps to its limits ---- */

static csm_status stay_with_parent(const job_request *request) {
    if (request->parent == 0) return CSM_OK;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
        return fail(CSM_EIO, "the end of the daemon cannot be watched: %s", strerror(errno));
    /* it may have ended before the line above */
    if (getppid() != (pid_t)request->parent) return fail(CSM_ECANCELLED, "the daemon has ended");
    return CSM_OK;
}

/* Held until the end of the process, so that a daemon that starts sees whether jobs of an earlier one are left. */
static csm_status hold_lock(const daemon_state *d) {
    char path[DAEMON_PATH + 32];
    snprintf(path, sizeof path, "%s/daemon-jobs.lock", d->workspace);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_SH | LOCK_NB) != 0)
        return fail(CSM_ELOCKED, "%s: %s", path, strerror(errno));
    return CSM_OK;
}

static csm_status set_limit(unsigned resource, rlim_t soft, rlim_t hard, const char *what) {
    const struct rlimit limit = {soft, hard};
    if (setrlimit(resource, &limit) == 0) return CSM_OK;
    return fail(CSM_EIO, "the limit on %s cannot be set: %s", what, strerror(errno));
}

static csm_status keep_limits(const csm_config *config, const job_kind *kind) {
    rlim_t seconds =
        (rlim_t)(settings_duration(config, kind->heavy ? "daemon.cpu_heavy" : "daemon.cpu_light") /
                 CSM_SECOND);
    csm_status status = set_limit(RLIMIT_CPU, seconds, seconds + 5, "processor time");
    if (status == CSM_OK) status = set_limit(RLIMIT_CORE, 0, 0, "core files"); /* a core would hold secrets */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* sanitizers reserve terabytes */
    rlim_t bytes =
        (rlim_t)settings_integer(config, kind->heavy ? "daemon.memory_heavy" : "daemon.memory_light") << 20;
    if (status == CSM_OK && bytes > 0) status = set_limit(RLIMIT_AS, bytes, bytes, "memory");
#endif
    if (status == CSM_OK && kind->heavy &&
        setpriority(PRIO_PROCESS, 0, (int)settings_integer(config, "daemon.nice_heavy")) != 0)
        status = fail(CSM_EIO, "the priority cannot be lowered: %s", strerror(errno));
    return status;
}

/* ---- the work ---- */

static csm_status make_context(job_process *p, csm_time *now) {
    csm_context_options options;
    csm_context_options_init(&options);
    options.threads = (uint32_t)settings_integer(p->config, "run.threads");
    options.seed = (uint64_t)settings_integer(p->config, "run.seed");
    options.log_level = (uint32_t)p->daemon->log.level;
    csm_status status = csm_context_new(&p->context, &options);
    if (status == CSM_OK && p->request->now) {
        status = csm_time_parse(now, p->request->now, strlen(p->request->now));
        p->test = true;
        if (status == CSM_OK) csm_context_set_clock(p->context, fixed_clock, now);
    }
    if (status != CSM_OK) return fail_library(status, "");
    csm_context_set_log(p->context, log_library, &p->daemon->log);
    csm_context_set_progress(p->context, emit_progress, NULL);
    running = p->context;
    struct sigaction action = {.sa_handler = on_terminate};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    return CSM_OK;
}

csm_status job_open(csm_pipeline **out, const job_process *p) {
    csm_status status = csm_pipeline_open(out, p->context, p->config, p->daemon->workspace, CSM_STORE_SHARED);
    return status == CSM_OK ? CSM_OK : fail_library(status, "");
}

static csm_status do_work(const job_process *p) {
    for (size_t i = 0; i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(works[i].name, p->kind->name) == 0) return works[i].run(p);
    }
    return fail(CSM_EINTERNAL, "%s has no work", p->kind->name);
}

int job_main(daemon_state *d, const job_request *request) {
    const char *dot = strchr(request->name, '.');
    job_process p = {.daemon = d, .request = request, .source = dot ? dot + 1 : ""};
    csm_time now = 0;
    const log_about about = {.run = request->run};
    p.config = d->configs[d->config_count - 1];
    p.kind = job_kind_find(request->name);
    csm_status status = p.kind ? CSM_OK : fail(CSM_EINVAL, "there is no job '%s'", request->name);
    if (status == CSM_OK) status = stay_with_parent(request);
    if (status == CSM_OK) status = hold_lock(d);
    if (status == CSM_OK && p.kind) status = keep_limits(p.config, p.kind);
    if (status == CSM_OK) status = make_context(&p, &now);
    if (status == CSM_OK && p.kind) status = do_work(&p);
    if (status != CSM_OK)
        log_write(&d->log, status == CSM_ECANCELLED ? CSM_LOG_INFO : CSM_LOG_ERROR, request->name, &about,
                  "%s: %s", csm_status_name(status), failure_text());
    emit_usage();
    running = NULL;
    csm_context_free(p.context);
    return exit_code(status);
}
