/* SPDX-License-Identifier: MIT */
/* One hour after another: the fast LSTM with the state in the caller's hands. */
#include "backend/cpu/lstm_twin.h"

#include <string.h>

size_t csm_lstm_cpu_state(const csm_lstm_shape *shape) {
    const size_t Hp = (shape->hidden + LSTM_UNITS - 1) / LSTM_UNITS * LSTM_UNITS;
    return 2 * shape->layers * Hp;
}

csm_status csm_lstm_cpu_step(const csm_lstm_cpu *net, float *state, const float *x, float *out) {
    const csm_lstm_shape *shape = &net->shape;
    const size_t Hp = net->Hp, H = shape->hidden;
    const csm_lstm_batch none = {.steps = 1, .length = 1};
    lstm_block work = {0};
    csm_status status = lstm_block_reserve(&work, 1, net->Zp + 2 * Hp);
    if (status) return status;
    float *project = work.data, *hidden = project + net->Zp, *above = hidden + Hp;
    const lstm_product input = {.rows = 1,
                                .cols = net->Zp,
                                .depth = shape->inputs,
                                .a = x,
                                .w = net->packed[0].input.data,
                                .start = net->packed[0].bias.data,
                                .c = project};
    net->kernels->product(&input);
    for (size_t l = 0; l < shape->layers; l++) {
        float *h = state + 2 * l * Hp, *c = h + Hp, norm[2];
        const float *const start[1] = {l ? net->packed[l].bias.data : project};
        lstm_advance a = {
            .rows = 1, .blocks = Hp / LSTM_UNITS, .start = start, .before = c, .cell = c, .hidden = hidden};
        if (l) {
            a.a[0] = above;
            a.w[0] = net->packed[l].input.data;
            a.depth[0] = H;
            a.terms = 1;
        }
        a.a[a.terms] = h;
        a.w[a.terms] = net->packed[l].recurrent.data;
        a.depth[a.terms++] = H;
        net->kernels->advance(&a);
        memcpy(h, hidden, Hp * sizeof *h);
        lstm_raise(net, &none, l, 0, 0, hidden, above, norm);
    }
    for (size_t o = 0; out && o < shape->outputs; o++) {
        float sum = net->parameters[csm_lstm_head_bias(shape) + o];
        for (size_t u = 0; u < H; u++)
            sum += net->parameters[csm_lstm_head_weight(shape) + o * H + u] * above[u];
        out[o] = sum;
    }
    lstm_block_free(&work);
    return CSM_OK;
}
