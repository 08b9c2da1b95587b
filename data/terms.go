package data

import (
	_ "embed" // the glossary
	"slices"
	"strings"
)

// Term is one entry of the glossary that `deepnarrow explain` prints.
type Term struct {
	Name    string
	Aliases []string
	Meaning string
	Formula string // empty when there is none
	Source  string // empty for words that need none
}

var terms = embedded("glossary.csv", func(r *row) Term {
	return Term{
		Name: r.required("term"), Aliases: r.list("aliases"), Meaning: r.required("meaning"),
		Formula: r.text("formula"), Source: r.text("source"),
	}
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
