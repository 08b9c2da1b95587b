package cli

import (
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

// explainRow reports where the numbers of one recommended row come from.
func explainRow(r *reports.Report, request recommend.Request, result *recommend.Result,
	listed bool, which string,
) error {
	row := result.Row(which)
	if row == nil {
		return frame.Usage("", "--explain: no row %q; allowed: 1 to %d, the name of a row's shape, anchor",
			which, len(result.Rows))
	}
	e, err := recommend.Explain(request, row)
	if err != nil {
		return err
	}
	r.Document.Inputs["explain"] = which
	r.Document.Warn(result.Warnings...)
	r.Explain(listed, result, row, &e)
	return nil
}
