package cli

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

// explainRow reports where the numbers of one recommended row come from.
func explainRow(r *reports.Report, request recommend.Request, answers []reports.Recommended,
	which string,
) error {
	among, result, row := findRow(answers, which)
	if row == nil {
		return usage("", "--explain: no row %q; allowed: %s", which,
			strings.Join(rowNames(answers), ", "))
	}
	e, err := recommend.Explain(request, row)
	if err != nil {
		return err
	}
	r.Document.Inputs["explain"] = which
	r.Document.Warnings = append(r.Document.Warnings, result.Warnings...)
	r.Explain(among, result, row, &e)
	return nil
}

// findRow finds a row by its rank in the first table that has it, by its table and rank, or by its
// shape; nil when there is none.
func findRow(answers []reports.Recommended, which string) (string, *recommend.Result,
	*recommend.Row,
) {
	table, rank, named := strings.Cut(which, ":")
	for i := range answers {
		result := &answers[i].Result
		if a := result.Anchor; a != nil && (which == "anchor" || which == a.Shape.Name) {
			return "anchor", result, a
		}
		for n := range result.Rows {
			row := &result.Rows[n]
			at := fmt.Sprint(row.Rank)
			if which == row.Shape.Name || which == at || named && table == answers[i].Among &&
				rank == at {
				return answers[i].Among, result, row
			}
		}
	}
	return "", nil, nil
}

// rowNames lists what findRow takes, in short.
func rowNames(answers []reports.Recommended) []string {
	var out []string
	for i := range answers {
		n := len(answers[i].Result.Rows)
		if i == 0 {
			out = append(out, fmt.Sprintf("1 to %d", n))
		}
		out = append(out, fmt.Sprintf("%s:1 to %s:%d", answers[i].Among, answers[i].Among, n))
	}
	return append(out, "the name of a row's shape", "anchor")
}
