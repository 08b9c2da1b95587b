package compare

import (
	"math"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Difference is one metric of two shapes or results.
type Difference struct {
	Metric       Metric
	Base, Change hardware.Estimate
	// Delta is Change less Base; meaningless where either is absent.
	Delta float64
	// Overlap says that the intervals share a value, so that the difference may be none.
	Overlap     bool
	Attribution []Part // sums to Delta but for rounding; nil where nothing is known of the fields
}

// Known reports whether both sides have the metric.
func (d *Difference) Known() bool { return d.Base.Interval != nil && d.Change.Interval != nil }

// Relative returns Delta as a share of the base, NaN where the base is 0.
func (d *Difference) Relative() float64 {
	if d.Base.Interval.Value == 0 {
		return math.NaN()
	}
	return d.Delta / d.Base.Interval.Value
}

// Shapes returns the fields that differ between two valid shapes and every metric that does, with
// the part of each field. The error is that of laying out one of the two.
func (s *Setup) Shapes(base, change *shapes.Shape) ([]Changed, []Difference, error) {
	fields := Fields(base, change)
	a, err := s.Measure(base)
	if err != nil {
		return nil, nil, err
	}
	b, err := s.Measure(change)
	if err != nil {
		return nil, nil, err
	}
	differences := differencesOf(a, b)
	if len(differences) == 0 || len(fields) == 0 {
		return fields, differences, nil
	}
	parts := s.attribute(base, change, fields)
	for i := range differences {
		for _, p := range parts[differences[i].Metric] {
			if p.Delta != 0 {
				differences[i].Attribution = append(differences[i].Attribution, p)
			}
		}
	}
	return fields, differences, nil
}

// differencesOf lists the metrics that differ, and those that only one side has.
func differencesOf(base, change Measures) []Difference {
	var out []Difference
	for _, metric := range Metrics() {
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
