#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes golden/lstm_adamw.txt: parameters after each of some steps of torch.optim.AdamW with clip_grad_norm_, in double.

First line: count, steps, rate, decay, clip, decays (0 or 1 for each parameter). Then the start, and for each step the gradient
and the parameters after it.
"""
import os

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
STEPS, RATE, DECAY, CLIP = 12, 0.03, 0.1, 1.5


def main():
    torch.manual_seed(11)
    decayed = torch.nn.Parameter(torch.randn(9, dtype=torch.float64))
    free = torch.nn.Parameter(torch.randn(4, dtype=torch.float64))
    optimiser = torch.optim.AdamW([{"params": [decayed], "weight_decay": DECAY}, {"params": [free], "weight_decay": 0}],
                                  lr=RATE)
    row = lambda values: " ".join(f"{v:.17g}" for v in values) + "\n"
    os.makedirs(os.path.join(HERE, "golden"), exist_ok=True)
    with open(os.path.join(HERE, "golden", "lstm_adamw.txt"), "w", encoding="ascii") as out:
        out.write(f"13 {STEPS} {RATE} {DECAY} {CLIP} " + row([1] * 9 + [0] * 4))
        out.write(row(decayed.tolist() + free.tolist()))
        for step in range(STEPS):
            size = 2.0 if step % 3 else 0.05  # clipped and not
            decayed.grad, free.grad = size * torch.randn(9, dtype=torch.float64), size * torch.randn(4, dtype=torch.float64)
            out.write(row(decayed.grad.tolist() + free.grad.tolist()))
            torch.nn.utils.clip_grad_norm_([decayed, free], CLIP)
            optimiser.step()
            out.write(row(decayed.tolist() + free.tolist()))


if __name__ == "__main__":
    main()
