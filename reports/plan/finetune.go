package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"

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
	return examples * cmp.Or(f.Epochs, 1)
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
	return flops.Workload{
		Batch:         cmp.Or(stated.Batch, w.Batch),
		EncoderLength: cmp.Or(stated.EncoderLength, w.EncoderLength),
		DecoderLength: cmp.Or(stated.DecoderLength, w.DecoderLength),
	}
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
	r.fineTuned = *f != (FineTuning{})
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

// usualRank is the rank of the adapters that are proposed: between the 4 to 8 of Hu et al. 2021 and
// the 64 of Dettmers et al. 2023.
const usualRank = 16

// lighten adds to the changes that make fine-tuning fit what training less of the model does: adapters,
// and adapters on quantised weights. They come after the changes that leave the result as it is.
func (a *Answer) lighten() {
	run, t := a.Run, a.Run.Execution.Tuning
	if a.Fits == nil || *a.Fits || !a.fineTuned || t.Stored != flops.Whole {
		return
	}
	var found []hardware.Change
	for _, change := range [...]struct {
		what   string
		stored flops.Storage
	}{
		{"adapters only (LoRA)", flops.Whole}, {"adapters on int4 weights (QLoRA)", flops.Int4},
	} {
		run.Execution.Tuning = t
		tuned := &run.Execution.Tuning
		if tuned.Stored = change.stored; t.Rank == 0 {
			tuned.Rank = usualRank
		}
		if *tuned == t || tuned.Validate(&run.Shape) != nil {
			continue
		}
		best, err := hardware.SearchLayout(run, run.Devices())
		if err != nil || !best.Fits {
			continue
		}
		lighter := run
		lighter.Layout, lighter.Execution.Recompute = best.Layout, best.Recompute
		p, err := hardware.Predict(lighter)
		if err != nil {
			continue
		}
		found = append(found, hardware.Change{
			What: change.what, Kind: hardware.ShapeChange, Run: lighter,
			Gain:        p.TokensPerSecond/a.Prediction.TokensPerSecond - 1,
			StepSeconds: p.StepSeconds.Value, PeakBytes: p.Memory.PeakBytes, Fits: p.Fits,
		})
	}
	at := slices.IndexFunc(a.Changes, func(c hardware.Change) bool {
		return c.Kind != hardware.SettingChange
	})
	if at < 0 {
		at = len(a.Changes)
	}
	a.Changes = slices.Insert(a.Changes, at, found...)
}
