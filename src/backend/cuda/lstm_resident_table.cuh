// SPDX-License-Identifier: MIT
// Which resident kernel takes which width, the same for both directions. A direction is a template `pass` over a shape, with its
// arguments (job), its name, the shared memory of a block and the kernel.
#ifndef CSM_BACKEND_CUDA_LSTM_RESIDENT_TABLE_CUH
#define CSM_BACKEND_CUDA_LSTM_RESIDENT_TABLE_CUH

#include "backend/cuda/lstm_resident.cuh"

template <class Job>
struct resident_entry {
    size_t hidden;
    int capability; // least; clusters need 9.0
    size_t shared;  // bytes a block
    csm_status (*start)(const Job *job, cudaStream_t stream);
    bool (*holds)(); // whether the present card has room for one cluster
};

template <class Job>
struct resident_table {
    const resident_entry<Job> *entries;
    size_t count;

    template <size_t N>
    resident_table(const resident_entry<Job> (&all)[N]) : entries(all), count(N) {}
    resident_table() : entries(nullptr), count(0) {}

    const resident_entry<Job> *find(size_t hidden) const {
        for (size_t i = 0; i < count; i++)
            if (entries[i].hidden == hidden) return entries + i;
        return nullptr;
    }
};

template <class Pass>
csm_launch resident_launch(size_t batch) {
    using shape = typename Pass::shape;
    return {dim3(csm_blocks(batch, shape::samples) * shape::cluster), shape::threads, Pass::shared,
            shape::cluster};
}

template <class Pass>
csm_status resident_start(const typename Pass::job *job, cudaStream_t stream) {
    return csm_cuda_launch(Pass::name(), resident_launch<Pass>(job->batch), stream, Pass::kernel(), *job);
}

template <class Pass>
bool resident_holds() {
    return Pass::shape::cluster == 1 || csm_cuda_holds_cluster(resident_launch<Pass>(1), Pass::kernel());
}

template <class Pass>
constexpr resident_entry<typename Pass::job> resident_entry_of(int capability) {
    return {Pass::shape::hidden, Pass::shape::cluster > 1 ? 90 : capability, Pass::shared,
            resident_start<Pass>, resident_holds<Pass>};
}

template <class Job>
bool resident_fits(const resident_table<Job> &table, size_t hidden, const lstm_card *card) {
    const resident_entry<Job> *entry = table.find(hidden);
    return entry && card->capability >= entry->capability && card->block_shared >= entry->shared &&
           (!card->present || entry->holds());
}

template <class Job>
csm_status resident_run(const resident_table<Job> &table, const Job *job, size_t hidden,
                        cudaStream_t stream) {
    const resident_entry<Job> *entry = table.find(hidden);
    if (entry) return entry->start(job, stream);
    return csm_fail(CSM_EINVAL, "lstm: no resident kernel of %zu units", hidden);
}

#endif
