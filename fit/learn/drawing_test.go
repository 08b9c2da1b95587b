package learn

import (
	"math"
	"slices"
	"testing"
)

func TestSeriesByHand(t *testing.T) {
	if g := Grid(3, true, []float64{0, 1, 100}); !slices.Equal(g, []float64{1, 10, 100}) {
		t.Errorf("grid %v", g)
	}
	if Grid(3, false) != nil {
		t.Error("a grid over nothing")
	}
	if !Wide(2, []float64{1, 3}) || Wide(2, []float64{-1, 3}) || Wide(2, []float64{1, 2}) {
		t.Error("Wide is wrong")
	}
	if r := LogRatios([]float64{math.E}, []float64{1}); r[0] != 1 {
		t.Errorf("ln(e/1) = %v", r[0])
	}
}
