package check

import (
	"io"
	"maps"
	"time"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

func (r *Result) writeJSON(w io.Writer, a About) error {
	out := reports.Report{Document: result.NewDocument("check", a.Version)}
	maps.Copy(out.Document.Inputs, a.Inputs)
	out.Document.Conventions["flops"] = "matmul"
	out.Document.Warn(r.Warnings...)
	for i := range r.Findings {
		f := &r.Findings[i]
		fields := result.Finding{
			File: f.File, Line: f.Line, Column: f.Column, Rule: f.Rule, Severity: string(f.Severity),
			Status: string(f.Status),
			Value:  f.Value, Limit: f.Limit, Message: f.Message, Hint: f.Hint,
		}
		if f.Metric != plan.NoMetric {
			fields.Metric = f.Metric.String()
		}
		if f.Value != nil {
			fields.Unit = f.unit()
		}
		if f.Run != nil {
			fields.Run = result.RunOf(f.Run)
		}
		if f.Waiver != nil {
			fields.Waived = &result.Waived{
				Reason: f.Waiver.Reason, Expires: f.Waiver.Expires.Format(time.DateOnly),
			}
		}
		out.Document.Add(fields)
	}
	return out.Write(w, reports.JSONFormat, reports.View{})
}

// unit names the base unit of a finding's value.
func (f *Finding) unit() string {
	switch {
	case f.Metric != plan.NoMetric:
		return f.Metric.Unit()
	case f.Kind == quantity.Params:
		return plan.Params.Unit()
	}
	return "count"
}
