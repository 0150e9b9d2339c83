/* SPDX-License-Identifier: MIT */
/* GPUs through NVIDIA's management library, loaded at run time: without a driver there is nothing to see, which is no fault. Layouts and
 * codes: nvml.h of NVML 12 and 13 (docs.nvidia.com/deploy/nvml-api). */
#ifndef DAEMON_NVML_H
#define DAEMON_NVML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NVML_GPUS 16

typedef struct nvml_gpu {
    char name[96];
    char uuid[96];
    bool lost;          /* it was there and does not answer any more */
    double utilization; /* share of the last sample in which a kernel ran; NaN: not known, here and below */
    double memory_used; /* bytes */
    double memory_total;
    double temperature; /* degrees Celsius */
    double power;       /* watts */
} nvml_gpu;

/* The calls of the library that are used; a test puts its own there. NULL: the driver lacks it. */
typedef struct nvml_calls {
    int (*init)(void);
    int (*shutdown)(void);
    int (*count)(unsigned *count);
    int (*handle)(unsigned index, void **device);
    int (*name)(void *device, char *text, unsigned size);
    int (*uuid)(void *device, char *text, unsigned size);
    int (*utilization)(void *device, void *rates); /* {unsigned gpu, memory;} percent */
    int (*memory)(void *device, void *memory);     /* {unsigned long long total, free, used;} bytes */
    int (*temperature)(void *device, int sensor, unsigned *celsius);
    int (*power)(void *device, unsigned *milliwatt);
} nvml_calls;

typedef struct nvml {
    nvml_calls calls;
    void *library;
    bool ready;
    size_t known; /* most GPUs ever seen */
} nvml;

/* Loads the library and starts it; false without a driver. */
bool nvml_open(nvml *n);
/* Measures every GPU; gives how many there are or were. May take seconds when a GPU wakes or is lost. */
size_t nvml_measure(nvml *n, nvml_gpu gpus[NVML_GPUS]);
void nvml_close(nvml *n);

#endif
