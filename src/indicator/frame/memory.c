/* SPDX-License-Identifier: MIT */
#include "indicator/kernel.h"

#define STAGES_MAX 4

/* Lets the averages decay from one with nothing coming in: the last one's value is the weight of the start. */
size_t csm_memory_decay(double k, unsigned stages, double weight) {
    double held[STAGES_MAX] = {1.0, 1.0, 1.0, 1.0};
    size_t steps = 0;
    if (stages == 0 || stages > STAGES_MAX || !(k > 0.0)) return CSM_MEMORY_ENDLESS;
    while (held[stages - 1] >= weight) {
        double incoming = 0.0;
        for (unsigned j = 0; j < stages; j++) {
            held[j] += (incoming - held[j]) * k;
            incoming = held[j];
        }
        steps++;
    }
    return steps;
}
