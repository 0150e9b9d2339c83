/* SPDX-License-Identifier: MIT */
/* Everything, in the order in which data flows through it. Without CSM_IO only the first six stages are linked. */
#ifndef CRYPTOSMART_CRYPTOSMART_H
#define CRYPTOSMART_CRYPTOSMART_H

/* clang-format off */
#include <cryptosmart/core.h>
#include <cryptosmart/backend.h>
#include <cryptosmart/indicator.h>
#include <cryptosmart/model.h>
#include <cryptosmart/calibrate.h>
#include <cryptosmart/rank.h>
#include <cryptosmart/net.h>
#include <cryptosmart/store.h>
#include <cryptosmart/discover.h>
#include <cryptosmart/ingest.h>
#include <cryptosmart/cost.h>
#include <cryptosmart/fuse.h>
#include <cryptosmart/learn.h>
#include <cryptosmart/pipeline.h>
/* clang-format on */

#endif
