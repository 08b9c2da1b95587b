package compare

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// untimed asks without hardware, on the paper's workload.
func untimed() plan.Question { return plan.Question{Length: hardware.Length{Steps: 1000}} }

// timed asks about 16 TPU v3.
func timed(t testing.TB) plan.Question {
	t.Helper()
	p, err := hardware.Parse("tpu-v3")
	if err != nil {
		t.Fatal(err)
	}
	q := untimed()
	q.Profile, q.Devices = &p, 16
	return q
}

// anyShape draws an encoder-decoder, or one stack alone.
func anyShape(t *rapid.T, label string) shapes.Shape {
	s, err := shapes.Parse("t5-small")
	if err != nil {
		t.Fatal(err)
	}
	pick := func(name string, of ...int) int { return rapid.SampledFrom(of).Draw(t, label+name) }
	s.DModel = pick("d_model", 256, 512, 768)
	s.Vocab = pick("vocab", 32128, 50304)
	for _, k := range []*shapes.Stack{&s.Encoder, &s.Decoder} {
		k.Layers, k.DFF, k.Heads, k.DKV = pick("layers", 2, 6, 12), pick("d_ff", 1024, 2048),
			pick("heads", 4, 8), pick("d_kv", 32, 64)
		k.KVHeads = pick("kv_heads", 1, 2, k.Heads)
		k.Gated = rapid.Bool().Draw(t, label+"gated")
	}
	if rapid.IntRange(0, 4).Draw(t, label+"decoder only") == 0 {
		s.Encoder = shapes.Stack{}
	}
	return s
}

// sumTolerance is the rounding of at most 2⁸·8 additions in float64, relative to the largest
// measure.
const sumTolerance = 1e-12

// TestAttributionSums: the parts of every metric sum to its difference, for 1,000 pairs without
// hardware and 100 with.
func TestAttributionSums(t *testing.T) {
	check := func(q plan.Question, pairs int) {
		seen := 0
		rapid.Check(t, func(r *rapid.T) {
			if seen >= pairs {
				return
			}
			seen++
			base, change := anyShape(r, "base "), anyShape(r, "change ")
			c, err := Shapes(q, &base, &change)
			if err != nil {
				r.Fatal(err)
			}
			fields, differences := c.Fields, c.Differences
			if len(fields) == 0 && len(differences) > 0 {
				r.Fatalf("equal shapes differ: %v", differences)
			}
			for i := range differences {
				d := &differences[i]
				if !d.Known() {
					continue
				}
				sum := 0.0
				for _, p := range d.Attribution {
					sum += p.Delta
				}
				scale := max(d.Base.Interval.Value, d.Change.Interval.Value)
				if !approx.Close(sum, d.Delta, sumTolerance*scale) {
					r.Fatalf("%s: parts sum to %v, difference is %v", d.Metric, sum, d.Delta)
				}
			}
		})
	}
	// rapid draws 100 pairs a call.
	for range 10 {
		check(untimed(), 100)
	}
	check(timed(t), 100)
}

// TestAttributionByHand: effects that do not meet are told exactly; of a product each factor causes
// the mean of its effect first and last.
func TestAttributionByHand(t *testing.T) {
	base, err := shapes.Parse("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	change := base
	change.Vocab += 64
	change.Encoder.Layers++
	c, err := Shapes(untimed(), &base, &change)
	if err != nil {
		t.Fatal(err)
	}
	// Both effects on parameters are independent of each other: 64 rows of 768, and one layer of
	// 4·768·768 + 2·768·3072 + 2·768 (DESIGN section 3).
	want := map[string]float64{"vocab": 64 * 768, "encoder.layers": 4*768*768 + 2*768*3072 + 2*768}
	for _, p := range c.Differences[0].Attribution {
		if p.Delta != want[p.Field] {
			t.Errorf("%s: %v, want %v", p.Field, p.Delta, want[p.Field])
		}
	}
	// They meet in a product: d_model and vocab of the embedding table, first and last.
	change = base
	change.Vocab, change.DModel = 2*base.Vocab, 2*base.DModel
	if c, err = Shapes(untimed(), &base, &change); err != nil {
		t.Fatal(err)
	}
	v, d := float64(base.Vocab), float64(base.DModel)
	for _, p := range c.Differences[0].Attribution {
		if want := (v*d + v*2*d) / 2; p.Field == "vocab" && p.Delta != want {
			t.Errorf("vocab causes %v parameters, want %v", p.Delta, want)
		}
	}
}

// TestOrderDoesNotMatter: what a field causes from base to change is the opposite of what it causes
// back.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		base, change := anyShape(r, "base "), anyShape(r, "change ")
		to, err := Shapes(untimed(), &base, &change)
		if err != nil {
			r.Fatal(err)
		}
		fro, err := Shapes(untimed(), &change, &base)
		if err != nil {
			r.Fatal(err)
		}
		there, back := to.Differences, fro.Differences
		for i := range there {
			scale := max(there[i].Base.Interval.Value, there[i].Change.Interval.Value)
			for n, p := range there[i].Attribution {
				if q := back[i].Attribution[n]; p.Field != q.Field || !approx.Close(
					p.Delta+q.Delta, 0, sumTolerance*scale) {
					r.Fatalf("%s: %v there, %v back", there[i].Metric, p, q)
				}
			}
		}
	})
}

func TestIdenticalShapes(t *testing.T) {
	s, err := shapes.Parse("t5-3b")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Shapes(timed(t), &s, &s)
	if len(c.Fields) != 0 || len(c.Differences) != 0 || err != nil {
		t.Errorf("a shape differs from itself: %v %v %v", c.Fields, c.Differences, err)
	}
}

// TestIntervalsOfDifferences: a model with four layers more costs more, though the intervals of the two
// costs overlap; 2 % more d_ff need not; a model against itself has no error; exact numbers have none.
func TestIntervalsOfDifferences(t *testing.T) {
	base, _ := shapes.Parse("t5-base")
	for name, uncertain := range map[string]bool{"t5-base/el=16": false, "t5-base/ff=3136": true} {
		change, _ := shapes.Parse(name)
		c, err := Shapes(timed(t), &base, &change)
		if err != nil {
			t.Fatal(err)
		}
		for i := range c.Differences {
			d := &c.Differences[i]
			exact := d.Base.Interval.Low == d.Base.Interval.High
			switch {
			case exact != (d.Interval == nil) || exact != (d.Share == nil):
				t.Errorf("%s, %s: interval %v", name, d.Metric, d.Interval)
			case exact || d.Metric == plan.DecodeLatency: // of decoders that are the same
			case !(d.Interval.Low < d.Delta && d.Delta < d.Interval.High):
				t.Errorf("%s, %s: %g is not in %v", name, d.Metric, d.Delta, *d.Interval)
			case d.Uncertain() != uncertain:
				t.Errorf("%s, %s: %+v, uncertain: %t", name, d.Metric, *d.Share, d.Uncertain())
			}
		}
	}
}

// TestOverlap: intervals of estimates that share a value are told; exact numbers have none.
func TestOverlap(t *testing.T) {
	base, _ := shapes.Parse("t5-base")
	change, _ := shapes.Parse("t5-base/ff=3136")
	c, err := Shapes(timed(t), &base, &change)
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Differences {
		d := &c.Differences[i]
		if want := d.Base.Interval.Low != d.Base.Interval.High; d.Overlap != want {
			t.Errorf("%s: overlap %v, want %v", d.Metric, d.Overlap, want)
		}
	}
}

func TestDocuments(t *testing.T) {
	const text = `{"schema":"deepnarrow/plan/v1","conventions":{"flops":"matmul"},"results":[
		{"shape":{"name":"a"},"hardware":"x","params":{"total":10},"time":{"step_seconds":{"value":2,"low":1,"high":3}}},
		{"shape":{"name":"b"},"params":{"total":20}}]}`
	if !IsDocument([]byte(text)) || IsDocument([]byte(`{"model_type":"t5"}`)) {
		t.Error("documents are not told from configurations")
	}
	results, err := ReadDocument([]byte(text))
	if err != nil || len(results) != 2 || results[0].Name != "a on x" ||
		results[0].Measures[plan.StepTime].Interval.High != 3 {
		t.Fatalf("read %v, %v", results, err)
	}
	pairs := documents(results, results[1:])
	if len(pairs) != 2 || pairs[0].Only != "base" || len(pairs[1].Differences) != 0 {
		t.Errorf("pairs %+v", pairs)
	}
	for _, bad := range []string{`{`, `{"schema":"deepnarrow/count/v1","conventions":{"flops":"6nd"},"results":[]}`, `{"schema":"deepnarrow/list/v1","results":[{}]}`, `{"schema":"deepnarrow/list/v1","results":[1]}`} {
		if _, err := ReadDocument([]byte(bad)); err == nil {
			t.Errorf("%s was read", bad)
		}
	}
}

// TestSides: two shapes are compared field by field, a shape beside a document as the question
// plans it.
func TestSides(t *testing.T) {
	shape := func(name string) *Side {
		s, err := shapes.Parse(name)
		if err != nil {
			t.Fatal(err)
		}
		return &Side{Name: name, Shape: s}
	}
	small, base := shape("t5-small"), shape("t5-base")
	pairs, err := Sides(untimed(), small, base)
	if err != nil || len(pairs) != 1 || pairs[0].Name != "t5-small → t5-base" ||
		len(pairs[0].Fields) == 0 {
		t.Fatalf("%+v, %v", pairs, err)
	}
	answer, err := untimed().Of(&small.Shape).Answer()
	if err != nil {
		t.Fatal(err)
	}
	document := &Side{Results: []Named{{Name: "t5-small", Measures: answer.Measures()}}}
	pairs, err = Sides(untimed(), document, small)
	if err != nil || len(pairs) != 1 || len(pairs[0].Differences) != 0 || pairs[0].Change == nil {
		t.Errorf("the same beside its document: %+v, %v", pairs, err)
	}
}

// TestFieldsAreNamed: every field that is compared has its name in results.
func TestFieldsAreNamed(t *testing.T) {
	names := map[string]string{}
	for _, g := range append(shapeGroups, stackGroups...) {
		for _, field := range g {
			name := written(field)
			if other := names[name]; name == "" || other != "" {
				t.Errorf("%s is written %q, as is %q", field, name, other)
			}
			names[name] = field
		}
	}
	if names["kv_heads"] != "KVHeads" || names["shared_d_ff"] != "SharedDFF" ||
		names["vocab"] != "Vocab" {
		t.Errorf("the names are %v", names)
	}
}
