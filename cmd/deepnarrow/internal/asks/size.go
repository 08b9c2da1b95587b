package asks

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Size say on what a budget is spent, and on what else than training.
type Size struct {
	Workload
	Clusters                 []string
	Days, MaxCost, Hours     *float64
	serve, ServeMFU, Goodput *float64
	Family                   string
	Change                   func(string) bool
}

func (f *Size) Register(c *cobra.Command) {
	f.Workload.Register(c)
	f.Change = c.Flags().Changed
	flags := c.Flags()
	flags.StringArrayVar(&f.Clusters, "cluster", nil,
		"plan real shapes on this `cluster`: 64xh100, or several: 8xh100,64xa100,price=1.20")
	frame.DaysFlag(c, &f.Days, "days", "with --cluster: wall-clock time of the run: 14, 14d or 36h")
	frame.OptionalFlag(c, quantity.Money, &f.MaxCost, "max-cost", "with --cluster: largest bill, such as $50000")
	frame.OptionalFlag(c, quantity.Count, &f.Hours, "max-device-hours", "with --cluster: most device-hours")
	frame.OptionalFlag(c, quantity.Tokens, &f.serve, "serve-tokens",
		"tokens that the model serves in its life, paid from the same budget")
	frame.OptionalFlag(c, quantity.Fraction, &f.ServeMFU, "serve-mfu",
		"with --cluster: utilisation of serving (default: that of training)")
	frame.OptionalFlag(c, quantity.Fraction, &f.Goodput, "goodput",
		"with --cluster: share of the rented time that trains")
	flags.StringVar(&f.Family, "family", string(shapes.Llama),
		"family of real shapes: llama, gpt, bert, t5 or t5.1.1; given, a budget in FLOP is spent on real shapes too")
}

// Shapes says whether the budget is spent on real shapes rather than on a formula.
func (f *Size) Shapes() bool { return len(f.Clusters) > 0 || f.Change("family") }

// Served returns --serve-tokens, 0 where it is not given.
func (f *Size) Served() float64 { return frame.AmountOf(f.serve) }

// Check refuses what does not say one budget.
func (f *Size) Check(budgets []float64) error {
	said := 0
	for _, b := range []struct {
		name  string
		value *float64
	}{{"days", f.Days}, {"max-cost", f.MaxCost}, {"max-device-hours", f.Hours}} {
		switch {
		case b.value == nil:
			continue
		case len(f.Clusters) == 0:
			return frame.Usage("", "--%s needs --cluster: what is rented?", b.name)
		case *b.value == 0:
			return frame.Usage("", "--%s is 0; allowed: more than 0", b.name)
		}
		said++
	}
	if len(budgets) > 0 {
		said++
	}
	switch {
	case said == 0:
		return frame.Usage("", "--budget is needed: how many FLOP is the training run? On a --cluster also --days, --max-cost or --max-device-hours")
	case said > 1:
		return frame.Usage("", "several budgets; allowed: one of --budget, --days, --max-cost and --max-device-hours")
	case f.Days != nil && f.Served() > 0:
		return frame.Usage("", "--serve-tokens takes no part of --days; allowed: with --budget, --max-cost or --max-device-hours")
	case !slices.Contains(recommend.SizeFamilies(), f.Family):
		return frame.UnknownWord("family", f.Family, recommend.SizeFamilies())
	}
	for _, name := range []string{"serve-mfu", "goodput"} {
		if f.Change(name) && len(f.Clusters) == 0 {
			return frame.Usage("", "--%s needs --cluster", name)
		}
	}
	for _, name := range []string{
		"batch", "encoder-length", "decoder-length", "optimizer", "precision", "recompute", "attention",
		"dropout",
	} {
		if f.Change(name) && !f.Shapes() {
			return frame.Usage("", "--%s is of real shapes; allowed: with --cluster or --family", name)
		}
	}
	return nil
}

// Inputs adds what the flags state to the inputs of a JSON document.
func (f *Size) Inputs(in map[string]any) {
	f.Workload.inputs(in)
	if len(in["execution"].(map[string]any)) == 0 {
		delete(in, "execution")
	}
	frame.State(in, "run_seconds", f.Days, "max_cost_usd", f.MaxCost, "max_device_hours", f.Hours,
		"serve_tokens", f.serve, "serve_mfu", f.ServeMFU, "goodput", f.Goodput, "clusters", f.Clusters)
	if f.Shapes() {
		in["family"] = f.Family
	}
}
