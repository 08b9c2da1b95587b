package flops

import "testing"

// The names that people type mean one word each, whatever their case and separators.
func TestNamesPeopleType(t *testing.T) {
	for text, want := range map[string]Precision{
		"bfloat16": BF16Mixed, "BF16_mixed": BF16Mixed, "bf16": PureBF16, "fp16": FP16Mixed,
		"float32": FP32, "fp8": FP8Mixed, "FP8-Mixed": FP8Mixed,
	} {
		var got Precision
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for text, want := range map[string]Optimizer{
		"adamw": Adam, "AdamW": Adam, "adamw_torch": Adam, "adamw_bnb_8bit": Adam8bit, "8bit-adam": Adam8bit,
		"adam_8bit": Adam8bit, "SGD momentum": SGDMomentum,
	} {
		var got Optimizer
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	var o Optimizer
	for _, text := range []string{"", "adamx", "bf16", "flash"} { // the word of another choice is none here
		if err := o.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for %s", text, o)
		}
	}
	for word, meant := range otherNames {
		if folded(word) != word {
			t.Errorf("%s is never found: names are folded", word)
		}
		var p Precision
		var o Optimizer
		var a Attention
		if p.UnmarshalText([]byte(meant)) != nil && o.UnmarshalText([]byte(meant)) != nil && a.UnmarshalText([]byte(meant)) != nil {
			t.Errorf("%s stands for %s, which is not a word", word, meant)
		}
	}
}
