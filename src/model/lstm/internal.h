/* SPDX-License-Identifier: MIT */
/*
 * The LSTM as a learner. One or several networks of one shape (a deep ensemble) read windows of normalised hours.
 *
 *   learner.c     parameters, the row of models.def, the trained state
 *   windows.c     windows of a batch: distinct hours, normalised; what normalises them
 *   loss.c        heads: targets, losses and their slopes
 *   optimiser.c   AdamW, clipping, the schedule
 *   train.c       epochs, early stopping, members
 *   engine_*.c    what a step is computed with: this processor, or a card
 *   checkpoint.c  a training's state on disk
 *   predict.c     batches of windows through the members; spread
 *   gradients.c   integrated gradients
 *   file.c        tensors under PyTorch's names
 */
#ifndef CSM_MODEL_LSTM_INTERNAL_H
#define CSM_MODEL_LSTM_INTERNAL_H

#include "backend/lstm.h"
#include "model/internal.h"

typedef enum lstm_parameter {
    LSTM_HIDDEN,
    LSTM_LAYERS,
    LSTM_EPOCHS,
    LSTM_BATCH,
    LSTM_RUN,
    LSTM_LEARNING_RATE,
    LSTM_FINAL_RATE,
    LSTM_WARM_UP,
    LSTM_DECAY,
    LSTM_CLIP,
    LSTM_DROPOUT,
    LSTM_LAYER_NORM,
    LSTM_MEMBERS,
    LSTM_HUBER_DELTA,
    LSTM_QUANTILE,
    LSTM_PARAMETER_COUNT
} lstm_parameter;

#define LSTM_MEMBERS_MAX 64
#define LSTM_WINDOW_MAX 65536
/* Normalised values are cut here: one absurd hour must not decide a window. */
#define LSTM_INPUT_LIMIT 10.0f

/* A head's target in the network's units: (y - offset) / scale; logistic: score = z + offset, scale 1. */
typedef struct lstm_target {
    double offset;
    double scale;
} lstm_target;

typedef struct lstm_model {
    csm_lstm_shape shape;
    size_t window;  /* T */
    size_t members; /* M */
    size_t count;   /* parameters of a member */
    float dropout;
    double *mean;        /* (I) of the training hours */
    double *inverse;     /* (I) 1 / deviation, 0 for a constant feature */
    csm_head *heads;     /* (O) */
    lstm_target *target; /* (O) */
    float *parameters;   /* (M, count), in the order of backend/lstm.h */
} lstm_model;

/* Arrays for a shape; CSM_EINVAL when it is out of range. */
csm_status lstm_model_new(lstm_model **out, const csm_lstm_shape *shape, size_t window, size_t members);
void lstm_model_free(void *state);

/* ---- windows.c ---- */

/* mean and inverse deviation of each feature over the distinct hours of the windows. CSM_EINVAL names the row and column
 * of a value that is not a finite float. */
csm_status lstm_normalise(lstm_model *model, const csm_samples *samples);

/* Reads windows: distinct hours of a batch, normalised, without copies for windows that overlap. */
typedef struct lstm_reader {
    const lstm_model *model;
    const csm_samples *samples;
    float *x;        /* (hours, I) */
    size_t x_floats; /* room */
    uint32_t *first; /* (capacity) */
    struct lstm_window_end *sorted;
    size_t capacity; /* windows */
    size_t hours;
} lstm_reader;
csm_status lstm_reader_open(lstm_reader *reader, const lstm_model *model, const csm_samples *samples,
                            size_t capacity);
void lstm_reader_close(lstm_reader *reader);
/* The batch of these windows, count <= capacity; lives until the next call. */
csm_status lstm_reader_take(csm_lstm_batch *out, lstm_reader *reader, const uint32_t *window, size_t count);
/* Windows by their end, then number: neighbours share hours. (length) */
csm_status lstm_by_end(uint32_t **out, const csm_samples *samples);
/* An upper bound of the distinct hours of any `size` windows that follow one another in a shuffled order of runs. Tight: a card
 * takes memory for so many, and a captured step works on all of them. */
csm_status lstm_hours_most(size_t *out, const csm_samples *samples, size_t run, size_t size);

/* ---- loss.c ---- */

/* Offsets and scales from the training targets. */
csm_status lstm_targets(lstm_model *model, const csm_samples *samples);
/* Weighted loss of window b with network outputs z (O); dz (O), when not NULL, is set to its slope. */
double lstm_loss(const lstm_model *model, const csm_samples *samples, size_t window, const float *z,
                 float *dz);

/* ---- optimiser.c ---- */

/* AdamW (Loshchilov & Hutter 2019) with moments 0.9 and 0.999. */
typedef struct lstm_optimiser {
    size_t count;
    float *first;    /* (count) mean of gradients */
    float *second;   /* (count) mean of their squares */
    uint8_t *decays; /* (count) 1: a weight, which decays; 0: a bias, gain or offset */
    uint64_t steps;  /* taken */
} lstm_optimiser;
csm_status lstm_optimiser_open(lstm_optimiser *optimiser, const csm_lstm_shape *shape);
void lstm_optimiser_close(lstm_optimiser *optimiser);
/* Scales grad to norm `clip` when it is longer (0: never), then one step. False when the gradient is not finite. */
bool lstm_optimiser_step(lstm_optimiser *optimiser, float *parameters, float *grad, double rate, double decay,
                         double clip);
/* Rate of step `step` of `total`: linear up over warm_up of them, then a cosine down to final * rate. */
double lstm_rate(double rate, double warm_up, double final, uint64_t step, uint64_t total);

/* ---- train.c and checkpoint.c ---- */

csm_status lstm_train(void **state, csm_model_info *info, const csm_train_job *job);

/* Where a training stands: between two epochs. */
typedef struct lstm_progress {
    uint64_t member;
    uint64_t epoch;      /* of this member, done */
    uint64_t best_epoch; /* 0: none yet */
    double training_loss;
    double best_loss, best_training_loss;
    double sum_training, sum_validation, sum_epochs; /* of finished members */
} lstm_progress;

typedef struct lstm_training lstm_training;

/* What steps are computed with, one object for each device: the same functions in the same order. */
typedef struct lstm_engine {
    csm_status (*open)(void **state, const lstm_training *training);
    void (*close)(void *state);
    /* Takes parameters and moments of the member at hand over, before the steps of an epoch. */
    csm_status (*begin)(void *state, const lstm_training *training);
    /* One step of the optimiser on the windows of the batch; *loss grows by their loss, now or at `end`. */
    csm_status (*learn)(void *state, lstm_training *training, const csm_lstm_batch *batch,
                        const uint32_t *window, double rate, double *loss);
    /* After an epoch's last step: parameters and moments are the training's again. */
    csm_status (*end)(void *state, lstm_training *training, double *loss);
    /* Outputs (B, O) with the parameters of the last `end`. */
    csm_status (*forward)(void *state, const csm_lstm_batch *batch, float *out);
} lstm_engine;

extern const lstm_engine lstm_engine_cpu;  /* engine_cpu.c */
extern const lstm_engine lstm_engine_cuda; /* engine_cuda.c */

struct lstm_training {
    const csm_train_job *job;
    lstm_model *model;
    const lstm_engine *engine;
    void *engine_state;
    lstm_reader learn, check;
    lstm_optimiser optimiser;
    lstm_progress at;
    float *parameters; /* (count) of the member at hand: a row of model->parameters */
    float *best;       /* (count) */
    float *out;        /* (batch, O) */
    uint32_t *by_end;  /* (length) */
    uint32_t *order;   /* (length) of the epoch at hand */
    uint32_t *runs;    /* (runs) starts in by_end */
    double mean_weight;
};

csm_status lstm_checkpoint_write(const lstm_training *training);
/* Takes the training up where the file left it; nothing when there is no file. */
csm_status lstm_checkpoint_read(lstm_training *training);

/* ---- predict.c, gradients.c, file.c ---- */

csm_status lstm_predict(const void *state, csm_context *context, const csm_samples *samples, csm_matrix *out);
csm_status lstm_spread(const void *state, csm_context *context, const csm_samples *samples, uint32_t passes,
                       csm_matrix *mean, csm_matrix *deviation);
csm_status lstm_gradients(const void *state, csm_context *context, const csm_samples *samples, size_t sample,
                          uint32_t output, uint32_t steps, csm_matrix *out, double *base, double *error);
csm_status lstm_check_window(const lstm_model *model, const csm_samples *samples);
csm_status lstm_write(const void *state, csm_tensors_writer *writer, const char *prefix);
csm_status lstm_read(void **state, const csm_model_info *info, const csm_tensors *tensors,
                     const char *prefix);

/* Writes one element of a matrix of either type. */
static inline void lstm_put(csm_matrix *matrix, size_t r, size_t c, double value) {
    const ptrdiff_t at = (ptrdiff_t)r * matrix->row_stride + (ptrdiff_t)c * matrix->col_stride;
    if (matrix->dtype == CSM_F64)
        ((double *)matrix->data)[at] = value;
    else
        ((float *)matrix->data)[at] = (float)value;
}

extern const csm_learner_class csm_learner_lstm;

#endif
