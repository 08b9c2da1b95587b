package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// devicesFlag is one count, several, or auto.
type devicesFlag struct {
	counts []int
	auto   bool
	text   string
}

// Set adds counts: 8, or 8,64, or auto.
func (f *devicesFlag) Set(text string) error {
	for _, item := range quantity.SplitList(text) {
		if item == "auto" {
			f.auto = true
			continue
		}
		var n int
		if err := quantity.NewCountFlag(&n).Set(item); err != nil {
			return err
		}
		if slices.Contains(f.counts, n) {
			return fmt.Errorf("%d is given twice", n)
		}
		f.counts = append(f.counts, n)
	}
	if f.auto && len(f.counts) > 0 {
		return fmt.Errorf("both auto and counts; allowed: one of them")
	}
	f.text = strings.TrimPrefix(f.text+","+text, ",")
	return nil
}

func (f *devicesFlag) String() string { return f.text }

// Type is the word shown after the flag in the help.
func (f *devicesFlag) Type() string { return "counts" }

// Many says that the flag may be repeated.
func (f *devicesFlag) Many() bool { return true }

// input is what the flag adds to the inputs of a JSON document: a number, several, auto or nothing.
func (f *devicesFlag) input() any {
	switch {
	case f.auto:
		return "auto"
	case len(f.counts) == 0:
		return nil
	case len(f.counts) == 1:
		return f.counts[0]
	}
	return f.counts
}

// once is a flag that takes one value: a second is refused, where pflag would take the last.
type once struct {
	pflag.Value
	given bool
}

// Set takes the first value.
func (f *once) Set(text string) error {
	if f.given {
		return fmt.Errorf("given twice: %q and %q; allowed: one value", f.Value, text)
	}
	if err := f.Value.Set(text); err != nil {
		return err
	}
	f.given = true
	return nil
}

// listed is a flag of one value that takes several here: the first is the flag's, and every value is
// kept.
type listed struct {
	pflag.Value
	values []string
}

// Set adds values.
func (f *listed) Set(text string) error {
	for _, item := range quantity.SplitList(text) {
		if len(f.values) == 0 {
			if err := f.Value.Set(item); err != nil {
				return err
			}
		}
		f.values = append(f.values, item)
	}
	return nil
}

// Many says that the flag may be repeated.
func (f *listed) Many() bool { return true }

// listEach makes the named flags of a command take lists.
func listEach(c *cobra.Command, names []string) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if slices.Contains(names, f.Name) && f.Value.Type() != (*devicesFlag)(nil).Type() {
			f.Value = &listed{Value: f.Value}
		}
	})
}

// lists returns the values of the flags that were given several, in the order of the names.
func lists(c *cobra.Command, names []string) [][]plan.WhatIf {
	var out [][]plan.WhatIf
	for _, name := range names {
		f := c.Flags().Lookup(name)
		if f == nil {
			continue
		}
		if l, ok := f.Value.(*listed); ok && len(l.values) > 1 {
			var values []plan.WhatIf
			for _, v := range l.values {
				values = append(values, plan.WhatIf{Name: name, Value: v})
			}
			out = append(out, values)
		}
	}
	return out
}

// onceEach makes every flag of the commands that holds one value refuse a second.
func onceEach(c *cobra.Command) {
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		_, slice := f.Value.(pflag.SliceValue)
		many, repeats := f.Value.(interface{ Many() bool })
		_, wrapped := f.Value.(*once)
		if !slice && !wrapped && !(repeats && many.Many()) {
			f.Value = &once{Value: f.Value}
		}
	})
	for _, sub := range c.Commands() {
		onceEach(sub)
	}
}
