/* SPDX-License-Identifier: MIT */
/*
 * Tensors of an LSTM, PyTorch's names and shapes: lstm.weight_ih_l0 (4H, I), lstm.weight_hh_l0 (4H, H), lstm.bias_l0 (4H, the
 * sum of PyTorch's two), lstm.norm_l0.weight and .bias (H), lstm.head.weight (O, H), lstm.head.bias (O); further members of
 * an ensemble stand under lstm1., lstm2., ... Beside them: lstm.sizes (window, hidden, layers, layer_norm, members),
 * lstm.dropout, lstm.mean and lstm.inverse (I), lstm.heads (4 O: objective, column, parameter, weight), lstm.target
 * (2 O: offset, scale).
 */
#include "model/lstm/internal.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SIZES 5
#define NAME_MAX_BYTES 64

/* One tensor of a member: where it stands among the parameters. */
typedef struct part {
    char name[NAME_MAX_BYTES];
    size_t at;
    size_t shape[2];
    uint32_t rank;
} part;

static size_t part_count(const csm_lstm_shape *shape) {
    return shape->layers * (shape->layer_norm ? 5 : 3) + 2;
}

static part part_at(const csm_lstm_shape *shape, size_t member, size_t index) {
    const size_t each = shape->layer_norm ? 5 : 3, l = index / each, H = shape->hidden, O = shape->outputs;
    char prefix[NAME_MAX_BYTES / 2] = "lstm";
    if (member) snprintf(prefix, sizeof prefix, "lstm%zu", member);
    part p;
    if (l >= shape->layers) {
        const bool bias = index == part_count(shape) - 1;
        p = (part){.at = bias ? csm_lstm_head_bias(shape) : csm_lstm_head_weight(shape),
                   .shape = {O, H},
                   .rank = bias ? 1 : 2};
        snprintf(p.name, sizeof p.name, "%s.head.%s", prefix, bias ? "bias" : "weight");
        return p;
    }
    const csm_lstm_layer at = csm_lstm_layer_at(shape, l);
    const struct {
        const char *before, *after;
        size_t at, rows, cols;
    } parts[5] = {{"weight_ih_l", "", at.weight_ih, 4 * H, l ? H : shape->inputs},
                  {"weight_hh_l", "", at.weight_hh, 4 * H, H},
                  {"bias_l", "", at.bias, 4 * H, 0},
                  {"norm_l", ".weight", at.gain, H, 0},
                  {"norm_l", ".bias", at.offset, H, 0}};
    const size_t i = index % each;
    p = (part){.at = parts[i].at, .shape = {parts[i].rows, parts[i].cols}, .rank = parts[i].cols ? 2 : 1};
    snprintf(p.name, sizeof p.name, "%s.%s%zu%s", prefix, parts[i].before, l, parts[i].after);
    return p;
}

/* ---- writing ---- */

static csm_status write_settings(const lstm_model *model, csm_tensors_writer *writer, const char *prefix) {
    const csm_lstm_shape *shape = &model->shape;
    const int64_t sizes[SIZES] = {(int64_t)model->window, (int64_t)shape->hidden, (int64_t)shape->layers,
                                  (int64_t)shape->layer_norm, (int64_t)model->members};
    double *heads = csm_alloc_array(shape->outputs, 4 * sizeof *heads);
    double *target = csm_alloc_array(shape->outputs, 2 * sizeof *target);
    csm_status status = heads && target ? CSM_OK : CSM_ENOMEM;
    for (size_t o = 0; o < shape->outputs && !status; o++) {
        const csm_head *head = &model->heads[o];
        const double row[4] = {head->objective, head->column, head->parameter, head->weight};
        memcpy(heads + 4 * o, row, sizeof row);
        target[2 * o] = model->target[o].offset;
        target[2 * o + 1] = model->target[o].scale;
    }
    const struct {
        const char *name;
        csm_tensor_type type;
        const void *data;
        size_t count;
    } tensors[] = {{"lstm.sizes", CSM_TENSOR_I64, sizes, SIZES},
                   {"lstm.dropout", CSM_TENSOR_F32, &model->dropout, 1},
                   {"lstm.mean", CSM_TENSOR_F64, model->mean, shape->inputs},
                   {"lstm.inverse", CSM_TENSOR_F64, model->inverse, shape->inputs},
                   {"lstm.heads", CSM_TENSOR_F64, heads, 4 * shape->outputs},
                   {"lstm.target", CSM_TENSOR_F64, target, 2 * shape->outputs}};
    for (size_t i = 0; i < sizeof tensors / sizeof *tensors && !status; i++)
        status = csm_tensors_add_array(writer, prefix, tensors[i].name, tensors[i].type, tensors[i].data,
                                       tensors[i].count);
    csm_dealloc(heads);
    csm_dealloc(target);
    return status;
}

csm_status lstm_write(const void *state, csm_tensors_writer *writer, const char *prefix) {
    const lstm_model *model = state;
    csm_status status = write_settings(model, writer, prefix);
    for (size_t m = 0; m < model->members && !status; m++) {
        for (size_t i = 0; i < part_count(&model->shape) && !status; i++) {
            const part p = part_at(&model->shape, m, i);
            status = csm_tensors_add(writer, prefix, p.name, CSM_TENSOR_F32, p.shape, p.rank,
                                     model->parameters + m * model->count + p.at);
        }
    }
    return status;
}

/* ---- reading ---- */

/* Before memory is taken: the last member's two largest tensors are there and as large as the sizes say. */
static bool claims_hold(const csm_lstm_shape *shape, size_t members, const csm_tensors *tensors,
                        const char *prefix) {
    if (!csm_lstm_parameters(shape) || members == 0) return false;
    for (size_t i = 0; i < 2; i++) {
        const part p = part_at(shape, members - 1, i);
        const csm_tensor *tensor = csm_tensors_find(tensors, prefix, p.name);
        if (!tensor || tensor->count != p.shape[0] * p.shape[1]) return false;
    }
    return true;
}

static csm_status read_sizes(lstm_model **out, const csm_model_info *info, const csm_tensors *tensors,
                             const char *prefix) {
    int64_t *sizes = NULL;
    size_t count = SIZES;
    csm_status status =
        csm_tensors_copy((void **)&sizes, &count, tensors, prefix, "lstm.sizes", CSM_TENSOR_I64);
    if (status) return status;
    for (size_t i = 0; i < SIZES && !status; i++) {
        if (sizes[i] < 0 || sizes[i] > LSTM_WINDOW_MAX)
            status = csm_fail(CSM_ECORRUPT, "lstm: size %zu is %lld", i, (long long)sizes[i]);
    }
    if (!status) {
        const csm_lstm_shape shape = {.inputs = info->features,
                                      .hidden = (size_t)sizes[1],
                                      .layers = (size_t)sizes[2],
                                      .outputs = info->outputs,
                                      .layer_norm = (uint32_t)sizes[3]};
        if (!claims_hold(&shape, (size_t)sizes[4], tensors, prefix))
            status = csm_fail(CSM_ECORRUPT, "lstm: lstm.sizes and the tensors do not agree");
        else if ((status = lstm_model_new(out, &shape, (size_t)sizes[0], (size_t)sizes[4])) == CSM_EINVAL)
            status = csm_fail_prefix(CSM_ECORRUPT, "lstm.sizes");
    }
    csm_dealloc(sizes);
    return status;
}

static csm_status read_array(double *out, const csm_tensors *tensors, const char *prefix, const char *name,
                             size_t count) {
    void *data = NULL;
    size_t expected = count;
    csm_status status = csm_tensors_copy(&data, &expected, tensors, prefix, name, CSM_TENSOR_F64);
    if (!status) memcpy(out, data, count * sizeof *out);
    csm_dealloc(data);
    for (size_t i = 0; i < count && !status; i++) {
        if (!isfinite(out[i]))
            status = csm_fail(CSM_ECORRUPT, "lstm: %s holds a value that is not finite", name);
    }
    return status;
}

static csm_status take_head(csm_head *head, lstm_target *target, const double *row, const double *scale) {
    const bool whole = row[0] >= 0 && row[0] <= 31 && row[0] == floor(row[0]) && row[1] >= 0 &&
                       row[1] <= UINT32_MAX && row[1] == floor(row[1]);
    if (!whole || !(csm_learner_lstm.about.objectives >> (uint32_t)row[0] & 1) || !(row[3] > 0) ||
        !(scale[1] > 0))
        return csm_fail(CSM_ECORRUPT, "lstm: a head that cannot be");
    *head = (csm_head){(uint32_t)row[0], (uint32_t)row[1], row[2], row[3]};
    *target = (lstm_target){scale[0], scale[1]};
    return CSM_OK;
}

static csm_status read_settings(lstm_model *model, const csm_tensors *tensors, const char *prefix) {
    const size_t O = model->shape.outputs, I = model->shape.inputs;
    float *dropout = NULL;
    size_t one = 1;
    double *rows = csm_alloc_array(O, 6 * sizeof *rows), *targets = rows ? rows + 4 * O : NULL;
    if (!rows) return CSM_ENOMEM;
    csm_status status = read_array(rows, tensors, prefix, "lstm.heads", 4 * O);
    if (!status) status = read_array(targets, tensors, prefix, "lstm.target", 2 * O);
    for (size_t o = 0; o < O && !status; o++)
        status = take_head(&model->heads[o], &model->target[o], rows + 4 * o, targets + 2 * o);
    if (!status) status = read_array(model->mean, tensors, prefix, "lstm.mean", I);
    if (!status) status = read_array(model->inverse, tensors, prefix, "lstm.inverse", I);
    for (size_t f = 0; f < I && !status; f++) {
        if (model->inverse[f] < 0) status = csm_fail(CSM_ECORRUPT, "lstm: lstm.inverse is below 0 at %zu", f);
    }
    if (!status)
        status = csm_tensors_copy((void **)&dropout, &one, tensors, prefix, "lstm.dropout", CSM_TENSOR_F32);
    if (!status && !(*dropout >= 0 && *dropout < 1))
        status = csm_fail(CSM_ECORRUPT, "lstm: dropout %g", (double)*dropout);
    if (!status) model->dropout = *dropout;
    csm_dealloc(dropout);
    csm_dealloc(rows);
    return status;
}

static csm_status read_part(float *out, const part *p, const csm_tensors *tensors, const char *prefix) {
    const csm_tensor *tensor = csm_tensors_find(tensors, prefix, p->name);
    const size_t count = p->shape[0] * (p->rank == 2 ? p->shape[1] : 1);
    if (!tensor || tensor->type != CSM_TENSOR_F32 || tensor->rank != p->rank ||
        tensor->shape[0] != p->shape[0] || tensor->count != count)
        return csm_fail(CSM_ECORRUPT, "lstm: tensor %s is missing or not F32 of its shape", p->name);
    memcpy(out, tensor->data, count * sizeof *out);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(out[i]))
            return csm_fail(CSM_ECORRUPT, "lstm: %s holds a value that is not finite", p->name);
    }
    return CSM_OK;
}

csm_status lstm_read(void **state, const csm_model_info *info, const csm_tensors *tensors,
                     const char *prefix) {
    lstm_model *model = NULL;
    *state = NULL;
    csm_status status = read_sizes(&model, info, tensors, prefix);
    if (!status) status = read_settings(model, tensors, prefix);
    for (size_t m = 0; !status && m < model->members; m++) {
        for (size_t i = 0; i < part_count(&model->shape) && !status; i++) {
            const part p = part_at(&model->shape, m, i);
            status = read_part(model->parameters + m * model->count + p.at, &p, tensors, prefix);
        }
    }
    if (status) {
        lstm_model_free(model);
        return status;
    }
    *state = model;
    return CSM_OK;
}
