package sweep

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func shape(name string, d int) shapes.Shape {
	k := shapes.Stack{
		Layers: 1, DFF: 2 * d, Activation: shapes.ReLU, DKV: 4, Heads: 2, KVHeads: 2,
		Position: shapes.Relative, Positions: 8, FinalNorm: true,
	}
	return shapes.Shape{
		Name: name, Family: shapes.T5, DModel: d, Vocab: 29, Encoder: k, Decoder: k,
		Head: shapes.HeadTied,
	}
}

// Folder keeps records as files.
type Folder string

func (f Folder) Keep(r kernel.Record) error {
	var line bytes.Buffer
	if err := kernel.WriteRecord(&line, r); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(string(f), FileName(&r)), line.Bytes(), 0o600)
}

// study is a grid of two shapes and two token counts, with a clock that advances a second a look.
func study(folder Folder) *Study {
	source := func(e *Entry) (kernel.Source, error) { return kernel.RandomTokens{Vocab: e.Shape.Vocab, Seed: 1}, nil }
	clock := time.Unix(0, 0)
	return &Study{
		Grid: Grid{
			Shapes: []shapes.Shape{shape("wide", 16), shape("narrow", 8)}, Tokens: []int64{100, 41},
			Options: kernel.Options{
				Batch: 2, EncoderLength: 7, DecoderLength: 3, Threads: 1,
				Seed: 4,
			},
			Schedule: kernel.Schedule{Rate: 1e-3},
		},
		Training: source, HeldOut: source, FLOPs: func(e *Entry) float64 { return float64(e.Steps) }, Machine: "test",
		Now:  func() time.Time { clock = clock.Add(time.Second); return clock },
		Keep: folder.Keep,
	}
}

// 100 and 41 positions are 5 and 3 steps of 20. Runs come in the order of their work, which is
// parameters times steps.
var runs = []string{"narrow@3", "narrow@5", "wide@3", "wide@5"}

func names(records []kernel.Record) []string {
	var out []string
	for i := range records {
		e := Entry{Shape: shapes.Shape{Name: records[i].Shape}, Steps: records[i].Steps}
		out = append(out, e.name())
	}
	return out
}

func mustRead(t *testing.T, folder Folder) []kernel.Record {
	t.Helper()
	records, err := Read(os.DirFS(string(folder)))
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func TestStudyRunsItsGrid(t *testing.T) {
	folder := Folder(t.TempDir())
	out, err := study(folder).Run(context.Background())
	if err != nil || out.Ran != 4 || out.Skipped != 0 || len(out.Left) != 0 {
		t.Fatalf("outcome %+v, error %v", out, err)
	}
	records, err := Merge(mustRead(t, folder))
	if err != nil || !slices.Equal(names(records), runs) {
		t.Fatalf("records of %v, error %v", names(records), err)
	}
	r := records[1]
	// 5 steps of 2·(7+3) positions; the clock gives every step one second; a study's FLOPs are what
	// its caller says.
	if r.Tokens != 100 || r.StepSeconds != 1 || r.FLOPs != 5 || r.Machine != "test" ||
		r.Loss <= 0 || r.TrainLoss <= 0 {
		t.Errorf("record %+v", r)
	}
}

// A context that ends in the middle of the third run stands for a kill: what was kept before stays,
// and a second call does the rest, with the losses of an undisturbed study.
func TestKilledStudyLosesTheRunInFlight(t *testing.T) {
	whole, broken := Folder(t.TempDir()), Folder(t.TempDir())
	if _, err := study(whole).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := study(broken)
	s.Progress = func(e *Entry, step int, _ kernel.Result) {
		if e.name() == runs[2] && step == 2 {
			cancel()
		}
	}
	out, err := s.Run(ctx)
	if !errors.Is(err, context.Canceled) || out.Ran != 2 || !slices.Equal(out.Left, runs[2:]) {
		t.Fatalf("outcome %+v, error %v", out, err)
	}
	s = study(broken)
	s.Done = mustRead(t, broken)
	out, err = s.Run(context.Background())
	if err != nil || out.Ran != 2 || out.Skipped != 2 {
		t.Fatalf("outcome %+v, error %v", out, err)
	}
	// Records that disagreed in a loss would not merge.
	if merged, err := Merge(mustRead(t, whole), mustRead(t, broken)); err != nil || !slices.Equal(names(merged), runs) {
		t.Errorf("merged %v, error %v", names(merged), err)
	}
}

func TestBudgetLeavesWhatWouldNotFit(t *testing.T) {
	s := study(Folder(t.TempDir()))
	// the first run takes 8 looks at the clock, and the wide ones would take over 20 at its pace
	s.Budget = 30 * time.Second
	out, err := s.Run(context.Background())
	if err != nil || out.Ran == 0 || out.Ran == 4 || !slices.Equal(out.Left, runs[out.Ran:]) {
		t.Errorf("outcome %+v, error %v", out, err)
	}
}

// The tasks of a job array together make the study.
func TestEntriesOneByOne(t *testing.T) {
	folder := Folder(t.TempDir())
	s := study(folder)
	for place := range runs {
		if out, err := s.RunEntry(context.Background(), place); err != nil || out.Ran != 1 {
			t.Fatalf("entry %d: %+v, error %v", place, out, err)
		}
	}
	s.Done = mustRead(t, folder)
	if merged, err := Merge(s.Done); err != nil || !slices.Equal(names(merged), runs) {
		t.Errorf("merged %v, error %v", names(merged), err)
	}
	if out, err := s.RunEntry(context.Background(), 0); err != nil || out.Skipped != 1 {
		t.Errorf("a run that is done: %+v, error %v", out, err)
	}
	var bad *GridError
	if _, err := s.RunEntry(context.Background(), len(runs)); !errors.As(err, &bad) {
		t.Errorf("error %v, want a *GridError", err)
	}
}

func TestStudyReportsAFailedRun(t *testing.T) {
	s := study(Folder(t.TempDir()))
	broken := errors.New("no data")
	s.HeldOut = func(*Entry) (kernel.Source, error) { return nil, broken }
	if out, err := s.Run(context.Background()); !errors.Is(err, broken) || out.Ran != 0 || len(out.Left) != 4 {
		t.Errorf("outcome %+v, error %v", out, err)
	}
}

func TestGridsThatHoldNoStudy(t *testing.T) {
	for name, change := range map[string]func(g *Grid){
		"no shapes":    func(g *Grid) { g.Shapes = nil },
		"no tokens":    func(g *Grid) { g.Tokens = nil },
		"zero tokens":  func(g *Grid) { g.Tokens = []int64{0} },
		"twice":        func(g *Grid) { g.Tokens = []int64{41, 42} },
		"no positions": func(g *Grid) { g.Options.Batch = 0 },
	} {
		g := study("").Grid
		change(&g)
		var bad *GridError
		if _, err := g.Entries(); !errors.As(err, &bad) {
			t.Errorf("%s: error %v, want a *GridError", name, err)
		}
	}
	g := study("").Grid
	g.Shapes[0].Norm = shapes.LayerNorm
	var refused *kernel.UnsupportedError
	if _, err := g.Entries(); !errors.As(err, &refused) {
		t.Errorf("LayerNorm: error %v", err)
	}
}

func TestFolderKeepsWholeRecordsOnly(t *testing.T) {
	folder := Folder(t.TempDir())
	r := kernel.Record{Shape: "t5-tiny/nl=2", Steps: 3}
	for range 2 { // the same run again replaces its file
		if err := folder.Keep(r); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(string(folder), "*"))
	if err != nil || len(files) != 1 || filepath.Base(
		files[0]) != "t5-tiny_2fnl_3d2_403..b0.e0.d0.s0.jsonl" {
		t.Errorf("files %v, error %v", files, err)
	}
	_, err = Read(fstest.MapFS{"a.jsonl": {Data: []byte("{")}, "notes.txt": {Data: []byte("x")}})
	if err == nil || !strings.Contains(err.Error(), "a.jsonl:1") {
		t.Errorf("error %v, want one that names file and line", err)
	}
}

func TestMergeRefusesDisagreement(t *testing.T) {
	a := kernel.Record{
		Shape: "s", Steps: 3, Params: 5, Tokens: 60, FLOPs: 7, Loss: 2, TrainLoss: 3,
		Path: "avx2", Machine: "one",
	}
	same := a
	same.Machine, same.StepSeconds, same.Date = "two", 9, "later"
	other := a
	other.Path, other.Loss = "avx512", 2.001
	for name, b := range map[string]kernel.Record{"another machine": same, "another path": other} {
		merged, err := Merge([]kernel.Record{a}, []kernel.Record{b})
		if err != nil || len(merged) != 1 || merged[0] != a {
			t.Errorf("%s: %v, error %v", name, merged, err)
		}
	}
	for field, change := range map[string]func(r *kernel.Record){
		"loss":   func(r *kernel.Record) { r.Loss = 2.001 },
		"flops":  func(r *kernel.Record) { r.FLOPs = 8 },
		"tokens": func(r *kernel.Record) { r.Tokens++ },
	} {
		b := a
		change(&b)
		var bad *DisagreementError
		if _, err := Merge([]kernel.Record{a}, []kernel.Record{b}); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: error %v", field, err)
		}
	}
	b := a
	b.Seed = 1
	if merged, err := Merge([]kernel.Record{b, a}); err != nil || len(merged) != 2 || merged[0] != a {
		t.Errorf("two seeds: %v, error %v", merged, err)
	}
}

// Everything that changes the result of a run keeps a study from going on: the difference is named.
func TestStudiesDoNotMix(t *testing.T) {
	folder := Folder(t.TempDir())
	if _, err := study(folder).RunEntry(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	done := mustRead(t, folder)
	for field, change := range map[string]func(s *Study){
		"text":           func(s *Study) { s.Text = kernel.TextID([]byte("another")) },
		"batch":          func(s *Study) { s.Grid.Options.Batch++ },
		"encoder_length": func(s *Study) { s.Grid.Options.EncoderLength++ },
		"decoder_length": func(s *Study) { s.Grid.Options.DecoderLength++ },
		"optimizer":      func(s *Study) { s.Grid.Options.Optimizer = kernel.Adafactor },
		"rate":           func(s *Study) { s.Grid.Schedule.Rate *= 2 },
		"warmup":         func(s *Study) { s.Grid.Schedule.Warmup = 7 },
		"recompute":      func(s *Study) { s.Grid.Options.Recompute = kernel.RecomputeFull },
		"kernel":         func(s *Study) { s.Done[0].Kernel = 0 }, // as in old records
		"tokenizer":      func(s *Study) { s.Done[0].Tokenizer = "pieces" },
	} {
		s := study(folder)
		s.Done = slices.Clone(done)
		change(s)
		var mixed *kernel.MixedError
		if _, err := s.Run(context.Background()); !errors.As(err, &mixed) || mixed.Field != field {
			t.Errorf("%s: error %v", field, err)
		}
		if _, err := Merge(done, s.Done); (err != nil) != (s.Done[0] != done[0]) {
			t.Errorf("%s: merged with error %v", field, err)
		}
	}
	s := study(folder)
	s.Done, s.Grid.Options.Seed = done, 5
	if out, err := s.RunEntry(context.Background(), 0); err != nil || out.Ran != 1 {
		t.Errorf("another seed: %+v, error %v", out, err)
	}
}
