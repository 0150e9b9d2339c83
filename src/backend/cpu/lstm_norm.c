/* SPDX-License-Identifier: MIT */
/* What stands between a layer's h and what is above it: layer normalisation (Ba, Kiros & Hinton 2016), then dropout. */
#include "backend/cpu/lstm_twin.h"

#include "backend/lstm_cell.h"

#include <math.h>

bool lstm_raises(const csm_lstm_cpu *net, const csm_lstm_batch *batch, size_t layer) {
    return net->shape.layer_norm || (batch->dropout.rate > 0 && layer + 1 < net->shape.layers);
}

/* Scales or zeroes row (H) of y(layer, s, b), or of its gradient. */
static void drop(const csm_lstm_cpu *net, const csm_lstm_batch *batch, size_t layer, size_t s, size_t b,
                 float *row) {
    const csm_lstm_dropout *dropout = &batch->dropout;
    if (!(dropout->rate > 0) || layer + 1 == net->shape.layers) return;
    const uint32_t below = lstm_dropout_below(dropout->rate);
    const float scale = 1.0f / (1.0f - dropout->rate);
    const uint64_t first = ((b * net->shape.layers + layer) * batch->steps + s) * net->shape.hidden;
    uint64_t block = UINT64_MAX;
    uint32_t words[4];
    for (size_t u = 0; u < net->shape.hidden; u++) {
        if ((first + u) / 4 != block) {
            block = (first + u) / 4;
            lstm_philox(words, dropout->seed, dropout->stream, block);
        }
        row[u] = words[(first + u) % 4] < below ? 0.0f : row[u] * scale;
    }
}

void lstm_raise(const csm_lstm_cpu *net, const csm_lstm_batch *batch, size_t layer, size_t s, size_t b,
                const float *hidden, float *above, float *norm) {
    const size_t H = net->shape.hidden;
    for (size_t u = 0; u < net->Hp; u++) above[u] = hidden[u];
    if (net->shape.layer_norm) {
        const csm_lstm_layer at = csm_lstm_layer_at(&net->shape, layer);
        float mean = 0, square = 0;
        for (size_t u = 0; u < H; u++) mean += hidden[u];
        mean /= (float)H;
        for (size_t u = 0; u < H; u++) square += (hidden[u] - mean) * (hidden[u] - mean);
        norm[0] = mean;
        norm[1] = 1.0f / sqrtf(square / (float)H + (float)CSM_LSTM_NORM_EPSILON);
        for (size_t u = 0; u < H; u++)
            above[u] =
                (hidden[u] - mean) * norm[1] * net->parameters[at.gain + u] + net->parameters[at.offset + u];
    }
    drop(net, batch, layer, s, b, above);
}

void lstm_lower(const csm_lstm_cpu *net, const csm_lstm_batch *batch, size_t layer, size_t s, size_t b,
                const float *hidden, const float *norm, float *d, float *d_norm) {
    const size_t H = net->shape.hidden;
    drop(net, batch, layer, s, b, d);
    if (!net->shape.layer_norm) return;
    const float *gain = net->parameters + csm_lstm_layer_at(&net->shape, layer).gain;
    float sum = 0, dot = 0;
    for (size_t u = 0; u < H; u++) {
        d_norm[u] = d[u];
        sum += d[u] * gain[u];
        dot += d[u] * gain[u] * ((hidden[u] - norm[0]) * norm[1]);
    }
    for (size_t u = 0; u < H; u++) {
        const float normal = (hidden[u] - norm[0]) * norm[1];
        d[u] = norm[1] * (d[u] * gain[u] - (sum + normal * dot) / (float)H);
    }
}
