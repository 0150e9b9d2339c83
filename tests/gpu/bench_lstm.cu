// SPDX-License-Identifier: MIT
// Times of the LSTM's passes on the card, without copies: bench_lstm_cuda I H L T B OVERLAP PRECISION RUNG prints
// "RUNG forward_ms step_ms". OVERLAP 1: windows one hour apart; 0: windows that share no hour. A step is forward, loss, backward,
// optimiser and packing. The median of 20 runs after 3.
#include "backend/cuda/lstm_host.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

bool good(csm_status status) {
    if (status != CSM_OK) fprintf(stderr, "%s\n", csm_error_message());
    return status == CSM_OK;
}

template <class Work>
double median_ms(cudaStream_t stream, Work work) {
    std::vector<float> times;
    cudaEvent_t begin, end;
    cudaEventCreate(&begin);
    cudaEventCreate(&end);
    for (int run = 0; run < 23; run++) {
        float ms = 0;
        cudaEventRecord(begin, stream);
        if (!good(work())) exit(1);
        cudaEventRecord(end, stream);
        if (!good(csm_cuda_status(cudaEventSynchronize(end), "a timed run"))) exit(1);
        cudaEventElapsedTime(&ms, begin, end);
        if (run >= 3) times.push_back(ms);
    }
    std::sort(times.begin(), times.end());
    return static_cast<double>(times[times.size() / 2]);
}

} // namespace

int main(int count, char **word) {
    if (count != 9) return 2;
    size_t number[8];
    for (int i = 0; i < 8; i++) number[i] = strtoull(word[i + 1], nullptr, 10);
    const size_t I = number[0], H = number[1], L = number[2], T = number[3], B = number[4];
    const size_t hours = number[5] != 0 ? B + T - 1 : B * T;
    const csm_lstm_shape shape = {I, H, L, 1, 0};
    csm_lstm_cuda_options options = {};
    options.precision = static_cast<uint32_t>(number[6]);
    options.rung = static_cast<uint32_t>(number[7]);
    options.training = 1;
    options.batch = B;
    options.steps = T;
    options.hours = hours;
    std::vector<float> parameters(csm_lstm_parameters(&shape)), x(hours * I), out(B), target(B, 0.5F);
    std::vector<uint32_t> first(B);
    for (size_t i = 0; i < parameters.size(); i++)
        parameters[i] = static_cast<float>(csm_random_normal(1, 1, i)) * 0.05F;
    for (size_t i = 0; i < x.size(); i++) x[i] = static_cast<float>(csm_random_normal(1, 2, i));
    for (size_t b = 0; b < B; b++) first[b] = static_cast<uint32_t>(number[5] != 0 ? b : b * T);
    const csm_lstm_batch batch = {x.data(), hours, first.data(), B, T, {}};
    const csm_lstm_cuda_head head = {0, 0, 1, 0};
    const csm_lstm_cuda_step step = {1, 1e-3, 0, 0, 1.0 / static_cast<double>(B)};
    csm_lstm_cuda *lstm;
    if (!good(csm_lstm_cuda_new(&lstm, &shape, &options)) ||
        !good(csm_lstm_cuda_set_parameters(lstm, parameters.data())) ||
        !good(csm_lstm_cuda_objective(lstm, &head)) ||
        !good(csm_lstm_cuda_learn(lstm, &batch, target.data(), nullptr, &step)) ||
        !good(csm_lstm_cuda_forward(lstm, &batch, out.data())))
        return 1;
    const double forward = median_ms(lstm->stream, [&] { return lstm_cuda_pass_forward(lstm); });
    const double learn = median_ms(lstm->stream, [&] {
        return csm_cuda_status(cudaGraphLaunch(lstm->graph, lstm->stream), "a step's graph");
    });
    printf("%d %.4f %.4f\n", static_cast<int>(csm_lstm_cuda_rung(lstm)), forward, learn);
    csm_lstm_cuda_free(lstm);
    return 0;
}
