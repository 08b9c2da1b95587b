package cli

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
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

// unquoted names the clusters that neither a price list nor the command line gives a price.
func unquoted(clusters []plan.Cluster) []string {
	var out []string
	for i := range clusters {
		f := clusters[i].Profile.PriceUSDPerHour
		if name := clusters[i].String(); (f == nil || f.Origin == hardware.DataSheet) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// limited returns the question of the flags, and the limits that the run keeps to where its length is
// stated otherwise.
func (f *planFlags) limited(c *cobra.Command) (plan.Question, plan.Limits, error) {
	var limits plan.Limits
	length := f.Length
	if f.Devices.Auto || frame.Given(f.Steps) != nil || frame.Given(f.Tokens) != nil {
		for _, l := range []struct {
			name string
			flag **float64
			at   *float64
		}{{"deadline", &f.Deadline, &limits.WallSeconds}, {"max-cost", &f.MaxCost, &limits.USD}} {
			if v := frame.Given(*l.flag); v != nil {
				if *l.at = *v; *v == 0 {
					return plan.Question{}, limits, frame.Usage("", "--%s is 0; allowed: more than 0", l.name)
				}
				*l.flag = nil
			}
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
	if limits.Sure = plan.UsualSure; frame.Given(f.sure) != nil {
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
	out := [][]plan.WhatIf{nil}
	for _, values := range lists(c, plan.Variables()) {
		var next [][]plan.WhatIf
		for _, v := range out {
			for _, w := range values {
				next = append(next, append(slices.Clone(v), w))
			}
		}
		out = next
		const mostVariants = 1000
		if len(out) > mostVariants {
			return nil, frame.Usage("", "too many combinations of values: %d; allowed: %d", len(out), mostVariants)
		}
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
	if len(values) > 0 {
		in["values"] = values
	}
	for name, n := range map[string]int{
		"prompt": f.generation.Prompt, "generate": f.generate, "beams": f.generation.Beams,
		"max_devices": f.maxDevices,
	} {
		if n > 0 {
			in[name] = n
		}
	}
	specs := []string{}
	for i := range clusters {
		if spec := clusters[i].Spec(); !slices.Contains(specs, spec) {
			specs = append(specs, spec)
		}
	}
	in["hardware"] = specs
	if len(f.Clusters) > 0 {
		in["clusters"] = f.Clusters
	}
	if f.prices != "" {
		in["prices"] = f.prices
	}
	if v := frame.Given(f.sure); v != nil {
		in["sure"] = *v
	}
	if len(f.whatIf) > 0 {
		in["what_if"] = f.whatIf
	}
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
	for i := range clusters {
		base := clusters[i].Ask(k.question)
		if ask := base.Serving; ask != nil {
			rented := *ask
			rented.Rented = clusters[i].Devices
			base.Serving = &rented
		}
		var usual *plan.Answer
		for _, changes := range variants {
			q := base
			var label []string
			for _, w := range changes {
				var err error
				if q, err = w.Of(q, usual); err != nil {
					return err
				}
				label = append(label, w.Name+" "+w.Value)
			}
			answer, err := q.Answer()
			var none *hardware.NoLayoutError
			var missing *hardware.MissingError
			if errors.As(err, &missing) && !k.auto && k.flags.Lookup("layout").Value.String() == "" {
				q.Search = false // nothing can be timed, which the plain layout says
				answer, err = q.Answer()
			}
			if errors.As(err, &none) && len(clusters) > 1 {
				k.none = err
				k.warn("%s on %s: %v", k.ref, &clusters[i], err)
				continue
			}
			if err != nil {
				return err
			}
			if usual == nil {
				usual = &answer
			}
			k.add(&clusters[i], answer, strings.Join(label, ", "))
		}
	}
	return nil
}

func (k *planAsk) warn(format string, args ...any) {
	k.report.Document.Warnings = append(k.report.Document.Warnings, fmt.Sprintf(format, args...))
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
	if s := answer.Serving; s != nil {
		if told = nil; s.Rented > 0 && s.Devices() > s.Rented {
			told = append(told, fmt.Sprintf("the traffic takes %d devices; %d are rented", s.Devices(), s.Rented))
		}
	}
	if k.law != nil {
		told = append(told, predictLoss(&p, k.law)...)
	}
	for _, w := range told {
		k.warn("%s on %s: %s", answer.Run.Shape.Name, answer.Run.Profile.Name, w)
	}
	if k.limited() != nil {
		p.Sure = k.limits.Kept(&answer)
	}
	if answer.Serving == nil {
		k.commands(&p)
	}
	k.plans = append(k.plans, p)
}

// commands adds the command lines that lay the run out the same way, and that mend it.
func (k *planAsk) commands(p *reports.Planned) {
	var typed []plan.Flag
	k.flags.Visit(func(f *pflag.Flag) {
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
	typed = slices.DeleteFunc(typed, func(f plan.Flag) bool {
		return frame.OfOutput(f.Name) || f.Name == "what-if" || f.Name == "max-devices"
	})
	if k.question.Search || k.auto {
		p.Command = plan.Command(k.ref, p.Cluster, typed, plan.LayoutFlags(&p.Run))
	}
	if k.question.MFU > 0 || p.Cluster.Profile.MFU != nil {
		return // the level of the times is stated: a change typed beside it changes none
	}
	for i := range p.Changes {
		c := &p.Changes[i]
		p.Mends = append(p.Mends, "")
		flags, ok := plan.ChangeFlags(&p.Run, &c.Run, p.Command != "")
		if !ok {
			continue
		}
		at := *p.Cluster
		mine := typed
		if at.Devices = c.Run.Devices(); c.Run.Profile.Name != p.Run.Profile.Name {
			at = plan.Cluster{Devices: at.Devices, Profile: c.Run.Profile, Region: at.Region}
			mine = slices.DeleteFunc(slices.Clone(typed), func(f plan.Flag) bool {
				return slices.Contains([]string{"price", "watts", "mfu"}, f.Name)
			})
		}
		p.Mends[i] = plan.Command(k.ref, &at, mine, flags)
	}
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
