/* SPDX-License-Identifier: MIT */
/* What surrounds the indicators: the table, checks, tiles, batch and stream. */
#ifndef CSM_INDICATOR_FRAME_H
#define CSM_INDICATOR_FRAME_H

#include <cryptosmart/indicator.h>

#include "backend/isa.h"
#include "core/internal.h"
#include "indicator/kernel.h"

#define CSM_LANES_MAX 8
/* Bars of one tile. Five input columns and four outputs of 8 lanes take 128 * 9 * 64 = 72 KiB: the L2 of any CPU with
 * these instruction sets, and most of it the L1. */
#define CSM_TILE_BARS ((size_t)512)
/* Lanes load and store whole 64-byte rows. */
#define CSM_TILE_ALIGN ((size_t)64)

/* The kernel behind a handle and its parameters, the usual ones filled in. CSM_EINVAL names what is wrong. */
csm_status csm_kernel_find(const csm_kernel **out, double parameters[CSM_INDICATOR_PARAMETERS_MAX],
                           const csm_indicator *indicator, const double *given, csm_isa isa);
size_t csm_isa_lanes(csm_isa isa);

/* Bytes of a state with its window memory (rows of `lanes` doubles), a multiple of CSM_TILE_ALIGN. */
csm_status csm_kernel_bytes(size_t *out, const csm_kernel *kernel, const double *parameters, size_t lanes);
/* Makes the state before the first bar in `memory`, aligned to CSM_TILE_ALIGN. */
void csm_kernel_begin(void *memory, const csm_kernel *kernel, const double *parameters, size_t lanes);

/* csm_alloc with alignment: *base is what csm_dealloc takes, the result is inside it. */
void *csm_tile_alloc(void **base, size_t bytes);

/* All bars traded and ascending; in the columns of `inputs` low <= open, close <= high and the bounds of kernel.h. CSM_EINVAL
 * names the bar and the column. */
csm_status csm_bars_check(const csm_bars *bars, uint32_t inputs);

/* csm_indicator_run_table on a chosen instruction set; the same bits for each. */
csm_status csm_indicator_run_table_isa(csm_isa isa, csm_context *context,
                                       const csm_indicator_request *requests, size_t request_count,
                                       const csm_bars *bars, size_t series, csm_matrix *outputs);

/* bars_simd.c: false when bars are certainly right. tile_simd.c: rows of `lanes` doubles from and to one array a lane,
 * count <= CSM_TILE_BARS. */
#define CSM_TILE_FUNCTIONS(isa)                                                                              \
    bool csm_bars_maybe_wrong_##isa(const csm_bars *bars, uint32_t inputs);                                  \
    void csm_tile_pack_##isa(double *tile, const double *const *columns, size_t count);                      \
    void csm_tile_unpack_##isa(double *const *columns, const double *tile, size_t count, bool bypass);       \
    void csm_tile_publish_##isa(void);
CSM_TILE_FUNCTIONS(scalar)
#ifdef CSM_HAVE_SIMD
CSM_TILE_FUNCTIONS(avx2)
CSM_TILE_FUNCTIONS(avx512)
#endif

#endif
