// SPDX-License-Identifier: MIT
// Which resident forward kernel takes which width. Registers of weights a thread: 16 KR.
#include "backend/cuda/lstm_resident.cuh"

namespace {

template <class S>
csm_launch launch_of(size_t batch) {
    return {dim3(csm_blocks(batch, S::samples) * S::cluster), S::threads, resident_forward_memory<S>::bytes,
            S::cluster};
}

template <class S>
csm_status start(const lstm_forward_arguments *job, cudaStream_t stream) {
    return csm_cuda_launch("lstm forward, resident", launch_of<S>(job->batch), stream,
                           lstm_resident_forward<S>, *job);
}

template <class S>
bool holds() {
    return S::cluster == 1 || csm_cuda_holds_cluster(launch_of<S>(1), lstm_resident_forward<S>);
}

struct entry {
    size_t hidden;
    int capability;
    size_t shared;
    csm_status (*start)(const lstm_forward_arguments *job, cudaStream_t stream);
    bool (*holds)();
};
template <class S>
constexpr entry entry_of(int capability) {
    return {S::hidden, S::cluster > 1 ? 90 : capability, resident_forward_memory<S>::bytes, start<S>,
            holds<S>};
}

template <class F>
const entry *half_entries(size_t *count, int capability) {
    static const entry table[] = {
        entry_of<resident_shape<F, 32, 1, 4, 1, 2>>(capability),
        entry_of<resident_shape<F, 64, 1, 2, 1, 4>>(capability),
        entry_of<resident_shape<F, 128, 1, 1, 2, 8>>(capability),
        entry_of<resident_shape<F, 256, 4, 2, 2, 6>>(capability),
        entry_of<resident_shape<F, 512, 16, 2, 2, 6>>(capability),
    };
    *count = sizeof table / sizeof table[0];
    return table;
}

const entry *entries(csm_lstm_precision precision, size_t *count) {
    static const entry tf32[] = {
        entry_of<resident_shape<format_tf32, 32, 1, 4, 1, 4>>(80),
        entry_of<resident_shape<format_tf32, 64, 1, 2, 1, 8>>(80),
    };
    *count = 0;
    switch (precision) {
    case CSM_LSTM_FP32:
        return nullptr;
    case CSM_LSTM_TF32:
        *count = sizeof tf32 / sizeof tf32[0];
        return tf32;
    case CSM_LSTM_FP16:
        return half_entries<format_fp16>(count, 75);
    case CSM_LSTM_BF16:
        return half_entries<format_bf16>(count, 80);
    }
    return nullptr;
}

} // namespace

bool lstm_resident_forward_fits(size_t hidden, csm_lstm_precision precision, const lstm_card *card) {
    size_t count;
    const entry *table = entries(precision, &count);
    for (size_t i = 0; i < count; i++)
        if (table[i].hidden == hidden)
            return card->capability >= table[i].capability && card->block_shared >= table[i].shared &&
                   (!card->present || table[i].holds());
    return false;
}

csm_status lstm_resident_forward_run(const lstm_forward_arguments *job, size_t hidden,
                                     csm_lstm_precision precision, cudaStream_t stream) {
    size_t count;
    const entry *table = entries(precision, &count);
    for (size_t i = 0; i < count; i++)
        if (table[i].hidden == hidden) return table[i].start(job, stream);
    return csm_fail(CSM_EINVAL, "lstm: no resident kernel of %zu units", hidden);
}
