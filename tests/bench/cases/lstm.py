# SPDX-License-Identifier: MIT
"""The LSTM beside torch.nn.LSTM, two threads each.

Kernels on windows that do not overlap (the peer's own ground), 256 of them, one layer, I inputs / H units / T steps:
forward against torch's own kernels (oneDNN off) and against oneDNN (what torch runs by default without gradients), forward
and backward against torch's default. Quality is the greatest difference of outputs (and gradients) as a share of the
greatest value; both sides have the same weights and data.

lstm-windows-torch trains end to end on real hourly candles: every window of consecutive hours, same batches of runs of
neighbours, same AdamW, schedule and clipping; quality is the validation loss after the same epochs.
"""
import os
import struct

from frame import BUILD, QUICK, Case, Program, Work

THREADS = 2
SHAPES = {"": (120, 128, 96), "-64": (64, 64, 96), "-256": (120, 256, 168)}
BATCH = 256


class Pair:
    """Our program and a torch module with the same weights, inputs and slopes."""

    def __init__(self, inputs, hidden, steps):
        import numpy as np
        import torch

        torch.set_num_threads(THREADS)
        torch.manual_seed(1)
        batch = 8 if QUICK else BATCH
        self.torch, self.np = torch, np
        self.lstm = torch.nn.LSTM(inputs, hidden, batch_first=True)
        self.head = torch.nn.Linear(hidden, 1)
        torch.nn.init.zeros_(self.lstm.bias_hh_l0)
        self.x = torch.randn(batch, steps, inputs)
        self.dout = torch.randn(batch, 1)
        self.ordered = [self.lstm.weight_ih_l0, self.lstm.weight_hh_l0, self.lstm.bias_ih_l0, self.head.weight,
                        self.head.bias]
        flat = torch.cat([p.detach().reshape(-1) for p in self.ordered]).numpy()
        os.makedirs(BUILD, exist_ok=True)
        self.path = os.path.join(BUILD, f"lstm-{inputs}-{hidden}-{steps}.problem")
        with open(self.path, "wb") as file:
            file.write(struct.pack("<9Q", inputs, hidden, 1, 1, batch * steps, batch, steps, THREADS, len(flat)))
            for array in (flat, self.x.numpy(), np.arange(batch, dtype=np.uint32) * steps, self.dout.numpy()):
                file.write(array.tobytes())
        self.program = Program("lstm", self.path)
        self.outs = batch

    def forward(self, onednn):
        with self.torch.no_grad(), self.torch.backends.mkldnn.flags(enabled=onednn):
            y, _ = self.lstm(self.x)
            self.result = self.head(y[:, -1])

    def train(self):
        for p in self.lstm.parameters():
            p.grad = None
        self.head.zero_grad()
        y, _ = self.lstm(self.x)
        self.result = self.head(y[:, -1])
        self.result.backward(self.dout)

    def quality(self, gradient):
        self.program.run("save")
        ours = self.np.fromfile(self.path + ".ours", dtype=self.np.float32)
        peer = [self.result.detach().reshape(-1)]
        if gradient:
            peer += [p.grad.reshape(-1) for p in self.ordered]
        peer = self.torch.cat(peer).numpy()
        apart = lambda a, b: float(abs(a - b).max() / abs(b).max())
        worst = apart(ours[: self.outs], peer[: self.outs])
        if gradient:
            worst = max(worst, apart(ours[self.outs :], peer[self.outs :]))
        return worst, 0.0


def kernel(shape, peer, note):
    def prepare():
        pair = Pair(*shape)
        ours = "train" if peer == "train" else "forward"
        actions = {"torch": lambda: pair.forward(False), "onednn": lambda: pair.forward(True), "train": pair.train}
        text = f"{BATCH} windows, {shape[0]} inputs, {shape[1]} units, {shape[2]} steps, {THREADS} threads; torch {pair.torch.__version__}, {note}"
        work = Work(lambda: pair.program.run(ours), actions[peer], lambda: pair.quality(peer == "train"), text,
                    pair.program.close)
        work.peak_mb = pair.program.peak_mb
        return work

    return prepare


# ---- end to end ----

HIDDEN, STEPS, RUN, EPOCHS, RATE = 64, 96, 64, 3, 2e-3


def real_hours():
    """x (hours, 120) of recorded candles, y (return of the next 24 hours, whether it is above 0), ends of whole windows."""
    import candles
    import numpy as np

    series, hours = (2, 1200) if QUICK else (6, 2200)
    bars, origin = candles.hourly(series, hours)
    xs, ys, ends = [], [], []
    for s in range(series):
        close, high, low, volume = (np.log(np.maximum(bars[s, c], 1e-12)) for c in (3, 1, 2, 4))
        step = np.diff(close, prepend=close[0])
        columns = []
        for lag in range(1, 31):
            columns += [close - np.roll(close, lag), volume - np.roll(volume, lag), np.roll(high - low, lag)]
        for span in range(2, 32):
            mean = np.convolve(step, np.ones(span) / span)[: len(step)]
            columns.append(np.sqrt(np.maximum(np.convolve(step**2, np.ones(span) / span)[: len(step)] - mean**2, 0)))
        x = np.stack(columns, 1)
        future = np.roll(close, -24) - close
        first, last = 40 + STEPS, len(close) - 24
        offset = s * hours
        xs.append(x)
        ys.append(np.stack([future, future > 0], 1)[first:last])
        ends.append(offset + np.arange(first, last))
    split = int(0.75 * len(ends[0]))
    gap = STEPS + 24
    take = lambda parts, a, b: np.concatenate([p[a:b] for p in parts])
    x = np.ascontiguousarray(np.concatenate(xs), dtype=np.float32)
    return (x, (take(ys, 0, split), take(ends, 0, split)), (take(ys, split + gap, None), take(ends, split + gap, None)),
            origin)


def windows():
    import numpy as np
    import torch

    x, (y, end), (y_check, end_check), origin = real_hours()
    torch.set_num_threads(THREADS)
    os.makedirs(BUILD, exist_ok=True)
    path = os.path.join(BUILD, "lstm-windows.problem")
    with open(path, "wb") as file:
        file.write(struct.pack("<12Q", *x.shape, STEPS, len(end), len(end_check), THREADS, HIDDEN, EPOCHS, BATCH, RUN,
                               int(RATE * 1e6 + 0.5), 0))
        file.write(x.tobytes())
        for ends, targets in ((end, y), (end_check, y_check)):
            file.write(ends.astype(np.int64).tobytes())
            file.write(np.ascontiguousarray(targets, dtype=np.float64).tobytes())
    program = Program("lstm_windows", path)
    losses = {}

    def peer():
        losses["peer"] = torch_training(torch, np, x, y, end, y_check, end_check)

    note = (f"{len(end)} windows of {STEPS} hours x {x.shape[1]} features, {HIDDEN} units, {EPOCHS} epochs, batches of {BATCH} "
            f"in runs of {RUN}, {THREADS} threads; {origin}; torch {torch.__version__} gathers its windows by index; quality: "
            f"validation loss")
    work = Work(lambda: program.run("ours"), peer, lambda: (program.quality["ours"], losses["peer"]), note, program.close)
    work.peak_mb = program.peak_mb
    return work


def torch_training(torch, np, x, y, end, y_check, end_check):
    """The same training in torch: normalisation, initial ranges, schedule, clipping and decay as src/model/lstm has them."""
    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    hours = np.unique((end[:, None] + np.arange(1 - STEPS, 1)).ravel())
    mean, deviation = x[hours].mean(0, dtype=np.float64), x[hours].std(0, dtype=np.float64)
    data = torch.from_numpy(np.clip((x - mean) / np.where(deviation > 0, deviation, 1), -10, 10).astype(np.float32))
    scale, rate = y[:, 0].std(), y[:, 1].mean()
    offset = float(np.log(rate / (1 - rate)))
    targets = lambda t: torch.from_numpy(np.stack([(t[:, 0] - y[:, 0].mean()) / scale, t[:, 1]], 1).astype(np.float32))
    lstm, head = torch.nn.LSTM(x.shape[1], HIDDEN, batch_first=True), torch.nn.Linear(HIDDEN, 2)
    for name, p in list(lstm.named_parameters()) + list(head.named_parameters()):
        if "bias" in name:
            torch.nn.init.zeros_(p)
    with torch.no_grad():
        lstm.bias_ih_l0[HIDDEN : 2 * HIDDEN] = 1
    lstm.bias_hh_l0.requires_grad_(False)
    weights = [lstm.weight_ih_l0, lstm.weight_hh_l0, head.weight]
    biases = [lstm.bias_ih_l0, head.bias]
    optimiser = torch.optim.AdamW([{"params": weights, "weight_decay": 0.01}, {"params": biases, "weight_decay": 0}],
                                  lr=RATE)
    span = torch.arange(1 - STEPS, 1)
    batches = -(-len(end) // BATCH)
    total, step = EPOCHS * batches, 0

    def loss_of(window, target):
        out, _ = lstm(data[window[:, None] + span])
        z = head(out[:, -1])
        return 0.5 * (z[:, 0] - target[:, 0]).square().mean() + torch.nn.functional.binary_cross_entropy_with_logits(
            z[:, 1] + offset, target[:, 1])

    ends, aim = torch.from_numpy(end), targets(y)
    for _ in range(EPOCHS):
        starts = rng.permutation(-(-len(end) // RUN)) * RUN
        order = torch.from_numpy(np.concatenate([np.arange(s, min(s + RUN, len(end))) for s in starts]))
        for at in range(0, len(end), BATCH):
            rising = 0.05 * total
            lr = RATE * (step + 1) / rising if step + 1 < rising else RATE * (0.01 + 0.99 * 0.5 * (
                1 + np.cos(np.pi * min((step + 1 - rising) / (total - rising), 1))))
            for group in optimiser.param_groups:
                group["lr"] = lr
            chosen = order[at : at + BATCH]
            optimiser.zero_grad()
            loss_of(ends[chosen], aim[chosen]).backward()
            torch.nn.utils.clip_grad_norm_(weights + biases, 1.0)
            optimiser.step()
            step += 1
    ends, aim, loss = torch.from_numpy(end_check), targets(y_check), 0.0
    with torch.no_grad():
        for at in range(0, len(ends), BATCH):
            loss += float(loss_of(ends[at : at + BATCH], aim[at : at + BATCH])) * len(ends[at : at + BATCH])
    return loss / len(ends)


CASES = []
for suffix, shape in SHAPES.items():
    CASES += [
        Case("lstm-forward-torch" + suffix, "lstm", "torch", 3, kernel(shape, "torch", "oneDNN off"), ["torch", "numpy"]),
        Case("lstm-forward-onednn" + suffix, "lstm", "oneDNN", 1.5 if suffix == "-64" else 0.9,
             kernel(shape, "onednn", "oneDNN on (its default)"), ["torch", "numpy"]),
        # At 256 units twice torch's speed would be more than the processor can multiply: both are near its peak.
        Case("lstm-train-torch" + suffix, "lstm", "torch", 2,
             kernel(shape, "train", "defaults"), ["torch", "numpy"]),
    ]
CASES += [Case("lstm-windows-torch", "lstm", "torch", 5, windows, ["torch", "numpy"])]
