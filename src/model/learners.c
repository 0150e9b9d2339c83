/* SPDX-License-Identifier: MIT */
#include "model/internal.h"

#include <math.h>
#include <string.h>

#define CSM_LEARNER(name) extern const csm_learner_class csm_learner_##name;
#include "model/models.def"
#undef CSM_LEARNER

static const csm_learner_class *const learners[] = {
#define CSM_LEARNER(name) &csm_learner_##name,
#include "model/models.def"
#undef CSM_LEARNER
};

size_t csm_model_learner_count(void) {
    return sizeof learners / sizeof *learners;
}

const csm_learner *csm_model_learner_at(size_t index) {
    return index < csm_model_learner_count() ? &learners[index]->about : NULL;
}

const csm_learner_class *csm_learner_class_find(const char *name) {
    for (size_t i = 0; name && i < csm_model_learner_count(); i++) {
        if (strcmp(learners[i]->about.name, name) == 0) return learners[i];
    }
    return NULL;
}

const csm_learner *csm_model_learner_find(const char *name) {
    const csm_learner_class *learner = csm_learner_class_find(name);
    return learner ? &learner->about : NULL;
}

static csm_status check_value(const csm_learner *learner, const csm_learner_parameter *parameter,
                              double value) {
    if (!(value >= parameter->minimum && value <= parameter->maximum))
        return csm_fail(CSM_EINVAL, "%s: parameter %s = %g is outside %g..%g", learner->name, parameter->name,
                        value, parameter->minimum, parameter->maximum);
    if (parameter->integer && value != floor(value))
        return csm_fail(CSM_EINVAL, "%s: parameter %s = %g is not a whole number", learner->name,
                        parameter->name, value);
    return CSM_OK;
}

csm_status csm_model_parameters(double *values, const csm_learner *learner, const csm_parameter *parameters,
                                size_t count) {
    if (count && !parameters)
        return csm_fail(CSM_EINVAL, "%s: %zu parameters but no array", learner->name, count);
    for (size_t p = 0; p < learner->parameter_count; p++) values[p] = learner->parameters[p].standard;
    for (size_t i = 0; i < count; i++) {
        const char *name = parameters[i].name;
        if (!name) return csm_fail(CSM_EINVAL, "%s: parameter %zu has no name", learner->name, i);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(parameters[j].name, name) == 0)
                return csm_fail(CSM_EINVAL, "%s: parameter %s is given twice", learner->name, name);
        }
        size_t p = 0;
        while (p < learner->parameter_count && strcmp(learner->parameters[p].name, name) != 0) p++;
        if (p == learner->parameter_count)
            return csm_fail(CSM_EINVAL, "%s: no parameter is called '%s'", learner->name, name);
        csm_status status = check_value(learner, &learner->parameters[p], parameters[i].value);
        if (status) return status;
        values[p] = parameters[i].value;
    }
    return CSM_OK;
}
