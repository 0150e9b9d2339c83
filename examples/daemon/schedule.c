/* SPDX-License-Identifier: MIT */
#include "schedule.h"

#include "failure.h"
#include "settings.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const job_kind kinds[] = {
#define JOB(name, heavy, network, priority, every, after, text)                                              \
    {#name, every, after, text, priority, heavy, network},
#include "jobs.def"
#undef JOB
};
#define KIND_COUNT (sizeof kinds / sizeof kinds[0])

const job_kind *job_kind_find(const char *name) {
    size_t length = strcspn(name, ".");
    for (size_t i = 0; i < KIND_COUNT; i++) {
        bool sources = strcmp(kinds[i].name, "ingest") == 0;
        if (strlen(kinds[i].name) == length && strncmp(kinds[i].name, name, length) == 0 &&
            (name[length] == 0 || sources))
            return &kinds[i];
    }
    return NULL;
}

static csm_status add_job(job_entry *jobs, size_t *count, const job_kind *kind, const char *source,
                          const csm_config *config) {
    if (*count == JOBS_MOST) return fail(CSM_EINVAL, "more than %d jobs", JOBS_MOST);
    job_entry *j = &jobs[*count];
    int length = snprintf(j->name, sizeof j->name, "%s%s%s", kind->name, *source ? "." : "", source);
    if (length < 0 || (size_t)length >= sizeof j->name)
        return fail(CSM_EINVAL, "ingest.sources: '%s' is too long a name", source);
    if (schedule_find(jobs, *count, j->name))
        return fail(CSM_EINVAL, "ingest.sources: '%s' stands there twice", source);
    j->kind = kind;
    j->every = settings_duration(config, kind->every);
    j->after = settings_duration(config, kind->after);
    (*count)++;
    return CSM_OK;
}

csm_status schedule_jobs(job_entry jobs[JOBS_MOST], size_t *count, const csm_config *config) {
    csm_status status = CSM_OK;
    char source[64];
    *count = 0;
    for (size_t i = 0; status == CSM_OK && i < KIND_COUNT; i++) {
        if (strcmp(kinds[i].name, "ingest") != 0) {
            status = add_job(jobs, count, &kinds[i], "", config);
            continue;
        }
        for (size_t s = 0;
             status == CSM_OK && settings_item(config, "ingest.sources", s, source, sizeof source); s++) {
            if (!csm_ingest_source_find(source))
                status = fail(CSM_EINVAL, "ingest.sources: '%s' is no source", source);
            else
                status = add_job(jobs, count, &kinds[i], source, config);
        }
    }
    return status;
}

const job_entry *schedule_find(const job_entry *jobs, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(jobs[i].name, name) == 0) return &jobs[i];
    }
    return NULL;
}

csm_time schedule_next(csm_time now, csm_time every, csm_time after) {
    if (every <= 0) return CSM_TIME_MAX;
    return csm_time_floor(now - after, every) + every + after;
}

csm_time schedule_backoff(uint32_t attempt, csm_time first, csm_time last, double random) {
    csm_time step = first;
    for (uint32_t i = 1; i < attempt && step < last; i++) step *= 2;
    if (step > last) step = last;
    const csm_time half = step / 2;
    return half + (csm_time)((double)half * random);
}

static run_end classify_signal(int signal, char *text, size_t size) {
    switch (signal) {
    case SIGXCPU:
        snprintf(text, size, "took more processor time than its limit");
        return RUN_FAILED;
    case SIGKILL:
        snprintf(text, size, "killed: by the system for want of memory, or by hand");
        return RUN_AGAIN;
    case SIGTERM:
    case SIGINT:
        snprintf(text, size, "cancelled");
        return RUN_CANCELLED;
    default:
        snprintf(text, size, "ended by signal %d (%s)", signal, strsignal(signal));
        return RUN_AGAIN;
    }
}

run_end schedule_classify(int64_t code, int signal, char *text, size_t size) {
    static const struct {
        int64_t code;
        run_end end;
        const char *text;
    } ends[] = {
        {CODE_OK, RUN_DONE, "done"},
        {CODE_FAILED, RUN_AGAIN, "the system refused something"},
        {CODE_USAGE, RUN_FAILED, "wrong configuration"},
        {CODE_NO_DATA, RUN_DONE, "no data or no model to work on yet"},
        {CODE_COVERAGE, RUN_FAILED, "the coverage equation did not hold; nothing was changed"},
        {CODE_BUSY, RUN_AGAIN, "another process holds the workspace"},
        {CODE_NETWORK, RUN_AGAIN, "the network or the other side refused"},
        {CODE_DAMAGED, RUN_FAILED, "damaged or malformed data"},
        {CODE_CANCELLED, RUN_CANCELLED, "cancelled"},
    };
    if (signal != 0) return classify_signal(signal, text, size);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends[i].code != code) continue;
        snprintf(text, size, "%s", ends[i].text);
        return ends[i].end;
    }
    snprintf(text, size, "ended with the unknown code %lld", (long long)code);
    return RUN_AGAIN;
}
