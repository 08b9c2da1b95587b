package frame

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// commandLine writes the arguments as a shell reads them, without the flags that say where the
// result goes and how it looks: the same result has the same command line.
func commandLine(args []string) string {
	words := []string{"deepnarrow"}
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(args[i], "=")
		switch {
		case slices.Contains([]string{"--wide", "--details", "-q", "--quiet", "-v", "--verbose"}, name):
		case slices.Contains([]string{"-o", "-f", "--output", "--format", "--color"}, name):
			if !joined {
				i++ // its value
			}
		case strings.HasPrefix(args[i], "-o") && !strings.HasPrefix(args[i], "--"):
		default:
			words = append(words, plan.Quoted(args[i]))
		}
	}
	return strings.Join(words, " ")
}

// Typed returns the flags that were typed, but those of output and the ones left out: those that a
// command line of the same run has too.
func Typed(flags *pflag.FlagSet, out ...string) []plan.Flag {
	var typed []plan.Flag
	flags.Visit(func(f *pflag.Flag) {
		if OfOutput(f.Name) || slices.Contains(out, f.Name) {
			return
		}
		switch v := f.Value.(type) {
		case pflag.SliceValue:
			for _, item := range v.GetSlice() {
				typed = append(typed, plan.Flag{Name: f.Name, Value: item})
			}
		default:
			value := v.String()
			if f.NoOptDefVal != "" {
				if value != f.NoOptDefVal {
					return // --dropout=false is as if it were not typed
				}
				value = ""
			}
			typed = append(typed, plan.Flag{Name: f.Name, Value: value})
		}
	})
	return typed
}
