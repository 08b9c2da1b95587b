package learn

import (
	"math"
	"testing"
)

// FuzzParameters: what is read of points, parameters and ranges is finite and in order.
func FuzzParameters(f *testing.F) {
	for _, text := range []string{"E=1.69", "E=0:2", "E=:", "params=1e9,tokens=20B", "=", "E=NaN", "E=2:1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		fixed, _ := ParseFixed([]string{text})
		point, _ := ParsePoint(text)
		for _, values := range []map[string]float64{fixed, point} {
			for name, v := range values {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("%q: %s is %v", text, name, v)
				}
			}
		}
		bounds, _ := ParseBounds([]string{text})
		for name, b := range bounds {
			if !(b[0] < b[1]) {
				t.Errorf("%q: %s is within %v", text, name, b)
			}
		}
	})
}
