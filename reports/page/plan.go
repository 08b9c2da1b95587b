package page

import (
	"encoding/json"
	"fmt"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// planned is a result of count or plan, as far as it is shown.
type planned struct {
	Shape    shape  `json:"shape"`
	Hardware string `json:"hardware"`
	Devices  int    `json:"devices"`
	Workload struct {
		Batch         int `json:"batch"`
		EncoderLength int `json:"encoder_length"`
		DecoderLength int `json:"decoder_length"`
	} `json:"workload"`
	Params struct {
		Total       float64            `json:"total"`
		ByComponent map[string]float64 `json:"by_component"`
	} `json:"params"`
	FLOPs struct {
		Convention string  `json:"convention"`
		Step       float64 `json:"step"`
	} `json:"flops"`
	Memory struct {
		Peak        float64            `json:"peak_bytes"`
		Fits        *bool              `json:"fits"`
		ByComponent map[string]float64 `json:"by_component"`
	} `json:"memory"`
	Time struct {
		Step  estimate `json:"step_seconds"`
		Total estimate `json:"total_seconds"`
		Level float64  `json:"level"`
		Bound string   `json:"bound"`
		MFU   *float64 `json:"mfu"`
		Parts []struct {
			Name    string  `json:"name"`
			Seconds float64 `json:"seconds"`
			Bound   string  `json:"bound"`
		} `json:"parts"`
	} `json:"time"`
	Cost struct {
		USD    estimate `json:"usd"`
		Energy estimate `json:"energy_kwh"`
		CO2    estimate `json:"co2_kg"`
	} `json:"cost"`
	Breakdown []struct {
		Name    string  `json:"name"`
		Forward float64 `json:"forward"`
	} `json:"breakdown"`
	Assumptions []struct {
		Name     string   `json:"name"`
		Value    estimate `json:"value"`
		Text     string   `json:"text"`
		Origin   string   `json:"origin"`
		Source   string   `json:"source"`
		Evidence string   `json:"evidence"`
		Note     string   `json:"note"`
	} `json:"assumptions"`
	Missing map[string]string `json:"missing"`
}

type shape struct {
	Name    string `json:"name"`
	DModel  int    `json:"d_model"`
	Encoder *stack `json:"encoder"`
	Decoder *stack `json:"decoder"`
}

type stack struct {
	Layers int `json:"layers"`
	DFF    int `json:"d_ff"`
	Heads  int `json:"heads"`
	DKV    int `json:"d_kv"`
}

// detail is a shape in a line.
func (s *shape) detail() string {
	out := fmt.Sprintf("d_model %d", s.DModel)
	for _, k := range []struct {
		name string
		*stack
	}{{"encoder", s.Encoder}, {"decoder", s.Decoder}} {
		if k.stack != nil {
			out += fmt.Sprintf(" · %s %d layers, d_ff %d, %d×%d", k.name, k.Layers, k.DFF, k.Heads,
				k.DKV)
		}
	}
	return out
}

// plans fills a section with the results of count and plan.
func (s *section) plans(results []json.RawMessage) error {
	for _, raw := range results {
		var p planned
		if err := json.Unmarshal(raw, &p); err != nil {
			return err
		}
		s.Subjects = append(s.Subjects, p.subject())
	}
	if len(s.Subjects) > 1 {
		s.Tables = append(s.Tables, sideBySide(s.Subjects))
	}
	return nil
}

func (p *planned) subject() subject {
	out := subject{Name: p.Shape.Name, Detail: p.Shape.detail()}
	if p.Hardware != "" {
		out.Detail += fmt.Sprintf(" · on %d × %s, batch %d", p.Devices, p.Hardware,
			p.Workload.Batch)
	}
	out.Cards = append(out.Cards, card{
		Label: "parameters",
		Value: quantity.Grouped(int64(p.Params.Total)),
	})
	if p.FLOPs.Step > 0 {
		out.Cards = append(out.Cards, card{
			Label: "FLOPs of a step",
			Value: quantity.Format(quantity.FLOP, p.FLOPs.Step, 0), Note: p.FLOPs.Convention +
				" convention",
		})
	}
	if p.Memory.Peak > 0 {
		c := card{Label: "memory of a device", Value: quantity.Format(quantity.Bytes, p.Memory.Peak,
			0)}
		if p.Memory.Fits != nil {
			c.Note, c.Bad = "fits", !*p.Memory.Fits
			if c.Bad {
				c.Note = "does not fit"
			}
		}
		out.Cards = append(out.Cards, c)
	}
	p.timeCards(&out)
	out.Bars = p.bars()
	if t := p.assumptions(); len(t.Rows) > 0 {
		out.Tables = append(out.Tables, t)
	}
	return out
}

// timeCards shows times, money and emissions where a result has them.
func (p *planned) timeCards(out *subject) {
	note := ""
	if p.Time.MFU != nil {
		note = fmt.Sprintf("bound by %s, %s MFU", p.Time.Bound,
			quantity.Format(quantity.Fraction, *p.Time.MFU, 0))
	}
	for _, c := range []struct {
		label, missing string
		kind           quantity.Kind
		value          estimate
		note           string
	}{
		{"one step", "time.step_seconds", quantity.Duration, p.Time.Step, note},
		{"the whole run", "time.total_seconds", quantity.Duration, p.Time.Total, ""},
		{"cost", "cost.usd", quantity.Money, p.Cost.USD, ""},
		{"energy", "cost.energy_kwh", quantity.Energy, p.Cost.Energy, ""},
		{"CO2e", "cost.co2_kg", quantity.CarbonMass, p.Cost.CO2, ""},
	} {
		switch why := p.Missing[c.missing]; {
		case c.value.Interval != nil:
			out.Cards = append(out.Cards, card{
				Label: c.label, Value: c.value.text(c.kind),
				Note: c.note,
			})
		case why != "":
			out.Cards = append(out.Cards, card{Label: c.label, Value: "unknown", Note: why})
		}
	}
}

func (p *planned) bars() []bars {
	var steps, work []part
	for _, t := range p.Time.Parts {
		steps = append(steps, part{t.Name, t.Seconds, t.Bound})
	}
	for _, b := range p.Breakdown {
		if b.Forward == 0 {
			continue // norms and tables have no matrix products
		}
		work = append(work, part{name: b.Name, value: b.Forward})
	}
	var out []bars
	for _, b := range []bars{
		barsOf("Where the parameters are", quantity.Params, partsOf(p.Params.ByComponent)),
		barsOf("Where the FLOPs of a forward pass are", quantity.FLOP, work),
		barsOf("Where the memory goes", quantity.Bytes, partsOf(p.Memory.ByComponent)),
		barsOf("Where the step goes, and what limits it", quantity.Duration, steps),
	} {
		if len(b.Rows) > 0 {
			out = append(out, b)
		}
	}
	return out
}

func (p *planned) assumptions() table {
	t := table{Title: "What this rests on", Columns: columnsOf("assumption", "value", "origin",
		"evidence", "¶source")}
	for _, a := range p.Assumptions {
		value := a.Text
		if a.Value.Interval != nil {
			value = quantity.FormatInterval(inputKinds[a.Name], *a.Value.Interval)
		}
		t.Rows = append(t.Rows, row{Cells: []cell{
			words(a.Name), words(value), words(a.Origin),
			words(a.Evidence), words(a.Source),
		}})
	}
	return t
}

// inputKinds says how each input of a bill is written; others are plain numbers.
var inputKinds = map[string]quantity.Kind{
	"price": quantity.HourlyPrice, "mean power": quantity.Power, "PUE": quantity.Ratio,
	"grid intensity": quantity.CarbonIntensity, "goodput": quantity.Fraction,
}

// sideBySide puts the cards of several subjects into one table.
func sideBySide(subjects []subject) table {
	t := table{Title: "Side by side", Columns: columnsOf("shape")}
	index := map[string]int{}
	for _, s := range subjects {
		for _, c := range s.Cards {
			if _, known := index[c.Label]; !known {
				index[c.Label] = len(t.Columns)
				t.Columns = append(t.Columns, column{Title: c.Label})
			}
		}
	}
	for _, s := range subjects {
		cells := make([]cell, len(t.Columns))
		cells[0] = words(s.Name)
		for i := 1; i < len(cells); i++ {
			cells[i] = words("–")
		}
		for _, c := range s.Cards {
			cells[index[c.Label]] = words(c.Value)
		}
		t.Rows = append(t.Rows, row{Cells: cells})
	}
	return t
}
