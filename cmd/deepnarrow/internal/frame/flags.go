package frame

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// textValue is a value that reads and prints itself as a word.
type textValue interface {
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}

// TextFlag registers a flag that is one of a few words; the current value is the default.
func TextFlag(c *cobra.Command, target textValue, name, help string) {
	c.Flags().TextVar(target, name, target, help)
}

// AmountFlag registers a flag that is a quantity; the current value is the default.
func AmountFlag(c *cobra.Command, kind quantity.Kind, target *float64, name, help string) {
	c.Flags().Var(quantity.NewFlag(kind, target), name, help)
}

// CountFlag registers a flag that is a whole number from 1 up. The target stays as it is when the
// flag is not given.
func CountFlag(c *cobra.Command, target *int, name, help string) {
	c.Flags().Var(quantity.NewCountFlag(target), name, help)
}

// OptionalFlag registers an amount that may be absent: the target stays nil until it is given.
func OptionalFlag(c *cobra.Command, kind quantity.Kind, target **float64, name, help string) {
	v := new(float64)
	c.Flags().Var(optional{quantity.NewFlag(kind, v), v, target}, name, help)
}

// DaysFlag registers a time in days, or with its unit, that may be absent.
func DaysFlag(c *cobra.Command, target **float64, name, help string) {
	v := new(float64)
	c.Flags().Var(optional{quantity.NewDaysFlag(v), v, target}, name, help)
}

// optional points the target to its value when it is set.
type optional struct {
	pflag.Value
	value  *float64
	target **float64
}

func (o optional) Set(text string) error {
	if err := o.Value.Set(text); err != nil {
		return err
	}
	*o.target = o.value
	return nil
}

// Needs refuses flags that say nothing without another one.
func Needs(c *cobra.Command, other string, flags ...string) error {
	if name := Given(c, flags...); name != "" && !c.Flags().Changed(other) {
		return Usage("", "--%s says nothing without --%s", name, other)
	}
	return nil
}

// AmountOf returns the value of an optional flag, 0 when it was not given.
func AmountOf(flag *float64) float64 {
	if flag == nil {
		return 0
	}
	return *flag
}

// Positive refuses 0 for an amount that is given.
func Positive(name string, value *float64) error {
	if value != nil && *value == 0 {
		return Usage("", "--%s is 0; allowed: more than 0", name)
	}
	return nil
}

// Word refuses a word that is not one of those allowed.
func Word(what, word string, allowed ...string) error {
	if slices.Contains(allowed, word) {
		return nil
	}
	return UnknownWord(what, word, allowed)
}

// YesNo reads a word that is yes or no: nil where it is the one for neither.
func YesNo(what, word, neither string, allowed ...string) (*bool, error) {
	yes := word == "yes"
	if word == neither {
		return nil, nil
	}
	return &yes, Word(what, word, allowed...)
}

// Stray returns the first flag given, by name, that is not one of those allowed and says more than how
// the result is shown; empty where there is none.
func Stray(c *cobra.Command, allowed ...string) (stray string) {
	c.Flags().Visit(func(f *pflag.Flag) {
		if stray == "" && !OfOutput(f.Name) && !slices.Contains(allowed, f.Name) {
			stray = f.Name
		}
	})
	return stray
}

// Given returns the first of the named flags that is given, empty where none is.
func Given(c *cobra.Command, names ...string) string {
	for _, name := range names {
		if c.Flags().Changed(name) {
			return name
		}
	}
	return ""
}

// HowMany counts what is so.
func HowMany(so ...bool) int {
	n := 0
	for _, is := range so {
		if is {
			n++
		}
	}
	return n
}

// State adds names, each followed by its value, to the inputs of a JSON document. What is not given
// is left out: what is zero, nil or an empty list.
func State(in map[string]any, namesAndValues ...any) {
	for i := 0; i < len(namesAndValues); i += 2 {
		v := reflect.ValueOf(namesAndValues[i+1])
		if !v.IsValid() || v.IsZero() || (v.Kind() == reflect.Slice || v.Kind() == reflect.Map) && v.Len() == 0 {
			continue
		}
		if v.Kind() == reflect.Pointer {
			v = v.Elem()
		}
		in[namesAndValues[i].(string)] = v.Interface()
	}
}

// NoFlag is a flag of other commands that this one refuses, and why.
type NoFlag string

func (f NoFlag) Set(string) error { return errors.New(string(f)) }

func (NoFlag) String() string { return "" }

func (NoFlag) Type() string { return "value" }

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
