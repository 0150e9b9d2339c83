/* SPDX-License-Identifier: MIT */
#include "nvml.h"

#include <dlfcn.h>
#include <math.h>
#include <string.h>

#define NVML_OK 0
#define NVML_UNINITIALIZED 1
#define NVML_GPU_IS_LOST 15
#define NVML_RESET_REQUIRED 16
#define NVML_GPU_NOT_FOUND 28

/* POSIX lets dlsym's result be a function; ISO C does not, so it goes by its bytes. */
static void find(void *function, void *library, const char *name, const char *older) {
    void *symbol = dlsym(library, name);
    if (!symbol && older) symbol = dlsym(library, older);
    memcpy(function, &symbol, sizeof symbol);
}

static void *open_library(void) {
    static const char *const places[] = {"libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        void *library = dlopen(places[i], RTLD_LAZY | RTLD_LOCAL);
        if (library) return library;
    }
    return NULL;
}

bool nvml_open(nvml *n) {
    memset(n, 0, sizeof *n);
    n->library = open_library();
    if (!n->library) return false;
    nvml_calls *c = &n->calls;
    find(&c->init, n->library, "nvmlInit_v2", "nvmlInit");
    find(&c->shutdown, n->library, "nvmlShutdown", NULL);
    find(&c->count, n->library, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount");
    find(&c->handle, n->library, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex");
    find(&c->name, n->library, "nvmlDeviceGetName", NULL);
    find(&c->uuid, n->library, "nvmlDeviceGetUUID", NULL);
    find(&c->utilization, n->library, "nvmlDeviceGetUtilizationRates", NULL);
    find(&c->memory, n->library, "nvmlDeviceGetMemoryInfo", NULL);
    find(&c->temperature, n->library, "nvmlDeviceGetTemperature", NULL);
    find(&c->power, n->library, "nvmlDeviceGetPowerUsage", NULL);
    n->ready = c->init && c->count && c->handle && c->init() == NVML_OK;
    if (!n->ready) nvml_close(n);
    return n->ready;
}

static void forget(nvml_gpu *gpu) {
    memset(gpu, 0, sizeof *gpu);
    gpu->utilization = gpu->memory_used = gpu->memory_total = gpu->temperature = gpu->power = (double)NAN;
}

static bool is_lost(int code) {
    return code == NVML_GPU_IS_LOST || code == NVML_RESET_REQUIRED || code == NVML_GPU_NOT_FOUND;
}

static void measure_one(const nvml_calls *c, void *device, nvml_gpu *gpu) {
    struct {
        unsigned gpu, memory;
    } rates = {0, 0};
    struct {
        unsigned long long total, free, used;
    } memory = {0, 0, 0};
    unsigned value = 0;
    int code = c->utilization ? c->utilization(device, &rates) : -1;
    if (code == NVML_OK) gpu->utilization = (double)rates.gpu / 100.0;
    gpu->lost = is_lost(code);
    if (c->name && c->name(device, gpu->name, sizeof gpu->name) != NVML_OK) gpu->name[0] = 0;
    if (c->uuid && c->uuid(device, gpu->uuid, sizeof gpu->uuid) != NVML_OK) gpu->uuid[0] = 0;
    if (c->memory && c->memory(device, &memory) == NVML_OK) {
        gpu->memory_used = (double)memory.used;
        gpu->memory_total = (double)memory.total;
    }
    if (c->temperature && c->temperature(device, 0, &value) == NVML_OK) gpu->temperature = value;
    if (c->power && c->power(device, &value) == NVML_OK) gpu->power = (double)value / 1000.0;
}

size_t nvml_measure(nvml *n, nvml_gpu gpus[NVML_GPUS]) {
    unsigned count = 0;
    if (!n->ready) return 0;
    int code = n->calls.count(&count);
    if (code == NVML_UNINITIALIZED && n->calls.init() == NVML_OK) code = n->calls.count(&count);
    if (code != NVML_OK) count = 0;
    if (count > NVML_GPUS) count = NVML_GPUS;
    if (count > n->known) n->known = count;
    for (size_t i = 0; i < n->known; i++) {
        void *device = NULL;
        forget(&gpus[i]);
        if (i < count && n->calls.handle((unsigned)i, &device) == NVML_OK)
            measure_one(&n->calls, device, &gpus[i]);
        else
            gpus[i].lost = true;
    }
    return n->known;
}

void nvml_close(nvml *n) {
    if (n->ready && n->calls.shutdown) n->calls.shutdown();
    if (n->library) dlclose(n->library);
    n->library = NULL;
    n->ready = false;
}
