package kernel

import (
	"context"
	"math"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// Schedule is a rate over steps: an inverse square root behind a warm-up, as T5 was trained.
//
//	rate(n) = Rate·√(Warmup/max(n, Warmup)), times n/Warmup during a linear warm-up
//
// T5's own is Rate 0.01, Warmup 10000, not linear, with Adafactor. Source: Raffel et al. 2020,
// section 3.1.2, arXiv 1910.10683.
type Schedule struct {
	Rate   float64 // at the end of the warm-up
	Warmup int     // steps; 0 means 1
	Linear bool    // the rate grows from 0 during the warm-up; otherwise it is Rate from the start
}

// At returns the rate of a step, which counts from 1.
func (s Schedule) At(step int) float64 {
	n, warmup := float64(step), float64(max(1, s.Warmup))
	if n < warmup {
		if s.Linear {
			return s.Rate * n / warmup
		}
		return s.Rate
	}
	return s.Rate * math.Sqrt(warmup/n)
}

// Trainer takes steps of a model on a source.
type Trainer struct {
	Model    *Model
	Schedule Schedule
	source   Source
	batch    Batch
}

// NewTrainer returns a trainer of a fresh model. Errors are those of [New]. Close its model at the
// end.
func NewTrainer(s *shapes.Shape, o Options, schedule Schedule, source Source) (*Trainer, error) {
	m, err := New(s, o)
	if err != nil {
		return nil, err
	}
	return &Trainer{Model: m, Schedule: schedule, source: source, batch: m.NewBatch()}, nil
}

// NewBatch returns an empty batch of the model's size, masks included, for a source to fill.
func (m *Model) NewBatch() Batch {
	sources, targets := m.encoder.e.rows, m.decoder.e.rows
	return Batch{
		Inputs: make([]int32, sources), InputMask: make([]bool, sources),
		Targets: make([]int32, targets), TargetLoss: make([]bool, targets),
	}
}

// Step takes the next step. Errors are those of [Model.Step].
func (t *Trainer) Step() (Result, error) {
	next := t.Model.Steps() + 1
	t.source.Fill(next, &t.batch)
	return t.Model.Step(&t.batch, t.Schedule.At(next))
}

// Run takes steps until the model has taken `until` of them, and reports each. When ctx ends it
// returns its error after the step in hand: the trainer is then ready to be saved or run on.
func (t *Trainer) Run(ctx context.Context, until int, report func(step int, r Result)) error {
	for t.Model.Steps() < until {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := t.Step()
		if err != nil {
			return err
		}
		if report != nil {
			report(t.Model.Steps(), r)
		}
	}
	return nil
}

// Evaluate returns the mean loss, without z-loss, over batches 1 … n of a source that training does
// not see, in nats a target.
func (t *Trainer) Evaluate(source Source, n int) (float64, error) {
	b := t.Model.NewBatch()
	var sum, weight float64
	for i := range n {
		source.Fill(i+1, &b)
		r, err := t.Model.Evaluate(&b)
		if err != nil {
			return 0, err
		}
		counted := 1 / t.Model.feed.gradScale
		sum += counted * r.NLL
		weight += counted
	}
	return sum / weight, nil
}

// positionsPerStep returns the positions of both stacks in one batch, padding included: what a
// run's count of tokens grows by.
func (m *Model) positionsPerStep() int { return m.encoder.e.rows + m.decoder.e.rows }
