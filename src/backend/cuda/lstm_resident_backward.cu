// SPDX-License-Identifier: MIT
// The widths of the resident backward kernel. Registers of weights a thread: 4 KR.
#include "backend/cuda/lstm_resident_table.cuh"

namespace {

template <class S>
struct pass {
    using shape = S;
    using job = lstm_backward_arguments;
    static constexpr size_t shared = resident_backward_memory<S>::bytes;
    static const char *name() {
        return "lstm backward, resident";
    }
    static auto kernel() {
        return lstm_resident_backward<S>;
    }
};

using table = resident_table<lstm_backward_arguments>;
using entry = resident_entry<lstm_backward_arguments>;

template <class F>
table half_table(int capability) {
    static const entry entries[] = {
        resident_entry_of<pass<resident_shape<F, 32, 1, 4, 1, 8>>>(capability),
        resident_entry_of<pass<resident_shape<F, 64, 1, 2, 1, 16>>>(capability),
        resident_entry_of<pass<resident_shape<F, 128, 1, 1, 2, 32>>>(capability),
        resident_entry_of<pass<resident_shape<F, 256, 4, 2, 1, 24>>>(capability),
        resident_entry_of<pass<resident_shape<F, 512, 16, 2, 1, 32>>>(capability),
    };
    return entries;
}

table table_of(csm_lstm_precision precision) {
    static const entry tf32[] = {
        resident_entry_of<pass<resident_shape<format_tf32, 32, 1, 4, 1, 16>>>(80),
        resident_entry_of<pass<resident_shape<format_tf32, 64, 1, 2, 1, 32>>>(80),
    };
    switch (precision) {
    case CSM_LSTM_FP32:
        break;
    case CSM_LSTM_TF32:
        return tf32;
    case CSM_LSTM_FP16:
        return half_table<format_fp16>(75);
    case CSM_LSTM_BF16:
        return half_table<format_bf16>(80);
    }
    return {};
}

} // namespace

bool lstm_resident_backward_fits(size_t hidden, csm_lstm_precision precision, const lstm_card *card) {
    return resident_fits(table_of(precision), hidden, card);
}

csm_status lstm_resident_backward_run(const lstm_backward_arguments *job, size_t hidden,
                                      csm_lstm_precision precision, cudaStream_t stream) {
    return resident_run(table_of(precision), job, hidden, stream);
}
