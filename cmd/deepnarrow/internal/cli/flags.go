package cli

import (
	"encoding"
	"fmt"
	"math"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// textValue is a value that reads and prints itself as a word.
type textValue interface {
	encoding.TextMarshaler
	encoding.TextUnmarshaler
}

// textFlag registers a flag that is one of a few words; the current value is the default.
func textFlag(c *cobra.Command, target textValue, name, help string) {
	c.Flags().TextVar(target, name, target, help)
}

// amountFlag registers a flag that is a quantity; the current value is the default.
func amountFlag(c *cobra.Command, kind quantity.Kind, target *float64, name, help string) {
	c.Flags().Var(quantity.NewFlag(kind, target), name, help)
}

// countFlag registers a flag that is a whole number from 1 up. The target stays as it is when the
// flag is not given.
func countFlag(c *cobra.Command, target *int, name, help string) {
	c.Flags().Var(&count{target: target}, name, help)
}

// count is a positive whole number in the project's grammar: 128, 4k.
type count struct {
	target *int
	text   string
}

func (n *count) Set(text string) error {
	v, err := quantity.ParseExact(quantity.Count, text)
	if err != nil {
		return err
	}
	if v < 1 || v > math.MaxInt32 {
		return fmt.Errorf("out of range: %d; allowed: 1 to %d", v, math.MaxInt32)
	}
	*n.target, n.text = int(v), text
	return nil
}

func (n *count) String() string {
	if n.text == "" && n.target != nil && *n.target != 0 {
		return strconv.Itoa(*n.target)
	}
	return n.text
}

// Type is the word the help shows for the value.
func (n *count) Type() string { return "count" }

// optionalFlag registers an amount that may be absent: NaN until it is given, see [given].
func optionalFlag(c *cobra.Command, kind quantity.Kind, name, help string) *float64 {
	target := new(float64)
	flag := quantity.NewFlag(kind, target)
	*target = math.NaN()
	c.Flags().Var(flag, name, help)
	return target
}

// given returns the value of an optional flag, nil when it was not given or does not exist.
func given(flag *float64) *float64 {
	if flag == nil || math.IsNaN(*flag) {
		return nil
	}
	return flag
}

// days is a duration in which a bare number means days.
type days struct {
	target *float64
	text   string
}

func newDays(target *float64) *days {
	*target = math.NaN()
	return &days{target: target}
}

func (d *days) Set(text string) error {
	v, err := quantity.Parse(quantity.Duration, text)
	if err != nil {
		number, plain := quantity.Parse(quantity.Count, text)
		if plain != nil {
			return err
		}
		const secondsPerDay = 86400
		v = number * secondsPerDay
	}
	*d.target, d.text = v, text
	return nil
}

func (d *days) String() string { return d.text }

// Type is the word the help shows for the value.
func (d *days) Type() string { return "days" }

// needs refuses flags that say nothing without another one.
func needs(c *cobra.Command, other string, flags ...string) error {
	if c.Flags().Changed(other) {
		return nil
	}
	for _, name := range flags {
		if c.Flags().Changed(name) {
			return usage("", "--%s says nothing without --%s", name, other)
		}
	}
	return nil
}
