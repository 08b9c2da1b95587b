package recommend

import (
	"fmt"
	"math"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
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
	// Unjudged says that nothing tells how good the candidates are.
	Unjudged bool
	// Unknown says that a limited or saved cost cannot be worked out: the request lacks hardware or
	// a price.
	Unknown bool
}

// Limit is one limit with the nearest value that a candidate within all the others has.
type Limit struct {
	Metric         plan.Metric
	Value, Nearest float64 // in base units
}

func (e *NoAnswerError) Error() string {
	if e.Unjudged {
		return "no recommendation: " + e.Reason
	}
	if e.Reason != "" {
		return "no shape qualifies: " + e.Reason
	}
	var parts []string
	for _, l := range e.Binding {
		text := func(v float64) string { return quantity.Format(l.Metric.Kind(), v, 4) }
		parts = append(parts, fmt.Sprintf("%s at most %s (nearest feasible: %s)", l.Metric,
			text(l.Value), text(l.Nearest)))
	}
	return fmt.Sprintf("no shape qualifies: %s; nearest is %s", strings.Join(parts, " and "),
		e.Shape.Name)
}

// misses tracks how near candidates outside the limits come.
type misses struct {
	// the best value by limit, among candidates that miss only that one; nil where none is missed
	alone []near
	all   near // the candidate with the smallest largest excess
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
	if m.alone == nil {
		m.alone = make([]near, len(other.alone))
	}
	for i, o := range other.alone {
		if o.exists {
			m.alone[i].offer(o.index, o.value)
		}
	}
	if other.all.exists {
		m.all.offer(other.all.index, other.all.value)
	}
}

// record notes a candidate that misses limits; values are its costs by limit.
func (m *misses) record(index int, values []float64, limits []bound) {
	if m.alone == nil {
		m.alone = make([]near, len(limits))
	}
	count, last, worst := 0, 0, 0.0
	for i, b := range limits {
		if !(values[i] <= b.limit) {
			count, last = count+1, i
			worst = max(worst, values[i]/b.limit)
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
