package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// requestUSD orders plans by what a request costs; those that cannot be served come last.
func requestUSD(p *Planned) float64 {
	s := p.Serving
	if s.Decoding == nil || s.PerMillionOut.Interval == nil {
		return math.Inf(1)
	}
	return float64(s.Prompt)*s.PerMillionIn.Interval.Value +
		float64(s.Generate)*s.PerMillionOut.Interval.Value
}

// Serve fills in the report of serving, one result each, the cheapest first: one model line by line
// with its memory, several in a row each.
func (r *Report) Serve(plans []Planned) {
	slices.SortStableFunc(plans, func(a, b Planned) int {
		return cmp.Compare(requestUSD(&a), requestUSD(&b))
	})
	for i := range plans {
		r.Document.Add(planOf(&plans[i], nil))
		r.Rows = append(r.Rows, servedRowOf(&plans[i]))
	}
	t := Table{
		Title: "Serving",
		Columns: []Column{
			{Title: "shape"},
			{Title: "hardware"},
			{Title: "devices"},
			{Title: "of a copy", Optional: 6},
			{Title: "batch", Optional: 2},
			{Title: "answer", Kind: quantity.Duration, Optional: 7},
			{Title: "memory", Kind: quantity.Bytes, Optional: 3},
			{Title: "M tokens in", Kind: quantity.Money},
			{Title: "M tokens out", Kind: quantity.Money},
			{Title: "month", Kind: quantity.Money, Optional: 1},
		},
		Notes: serveNotes(plans),
	}
	for i := range plans {
		p := &plans[i]
		s := p.Serving
		row := []Cell{Text(p.Run.Shape.Name), Text(p.Run.Profile.Name)}
		if d := s.Decoding; d != nil {
			row = append(row, Plain(fmt.Sprint(s.Devices())), Plain(fmt.Sprint(s.TP)),
				Plain(fmt.Sprint(s.Batch)), Estimate(d.TotalSeconds), Amount(d.Memory.PeakBytes),
				Optional(s.PerMillionIn.Interval), Optional(s.PerMillionOut.Interval),
				Optional(s.PerMonth.Interval))
		}
		t.add(row...)
	}
	if len(plans) > 1 {
		r.Tables = append(r.Tables, t)
		return
	}
	p := &plans[0]
	r.Headline = serveHeadline(p)
	if p.Serving.Decoding == nil {
		return
	}
	memory := footprintTable(&p.Serving.Decoding.Memory)
	memory.Title = "Memory per device"
	r.Tables = append(r.Tables, serveTable(p, t.Notes), memory)
}

// serveNotes says how the figures are to be read, and why some are absent.
func serveNotes(plans []Planned) []string {
	s := plans[0].Serving
	busy := "A copy is always busy."
	if s.PerSecond > 0 {
		busy = fmt.Sprintf("Devices: what %s requests/s take with a probability of %.0f %%.",
			quantity.Format(quantity.Number, s.PerSecond, 0), 100*s.Sure)
	}
	notes := []string{
		fmt.Sprintf("Intervals are %.0f %%. A request has %d tokens in and %d out.",
			100*hardware.Level, s.Prompt, s.Generate),
		busy,
	}
	if s.Decoding != nil && s.Run.Compiled() {
		notes = append(notes, "Kernels are compiled, as serving engines do; --compiled no says otherwise.")
	}
	seen := map[string]bool{}
	for i := range plans {
		s := plans[i].Serving
		why := s.Missing
		if s.Decoding != nil {
			why = s.PerMonth.Missing
		}
		if why != "" && !seen[why] {
			seen[why] = true
			notes = append(notes, plans[i].Run.Shape.Name+" on "+plans[i].Run.Profile.Name+": "+why+".")
		}
	}
	return notes
}

// serveHeadline is the answer: devices, dollars, and how long a user waits.
func serveHeadline(p *Planned) []string {
	s := p.Serving
	name := p.Run.Shape.Name + " on " + p.Run.Profile.Name
	if s.Decoding == nil {
		return []string{name + " cannot be served: " + s.Missing + "."}
	}
	var bill []string
	for _, b := range []struct {
		e    hardware.Estimate
		what string
	}{
		{s.PerMillionIn, "a million tokens in"}, {s.PerMillionOut, "a million out"}, {s.PerMonth, "a month"},
	} {
		if b.e.Interval != nil {
			bill = append(bill, quantity.FormatInterval(quantity.Money, *b.e.Interval)+" "+b.what)
		}
	}
	if len(bill) == 0 {
		bill = []string{"cost unknown"}
	}
	return []string{
		fmt.Sprintf("%s: %s.", serveText(p), strings.Join(bill, ", ")),
		fmt.Sprintf("An answer takes %s; %s per device. Bottleneck: %s.",
			quantity.FormatInterval(quantity.Duration, s.Decoding.TotalSeconds),
			quantity.Format(quantity.Bytes, s.Decoding.Memory.PeakBytes, 0), s.Decoding.Bound),
	}
}

// serveText is who serves.
func serveText(p *Planned) string {
	s := p.Serving
	return fmt.Sprintf("%s on %d × %s", p.Run.Shape.Name, s.Devices(), p.Run.Profile.Name)
}

// serveTable tells one model, a line a question.
func serveTable(p *Planned, notes []string) Table {
	s := p.Serving
	d := s.Decoding
	t := measures(notes)
	line := t.line
	line("parameters", quantity.Grouped(p.Params.Total))
	if s.Stored != flops.Whole {
		line("weights of the layers", s.Stored.String())
	}
	line("copies", copiesText(s))
	line("batch of a copy", fmt.Sprint(s.Batch))
	line("time of an answer", quantity.FormatInterval(quantity.Duration, d.TotalSeconds))
	if first := max(d.EncoderSeconds.Value, d.PrefillSeconds.Value); first > 0 {
		part := d.EncoderSeconds
		if part.Value == 0 {
			part = d.PrefillSeconds
		}
		line("of which its request", quantity.FormatInterval(quantity.Duration, part))
	}
	line("time of a token", quantity.FormatInterval(quantity.Duration, d.StepSeconds))
	line("bottleneck", string(d.Bound))
	line("requests a copy answers", estimate(quantity.PerSecond, s.Requests))
	line("tokens a copy generates", estimate(quantity.PerSecond, s.TokensPerSecond()))
	line("million tokens in", estimate(quantity.Money, s.PerMillionIn))
	line("million tokens out", estimate(quantity.Money, s.PerMillionOut))
	line("month", estimate(quantity.Money, s.PerMonth))
	return *t
}

func copiesText(s *plan.Served) string {
	text := fmt.Sprintf("%d of %d devices each", s.Copies, s.TP)
	if s.TP == 1 {
		text = fmt.Sprintf("%d of one device each", s.Copies)
	}
	if s.PerSecond > 0 {
		text += fmt.Sprintf(", busy %s of the time", quantity.Format(quantity.Fraction, s.Load, 2))
	}
	return text
}

// servedRowOf returns serving as a row of CSV.
func servedRowOf(p *Planned) result.ServedRow {
	s := p.Serving
	f := result.ServedRow{Shape: p.Run.Shape.Name, Hardware: p.Run.Profile.Name, Missing: s.Missing}
	d := s.Decoding
	if d == nil {
		return f
	}
	f.Devices, f.Copies, f.Batch, f.Load = s.Devices(), s.Copies, s.Batch, s.Load
	f.Latency, f.LatencyHigh = &d.TotalSeconds.Value, &d.TotalSeconds.High
	f.PeakBytes, f.Missing = &d.Memory.PeakBytes, s.PerMonth.Missing
	f.In, f.Out, f.Month = middle(s.PerMillionIn), middle(s.PerMillionOut), middle(s.PerMonth)
	return f
}

// decodeHeadline is how long an answer takes, nothing where that was not asked or is not known.
func decodeHeadline(d *plan.Decoded) []string {
	if d == nil || d.Decoding == nil {
		return nil
	}
	q := d.Decoding
	return []string{fmt.Sprintf("An answer takes %s, a token %s; one copy needs %s.",
		quantity.FormatInterval(quantity.Duration, q.TotalSeconds),
		quantity.FormatInterval(quantity.Duration, q.StepSeconds),
		quantity.Format(quantity.Bytes, q.Memory.PeakBytes, 0))}
}

// decodeTable compares the latency of answers, a row each.
func decodeTable(plans []Planned) Table {
	t := Table{
		Title: "Generating an answer",
		Columns: []Column{
			{Title: "shape"},
			{Title: "hardware", Optional: 4},
			{Title: "batch", Optional: 3},
			{Title: "latency", Kind: quantity.Duration},
			{Title: "encoder and prompt", Kind: quantity.Duration, Optional: 2},
			{Title: "one token", Kind: quantity.Duration},
			{Title: "tokens", Kind: quantity.PerSecond},
			{Title: "bottleneck", Optional: 1},
			{Title: "memory", Kind: quantity.Bytes},
			{Title: "fits"},
		},
		Notes: []string{fmt.Sprintf(
			"Intervals are %.0f %%. One copy of the model. --stack engine or --compiled yes: compiled, not eager.", 100*hardware.Level)},
	}
	seen := map[string]bool{}
	for i := range plans {
		p := &plans[i]
		d := p.Decode
		row := []Cell{Text(p.Run.Shape.Name), Text(p.Run.Profile.Name)}
		if d.Decoding == nil {
			t.Rows = append(t.Rows, append(row, make([]Cell, len(t.Columns)-len(row))...))
			if !seen[d.Missing] {
				seen[d.Missing] = true
				t.Notes = append(t.Notes, fmt.Sprintf("No latency: %s.", d.Missing))
			}
			continue
		}
		q := d.Decoding
		encoder := Cell{}
		switch {
		case q.EncoderSeconds.Value > 0:
			encoder = Estimate(q.EncoderSeconds)
		case q.PrefillSeconds.Value > 0:
			encoder = Estimate(q.PrefillSeconds)
		}
		t.Rows = append(t.Rows, append(row, Text(workloadText(&p.Run.Shape, d.Workload)),
			Estimate(q.TotalSeconds), encoder,
			Estimate(q.StepSeconds), Amount(q.TokensPerSecond), Text(string(q.Bound)),
			Amount(q.Memory.PeakBytes), Text(plan.YesNo(q.Fits))))
	}
	return t
}
