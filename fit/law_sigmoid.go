package fit

import "math"

// sigmoidLink returns score = low + (high − low)/(1 + exp(k·(loss − mid))), the second step to a
// score between chance and a ceiling.
//
// Source: Llama 3 team 2024, §3.2.1, arXiv 2407.21783; Gadre et al. 2024, §2.3, arXiv 2403.08540
// use the exponential instead.
func sigmoidLink() Law {
	return Law{
		Name: "sigmoid-link", Formula: "low + (high - low)/(1 + exp(k·(loss - mid)))",
		Source:  "Llama 3 team 2024, arXiv 2407.21783",
		Columns: []string{"loss"}, Response: "score",
		Params: []Param{
			{Name: "low"},
			{Name: "high"},
			{Name: "k", Log: true, Low: 1e-3, High: 1e3},
			{Name: "mid"},
		},
		Prepare: func(x, z []float64) { z[0] = x[0] },
		Direct:  true,
		Eval: func(t, z, g []float64) float64 {
			k := math.Exp(t[2])
			q := logistic(-k * (z[0] - t[3]))
			rise := t[1] - t[0]
			if g != nil {
				d := rise * q * (1 - q)
				g[0], g[1] = 1-q, q
				g[2] = -d * k * (z[0] - t[3])
				g[3] = d * k
			}
			return t[0] + rise*q
		},
		Start: func(u []float64, s Summary, t []float64) {
			span, height := s.ZMax[0]-s.ZMin[0], s.YMax-s.YMin
			t[0] = s.YMin - 0.2*u[0]*height
			t[1] = s.YMax + 0.5*u[1]*height
			t[2] = math.Log((1 + 9*u[2]) / span)
			t[3] = s.ZMin[0] + u[3]*span
		},
	}
}
