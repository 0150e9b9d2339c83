/* SPDX-License-Identifier: MIT */
#include "replay.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: cryptosmart-replay --listing FILE [options]\n"
    "Serves recorded history as Kraken's public REST API at a virtual time, on 127.0.0.1.\n"
    "  --listing FILE       recorded AssetPairs reply (.json, .json.xz)\n"
    "  --assets FILE        recorded Assets reply\n"
    "  --workspace DIR      bars, trades, tickers and books of this workspace\n"
    "  --folder DIR         the same of history files (.csv, .csv.xz, .csv.gz, .zip), imported for the "
    "occasion\n"
    "  --folder-quote Q     quote currency of files that are named by coin (such as USDT)\n"
    "  --venue NAME         whose streams to serve (default kraken)\n"
    "  --quote FROM=TO,...  streams quoted in FROM stand for pairs quoted in TO (such as USDT=USD)\n"
    "  --books FILE         recorded Depth reply; repeatable\n"
    "  --trades FILE        recorded Trades reply; repeatable\n"
    "  --only-recorded      list only pairs whose bars were recorded by the virtual time\n"
    "  --delist-after SPAN  with --only-recorded: a pair leaves this long after its last bar (such as 3d)\n"
    "  --time RFC3339       virtual time at the start (default: the newest record)\n"
    "  --speed X            virtual seconds a second (default 0: moved by /replay/step)\n"
    "  --port N             0 (default): any free port, printed on standard output\n"
    "  --limit RATE[,BURST] refuse calls above RATE a second\n"
    "  --fault KIND[:N]     spoil each N-th answer: rate throttled unavailable http500 http520html html200 "
    "cut short slow\n"
    "                       wrongjson wrongtype missingpair empty\n"
    "  --slow-seconds S     how long a slow answer takes (default 5)\n"
    "  --version, --help\n";

enum {
    OPT_LISTING = 256,
    OPT_ASSETS,
    OPT_WORKSPACE,
    OPT_FOLDER,
    OPT_FOLDER_QUOTE,
    OPT_VENUE,
    OPT_QUOTE,
    OPT_BOOKS,
    OPT_TRADES,
    OPT_ONLY,
    OPT_DELIST,
    OPT_TIME,
    OPT_SPEED,
    OPT_PORT,
    OPT_LIMIT,
    OPT_FAULT,
    OPT_SLOW,
    OPT_VERSION,
    OPT_HELP
};

static const struct option long_options[] = {{"listing", required_argument, NULL, OPT_LISTING},
                                             {"assets", required_argument, NULL, OPT_ASSETS},
                                             {"workspace", required_argument, NULL, OPT_WORKSPACE},
                                             {"folder", required_argument, NULL, OPT_FOLDER},
                                             {"folder-quote", required_argument, NULL, OPT_FOLDER_QUOTE},
                                             {"venue", required_argument, NULL, OPT_VENUE},
                                             {"quote", required_argument, NULL, OPT_QUOTE},
                                             {"books", required_argument, NULL, OPT_BOOKS},
                                             {"trades", required_argument, NULL, OPT_TRADES},
                                             {"only-recorded", no_argument, NULL, OPT_ONLY},
                                             {"delist-after", required_argument, NULL, OPT_DELIST},
                                             {"time", required_argument, NULL, OPT_TIME},
                                             {"speed", required_argument, NULL, OPT_SPEED},
                                             {"port", required_argument, NULL, OPT_PORT},
                                             {"limit", required_argument, NULL, OPT_LIMIT},
                                             {"fault", required_argument, NULL, OPT_FAULT},
                                             {"slow-seconds", required_argument, NULL, OPT_SLOW},
                                             {"version", no_argument, NULL, OPT_VERSION},
                                             {"help", no_argument, NULL, OPT_HELP},
                                             {NULL, 0, NULL, 0}};

static bool refuse(const char *option, const char *value) {
    fprintf(stderr, "cryptosmart-replay: --%s %s is not understood\n", option, value);
    return false;
}

static bool take_number(double *out, const char *option, const char *value, double least, double most) {
    char *end = NULL;
    *out = strtod(value, &end);
    return end != value && *end == '\0' && *out >= least && *out <= most ? true : refuse(option, value);
}

static bool take_limit(options *o, const char *value) {
    char *end = NULL;
    o->limit_rate = strtod(value, &end);
    o->limit_burst = *end == ',' ? strtod(end + 1, &end) : 1;
    return *end == '\0' && o->limit_rate > 0 && o->limit_burst >= 1 ? true : refuse("limit", value);
}

static bool take_file(const char **list, size_t *count, const char *option, const char *value) {
    if (*count == 64) return refuse(option, "for the 65th time");
    list[(*count)++] = value;
    return true;
}

static bool take_option(replay *r, int option, const char *value) {
    options *o = &r->options;
    double number = 0;
    switch (option) {
    case OPT_LISTING:
        o->listing = value;
        return true;
    case OPT_ASSETS:
        o->assets = value;
        return true;
    case OPT_WORKSPACE:
        o->workspace = value;
        return true;
    case OPT_FOLDER:
        o->folder = value;
        return true;
    case OPT_FOLDER_QUOTE:
        o->folder_quote = value;
        return true;
    case OPT_VENUE:
        o->venue = value;
        return true;
    case OPT_QUOTE:
        o->quotes = value;
        return true;
    case OPT_BOOKS:
        return take_file(o->books, &o->book_count, "books", value);
    case OPT_TRADES:
        return take_file(o->trades, &o->trade_count, "trades", value);
    case OPT_ONLY:
        o->only_recorded = true;
        return true;
    case OPT_DELIST:
        return csm_interval_parse(&o->delist_after, value) == CSM_OK || refuse("delist-after", value);
    case OPT_TIME:
        return csm_time_parse(&r->clock.start, value, strlen(value)) == CSM_OK || refuse("time", value);
    case OPT_SPEED:
        return take_number(&r->clock.speed, "speed", value, 0, 1e6);
    case OPT_PORT:
        if (!take_number(&number, "port", value, 0, 65535)) return false;
        o->port = (uint16_t)number;
        return true;
    case OPT_LIMIT:
        return take_limit(o, value);
    case OPT_FAULT:
        return fault_parse(&r->fault, value) || refuse("fault", value);
    case OPT_SLOW:
        return take_number(&o->slow_seconds, "slow-seconds", value, 0, 3600);
    default:
        return false;
    }
}

/* 0: go on; otherwise the exit code plus 1. */
static int take_arguments(replay *r, int count, char **arguments) {
    for (int option = 0; (option = getopt_long(count, arguments, "", long_options, NULL)) != -1;) {
        if (option == OPT_HELP || option == OPT_VERSION) {
            if (option == OPT_HELP)
                fputs(usage, stdout);
            else
                printf("cryptosmart-replay %s\n", csm_version());
            return 1;
        }
        if (option == '?' || !take_option(r, option, optarg)) {
            fputs(usage, stderr);
            return 3;
        }
    }
    if (r->options.listing && optind == count && !(r->options.workspace && r->options.folder)) return 0;
    fputs(usage, stderr);
    return 3;
}

/* Without --time: just after everything recorded became known. */
static csm_time newest_record(const replay *r) {
    csm_time newest = CSM_TIME_MIN;
    for (size_t i = 0; i < csm_stream_list_count(r->streams); i++) {
        const csm_stream_info *info = csm_stream_list_at(r->streams, i);
        if (info->available > newest) newest = info->available;
    }
    for (size_t i = 0; i < r->pair_count; i++) {
        const pair *p = &r->pairs[i];
        if (p->trade_count && p->trades[p->trade_count - 1].time > newest)
            newest = p->trades[p->trade_count - 1].time;
        if (p->book_count && p->books[p->book_count - 1].time > newest)
            newest = p->books[p->book_count - 1].time;
    }
    return newest;
}

static bool load(replay *r) {
    if (csm_context_new(&r->context, NULL)) {
        fprintf(stderr, "cryptosmart-replay: %s\n", csm_error_message());
        return false;
    }
    if (r->options.workspace && csm_store_open(&r->store, r->context, r->options.workspace, CSM_STORE_READ)) {
        fprintf(stderr, "cryptosmart-replay: %s\n", csm_error_message());
        return false;
    }
    if (!listing_load(r)) return false;
    if (r->options.folder && !folder_open(r)) return false;
    if (!markets_load(r)) return false;
    for (size_t i = 0; i < r->options.book_count; i++)
        if (!books_load(r, r->options.books[i])) return false;
    for (size_t i = 0; i < r->options.trade_count; i++)
        if (!trades_load(r, r->options.trades[i])) return false;
    csm_time start = r->clock.start != CSM_TIME_MIN ? r->clock.start : newest_record(r);
    if (start == CSM_TIME_MIN) {
        fprintf(stderr, "cryptosmart-replay: nothing recorded; give --time\n");
        return false;
    }
    clock_set(&r->clock, start);
    return true;
}

int main(int count, char **arguments) {
    static replay r = {.options = {.venue = "kraken", .limit_burst = 1, .slow_seconds = 5},
                       .clock = {.start = CSM_TIME_MIN},
                       .system_status = "online",
                       .mutex = PTHREAD_MUTEX_INITIALIZER};
    const int stop = take_arguments(&r, count, arguments);
    if (stop) return stop - 1;
    r.tokens = r.options.limit_burst;
    r.token_time = real_now();
    sigset_t ends; /* kept for the end, also while loading; threads inherit it */
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    const bool good = load(&r) && server_run(&r, &ends);
    markets_free(&r);
    csm_store_free(r.store);
    folder_close(&r);
    csm_context_free(r.context);
    return good ? 0 : 1;
}
