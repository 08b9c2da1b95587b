package kernel

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/vec"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Options are the choices of a [Model] besides its shape. The extents of a batch must be given; all
// else has a useful zero.
type Options struct {
	Batch         int // sequences of a step
	EncoderLength int // positions of each in the encoder
	DecoderLength int // and in the decoder

	Threads   int    // 0 for GOMAXPROCS
	Path      string // instruction path by name (package isa); "" for the best of this machine
	Recompute Recompute
	Optimizer Optimizer
	Adam      vec.AdamOptions
	Adafactor vec.AdafactorOptions
	ZLoss     float64 // coefficient of the squared log-normaliser; 0 for none
	Seed      uint64  // of the initial weights
}

// OptionError reports a choice that is not possible.
type OptionError struct{ Field, Value, Allowed string }

func (e *OptionError) Error() string {
	return fmt.Sprintf("%s is %s; allowed: %s", e.Field, e.Value, e.Allowed)
}

// Bounds that keep every product of extents inside an int: with those of a valid shape no buffer
// reaches 2⁶⁰ elements.
const (
	mostSequences = 1 << 20
	mostPositions = 1 << 14 // of a sequence
	mostRows      = 1 << 24 // of a batch
	mostThreads   = 1 << 10
)

func (o *Options) validate() error {
	for _, c := range []struct {
		field       string
		value       int
		least, most int
	}{
		{"batch", o.Batch, 1, mostSequences},
		{"encoder_length", o.EncoderLength, 1, mostPositions},
		{"decoder_length", o.DecoderLength, 1, mostPositions},
		{"batch × encoder_length", o.Batch * o.EncoderLength, 1, mostRows},
		{"batch × decoder_length", o.Batch * o.DecoderLength, 1, mostRows},
		{"threads", o.Threads, 0, mostThreads},
		{"recompute", int(o.Recompute), 0, len(recomputeNames) - 1},
		{"optimizer", int(o.Optimizer), 0, len(optimizerNames) - 1},
	} {
		if c.value < c.least || c.value > c.most {
			return &OptionError{c.field, fmt.Sprint(c.value), fmt.Sprintf("%d to %d", c.least, c.most)}
		}
	}
	return nil
}

// Recompute says what the backward pass computes again instead of keeping it.
type Recompute uint8

const (
	RecomputeNone Recompute = iota
	RecomputeFull           // every layer from its input, by a whole forward pass of the layer
)

// Optimizer names the rule that moves the weights.
type Optimizer uint8

const (
	Adam      Optimizer = iota
	Adafactor           // the T5 recipe; rates are relative to the size of each tensor
)

var (
	recomputeNames = []string{RecomputeNone: "none", RecomputeFull: "full"}
	optimizerNames = []string{Adam: "adam", Adafactor: "adafactor"}
)

// String returns none or full.
func (r Recompute) String() string { return shapes.WordOf(recomputeNames, r) }

// String returns adam or adafactor.
func (o Optimizer) String() string { return shapes.WordOf(optimizerNames, o) }

// MarshalText writes the word of [Optimizer.String].
func (o Optimizer) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// MarshalText writes the word of [Recompute.String].
func (r Recompute) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText accepts adam and adafactor; else an [*OptionError].
func (o *Optimizer) UnmarshalText(text []byte) error {
	n, err := parseName("optimizer", optimizerNames, text)
	*o = Optimizer(n)
	return err
}

// UnmarshalText accepts none and full; else an [*OptionError].
func (r *Recompute) UnmarshalText(text []byte) error {
	n, err := parseName("recompute", recomputeNames, text)
	*r = Recompute(n)
	return err
}

func parseName(field string, names []string, text []byte) (int, error) {
	n := slices.Index(names, strings.ToLower(string(text)))
	if n < 0 {
		return 0, &OptionError{field, fmt.Sprintf("%q", text), strings.Join(names, ", ")}
	}
	return n, nil
}
