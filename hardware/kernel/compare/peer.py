"""Times the training steps of BenchmarkStep in PyTorch, written to be fast on a processor.

The model is the same T5: RMSNorm before every block, no biases, relative positions shared by the layers of a stack, ReLU, a tied head
scaled by d^-0.5, cross-entropy, Adam, no dropout, float32. Tuned means: one product for queries, keys and values, batched products with the
position bias as their addend, Adam over lists of tensors, memory that is not zeroed when gradients are reset.

    env -u OPENBLAS_CORETYPE GOMP_SPINCOUNT=1000 python3 peer.py A --threads 2

prints the best and the median of the steps in milliseconds, and the first losses.
"""

import argparse
import math
import statistics
import time

import torch
import torch.nn.functional as F

CASES = {
    "A": dict(d=256, f=1024, heads=4, layers=4, batch=8),
    "B": dict(d=512, f=2048, heads=8, layers=6, batch=4),
}
VOCABULARY, WIDTH, SOURCES, TARGETS, BUCKETS, FARTHEST = 32128, 64, 128, 32, 32, 128


def normal(rows, columns, deviation):
    return torch.nn.Parameter(torch.randn(rows, columns) * deviation)


def norm(x, scale):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * scale


def bucket(distance, causal):
    buckets, base = BUCKETS, torch.zeros_like(distance)
    if causal:
        n = (-distance).clamp(min=0)
    else:
        buckets //= 2
        base = (distance > 0).long() * buckets
        n = distance.abs()
    exact = buckets // 2
    far = exact + (torch.log(n.clamp(min=1) / exact) / math.log(FARTHEST / exact) * (buckets - exact)).long()
    return base + torch.where(n < exact, n, far.clamp(max=buckets - 1))


class Attention(torch.nn.Module):
    def __init__(self, d, heads, cross):
        super().__init__()
        inner = heads * WIDTH
        self.heads, self.cross = heads, cross
        self.scale = torch.nn.Parameter(torch.ones(d))
        self.query = normal(inner, d, (d * WIDTH) ** -0.5)
        self.key_value = normal(2 * inner, d, d**-0.5)
        if not cross:
            self.query_key_value = torch.nn.Parameter(torch.cat([self.query.data, self.key_value.data]))
            del self.query, self.key_value
        self.out = normal(d, inner, inner**-0.5)

    def split(self, x, batch):
        """One matrix a sequence and head."""
        return x.view(batch, -1, self.heads, WIDTH).transpose(1, 2).reshape(batch * self.heads, -1, WIDTH)

    def forward(self, x, source, bias, batch):
        y = norm(x, self.scale)
        if self.cross:
            q, (k, v) = F.linear(y, self.query), F.linear(source, self.key_value).chunk(2, -1)
        else:
            q, k, v = F.linear(y, self.query_key_value).chunk(3, -1)
        q, k, v = self.split(q, batch), self.split(k, batch), self.split(v, batch)
        scores = torch.bmm(q, k.transpose(1, 2)) if bias is None else torch.baddbmm(bias, q, k.transpose(1, 2))
        mixed = torch.bmm(torch.softmax(scores, -1), v)
        mixed = mixed.view(batch, self.heads, -1, WIDTH).transpose(1, 2).reshape(x.shape[0], -1)
        return torch.addmm(x, mixed, self.out.t())


class FeedForward(torch.nn.Module):
    def __init__(self, d, f):
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(d))
        self.first, self.second = normal(f, d, d**-0.5), normal(d, f, f**-0.5)

    def forward(self, x):
        return torch.addmm(x, F.linear(norm(x, self.scale), self.first).relu_(), self.second.t())


class Stack(torch.nn.Module):
    def __init__(self, d, f, heads, layers, positions, decoder):
        super().__init__()
        self.heads, self.decoder = heads, decoder
        self.table = normal(BUCKETS, heads, d**-0.5)
        self.attention = torch.nn.ModuleList(Attention(d, heads, False) for _ in range(layers))
        self.cross = torch.nn.ModuleList(Attention(d, heads, True) for _ in range(layers if decoder else 0))
        self.ffn = torch.nn.ModuleList(FeedForward(d, f) for _ in range(layers))
        self.scale = torch.nn.Parameter(torch.ones(d))
        steps = torch.arange(positions)
        distance = steps[None, :] - steps[:, None]
        self.register_buffer("buckets", bucket(distance, decoder))
        self.register_buffer("mask", (distance > 0) * -1e9 if decoder else torch.zeros(positions, positions))

    def forward(self, x, source, batch):
        bias = self.table[self.buckets].permute(2, 0, 1) + self.mask
        bias = bias.repeat(batch, 1, 1)
        for n, attention in enumerate(self.attention):
            x = attention(x, None, bias, batch)
            if self.decoder:
                x = self.cross[n](x, source, None, batch)
            x = self.ffn[n](x)
        return norm(x, self.scale)


class Model(torch.nn.Module):
    def __init__(self, d, f, heads, layers, batch):
        super().__init__()
        self.d, self.batch = d, batch
        self.table = normal(VOCABULARY, d, 1)
        self.encoder = Stack(d, f, heads, layers, SOURCES, False)
        self.decoder = Stack(d, f, heads, layers, TARGETS, True)

    def forward(self, inputs, shifted, targets):
        source = self.encoder(F.embedding(inputs, self.table), None, self.batch)
        x = self.decoder(F.embedding(shifted, self.table), source, self.batch)
        return F.cross_entropy(F.linear(x * self.d**-0.5, self.table), targets)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--warmup", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    case = CASES[options.case]
    model = Model(**case)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, foreach=True)
    inputs = torch.randint(VOCABULARY, (case["batch"] * SOURCES,))
    targets = torch.randint(VOCABULARY, (case["batch"], TARGETS))
    shifted = torch.cat([torch.zeros(case["batch"], 1, dtype=torch.long), targets[:, :-1]], 1).reshape(-1)
    targets = targets.reshape(-1)
    seconds, losses = [], []
    for _ in range(options.warmup + options.steps):
        start = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss = model(inputs, shifted, targets)
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
        losses.append(loss.item())
    seconds = seconds[options.warmup :]
    weights = sum(p.numel() for p in model.parameters())
    print(f"peer {options.case} torch {torch.__version__} on {options.threads} threads, {weights} weights", end=" ")
    print(f"{1e3 * min(seconds):.1f} best-ms {1e3 * statistics.median(seconds):.1f} median-ms; first losses {losses[0]:.3f} {losses[1]:.3f}")


if __name__ == "__main__":
    main()
