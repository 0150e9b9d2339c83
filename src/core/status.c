/* SPDX-License-Identifier: MIT */
#include <cryptosmart/core.h>

static const char *const names[] = {
    "CSM_OK",        "CSM_EINVAL",     "CSM_ENOMEM",      "CSM_EIO",     "CSM_EPARSE",
    "CSM_ECORRUPT",  "CSM_ENOTFOUND",  "CSM_EEXIST",      "CSM_ELOCKED", "CSM_ECANCELLED",
    "CSM_ELIMITED",  "CSM_ETRANSIENT", "CSM_EPERMANENT",  "CSM_EAUTH",   "CSM_ENOSPACE",
    "CSM_EREADONLY", "CSM_ECOVERAGE",  "CSM_EPROVENANCE", "CSM_ENODATA", "CSM_EUNSUPPORTED",
    "CSM_EDEVICE",   "CSM_EINTERNAL",
};

const char *csm_status_name(csm_status status) {
    const int count = (int)(sizeof names / sizeof names[0]);
    const int value = (int)status;
    return value <= 0 && value > -count ? names[-value] : "CSM_UNKNOWN";
}
