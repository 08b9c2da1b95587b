package flops

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// TestPaperTFLOPs compares mesh-tf with the #TFlops column of the DeepNarrow table of Tay et al.
// 2021 (arXiv 2109.10686), two significant digits. The column is recalled, the ratios to T5-Base of
// Small 16L (63 %) and Small 24L (87 %) have a second source. T5-XL (116) and T5-XXL (397) are left
// out: no reading of the convention explains them together with the other twelve.
func TestPaperTFLOPs(t *testing.T) {
	rows := []struct {
		name   string
		shape  shapes.Shape
		tflops float64
	}{
		{"T5-Small", t5(6, 6, 512, 2048, 64, 8), 3.7},
		{"Mini-8L", t5(8, 8, 384, 1536, 64, 8), 3.2},
		{"T5-Base", t5(12, 12, 768, 3072, 64, 12), 11},
		{"Small 16L", t5(16, 16, 512, 2048, 64, 8), 7.2},
		{"Small 20L", t5(20, 20, 512, 2048, 64, 8), 8.6},
		{"Small 22L", t5(22, 22, 512, 2048, 64, 8), 9.3},
		{"Small 24L", t5(24, 24, 512, 2048, 64, 8), 10},
		{"Small 32EL", t5(32, 6, 512, 2048, 64, 8), 10},
		{"T5-Large", t5(24, 24, 1024, 4096, 64, 16), 34},
		{"Base-36L", t5(36, 36, 768, 3072, 64, 12), 29},
		{"Large 36L", t5(36, 36, 1024, 4096, 64, 16), 50},
		{"XL 32L", t5(32, 32, 1024, 16384, 128, 32), 169},
	}
	const maxRMS = 0.015 // the bound the project set itself
	sum := 0.0
	at := map[string]float64{}
	for _, r := range rows {
		got := CountUnder(MeshTF, &r.shape, PaperWorkload, RecomputeNone).Forward / 1e12
		at[r.name] = got
		sum += math.Pow(got/r.tflops-1, 2)
		t.Logf("%-10s %7.2f, paper %g", r.name, got, r.tflops)
	}
	if rms := math.Sqrt(sum / float64(len(rows))); rms > maxRMS {
		t.Errorf("RMS error %.4f > %g", rms, maxRMS)
	} else {
		t.Logf("RMS error %.4f", rms)
	}
	within(t, "Small 16L / Base", at["Small 16L"]/at["T5-Base"], 0.630, 0.002)
	within(t, "Small 24L / Base", at["Small 24L"]/at["T5-Base"], 0.87, 0.005)
}

func within(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !approx.Close(got, want, tolerance) {
		t.Errorf("%s = %.5f, want %g ± %g", name, got, want, tolerance)
	}
}

// TestMegatronFormula checks the logged FLOPs of a GPT against the closed form of Narayanan et al.
// 2021 (arXiv 2104.04473, section 3), without recompute: 72·B·S·L·d²·(1 + S/6d + V/12dL) with f =
// 4d and i = d.
func TestMegatronFormula(t *testing.T) {
	s := gpt(96, 12288, 49152, 128, 96, 51200)
	w := Workload{Batch: 2, DecoderLength: 1024}
	b, n, l, d, v := 2.0, 1024.0, 96.0, 12288.0, 51200.0
	want := 72 * b * n * l * d * d * (1 + n/(6*d) + v/(12*d*l))
	got := CountUnder(Megatron, &s, w, RecomputeNone).Step
	if !approx.Relative(got, want, roundOff) {
		t.Errorf("step = %g, formula %g", got, want)
	}
	if matmul := CountUnder(MatmulConvention, &s, w, RecomputeNone).Step; !approx.Relative(
		got, matmul, roundOff) {
		t.Errorf("megatron %g and matmul %g differ on a plain GPT", got, matmul)
	}
}

// roundOff allows for the order of float64 operations.
const roundOff = 1e-12

func TestConventionsExplained(t *testing.T) {
	s := t5(6, 6, 512, 2048, 64, 8)
	for _, c := range Conventions() {
		if c.Meaning() == "" {
			t.Errorf("%s has no meaning", c)
		}
		if n := CountUnder(c, &s, PaperWorkload, RecomputeFull); n.Forward <= 0 ||
			n.Step < n.Forward {
			t.Errorf("%s: %+v", c, n)
		}
		if got, err := ParseConvention(string(c)); got != c || err != nil {
			t.Errorf("ParseConvention(%q) = %q, %v", c, got, err)
		}
	}
	if _, err := ParseConvention("tflops"); err == nil {
		t.Error("tflops parsed")
	}
}
