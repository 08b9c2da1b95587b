package cli

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

// explainRow reports where the numbers of one recommended row come from.
func explainRow(r *reports.Report, request recommend.Request, result *recommend.Result,
	listed bool, which string,
) error {
	row := findRow(result, which)
	if row == nil {
		return frame.Usage("", "--explain: no row %q; allowed: 1 to %d, the name of a row's shape, anchor",
			which, len(result.Rows))
	}
	e, err := recommend.Explain(request, row)
	if err != nil {
		return err
	}
	r.Document.Inputs["explain"] = which
	r.Document.Warnings = append(r.Document.Warnings, result.Warnings...)
	r.Explain(listed, result, row, &e)
	return nil
}

// findRow finds a row by its number or its shape; nil when there is none.
func findRow(result *recommend.Result, which string) *recommend.Row {
	if a := result.Anchor; a != nil && (which == "anchor" || which == "0" || which == a.Shape.Name) {
		return a
	}
	for n := range result.Rows {
		row := &result.Rows[n]
		if which == row.Shape.Name || which == fmt.Sprint(row.Rank) {
			return row
		}
	}
	return nil
}
