/* SPDX-License-Identifier: MIT */
#include "fuse/subject.h"

#include "backend/isa.h"
#include "core/platform.h"
#include "fuse/rolling.h"

#define SLAB_COLUMNS 96

#define DECLARE(isa) csm_family_fn csm_family_columns_##isa;
DECLARE(scalar)
DECLARE(avx2)
DECLARE(avx512)

csm_family_fn *csm_family_columns_of(csm_isa isa) {
    return CSM_ISA_SELECT(isa, csm_family_columns);
}

static csm_status add_slab(csm_subject *subject) {
    csm_slab *slab = csm_alloc_array(1, sizeof *slab);
    if (!slab) return CSM_ENOMEM;
    slab->columns = csm_realloc_array(NULL, subject->length, SLAB_COLUMNS * sizeof *slab->columns);
    if (!slab->columns) {
        csm_dealloc(slab);
        return CSM_ENOMEM;
    }
    csm_platform_large_pages(slab->columns, subject->length * SLAB_COLUMNS * sizeof *slab->columns);
    slab->before = subject->slabs;
    subject->slabs = slab;
    subject->slab_left = SLAB_COLUMNS;
    return CSM_OK;
}

static csm_status add_column(double **out, csm_subject *subject) {
    const csm_status status = subject->slab_left > 0 ? CSM_OK : add_slab(subject);
    if (!status) *out = subject->slabs->columns + --subject->slab_left * subject->length;
    return status;
}

#define LINE 64 /* bytes: where whole vectors stand */

/* One block, aligned as vectors are. */
static csm_status add_room(csm_subject *subject) {
    subject->room_block = csm_realloc_array(NULL, subject->length + LINE, CSM_ROLLING_ROOM * sizeof(double));
    if (!subject->room_block) return CSM_ENOMEM;
    const uintptr_t past = (uintptr_t)subject->room_block % LINE;
    subject->room = (double *)(void *)((char *)subject->room_block + (LINE - past) % LINE);
    return CSM_OK;
}

csm_status csm_subject_open(csm_subject *subject, const csm_panel *panel) {
    csm_status status = CSM_OK;
    *subject = (csm_subject){.panel = panel, .longest = panel->slots};
    const size_t lines = (subject->longest + CSM_MEDIAN_ROOM) / 8 + 1;
    subject->length =
        8 * (lines % 8 == 0 ? lines + 1 : lines); /* columns a whole page apart displace each other */
    for (int i = 0; i < CSM_SCRATCH_COLUMNS && !status; i++)
        status = add_column(&subject->scratch[i], subject);
    if (!status) status = add_column(&subject->column, subject);
    return status ? status : add_room(subject);
}

void csm_subject_close(csm_subject *subject) {
    for (csm_slab *slab = subject->slabs, *before; slab; slab = before) {
        before = slab->before;
        csm_dealloc(slab->columns);
        csm_dealloc(slab);
    }
    csm_dealloc(subject->sums);
    csm_dealloc(subject->room_block);
    csm_dealloc(subject->strip);
    *subject = (csm_subject){0};
}

csm_status csm_subject_strip(csm_subject *subject, size_t columns, size_t stride) {
    size_t values;
    if (__builtin_mul_overflow(columns, stride, &values))
        return csm_fail(CSM_ENOMEM, "fuse: %zu columns of %zu rows exceed the address space", columns,
                        stride);
    if (values <= subject->strip_values) return CSM_OK;
    csm_dealloc(subject->strip);
    subject->strip_values = 0;
    subject->strip = csm_alloc_array(values, sizeof *subject->strip);
    if (!subject->strip) return CSM_ENOMEM;
    csm_platform_large_pages(subject->strip, values * sizeof *subject->strip);
    subject->strip_values = values;
    return CSM_OK;
}

/* ---- sums -------------------------------------------------------------------------------------------------------------- */

/* The entry of family and window, made when there is none. */
static csm_status find_sums(csm_sums **out, csm_subject *subject, csm_family family, size_t window) {
    for (size_t i = 0; i < subject->sums_count; i++) {
        *out = &subject->sums[i];
        if ((*out)->family == family && (*out)->window == window) return CSM_OK;
    }
    csm_sums *grown = csm_realloc_array(subject->sums, subject->sums_count + 1, sizeof *grown);
    if (!grown) return CSM_ENOMEM;
    subject->sums = grown;
    *out = &grown[subject->sums_count];
    **out = (csm_sums){.family = family, .window = window};
    subject->sums_count++;
    const bool pairs = family == CSM_FAMILY_FACTOR || family == CSM_FAMILY_BITCOIN;
    csm_status status = CSM_OK;
    for (int c = 0; c < (pairs ? 6 : 4) && !status; c++) status = add_column(&(*out)->column[c], subject);
    return status;
}

csm_status csm_subject_sums(const csm_sums **out, csm_subject *subject, csm_family family, size_t window,
                            uint32_t columns) {
    csm_sums *sums = NULL;
    const csm_status status = find_sums(&sums, subject, family, window);
    if (status) return status;
    if (sums->track != subject->track) sums->known = 0;
    sums->track = subject->track;
    const uint32_t wanted = columns & ~sums->known;
    if (wanted) {
        const csm_columns c = csm_family_columns_of(csm_backend_isa())(subject, family, wanted);
        for (size_t i = 0; i < c.count; i++)
            if (wanted & CSM_COLUMN(i)) csm_rolling_sum(sums->column[i], c.x[i], c.n, window, subject->room);
        sums->known |= wanted;
    }
    *out = sums;
    return CSM_OK;
}
