package cli

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// values are the words that a shell completes for each flag that takes one of a few.
var values = map[string]func() []string{
	"hardware": hardwareNames,
	"profile":  hardwareNames,
	"check":    hardwareNames,
	"like":     shapes.Names,
	"shapes":   shapes.Names,
	"region": func() []string {
		var out []string
		for _, r := range hardware.Regions() {
			out = append(out, r.Key+"\t"+r.Name)
		}
		return out
	},
	"law": func() []string {
		out := []string{"auto"}
		for _, l := range fit.Laws() {
			out = append(out, l.Name)
		}
		return out
	},
	"convention": func() []string {
		out := []string{"all"}
		for _, c := range flops.Conventions() {
			out = append(out, string(c))
		}
		return out
	},
	"format": func() []string {
		var out []string
		for _, f := range append(reports.Formats(), htmlFormat) {
			out = append(out, string(f))
		}
		return out
	},
	"to":        config.ExportFormats,
	"color":     colorChoices,
	"layout":    words("auto"),
	"compiled":  words("yes no auto"),
	"gated":     words("yes no"),
	"el-dl":     words("free tied"),
	"align":     words("64 128 profile"),
	"family":    words("t5 t5.1.1 gpt bert"),
	"judge":     words("downstream upstream"),
	"evidence":  words("primary secondary figure recalled"),
	"objective": words("params flops step-time device-hours cost memory decode-latency quality"),
	"zero":      words("0 1 2 3"),
}

func words(list string) func() []string { return func() []string { return strings.Fields(list) } }

func hardwareNames() []string {
	var out []string
	for _, p := range hardware.Catalogue() {
		for _, alias := range p.Aliases {
			out = append(out, alias+"\t"+p.Name)
		}
	}
	return out
}

// ofColumns are the flags whose values are columns of the files that a command reads.
var ofColumns = []string{"x", "y", "by", "group", "run-key", "where", "upstream", "downstream", "size"}

// completeValues lets shells complete the values of flags.
func (a *app) completeValues(root *cobra.Command) {
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
				_ = c.RegisterFlagCompletionFunc(name, a.columns)
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

// columns completes names of columns of the files on the command line.
func (a *app) columns(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, file := range args {
		if t, err := a.records("", file); err == nil {
			out = append(out, t.Names()...)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
