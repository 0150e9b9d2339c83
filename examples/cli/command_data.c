/* SPDX-License-Identifier: MIT */
/* Commands that bring data in and look at it: discover, import, adopt, export, ingest, fuse. */
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int show_discovery(const cli *c, csm_discovery *discovery) {
    end_progress();
    if (c->json)
        print_json(json_coverage(discovery));
    else
        print_coverage(stdout, discovery);
    csm_discovery_free(discovery);
    return EXIT_OK;
}

int command_discover(cli *c) {
    int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    csm_discovery *discovery = NULL;
    csm_status status = open_pipeline(c, &p, CSM_STORE_CREATE);
    if (status == CSM_OK) status = csm_pipeline_discover(&discovery, p);
    code = status == CSM_OK ? show_discovery(c, discovery) : fail(c, status);
    csm_pipeline_free(p);
    return code;
}

int command_adopt(cli *c) {
    int code = check_arguments(c, 1);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    csm_discovery *discovery = NULL;
    csm_status status = open_pipeline(c, &p, CSM_STORE_CREATE);
    if (status == CSM_OK) status = csm_pipeline_adopt(&discovery, p, c->argv[0]);
    code = status == CSM_OK ? show_discovery(c, discovery) : fail(c, status);
    csm_pipeline_free(p);
    return code;
}

int command_export(cli *c) {
    int code = check_arguments(c, 1);
    if (code != EXIT_OK) return code;
    csm_store *store = NULL;
    csm_status status = csm_store_open(&store, c->context, c->workspace, CSM_STORE_WRITE);
    if (status == CSM_OK) status = csm_store_roll(store, c->context);
    if (status == CSM_OK) status = csm_store_export(store, c->context, c->argv[0]);
    csm_store_free(store);
    if (status != CSM_OK) return fail(c, status);
    end_progress();
    if (c->json) return print_json(json_pack("{s:s}", "exported", c->argv[0]));
    printf("exported to %s\n", c->argv[0]);
    return EXIT_OK;
}

/* ---- reports of ingest and import ---- */

static json_t *json_report(const csm_ingest_report *report) {
    json_t *items = json_array();
    for (size_t i = 0; i < csm_ingest_report_count(report); i++) {
        const csm_ingest_item *item = csm_ingest_report_at(report, i);
        json_array_append_new(items, json_pack("{s:s,s:s,s:s,s:I,s:I,s:o,s:s}", "source", item->source,
                                               "market", item->market, "class",
                                               csm_net_class_name(item->net_class), "requests",
                                               (json_int_t)item->requests, "rows", (json_int_t)item->rows,
                                               "newest", json_time(item->newest), "text", item->text));
    }
    return json_pack("{s:o}", "items", items);
}

static int show_report(const cli *c, csm_ingest_report *report) {
    char text[64];
    uint64_t rows = 0, requests = 0, troubled = 0;
    end_progress();
    for (size_t i = 0; i < csm_ingest_report_count(report); i++) {
        const csm_ingest_item *item = csm_ingest_report_at(report, i);
        rows += item->rows;
        requests += item->requests;
        bool trouble = item->net_class != CSM_NET_OK && item->net_class != CSM_NET_EMPTY;
        troubled += trouble;
        if (!c->json && (trouble || *item->text || csm_ingest_report_count(report) <= 40))
            printf("  %-14s %-28s %8llu rows, newest %s%s%s%s\n", item->source, item->market,
                   (unsigned long long)item->rows, time_text(item->newest, text, sizeof text),
                   trouble ? ", " : "", trouble ? csm_net_class_name(item->net_class) : "", "");
        if (!c->json && *item->text) printf("    %s\n", item->text);
    }
    if (c->json)
        print_json(json_report(report));
    else
        printf("%llu rows from %llu requests, %llu items in trouble\n", (unsigned long long)rows,
               (unsigned long long)requests, (unsigned long long)troubled);
    csm_ingest_report_free(report);
    return EXIT_OK;
}

int command_ingest(cli *c) {
    int code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    csm_ingest_report *report = NULL;
    csm_status status = open_pipeline(c, &p, CSM_STORE_WRITE);
    if (status == CSM_OK) status = csm_pipeline_ingest(&report, p);
    code = status == CSM_OK ? show_report(c, report) : fail(c, status);
    csm_pipeline_free(p);
    return code;
}

static int read_import(cli *c, csm_import_options *o) {
    csm_import_options_init(o);
    const char *interval = take_option(c, "interval"), *epoch = take_option(c, "epoch");
    o->venue = take_option(c, "venue");
    o->symbol = take_option(c, "symbol");
    o->quote = take_option(c, "quote");
    o->origin = take_option(c, "origin");
    if (take_flag(c, "keep-last")) o->drop_last = 0;
    int code = take_time(c, "from", CSM_TIME_MIN, &o->from);
    if (code == EXIT_OK) code = take_time(c, "to", CSM_TIME_MAX, &o->to);
    if (code != EXIT_OK) return code;
    if (interval && csm_interval_parse(&o->interval, interval) != CSM_OK)
        return usage_error("--interval: %s", csm_error_message());
    if (epoch) {
        char *end = NULL;
        long value = strtol(epoch, &end, 10);
        if (*end || value < 1 || value > 1000) return usage_error("--epoch: '%s' is outside 1..1000", epoch);
        o->epoch = (int32_t)value;
    }
    return check_arguments(c, 1);
}

int command_import(cli *c) {
    csm_import_options options;
    int code = read_import(c, &options);
    if (code != EXIT_OK) return code;
    csm_store *store = NULL;
    csm_ingest_report *report = NULL;
    csm_status status = csm_store_open(&store, c->context, c->workspace, CSM_STORE_CREATE);
    if (status == CSM_OK) status = csm_ingest_import(&report, c->context, store, c->argv[0], &options);
    code = status == CSM_OK ? show_report(c, report) : fail(c, status);
    csm_store_free(store);
    return code;
}

/* ---- fuse ---- */

static csm_status write_csv(const char *path, const csm_frame *frame) {
    FILE *out = fopen(path, "w");
    if (!out) return CSM_EIO;
    csm_matrix m = csm_frame_matrix(frame);
    const float *x = m.data;
    fprintf(out, "market,time");
    for (size_t f = 0; f < m.cols; f++) {
        csm_feature_info info;
        if (csm_recipe_feature(&info, csm_frame_recipe(frame), f) == CSM_OK) fprintf(out, ",%s", info.name);
    }
    for (size_t r = 0; r < m.rows; r++) {
        char text[CSM_TIME_TEXT];
        fprintf(out, "\n%u,%s", csm_frame_markets(frame)[r],
                csm_time_format(csm_frame_times(frame)[r], text, sizeof text));
        for (size_t f = 0; f < m.cols; f++)
            fprintf(out, ",%.9g", (double)x[(ptrdiff_t)r * m.row_stride + (ptrdiff_t)f]);
    }
    fputc('\n', out);
    return fclose(out) == 0 ? CSM_OK : CSM_EIO;
}

static int show_frame(const cli *c, const csm_frame *frame) {
    size_t by_reason[64] = {0}, excluded = csm_frame_excluded_count(frame);
    csm_matrix m = csm_frame_matrix(frame);
    for (size_t i = 0; i < excluded; i++) {
        csm_reason reasons = csm_frame_excluded_at(frame, i)->reasons;
        for (uint32_t bit = 0; bit < 64; bit++) by_reason[bit] += reasons >> bit & 1;
    }
    if (!c->json)
        printf("%zu rows of %zu features (recipe %s), %zu rows left out\n", m.rows, m.cols,
               csm_recipe_name(csm_frame_recipe(frame)), excluded);
    json_t *reasons = json_object();
    for (uint32_t bit = 0; bit < 64; bit++) {
        if (!by_reason[bit]) continue;
        json_object_set_new(reasons, csm_reason_name(bit), json_integer((json_int_t)by_reason[bit]));
        if (!c->json) printf("  %8zu  %s: %s\n", by_reason[bit], csm_reason_name(bit), csm_reason_text(bit));
    }
    if (!c->json) {
        json_decref(reasons);
        return EXIT_OK;
    }
    return print_json(json_pack("{s:I,s:I,s:s,s:I,s:o}", "rows", (json_int_t)m.rows, "features",
                                (json_int_t)m.cols, "recipe", csm_recipe_name(csm_frame_recipe(frame)),
                                "excluded", (json_int_t)excluded, "by_reason", reasons));
}

int command_fuse(cli *c) {
    csm_time from = 0, to = 0, as_of = 0;
    const char *csv = take_option(c, "csv");
    int code = take_time(c, "from", CSM_TIME_MIN, &from);
    if (code == EXIT_OK) code = take_time(c, "to", CSM_TIME_MAX, &to);
    if (code == EXIT_OK) code = take_time(c, "as-of", csm_context_now(c->context), &as_of);
    if (code == EXIT_OK) code = check_arguments(c, 0);
    if (code != EXIT_OK) return code;
    csm_pipeline *p = NULL;
    csm_frame *frame = NULL;
    csm_status status = open_pipeline(c, &p, CSM_STORE_READ);
    if (status == CSM_OK) status = csm_pipeline_fuse(&frame, p, from, to, as_of);
    end_progress();
    code = status == CSM_OK ? show_frame(c, frame) : fail(c, status);
    if (status == CSM_OK && csv && write_csv(csv, frame) != CSM_OK) {
        fprintf(stderr, "cryptosmart: %s cannot be written\n", csv);
        code = EXIT_FAILED;
    }
    csm_frame_free(frame);
    csm_pipeline_free(p);
    return code;
}
