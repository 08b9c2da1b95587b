package asks

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Question state a question: the work of a step, the machine, and how long the run is.
type Question struct {
	Workload
	Machine
	Length
}

func (f *Question) Register(c *cobra.Command) {
	f.Workload.Register(c)
	f.Machine.register(c)
	f.Length.register(c)
}

// RegisterWork leaves out the lengths that follow from a time or a bill.
func (f *Question) RegisterWork(c *cobra.Command) {
	f.Workload.Register(c)
	f.Machine.register(c)
	f.Length.registerWork(c)
}

// Inputs adds what the flags state to the inputs of a JSON document.
func (f *Question) Inputs(in map[string]any) {
	f.Workload.inputs(in)
	f.Machine.inputs(in)
	f.Length.inputs(in)
}

// Ask returns what the flags state, but for shape and profile.
func (f *Question) Ask() (plan.Question, error) {
	var q plan.Question
	f.Workload.AddTo(&q)
	var err error
	if q.Length, err = f.Stated(); err != nil {
		return q, err
	}
	return q, f.Machine.AddTo(&q)
}

// Single is question with the one cluster that --hardware or --cluster may name.
func (f *Question) Single() (plan.Question, error) {
	q, err := f.Ask()
	if err != nil {
		return q, err
	}
	if !f.Named() {
		if len(f.Devices.counts) > 1 || f.Devices.Auto {
			return q, frame.Usage("", "--devices is %s; allowed: one number without --hardware", &f.Devices)
		}
		if len(f.Devices.counts) == 1 {
			q.Devices = f.Devices.counts[0]
		}
		return q, nil
	}
	clusters, err := f.Machines()
	switch {
	case err != nil:
		return q, err
	case len(clusters) > 1:
		return q, frame.Usage("compare clusters with deepnarrow plan",
			"one cluster is enough here; found %d", len(clusters))
	case f.Devices.Auto:
		return q, frame.Usage("deepnarrow plan searches counts", "--devices is auto; allowed: a number")
	}
	return clusters[0].Ask(q), nil
}

// Searched is single with a layout that is searched where no flag states it.
func (f *Question) Searched() (plan.Question, error) {
	q, err := f.Single()
	q.Search = f.Layout == (flops.Layout{}) && !f.Given("zero")
	return q, err
}
