/* SPDX-License-Identifier: MIT */
/* Where each parameter stands, and whether a shape and a batch hold together. */
#include "backend/lstm.h"

#include "core/internal.h"

#define INPUTS_MAX 100000
#define OUTPUTS_MAX 4096

static bool in_range(const csm_lstm_shape *shape) {
    return shape->inputs >= 1 && shape->inputs <= INPUTS_MAX && shape->hidden >= 1 &&
           shape->hidden <= CSM_LSTM_HIDDEN_MAX && shape->layers >= 1 &&
           shape->layers <= CSM_LSTM_LAYERS_MAX && shape->outputs >= 1 && shape->outputs <= OUTPUTS_MAX &&
           shape->layer_norm <= 1;
}

csm_lstm_layer csm_lstm_layer_at(const csm_lstm_shape *shape, size_t layer) {
    const size_t H = shape->hidden, Z = 4 * H, norm = shape->layer_norm ? 2 * H : 0;
    const size_t first = Z * (shape->inputs + H + 1) + norm, above = Z * (2 * H + 1) + norm;
    csm_lstm_layer at = {.weight_ih = layer ? first + (layer - 1) * above : 0};
    at.weight_hh = at.weight_ih + Z * (layer ? H : shape->inputs);
    at.bias = at.weight_hh + Z * H;
    at.gain = at.bias + Z;
    at.offset = at.gain + (shape->layer_norm ? H : 0);
    return at;
}

size_t csm_lstm_head_weight(const csm_lstm_shape *shape) {
    return csm_lstm_layer_at(shape, shape->layers).weight_ih;
}

size_t csm_lstm_head_bias(const csm_lstm_shape *shape) {
    return csm_lstm_head_weight(shape) + shape->outputs * shape->hidden;
}

size_t csm_lstm_parameters(const csm_lstm_shape *shape) {
    return in_range(shape) ? csm_lstm_head_bias(shape) + shape->outputs : 0;
}

csm_status csm_lstm_check(const csm_lstm_shape *shape, const csm_lstm_batch *batch) {
    if (!in_range(shape))
        return csm_fail(CSM_EINVAL,
                        "lstm: a shape of %zu inputs, %zu hidden, %zu layers, %zu outputs is out of range",
                        shape->inputs, shape->hidden, shape->layers, shape->outputs);
    if (batch->length == 0 || batch->steps == 0 || batch->steps > batch->hours || batch->hours > UINT32_MAX ||
        batch->length > UINT32_MAX)
        return csm_fail(CSM_EINVAL, "lstm: %zu windows of %zu steps over %zu hours", batch->length,
                        batch->steps, batch->hours);
    if (!(batch->dropout.rate >= 0 && batch->dropout.rate < 1))
        return csm_fail(CSM_EINVAL, "lstm: dropout %g is outside [0, 1)", (double)batch->dropout.rate);
    for (size_t b = 0; b < batch->length; b++) {
        if (batch->first[b] > batch->hours - batch->steps)
            return csm_fail(CSM_EINVAL, "lstm: window %zu starts at row %u of %zu and has %zu steps", b,
                            batch->first[b], batch->hours, batch->steps);
    }
    return CSM_OK;
}
