package frame

import (
	"encoding"
	"math"

	"github.com/spf13/cobra"

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

// OptionalFlag registers an amount that may be absent: NaN until it is given, see [Given].
func OptionalFlag(c *cobra.Command, kind quantity.Kind, name, help string) *float64 {
	target := new(float64)
	flag := quantity.NewFlag(kind, target)
	*target = math.NaN()
	c.Flags().Var(flag, name, help)
	return target
}

// Given returns the value of an optional flag, nil when it was not given or does not exist.
func Given(flag *float64) *float64 {
	if flag == nil || math.IsNaN(*flag) {
		return nil
	}
	return flag
}

// Needs refuses flags that say nothing without another one.
func Needs(c *cobra.Command, other string, flags ...string) error {
	if c.Flags().Changed(other) {
		return nil
	}
	for _, name := range flags {
		if c.Flags().Changed(name) {
			return Usage("", "--%s says nothing without --%s", name, other)
		}
	}
	return nil
}

// AmountOf returns the value of an optional flag, 0 when it was not given.
func AmountOf(flag *float64) float64 {
	if v := Given(flag); v != nil {
		return *v
	}
	return 0
}
