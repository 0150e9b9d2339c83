/* SPDX-License-Identifier: MIT */
#include "model/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(size_t) == 8, "file offsets are kept in size_t");

static const struct {
    const char *name;
    size_t bytes;
} tensor_types[] = {
    [CSM_TENSOR_U8] = {"U8", 1},   [CSM_TENSOR_I32] = {"I32", 4},   [CSM_TENSOR_I64] = {"I64", 8},
    [CSM_TENSOR_F16] = {"F16", 2}, [CSM_TENSOR_BF16] = {"BF16", 2}, [CSM_TENSOR_F32] = {"F32", 4},
    [CSM_TENSOR_F64] = {"F64", 8}};

size_t csm_tensor_type_bytes(csm_tensor_type type) {
    return tensor_types[type].bytes;
}

const char *csm_tensor_type_name(csm_tensor_type type) {
    return (size_t)type < sizeof tensor_types / sizeof *tensor_types ? tensor_types[type].name : NULL;
}

typedef struct writer_tensor {
    char *name;
    void *data;
    size_t bytes;
    csm_tensor_type type;
    uint32_t rank;
    size_t shape[CSM_TENSOR_RANK_MAX];
} writer_tensor;

typedef struct writer_text {
    char *key;
    char *text;
} writer_text;

struct csm_tensors_writer {
    writer_tensor *tensors;
    size_t tensor_count;
    writer_text *texts;
    size_t text_count;
};

csm_status csm_tensors_writer_new(csm_tensors_writer **out) {
    *out = csm_alloc_array(1, sizeof **out);
    return *out ? CSM_OK : CSM_ENOMEM;
}

void csm_tensors_writer_free(csm_tensors_writer *writer) {
    if (!writer) return;
    for (size_t i = 0; i < writer->tensor_count; i++) {
        csm_dealloc(writer->tensors[i].name);
        csm_dealloc(writer->tensors[i].data);
    }
    for (size_t i = 0; i < writer->text_count; i++) {
        csm_dealloc(writer->texts[i].key);
        csm_dealloc(writer->texts[i].text);
    }
    csm_dealloc(writer->tensors);
    csm_dealloc(writer->texts);
    csm_dealloc(writer);
}

csm_status csm_tensors_add(csm_tensors_writer *writer, const char *prefix, const char *name,
                           csm_tensor_type type, const size_t *shape, uint32_t rank, const void *data) {
    writer_tensor tensor = {.type = type, .rank = rank};
    csm_status status = CSM_ENOMEM;
    tensor.name = csm_strformat("%s%s", prefix, name);
    if (!tensor.name) goto done;
    size_t bytes = csm_tensor_type_bytes(type);
    if (rank == 0 || rank > CSM_TENSOR_RANK_MAX || strlen(tensor.name) > CSM_TENSOR_NAME_MAX) {
        status = csm_fail(CSM_EINVAL, "safetensors: '%s' has rank %u or a name over %d bytes", tensor.name,
                          rank, CSM_TENSOR_NAME_MAX);
        goto done;
    }
    for (size_t i = 0; i < writer->tensor_count; i++) {
        if (strcmp(writer->tensors[i].name, tensor.name) == 0) {
            status = csm_fail(CSM_EINVAL, "safetensors: tensor '%s' was added twice", tensor.name);
            goto done;
        }
    }
    for (uint32_t d = 0; d < rank; d++) {
        tensor.shape[d] = shape[d];
        if (__builtin_mul_overflow(bytes, shape[d], &bytes) || bytes > (size_t)INT64_MAX) {
            status =
                csm_fail(CSM_EINVAL, "safetensors: tensor '%s' is larger than a file can be", tensor.name);
            goto done;
        }
    }
    tensor.bytes = bytes;
    tensor.data = csm_alloc(bytes);
    if (!tensor.data) goto done;
    if (bytes) memcpy(tensor.data, data, bytes);
    writer_tensor *grown = csm_realloc_array(writer->tensors, writer->tensor_count + 1, sizeof *grown);
    if (!grown) goto done;
    writer->tensors = grown;
    writer->tensors[writer->tensor_count++] = tensor;
    return CSM_OK;
done:
    csm_dealloc(tensor.name);
    csm_dealloc(tensor.data);
    return status;
}

csm_status csm_tensors_add_array(csm_tensors_writer *writer, const char *prefix, const char *name,
                                 csm_tensor_type type, const void *data, size_t count) {
    return csm_tensors_add(writer, prefix, name, type, &count, 1, data);
}

csm_status csm_tensors_add_text(csm_tensors_writer *writer, const char *prefix, const char *key,
                                const char *text) {
    writer_text entry = {csm_strformat("%s%s", prefix, key), csm_strdup(text)};
    csm_status status = CSM_ENOMEM;
    if (!entry.key || !entry.text) goto done;
    for (size_t i = 0; i < writer->text_count; i++) {
        if (strcmp(writer->texts[i].key, entry.key) == 0) {
            status = csm_fail(CSM_EINVAL, "safetensors: metadata '%s' was added twice", entry.key);
            goto done;
        }
    }
    writer_text *grown = csm_realloc_array(writer->texts, writer->text_count + 1, sizeof *grown);
    if (!grown) goto done;
    writer->texts = grown;
    writer->texts[writer->text_count++] = entry;
    return CSM_OK;
done:
    csm_dealloc(entry.key);
    csm_dealloc(entry.text);
    return status;
}

/* The metadata object, checksum first with its digits still '0'. NULL when a text is not UTF-8 or memory is short. */
static json_t *metadata_object(const csm_tensors_writer *writer) {
    char zeros[CSM_HASH_TEXT];
    memset(zeros, '0', CSM_HASH_TEXT - 1);
    zeros[CSM_HASH_TEXT - 1] = '\0';
    json_t *metadata = json_object();
    if (!metadata || json_object_set_new(metadata, "csm.sha256", json_string(zeros)) != 0) goto fail;
    for (size_t i = 0; i < writer->text_count; i++) {
        if (json_object_set_new(metadata, writer->texts[i].key, json_string(writer->texts[i].text)) != 0)
            goto fail;
    }
    return metadata;
fail:
    json_decref(metadata);
    return NULL;
}

static json_t *tensor_object(const writer_tensor *tensor, size_t begin) {
    json_t *shape = json_array();
    for (uint32_t d = 0; d < tensor->rank; d++) {
        if (json_array_append_new(shape, json_integer((json_int_t)tensor->shape[d])) != 0) {
            json_decref(shape);
            return NULL;
        }
    }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", csm_tensor_type_name(tensor->type), "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)(begin + tensor->bytes));
}

/* Widest elements first, so that each tensor is aligned to its type; the order of adding decides the rest. */
static void layout_order(size_t *order, const csm_tensors_writer *writer) {
    size_t placed = 0;
    for (size_t width = 8; width > 0; width /= 2) {
        for (size_t i = 0; i < writer->tensor_count; i++) {
            if (csm_tensor_type_bytes(writer->tensors[i].type) == width) order[placed++] = i;
        }
    }
}

/* Compact JSON of the header, or NULL. */
static char *header_text(const csm_tensors_writer *writer, const size_t *order) {
    char *text = NULL;
    size_t begin = 0;
    json_t *metadata = metadata_object(writer);
    json_t *header = json_object();
    if (!metadata || !header || json_object_set(header, "__metadata__", metadata) != 0) goto done;
    for (size_t i = 0; i < writer->tensor_count; i++) {
        const writer_tensor *tensor = &writer->tensors[order[i]];
        if (json_object_set_new(header, tensor->name, tensor_object(tensor, begin)) != 0) goto done;
        begin += tensor->bytes;
    }
    text = json_dumps(header, JSON_COMPACT);
done:
    json_decref(header);
    json_decref(metadata);
    return text;
}

csm_status csm_tensors_finish(csm_buffer *out, const csm_tensors_writer *writer) {
    static const char digest_key[] = "{\"__metadata__\":{\"csm.sha256\":\"";
    csm_status status = CSM_ENOMEM;
    char *header = NULL;
    size_t start = out->length;
    size_t *order = csm_alloc_array(writer->tensor_count, sizeof *order);
    if (!order) goto done;
    layout_order(order, writer);
    header = header_text(writer, order);
    if (!header) {
        status = csm_fail(CSM_EINVAL, "safetensors: a name or text is not UTF-8, or memory is short");
        goto done;
    }
    size_t length = strlen(header);
    uint64_t padded = (length + 7) / 8 * 8;
    status = csm_buffer_append(out, &padded, sizeof padded);
    if (!status) status = csm_buffer_append(out, header, length);
    if (!status) status = csm_buffer_append(out, "        ", padded - length);
    for (size_t i = 0; i < writer->tensor_count && !status; i++) {
        const writer_tensor *tensor = &writer->tensors[order[i]];
        status = csm_buffer_append(out, tensor->data, tensor->bytes);
    }
    if (status) goto done;
    csm_hash hash = csm_hash_bytes(out->data + start, out->length - start);
    char digits[CSM_HASH_TEXT];
    memcpy(out->data + start + 8 + sizeof digest_key - 1, csm_hash_format(&hash, digits), CSM_HASH_TEXT - 1);
done:
    free(header); /* jansson's */
    csm_dealloc(order);
    return status;
}
