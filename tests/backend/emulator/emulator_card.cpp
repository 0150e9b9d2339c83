// SPDX-License-Identifier: MIT
// The runtime of the emulated card: memory, streams, graphs and launches. Streams run what they are given at once, or
// keep it while a graph is captured.
#include "emulator_card.h"
#include "cuda_runtime.h"

#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

struct emulated_stream {
    bool capturing;
    std::vector<std::function<cudaError_t()>> captured;
};
struct emulated_event {
    bool recorded;
};
struct emulated_graph {
    std::vector<std::function<cudaError_t()>> work;
};

namespace {

constexpr size_t unasked_shared = 48 * 1024; // of a block that has not opted in
const emulator_card hopper = {9, 0, 132, size_t{1} << 30, 227 * 1024, 16};

emulator_card card = hopper;
std::map<void *, size_t> memory;
std::map<const void *, int> shared_allowed, cluster_allowed;
size_t memory_used, memory_peak;
uint64_t calls, fail_at, launches, synchronisations, objects;
cudaError_t last_error;

cudaError_t answer(cudaError_t error) {
    if (error != cudaSuccess) last_error = error;
    return error;
}

// Every call that can fail begins here: true when it is told to.
bool told_to_fail() {
    calls++;
    return fail_at != 0 && --fail_at == 0;
}

cudaError_t enqueue(cudaStream_t stream, std::function<cudaError_t()> work) {
    if (stream != nullptr && stream->capturing) {
        stream->captured.push_back(std::move(work));
        return cudaSuccess;
    }
    return answer(work());
}

} // namespace

void emulator_reset(const emulator_card *played, emulator_order order, uint64_t seed) {
    card = played != nullptr ? *played : hopper;
    calls = fail_at = launches = synchronisations = 0;
    memory_peak = memory_used;
    last_error = cudaSuccess;
    shared_allowed.clear();
    cluster_allowed.clear();
    emulator::execution_reset(order, seed);
}

const char *emulator_failure() {
    return emulator::execution_failure();
}
void emulator_fail_call(uint64_t n) {
    fail_at = n;
}
uint64_t emulator_calls() {
    return calls;
}
uint64_t emulator_launches() {
    return launches;
}
uint64_t emulator_synchronisations() {
    return synchronisations;
}
size_t emulator_memory_used() {
    return memory_used;
}
size_t emulator_memory_peak() {
    return memory_peak;
}
uint64_t emulator_objects() {
    return objects;
}

// ---- device ----

const char *cudaGetErrorName(cudaError_t error) {
    switch (error) {
    case cudaSuccess:
        return "cudaSuccess";
    case cudaErrorInvalidValue:
        return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
        return "cudaErrorMemoryAllocation";
    case cudaErrorNoDevice:
        return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
        return "cudaErrorInvalidDevice";
    case cudaErrorLaunchFailure:
        return "cudaErrorLaunchFailure";
    case cudaErrorStreamCaptureUnsupported:
        return "cudaErrorStreamCaptureUnsupported";
    }
    return "unknown";
}
const char *cudaGetErrorString(cudaError_t error) {
    return error == cudaErrorMemoryAllocation ? "out of memory" : "emulated failure";
}
cudaError_t cudaGetLastError() {
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}
cudaError_t cudaGetDeviceCount(int *count) {
    if (told_to_fail()) return answer(cudaErrorNoDevice);
    *count = 1;
    return cudaSuccess;
}
cudaError_t cudaGetDevice(int *device) {
    if (told_to_fail()) return answer(cudaErrorInvalidDevice);
    *device = 0;
    return cudaSuccess;
}
cudaError_t cudaSetDevice(int device) {
    if (told_to_fail() || device != 0) return answer(cudaErrorInvalidDevice);
    return cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp *properties, int device) {
    if (told_to_fail() || device != 0) return answer(cudaErrorInvalidDevice);
    *properties = cudaDeviceProp{};
    snprintf(properties->name, sizeof properties->name, "emulated card %d.%d", card.major, card.minor);
    properties->totalGlobalMem = card.memory;
    properties->major = card.major;
    properties->minor = card.minor;
    properties->multiProcessorCount = card.multiprocessors;
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int *value, cudaDeviceAttr attribute, int device) {
    if (told_to_fail() || device != 0) return answer(cudaErrorInvalidDevice);
    switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
        *value = card.multiprocessors;
        break;
    case cudaDevAttrComputeCapabilityMajor:
        *value = card.major;
        break;
    case cudaDevAttrComputeCapabilityMinor:
        *value = card.minor;
        break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = static_cast<int>(card.block_shared);
        break;
    }
    return cudaSuccess;
}
cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
    if (told_to_fail()) return answer(cudaErrorInvalidDevice);
    *total = card.memory;
    *available = card.memory - memory_used;
    return cudaSuccess;
}

// ---- memory ----

cudaError_t cudaMalloc(void **out, size_t bytes) {
    *out = nullptr;
    if (told_to_fail() || bytes > card.memory - memory_used) return answer(cudaErrorMemoryAllocation);
    void *block = malloc(bytes > 0 ? bytes : 1);
    if (block == nullptr) return answer(cudaErrorMemoryAllocation);
    memset(block, 0xFF, bytes);
    memory[block] = bytes;
    memory_used += bytes;
    if (memory_used > memory_peak) memory_peak = memory_used;
    *out = block;
    return cudaSuccess;
}
cudaError_t cudaFree(void *block) {
    if (block == nullptr) return cudaSuccess;
    const auto found = memory.find(block);
    if (found == memory.end()) return answer(cudaErrorInvalidValue);
    memory_used -= found->second;
    memory.erase(found);
    free(block);
    return cudaSuccess;
}
cudaError_t cudaMallocHost(void **out, size_t bytes) {
    *out = nullptr;
    if (told_to_fail()) return answer(cudaErrorMemoryAllocation);
    *out = malloc(bytes > 0 ? bytes : 1);
    if (*out == nullptr) return answer(cudaErrorMemoryAllocation);
    objects++;
    return cudaSuccess;
}
cudaError_t cudaFreeHost(void *block) {
    if (block != nullptr) objects--;
    free(block);
    return cudaSuccess;
}

// ---- streams, events, graphs ----

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned) {
    *stream = nullptr;
    if (told_to_fail()) return answer(cudaErrorMemoryAllocation);
    *stream = new emulated_stream{false, {}};
    objects++;
    return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    if (stream == nullptr) return answer(cudaErrorInvalidValue);
    delete stream;
    objects--;
    return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    if (told_to_fail()) return answer(cudaErrorLaunchFailure);
    if (stream != nullptr && stream->capturing) return answer(cudaErrorStreamCaptureUnsupported);
    synchronisations++;
    // A kernel that misbehaved is heard of at the next wait.
    return emulator_failure()[0] != '\0' ? answer(cudaErrorLaunchFailure) : cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t, cudaEvent_t, unsigned) {
    return told_to_fail() ? answer(cudaErrorInvalidValue) : cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t *event, unsigned) {
    *event = nullptr;
    if (told_to_fail()) return answer(cudaErrorMemoryAllocation);
    *event = new emulated_event{false};
    objects++;
    return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
    if (told_to_fail()) return answer(cudaErrorInvalidValue);
    event->recorded = true;
    return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    if (told_to_fail() || event == nullptr) return answer(cudaErrorLaunchFailure);
    return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
    delete event;
    objects--;
    return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
    if (told_to_fail()) return answer(cudaErrorInvalidValue);
    return enqueue(stream, [=] {
        memcpy(to, from, bytes);
        return cudaSuccess;
    });
}
cudaError_t cudaMemcpy2DAsync(void *to, size_t to_pitch, const void *from, size_t from_pitch, size_t width,
                              size_t height, cudaMemcpyKind, cudaStream_t stream) {
    if (told_to_fail() || width > to_pitch || width > from_pitch) return answer(cudaErrorInvalidValue);
    return enqueue(stream, [=] {
        for (size_t row = 0; row < height; row++)
            memcpy(static_cast<char *>(to) + row * to_pitch,
                   static_cast<const char *>(from) + row * from_pitch, width);
        return cudaSuccess;
    });
}
cudaError_t cudaMemsetAsync(void *block, int value, size_t bytes, cudaStream_t stream) {
    if (told_to_fail()) return answer(cudaErrorInvalidValue);
    return enqueue(stream, [=] {
        memset(block, value, bytes);
        return cudaSuccess;
    });
}
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
    if (told_to_fail() || stream == nullptr || stream->capturing) return answer(cudaErrorInvalidValue);
    stream->capturing = true;
    stream->captured.clear();
    return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *graph) {
    *graph = nullptr;
    stream->capturing = false;
    if (told_to_fail()) return answer(cudaErrorInvalidValue);
    *graph = new emulated_graph{std::move(stream->captured)};
    objects++;
    return cudaSuccess;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t *made, cudaGraph_t graph, unsigned long long) {
    *made = nullptr;
    if (told_to_fail()) return answer(cudaErrorMemoryAllocation);
    *made = new emulated_graph{graph->work};
    objects++;
    return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t) {
    if (told_to_fail()) return answer(cudaErrorLaunchFailure);
    for (const auto &work : graph->work) {
        const cudaError_t error = work();
        if (error != cudaSuccess) return answer(error);
    }
    return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    objects--;
    return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
    delete graph;
    objects--;
    return cudaSuccess;
}

// ---- launching ----

cudaError_t emulator::set_attribute(const void *kernel, cudaFuncAttribute attribute, int value) {
    if (told_to_fail()) return answer(cudaErrorInvalidValue);
    if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
        if (value < 0 || static_cast<size_t>(value) > card.block_shared) return answer(cudaErrorInvalidValue);
        shared_allowed[kernel] = value;
    } else {
        cluster_allowed[kernel] = value;
    }
    return cudaSuccess;
}

cudaError_t emulator::active_clusters(int *clusters, const void *kernel, const cudaLaunchConfig_t *config) {
    if (told_to_fail()) return answer(cudaErrorInvalidValue);
    const unsigned cluster = config->numAttrs > 0 ? config->attrs[0].val.clusterDim.x : 1;
    const bool large = cluster_allowed.count(kernel) > 0 && cluster_allowed[kernel] != 0;
    if (card.major < 9 || (cluster > 8 && !large)) return answer(cudaErrorInvalidValue);
    *clusters = cluster > static_cast<unsigned>(card.largest_cluster)
                    ? 0
                    : card.multiprocessors / static_cast<int>(cluster);
    return cudaSuccess;
}

cudaError_t emulator::launch(const cudaLaunchConfig_t *config, const void *kernel,
                             const std::function<void()> &body) {
    if (told_to_fail()) return answer(cudaErrorLaunchFailure);
    unsigned cluster = 1;
    for (unsigned i = 0; i < config->numAttrs; i++)
        if (config->attrs[i].id == cudaLaunchAttributeClusterDimension)
            cluster = config->attrs[i].val.clusterDim.x;
    const unsigned threads = config->blockDim.x * config->blockDim.y * config->blockDim.z;
    const auto allowed = shared_allowed.find(kernel);
    const size_t most =
        allowed != shared_allowed.end() ? static_cast<size_t>(allowed->second) : unasked_shared;
    const bool large_cluster = cluster_allowed.count(kernel) > 0 && cluster_allowed[kernel] != 0;
    if (threads == 0 || threads > 1024 || config->gridDim.x == 0 || config->gridDim.y == 0 ||
        config->gridDim.y > 65535 || config->gridDim.z == 0 || config->gridDim.z > 65535 ||
        config->dynamicSmemBytes > most || cluster == 0 || config->gridDim.x % cluster != 0 ||
        (cluster > 1 && card.major < 9) ||
        cluster > static_cast<unsigned>(large_cluster ? card.largest_cluster : 8))
        return answer(cudaErrorInvalidValue);
    const shape wanted = {config->gridDim, config->blockDim, config->dynamicSmemBytes, cluster};
    return enqueue(config->stream, [=] {
        launches++;
        run(wanted, body);
        return cudaSuccess;
    });
}
