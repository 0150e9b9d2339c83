/* SPDX-License-Identifier: MIT */
/*
 * The fast LSTM backward. Tiles of windows walk the steps from the last to the first and turn the kept gates into dL/dz in
 * place; then each weight's gradient is one outer product over all places, cut by its rows, so that one thread makes an
 * element from its terms in order. Hours that windows share have their dL/dz summed first: dW_ih is made once an hour.
 */
#include "backend/cpu/lstm_twin.h"

#include <string.h>

typedef struct backward_pass {
    csm_lstm_cpu *net;
    const csm_lstm_batch *batch;
    const float *dout;
    float *grad;
    size_t tile;
    lstm_outer outer; /* of the gradient at hand */
} backward_pass;

/* ---- a tile of windows ---- */

typedef struct tile_rows {
    size_t first, rows;
    float *d_cell; /* (L, tile, Hp) */
    float *d;      /* (2, tile, Hp): dL/dy of the layer at hand and of the one below */
} tile_rows;

/* dL/dy of the last step, (rows, Hp) */
static void lower_head(const backward_pass *p, const tile_rows *t, float *d) {
    const csm_lstm_cpu *net = p->net;
    const size_t H = net->shape.hidden, O = net->shape.outputs;
    const float *weight = net->parameters + csm_lstm_head_weight(&net->shape);
    memset(d, 0, t->rows * net->Hp * sizeof *d);
    for (size_t r = 0; r < t->rows; r++) {
        for (size_t o = 0; o < O; o++) {
            const float dout = p->dout[(t->first + r) * O + o];
            for (size_t u = 0; u < H; u++) d[r * net->Hp + u] += dout * weight[o * H + u];
        }
    }
}

static void lower_rows(const backward_pass *p, const tile_rows *t, size_t l, size_t s, float *d) {
    const csm_lstm_cpu *net = p->net;
    const lstm_kept *kept = &net->kept[l];
    if (!lstm_raises(net, p->batch, l)) return;
    for (size_t r = 0; r < t->rows; r++) {
        const size_t place = s * p->batch->length + t->first + r;
        const bool norm = net->shape.layer_norm;
        lstm_lower(net, p->batch, l, s, t->first + r, kept->hidden.data + place * net->Hp,
                   norm ? kept->norm.data + place * 2 : NULL, d + r * net->Hp,
                   norm ? kept->d_norm.data + place * net->Hp : NULL);
    }
}

/* c (rows, Hp) = start + dL/dz(s) weight_t */
static void send_back(const backward_pass *p, const tile_rows *t, size_t l, size_t s,
                      const lstm_block *weight_t, const float *start, float *c) {
    const csm_lstm_cpu *net = p->net;
    const lstm_product product = {.rows = t->rows,
                                  .cols = net->Hp,
                                  .depth = net->Zp,
                                  .a = net->kept[l].gates.data + (s * p->batch->length + t->first) * net->Zp,
                                  .stride = net->Zp,
                                  .w = weight_t->data,
                                  .start = start ? start : net->zeros.data,
                                  .start_stride = start ? net->Hp : 0,
                                  .c = c,
                                  .c_stride = net->Hp};
    net->kernels->product(&product);
}

static void retreat_layer(const backward_pass *p, const tile_rows *t, size_t l, size_t s, float *d) {
    const csm_lstm_cpu *net = p->net;
    const lstm_kept *kept = &net->kept[l];
    const size_t B = p->batch->length, place = s * B + t->first;
    lower_rows(p, t, l, s, d);
    if (s + 1 < p->batch->steps) send_back(p, t, l, s + 1, &net->packed[l].recurrent_t, d, d);
    const lstm_retreat retreat = {.rows = t->rows,
                                  .blocks = net->Hp / LSTM_UNITS,
                                  .gates = kept->gates.data + place * net->Zp,
                                  .cell = kept->cell.data + place * net->Hp,
                                  .before = s ? kept->cell.data + (place - B) * net->Hp : NULL,
                                  .d = d,
                                  .d_cell = t->d_cell + l * p->tile * net->Hp};
    net->kernels->retreat(&retreat);
}

static csm_status backward_tile(void *user, size_t begin, size_t end, uint32_t worker) {
    const backward_pass *p = user;
    const csm_lstm_cpu *net = p->net;
    const size_t L = net->shape.layers, rows = p->tile * net->Hp;
    float *share = net->tile.data + worker * (3 * L + 2) * rows;
    const tile_rows t = {.first = begin, .rows = end - begin, .d_cell = share, .d = share + L * rows};
    memset(t.d_cell, 0, L * rows * sizeof(float));
    for (size_t step = p->batch->steps; step > 0; step--) {
        float *d = t.d, *below = t.d + rows;
        if (step == p->batch->steps) {
            lower_head(p, &t, d);
        } else {
            memset(d, 0, rows * sizeof *d);
        }
        for (size_t l = L; l > 0; l--) {
            retreat_layer(p, &t, l - 1, step - 1, d);
            if (l == 1) break;
            send_back(p, &t, l - 1, step - 1, &net->packed[l - 1].input_t, NULL, below);
            float *taken = d;
            d = below;
            below = taken;
        }
    }
    return CSM_OK;
}

/* ---- gradients of weights ---- */

static csm_status outer_rows(void *user, size_t begin, size_t end, uint32_t worker) {
    const backward_pass *p = user;
    lstm_outer outer = p->outer;
    (void)worker;
    outer.first = begin;
    outer.last = end;
    for (size_t t = 0; t < outer.terms; t++) {
        const size_t cols = outer.term[t].cols;
        memset(outer.term[t].c + begin * cols, 0, (end - begin) * cols * sizeof(float));
    }
    p->net->kernels->outer(&outer);
    return CSM_OK;
}

/* net->sum[t] (Zp, cols of term t) = a (depth, Zp)^T b of term t. */
static csm_status sum_outer(backward_pass *p, size_t depth, const float *a, const lstm_outer_term *term,
                            size_t terms) {
    csm_lstm_cpu *net = p->net;
    p->outer = (lstm_outer){.depth = depth, .a = a, .a_stride = net->Zp, .terms = terms};
    for (size_t t = 0; t < terms; t++) {
        csm_status status = lstm_block_reserve(&net->sum[t], net->Zp, term[t].cols);
        if (status) return status;
        p->outer.term[t] = term[t];
        p->outer.term[t].c = net->sum[t].data;
    }
    const size_t grain = (net->Zp / net->threads + LSTM_UNITS - 1) / LSTM_UNITS * LSTM_UNITS;
    return csm_parallel_for(net->threads, net->Zp, grain ? grain : LSTM_UNITS, outer_rows, p);
}

/* Rows of net->sum[t] to their places in PyTorch's order: cols columns from `from` on. */
static void scatter(const backward_pass *p, size_t t, size_t at, size_t from, size_t cols) {
    const csm_lstm_cpu *net = p->net;
    const size_t stride = p->outer.term[t].cols;
    const size_t H = net->shape.hidden;
    for (size_t q = 0; q < 4; q++) {
        for (size_t u = 0; u < H; u++)
            memcpy(p->grad + at + (q * H + u) * cols, net->sum[t].data + lstm_column(u, q) * stride + from,
                   cols * sizeof(float));
    }
}

/* dL/dP (distinct hours, Zp): of each hour, the windows that hold it, in their order. */
static csm_status sum_hours(void *user, size_t begin, size_t end, uint32_t worker) {
    const backward_pass *p = user;
    const csm_lstm_cpu *net = p->net;
    const size_t B = p->batch->length, T = p->batch->steps, Zp = net->Zp;
    (void)worker;
    size_t from = 0, to = B; /* first window that still holds hour `begin` */
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        if (net->place[net->order[middle]] + T <= begin) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    for (size_t r = begin; r < end; r++) {
        float *sum = net->project.data + r * Zp;
        while (net->place[net->order[from]] + T <= r) from++; /* each distinct hour has a window */
        memset(sum, 0, Zp * sizeof *sum);
        for (size_t i = from; i < B && net->place[net->order[i]] <= r; i++) {
            const size_t b = net->order[i], s = r - net->place[b];
            net->kernels->add(sum, net->kept[0].gates.data + (s * B + b) * Zp, Zp);
        }
    }
    return CSM_OK;
}

/* dW_hh: gates of a step meet h of the step before. */
static lstm_outer_term recurrent_term(const backward_pass *p, size_t l) {
    return (lstm_outer_term){.b = p->net->kept[l].hidden.data,
                             .b_stride = p->net->Hp,
                             .cols = p->net->Hp,
                             .skip = p->batch->length};
}

/* Layer 0 where windows share hours: dW_ih is made once an hour. */
static csm_status shared_gradient(backward_pass *p) {
    csm_lstm_cpu *net = p->net;
    const csm_lstm_layer at = csm_lstm_layer_at(&net->shape, 0);
    const lstm_outer_term recurrent = recurrent_term(p, 0);
    const lstm_outer_term input = {.b = net->x.data, .b_stride = net->Ip, .cols = net->Ip};
    csm_status status =
        sum_outer(p, p->batch->steps * p->batch->length, net->kept[0].gates.data, &recurrent, 1);
    if (status) return status;
    scatter(p, 0, at.weight_hh, 0, net->shape.hidden);
    status = csm_parallel_for(net->threads, net->distinct, 64, sum_hours, p);
    if (!status) status = sum_outer(p, net->distinct, net->project.data, &input, 1);
    if (status) return status;
    scatter(p, 0, at.weight_ih, 0, net->shape.inputs);
    scatter(p, 0, at.bias, net->shape.inputs, 1);
    return CSM_OK;
}

/* Both weights at once: what comes in is x, or y of the layer below. */
static csm_status weight_gradients(backward_pass *p, size_t l) {
    csm_lstm_cpu *net = p->net;
    const csm_lstm_layer at = csm_lstm_layer_at(&net->shape, l);
    const size_t places = p->batch->steps * p->batch->length, width = l ? net->Hp : net->Ip;
    const bool raised = l && lstm_raises(net, p->batch, l - 1);
    const float *y = !l ? net->x.data : raised ? net->kept[l - 1].above.data : net->kept[l - 1].hidden.data;
    const lstm_outer_term terms[2] = {recurrent_term(p, l), {.b = y, .b_stride = width, .cols = width}};
    csm_status status = sum_outer(p, places, net->kept[l].gates.data, terms, 2);
    if (status) return status;
    scatter(p, 0, at.weight_hh, 0, net->shape.hidden);
    scatter(p, 1, at.weight_ih, 0, l ? net->shape.hidden : net->shape.inputs);
    if (!l) {
        scatter(p, 1, at.bias, net->shape.inputs, 1);
        return CSM_OK;
    }
    const float one[LSTM_UNITS] = {1.0f};
    const lstm_outer_term bias = {.b = one, .cols = LSTM_UNITS};
    if ((status = sum_outer(p, places, net->kept[l].gates.data, &bias, 1))) return status;
    scatter(p, 0, at.bias, 0, 1);
    return CSM_OK;
}

static void norm_gradient(backward_pass *p, size_t l) {
    const csm_lstm_cpu *net = p->net;
    const csm_lstm_layer at = csm_lstm_layer_at(&net->shape, l);
    const lstm_kept *kept = &net->kept[l];
    const size_t places = p->batch->steps * p->batch->length, H = net->shape.hidden;
    memset(p->grad + at.gain, 0, 2 * H * sizeof *p->grad);
    for (size_t place = 0; place < places; place++) {
        const float *h = kept->hidden.data + place * net->Hp, *norm = kept->norm.data + place * 2;
        const float *d = kept->d_norm.data + place * net->Hp;
        for (size_t u = 0; u < H; u++) {
            p->grad[at.gain + u] += d[u] * ((h[u] - norm[0]) * norm[1]);
            p->grad[at.offset + u] += d[u];
        }
    }
}

static csm_status layer_gradient(backward_pass *p, size_t l) {
    if (p->net->shape.layer_norm) norm_gradient(p, l);
    return l || p->net->direct ? weight_gradients(p, l) : shared_gradient(p);
}

static void head_gradient(const backward_pass *p) {
    const csm_lstm_cpu *net = p->net;
    const size_t H = net->shape.hidden, O = net->shape.outputs;
    float *weight = p->grad + csm_lstm_head_weight(&net->shape),
          *bias = p->grad + csm_lstm_head_bias(&net->shape);
    memset(weight, 0, (O * H + O) * sizeof *weight);
    for (size_t b = 0; b < p->batch->length; b++) {
        for (size_t o = 0; o < O; o++) {
            const float dout = p->dout[b * O + o], *y = net->top.data + b * net->Hp;
            for (size_t u = 0; u < H; u++) weight[o * H + u] += dout * y[u];
            bias[o] += dout;
        }
    }
}

/* ---- gradients of inputs ---- */

static csm_status lower_hours(void *user, size_t begin, size_t end, uint32_t worker) {
    const csm_lstm_cpu *net = ((backward_pass *)user)->net;
    (void)worker;
    const lstm_product product = {.rows = end - begin,
                                  .cols = net->Ip,
                                  .depth = net->Zp,
                                  .a = net->project.data + begin * net->Zp,
                                  .stride = net->Zp,
                                  .w = net->packed[0].input_t.data,
                                  .start = net->zeros.data,
                                  .c = net->x.data + begin * net->Ip,
                                  .c_stride = net->Ip};
    net->kernels->product(&product);
    return CSM_OK;
}

/* net->x becomes dL/dx of the distinct hours. */
static csm_status gradient_of_hours(backward_pass *p, float *dx) {
    csm_lstm_cpu *net = p->net;
    const size_t I = net->shape.inputs;
    csm_status status = CSM_OK;
    if (net->direct) { /* it has not been needed before */
        status = lstm_block_reserve(&net->project, net->distinct, net->Zp);
        if (!status) status = csm_parallel_for(net->threads, net->distinct, 64, sum_hours, p);
    }
    if (!status) status = csm_parallel_for(net->threads, net->distinct, 96, lower_hours, p);
    if (status) return status;
    memset(dx, 0, p->batch->hours * I * sizeof *dx);
    for (size_t i = 0; i < net->span_count; i++) {
        const lstm_span *span = &net->spans[i];
        for (size_t r = 0; r < span->length; r++)
            memcpy(dx + (span->hour + r) * I, net->x.data + (span->place + r) * net->Ip, I * sizeof *dx);
    }
    return CSM_OK;
}

csm_status csm_lstm_cpu_backward(csm_lstm_cpu *net, const csm_lstm_batch *batch, const float *dout,
                                 float *grad, float *dx) {
    backward_pass p = {
        .net = net, .batch = batch, .dout = dout, .grad = grad, .tile = lstm_tile_rows(net, batch->length)};
    if (!net->keeps) return csm_fail(CSM_EINTERNAL, "lstm: backward without a forward that kept its steps");
    net->keeps = false;
    csm_status status = csm_parallel_for(net->threads, batch->length, p.tile, backward_tile, &p);
    for (size_t l = 0; l < net->shape.layers && !status; l++) status = layer_gradient(&p, l);
    if (status) return status;
    head_gradient(&p);
    return dx ? gradient_of_hours(&p, dx) : CSM_OK;
}
