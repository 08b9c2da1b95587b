package engine

import (
	"cmp"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// cards tells a plan in few figures.
func cards(a *plan.Answer) []Card {
	s := &a.Schedule
	estimate := func(title string, kind quantity.Kind, e hardware.Estimate) Card {
		if e.Interval == nil {
			return Card{Title: title, Text: "unknown", Note: e.Missing}
		}
		return Card{Title: title, Text: quantity.FormatInterval(kind, *e.Interval)}
	}
	memory := Card{Title: "peak memory per device", Text: quantity.Format(quantity.Bytes,
		a.Memory.PeakBytes, 0)}
	if fits := a.Fits; fits != nil {
		memory.Note, memory.Bad = "fits", !*fits
		if memory.Bad {
			memory.Note = "does not fit"
		}
	}
	step := estimate("one step", quantity.Duration, a.StepTime)
	if q := a.Prediction; q != nil {
		step.Note = "bottleneck: " + string(q.Bound) + ", " + quantity.Format(quantity.Fraction, q.MFU, 0) +
			" MFU"
	}
	parameters := Card{
		Title: "parameters", Text: quantity.Grouped(a.Params.Total),
		Note: quantity.Format(quantity.Params, float64(a.Params.NonEmbedding), 0) + " without embedding",
	}
	tokens := estimate("tokens", quantity.Tokens, s.Tokens)
	tokens.Note = "in all steps"
	return []Card{
		memory,
		estimate("cost", quantity.Money, s.Bill.CostUSD),
		estimate("wall clock", quantity.Duration, s.Occupancy.WallSeconds),
		step,
		parameters,
		tokens,
		{
			Title: "FLOPs of a step", Text: quantity.Format(quantity.FLOP, a.FLOPs.Step, 0),
			Note: "matmul convention",
		},
		{Title: "layout", Text: plan.LayoutText(&a.Run)},
		estimate("energy", quantity.Energy, s.Bill.EnergyKWh),
		estimate("CO2e", quantity.CarbonMass, s.Bill.CO2Kg),
	}
}

// charts says where parameters, memory and time go, the largest part first.
func charts(a *plan.Answer) []Chart {
	params, memory := &a.Params, &a.Memory
	p := Chart{Title: "Parameters"}
	for component, n := range params.By {
		p.add(flops.Component(component).String(), quantity.Params, float64(n),
			float64(params.Total), "")
	}
	m := Chart{Title: "Peak memory per device, at " +
		strings.ReplaceAll(memory.PeakPhase.String(), "_", " ")}
	for part, n := range memory.Peak {
		m.add(flops.MemoryPart(part).String(), quantity.Bytes, n, memory.PeakBytes, "")
	}
	charts := []Chart{p, m}
	if q := a.Prediction; q != nil {
		t := Chart{Title: "One step"}
		for _, part := range q.Parts {
			t.add(part.Name, quantity.Duration, part.Seconds, q.StepSeconds.Value,
				string(part.Bound))
		}
		charts = append(charts, t)
	}
	for i := range charts {
		slices.SortStableFunc(charts[i].Bars, func(a, b Bar) int { return cmp.Compare(b.Share, a.Share) })
	}
	return charts
}

// negligible is the share of a total below which a part is not drawn.
const negligible = 1e-3

func (c *Chart) add(label string, kind quantity.Kind, value, total float64, note string) {
	if value < negligible*total {
		return
	}
	c.Bars = append(c.Bars, Bar{
		Label: strings.ReplaceAll(label, "_", " "), Share: value / total,
		Text: quantity.Format(kind, value, 0), Note: note,
	})
}
