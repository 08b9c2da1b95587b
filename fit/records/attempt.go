package records

import (
	"cmp"
	"maps"
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// point is one value of a metric.
type point struct {
	step  int64
	value string
	file  int32
	line  int32
	time  float64 // seconds since 1970, 0 where it is not known
}

// maxTime is the year 5138: a later clock is another unit.
const maxTime = 1e11

// metric is the values of a metric in the order in which they were logged.
type metric struct {
	points  []point
	abandon []point // which a restart overwrote
	repeat  []point // which a later value of the same step replaced
}

// restart says that the run went on from a step: what was logged at it or after is abandoned, as
// TensorBoard has it.
func (m *metric) restart(step int64) {
	kept := m.points[:0]
	for _, p := range m.points {
		if p.step >= step {
			m.abandon = append(m.abandon, p)
		} else {
			kept = append(kept, p)
		}
	}
	m.points = kept
}

// add logs a value. A later value of a step replaces the one before; so does an equal one.
func (m *metric) add(p point) {
	if n := len(m.points); n > 0 && m.points[n-1].step == p.step {
		if m.points[n-1].value != p.value {
			m.repeat = append(m.repeat, m.points[n-1])
		}
		m.points[n-1] = p
		return
	}
	m.points = append(m.points, p)
}

// settle puts the values of a metric, given in the order of time, in the order of their steps. Steps
// that fall back after some that rose are a restart; steps without order are sorted, and the later
// of two values of a step counts.
func (m *metric) settle() {
	all := m.points
	parts := 1
	for i := 1; i < len(all); i++ {
		if all[i].step < all[i-1].step {
			parts++
		}
	}
	if parts == 1 {
		return
	}
	const rising = 2.5 // rows that rise on average before they fall back; 2 in a random order
	if float64(len(all)) < rising*float64(parts) {
		slices.SortStableFunc(all, func(a, b point) int { return cmp.Compare(a.step, b.step) })
	}
	m.points = nil
	for i, p := range all {
		if i > 0 && p.step < all[i-1].step {
			m.restart(p.step)
		}
		m.add(p)
	}
}

// inTime settles the values of a metric that were logged in the order of points.
func (m *metric) inTime() {
	m.settle()
	points := m.points
	m.points = nil
	for _, p := range points {
		m.add(p)
	}
}

// stepless tells that several values were logged, and none with a step: all have step 0.
func (m *metric) stepless() bool {
	for _, p := range append(slices.Clone(m.points), m.repeat...) {
		if p.step != 0 {
			return false
		}
	}
	return len(m.repeat) > 0
}

// metrics is what a tracker logged for a run, by name.
type metrics map[string]*metric

func (m metrics) of(name string) *metric {
	if m[name] == nil {
		m[name] = &metric{}
	}
	return m[name]
}

// logged is a value of the metric with this index.
type logged struct {
	name int
	*point
}

// metricRows writes the metrics of the part that was begun: one row a step, with what before puts on
// each. What a restart overwrote and what was logged twice is lost with a reason. Metrics that were
// never logged with a step give a row a value, in their order, without a step.
func (b *builder) metricRows(m metrics, fieldOf string, before func()) {
	names := slices.Sorted(maps.Keys(m))
	label := cmp.Or(b.parts[b.part].name, b.parts[b.part].path)
	ordered, several := true, false
	for _, of := range m {
		ordered = ordered && (of.stepless() || len(of.points) == 1 && of.points[0].step == 0)
		several = several || len(of.repeat) > 0
	}
	if ordered && several {
		b.inOrder(m, names, fieldOf, label, before)
		return
	}
	headings := make([]string, len(names))
	var all []logged
	for i, name := range names {
		headings[i] = b.fieldName(fieldOf, name)
		for at := range m[name].points {
			all = append(all, logged{i, &m[name].points[at]})
		}
	}
	slices.SortStableFunc(all, func(a, c logged) int { return cmp.Compare(a.step, c.step) })
	for i, p := range all {
		if i == 0 || p.step != all[i-1].step {
			b.rows = append(b.rows, place{p.file, p.line, b.part})
			before()
			b.put("step", formatInt(p.step))
			if b.times && p.time > 0 && p.time < maxTime {
				b.put("wall_time", quantity.Shortest(p.time))
			}
		}
		b.put(headings[p.name], p.value)
	}
	b.told(m, names, label)
}

// told says what is not used of the metrics of a run.
func (b *builder) told(m metrics, names []string, label string) {
	abandoned := map[place]string{}
	var order []place
	var restarts, repeats int
	for _, name := range names {
		for _, p := range m[name].abandon {
			at := place{file: p.file, line: p.line}
			if _, told := abandoned[at]; !told {
				restarts++
				order = append(order, at)
				abandoned[at] = "a restart of the run overwrote step " + formatInt(p.step)
			}
		}
		for _, p := range m[name].repeat {
			at := place{file: p.file, line: p.line}
			if _, told := abandoned[at]; !told {
				repeats++
				order = append(order, at)
				abandoned[at] = "a later value of " + name + " at step " + formatInt(p.step) + " counts"
			}
		}
	}
	for _, at := range order {
		b.Lost = append(b.Lost, Lost{Origin{b.files[at.file], int(at.line)}, abandoned[at]})
	}
	if restarts > 0 {
		b.warn("run %s was restarted: not used: %s of the abandoned attempt", label, quantity.Of(restarts, "record"))
	}
	if repeats > 0 {
		b.warn("run %s has two values for %s: the later count", label, quantity.Of(repeats, "record"))
	}
}

// inOrder writes one row a value, numbered.
func (b *builder) inOrder(m metrics, names []string, fieldOf, label string, before func()) {
	longest := 0
	for _, name := range names {
		of := m[name]
		of.points = append(of.repeat, of.points...)
		longest = max(longest, len(of.points))
	}
	for k := range longest {
		begun := false
		for _, name := range names {
			points := m[name].points
			if k >= len(points) {
				continue
			}
			if !begun {
				begun = true
				b.rows = append(b.rows, place{points[k].file, points[k].line, b.part})
				before()
				b.put("step", "")
				b.put("order", formatInt(int64(k+1)))
			}
			b.put(b.fieldName(fieldOf, name), points[k].value)
		}
	}
	b.warn("run %s: %d values were logged without a step (all have step 0); --x order takes them in the order of their logging",
		label, longest)
}
