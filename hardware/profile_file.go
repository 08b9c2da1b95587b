package hardware

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// ReadProfile returns the profile in a YAML file; name stands in the errors. The file may extend a
// catalogue profile and sets what differs:
//
//	name: our A100
//	extends: a100-80gb
//	memory: 79 GiB
//	price: {value: $1.10/h, source: contract of 2025, evidence: primary}
//	peaks: {bf16: 312 TFLOP/s}
//
// The keys are those of overrides, with peaks and measured as maps by precision, and besides
// vendor, aliases, device_unit, kind, family, compiled, devices_per_node, node_sizes, slices,
// intra_topology, power_kind, traps and calibration, which [WriteProfile] writes. A device that
// extends another is of its kind and family and keeps its effect on the step time.
// Amounts are read by internal/quantity and need their units. Every fault is reported at once, each
// as file:line:column.
func ReadProfile(name string, in io.Reader) (Profile, error) {
	root, err := syntax.ReadYAML(name, in)
	if err != nil {
		return Profile{}, err
	}
	r := &profileReader{name: name}
	profile := r.read(root)
	return profile, errors.Join(r.faults...)
}

// profileReader collects the faults of one file.
type profileReader struct {
	name   string
	faults []error
}

func (r *profileReader) fault(at syntax.Position, format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf("%s: %s", at, fmt.Sprintf(format, args...)))
}

// read turns the file into a profile, or into faults.
func (r *profileReader) read(root *syntax.Node) Profile {
	profile := Profile{
		Peaks: map[Precision]Field{}, Measured: map[Precision]Field{}, DeviceUnit: "device",
	}
	named := false
	for _, e := range root.Fields {
		if e.Name != "extends" {
			continue
		}
		if base, ok := r.word(e.Value); ok {
			found, err := Find(base)
			if err != nil {
				r.fault(e.Value.At, "extends: %v", err)
				continue
			}
			profile = found
			profile.Aliases = nil
		}
	}
	for _, e := range root.Fields {
		named = named || e.Name == "name"
		r.set(&profile, e)
	}
	if !named {
		r.fault(syntax.Position{File: r.name, Line: 1, Column: 1}, "no name; allowed: a line such as \"name: our A100\"")
	}
	return profile
}

// set applies one line of the file.
func (r *profileReader) set(p *Profile, e syntax.Field) {
	texts := map[string]*string{
		"name": &p.Name, "vendor": &p.Vendor, "device_unit": &p.DeviceUnit,
		"traps": &p.Traps, "intra_topology": &p.IntraTopology, "power_kind": &p.PowerKind,
		"kind": &p.Class.Kind, "family": &p.Class.Family,
	}
	choices := map[string][]string{
		"intra_topology": topologies,
		"power_kind":     {MeanPower, LimitPower},
		"kind":           data.Kinds,
	}
	switch {
	case e.Name == "extends": // read first
	case texts[e.Name] != nil:
		word, ok := r.word(e.Value)
		if allowed := choices[e.Name]; ok && allowed != nil && !slices.Contains(allowed, word) {
			r.fault(e.Value.At, "%s: %q; allowed: %s", e.Name, clip(word),
				strings.Join(allowed, ", "))
			return
		}
		*texts[e.Name] = word
		if e.Name == "kind" || e.Name == "family" {
			r.own(&p.Class)
		}
	case e.Name == "compiled":
		word, ok := r.word(e.Value)
		if ok && word != "yes" && word != "no" {
			r.fault(e.Value.At, "compiled: %q; allowed: yes, no", clip(word))
			return
		}
		yes := word == "yes"
		p.Class.Compiled = &yes
		r.own(&p.Class)
	case e.Name == "devices_per_node" || e.Name == "node_sizes" || e.Name == "slices":
		r.nodes(&p.Nodes, e)
	case e.Name == "aliases":
		p.Aliases = append(p.Aliases, r.list(e, "[lab, lab-a100]")...)
	case e.Name == "calibration":
		r.calibration(p, e)
	case e.Name == "peaks" || e.Name == "measured":
		entries, ok := r.entries(e.Value)
		if !ok {
			return
		}
		prefix := map[string]string{"peaks": "peak_", "measured": "measured_"}[e.Name]
		for _, by := range entries {
			if !slices.Contains(precisions[:], Precision(by.Name)) {
				r.fault(by.At,
					"%s: unknown precision: %q; allowed: fp32, tf32, fp16, bf16, fp8, int8, fp4",
					e.Name, clip(by.Name))
				continue
			}
			s, _ := findSetting(prefix + by.Name)
			r.number(p, s, by)
		}
	default:
		s, ok := findSetting(e.Name)
		if !ok || s.key != e.Name {
			r.fault(e.At, "%s", unknownSetting(e.Name, "name", "extends", "vendor", "aliases",
				"device_unit", "kind", "family", "compiled", "devices_per_node", "node_sizes",
				"slices", "traps", "intra_topology", "power_kind", "peaks", "measured",
				"calibration"))
			return
		}
		kind := p.PowerKind
		r.number(p, s, e)
		if e.Name == "power" && kind != "" {
			p.PowerKind = kind // the file's own power_kind, or the base's, stands
		}
	}
}

// own makes the file the source of a class.
func (r *profileReader) own(c *Class) {
	c.Source, c.Evidence, c.Origin = r.name, "", File
}

// list reads a list of words.
func (r *profileReader) list(e syntax.Field, such string) []string {
	if e.Value.Kind != syntax.List {
		r.fault(e.Value.At, "%s: not a list; allowed: such as %s", e.Name, such)
		return nil
	}
	var words []string
	for _, item := range e.Value.Items {
		if word, ok := r.word(item); ok {
			words = append(words, word)
		}
	}
	return words
}

// nodes reads one of the facts about the pieces in which devices can be had.
func (r *profileReader) nodes(n *data.Nodes, e syntax.Field) {
	n.Source, n.Evidence, n.Note = r.name, "", ""
	count := func(word string) int {
		v, err := quantity.ParseExact(quantity.Count, word)
		if err != nil || v < 1 || v > mostDevices {
			r.fault(e.Value.At, "%s: not a number of devices: %q; allowed: 1 to %d", e.Name,
				clip(word), int64(mostDevices))
			return 1
		}
		return int(v)
	}
	switch e.Name {
	case "devices_per_node":
		if word, ok := r.word(e.Value); ok {
			devices := count(word)
			n.Devices = &devices
		}
	case "node_sizes":
		n.Sizes = nil
		for _, word := range r.list(e, "[1, 2, 4, 8]") {
			n.Sizes = append(n.Sizes, count(word))
		}
		slices.Sort(n.Sizes)
	case "slices":
		n.Slices = nil
		for _, word := range r.list(e, "[2x4, 4x4]") {
			axes, ok := data.ParseSlice(word)
			if !ok {
				r.fault(e.Value.At,
					"slices: not the shape of a slice: %q; allowed: such as 4x4 or 2x2x4",
					clip(word))
			}
			n.Slices = append(n.Slices, axes)
		}
	}
}

// mostDevices bounds the devices of one node.
const mostDevices = 1 << 20

// number reads "80 GiB" or {value: 80 GiB, source: …, evidence: …, note: …}.
func (r *profileReader) number(p *Profile, s setting, e syntax.Field) {
	field := Field{Fact: data.Fact{Source: r.name}, Origin: File}
	value := e.Value
	if value.Kind == syntax.Object {
		entries, ok := r.entries(value)
		if !ok {
			return
		}
		value = nil
		for _, part := range entries {
			if part.Name == "value" {
				value = part.Value
				continue
			}
			word, ok := r.word(part.Value)
			if !ok {
				continue
			}
			switch part.Name {
			case "source":
				field.Source = word
			case "note":
				field.Note = word
			case "evidence":
				class, err := data.ParseEvidence(word)
				if err != nil {
					r.fault(part.Value.At, "%s: %v", e.Name, err)
				}
				field.Evidence = class
			default:
				r.fault(part.At, "%s: unknown key: %q; allowed: value, source, evidence, note", e.Name,
					clip(part.Name))
			}
		}
		if value == nil {
			r.fault(e.At, "%s: no value", e.Name)
			return
		}
	}
	word, ok := r.word(value)
	if !ok {
		return
	}
	amount, err := s.amount(word)
	if err != nil {
		r.fault(value.At, "%s: %v", e.Name, err)
		return
	}
	field.Value = amount
	s.put(p, field)
}

// entries lists a mapping, in order.
func (r *profileReader) entries(node *syntax.Node) ([]syntax.Field, bool) {
	if node.Kind != syntax.Object {
		r.fault(node.At, "not keys and values; allowed: such as \"memory: 80 GiB\"")
		return nil, false
	}
	return node.Fields, true
}

// word is the text of a scalar exactly as written: numbers are not interpreted by YAML, where 012
// would be 10.
func (r *profileReader) word(node *syntax.Node) (string, bool) {
	if node.Kind != syntax.Null && !node.Scalar() {
		r.fault(node.At, "not a single value; allowed: a number or a word, no lists or maps")
		return "", false
	}
	text := strings.TrimSpace(node.Text)
	if node.Kind == syntax.Null || text == "" {
		r.fault(node.At, "nothing given; leave the line out where a number is unknown")
		return "", false
	}
	return text, true
}
