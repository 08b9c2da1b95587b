package flops

import (
	"encoding"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/shapes"
)

func TestChoicesRoundTrip(t *testing.T) {
	for n, word := range precisionNames {
		roundTrip(t, word, Precision(n), new(Precision))
	}
	for n, word := range attentionNames {
		roundTrip(t, word, Attention(n), new(Attention))
	}
	for n, word := range optimizerNames {
		roundTrip(t, word, Optimizer(n), new(Optimizer))
	}
}

func roundTrip[T interface {
	comparable
	encoding.TextMarshaler
}, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, word string, value T, into P,
) {
	t.Helper()
	text, err := value.MarshalText()
	if err != nil || string(text) != word {
		t.Errorf("%v writes %q, want %q (%v)", value, text, word, err)
	}
	if err := into.UnmarshalText(text); err != nil || *into != value {
		t.Errorf("%q reads as %v, want %v (%v)", word, *into, value, err)
	}
	var unknown *shapes.KindError
	if err := into.UnmarshalText([]byte("best")); !errors.As(err, &unknown) ||
		!slices.Contains(unknown.Valid, word) {
		t.Errorf("unknown word: %v", err)
	}
}

func TestExecutionListsEveryFault(t *testing.T) {
	if err := new(Execution).Validate(); err != nil {
		t.Errorf("zero value: %v", err)
	}
	x := Execution{
		Precision: 99, GradientBytes: 3, Optimizer: 99, Recompute: 99, Attention: 99,
		WorkspaceBytes: math.NaN(),
	}
	var invalid *shapes.InvalidError
	if !errors.As(x.Validate(), &invalid) || len(invalid.Faults) != 6 {
		t.Errorf("want six faults, got %v", x.Validate())
	}
}

func TestNamesAreComplete(t *testing.T) {
	for p := range memoryParts {
		if p.String() == "" {
			t.Errorf("memory part %d has no name", p)
		}
	}
	for p := range phases {
		if p.String() == "" {
			t.Errorf("phase %d has no name", p)
		}
	}
}
