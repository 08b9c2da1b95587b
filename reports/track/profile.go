package track

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// Calibrated returns the profile of the plan's hardware with the step-time model fitted to the level of
// the steps of this run, see [calibrate.FitProfile]: a run is one measurement, however many its steps.
// file is the log's name, for the profile to tell.
//
// Errors: no step times; a shape or layout that cannot be planned any more; those of the fit.
func (a *Answer) Calibrated(profile hardware.Profile, file string) (hardware.Profile, error) {
	if a.Pace == nil {
		return profile, errors.New("the log has no step times to calibrate by")
	}
	s, err := a.Plan.Shape()
	if err != nil {
		return profile, err
	}
	r, err := a.Plan.Question(&s, &profile).Resolve()
	if err != nil {
		return profile, err
	}
	out, _, err := calibrate.FitProfile(profile, []calibrate.Measurement{{
		Run: r.Run, Seconds: a.Pace.Step.Value, Group: s.Name,
		Where: fmt.Sprintf("%s, %.0f steps", file, a.Pace.Steps),
	}}, []string{file})
	return out, err
}

// Shape returns the shape of the planned run.
func (p *Plan) Shape() (shapes.Shape, error) {
	text, err := json.Marshal(&p.run.Shape)
	if err != nil {
		return shapes.Shape{}, err
	}
	r, err := config.Read("shape.json", bytes.NewReader(text), config.Options{})
	if err != nil {
		return shapes.Shape{}, fmt.Errorf("the shape in the plan: %w", err)
	}
	return r.Shape, nil
}
