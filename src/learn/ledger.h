/* SPDX-License-Identifier: MIT */
/* Rows of the ledger: their columns, their canonical bytes and their place in the chain. */
#ifndef CSM_LEARN_LEDGER_H
#define CSM_LEARN_LEDGER_H

#include "store/catalog.h"

#include <cryptosmart/learn.h>

#define CSM_LEDGER_BATCH 0    /* header of one prediction run: lineage and counts */
#define CSM_LEDGER_FORECAST 1 /* one coin at one horizon */
#define CSM_LEDGER_DECISION 2 /* of the learning loop: name in `coin`, what was seen in `text` */
#define CSM_LEDGER_SHADOW 3   /* a forecast of a model in shadow: never shown, never evidence for what is */

typedef struct ledger_row {
    int64_t row;
    int64_t kind;
    int64_t batch; /* row of the batch's header */
    int64_t written;
    int64_t decision;
    int64_t interval; /* of the bars the decision follows */
    int64_t horizon;
    int64_t epoch;
    int64_t show;
    int64_t trade;
    int64_t evidence;
    int64_t backfill;
    double probability;
    double lower;
    double expected;
    double low;
    double high;
    double cost;
    double price;
    const char *market;
    const char *coin;
    const char *text; /* of a header: lineage, one "name value" a line */
    char previous[CSM_HASH_TEXT];
    char hash[CSM_HASH_TEXT];
} ledger_row;

/* SHA-256 over the previous row's hash and every column of this one; doubles by their bits. */
void csm_ledger_hash(char *hex, const ledger_row *row);

#define CSM_LEDGER_COLUMNS                                                                                   \
    "row, kind, batch, written, decision, interval, horizon, epoch, show, trade, evidence, backfill, "       \
    "probability, "                                                                                          \
    "lower, expected, low, high, cost, price, market, coin, text, previous, hash"
#define CSM_LEDGER_COLUMN_COUNT 24
#define CSM_LEDGER_INSERT                                                                                    \
    "INSERT INTO ledger (" CSM_LEDGER_COLUMNS ") VALUES "                                                    \
    "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24)"

/* Reads the columns above from a stepped statement; texts live until its next step. */
csm_status csm_ledger_read(ledger_row *out, csm_statement *statement);
/* Fills previous and hash from `head`, inserts the row, and moves the head on. Inside a transaction. */
csm_status csm_ledger_insert(csm_ledger_head *head, csm_statement *insert, ledger_row *row);

/* csm_learn_append of forecasts of either kind: CSM_LEDGER_FORECAST or CSM_LEDGER_SHADOW. */
csm_status csm_ledger_append(csm_ledger_head *head, csm_context *context, csm_store *store,
                             const csm_ranking *ranking, const csm_ledger_lineage *lineage, bool backfill,
                             int64_t kind);

/* Appends a decision of the loop, within the caller's transaction, which begins and ends outside. model: hash of the model it is about,
 * first line of its text. */
csm_status csm_ledger_decide(csm_context *context, const csm_store *store, uint32_t kind, csm_time time,
                             csm_time horizon, const char *model, const char *text, bool backfill);

/* Recomputes the newest `rows` rows of the chain: what opening a workspace for writing checks. */
csm_status csm_ledger_verify_tail(const csm_store *store, int64_t rows);

#endif
