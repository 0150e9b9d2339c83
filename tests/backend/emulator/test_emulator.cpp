// SPDX-License-Identifier: MIT
// Tests of the tests: kernels with planted faults, each of which the emulator must find, and its twins of the card's
// instructions against their definitions.
#include <csetjmp>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>
extern "C" {
#include <cmocka.h>
}

#include "emulator.h"
#include "backend/cuda/device.cuh"

namespace {

template <class... P, class... A>
void launch(unsigned blocks, unsigned threads, size_t shared, unsigned cluster, void (*kernel)(P...),
            A... arguments) {
    cudaLaunchAttribute attribute;
    attribute.id = cudaLaunchAttributeClusterDimension;
    attribute.val.clusterDim = {cluster, 1, 1};
    const cudaLaunchConfig_t config = {dim3(blocks), dim3(threads), shared, nullptr, &attribute, 1};
    assert_int_equal(cudaSuccess, cudaLaunchKernelEx(&config, kernel, arguments...));
}

// ---- barriers ----

// out[i] = sum of the block's inputs at i and at its neighbour to the right and left, `steps` times over. With `planted`
// 1 the barrier between writing and reading is missing, with 2 the one between reading and the next writing.
__global__ void neighbours(float *values, int steps, int planted) {
    float *shared = static_cast<float *>(csm_shared_memory());
    const unsigned i = threadIdx.x, n = blockDim.x;
    values += blockIdx.x * n;
    float mine = values[i];
    for (int step = 0; step < steps; step++) {
        shared[i] = mine;
        if (planted != 1) __syncthreads();
        mine = shared[i] + 0.5F * shared[(i + 1) % n] - 0.25F * shared[(i + n - 1) % n];
        if (planted != 2) __syncthreads();
    }
    values[i] = mine;
}

std::vector<float> run_neighbours(emulator_order order, int planted) {
    std::vector<float> values(4 * 64);
    for (size_t i = 0; i < values.size(); i++) values[i] = static_cast<float>(i * 7 % 13);
    emulator_reset(nullptr, order, 5);
    launch(4, 64, 64 * sizeof(float), 1, neighbours, values.data(), 3, planted);
    assert_string_equal("", emulator_failure());
    return values;
}

// The same numbers under every order, none of them from memory that nobody wrote.
bool orders_agree(int planted) {
    const std::vector<float> forward = run_neighbours(EMULATOR_FORWARD, planted);
    for (float value : forward)
        if (value != value) return false;
    for (int order = EMULATOR_BACKWARD; order < EMULATOR_ORDERS; order++) {
        const std::vector<float> other = run_neighbours(static_cast<emulator_order>(order), planted);
        if (memcmp(forward.data(), other.data(), forward.size() * sizeof(float)) != 0) return false;
    }
    return true;
}

void a_kernel_with_its_barriers_gives_the_same_under_every_order(void **) {
    assert_true(orders_agree(0));
    std::vector<float> expected(64), next(64);
    for (size_t i = 0; i < 64; i++) expected[i] = static_cast<float>(i * 7 % 13);
    for (int step = 0; step < 3; step++) {
        for (size_t i = 0; i < 64; i++)
            next[i] = expected[i] + 0.5F * expected[(i + 1) % 64] - 0.25F * expected[(i + 63) % 64];
        expected = next;
    }
    const std::vector<float> got = run_neighbours(EMULATOR_SHUFFLED, 0);
    assert_memory_equal(expected.data(), got.data(), 64 * sizeof(float));
}

void a_missing_barrier_after_writing_is_caught(void **) {
    assert_false(orders_agree(1));
}

void a_missing_barrier_before_writing_again_is_caught(void **) {
    assert_false(orders_agree(2));
}

__global__ void barrier_in_a_branch() {
    if (threadIdx.x < 16)
        __syncthreads();
    else
        __syncthreads();
}
__global__ void barrier_after_some_left() {
    if (threadIdx.x >= 40) return;
    __syncthreads();
}

void threads_at_different_barriers_are_an_error(void **) {
    emulator_reset(nullptr, EMULATOR_FORWARD, 1);
    launch(1, 32, 0, 1, barrier_in_a_branch);
    assert_non_null(strstr(emulator_failure(), "wait at another barrier"));
}

void a_barrier_that_some_threads_left_is_an_error(void **) {
    emulator_reset(nullptr, EMULATOR_SHUFFLED, 1);
    launch(1, 64, 0, 1, barrier_after_some_left);
    assert_non_null(strstr(emulator_failure(), "waits for threads that never come"));
}

// ---- memory ----

__global__ void past_the_end(unsigned words) {
    uint32_t *shared = static_cast<uint32_t *>(csm_shared_memory());
    if (threadIdx.x < words) shared[threadIdx.x] = 1;
}
__global__ void first_of_shared(float *out) {
    *out = *static_cast<float *>(csm_shared_memory());
}

void writing_past_the_shared_memory_is_an_error(void **) {
    emulator_reset(nullptr, EMULATOR_FORWARD, 1);
    launch(1, 32, 64, 1, past_the_end, 16U);
    assert_string_equal("", emulator_failure());
    launch(1, 32, 64, 1, past_the_end, 17U);
    assert_non_null(strstr(emulator_failure(), "wrote past its 64 bytes"));
}

void memory_that_nobody_wrote_is_not_a_number(void **) {
    float out = 0;
    void *device;
    emulator_reset(nullptr, EMULATOR_FORWARD, 1);
    launch(1, 1, 4, 1, first_of_shared, &out);
    assert_true(out != out);
    assert_int_equal(cudaSuccess, cudaMalloc(&device, 4));
    memcpy(&out, device, 4);
    assert_true(out != out);
    assert_int_equal(4, emulator_memory_used());
    assert_int_equal(cudaSuccess, cudaFree(device));
    assert_int_equal(0, emulator_memory_used());
}

void more_shared_memory_than_asked_for_is_refused(void **) {
    emulator_reset(nullptr, EMULATOR_FORWARD, 1);
    float out;
    cudaLaunchConfig_t config = {dim3(1), dim3(1), 64 * 1024, nullptr, nullptr, 0};
    assert_int_equal(cudaErrorInvalidValue, cudaLaunchKernelEx(&config, first_of_shared, &out));
    assert_int_equal(
        cudaSuccess,
        cudaFuncSetAttribute(first_of_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, 64 * 1024));
    assert_int_equal(cudaSuccess, cudaLaunchKernelEx(&config, first_of_shared, &out));
    assert_int_equal(
        cudaErrorInvalidValue,
        cudaFuncSetAttribute(first_of_shared, cudaFuncAttributeMaxDynamicSharedMemorySize, 228 * 1024));
    (void)cudaGetLastError();
}

// ---- clusters ----

// Every block's first word becomes the sum over its cluster, through the others' shared memory.
__global__ void cluster_sum(float *out, int planted) {
    float *shared = static_cast<float *>(csm_shared_memory());
    const unsigned size = emulator::cluster_size(), rank = csm_cluster_rank();
    for (unsigned other = 0; other < size; other++)
        csm_cluster_map(shared, other)[rank] = static_cast<float>(rank + 1);
    if (planted == 0) {
        csm_cluster_arrive();
        csm_cluster_wait();
    }
    float sum = 0;
    for (unsigned other = 0; other < size; other++) sum += shared[other];
    out[blockIdx.x] = sum;
}

void blocks_of_a_cluster_read_each_others_shared_memory(void **) {
    for (int order = 0; order < EMULATOR_ORDERS; order++) {
        float out[8];
        emulator_reset(nullptr, static_cast<emulator_order>(order), 9);
        launch(8, 1, 16, 4, cluster_sum, out, 0);
        assert_string_equal("", emulator_failure());
        for (float sum : out) assert_true(sum == 1 + 2 + 3 + 4);
    }
}

void a_missing_cluster_barrier_is_caught(void **) {
    float out[4];
    emulator_reset(nullptr, EMULATOR_FORWARD, 9);
    launch(4, 1, 16, 4, cluster_sum, out, 1);
    assert_true(out[0] != out[0]); // its neighbours had not written yet
}

// ---- instructions ----

enum format { FP16, BF16, TF32 };

// D (16, 8) = A (16, K) B (K, 8) by one instruction, fragments gathered as device.cuh words it.
template <format F>
__global__ void multiply(float *d, const float *a, const float *b) {
    constexpr int K = F == TF32 ? 8 : 16;
    const int g = static_cast<int>(threadIdx.x) / 4, t = static_cast<int>(threadIdx.x) % 4;
    float sum[4] = {0, 0, 0, 0};
    uint32_t fa[4], fb[2];
    for (int i = 0; i < 4; i++) {
        const float *row = a + (g + i % 2 * 8) * K;
        fa[i] = F == TF32   ? csm_round_tf32(row[t + i / 2 * 4])
                : F == FP16 ? csm_pack_fp16(row[2 * t + i / 2 * 8], row[2 * t + i / 2 * 8 + 1])
                            : csm_pack_bf16(row[2 * t + i / 2 * 8], row[2 * t + i / 2 * 8 + 1]);
    }
    for (int i = 0; i < 2; i++) {
        const float *column = b + g;
        fb[i] = F == TF32   ? csm_round_tf32(column[(t + i * 4) * 8])
                : F == FP16 ? csm_pack_fp16(column[(2 * t + i * 8) * 8], column[(2 * t + i * 8 + 1) * 8])
                            : csm_pack_bf16(column[(2 * t + i * 8) * 8], column[(2 * t + i * 8 + 1) * 8]);
    }
    if (F == TF32)
        csm_mma_tf32(sum, fa, fb);
    else if (F == FP16)
        csm_mma_fp16(sum, fa, fb);
    else
        csm_mma_bf16(sum, fa, fb);
    for (int i = 0; i < 4; i++) d[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = sum[i];
}

template <format F>
void check_multiply() {
    constexpr int K = F == TF32 ? 8 : 16;
    float a[16 * K], b[K * 8], d[16 * 8];
    for (int i = 0; i < 16 * K; i++) a[i] = static_cast<float>(i * 5 % 17 - 8) / 8;
    for (int i = 0; i < K * 8; i++) b[i] = static_cast<float>(i * 7 % 19 - 9) / 4;
    emulator_reset(nullptr, EMULATOR_SHUFFLED, 3);
    launch(1, 32, 0, 1, multiply<F>, d, a, b);
    assert_string_equal("", emulator_failure());
    for (int row = 0; row < 16; row++)
        for (int column = 0; column < 8; column++) {
            float expected = 0; // exact: few bits
            for (int k = 0; k < K; k++) expected += a[row * K + k] * b[k * 8 + column];
            assert_true(d[row * 8 + column] == expected);
        }
}

void matrix_instructions_multiply_matrices(void **) {
    check_multiply<FP16>();
    check_multiply<BF16>();
    check_multiply<TF32>();
}

// Values and their halves from IEEE 754 (fp16) and from truncation with ties to even (bf16).
void halves_round_to_nearest_even(void **) {
    const struct {
        float value;
        uint16_t fp16, bf16;
    } table[] = {{1.0F, 0x3C00, 0x3F80},
                 {-2.5F, 0xC100, 0xC020},
                 {65504.0F, 0x7BFF, 0x4780},
                 {65520.0F, 0x7C00, 0x4780},
                 {1.0F + 1.0F / 2048, 0x3C00, 0x3F80},
                 {1.0F + 3.0F / 2048, 0x3C02, 0x3F80},
                 {5.9604645e-8F, 0x0001, 0x3380},
                 {6.097555e-5F, 0x03FF, 0x3880},
                 {1.00390625F, 0x3C04, 0x3F80},
                 {1.01171875F, 0x3C0C, 0x3F82},
                 {0.0F, 0x0000, 0x0000},
                 {-0.0F, 0x8000, 0x8000}};
    for (const auto &row : table) {
        assert_int_equal(row.fp16, csm_pack_fp16(row.value, 0));
        assert_int_equal(row.bf16, csm_pack_bf16(row.value, 0));
        assert_int_equal(static_cast<uint32_t>(row.fp16) << 16, csm_pack_fp16(0, row.value));
    }
    for (uint32_t half = 0; half < 0x7C00; half++) // every finite fp16 comes back
        assert_int_equal(half, csm_pack_fp16(csm_unpack_fp16(static_cast<uint16_t>(half)), 0));
}

__global__ void lanes_apart(double *out) {
    double value = threadIdx.x;
    if (threadIdx.x < 16) value = csm_shuffle_xor(value, 1);
    out[threadIdx.x] = value;
}
__global__ void sum_of_warp(double *out) {
    double value = threadIdx.x;
    for (int lanes = 16; lanes > 0; lanes /= 2) value += csm_shuffle_xor(value, lanes);
    out[threadIdx.x] = value;
}

void a_shuffle_needs_all_lanes(void **) {
    double out[64];
    emulator_reset(nullptr, EMULATOR_BACKWARD, 1);
    launch(1, 64, 0, 1, sum_of_warp, out);
    assert_string_equal("", emulator_failure());
    assert_true(out[0] == 496 && out[31] == 496 && out[32] == 1520);
    launch(1, 32, 0, 1, lanes_apart, out);
    assert_non_null(strstr(emulator_failure(), "waits for threads that never come"));
}

// ---- the runtime ----

__global__ void add_one(float *value) {
    *value += 1;
}

void a_captured_graph_runs_when_it_is_launched(void **) {
    emulator_reset(nullptr, EMULATOR_FORWARD, 1);
    float value = 0;
    cudaStream_t stream;
    cudaGraph_t graph;
    cudaGraphExec_t made;
    assert_int_equal(cudaSuccess, cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    assert_int_equal(cudaSuccess, cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    const cudaLaunchConfig_t config = {dim3(1), dim3(1), 0, stream, nullptr, 0};
    assert_int_equal(cudaSuccess, cudaLaunchKernelEx(&config, add_one, &value));
    assert_int_equal(cudaErrorStreamCaptureUnsupported, cudaStreamSynchronize(stream));
    assert_int_equal(cudaSuccess, cudaStreamEndCapture(stream, &graph));
    assert_true(value == 0);
    assert_int_equal(cudaSuccess, cudaGraphInstantiate(&made, graph, 0));
    assert_int_equal(cudaSuccess, cudaGraphLaunch(made, stream));
    assert_int_equal(cudaSuccess, cudaGraphLaunch(made, stream));
    assert_true(value == 2);
    assert_int_equal(3, emulator_objects());
    assert_int_equal(cudaSuccess, cudaGraphExecDestroy(made));
    assert_int_equal(cudaSuccess, cudaGraphDestroy(graph));
    assert_int_equal(cudaSuccess, cudaStreamDestroy(stream));
    assert_int_equal(0, emulator_objects());
    (void)cudaGetLastError();
}

void the_nth_call_fails_when_told_to(void **) {
    void *device;
    emulator_reset(nullptr, EMULATOR_FORWARD, 1);
    emulator_fail_call(2);
    assert_int_equal(cudaSuccess, cudaMalloc(&device, 8));
    assert_int_not_equal(cudaSuccess, cudaMemsetAsync(device, 0, 8, nullptr));
    assert_int_equal(cudaSuccess, cudaMemsetAsync(device, 0, 8, nullptr));
    assert_int_equal(cudaSuccess, cudaFree(device));
    assert_int_not_equal(cudaSuccess, cudaGetLastError());
    assert_int_equal(cudaSuccess, cudaGetLastError());
}

} // namespace

int main() {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kernel_with_its_barriers_gives_the_same_under_every_order),
        cmocka_unit_test(a_missing_barrier_after_writing_is_caught),
        cmocka_unit_test(a_missing_barrier_before_writing_again_is_caught),
        cmocka_unit_test(threads_at_different_barriers_are_an_error),
        cmocka_unit_test(a_barrier_that_some_threads_left_is_an_error),
        cmocka_unit_test(writing_past_the_shared_memory_is_an_error),
        cmocka_unit_test(memory_that_nobody_wrote_is_not_a_number),
        cmocka_unit_test(more_shared_memory_than_asked_for_is_refused),
        cmocka_unit_test(blocks_of_a_cluster_read_each_others_shared_memory),
        cmocka_unit_test(a_missing_cluster_barrier_is_caught),
        cmocka_unit_test(matrix_instructions_multiply_matrices),
        cmocka_unit_test(halves_round_to_nearest_even),
        cmocka_unit_test(a_shuffle_needs_all_lanes),
        cmocka_unit_test(a_captured_graph_runs_when_it_is_launched),
        cmocka_unit_test(the_nth_call_fails_when_told_to),
    };
    return cmocka_run_group_tests_name("emulator", tests, nullptr, nullptr);
}
