package fit

import (
	"math"
	"testing"
)

func TestInferenceAwareByHand(t *testing.T) {
	law := Chinchilla()
	truth := []float64{1.8, 480, 2000, 0.35, 0.37}
	r := &Result{Law: law, Params: truth}
	const loss = 2.2
	// Nothing served: the compute-optimal run of its own budget (Hoffmann et al. 2022, eq. 4).
	a, err := InferenceAware(r, loss, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	best, err := Allocate(r, a.TrainingFLOPs, nil)
	if err != nil {
		t.Fatal(err)
	}
	const flat = 1e-3 // the cost is flat about its minimum
	closeTo(t, "params", a.Params, best.Params, flat)
	closeTo(t, "loss", a.Loss, loss, 1e-9)
	closeTo(t, "FLOPs", a.TrainingFLOPs, 6*a.Params*a.Tokens, 1e-12)
	// Serving 10^13 tokens: the condition of the optimum by hand. With D(N) from the law,
	// dD/dN = −(α·A/N^(α+1))/(β·B/D^(β+1)), and 6·D + 6·N·dD/dN + 2·D_inf = 0.
	const served = 1e13
	s, err := InferenceAware(r, loss, served, nil)
	if err != nil {
		t.Fatal(err)
	}
	n, d := s.Params, s.Tokens
	slope := -(0.35 * 480 * math.Pow(n, -1.35)) / (0.37 * 2000 * math.Pow(d, -1.37))
	closeTo(t, "optimum", 6*d+2*served, -6*n*slope, 10*flat)
	if !(s.Params < a.Params && s.Tokens > a.Tokens) {
		t.Errorf("serving makes %+v of %+v: a smaller model trained longer", s, a)
	}
	closeTo(t, "serving", s.InferenceFLOPs, 2*n*served, 1e-12)
	if total := a.TrainingFLOPs + 2*a.Params*served; !(s.TrainingFLOPs+s.InferenceFLOPs < total) {
		t.Errorf("%g FLOPs in all, %g for the compute-optimal model", s.TrainingFLOPs+s.InferenceFLOPs, total)
	}
	if _, err := InferenceAware(r, 1.7, served, nil); kind(err) != NoInteriorMinimum {
		t.Errorf("a loss below E: %v", err)
	}
}
