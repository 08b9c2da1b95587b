package plan_test

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func tuned(t *testing.T, shape, machine string, f plan.FineTuning) plan.Answer {
	t.Helper()
	s, err := shapes.Parse(shape)
	if err != nil {
		t.Fatal(err)
	}
	p, err := hardware.Parse(machine)
	if err != nil {
		t.Fatal(err)
	}
	a, err := plan.Question{Shape: s, Profile: &p, FineTuning: f}.Answer()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The length of a run from what it sees: steps = ⌈examples · epochs / batch⌉. SuperGLUE's tasks have
// 125,231 training examples together (facts/finetuning_sets.csv, added by hand).
func TestFineTuningLength(t *testing.T) {
	superglue, err := hardware.FindFineTuning("superglue")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		f    plan.FineTuning
		want float64
	}{
		"three epochs":  {plan.FineTuning{Preset: &superglue, Epochs: 3}, 2936}, // ⌈375,693/128⌉
		"own examples":  {plan.FineTuning{Examples: 100e3, Epochs: 3}, 2344},    // ⌈300,000/128⌉
		"once":          {plan.FineTuning{Examples: 128}, 1},
		"both":          {plan.FineTuning{Preset: &superglue, Examples: 1280, Epochs: 2}, 20},
		"the T5 recipe": {plan.FineTuning{Preset: &superglue}, 1 << 18},
		"none":          {plan.FineTuning{}, plan.PaperSteps},
	} {
		a := tuned(t, "t5-small", "a100", c.f)
		if got := a.Schedule.Steps.Interval; got == nil || got.Value != c.want {
			t.Errorf("%s: %v steps, want %g", name, got, c.want)
		}
		if w := a.Run.Workload; c.f.Preset != nil &&
			w.DecoderLength != superglue.Workload.DecoderLength {
			t.Errorf("%s: decoder length %d, want the preset's", name, w.DecoderLength)
		}
	}
	// a decoder-only model reads input and answer one after the other
	if w := tuned(t, "gpt2", "a100", plan.FineTuning{Preset: &superglue}).Run.Workload; w.DecoderLength != 512+62 {
		t.Errorf("gpt2: decoder length %d, want 574", w.DecoderLength)
	}
}

// Training less takes less of everything; a plan that states its decisions has the same numbers.
func TestFineTuningSaves(t *testing.T) {
	one := plan.FineTuning{Examples: 128}
	whole := tuned(t, "t5-large", "a100", one)
	for name, tuning := range map[string]flops.Tuning{
		"LoRA":           {Rank: 16},
		"QLoRA":          {Rank: 16, Stored: flops.Int4},
		"frozen encoder": {Frozen: flops.EncoderPart | flops.EmbeddingPart},
	} {
		f := one
		f.Tuning = tuning
		a := tuned(t, "t5-large", "a100", f)
		if !(a.Memory.PeakBytes < whole.Memory.PeakBytes) || !(a.FLOPs.Step < whole.FLOPs.Step) ||
			!(a.StepTime.Interval.Value < whole.StepTime.Interval.Value) || !(a.Trained < whole.Trained) {
			t.Errorf(
				"%s does not save: %g bytes, %g FLOP, %v, trains %d",
				name,
				a.Memory.PeakBytes,
				a.FLOPs.Step,
				a.StepTime.Interval,
				a.Trained,
			)
		}
		again, err := a.Stated().Answer()
		if err != nil {
			t.Fatal(err)
		}
		if again.Memory != a.Memory || *again.StepTime.Interval != *a.StepTime.Interval {
			t.Errorf("%s: stated again it has other numbers", name)
		}
	}
}

// What leaves nothing to train is refused.
func TestNothingToTrain(t *testing.T) {
	s, _ := shapes.Parse("t5-small")
	for _, tuning := range []flops.Tuning{
		{Frozen: flops.EncoderPart | flops.DecoderPart | flops.EmbeddingPart},
		{Rank: 8, Frozen: flops.EncoderPart | flops.DecoderPart},
		{Rank: -1},
		{Stored: flops.Int4},
	} {
		if _, err := (plan.Question{Shape: s, FineTuning: plan.FineTuning{Tuning: tuning}}).Answer(); err == nil {
			t.Errorf("%+v: want an error", tuning)
		}
	}
}

// Fine-tuning that does not fit is told what adapters would take, as planning them says; training
// from scratch is not.
func TestFineTuningThatDoesNotFit(t *testing.T) {
	s, err := shapes.Parse("llama-2-7b")
	if err != nil {
		t.Fatal(err)
	}
	p, err := hardware.Parse("rtx-4090")
	if err != nil {
		t.Fatal(err)
	}
	q := plan.Question{
		Shape: s, Profile: &p, Search: true, Detail: true,
		Workload: flops.Workload{Batch: 16, DecoderLength: 512},
	}
	proposed := func(f plan.FineTuning) map[string]hardware.Change {
		q.FineTuning = f
		a, err := q.Answer()
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]hardware.Change{}
		for _, c := range a.Changes {
			out[c.What] = c
		}
		return out
	}
	const lora, qlora = "adapters only (LoRA)", "adapters on int4 weights (QLoRA)"
	whole := proposed(plan.FineTuning{Examples: 50e3})
	for what, tuning := range map[string]flops.Tuning{lora: {Rank: 16}, qlora: {Rank: 16, Stored: flops.Int4}} {
		c, found := whole[what]
		if !found || c.Fits == nil || !*c.Fits {
			t.Errorf("%s is not proposed", what)
			continue
		}
		q.FineTuning.Tuning = tuning
		a, err := q.Answer()
		if err != nil || a.Memory.PeakBytes != c.PeakBytes ||
			a.StepTime.Interval.Value != c.StepSeconds {
			t.Errorf(
				"%s: %g bytes and %g s are promised, planned are %g and %v, %v",
				what,
				c.PeakBytes,
				c.StepSeconds,
				a.Memory.PeakBytes,
				a.StepTime.Interval,
				err,
			)
		}
	}
	if _, found := proposed(plan.FineTuning{})[lora]; found {
		t.Error("training from scratch is told to train adapters")
	}
}
