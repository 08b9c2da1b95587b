package reports

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/reports/result"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Protocol fills in the report of changes of one step, a table per starting size. opinions are those of
// other published sets; none where the caller's own records judge.
func (r *Report) Protocol(steps []recommend.Step, opinions []evidence.SecondOpinion) {
	sizes := map[string]bool{}
	for i := range steps {
		sizes[steps[i].From.Name] = true
	}
	r.Headline = []string{fmt.Sprintf("What one step of depth, width or heads costs and gains, from %s.", quantity.Of(len(sizes), "shape"))}
	var t *Table
	reasons := []string{}
	lacking := map[string][]string{} // operations by what they lack
	for i := range steps {
		s := &steps[i]
		if i == 0 || s.From.Name != steps[i-1].From.Name {
			r.Tables = append(r.Tables, Table{
				Title: "One step from " + s.From.Name,
				Columns: []Column{
					{Title: "op"},
					{Title: "change"},
					{Title: "params", Kind: quantity.Fraction},
					{Title: "FLOPs", Kind: quantity.Fraction},
					{Title: "memory", Kind: quantity.Fraction, Optional: 3},
					{Title: "step", Kind: quantity.Fraction, Optional: 2},
					{Title: "decode", Kind: quantity.Fraction, Optional: 5},
					{Title: "cost", Kind: quantity.Money, Optional: 4},
					{Title: "loss", Kind: quantity.Number},
					{Title: "score", Kind: quantity.Number},
					{Title: "evidence", Optional: 1},
				},
			})
			t = &r.Tables[len(r.Tables)-1]
		}
		r.Document.Add(result.StepOf(s))
		t.Rows = append(t.Rows, protocolRow(s))
		for _, why := range []string{s.Missing, s.Upstream.Missing, s.Downstream.Missing} {
			if why == "" {
				continue
			}
			if len(lacking[why]) == 0 {
				reasons = append(reasons, why)
			}
			if !slices.Contains(lacking[why], s.Op) {
				lacking[why] = append(lacking[why], s.Op)
			}
		}
	}
	if t != nil {
		t.Notes = append(t.Notes,
			"Changes from before to after, params to decode (the time of an answer) in percent. A step goes to the next value among the released T5-Efficient shapes.")
		if text := agreementText(opinions); text != "" {
			t.Basis = append(t.Basis, text)
		}
		for _, why := range reasons {
			t.Basis = append(t.Basis, fmt.Sprintf("– %s: %s.", strings.Join(lacking[why], ", "), why))
		}
	}
}

func protocolRow(s *recommend.Step) []Cell {
	if s.Missing != "" {
		row := make([]Cell, 11)
		row[0], row[1], row[10] = Text(s.Op), Plain(fmt.Sprint(s.Value)), Text("none released")
		return row
	}
	before, c := &s.Before, &s.Change
	relative := func(change *float64, of hardware.Estimate) Cell {
		if change == nil || of.Interval == nil {
			return Cell{}
		}
		return Amount(*change / of.Interval.Value)
	}
	evidence := s.Upstream.Class.String()
	if s.Upstream.Interval == nil && s.Downstream.Interval == nil {
		evidence = "–"
	}
	return []Cell{
		Text(s.Op), Plain(fmt.Sprintf("%d → %d", s.Value, s.Next)),
		Amount(float64(c.Params) / float64(before.Params.Total)),
		Amount(c.FLOPs / before.FLOPs.Step), Amount(c.MemoryBytes / before.Memory.PeakBytes),
		relative(c.StepSeconds, before.StepTime), relative(c.DecodeSeconds, before.Decode.Latency()),
		OptionalAmount(c.CostUSD),
		Optional(s.Upstream.Interval), Optional(s.Downstream.Interval), Text(evidence),
	}
}

// Opinions adds what each published law prefers among recommended rows.
func (r *Report) Opinions(found *recommend.Result) {
	t := Table{
		Title: "What published laws prefer among these rows",
		Columns: []Column{
			{Title: "law"},
			{Title: "prefers", Wraps: true},
			{Title: "predicted loss", Kind: quantity.Number},
			{Title: "why not", Wraps: true},
			{Title: "source", Wraps: true, Optional: 1},
		},
		Notes: []string{"Each law was fitted to its own data; they are shown side by side and never averaged."},
	}
	var list []shapes.Shape
	var tokens []float64
	for n := range found.Rows {
		list = append(list, found.Rows[n].Shape)
		tokens = append(tokens, found.Rows[n].Schedule.Tokens.Interval.Value)
	}
	for _, o := range evidence.Opinions(list, tokens) {
		f := result.Preference{Law: o.Law, Source: o.Source, Missing: o.Missing}
		row := []Cell{Text(o.Law), {}, {}, Text(o.Missing), Text(o.Source)}
		if o.Missing == "" && o.Best < len(list) {
			f.Prefers = list[o.Best].Name
			row[1] = Text(f.Prefers)
			if len(o.Loss) > 0 {
				f.Loss = &o.Loss[o.Best]
				row[2] = Amount(*f.Loss)
			}
		}
		t.Rows = append(t.Rows, row)
		r.Document.Related = append(r.Document.Related, f)
	}
	r.Tables = append(r.Tables, t)
}
