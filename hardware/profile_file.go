package hardware

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/internal/yamlfile"
)

// maxProfileBytes bounds a profile file: real ones are under 2 kB.
const maxProfileBytes = 16 << 10

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
// as file:line:column. Anchors, aliases and tags are refused.
func ReadProfile(name string, in io.Reader) (Profile, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxProfileBytes+1))
	switch {
	case err != nil:
		return Profile{}, fmt.Errorf("%s: %w", name, err)
	case len(text) > maxProfileBytes:
		return Profile{}, fmt.Errorf("%s: larger than a profile can be; at most %d bytes", name,
			maxProfileBytes)
	case !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0:
		return Profile{}, fmt.Errorf("%s:1:1: not UTF-8 text; save the file as UTF-8", name)
	}
	r := &profileReader{name: name}
	profile := r.read(bytes.TrimPrefix(text, []byte("\ufeff")))
	return profile, errors.Join(r.faults...)
}

// profileReader collects the faults of one file.
type profileReader struct {
	name   string
	faults []error
}

func (r *profileReader) fault(at *token.Token, format string, args ...any) {
	line, column := 1, 1
	if at != nil && at.Position != nil {
		line, column = at.Position.Line, at.Position.Column
	}
	r.faults = append(r.faults, fmt.Errorf("%s:%d:%d: %s", r.name, line, column,
		fmt.Sprintf(format, args...)))
}

// read turns the text into a profile, or into faults.
func (r *profileReader) read(text []byte) Profile {
	body, ok := r.document(text)
	if !ok {
		return Profile{}
	}
	entries, ok := r.entries(body)
	if !ok {
		return Profile{}
	}
	profile := Profile{
		Peaks: map[Precision]Field{}, Measured: map[Precision]Field{}, DeviceUnit: "device",
	}
	named := false
	for _, e := range entries {
		if e.key != "extends" {
			continue
		}
		if base, ok := r.word(e.value); ok {
			found, err := Find(base)
			if err != nil {
				r.fault(e.value.GetToken(), "extends: %v", err)
				continue
			}
			profile = found
			profile.Aliases = nil
		}
	}
	for _, e := range entries {
		named = named || e.key == "name"
		r.set(&profile, e)
	}
	if !named {
		r.fault(nil, "no name; allowed: a line such as \"name: our A100\"")
	}
	return profile
}

// document is the one document of the text.
func (r *profileReader) document(text []byte) (ast.Node, bool) {
	file, err := yamlfile.Parse(text)
	if err != nil {
		var limit *yamlfile.LimitError
		var syntax yaml.Error
		switch {
		case errors.As(err, &limit):
			r.fault(limit.At, "%v", limit)
		case errors.As(err, &syntax):
			r.fault(syntax.GetToken(), "not valid YAML: %s", syntax.GetMessage())
		default:
			r.fault(nil, "not valid YAML: %v", err)
		}
		return nil, false
	}
	switch {
	case len(file.Docs) == 0 || len(file.Docs) == 1 && file.Docs[0].Body == nil:
		r.fault(nil, "no YAML document; allowed: one")
		return nil, false
	case len(file.Docs) > 1:
		r.fault(nil, "%d YAML documents; allowed: one", len(file.Docs))
		return nil, false
	}
	return file.Docs[0].Body, true
}

// set applies one line of the file.
func (r *profileReader) set(p *Profile, e entry) {
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
	case e.key == "extends": // read first
	case texts[e.key] != nil:
		word, ok := r.word(e.value)
		if allowed := choices[e.key]; ok && allowed != nil && !slices.Contains(allowed, word) {
			r.fault(e.value.GetToken(), "%s: %q; allowed: %s", e.key, clip(word),
				strings.Join(allowed, ", "))
			return
		}
		*texts[e.key] = word
		if e.key == "kind" || e.key == "family" {
			r.own(&p.Class)
		}
	case e.key == "compiled":
		word, ok := r.word(e.value)
		if ok && word != "yes" && word != "no" {
			r.fault(e.value.GetToken(), "compiled: %q; allowed: yes, no", clip(word))
			return
		}
		yes := word == "yes"
		p.Class.Compiled = &yes
		r.own(&p.Class)
	case e.key == "devices_per_node" || e.key == "node_sizes" || e.key == "slices":
		r.nodes(&p.Nodes, e)
	case e.key == "aliases":
		p.Aliases = append(p.Aliases, r.list(e, "[lab, lab-a100]")...)
	case e.key == "calibration":
		r.calibration(p, e)
	case e.key == "peaks" || e.key == "measured":
		entries, ok := r.entries(e.value)
		if !ok {
			return
		}
		prefix := map[string]string{"peaks": "peak_", "measured": "measured_"}[e.key]
		for _, by := range entries {
			if !slices.Contains(precisions[:], Precision(by.key)) {
				r.fault(by.at,
					"%s: unknown precision: %q; allowed: fp32, tf32, fp16, bf16, fp8, int8, fp4",
					e.key, clip(by.key))
				continue
			}
			s, _ := findSetting(prefix + by.key)
			r.number(p, s, by)
		}
	default:
		s, ok := findSetting(e.key)
		if !ok || s.key != e.key {
			r.fault(e.at, "%s", unknownKey(e.key, "name", "extends", "vendor", "aliases",
				"device_unit", "kind", "family", "compiled", "devices_per_node", "node_sizes",
				"slices", "traps", "intra_topology", "power_kind", "peaks", "measured",
				"calibration"))
			return
		}
		kind := p.PowerKind
		r.number(p, s, e)
		if e.key == "power" && kind != "" {
			p.PowerKind = kind // the file's own power_kind, or the base's, stands
		}
	}
}

// own makes the file the source of a class.
func (r *profileReader) own(c *Class) {
	c.Source, c.Evidence, c.Origin = r.name, "", File
}

// list reads a list of words.
func (r *profileReader) list(e entry, such string) []string {
	list, ok := e.value.(*ast.SequenceNode)
	if !ok {
		r.fault(e.value.GetToken(), "%s: not a list; allowed: such as %s", e.key, such)
		return nil
	}
	var words []string
	for _, item := range list.Values {
		if word, ok := r.word(item); ok {
			words = append(words, word)
		}
	}
	return words
}

// nodes reads one of the facts about the pieces in which devices can be had.
func (r *profileReader) nodes(n *Nodes, e entry) {
	n.Source, n.Evidence, n.Note, n.Origin = r.name, "", "", File
	count := func(word string) int {
		v, err := quantity.ParseExact(quantity.Count, word)
		if err != nil || v < 1 || v > mostDevices {
			r.fault(e.value.GetToken(), "%s: not a number of devices: %q; allowed: 1 to %d", e.key,
				clip(word), int64(mostDevices))
			return 1
		}
		return int(v)
	}
	switch e.key {
	case "devices_per_node":
		if word, ok := r.word(e.value); ok {
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
				r.fault(e.value.GetToken(),
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
func (r *profileReader) number(p *Profile, s setting, e entry) {
	field := Field{Fact: data.Fact{Source: r.name}, Origin: File}
	value := e.value
	if _, isMap := value.(ast.MapNode); isMap {
		entries, ok := r.entries(value)
		if !ok {
			return
		}
		value = nil
		for _, part := range entries {
			if part.key == "value" {
				value = part.value
				continue
			}
			word, ok := r.word(part.value)
			if !ok {
				continue
			}
			switch part.key {
			case "source":
				field.Source = word
			case "note":
				field.Note = word
			case "evidence":
				class, err := data.ParseEvidence(word)
				if err != nil {
					r.fault(part.value.GetToken(), "%s: %v", e.key, err)
				}
				field.Evidence = class
			default:
				r.fault(part.at, "%s: unknown key: %q; allowed: value, source, evidence, note", e.key,
					clip(part.key))
			}
		}
		if value == nil {
			r.fault(e.at, "%s: no value", e.key)
			return
		}
	}
	word, ok := r.word(value)
	if !ok {
		return
	}
	amount, err := s.amount(word)
	if err != nil {
		r.fault(value.GetToken(), "%s: %v", e.key, err)
		return
	}
	field.Value = amount
	s.put(p, field)
}

// entry is one "key: value" of a mapping.
type entry struct {
	key   string
	at    *token.Token
	value ast.Node
}

// entries lists a mapping, in order. The parser has already refused keys that stand twice.
func (r *profileReader) entries(node ast.Node) ([]entry, bool) {
	mapping, ok := node.(ast.MapNode)
	if !ok {
		r.fault(node.GetToken(), "not keys and values; allowed: such as \"memory: 80 GiB\"")
		return nil, false
	}
	var out []entry
	for pairs := mapping.MapRange(); pairs.Next(); {
		key := pairs.Key()
		if key == nil || key.GetToken() == nil || key.IsMergeKey() || key.Type() != ast.StringType {
			r.fault(node.GetToken(), "a key that is not a plain word")
			continue
		}
		out = append(out, entry{
			key: key.GetToken().Value, at: key.GetToken(), value: pairs.Value(),
		})
	}
	return out, true
}

// word is the text of a scalar exactly as written: numbers are not interpreted by YAML, where 012
// would be 10.
func (r *profileReader) word(node ast.Node) (string, bool) {
	text := ""
	switch n := node.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode,
		*ast.NanNode:
		text = strings.TrimSpace(n.GetToken().Value)
	case *ast.LiteralNode:
		text = strings.TrimSpace(n.Value.Value)
	case *ast.NullNode:
	default:
		r.fault(node.GetToken(),
			"not a single value; allowed: a number or a word, no anchors, aliases, tags, lists or maps")
		return "", false
	}
	if text == "" {
		r.fault(node.GetToken(), "nothing given; leave the line out where a number is unknown")
	}
	return text, text != ""
}
