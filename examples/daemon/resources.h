/* SPDX-License-Identifier: MIT */
/* What the daemon, the machine and its GPUs use, every 15 s, as facts: process.*, machine.*, memory.*, disk.*, gpu.*. Measured on a thread
 * of libuv's pool, since a lost GPU or a slow disk may take its time. */
#ifndef DAEMON_RESOURCES_H
#define DAEMON_RESOURCES_H

#include "nvml.h"

#include <cryptosmart/cryptosmart.h>

struct daemon;
typedef struct resources resources;

/* NaN: not known. */
typedef struct resource_sample {
    double process_memory;      /* resident bytes of the daemon */
    double process_processor;   /* seconds of processor time since its start */
    double process_descriptors; /* open ones */
    double machine_load;        /* of 15 minutes, a processor */
    double memory_total;        /* bytes */
    double memory_available;    /* share of the total */
    double disk_total;          /* bytes of the workspace's file system */
    double disk_free;           /* share of the total that is free for us */
    size_t gpu_count;
    nvml_gpu gpus[NVML_GPUS];
} resource_sample;

/* n: opened, or not ready. */
void resources_measure(resource_sample *out, nvml *n, const char *workspace);
csm_status resources_start(resources **out, struct daemon *daemon);
void resources_stop(resources *r);
void resources_free(resources *r);

#endif
