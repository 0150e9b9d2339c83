/* SPDX-License-Identifier: MIT */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char own_text[4096];

csm_status fail(csm_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(own_text, sizeof own_text, format, arguments);
    va_end(arguments);
    return status;
}

csm_status fail_library(csm_status status, const char *where) {
    return fail(status, "%s%s%s", where, *where ? ": " : "", csm_error_message());
}

const char *failure_text(void) {
    return own_text;
}

int exit_code(csm_status status) {
    switch (status) {
    case CSM_OK:
        return CODE_OK;
    case CSM_EINVAL:
        return CODE_USAGE;
    case CSM_ENODATA:
    case CSM_ENOTFOUND:
        return CODE_NO_DATA;
    case CSM_ECOVERAGE:
        return CODE_COVERAGE;
    case CSM_ELOCKED:
        return CODE_BUSY;
    case CSM_ELIMITED:
    case CSM_ETRANSIENT:
    case CSM_EPERMANENT:
    case CSM_EAUTH:
        return CODE_NETWORK;
    case CSM_ECORRUPT:
    case CSM_EPARSE:
    case CSM_EPROVENANCE:
        return CODE_DAMAGED;
    case CSM_ECANCELLED:
        return CODE_CANCELLED;
    default:
        return CODE_FAILED;
    }
}
