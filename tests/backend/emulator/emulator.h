/* SPDX-License-Identifier: MIT */
/*
 * Runs CUDA kernels on the processor, so that their logic is tested on machines without a card. Every thread of a block
 * (of a cluster, where there is one) is a fiber with a stack of its own; barriers, shuffles and matrix instructions are
 * the points where one fiber hands over to the next. Between two such points a thread runs alone and to the end, so a
 * kernel that lacks a barrier reads what a later thread has not written yet under one order of threads and what it has
 * written under another: tests run each kernel under several orders and compare.
 *
 * Found on the way, each with file and line: threads of a block that wait at different barriers, threads that leave
 * while others wait, warps whose lanes disagree, writes past the shared memory, reads of what nobody wrote (both kinds of
 * memory start as NaN), and blocks that depend on their order.
 * Not found: what depends on time, memory ordering between blocks without a barrier, bank conflicts, speed.
 */
#ifndef CSM_TESTS_EMULATOR_H
#define CSM_TESTS_EMULATOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In which order threads and blocks take their turn. */
typedef enum emulator_order {
    EMULATOR_FORWARD = 0,
    EMULATOR_BACKWARD = 1,
    EMULATOR_SHUFFLED = 2, /* another order at every turn, from `seed` */
    EMULATOR_ORDERS = 3
} emulator_order;

/* The card that is played. */
typedef struct emulator_card {
    int major; /* compute capability */
    int minor;
    int multiprocessors;
    size_t memory;       /* bytes of device memory */
    size_t block_shared; /* most shared memory of one block, opted in */
    int largest_cluster;
} emulator_card;

/* Sets the card and the order; forgets failures, faults and counters. NULL: an H100's figures with 1 GiB. */
void emulator_reset(const emulator_card *card, emulator_order order, uint64_t seed);
/* The first thing that went wrong in a kernel since the last reset, "" when nothing did. */
const char *emulator_failure(void);
/* The n-th call of the runtime from now on that can fail does so (1 = next), 0: none. */
void emulator_fail_call(uint64_t n);
uint64_t emulator_calls(void);            /* of the runtime since the last reset */
uint64_t emulator_launches(void);         /* kernels run since the last reset */
uint64_t emulator_synchronisations(void); /* times that the host waited for the card */
size_t emulator_memory_used(void);        /* device bytes not freed; 0 when nothing leaked */
size_t emulator_memory_peak(void);
uint64_t emulator_objects(void); /* streams, events and graphs not destroyed */

#ifdef __cplusplus
}
#endif
#endif
