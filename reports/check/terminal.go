package check

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

const (
	mostAlike = 3  // warnings of one rule in a text
	mostCosts = 20 // files whose costs a text lists
)

// writeText writes findings for a terminal: the worst first, each with its place, then what the
// configurations cost, in the width, then the sum.
func (r *Result) writeText(w io.Writer, a About) error {
	var b strings.Builder
	view := reports.View{Width: a.Width, Color: a.Color, Quiet: true}
	broken, waived := r.urgent()
	warned := map[string]int{} // by a rule
	for _, f := range broken {
		if f.Status == Warn && !a.Verbose {
			if warned[f.Rule]++; warned[f.Rule] > mostAlike {
				continue
			}
		}
		status := fmt.Sprintf("%-5s", f.Status)
		if f.Status != Warn {
			status = view.Alarm(status)
		}
		fmt.Fprintf(&b, "%s %s  %s\n      %s\n", status, plain.Line(f.place()), f.Rule, plain.Line(f.Message))
		if f.Hint != "" {
			fmt.Fprintf(&b, "      hint: %s\n", plain.Line(f.Hint))
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(warned)) {
		if more := warned[rule] - mostAlike; more > 0 {
			fmt.Fprintf(&b, "warn  and %s of %s: -v shows all\n", quantity.Of(more, "more warning"), rule)
		}
	}
	if a.Quiet {
		_, err := io.WriteString(w, b.String())
		return err
	}
	for _, f := range waived {
		fmt.Fprintf(&b, "waived until %s: %s  %s: %s\n", f.Waiver.Expires.Format(time.DateOnly),
			plain.Line(f.place()), f.Rule, plain.Line(f.Waiver.Reason))
	}
	if len(broken)+len(waived) > 0 {
		b.WriteByte('\n')
	}
	for _, name := range r.Removed {
		fmt.Fprintf(&b, "removed  %s\n", plain.Line(name))
	}
	if len(r.Costs) > 0 {
		table := r.costTable()
		if more := len(table.Rows) - mostCosts; more > 0 && !a.Verbose {
			table.Rows = table.Rows[:mostCosts]
			table.Notes = append(table.Notes, fmt.Sprintf("and %s: -v shows all", quantity.Of(more, "more file")))
		}
		costs := reports.Report{Tables: []reports.Table{table}}
		if err := costs.Write(&b, reports.TextFormat, view); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	b.WriteString(plain.Line(r.verdict()) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// costTable says what each configuration costs, and the change since a revision where one is compared
// with; metrics that none has are left out.
func (r *Result) costTable() reports.Table {
	t := reports.Table{Columns: []reports.Column{{Title: "file"}}}
	var shown []plan.Metric
	for _, column := range []struct {
		metric   plan.Metric
		title    string
		optional int // see [reports.Column]; such columns are not compared
	}{
		{plan.Params, "params", 0},
		{plan.StepFLOPs, "step", 2},
		{plan.Memory, "memory", 0},
		{plan.StepTime, "step time", 3},
		{plan.TotalTime, "total time", 4},
		{plan.Cost, "cost", 0},
		{plan.CO2, "CO2e", 1},
	} {
		if r.Since != "" && column.optional > 0 {
			continue
		}
		known := false
		for _, c := range r.Costs {
			known = known || c.Measures[column.metric].Interval != nil
		}
		if known {
			shown = append(shown, column.metric)
			kind := column.metric.Kind()
			if column.metric == plan.Params {
				kind = quantity.Number // printed in full
			}
			t.Columns = append(t.Columns, reports.Column{Title: column.title, Kind: kind, Optional: column.optional})
		}
	}
	for i := range r.Costs {
		c := &r.Costs[i]
		row := []reports.Cell{reports.Text(c.File)}
		for _, metric := range shown {
			e := c.Measures[metric].Interval
			cell := reports.Optional(e)
			if metric == plan.Params {
				cell = reports.Count(int64(e.Value))
			}
			row = append(row, cell.Marked(r.change(c, metric)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// change says behind an amount by how much it changed since the revision that is compared with, and
// nothing where it did not.
func (r *Result) change(c *Cost, metric plan.Metric) string {
	now := c.Measures[metric].Interval
	switch {
	case r.Since == "" || now == nil || metric != plan.Params && (c.New || c.Base == nil):
		return ""
	case c.New:
		return " (new)"
	case c.Base == nil || c.Base[metric].Interval == nil:
		return " (before: not known)"
	}
	before := c.Base[metric].Interval.Value
	if before == now.Value || before == 0 {
		return ""
	}
	return " (" + signed(now.Value/before-1) + ")"
}
