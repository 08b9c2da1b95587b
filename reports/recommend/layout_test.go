package recommend

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Savings are compared at one layout: a row leaves the template's only for one that is more than a
// twentieth faster, or because the template's does not fit. Each way is planned here by itself.
func TestRowsLeaveTheUsualLayoutForATwentieth(t *testing.T) {
	p, err := hardware.Find("a100")
	if err != nil {
		t.Fatal(err)
	}
	template, err := shapes.Lookup("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	r := Request{Question: plan.Question{Profile: &p, Devices: 64, Search: true}}
	c, err := newCoster(&r, &template)
	if err != nil {
		t.Fatal(err)
	}
	between := 0
	for _, name := range []string{
		"t5-small", "t5-large", "t5-3b", "t5-efficient-xl", "t5-efficient-large-nl36",
		"t5-efficient-base-nl48", "t5-efficient-small-dm2000", "t5-efficient-xl-nl12",
	} {
		s, err := shapes.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.full(&s)
		if err != nil {
			t.Fatal(err)
		}
		usual, err := c.usual.With(&s)
		if err != nil {
			continue // the template's layout is not possible
		}
		own, err := r.Question.Of(&s).Resolve()
		if err != nil {
			t.Fatal(err)
		}
		a, err := c.answer(usual)
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.answer(own)
		if err != nil {
			t.Fatal(err)
		}
		ratio := a.StepTime.Interval.Value / b.StepTime.Interval.Value
		want := b
		if *a.Fits && ratio <= 1.05 {
			want = a
		}
		t.Logf("%s: %.3f, fits %t", name, ratio, *a.Fits)
		if *a.Fits && ratio > 1.05 && ratio < 1.9 {
			between++
		}
		if got.Run.Layout != want.Run.Layout {
			t.Errorf("%s: %+v, by hand %+v (%.3f times as long at the usual layout)", name,
				got.Run.Layout, want.Run.Layout, ratio)
		}
	}
	if between == 0 {
		t.Error("no row is clearly faster with its own layout: the case shows nothing")
	}
}
