/* SPDX-License-Identifier: MIT */
/* From rows to the bytes of a segment: columns are coded and chunks packed on all threads, then HDF5 lays out an image
 * in memory. */
#include "store/hdf5.h"
#include "store/segment_layout.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#define DEFLATE_DECLARED 6
#define CONTENTS_ROOM 4096 /* usually enough for what follows the HDF5 part */

typedef struct writing {
    const csm_table *rows;
    const uint32_t *provenance;
    csm_segment_layout layout; /* places become known when HDF5 has laid the chunks out */
    size_t datasets;
    csm_buffer *chunk[CSM_DATASETS_MAX];
    int64_t *scratch; /* chunk_rows a thread */
    uint32_t threads;
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

static void plan_provenance(csm_coding *coding, const uint32_t *provenance, size_t rows) {
    *coding = (csm_coding){.unit = 1, .width = 4, .constant = true, .fill = provenance ? provenance[0] : 0};
    for (size_t i = 1; provenance && i < rows && coding->constant; i++)
        coding->constant = provenance[i] == provenance[0];
    if (!coding->constant) coding->fill = 0;
}

static csm_status plan_datasets(void *user, size_t begin, size_t end, uint32_t worker) {
    writing *w = user;
    (void)worker;
    for (size_t i = begin; i < end; i++) {
        if (i < w->rows->kind->columns)
            csm_coding_plan(&w->layout.dataset[i].coding, w->rows, i);
        else
            plan_provenance(&w->layout.dataset[i].coding, w->provenance, w->rows->rows);
    }
    return CSM_OK;
}

static csm_status pack_chunk(writing *w, size_t i, size_t chunk, int64_t *stored) {
    const csm_coding *coding = &w->layout.dataset[i].coding;
    const size_t chunk_rows = w->layout.chunk_rows, at = chunk * chunk_rows, left = w->rows->rows - at;
    const size_t count = left < chunk_rows ? left : chunk_rows;
    if (coding->constant) return CSM_OK;
    if (i < w->rows->kind->columns)
        csm_coding_store(stored, coding, w->rows, i, at, count);
    else
        for (size_t k = 0; k < count; k++) stored[k] = w->provenance[at + k];
    return csm_chunk_pack(&w->chunk[i][chunk], stored, count, chunk_rows, coding->width, coding->has_missing);
}

static csm_status pack_chunks(void *user, size_t begin, size_t end, uint32_t worker) {
    writing *w = user;
    csm_status status = CSM_OK;
    for (size_t i = begin; i < end && !status; i++)
        status = pack_chunk(w, i / w->layout.chunks, i % w->layout.chunks,
                            w->scratch + worker * w->layout.chunk_rows);
    return status;
}

static csm_status make_room(writing *w) {
    for (size_t i = 0; i < w->datasets; i++) {
        w->chunk[i] = csm_alloc_array(w->layout.chunks, sizeof(csm_buffer));
        w->layout.dataset[i].place = csm_alloc_array(w->layout.chunks, sizeof(csm_place));
        if (!w->chunk[i] || !w->layout.dataset[i].place) return CSM_ENOMEM;
    }
    w->scratch = csm_realloc_array(NULL, w->threads, w->layout.chunk_rows * sizeof *w->scratch);
    return w->scratch ? CSM_OK : CSM_ENOMEM;
}

static csm_status code_all(writing *w) {
    csm_status status = make_room(w);
    if (!status) status = csm_parallel_for(w->threads, w->datasets, 1, plan_datasets, w);
    if (!status) status = csm_parallel_for(w->threads, w->datasets * w->layout.chunks, 1, pack_chunks, w);
    return status;
}

static void writing_free(writing *w) {
    for (size_t i = 0; i < w->datasets; i++) {
        for (size_t k = 0; w->chunk[i] && k < w->layout.chunks; k++) csm_buffer_free(&w->chunk[i][k]);
        csm_dealloc(w->chunk[i]);
        csm_dealloc(w->layout.dataset[i].place);
    }
    csm_dealloc(w->scratch);
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
    return width == 1   ? H5T_STD_U8LE
           : width == 2 ? H5T_STD_U16LE
           : width == 4 ? H5T_STD_U32LE
                        : H5T_STD_U64LE;
}

/* Filters of a dataset's chunks; a constant has none, only its fill value. A fill value would cost the filter of columns
 * a code, so that those without missing cells have none. */
static bool set_filters(hid_t creation, const csm_coding *coding, hsize_t chunk_rows) {
    const uint64_t missing = coding ? csm_coding_largest(coding->width) : 0;
    if (coding && coding->constant)
        return H5Pset_fill_value(creation, H5T_NATIVE_UINT64, &coding->fill) >= 0 &&
               H5Pset_alloc_time(creation, H5D_ALLOC_TIME_LATE) >= 0;
    if (H5Pset_chunk(creation, 1, &chunk_rows) < 0) return false;
    const bool good =
        coding
            ? H5Pset_scaleoffset(creation, H5Z_SO_INT, H5Z_SO_INT_MINBITS_DEFAULT) >= 0 &&
                  H5Pset_fill_value(creation, H5T_NATIVE_UINT64, coding->has_missing ? &missing : NULL) >= 0
            : H5Pset_shuffle(creation) >= 0 && H5Pset_deflate(creation, DEFLATE_DECLARED) >= 0;
    return good && H5Pset_fletcher32(creation) >= 0;
}

static hid_t creation_of(const csm_coding *coding, hsize_t chunk_rows) {
    const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    const bool good = creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0 &&
                      set_filters(creation, coding, chunk_rows);
    if (good || creation < 0) return creation;
    H5Pclose(creation);
    return -1;
}

/* An open dataset of `rows` values, or negative. coding: NULL for bytes. */
static hid_t make_dataset(hid_t file, const char *name, const csm_coding *coding, hsize_t rows,
                          hsize_t chunk_rows) {
    const hid_t type = type_of(coding ? coding->width : 1);
    const hid_t space = H5Screate_simple(1, &rows, NULL);
    const hid_t creation = creation_of(coding, chunk_rows);
    hid_t made = -1;
    if (space >= 0 && creation >= 0)
        made = H5Dcreate2(file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (creation >= 0) H5Pclose(creation);
    if (space >= 0) H5Sclose(space);
    return made;
}

/* place[i] is where HDF5 put chunk i. */
static bool write_chunks(csm_place *place, hid_t made, const csm_buffer *chunks, size_t count,
                         hsize_t chunk_rows) {
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        const hsize_t offset = i * chunk_rows;
        unsigned mask = 0;
        haddr_t at = HADDR_UNDEF;
        hsize_t length = 0;
        good = H5Dwrite_chunk(made, H5P_DEFAULT, 0, &offset, chunks[i].length, chunks[i].data) >= 0 &&
               H5Dget_chunk_info_by_coord(made, &offset, &mask, &at, &length) >= 0 && at != HADDR_UNDEF;
        place[i] = (csm_place){.at = at, .length = length};
    }
    return good;
}

static bool write_coding(hid_t made, const csm_kind *kind, const csm_coding *coding) {
    char name[CSM_PREDICTOR_TEXT];
    const uint64_t missing = csm_coding_largest(coding->width);
    return write_number(made, "scale", coding->scale) &&
           write_text(made, "delta", csm_predictor_format(kind, coding->predictor, coding->of, name)) &&
           (coding->first == 0 || write_number(made, "first", coding->first)) &&
           (coding->offset == 0 || write_number(made, "offset", coding->offset)) &&
           (coding->unit == 1 || write_number(made, "unit", coding->unit)) &&
           (!coding->zigzag || write_number(made, "zigzag", 1)) &&
           (!coding->has_missing ||
            write_attribute(made, "missing", H5T_STD_U64LE, H5T_NATIVE_UINT64, &missing));
}

static bool write_dataset(hid_t file, const writing *w, size_t i) {
    const csm_kind *kind = w->rows->kind;
    const csm_segment_layout *l = &w->layout;
    const csm_dataset_layout *d = &l->dataset[i];
    const char *name = i < kind->columns ? kind->column[i].name : "provenance_index";
    const hid_t made = make_dataset(file, name, &d->coding, l->rows, l->chunk_rows);
    if (made < 0) return false;
    const bool good =
        write_coding(made, kind, &d->coding) &&
        (d->coding.constant || write_chunks(d->place, made, w->chunk[i], l->chunks, l->chunk_rows));
    return H5Dclose(made) >= 0 && good;
}

static bool write_sources(hid_t file, csm_segment_layout *l, const csm_buffer *packed) {
    const hid_t made = make_dataset(file, "provenance", NULL, l->sources_length, l->sources_length);
    if (made < 0) return false;
    const bool good = write_chunks(&l->sources, made, packed, 1, l->sources_length);
    return H5Dclose(made) >= 0 && good;
}

static bool write_head(hid_t file, const csm_segment_layout *l) {
    const csm_stream *stream = &l->stream;
    return write_text(file, "format", "cryptosmart segment") &&
           write_number(file, "version", CSM_SEGMENT_VERSION) && write_text(file, "kind", stream->kind) &&
           write_text(file, "venue", stream->venue) && write_text(file, "symbol", stream->symbol) &&
           write_number(file, "epoch", stream->epoch) && write_number(file, "interval", stream->interval) &&
           write_number(file, "rows", (int64_t)l->rows) && write_number(file, "first", l->span.first) &&
           write_number(file, "last", l->span.last) && write_number(file, "oldest", l->span.oldest) &&
           write_number(file, "newest", l->span.newest);
}

static hid_t make_file(size_t increment) {
    const hid_t access = csm_hdf5_image_access(increment);
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
    const csm_status status = csm_buffer_reserve(out, (size_t)size + CONTENTS_ROOM);
    if (status) return status;
    if (H5Fget_file_image(file, out->data, (size_t)size) != size)
        return csm_hdf5_fail(CSM_EINTERNAL, "copy a segment's image");
    out->length = (size_t)size;
    return finish_superblock(out);
}

static csm_status lay_out(csm_buffer *out, writing *w, const csm_buffer *sources) {
    csm_hdf5_guard guard;
    csm_status status = csm_hdf5_enter(&guard);
    if (status) return status;
    size_t bytes = sources->length + 65536;
    for (size_t i = 0; i < w->datasets; i++) {
        for (size_t k = 0; k < w->layout.chunks; k++) bytes += w->chunk[i][k].length;
    }
    const hid_t file = make_file(bytes);
    bool good = file >= 0 && write_head(file, &w->layout);
    for (size_t i = 0; i < w->datasets && good; i++) good = write_dataset(file, w, i);
    good = good && write_sources(file, &w->layout, sources);
    status = good ? take_image(out, file) : csm_hdf5_fail(CSM_ENOMEM, "lay out a segment's image");
    if (file >= 0) H5Fclose(file);
    csm_hdf5_leave(&guard);
    return status;
}

/* ---- after the HDF5 part ---- */

static void put_number(uint8_t *out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) out[i] = (uint8_t)(value >> (8 * i));
}

static csm_status add_contents(csm_buffer *out, const csm_segment_layout *layout) {
    uint8_t footer[CSM_FOOTER_BYTES] = "CSMSEGM1";
    const size_t image_length = out->length;
    const csm_status status = csm_segment_layout_format(out, layout);
    if (status) return status;
    put_number(footer + 8, out->length, 8);
    put_number(footer + 16, crc32_z(0, (const Bytef *)out->data, out->length), 4);
    put_number(footer + 20, out->length - image_length, 4);
    return csm_buffer_append(out, footer, sizeof footer);
}

/* The JSON of the sources as one packed chunk. */
static csm_status pack_sources(csm_buffer *packed, size_t *length, const csm_provenance *sources,
                               size_t count) {
    csm_buffer json = {0};
    csm_status status = csm_sources_format(&json, sources, count);
    if (!status && json.length > CSM_SEGMENT_BYTES_MAX)
        status =
            csm_fail(CSM_EUNSUPPORTED, "%zu bytes of provenance are too many for a segment", json.length);
    if (!status) status = csm_chunk_deflate(packed, (const uint8_t *)json.data, json.length);
    *length = json.length;
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
                 .layout = {.kind = rows->kind,
                            .stream = *stream,
                            .span = csm_table_span(rows),
                            .rows = rows->rows,
                            .chunks = chunks,
                            .chunk_rows = (rows->rows + chunks - 1) / chunks},
                 .datasets = rows->kind->columns + 1,
                 .threads =
                     rows->rows < CSM_CHUNK_ROWS / 8 ? 1 : threads}; /* starting threads takes time too */
    csm_buffer packed = {0};
    csm_status status = pack_sources(&packed, &w.layout.sources_length, sources, source_count);
    if (!status) status = code_all(&w);
    if (!status) status = lay_out(out, &w, &packed);
    if (!status) status = add_contents(out, &w.layout);
    csm_buffer_free(&packed);
    writing_free(&w);
    return status;
}
