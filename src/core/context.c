/* SPDX-License-Identifier: MIT */
#include "core/platform.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#define THREADS_LIMIT 1024u
#define LOG_TEXT 2048

struct csm_context {
    atomic_uint references; /* the caller's and one for each object that works with this context */
    atomic_int cancelled;   /* lock-free, therefore allowed in a signal handler */
    uint64_t seed;
    uint32_t threads;
    uint32_t log_level;
    csm_log_fn log;
    void *log_user;
    csm_progress_fn progress;
    void *progress_user;
    csm_clock_fn clock;
    void *clock_user;
};

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "csm_context_cancel must be safe in a signal handler");

void csm_context_options_init(csm_context_options *options) {
    *options = (csm_context_options){
        .size = sizeof *options,
        .seed = 1,
        .threads = 0,
        .log_level = CSM_LOG_WARN,
    };
}

csm_status csm_context_new(csm_context **out, const csm_context_options *options) {
    if (!out) return csm_fail(CSM_EINVAL, "csm_context_new: out is NULL");
    *out = NULL;
    csm_context_options taken;
    csm_context_options_init(&taken);
    csm_status status = csm_options_take(&taken, sizeof taken, options, "csm_context_options");
    if (status) return status;
    if (taken.threads > THREADS_LIMIT)
        return csm_fail(CSM_EINVAL, "csm_context_options: threads %u is outside 0..%u", taken.threads,
                        THREADS_LIMIT);
    if (taken.log_level > CSM_LOG_DEBUG)
        return csm_fail(CSM_EINVAL, "csm_context_options: log_level %u is outside 0..%d", taken.log_level,
                        CSM_LOG_DEBUG);
    csm_context *context = csm_alloc_array(1, sizeof *context);
    if (!context) return CSM_ENOMEM;
    atomic_init(&context->references, 1);
    atomic_init(&context->cancelled, 0);
    context->seed = taken.seed;
    context->threads = taken.threads ? taken.threads : csm_platform_processors();
    if (context->threads > THREADS_LIMIT) context->threads = THREADS_LIMIT;
    context->log_level = taken.log_level;
    *out = context;
    return CSM_OK;
}

csm_context *csm_context_retain(csm_context *context) {
    if (context) atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
    return context;
}

void csm_context_release(csm_context *context) {
    if (context && atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) == 1)
        csm_dealloc(context);
}

void csm_context_free(csm_context *context) {
    if (!context) return;
    /* The owner's callbacks may not outlive its own reference, even where an object still holds one. */
    csm_context_set_log(context, NULL, NULL);
    csm_context_set_progress(context, NULL, NULL);
    csm_context_set_clock(context, NULL, NULL);
    csm_context_release(context);
}

void csm_context_set_log(csm_context *context, csm_log_fn log, void *user) {
    if (!context) return;
    context->log = log;
    context->log_user = user;
}

void csm_context_set_progress(csm_context *context, csm_progress_fn progress, void *user) {
    if (!context) return;
    context->progress = progress;
    context->progress_user = user;
}

void csm_context_set_clock(csm_context *context, csm_clock_fn clock, void *user) {
    if (!context) return;
    context->clock = clock;
    context->clock_user = user;
}

void csm_context_cancel(csm_context *context) {
    if (context) atomic_store_explicit(&context->cancelled, 1, memory_order_relaxed);
}

void csm_context_resume(csm_context *context) {
    if (context) atomic_store_explicit(&context->cancelled, 0, memory_order_relaxed);
}

uint32_t csm_context_threads(const csm_context *context) {
    return context ? context->threads : 1;
}

uint64_t csm_context_seed(const csm_context *context) {
    return context ? context->seed : 1;
}

csm_time csm_context_now(const csm_context *context) {
    if (context && context->clock) return context->clock(context->clock_user);
    return csm_platform_now();
}

bool csm_cancelled(const csm_context *context) {
    return context && atomic_load_explicit(&context->cancelled, memory_order_relaxed) != 0;
}

csm_status csm_progress(csm_context *context, const char *what, uint64_t done, uint64_t total) {
    if (!context) return CSM_OK;
    if (csm_cancelled(context)) return csm_fail(CSM_ECANCELLED, "%s: cancelled by csm_context_cancel", what);
    if (context->progress && context->progress(context->progress_user, what, done, total) != 0)
        return csm_fail(CSM_ECANCELLED, "%s: cancelled by the progress callback", what);
    return CSM_OK;
}

void csm_log_write(const csm_context *context, csm_log_level level, const char *module, const char *format,
                   ...) {
    if (!context || !context->log || (uint32_t)level > context->log_level) return;
    char text[LOG_TEXT];
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0) return;
    for (char *c = text; *c; c++) {
        /* One line: a remote's text must not be able to forge another entry. */
        if ((unsigned char)*c < 0x20 || *c == 0x7F) *c = ' ';
    }
    context->log(context->log_user, level, module, text);
}
