#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes golden/lstm.txt: forward and backward of torch.nn.LSTM in double on small shapes. Needs torch (CPU).

A case is one line `case I H L O norm R B T`, then one line each, name first: parameters (in the order of src/backend/lstm.h),
x, first, dout, out, grad, dx. Windows overlap, so dx and the gradients sum over shared hours.
"""
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = [  # I, H, L, O, norm, R, B, T
    (3, 5, 1, 2, 0, 9, 4, 4),
    (4, 6, 2, 3, 0, 8, 3, 5),
    (5, 7, 2, 1, 1, 12, 5, 6),
    (2, 17, 1, 1, 0, 20, 7, 3),
]


def run(case, out):
    I, H, L, O, norm, R, B, T = case
    layers = [torch.nn.LSTM(I if l == 0 else H, H, batch_first=True, dtype=torch.float64) for l in range(L)]
    norms = [torch.nn.LayerNorm(H, dtype=torch.float64) for _ in range(L)] if norm else []
    head = torch.nn.Linear(H, O, dtype=torch.float64)
    for layer in layers:
        for name, p in layer.named_parameters():
            torch.nn.init.normal_(p, std=0.5)
        torch.nn.init.zeros_(layer.bias_hh_l0)  # our one bias is bias_ih
    for n in norms:
        torch.nn.init.normal_(n.weight, 1.0, 0.3)
        torch.nn.init.normal_(n.bias, 0.0, 0.3)
    x = torch.randn(R, I, dtype=torch.float64, requires_grad=True)
    first = torch.randint(0, R - T + 1, (B,))
    dout = torch.randn(B, O, dtype=torch.float64)
    y = torch.stack([x[f : f + T] for f in first.tolist()])
    for l in range(L):
        y, _ = layers[l](y)
        if norm:
            y = norms[l](y)
    result = head(y[:, -1])
    result.backward(dout)
    ordered = []
    for l in range(L):
        ordered += [layers[l].weight_ih_l0, layers[l].weight_hh_l0, layers[l].bias_ih_l0]
        if norm:
            ordered += [norms[l].weight, norms[l].bias]
    ordered += [head.weight, head.bias]
    flat = lambda ts: torch.cat([t.detach().reshape(-1) for t in ts])
    out.write("case " + " ".join(map(str, case)) + "\n")
    rows = [("parameters", flat(ordered)), ("x", x), ("first", first), ("dout", dout), ("out", result),
            ("grad", flat([p.grad for p in ordered])), ("dx", x.grad)]
    for name, values in rows:
        out.write(name + " " + " ".join(f"{v:.17g}" for v in values.detach().reshape(-1).tolist()) + "\n")


def main():
    torch.manual_seed(20211121)
    with open(os.path.join(HERE, "golden", "lstm.txt"), "w", encoding="ascii") as out:
        for case in CASES:
            run(case, out)


if __name__ == "__main__":
    main()
