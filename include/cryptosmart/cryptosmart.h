/* SPDX-License-Identifier: MIT */
/* Everything, in the order in which data flows through it. */
#ifndef CRYPTOSMART_CRYPTOSMART_H
#define CRYPTOSMART_CRYPTOSMART_H

#include <cryptosmart/core.h>

#endif
