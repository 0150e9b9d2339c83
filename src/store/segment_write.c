/* SPDX-License-Identifier: MIT */
/* From rows to the bytes of a segment: columns are coded and chunks packed on all threads, then HDF5 lays out an image
 * in memory. */
#include "store/hdf5.h"
#include "store/segment.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define DATASETS_MAX (CSM_COLUMNS_MAX + 1) /* columns and the provenance index */
#define DEFLATE_DECLARED 6

typedef struct dataset {
    csm_coding coding;
    int64_t *stored; /* rows */
    csm_buffer *chunk;
} dataset;

typedef struct writing {
    const csm_table *rows;
    const uint32_t *provenance;
    size_t chunk_rows;
    size_t chunks; /* a dataset */
    size_t datasets;
    dataset dataset[DATASETS_MAX];
} writing;

void csm_segment_shape(csm_table *rows) {
    csm_table_trim(rows);
    int32_t shared = 0;
    for (size_t c = 0; c < rows->kind->columns; c++) {
        if (rows->kind->column[c].flags & CSM_SHARED && rows->scale[c] > shared) shared = rows->scale[c];
    }
    for (size_t c = 0; c < rows->kind->columns; c++) {
        if (rows->kind->column[c].flags & CSM_SHARED && csm_table_can_rescale(rows, c, shared))
            (void)csm_table_rescale(rows, c, shared);
    }
}

/* ---- coding and packing, on all threads ---- */

static void code_provenance(dataset *d, const uint32_t *provenance, size_t rows) {
    d->coding = (csm_coding){.unit = 1, .width = 4, .constant = true, .fill = provenance[0]};
    for (size_t i = 0; i < rows; i++) {
        d->stored[i] = provenance[i];
        d->coding.constant = d->coding.constant && provenance[i] == provenance[0];
    }
}

static csm_status code_datasets(void *user, size_t begin, size_t end, uint32_t worker) {
    writing *w = user;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        if (i < w->rows->kind->columns)
            csm_coding_encode(&w->dataset[i].coding, w->dataset[i].stored, w->rows, i);
        else
            code_provenance(&w->dataset[i], w->provenance, w->rows->rows);
    }
    return CSM_OK;
}

static csm_status pack_chunks(void *user, size_t begin, size_t end, uint32_t worker) {
    writing *w = user;
    (void)worker;
    csm_status status = CSM_OK;
    for (size_t i = begin; i < end && !status; i++) {
        dataset *d = &w->dataset[i / w->chunks];
        if (d->coding.constant) continue;
        const size_t chunk = i % w->chunks, at = chunk * w->chunk_rows, left = w->rows->rows - at;
        status = csm_chunk_pack(&d->chunk[chunk], d->stored + at, left < w->chunk_rows ? left : w->chunk_rows,
                                w->chunk_rows, d->coding.width);
    }
    return status;
}

static csm_status code_all(writing *w, uint32_t threads) {
    for (size_t i = 0; i < w->datasets; i++) {
        w->dataset[i].stored = csm_alloc_array(w->rows->rows, sizeof(int64_t));
        w->dataset[i].chunk = csm_alloc_array(w->chunks, sizeof(csm_buffer));
        if (!w->dataset[i].stored || !w->dataset[i].chunk) return CSM_ENOMEM;
    }
    if (w->rows->rows < CSM_CHUNK_ROWS / 8) threads = 1; /* starting threads would take longer */
    csm_status status = csm_parallel_for(threads, w->datasets, 1, code_datasets, w);
    if (!status) status = csm_parallel_for(threads, w->datasets * w->chunks, 1, pack_chunks, w);
    return status;
}

static void writing_free(writing *w) {
    for (size_t i = 0; i < w->datasets; i++) {
        for (size_t k = 0; w->dataset[i].chunk && k < w->chunks; k++)
            csm_buffer_free(&w->dataset[i].chunk[k]);
        csm_dealloc(w->dataset[i].chunk);
        csm_dealloc(w->dataset[i].stored);
    }
}

/* ---- HDF5, within its lock: functions answer false and leave HDF5's own error ---- */

static bool write_attribute(hid_t object, const char *name, hid_t file_type, hid_t memory_type,
                            const void *value) {
    const hid_t space = H5Screate(H5S_SCALAR);
    const hid_t attribute =
        space < 0 ? -1 : H5Acreate2(object, name, file_type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool good = attribute >= 0 && H5Awrite(attribute, memory_type, value) >= 0;
    if (attribute >= 0) good = H5Aclose(attribute) >= 0 && good;
    if (space >= 0) H5Sclose(space);
    return good;
}

static bool write_number(hid_t object, const char *name, int64_t value) {
    return write_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value);
}

static bool write_text(hid_t object, const char *name, const char *text) {
    const hid_t type = H5Tcopy(H5T_C_S1);
    const bool good = type >= 0 && H5Tset_size(type, strlen(text) + 1) >= 0 &&
                      H5Tset_cset(type, H5T_CSET_UTF8) >= 0 &&
                      write_attribute(object, name, type, type, text);
    if (type >= 0) H5Tclose(type);
    return good;
}

static hid_t type_of(int32_t width) {
    return width == 1   ? H5T_STD_I8LE
           : width == 2 ? H5T_STD_I16LE
           : width == 4 ? H5T_STD_I32LE
                        : H5T_STD_I64LE;
}

static hid_t creation_of(hsize_t chunk_rows, int64_t fill) {
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const bool good = creation >= 0 && H5Pset_chunk(creation, 1, &chunk_rows) >= 0 &&
                      H5Pset_shuffle(creation) >= 0 && H5Pset_deflate(creation, DEFLATE_DECLARED) >= 0 &&
                      H5Pset_fletcher32(creation) >= 0 && H5Pset_obj_track_times(creation, false) >= 0 &&
                      H5Pset_fill_value(creation, H5T_NATIVE_INT64, &fill) >= 0 &&
                      H5Pset_alloc_time(creation, H5D_ALLOC_TIME_INCR) >= 0;
    if (good || creation < 0) return creation;
    H5Pclose(creation);
    return -1;
}

/* An open dataset of `rows` values, or negative. */
static hid_t make_dataset(hid_t file, const char *name, hid_t type, hsize_t rows, hsize_t chunk_rows,
                          int64_t fill) {
    const hid_t space = H5Screate_simple(1, &rows, NULL);
    const hid_t creation = creation_of(chunk_rows, fill);
    hid_t made = -1;
    if (space >= 0 && creation >= 0)
        made = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (creation >= 0) H5Pclose(creation);
    if (space >= 0) H5Sclose(space);
    return made;
}

static bool write_chunks(hid_t made, const csm_buffer *chunks, size_t count, hsize_t chunk_rows) {
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        const hsize_t offset = i * chunk_rows;
        good = H5Dwrite_chunk(made, H5P_DEFAULT, 0, &offset, chunks[i].length, chunks[i].data) >= 0;
    }
    return good;
}

static bool write_coding(hid_t made, const csm_kind *kind, const csm_coding *coding) {
    char name[CSM_PREDICTOR_TEXT];
    const int64_t missing = coding->width == 8 ? INT64_MIN : -((int64_t)1 << (8 * coding->width - 1));
    return write_number(made, "scale", coding->scale) &&
           write_text(made, "delta", csm_predictor_format(kind, coding->predictor, coding->of, name)) &&
           write_number(made, "first", coding->first) && write_number(made, "offset", coding->offset) &&
           write_number(made, "unit", coding->unit) &&
           (!coding->has_missing || write_number(made, "missing", missing));
}

static bool write_dataset(hid_t file, const writing *w, size_t i) {
    const csm_kind *kind = w->rows->kind;
    const dataset *d = &w->dataset[i];
    const char *name = i < kind->columns ? kind->column[i].name : "provenance_index";
    const hid_t made =
        make_dataset(file, name, type_of(d->coding.width), w->rows->rows, w->chunk_rows, d->coding.fill);
    if (made < 0) return false;
    const bool good = write_coding(made, kind, &d->coding) &&
                      (d->coding.constant || write_chunks(made, d->chunk, w->chunks, w->chunk_rows));
    return H5Dclose(made) >= 0 && good;
}

static bool write_sources(hid_t file, const csm_buffer *packed, size_t length) {
    const hid_t made = make_dataset(file, "provenance", H5T_STD_U8LE, length, length, 0);
    if (made < 0) return false;
    const bool good = write_chunks(made, packed, 1, length);
    return H5Dclose(made) >= 0 && good;
}

static bool write_head(hid_t file, const csm_stream *stream, const csm_table *rows) {
    const csm_span span = csm_table_span(rows);
    return write_text(file, "format", "cryptosmart segment") &&
           write_number(file, "version", CSM_SEGMENT_VERSION) && write_text(file, "kind", stream->kind) &&
           write_text(file, "venue", stream->venue) && write_text(file, "symbol", stream->symbol) &&
           write_number(file, "epoch", stream->epoch) && write_number(file, "interval", stream->interval) &&
           write_number(file, "rows", (int64_t)rows->rows) && write_number(file, "first", span.first) &&
           write_number(file, "last", span.last) && write_number(file, "oldest", span.oldest) &&
           write_number(file, "newest", span.newest);
}

static hid_t make_file(size_t increment) {
    const hid_t access = csm_hdf5_image_access(NULL, 0, increment);
    const hid_t creation = H5Pcreate(H5P_FILE_CREATE);
    hid_t file = -1;
    if (access >= 0 && creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0)
        file = H5Fcreate("cryptosmart-segment-image/new", H5F_ACC_TRUNC, creation, access);
    if (creation >= 0) H5Pclose(creation);
    if (access >= 0) H5Pclose(access);
    return file;
}

#define SUPERBLOCK_BYTES 48 /* version 3 with 8-byte offsets; its checksum is the last 4 */
#define SUPERBLOCK_FLAGS 11 /* "open for writing", cleared when a file is closed */

/* H5Fget_file_image clears the flags of its copy, but leaves the checksum of the set ones (HDF5 1.10.8), so that nobody
 * could open the copy. The superblock's format is version 3 of the HDF5 File Format Specification, section II.A. */
static csm_status finish_superblock(csm_buffer *image) {
    uint8_t *block = (uint8_t *)image->data;
    if (image->length < SUPERBLOCK_BYTES || memcmp(block, "\211HDF\r\n\032\n\3\10\10", 11) != 0)
        return csm_fail(CSM_EINTERNAL, "a segment's image has another superblock than expected");
    block[SUPERBLOCK_FLAGS] = 0;
    const uint32_t sum = csm_lookup3(block, SUPERBLOCK_BYTES - 4);
    for (int i = 0; i < 4; i++) block[SUPERBLOCK_BYTES - 4 + i] = (uint8_t)(sum >> (8 * i));
    return CSM_OK;
}

static csm_status take_image(csm_buffer *out, hid_t file) {
    if (H5Fflush(file, H5F_SCOPE_GLOBAL) < 0) return csm_hdf5_fail(CSM_ENOMEM, "finish a segment's image");
    const ssize_t size = H5Fget_file_image(file, NULL, 0);
    if (size <= 0) return csm_hdf5_fail(CSM_EINTERNAL, "size a segment's image");
    const csm_status status = csm_buffer_reserve(out, (size_t)size + CSM_FOOTER_BYTES);
    if (status) return status;
    if (H5Fget_file_image(file, out->data, (size_t)size) != size)
        return csm_hdf5_fail(CSM_EINTERNAL, "copy a segment's image");
    out->length = (size_t)size;
    return finish_superblock(out);
}

static csm_status lay_out(csm_buffer *out, const writing *w, const csm_stream *stream,
                          const csm_buffer *sources, size_t sources_length) {
    csm_hdf5_guard guard;
    csm_status status = csm_hdf5_enter(&guard);
    if (status) return status;
    size_t bytes = sources->length + 65536;
    for (size_t i = 0; i < w->datasets; i++) {
        for (size_t k = 0; k < w->chunks; k++) bytes += w->dataset[i].chunk[k].length;
    }
    const hid_t file = make_file(bytes);
    bool good = file >= 0 && write_head(file, stream, w->rows);
    for (size_t i = 0; i < w->datasets && good; i++) good = write_dataset(file, w, i);
    good = good && write_sources(file, sources, sources_length);
    status = good ? take_image(out, file) : csm_hdf5_fail(CSM_ENOMEM, "lay out a segment's image");
    if (file >= 0) H5Fclose(file);
    csm_hdf5_leave(&guard);
    return status;
}

static void put_number(uint8_t *out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) out[i] = (uint8_t)(value >> (8 * i));
}

static csm_status add_footer(csm_buffer *out) {
    uint8_t footer[CSM_FOOTER_BYTES] = "CSMSEGM1";
    put_number(footer + 8, out->length, 8);
    put_number(footer + 16, crc32_z(0, (const Bytef *)out->data, out->length), 4);
    const csm_hash hash = csm_hash_bytes(out->data, out->length);
    memcpy(footer + 24, hash.bytes, sizeof hash.bytes);
    return csm_buffer_append(out, footer, sizeof footer);
}

/* The JSON of the sources as one packed chunk. */
static csm_status pack_sources(csm_buffer *packed, size_t *length, const csm_provenance *sources,
                               size_t count) {
    csm_buffer json = {0};
    int64_t *values = NULL;
    csm_status status = csm_sources_format(&json, sources, count);
    if (status) goto done;
    values = csm_alloc_array(json.length, sizeof *values);
    if (!values) status = CSM_ENOMEM;
    for (size_t i = 0; values && i < json.length; i++) values[i] = (unsigned char)json.data[i];
    if (!status) status = csm_chunk_pack(packed, values, json.length, json.length, 1);
    *length = json.length;
done:
    csm_dealloc(values);
    csm_buffer_free(&json);
    return status;
}

csm_status csm_segment_encode(csm_buffer *out, const csm_stream *stream, const csm_table *rows,
                              const uint32_t *provenance, const csm_provenance *sources, size_t source_count,
                              uint32_t threads) {
    if (rows->rows == 0 || rows->rows > CSM_SEGMENT_ROWS_MAX)
        return csm_fail(CSM_EINTERNAL, "a segment of %zu rows", rows->rows);
    const size_t chunks = (rows->rows + CSM_CHUNK_ROWS - 1) / CSM_CHUNK_ROWS;
    writing w = {.rows = rows,
                 .provenance = provenance,
                 .chunks = chunks,
                 .chunk_rows = (rows->rows + chunks - 1) / chunks,
                 .datasets = rows->kind->columns + 1};
    csm_buffer packed = {0};
    size_t length = 0;
    csm_status status = pack_sources(&packed, &length, sources, source_count);
    if (!status) status = code_all(&w, threads);
    if (!status) status = lay_out(out, &w, stream, &packed, length);
    if (!status) status = add_footer(out);
    csm_buffer_free(&packed);
    writing_free(&w);
    return status;
}
