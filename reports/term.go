package reports

import (
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
)

// Term fills in the report of one explained term.
func (r *Report) Term(t data.Term) {
	r.Document.Results = append(r.Document.Results, struct {
		Term    string   `json:"term"`
		Aliases []string `json:"aliases,omitempty"`
		Meaning string   `json:"meaning"`
		Formula string   `json:"formula,omitempty"`
		Source  string   `json:"source,omitempty"`
	}{t.Name, t.Aliases, t.Meaning, t.Formula, t.Source})
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
