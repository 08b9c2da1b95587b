package fit

import (
	"context"
	"math"
	"slices"
)

// ChainSettings steers [FitChain]; nil means all defaults.
type ChainSettings struct {
	// Laws are the upstream laws and Links the links from the column loss to the score that are
	// averaged over; nil Links means [Links].
	Laws, Links []Law
	// Sizes names columns x of the data that a link may add c·ln x of: what a score owes to the size
	// or the shape of a model at equal loss.
	Sizes []string
	// Range bounds the score by its metric (0 and 100 for BLEU); nil means that nothing is known.
	Range *[2]float64
	// Group numbers what new rows are new in (their shape): each is left out in turn when laws and
	// links are validated. Nil means to validate towards larger runs and lower losses.
	Group []int
	// Objective is that of the upstream laws; the zero value means squared errors in ln y.
	Objective *Objective
	Fit       *Settings
}

// Chain predicts a downstream score in two steps: laws give the loss, links turn the loss into the
// score. Both are averages.
type Chain struct {
	Upstream, Link *Average
	// Range is that of the settings.
	Range *[2]float64
	// Scored is the number of rows with a score.
	Scored int
}

// FitChain fits laws to the losses in d and links to the pairs of recorded loss and score; scores
// that are NaN are unknown and enter the first step only. Link and size term are weighted by the
// error on groups left out, as the laws are: see [FitAverage].
//
// Errors are those of the two averages.
//
// Source: Llama 3 team 2024, §3.2.1, arXiv 2407.21783 (two-step prediction).
func FitChain(ctx context.Context, d Data, score []float64, set *ChainSettings) (*Chain, error) {
	s := *set
	objective := SquaredLog()
	if s.Objective != nil {
		objective = *s.Objective
	}
	up, err := FitAverage(ctx, s.Laws, d, objective, &AverageSettings{
		Group: s.Group, Depth: d.Columns["layers"] != nil, Fit: s.Fit,
	})
	if err != nil {
		return nil, err
	}
	link, err := FitLink(ctx, d, score, set)
	if err != nil {
		return nil, err
	}
	return &Chain{Upstream: up, Link: link, Range: s.Range, Scored: link.Rows}, nil
}

// FitLink is the second step of [FitChain]: the average over links of the score, which reads the
// loss and the columns of s.Sizes.
func FitLink(ctx context.Context, d Data, score []float64, s *ChainSettings) (*Average, error) {
	var rows []int
	for i, v := range score {
		if !math.IsNaN(v) {
			rows = append(rows, i)
		}
	}
	sub := d.Select(rows)
	pairs := Data{
		Columns: map[string][]float64{"loss": sub.Y}, Y: pick(score, rows), Weight: sub.Weight,
		Run: sub.Run,
	}
	links := slices.Clone(s.Links)
	if links == nil {
		links = Links()
	}
	if s.Range != nil && s.Links == nil {
		links = append(links, boundedLink(s.Range[0], s.Range[1]))
	}
	for _, link := range slices.Clone(links) {
		for _, name := range s.Sizes {
			if c := sub.Columns[name]; c != nil && !constant(c) {
				pairs.Columns[name] = c
				links = append(links, sized(link, name))
			}
		}
	}
	set := &AverageSettings{Fit: s.Fit}
	if s.Group != nil {
		set.Group = pick(s.Group, rows)
	}
	return FitAverage(ctx, links, pairs, Squared(), set)
}

// Links returns the links from the column loss to a score.
func Links() []Law { return []Law{sigmoidLink(), exponentialLink(), exponentialFloorLink()} }

// boundedLink is the sigmoid link between the known bounds of a metric.
func boundedLink(low, high float64) Law {
	full := sigmoidLink()
	return Law{
		Name: "bounded-link", Formula: full.Formula + " with low and high of the metric",
		Source: full.Source, Columns: full.Columns, Response: full.Response,
		Params: full.Params[2:], Prepare: full.Prepare, Direct: true,
		Eval: func(t, z, g []float64) float64 {
			var slopes [4]float64
			at := [4]float64{low, high, t[0], t[1]}
			if g == nil {
				return full.Eval(at[:], z, nil)
			}
			y := full.Eval(at[:], z, slopes[:])
			copy(g, slopes[2:])
			return y
		},
		Start: func(u []float64, s Summary, t []float64) {
			span := max(s.ZMax[0]-s.ZMin[0], 1e-9)
			t[0] = math.Log((0.5 + 5*u[0]) / span)
			t[1] = s.ZMin[0] + (2*u[1]-0.5)*span
		},
	}
}

// sized returns the link plus c·ln x of another column.
func sized(link Law, column string) Law {
	own := len(link.Params)
	ct := terms(nil)
	if link.Terms != nil {
		ct = link.compile()
	}
	base := link
	return Law{
		Name: link.Name + "+" + column, Formula: link.Formula + " + c·ln " + column,
		Source: link.Source, Columns: append(slices.Clone(link.Columns), column),
		Response: link.Response, Params: append(slices.Clone(link.Params), Param{Name: "c"}),
		Prepare: func(x, z []float64) { z[0], z[1] = x[0], math.Log(x[1]) },
		Direct:  true,
		Eval: func(t, z, g []float64) float64 {
			var own4 []float64
			if g != nil {
				own4 = g[:own]
			}
			y := base.evalWith(ct, t[:own], z[:1], own4)
			if !base.Direct {
				y = math.Exp(y)
				for j := range own4 {
					own4[j] *= y
				}
			}
			if g != nil {
				g[own] = z[1]
			}
			return y + t[own]*z[1]
		},
		Start: func(u []float64, s Summary, t []float64) {
			t[own] = 0
			if base.Start != nil {
				base.Start(u, s, t[:own])
				return
			}
			// Of a law given by terms, such as A·exp(−k·loss): the slope of ln y alone.
			t[1] = -s.Slope[0] * (0.5 + u[0])
			t[0] = math.Log(s.YMax) + t[1]*s.ZMin[0]
		},
	}
}

// Given returns the score at a known loss, and sizes in the order of Link.Columns after it.
func (c *Chain) Given(loss float64, sizes ...float64) float64 {
	return c.clamp(c.Link.Predict(append([]float64{loss}, sizes...)...))
}

// GivenInterval is the interval of a new score at a known loss.
func (c *Chain) GivenInterval(level, loss float64, sizes ...float64) (Interval, bool) {
	in, ok := c.Link.Interval(level, append([]float64{loss}, sizes...)...)
	in.Low, in.High = c.clamp(in.Low), c.clamp(in.High)
	return in, ok
}

// Predict returns the score of one row: predictors of the loss in the order of Upstream.Columns, and
// sizes in the order of Link.Columns after the loss.
func (c *Chain) Predict(x, sizes []float64) float64 {
	return c.Given(c.Upstream.Predict(x...), sizes...)
}

// Interval returns the interval of a new score, with the whole error of both steps:
//
//	s² = s_link² + ((ŷ(L·e^s) − ŷ(L·e^−s))/2)²
//
// s_link is the scale of the link at the predicted loss L, s that of ln L: its noise, what the laws
// leave open and their error on rows left out, carried through the link. Both steps count with
// their own factor and degrees of freedom; the bounds end at the range of the metric.
func (c *Chain) Interval(level float64, x, sizes []float64) (Interval, bool) {
	mean, scale := c.Upstream.scaled(x)
	at := func(ln float64) float64 { return c.Link.Predict(append([]float64{math.Exp(ln)}, sizes...)...) }
	loss := math.Exp(mean)
	center, own := c.Link.scaled(append([]float64{loss}, sizes...))
	up := c.Upstream.reach(level) * scale
	half := math.Hypot(c.Link.reach(level)*own, (at(mean-up)-at(mean+up))/2)
	in := Interval{Low: c.clamp(center - half), High: c.clamp(center + half), SE: half / twoSidedNormal(level)}
	return in, math.Abs(center)+half < math.MaxFloat64
}

func (c *Chain) clamp(score float64) float64 {
	if c.Range == nil {
		return score
	}
	return max(c.Range[0], min(c.Range[1], score))
}
