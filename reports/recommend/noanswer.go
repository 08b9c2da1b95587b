package recommend

import (
	"fmt"
	"math"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// NoAnswerError says that no candidate meets the limits and constraints.
type NoAnswerError struct {
	// Binding names the limits that no candidate meets together; one where lifting it alone would
	// do.
	Binding []Limit
	// Shape is the candidate that comes nearest; zero where there are no candidates at all.
	Shape shapes.Shape
	// Reason says what is contradictory where no limit is to blame.
	Reason string
	// Unknown says that a limited or saved cost cannot be worked out: the request lacks hardware or
	// a price.
	Unknown bool
}

// Limit is one limit with the nearest value that a candidate within all the others has.
type Limit struct {
	Axis           Axis
	Value, Nearest float64 // in base units
}

var axisKinds = [axes]quantity.Kind{
	ParamsAxis: quantity.Params, FLOPsAxis: quantity.FLOP, StepTimeAxis: quantity.Duration,
	DeviceHoursAxis: quantity.Count,
	CostAxis:        quantity.Money, MemoryAxis: quantity.Bytes, DecodeAxis: quantity.Duration,
	QualityAxis: quantity.Number,
}

func (e *NoAnswerError) Error() string {
	if e.Reason != "" {
		return "no shape qualifies: " + e.Reason
	}
	var parts []string
	for _, l := range e.Binding {
		text := func(v float64) string { return quantity.Format(axisKinds[l.Axis], v, 4) }
		parts = append(parts, fmt.Sprintf("%s at most %s (nearest feasible: %s)", l.Axis,
			text(l.Value), text(l.Nearest)))
	}
	return fmt.Sprintf("no shape qualifies: %s; nearest is %s", strings.Join(parts, " and "),
		e.Shape.Name)
}

// misses tracks how near candidates outside the limits come.
type misses struct {
	alone [axes]near // the best value of an axis among candidates that miss only that limit
	all   near       // the candidate with the smallest largest excess
}

type near struct {
	index  int
	value  float64
	exists bool
}

func (n *near) offer(index int, value float64) {
	if !n.exists || value < n.value || value == n.value && index < n.index {
		*n = near{index, value, true}
	}
}

func (m *misses) merge(other *misses) {
	for a := range m.alone {
		if o := other.alone[a]; o.exists {
			m.alone[a].offer(o.index, o.value)
		}
	}
	if other.all.exists {
		m.all.offer(other.all.index, other.all.value)
	}
}

// record notes a candidate that misses limits: excess is value/limit by axis, NaN where not
// limited.
func (m *misses) record(index int, values, limits *[axes]float64) {
	count, last, worst := 0, Axis(0), 0.0
	for a := range QualityAxis {
		if !math.IsInf(limits[a], 1) && !(values[a] <= limits[a]) {
			count, last = count+1, a
			worst = max(worst, values[a]/limits[a])
		}
	}
	if math.IsNaN(worst) {
		return
	}
	if count == 1 {
		m.alone[last].offer(index, values[last])
	}
	m.all.offer(index, worst)
}
