package compare

import (
	"math"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Difference is one metric of two shapes or results.
type Difference struct {
	Metric       plan.Metric
	Base, Change hardware.Estimate
	// Delta is Change less Base; meaningless where either is absent.
	Delta float64
	// Interval is Delta, and Share Delta over the base, with the interval of the difference: what is
	// wrong with both sides alike cancels, see [hardware.Together]. Nil where both sides are exact, and
	// where nobody knows what they share.
	Interval, Share *quantity.Interval
	// Overlap says that the intervals of the sides share a value.
	Overlap     bool
	Attribution []Part // sums to Delta but for rounding; nil where nothing is known of the fields
}

// Known reports whether both sides have the metric.
func (d *Difference) Known() bool { return d.Base.Interval != nil && d.Change.Interval != nil }

// Uncertain reports whether the difference may be none.
func (d *Difference) Uncertain() bool {
	if d.Share != nil {
		return d.Share.Low <= 0 && d.Share.High >= 0
	}
	return d.Overlap
}

// Relative returns Delta as a share of the base, NaN where the base is 0.
func (d *Difference) Relative() float64 {
	if d.Base.Interval.Value == 0 {
		return math.NaN()
	}
	return d.Delta / d.Base.Interval.Value
}

// Comparison is what differs between two shapes under one question.
type Comparison struct {
	Fields       []Changed
	Differences  []Difference // with the part of each field
	Base, Change plan.Answer
}

// Shapes asks a question about two valid shapes. The error is that of one of the two answers.
func Shapes(q plan.Question, base, change *shapes.Shape) (Comparison, error) {
	c := Comparison{Fields: Fields(base, change)}
	var err error
	if c.Base, err = q.Of(base).Answer(); err != nil {
		return c, err
	}
	if c.Change, err = q.Of(change).Answer(); err != nil {
		return c, err
	}
	c.Differences = differencesOf(c.Base.Measures(), c.Change.Measures())
	c.weigh()
	if len(c.Differences) == 0 || len(c.Fields) == 0 {
		return c, nil
	}
	parts := attribute(q, base, change, c.Fields)
	for i := range c.Differences {
		d := &c.Differences[i]
		for _, p := range parts[d.Metric] {
			if p.Delta != 0 {
				d.Attribution = append(d.Attribution, p)
			}
		}
	}
	return c, nil
}

// Pair returns the comparison under a name.
func (c *Comparison) Pair(name string) Pair {
	return Pair{
		Name: name, Fields: c.Fields, Differences: c.Differences, Base: &c.Base, Change: &c.Change,
	}
}

// Side is one side of a comparison: a shape or, with Results, a document.
type Side struct {
	Name    string // as it was asked for
	Shape   shapes.Shape
	Results []Named
}

// Sides compares two sides; a shape beside the results of a document is planned as the question
// says. The error is that of an answer.
func Sides(q plan.Question, base, change *Side) ([]Pair, error) {
	if base.Results == nil && change.Results == nil {
		c, err := Shapes(q, &base.Shape, &change.Shape)
		return []Pair{c.Pair(base.Name + " → " + change.Name)}, err
	}
	var results [2][]Named
	for i, s := range []*Side{base, change} {
		if results[i] = s.Results; s.Results == nil {
			a, err := q.Of(&s.Shape).Answer()
			if err != nil {
				return nil, err
			}
			results[i] = []Named{{Name: s.Shape.Name, Measures: a.Measures(), Answer: &a}}
		}
	}
	return documents(results[0], results[1]), nil
}

// weigh gives the differences of estimates their intervals. All of them are in proportion to a time.
func (c *Comparison) weigh() {
	steps := hardware.StepsTogether(&c.Base.Run, &c.Change.Run)
	for i := range c.Differences {
		d := &c.Differences[i]
		a, b := d.Base.Interval, d.Change.Interval
		if a == nil || b == nil || a.Low == a.High && b.Low == b.High || !(a.Low > 0) {
			continue
		}
		together := steps
		if d.Metric == plan.DecodeLatency {
			together = hardware.GenerationsTogether(&c.Base.Decode.Run, &c.Change.Decode.Run)
		}
		delta, share := together.Difference(*a, *b), together.Relative(a.Value, b.Value)
		d.Interval, d.Share = &delta, &share
	}
}

// differencesOf lists the metrics that differ, and those that only one side has.
func differencesOf(base, change plan.Measures) []Difference {
	var out []Difference
	for _, metric := range plan.Metrics() {
		d := Difference{Metric: metric, Base: base[metric], Change: change[metric]}
		a, b := d.Base.Interval, d.Change.Interval
		switch {
		case a == nil && b == nil:
			continue
		case a != nil && b != nil:
			if *a == *b {
				continue
			}
			d.Delta = b.Value - a.Value
			wide := a.Low != a.High || b.Low != b.High
			d.Overlap = wide && a.Low <= b.High && b.Low <= a.High
		}
		out = append(out, d)
	}
	return out
}
