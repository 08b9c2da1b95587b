package hardware

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// PhaseSpec is one phase as a run file states it. What it leaves out is 0, nil or empty.
type PhaseSpec struct {
	At        string // file:line:column, for errors of those who resolve the names
	Name      string
	Shape     string
	Hardware  string
	Devices   int
	Layout    flops.Layout
	Search    string // "auto" where the layout is to be searched
	Workload  flops.Workload
	Execution flops.Execution
	// Given holds the keys that the file states, of the phase or for all.
	Given   map[string]bool
	Length  Length
	Rates   StatedRates
	Goodput *float64
}

// phasesKey makes a YAML file a run file.
const phasesKey = "phases"

// IsRunFile says whether a text is YAML with phases at its top level.
func IsRunFile(text []byte) bool {
	root, err := syntax.ReadYAML("", bytes.NewReader(text))
	return err == nil && slices.ContainsFunc(root.Fields, func(f syntax.Field) bool { return f.Name == phasesKey })
}

// ReadRunFile returns the phases of a run file; name stands in the errors.
//
//	shape: t5-base
//	hardware: tpu-v3
//	devices: 16
//	phases:
//	  - {name: pre-training, steps: 524288}
//	  - {preset: superglue, steps: 20k, hardware: a100, devices: 8}
//
// What stands at the top holds for all phases that do not say otherwise. A preset sets batch,
// lengths and steps, see [FindFineTuning]. Amounts are read by internal/quantity. Every fault is
// reported at once, each as file:line:column.
func ReadRunFile(name string, in io.Reader) ([]PhaseSpec, error) {
	root, err := syntax.ReadYAML(name, in)
	if err != nil {
		return nil, err
	}
	r := &profileReader{name: name}
	phases := r.run(root)
	return phases, errors.Join(r.faults...)
}

func (r *profileReader) run(root *syntax.Node) []PhaseSpec {
	common := PhaseSpec{
		Given: map[string]bool{}, Execution: flops.Execution{Optimizer: flops.Adafactor},
	}
	var list *syntax.Node
	var rest []syntax.Field
	for _, e := range root.Fields {
		if e.Name != phasesKey {
			rest = append(rest, e)
			continue
		}
		if list = e.Value; list.Kind != syntax.List || len(list.Items) == 0 {
			r.fault(e.At, "phases: not a list; allowed: such as - {name: pre-training, steps: 524288}")
			return nil
		}
	}
	if list == nil {
		r.fault(syntax.Position{File: r.name, Line: 1, Column: 1}, "no phases; a run file lists them")
		return nil
	}
	r.phase(&common, rest, []string{phasesKey}, "name", "preset")
	var out []PhaseSpec
	for i, item := range list.Items {
		entries, ok := r.entries(item)
		if !ok {
			continue
		}
		p := common
		p.Given = make(map[string]bool, len(common.Given))
		for key := range common.Given {
			p.Given[key] = true
		}
		p.Name = fmt.Sprintf("phase %d", i+1)
		p.At = item.At.String()
		r.phase(&p, entries, nil)
		for _, need := range []struct{ key, value string }{
			{"shape", p.Shape},
			{"hardware", p.Hardware},
		} {
			if need.value == "" {
				r.fault(item.At, "%s: no %s; allowed: a line of the phase or at the top", p.Name,
					need.key)
			}
		}
		out = append(out, p)
	}
	return out
}

// phase applies the lines of a phase, presets first, so that what a line says stands.
func (r *profileReader) phase(p *PhaseSpec, entries []syntax.Field, also []string, refused ...string) {
	for _, e := range entries {
		if e.Name != "preset" || slices.Contains(refused, e.Name) {
			continue
		}
		word, ok := r.word(e.Value)
		if !ok {
			continue
		}
		preset, err := FindFineTuning(word)
		if err != nil {
			r.fault(e.Value.At, "preset: %v", err)
			continue
		}
		p.Name, p.Workload, p.Length = preset.Name, preset.Workload, Length{Steps: preset.Steps}
		for _, key := range []string{"batch", "encoder_length", "decoder_length"} {
			p.Given[key] = true
		}
	}
	length := ""
	for _, e := range entries {
		if e.Name == "preset" && !slices.Contains(refused, e.Name) {
			continue
		}
		set, ok := p.keys()[e.Name]
		if !ok || slices.Contains(refused, e.Name) {
			r.fault(e.At, "%s", unknownPhaseKey(e.Name, p, also, refused))
			continue
		}
		word, ok := r.word(e.Value)
		if !ok {
			continue
		}
		if slices.Contains(lengthKeys, e.Name) {
			if length != "" {
				r.fault(e.At, "%s and %s both say how long the phase is; allowed: one of them",
					length, e.Name)
				continue
			}
			length, p.Length = e.Name, Length{}
		}
		if err := set(word); err != nil {
			r.fault(e.Value.At, "%s: %v", e.Name, err)
			continue
		}
		p.Given[e.Name] = true
	}
}

// lengthKeys say how long a phase is.
var lengthKeys = []string{"steps", "tokens", "days", "max_cost"}

// keys are what a phase may state, with what reads each.
func (p *PhaseSpec) keys() map[string]func(string) error {
	text := func(at *string) func(string) error {
		return func(word string) error { *at = word; return nil }
	}
	count := func(at *int, least int) func(string) error {
		return func(word string) error {
			n, err := quantity.ParseExact(quantity.Count, word)
			if err == nil && (n < int64(least) || n > math.MaxInt32) {
				err = fmt.Errorf("out of range: %d; allowed: %d to %d", n, least, math.MaxInt32)
			}
			*at = int(n)
			return err
		}
	}
	kind := func(at encoding.TextUnmarshaler) func(string) error {
		return func(word string) error { return at.UnmarshalText([]byte(word)) }
	}
	amount := func(k quantity.Kind, put func(float64)) func(string) error {
		return func(word string) error {
			v, err := quantity.Parse(k, word)
			if err == nil && v <= 0 {
				err = fmt.Errorf("must be more than 0: %q", clip(word))
			}
			put(v)
			return err
		}
	}
	optional := func(k quantity.Kind, at **float64) func(string) error {
		return amount(k, func(v float64) { *at = &v })
	}
	search := func(word string) error {
		if p.Search = word; word != "auto" {
			return fmt.Errorf(
				"unknown layout: %q; allowed: auto, or the lines dp, tp, pp and zero", clip(word))
		}
		return nil
	}
	const secondsPerDay = 86400
	return map[string]func(string) error{
		"name": text(&p.Name), "shape": text(&p.Shape), "hardware": text(&p.Hardware),
		"region":  text(&p.Rates.Region),
		"devices": count(&p.Devices, 1), "dp": count(&p.Layout.DP, 1), "tp": count(&p.Layout.TP, 1),
		"pp": count(&p.Layout.PP, 1), "zero": count(&p.Layout.ZeRO, 0),
		"layout": search, "micro_batch": count(&p.Layout.MicroBatch, 1),
		"accumulate": count(&p.Layout.Accumulate, 1),
		"batch":      count(&p.Workload.Batch, 1), "encoder_length": count(&p.Workload.EncoderLength, 1),
		"decoder_length": count(&p.Workload.DecoderLength, 1),
		"precision":      kind(&p.Execution.Precision), "optimizer": kind(&p.Execution.Optimizer),
		"recompute": kind(&p.Execution.Recompute), "attention": kind(&p.Execution.Attention),
		"steps": amount(quantity.Count, func(v float64) { p.Length.Steps = v }), "tokens": amount(quantity.Tokens, func(v float64) { p.Length.Tokens = v }),
		"days":     amount(quantity.Number, func(v float64) { p.Length.WallSeconds = secondsPerDay * v }),
		"max_cost": amount(quantity.Money, func(v float64) { p.Length.MaxUSD = v }),
		"price":    optional(quantity.HourlyPrice, &p.Rates.PriceUSDPerHour),
		"power":    optional(quantity.Power, &p.Rates.MeanPowerWatts),
		"pue":      optional(quantity.Ratio, &p.Rates.PUE),
		"grid":     optional(quantity.CarbonIntensity, &p.Rates.KgCO2ePerKWh),
		"goodput":  optional(quantity.Fraction, &p.Goodput),
	}
}

func unknownPhaseKey(key string, p *PhaseSpec, also, refused []string) string {
	keys := slices.Clone(also)
	if !slices.Contains(refused, "preset") {
		keys = append(keys, "preset")
	}
	for name := range p.keys() {
		if !slices.Contains(refused, name) {
			keys = append(keys, name)
		}
	}
	slices.Sort(keys)
	return unknownKey(key, keys)
}
