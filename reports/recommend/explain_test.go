package recommend

import (
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// rounding is what float64 loses over a handful of operations.
const rounding = 1e-12

// TestExplainPublished follows mini-nl24 from its dimensions (d 384, d_ff 1536, 8 heads of 64: i =
// 512, 24 layers each side) by hand.
func TestExplainPublished(t *testing.T) {
	anchor, err := shapes.Lookup("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	mini, err := shapes.Lookup("t5-efficient-mini-nl24")
	if err != nil {
		t.Fatal(err)
	}
	request := Request{Anchor: &anchor, Source: Listed, Candidates: []shapes.Shape{mini}}
	result, err := Recommend(request)
	if err != nil {
		t.Fatal(err)
	}
	row := &result.Rows[0]
	e, err := Explain(request, row)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, d := range append(e.Costs, e.Quality...) {
		got[d.Name] = d.Value.Value
	}
	const encoder, decoder = 24 * (4*384*512 + 2*384*1536), 24 * (8*384*512 + 2*384*1536)
	for name, want := range map[string]float64{
		"parameters": float64(row.Params.Total), "Ne": encoder, "Nd": decoder,
		"s": 2.0*encoder*decoder/(encoder+decoder) + 32128*384/4, "a": 384.0 / 24,
		// Nobody measured it: what is shown is the law's.
		"upstream loss shown":    got["loss by the law"],
		"downstream score shown": got["SuperGLUE by the law"],
		"loss by the law":        row.Quality.Upstream.Interval.Value,
		"SuperGLUE by the law":   row.Quality.Downstream.Interval.Value,
	} {
		if !approx.Relative(got[name], want, rounding) {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
	if _, timed := got["step time"]; timed {
		t.Error("a step time without hardware")
	}
	nearest := e.Rows[slices.IndexFunc(e.Rows, func(c evidence.Cited) bool { return c.Score != nil })]
	if len(e.Rows) != result.Evidence.Rows || nearest.Name == "" ||
		nearest.Shape != row.Nearest.Name || nearest.Distance != row.Nearest.Distance {
		t.Errorf("%d rows from %+v; want all %d of the summary from the nearest, %+v", len(e.Rows),
			e.Rows[0], result.Evidence.Rows, row.Nearest)
	}
	for _, c := range e.Rows {
		if len(c.Sources) == 0 {
			t.Errorf("%s has no source", c.Name)
		}
	}
}

// TestExplainMeasured: a measured row shows the measurement beside the law. NL24 has loss 1.667 in
// data/facts/tay2021_points.csv.
func TestExplainMeasured(t *testing.T) {
	anchor, err := shapes.Lookup("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	small, err := shapes.Lookup("t5-efficient-base-nl24")
	if err != nil {
		t.Fatal(err)
	}
	request := Request{Anchor: &anchor, Source: Listed, Candidates: []shapes.Shape{small}}
	result, err := Recommend(request)
	if err != nil {
		t.Fatal(err)
	}
	e, err := Explain(request, &result.Rows[0])
	if err != nil {
		t.Fatal(err)
	}
	const published = 1.667
	for _, d := range e.Quality {
		if d.Name == "upstream loss shown" && d.Value.Value != published {
			t.Errorf("shows %v, want %v", d.Value.Value, published)
		}
		if d.Name == "loss by the law" && d.Value.Value == published {
			t.Error("the law is the measurement")
		}
	}
	if e.Rows[0].Shape != "t5-efficient-base-nl24" || e.Rows[0].Distance != 1 {
		t.Errorf("the nearest row is %+v, want itself", e.Rows[0])
	}
}
