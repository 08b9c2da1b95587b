package fit

import "math"

// exponentialFloorLink returns score = floor + A·exp(−k·loss): an exponential link that levels off,
// for accuracies that stop at chance (or, with a negative A, error rates that stop at a ceiling).
//
// Source: Gadre et al. 2024, eq. 5, arXiv 2403.08540 (there for error rates).
func exponentialFloorLink() Law {
	return Law{
		Name: "exponential-floor-link", Formula: "floor + A·exp(-k·loss)",
		Source:  "Gadre et al. 2024, arXiv 2403.08540",
		Columns: []string{"loss"}, Response: "score",
		Params: []Param{
			{Name: "floor"},
			{Name: "A"},
			{Name: "k", Log: true, Low: 1e-3, High: 1e3},
		},
		Prepare: func(x, z []float64) { z[0] = x[0] },
		Direct:  true,
		Eval: func(t, z, g []float64) float64 {
			k := math.Exp(t[2])
			e := math.Exp(-k * z[0])
			if g != nil {
				g[0], g[1], g[2] = 1, e, -t[1]*e*k*z[0]
			}
			return t[0] + t[1]*e
		},
		Start: func(u []float64, s Summary, t []float64) {
			k := (0.5 + 4*u[0]) / (s.ZMax[0] - s.ZMin[0])
			top, bottom := math.Exp(-k*s.ZMin[0]), math.Exp(-k*s.ZMax[0])
			rise := s.YMax - s.YMin
			if s.Slope[0] > 0 {
				rise = -rise
			}
			t[1] = rise / (top - bottom)
			t[0] = s.YMin - min(t[1]*top, t[1]*bottom)
			t[2] = math.Log(k)
		},
	}
}
