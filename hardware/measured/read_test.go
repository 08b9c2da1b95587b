package measured

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// published returns the published row of an id.
func published(t *testing.T, id string) data.StepTime {
	t.Helper()
	for _, row := range data.StepTimes() {
		if row.ID == id {
			return row
		}
	}
	t.Fatalf("no row %s", id)
	return data.StepTime{}
}

func readRun(t *testing.T, row data.StepTime) Run {
	t.Helper()
	r, err := Read(row)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// rounding is that of the steps in the source table, which have four decimals.
const rounding = 5e-4

// NeMo's tokens/s of T5 counts encoder tokens: 1,920 sequences of 512 at 1,626,353 tokens/s are
// 0.6044 s, and with the 128 decoder tokens counted they would be 0.7555 s. The row's own step time
// says the first.
func TestNeMoCountsEncoderTokensOnly(t *testing.T) {
	row := published(t, "st0222")
	if !row.ThroughputCountsEncoderOnly {
		t.Fatal("the unit does not tell that only encoder tokens are counted")
	}
	stated := *row.StepSeconds
	row.StepSeconds = nil
	if got := readRun(t, row).Seconds; !approx.Close(got, stated, rounding) {
		t.Errorf("%.4f s from tokens/s, %.4f s stated", got, stated)
	}
	row.ThroughputCountsEncoderOnly = false // a row that counts both stacks
	if got, want := readRun(t, row).Seconds, stated*640/512; !approx.Close(got, want, rounding) {
		t.Errorf("%.4f s with both stacks counted, want %.4f", got, want)
	}
}

// MaxText prints model FLOPs a chip: 156 TFLOP/s on 64 chips. The step time is the model's FLOPs
// over that.
func TestRowsWithoutStepTimeAreScoredOnTheirOwnMetric(t *testing.T) {
	r := readRun(t, published(t, "st0306"))
	want := flops.CountUnder(flops.MatmulConvention, &r.Run.Shape, r.Run.Workload,
		r.Run.Execution.Recompute).Step / (156e12 * 64)
	if r.Seconds != want {
		t.Errorf("%g s, want %g", r.Seconds, want)
	}
	// NeMo's GPT-3 table states tokens/s and, in the notes, the batch of the configuration: 2,048 ×
	// 2,048 tokens at 7,500/s.
	if got, want := readRun(t, published(t, "st0243")).Seconds, 2048*2048/7500.0; got != want {
		t.Errorf("st0243: %g s, want %g", got, want)
	}
}

func TestRowsThatCannotBeScoredSayWhy(t *testing.T) {
	for id, reason := range map[string]string{
		"st0289": "length",   // batches built by token count: no sequence length
		"st0388": "no shape", // DeepSeek-V3, shape not carried
	} {
		_, err := Read(published(t, id))
		var why *UnscoredError
		if !errors.As(err, &why) || why.ID != id {
			t.Errorf("%s: %v, want a reason that names %q", id, err, reason)
			continue
		}
		if !strings.Contains(why.Reason, reason) {
			t.Errorf("%s: %q, want a reason that names %q", id, why.Reason, reason)
		}
	}
}

// Any row is read or refused with a reason, those of unknown devices included.
func TestEveryRowIsReadOrRefused(t *testing.T) {
	rows := data.StepTimes()
	unknown := rows[0]
	unknown.Hardware = "abacus"
	empty := data.StepTime{ID: "empty", Arch: "enc-dec", Hardware: "A100"}
	for _, row := range append(rows, unknown, empty) {
		r, err := Read(row)
		var why *UnscoredError
		switch {
		case err == nil && !(r.Seconds > 0):
			t.Errorf("%s: %g s", row.ID, r.Seconds)
		case err != nil && (!errors.As(err, &why) || why.Reason == ""):
			t.Errorf("%s: %v", row.ID, err)
		}
	}
	if _, err := Read(unknown); err == nil || !strings.Contains(err.Error(), "abacus") {
		t.Errorf("an unknown device: %v", err)
	}
}

// A row that does not say what it recomputed recomputes what it must: 175 billion parameters on 64
// A100 of 80 GB do not fit otherwise.
func TestUnstatedRecomputationIsTheLeastThatFits(t *testing.T) {
	if got := readRun(t, published(t, "st0243")).Run.Execution.Recompute; got == flops.RecomputeNone {
		t.Errorf("GPT-3 175B on 64 A100: recompute %s", got)
	}
	if got := readRun(t, published(t, "st0262")).Run.Execution.Recompute; got != flops.RecomputeNone {
		t.Errorf("T5-small on 8 A100: recompute %s", got)
	}
}

// The vocabularies that the T5 rows leave blank are those of the public configurations.
func TestBlankT5Vocabularies(t *testing.T) {
	for id, want := range map[string]int{"st0217": 32_128, "st0223": 250_112} {
		if got := readRun(t, published(t, id)).Run.Shape.Vocab; got != want {
			t.Errorf("%s: vocabulary %d, want %d", id, got, want)
		}
	}
}

// Whether the graph was compiled stands in the notes: torchtitan's first two rows differ in nothing
// else.
func TestCompiledFromTheNotes(t *testing.T) {
	for id, want := range map[string]bool{"st0392": false, "st0393": true, "st0258": false} {
		got := readRun(t, published(t, id)).Run.Software.Compiled
		if got == nil || *got != want {
			t.Errorf("%s: compiled %v, want %v", id, got, want)
		}
	}
}

// "none (yaml: granularity full, num_layers 0)" names a mode and no layer to apply it to.
func TestRecomputationOfNoLayersIsNone(t *testing.T) {
	for id, want := range map[string]flops.Recompute{
		"st0217": flops.RecomputeNone,
		"st0004": flops.RecomputeFull, "st0392": flops.RecomputeSelective,
	} {
		if got := readRun(t, published(t, id)).Run.Execution.Recompute; got != want {
			t.Errorf("%s: recompute %s, want %s", id, got, want)
		}
	}
}

// Trainium rows count NeuronCores, two a chip: tp 32 on 512 chips is 16 chips wide.
func TestNeuronCoresAreNotChips(t *testing.T) {
	r := readRun(t, published(t, "st0457"))
	if l := r.Run.Layout; l.TP != 16 || l.DP != 32 || r.Run.Devices() != 512 {
		t.Errorf("tp %d, dp %d on %d chips; want 16, 32, 512", l.TP, l.DP, r.Run.Devices())
	}
}

// "per device" batches of a sharded program are sequences over all devices, tensor-parallel ones
// included: 64 chips with 3 each are one pass over 192, not four passes of 16 copies. A pipeline's
// micro-batch of 1 on as many devices as sequences is not one: 529.6B took 280 passes.
func TestMicroBatchesPerDevice(t *testing.T) {
	if l := readRun(t, published(t, "st0338")).Run.Layout; l.TP != 4 || l.Accumulate != 1 || l.MicroBatch != 12 {
		t.Errorf("st0338: %+v; want one pass of 12 for each of 16 copies", l)
	}
	if l := readRun(t, published(t, "st0299")).Run.Layout; l.Accumulate != 280 || l.MicroBatch != 1 {
		t.Errorf("st0299: %+v; want 280 micro-batches of 1", l)
	}
}

// Context parallelism takes devices from the data-parallel axis: 8 devices, CP 4.
func TestContextParallelRows(t *testing.T) {
	r := readRun(t, published(t, "st0400"))
	if r.Run.Software.ContextParallel != 4 || r.Run.Layout.DP != 2 || r.Run.Devices() != 8 {
		t.Errorf("cp %d, dp %d, %d devices; want 4, 2, 8", r.Run.Software.ContextParallel,
			r.Run.Layout.DP, r.Run.Devices())
	}
}

// Several TPU slices are joined by the data-centre network only: 16x v5e-256.
func TestSlicesOfATorus(t *testing.T) {
	r := readRun(t, published(t, "st0328"))
	if r.Run.Software.Domain != 256 || r.Run.Devices() != 4096 {
		t.Errorf("slices of %d in %d chips; want 256 in 4,096", r.Run.Software.Domain,
			r.Run.Devices())
	}
}

// A 500 W H100 with 2.4 TB/s is not a data-sheet H100.
func TestOddDevicesKeepTheirLimits(t *testing.T) {
	r := readRun(t, published(t, "st0392"))
	h100, err := hardware.Find("h100")
	if err != nil {
		t.Fatal(err)
	}
	p := r.Run.Profile
	if p.BandwidthBytesPerSecond.Value != 2.4e12 ||
		p.Measured[hardware.BF16].Value >= h100.Measured[hardware.BF16].Value || p.Name == h100.Name {
		t.Errorf("%s: bandwidth %g, ceiling %g; the catalogue has %g", p.Name,
			p.BandwidthBytesPerSecond.Value, p.Measured[hardware.BF16].Value, h100.Measured[hardware.BF16].Value)
	}
}

// fp8 rows run their layer products in fp8 and the rest in bf16; tf32 rows are float32 with tf32
// products.
func TestFormatsOfProducts(t *testing.T) {
	for id, want := range map[string]struct {
		precision flops.Precision
		matmul    hardware.Precision
	}{
		"st0427": {flops.BF16Mixed, hardware.FP8}, "st0258": {flops.FP32, hardware.TF32}, "st0257": {flops.FP32, ""},
		"st0481": {flops.FP16Mixed, ""},
	} {
		r := readRun(t, published(t, id)).Run
		if r.Execution.Precision != want.precision || r.Software.Matmul != want.matmul {
			t.Errorf("%s: %s with %q products, want %s with %q", id, r.Execution.Precision,
				r.Software.Matmul, want.precision, want.matmul)
		}
	}
}

// A table without the column of stacks is read by the words of its sources, whatever their case, to
// the same kind of trainer, and what was guessed is told.
func TestStacksByWords(t *testing.T) {
	for _, row := range data.StepTimes() {
		stated, err := Read(row)
		if err != nil {
			continue
		}
		row.Stack, row.Source = "", strings.ToUpper(row.Source)
		guessed, err := Read(row)
		if err != nil {
			t.Errorf("%s: %v", row.ID, err)
			continue
		}
		a, b := stated.Run.Software.Stack, guessed.Run.Software.Stack
		if b != "" && hardware.StackKind(a) != hardware.StackKind(b) {
			t.Errorf("%s: stack %q is read from the words, %q stands in the column; source %q, %q", row.ID, b, a,
				row.Source, row.Parallelism)
		}
		if b != "" && !slices.ContainsFunc(guessed.Assumed, func(s string) bool { return strings.HasPrefix(s, "stack ") }) {
			t.Errorf("%s: %v does not tell the stack", row.ID, guessed.Assumed)
		}
	}
}
