package page

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// planned fills a section with the results of plan: phases and their total too.
func (s *section) planned(d *result.Saved) error {
	var served []*result.Plan
	err := each(d.Results, func(_ int, p *result.Phase) {
		if p.Serve != nil { // what training takes was not asked
			served = append(served, &p.Plan)
			s.Heading, s.Subjects = "Serving", append(s.Subjects, servedSubject(&p.Plan))
			return
		}
		if p.Shape.Name == "" { // the total of phases
			total := subject{Name: "All phases"}
			total.bill(&p.Plan)
			s.Subjects = append(s.Subjects, total)
			return
		}
		s.plans = append(s.plans, &p.Plan)
		one := planSubject(&p.Plan)
		if p.Phase != "" {
			one.Name = p.Phase + ": " + one.Name
		}
		s.Subjects = append(s.Subjects, one)
	})
	s.Tables = append(s.Tables, kept(assumptions(append(served, s.plans...)))...)
	return err
}

// cluster names the machine of a plan.
func cluster(p *result.Plan) string {
	if p.Hardware == "" {
		return ""
	}
	return fmt.Sprintf("%d × %s", p.Devices, p.Hardware)
}

// batch names the work of a step.
func batch(s *result.Shape, w *result.Workload) string {
	switch {
	case w.Batch == 0:
		return ""
	case w.EncoderLength > 0 && w.DecoderLength > 0 && !s.Towers:
		return fmt.Sprintf("%d × (%d → %d)", w.Batch, w.EncoderLength, w.DecoderLength)
	case w.EncoderLength > 0:
		return fmt.Sprintf("%d × %d", w.Batch, w.EncoderLength)
	}
	return fmt.Sprintf("%d × %d", w.Batch, w.DecoderLength)
}

// price is what a plan takes a device-hour to cost.
func price(p *result.Plan) *quantity.Interval {
	for i := range p.Assumptions {
		if a := &p.Assumptions[i]; a.Name == "price" {
			return a.Value
		}
	}
	return nil
}

func fits(m *result.Memory) string {
	switch {
	case m.Fits == nil:
		return ""
	case *m.Fits:
		return "yes"
	}
	return "no"
}

// abreast returns how many of a number of plans stand side by side: more than five are too many for
// paper, and no table is much shorter than the others.
func abreast(plans int) int {
	const most = 5
	tables := (plans + most - 1) / most
	return (plans + tables - 1) / max(1, tables)
}

// compareID is the section of all plans.
const compareID = "compare"

// comparison shows the plans of all sources side by side: what they cost and why they differ.
func comparison(plans []*result.Plan) section {
	s := section{ID: compareID, Heading: "Side by side"}
	n := abreast(len(plans))
	for from := 0; from < len(plans); from += n {
		s.Tables = append(s.Tables, sideBySide(plans, from, min(from+n, len(plans))))
	}
	trade := plot{
		Title: "Cost against time", X: "wall clock of the run", Y: "cost of the run",
		Kind: quantity.Duration, KindY: quantity.Money, Named: true,
	}
	for i, p := range plans {
		if p.Time.TotalSeconds == nil {
			continue
		}
		q := point{
			Key: fmt.Sprintf("compare-%d", i), X: p.Time.TotalSeconds.Value,
			Mark: strconv.Itoa(i + 1), Class: "candidate", Measured: true, Among: "fits",
		}
		if fits(&p.Memory) == "no" {
			q.Class, q.Measured, q.Among = "candidate hollow", false, "does not fit"
		}
		q.Label = fmt.Sprintf("%d: %s on %s, %s", i+1, p.Shape.Name, cluster(p),
			quantity.FormatInterval(quantity.Duration, *p.Time.TotalSeconds))
		if p.Cost.USD != nil {
			q.Label += ", " + quantity.FormatInterval(quantity.Money, *p.Cost.USD)
		}
		trade.add(q, p.Cost.USD)
	}
	trade.LogX, trade.LogY = trade.wide()
	trade.legend("hollow", "does not fit")
	s.Plots = laid(trade)
	return s
}

// sideBySide is the plans from one number up to another, a column each.
func sideBySide(plans []*result.Plan, from, to int) table {
	t := table{Flip: true}
	if to-from < len(plans) {
		t.Title = fmt.Sprintf("Plans %d to %d of %d", from+1, to, len(plans))
	}
	for i, p := range plans[from:to] {
		run := p.Resolved()
		t.measured([]measure{
			{"plan", quantity.Number, reports.Text(fmt.Sprintf("%d %s", from+i+1, p.Shape.Name))},
			{"cluster", quantity.Number, reports.Text(cluster(p))},
			{"what if", quantity.Number, reports.Text(p.WhatIf)},
			{"fits in memory", quantity.Number, reports.Text(fits(&p.Memory))},
			{"cost", quantity.Money, reports.Optional(p.Cost.USD)},
			{"wall clock", quantity.Duration, reports.Optional(p.Time.TotalSeconds)},
			{"best", quantity.Number, reports.Text(strings.Join(p.Marks, ", "))},
			{"keeps all limits", quantity.Fraction, reports.OptionalAmount(p.Sure)},
			{"one step", quantity.Duration, reports.Optional(p.Time.StepSeconds)},
			{"bottleneck", quantity.Number, reports.Text(p.Time.Bound)},
			{"MFU", quantity.Fraction, reports.OptionalAmount(p.Time.MFU)},
			{"layout", quantity.Number, reports.Text(plan.LayoutText(&run))},
			{"precision, optimizer", quantity.Number, reports.Text(
				fmt.Sprintf("%s, %s", p.Execution.Precision, p.Execution.Optimizer))},
			{"batch", quantity.Number, reports.Text(batch(&p.Shape, &p.Workload))},
			{"tokens", quantity.Tokens, reports.Optional(p.Tokens)},
			{"price of a device-hour", quantity.HourlyPrice, reports.Optional(price(p))},
			{"terms", quantity.Number, reports.Text(p.Terms)},
			{"peak memory of a device", quantity.Bytes, reports.Amount(p.Memory.PeakBytes)},
			{"parameters", quantity.Number, reports.Count(p.Params.Total)},
			{"FLOPs of the run", quantity.FLOP, reports.Optional(p.RunFLOPs)},
			{"energy", quantity.Energy, reports.Optional(p.Cost.EnergyKWh)},
			{"CO2e", quantity.CarbonMass, reports.Optional(p.Cost.CO2Kg)},
			{"loss", quantity.Number, reports.Optional(p.Loss)},
		})
		class := ""
		if fits(&p.Memory) == "no" {
			class = "bad"
		}
		t.Marks = append(t.Marks, mark{Key: fmt.Sprintf("compare-%d", from+i), Class: class})
	}
	return t.cut()
}

// planSubject tells one run: the answer in cards, then what it is made of.
func planSubject(p *result.Plan) subject {
	out := subject{Name: p.Shape.Name, Detail: detail(&p.Shape), Command: p.Command}
	if c := cluster(p); c != "" {
		run := p.Resolved()
		out.Name += " on " + c
		out.Detail += fmt.Sprintf(" · batch %s, %s, %s, layout %s", batch(&p.Shape, &p.Workload),
			p.Execution.Precision, p.Execution.Optimizer, plan.LayoutText(&run))
	}
	out.memory(&p.Memory)
	mends := func(c result.Change) bool { return c.Fits != nil && *c.Fits }
	if i := slices.IndexFunc(p.Changes, mends); out.Cards[0].Bad && i >= 0 {
		out.Cards[0].Note += "; would fit with " + p.Changes[i].What
	}
	out.bill(p)
	out.size(&p.Params, &p.FLOPs)
	var steps []part
	for _, t := range p.Time.Parts {
		steps = append(steps, part{t.Name, t.Seconds, t.Bound})
	}
	out.chart(barsOf("One step: where the time goes, and what limits it", quantity.Duration, steps))
	out.chart(barsOf("Peak memory of a device", quantity.Bytes, partsOf(p.Memory.ByComponent)))
	out.breakdown(&p.Params, p.Breakdown)
	out.Tables = kept(changes(p))
	return out
}

// servedSubject tells how a model is served and what that costs, or why that is not known.
func servedSubject(p *result.Plan) subject {
	v := p.Serve
	out := subject{Name: p.Shape.Name, Detail: detail(&p.Shape), Command: p.Command}
	out.Detail += fmt.Sprintf(" · %d tokens in, %d out, weights %s", v.Prompt, v.Generate, v.Weights)
	if v.Devices > 0 {
		out.Name += fmt.Sprintf(" on %d × %s", v.Devices, p.Hardware)
	}
	if v.Missing != "" {
		out.card("not known", v.Missing, "")
	}
	if v.Memory == nil {
		return out
	}
	out.memory(v.Memory)
	for _, c := range []struct {
		label string
		kind  quantity.Kind
		value *quantity.Interval
		note  string
	}{
		{"a million tokens out", quantity.Money, v.PerMillionOut, ""},
		{"a million tokens in", quantity.Money, v.PerMillionIn, ""},
		{"a month", quantity.Money, v.PerMonth, ""},
		{"an answer", quantity.Duration, v.LatencySeconds, "bottleneck: " + v.Bound},
		{"to the first token", quantity.Duration, v.PrefillSeconds, ""},
		{"requests of a copy", quantity.PerSecond, v.CopyRequests, quantity.Of(v.Batch, "sequence") + " at once"},
		{"serving its lifetime", quantity.Money, v.Life, ""},
	} {
		if c.value != nil {
			out.card(c.label, quantity.FormatInterval(c.kind, *c.value), c.note)
		}
	}
	if v.Copies > 0 {
		out.card("copies", quantity.Grouped(int64(v.Copies)), quantity.Of(v.TP, "device")+" each")
	}
	out.size(&p.Params, &result.FLOPs{})
	out.chart(barsOf("Peak memory of a device", quantity.Bytes, partsOf(v.Memory.ByComponent)))
	return out
}

// counts fills a section with the results of count.
func (s *section) counts(d *result.Saved) error {
	t := table{Table: reports.Table{Title: "Side by side"}, Flip: true}
	err := each(d.Results, func(_ int, c *result.Count) {
		out := subject{Name: c.Shape.Name, Detail: detail(&c.Shape)}
		out.size(&c.Params, &c.FLOPs)
		if c.Memory.PeakBytes > 0 {
			out.memory(&c.Memory)
		}
		out.chart(barsOf("Peak memory of a step on one device", quantity.Bytes,
			partsOf(c.Memory.ByComponent)))
		out.breakdown(&c.Params, c.Breakdown)
		s.Subjects = append(s.Subjects, out)
		t.measured([]measure{
			{"shape", quantity.Number, reports.Text(c.Shape.Name)},
			{"parameters", quantity.Number, reports.Count(c.Params.Total)},
			{"without embedding", quantity.Params, reports.Amount(float64(c.Params.NonEmbedding))},
			{"FLOPs of a step", quantity.FLOP, reports.Amount(c.FLOPs.Step)},
			{"peak memory of a step", quantity.Bytes, reports.Amount(c.Memory.PeakBytes)},
			{"batch", quantity.Number, reports.Text(batch(&c.Shape, &c.Workload))},
		})
	})
	n := abreast(len(t.Rows))
	for from := 0; len(t.Rows) > 1 && from < len(t.Rows); from += n {
		some := t
		some.Rows = t.Rows[from:min(from+n, len(t.Rows))]
		s.First = append(s.First, some.cut())
	}
	return err
}

// detail is a shape in a line.
func detail(s *result.Shape) string {
	out := fmt.Sprintf("d_model %d", s.DModel)
	for _, k := range []struct {
		name string
		*result.Stack
	}{{"encoder", s.Encoder}, {"decoder", s.Decoder}} {
		if k.Stack != nil {
			out += fmt.Sprintf(" · %s %s, d_ff %d, %d×%d", k.name, quantity.Of(k.Layers, "layer"), k.DFF, k.Heads,
				k.DKV)
		}
	}
	return out
}

func (s *subject) card(label, value, note string) {
	s.Cards = append(s.Cards, card{Label: label, Value: value, Note: note})
}

func (s *subject) chart(b bars) {
	if len(b.Rows) > 0 {
		s.Bars = append(s.Bars, b)
	}
}

func (s *subject) size(p *result.Params, f *result.FLOPs) {
	note := ""
	if p.NonEmbedding > 0 {
		note = quantity.Format(quantity.Params, float64(p.NonEmbedding), 0) + " without embedding"
	}
	s.card("parameters", quantity.Grouped(p.Total), note)
	if f.Step > 0 {
		s.card("FLOPs of a step", quantity.Format(quantity.FLOP, f.Step, 0),
			string(f.Convention)+" convention")
	}
}

// memory says first whether a run fits.
func (s *subject) memory(m *result.Memory) {
	s.card("peak memory of a device", quantity.Format(quantity.Bytes, m.PeakBytes, 0),
		map[string]string{"yes": "fits", "no": "does not fit"}[fits(m)])
	s.Cards[len(s.Cards)-1].Bad = fits(m) == "no"
}

// bill shows times, money and emissions where a result has them.
func (s *subject) bill(p *result.Plan) {
	bottleneck, rate := "", ""
	if p.Time.MFU != nil {
		bottleneck = fmt.Sprintf("bottleneck: %s, %s MFU", p.Time.Bound,
			quantity.Format(quantity.Fraction, *p.Time.MFU, 0))
	}
	if i := price(p); i != nil {
		rate = quantity.FormatInterval(quantity.HourlyPrice, *i) + " a device"
	}
	for _, c := range []struct {
		label, path string
		kind        quantity.Kind
		value       *quantity.Interval
		note        string
	}{
		{"cost", "cost.usd", quantity.Money, p.Cost.USD, rate},
		{"wall clock", "time.total_seconds", quantity.Duration, p.Time.TotalSeconds, ""},
		{"one step", "time.step_seconds", quantity.Duration, p.Time.StepSeconds, bottleneck},
		{"tokens", "tokens", quantity.Tokens, p.Tokens, ""},
		{"energy", "cost.energy_kwh", quantity.Energy, p.Cost.EnergyKWh, ""},
		{"CO2e", "cost.co2_kg", quantity.CarbonMass, p.Cost.CO2Kg, ""},
		{"loss at the end", "loss", quantity.Number, p.Loss, ""},
	} {
		switch why := p.Missing[c.path]; {
		case c.value != nil:
			s.card(c.label, quantity.FormatInterval(c.kind, *c.value), c.note)
		case why != "":
			s.card(c.label, "unknown", why)
		}
	}
}

func (s *subject) breakdown(p *result.Params, shares []result.Share) {
	s.chart(barsOf("Parameters", quantity.Params, partsOf(p.ByComponent)))
	var work []part
	for _, b := range shares {
		if b.Forward > 0 { // norms and tables have no matrix products
			work = append(work, part{name: b.Name, value: b.Forward})
		}
	}
	s.chart(barsOf("FLOPs of a forward pass", quantity.FLOP, work))
}

// changes lists what would make a run fit, or faster, with the command that plans it.
func changes(p *result.Plan) table {
	t := table{Table: reports.Table{Title: "What would make it faster", Columns: []reports.Column{
		{Title: "change", Wraps: true},
		{Title: "gain", Kind: quantity.Fraction},
		{Title: "fits"},
		{Title: "command", Wraps: true},
	}}}
	unfit := fits(&p.Memory) == "no"
	if unfit {
		t.Title = "What would make it fit"
	}
	gain := func(c *result.Change) float64 { return c.Gain }
	for _, c := range plan.Told(p.Changes, unfit, gain) {
		t.row(reports.Text(c.What), reports.Amount(c.Gain),
			reports.Text(fits(&result.Memory{Fits: c.Fits})), reports.Text(c.Command))
	}
	return t
}

// assumptions lists what plans rest on, each once, with the plans that it is of.
func assumptions(plans []*result.Plan) table {
	t := table{
		Table: reports.Table{Title: "Assumptions and sources", Columns: columnsOf("assumption",
			"value", "origin", "evidence", "¶source")},
	}
	if len(plans) > 1 {
		t.Columns = append(t.Columns, reports.Column{Title: "of"})
	}
	type line struct{ name, value, origin, evidence, source string }
	var order []line
	of := map[line][]string{}
	for _, p := range plans {
		for _, a := range p.Assumptions {
			l := line{a.Name, a.Text, a.Origin, a.Evidence, a.Source}
			if a.Value != nil {
				l.value = quantity.FormatInterval(plan.InputKind(a.Name), *a.Value)
			}
			if of[l] == nil {
				order = append(order, l)
			}
			of[l] = append(of[l], p.Shape.Name+" on "+cluster(p))
		}
	}
	slices.SortStableFunc(order, func(a, b line) int {
		first := func(l line) int {
			return slices.IndexFunc(order, func(o line) bool { return o.name == l.name })
		}
		return first(a) - first(b)
	})
	for _, l := range order {
		row := []string{l.name, l.value, l.origin, l.evidence, l.source}
		switch whose := of[l]; {
		case len(plans) == 1:
		case len(whose) == len(plans):
			row = append(row, "all")
		default:
			row = append(row, strings.Join(slices.Compact(whose), "; "))
		}
		t.add(row...)
	}
	return t
}
