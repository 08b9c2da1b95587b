package plan

import (
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// FineTuning is a run that starts from a trained model, as people state it. The zero value states
// nothing.
type FineTuning struct {
	// Preset is a benchmark, whose lengths and batch hold where the question states none, and whose
	// steps where it states no length.
	Preset *hardware.FineTuning
	// Examples is how many there are, 0 the preset's; Epochs how often each is seen, 0 once.
	Examples, Epochs float64
	Tuning           flops.Tuning
}

// seen returns how many examples the run sees in all; 0 where nobody says.
func (f *FineTuning) seen() float64 {
	examples := f.Examples
	if examples == 0 && f.Preset != nil && f.Epochs > 0 {
		examples = f.Preset.Examples()
	}
	epochs := f.Epochs
	if epochs == 0 {
		epochs = 1
	}
	return examples * epochs
}

// workload returns the stated workload, filled up with the preset's. A decoder-only model reads input
// and answer one after the other.
func (f *FineTuning) workload(stated flops.Workload, s *shapes.Shape) flops.Workload {
	if f.Preset == nil {
		return stated
	}
	w := f.Preset.Workload
	if s.Encoder.Layers == 0 {
		w.EncoderLength, w.DecoderLength = 0, w.EncoderLength+w.DecoderLength
	}
	if s.Decoder.Layers == 0 {
		w.DecoderLength = 0
	}
	for _, p := range [...]struct {
		stated int
		at     *int
	}{
		{stated.Batch, &w.Batch},
		{stated.EncoderLength, &w.EncoderLength},
		{stated.DecoderLength, &w.DecoderLength},
	} {
		if p.stated != 0 {
			*p.at = p.stated
		}
	}
	return w
}

// fineTune sets the length of a run that is stated in examples, or by a preset, and says what the
// adapters leave open. The batch is resolved.
//
//	steps = ⌈examples · epochs / batch⌉
func (r *Resolved) fineTune(f *FineTuning) error {
	t := &f.Tuning
	if err := t.Validate(&r.Run.Shape); err != nil {
		return err
	}
	if t.Rank > 0 && t.Targets == 0 {
		r.assume("adapters", "on queries and values", hardware.Default,
			"Hu et al. 2021, arXiv 2106.09685, section 4.2")
	}
	batch := float64(r.Run.Workload.Batch)
	switch seen := f.seen(); {
	case r.Length != (hardware.Length{}):
	case seen > 0:
		r.Length.Steps = math.Ceil(seen / batch)
	case f.Preset != nil:
		p := f.Preset
		r.Length.Steps = p.Steps
		r.assume("steps", fmt.Sprintf("%.0f", p.Steps), hardware.Default,
			"Raffel et al. 2020, arXiv 1910.10683, section 3.1.2").Warning = fmt.Sprintf(
			"%.0f steps, as the T5 paper fine-tunes, are %.0f epochs of %s; --epochs says otherwise",
			p.Steps,
			p.Steps*batch/p.Examples(),
			p.Name,
		)
	}
	return nil
}
