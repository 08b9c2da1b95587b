package cli

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/compare"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// lay returns how a shape runs on a profile, or without one when nil, and what had to be changed
// for it.
func lay(p *hardware.Profile, s shapes.Shape, work *workloadFlags, machine *machineFlags) (
	hardware.Run, []string, error,
) {
	run := hardware.Run{Shape: s, Execution: work.execution}
	var warnings []string
	var err error
	if run.Workload, err = work.workload(&s); err != nil {
		return run, nil, err
	}
	if run.Software, err = machine.software(); err != nil {
		return run, nil, err
	}
	if p != nil {
		run.Profile = *p
		var changed string
		if run.Execution, changed = work.executionOn(p); changed != "" {
			warnings = append(warnings, changed)
		}
	}
	search, err := machine.auto()
	switch {
	case err != nil:
		return run, nil, err
	case search && p == nil:
		return run, nil, usage("", "--layout auto needs --hardware")
	case search:
		var remedies []string
		var layout flops.Layout
		layout, run.Execution.Recompute, remedies, err = searchLayout(run, max(1, machine.devices))
		run.Layout = layout
		warnings = append(remedies, warnings...)
	default:
		usual := run.Workload.Batch
		run.Layout, run.Workload, err = machine.place(&s, run.Workload, work.batch != 0)
		if run.Workload.Batch != usual {
			warnings = append(warnings, fmt.Sprintf(
				"the batch is %d, not %d, to fill every copy; --batch states another",
				run.Workload.Batch, usual))
		}
	}
	return run, warnings, err
}

// setup returns what shapes are measured on, and the profile when --hardware names one.
func setup(work *workloadFlags, machine *machineFlags, length *lengthFlags) (compare.Setup,
	*hardware.Profile, error,
) {
	var out compare.Setup
	var profile *hardware.Profile
	var err error
	if out.Length, err = length.length(); err != nil {
		return out, nil, err
	}
	out.Goodput = hardware.DefaultGoodput()
	switch len(machine.profiles) {
	case 0:
	case 1:
		profiles, err := machine.hardware()
		if err != nil {
			return out, nil, err
		}
		profile, out.Timed = &profiles[0], true
		if out.Rates, out.Goodput, err = machine.rates(profiles[0]); err != nil {
			return out, nil, err
		}
	default:
		return out, nil, usage("compare hardware with deepnarrow plan",
			"one --hardware is enough here; found %d", len(machine.profiles))
	}
	out.Run = func(s *shapes.Shape) (hardware.Run, error) {
		run, _, err := lay(profile, *s, work, machine)
		return run, err
	}
	return out, profile, nil
}
