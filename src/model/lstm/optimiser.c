/* SPDX-License-Identifier: MIT */
/* AdamW with decoupled decay (Loshchilov & Hutter 2019), clipping by the global norm (Pascanu, Mikolov & Bengio 2013). */
#include "model/lstm/internal.h"

#include "core/real.h"

#include <math.h>
#include <string.h>

#define MOMENT_1 0.9
#define MOMENT_2 0.999
#define EPSILON 1e-8

csm_status lstm_optimiser_open(lstm_optimiser *optimiser, const csm_lstm_shape *shape) {
    const size_t count = csm_lstm_parameters(shape), H = shape->hidden;
    *optimiser = (lstm_optimiser){.count = count};
    optimiser->first = csm_alloc_array(count, sizeof *optimiser->first);
    optimiser->second = csm_alloc_array(count, sizeof *optimiser->second);
    optimiser->decays = csm_alloc_array(count, sizeof *optimiser->decays);
    if (!optimiser->first || !optimiser->second || !optimiser->decays) return CSM_ENOMEM;
    for (size_t l = 0; l < shape->layers; l++) {
        const csm_lstm_layer at = csm_lstm_layer_at(shape, l);
        memset(optimiser->decays + at.weight_ih, 1, at.bias - at.weight_ih);
    }
    memset(optimiser->decays + csm_lstm_head_weight(shape), 1, shape->outputs * H);
    return CSM_OK;
}

void lstm_optimiser_close(lstm_optimiser *optimiser) {
    csm_dealloc(optimiser->first);
    csm_dealloc(optimiser->second);
    csm_dealloc(optimiser->decays);
    *optimiser = (lstm_optimiser){0};
}

/* The factor that brings grad to norm `clip`, 1 when it is shorter; NaN when it is not finite. */
static double clipping(const float *grad, size_t count, double clip) {
    double square = 0;
    for (size_t i = 0; i < count; i++) square += (double)grad[i] * (double)grad[i];
    if (!isfinite(square)) return (double)NAN;
    const double norm = sqrt(square);
    return clip > 0 && norm > clip ? clip / norm : 1;
}

bool lstm_optimiser_step(lstm_optimiser *optimiser, float *parameters, float *grad, double rate, double decay,
                         double clip) {
    const double factor = clipping(grad, optimiser->count, clip);
    if (isnan(factor)) return false;
    const double steps = (double)++optimiser->steps;
    /* 1 - moment^steps, without a power */
    const double correct_1 = -csm_expm1(steps * csm_log(MOMENT_1));
    const double correct_2 = -csm_expm1(steps * csm_log(MOMENT_2));
    const float step = (float)(rate / correct_1), root = (float)(1 / sqrt(correct_2)), scale = (float)factor;
    const float keep = (float)(1 - rate * decay), epsilon = (float)EPSILON;
    for (size_t i = 0; i < optimiser->count; i++) {
        const float g = grad[i] * scale;
        const float first = (float)MOMENT_1 * optimiser->first[i] + (float)(1 - MOMENT_1) * g;
        const float second = (float)MOMENT_2 * optimiser->second[i] + (float)(1 - MOMENT_2) * g * g;
        optimiser->first[i] = first;
        optimiser->second[i] = second;
        const float kept = optimiser->decays[i] ? parameters[i] * keep : parameters[i];
        parameters[i] = kept - step * first / (sqrtf(second) * root + epsilon);
    }
    return true;
}

double lstm_rate(double rate, double warm_up, double final, uint64_t step, uint64_t total) {
    const double rising = warm_up * (double)total, at = (double)step + 1;
    if (at < rising) return rate * at / rising;
    const double left = (double)total - rising, share = left > 0 ? (at - rising) / left : 1;
    return rate * (final + (1 - final) * 0.5 * (1 + csm_cos_turn(0.5 * (share < 1 ? share : 1))));
}
