package reports

import (
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Laws fills in the list of laws that can be fitted.
func (r *Report) Laws(laws []fit.Law) {
	t := Table{
		Columns: []Column{
			{Title: "law"},
			{Title: "predicts", Optional: 2},
			{Title: "from", Wraps: true},
			{Title: "formula", Wraps: true},
			{Title: "source", Wraps: true, Optional: 1},
		},
		Notes: []string{"--x names other columns to predict from, in the same order. --law auto compares laws by their error on held-out rows."},
	}
	fitted := ""
	for i := range laws {
		l := &laws[i]
		if fitted == "" && learn.CanAllocate(*l) { // others need --x or --y
			fitted = l.Name
		}
		t.add(Text(l.Name), Text(l.Response), Text(strings.Join(l.Columns, ", ")), Text(l.Formula),
			Text(l.Source))
		r.Document.Add(result.ListedLawOf(l))
	}
	r.listed(len(laws), "law", "fit runs.csv --law", fitted, t)
}
