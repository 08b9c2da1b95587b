package data

import (
	_ "embed" // the glossary
	"slices"
	"strings"
	"sync"
)

// Term is one entry of the glossary that `deepnarrow explain` prints.
type Term struct {
	Name    string
	Aliases []string
	Meaning string
	Formula string // empty when there is none
	Source  string // empty for words that need none
}

// The glossary lies beside the facts, not among them: it defines words and
// states no measurement that would need an evidence class.
//
//go:embed glossary.csv
var glossary string

var terms = sync.OnceValue(func() []Term {
	rows, err := readTable("glossary.csv", strings.NewReader(glossary), func(r *row) Term {
		return Term{
			Name: r.required("term"), Aliases: r.list("aliases"), Meaning: r.required("meaning"),
			Formula: r.text("formula"), Source: r.text("source"),
		}
	})
	if err != nil {
		panic("data: " + err.Error())
	}
	return rows
})

// Terms returns the glossary, in the order of the file.
func Terms() []Term { return slices.Clone(terms()) }

// FindTerm returns the term of that name or alias, letter case aside.
func FindTerm(name string) (Term, bool) {
	for _, t := range terms() {
		for _, n := range append([]string{t.Name}, t.Aliases...) {
			if strings.EqualFold(n, name) {
				return t, true
			}
		}
	}
	return Term{}, false
}
