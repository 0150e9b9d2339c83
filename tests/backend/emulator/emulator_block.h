/* SPDX-License-Identifier: MIT */
/* What emulated kernels see of the machine that runs them: built-in variables, barriers, warp collectives, clusters. */
#ifndef CSM_TESTS_EMULATOR_BLOCK_H
#define CSM_TESTS_EMULATOR_BLOCK_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

namespace emulator {

/* A place in a kernel, for the messages. */
struct site {
    const char *file;
    int line;
};

struct shape {
    dim3 grid;
    dim3 block;
    size_t shared;
    unsigned cluster; /* blocks in a cluster, along x */
};

/* Runs `body` as every thread of every block. */
void run(const shape &launch, const std::function<void()> &body);

/* ---- called by the threads ---- */

unsigned lane();
void *shared_memory();
void *shared_memory_of(void *mine, unsigned rank); /* the same place in another block of the cluster */
unsigned cluster_rank();
unsigned cluster_size();
void block_barrier(site where);
void cluster_arrive(site where);
void cluster_wait(site where);
void blame_thread(site where, const char *format, ...);

/* All lanes of `mask` meet here; the last one calls all(slot), where slot[lane] is what each lane brought. */
using collective = void (*)(void *const slot[32], uint32_t mask);
void warp_meet(uint32_t mask, void *mine, collective all, site where);

} // namespace emulator

#endif
