package frame

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// CommaSeparated takes a flag that repeats apart at its commas.
func CommaSeparated(texts []string) []string {
	var out []string
	for _, text := range texts {
		out = append(out, quantity.SplitList(text)...)
	}
	return out
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

// Listed is a flag of one value that takes several here: the first is the flag's, and every value is
// kept.
type Listed struct {
	pflag.Value
	Values []string
}

// Set adds values.
func (f *Listed) Set(text string) error {
	for _, item := range quantity.SplitList(text) {
		if len(f.Values) == 0 {
			if err := f.Value.Set(item); err != nil {
				return err
			}
		}
		f.Values = append(f.Values, item)
	}
	return nil
}

// Many says that the flag may be repeated.
func (f *Listed) Many() bool { return true }

// ListEach makes the named flags of a command take lists.
func ListEach(c *cobra.Command, names []string) {
	c.Flags().VisitAll(func(f *pflag.Flag) {
		if _, many := f.Value.(interface{ Many() bool }); !many && slices.Contains(names, f.Name) {
			f.Value = &Listed{Value: f.Value}
		}
	})
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
