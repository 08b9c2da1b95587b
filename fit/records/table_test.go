package records

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func numbers(t *testing.T, table *Table, name string) []float64 {
	t.Helper()
	n, err := table.Numbers(name)
	if err != nil {
		t.Fatal(err)
	}
	return n.Values
}

func TestUnitsAndNames(t *testing.T) {
	table := mustRead(t, "r.csv",
		"Params [M],tokens (B),Seen Examples,loss (val),step_time [ms],flops [EFLOP]\n60,2,5,3.5,250,1.5\n")
	for name, want := range map[string]float64{
		"params": 60e6, "Params [M]": 60e6, "tokens": 2e9, "seen_examples": 5, "Seen Examples": 5,
		"loss (val)": 3.5, "step_time": 0.25, "flops": 1.5e18,
	} {
		if got := numbers(t, table, name); got[0] != want {
			t.Errorf("%s = %v, want %v", name, got[0], want)
		}
	}
	if err := table.Map("loss", "loss (val)"); err != nil || numbers(t, table, "loss")[0] != 3.5 {
		t.Errorf("mapped loss: %v", err)
	}
	var missing *ColumnError
	if err := table.Map("score", "sees examples"); !errors.As(err, &missing) || missing.Suggestion != "Seen Examples" {
		t.Errorf("got %v, want a suggestion", err)
	}
}

// A unit in the heading of a mapped column is that of the name it is mapped to; a bracket that is
// no unit of it stays part of the heading.
func TestUnitsOfMappedColumns(t *testing.T) {
	table := mustRead(t, "r.csv", "Model Size [M],Data [B],wall [h],size (no emb)\n10,2,1,5\n")
	if got := numbers(t, table, "Data [B]"); got[0] != 2 {
		t.Errorf("unmapped: %v, want the bare number", got[0])
	}
	for _, c := range []struct {
		ours, theirs string
		want         float64
	}{
		{"params", "Model Size [M]", 10e6},
		{"tokens", "Data [B]", 2e9},
		{"seconds", "wall [h]", 3600},
		{"encoder_params", "size (no emb)", 5},
	} {
		if err := table.Map(c.ours, c.theirs); err != nil {
			t.Fatal(err)
		}
		if got := numbers(t, table, c.ours); got[0] != c.want {
			t.Errorf("%s from %s = %v, want %v", c.ours, c.theirs, got[0], c.want)
		}
	}
	if err := table.Map("flops", "wall [h]"); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Numbers("flops"); err == nil {
		t.Error("hours were read as FLOP")
	}
}

func TestMappedColumnTakesTheKind(t *testing.T) {
	table := mustRead(t, "r.csv", "size\n60M\n-1\nNaN\n\n")
	if n, err := table.Numbers("size"); err != nil || n.faults != 2 {
		t.Errorf("as plain numbers: %v, %v", n, err)
	}
	table = mustRead(t, "r.csv", "size,x\n60M,1\n-1,1\nNaN,1\n,1\n")
	if err := table.Map("params", "size"); err != nil {
		t.Fatal(err)
	}
	n, err := table.Numbers("params")
	if err != nil || n.Values[0] != 60e6 {
		t.Fatalf("got %v, %v", n, err)
	}
	for row, want := range []string{"", "negative", "not a finite number", absent} {
		if row > 0 && (!math.IsNaN(n.Values[row]) || !strings.Contains(n.Fault(row), want)) {
			t.Errorf("row %d: %v, %q; want %q", row, n.Values[row], n.Fault(row), want)
		}
	}
}

func TestWhere(t *testing.T) {
	table := mustRead(t, "r.csv",
		"flops,loss,lang,Seen Examples\n1e20,3,de,10\n1e21,2,de,20\n5e20,5,ru,30\n,1,de,\n")
	for _, c := range []struct {
		where string
		want  []int
	}{
		{"flops<1e21,loss<4", []int{0}},
		{"flops<=1 ZFLOP", []int{0, 1, 2}},
		{"lang=de", []int{0, 1, 3}},
		{"lang != de", []int{2}},
		{"Seen Examples>=20", []int{1, 2}},
		{"loss=2.0", []int{1}},
		{"loss==2", []int{1}},
		{"", []int{0, 1, 2, 3}},
	} {
		w, err := ParseWhere(c.where)
		if err != nil {
			t.Fatal(err)
		}
		s := table.All()
		if err := s.Where(table, w); err != nil || !slices.Equal(s.Rows, c.want) {
			t.Errorf("%s: rows %v, %v; want %v", c.where, s.Rows, err, c.want)
		}
		if len(s.Rows)+len(s.Drops) != table.Len() {
			t.Errorf("%s: %d rows and %d drops of %d", c.where, len(s.Rows), len(s.Drops),
				table.Len())
		}
	}
	for _, bad := range []string{"flops", "<3", "lang<de"} {
		w, err := ParseWhere(bad)
		if err == nil {
			s := table.All()
			err = s.Where(table, w)
		}
		if err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestDropHighestAndLast(t *testing.T) {
	table := mustRead(t, "r.csv", "run,step,loss\na,1,3\na,2,5\nb,1,5\nb,0,\n")
	s := table.All()
	if err := s.DropHighest(table, "loss", 1); err != nil || !slices.Equal(s.Rows, []int{0, 1, 3}) {
		t.Errorf("rows %v, %v; want the later of two equals dropped", s.Rows, err)
	}
	s = table.All()
	if err := s.LastOfRun(table, "run"); err != nil || !slices.Equal(s.Rows, []int{1, 2}) {
		t.Errorf("rows %v, %v", s.Rows, err)
	}
}

func TestDerived(t *testing.T) {
	table := mustRead(t, "r.csv",
		"shape,tokens,loss\nt5-efficient-small-nl16,1B,3\nt5-base,2B,2\nnonsense,1B,1\n")
	small, err := shapes.Parse("t5-efficient-small-nl16")
	if err != nil {
		t.Fatal(err)
	}
	count := flops.CountParameters(&small)
	if got := numbers(t, table, "params"); got[0] != float64(count.Total) || !math.IsNaN(got[2]) {
		t.Errorf("params %v, want %d first and none last", got, count.Total)
	}
	if got := numbers(t, table, "non_embedding_params"); got[0] != float64(count.NonEmbedding) {
		t.Errorf("non-embedding %v, want %d", got[0], count.NonEmbedding)
	}
	if got := numbers(t, table, "d_model"); got[1] != 768 {
		t.Errorf("d_model of t5-base %v, want 768", got[1])
	}
	w := flops.DefaultWorkload(&small)
	perToken := flops.CountUnder(flops.MatmulConvention, &small, w,
		flops.RecomputeNone).Step / float64(w.TrainingTokens(&small))
	if got := numbers(t, table, "flops"); got[0] != 1e9*perToken {
		t.Errorf("flops %v, want %v", got[0], 1e9*perToken)
	}
	n, _ := table.Numbers("params")
	if !strings.Contains(n.Fault(2), "nonsense") {
		t.Errorf("fault %q does not name the shape", n.Fault(2))
	}
	if d := table.Derived(); len(d) != 4 || d[3].Column != "params" || !strings.Contains(d[3].How, "column shape") {
		t.Errorf("derived %v", d)
	}
}

func TestDerivedFromDimensions(t *testing.T) {
	// t5-base in columns, without its vocabulary and with it.
	const dims = "encoder_layers,decoder_layers,d_model,d_ff,heads"
	table := mustRead(t, "r.csv", dims+"\n12,12,768,3072,12\n")
	base, err := shapes.Parse("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	count := flops.CountParameters(&base)
	if got := numbers(t, table, "non_embedding_params"); got[0] != float64(count.NonEmbedding) {
		t.Errorf("non-embedding %v, want %d", got[0], count.NonEmbedding)
	}
	if n, _ := table.Numbers("params"); !strings.Contains(n.Fault(0), "vocab") {
		t.Errorf("fault %q, want the missing vocabulary", n.Fault(0))
	}
	table = mustRead(t, "r.csv", dims+",vocab\n12,12,768,3072,12,32128\n")
	if got := numbers(t, table, "params"); got[0] != float64(count.Total) {
		t.Errorf("params %v, want %d", got[0], count.Total)
	}
	table = mustRead(t, "r.csv", "params,tokens\n2,3\n")
	if got := numbers(t, table, "flops"); got[0] != 36 {
		t.Errorf("flops %v, want 6·2·3", got[0])
	}
	if table.Has("d_ff") || !table.Has("flops") {
		t.Error("Has is wrong about d_ff or flops")
	}
}

func FuzzRead(f *testing.F) {
	f.Add("r.csv", []byte("params,loss\n60M,3.1\n"))
	f.Add("r.tsv", []byte("a\tb\n\"x\ty\t1\n"))
	f.Add("r.json", []byte(`{"log_history":[{"step":1,"loss":2}]}`))
	f.Add("r.jsonl", []byte("{\"a\":{\"b\":1}}\n{}\n"))
	f.Add("tfevents", eventBytes(scalarEvent(1, "loss", 2, false), scalarEvent(2, "x", 2, true)))
	f.Add("r.csv", []byte(utf16Text("Step,a - b,a - b__MIN\n1,2,3\n", true)))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		table, err := readFile(name, strings.NewReader(string(data)))
		if err != nil {
			return
		}
		for _, c := range table.columns {
			if c.cells.len() > table.Len() {
				t.Fatalf("column %q has %d cells of %d rows", c.heading, c.cells.len(), table.Len())
			}
		}
		for _, name := range table.Names() {
			if n, err := table.Numbers(name); err == nil && len(n.Values) != table.Len() {
				t.Fatalf("column %q has %d numbers of %d rows", name, len(n.Values), table.Len())
			}
		}
		_ = table.Has("flops")
	})
}
