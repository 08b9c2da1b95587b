package frame

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func Words(list string) func() []string { return func() []string { return strings.Fields(list) } }

// CompleteValues lets shells complete the values of flags: those that the help of a flag lists, else
// those of values, and for the flags ofColumns what columns returns.
func CompleteValues(root *cobra.Command, values map[string]func() []string, ofColumns []string,
	columns cobra.CompletionFunc,
) {
	for _, c := range root.Commands() {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			complete := func(list func() []string) {
				_ = c.RegisterFlagCompletionFunc(f.Name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
					return list(), cobra.ShellCompDirectiveNoFileComp
				}) // an error says that the command has its own
			}
			list, known := values[f.Name]
			switch _, words := pflag.UnquoteUsage(f); {
			case oneOf(words) != nil:
				complete(func() []string { return oneOf(words) })
			case known:
				complete(list)
			}
		})
		for _, name := range ofColumns {
			if c.Flags().Lookup(name) != nil && c.Flags().Lookup("map") != nil {
				_ = c.RegisterFlagCompletionFunc(name, columns)
			}
		}
	}
}

var brackets = regexp.MustCompile(` \([^)]*\)`)

// oneOf reads the choices out of a flag's help: "adam, adafactor or muon (default adam)" and "…: a, b
// or c"; nil where it lists none.
func oneOf(help string) []string {
	help = brackets.ReplaceAllString(help, "")
	if _, after, found := strings.Cut(help, ": "); found {
		help = after
	}
	before, last, found := strings.Cut(help, " or ")
	list := append(strings.Split(before, ", "), last)
	for _, word := range list {
		if !found || word == "" || strings.ContainsAny(word, " ;") {
			return nil
		}
	}
	return list
}
