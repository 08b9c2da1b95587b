package kernel

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"strconv"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// Version counts the changes that made a run come to other numbers: of the kernel, of the sources
// and of what the commands do with a text. Runs of two versions are not of one study.
const Version = 1

// Recipe is everything besides shape, steps and seed that changes what a run comes to. Threads do
// not, and the instruction path only by rounding.
type Recipe struct {
	Kernel        int     `json:"kernel"` // [Version]; 0 in records from before there was one
	Text          string  `json:"text"`   // by its content, see [TextID]
	Tokenizer     string  `json:"tokenizer"`
	Batch         int     `json:"batch"`
	EncoderLength int     `json:"encoder_length"`
	DecoderLength int     `json:"decoder_length"`
	Optimizer     string  `json:"optimizer"`
	Rate          float64 `json:"rate"`
	Warmup        int     `json:"warmup"`
	Recompute     string  `json:"recompute"`
}

// NewRecipe returns the recipe of a run on a text.
func NewRecipe(o *Options, s Schedule, text string) Recipe {
	return Recipe{
		Kernel: Version, Text: text, Tokenizer: tokenizer, Batch: o.Batch,
		EncoderLength: o.EncoderLength, DecoderLength: o.DecoderLength,
		Optimizer: o.Optimizer.String(), Rate: s.Rate, Warmup: s.Warmup,
		Recompute: o.Recompute.String(),
	}
}

// TextID names a text by its content: its length and the beginning of its SHA-256.
func TextID(text []byte) string {
	const told = 16 // bytes of the hash: no two texts share them by chance
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%d bytes, sha256 %x", len(text), sum[:told])
}

// shapeID names an architecture by its fields, whatever the shape is called.
func shapeID(s *shapes.Shape) string {
	const told = 8
	nameless := *s
	nameless.Name = ""
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v", nameless))
	return fmt.Sprintf("%x", sum[:told])
}

// Field is a field of a recipe, in words.
type Field struct{ Name, Value string }

// fields lists a recipe by the names that records give its fields.
func (r *Recipe) fields() []Field {
	version := strconv.Itoa(r.Kernel)
	if r.Kernel == 0 {
		version = ""
	}
	return []Field{
		{"kernel", version},
		{"text", r.Text},
		{"tokenizer", r.Tokenizer},
		{"batch", strconv.Itoa(r.Batch)},
		{"encoder_length", strconv.Itoa(r.EncoderLength)},
		{"decoder_length", strconv.Itoa(r.DecoderLength)},
		{"optimizer", r.Optimizer},
		{"rate", strconv.FormatFloat(r.Rate, 'g', -1, 64)},
		{"warmup", strconv.Itoa(r.Warmup)},
		{"recompute", r.Recompute},
	}
}

// MixedError reports something of another recipe where one is wanted.
type MixedError struct{ What, Field, Was, Want string }

func (e *MixedError) Error() string {
	return fmt.Sprintf("%s was trained with %s %s, not %s", e.What, e.Field,
		cmp.Or(e.Was, "unknown"), e.Want)
}

// Same returns nil if something, such as a record, is of this recipe; else a [*MixedError] with the
// first difference.
func (r *Recipe) Same(what string, of *Recipe) error {
	was := of.fields()
	for i, want := range r.fields() {
		if was[i] != want {
			return &MixedError{what, want.Name, was[i].Value, want.Value}
		}
	}
	return nil
}
