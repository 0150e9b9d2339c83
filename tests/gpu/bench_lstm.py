#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our LSTM on the card beside torch.nn.LSTM, which is cuDNN there; times of the card alone, without copies from the host.

bench_lstm.py PROGRAM    PROGRAM is tests/gpu/bench_lstm.cu, built

torch gets its windows ready made, (T, B, I), in the precision of the row, and AdamW (fused); its best of time-major and
batch-first counts. With overlap torch computes on the windows that ours never makes. Ratio: torch's time / ours.
"""
import statistics
import subprocess
import sys

import torch

PRECISIONS = {"fp32": 0, "tf32": 1, "fp16": 2, "bf16": 3}
RUNGS = {0: "best", 1: "steps", 2: "hours", 3: "resident"}
# inputs, hidden, layers, steps, windows, overlap; the zones of PERFORMANCE: small, wide, deep, overlapping, cuDNN's home
SHAPES = [
    (120, 64, 1, 96, 256, 0), (120, 64, 1, 96, 2048, 0), (120, 128, 1, 96, 256, 0), (120, 128, 2, 96, 1024, 0),
    (120, 256, 1, 168, 256, 0), (120, 256, 2, 168, 1024, 0), (120, 512, 1, 168, 256, 0), (120, 512, 1, 168, 1024, 0),
    (120, 128, 1, 168, 1024, 1), (120, 256, 1, 168, 1024, 1), (128, 512, 1, 168, 64, 0),
]


def median_ms(work):
    times = []
    for run in range(23):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        work()
        end.record()
        end.synchronize()
        if run >= 3:
            times.append(begin.elapsed_time(end))
    return statistics.median(times)


def torch_times(shape, precision, batch_first):
    inputs, hidden, layers, steps, windows, _ = shape
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = precision == "tf32"
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision, torch.float32)
    net = torch.nn.LSTM(inputs, hidden, layers, batch_first=batch_first, device="cuda", dtype=dtype)
    head = torch.nn.Linear(hidden, 1, device="cuda", dtype=dtype)
    size = (windows, steps, inputs) if batch_first else (steps, windows, inputs)
    x, y = torch.randn(size, device="cuda", dtype=dtype), torch.randn(windows, 1, device="cuda", dtype=dtype)
    optimiser = torch.optim.AdamW([*net.parameters(), *head.parameters()], lr=1e-3, fused=True)

    def out():
        h = net(x)[0]
        return head(h[:, -1] if batch_first else h[-1])

    def step():
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(out(), y).backward()
        optimiser.step()

    with torch.no_grad():
        forward = median_ms(out)
    return forward, median_ms(step)


def main():
    properties = torch.cuda.get_device_properties(0)
    print(f"{properties.name}, compute capability {properties.major}.{properties.minor}, torch {torch.__version__}, "
          f"cuDNN {torch.backends.cudnn.version()}")
    print("| I | H | L | T | B | windows | precision | rung | forward ms | torch | ratio | step ms | torch | ratio |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")
    for shape in SHAPES:
        for precision, number in PRECISIONS.items():
            arguments = [str(value) for value in (*shape, number, 0)]
            done = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True, timeout=60)
            if done.returncode != 0:
                print(f"| {shape} {precision}: {done.stderr.strip()} |")
                continue
            rung, forward, step = done.stdout.split()
            both = [torch_times(shape, precision, batch_first) for batch_first in (False, True)]
            theirs = [min(times) for times in zip(*both)]
            print("| " + " | ".join(str(value) for value in shape[:5])
                  + f" | {'overlap' if shape[5] else 'apart'} | {precision} | {RUNGS[int(rung)]}"
                  + f" | {float(forward):.3f} | {theirs[0]:.3f} | {theirs[0] / float(forward):.2f}"
                  + f" | {float(step):.3f} | {theirs[1]:.3f} | {theirs[1] / float(step):.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
