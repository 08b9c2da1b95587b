package calibrate

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
)

// shippedCommand makes the rows of facts/step_constants.csv.
const shippedCommand = "go test ./hardware/calibrate -run TestShippedConstants -update"

// fitPublished returns the joint fit of the step-time model to rows, as rows of
// facts/step_constants.csv. The last row is the spread that remains.
//
// The constants of generation are fitted to speeds of generation, with those of training as they
// are shipped.
func fitPublished(rows []data.StepTime, speeds []data.DecodeTime) []data.StepConstant {
	runs, _ := readRuns(rows)
	fit := newJoint(runs).fit(nil, fitSteps)
	out := constantRows(&fit.posterior, fit.joint.unknowns, 0)
	generation, _ := decodeRuns(speeds)
	decode := fitDecode(generation)
	out = append(out, constantRows(&decode, decodeUnknowns(), len(out))...)
	return append(out, data.StepConstant{
		Name: "residual", Value: 1, LogSD: fit.posterior.residual, Prior: 1, PriorLogSD: startScale,
		Provenance: computed,
	})
}

var computed = data.Provenance{Source: shippedCommand, Evidence: data.MeasuredHere}

// constantRows are the rows of fitted unknowns, which tell nothing of those before them.
func constantRows(p *posterior, unknowns []unknown, before int) (out []data.StepConstant) {
	var sds []float64
	for j, u := range unknowns {
		sds = append(sds, math.Sqrt(p.covariance.At(j, j)))
		c := data.StepConstant{
			Name: u.name, Value: math.Exp(p.theta[j]), LogSD: sds[j], Prior: math.Exp(u.mean),
			PriorLogSD: u.sd, Provenance: computed, Correlations: make([]float64, before),
		}
		for k := range j {
			c.Correlations = append(c.Correlations, p.covariance.At(j, k)/(sds[j]*sds[k]))
		}
		out = append(out, c)
	}
	return out
}

// writeConstants writes rows in the columns of facts/step_constants.csv.
func writeConstants(w io.Writer, rows []data.StepConstant) error {
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
