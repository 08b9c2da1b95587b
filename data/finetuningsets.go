package data

import "slices"

// FineTuningSet is how many training examples one task of a fine-tuning set-up has.
type FineTuningSet struct {
	Preset   string // glue, superglue or squad
	Task     string
	Examples int
	Provenance
}

var fineTuningSets = embedded("facts/finetuning_sets.csv", func(r *row) FineTuningSet {
	return FineTuningSet{
		Preset: r.required("preset"), Task: r.required("task"), Examples: r.count("train_examples"),
		Provenance: r.provenance(""),
	}
})

// FineTuningSets returns the tasks, those of one set-up together.
func FineTuningSets() []FineTuningSet { return slices.Clone(fineTuningSets()) }
