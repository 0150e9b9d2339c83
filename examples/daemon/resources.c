/* SPDX-License-Identifier: MIT */
#include "resources.h"

#include "daemon.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PERIOD 15000 /* ms */

/* ---- measuring: /proc (proc(5)), statvfs, NVML ---- */

/* The number behind "NAME:" in a file of such lines, in KiB, as bytes. */
static double kilobytes(const char *path, const char *name) {
    char line[256];
    double value = (double)NAN;
    size_t length = strlen(name);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file)) {
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            value = strtod(line + length + 1, NULL) * 1024;
    }
    if (file) fclose(file);
    return value;
}

static double count_descriptors(void) {
    double count = -3; /* ".", ".." and the one that reads */
    DIR *folder = opendir("/proc/self/fd");
    if (!folder) return (double)NAN;
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

static double measure_load(void) {
    double loads[3];
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return getloadavg(loads, 3) == 3 && processors > 0 ? loads[2] / (double)processors : (double)NAN;
}

static double measure_processor(void) {
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) != 0) return (double)NAN;
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

void resources_measure(resource_sample *out, nvml *n, const char *workspace) {
    struct statvfs disk;
    bool seen = statvfs(workspace, &disk) == 0 && disk.f_blocks > 0;
    out->process_memory = kilobytes("/proc/self/status", "VmRSS");
    out->process_processor = measure_processor();
    out->process_descriptors = count_descriptors();
    out->machine_load = measure_load();
    out->memory_total = kilobytes("/proc/meminfo", "MemTotal");
    out->memory_available = kilobytes("/proc/meminfo", "MemAvailable") / out->memory_total;
    out->disk_total = seen ? (double)disk.f_blocks * (double)disk.f_frsize : (double)NAN;
    out->disk_free = seen ? (double)disk.f_bavail / (double)disk.f_blocks : (double)NAN;
    out->gpu_count = nvml_measure(n, out->gpus);
}

/* ---- facts ---- */

struct resources {
    daemon_state *daemon;
    uv_timer_t timer;
    uv_work_t work;
    bool busy;
    bool stopping;
    nvml nvml;
    resource_sample sample;
};

static csm_status keep(const resources *r, const char *name, double value, const char *text) {
    return database_run(
        r->daemon->db,
        "INSERT INTO facts(name, value, text, time) VALUES(?,?,?,?) ON CONFLICT(name) DO UPDATE SET"
        " value=excluded.value, text=excluded.text, time=excluded.time, run=NULL",
        "sdsi", name, value, text, daemon_now(r->daemon));
}

static csm_status keep_gpu(const resources *r, size_t index, const nvml_gpu *gpu) {
    const struct {
        const char *name;
        double value;
    } rows[] = {{"gpu.utilization", gpu->utilization},
                {"gpu.memory_used", gpu->memory_used},
                {"gpu.memory_total", gpu->memory_total},
                {"gpu.temperature", gpu->temperature},
                {"gpu.power", gpu->power}};
    csm_status status = CSM_OK;
    char name[64];
    for (size_t i = 0; status == CSM_OK && i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(name, sizeof name, "%s.%zu", rows[i].name, index);
        status = keep(r, name, rows[i].value, gpu->name);
    }
    return status;
}

static csm_status keep_sample(const resources *r) {
    const resource_sample *s = &r->sample;
    const struct {
        const char *name;
        double value;
        const char *text;
    } rows[] = {{"process.memory", s->process_memory, "resident bytes of the daemon"},
                {"process.processor", s->process_processor, "seconds of processor time of the daemon"},
                {"process.descriptors", s->process_descriptors, "open files and sockets of the daemon"},
                {"machine.load", s->machine_load, "load of 15 minutes, a processor"},
                {"memory.total", s->memory_total, "bytes of memory of the machine"},
                {"memory.available", s->memory_available, "share of the machine's memory that is available"},
                {"disk.total", s->disk_total, "bytes of the workspace's file system"},
                {"disk.free", s->disk_free, "share of the workspace's file system that is free"}};
    csm_status status = database_begin(r->daemon->db);
    if (status != CSM_OK) return status;
    double lost = 0;
    for (size_t i = 0; status == CSM_OK && i < sizeof rows / sizeof rows[0]; i++)
        status = keep(r, rows[i].name, rows[i].value, rows[i].text);
    for (size_t i = 0; status == CSM_OK && i < s->gpu_count; i++) {
        status = keep_gpu(r, i, &s->gpus[i]);
        lost += s->gpus[i].lost;
    }
    if (status == CSM_OK && s->gpu_count > 0)
        status = keep(r, "gpu.lost", lost, "GPUs that do not answer any more");
    return database_end(r->daemon->db, status);
}

/* ---- life ---- */

static void measure(uv_work_t *work) {
    resources *r = work->data;
    resources_measure(&r->sample, &r->nvml, r->daemon->workspace);
}

static void on_measured(uv_work_t *work, int cancelled) {
    resources *r = work->data;
    r->busy = false;
    if (cancelled || r->stopping) return;
    if (keep_sample(r) != CSM_OK)
        log_write(&r->daemon->log, CSM_LOG_ERROR, "resources", NULL, "%s", failure_text());
    daemon_changed(r->daemon);
}

static void on_timer(uv_timer_t *timer) {
    resources *r = timer->data;
    if (!r->busy) r->busy = uv_queue_work(&r->daemon->loop, &r->work, measure, on_measured) == 0;
}

csm_status resources_start(resources **out, daemon_state *d) {
    resources *r = calloc(1, sizeof *r);
    if (!r) return fail(CSM_ENOMEM, "no memory for the watch on resources");
    r->daemon = d;
    r->work.data = r;
    (void)nvml_open(&r->nvml);
    uv_timer_init(&d->loop, &r->timer);
    r->timer.data = r;
    uv_timer_start(&r->timer, on_timer, 0, PERIOD);
    *out = r;
    return CSM_OK;
}

void resources_stop(resources *r) {
    if (!r) return;
    r->stopping = true;
    uv_timer_stop(&r->timer);
}

void resources_free(resources *r) {
    if (!r) return;
    nvml_close(&r->nvml);
    free(r);
}
