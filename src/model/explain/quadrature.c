/* SPDX-License-Identifier: MIT */
#include "model/explain/trees.h"

#include "core/real.h"

/* Legendre's P_n(x) and its derivative by the three-term recurrence (Abramowitz & Stegun 22.7.10, 22.8.5). */
static double legendre(double *derivative, uint32_t n, double x) {
    double before = 1, value = x;
    for (uint32_t k = 2; k <= n; k++) {
        double next = ((2.0 * k - 1) * x * value - (k - 1.0) * before) / k;
        before = value;
        value = next;
    }
    *derivative = n * (x * value - before) / (x * x - 1);
    return value;
}

/* Newton's method from cos(pi (i + 3/4) / (n + 1/2)) (A&S 22.16.6); weights 2 / ((1 - x^2) P'(x)^2) (A&S 25.4.29). */
void quadrature_make(double *node, double *weight, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        double derivative, x = csm_cos_turn((i + 0.75) / (2 * (n + 0.5)));
        for (int step = 0; step < 10; step++) x -= legendre(&derivative, n, x) / derivative;
        (void)legendre(&derivative, n, x);
        node[n - 1 - i] = (1 + x) / 2;
        weight[n - 1 - i] = 1 / ((1 - x * x) * derivative * derivative);
    }
}
