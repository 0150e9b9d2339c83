/* SPDX-License-Identifier: MIT */
/* The fast LSTM's memory and weights. Packed weights stand as panels of 64 columns, [panel][depth][64]. */
#include "backend/cpu/lstm_twin.h"

#include "core/platform.h"

#include <stdlib.h>
#include <string.h>

#define LINE_FLOATS 16
#define LARGE_BYTES ((size_t)1 << 21)

csm_status lstm_block_reserve(lstm_block *block, size_t rows, size_t cols) {
    if (cols && rows > (SIZE_MAX / sizeof(float) - LINE_FLOATS) / cols)
        return csm_fail(CSM_ENOMEM, "lstm: %zu x %zu floats are more than this machine can address", rows,
                        cols);
    const size_t count = rows * cols;
    if (block->memory && count <= block->count) return CSM_OK;
    lstm_block_free(block);
    block->memory = csm_alloc((count + LINE_FLOATS) * sizeof(float));
    if (!block->memory) return CSM_ENOMEM;
    if (count * sizeof(float) >= LARGE_BYTES) csm_platform_large_pages(block->memory, count * sizeof(float));
    const size_t over = (uintptr_t)block->memory % (LINE_FLOATS * sizeof(float)) / sizeof(float);
    block->data = (float *)block->memory + (over ? LINE_FLOATS - over : 0);
    block->count = count;
    return CSM_OK;
}

void lstm_block_free(lstm_block *block) {
    csm_dealloc(block->memory);
    *block = (lstm_block){0};
}

static size_t padded(size_t count) {
    return (count + LSTM_UNITS - 1) / LSTM_UNITS * LSTM_UNITS;
}

static const lstm_kernels *kernels_of(csm_isa isa) {
    return CSM_ISA_SELECT(isa, lstm_kernels)();
}

/* ---- packing ---- */

/* Floats of packed weights: whole panels. */
static csm_status reserve_packed(lstm_block *block, size_t depth, size_t cols) {
    const size_t width = (cols + LSTM_PANEL - 1) / LSTM_PANEL * LSTM_PANEL;
    csm_status status = lstm_block_reserve(block, depth, width);
    if (!status) memset(block->data, 0, depth * width * sizeof(float));
    return status;
}

static float *packed_at(const lstm_block *block, size_t depth, size_t k, size_t col) {
    return block->data + (col / LSTM_PANEL * depth + k) * LSTM_PANEL + col % LSTM_PANEL;
}

/* weight (4H, depth) as (depth, Zp), and transposed as (Zp, depth). */
static void pack(const csm_lstm_cpu *net, const lstm_block *straight, const lstm_block *transposed,
                 const float *weight, size_t depth) {
    const size_t H = net->shape.hidden;
    for (size_t q = 0; q < 4; q++) {
        for (size_t u = 0; u < H; u++) {
            const size_t col = lstm_column(u, q);
            const float *row = weight + (q * H + u) * depth;
            for (size_t k = 0; k < depth; k++) {
                *packed_at(straight, depth, k, col) = row[k];
                *packed_at(transposed, net->Zp, col, k) = row[k];
            }
        }
    }
}

void csm_lstm_cpu_load(csm_lstm_cpu *net, const float *parameters) {
    const csm_lstm_shape *shape = &net->shape;
    memcpy(net->parameters, parameters, csm_lstm_parameters(shape) * sizeof *parameters);
    for (size_t l = 0; l < shape->layers; l++) {
        const csm_lstm_layer at = csm_lstm_layer_at(shape, l);
        const lstm_packed *to = &net->packed[l];
        pack(net, &to->input, &to->input_t, parameters + at.weight_ih, l ? shape->hidden : shape->inputs);
        pack(net, &to->recurrent, &to->recurrent_t, parameters + at.weight_hh, shape->hidden);
        for (size_t q = 0; q < 4; q++) {
            for (size_t u = 0; u < shape->hidden; u++)
                to->bias.data[lstm_column(u, q)] = parameters[at.bias + q * shape->hidden + u];
        }
    }
}

/* ---- the object ---- */

static csm_status open_layer(csm_lstm_cpu *net, size_t layer) {
    lstm_packed *to = &net->packed[layer];
    const size_t H = net->shape.hidden, width = layer ? net->Hp : net->Ip;
    csm_status status = reserve_packed(&to->input, layer ? H : net->shape.inputs, net->Zp);
    if (!status) status = reserve_packed(&to->recurrent, H, net->Zp);
    if (!status) status = reserve_packed(&to->bias, 1, net->Zp);
    if (!status) status = reserve_packed(&to->input_t, net->Zp, width);
    if (!status) status = reserve_packed(&to->recurrent_t, net->Zp, net->Hp);
    return status;
}

csm_status csm_lstm_cpu_new(csm_lstm_cpu **out, const csm_lstm_shape *shape, uint32_t threads, csm_isa isa) {
    const size_t count = csm_lstm_parameters(shape);
    *out = NULL;
    if (count == 0)
        return csm_fail(CSM_EINVAL,
                        "lstm: a shape of %zu inputs, %zu hidden, %zu layers, %zu outputs is out of range",
                        shape->inputs, shape->hidden, shape->layers, shape->outputs);
    csm_lstm_cpu *net = csm_alloc_array(1, sizeof *net);
    if (!net) return CSM_ENOMEM;
    net->shape = *shape;
    net->threads = threads ? threads : 1;
    net->kernels = kernels_of(isa);
    net->Ip = padded(shape->inputs + 1);
    net->Hp = padded(shape->hidden);
    net->Zp = 4 * net->Hp;
    net->packed = csm_alloc_array(shape->layers, sizeof *net->packed);
    net->kept = csm_alloc_array(shape->layers, sizeof *net->kept);
    net->parameters = csm_alloc_array(count, sizeof *net->parameters);
    csm_status status = net->packed && net->kept && net->parameters ? CSM_OK : CSM_ENOMEM;
    for (size_t l = 0; l < shape->layers && !status; l++) status = open_layer(net, l);
    if (!status) status = reserve_packed(&net->zeros, 1, net->Zp > net->Ip ? net->Zp : net->Ip);
    if (status) {
        csm_lstm_cpu_free(net);
        return status;
    }
    *out = net;
    return CSM_OK;
}

static void free_layer(csm_lstm_cpu *net, size_t layer) {
    if (net->packed) {
        lstm_packed *packed = &net->packed[layer];
        lstm_block *const blocks[] = {&packed->input, &packed->recurrent, &packed->bias, &packed->input_t,
                                      &packed->recurrent_t};
        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) lstm_block_free(blocks[i]);
    }
    if (net->kept) {
        lstm_kept *kept = &net->kept[layer];
        lstm_block *const blocks[] = {&kept->gates, &kept->cell, &kept->hidden,
                                      &kept->above, &kept->norm, &kept->d_norm};
        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) lstm_block_free(blocks[i]);
    }
}

void csm_lstm_cpu_free(csm_lstm_cpu *net) {
    if (!net) return;
    for (size_t l = 0; l < net->shape.layers; l++) free_layer(net, l);
    lstm_block *const blocks[] = {&net->zeros, &net->x,    &net->project, &net->top,
                                  &net->d_top, &net->tile, &net->sum[0],  &net->sum[1]};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) lstm_block_free(blocks[i]);
    csm_dealloc(net->packed);
    csm_dealloc(net->kept);
    csm_dealloc(net->parameters);
    csm_dealloc(net->spans);
    csm_dealloc(net->place);
    csm_dealloc(net->order);
    csm_dealloc(net);
}

size_t csm_lstm_cpu_memory(const csm_lstm_shape *shape, size_t length, size_t steps, size_t hours) {
    const size_t H = padded(shape->hidden), places = length * steps;
    const size_t layer = places * (size_t)(6 + (shape->layer_norm ? 2 : 0) + (shape->layers > 1 ? 1 : 0)) * H;
    const size_t distinct = hours < places ? hours : places;
    return (shape->layers * layer + distinct * (4 * H + padded(shape->inputs + 1)) + length * 8 * H +
            3 * csm_lstm_parameters(shape)) *
           sizeof(float);
}

/* ---- windows that share hours ---- */

typedef struct placed_window {
    uint32_t first;
    uint32_t number;
} placed_window;

static int by_first(const void *left, const void *right) {
    const placed_window *a = left, *b = right;
    if (a->first != b->first) return a->first < b->first ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static csm_status reserve_batch(csm_lstm_cpu *net, size_t length) {
    if (length <= net->batch_capacity) return CSM_OK;
    csm_dealloc(net->spans);
    csm_dealloc(net->place);
    csm_dealloc(net->order);
    net->batch_capacity = 0;
    net->spans = csm_alloc_array(length, sizeof *net->spans);
    net->place = csm_alloc_array(length, sizeof *net->place);
    net->order = csm_alloc_array(length, sizeof *net->order);
    if (!net->spans || !net->place || !net->order) return CSM_ENOMEM;
    net->batch_capacity = length;
    return CSM_OK;
}

static void place_windows(csm_lstm_cpu *net, const csm_lstm_batch *batch, const placed_window *sorted) {
    lstm_span *span = NULL;
    net->span_count = net->distinct = 0;
    for (size_t i = 0; i < batch->length; i++) {
        const size_t first = sorted[i].first, end = first + batch->steps;
        if (!span || first > span->hour + span->length) {
            span = &net->spans[net->span_count++];
            *span = (lstm_span){.hour = first, .place = net->distinct};
        }
        if (end > span->hour + span->length) {
            net->distinct += end - (span->hour + span->length);
            span->length = end - span->hour;
        }
        net->order[i] = sorted[i].number;
        net->place[sorted[i].number] = (uint32_t)(span->place + first - span->hour);
    }
}

void lstm_copy_hour(const csm_lstm_cpu *net, float *to, const float *x) {
    const size_t I = net->shape.inputs;
    memcpy(to, x, I * sizeof *to);
    to[I] = 1.0f; /* the bias's column: its gradient comes with the weights' */
    for (size_t k = I + 1; k < net->Ip; k++) to[k] = 0.0f;
}

csm_status lstm_gather(csm_lstm_cpu *net, const csm_lstm_batch *batch) {
    const size_t I = net->shape.inputs;
    csm_status status = reserve_batch(net, batch->length);
    if (status) return status;
    placed_window *sorted = csm_alloc_array(batch->length, sizeof *sorted);
    if (!sorted) return CSM_ENOMEM;
    for (size_t b = 0; b < batch->length; b++) sorted[b] = (placed_window){batch->first[b], (uint32_t)b};
    qsort(sorted, batch->length, sizeof *sorted, by_first);
    place_windows(net, batch, sorted);
    csm_dealloc(sorted);
    net->direct = net->distinct > batch->length * batch->steps / 4 * 3;
    if (net->direct) return CSM_OK;
    if ((status = lstm_block_reserve(&net->x, net->distinct, net->Ip))) return status;
    if ((status = lstm_block_reserve(&net->project, net->distinct, net->Zp))) return status;
    for (size_t i = 0; i < net->span_count; i++) {
        const lstm_span *span = &net->spans[i];
        for (size_t r = 0; r < span->length; r++)
            lstm_copy_hour(net, net->x.data + (span->place + r) * net->Ip, batch->x + (span->hour + r) * I);
    }
    return CSM_OK;
}

size_t lstm_tile_rows(const csm_lstm_cpu *net, size_t length) {
    const size_t tasks = net->threads > 1 ? 2 * (size_t)net->threads : 1;
    const size_t rows = (length + tasks - 1) / tasks;
    return rows < 12 ? 12 : rows > 120 ? 120 : (rows + 5) / 6 * 6;
}
