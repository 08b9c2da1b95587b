package shapes_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/shapes"
)

func TestCatalogueEntries(t *testing.T) {
	var refused []string
	efficient := 0
	for _, e := range shapes.Catalogue() {
		if err := e.Shape.Validate(); err != nil {
			t.Error(err)
		}
		if e.Name != e.Shape.Name || e.Name != strings.ToLower(e.Name) {
			t.Errorf("entry %q holds shape %q", e.Name, e.Shape.Name)
		}
		if e.Source == "" || e.Evidence == "" {
			t.Errorf("%s has source %q and evidence %q", e.Name, e.Source, e.Evidence)
		}
		if strings.HasPrefix(e.Name, "t5-efficient-") {
			efficient++
		}
		if e.NotCountable != "" {
			refused = append(refused, e.Name)
		}
	}
	if efficient != 170 { // Tay et al. 2021: the names of the release list
		t.Errorf("%d T5-Efficient models, want 170", efficient)
	}
	want := []string{ // the release list; sh shares heads, skv keys and values
		"t5-efficient-base-sh", "t5-efficient-base-skv", "t5-efficient-large-sh",
		"t5-efficient-large-skv",
		"t5-efficient-small-sh", "t5-efficient-small-shkv", "t5-efficient-tiny-sh",
		"t5-efficient-tiny-skv",
		"t5-efficient-xl-sh", "t5-efficient-xl-skv",
	}
	slices.Sort(refused)
	if !slices.Equal(refused, want) {
		t.Errorf("refused %v, want %v", refused, want)
	}
}

// The models that the project promises, whatever else is added.
func TestCatalogueHolds(t *testing.T) {
	sizes := []string{"small", "base", "large", "xl", "xxl"}
	names := []string{
		"t5-tiny", "t5-mini", "t5-3b", "t5-11b", "ul2", "flan-ul2", "switch-large-128", "bart-base",
		"bart-large", "pegasus-large",
		"transformer-base", "transformer-big", "bert-base-uncased", "bert-base-cased",
		"bert-large-uncased", "bert-large-cased",
		"gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "llama-2-7b", "llama-2-13b", "llama-2-70b",
		"gemma-2b", "vit-base-16",
		"megatron-22b", "gpt3-175b", "turing-530b", "megatron-1t",
	}
	for _, size := range sizes {
		for _, family := range []string{"t5-", "t5-v1_1-", "mt5-", "byt5-", "flan-t5-"} {
			names = append(names, family+size)
		}
	}
	for family, sizes := range map[string]string{
		"switch-base-": "8 16 32 64 128 256",
		"whisper-":     "tiny base small medium large large-v3",
		"pythia-":      "70m 160m 410m 1b 1.4b 2.8b 6.9b 12b",
		"bloom-":       "560m 1b1 1b7 3b 7b1 176b",
	} {
		for _, size := range strings.Fields(sizes) {
			names = append(names, family+size)
		}
	}
	for _, name := range names {
		if _, err := shapes.Lookup(name); err != nil {
			t.Error(err)
		}
	}
}

// ByT5 (Xue et al. 2022, section 3.1): the encoder is three times as deep as the decoder.
func TestByT5IsAsymmetric(t *testing.T) {
	for _, size := range []string{"small", "base", "large", "xl", "xxl"} {
		s := mustParse(t, "byt5-"+size)
		if s.Encoder.Layers != 3*s.Decoder.Layers {
			t.Errorf("%s has %d and %d layers", s.Name, s.Encoder.Layers, s.Decoder.Layers)
		}
	}
}

// The paper's sizes that have a public T5 say which one.
func TestPaperAliasesNameThePublicT5(t *testing.T) {
	for alias, want := range map[string]string{
		"t5-xl":  "the public T5 3B",
		"t5-xxl": "the public T5 11B", "t5-base": "the public T5 base",
	} {
		e, err := shapes.Find(alias)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(e.Note, want) || len(e.Checkpoints) == 0 {
			t.Errorf("%s: note %q, checkpoints %v", alias, e.Note, e.Checkpoints)
		}
	}
}

func TestLookupRefusesSharedHeads(t *testing.T) {
	_, err := shapes.Lookup("google/t5-efficient-XL-sh")
	var shared *shapes.NotCountableError
	if !errors.As(err, &shared) || shared.Name != "t5-efficient-xl-sh" || shared.Reason == "" {
		t.Errorf("Lookup: %v", err)
	}
	var unknown *shapes.UnknownError
	if _, err = shapes.Lookup("t5-base/nl=3"); !errors.As(err, &unknown) {
		t.Errorf("Lookup of an edit: %v, want an unknown name", err)
	}
}

// The caller may reorder what it is given.
func TestCatalogueIsACopy(t *testing.T) {
	first := shapes.Names()
	slices.Reverse(shapes.Catalogue())
	if !slices.Equal(first, shapes.Names()) {
		t.Error("the order of the catalogue changed")
	}
}
