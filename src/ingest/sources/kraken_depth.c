/* SPDX-License-Identifier: MIT */
/* GET /public/Depth (docs.kraken.com): a snapshot of the book, 1..500 levels a side. It names no time of its own: the
 * snapshot's time is that of receipt. */
#include "discover/kraken.h"
#include "ingest/decimal_text.h"
#include "ingest/source.h"

#define LEVELS_MAX 500
#define BOOK_COLUMNS 6 /* time available side level price volume (kinds.def) */

typedef struct depth_walk {
    csm_source_answer *answer;
    csm_source_part *part;
    csm_time received;
    csm_decimal best[2]; /* bid, ask; missing when the side is empty */
    bool side_seen[2];
    bool book_seen;
} depth_walk;

static csm_status request(csm_buffer *url, const csm_source_ask *ask) {
    if (ask->depth < 1 || ask->depth > LEVELS_MAX)
        return csm_fail(CSM_EINVAL, "kraken.depth: %u levels are outside 1..%d", ask->depth, LEVELS_MAX);
    return csm_buffer_printf(url, "%s/public/Depth?pair=%s&count=%u", ask->base_url, ask->market->native,
                             ask->depth);
}

/* ["price", "volume", unix_s] */
static csm_status level_read(csm_scan *scan, csm_decimal *price, csm_decimal *volume) {
    csm_slice span;
    csm_status status = csm_scan_expect(scan, '[');
    if (status == CSM_OK) status = csm_scan_string(scan, &span);
    if (status == CSM_OK) status = csm_decimal_from_slice(price, span);
    if (status == CSM_OK) status = csm_scan_expect(scan, ',');
    if (status == CSM_OK) status = csm_scan_string(scan, &span);
    if (status == CSM_OK) status = csm_decimal_from_slice(volume, span);
    if (status == CSM_OK) status = csm_scan_expect(scan, ',');
    if (status == CSM_OK) status = csm_scan_number(scan, &span);
    return status != CSM_OK ? status : csm_scan_expect(scan, ']');
}

/* Levels of one side, best first: bids fall, asks rise. */
static csm_status side_take(depth_walk *walk, csm_scan *scan, int64_t side) {
    csm_status status = CSM_OK;
    bool first = true;
    csm_decimal before = {.ticks = CSM_CELL_MISSING}, price, volume;
    int64_t level = 0;
    if (walk->side_seen[side]) return csm_scan_fail(scan, "each side once");
    walk->side_seen[side] = true;
    while (csm_scan_element(scan, &first, &status)) {
        status = level_read(scan, &price, &volume);
        if (status != CSM_OK) return status;
        if (level == LEVELS_MAX) return csm_scan_fail(scan, "at most 500 levels");
        if (price.ticks <= 0 || volume.ticks < 0)
            return csm_scan_fail(scan, "a positive price and volume before");
        if (level > 0 && csm_decimal_compare(price, before) * (side == 0 ? 1 : -1) >= 0)
            return csm_scan_fail(scan, side == 0 ? "bids that fall before" : "asks that rise before");
        if (level == 0) walk->best[side] = price;
        before = price;
        const csm_decimal cells[BOOK_COLUMNS] = {csm_decimal_whole(walk->received),
                                                 csm_decimal_whole(walk->received),
                                                 csm_decimal_whole(side),
                                                 csm_decimal_whole(level++),
                                                 price,
                                                 volume};
        status = csm_table_append(walk->part->rows, cells);
    }
    return status;
}

static csm_status member_take(void *user, csm_slice name, csm_scan *scan) {
    depth_walk *walk = user;
    if (walk->book_seen) return csm_scan_fail(scan, "the book of one pair");
    walk->book_seen = true;
    walk->part->native = csm_text_pool_add(&walk->answer->texts, name.text, name.length);
    if (walk->part->native == NULL) return CSM_ENOMEM;
    csm_status status = CSM_OK;
    bool first = true;
    csm_slice side;
    while (csm_scan_member(scan, &side, &first, &status)) {
        if (csm_slice_is(side, "bids"))
            status = side_take(walk, scan, 0);
        else if (csm_slice_is(side, "asks"))
            status = side_take(walk, scan, 1);
        else
            status = csm_scan_skip(scan);
    }
    return status;
}

static csm_status parse(csm_source_answer *answer, const csm_source_ask *ask, const char *body, size_t length,
                        csm_time received) {
    (void)ask;
    const csm_decimal none = {.ticks = CSM_CELL_MISSING};
    depth_walk walk = {.answer = answer, .received = received, .best = {none, none}};
    csm_status status = csm_source_answer_part(&walk.part, answer, "book", (csm_slice){"", 0});
    if (status != CSM_OK) return status;
    if (csm_table_columns(walk.part->rows) != BOOK_COLUMNS)
        return csm_fail(CSM_EINTERNAL, "a table of books has not %d columns", BOOK_COLUMNS);
    status = csm_kraken_walk(body, length, "kraken Depth", member_take, &walk);
    if (status != CSM_OK) return status;
    if (!walk.side_seen[0] || !walk.side_seen[1])
        return csm_fail(CSM_EPARSE, "kraken Depth: no %s", walk.side_seen[0] ? "asks" : "bids");
    if (walk.best[0].ticks != CSM_CELL_MISSING && walk.best[1].ticks != CSM_CELL_MISSING &&
        csm_decimal_compare(walk.best[0], walk.best[1]) > 0)
        return csm_fail(CSM_EPARSE, "kraken Depth: the best bid is over the best ask");
    return CSM_OK;
}

const csm_source_driver csm_driver_kraken_depth = {
    .net = &csm_kraken_source,
    .request = request,
    .parse = parse,
    .venue = CSM_KRAKEN_VENUE,
};
