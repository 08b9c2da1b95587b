package measured

import (
	"math"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
)

// TestDifferencesOfPublishedSteps: of two steps that one source published on one machine, the ratio
// measured lies in the 80 % interval of the predicted one about as often as that says. Pairs share rows,
// and no pair differs by little, so that the bounds are wide.
func TestDifferencesOfPublishedSteps(t *testing.T) {
	const least, most = 0.75, 0.95
	type step struct {
		run    hardware.Run
		source string
		log    float64 // of measured/predicted
	}
	var rows []step
	for _, row := range data.StepTimes() {
		m, err := Read(row)
		if err != nil {
			continue
		}
		fit := hardware.ShippedAt(&m.Run.Profile, m.Run.Software, m.Source)
		m.Run.Profile = m.Run.Profile.Clone()
		m.Run.Profile.Calibration = &fit
		if p, err := hardware.Predict(m.Run); err == nil {
			rows = append(rows, step{m.Run, m.Source, math.Log(m.Seconds / p.StepSeconds.Value)})
		}
	}
	pairs, within := 0, 0
	for i := range rows {
		for k := range i {
			a, b := &rows[k], &rows[i]
			if a.source != b.source || a.run.Profile.Name != b.run.Profile.Name ||
				a.run.Software.Stack != b.run.Software.Stack || a.run.Shape.SameArchitecture(b.run.Shape) {
				continue
			}
			j := hardware.StepsTogether(&a.run, &b.run)
			half := fit.NormalQuantile90 * math.Sqrt(j.A+j.B-2*j.Both)
			if pairs++; math.Abs(b.log-a.log) <= half {
				within++
			}
		}
	}
	t.Logf("%d of %d pairs lie in their intervals", within, pairs)
	if share := float64(within) / float64(pairs); !(share >= least && share <= most) || pairs < 500 {
		t.Errorf("%d of %d pairs, %.3f, lie in their intervals, want %g to %g", within, pairs, share, least, most)
	}
}
