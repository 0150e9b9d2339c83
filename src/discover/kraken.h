/* SPDX-License-Identifier: MIT */
/* What every Kraken REST reply has in common: envelope, error classes, names (docs.kraken.com, REST 1.1.0). */
#ifndef CSM_DISCOVER_KRAKEN_H
#define CSM_DISCOVER_KRAKEN_H

#include "discover/json_scan.h"

#include <cryptosmart/net.h>

#include <jansson.h>

#define CSM_KRAKEN_VENUE "kraken"
#define CSM_KRAKEN_URL "https://api.kraken.com/0"

/* About one public call a second and address, OHLC and Trades also a pair: see the API sheet's "Rate limits". */
extern const csm_net_source csm_kraken_source;

/* Judges a reply (csm_net_classify_fn): Kraken answers errors with HTTP 200 and a list of strings. */
uint32_t csm_kraken_classify(void *user, const csm_net_reply *reply, csm_time *retry_at, char *text,
                             size_t text_size);

/* The whole reply as a tree. `*root` is owned by the caller, `*result` is borrowed from it: an object. Duplicate names,
 * a cut text and anything after it are CSM_EPARSE; an error string of class E is the status of its class. */
csm_status csm_kraken_tree(json_t **root, json_t **result, const char *body, size_t length, const char *what);

/* Walks a bulk reply in one pass: `member` is called for each member of "result", the cursor before its value, which it
 * must take. */
typedef csm_status (*csm_kraken_member_fn)(void *user, csm_slice name, csm_scan *scan);
csm_status csm_kraken_walk(const char *body, size_t length, const char *what, csm_kraken_member_fn member,
                           void *user);

/* The usual name of an asset: names.def applied once to its altname. Static storage or `altname` itself. */
const char *csm_kraken_rename(const char *altname);
/* Staked, bonded and held forms (".S", ".M", ".F", ".B", ".P", ".HOLD") are no coins of their own. */
bool csm_kraken_is_staked(const char *asset);

#endif
