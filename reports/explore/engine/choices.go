package engine

import (
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Options are what the page's lists offer.
type Options struct {
	Shapes     []string `json:"shapes"`
	Hardware   []Option `json:"hardware"`
	Objectives []string `json:"objectives"`
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
	return out
}
