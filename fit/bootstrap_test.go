package fit

import (
	"context"
	"math"
	"reflect"
	"slices"
	"testing"
)

func TestUnitsByHand(t *testing.T) {
	d := Data{Y: make([]float64, 5), Run: []int{7, 3, 7, 3, 9}}
	if got := d.units(); !reflect.DeepEqual(got, [][]int{{0, 2}, {1, 3}, {4}}) {
		t.Errorf("of three runs: %v", got)
	}
	d.Run = nil
	if got := d.units(); !reflect.DeepEqual(got, [][]int{{0}, {1}, {2}, {3}, {4}}) {
		t.Errorf("of rows: %v", got)
	}
	// As many units are drawn as there are, and the rows of one together.
	w := make([]float64, 5)
	w[4] = 100
	resample(w, [][]int{{0, 2}, {1, 3}, {4}}, 1, 2)
	if w[0] != w[2] || w[1] != w[3] || w[0]+w[1]+w[4] != 3 {
		t.Errorf("drew %v", w)
	}
	again, other := slices.Clone(w), slices.Clone(w)
	resample(again, [][]int{{0, 2}, {1, 3}, {4}}, 1, 2)
	if !slices.Equal(w, again) {
		t.Errorf("%v and %v of one seed", w, again)
	}
	differ := false
	for b := range 20 {
		resample(other, [][]int{{0, 2}, {1, 3}, {4}}, 1, b)
		differ = differ || !slices.Equal(w, other)
	}
	if !differ {
		t.Error("twenty resamples are one")
	}
}

// Six units may be resampled, five may not; refits are counted, told as they end, and all in the
// intervals.
func TestBootstrapCounts(t *testing.T) {
	d := powerRows(6, 1, 3)
	r := mustFit(t, Power(), d, SquaredLog(), nil)
	told := 0
	b, err := Bootstrap(context.Background(), r, d, &BootstrapSettings{
		Resamples: 40, Workers: 1, Progress: func() { told++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	if told != 40 || len(b.Draws)+b.Failed != 40 || len(b.Draws) < 30 || b.Units != 6 || b.Level != 0.95 {
		t.Errorf("told %d, %d draws, %d failed, %d units, level %g", told, len(b.Draws), b.Failed, b.Units, b.Level)
	}
	if len(b.Params) != 2 || b.Improved != 0 {
		t.Errorf("%d intervals, %d improved by no fresh start", len(b.Params), b.Improved)
	}
	var alpha []float64
	for _, draw := range b.Draws {
		alpha = append(alpha, draw[1])
	}
	if in := percentiles(alpha, 0.95); in != b.Params[1] || !(in.Low < r.Params[1] && r.Params[1] < in.High) {
		t.Errorf("interval %+v, of the draws %+v, fit %g", b.Params[1], in, r.Params[1])
	}
	if _, err := Bootstrap(context.Background(), r, d.Select(seq(5)), nil); kind(err) != TooFewPoints {
		t.Errorf("five rows: %v", err)
	}
	d.Run = []int{0, 0, 1, 2, 3, 4}
	if _, err := Bootstrap(context.Background(), r, d, nil); kind(err) != TooFewPoints {
		t.Errorf("five runs: %v", err)
	}
	over, cancel := context.WithCancel(context.Background())
	cancel()
	d.Run = nil
	if _, err := Bootstrap(over, r, d, nil); err == nil {
		t.Error("an ended context gave draws")
	}
}

func TestAllFinite(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if allFinite([]float64{1, v}) {
			t.Errorf("%v is finite", v)
		}
	}
	if !allFinite([]float64{1, -1e308}) {
		t.Error("numbers are not finite")
	}
}
