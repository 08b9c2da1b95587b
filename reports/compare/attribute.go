package compare

import (
	"math/bits"
	"strings"

	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Part is what one field contributes to the difference of a metric.
type Part struct {
	Field string
	Delta float64
}

// mostExact is the number of fields up to which all orders are averaged: 2⁸ shapes are measured.
const mostExact = 8

// attribute divides the difference of every metric over the fields; see the package comment. The
// result has a part for each field, 0 included.
func attribute(q plan.Question, base, change *shapes.Shape, fields []Changed) [plan.MetricCount][]Part {
	m := mixer{
		question: q, base: base, change: change, fields: fields,
		seen: map[uint64]*plan.Measures{},
	}
	all := uint64(1)<<len(fields) - 1
	walk := m.twoOrders
	if len(fields) <= mostExact {
		walk = m.allOrders
	}
	walked := walk()
	whole, start := m.measure(all), m.measure(0)
	var out [plan.MetricCount][]Part
	for _, metric := range plan.Metrics() {
		a, b := start[metric].Interval, whole[metric].Interval
		if a == nil || b == nil {
			continue
		}
		if !walked || m.sums[metric] == nil || m.gaps[metric] {
			out[metric] = together(fields, b.Value-a.Value)
			continue
		}
		for i, f := range fields {
			out[metric] = append(out[metric], Part{f.Field, m.sums[metric][i]})
		}
	}
	return out
}

// together gives the whole difference to all fields.
func together(fields []Changed, delta float64) []Part {
	var names []string
	for _, f := range fields {
		names = append(names, f.Field)
	}
	return []Part{{strings.Join(names, " + "), delta}}
}

// mixer measures the shapes that have some of the changed fields.
type mixer struct {
	question     plan.Question
	base, change *shapes.Shape
	fields       []Changed
	seen         map[uint64]*plan.Measures // nil value: that shape cannot be laid out
	sums         [plan.MetricCount][]float64
	gaps         [plan.MetricCount]bool // a shape in between lacks the metric
}

func (m *mixer) measure(set uint64) *plan.Measures {
	if known, ok := m.seen[set]; ok {
		return known
	}
	mixed := *m.base
	for i, f := range m.fields {
		if set&(1<<i) != 0 {
			f.set(&mixed, m.change)
		}
	}
	var out *plan.Measures
	if mixed.Validate() == nil {
		if answer, err := m.question.Of(&mixed).Answer(); err == nil {
			measures := answer.Measures()
			out = &measures
		}
	}
	m.seen[set] = out
	return out
}

// step adds weight times what field i changes when the fields of a set have changed already.
func (m *mixer) step(set uint64, i int, weight float64) bool {
	before, after := m.measure(set), m.measure(set|1<<i)
	if before == nil || after == nil {
		return false
	}
	for _, metric := range plan.Metrics() {
		a, b := before[metric].Interval, after[metric].Interval
		if a == nil || b == nil {
			m.gaps[metric] = true
			continue
		}
		if m.sums[metric] == nil {
			m.sums[metric] = make([]float64, len(m.fields))
		}
		m.sums[metric][i] += weight * (b.Value - a.Value)
	}
	return true
}

// allOrders adds up Shapley values: a set of k of n fields comes before the next in k!(n−1−k)!/n!
// of all orders.
func (m *mixer) allOrders() bool {
	n := len(m.fields)
	weights := make([]float64, n)
	for k := range weights {
		weights[k] = 1 / float64(n)
		for j := 1; j <= k; j++ { // 1/(n·C(n−1, k))
			weights[k] *= float64(j) / float64(n-j)
		}
	}
	for set := range uint64(1) << n {
		for i := range n {
			if set&(1<<i) == 0 && !m.step(set, i, weights[bits.OnesCount64(set)]) {
				return false
			}
		}
	}
	return true
}

// twoOrders averages the order of the fields and its reverse.
func (m *mixer) twoOrders() bool {
	n := len(m.fields)
	forward, backward := uint64(0), uint64(0)
	for i := range n {
		j := n - 1 - i
		if !m.step(forward, i, 0.5) || !m.step(backward, j, 0.5) {
			return false
		}
		forward |= 1 << i
		backward |= 1 << j
	}
	return true
}
