package hardware

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
)

// Ranges in which a shipped constant must lie by what others measured, none of which is a row of the
// fit: a wrong formula moves constants, and the refit would ship them.
func TestShippedConstantsAreWhatOthersMeasure(t *testing.T) {
	shipped := map[string]data.StepConstant{}
	for _, c := range data.StepConstants() {
		shipped[c.Name] = c
	}
	for name, c := range map[string]struct {
		low, high float64
		source    string
	}{
		"matmul_share": {
			0.75, 1, "training frameworks against the best of a search over shapes on the same device",
		},
		"bandwidth_share": {
			0.65, 0.95, "STREAM and BabelStream on V100 to H100: 79 to 94 % of the data sheet; kernels with reductions less",
		},
		"fused_core": {
			0.4, 0.75, "Dao 2023, arXiv 2307.08691, figures 4 to 6: 50 to 73 % of peak forward, 35 to 63 % backward",
		},
		"hopper_core": {
			0.4, 0.8, "Shah et al. 2024, arXiv 2407.08608, section 1: FlashAttention-2 at 35 % on H100 against 50 to 73 % on A100",
		},
		"eager_traffic": {
			1.3, 3, "Ivanov et al. 2021, arXiv 2007.00072: element-wise work of BERT moves 23 to 37 % more than a fused graph, dropout and casts on top",
		},
		"compiled_traffic": {0.5, 1.2, "as counted, less what is fused with its neighbours"},
		"optimizer_traffic": {
			0.8, 2.5, "fused Adam moves what it needs; norms and clipping read gradients once or twice more",
		},
		"eager_launch": {
			4e-6, 60e-6, "CUDA launches take 4 to 10 µs, a PyTorch operation with autograd 10 to 50",
		},
		"compiled_launch": {1e-6, 5e-6, "CUDA graphs: 1.3 µs a node and 2.5 µs a kernel"},
		"intra_share": {
			0.5, 0.95, "nccl-tests on 8 GPUs: 230 of 300 GB/s on A100, 360 to 480 of 450 GB/s on H100, less for small messages",
		},
		"tensor_exposed": {
			0.6, 1, "Korthikanti et al. 2022: tensor-parallel collectives are not overlapped",
		},
		"data_exposed": {0.03, 0.6, "most of a reduction hides behind the backward pass (Li et al. 2020, arXiv 2006.15704)"},
		"eager_fixed":  {0.002, 0.1, "milliseconds to tens of them of host work a step"},
		"compiled_fixed": {
			0.0005, 0.02, "milliseconds of dispatch a step",
		},
		"scale_loss":         {0.001, 0.04, "weak scaling of Narayanan et al. 2021, table 1: 44 to 52 % of peak from 32 to 3,072 GPUs"},
		"collective_latency": {2e-6, 50e-6, "nccl-tests: 15 to 40 µs for the smallest all-reduce over 8 GPUs, of three doublings"},
		"fp8_share":          {0.5, 1, "Transformer Engine reaches 1.2 to 1.6 times bf16"},
		"score_passes":       {3, 10, "the least that unfused attention can do is 4: write, read and write in the softmax, read"},
	} {
		got, ok := shipped[name]
		if !ok {
			t.Errorf("%s is not shipped", name)
			continue
		}
		if !(got.Value >= c.low && got.Value <= c.high) {
			t.Errorf("%s = %g; %g to %g by %s", name, got.Value, c.low, c.high, c.source)
		}
	}
	for name, c := range shipped {
		if name == residualRow {
			// Two runs of one configuration differ by 17 to 43 % in published tables; a fit that
			// leaves less than a twentieth has learnt its rows by heart.
			if !(c.LogSD >= 0.05 && c.LogSD <= 0.25) {
				t.Errorf("a residual of %g", c.LogSD)
			}
			continue
		}
		// Rows can only narrow a prior, and hardly move an unknown by more than three of its spreads.
		const far = 3
		if !(c.LogSD > 0 && c.LogSD <= c.PriorLogSD*(1+round)) {
			t.Errorf("%s: a spread of %g after %g", name, c.LogSD, c.PriorLogSD)
		}
		if moved := math.Log(c.Value / c.Prior); !(math.Abs(moved) <= far*c.PriorLogSD) {
			t.Errorf("%s: moved by %.1f of its prior's spreads", name, moved/c.PriorLogSD)
		}
	}
}

// Step times that a person can work out within the stated bounds, by a way that has no constant of
// the fit in it: no step is faster than its FLOPs at the data sheet's peak, nor slower than a third
// of that for a large dense model on one node, where published runs reach 35 to 60 %.
func TestStepsLieBetweenPlainBounds(t *testing.T) {
	s := t5(4096, 16384, 32, 0, 32)
	s.Encoder.Layers = 0
	for _, alias := range []string{"a100", "h100", "h200", "b200", "tpu-v4", "tpu-v5p", "mi300x"} {
		p := found(t, alias)
		r := Run{
			Profile: p, Shape: s,
			Workload: flops.Workload{Batch: 64, DecoderLength: 2048},
			Layout:   flops.Layout{DP: 8, ZeRO: 3, MicroBatch: 2},
		}
		got, err := Predict(r)
		if err != nil {
			t.Fatal(alias, err)
		}
		if !(got.MFU >= 0.25 && got.MFU <= 0.75) {
			t.Errorf("%s: an MFU of %.2f; published runs of such models reach 0.35 to 0.6", alias,
				got.MFU)
		}
	}
}
