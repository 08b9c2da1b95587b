package records

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// series is a column of a wandb chart: the metric of a run.
type chartSeries struct {
	run, metric string
	column      int
}

// wandbChart tells the CSV that a wandb chart exports by its heading, and returns its series: the
// columns are a step and, for each run, "run - metric" with the bounds "run - metric__MIN" and "run
// - metric__MAX", which are left out. nil when the heading is another table's.
func wandbChart(head []string) (all []chartSeries) {
	bounds := false
	for i, h := range head {
		if i == 0 {
			continue
		}
		at := strings.LastIndex(h, " - ")
		if at <= 0 {
			return nil
		}
		metric := h[at+len(" - "):]
		if strings.HasSuffix(metric, "__MIN") || strings.HasSuffix(metric, "__MAX") {
			bounds = true
			continue
		}
		all = append(all, chartSeries{h[:at], metric, i})
	}
	if !bounds {
		return nil
	}
	return all
}

// wandbRows reads the rows of a chart, one a run and step. A run is a name in the legend, which wandb
// lets several runs share: the columns of one name that come twice are runs of their own.
func (b *builder) wandbRows(name string, s *separated, head []string, all []chartSeries) error {
	width, step := len(head), "step"
	if first := fold(head[0]); first != "step" && !strings.HasSuffix(first, "_step") {
		step = head[0]
	}
	type chartRun struct {
		part   int32
		series []chartSeries
	}
	var runs []*chartRun
	again := map[string]int{}
	b.in(name)
	for _, c := range all {
		var of *chartRun
		for _, r := range runs {
			taken := func(have chartSeries) bool { return have.metric == c.metric }
			if r.series[0].run == c.run && !slices.ContainsFunc(r.series, taken) {
				of = r
			}
		}
		if of == nil {
			path := name + "/" + c.run
			if again[c.run]++; again[c.run] > 1 {
				path += fmt.Sprintf(" #%d", again[c.run])
			}
			b.begin(part{path: path, name: c.run}, "runs of wandb charts")
			of = &chartRun{part: b.part}
			runs = append(runs, of)
		}
		of.series = append(of.series, c)
	}
	for {
		cells, line, err := s.record()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &Error{File: name, Line: line, Problem: err.Error()}
		}
		if len(cells) != width {
			b.lose(name, line, "%d cells where the heading has %d", len(cells), width)
			continue
		}
		for _, r := range runs {
			begun := false
			for _, c := range r.series {
				if cells[c.column] == "" {
					continue
				}
				if !begun {
					begun, b.part = true, r.part
					b.row(line)
					b.put(step, cells[0])
				}
				b.field("chart", c.metric, cells[c.column])
			}
		}
	}
}
