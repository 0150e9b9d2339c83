/* SPDX-License-Identifier: MIT */
#include "store/segment_layout.h"
#include "store/hdf5.h"

#include <string.h>

#define TEXT_MAX 1024 /* of any text attribute */

/* ---- attributes ---- */

static csm_status read_number(int64_t *out, hid_t object, const char *name) {
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0) return csm_hdf5_fail(CSM_ECORRUPT, name);
    csm_status status = CSM_OK;
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    if (type < 0 || space < 0 || H5Tget_class(type) != H5T_INTEGER ||
        H5Sget_simple_extent_npoints(space) != 1)
        status = csm_fail(CSM_ECORRUPT, "attribute %s is not one whole number", name);
    else if (H5Aread(attribute, H5T_NATIVE_INT64, out) < 0)
        status = csm_hdf5_fail(CSM_ECORRUPT, name);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    H5Aclose(attribute);
    return status;
}

/* A fixed-length text of at most TEXT_MAX - 1 bytes. */
static csm_status read_text(char out[TEXT_MAX], hid_t object, const char *name) {
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (attribute < 0) return csm_hdf5_fail(CSM_ECORRUPT, name);
    csm_status status = CSM_OK;
    const hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    const size_t size = type < 0 ? 0 : H5Tget_size(type);
    memset(out, 0, TEXT_MAX);
    if (space < 0 || size == 0 || size >= TEXT_MAX || H5Tget_class(type) != H5T_STRING ||
        H5Tis_variable_str(type) != 0 || H5Sget_simple_extent_npoints(space) != 1)
        status = csm_fail(CSM_ECORRUPT, "attribute %s is not a short text", name);
    else if (H5Aread(attribute, type, out) < 0)
        status = csm_hdf5_fail(CSM_ECORRUPT, name);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
    H5Aclose(attribute);
    return status;
}

static csm_status read_in_range(int64_t *out, hid_t object, const char *name, int64_t least, int64_t most) {
    *out = 0;
    const csm_status status = read_number(out, object, name);
    if (status || (*out >= least && *out <= most)) return status;
    return csm_fail(CSM_ECORRUPT, "attribute %s is %lld", name, (long long)*out);
}

/* ---- datasets ---- */

/* Element width of a signed little-endian integer type (unsigned bytes pass for text), 0 for anything else. */
static int32_t width_of(hid_t set) {
    const hid_t type = H5Dget_type(set);
    if (type < 0) return 0;
    const size_t size = H5Tget_size(type);
    const bool whole = H5Tget_class(type) == H5T_INTEGER &&
                       (size == 1 || H5Tget_order(type) == H5T_ORDER_LE) &&
                       (size == 1 || H5Tget_sign(type) == H5T_SGN_2);
    H5Tclose(type);
    return whole && (size == 1 || size == 2 || size == 4 || size == 8) ? (int32_t)size : 0;
}

static csm_status read_extent(csm_dataset_layout *out, hid_t set) {
    const hid_t space = H5Dget_space(set);
    hsize_t rows = 0;
    const bool line = space >= 0 && H5Sget_simple_extent_ndims(space) == 1 &&
                      H5Sget_simple_extent_dims(space, &rows, NULL) == 1;
    if (space >= 0) H5Sclose(space);
    if (!line || rows == 0 || rows > CSM_SEGMENT_BYTES_MAX)
        return csm_fail(CSM_ECORRUPT, "is not a run of values");
    out->rows = (size_t)rows;
    return CSM_OK;
}

static bool filters_are_ours(hid_t creation) {
    static const H5Z_filter_t ours[3] = {H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32};
    bool good = H5Pget_nfilters(creation) == 3;
    for (unsigned i = 0; i < 3 && good; i++) {
        unsigned flags, values[8];
        size_t count = 8;
        good = H5Pget_filter2(creation, i, &flags, &count, values, 0, NULL, NULL) == ours[i];
    }
    return good;
}

static csm_status read_creation(csm_dataset_layout *out, hid_t set) {
    const hid_t creation = H5Dget_create_plist(set);
    if (creation < 0) return csm_hdf5_fail(CSM_ECORRUPT, "read how a dataset was made");
    hsize_t chunk_rows = 0;
    csm_status status = CSM_OK;
    if (H5Pget_layout(creation) != H5D_CHUNKED || H5Pget_chunk(creation, 1, &chunk_rows) != 1 ||
        chunk_rows == 0 || chunk_rows > out->rows || !filters_are_ours(creation))
        status = csm_fail(CSM_ECORRUPT, "is not chunked, shuffled and deflated as segments are");
    else if (H5Pget_fill_value(creation, H5T_NATIVE_INT64, &out->coding.fill) < 0)
        status = csm_hdf5_fail(CSM_ECORRUPT, "read a fill value");
    out->chunk_rows = (size_t)chunk_rows;
    H5Pclose(creation);
    return status;
}

static csm_status read_places(csm_dataset_layout *out, hid_t set, size_t image_length) {
    hsize_t present = 0;
    const hid_t space = H5Dget_space(set);
    const bool counted = space >= 0 && H5Dget_num_chunks(set, space, &present) >= 0;
    const csm_status status = counted ? CSM_OK : csm_hdf5_fail(CSM_ECORRUPT, "count chunks");
    if (space >= 0) H5Sclose(space);
    if (status) return status;
    out->chunks = (out->rows + out->chunk_rows - 1) / out->chunk_rows;
    out->coding.constant = present == 0;
    if (present == 0) return CSM_OK;
    if (present != out->chunks) return csm_fail(CSM_ECORRUPT, "lacks chunks");
    out->place = csm_alloc_array(out->chunks, sizeof *out->place);
    if (!out->place) return CSM_ENOMEM;
    for (size_t i = 0; i < out->chunks; i++) {
        const hsize_t offset = i * out->chunk_rows;
        unsigned mask = 1;
        haddr_t at = HADDR_UNDEF;
        hsize_t length = 0;
        if (H5Dget_chunk_info_by_coord(set, &offset, &mask, &at, &length) < 0)
            return csm_hdf5_fail(CSM_ECORRUPT, "find a chunk");
        if (mask != 0 || at > image_length || length > image_length - at)
            return csm_fail(CSM_ECORRUPT, "chunk %zu lies outside the file", i);
        out->place[i] = (csm_place){.at = at, .length = length};
    }
    return CSM_OK;
}

static csm_status read_coding(csm_coding *out, hid_t set, const csm_kind *kind) {
    int64_t scale;
    char delta[TEXT_MAX];
    csm_status status = read_in_range(&scale, set, "scale", 0, CSM_SCALE_MAX);
    if (!status) status = read_text(delta, set, "delta");
    if (!status) status = csm_predictor_parse(&out->predictor, &out->of, kind, delta);
    if (!status) status = read_number(&out->first, set, "first");
    if (!status) status = read_number(&out->offset, set, "offset");
    if (!status) status = read_in_range(&out->unit, set, "unit", 1, INT64_MAX);
    if (status) return status;
    out->scale = (int32_t)scale;
    out->has_missing = H5Aexists(set, "missing") > 0;
    return CSM_OK;
}

/* kind NULL: a plain run of bytes. */
static csm_status read_dataset(csm_dataset_layout *out, hid_t file, const char *name, const csm_kind *kind,
                               size_t image_length) {
    const hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
    if (set < 0) return csm_hdf5_fail(CSM_ECORRUPT, name);
    out->coding = (csm_coding){.unit = 1, .width = width_of(set)};
    csm_status status = out->coding.width == 0 || (!kind && out->coding.width != 1)
                            ? csm_fail(CSM_ECORRUPT, "is not of whole numbers")
                            : CSM_OK;
    if (!status) status = read_extent(out, set);
    if (!status) status = read_creation(out, set);
    if (!status) status = read_places(out, set, image_length);
    if (!status && kind) status = read_coding(&out->coding, set, kind);
    H5Dclose(set);
    return status ? csm_fail_prefix(status, "dataset %s", name) : CSM_OK;
}

/* ---- whole file ---- */

static csm_status read_names(csm_segment_layout *out, hid_t file) {
    char kind[TEXT_MAX], venue[TEXT_MAX], symbol[TEXT_MAX];
    csm_status status = read_text(kind, file, "kind");
    if (!status) status = read_text(venue, file, "venue");
    if (!status) status = read_text(symbol, file, "symbol");
    if (status) return status;
    out->kind = csm_kind_find(kind);
    if (!out->kind) return csm_fail(CSM_EUNSUPPORTED, "kind \"%s\" is not known to this build", kind);
    out->stream.kind = out->kind->name;
    out->stream.venue = csm_strdup(venue);
    out->stream.symbol = csm_strdup(symbol);
    return out->stream.venue && out->stream.symbol ? CSM_OK : CSM_ENOMEM;
}

static csm_status read_head(csm_segment_layout *out, hid_t file) {
    int64_t version, epoch, rows;
    char format[TEXT_MAX];
    csm_status status = read_text(format, file, "format");
    if (!status && strcmp(format, "cryptosmart segment") != 0)
        status = csm_fail(CSM_ECORRUPT, "format is \"%s\"", format);
    if (!status) status = read_in_range(&version, file, "version", 1, INT64_MAX);
    if (!status && version > CSM_SEGMENT_VERSION)
        status = csm_fail(CSM_EUNSUPPORTED, "version %lld is newer than this build", (long long)version);
    if (!status) status = read_names(out, file);
    if (!status) status = read_in_range(&epoch, file, "epoch", 0, INT32_MAX);
    if (!status) status = read_in_range(&out->stream.interval, file, "interval", 0, INT64_MAX);
    if (!status) status = read_in_range(&rows, file, "rows", 1, (int64_t)CSM_SEGMENT_ROWS_MAX);
    if (!status) status = read_number(&out->span.first, file, "first");
    if (!status) status = read_number(&out->span.last, file, "last");
    if (!status) status = read_number(&out->span.oldest, file, "oldest");
    if (!status) status = read_number(&out->span.newest, file, "newest");
    if (status) return status;
    out->stream.epoch = (int32_t)epoch;
    out->rows = (size_t)rows;
    return CSM_OK;
}

static csm_status read_file(csm_segment_layout *out, hid_t file, size_t length) {
    csm_status status = read_head(out, file);
    for (size_t c = 0; !status && c < out->kind->columns; c++) {
        status = read_dataset(&out->column[c], file, out->kind->column[c].name, out->kind, length);
        if (!status &&
            (out->column[c].rows != out->rows || out->column[c].chunk_rows != out->column[0].chunk_rows))
            status = csm_fail(CSM_ECORRUPT, "dataset %s has another length", out->kind->column[c].name);
    }
    if (!status) status = read_dataset(&out->provenance_index, file, "provenance_index", out->kind, length);
    if (!status && out->provenance_index.rows != out->rows)
        status = csm_fail(CSM_ECORRUPT, "dataset provenance_index has another length");
    if (!status) status = read_dataset(&out->provenance, file, "provenance", NULL, length);
    if (!status && (out->provenance.chunks != 1 || out->provenance.coding.constant))
        status = csm_fail(CSM_ECORRUPT, "dataset provenance is not one chunk");
    return status;
}

csm_status csm_segment_layout_read(csm_segment_layout *out, const void *image, size_t length) {
    csm_hdf5_guard guard;
    memset(out, 0, sizeof *out);
    csm_status status = csm_hdf5_enter(&guard);
    if (status) return status;
    const hid_t access = csm_hdf5_image_access(image, length, 65536);
    /* The name only has to be one that no file has. */
    const hid_t file = access < 0 ? -1 : H5Fopen("cryptosmart-segment-image/old", H5F_ACC_RDONLY, access);
    status = file < 0 ? csm_hdf5_fail(CSM_ECORRUPT, "open the file") : read_file(out, file, length);
    if (file >= 0) H5Fclose(file);
    if (access >= 0) H5Pclose(access);
    csm_hdf5_leave(&guard);
    if (status) csm_segment_layout_free(out);
    return status;
}

void csm_segment_layout_free(csm_segment_layout *layout) {
    for (size_t c = 0; c < CSM_COLUMNS_MAX; c++) csm_dealloc(layout->column[c].place);
    csm_dealloc(layout->provenance_index.place);
    csm_dealloc(layout->provenance.place);
    csm_dealloc((void *)(uintptr_t)layout->stream.venue);
    csm_dealloc((void *)(uintptr_t)layout->stream.symbol);
    memset(layout, 0, sizeof *layout);
}
