/* SPDX-License-Identifier: MIT */
/*
 * The container of models: safetensors (Hugging Face, format 0.4), little-endian: u64 header length, JSON header, raw
 * tensors. One file may hold several objects, each under a prefix of its own ("24h.gbt."). The first metadata entry,
 * "csm.sha256", is the SHA-256 of the whole file with its own 64 digits read as '0', so that a changed bit anywhere
 * (recipe, parameters, weights) is refused.
 */
#ifndef CSM_MODEL_SAFETENSORS_H
#define CSM_MODEL_SAFETENSORS_H

#include "core/internal.h"

#define CSM_TENSOR_RANK_MAX 4
#define CSM_TENSOR_NAME_MAX 200

typedef enum csm_tensor_type {
    CSM_TENSOR_U8 = 0,
    CSM_TENSOR_I32 = 1,
    CSM_TENSOR_I64 = 2,
    CSM_TENSOR_F16 = 3,
    CSM_TENSOR_BF16 = 4,
    CSM_TENSOR_F32 = 5,
    CSM_TENSOR_F64 = 6
} csm_tensor_type;

/* Bytes of one element, and its name in the header ("F32"). */
size_t csm_tensor_type_bytes(csm_tensor_type type);
const char *csm_tensor_type_name(csm_tensor_type type);

/* ---- writing ---- */

typedef struct csm_tensors_writer csm_tensors_writer;

csm_status csm_tensors_writer_new(csm_tensors_writer **out);
void csm_tensors_writer_free(csm_tensors_writer *writer);
/* Copies a contiguous tensor under the name prefix + name. */
csm_status csm_tensors_add(csm_tensors_writer *writer, const char *prefix, const char *name,
                           csm_tensor_type type, const size_t *shape, uint32_t rank, const void *data);
/* A tensor of rank 1. */
csm_status csm_tensors_add_array(csm_tensors_writer *writer, const char *prefix, const char *name,
                                 csm_tensor_type type, const void *data, size_t count);
/* A metadata entry under the key prefix + key; text is UTF-8. */
csm_status csm_tensors_add_text(csm_tensors_writer *writer, const char *prefix, const char *key,
                                const char *text);
/* Appends the whole file to `out`. Same content, same bytes. */
csm_status csm_tensors_finish(csm_buffer *out, const csm_tensors_writer *writer);

/* ---- reading ---- */

typedef struct csm_tensor {
    char *name;
    csm_tensor_type type;
    uint32_t rank;
    size_t shape[CSM_TENSOR_RANK_MAX];
    size_t count; /* elements */
    size_t bytes;
    const uint8_t *data; /* not necessarily aligned: copy with csm_tensors_copy */
} csm_tensor;

typedef struct csm_tensors csm_tensors;

/* Parses and verifies `length` bytes; copies them. CSM_EPARSE: not safetensors; CSM_ECORRUPT: the checksum differs. */
csm_status csm_tensors_read(csm_tensors **out, const void *data, size_t length);
void csm_tensors_free(csm_tensors *tensors);
size_t csm_tensors_count(const csm_tensors *tensors);
const csm_tensor *csm_tensors_at(const csm_tensors *tensors, size_t index);
/* NULL when absent. */
const csm_tensor *csm_tensors_find(const csm_tensors *tensors, const char *prefix, const char *name);
const char *csm_tensors_text(const csm_tensors *tensors, const char *prefix, const char *key);
/* New array (csm_dealloc) with the elements of a rank-1 tensor of this type; *count is set, or checked when it is not
 * SIZE_MAX. CSM_ECORRUPT names a tensor that is missing or of another type or shape. */
csm_status csm_tensors_copy(void **out, size_t *count, const csm_tensors *tensors, const char *prefix,
                            const char *name, csm_tensor_type type);

#endif
