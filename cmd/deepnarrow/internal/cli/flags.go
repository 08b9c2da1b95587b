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

// textFlag registers a flag that is one of a few words; the current value is
// the default.
func textFlag(c *cobra.Command, target textValue, name, help string) {
	c.Flags().TextVar(target, name, target, help)
}

// amountFlag registers a flag that is a quantity; the current value is the
// default.
func amountFlag(c *cobra.Command, kind quantity.Kind, target *float64, name, help string) {
	c.Flags().Var(quantity.NewFlag(kind, target), name, help)
}

// countFlag registers a flag that is a whole number from 1 up. The target
// stays as it is when the flag is not given.
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
