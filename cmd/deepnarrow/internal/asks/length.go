package asks

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Length say how long a run is; at most one is given.
type Length struct {
	Steps, Tokens, days, Deadline, MaxCost *float64
}

// registerWork registers only what says how much work the run is.
func (f *Length) registerWork(c *cobra.Command) {
	frame.OptionalFlag(c, quantity.Count, &f.Steps, "steps", "optimizer steps (default 524288)")
	frame.OptionalFlag(c, quantity.Tokens, &f.Tokens, "tokens", "training tokens, such as 34.4B")
}

func (f *Length) register(c *cobra.Command) {
	f.registerWork(c)
	frame.DaysFlag(c, &f.days, "days", "wall-clock length of the run: 20, 20d or 36h")
	frame.OptionalFlag(c, quantity.Duration, &f.Deadline, "deadline",
		"most wall-clock time, such as 14d: how many tokens fit?")
	frame.OptionalFlag(c, quantity.Money, &f.MaxCost, "max-cost",
		"largest bill, such as $5000: how many tokens does it buy?")
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *Length) inputs(in map[string]any) {
	frame.State(in, "steps", f.Steps, "tokens", f.Tokens, "run_seconds", f.days,
		"deadline_seconds", f.Deadline, "max_cost_usd", f.MaxCost)
}

// MostLength bounds every way to say how long a run is, in its base unit: a million times the
// longest run on record, and whole numbers of it are printed.
const MostLength = 1e18

// amount returns what a flag states, 0 where it is not given.
func amount(name string, flag *float64) (float64, error) {
	if flag != nil && !(*flag > 0 && *flag <= MostLength) {
		return 0, frame.Usage("", "--%s is %s; allowed: more than 0, up to 1e18", name,
			quantity.Shortest(*flag))
	}
	return frame.AmountOf(flag), nil
}

// Stated returns what the flags say; zero where none is given.
func (f *Length) Stated() (hardware.Length, error) {
	var out hardware.Length
	chosen := ""
	for _, option := range []struct {
		name   string
		value  *float64
		target *float64
	}{
		{"--steps", f.Steps, &out.Steps},
		{"--tokens", f.Tokens, &out.Tokens},
		{"--days", f.days, &out.WallSeconds},
		{"--deadline", f.Deadline, &out.WallSeconds},
		{"--max-cost", f.MaxCost, &out.MaxUSD},
	} {
		switch {
		case option.value == nil: // not given, or not a flag of this command
		case chosen != "":
			return out, frame.Usage("", "%s and %s both say how long the run is; allowed: one of them",
				chosen, option.name)
		case *option.value == 0:
			return out, frame.Usage("", "%s is 0; allowed: more than 0", option.name)
		case *option.value > MostLength:
			return out, frame.Usage("", "%s is %s; allowed: up to 1e18", option.name,
				quantity.Shortest(*option.value))
		case option.value == f.Steps && *option.value < 1:
			return out, frame.Usage("", "--steps is %s; allowed: 1 or more",
				quantity.Shortest(*option.value))
		default:
			chosen, *option.target = option.name, *option.value
		}
	}
	return out, nil
}
