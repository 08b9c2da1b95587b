package cli

import (
	"errors"
	"math"
	"slices"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// sizeFlags say on what a budget is spent, and on what else than training.
type sizeFlags struct {
	workloadFlags
	clusters                 []string
	days, maxCost, hours     *float64
	serve, serveMFU, goodput *float64
	family                   string
	change                   func(string) bool
}

func (f *sizeFlags) register(c *cobra.Command) {
	f.workloadFlags.register(c)
	f.change = c.Flags().Changed
	flags := c.Flags()
	flags.StringArrayVar(&f.clusters, "cluster", nil,
		"plan real shapes on this `cluster`: 64xh100, or several: 8xh100,64xa100,price=1.20")
	f.days = new(float64)
	flags.Var(quantity.NewDaysFlag(f.days), "days",
		"with --cluster: wall-clock time of the run: 14, 14d or 36h")
	*f.days = math.NaN() // absent, see given
	f.maxCost = optionalFlag(c, quantity.Money, "max-cost", "with --cluster: largest bill, such as $50000")
	f.hours = optionalFlag(c, quantity.Count, "max-device-hours", "with --cluster: most device-hours")
	f.serve = optionalFlag(c, quantity.Tokens, "serve-tokens",
		"tokens that the model serves in its life, paid from the same budget")
	f.serveMFU = optionalFlag(c, quantity.Fraction, "serve-mfu",
		"with --cluster: utilisation of serving (default: that of training)")
	f.goodput = optionalFlag(c, quantity.Fraction, "goodput",
		"with --cluster: share of the rented time that trains")
	flags.StringVar(&f.family, "family", string(shapes.Llama),
		"family of real shapes: llama, gpt, bert, t5 or t5.1.1; given, a budget in FLOP is spent on real shapes too")
}

// shapes says whether the budget is spent on real shapes rather than on a formula.
func (f *sizeFlags) shapes() bool { return len(f.clusters) > 0 || f.change("family") }

func (f *sizeFlags) served() float64 {
	if v := given(f.serve); v != nil {
		return *v
	}
	return 0
}

// check refuses what does not say one budget.
func (f *sizeFlags) check(budgets []float64) error {
	said := 0
	for _, b := range []struct {
		name  string
		value *float64
	}{{"days", given(f.days)}, {"max-cost", given(f.maxCost)}, {"max-device-hours", given(f.hours)}} {
		switch {
		case b.value == nil:
			continue
		case len(f.clusters) == 0:
			return usage("", "--%s needs --cluster: what is rented?", b.name)
		case *b.value == 0:
			return usage("", "--%s is 0; allowed: more than 0", b.name)
		}
		said++
	}
	if len(budgets) > 0 {
		said++
	}
	switch {
	case said == 0:
		return usage("", "--budget is needed: how many FLOP is the training run? On a --cluster also --days, --max-cost or --max-device-hours")
	case said > 1:
		return usage("", "several budgets; allowed: one of --budget, --days, --max-cost and --max-device-hours")
	case given(f.days) != nil && f.served() > 0:
		return usage("", "--serve-tokens takes no part of --days; allowed: with --budget, --max-cost or --max-device-hours")
	case !slices.Contains(recommend.SizeFamilies(), f.family):
		return unknownKind("family", f.family, recommend.SizeFamilies())
	}
	for _, name := range []string{"serve-mfu", "goodput"} {
		if f.change(name) && len(f.clusters) == 0 {
			return usage("", "--%s needs --cluster", name)
		}
	}
	for _, name := range []string{
		"batch", "encoder-length", "decoder-length", "optimizer", "precision", "recompute", "attention",
		"dropout",
	} {
		if f.change(name) && !f.shapes() {
			return usage("", "--%s is of real shapes; allowed: with --cluster or --family", name)
		}
	}
	return nil
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *sizeFlags) inputs(in map[string]any) {
	f.workloadFlags.inputs(in)
	if len(in["execution"].(map[string]any)) == 0 {
		delete(in, "execution")
	}
	for name, v := range map[string]*float64{
		"run_seconds": given(f.days), "max_cost_usd": given(f.maxCost), "max_device_hours": given(f.hours),
		"serve_tokens": given(f.serve), "serve_mfu": given(f.serveMFU), "goodput": given(f.goodput),
	} {
		if v != nil {
			in[name] = *v
		}
	}
	if len(f.clusters) > 0 {
		in["clusters"] = f.clusters
	}
	if f.shapes() {
		in["family"] = f.family
	}
}

// sizes spends the budgets on real shapes: a result for each cluster, budget and law.
func (a *app) sizes(f *allocateFlags, laws []*learn.Law, budgets []float64, r *reports.Report) error {
	find := func(spec string) (hardware.Profile, error) { return profile(spec, a.opens) }
	clusters, err := plan.ParseClusters(find, f.size.clusters...)
	if err != nil {
		return badInput(err, "deepnarrow list hardware shows what there is")
	}
	q := recommend.SizeQuestion{
		Family: shapes.Family(f.size.family), ServeTokens: f.size.served(), Level: f.level,
	}
	f.size.ask(&q.Question)
	if q.Question.Goodput = given(f.size.goodput); q.Question.Goodput != nil && *q.Question.Goodput == 0 {
		return usage("", "--goodput is 0; allowed: more than 0, up to 1")
	}
	if v := given(f.size.serveMFU); v != nil {
		q.ServeMFU = *v
	}
	var spent []recommend.Budget
	for _, b := range budgets {
		spent = append(spent, recommend.Budget{FLOPs: b})
	}
	if len(spent) == 0 {
		value := func(v *float64) float64 {
			if v = given(v); v != nil {
				return *v
			}
			return 0
		}
		spent = []recommend.Budget{{
			WallSeconds: value(f.size.days), USD: value(f.size.maxCost), DeviceHours: value(f.size.hours),
		}}
	}
	if len(budgets) > 0 {
		r.Document.Inputs["budgets_flops"] = budgets
	}
	f.size.inputs(r.Document.Inputs)
	r.Document.Conventions["flops"] = flops.MatmulConvention
	if len(clusters) == 0 {
		clusters = []plan.Cluster{{}}
	}
	for i := range clusters {
		one, name := q, ""
		if len(f.size.clusters) > 0 {
			c := &clusters[i]
			if name = c.String(); c.Devices == 0 {
				return usage("", "--cluster %s has no number of devices; allowed: such as 64x%s", name, name)
			}
			one.Question = c.Ask(q.Question)
		}
		for _, b := range spent {
			for _, law := range laws {
				one.Law, one.Budget = law, b
				s, err := one.Answer()
				if err != nil {
					return sizeError(err)
				}
				r.Size(s, &one, name)
			}
		}
	}
	return a.render(*r)
}

// sizeError gives an error of sizing its exit code.
func sizeError(err error) error {
	var refusal *fit.Refusal
	var none *recommend.NoAnswerError
	switch {
	case errors.As(err, &refusal):
		return refused(err)
	case errors.As(err, &none):
		return noAnswer(err, "")
	}
	return planError(err)
}
