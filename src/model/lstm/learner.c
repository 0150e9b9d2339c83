/* SPDX-License-Identifier: MIT */
#include "model/lstm/internal.h"

static const csm_learner_parameter parameters[LSTM_PARAMETER_COUNT] = {
    /* name, text, minimum, maximum, standard, integer, log_scale */
    [LSTM_HIDDEN] = {"hidden", "Units of a layer", 1, 1024, 64, 1, 1},
    [LSTM_LAYERS] = {"layers", "Layers", 1, 8, 1, 1, 0},
    [LSTM_EPOCHS] = {"epochs", "Most passes over the windows; early stopping may keep fewer", 1, 10000, 20, 1,
                     1},
    [LSTM_BATCH] = {"batch", "Windows of a step", 1, 8192, 256, 1, 1},
    [LSTM_RUN] = {"run", "Neighbouring windows drawn together: hours they share are computed once", 1, 8192,
                  8, 1, 1},
    [LSTM_LEARNING_RATE] = {"learning_rate", "Highest step size", 1e-6, 1, 1e-3, 0, 1},
    [LSTM_FINAL_RATE] = {"final_rate", "Share of learning_rate at the end of the cosine", 0, 1, 0.01, 0, 0},
    [LSTM_WARM_UP] = {"warm_up", "Share of the steps in which the step size rises", 0, 0.9, 0.05, 0, 0},
    [LSTM_DECAY] = {"weight_decay", "Share of a weight that decays at a step, times the step size", 0, 10,
                    0.01, 0, 0},
    [LSTM_CLIP] = {"clip", "Longest gradient; 0: any", 0, 1e6, 1, 0, 0},
    [LSTM_DROPOUT] = {"dropout", "Share of units that layers above the first do not see", 0, 0.9, 0, 0, 0},
    [LSTM_LAYER_NORM] = {"layer_norm", "1: each layer's output is normalised", 0, 1, 0, 1, 0},
    [LSTM_MEMBERS] = {"members", "Networks, each from a seed of its own, whose mean predicts", 1,
                      LSTM_MEMBERS_MAX, 1, 1, 0},
    [LSTM_HUBER_DELTA] = {"huber_delta", "Residual beyond which Huber's loss is linear", 1e-9, 1e9, 1, 0, 1},
    [LSTM_QUANTILE] = {"quantile", "Which quantile the quantile objective predicts", 0.001, 0.999, 0.5, 0, 0},
};

csm_status lstm_model_new(lstm_model **out, const csm_lstm_shape *shape, size_t window, size_t members) {
    const size_t count = csm_lstm_parameters(shape);
    *out = NULL;
    if (count == 0 || window < 1 || window > LSTM_WINDOW_MAX || members < 1 || members > LSTM_MEMBERS_MAX)
        return csm_fail(
            CSM_EINVAL,
            "lstm: %zu networks of %zu inputs, %zu x %zu units, %zu outputs over %zu hours are out of range",
            members, shape->inputs, shape->layers, shape->hidden, shape->outputs, window);
    lstm_model *model = csm_alloc_array(1, sizeof *model);
    if (!model) return CSM_ENOMEM;
    model->shape = *shape;
    model->window = window;
    model->members = members;
    model->count = count;
    model->mean = csm_alloc_array(shape->inputs, sizeof *model->mean);
    model->inverse = csm_alloc_array(shape->inputs, sizeof *model->inverse);
    model->heads = csm_alloc_array(shape->outputs, sizeof *model->heads);
    model->target = csm_alloc_array(shape->outputs, sizeof *model->target);
    model->parameters = csm_alloc_array(members, count * sizeof *model->parameters);
    if (!model->mean || !model->inverse || !model->heads || !model->target || !model->parameters) {
        lstm_model_free(model);
        return CSM_ENOMEM;
    }
    *out = model;
    return CSM_OK;
}

void lstm_model_free(void *state) {
    lstm_model *model = state;
    if (!model) return;
    csm_dealloc(model->mean);
    csm_dealloc(model->inverse);
    csm_dealloc(model->heads);
    csm_dealloc(model->target);
    csm_dealloc(model->parameters);
    csm_dealloc(model);
}

static size_t window_length(const void *state) {
    return ((const lstm_model *)state)->window;
}

const csm_learner_class csm_learner_lstm = {
    .about = {.name = "lstm",
              .title = "LSTM over windows of hours",
              .objectives = 1u << CSM_OBJECTIVE_SQUARED | 1u << CSM_OBJECTIVE_HUBER |
                            1u << CSM_OBJECTIVE_QUANTILE | 1u << CSM_OBJECTIVE_LOGISTIC,
              .sequences = 1,
              .parameters = parameters,
              .parameter_count = LSTM_PARAMETER_COUNT},
    .train = lstm_train,
    .predict = lstm_predict,
    .free = lstm_model_free,
    .write = lstm_write,
    .read = lstm_read,
    .spread = lstm_spread,
    .gradients = lstm_gradients,
    .window = window_length,
    .cuda = true,
};
