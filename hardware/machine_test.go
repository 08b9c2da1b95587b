package hardware

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

// What a machine takes from a data sheet, by device: the tile and padding of its matrix unit, its
// peak, links, and rate at a matmul share of 1. Numbers from facts/accelerators.csv.
func TestMachineOfADevice(t *testing.T) {
	var plain Constants
	for i := range plain {
		plain[i] = 1
	}
	for alias, want := range map[string]struct {
		precision                    flops.Precision
		peak, rate, slow, stream     float64
		edge, pad, alignMin          int
		units, intra, inter          float64
		domain, axes                 int
		wraps                        bool
		compute, weight, gradient    float64
		dropoutOrUnfused, recomputes bool
	}{
		"a100": {
			flops.BF16Mixed, 312e12, 271.2e12, 19.5e12, 2.039e12, 128, 32, 8, 108, 300e9, 6.25e9,
			8, 0, false, 2, 2, 4, false, false,
		},
		// fp16 rates of the best measured bf16 product over its peak
		"v100": {
			flops.FP16Mixed, 125e12, 0.8 * 125e12, 15.7e12, 0.9e12, 128, 32, 8, 80, 150e9, 12.5e9,
			4, 0, false, 2, 2, 4, true, false,
		},
		// a systolic array has no slow path and no tiles at once; two-way links are halved
		"tpu-v5e": {
			flops.BF16Mixed, 197e12, 0.95 * 197e12, 0, 0.819e12, 128, 128, 8, 0, 200e9, 3.125e9,
			256, 2, true, 2, 2, 4, false, true,
		},
		"tpu-v4": {
			flops.BF16Mixed, 275e12, 0.95 * 275e12, 0, 1.2e12, 128, 128, 8, 0, 270e9, 6.25e9,
			4096, 3, true, 2, 2, 4, true, true,
		},
	} {
		p := found(t, alias)
		x := flops.Execution{
			Precision: want.precision, Optimizer: flops.Adam, Dropout: want.dropoutOrUnfused,
		}
		if want.dropoutOrUnfused {
			x.Attention = flops.UnfusedAttention
		}
		if want.recomputes {
			x.Recompute = flops.RecomputeFull
		}
		m, err := NewMachineWith(&p, x, Software{}, &plain)
		if err != nil {
			t.Fatal(err)
		}
		for what, pair := range map[string][2]float64{
			"peak": {m.peak, want.peak}, "rate": {m.rate, want.rate},
			"head rate": {m.headRate, want.rate}, "slow rate": {m.slowRate, want.slow},
			"stream": {m.stream, want.stream}, "units": {m.units, want.units},
			"intra": {m.intra, want.intra}, "inter": {m.inter, want.inter},
			"compute": {m.compute, want.compute}, "weight": {m.weight, want.weight},
			"gradient": {m.gradient, want.gradient},
		} {
			expect(t, alias+", "+what, pair[0], pair[1])
		}
		if m.edge != want.edge || m.pad != want.pad || m.alignMin != want.alignMin {
			t.Errorf("%s: tile %d, pad %d, alignment %d", alias, m.edge, m.pad, m.alignMin)
		}
		if m.domain != want.domain || m.axes != want.axes || m.wraps != want.wraps {
			t.Errorf("%s: domain %d, %d axes, wraps %t", alias, m.domain, m.axes, m.wraps)
		}
		if m.unfused != want.dropoutOrUnfused || m.dropout != want.dropoutOrUnfused ||
			m.recompute != x.Recompute || m.contexts != 1 || m.experts != 1 {
			t.Errorf("%s: unfused %t, dropout %t, recompute %v", alias, m.unfused, m.dropout,
				m.recompute)
		}
	}
}

// A processor holds tiles of 16 in its registers and pads nothing; its products reach 95 % of the
// float32 peak.
func TestMachineOfAProcessor(t *testing.T) {
	p := found(t, "cpu")
	p.BandwidthBytesPerSecond = &Field{}
	p.BandwidthBytesPerSecond.Value = 1e11
	c := Priors()
	c[MatmulShare], c[DeviceRate] = 1, 1
	m, err := NewMachineWith(&p, flops.Execution{Precision: flops.FP32}, Software{}, &c)
	if err != nil {
		t.Fatal(err)
	}
	if m.edge != 16 || m.pad != 1 {
		t.Errorf("tile %d, pad %d", m.edge, m.pad)
	}
	expect(t, "rate", m.rate, 0.95*3.2e12)
	expect(t, "compute", m.compute, 4)
	expect(t, "gradient", m.gradient, 4)
}

// A 2D torus closes as a whole pod, a 3D one from 4 × 4 × 4 chips; a switch has no axes.
func TestSlicesClose(t *testing.T) {
	for _, c := range []struct {
		alias  string
		domain int
		axes   int
		wraps  bool
	}{
		{"tpu-v5e", 256, 2, true},
		{"tpu-v5e", 255, 2, false},
		{"tpu-v5e", 16, 2, false},
		{"tpu-v4", 64, 3, true},
		{"tpu-v4", 63, 3, false},
		{"tpu-v5p", 128, 3, true},
		{"h100", 8, 0, false},
	} {
		p := found(t, c.alias)
		if axes, wraps := torus(&p, c.domain); axes != c.axes || wraps != c.wraps {
			t.Errorf("%s, %d chips: %d axes, wraps %t", c.alias, c.domain, axes, wraps)
		}
		m, err := NewMachine(&p, flops.Execution{}, Software{Domain: c.domain})
		if err != nil || m.domain != c.domain || m.wraps != c.wraps {
			t.Errorf("%s, %d chips asked: domain %d, wraps %t (%v)", c.alias, c.domain, m.domain,
				m.wraps, err)
		}
	}
}

// FP8 speeds the layers' products and leaves attention and logits in 16 bits; TF32 under float32
// speeds both.
func TestFormatsByHand(t *testing.T) {
	var plain Constants
	for i := range plain {
		plain[i] = 1
	}
	p := found(t, "h100")
	m, err := NewMachineWith(&p, flops.Execution{}, Software{Matmul: FP8}, &plain)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "fp8 peak", m.peak, p.Peaks[FP8].Value)
	expect(t, "fp8 layers", m.rate, p.Measured[FP8].Value)
	expect(t, "fp8 head", m.headRate, p.Measured[BF16].Value)
	a := found(t, "a100")
	m, err = NewMachineWith(&a, flops.Execution{Precision: flops.FP32}, Software{Matmul: TF32}, &plain)
	if err != nil {
		t.Fatal(err)
	}
	// no TF32 product was measured: the share that the best bf16 product reaches
	want := 156e12 * 271.2 / 312
	expect(t, "tf32 layers", m.rate, want)
	expect(t, "tf32 head", m.headRate, want)
	expect(t, "tf32 peak", m.peak, 156e12)
	// gradients in two bytes, as the execution says
	m, err = NewMachineWith(&a, flops.Execution{GradientBytes: 2}, Software{}, &plain)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "gradient", m.gradient, 2)
}
