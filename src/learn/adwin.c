/* SPDX-License-Identifier: MIT */
/* ADWIN2 (Bifet & Gavalda 2007, sections 3 and 4): an exponential histogram of the window. Level l holds buckets of 2^l values,
 * oldest first; when a level is full its two oldest become one of the next. */
#include <cryptosmart/learn.h>

#include "core/internal.h"
#include "core/real.h"

#include <math.h>
#include <string.h>

#define LEVELS 64
#define BUCKETS_MAX 64

typedef struct bucket {
    double total;
    double variance; /* sum of squared deviations */
} bucket;

struct csm_adwin {
    csm_adwin_options options;
    csm_adwin_info info;
    double total;
    double variance; /* sum of squared deviations over the window */
    size_t levels;   /* in use */
    size_t count[LEVELS];
    bucket level[LEVELS][BUCKETS_MAX + 1];
};

void csm_adwin_options_init(csm_adwin_options *options) {
    *options = (csm_adwin_options){
        .size = sizeof *options, .delta = 0.002, .interval = 32, .buckets = 5, .shortest = 5, .grace = 10};
}

csm_status csm_adwin_new(csm_adwin **out, const csm_adwin_options *user) {
    csm_adwin_options options;
    if (!out) return csm_fail(CSM_EINVAL, "adwin: out is NULL");
    *out = NULL;
    csm_adwin_options_init(&options);
    csm_status status = csm_options_take(&options, sizeof options, user, "csm_adwin_options");
    if (status) return status;
    if (!(options.delta > 0 && options.delta < 1))
        return csm_fail(CSM_EINVAL, "adwin: delta %g is outside 0..1", options.delta);
    if (options.interval < 1 || options.shortest < 1)
        return csm_fail(CSM_EINVAL, "adwin: interval %u or shortest %u is 0", options.interval,
                        options.shortest);
    if (options.buckets < 1 || options.buckets > BUCKETS_MAX)
        return csm_fail(CSM_EINVAL, "adwin: %u buckets are outside 1..%d", options.buckets, BUCKETS_MAX);
    csm_adwin *adwin = csm_alloc_array(1, sizeof *adwin);
    if (!adwin) return CSM_ENOMEM;
    adwin->options = options;
    adwin->levels = 1;
    *out = adwin;
    return CSM_OK;
}

void csm_adwin_free(csm_adwin *adwin) {
    csm_dealloc(adwin);
}

csm_status csm_adwin_describe(csm_adwin_info *out, const csm_adwin *adwin) {
    if (!out || !adwin) return csm_fail(CSM_EINVAL, "adwin: out or adwin is NULL");
    *out = adwin->info;
    out->mean = out->width > 0 ? adwin->total / out->width : NAN;
    out->variance = out->width > 0 ? adwin->variance / out->width : NAN;
    return CSM_OK;
}

/* ---- the histogram ---- */

static double bucket_width(size_t level) {
    return (double)((uint64_t)1 << level);
}

/* Sum of squared deviations that two parts have beyond their own, by their widths and means. */
static double between(double width, double mean, double other_width, double other_mean) {
    double difference = mean - other_mean;
    return width * other_width * difference * difference / (width + other_width);
}

static void drop_first(csm_adwin *adwin, size_t level, size_t n) {
    adwin->count[level] -= n;
    memmove(adwin->level[level], adwin->level[level] + n, adwin->count[level] * sizeof(bucket));
}

/* A level one over its limit passes its two oldest buckets on as one. The last level, of 2^63 values, is never full. */
static void compress(csm_adwin *adwin) {
    for (size_t l = 0; adwin->count[l] > adwin->options.buckets; l++) {
        const bucket *first = &adwin->level[l][0], *second = &adwin->level[l][1];
        double width = bucket_width(l);
        bucket both = {first->total + second->total,
                       first->variance + second->variance +
                           between(width, first->total / width, width, second->total / width)};
        if (l + 1 == adwin->levels) adwin->levels++;
        adwin->level[l + 1][adwin->count[l + 1]++] = both;
        drop_first(adwin, l, 2);
    }
}

static void append(csm_adwin *adwin, double value) {
    double width = adwin->info.width;
    if (width > 0) adwin->variance += between(width, adwin->total / width, 1, value);
    adwin->total += value;
    adwin->info.width = width + 1;
    adwin->level[0][adwin->count[0]++] = (bucket){value, 0};
    compress(adwin);
}

static void drop_oldest(csm_adwin *adwin) {
    size_t l = adwin->levels - 1;
    const bucket *oldest = &adwin->level[l][0];
    double width = bucket_width(l);
    adwin->info.width -= width;
    adwin->total -= oldest->total;
    if (adwin->info.width > 0) {
        adwin->variance -= oldest->variance + between(width, oldest->total / width, adwin->info.width,
                                                      adwin->total / adwin->info.width);
    }
    if (!(adwin->variance > 0)) adwin->variance = 0;
    drop_first(adwin, l, 1);
    while (adwin->levels > 1 && adwin->count[adwin->levels - 1] == 0) adwin->levels--;
}

/* ---- the test ---- */

/* Whether the means of two parts of the window differ too much (the paper's equation 3.1, with the normal approximation). */
static bool means_differ(const csm_adwin *adwin, double old_width, double old_total) {
    const csm_adwin_options *o = &adwin->options;
    double width = adwin->info.width, new_width = width - old_width;
    if (old_width < o->shortest || new_width < o->shortest) return false;
    double difference = fabs(old_total / old_width - (adwin->total - old_total) / new_width);
    double share = 1 / (old_width - o->shortest + 1) + 1 / (new_width - o->shortest + 1);
    double confidence = csm_log(2 * csm_log(width) / o->delta);
    return difference >
           sqrt(2 * share * (adwin->variance / width) * confidence) + 2.0 / 3 * confidence * share;
}

/* Any place between two buckets is a cut; the newest value stands alone on no side of one. */
static bool some_cut_differs(const csm_adwin *adwin) {
    double old_width = 0, old_total = 0;
    for (size_t l = adwin->levels; l-- > 0;) {
        for (size_t k = 0; k < adwin->count[l]; k++) {
            old_width += bucket_width(l);
            old_total += adwin->level[l][k].total;
            if (l == 0 && k + 1 == adwin->count[l]) return false;
            if (means_differ(adwin, old_width, old_total)) return true;
        }
    }
    return false;
}

csm_status csm_adwin_add(int *alarm, csm_adwin *adwin, double value) {
    if (!alarm || !adwin) return csm_fail(CSM_EINVAL, "adwin: alarm or adwin is NULL");
    if (!(fabs(value) <= 1e100)) return csm_fail(CSM_EINVAL, "adwin: value %g", value);
    *alarm = 0;
    append(adwin, value);
    adwin->info.values++;
    if (adwin->info.values % adwin->options.interval != 0 || adwin->info.width <= adwin->options.grace)
        return CSM_OK;
    while (adwin->info.width > 1 && some_cut_differs(adwin)) {
        drop_oldest(adwin);
        *alarm = 1;
    }
    adwin->info.alarms += (uint64_t)*alarm;
    return CSM_OK;
}
