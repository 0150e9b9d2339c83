/* SPDX-License-Identifier: MIT */
/* Windows as batches of distinct, normalised hours. */
#include "model/lstm/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct lstm_window_end {
    int64_t end;
    uint32_t number;
} lstm_window_end;

static int by_end(const void *left, const void *right) {
    const lstm_window_end *a = left, *b = right;
    if (a->end != b->end) return a->end < b->end ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

csm_status lstm_by_end(uint32_t **out, const csm_samples *samples) {
    *out = NULL;
    if (samples->length > UINT32_MAX)
        return csm_fail(CSM_EINVAL, "lstm: %zu windows are more than %u", samples->length, UINT32_MAX);
    lstm_window_end *sorted = csm_alloc_array(samples->length, sizeof *sorted);
    uint32_t *order = csm_alloc_array(samples->length, sizeof *order);
    if (!sorted || !order) {
        csm_dealloc(sorted);
        csm_dealloc(order);
        return CSM_ENOMEM;
    }
    for (size_t i = 0; i < samples->length; i++)
        sorted[i] = (lstm_window_end){samples->window_end[i], (uint32_t)i};
    qsort(sorted, samples->length, sizeof *sorted, by_end);
    for (size_t i = 0; i < samples->length; i++) order[i] = sorted[i].number;
    csm_dealloc(sorted);
    *out = order;
    return CSM_OK;
}

static double value_at(const csm_matrix *x, size_t r, size_t c) {
    const ptrdiff_t at = (ptrdiff_t)r * x->row_stride + (ptrdiff_t)c * x->col_stride;
    return x->dtype == CSM_F32 ? (double)((const float *)x->data)[at] : ((const double *)x->data)[at];
}

static csm_status refuse(double value, size_t row, size_t col) {
    return csm_fail(CSM_EINVAL, "lstm: x = %g at row %zu, column %zu is not a finite float", value, row, col);
}

/* ---- what normalises ---- */

/* sum (I) += x, or (x - mean)^2, over the distinct hours of the windows in `order`. */
static csm_status sum_hours(double *sum, size_t *hours, const double *mean, const csm_samples *samples,
                            const uint32_t *order) {
    const csm_matrix *x = &samples->x;
    size_t next = 0; /* first hour not seen */
    *hours = 0;
    for (size_t i = 0; i < samples->length; i++) {
        const size_t end = (size_t)samples->window_end[order[i]] + 1, first = end - samples->window_length;
        for (size_t r = first > next ? first : next; r < end; r++, ++*hours) {
            for (size_t f = 0; f < x->cols; f++) {
                const double value = value_at(x, r, f), apart = value - (mean ? mean[f] : 0);
                if (!(fabs(value) <= 3.4028234663852886e38)) return refuse(value, r, f);
                sum[f] += mean ? apart * apart : value;
            }
        }
        next = end;
    }
    return CSM_OK;
}

csm_status lstm_normalise(lstm_model *model, const csm_samples *samples) {
    const size_t features = samples->x.cols;
    uint32_t *order = NULL;
    size_t hours = 0;
    csm_status status = lstm_by_end(&order, samples);
    if (status) return status;
    if ((status = sum_hours(model->mean, &hours, NULL, samples, order))) goto done;
    for (size_t f = 0; f < features; f++) model->mean[f] /= (double)hours;
    if ((status = sum_hours(model->inverse, &hours, model->mean, samples, order))) goto done;
    for (size_t f = 0; f < features; f++) {
        const double deviation = sqrt(model->inverse[f] / (double)hours);
        /* what rounding makes of a constant is not a deviation */
        model->inverse[f] =
            deviation > 1e-12 * fabs(model->mean[f]) && deviation > 1e-300 ? 1 / deviation : 0;
    }
done:
    csm_dealloc(order);
    return status;
}

/* ---- batches ---- */

csm_status lstm_reader_open(lstm_reader *reader, const lstm_model *model, const csm_samples *samples,
                            size_t capacity) {
    *reader = (lstm_reader){.model = model, .samples = samples, .capacity = capacity};
    reader->first = csm_alloc_array(capacity, sizeof *reader->first);
    reader->sorted = csm_alloc_array(capacity, sizeof *reader->sorted);
    return reader->first && reader->sorted ? CSM_OK : CSM_ENOMEM;
}

void lstm_reader_close(lstm_reader *reader) {
    csm_dealloc(reader->x);
    csm_dealloc(reader->first);
    csm_dealloc(reader->sorted);
    *reader = (lstm_reader){0};
}

static csm_status reserve_hours(lstm_reader *reader, size_t hours) {
    const size_t inputs = reader->model->shape.inputs;
    if (hours <= reader->x_floats / inputs) return CSM_OK;
    csm_dealloc(reader->x);
    reader->x_floats = 0;
    reader->x = csm_alloc_array(hours, inputs * sizeof *reader->x);
    if (!reader->x) return CSM_ENOMEM;
    reader->x_floats = hours * inputs;
    return CSM_OK;
}

/* Row `hour` of x, normalised. */
static csm_status read_hour(float *to, const lstm_reader *reader, size_t hour) {
    const lstm_model *model = reader->model;
    for (size_t f = 0; f < model->shape.inputs; f++) {
        const double value = value_at(&reader->samples->x, hour, f);
        if (!(fabs(value) <= 3.4028234663852886e38)) return refuse(value, hour, f);
        const float normal = (float)((value - model->mean[f]) * model->inverse[f]);
        to[f] = normal > LSTM_INPUT_LIMIT    ? LSTM_INPUT_LIMIT
                : normal < -LSTM_INPUT_LIMIT ? -LSTM_INPUT_LIMIT
                                             : normal;
    }
    return CSM_OK;
}

csm_status lstm_reader_take(csm_lstm_batch *out, lstm_reader *reader, const uint32_t *window, size_t count) {
    const csm_samples *samples = reader->samples;
    const size_t steps = samples->window_length, inputs = reader->model->shape.inputs;
    for (size_t b = 0; b < count; b++)
        reader->sorted[b] = (lstm_window_end){samples->window_end[window[b]], (uint32_t)b};
    qsort(reader->sorted, count, sizeof *reader->sorted, by_end);
    size_t next = 0; /* first hour not seen */
    reader->hours = 0;
    for (size_t i = 0; i < count; i++) { /* as below, only counted */
        const size_t end = (size_t)reader->sorted[i].end + 1, first = end - steps;
        reader->hours += end - (first > next ? first : next);
        next = end;
    }
    csm_status status = reserve_hours(reader, reader->hours);
    size_t at = 0;
    next = 0;
    for (size_t i = 0; i < count && !status; i++) {
        const size_t end = (size_t)reader->sorted[i].end + 1, first = end - steps;
        for (size_t r = first > next ? first : next; r < end && !status; r++)
            status = read_hour(reader->x + at++ * inputs, reader, r);
        next = end;
        reader->first[reader->sorted[i].number] = (uint32_t)(at - steps);
    }
    *out = (csm_lstm_batch){
        .x = reader->x, .hours = reader->hours, .first = reader->first, .length = count, .steps = steps};
    return status;
}

/* ---- how many distinct hours a batch may have ---- */

static int by_size(const void *a, const void *b) {
    const size_t one = *(const size_t *)a, two = *(const size_t *)b;
    return one < two ? 1 : one > two ? -1 : 0;
}

/* Distinct hours of `count` windows that stand in the order of their ends. */
static size_t hours_of(const csm_samples *samples, const uint32_t *window, size_t count) {
    size_t hours = 0, next = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t end = (size_t)samples->window_end[window[i]] + 1, first = end - samples->window_length;
        hours += end - (first > next ? first : next);
        next = end;
    }
    return hours;
}

/* The sum over the runs with the most hours. A batch of `size` windows touches at most size / run + 3 runs: its first and its last
 * may be cut, and the one run that is shorter than the others may lie within. */
csm_status lstm_hours_most(size_t *out, const csm_samples *samples, size_t run, size_t size) {
    const size_t runs = (samples->length + run - 1) / run, touched = size / run + 3;
    uint32_t *order = NULL;
    *out = 0;
    size_t *hours = csm_alloc_array(runs, sizeof *hours);
    csm_status status = hours ? lstm_by_end(&order, samples) : CSM_ENOMEM;
    for (size_t r = 0; r < runs && !status; r++) {
        const size_t left = samples->length - r * run;
        hours[r] = hours_of(samples, order + r * run, left < run ? left : run);
    }
    if (!status) qsort(hours, runs, sizeof *hours, by_size);
    for (size_t r = 0; r < runs && r < touched && !status; r++) *out += hours[r];
    if (*out > size * samples->window_length) *out = size * samples->window_length;
    if (*out > samples->x.rows) *out = samples->x.rows;
    csm_dealloc(order);
    csm_dealloc(hours);
    return status;
}
