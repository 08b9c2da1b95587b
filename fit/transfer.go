package fit

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// TransferInput holds one model a row: how good it is upstream and how good downstream.
type TransferInput struct {
	Names                []string
	Upstream, Downstream []float64
	// UpstreamHigher says that a higher upstream number is better (a negative log-perplexity, not a
	// loss); DownstreamLower that a lower downstream number is better (an error rate).
	UpstreamHigher, DownstreamLower bool
	// Size is what the partial correlation is given: params or FLOPs; nil leaves it out.
	Size []float64
	// UpstreamTie and DownstreamTie are differences up to which two models count as equal (the
	// noise of a run); zero means exact ties only.
	UpstreamTie, DownstreamTie float64
	// Level is the confidence of intervals; zero means 0.95.
	Level float64
}

// Transferred says how upstream quality carries to the downstream task.
type Transferred struct {
	Rows int
	// Pearson, Spearman and Kendall are correlations of the numbers as given: a loss and a score
	// that agree correlate at −1.
	Pearson, Spearman, Kendall Estimate
	// Partial is Spearman's correlation given Size; nil without sizes.
	Partial *Estimate
	// Inversions lists the pairs in which the model that is better upstream is worse downstream,
	// the largest downstream loss first.
	Inversions []Inversion
	// Pairs is the number of pairs that are not a tie on either side.
	Pairs int
	// Carries says whether upstream rank may stand in for downstream rank; Verdict says why, in one
	// sentence.
	Carries bool
	Verdict string
}

// Inversion is a pair of rows: Upstream leads upstream, Downstream leads downstream.
type Inversion struct {
	Upstream, Downstream         int // rows
	UpstreamName, DownstreamName string
	UpstreamGap, DownstreamGap   float64 // both positive
}

// Upstream rank carries when the whole interval of the oriented Spearman correlation lies above
// carries, and given size it is not compatible with 0.
const (
	carries      = 0.5
	transferRows = 5
)

// Transfer returns correlations with intervals, the inversions, and a verdict.
//
// Intervals use Fisher's transform with standard error 1/√(n−3) for Pearson, √((1+r²/2)/(n−3)) for
// Spearman (Bonett and Wright 2000), √(0.437/(n−4)) for Kendall (Fieller, Hartley and Pearson
// 1957), and one degree of freedom less for the partial correlation.
//
// Errors: *Refusal TooFewPoints under five rows, BadValue for numbers that are not finite,
// ConstantColumn. It panics when lengths differ.
func Transfer(in TransferInput) (*Transferred, error) {
	n := len(in.Upstream)
	if len(in.Downstream) != n || len(in.Names) != n || (in.Size != nil && len(in.Size) != n) {
		panic("fit: Transfer: columns of different lengths")
	}
	if n < transferRows {
		return nil, refuse(TooFewPoints, nil, "%s; needed: at least %d for an interval",
			quantity.Of(n, "model"), transferRows)
	}
	for name, c := range map[string][]float64{
		"upstream": in.Upstream, "downstream": in.Downstream,
		"size": in.Size,
	} {
		for i, v := range c {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, &Refusal{
					Kind: BadValue, Names: []string{name}, Rows: []int{i},
					Reason: fmt.Sprintf("row %d: %v", i, v),
				}
			}
		}
		if c != nil && constant(c) {
			return nil, refuse(ConstantColumn, []string{name}, "every model has %v", c[0])
		}
	}
	level := cmp.Or(in.Level, defaultLevel)
	free := float64(n)
	x, y := in.Upstream, in.Downstream
	rx, ry := Ranks(x), Ranks(y)
	rho := pearson(rx, ry)
	out := &Transferred{
		Rows:     n,
		Pearson:  fisher(pearson(x, y), 1/math.Sqrt(free-3), level),
		Spearman: fisher(rho, math.Sqrt((1+rho*rho/2)/(free-3)), level),
		Kendall:  fisher(kendall(x, y), math.Sqrt(0.437/(free-4)), level),
	}
	if in.Size != nil {
		rz := Ranks(in.Size)
		r := partial(rho, pearson(rx, rz), pearson(ry, rz))
		e := fisher(r, math.Sqrt((1+r*r/2)/(free-4)), level)
		out.Partial = &e
	}
	out.Inversions, out.Pairs = in.inversions()
	out.judge(in.sign())
	return out, nil
}

// sign is +1 when agreement shows as a positive correlation.
func (in TransferInput) sign() float64 {
	if in.UpstreamHigher != in.DownstreamLower {
		return 1
	}
	return -1
}

func (in TransferInput) inversions() ([]Inversion, int) {
	up, down := 1.0, -1.0 // multiply so that a positive gap means j is worse
	if in.UpstreamHigher {
		up = -1
	}
	if in.DownstreamLower {
		down = 1
	}
	var out []Inversion
	pairs := 0
	for i := range in.Upstream {
		for j := range in.Upstream {
			gap := up * (in.Upstream[j] - in.Upstream[i]) // i leads upstream by gap
			fall := down * (in.Downstream[i] - in.Downstream[j])
			if i == j || gap <= in.UpstreamTie || math.Abs(fall) <= in.DownstreamTie {
				continue
			}
			pairs++
			if fall > 0 {
				out = append(out, Inversion{i, j, in.Names[i], in.Names[j], gap, fall})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Inversion) int { return cmp.Compare(b.DownstreamGap, a.DownstreamGap) })
	return out, pairs
}

func (t *Transferred) judge(sign float64) {
	rho, low := sign*t.Spearman.Value, min(sign*t.Spearman.Low, sign*t.Spearman.High)
	share := fmt.Sprintf("%d of %d pairs are inverted", len(t.Inversions), t.Pairs)
	switch {
	case low <= carries:
		t.Verdict = fmt.Sprintf(
			"a better rank upstream says little about the rank downstream: rank agreement %.2f, at worst %.2f; %s", rho, low, share)
	case t.Partial != nil && min(sign*t.Partial.Low, sign*t.Partial.High) <= 0:
		t.Verdict = fmt.Sprintf(
			"better upstream goes with better downstream only because larger models have both: rank agreement %.2f, but %.2f at equal size (interval includes 0); %s", rho, sign*t.Partial.Value, share)
	default:
		t.Carries = true
		t.Verdict = fmt.Sprintf(
			"better upstream goes with better downstream: rank agreement %.2f, at worst %.2f; %s",
			rho, low, share)
	}
}
