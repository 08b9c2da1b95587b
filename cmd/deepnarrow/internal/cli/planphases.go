package cli

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/yamlfile"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// maxRunBytes bounds a YAML file that may be a run file.
const maxRunBytes = 1 << 20

// runFile returns the text of a run file, YAML with phases, or nil where the arguments are shapes.
func (a *app) runFile(args []string) ([]byte, error) {
	for _, name := range args {
		if !yamlfile.Called(name) {
			continue
		}
		text, err := a.ReadLimited(name, maxRunBytes)
		switch {
		case err != nil:
			return nil, frame.BadInput(err, "")
		case !hardware.IsRunFile(text):
		case len(args) > 1:
			return nil, frame.Usage("its lines name the shapes",
				"the run file %s stands alone; got %d arguments", name, len(args))
		default:
			return text, nil
		}
	}
	return nil, nil
}

// planPhases plans the phases of a run file and their total.
func (a *app) planPhases(c *cobra.Command, name string, text []byte) error {
	if stray := frame.Stray(c); stray != "" {
		return frame.Usage("",
			"--%s does not go with a run file; allowed: in %s, the lines that docs/plan.md lists",
			stray, name)
	}
	specs, err := hardware.ReadRunFile(name, bytes.NewReader(text))
	if err != nil {
		return frame.BadInput(err, "")
	}
	inside := &app{a.Within(asks.NamedIn(name))}
	r := frame.NewReport("plan", "run", name)
	r.Document.Conventions["flops"] = flops.MatmulConvention
	r.Document.Conventions["tokens"] = "positions of the encoder's inputs, or of the decoder's without encoder"
	var phases []plan.Phase
	var faults []error
	for i := range specs {
		p, warnings, err := inside.phase(&specs[i])
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %s: %w", specs[i].At, specs[i].Name, err))
			continue
		}
		for _, w := range append(warnings, p.Warnings()...) {
			r.Document.Warn(fmt.Sprintf("%s: %s", p.Name, w))
		}
		phases = append(phases, p)
	}
	if len(faults) > 0 {
		return frame.BadInput(errors.Join(faults...), "")
	}
	campaign := plan.NewCampaign(phases)
	r.Phases(&campaign)
	return a.Render(r)
}

// phase resolves the names of a phase and plans it.
func (a *app) phase(spec *hardware.PhaseSpec) (plan.Phase, []string, error) {
	none := plan.Phase{}
	s, warnings, err := a.Shape(spec.Shape)
	if err != nil {
		return none, nil, err
	}
	p, err := asks.Profile(spec.Hardware, a.Opens)
	if err != nil {
		return none, nil, err
	}
	q := plan.Question{
		Shape: s, Profile: &p, Devices: spec.Devices, Layout: spec.Layout,
		Length: spec.Length, Rates: spec.Rates, Goodput: spec.Goodput,
	}
	work := asks.Workload{
		Work: spec.Workload, Execution: spec.Execution,
		Given: func(key string) bool { return spec.Given[key] },
	}
	work.AddTo(&q)
	if q.Search = spec.Search != ""; q.Search && q.Layout != (flops.Layout{}) {
		return none, nil, frame.Usage("",
			"layout: auto searches dp, tp, pp, zero, micro_batch and accumulate; allowed: without those lines")
	}
	answer, err := q.Answer()
	return plan.Phase{Name: spec.Name, Answer: answer}, warnings, asks.PlanError(err)
}
