# SPDX-License-Identifier: MIT
"""Prints the coefficients of src/core/real_normal.c: (a + 4) exp(a^2/2) Q(a) as a polynomial in t = (a - 4) / (a + 4),
by Chebyshev interpolation in 80 nodes with mpmath at 60 digits, cut where the series falls below 2^-59."""
import mpmath as mp

mp.mp.dps = 60
PIVOT, NODES, TERMS = mp.mpf(4), 80, 26


def scaled_mills(t):
    a = PIVOT * (1 + t) / (1 - t)
    if a < 1000:
        return (a + PIVOT) * mp.exp(a * a / 2) * mp.erfc(a / mp.sqrt(2)) / 2
    return (a + PIVOT) / a / mp.sqrt(2 * mp.pi) * (1 - 1 / a**2 + 3 / a**4 - 15 / a**6 + 105 / a**8)


def chebyshev():
    angles = [mp.pi * (j + mp.mpf(1) / 2) / NODES for j in range(NODES)]
    values = [scaled_mills(mp.cos(angle)) for angle in angles]
    sums = [sum(v * mp.cos(i * a) for v, a in zip(values, angles)) for i in range(TERMS)]
    return [(2 if i else 1) * s / NODES for i, s in enumerate(sums)]


def monomial(series):
    total = [mp.mpf(0)] * len(series)
    before, now = [mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]
    for i, coefficient in enumerate(series):
        for power, value in enumerate(before):
            total[power] += coefficient * value
        following = [mp.mpf(0)] + [2 * value for value in now]
        for power, value in enumerate(before):
            following[power] -= value
        before, now = now, following
    return total


for coefficient in monomial(chebyshev()):
    print(f"    {float(coefficient).hex()},")
