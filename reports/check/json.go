package check

import (
	"io"
	"time"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// findingFields is a finding in JSON. Other programs rely on the names; a rename raises the
// schema's version.
type findingFields struct {
	File     string        `json:"file"`
	Line     int           `json:"line,omitempty"`
	Column   int           `json:"column,omitempty"`
	Rule     string        `json:"rule"`
	Severity Severity      `json:"severity"`
	Status   Status        `json:"status"`
	Metric   plan.Metric   `json:"metric,omitempty"`
	Value    *float64      `json:"value,omitempty"`
	Limit    *float64      `json:"limit,omitempty"`
	Unit     string        `json:"unit,omitempty"` // of value and limit
	Message  string        `json:"message"`
	Hint     string        `json:"hint,omitempty"`
	Waived   *waivedFields `json:"waived,omitempty"`
	// how the configuration was run; absent where it could not be planned
	*reports.RunFields
}

type waivedFields struct {
	Reason  string `json:"reason"`
	Expires string `json:"expires"`
}

func (r *Result) writeJSON(w io.Writer, a About) error {
	out := reports.Report{Document: result.NewDocument("check", a.Version)}
	for key, value := range a.Inputs {
		out.Document.Inputs[key] = value
	}
	out.Document.Conventions["flops"] = "matmul"
	out.Document.Warnings = append(out.Document.Warnings, r.Warnings...)
	for i := range r.Findings {
		f := &r.Findings[i]
		fields := findingFields{
			File: f.File, Line: f.Line, Column: f.Column, Rule: f.Rule, Severity: f.Severity,
			Status: f.Status,
			Metric: f.Metric, Value: f.Value, Limit: f.Limit, Message: f.Message, Hint: f.Hint,
		}
		if f.Value != nil {
			fields.Unit = f.unit()
		}
		if f.Run != nil {
			fields.RunFields = reports.RunOf(f.Run)
		}
		if f.Waiver != nil {
			fields.Waived = &waivedFields{f.Waiver.Reason, f.Waiver.Expires.Format(time.DateOnly)}
		}
		out.Document.Results = append(out.Document.Results, fields)
	}
	return out.Write(w, reports.JSONFormat, 0)
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
