# SPDX-License-Identifier: MIT
"""Writes real.txt: values of elementary functions by mpmath at 60 digits. Usage: make_real.py > real.txt"""
import math
import random

import mpmath as mp

mp.mp.dps = 60


def turn(function):
    # exact reduction, so that mpmath need not carry the whole turns
    return lambda x: function(2 * mp.pi * (x - mp.floor(x + 0.5)))


FUNCTIONS = {
    "log": mp.log,
    "log1p": lambda x: mp.log(1 + x),
    "exp": mp.exp,
    "expm1": lambda x: mp.expm1(x),
    "tanh": mp.tanh,
    "logistic": lambda x: 1 / (1 + mp.exp(-x)),
    "log_logistic": lambda x: -mp.log1p(mp.exp(-x)) if x > -40 else x - mp.log1p(mp.exp(x)),
    "cos_turn": turn(mp.cos),
    "sin_turn": turn(mp.sin),
    "normal_cdf": lambda x: mp.erfc(-x / mp.sqrt(2)) / 2,
    "normal_quantile": lambda p: normal_quantile(p),
}


def normal_quantile(p):
    tail = p if p < 0.5 else 1 - p
    if tail == 0.5:
        return mp.mpf(0)
    start = -mp.sqrt(-2 * mp.log(2 * tail)) if tail < 0.4 else (tail - 0.5) * mp.sqrt(2 * mp.pi)
    x = mp.findroot(lambda z: mp.log(mp.erfc(-z / mp.sqrt(2)) / 2) - mp.log(tail), start)
    return x if p < 0.5 else -x


def spread(low, high, count):
    return [random.uniform(low, high) for _ in range(count)]


def powers(low, high, count, signed):
    values = [math.ldexp(random.uniform(1, 2), random.randint(low, high)) for _ in range(count)]
    return [random.choice([-1, 1]) * v for v in values] if signed else values


random.seed(20240229)
POINTS = {
    "log": [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.7071067811865476, 1.4142135623730951]
    + spread(0.5, 2, 40) + powers(-1074, 1023, 30, False),
    "log1p": [5e-324, -0.9999999999999999, -0.29, 0.41] + spread(-0.9, 3, 40) + powers(-60, -1, 30, True),
    "exp": [709.782712893384, -745.1332191019411, -708.4] + spread(-2, 2, 40) + spread(-745, 709, 30)
    + powers(-60, 3, 10, True),
    "expm1": [709.782712893384, 37.125, -37.4] + spread(-2, 2, 40) + spread(-38, 60, 30) + powers(-60, 3, 20, True),
    "tanh": [19.0, -19.5] + spread(-2, 2, 40) + spread(-20, 20, 20) + powers(-40, 4, 20, True),
    "logistic": [-745.0] + spread(-3, 3, 40) + spread(-700, 40, 30),
    "log_logistic": spread(-3, 3, 40) + spread(-60, 700, 40),
    "cos_turn": [0.125, 1e15 + 0.375] + spread(-1, 1, 40) + powers(-40, 40, 30, True),
    "sin_turn": [0.125, 1e15 + 0.375] + spread(-1, 1, 40) + powers(-40, 40, 30, True),
    "normal_cdf": [-38.4, -0.67, 0.67, 8.0] + spread(-3, 3, 40) + spread(-38, 8, 40),
    "normal_quantile": [1e-300, 0.075, 0.925, 0.975, 0.9999999999] + spread(0.001, 0.999, 40) + powers(-900, -2, 30, False),
}


def main():
    print("# function x expected remainder: f(x) = expected + remainder to twice a double's precision.")
    print(f"# mpmath {mp.__version__} at {mp.mp.dps} digits; written by make_real.py")
    for name, points in POINTS.items():
        for x in points:
            exact = FUNCTIONS[name](mp.mpf(x))
            nearest = float(exact)
            print(name, x.hex(), nearest.hex(), float(exact - mp.mpf(nearest)).hex())


main()
