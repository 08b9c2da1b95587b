package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/data"
)

func (a *app) explain() *cobra.Command {
	c := &cobra.Command{
		Use:     "explain TERM",
		Short:   "Explain a term, with its formula and source",
		GroupID: groupPlan,
		Example: "  deepnarrow explain mfu\n  deepnarrow explain mesh-tf",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return frame.Usage("terms: "+strings.Join(termNames(), ", "), "%s needs a term",
					c.Name())
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string,
			cobra.ShellCompDirective,
		) {
			return termNames(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			word := strings.Join(args, " ")
			term, ok := data.FindTerm(word)
			if !ok {
				return frame.Usage(frame.DidYouMean(word, termNames(), "deepnarrow explain lists the terms"),
					"unknown term: %q", word)
			}
			r := frame.NewReport("explain")
			r.Term(term)
			return a.Render(r)
		},
	}
	a.Output.Register(c)
	return c
}

func termNames() []string {
	var names []string
	for _, t := range data.Terms() {
		names = append(names, t.Name)
	}
	return names
}
