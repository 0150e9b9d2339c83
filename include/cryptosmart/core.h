/* SPDX-License-Identifier: MIT */
/*
 * core: what every stage shares. Status and error text, context, views, time, random numbers, reasons.
 *
 * Conventions (docs/conventions.md): every function that can fail returns csm_status, 0 or negative, and leaves
 * its text in csm_error_message() of the calling thread. Results come first, then the object, then inputs, then
 * options. NULL options mean defaults. Objects are freed by csm_T_free, which takes NULL.
 */
#ifndef CRYPTOSMART_CORE_H
#define CRYPTOSMART_CORE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CSM_VERSION_MAJOR 0
#define CSM_VERSION_MINOR 1
#define CSM_VERSION_PATCH 0

#if defined(_WIN32)
#define CSM_API
#else
#define CSM_API __attribute__((visibility("default")))
#endif
#if defined(__GNUC__)
#define CSM_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define CSM_PRINTF(fmt, args)
#endif

/* ---- status ------------------------------------------------------------------------------------------------- */

/* A status exists only where a caller would act differently. */
typedef enum csm_status {
    CSM_OK = 0,
    CSM_EINVAL = -1,      /* an argument or option is wrong: fix the call */
    CSM_ENOMEM = -2,      /* allocation failed */
    CSM_EIO = -3,         /* the operating system refused a file or socket; see the text */
    CSM_EPARSE = -4,      /* input bytes are not what their format says */
    CSM_ECORRUPT = -5,    /* something of ours fails its checksum or invariant */
    CSM_ENOTFOUND = -6,   /* the thing named does not exist */
    CSM_EEXIST = -7,      /* it exists already */
    CSM_ELOCKED = -8,     /* another process writes this workspace */
    CSM_ECANCELLED = -9,  /* the caller cancelled */
    CSM_ELIMITED = -10,   /* a remote limit: try again after csm_net_reply.retry_at */
    CSM_ETRANSIENT = -11, /* a remote or network failure that a later try may not meet */
    CSM_EPERMANENT = -12, /* a remote refusal that no retry will change */
    CSM_EAUTH = -13,      /* credentials refused; the source is latched off until its configuration changes */
    CSM_ENOSPACE = -14,   /* disk or quota full: nothing was lost, free space and repeat */
    CSM_EREADONLY = -15,  /* opened read-only, or the folder is */
    CSM_ECOVERAGE = -16,  /* offered != processed + excluded: the run is void */
    CSM_EPROVENANCE = -17,  /* a record without source, request and receive time */
    CSM_ENODATA = -18,      /* not enough real data for an answer; abstaining is a result */
    CSM_EUNSUPPORTED = -19, /* a version, device or feature this build does not know */
    CSM_EDEVICE = -20,      /* an accelerator failed or lacks memory */
    CSM_EINTERNAL = -21     /* a defect of this library; please report the text */
} csm_status;

/* Name of a status, such as "CSM_EINVAL"; "CSM_UNKNOWN" for anything else. Static storage. */
CSM_API const char *csm_status_name(csm_status status);

/* Text of this thread's last failure: what was wrong and where. Never NULL; "" when nothing failed yet. Valid until
 * the next failing call on this thread. Contains no secrets. */
CSM_API const char *csm_error_message(void);

/* Library version such as "0.1.0". Static storage. */
CSM_API const char *csm_version(void);

/* ---- context ------------------------------------------------------------------------------------------------ */

typedef struct csm_context csm_context;

typedef int64_t csm_time; /* nanoseconds since 1970-01-01T00:00:00Z, without leap seconds */

typedef enum csm_log_level {
    CSM_LOG_ERROR = 0,
    CSM_LOG_WARN = 1,
    CSM_LOG_INFO = 2,
    CSM_LOG_DEBUG = 3
} csm_log_level;

/* Called on the thread that called into the library. `module` is the stage's word. Text is redacted, one line. */
typedef void (*csm_log_fn)(void *user, csm_log_level level, const char *module, const char *text);
/* done of total units of `what`; total 0 when unknown. A non-zero result cancels the call with CSM_ECANCELLED. */
typedef int (*csm_progress_fn)(void *user, const char *what, uint64_t done, uint64_t total);
/* The time now. Replay and backtests set their own; the default is the system's clock. */
typedef csm_time (*csm_clock_fn)(void *user);

typedef struct csm_context_options {
    size_t size;        /* sizeof(csm_context_options) */
    uint64_t seed;      /* of every random stream; default 1 */
    uint32_t threads;   /* worker threads, 1..1024; 0 (default) means the number of processors */
    uint32_t log_level; /* csm_log_level; default CSM_LOG_WARN */
} csm_context_options;

CSM_API void csm_context_options_init(csm_context_options *options);
/* Makes a context. A context may be used by one thread at a time, csm_context_cancel excepted. */
CSM_API csm_status csm_context_new(csm_context **out, const csm_context_options *options);
CSM_API void csm_context_free(csm_context *context);
CSM_API void csm_context_set_log(csm_context *context, csm_log_fn log, void *user);
CSM_API void csm_context_set_progress(csm_context *context, csm_progress_fn progress, void *user);
CSM_API void csm_context_set_clock(csm_context *context, csm_clock_fn clock, void *user);
/* Asks the running call to end with CSM_ECANCELLED. From any thread or a signal handler. Sticky until _resume. */
CSM_API void csm_context_cancel(csm_context *context);
CSM_API void csm_context_resume(csm_context *context);
CSM_API uint32_t csm_context_threads(const csm_context *context);
CSM_API uint64_t csm_context_seed(const csm_context *context);
/* Time by the context's clock. */
CSM_API csm_time csm_context_now(const csm_context *context);

/* ---- views: borrowed memory, never freed by whoever receives one ---------------------------------------------- */

typedef enum csm_dtype { CSM_F32 = 1, CSM_F64 = 2 } csm_dtype;

/* rows x cols; element (r, c) stands at data[r * row_stride + c * col_stride], strides in elements (may be negative). */
typedef struct csm_matrix {
    void *data;
    size_t rows;
    size_t cols;
    ptrdiff_t row_stride;
    ptrdiff_t col_stride;
    csm_dtype dtype;
    uint32_t reserved; /* 0 */
} csm_matrix;

/* length elements; element i stands at data[i * stride]. */
typedef struct csm_series {
    void *data;
    size_t length;
    ptrdiff_t stride;
    csm_dtype dtype;
    uint32_t reserved; /* 0 */
} csm_series;

/* Row-major contiguous views over the caller's memory. */
CSM_API csm_matrix csm_matrix_f32(float *data, size_t rows, size_t cols);
CSM_API csm_matrix csm_matrix_f64(double *data, size_t rows, size_t cols);
CSM_API csm_series csm_series_f32(float *data, size_t length);
CSM_API csm_series csm_series_f64(double *data, size_t length);
/* One element as double; 0 <= r < rows, 0 <= c < cols are not checked. */
CSM_API double csm_matrix_get(const csm_matrix *matrix, size_t r, size_t c);
CSM_API double csm_series_get(const csm_series *series, size_t i);

/* What is known of a bar (DESIGN "Interval state"). Prices are NaN in all but CSM_BAR_TRADED. */
typedef enum csm_bar_state {
    CSM_BAR_TRADED = 0,
    CSM_BAR_NO_TRADE = 1, /* a contiguous reply shows that nobody traded; volume 0 */
    CSM_BAR_GAP = 2,      /* not received */
    CSM_BAR_PENDING = 3   /* not final yet */
} csm_bar_state;

/* A borrowed run of bars, ascending and unique in time. All arrays have `length` elements. Prices in quote currency,
 * volume in base units. `time` is the bar's open; the bar is available at time + interval. */
typedef struct csm_bars {
    size_t length;
    csm_time interval;
    const csm_time *time;
    const double *open;
    const double *high;
    const double *low;
    const double *close;
    const double *volume;
    const uint8_t *state; /* csm_bar_state; NULL means all traded */
} csm_bars;

/* ---- time ---------------------------------------------------------------------------------------------------- */

#define CSM_NANOSECOND ((csm_time)1)
#define CSM_MICROSECOND ((csm_time)1000)
#define CSM_MILLISECOND ((csm_time)1000000)
#define CSM_SECOND ((csm_time)1000000000)
#define CSM_MINUTE (60 * CSM_SECOND)
#define CSM_HOUR (60 * CSM_MINUTE)
#define CSM_DAY (24 * CSM_HOUR)
#define CSM_WEEK (7 * CSM_DAY)
#define CSM_TIME_MIN INT64_MIN /* "unknown" or "from the beginning" */
#define CSM_TIME_MAX INT64_MAX /* "no end" */

/* Proleptic Gregorian calendar, UTC. */
typedef struct csm_calendar {
    int32_t year;
    int32_t month;       /* 1..12 */
    int32_t day;         /* 1..31 */
    int32_t hour;        /* 0..23 */
    int32_t minute;      /* 0..59 */
    int32_t second;      /* 0..59 */
    int32_t nanosecond;  /* 0..999999999 */
    int32_t weekday;     /* 1 Monday .. 7 Sunday (ISO 8601) */
    int32_t day_of_year; /* 1..366 */
    int32_t iso_week;    /* 1..53 (ISO 8601) */
} csm_calendar;

/* RFC 3339 date-time ("2023-12-30T21:00:00.5Z", offsets taken) or full-date ("2023-12-30", its midnight). Years
 * 1678..2261. `length` bytes, no terminator needed. CSM_EPARSE names the byte that is wrong. */
CSM_API csm_status csm_time_parse(csm_time *out, const char *text, size_t length);
/* Shortest RFC 3339 form in UTC with as many fraction digits as needed; size >= CSM_TIME_TEXT. Returns `text`. */
#define CSM_TIME_TEXT 40
CSM_API char *csm_time_format(csm_time time, char *text, size_t size);
CSM_API csm_calendar csm_time_calendar(csm_time time);
CSM_API csm_status csm_time_from_calendar(csm_time *out, const csm_calendar *calendar);
/* Largest multiple of `interval` (> 0, counted from the epoch, as exchanges do, weeks included) not after time. */
CSM_API csm_time csm_time_floor(csm_time time, csm_time interval);
/* "15m", "1h", "4h", "1d", "1w", "30d": a positive integer and one of s m h d w. */
CSM_API csm_status csm_interval_parse(csm_time *out, const char *text);
/* The largest unit that divides: "1h", "90m", "1w"; sub-second intervals in ns ("1500ns", not parsed back). size >=
 * CSM_TIME_TEXT. Returns `text`. */
CSM_API char *csm_interval_format(csm_time interval, char *text, size_t size);

/* ---- exact decimals ------------------------------------------------------------------------------------------ */

/* ticks * 10^-scale. Text from the wire takes this type before any double exists (API rule 5). */
typedef struct csm_decimal {
    int64_t ticks;
    int32_t scale;    /* 0..18 */
    int32_t reserved; /* 0 */
} csm_decimal;

/* Plain or exponent notation, optional sign; NaN, infinities, empty text and more than 18 significant digits after
 * trimming zeros are CSM_EPARSE. */
CSM_API csm_status csm_decimal_parse(csm_decimal *out, const char *text, size_t length);
/* Nearest double, ties to even. NaN when scale is outside 0..18. */
CSM_API double csm_decimal_double(csm_decimal value);
/* Plain notation with `scale` decimals ("-0.050"), never an exponent; size >= CSM_DECIMAL_TEXT. Returns `text`. */
#define CSM_DECIMAL_TEXT 24
CSM_API char *csm_decimal_format(csm_decimal value, char *text, size_t size);

/* ---- random numbers ------------------------------------------------------------------------------------------ */

/* Philox4x32-10 (Salmon et al. 2011): the value depends on (seed, stream, index) alone, so any order of use and any
 * number of threads give the same numbers. */
CSM_API uint64_t csm_random_u64(uint64_t seed, uint64_t stream, uint64_t index);
/* Uniform in [0, 1) with 53 bits. */
CSM_API double csm_random_uniform(uint64_t seed, uint64_t stream, uint64_t index);
/* Standard normal (Box-Muller on this library's own log and cosine: same bits everywhere). */
CSM_API double csm_random_normal(uint64_t seed, uint64_t stream, uint64_t index);

/* ---- reasons: why a coin, row or prediction was left out (law 1) ----------------------------------------------- */

typedef uint64_t csm_reason; /* bits of csm_reason_bit; 0 means nothing stands against it */

typedef enum csm_reason_bit {
#define CSM_REASON(bit, name, text) CSM_REASON_##name = bit,
#include <cryptosmart/reasons.def>
#undef CSM_REASON
    CSM_REASON_COUNT_
} csm_reason_bit;

#define CSM_REASON_MASK(name) ((csm_reason)1 << CSM_REASON_##name)

/* Name ("STALE") and sentence of bit 0..63; NULL for bits without a name. Static storage. */
CSM_API const char *csm_reason_name(uint32_t bit);
CSM_API const char *csm_reason_text(uint32_t bit);
/* All names in `reasons`, joined by "|", cut to size. Returns `text`. */
CSM_API char *csm_reason_format(csm_reason reasons, char *text, size_t size);

/* ---- names of the four standard horizons are durations -------------------------------------------------------- */

#define CSM_HORIZONS_MAX 8

/* ---- members of an ensemble ------------------------------------------------------------------------------------- */

#define CSM_MEMBERS_MAX 4
#define CSM_MEMBER_NAME 16 /* bytes of a member's name with its terminator */

#ifdef __cplusplus
}
#endif
#endif
