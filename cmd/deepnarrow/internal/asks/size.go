package asks

import (
	"math"
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
	f.Days = new(float64)
	flags.Var(quantity.NewDaysFlag(f.Days), "days",
		"with --cluster: wall-clock time of the run: 14, 14d or 36h")
	*f.Days = math.NaN() // absent, see frame.Given
	f.MaxCost = frame.OptionalFlag(c, quantity.Money, "max-cost", "with --cluster: largest bill, such as $50000")
	f.Hours = frame.OptionalFlag(c, quantity.Count, "max-device-hours", "with --cluster: most device-hours")
	f.serve = frame.OptionalFlag(c, quantity.Tokens, "serve-tokens",
		"tokens that the model serves in its life, paid from the same budget")
	f.ServeMFU = frame.OptionalFlag(c, quantity.Fraction, "serve-mfu",
		"with --cluster: utilisation of serving (default: that of training)")
	f.Goodput = frame.OptionalFlag(c, quantity.Fraction, "goodput",
		"with --cluster: share of the rented time that trains")
	flags.StringVar(&f.Family, "family", string(shapes.Llama),
		"family of real shapes: llama, gpt, bert, t5 or t5.1.1; given, a budget in FLOP is spent on real shapes too")
}

// Shapes says whether the budget is spent on real shapes rather than on a formula.
func (f *Size) Shapes() bool { return len(f.Clusters) > 0 || f.Change("family") }

func (f *Size) Served() float64 {
	if v := frame.Given(f.serve); v != nil {
		return *v
	}
	return 0
}

// Check refuses what does not say one budget.
func (f *Size) Check(budgets []float64) error {
	said := 0
	for _, b := range []struct {
		name  string
		value *float64
	}{{"days", frame.Given(f.Days)}, {"max-cost", frame.Given(f.MaxCost)}, {"max-device-hours", frame.Given(f.Hours)}} {
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
	case frame.Given(f.Days) != nil && f.Served() > 0:
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
	for name, v := range map[string]*float64{
		"run_seconds": frame.Given(f.Days), "max_cost_usd": frame.Given(f.MaxCost), "max_device_hours": frame.Given(f.Hours),
		"serve_tokens": frame.Given(f.serve), "serve_mfu": frame.Given(f.ServeMFU), "goodput": frame.Given(f.Goodput),
	} {
		if v != nil {
			in[name] = *v
		}
	}
	if len(f.Clusters) > 0 {
		in["clusters"] = f.Clusters
	}
	if f.Shapes() {
		in["family"] = f.Family
	}
}
