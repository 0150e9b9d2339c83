/* SPDX-License-Identifier: MIT */
/* csm_discover_kraken: AssetPairs and Assets, fetched and applied. */
#include "discover/kraken.h"
#include "discover/replay_source.h"

#include <cryptosmart/discover.h>

static csm_status reply_check(const csm_net_reply *reply) {
    csm_status status = csm_net_class_status(reply->net_class);
    return status == CSM_OK ? CSM_OK : csm_fail(status, "%s: %s", reply->url, reply->text);
}

static csm_status replies_apply(csm_discovery **out, csm_context *context, csm_store *store,
                                const csm_net_replies *replies, const csm_discover_options *options) {
    const csm_net_reply *pairs = csm_net_replies_at(replies, 0), *assets = csm_net_replies_at(replies, 1);
    csm_listing *listing = NULL;
    csm_status status = reply_check(pairs);
    if (status == CSM_OK) status = reply_check(assets);
    if (status == CSM_OK)
        status =
            csm_discover_parse_kraken(&listing, pairs->body, pairs->length, assets->body, assets->length);
    if (status == CSM_OK) {
        const csm_provenance provenance = {
            .source = "kraken.assetpairs", .request = pairs->url, .origin = "", .received = pairs->received};
        status = csm_discover_apply(out, context, store, listing, pairs->body, pairs->length, &provenance,
                                    options);
    }
    csm_listing_free(listing);
    return status;
}

csm_status csm_discover_kraken(csm_discovery **out, csm_context *context, csm_store *store, csm_net *net,
                               const char *base_url, const csm_discover_options *options) {
    if (out == NULL) return csm_fail(CSM_EINVAL, "csm_discover_kraken: out is NULL");
    *out = NULL;
    if (context == NULL || store == NULL || net == NULL)
        return csm_fail(CSM_EINVAL, "csm_discover_kraken: context, store or net is NULL");
    if (base_url == NULL) base_url = CSM_KRAKEN_URL;
    csm_net_replies *replies = NULL;
    csm_status status = CSM_ENOMEM;
    char *pairs = csm_strformat("%s/public/AssetPairs", base_url);
    char *assets = csm_strformat("%s/public/Assets", base_url);
    if (pairs == NULL || assets == NULL) goto done;
    const csm_net_request requests[] = {{.url = pairs}, {.url = assets}};
    const csm_net_source source = csm_source_at(&csm_kraken_source, base_url);
    status = csm_net_perform(&replies, net, context, &source, requests, 2, NULL, NULL);
    if (status == CSM_OK) status = replies_apply(out, context, store, replies, options);
done:
    csm_net_replies_free(replies);
    csm_dealloc(pairs);
    csm_dealloc(assets);
    return status;
}
