/* SPDX-License-Identifier: MIT */
/* Reports of several sources as one. */
#include "ingest/report.h"

#include <string.h>

static csm_status copy_item(csm_ingest_report *into, const csm_ingest_item *item) {
    csm_ingest_item *copy = NULL;
    csm_status status = csm_report_item(&copy, into, item->source, item->market);
    if (status == CSM_OK) status = csm_report_say(into, copy, item->text);
    if (status != CSM_OK) return status;
    copy->net_class = item->net_class;
    copy->requests = item->requests;
    copy->rows = item->rows;
    copy->newest = item->newest;
    return CSM_OK;
}

csm_status csm_ingest_report_join(csm_ingest_report **into, csm_ingest_report *from) {
    if (!into || !from) return csm_fail(CSM_EINVAL, "report: both reports are required");
    csm_status status = *into ? CSM_OK : csm_report_new(into);
    for (size_t i = 0; status == CSM_OK && i < from->count; i++) status = copy_item(*into, &from->items[i]);
    if (status != CSM_OK) return status;
    if ((*into)->first_failure == CSM_OK) (*into)->first_failure = from->first_failure;
    from->count = 0;
    return CSM_OK;
}
