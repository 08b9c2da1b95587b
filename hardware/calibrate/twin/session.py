"""One session on an accelerator: training steps of the twin, generation, and a grid of matrix products.

    deepnarrow calibrate --emit pytorch $(python3 session.py --shapes) --batch 8 -o twin.py
    python3 session.py twin.py --minutes 8 -o session.jsonl
    deepnarrow calibrate --from session.jsonl --hardware h100 -o ours.yaml

Every record is written as soon as it is measured; the same call goes on from the file. What the time does not
allow is left out, the shapes in turn so that a short session has some of each size. Lines with a "matmul" or
a "generate" are not steps: calibrate takes those with a shape.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import os
import statistics
import sys
import time

import torch

# Tiny to XL, 2 to 48 layers, encoders and decoders of unequal depth.
SHAPES = [
    "%s/el=%d,dl=%d" % (width, encoder, decoder)
    for width, depths in [
        ("t5-tiny", [(2, 2), (4, 4), (16, 4), (4, 16), (24, 24), (48, 48)]),
        ("t5-mini", [(2, 4), (4, 4), (8, 8), (24, 6), (6, 24), (36, 36)]),
        ("t5-small", [(2, 2), (6, 6), (2, 8), (16, 4), (16, 16), (24, 24), (36, 12)]),
        ("t5-base", [(2, 2), (6, 6), (12, 12), (24, 6), (6, 24), (24, 24)]),
        ("t5-large", [(2, 2), (4, 4), (12, 24), (24, 24), (36, 12)]),
        ("t5-3b", [(2, 2), (4, 4), (8, 8), (12, 4)]),
    ]
    for encoder, decoder in depths
]

# m, n, k of products: large ones, few rows, odd and even dimensions.
PRODUCTS = [
    (m, n, k)
    for m in (1, 16, 128, 1024, 8192)
    for n, k in [(1024, 1024), (4096, 4096), (8192, 8192), (10922, 4096), (4096, 10922), (4097, 4096), (4100, 4096), (32128, 1024)]
]


def load(path):
    spec = importlib.util.spec_from_file_location("twin", path)
    twin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(twin)
    return twin


def done(path):
    """The keys of the records that a file holds; a line cut off by a stop is measured again."""
    keys = set()
    if os.path.exists(path):
        with open(path) as lines:
            for line in lines:
                with contextlib.suppress(ValueError):
                    keys.add(json.loads(line)["key"])
    return keys


def product(m, n, k, device, repeats):
    """The median seconds of one product in bfloat16."""
    a = torch.randn(m, k, device=device, dtype=torch.bfloat16)
    b = torch.randn(k, n, device=device, dtype=torch.bfloat16)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    seconds = []
    for i in range(repeats + 2):
        wait()
        start = time.perf_counter()
        a @ b
        wait()
        if i >= 2:
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


@torch.no_grad()
def generate(twin, model, inputs, count):
    """The greedy tokens after token 0, with keys and values kept: [sequences, count]."""

    def attend(a, y, k, v, bias):
        scores = a.split(a.q(y)) @ k.transpose(2, 3)
        if bias is not None:
            scores = scores + bias.to(scores.dtype)
        out = torch.softmax(scores.float(), -1).to(v.dtype) @ v
        return a.o(out.transpose(1, 2).reshape(y.shape[0], y.shape[1], -1))

    memory = model.encoder(model.shared(inputs))
    blocks = model.decoder.block
    across = [(b.layer[1].EncDecAttention.split(b.layer[1].EncDecAttention.k(memory)), b.layer[1].EncDecAttention.split(b.layer[1].EncDecAttention.v(memory))) for b in blocks]
    kept = [None] * len(blocks)
    index = twin.buckets(count, count, model.decoder.buckets, True, inputs.device)
    token = torch.zeros(inputs.shape[0], 1, dtype=torch.long, device=inputs.device)
    tokens = []
    for at in range(count):
        x = model.shared(token)
        bias = blocks[0].table(index[at : at + 1, : at + 1]).permute(2, 0, 1)[None]
        for n, block in enumerate(blocks):
            own, cross = block.layer[0], block.layer[1]
            a, y = own.SelfAttention, own.layer_norm(x)
            k, v = a.split(a.k(y)), a.split(a.v(y))
            if kept[n] is not None:
                k, v = torch.cat([kept[n][0], k], 2), torch.cat([kept[n][1], v], 2)
            kept[n] = k, v
            x = x + attend(a, y, k, v, bias)
            x = x + attend(cross.EncDecAttention, cross.layer_norm(x), *across[n], None)
            x = block.layer[-1](x)
        x = model.decoder.final_layer_norm(x)
        logits = torch.nn.functional.linear(x * model.d**-0.5, model.shared.weight) if model.lm_head is None else model.lm_head(x)
        token = logits.argmax(-1)
        tokens.append(token)
    return torch.cat(tokens, 1)


def generation(twin, point, batch, count, device, repeats):
    """One record of generation in bfloat16, eager: prompts of the point's encoder length, the median of repeats."""
    model = twin.T5(point["shape"], False).to(device, torch.bfloat16).eval()
    inputs = torch.randint(point["shape"]["vocab"], (batch, point["encoder_length"]), device=device)
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    seconds = []
    for i in range(repeats + 1):
        wait()
        start = time.perf_counter()
        generate(twin, model, inputs, count)
        wait()
        if i:
            seconds.append(time.perf_counter() - start)
    return {
        "generate": point["name"], "model": point["shape"], "batch": batch, "prompt": point["encoder_length"], "tokens": count,
        "seconds": statistics.median(seconds), "precision": "bf16", "compiled": False,
    }


def batches(options, cuda):
    """Batch sizes of a device: as stated, or doubled until memory is full."""
    if options.batch:
        return [options.batch]
    return [2**i for i in range(0, 12, 2)] if cuda else [1]


def step(twin, point, batch, compiled, options, cluster):
    """One record of the twin, or None where memory does not suffice."""
    o = argparse.Namespace(
        precision="bf16-mixed", compile=compiled, parallel="none", attention=options.attention, fused_optimizer=False,
        warmup=options.warmup, steps=options.steps, seconds=2.0,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        return twin.attempt(point, batch, o, cluster)


def tasks(twin, options, cuda):
    """What to measure, in turn: key, and what measures it. An answer of None ends the longer batches of a shape."""
    modes = [False, True] if options.compile else [False]
    grid = [("matmul %d %d %d" % p, p) for p in PRODUCTS[: options.products]]
    points = twin.POINTS[: options.points]
    # one shape in three, alone and eight at a time: what is kept for each kernel and what memory gives
    answers = [("generate %s %d" % (p["name"], batch), (p, batch)) for p in points[::3] for batch in (1, 8)][: options.answers]
    spread = sorted(range(len(points)), key=lambda i: (i % 6, i))
    for batch in batches(options, cuda):
        for compiled in modes:
            for i in spread:
                yield "step %s %d %s" % (points[i]["name"], batch, compiled), (points[i], batch, compiled)
        while grid:
            yield grid.pop(0)
        while answers:
            yield answers.pop(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("twin", nargs="?", help="the script that calibrate --emit pytorch wrote")
    parser.add_argument("-o", "--output", default="session.jsonl")
    parser.add_argument("--shapes", action="store_true", help="print the shapes to emit, and stop")
    parser.add_argument("--minutes", type=float, default=8)
    parser.add_argument("--batch", type=int, default=0, help="sequences of every point; 0 doubles until memory is full")
    parser.add_argument("--attention", choices=["unfused", "fused"], default="unfused")
    parser.add_argument("--compile", action="store_true", help="also compiled; needs PyTorch 2")
    parser.add_argument("--points", type=int, default=len(SHAPES), help="points at most")
    parser.add_argument("--products", type=int, default=len(PRODUCTS), help="matrix products at most")
    parser.add_argument("--answers", type=int, default=2 * len(SHAPES), help="generations at most")
    parser.add_argument("--tokens", type=int, default=64, help="tokens that a generation makes")
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--steps", type=int, default=10)
    options = parser.parse_args()
    if options.shapes:
        print(" ".join(SHAPES))
        return
    if not options.twin:
        parser.error("the twin is needed: deepnarrow calibrate --emit pytorch -o twin.py")
    end = time.monotonic() + 60 * options.minutes
    twin = load(options.twin)
    cluster = twin.Cluster()
    known, full = done(options.output), set()
    with open(options.output, "a") as out:
        for key, task in tasks(twin, options, cluster.cuda):
            if key in known:
                continue
            if time.monotonic() > end:
                print("the time is over; the same call goes on", file=sys.stderr)
                return
            if key.startswith("matmul"):
                m, n, k = task
                record = {"matmul": [m, n, k], "seconds": product(m, n, k, cluster.device, options.steps), "device": cluster.name(), "torch": torch.__version__}
            elif key.startswith("generate"):
                record = generation(twin, *task, options.tokens, cluster.device, max(1, options.steps // 3))
                record.update(device=cluster.name(), torch=torch.__version__)
            else:
                point, batch, compiled = task
                if (point["name"], compiled) in full:
                    continue
                record = step(twin, point, batch, compiled, options, cluster)
                if record is None:
                    full.add((point["name"], compiled))
                    continue
            record["key"], record["command"] = key, " ".join(sys.argv)
            out.write(json.dumps(record) + "\n")
            out.flush()


if __name__ == "__main__":
    main()
