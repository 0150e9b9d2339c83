/* SPDX-License-Identifier: MIT */
/*
 * The reference in one number type: lstm.c includes this body with REAL float and with REAL double. Every sum runs in
 * the order written. Names end in _f32 or _f64 through NAME.
 */

/* What forward keeps, one layer. */
typedef struct NAME(kept) {
    REAL *gates;  /* (T, B, 4H) i, f, g, o; backward turns them into dL/dz */
    REAL *cell;   /* (T, B, H) */
    REAL *hidden; /* (T, B, H) */
    REAL *above;  /* (T, B, H): y, what the next layer or the head sees */
    REAL *norm;   /* (T, B, 2): mean, 1/deviation */
} NAME(kept);

typedef struct NAME(pass) {
    const csm_lstm_shape *shape;
    const csm_lstm_batch *batch;
    const REAL *parameters;
    const REAL *x;     /* (R, I) */
    NAME(kept) * kept; /* (L) */
    REAL *project;     /* (R, 4H): x W_ih^T + b */
    REAL *d_above;     /* (T, B, H): dL/dy of the layer at hand */
    REAL *d_below;     /* (T, B, H): dL/dy of the layer below */
    REAL *d_project;   /* (R, 4H) */
} NAME(pass);

static void NAME(free_pass)(NAME(pass) * p) {
    for (size_t l = 0; p->kept && l < p->shape->layers; l++) {
        csm_dealloc(p->kept[l].gates);
        csm_dealloc(p->kept[l].cell);
        csm_dealloc(p->kept[l].hidden);
        csm_dealloc(p->kept[l].above);
        csm_dealloc(p->kept[l].norm);
    }
    csm_dealloc(p->kept);
    csm_dealloc(p->project);
    csm_dealloc(p->d_above);
    csm_dealloc(p->d_below);
    csm_dealloc(p->d_project);
}

static csm_status NAME(open_pass)(NAME(pass) * p) {
    const size_t places = p->batch->steps * p->batch->length, H = p->shape->hidden;
    p->kept = csm_alloc_array(p->shape->layers, sizeof *p->kept);
    p->project = csm_alloc_array(p->batch->hours, 4 * H * sizeof(REAL));
    p->d_project = csm_alloc_array(p->batch->hours, 4 * H * sizeof(REAL));
    p->d_above = csm_alloc_array(places, H * sizeof(REAL));
    p->d_below = csm_alloc_array(places, H * sizeof(REAL));
    if (!p->kept || !p->project || !p->d_project || !p->d_above || !p->d_below) return CSM_ENOMEM;
    for (size_t l = 0; l < p->shape->layers; l++) {
        NAME(kept) *kept = &p->kept[l];
        kept->gates = csm_alloc_array(places, 4 * H * sizeof(REAL));
        kept->cell = csm_alloc_array(places, H * sizeof(REAL));
        kept->hidden = csm_alloc_array(places, H * sizeof(REAL));
        kept->above = csm_alloc_array(places, H * sizeof(REAL));
        kept->norm = csm_alloc_array(places, 2 * sizeof(REAL));
        if (!kept->gates || !kept->cell || !kept->hidden || !kept->above || !kept->norm) return CSM_ENOMEM;
    }
    return CSM_OK;
}

/* z (rows) += weight (rows, cols) v (cols) */
static void NAME(add_product)(REAL *z, const REAL *weight, const REAL *v, size_t rows, size_t cols) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < cols; c++) z[r] += weight[r * cols + c] * v[c];
    }
}

/* v (cols) += weight^T (cols, rows) z (rows) */
static void NAME(add_transposed)(REAL *v, const REAL *weight, const REAL *z, size_t rows, size_t cols) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < cols; c++) v[c] += weight[r * cols + c] * z[r];
    }
}

/* grad (rows, cols) += z (rows) v (cols)^T */
static void NAME(add_outer)(REAL *grad, const REAL *z, const REAL *v, size_t rows, size_t cols) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < cols; c++) grad[r * cols + c] += z[r] * v[c];
    }
}

/* ---- forward ---- */

static void NAME(project_hours)(NAME(pass) * p) {
    const size_t I = p->shape->inputs, Z = 4 * p->shape->hidden;
    const csm_lstm_layer at = csm_lstm_layer_at(p->shape, 0);
    for (size_t r = 0; r < p->batch->hours; r++) {
        REAL *z = p->project + r * Z;
        memcpy(z, p->parameters + at.bias, Z * sizeof *z);
        for (size_t row = 0; row < Z; row++) {
            const REAL *weight = p->parameters + at.weight_ih + row * I;
            for (size_t k = 0; k < I; k++) z[row] += weight[k] * p->x[r * I + k];
        }
    }
}

/* y = dropout(norm(h)) of one place (H). */
static void NAME(raise_hidden)(NAME(pass) * p, size_t layer, size_t s, size_t b) {
    const size_t H = p->shape->hidden, place = s * p->batch->length + b;
    const csm_lstm_layer at = csm_lstm_layer_at(p->shape, layer);
    const REAL *h = p->kept[layer].hidden + place * H;
    REAL *y = p->kept[layer].above + place * H, *norm = p->kept[layer].norm + place * 2;
    memcpy(y, h, H * sizeof *y);
    if (p->shape->layer_norm) {
        REAL mean = 0, square = 0;
        for (size_t u = 0; u < H; u++) mean += h[u];
        mean /= (REAL)H;
        for (size_t u = 0; u < H; u++) square += (h[u] - mean) * (h[u] - mean);
        norm[0] = mean;
        norm[1] = 1 / (REAL)sqrt((double)(square / (REAL)H + (REAL)CSM_LSTM_NORM_EPSILON));
        for (size_t u = 0; u < H; u++)
            y[u] = (h[u] - mean) * norm[1] * p->parameters[at.gain + u] + p->parameters[at.offset + u];
    }
    for (size_t u = 0; u < H; u++) y[u] *= (REAL)dropout_scale(p->shape, p->batch, layer, s, b, u);
}

static void NAME(forward_layer)(NAME(pass) * p, size_t layer) {
    const size_t H = p->shape->hidden, Z = 4 * H, B = p->batch->length;
    const csm_lstm_layer at = csm_lstm_layer_at(p->shape, layer);
    NAME(kept) *kept = &p->kept[layer];
    for (size_t s = 0; s < p->batch->steps; s++) {
        for (size_t b = 0; b < B; b++) {
            const size_t place = s * B + b;
            REAL *z = kept->gates + place * Z, *c = kept->cell + place * H;
            if (layer == 0) {
                memcpy(z, p->project + (p->batch->first[b] + s) * Z, Z * sizeof *z);
            } else {
                memcpy(z, p->parameters + at.bias, Z * sizeof *z);
                NAME(add_product)
                (z, p->parameters + at.weight_ih, p->kept[layer - 1].above + place * H, Z, H);
            }
            if (s > 0) {
                NAME(add_product)(z, p->parameters + at.weight_hh, kept->hidden + (place - B) * H, Z, H);
                memcpy(c, kept->cell + (place - B) * H, H * sizeof *c);
            }
            for (size_t u = 0; u < H; u++)
                kept->hidden[place * H + u] =
                    NAME(cell_forward)(&z[u], &z[H + u], &z[2 * H + u], &z[3 * H + u], &c[u]);
            NAME(raise_hidden)(p, layer, s, b);
        }
    }
}

static void NAME(forward_head)(const NAME(pass) * p, REAL *out) {
    const size_t H = p->shape->hidden, O = p->shape->outputs, B = p->batch->length;
    const REAL *last = p->kept[p->shape->layers - 1].above + (p->batch->steps - 1) * B * H; /* (B, H) */
    for (size_t b = 0; b < B; b++) {
        memcpy(out + b * O, p->parameters + csm_lstm_head_bias(p->shape), O * sizeof *out);
        NAME(add_product)(out + b * O, p->parameters + csm_lstm_head_weight(p->shape), last + b * H, O, H);
    }
}

/* ---- backward ---- */

static void NAME(backward_head)(NAME(pass) * p, const REAL *dout, REAL *grad) {
    const size_t H = p->shape->hidden, O = p->shape->outputs, B = p->batch->length;
    const size_t last = (p->batch->steps - 1) * B;
    const REAL *y = p->kept[p->shape->layers - 1].above + last * H; /* (B, H) */
    for (size_t b = 0; b < B; b++) {
        NAME(add_outer)(grad + csm_lstm_head_weight(p->shape), dout + b * O, y + b * H, O, H);
        for (size_t o = 0; o < O; o++) grad[csm_lstm_head_bias(p->shape) + o] += dout[b * O + o];
        NAME(add_transposed)
        (p->d_above + (last + b) * H, p->parameters + csm_lstm_head_weight(p->shape), dout + b * O, O, H);
    }
}

/* dL/dy (H) of one place becomes dL/dh, in place; with norm also the gradients of gain and offset. */
static void NAME(lower_gradient)(NAME(pass) * p, size_t layer, size_t s, size_t b, REAL *d, REAL *grad) {
    const size_t H = p->shape->hidden, place = s * p->batch->length + b;
    const csm_lstm_layer at = csm_lstm_layer_at(p->shape, layer);
    const REAL *h = p->kept[layer].hidden + place * H, *norm = p->kept[layer].norm + place * 2;
    for (size_t u = 0; u < H; u++) d[u] *= (REAL)dropout_scale(p->shape, p->batch, layer, s, b, u);
    if (!p->shape->layer_norm) return;
    REAL sum = 0, dot = 0; /* of d gain, and of d gain times the normalised h */
    for (size_t u = 0; u < H; u++) {
        const REAL normal = (h[u] - norm[0]) * norm[1];
        grad[at.gain + u] += d[u] * normal;
        grad[at.offset + u] += d[u];
        sum += d[u] * p->parameters[at.gain + u];
        dot += d[u] * p->parameters[at.gain + u] * normal;
    }
    for (size_t u = 0; u < H; u++) {
        const REAL normal = (h[u] - norm[0]) * norm[1];
        d[u] = norm[1] * (d[u] * p->parameters[at.gain + u] - (sum + normal * dot) / (REAL)H);
    }
}

/* Takes d_above, turns gates into dL/dz, and leaves d_below (layers above 0) or d_project. */
static csm_status NAME(backward_layer)(NAME(pass) * p, size_t layer, REAL *grad) {
    const size_t H = p->shape->hidden, Z = 4 * H, B = p->batch->length;
    const csm_lstm_layer at = csm_lstm_layer_at(p->shape, layer);
    NAME(kept) *kept = &p->kept[layer];
    REAL *d_cell = csm_alloc_array(B, H * sizeof *d_cell); /* (B, H): from the step after */
    REAL *zero = csm_alloc_array(H, sizeof *zero);
    csm_status status = d_cell && zero ? CSM_OK : CSM_ENOMEM;
    for (size_t step = p->batch->steps; step > 0 && !status; step--) {
        for (size_t b = 0; b < B; b++) {
            const size_t s = step - 1, place = s * B + b;
            REAL *z = kept->gates + place * Z, *d = p->d_above + place * H;
            const REAL *c = kept->cell + place * H, *before = s ? c - B * H : zero;
            NAME(lower_gradient)(p, layer, s, b, d, grad);
            if (step < p->batch->steps)
                NAME(add_transposed)(d, p->parameters + at.weight_hh, kept->gates + (place + B) * Z, Z, H);
            for (size_t u = 0; u < H; u++) NAME(cell_backward)
            (&z[u], &z[H + u], &z[2 * H + u], &z[3 * H + u], c[u], before[u], d[u], &d_cell[b * H + u]);
            if (s) NAME(add_outer)(grad + at.weight_hh, z, kept->hidden + (place - B) * H, Z, H);
            for (size_t row = 0; row < Z; row++) grad[at.bias + row] += z[row];
            if (layer == 0) {
                REAL *dp = p->d_project + (p->batch->first[b] + s) * Z;
                for (size_t row = 0; row < Z; row++) dp[row] += z[row];
            } else {
                NAME(add_outer)(grad + at.weight_ih, z, p->kept[layer - 1].above + place * H, Z, H);
                NAME(add_transposed)(p->d_below + place * H, p->parameters + at.weight_ih, z, Z, H);
            }
        }
    }
    csm_dealloc(d_cell);
    csm_dealloc(zero);
    return status;
}

/* dW_ih of layer 0 and dx, once an hour. */
static void NAME(backward_hours)(const NAME(pass) * p, REAL *grad, REAL *dx) {
    const size_t I = p->shape->inputs, Z = 4 * p->shape->hidden;
    const csm_lstm_layer at = csm_lstm_layer_at(p->shape, 0);
    for (size_t r = 0; r < p->batch->hours; r++) {
        const REAL *dp = p->d_project + r * Z;
        for (size_t row = 0; row < Z; row++) {
            REAL *to = grad + at.weight_ih + row * I;
            for (size_t k = 0; k < I; k++) to[k] += dp[row] * p->x[r * I + k];
        }
        if (dx) NAME(add_transposed)(dx + r * I, p->parameters + at.weight_ih, dp, Z, I);
    }
}

static csm_status NAME(backward)(NAME(pass) * p, const REAL *dout, REAL *grad, REAL *dx) {
    const size_t places = p->batch->steps * p->batch->length;
    csm_status status = CSM_OK;
    memset(grad, 0, csm_lstm_parameters(p->shape) * sizeof *grad);
    if (dx) memset(dx, 0, p->batch->hours * p->shape->inputs * sizeof *dx);
    NAME(backward_head)(p, dout, grad);
    for (size_t layer = p->shape->layers; layer > 0 && !status; layer--) {
        status = NAME(backward_layer)(p, layer - 1, grad);
        REAL *taken = p->d_above;
        p->d_above = p->d_below;
        p->d_below = taken;
        memset(p->d_below, 0, places * p->shape->hidden * sizeof *p->d_below);
    }
    if (!status) NAME(backward_hours)(p, grad, dx);
    return status;
}

csm_status NAME(csm_lstm_plain)(const csm_lstm_shape *shape, const REAL *parameters,
                                const csm_lstm_batch *batch, const REAL *x, REAL *out, const REAL *dout,
                                REAL *grad, REAL *dx) {
    NAME(pass) p = {.shape = shape, .batch = batch, .parameters = parameters, .x = x};
    csm_status status = csm_lstm_check(shape, batch);
    if (status) return status;
    if ((status = NAME(open_pass)(&p))) goto done;
    NAME(project_hours)(&p);
    for (size_t layer = 0; layer < shape->layers; layer++) NAME(forward_layer)(&p, layer);
    NAME(forward_head)(&p, out);
    if (grad) status = NAME(backward)(&p, dout, grad, dx);
done:
    NAME(free_pass)(&p);
    return status;
}
