package kernel_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// execution tells flops what the kernel does: everything in float32, attention scores kept, no
// further copy of the logits.
func execution(o kernel.Options) flops.Execution {
	x := flops.Execution{
		Precision: flops.FP32, Attention: flops.UnfusedAttention,
		NativeLogits: true,
	}
	if o.Recompute == kernel.RecomputeFull {
		x.Recompute = flops.RecomputeFull
	}
	if o.Optimizer == kernel.Adafactor {
		x.Optimizer = flops.Adafactor
	}
	return x
}

// memoryCase is a shape and batch whose memory is compared.
type memoryCase struct {
	name    string
	shape   string
	options kernel.Options
}

func memoryCases() []memoryCase {
	const a, gated = "t5-small/nl=4,dm=256,ff=1024,nh=4",
		"t5-v1_1-small/nl=4,dm=256,ff=1024,nh=4,vocab=8192"
	batch := kernel.Options{Batch: 8, EncoderLength: 128, DecoderLength: 32}
	full, factored, long := batch, batch, batch
	full.Recompute = kernel.RecomputeFull
	factored.Optimizer = kernel.Adafactor
	long.EncoderLength, long.DecoderLength = 256, 64
	return []memoryCase{
		{"relu", a, batch},
		{"gated", gated, batch},
		{"recompute", a, full},
		{"adafactor", a, factored},
		{"long", a, long},
	}
}

func (c memoryCase) predict(t testing.TB) (shapes.Shape, flops.Memory) {
	t.Helper()
	s, err := shapes.Parse(c.shape)
	if err != nil {
		t.Fatal(err)
	}
	o := c.options
	work := flops.Workload{
		Batch: o.Batch, EncoderLength: o.EncoderLength,
		DecoderLength: o.DecoderLength,
	}
	memory, err := flops.TrainingMemory(&s, work, execution(o), flops.Layout{})
	if err != nil {
		t.Fatal(err)
	}
	return s, memory
}

// The bounds of the comparison by component.
const (
	paddingBytes = 64 // a tensor at most, to start on a cache line
	// the kernel keeps 1/rms of each row of a norm, 4 bytes beside at least 12·d: flops leaves it
	// out and says so
	statistics = 2e-3
)

// Component by component the arena is what flops predicts, but for two things that the kernel does
// without: a second copy of the logits (the softmax, its gradient and the logits share one), and
// the activated gate of a gated feed-forward, which it computes again.
func TestArenaMatchesPredictedComponents(t *testing.T) {
	for _, c := range memoryCases() {
		s, memory := c.predict(t)
		o := c.options
		o.Threads = 1
		m, err := kernel.New(&s, o)
		if err != nil {
			t.Fatal(err)
		}
		held := m.ArenaBytes()
		padding := paddingBytes * float64(len(m.Tensors))
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
		check := func(k kernel.Component, want, allowed float64) {
			if !approx.Close(float64(held[k]), want, allowed) {
				t.Errorf("%s: %s takes %d bytes, flops predicts %.0f", c.name, k, held[k], want)
			}
		}
		forward := memory.Phases[flops.ForwardEnd]
		check(kernel.WeightMemory, forward[flops.WeightBytes], padding)
		check(kernel.GradientMemory, forward[flops.GradientBytes], padding)
		check(kernel.OptimizerMemory, forward[flops.OptimizerBytes], 2*padding)
		check(kernel.LogitMemory, forward[flops.LogitBytes]/2, paddingBytes)
		check(kernel.BoundaryMemory, forward[flops.BoundaryBytes],
			statistics*forward[flops.BoundaryBytes])
		activations := forward[flops.ActivationBytes]
		if s.Encoder.Gated {
			rows := o.Batch * (s.Encoder.Layers*o.EncoderLength*s.Encoder.DFF +
				s.Decoder.Layers*o.DecoderLength*s.Decoder.DFF)
			activations -= 4 * float64(rows)
		}
		check(kernel.ActivationMemory, activations, statistics*activations)
	}
}

// memoryTolerance is the bound on the peak resident set of a step. Without a workspace in
// the prediction it also has to cover the program and its packing buffers, about 15 MB.
const memoryTolerance = 0.10

// childVariable tells a copy of the test program which case to run.
const childVariable = "KERNEL_MEMORY_CASE"

// Each case runs in a process of its own, whose largest resident set the system has counted.
func TestPeakResidentSetIsPredicted(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: trains in processes of their own")
	}
	if runtime.GOOS != "linux" {
		t.Skip("reads the peak resident set from /proc, which only Linux has")
	}
	if raced {
		t.Skip("the race detector holds several bytes for each byte of the program")
	}
	for _, c := range memoryCases() {
		if os.Getenv(childVariable) == c.name {
			runMemoryCase(t, c)
			return
		}
	}
	for _, c := range memoryCases() {
		_, memory := c.predict(t)
		child := exec.Command(os.Args[0], "-test.run=^TestPeakResidentSetIsPredicted$")
		child.Env = append(os.Environ(), childVariable+"="+c.name)
		output, err := child.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.name, err, output)
		}
		peak := peakOf(t, output)
		t.Logf("%s: %.1f MB resident, %.1f MB predicted, %+.1f %%", c.name, peak/1e6,
			memory.PeakBytes/1e6, 100*(peak/memory.PeakBytes-1))
		if !approx.Relative(peak, memory.PeakBytes, memoryTolerance) {
			t.Errorf("%s: peak resident set %.0f bytes, flops predicts %.0f", c.name, peak,
				memory.PeakBytes)
		}
	}
}

func runMemoryCase(t *testing.T, c memoryCase) {
	s, _ := c.predict(t)
	o := c.options
	o.Threads = 2
	m, err := kernel.New(&s, o)
	if err != nil {
		t.Fatal(err)
	}
	b := m.NewBatch()
	source := kernel.RandomTokens{Vocab: s.Vocab, Seed: 1}
	for step := range 2 {
		source.Fill(step, &b)
		if _, err := m.Step(&b, 1e-4); err != nil {
			t.Fatal(err)
		}
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("%s\n", status)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
}

// peakOf reads the line VmHWM, in KiB, of a process status.
func peakOf(t *testing.T, status []byte) float64 {
	t.Helper()
	_, rest, found := bytes.Cut(status, []byte("VmHWM:"))
	fields := strings.Fields(string(rest))
	if !found || len(fields) < 2 {
		t.Fatalf("no peak in %q", status)
	}
	kib, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib * 1024
}
