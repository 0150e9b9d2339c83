/* SPDX-License-Identifier: MIT */
/*
 * Elementary functions with the same bits on every machine (law 6, tier A). libm may pick another kernel by
 * instruction set; these use + - * / and exact bit operations only, in a fixed order, compiled without contraction.
 * Largest error, tested against mpmath: 1 ulp, but log_logistic 2, normal_cdf 5 and normal_quantile 8 ulp. NaN gives
 * NaN; signed zeros and infinities are as in C's Annex F. Round-to-nearest is assumed.
 */
#ifndef CSM_CORE_REAL_H
#define CSM_CORE_REAL_H

double csm_log(double x); /* natural; -inf at 0, NaN below */
double csm_log1p(double x);
double csm_exp(double x); /* overflow gives +inf, underflow 0 */
double csm_expm1(double x);
double csm_tanh(double x);
double csm_logistic(double x);     /* 1 / (1 + exp(-x)) without overflow */
double csm_log_logistic(double x); /* log(csm_logistic(x)) without loss for large |x| */
double csm_cos_turn(double turns); /* cos(2 pi turns) */
double csm_sin_turn(double turns);
double csm_normal_cdf(double x);
double csm_normal_quantile(double p); /* 0 < p < 1 */

#endif
