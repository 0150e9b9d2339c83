// SPDX-License-Identifier: MIT
// Learning: a step of the optimiser is queued without waiting; full batches replay one captured graph.
#include "backend/cuda/lstm_host.h"

#include <cmath>
#include <cstring>

extern "C" {
#include "core/real.h"
}

namespace {

csm_status queue_step(csm_lstm_cuda *lstm) {
    const size_t count = csm_lstm_parameters(&lstm->shape);
    const lstm_loss loss = {lstm->heads,        lstm->out,   lstm->input.target,
                            lstm->input.weight, lstm->dout,  lstm->input.state,
                            lstm->report,       lstm->batch, lstm->shape.outputs};
    const lstm_adamw adamw = {lstm->parameters, lstm->gradient,    lstm->first,  lstm->second, lstm->decays,
                              lstm->partial,    lstm->input.state, lstm->report, count};
    csm_status status = lstm_cuda_pass_forward(lstm);
    if (status == CSM_OK) status = lstm_loss_run(&loss, lstm->stream);
    if (status == CSM_OK) status = lstm_cuda_pass_backward(lstm, false);
    if (status == CSM_OK) status = lstm_adamw_run(&adamw, lstm->stream);
    if (status == CSM_OK) status = lstm_cuda_pack(lstm);
    return status;
}

bool graph_serves(const csm_lstm_cuda *lstm) {
    return lstm->graph != nullptr && lstm->graph_steps == lstm->steps &&
           lstm->graph_dropout.rate == lstm->dropout.rate && lstm->graph_dropout.seed == lstm->dropout.seed;
}

// A graph's sizes are fixed, so it works on all rows that there is room for; those not in use are seen by no window.
csm_status capture(csm_lstm_cuda *lstm) {
    const size_t rows = lstm->rows;
    cudaGraph_t graph = nullptr;
    csm_status status, ended;
    if (lstm->graph != nullptr) (void)cudaGraphExecDestroy(lstm->graph);
    lstm->graph = nullptr;
    status = csm_cuda_status(cudaStreamBeginCapture(lstm->stream, cudaStreamCaptureModeThreadLocal),
                             "beginning a graph");
    if (status != CSM_OK) return status;
    lstm->rows = lstm->options.hours;
    status = queue_step(lstm);
    lstm->rows = rows;
    ended = csm_cuda_status(cudaStreamEndCapture(lstm->stream, &graph), "ending a graph");
    if (status == CSM_OK) status = ended;
    if (status == CSM_OK)
        status = csm_cuda_status(cudaGraphInstantiate(&lstm->graph, graph, 0), "making a graph");
    if (graph != nullptr) (void)cudaGraphDestroy(graph);
    lstm->graph_steps = lstm->steps;
    lstm->graph_dropout = lstm->dropout;
    return status;
}

void fill_step(lstm_input *input, const csm_lstm_cuda *lstm, const float *target, const float *weight,
               const csm_lstm_cuda_step *step) {
    const double n = static_cast<double>(step->number);
    lstm_state *state = input->state;
    state->share = static_cast<float>(step->share);
    state->step = static_cast<float>(step->rate / -csm_expm1(n * csm_log(0.9)));
    state->root = static_cast<float>(1 / sqrt(-csm_expm1(n * csm_log(0.999))));
    state->keep = static_cast<float>(1 - step->rate * step->decay);
    state->clip = step->clip;
    memcpy(input->target, target, lstm->batch * lstm->shape.outputs * sizeof(float));
    for (size_t b = 0; b < lstm->batch; b++) input->weight[b] = weight != nullptr ? weight[b] : 1.0F;
}

csm_status set_decays(csm_lstm_cuda *lstm) {
    const size_t outputs = lstm->shape.outputs * lstm->shape.hidden;
    csm_status status = csm_cuda_status(
        cudaMemsetAsync(lstm->decays, 0, csm_lstm_parameters(&lstm->shape), lstm->stream), "clearing");
    for (size_t l = 0; l < lstm->shape.layers && status == CSM_OK; l++) {
        const csm_lstm_layer at = csm_lstm_layer_at(&lstm->shape, l);
        status = csm_cuda_status(
            cudaMemsetAsync(lstm->decays + at.weight_ih, 1, at.bias - at.weight_ih, lstm->stream), "setting");
    }
    if (status != CSM_OK) return status;
    return csm_cuda_status(
        cudaMemsetAsync(lstm->decays + csm_lstm_head_weight(&lstm->shape), 1, outputs, lstm->stream),
        "setting");
}

} // namespace

extern "C" csm_status csm_lstm_cuda_objective(csm_lstm_cuda *lstm, const csm_lstm_cuda_head *heads) {
    const size_t outputs = lstm->shape.outputs, bytes = csm_lstm_parameters(&lstm->shape) * sizeof(float);
    csm_status status = CSM_OK;
    if (!lstm->options.training)
        return csm_fail(CSM_EINVAL, "lstm cuda: heads for one that was not made for training");
    for (size_t o = 0; o < outputs; o++)
        if (heads[o].objective > 3)
            return csm_fail(CSM_EINVAL, "lstm cuda: head %zu has objective %u, which no loss belongs to", o,
                            heads[o].objective);
    lstm_device_guard guard(lstm);
    CSM_CUDA_TRY(guard.status());
    CSM_CUDA_TRY(lstm_to_device(lstm, lstm->heads, heads, outputs * sizeof *heads));
    CSM_CUDA_TRY(csm_cuda_status(cudaMemsetAsync(lstm->first, 0, bytes, lstm->stream), "clearing moments"));
    CSM_CUDA_TRY(csm_cuda_status(cudaMemsetAsync(lstm->second, 0, bytes, lstm->stream), "clearing moments"));
    CSM_CUDA_TRY(
        csm_cuda_status(cudaMemsetAsync(lstm->report, 0, sizeof *lstm->report, lstm->stream), "clearing"));
    CSM_CUDA_TRY(set_decays(lstm));
    CSM_CUDA_TRY(csm_cuda_status(cudaStreamSynchronize(lstm->stream), "the device's work"));
    lstm->has_heads = true;
done:
    return status;
}

extern "C" csm_status csm_lstm_cuda_learn(csm_lstm_cuda *lstm, const csm_lstm_batch *batch,
                                          const float *target, const float *weight,
                                          const csm_lstm_cuda_step *step) {
    lstm_input input;
    csm_status status = CSM_OK;
    if (!lstm->has_heads) return csm_fail(CSM_EINVAL, "lstm cuda: learning without heads");
    if (step->number == 0) return csm_fail(CSM_EINVAL, "lstm cuda: steps are counted from 1");
    lstm_device_guard guard(lstm);
    CSM_CUDA_TRY(guard.status());
    CSM_CUDA_TRY(lstm_cuda_plan(&input, lstm, batch));
    fill_step(&input, lstm, target, weight, step);
    CSM_CUDA_TRY(lstm_cuda_send(lstm));
    if (lstm->batch != lstm->options.batch) {
        CSM_CUDA_TRY(queue_step(lstm));
    } else {
        if (!graph_serves(lstm)) CSM_CUDA_TRY(capture(lstm));
        CSM_CUDA_TRY(csm_cuda_status(cudaGraphLaunch(lstm->graph, lstm->stream), "a step's graph"));
    }
done:
    return status;
}

extern "C" csm_status csm_lstm_cuda_epoch(csm_lstm_cuda *lstm, double *loss) {
    lstm_report report;
    const double zero = 0;
    csm_status status = CSM_OK;
    if (!lstm->has_heads) return csm_fail(CSM_EINVAL, "lstm cuda: an epoch without heads");
    lstm_device_guard guard(lstm);
    CSM_CUDA_TRY(guard.status());
    CSM_CUDA_TRY(lstm_from_device(lstm, &report, lstm->report, sizeof report));
    CSM_CUDA_TRY(lstm_to_device(lstm, &lstm->report->loss, &zero, sizeof zero));
    CSM_CUDA_TRY(csm_cuda_status(cudaStreamSynchronize(lstm->stream), "the device's work"));
    *loss = report.loss;
    if (report.failed != 0)
        status = csm_fail(CSM_EINVAL, "lstm cuda: the gradient of step %llu is not finite; lower the rate",
                          static_cast<unsigned long long>(report.steps));
done:
    return status;
}

extern "C" csm_status csm_lstm_cuda_get_moments(csm_lstm_cuda *lstm, float *first, float *second) {
    const size_t bytes = csm_lstm_parameters(&lstm->shape) * sizeof(float);
    if (!lstm->has_heads) return csm_fail(CSM_EINVAL, "lstm cuda: moments without heads");
    lstm_device_guard guard(lstm);
    csm_status status = guard.status();
    if (status == CSM_OK) status = lstm_from_device(lstm, first, lstm->first, bytes);
    if (status == CSM_OK) status = lstm_from_device(lstm, second, lstm->second, bytes);
    return status;
}

extern "C" csm_status csm_lstm_cuda_set_moments(csm_lstm_cuda *lstm, const float *first,
                                                const float *second) {
    const size_t bytes = csm_lstm_parameters(&lstm->shape) * sizeof(float);
    if (!lstm->has_heads) return csm_fail(CSM_EINVAL, "lstm cuda: moments without heads");
    lstm_device_guard guard(lstm);
    csm_status status = guard.status();
    if (status == CSM_OK) status = lstm_to_device(lstm, lstm->first, first, bytes);
    if (status == CSM_OK) status = lstm_to_device(lstm, lstm->second, second, bytes);
    if (status == CSM_OK) status = csm_cuda_status(cudaStreamSynchronize(lstm->stream), "the device's work");
    return status;
}
