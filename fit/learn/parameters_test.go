package learn

import (
	"maps"
	"math"
	"testing"
)

func TestParametersToHold(t *testing.T) {
	fixed, err := ParseFixed([]string{"E=1.69", "alpha=3e-1"})
	if err != nil || !maps.Equal(fixed, map[string]float64{"E": 1.69, "alpha": 0.3}) {
		t.Errorf("%v, %v", fixed, err)
	}
	inf := math.Inf(1)
	bounds, err := ParseBounds([]string{"E=0:2", "A=:5", "B=1:"})
	if err != nil || !maps.Equal(bounds, map[string][2]float64{
		"E": {0, 2}, "A": {-inf, 5},
		"B": {1, inf},
	}) {
		t.Errorf("%v, %v", bounds, err)
	}
	for _, text := range []string{"", "E", "E=", "=1", "E=x", "E=NaN", "E=Inf"} {
		if got, err := ParseFixed([]string{text}); err == nil {
			t.Errorf("%q fixes %v", text, got)
		}
	}
	for _, text := range []string{
		"", "E", "E=1", "=0:1", "E=2:1", "E=1:1", "E=NaN:", "E=:NaN",
		"E=0:1:2", "E=a:b",
	} {
		if got, err := ParseBounds([]string{text}); err == nil {
			t.Errorf("%q bounds %v", text, got)
		}
	}
}
