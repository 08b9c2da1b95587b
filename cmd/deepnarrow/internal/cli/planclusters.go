package cli

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
)

// lists returns the values of the flags that were given several, in the order of the names.
func lists(c *cobra.Command, names []string) [][]plan.WhatIf {
	var out [][]plan.WhatIf
	for _, name := range names {
		f := c.Flags().Lookup(name)
		if f == nil {
			continue
		}
		if l, ok := f.Value.(*frame.Listed); ok && len(l.Values) > 1 {
			var values []plan.WhatIf
			for _, v := range l.Values {
				values = append(values, plan.WhatIf{Name: name, Value: v})
			}
			out = append(out, values)
		}
	}
	return out
}

// maxPricesBytes bounds a price list.
const maxPricesBytes = 16 << 20

// rented returns the clusters that the flags name, at the prices of --prices.
func (f *planFlags) rented(a *app) ([]plan.Cluster, error) {
	var all bool
	f.Profiles = slices.DeleteFunc(f.Profiles, func(name string) bool {
		all = all || name == "all"
		return name == "all"
	})
	var clusters []plan.Cluster
	var err error
	if f.Named() || !all {
		if clusters, err = f.Machines(); err != nil {
			return nil, err
		}
	}
	if all {
		for _, c := range plan.Rentable() {
			clusters = append(clusters, f.Counted(c)...)
		}
	}
	if f.prices == "" {
		return clusters, nil
	}
	text, err := a.ReadLimited(f.prices, maxPricesBytes)
	if err != nil {
		return nil, frame.BadInput(err, "")
	}
	quoted, err := hardware.ReadPrices(f.prices, bytes.NewReader(text))
	if err != nil {
		return nil, frame.BadInput(err, "")
	}
	return plan.Quote(clusters, quoted, f.prices), nil
}

// limited returns the question of the flags, and the limits that the run keeps to where its length is
// stated otherwise.
func (f *planFlags) limited(c *cobra.Command) (plan.Question, plan.Limits, error) {
	var limits plan.Limits
	length := f.Length
	if f.Devices.Auto || f.Steps != nil || f.Tokens != nil {
		for _, l := range []struct {
			name string
			flag **float64
			at   *float64
		}{{"deadline", &f.Deadline, &limits.WallSeconds}, {"max-cost", &f.MaxCost, &limits.USD}} {
			if err := frame.Positive(l.name, *l.flag); err != nil {
				return plan.Question{}, limits, err
			}
			*l.at, *l.flag = frame.AmountOf(*l.flag), nil
		}
	}
	q, err := f.Ask()
	f.Length = length
	if err == nil {
		err = f.tuning.AddTo(&q, f.serve.on)
	}
	if err == nil && f.serve.on {
		return f.serve.ask(c, f, q)
	}
	if err != nil {
		return q, limits, err
	}
	if limits.Sure = plan.UsualSure; f.sure != nil {
		if limits.Sure = *f.sure; !(limits.Sure > 0 && limits.Sure < 1) {
			return q, limits, frame.Usage("", "--sure is %g; allowed: between 0 and 1", limits.Sure)
		}
		if limits.WallSeconds == 0 && limits.USD == 0 {
			return q, limits, frame.Usage("", "--sure says nothing without a limit: --tokens with --deadline or --max-cost")
		}
	}
	if limits.Devices = f.maxDevices; limits.Devices > 0 && !f.Devices.Auto {
		return q, limits, frame.Usage("", "--max-devices says nothing without --devices auto")
	}
	if err := frame.Needs(c, "serve", "requests", "max-latency"); err != nil {
		return q, limits, err
	}
	for _, flag := range []string{"prompt", "generate", "beams"} {
		if c.Flags().Changed(flag) && !f.decode {
			return q, limits, frame.Usage("", "--%s is of generation; allowed: with --decode or --serve", flag)
		}
	}
	if q.Detail = true; f.decode {
		q.Decode = max(1, f.Work.Batch)
		q.Generation, q.Generate = f.generation, f.generate
	}
	// A cluster is planned in the fastest way that fits unless a layout is stated.
	q.Search = q.Search || len(f.Clusters) > 0 && q.Layout == (flops.Layout{}) && !f.Given("zero")
	return q, limits, nil
}

// variants returns what the flags state several values of, each with every other, and every --what-if
// alone.
func (f *planFlags) variants(c *cobra.Command) ([][]plan.WhatIf, error) {
	out, err := plan.Combinations(lists(c, plan.Variables()))
	if err != nil {
		return nil, frame.Usage("", "%w", err)
	}
	for _, text := range f.whatIf {
		changes, err := plan.ParseWhatIf(text)
		if err != nil {
			return nil, frame.Usage("", "--what-if: %w", err)
		}
		for _, w := range changes {
			out = append(out, []plan.WhatIf{w})
		}
	}
	if len(out) > 1 && f.Devices.Auto {
		return nil, frame.Usage("", "--devices auto searches for one run; allowed: without several values and --what-if")
	}
	return out, nil
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *planFlags) inputs(c *cobra.Command, clusters []plan.Cluster, in map[string]any) {
	f.Question.Inputs(in)
	f.tuning.Inputs(in)
	f.serve.inputs(in)
	values := map[string][]string{}
	for _, list := range lists(c, plan.Variables()) {
		for _, w := range list {
			values[w.Name] = append(values[w.Name], w.Value)
		}
	}
	specs := []string{}
	for i := range clusters {
		if spec := clusters[i].Spec(); !slices.Contains(specs, spec) {
			specs = append(specs, spec)
		}
	}
	in["hardware"] = specs
	frame.State(in, "values", values, "prompt", f.generation.Prompt, "generate", f.generate,
		"beams", f.generation.Beams, "max_devices", f.maxDevices, "clusters", f.Clusters,
		"prices", f.prices, "sure", f.sure, "what_if", f.whatIf)
}

// planAsk is a command line of plan on its way to a report.
type planAsk struct {
	flags    *pflag.FlagSet
	ref      string // the shape as typed
	question plan.Question
	limits   plan.Limits
	law      *learn.Law
	report   *reports.Report
	plans    []reports.Planned
	none     error  // why a cluster has no plan
	auto     bool   // the devices are searched
	of       string // the shape, where there are several
}

// compare plans the question on every cluster with every variant.
func (k *planAsk) compare(clusters []plan.Cluster, variants [][]plan.WhatIf) error {
	all, err := k.question.Beside(clusters, variants, k.flags.Changed("layout"))
	for _, b := range all {
		if b.None != nil {
			k.none = b.None
			k.warn("%s on %s: %v", k.ref, b.Cluster, b.None)
			continue
		}
		k.add(b.Cluster, b.Answer, b.Label)
	}
	return err
}

func (k *planAsk) warn(format string, args ...any) {
	k.report.Document.Warn(fmt.Sprintf(format, args...))
}

// limited returns the limits where there are any.
func (k *planAsk) limited() *plan.Limits {
	if k.limits.WallSeconds == 0 && k.limits.USD == 0 {
		return nil
	}
	return &k.limits
}

func (k *planAsk) add(c *plan.Cluster, answer plan.Answer, label string) {
	rented := *c
	rented.Devices = answer.Run.Devices()
	p := reports.Planned{Answer: answer, Cluster: &rented, Label: label}
	told := answer.Warnings()
	if answer.Serving != nil {
		told = answer.Serving.Warnings()
	}
	if k.law != nil {
		loss, source, err := evidence.RunLoss(&answer, k.law)
		if p.Loss, p.LossLaw = &loss, source; err != nil {
			p.Loss, p.LossLaw = nil, ""
			told = append(told, "no loss is predicted: "+err.Error())
		}
	}
	for _, w := range told {
		k.warn("%s on %s: %s", answer.Run.Shape.Name, answer.Run.Profile.Name, w)
	}
	if k.limited() != nil {
		p.Sure = k.limits.Kept(&answer)
	}
	if answer.Serving == nil {
		p.Command, p.Mends = plan.Commands(k.ref, p.Cluster, asks.Typed(k.flags, "what-if", "max-devices"), &answer,
			k.question.Search || k.auto, k.question.MFU > 0)
	}
	k.plans = append(k.plans, p)
}

// search finds the clusters that keep to the limits.
func (k *planAsk) search(clusters []plan.Cluster) error {
	found, err := k.question.Offers(clusters, k.limits)
	if err != nil {
		return err
	}
	if len(found.Offers) == 0 {
		var reasons []string
		for _, r := range found.Refused {
			reasons = append(reasons, r.Cluster+" "+r.Why)
		}
		return frame.NoAnswer(fmt.Errorf("no cluster keeps to the limits with a probability of %.0f %%: %s",
			100*found.Limits.Sure, strings.Join(reasons, "; ")),
			"a later --deadline, a larger --max-cost, more --max-devices or a lower --sure")
	}
	first := len(k.plans)
	for i := range found.Offers {
		o := &found.Offers[i]
		k.add(&o.Cluster, o.Answer, "")
	}
	k.report.Offers(k.plans[first:], &found, k.of)
	return nil
}
