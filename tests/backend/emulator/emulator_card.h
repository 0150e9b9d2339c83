/* SPDX-License-Identifier: MIT */
/* Between the two halves of the emulator: the card with its runtime (emulator_card.cpp) and the blocks (emulator.cpp). */
#ifndef CSM_TESTS_EMULATOR_CARD_H
#define CSM_TESTS_EMULATOR_CARD_H

#include "emulator.h"

namespace emulator {
void execution_reset(emulator_order order, uint64_t seed);
const char *execution_failure();
} // namespace emulator

#endif
