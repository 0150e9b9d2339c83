/* SPDX-License-Identifier: MIT */
/* The fast LSTM forward: the hours' projection, then tiles of windows through all steps, each tile by one thread. */
#include "backend/cpu/lstm_twin.h"

#include <string.h>

#define HOURS_GRAIN 96
#define TILE_MAX 120

typedef struct forward_pass {
    csm_lstm_cpu *net;
    const csm_lstm_batch *batch;
    float *out;
    bool keep;
    size_t tile; /* rows */
} forward_pass;

static csm_status project_hours(void *user, size_t begin, size_t end, uint32_t worker) {
    const csm_lstm_cpu *net = ((forward_pass *)user)->net;
    (void)worker;
    const lstm_product p = {.rows = end - begin,
                            .cols = net->Zp,
                            .depth = net->shape.inputs,
                            .a = net->x.data + begin * net->Ip,
                            .stride = net->Ip,
                            .w = net->packed[0].input.data,
                            .start = net->packed[0].bias.data,
                            .c = net->project.data + begin * net->Zp,
                            .c_stride = net->Zp};
    net->kernels->product(&p);
    return CSM_OK;
}

/* ---- a tile of windows ---- */

typedef struct tile_rows {
    size_t first, rows; /* windows */
    float *scratch;     /* (3 L + 1) times (rows, Hp) without keep: h twice and c of each layer, y */
    float *inputs;      /* (rows, Ip) */
    const float *below; /* y of the layer below, (rows, Hp) */
} tile_rows;

/* Where h of layer l after step s lies. */
static float *hidden_at(const forward_pass *f, const tile_rows *t, size_t l, size_t s) {
    const size_t Hp = f->net->Hp;
    if (f->keep) return f->net->kept[l].hidden.data + (s * f->batch->length + t->first) * Hp;
    return t->scratch + (3 * l + s % 2) * f->tile * Hp;
}

static float *cell_at(const forward_pass *f, const tile_rows *t, size_t l, size_t s) {
    const size_t Hp = f->net->Hp;
    if (f->keep) return f->net->kept[l].cell.data + (s * f->batch->length + t->first) * Hp;
    return t->scratch + (3 * l + 2) * f->tile * Hp;
}

/* The tile's inputs of step s, (rows, Ip), where windows share too few hours for a projection of their own. */
static const float *inputs_at(const forward_pass *f, const tile_rows *t, size_t s) {
    const csm_lstm_cpu *net = f->net;
    float *to = f->keep ? net->x.data + (s * f->batch->length + t->first) * net->Ip : t->inputs;
    for (size_t r = 0; r < t->rows; r++)
        lstm_copy_hour(net, to + r * net->Ip,
                       f->batch->x + (f->batch->first[t->first + r] + s) * net->shape.inputs);
    return to;
}

/* What z starts from: the hour's projection, or the bias. */
static void list_starts(const float **start, const forward_pass *f, const tile_rows *t, size_t l, size_t s) {
    const csm_lstm_cpu *net = f->net;
    const bool projected = l == 0 && !net->direct;
    for (size_t r = 0; r < t->rows; r++)
        start[r] = projected ? net->project.data + (net->place[t->first + r] + s) * net->Zp
                             : net->packed[l].bias.data;
}

static void advance_layer(const forward_pass *f, tile_rows *t, size_t l, size_t s) {
    const csm_lstm_cpu *net = f->net;
    const float *start[TILE_MAX];
    const size_t H = net->shape.hidden, place = s * f->batch->length + t->first;
    const bool direct = l == 0 && net->direct;
    list_starts(start, f, t, l, s);
    lstm_advance a = {.rows = t->rows,
                      .blocks = net->Hp / LSTM_UNITS,
                      .start = start,
                      .gates = f->keep ? net->kept[l].gates.data + place * net->Zp : NULL,
                      .before = s ? cell_at(f, t, l, s - 1) : NULL,
                      .cell = cell_at(f, t, l, s),
                      .hidden = hidden_at(f, t, l, s)};
    const float *const input = l ? t->below : direct ? inputs_at(f, t, s) : NULL;
    const float *const operand[2] = {input, s ? hidden_at(f, t, l, s - 1) : NULL};
    const float *const weight[2] = {net->packed[l].input.data, net->packed[l].recurrent.data};
    for (size_t i = 0; i < 2; i++) {
        if (!operand[i]) continue;
        a.a[a.terms] = operand[i];
        a.w[a.terms] = weight[i];
        a.stride[a.terms] = direct && i == 0 ? net->Ip : net->Hp;
        a.depth[a.terms++] = direct && i == 0 ? net->shape.inputs : H;
    }
    net->kernels->advance(&a);
}

/* t->below becomes y of layer l. */
static void raise_layer(const forward_pass *f, tile_rows *t, size_t l, size_t s) {
    const csm_lstm_cpu *net = f->net;
    const size_t Hp = net->Hp, place = s * f->batch->length + t->first;
    const float *hidden = hidden_at(f, t, l, s);
    t->below = hidden;
    if (!lstm_raises(net, f->batch, l)) return;
    float *above =
        f->keep ? net->kept[l].above.data + place * Hp : t->scratch + 3 * net->shape.layers * f->tile * Hp;
    for (size_t r = 0; r < t->rows; r++) {
        float unused[2],
            *norm = f->keep && net->shape.layer_norm ? net->kept[l].norm.data + (place + r) * 2 : unused;
        lstm_raise(net, f->batch, l, s, t->first + r, hidden + r * Hp, above + r * Hp, norm);
    }
    t->below = above;
}

static void apply_head(const forward_pass *f, const tile_rows *t) {
    csm_lstm_cpu *net = f->net;
    const size_t H = net->shape.hidden, O = net->shape.outputs;
    const float *weight = net->parameters + csm_lstm_head_weight(&net->shape);
    const float *bias = net->parameters + csm_lstm_head_bias(&net->shape);
    if (!t->below) return; /* a network has at least one layer */
    for (size_t r = 0; r < t->rows; r++) {
        const float *y = t->below + r * net->Hp;
        memcpy(net->top.data + (t->first + r) * net->Hp, y, net->Hp * sizeof *y);
        for (size_t o = 0; o < O; o++) {
            float sum = bias[o];
            for (size_t u = 0; u < H; u++) sum += weight[o * H + u] * y[u];
            f->out[(t->first + r) * O + o] = sum;
        }
    }
}

/* Floats of a thread's own rows. */
static size_t state_floats(const forward_pass *f) {
    return (3 * f->net->shape.layers + 2) * f->tile * f->net->Hp;
}

static csm_status forward_tile(void *user, size_t begin, size_t end, uint32_t worker) {
    forward_pass *f = user;
    float *share = f->net->tile.data + worker * (state_floats(f) + f->tile * f->net->Ip);
    tile_rows t = {.first = begin, .rows = end - begin, .scratch = share, .inputs = share + state_floats(f)};
    for (size_t s = 0; s < f->batch->steps; s++) {
        for (size_t l = 0; l < f->net->shape.layers; l++) {
            advance_layer(f, &t, l, s);
            raise_layer(f, &t, l, s);
        }
    }
    apply_head(f, &t);
    return CSM_OK;
}

/* ---- the whole batch ---- */

static csm_status reserve_kept(csm_lstm_cpu *net, const csm_lstm_batch *batch) {
    const size_t places = batch->steps * batch->length, norm = net->shape.layer_norm;
    csm_status status = net->direct ? lstm_block_reserve(&net->x, places, net->Ip) : CSM_OK;
    for (size_t l = 0; l < net->shape.layers && !status; l++) {
        lstm_kept *kept = &net->kept[l];
        status = lstm_block_reserve(&kept->gates, places, net->Zp);
        if (!status) status = lstm_block_reserve(&kept->cell, places, net->Hp);
        if (!status) status = lstm_block_reserve(&kept->hidden, places, net->Hp);
        if (!status && lstm_raises(net, batch, l)) status = lstm_block_reserve(&kept->above, places, net->Hp);
        if (!status && norm) status = lstm_block_reserve(&kept->norm, places, 2);
        if (!status && norm) status = lstm_block_reserve(&kept->d_norm, places, net->Hp);
    }
    return status;
}

csm_status csm_lstm_cpu_forward(csm_lstm_cpu *net, const csm_lstm_batch *batch, bool keep, float *out) {
    forward_pass f = {net, batch, out, keep, lstm_tile_rows(net, batch->length)};
    net->keeps = false;
    csm_status status = csm_lstm_check(&net->shape, batch);
    if (status) return status;
    if ((status = lstm_gather(net, batch))) return status;
    if (keep && (status = reserve_kept(net, batch))) return status;
    if ((status = lstm_block_reserve(&net->top, batch->length, net->Hp))) return status;
    if ((status = lstm_block_reserve(&net->tile, net->threads, state_floats(&f) + f.tile * net->Ip)))
        return status;
    if (!net->direct) status = csm_parallel_for(net->threads, net->distinct, HOURS_GRAIN, project_hours, &f);
    if (status) return status;
    status = csm_parallel_for(net->threads, batch->length, f.tile, forward_tile, &f);
    net->keeps = keep && !status;
    return status;
}
