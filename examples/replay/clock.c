/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include <time.h>

csm_time real_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (csm_time)t.tv_sec * CSM_SECOND + t.tv_nsec;
}

csm_time real_wall(void) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (csm_time)t.tv_sec * CSM_SECOND + t.tv_nsec;
}

void clock_set(virtual_clock *c, csm_time now) {
    c->start = now;
    c->stepped = 0;
    c->began = real_now();
}

csm_time clock_now(const virtual_clock *c) {
    const double run = c->speed > 0 ? (double)(real_now() - c->began) * c->speed : 0;
    return c->start + c->stepped + (csm_time)run;
}

void clock_step(virtual_clock *c, csm_time by) {
    c->stepped += by;
}
