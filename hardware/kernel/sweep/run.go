package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Study is what runs of a grid need besides the grid.
type Study struct {
	Grid Grid
	// Training and HeldOut return the data of a run; the second is never trained on.
	Training, HeldOut func(e *Entry) (kernel.Source, error)
	Text              string // what they are made of, see [kernel.TextID]
	// batches that the loss of a record is a mean of; 0 means 16
	HeldOutBatches int
	// of a whole run, under the caller's convention
	FLOPs   func(e *Entry) float64
	Machine string // of the records
	// the clock of budgets, step times and dates
	Now func() time.Time
	// no run starts that would not end within it, judged by the runs before; 0 for no bound
	Budget time.Duration
	// of earlier calls: their runs are skipped
	Done []kernel.Record
	// called when a run ends, before the next begins
	Keep func(kernel.Record) error
	// called after every step; may be nil
	Progress func(e *Entry, step int, r kernel.Result)
}

// Outcome says what a call of [Run] did.
type Outcome struct {
	Ran, Skipped int      // runs that ended, and those that were done before
	Left         []string // runs that the budget or the context left over, in their order
}

const defaultHeldOutBatches = 16

// Run takes the runs that are not done, one after the other. It ends with the error of ctx when ctx
// ends: the run in hand is lost, all before it are kept. A budget that is used up is not an error: the
// outcome names what is left. Runs that are done under another recipe are a [*kernel.MixedError]:
// their losses are not comparable.
func (s *Study) Run(ctx context.Context) (Outcome, error) {
	entries, err := s.entries()
	if err != nil {
		return Outcome{}, err
	}
	var out Outcome
	start := s.Now()
	var pace float64 // seconds a unit of work, of the slowest run so far
	for i := range entries {
		e := &entries[i]
		if s.done(e) {
			out.Skipped++
			continue
		}
		begun := s.Now()
		spent := begun.Sub(start).Seconds()
		if s.Budget > 0 && spent+pace*e.work() > s.Budget.Seconds() {
			out.Left = append(out.Left, e.name())
			continue
		}
		if err := s.take(ctx, e); err != nil {
			for j := i; j < len(entries); j++ {
				if !s.done(&entries[j]) {
					out.Left = append(out.Left, entries[j].name())
				}
			}
			return out, err
		}
		out.Ran++
		pace = max(pace, s.Now().Sub(begun).Seconds()/e.work())
	}
	return out, nil
}

// RunEntry takes one run, by its place in [Grid.Entries]: what a task of a job array does. A run
// that is done is not repeated. The error is a [*GridError] for a place that is not there, or one
// of those of [Study.Run].
func (s *Study) RunEntry(ctx context.Context, place int) (Outcome, error) {
	entries, err := s.entries()
	if err != nil {
		return Outcome{}, err
	}
	if place < 0 || place >= len(entries) {
		return Outcome{}, &GridError{
			"entry", fmt.Sprint(place), fmt.Sprintf("0 to %d", len(entries)-1),
		}
	}
	e := &entries[place]
	if s.done(e) {
		return Outcome{Skipped: 1}, nil
	}
	if err := s.take(ctx, e); err != nil {
		return Outcome{Left: []string{e.name()}}, err
	}
	return Outcome{Ran: 1}, nil
}

// take runs an entry and keeps its record.
func (s *Study) take(ctx context.Context, e *Entry) error {
	record, err := s.one(ctx, e)
	if err != nil {
		return fmt.Errorf("run %s: %w", e.name(), err)
	}
	if err := s.Keep(record); err != nil {
		return fmt.Errorf("keeping the record of %s: %w", e.name(), err)
	}
	return nil
}

func (s *Study) done(e *Entry) bool {
	return slices.ContainsFunc(s.Done, func(r kernel.Record) bool { return s.belongs(e, &r) })
}

// belongs reports whether a record is of this entry of this grid.
func (s *Study) belongs(e *Entry, r *kernel.Record) bool {
	return r.SameRun(&kernel.Record{
		Shape: e.Shape.Name, Steps: e.Steps, Seed: s.Grid.Options.Seed, Recipe: s.recipe(),
	})
}

func (s *Study) recipe() kernel.Recipe {
	return kernel.NewRecipe(&s.Grid.Options, s.Grid.Schedule, s.Text)
}

// entries lists the runs of the grid, if those that are done are of this study.
func (s *Study) entries() ([]Entry, error) {
	study := s.recipe()
	for i := range s.Done {
		e := Entry{Shape: shapes.Shape{Name: s.Done[i].Shape}, Steps: s.Done[i].Steps}
		if err := study.Same("run "+e.name(), &s.Done[i].Recipe); err != nil {
			return nil, err
		}
	}
	return s.Grid.Entries()
}

// recentSteps is how many last steps the training loss of a record is the mean of.
const recentSteps = 32

func (s *Study) one(ctx context.Context, e *Entry) (record kernel.Record, err error) {
	training, err := s.Training(e)
	if err != nil {
		return record, err
	}
	heldOut, err := s.HeldOut(e)
	if err != nil {
		return record, err
	}
	t, err := kernel.NewTrainer(&e.Shape, s.Grid.Options, s.Grid.Schedule, training)
	if err != nil {
		return record, err
	}
	defer func() { err = errors.Join(err, t.Model.Close()) }()
	var losses []float64
	laps := Laps{Now: s.Now}
	laps.Start()
	err = t.Run(ctx, e.Steps, func(step int, r kernel.Result) {
		laps.Lap()
		losses = append(losses, r.NLL)
		if s.Progress != nil {
			s.Progress(e, step, r)
			laps.Start()
		}
	})
	if err != nil {
		return record, err
	}
	loss, err := t.Evaluate(heldOut, cmp.Or(s.HeldOutBatches, defaultHeldOutBatches))
	if err != nil {
		return record, err
	}
	return t.Record(kernel.RecordInfo{
		Text:  s.Text,
		FLOPs: s.FLOPs(e), Loss: loss, TrainLoss: mean(losses[max(0, len(losses)-recentSteps):]),
		StepSeconds: laps.Median(),
		Machine:     s.Machine, Now: s.Now(),
	}), nil
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
