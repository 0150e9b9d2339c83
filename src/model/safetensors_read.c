/* SPDX-License-Identifier: MIT */
#include "model/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_LIMIT ((size_t)64 << 20)
#define DIGEST_KEY "{\"__metadata__\":{\"csm.sha256\":\""
#define DIGEST_AT (8 + sizeof(DIGEST_KEY) - 1)

typedef struct metadata_entry {
    char *key;
    char *text;
} metadata_entry;

struct csm_tensors {
    uint8_t *file;
    size_t length;
    size_t data_at;
    csm_tensor *tensors; /* ascending in offset */
    size_t tensor_count;
    metadata_entry *texts;
    size_t text_count;
};

void csm_tensors_free(csm_tensors *tensors) {
    if (!tensors) return;
    for (size_t i = 0; i < tensors->tensor_count; i++) csm_dealloc(tensors->tensors[i].name);
    for (size_t i = 0; i < tensors->text_count; i++) {
        csm_dealloc(tensors->texts[i].key);
        csm_dealloc(tensors->texts[i].text);
    }
    csm_dealloc(tensors->tensors);
    csm_dealloc(tensors->texts);
    csm_dealloc(tensors->file);
    csm_dealloc(tensors);
}

/* Recomputes the digest over the file with its digits as '0'. */
static csm_status verify_digest(const csm_tensors *tensors) {
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    char digits[CSM_HASH_TEXT];
    if (tensors->data_at < DIGEST_AT + CSM_HASH_TEXT ||
        memcmp(tensors->file + 8, DIGEST_KEY, sizeof(DIGEST_KEY) - 1) != 0)
        return csm_fail(CSM_EPARSE, "safetensors: the header does not begin with this library's checksum");
    csm_hasher hasher;
    size_t after = DIGEST_AT + CSM_HASH_TEXT - 1;
    csm_hasher_init(&hasher);
    csm_hasher_update(&hasher, tensors->file, DIGEST_AT);
    csm_hasher_update(&hasher, zeros, CSM_HASH_TEXT - 1);
    csm_hasher_update(&hasher, tensors->file + after, tensors->length - after);
    csm_hash found = csm_hasher_final(&hasher);
    if (memcmp(tensors->file + DIGEST_AT, csm_hash_format(&found, digits), CSM_HASH_TEXT - 1) != 0)
        return csm_fail(CSM_ECORRUPT, "safetensors: the file's SHA-256 is %s, its header says otherwise",
                        digits);
    return CSM_OK;
}

static csm_status read_metadata(csm_tensors *tensors, json_t *metadata) {
    const char *key;
    json_t *value;
    if (!json_is_object(metadata)) return csm_fail(CSM_EPARSE, "safetensors: __metadata__ is not an object");
    tensors->texts = csm_alloc_array(json_object_size(metadata), sizeof *tensors->texts);
    if (!tensors->texts) return CSM_ENOMEM;
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value))
            return csm_fail(CSM_EPARSE, "safetensors: metadata '%.*s' is not a string", CSM_TENSOR_NAME_MAX,
                            key);
        metadata_entry *entry = &tensors->texts[tensors->text_count++];
        entry->key = csm_strdup(key);
        entry->text = csm_strdup(json_string_value(value));
        if (!entry->key || !entry->text) return CSM_ENOMEM;
    }
    return CSM_OK;
}

static csm_status read_type(csm_tensor_type *out, const char *dtype) {
    for (int type = 0; dtype && csm_tensor_type_name((csm_tensor_type)type); type++) {
        if (strcmp(dtype, csm_tensor_type_name((csm_tensor_type)type)) == 0) {
            *out = (csm_tensor_type)type;
            return CSM_OK;
        }
    }
    return csm_fail(CSM_EPARSE, "dtype '%.16s' is not known", dtype ? dtype : "(none)");
}

/* A whole number 0..INT64_MAX. */
static bool read_size(size_t *out, const json_t *value) {
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *out = (size_t)json_integer_value(value);
    return true;
}

/* One entry {"dtype", "shape", "data_offsets"}; offsets are checked against the data part and the shape. */
static csm_status read_entry(csm_tensor *tensor, size_t *begin, json_t *entry, size_t data_length) {
    json_t *shape = json_object_get(entry, "shape");
    json_t *offsets = json_object_get(entry, "data_offsets");
    size_t end = 0;
    if (!json_is_object(entry) || json_object_size(entry) != 3 || !json_is_array(shape) ||
        !json_is_array(offsets))
        return csm_fail(CSM_EPARSE, "its entry is not {dtype, shape, data_offsets}");
    csm_status status = read_type(&tensor->type, json_string_value(json_object_get(entry, "dtype")));
    if (status) return status;
    if (json_array_size(shape) > CSM_TENSOR_RANK_MAX)
        return csm_fail(CSM_EPARSE, "rank %zu is over %d", json_array_size(shape), CSM_TENSOR_RANK_MAX);
    tensor->rank = (uint32_t)json_array_size(shape);
    tensor->count = 1;
    for (uint32_t d = 0; d < tensor->rank; d++) {
        if (!read_size(&tensor->shape[d], json_array_get(shape, d)) ||
            __builtin_mul_overflow(tensor->count, tensor->shape[d], &tensor->count))
            return csm_fail(CSM_EPARSE, "dimension %u is not a size", d);
    }
    if (__builtin_mul_overflow(tensor->count, csm_tensor_type_bytes(tensor->type), &tensor->bytes))
        return csm_fail(CSM_EPARSE, "its size overflows");
    if (json_array_size(offsets) != 2 || !read_size(begin, json_array_get(offsets, 0)) ||
        !read_size(&end, json_array_get(offsets, 1)) || *begin > end || end > data_length)
        return csm_fail(CSM_EPARSE, "data_offsets leave the file's %zu data bytes", data_length);
    if (end - *begin != tensor->bytes)
        return csm_fail(CSM_EPARSE, "data_offsets span %zu bytes, its shape needs %zu", end - *begin,
                        tensor->bytes);
    return CSM_OK;
}

static csm_status read_entries(csm_tensors *tensors, json_t *header) {
    const char *key;
    json_t *value;
    size_t data_length = tensors->length - tensors->data_at;
    tensors->tensors = csm_alloc_array(json_object_size(header), sizeof *tensors->tensors);
    if (!tensors->tensors) return CSM_ENOMEM;
    json_object_foreach(header, key, value) {
        if (strcmp(key, "__metadata__") == 0) continue;
        if (strlen(key) > CSM_TENSOR_NAME_MAX)
            return csm_fail(CSM_EPARSE, "safetensors: a tensor's name is over %d bytes", CSM_TENSOR_NAME_MAX);
        size_t begin = 0;
        csm_tensor *tensor = &tensors->tensors[tensors->tensor_count++];
        tensor->name = csm_strdup(key);
        if (!tensor->name) return CSM_ENOMEM;
        csm_status status = read_entry(tensor, &begin, value, data_length);
        if (status) return csm_fail_prefix(status, "safetensors: tensor '%s'", key);
        tensor->data = tensors->file + tensors->data_at + begin;
    }
    return CSM_OK;
}

static int by_offset(const void *a, const void *b) {
    const csm_tensor *left = a;
    const csm_tensor *right = b;
    if (left->data != right->data) return left->data < right->data ? -1 : 1;
    return (left->bytes > right->bytes) - (left->bytes < right->bytes);
}

/* The format allows no hole and no overlap. */
static csm_status check_contiguous(csm_tensors *tensors) {
    const uint8_t *expected = tensors->file + tensors->data_at;
    qsort(tensors->tensors, tensors->tensor_count, sizeof *tensors->tensors, by_offset);
    for (size_t i = 0; i < tensors->tensor_count; i++) {
        if (tensors->tensors[i].data != expected)
            return csm_fail(CSM_EPARSE, "safetensors: tensor '%s' leaves a hole or overlaps another",
                            tensors->tensors[i].name);
        expected += tensors->tensors[i].bytes;
    }
    if (expected != tensors->file + tensors->length)
        return csm_fail(CSM_EPARSE, "safetensors: %zu bytes after the last tensor",
                        (size_t)(tensors->file + tensors->length - expected));
    return CSM_OK;
}

csm_status csm_tensors_read(csm_tensors **out, const void *data, size_t length) {
    uint64_t header_length = 0;
    json_error_t error;
    json_t *header = NULL;
    csm_status status = CSM_ENOMEM;
    *out = NULL;
    if (length < 8) return csm_fail(CSM_EPARSE, "safetensors: %zu bytes are no file", length);
    memcpy(&header_length, data, 8);
    if (header_length > HEADER_LIMIT || header_length > length - 8)
        return csm_fail(CSM_EPARSE, "safetensors: a header of %llu bytes in a file of %zu",
                        (unsigned long long)header_length, length);
    csm_tensors *tensors = csm_alloc_array(1, sizeof *tensors);
    if (!tensors) goto done;
    tensors->file = csm_alloc(length);
    if (!tensors->file) goto done;
    memcpy(tensors->file, data, length);
    tensors->length = length;
    tensors->data_at = 8 + (size_t)header_length;
    if ((status = verify_digest(tensors))) goto done;
    header =
        json_loadb((const char *)tensors->file + 8, (size_t)header_length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(header)) {
        status = csm_fail(CSM_EPARSE, "safetensors: header: %s at byte %d",
                          header ? "not an object" : error.text, header ? 0 : error.position);
        goto done;
    }
    if ((status = read_metadata(tensors, json_object_get(header, "__metadata__")))) goto done;
    if ((status = read_entries(tensors, header))) goto done;
    if ((status = check_contiguous(tensors))) goto done;
    *out = tensors;
    tensors = NULL;
done:
    json_decref(header);
    csm_tensors_free(tensors);
    return status;
}

size_t csm_tensors_count(const csm_tensors *tensors) {
    return tensors->tensor_count;
}

const csm_tensor *csm_tensors_at(const csm_tensors *tensors, size_t index) {
    return index < tensors->tensor_count ? &tensors->tensors[index] : NULL;
}

static bool is_joined(const char *text, const char *prefix, const char *name) {
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 && strcmp(text + length, name) == 0;
}

const csm_tensor *csm_tensors_find(const csm_tensors *tensors, const char *prefix, const char *name) {
    for (size_t i = 0; i < tensors->tensor_count; i++) {
        if (is_joined(tensors->tensors[i].name, prefix, name)) return &tensors->tensors[i];
    }
    return NULL;
}

const char *csm_tensors_text(const csm_tensors *tensors, const char *prefix, const char *key) {
    for (size_t i = 0; i < tensors->text_count; i++) {
        if (is_joined(tensors->texts[i].key, prefix, key)) return tensors->texts[i].text;
    }
    return NULL;
}

csm_status csm_tensors_copy(void **out, size_t *count, const csm_tensors *tensors, const char *prefix,
                            const char *name, csm_tensor_type type) {
    const csm_tensor *tensor = csm_tensors_find(tensors, prefix, name);
    *out = NULL;
    if (!tensor) return csm_fail(CSM_ECORRUPT, "safetensors: tensor '%s%s' is missing", prefix, name);
    if (tensor->type != type || tensor->rank != 1)
        return csm_fail(CSM_ECORRUPT, "safetensors: tensor '%s' is %s of rank %u, not %s of rank 1",
                        tensor->name, csm_tensor_type_name(tensor->type), tensor->rank,
                        csm_tensor_type_name(type));
    if (*count != SIZE_MAX && *count != tensor->count)
        return csm_fail(CSM_ECORRUPT, "safetensors: tensor '%s' has %zu elements, not %zu", tensor->name,
                        tensor->count, *count);
    *out = csm_alloc(tensor->bytes);
    if (!*out) return CSM_ENOMEM;
    if (tensor->bytes) memcpy(*out, tensor->data, tensor->bytes);
    *count = tensor->count;
    return CSM_OK;
}
