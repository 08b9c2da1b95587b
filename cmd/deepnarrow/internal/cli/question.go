package cli

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// questionFlags state a question: the work of a step, the machine, and how long the run is.
type questionFlags struct {
	workloadFlags
	machineFlags
	lengthFlags
}

func (f *questionFlags) register(c *cobra.Command) {
	f.workloadFlags.register(c)
	f.machineFlags.register(c)
	f.lengthFlags.register(c)
}

// registerWork leaves out the lengths that follow from a time or a bill.
func (f *questionFlags) registerWork(c *cobra.Command) {
	f.workloadFlags.register(c)
	f.machineFlags.register(c)
	f.lengthFlags.registerWork(c)
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *questionFlags) inputs(in map[string]any) {
	f.workloadFlags.inputs(in)
	f.machineFlags.inputs(in)
	f.lengthFlags.inputs(in)
}

// question returns what the flags state, but for shape and profile.
func (f *questionFlags) question() (plan.Question, error) {
	var q plan.Question
	f.workloadFlags.ask(&q)
	var err error
	if q.Length, err = f.length(); err != nil {
		return q, err
	}
	return q, f.machineFlags.ask(&q)
}

// single is question with the one cluster that --hardware or --cluster may name.
func (f *questionFlags) single() (plan.Question, error) {
	q, err := f.question()
	if err != nil {
		return q, err
	}
	if !f.named() {
		if len(f.devices.counts) > 1 || f.devices.auto {
			return q, usage("", "--devices is %s; allowed: one number without --hardware", &f.devices)
		}
		if len(f.devices.counts) == 1 {
			q.Devices = f.devices.counts[0]
		}
		return q, nil
	}
	clusters, err := f.machines()
	switch {
	case err != nil:
		return q, err
	case len(clusters) > 1:
		return q, usage("compare clusters with deepnarrow plan",
			"one cluster is enough here; found %d", len(clusters))
	case f.devices.auto:
		return q, usage("deepnarrow plan searches counts", "--devices is auto; allowed: a number")
	}
	return clusters[0].Ask(q), nil
}

// searched is single with a layout that is searched where no flag states it.
func (f *questionFlags) searched() (plan.Question, error) {
	q, err := f.single()
	q.Search = f.layout == (flops.Layout{}) && !f.given("zero")
	return q, err
}
