// SPDX-License-Identifier: MIT
// Blocks as fibers, see emulator.h. One kernel runs at a time, on the calling thread.
#include "emulator.h"
#include "emulator_block.h"
#include "emulator_card.h"
#include "cuda_runtime.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <sys/mman.h>
#include <ucontext.h>
#include <vector>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#define FIBER_ANNOTATE 1
#else
#define FIBER_ANNOTATE 0
#endif

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace emulator {

struct coordinates {
    dim3 thread, block, block_size, grid_size;
};

static constexpr size_t stack_bytes = 256 * 1024;
static constexpr size_t guard_bytes = 64;     // behind the shared memory
static constexpr unsigned char poison = 0xFF; // a NaN in every floating-point format

struct block;

enum class waiting { nothing, block_barrier, warp, cluster, done };

struct fiber {
    ucontext_t context;
    void *stack;
    void *fake_stack; // AddressSanitizer's
    block *owner;
    unsigned linear; // thread within the block
    coordinates place;
    waiting state;
    site where;
    uint64_t barrier_phase;
    uint64_t cluster_phase; // that this thread waits for
    bool arrived_at_cluster;
};

struct warp_meeting {
    uint32_t mask = 0, arrived = 0;
    uint64_t phase = 0;
    void *slot[32] = {};
    site where = {nullptr, 0};
};

struct block_cluster;

struct block {
    block_cluster *cluster;
    unsigned rank;
    unsigned threads, left; // left: not done
    unsigned at_barrier;
    uint64_t phase;
    site barrier_site;
    unsigned char *shared;
    std::vector<warp_meeting> warps;
};

struct block_cluster {
    std::vector<block> blocks;
    std::vector<fiber *> fibers;
    unsigned arrived = 0, threads = 0;
    uint64_t phase = 0;
    size_t shared = 0;
};

static fiber *current;
static ucontext_t scheduler;
static const std::function<void()> *kernel;
static char failure[1024];
static emulator_order order_of_threads;
static uint64_t random_state;
static std::vector<std::unique_ptr<fiber>> pool;
#if FIBER_ANNOTATE
static void *scheduler_fake_stack;
static const void *scheduler_bottom;
static size_t scheduler_size;
#endif

static uint64_t random_next() { // SplitMix64 (Steele, Lea & Flood 2014)
    uint64_t z = (random_state += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}

void execution_reset(emulator_order order, uint64_t seed) {
    failure[0] = '\0';
    order_of_threads = order;
    random_state = seed;
}

const char *execution_failure() {
    return failure;
}

static void note(site where, const coordinates *place, const char *format, va_list arguments) {
    if (failure[0] != '\0') return;
    char text[512];
    vsnprintf(text, sizeof text, format, arguments);
    if (place != nullptr)
        snprintf(failure, sizeof failure, "%s:%d: block %u,%u thread %u: %s", where.file, where.line,
                 place->block.x, place->block.y, place->thread.x, text);
    else
        snprintf(failure, sizeof failure, "%s:%d: %s", where.file, where.line, text);
}

void blame_thread(site where, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    note(where, current != nullptr ? &current->place : nullptr, format, arguments);
    va_end(arguments);
}

// ---- switching ----

static void to_scheduler(bool last) {
    fiber *self = current;
#if FIBER_ANNOTATE
    __sanitizer_start_switch_fiber(last ? nullptr : &self->fake_stack, scheduler_bottom, scheduler_size);
#else
    (void)last;
#endif
    swapcontext(&self->context, &scheduler);
#if FIBER_ANNOTATE
    __sanitizer_finish_switch_fiber(self->fake_stack, &scheduler_bottom, &scheduler_size);
#endif
}

static void to_fiber(fiber *next) {
    current = next;
    threadIdx = next->place.thread;
    blockIdx = next->place.block;
    blockDim = next->place.block_size;
    gridDim = next->place.grid_size;
#if FIBER_ANNOTATE
    __sanitizer_start_switch_fiber(&scheduler_fake_stack, next->stack, stack_bytes);
#endif
    swapcontext(&scheduler, &next->context);
#if FIBER_ANNOTATE
    __sanitizer_finish_switch_fiber(scheduler_fake_stack, nullptr, nullptr);
#endif
    current = nullptr;
}

static void fiber_main() {
#if FIBER_ANNOTATE
    __sanitizer_finish_switch_fiber(nullptr, &scheduler_bottom, &scheduler_size);
#endif
    (*kernel)();
    current->state = waiting::done;
    current->owner->left--;
    to_scheduler(true);
}

static fiber *fiber_at(size_t index) {
    while (pool.size() <= index) {
        auto made = std::make_unique<fiber>();
        made->stack = mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (made->stack == MAP_FAILED) abort(); // a test program, not the library
        pool.push_back(std::move(made));
    }
    return pool[index].get();
}

static void fiber_start(fiber *self, block *owner, unsigned linear, const coordinates &place) {
    self->owner = owner;
    self->linear = linear;
    self->place = place;
    self->state = waiting::nothing;
    self->where = {"", 0};
    self->fake_stack = nullptr;
    self->arrived_at_cluster = false;
    getcontext(&self->context);
    self->context.uc_stack.ss_sp = self->stack;
    self->context.uc_stack.ss_size = stack_bytes;
    self->context.uc_link = nullptr;
    makecontext(&self->context, fiber_main, 0);
}

// ---- what threads call ----

unsigned lane() {
    return current->linear % 32;
}

void *shared_memory() {
    return current->owner->shared;
}

unsigned cluster_rank() {
    return current->owner->rank;
}

unsigned cluster_size() {
    return static_cast<unsigned>(current->owner->cluster->blocks.size());
}

void *shared_memory_of(void *mine, unsigned rank) {
    block *own = current->owner;
    const ptrdiff_t offset = static_cast<unsigned char *>(mine) - own->shared;
    if (offset < 0 || static_cast<size_t>(offset) > own->cluster->shared || rank >= cluster_size())
        blame_thread({"cluster", 0}, "place %td of block %u is outside the cluster's shared memory", offset,
                     rank);
    return own->cluster->blocks[rank % cluster_size()].shared + offset;
}

void block_barrier(site where) {
    block *own = current->owner;
    if (own->at_barrier == 0)
        own->barrier_site = where;
    else if (own->barrier_site.line != where.line || strcmp(own->barrier_site.file, where.file) != 0)
        blame_thread(where, "other threads of the block wait at another barrier, %s:%d",
                     own->barrier_site.file, own->barrier_site.line);
    const uint64_t phase = own->phase;
    own->at_barrier++;
    if (own->at_barrier == own->threads) {
        own->at_barrier = 0;
        own->phase++;
    }
    current->state = waiting::block_barrier;
    current->where = where;
    current->barrier_phase = phase;
    to_scheduler(false);
}

void cluster_arrive(site where) {
    block_cluster *cluster = current->owner->cluster;
    if (current->arrived_at_cluster) blame_thread(where, "arrives at the cluster's barrier twice");
    current->arrived_at_cluster = true;
    current->cluster_phase = cluster->phase;
    if (++cluster->arrived == cluster->threads) {
        cluster->arrived = 0;
        cluster->phase++;
    }
}

void cluster_wait(site where) {
    if (!current->arrived_at_cluster) {
        blame_thread(where, "waits at the cluster's barrier without having arrived");
        return;
    }
    current->arrived_at_cluster = false;
    current->state = waiting::cluster;
    current->where = where;
    to_scheduler(false);
}

void warp_meet(uint32_t mask, void *mine, collective all, site where) {
    warp_meeting *meeting = &current->owner->warps[current->linear / 32];
    const uint32_t bit = 1U << lane();
    if ((mask & bit) == 0) blame_thread(where, "lane %u is not in its own mask %08x", lane(), mask);
    if (meeting->arrived == 0) {
        meeting->mask = mask;
        meeting->where = where;
    } else if (meeting->mask != mask || meeting->where.line != where.line ||
               strcmp(meeting->where.file, where.file) != 0) {
        blame_thread(where, "other lanes of the warp are at %s:%d", meeting->where.file, meeting->where.line);
    }
    meeting->slot[lane()] = mine;
    meeting->arrived |= bit;
    current->barrier_phase = meeting->phase;
    if (meeting->arrived == meeting->mask) {
        if (all != nullptr) all(meeting->slot, mask);
        meeting->arrived = 0;
        meeting->phase++;
    }
    current->state = waiting::warp;
    current->where = where;
    to_scheduler(false);
}

// ---- scheduling ----

static bool ready(const fiber *self) {
    switch (self->state) {
    case waiting::nothing:
        return true;
    case waiting::block_barrier:
        return self->owner->phase != self->barrier_phase;
    case waiting::warp:
        return self->owner->warps[self->linear / 32].phase != self->barrier_phase;
    case waiting::cluster:
        return self->owner->cluster->phase != self->cluster_phase;
    case waiting::done:
        break;
    }
    return false;
}

static void arrange(std::vector<unsigned> &turn) {
    const size_t n = turn.size();
    for (size_t i = 0; i < n; i++)
        turn[i] = static_cast<unsigned>(order_of_threads == EMULATOR_BACKWARD ? n - 1 - i : i);
    if (order_of_threads == EMULATOR_SHUFFLED)
        for (size_t i = n; i > 1; i--) std::swap(turn[i - 1], turn[random_next() % i]);
}

static void blame(const block_cluster &cluster) {
    for (const fiber *self : cluster.fibers) {
        if (self->state == waiting::done) continue;
        if (failure[0] == '\0')
            snprintf(failure, sizeof failure,
                     "%s:%d: block %u thread %u waits for threads that never come (%u of its block's %u have "
                     "left)",
                     self->where.file, self->where.line, self->place.block.x, self->place.thread.x,
                     self->owner->threads - self->owner->left, self->owner->threads);
        return;
    }
}

static void run_cluster(block_cluster &cluster) {
    std::vector<unsigned> turn(cluster.fibers.size());
    for (;;) {
        bool moved = false, all_done = true;
        arrange(turn);
        for (unsigned index : turn) {
            fiber *self = cluster.fibers[index];
            if (!ready(self)) {
                all_done = all_done && self->state == waiting::done;
                continue;
            }
            self->state = waiting::nothing;
            to_fiber(self);
            moved = true;
            all_done = false;
            if (failure[0] != '\0') return; // what follows would only be noise
        }
        if (all_done) return;
        if (!moved) {
            blame(cluster);
            return;
        }
    }
}

static coordinates place_of(const shape &launch, unsigned block_index, unsigned linear) {
    coordinates place;
    place.grid_size = launch.grid;
    place.block_size = launch.block;
    place.block = dim3(block_index % launch.grid.x, block_index / launch.grid.x % launch.grid.y,
                       block_index / launch.grid.x / launch.grid.y);
    place.thread = dim3(linear % launch.block.x, linear / launch.block.x % launch.block.y,
                        linear / launch.block.x / launch.block.y);
    return place;
}

static void run_blocks(const shape &launch, unsigned first) {
    block_cluster cluster;
    const unsigned threads = launch.block.x * launch.block.y * launch.block.z;
    cluster.blocks.resize(launch.cluster);
    cluster.threads = threads * launch.cluster;
    cluster.shared = launch.shared;
    for (unsigned rank = 0; rank < launch.cluster; rank++) {
        block &own = cluster.blocks[rank];
        own.cluster = &cluster;
        own.rank = rank;
        own.threads = own.left = threads;
        own.at_barrier = 0;
        own.phase = 0;
        own.warps.resize((threads + 31) / 32);
        own.shared =
            static_cast<unsigned char *>(aligned_alloc(128, (launch.shared + guard_bytes + 127) / 128 * 128));
        if (own.shared == nullptr) abort();
        memset(own.shared, poison, launch.shared + guard_bytes);
        for (unsigned linear = 0; linear < threads; linear++) {
            fiber *self = fiber_at(cluster.fibers.size());
            fiber_start(self, &own, linear, place_of(launch, first + rank, linear));
            cluster.fibers.push_back(self);
        }
    }
    run_cluster(cluster);
    for (block &own : cluster.blocks) {
        for (size_t i = 0; i < guard_bytes; i++)
            if (own.shared[launch.shared + i] != poison)
                blame_thread({"kernel", 0}, "wrote past its %zu bytes of shared memory", launch.shared);
        free(own.shared);
    }
}

void run(const shape &launch, const std::function<void()> &body) {
    const unsigned blocks = launch.grid.x * launch.grid.y * launch.grid.z;
    std::vector<unsigned> turn(blocks / launch.cluster);
    kernel = &body;
    arrange(turn);
    for (unsigned cluster : turn) {
        if (failure[0] != '\0') break;
        run_blocks(launch, cluster * launch.cluster);
    }
    kernel = nullptr;
}

} // namespace emulator
