package calibrate

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
)

// shippedCommand makes the rows of facts/step_constants.csv.
const shippedCommand = "go test ./hardware/calibrate -run TestShippedConstants -update"

// FitPublished returns the joint fit of the step-time model to rows, as rows of
// facts/step_constants.csv. The last row is the spread that remains.
//
// The constants of generation are fitted to speeds of generation, with those of training as they
// are shipped.
func FitPublished(rows []data.StepTime, speeds []data.DecodeTime) []data.StepConstant {
	computed := data.Provenance{Source: shippedCommand, Evidence: data.MeasuredHere}
	runs, _ := readRuns(rows)
	fit := newJoint(runs).fit(nil, fitSteps)
	var out []data.StepConstant
	var sds []float64
	for j, u := range fit.joint.unknowns {
		sd := math.Sqrt(fit.covariance.At(j, j))
		c := data.StepConstant{
			Name: u.name, Value: math.Exp(fit.theta[j]), LogSD: sd, Prior: math.Exp(u.mean),
			PriorLogSD: u.sd, Provenance: computed,
		}
		for k := range j {
			c.Correlations = append(c.Correlations, fit.covariance.At(j, k)/(sd*sds[k]))
		}
		sds = append(sds, sd)
		out = append(out, c)
	}
	generation, _ := decodeRuns(speeds)
	decode := fitDecode(generation)
	for j := range decode.theta {
		constant := hardware.Constant(firstOfDecoding + j)
		sd := math.Sqrt(decode.covariance.At(j, j))
		value, prior := constant.Prior()
		c := data.StepConstant{
			Name: constant.String(), Value: math.Exp(decode.theta[j]), LogSD: sd, Prior: value,
			PriorLogSD: prior, Provenance: computed,
			Correlations: make([]float64, len(out)-j),
		}
		for k := range j {
			c.Correlations = append(c.Correlations,
				decode.covariance.At(j, k)/(sd*math.Sqrt(decode.covariance.At(k, k))))
		}
		out = append(out, c)
	}
	return append(out, data.StepConstant{
		Name: "residual", Value: 1, LogSD: fit.posterior.residual, Prior: 1, PriorLogSD: startScale,
		Provenance: computed,
	})
}

// WriteConstants writes rows in the columns of facts/step_constants.csv.
func WriteConstants(w io.Writer, rows []data.StepConstant) error {
	out := csv.NewWriter(w)
	records := [][]string{{
		"name", "value", "log_sd", "prior", "prior_log_sd", "correlations",
		"source", "evidence",
	}}
	digits := func(v float64, n int) string { return strconv.FormatFloat(v, 'g', n, 64) }
	for _, c := range rows {
		var correlations []string
		for _, r := range c.Correlations {
			correlations = append(correlations, strconv.FormatFloat(r, 'f', 6, 64))
		}
		// significant digits: far beyond what the fit determines, enough to keep the matrix
		// positive definite
		const kept = 8
		records = append(records, []string{
			c.Name, digits(c.Value, kept), digits(c.LogSD, kept), digits(c.Prior, kept),
			digits(c.PriorLogSD, kept),
			strings.Join(correlations, " "), c.Source, string(c.Evidence),
		})
	}
	if err := out.WriteAll(records); err != nil {
		return fmt.Errorf("step constants: %w", err)
	}
	return nil
}
