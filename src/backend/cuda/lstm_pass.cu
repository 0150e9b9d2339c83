// SPDX-License-Identifier: MIT
// Forward and backward over all layers, as a sequence of launches on one stream.
#include "backend/cuda/lstm_host.h"

namespace {

template <class T>
T *offset(T *base, size_t bytes) {
    return reinterpret_cast<T *>(reinterpret_cast<char *>(base) + bytes);
}
void *offset(void *base, size_t bytes) {
    return static_cast<char *>(base) + bytes;
}

bool is_half(const csm_lstm_cuda *lstm) {
    return lstm->element == 2;
}

csm_gemm_factor of_floats(const float *data, size_t stride, bool transposed = false) {
    return {data, stride, nullptr, false, transposed};
}
csm_gemm_factor of_elements(const csm_lstm_cuda *lstm, const void *data, size_t stride,
                            bool transposed = false) {
    return {data, stride, nullptr, is_half(lstm), transposed};
}

csm_status multiply(const csm_lstm_cuda *lstm, float *c, csm_gemm_factor a, csm_gemm_factor b, size_t m,
                    size_t n, size_t k, const float *bias = nullptr) {
    const csm_gemm gemm = {a, b, m, n, k, c, n, bias, lstm->sums};
    return csm_gemm_run(&gemm, lstm->precision, lstm->stream);
}

// ---- forward ----

// What is added to W_hh h of a layer: rows of `z`, the input's product with its bias. `step`: one step only, for the
// first rung.
csm_status project(csm_lstm_cuda *lstm, size_t layer, size_t step, bool all_steps) {
    const size_t inputs = lstm_layer_inputs(lstm, layer), gates = 4 * lstm->hidden, batch = lstm->batch;
    const lstm_cuda_layer *own = &lstm->layer[layer];
    const csm_gemm_factor weight = of_floats(own->input_weight, inputs);
    if (layer == 0) {
        csm_gemm_factor x = of_floats(lstm->input.x, inputs);
        if (all_steps) return multiply(lstm, lstm->z, x, weight, lstm->rows, gates, inputs, own->bias);
        x.data = lstm->input.x + step * inputs;
        x.gather = lstm->input.base;
        return multiply(lstm, lstm->z, x, weight, batch, gates, inputs, own->bias);
    }
    const lstm_cuda_layer *below = &lstm->layer[layer - 1];
    const void *y = lstm_layer_raises(lstm, layer - 1) ? below->y : below->h;
    if (all_steps)
        return multiply(lstm, lstm->z, of_elements(lstm, y, inputs), weight, lstm->steps * batch, gates,
                        inputs, own->bias);
    const void *at = static_cast<const char *>(y) + step * batch * inputs * lstm->element;
    return multiply(lstm, lstm->z, of_elements(lstm, at, inputs), weight, batch, gates, inputs, own->bias);
}

bool keeps_steps(const csm_lstm_cuda *lstm, size_t layer) {
    return lstm->options.training != 0 || layer + 1 < lstm->shape.layers;
}

csm_status forward_resident(csm_lstm_cuda *lstm, size_t layer) {
    const lstm_cuda_layer *own = &lstm->layer[layer];
    const size_t words = lstm->hidden * lstm->element / sizeof(uint32_t);
    lstm_forward_arguments job = {};
    job.weight = own->forward;
    job.z = lstm->z;
    job.base = layer == 0 ? lstm->input.base : nullptr;
    job.z_step = layer == 0 ? 1 : lstm->batch;
    job.h = own->h;
    job.h_step = keeps_steps(lstm, layer) ? lstm->batch * words : 0;
    job.gates = own->gates;
    job.c = own->c;
    job.steps = static_cast<uint32_t>(lstm->steps);
    job.batch = static_cast<uint32_t>(lstm->batch);
    return lstm_resident_forward_run(&job, lstm->hidden, lstm->precision, lstm->stream);
}

csm_status forward_steps(csm_lstm_cuda *lstm, size_t layer) {
    const lstm_cuda_layer *own = &lstm->layer[layer];
    const size_t batch = lstm->batch, hidden = lstm->hidden, places = batch * hidden;
    const bool each = lstm->rung == CSM_LSTM_STEPS, kept = keeps_steps(lstm, layer);
    csm_status status = CSM_OK;
    for (size_t s = 0; s < lstm->steps; s++) {
        void *h = offset(own->h, kept ? s * places * lstm->element : 0);
        const void *h_before = offset(own->h, kept && s > 0 ? (s - 1) * places * lstm->element : 0);
        lstm_step_forward step = {};
        if (each) CSM_CUDA_TRY(project(lstm, layer, s, false));
        if (s > 0)
            CSM_CUDA_TRY(multiply(lstm, lstm->product, of_elements(lstm, h_before, hidden),
                                  of_elements(lstm, own->backward, 4 * hidden, true), batch, 4 * hidden,
                                  hidden));
        step.product = s > 0 ? lstm->product : nullptr;
        step.z = lstm->z;
        step.base = layer == 0 && !each ? lstm->input.base : nullptr;
        step.z_row = each ? 0 : layer == 0 ? s : s * batch;
        if (own->gates != nullptr) {
            step.c = own->c + s * places;
            step.c_before = s > 0 ? step.c - places : nullptr;
            step.gates = offset(own->gates, s * places * 4 * lstm->element);
        } else {
            step.c = own->c;
            step.c_before = s > 0 ? own->c : nullptr;
        }
        step.h = h;
        step.batch = batch;
        step.hidden = hidden;
        CSM_CUDA_TRY(lstm_step_forward_run(&step, lstm->precision, lstm->stream));
    }
done:
    return status;
}

lstm_raise raising(const csm_lstm_cuda *lstm, size_t layer, bool last_step) {
    const lstm_cuda_layer *own = &lstm->layer[layer];
    const bool top = layer + 1 == lstm->shape.layers;
    const size_t before =
        last_step && keeps_steps(lstm, layer) ? (lstm->steps - 1) * lstm->batch * lstm->hidden : 0;
    lstm_raise job = {};
    job.h = static_cast<const char *>(own->h) + before * lstm->element;
    job.norm = lstm->shape.layer_norm ? own->norm : nullptr;
    job.gain = own->gain;
    job.offset = own->offset;
    job.rows = lstm->batch * (last_step ? 1 : lstm->steps);
    job.batch = lstm->batch;
    job.steps = lstm->steps;
    job.hidden = lstm->hidden;
    job.units = lstm->shape.hidden;
    job.layer = layer;
    job.layers = lstm->shape.layers;
    job.stream = &lstm->input.state->stream;
    if (!top) job.dropout = lstm->dropout;
    return job;
}

csm_status forward_head(csm_lstm_cuda *lstm) {
    const size_t outputs = lstm->shape.outputs;
    lstm_raise job = raising(lstm, lstm->shape.layers - 1, true);
    job.y = lstm->top;
    job.to_float = true;
    csm_status status = lstm_raise_run(&job, lstm->precision, lstm->stream);
    if (status != CSM_OK) return status;
    const csm_gemm gemm = {of_floats(lstm->top, lstm->hidden),
                           of_floats(lstm->head_weight, lstm->hidden),
                           lstm->batch,
                           outputs,
                           lstm->hidden,
                           lstm->out,
                           outputs,
                           lstm->parameters + csm_lstm_head_bias(&lstm->shape),
                           nullptr};
    return csm_gemm_run(&gemm, CSM_LSTM_FP32, lstm->stream);
}

// ---- backward ----

csm_status backward_head(csm_lstm_cuda *lstm) {
    const size_t outputs = lstm->shape.outputs, hidden = lstm->hidden, top = lstm->shape.layers - 1;
    const bool scaled = lstm->precision == CSM_LSTM_FP16;
    const lstm_packing packing = {1, outputs, outputs, lstm->shape.hidden, hidden};
    lstm_raise job = raising(lstm, top, true);
    csm_gemm gemm = {of_floats(lstm->scaled, outputs, true),
                     of_floats(lstm->top, hidden, true),
                     outputs,
                     hidden,
                     lstm->batch,
                     lstm->d_weight,
                     hidden,
                     nullptr,
                     lstm->sums};
    csm_status status = CSM_OK;
    CSM_CUDA_TRY(lstm_scale_run(lstm->scaled, lstm->scale, lstm->dout, lstm->batch * outputs, lstm->precision,
                                lstm->stream));
    CSM_CUDA_TRY(csm_gemm_run(&gemm, CSM_LSTM_FP32, lstm->stream)); // dout^T top
    CSM_CUDA_TRY(lstm_unpack_run(lstm->gradient + csm_lstm_head_weight(&lstm->shape), lstm->d_weight,
                                 &packing, scaled ? lstm->scale : nullptr, lstm->stream));
    CSM_CUDA_TRY(csm_column_sums(lstm->gradient + csm_lstm_head_bias(&lstm->shape), lstm->dout, false,
                                 CSM_LSTM_FP32, lstm->batch, outputs, lstm->sums, lstm->stream));
    gemm = {of_floats(lstm->scaled, outputs),
            of_floats(lstm->head_weight, hidden, true),
            lstm->batch,
            hidden,
            outputs,
            lstm->last,
            hidden,
            nullptr,
            lstm->sums};
    CSM_CUDA_TRY(csm_gemm_run(&gemm, CSM_LSTM_FP32, lstm->stream)); // dout head_weight
    job.dy = lstm->last;
    job.partial = lstm->sums;
    job.d_gain = lstm->d_weight;
    CSM_CUDA_TRY(lstm_lower_run(&job, lstm->precision, lstm->stream));
done:
    return status;
}

csm_status backward_steps(csm_lstm_cuda *lstm, const lstm_backward_arguments *job) {
    const size_t batch = lstm->batch, hidden = lstm->hidden, places = batch * hidden;
    csm_status status = CSM_OK;
    for (size_t s = lstm->steps; s-- > 0;) {
        const bool last = s + 1 == lstm->steps;
        lstm_step_backward step = {};
        if (!last)
            CSM_CUDA_TRY(
                multiply(lstm, lstm->dh,
                         of_elements(lstm, offset(job->dz, (s + 1) * places * 4 * lstm->element), 4 * hidden),
                         of_elements(lstm, job->weight, 4 * hidden), batch, hidden, 4 * hidden));
        step.gates = static_cast<const char *>(job->gates) + s * places * 4 * lstm->element;
        step.c = job->c + s * places;
        step.c_before = s > 0 ? step.c - places : nullptr;
        step.above = job->above != nullptr ? job->above + s * places : nullptr;
        step.last = last ? job->last : nullptr;
        step.dh = last ? nullptr : lstm->dh;
        step.dc = lstm->dc;
        step.dz = offset(job->dz, s * places * 4 * lstm->element);
        step.batch = batch;
        step.hidden = hidden;
        CSM_CUDA_TRY(lstm_step_backward_run(&step, lstm->precision, lstm->stream));
    }
done:
    return status;
}

// Gradients of one layer's weights from dz, which is there for all steps.
csm_status backward_weights(csm_lstm_cuda *lstm, size_t layer, bool with_dx) {
    const lstm_cuda_layer *own = &lstm->layer[layer];
    const size_t batch = lstm->batch, hidden = lstm->hidden, gates = 4 * hidden,
                 inputs = lstm_layer_inputs(lstm, layer);
    const size_t units = lstm->shape.hidden, plain_inputs = layer > 0 ? units : inputs;
    const csm_lstm_layer at = csm_lstm_layer_at(&lstm->shape, layer);
    const float *scale = lstm->precision == CSM_LSTM_FP16 ? lstm->scale : nullptr;
    const lstm_packing recurrent = {4, units, hidden, units, hidden},
                       input = {4, units, hidden, plain_inputs, inputs}, bias = {4, units, hidden, 1, 1};
    csm_status status = CSM_OK;
    if (lstm->steps > 1)
        CSM_CUDA_TRY(multiply(lstm, lstm->d_weight,
                              of_elements(lstm, offset(lstm->dz, batch * gates * lstm->element), gates, true),
                              of_elements(lstm, own->h, hidden, true), gates, hidden,
                              (lstm->steps - 1) * batch));
    else
        CSM_CUDA_TRY(
            csm_cuda_status(cudaMemsetAsync(lstm->d_weight, 0, gates * hidden * sizeof(float), lstm->stream),
                            "clearing a gradient"));
    CSM_CUDA_TRY(
        lstm_unpack_run(lstm->gradient + at.weight_hh, lstm->d_weight, &recurrent, scale, lstm->stream));
    if (layer > 0) {
        const lstm_cuda_layer *below = &lstm->layer[layer - 1];
        const void *y = lstm_layer_raises(lstm, layer - 1) ? below->y : below->h;
        const size_t count = lstm->steps * batch;
        CSM_CUDA_TRY(multiply(lstm, lstm->d_weight, of_elements(lstm, lstm->dz, gates, true),
                              of_elements(lstm, y, hidden, true), gates, hidden, count));
        CSM_CUDA_TRY(
            lstm_unpack_run(lstm->gradient + at.weight_ih, lstm->d_weight, &input, scale, lstm->stream));
        CSM_CUDA_TRY(csm_column_sums(lstm->d_weight, lstm->dz, is_half(lstm), lstm->precision, count, gates,
                                     lstm->sums, lstm->stream));
        CSM_CUDA_TRY(lstm_unpack_run(lstm->gradient + at.bias, lstm->d_weight, &bias, scale, lstm->stream));
        CSM_CUDA_TRY(multiply(lstm, lstm->above, of_elements(lstm, lstm->dz, gates),
                              of_floats(own->input_weight, inputs, true), count, hidden, gates));
    } else {
        const lstm_sum_hours sum = {lstm->z,
                                    lstm->dz,
                                    lstm->input.base,
                                    lstm->input.order,
                                    lstm->input.begin,
                                    lstm->input.end,
                                    lstm->rows,
                                    batch,
                                    hidden};
        CSM_CUDA_TRY(lstm_sum_hours_run(&sum, lstm->precision, lstm->stream));
        CSM_CUDA_TRY(multiply(lstm, lstm->d_weight, of_floats(lstm->z, gates, true),
                              of_floats(lstm->input.x, inputs, true), gates, inputs, lstm->rows));
        CSM_CUDA_TRY(
            lstm_unpack_run(lstm->gradient + at.weight_ih, lstm->d_weight, &input, scale, lstm->stream));
        CSM_CUDA_TRY(csm_column_sums(lstm->d_weight, lstm->z, false, CSM_LSTM_FP32, lstm->rows, gates,
                                     lstm->sums, lstm->stream));
        CSM_CUDA_TRY(lstm_unpack_run(lstm->gradient + at.bias, lstm->d_weight, &bias, scale, lstm->stream));
        if (with_dx) {
            const lstm_packing plain = {1, lstm->rows, lstm->rows, inputs, inputs};
            CSM_CUDA_TRY(multiply(lstm, lstm->dx, of_floats(lstm->z, gates),
                                  of_floats(own->input_weight, inputs, true), lstm->rows, inputs, gates));
            if (scale != nullptr)
                CSM_CUDA_TRY(lstm_unpack_run(lstm->dx, lstm->dx, &plain, scale, lstm->stream));
        }
    }
done:
    return status;
}

// d_weight holds the gradients of gain and offset when the layer has been lowered.
csm_status unpack_norm(csm_lstm_cuda *lstm, size_t layer) {
    if (!lstm->shape.layer_norm) return CSM_OK;
    const float *scale = lstm->precision == CSM_LSTM_FP16 ? lstm->scale : nullptr;
    const csm_lstm_layer at = csm_lstm_layer_at(&lstm->shape, layer);
    const lstm_packing packing = {1, 2, 2, lstm->shape.hidden,
                                  lstm->hidden}; // offset follows gain in both orders
    return lstm_unpack_run(lstm->gradient + at.gain, lstm->d_weight, &packing, scale, lstm->stream);
}

csm_status backward_layer(csm_lstm_cuda *lstm, size_t layer, bool with_dx) {
    const lstm_cuda_layer *own = &lstm->layer[layer];
    const bool top = layer + 1 == lstm->shape.layers;
    lstm_backward_arguments job = {own->backward,
                                   own->gates,
                                   own->c,
                                   top ? nullptr : lstm->above,
                                   top ? lstm->last : nullptr,
                                   lstm->dz,
                                   static_cast<uint32_t>(lstm->steps),
                                   static_cast<uint32_t>(lstm->batch)};
    csm_status status = CSM_OK;
    if (!top && lstm_layer_raises(lstm, layer)) {
        lstm_raise lower = raising(lstm, layer, false);
        lower.dy = lstm->above;
        lower.partial = lstm->sums;
        lower.d_gain = lstm->d_weight;
        CSM_CUDA_TRY(lstm_lower_run(&lower, lstm->precision, lstm->stream));
    }
    CSM_CUDA_TRY(unpack_norm(lstm, layer));
    if (lstm->rung == CSM_LSTM_RESIDENT)
        CSM_CUDA_TRY(lstm_resident_backward_run(&job, lstm->hidden, lstm->precision, lstm->stream));
    else
        CSM_CUDA_TRY(backward_steps(lstm, &job));
    CSM_CUDA_TRY(backward_weights(lstm, layer, with_dx));
done:
    return status;
}

} // namespace

csm_status lstm_cuda_pack(csm_lstm_cuda *lstm) {
    const size_t units = lstm->shape.hidden, hidden = lstm->hidden;
    const lstm_packing head = {1, lstm->shape.outputs, lstm->shape.outputs, units, hidden},
                       norm = {1, 2, 2, units, hidden}, bias = {4, units, hidden, 1, 1};
    csm_status status = lstm_pack_run(
        lstm->head_weight, lstm->parameters + csm_lstm_head_weight(&lstm->shape), &head, lstm->stream);
    for (size_t l = 0; l < lstm->shape.layers && status == CSM_OK; l++) {
        const lstm_cuda_layer *own = &lstm->layer[l];
        const csm_lstm_layer at = csm_lstm_layer_at(&lstm->shape, l);
        const size_t inputs = lstm_layer_inputs(lstm, l);
        const lstm_packing input = {4, units, hidden, l > 0 ? units : inputs, inputs};
        CSM_CUDA_TRY(lstm_pack_run(own->input_weight, lstm->parameters + at.weight_ih, &input, lstm->stream));
        CSM_CUDA_TRY(lstm_pack_run(own->bias, lstm->parameters + at.bias, &bias, lstm->stream));
        CSM_CUDA_TRY(lstm_pack_recurrent_run(own->forward, own->backward, lstm->parameters + at.weight_hh,
                                             units, hidden, lstm->precision, lstm->stream));
        if (lstm->shape.layer_norm)
            CSM_CUDA_TRY(lstm_pack_run(own->gain, lstm->parameters + at.gain, &norm, lstm->stream));
    }
done:
    return status;
}

csm_status lstm_cuda_pass_forward(csm_lstm_cuda *lstm) {
    csm_status status = CSM_OK;
    for (size_t l = 0; l < lstm->shape.layers; l++) {
        if (lstm->rung != CSM_LSTM_STEPS) CSM_CUDA_TRY(project(lstm, l, 0, true));
        if (lstm->rung == CSM_LSTM_RESIDENT)
            CSM_CUDA_TRY(forward_resident(lstm, l));
        else
            CSM_CUDA_TRY(forward_steps(lstm, l));
        if (l + 1 < lstm->shape.layers && lstm_layer_raises(lstm, l)) {
            lstm_raise job = raising(lstm, l, false);
            job.y = lstm->layer[l].y;
            CSM_CUDA_TRY(lstm_raise_run(&job, lstm->precision, lstm->stream));
        }
    }
    CSM_CUDA_TRY(forward_head(lstm));
done:
    return status;
}

csm_status lstm_cuda_pass_backward(csm_lstm_cuda *lstm, bool with_dx) {
    csm_status status = backward_head(lstm);
    for (size_t l = lstm->shape.layers; l-- > 0 && status == CSM_OK;)
        status = backward_layer(lstm, l, with_dx);
    return status;
}
