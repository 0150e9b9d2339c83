/* SPDX-License-Identifier: MIT */
#include "calibrate/golden.h"

#include "calibrate/internal.h"
#include "core/real.h"

#include <float.h>
#include <math.h>

#define N 20000

/* Scores of every kind that distribution could stumble on. */
static double score_of(size_t kind, size_t i) {
    double u = csm_random_uniform(kind, 1, i), z = csm_random_normal(kind, 2, i);
    switch (kind) {
    case 0:
        return z;
    case 1:
        return floor(20 * u); /* ties */
    case 2:
        return i % 1000 == 0 ? 1e300 * z : z; /* outliers */
    case 3:
        return csm_exp(150 * z); /* many scales */
    case 4:
        return (double)i; /* sorted */
    case 5:
        return -(double)i; /* backwards */
    case 6:
        return u < 0.5 ? DBL_MAX / 10 * z : -0.0; /* as wide as doubles are */
    case 7:
        return 5e-324 * floor(9 * u); /* as narrow */
    case 8:
        return 3; /* one */
    case 9:
        return 1 + DBL_EPSILON * floor(100 * u); /* neighbours */
    case 10:
        return (i % 2 ? 1 : 0) + 1e-9 * u * u; /* clusters */
    default:
        return csm_exp(-700 * u) * csm_exp(-700 * csm_random_uniform(kind, 3, i) * u);
    }
}
#define KINDS 12

static int by_score_then_place(const void *a, const void *b) {
    const csm_scored_row *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    return (x->weight > y->weight) - (x->weight < y->weight);
}

static void rows_are_sorted_stably_whatever_their_scores(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 23, 24, 25, 100, 2047, 2049, N};
    csm_scored_row *rows = calloc(N, sizeof *rows), *room = calloc(N, sizeof *room),
                   *expected = calloc(N, sizeof *rows);
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            size_t n = lengths[l];
            for (size_t i = 0; i < n; i++)
                rows[i] = expected[i] =
                    (csm_scored_row){score_of(kind, i), (double)i}; /* weight: the old place */
            csm_sort_rows(rows, room, n);
            qsort(expected, n, sizeof *expected, by_score_then_place);
            for (size_t i = 0; i < n; i++) {
                if (rows[i].score != expected[i].score || rows[i].weight != expected[i].weight)
                    fail_msg("kind %zu, %zu rows: row %zu is %g of place %g, not %g of %g", kind, n, i,
                             rows[i].score, rows[i].weight, expected[i].score, expected[i].weight);
            }
        }
    }
    free(expected);
    free(room);
    free(rows);
}

typedef struct gathered {
    csm_scored_row rows[N];
    size_t n;
} gathered;

static void gather(void *user, const csm_scored_row *rows, size_t n) {
    gathered *all = user;
    memcpy(all->rows + all->n, rows, n * sizeof *rows);
    all->n += n;
}

static void pieces_put_together_are_the_sorted_rows(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 24, 25, 2049, N};
    csm_scored_row *rows = calloc(N, sizeof *rows), *room = calloc(N, sizeof *room),
                   *again = calloc(N, sizeof *rows);
    gathered *all = calloc(1, sizeof *all);
    for (size_t kind = 0; kind < KINDS; kind++) {
        for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
            const size_t n = lengths[l];
            for (size_t i = 0; i < n; i++)
                rows[i] = again[i] = (csm_scored_row){score_of(kind, i), (double)i};
            all->n = 0;
            assert_ok(csm_sort_pieces(again, room, n, gather, all));
            csm_sort_rows(rows, room, n);
            assert_int_equal(all->n, n);
            assert_memory_equal(all->rows, rows, n * sizeof *rows);
        }
    }
    free(all);
    free(again);
    free(room);
    free(rows);
}

/* The grid of cells finds what bisection finds. */
static void predictions_equal_interpolation_between_knots_whatever_the_scores(void **state) {
    (void)state;
    double *score = calloc(N, sizeof *score), *outcome = calloc(N, sizeof *outcome);
    for (size_t kind = 0; kind < KINDS; kind++) {
        csm_score_groups groups;
        csm_isotonic isotonic = {0};
        for (size_t i = 0; i < N; i++) {
            score[i] = score_of(kind, i);
            outcome[i] = csm_random_uniform(kind, 9, i) < csm_logistic(score[i]);
        }
        assert_ok(csm_score_groups_make(&groups, score, outcome, NULL, N));
        assert_ok(csm_isotonic_fit(&isotonic, &groups));
        for (size_t k = 0; k < isotonic.knots; k++)
            assert_true(csm_isotonic_at(&isotonic, isotonic.knot_score[k]) == isotonic.knot_value[k]);
        for (size_t k = 1; k < isotonic.knots; k++) {
            double low = isotonic.knot_score[k - 1], high = isotonic.knot_score[k];
            double middle = low / 2 + high / 2, p = csm_isotonic_at(&isotonic, middle);
            assert_true(p >= isotonic.knot_value[k - 1] && p <= isotonic.knot_value[k]);
            double below = csm_isotonic_at(&isotonic, nextafter(high, low)), above = nextafter(low, high);
            if (nextafter(high, low) >= middle) assert_true(below >= p && below <= isotonic.knot_value[k]);
            if (above <= middle) assert_true(csm_isotonic_at(&isotonic, above) <= p);
        }
        csm_isotonic_free(&isotonic);
        csm_score_groups_free(&groups);
    }
    free(outcome);
    free(score);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_stably_whatever_their_scores),
        cmocka_unit_test(pieces_put_together_are_the_sorted_rows),
        cmocka_unit_test(predictions_equal_interpolation_between_knots_whatever_the_scores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
