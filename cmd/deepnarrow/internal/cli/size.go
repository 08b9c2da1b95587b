package cli

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// sizes spends the budgets on real shapes.
func (a *app) sizes(f *allocateFlags, laws []*learn.Law, budgets []float64, r *reports.Report) error {
	find := func(spec string) (hardware.Profile, error) { return asks.Profile(spec, a.Opens) }
	clusters, err := plan.ParseClusters(find, f.size.Clusters...)
	if err != nil {
		return frame.BadInput(err, "deepnarrow list hardware shows what there is; clusters look like 8xh100")
	}
	q := recommend.SizeQuestion{
		Family: shapes.Family(f.size.Family), ServeTokens: f.size.Served(), Level: f.Level,
		ServeMFU: frame.AmountOf(f.size.ServeMFU),
	}
	f.size.AddTo(&q.Question)
	if q.Question.Goodput = f.size.Goodput; q.Question.Goodput != nil && *q.Question.Goodput == 0 {
		return frame.Usage("", "--goodput is 0; allowed: more than 0, up to 1")
	}
	spent := []recommend.Budget{{
		WallSeconds: frame.AmountOf(f.size.Days), USD: frame.AmountOf(f.size.MaxCost),
		DeviceHours: frame.AmountOf(f.size.Hours),
	}}
	if len(budgets) > 0 {
		r.Document.Inputs["budgets_flops"] = budgets
		spent = nil
	}
	for _, b := range budgets {
		spent = append(spent, recommend.Budget{FLOPs: b})
	}
	f.size.Inputs(r.Document.Inputs)
	return a.spend(r, q, clusters, spent, laws)
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
				return frame.Usage("", "%s has no number of devices; allowed: such as 64x%s", name, name)
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
	return a.Render(*r)
}

// sizing says whether recommend is asked for size and tokens together.
func (f *recommendFlags) sizing() bool { return len(f.published) > 0 || f.days != nil }

// ofSizing are the flags of recommend that say something of such a question.
var ofSizing = []string{
	"published", "days", "max-cost", "max-device-hours", "max-flops", "family", "fit",
	"cluster", "hardware", "devices", "price", "mfu", "goodput", "region", "batch", "encoder-length",
	"decoder-length", "optimizer", "precision", "recompute", "attention", "dropout", "compiled", "stack",
	"layout", "dp", "tp", "pp", "zero", "micro-batch", "accumulate", "interleave", "sequence-parallel",
	"watts", "pue", "grid",
}

// size answers what to train for a budget by a law, as allocate does.
func (f *recommendFlags) size(c *cobra.Command, a *app, ask *asks.Question) error {
	if stray := frame.Stray(c, ofSizing...); stray != "" {
		return frame.Usage("deepnarrow allocate has more of such questions",
			"--%s does not go with --days and --published, which ask for size and tokens together", stray)
	}
	b := recommend.Budget{
		WallSeconds: frame.AmountOf(f.days), USD: f.cap(plan.Cost),
		DeviceHours: f.cap(plan.DeviceHours), FLOPs: f.cap(plan.RunFLOPs),
	}
	said := frame.HowMany(b.WallSeconds > 0, b.USD > 0, b.DeviceHours > 0, b.FLOPs > 0)
	if said != 1 {
		return frame.Usage("", "%d budgets; allowed: one of --days, --max-cost, --max-device-hours and --max-flops, above 0", said)
	}
	r := frame.NewReport("allocate") // whose document it is
	laws := asks.Laws{From: f.fitted, Published: f.published}
	if f.fitted != "" && len(f.published) > 0 {
		return frame.Usage("", "a law is needed from one place; allowed: --fit or --published")
	}
	if f.fitted == "" && len(f.published) == 0 {
		laws.Published = []string{defaultLaw}
	}
	all, err := a.Laws(c.Context(), &laws, nil, &r)
	if err != nil {
		return err
	}
	q := recommend.SizeQuestion{Family: shapes.Llama, Level: asks.UsualLevel}
	if c.Flags().Changed("family") {
		q.Family = shapes.Family(f.family)
	}
	if q.Question, err = ask.Ask(); err != nil {
		return err
	}
	var clusters []plan.Cluster
	if ask.Named() {
		if clusters, err = ask.Machines(); err != nil {
			return err
		}
	}
	ask.Inputs(r.Document.Inputs)
	r.Document.Inputs["family"] = q.Family
	return a.spend(&r, q, clusters, []recommend.Budget{b}, all)
}

// defaultLaw is the published law that sizes where none is named: the fit of Besiroglu et al. 2024 to the
// runs of Chinchilla.
const defaultLaw = "chinchilla-epoch"

// sizeError gives an error of sizing its exit code.
func sizeError(err error) error {
	switch {
	case frame.Is[*fit.Refusal](err):
		return asks.Refused(err)
	case frame.Is[*recommend.NoAnswerError](err):
		return frame.NoAnswer(err, "")
	case frame.Is[*hardware.MissingError](err):
		return frame.Usage("", "%w", err)
	}
	return asks.PlanError(err)
}
