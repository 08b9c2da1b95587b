package data

import (
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// StepConstant is one unknown of the step-time model after the joint fit to the published step
// times: a constant that all devices share ("matmul_share"), or the effect of a hardware family, a
// device or a software stack ("device:H100 SXM 80GB"). The row "residual" has the spread that
// remains and no correlations.
type StepConstant struct {
	Name  string
	Value float64
	LogSD float64 // standard deviation of ln value after the fit
	// Prior and PriorLogSD are what was expected before it.
	Prior, PriorLogSD float64
	// Correlations are those of ln value with the rows above, in their order.
	Correlations []float64
	Provenance   // its source is the command that makes the row
}

var stepConstants = embedded("facts/step_constants.csv", func(r *row) StepConstant {
	c := StepConstant{
		Name: r.required("name"), Value: r.amount("value", quantity.Number),
		LogSD:      r.amount("log_sd", quantity.Number),
		Prior:      r.amount("prior", quantity.Number),
		PriorLogSD: r.amount("prior_log_sd", quantity.Number),
		Provenance: r.provenance(""),
	}
	for _, text := range strings.Fields(r.text("correlations")) {
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			r.fault("correlations", "not a number: %q", text)
		}
		c.Correlations = append(c.Correlations, value)
	}
	return c
})

// StepConstants returns the fitted unknowns of the step-time model.
func StepConstants() []StepConstant { return slices.Clone(stepConstants()) }
