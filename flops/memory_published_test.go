package flops

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Bounds set by the project's acceptance list for published memory figures.
const (
	staticTolerance     = 0.05 // measured static bytes, the workspace constant included
	peakTolerance       = 0.12 // measured peak bytes
	activationTolerance = 0.02 // analytic activation bytes and percentages
	// 18 bytes × parameters: the same integer arithmetic, so float rounding only
	tensorTolerance = 1e-9
	gib             = 1 << 30
)

// megatronT5 is the T5 of Megatron-LM: LayerNorm, biases, GELU, tied head with a bias, learned
// positions. One position table of 512 rows serves both stacks, so the decoder is given none of its
// own.
func megatronT5(layers, d, f, kv, heads int) shapes.Shape {
	stack := shapes.Stack{
		Layers: layers, DFF: f, DKV: kv, Heads: heads, KVHeads: heads, Activation: shapes.GELU,
		Position: shapes.Learned, Positions: 512, FinalNorm: true,
	}
	s := shapes.Shape{
		Name: "megatron-t5", Family: shapes.T5, DModel: d, Vocab: 29184, Encoder: stack,
		Decoder:  stack,
		HeadBias: true, Norm: shapes.LayerNorm, Bias: shapes.BiasAll,
	}
	s.Decoder.Position, s.Decoder.Positions = shapes.NoPosition, 0
	return s
}

// publishedShapes are the shapes of testdata/memory.csv, dimensions as its sources give them.
func publishedShapes() map[string]shapes.Shape {
	gpt3 := gpt(96, 12288, 49152, 128, 96, 51200)
	gpt3.Decoder.Positions = 2048
	turing := gpt(105, 20480, 81920, 160, 128, 51200)
	turing.Decoder.Positions = 2048
	return map[string]shapes.Shape{
		"megatron-t5-220m": megatronT5(12, 768, 3072, 64, 12),
		"megatron-t5-11b":  megatronT5(24, 4096, 10240, 64, 64),
		"gpt3-175b":        gpt3,
		"turing-530b":      turing,
	}
}

// Every row of testdata/memory.csv: allocator bytes that Megatron-LM's functional tests record for
// T5, and figures 1 and 7 of Korthikanti et al. The latter count the layers only, in float16 with
// dropout.
func TestPublishedMemory(t *testing.T) {
	file, err := os.Open("testdata/memory.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for n, name := range records[0] {
		column[name] = n
	}
	worst := map[string]float64{}
	for n, record := range records[1:] {
		row := publishedRow{t: t, line: n + 2, column: column, cells: record}
		quantity := row.text("quantity")
		worst[quantity] = max(worst[quantity], row.check())
	}
	for quantity, miss := range worst {
		t.Logf("%s: largest miss %.2f %%", quantity, 100*miss)
	}
}

type publishedRow struct {
	t      *testing.T
	line   int
	column map[string]int
	cells  []string
}

func (r publishedRow) text(name string) string { return r.cells[r.column[name]] }

func (r publishedRow) number(name string) float64 {
	v, err := strconv.ParseFloat(r.text(name), 64)
	if err != nil {
		r.t.Fatalf("line %d: %s: %v", r.line, name, err)
	}
	return v
}

// check compares a row and returns the relative miss.
func (r publishedRow) check() float64 {
	s, ok := publishedShapes()[r.text("shape")]
	if !ok {
		r.t.Fatalf("line %d: unknown shape %q", r.line, r.text("shape"))
	}
	l := Layout{
		DP: 1, TP: int(r.number("tp")), PP: int(r.number("pp")),
		Interleave: int(r.number("interleave")),
		MicroBatch: int(r.number("micro_batch")), Accumulate: int(r.number("accumulate")),
		SequenceParallel: r.text("sequence_parallel") == "true",
	}
	w := Workload{Batch: l.MicroBatch * l.Accumulate, EncoderLength: 512, DecoderLength: 128}
	x := Execution{Dropout: true, WorkspaceBytes: TorchWorkspaceBytes}
	if s.Encoder.Layers == 0 {
		x.Precision, w.DecoderLength = FP16Mixed, 2048
	}
	if err := x.Recompute.UnmarshalText([]byte(r.text("recompute"))); err != nil {
		r.t.Fatal(err)
	}
	if err := x.Attention.UnmarshalText([]byte(r.text("attention"))); err != nil {
		r.t.Fatal(err)
	}
	m := mustTrain(r.t, &s, w, x, l)

	got, tolerance := 0.0, 0.0
	switch r.text("quantity") {
	case "static":
		r.near("18 bytes a parameter", m.StaticBytes-x.WorkspaceBytes, r.number("tensor_bytes"),
			tensorTolerance)
		got, tolerance = m.StaticBytes, staticTolerance
	case "peak":
		got, tolerance = m.PeakBytes, peakTolerance
	case "layer_static":
		got, tolerance = m.Layers.Bytes()/gib, staticTolerance
	case "activations":
		got, tolerance = m.Peak[ActivationBytes]/gib, activationTolerance
	case "activations_percent":
		baseline, plain := x, l
		baseline.Recompute, plain.SequenceParallel = RecomputeNone, false
		reference := mustTrain(r.t, &s, w, baseline, plain)
		got, tolerance = 100*m.Peak[ActivationBytes]/reference.Peak[ActivationBytes],
			activationTolerance
	default:
		r.t.Fatalf("line %d: unknown quantity %q", r.line, r.text("quantity"))
	}
	r.near(r.text("shape")+" "+r.text("quantity"), got, r.number("value"), tolerance)
	return math.Abs(got/r.number("value") - 1)
}

func (r publishedRow) near(what string, got, want, tolerance float64) {
	r.t.Helper()
	if !approx.Relative(got, want, tolerance) {
		r.t.Errorf("line %d: %s: %.6g, published %.6g (%+.2f %%)", r.line, what, got, want,
			100*(got/want-1))
	}
}

func mustTrain(t testing.TB, s *shapes.Shape, w Workload, x Execution, l Layout) Memory {
	t.Helper()
	m, err := TrainingMemory(s, w, x, l)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
