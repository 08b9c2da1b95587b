package cli

import (
	"errors"
	"math"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

// sizes spends the budgets on real shapes.
func (a *app) sizes(f *allocateFlags, laws []*learn.Law, budgets []float64, r *reports.Report) error {
	find := func(spec string) (hardware.Profile, error) { return profile(spec, a.opens) }
	clusters, err := plan.ParseClusters(find, f.size.clusters...)
	if err != nil {
		return badInput(err, "deepnarrow list hardware shows what there is; clusters look like 8xh100")
	}
	q := recommend.SizeQuestion{
		Family: shapes.Family(f.size.family), ServeTokens: f.size.served(), Level: f.level,
		ServeMFU: amountOf(f.size.serveMFU),
	}
	f.size.ask(&q.Question)
	if q.Question.Goodput = given(f.size.goodput); q.Question.Goodput != nil && *q.Question.Goodput == 0 {
		return usage("", "--goodput is 0; allowed: more than 0, up to 1")
	}
	spent := []recommend.Budget{{
		WallSeconds: amountOf(f.size.days), USD: amountOf(f.size.maxCost),
		DeviceHours: amountOf(f.size.hours),
	}}
	if len(budgets) > 0 {
		r.Document.Inputs["budgets_flops"] = budgets
		spent = nil
	}
	for _, b := range budgets {
		spent = append(spent, recommend.Budget{FLOPs: b})
	}
	f.size.inputs(r.Document.Inputs)
	return a.spend(r, q, clusters, spent, laws)
}

// amountOf returns the value of an optional flag, 0 when it was not given.
func amountOf(flag *float64) float64 {
	if v := given(flag); v != nil {
		return *v
	}
	return 0
}

// spend answers what to train, a result for each cluster, budget and law.
func (a *app) spend(r *reports.Report, q recommend.SizeQuestion, clusters []plan.Cluster,
	budgets []recommend.Budget, laws []*learn.Law,
) error {
	r.Document.Conventions["flops"] = flops.MatmulConvention
	if len(clusters) == 0 {
		clusters = []plan.Cluster{{}}
	}
	for i := range clusters {
		one, name := q, ""
		if c := &clusters[i]; c.Profile.Name != "" {
			if name = c.String(); c.Devices == 0 {
				return usage("", "%s has no number of devices; allowed: such as 64x%s", name, name)
			}
			one.Question = c.Ask(q.Question)
		}
		for _, b := range budgets {
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

// sizing says whether recommend is asked for size and tokens together.
func (f *recommendFlags) sizing() bool { return len(f.published) > 0 || given(f.days) != nil }

// ofSizing are the flags of recommend that say something of such a question.
var ofSizing = []string{
	"published", "days", "max-cost", "max-device-hours", "max-flops", "family", "fit",
	"cluster", "hardware", "devices", "price", "mfu", "goodput", "region", "batch", "encoder-length",
	"decoder-length", "optimizer", "precision", "recompute", "attention", "dropout", "compiled", "stack",
	"layout", "dp", "tp", "pp", "zero", "micro-batch", "accumulate", "interleave", "sequence-parallel",
	"watts", "pue", "grid",
}

// size answers what to train for a budget by a law, as allocate does.
func (f *recommendFlags) size(c *cobra.Command, a *app, ask *questionFlags) error {
	var stray string
	c.Flags().Visit(func(flag *pflag.Flag) {
		if !slices.Contains(ofSizing, flag.Name) && !ofOutput(flag.Name) {
			stray = flag.Name
		}
	})
	if stray != "" {
		return usage("deepnarrow allocate has more of such questions",
			"--%s does not go with --days and --published, which ask for size and tokens together", stray)
	}
	b := recommend.Budget{
		WallSeconds: amountOf(f.days), USD: amountOf(f.caps[plan.Cost]),
		DeviceHours: amountOf(f.caps[plan.DeviceHours]), FLOPs: amountOf(f.caps[plan.RunFLOPs]),
	}
	said := 0
	for _, v := range []float64{b.WallSeconds, b.USD, b.DeviceHours, b.FLOPs} {
		if v > 0 {
			said++
		}
	}
	if said != 1 {
		return usage("", "%d budgets; allowed: one of --days, --max-cost, --max-device-hours and --max-flops, above 0", said)
	}
	r := newReport("allocate") // whose document it is
	laws := allocateFlags{from: f.fitted, published: f.published}
	if f.fitted != "" && len(f.published) > 0 {
		return usage("", "a law is needed from one place; allowed: --fit or --published")
	}
	if f.fitted == "" && len(f.published) == 0 {
		laws.published = []string{defaultLaw}
	}
	all, err := a.lawsOf(c.Context(), &laws, nil, &r)
	if err != nil {
		return err
	}
	q := recommend.SizeQuestion{Family: shapes.Llama, Level: defaultIntervalLevel}
	if c.Flags().Changed("family") {
		q.Family = shapes.Family(f.family)
	}
	if q.Question, err = ask.question(); err != nil {
		return err
	}
	var clusters []plan.Cluster
	if ask.named() {
		if clusters, err = ask.machines(); err != nil {
			return err
		}
	}
	ask.inputs(r.Document.Inputs)
	r.Document.Inputs["family"] = q.Family
	return a.spend(&r, q, clusters, []recommend.Budget{b}, all)
}

// defaultLaw is the published law that sizes where none is named: the fit of Besiroglu et al. 2024 to the
// runs of Chinchilla.
const defaultLaw = "chinchilla-epoch"

// sizeError gives an error of sizing its exit code.
func sizeError(err error) error {
	var refusal *fit.Refusal
	var none *recommend.NoAnswerError
	var missing *hardware.MissingError
	switch {
	case errors.As(err, &refusal):
		return refused(err)
	case errors.As(err, &none):
		return noAnswer(err, "")
	case errors.As(err, &missing):
		return usage("", "%w", err)
	}
	return planError(err)
}
