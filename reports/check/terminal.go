package check

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// writeText writes findings for a terminal: the worst first, each with its place, then what the
// configurations cost, in the width, then the sum.
func (r *Result) writeText(w io.Writer, width int) error {
	var b strings.Builder
	broken, waived := r.urgent()
	for _, f := range broken {
		fmt.Fprintf(&b, "%-5s %s  %s\n      %s\n", f.Status, plain.Line(f.place()), f.Rule,
			plain.Line(f.Message))
		if f.Hint != "" {
			fmt.Fprintf(&b, "      hint: %s\n", plain.Line(f.Hint))
		}
	}
	for _, f := range waived {
		fmt.Fprintf(&b, "waived until %s: %s  %s: %s\n", f.Waiver.Expires.Format(time.DateOnly),
			plain.Line(f.place()), f.Rule, plain.Line(f.Waiver.Reason))
	}
	if len(broken)+len(waived) > 0 {
		b.WriteByte('\n')
	}
	if len(r.Costs) > 0 {
		costs := reports.Report{Tables: []reports.Table{r.costTable()}}
		if err := costs.Write(&b, reports.TextFormat, reports.View{Width: width, Quiet: true}); err != nil {
			return err
		}
		b.WriteByte('\n')
	}
	b.WriteString(r.verdict() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// costTable says what each configuration costs; metrics that none has are left out.
func (r *Result) costTable() reports.Table {
	t := reports.Table{Columns: []reports.Column{{Title: "file"}}}
	var shown []plan.Metric
	for _, column := range []struct {
		metric plan.Metric
		title  string
	}{
		{plan.Params, "params"},
		{plan.StepFLOPs, "step"},
		{plan.Memory, "memory"},
		{plan.StepTime, "step time"},
		{plan.TotalTime, "total time"},
		{plan.Cost, "cost"},
		{plan.CO2, "CO2e"},
	} {
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
			t.Columns = append(t.Columns, reports.Column{Title: column.title, Kind: kind})
		}
	}
	for _, c := range r.Costs {
		row := []reports.Cell{reports.Text(c.File)}
		for _, metric := range shown {
			e := c.Measures[metric].Interval
			if metric == plan.Params {
				row = append(row, reports.Count(int64(e.Value)))
				continue
			}
			row = append(row, reports.Optional(e))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
