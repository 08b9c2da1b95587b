package engine

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

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
		value := p.Name
		if len(p.Aliases) > 0 {
			value = p.Aliases[0]
		}
		out.Hardware = append(out.Hardware, Option{value, p.Name})
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
