/* SPDX-License-Identifier: MIT */
#ifndef CSM_FUSE_ACROSS_H
#define CSM_FUSE_ACROSS_H

#define CSM_ACROSS_CHUNK 128 /* decisions that are compared at once */

#endif
