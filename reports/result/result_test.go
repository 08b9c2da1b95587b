package result

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
)

// Each number of a split stands in the field of its meaning, counts whole; the values are made up
// and all different.
func TestAllocationFields(t *testing.T) {
	a := AllocationOf(&learn.Allocated{
		Law: "chinchilla", Source: "somewhere", Level: 0.9,
		Allocation: &fit.Allocation{
			FLOPs: 1, Params: 2.4, Tokens: 3.4, Loss: 4.4,
			ParamsInterval: &fit.Interval{Low: 2, High: 5},
			TokensInterval: &fit.Interval{Low: 3, High: 6},
			LossInterval:   &fit.Interval{Low: 4, High: 7}, OffEdge: 8,
		},
		Nearest: []learn.NearShape{{Shape: "s", Params: 9, Tokens: 10, Loss: 11}},
	})
	got, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"flops":1,"law":"chinchilla","source":"somewhere",` +
		`"params":{"value":2,"low":2,"high":5},"tokens":{"value":3,"low":3,"high":6},` +
		`"loss":{"value":4.4,"low":4,"high":7},"level":0.9,"draws_without_optimum":8,` +
		`"nearest_shapes":[{"shape":"s","params":9,"tokens":10,"loss":11}],"warnings":[]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Rows add up, and reasons come in order of appearance.
func TestRowsOf(t *testing.T) {
	rows := RowsOf(5, []learn.Drop{
		{Row: "f:1", Reason: "b"},
		{Row: "f:2", Reason: "a"},
		{Row: "f:4", Reason: "b"},
	})
	got, err := json.Marshal(rows)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"used":5,"dropped":3,"drops":[{"reason":"b","count":2,"rows":["f:1","f:4"]},{"reason":"a","count":1,"rows":["f:2"]}]}`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What cannot be known is absent, never 0 or NaN.
func TestAbsentEstimates(t *testing.T) {
	for _, c := range []struct {
		e    fit.Estimate
		want string
	}{
		{fit.Estimate{}, "null"},
		{fit.Estimate{Value: math.NaN()}, "null"},
		{fit.Estimate{Value: 2, Low: 1, High: 3}, `{"value":2}`},
		{
			fit.Estimate{Value: 2, Low: 1, High: 3, HasInterval: true},
			`{"value":2,"low":1,"high":3}`,
		},
		{
			fit.Estimate{Value: 2, Low: math.Inf(-1), High: 3, HasInterval: true},
			`{"value":2,"high":3}`,
		},
	} {
		if got, err := json.Marshal(optional(c.e)); err != nil || string(got) != c.want {
			t.Errorf("%+v is written %s, want %s", c.e, got, c.want)
		}
	}
}

// A document is read back under the command that wrote it.
func TestDocumentIsReadBack(t *testing.T) {
	d := NewDocument("fit", "v1.2.3")
	d.Inputs["law"], d.Results = "power", append(d.Results, Drop{Reason: "r", Rows: []string{}})
	var text bytes.Buffer
	if err := d.Write(&text); err != nil {
		t.Fatal(err)
	}
	var s Saved
	if err := json.Unmarshal(text.Bytes(), &s); err != nil {
		t.Fatal(err)
	}
	if s.Command() != "fit" || s.Tool.Version != "v1.2.3" || s.Inputs["law"] != "power" ||
		len(s.Results) != 1 {
		t.Errorf("read back %+v", s)
	}
	for _, schema := range []string{"", "fit", "other/fit/v1", "deepnarrow/fit"} {
		if c := (&Saved{Schema: schema}).Command(); c != "" {
			t.Errorf("schema %q is of command %q", schema, c)
		}
	}
}
