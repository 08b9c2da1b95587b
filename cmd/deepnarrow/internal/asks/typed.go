package asks

import (
	"slices"

	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Typed returns the flags that were typed, but those of output and the ones left out: those that a
// command line of the same run has too.
func Typed(flags *pflag.FlagSet, out ...string) []plan.Flag {
	var typed []plan.Flag
	flags.Visit(func(f *pflag.Flag) {
		if frame.OfOutput(f.Name) || slices.Contains(out, f.Name) {
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
