package engine

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// State is one position of all controls. A 0 is what the shape itself, or the default workload,
// says.
type State struct {
	Shape                               string // a catalogue name, or an edit of one
	EL, DL, DModel, DFF, Heads, KVHeads int
	Batch, EncoderLength, DecoderLength int
	Hardware                            string
	Devices, Steps                      int
	// How the step is laid out and computed; empty or 0 is the default.
	ZeRO, TP, PP, Interleave, MicroBatch      int
	Precision, Optimizer, Attention, Compiled string
	Recompute, SequenceParallel               string
	Price                                     string   // of a device-hour
	Among                                     string   // "catalogue" or "lattice": what the front is searched in
	Objective                                 string   // what the front saves: see [recommend.ParseObjective]
	Beside                                    []string // fragments of the plans kept for comparison
}

// mostBeside is how many plans are kept for comparison.
const mostBeside = 3

// start is where the explorer opens: the run of Tay et al. 2021 (arXiv 2109.10686, section 3).
func start() State {
	return State{
		Shape: "t5-base", Hardware: "tpu-v3", Devices: 16, Steps: 524288,
		Among: "catalogue", Objective: "params",
	}
}

// number is one whole number of the state: its key in the fragment, the letters of the shape's edit
// or the flag of the command line, and where it is kept.
type number struct {
	key, edit, flag string
	at              *int
}

// numbers lists the whole numbers in the order of fragment and command line.
func (s *State) numbers() []number {
	return []number{
		{"el", "el", "", &s.EL},
		{"dl", "dl", "", &s.DL},
		{"dm", "dm", "", &s.DModel},
		{"ff", "ff", "", &s.DFF},
		{"nh", "nh", "", &s.Heads},
		{"kvh", "kvh", "", &s.KVHeads},
		{"batch", "", "batch", &s.Batch},
		{"enc", "", "encoder-length", &s.EncoderLength},
		{"dec", "", "decoder-length", &s.DecoderLength},
		{"devices", "", "devices", &s.Devices},
		{"steps", "", "steps", &s.Steps},
		{"tp", "", "tp", &s.TP},
		{"pp", "", "pp", &s.PP},
		{"interleave", "", "interleave", &s.Interleave},
		{"zero", "", "zero", &s.ZeRO},
		{"micro", "", "micro-batch", &s.MicroBatch},
	}
}

// word is one choice of the state: its key in the fragment, the flag of the command line, and where
// it is kept.
type word struct {
	key, flag string
	at        *string
}

// words lists the choices in the order of fragment and command line.
func (s *State) words() []word {
	return []word{
		{"precision", "precision", &s.Precision},
		{"optimizer", "optimizer", &s.Optimizer},
		{"attention", "attention", &s.Attention},
		{"recompute", "recompute", &s.Recompute},
		{"compiled", "compiled", &s.Compiled},
		{"sp", "sequence-parallel", &s.SequenceParallel},
		{"price", "price", &s.Price},
	}
}

// largest bounds every number of a state, so that no product of the layout search overflows.
const largest = 1 << 24

// read returns the state that a URL fragment names, without its "#". Keys that are absent keep the
// value of [start]; an unknown key or a value out of range is an error.
func read(fragment string) (State, error) {
	s := start()
	values, err := url.ParseQuery(fragment)
	if err != nil {
		return s, fmt.Errorf("the address is damaged: %w", err)
	}
	texts := map[string]*string{
		"shape": &s.Shape, "hardware": &s.Hardware, "among": &s.Among,
		"objective": &s.Objective,
	}
	for _, w := range s.words() {
		texts[w.key] = w.at
	}
	numbers := s.numbers()
	for key, v := range values {
		if key == "beside" {
			if len(v) > mostBeside {
				return s, fmt.Errorf("%d plans are kept beside this one; allowed: %d", len(v), mostBeside)
			}
			s.Beside = v
			continue
		}
		if at, ok := texts[key]; ok {
			*at = v[0]
			continue
		}
		i := slices.IndexFunc(numbers, func(n number) bool { return n.key == key })
		if i < 0 {
			return s, fmt.Errorf("the address names an unknown control: %q", key)
		}
		n, err := quantity.ParseExact(quantity.Count, v[0])
		if err != nil || n < 1 || n > largest {
			return s, fmt.Errorf("%s is %q; allowed: a whole number from 1 to %d", key, v[0],
				largest)
		}
		*numbers[i].at = int(n)
	}
	if _, err := s.question(); err != nil {
		return s, err
	}
	if s.Among != "catalogue" && s.Among != "lattice" {
		return s, fmt.Errorf("among is %q; allowed: catalogue, lattice", s.Among)
	}
	if _, err := recommend.ParseObjective(s.Objective); err != nil {
		return s, err
	}
	return s, nil
}

// fragment returns the state as a URL fragment, which [read] reads back.
func (s State) fragment() string {
	values := []string{"shape=" + escape(s.Shape), "hardware=" + escape(s.Hardware)}
	for _, n := range s.numbers() {
		if *n.at != 0 {
			values = append(values, n.key+"="+strconv.Itoa(*n.at))
		}
	}
	for _, w := range s.words() {
		if *w.at != "" {
			values = append(values, w.key+"="+escape(*w.at))
		}
	}
	values = append(values, "among="+s.Among, "objective="+s.Objective)
	for _, b := range s.Beside {
		values = append(values, "beside="+url.QueryEscape(b))
	}
	return strings.Join(values, "&")
}

// escape is the query escape, but leaves the slash and comma of edits legible.
func escape(text string) string {
	return strings.NewReplacer("%2F", "/", "%2C", ",").Replace(url.QueryEscape(text))
}

// settled returns the state that a fragment names and its shape; what only repeats the base shape's
// own value, or the default of the workload, is dropped from the state.
func settled(fragment string) (State, shapes.Shape, error) {
	s, err := read(fragment)
	if err != nil {
		return s, shapes.Shape{}, err
	}
	base, err := shapes.Parse(s.Shape)
	if err != nil {
		return s, base, err
	}
	for _, b := range s.Beside {
		if other, err := read(b); err != nil {
			return s, base, fmt.Errorf("a plan kept beside this one: %w", err)
		} else if len(other.Beside) > 0 {
			return s, base, errors.New("a plan kept beside this one keeps others; allowed: one alone")
		}
	}
	own := dimensions(&base)
	for _, n := range s.numbers() {
		if n.edit != "" && (*n.at == own[n.key] || own[n.key] == 0) {
			*n.at = 0
		}
	}
	shape, err := shapes.Parse(s.reference())
	if err != nil {
		return s, shape, err
	}
	usual := flops.DefaultWorkload(&shape)
	for _, n := range []struct {
		set   *int
		usual int
	}{
		{&s.Batch, usual.Batch},
		{&s.EncoderLength, usual.EncoderLength},
		{&s.DecoderLength, usual.DecoderLength},
	} {
		if *n.set == n.usual {
			*n.set = 0
		}
	}
	return s, shape, nil
}

// dimensions returns what the shape's sliders show, by key; a stack that the shape does not have is
// 0.
func dimensions(s *shapes.Shape) map[string]int {
	k := s.Encoder
	if k.Layers == 0 {
		k = s.Decoder
	}
	return map[string]int{
		"el": s.Encoder.Layers, "dl": s.Decoder.Layers, "dm": s.DModel,
		"ff": k.DFF, "nh": k.Heads, "kvh": k.KVHeads,
	}
}

// reference is the shape's name on the command line.
func (s *State) reference() string {
	var edits []string
	for _, n := range s.numbers() {
		if n.edit != "" && *n.at != 0 {
			edits = append(edits, n.edit+"="+strconv.Itoa(*n.at))
		}
	}
	if len(edits) == 0 {
		return s.Shape
	}
	return s.Shape + "/" + strings.Join(edits, ",")
}

// planCommand is the command line that gives the same plan.
func (s State) planCommand() string {
	return "deepnarrow plan " + s.reference() + s.flags()
}

// frontCommand is the command line that gives the same front.
func (s State) frontCommand() string {
	return "deepnarrow recommend --like " + s.reference() + s.flags() + " --objective " +
		s.Objective + " --candidates " + s.Among
}

func (s State) flags() string {
	var b strings.Builder
	b.WriteString(" --hardware " + plain.Quoted(s.Hardware))
	for _, n := range s.numbers() {
		if n.flag != "" && *n.at != 0 {
			fmt.Fprintf(&b, " --%s %d", n.flag, *n.at)
		}
	}
	for _, w := range s.words() {
		switch {
		case *w.at == "":
		case w.at == &s.SequenceParallel:
			b.WriteString(" --" + w.flag)
		default:
			fmt.Fprintf(&b, " --%s %s", w.flag, plain.Quoted(*w.at))
		}
	}
	return b.String()
}

// Options are what the page's lists offer.
type Options struct {
	Shapes     []string `json:"shapes"`
	Hardware   []Option `json:"hardware"`
	Objectives []string `json:"objectives"`
	Words      []Choice `json:"words"`
}

// Choice is a control with a few words: its key in the address, and what may be chosen beside the
// default.
type Choice struct {
	Key    string   `json:"key"`
	Label  string   `json:"label"`
	Values []string `json:"values"`
}

// Option is one entry of a list: what the address says, and what is shown.
type Option struct {
	Value string `json:"value"`
	Text  string `json:"text"`
}

// Choices returns every countable shape and every accelerator of the catalogues, in their order.
func Choices() Options {
	out := Options{Objectives: []string{
		"params", "flops", "step-time", "device-hours", "cost",
		"memory",
	}}
	for _, e := range shapes.Catalogue() {
		if e.NotCountable == "" {
			out.Shapes = append(out.Shapes, e.Name)
		}
	}
	for _, p := range hardware.Catalogue() {
		out.Hardware = append(out.Hardware, Option{p.Alias(), p.Name})
	}
	out.Words = []Choice{
		{"precision", "precision", words[flops.Precision]()},
		{"optimizer", "optimizer", words[flops.Optimizer]()},
		{"zero", "ZeRO stage", []string{"1", "2", "3"}},
		{"recompute", "recompute", words[flops.Recompute]()},
		{"attention", "attention", words[flops.Attention]()},
		{"compiled", "compiled graph", []string{"yes", "no"}},
		{"sp", "sequence parallel", []string{"yes"}},
	}
	return out
}

// words lists the names of a kind of choice, in the order of its constants.
func words[T interface {
	~uint8
	fmt.Stringer
}]() []string {
	var out []string
	for v := T(0); ; v++ {
		name := v.String()
		if strings.Contains(name, "(") { // of no constant
			return out
		}
		out = append(out, name)
	}
}
