package flops

import (
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// The words of each choice, in the order of its constants.
var (
	precisionNames = []string{"bf16-mixed", "fp16-mixed", "fp32", "bf16", "fp8-mixed"}
	attentionNames = []string{"fused", "unfused"}
	optimizerNames = []string{"adam", "adafactor", "adam8bit", "sgd", "sgd-momentum", "muon"}
)

// otherNames are the names that people type for a word, as [folded] leaves them. Training "in
// bfloat16" keeps float32 master weights unless somebody says that it does not.
var otherNames = map[string]string{
	"bfloat16": "bf16-mixed", "bfloat16mixed": "bf16-mixed", "ampbf16": "bf16-mixed",
	"fp16": "fp16-mixed", "float16": "fp16-mixed", "half": "fp16-mixed", "amp": "fp16-mixed",
	"float32": "fp32", "purebf16": "bf16", "bf16true": "bf16", "fp8": "fp8-mixed", "float8": "fp8-mixed",
	"adamw": "adam", "fusedadam": "adam", "adamwfused": "adam", "adamwtorch": "adam",
	"8bitadam": "adam8bit", "adamw8bit": "adam8bit", "adamwbnb8bit": "adam8bit",
	"momentum": "sgd-momentum",
	"flash":    "fused", "flashattention": "fused", "flashattention2": "fused", "sdpa": "fused",
	"eager": "unfused",
}

// folded returns a word without its case and separators.
func folded(word string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(word))
}

// String returns the word of the --precision flag, e.g. "bf16-mixed".
func (p Precision) String() string { return shapes.WordOf(precisionNames, p) }

// String returns the word of the --attention flag, e.g. "fused".
func (a Attention) String() string { return shapes.WordOf(attentionNames, a) }

// String returns the word of the --optimizer flag, e.g. "adafactor".
func (o Optimizer) String() string { return shapes.WordOf(optimizerNames, o) }

// MarshalText writes the word of [Precision.String].
func (p Precision) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// MarshalText writes the word of [Attention.String].
func (a Attention) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// MarshalText writes the word of [Optimizer.String].
func (o Optimizer) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText accepts the words of [Precision.String]; else a [*shapes.KindError].
func (p *Precision) UnmarshalText(text []byte) error {
	return parseChoice(p, "precision", precisionNames, text)
}

// UnmarshalText accepts the words of [Attention.String]; else a [*shapes.KindError].
func (a *Attention) UnmarshalText(text []byte) error {
	return parseChoice(a, "attention", attentionNames, text)
}

// UnmarshalText accepts the words of [Optimizer.String]; else a [*shapes.KindError].
func (o *Optimizer) UnmarshalText(text []byte) error {
	return parseChoice(o, "optimizer", optimizerNames, text)
}

func parseChoice[T ~uint8](v *T, kind string, names []string, text []byte) error {
	word := folded(string(text))
	i := slices.IndexFunc(names, func(n string) bool { return folded(n) == word })
	if other, known := otherNames[word]; i < 0 && known {
		i = slices.Index(names, other)
	}
	if i < 0 {
		return &shapes.KindError{Kind: kind, Value: string(text), Valid: slices.Clone(names)}
	}
	*v = T(i)
	return nil
}
