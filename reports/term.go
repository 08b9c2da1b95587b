package reports

import (
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Term fills in the report of one explained term.
func (r *Report) Term(t data.Term) {
	r.Document.Add(result.TermOf(&t))
	r.Headline = []string{t.Name}
	table := Table{Notes: []string{t.Meaning}}
	for _, line := range []struct{ label, text string }{
		{"Formula: ", t.Formula}, {"Also: ", strings.Join(t.Aliases, ", ")}, {"Source: ", t.Source},
	} {
		if line.text != "" {
			table.Notes = append(table.Notes, line.label+line.text)
		}
	}
	r.Tables = append(r.Tables, table)
}
