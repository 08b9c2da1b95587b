package hardware

import (
	"maps"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// calibration reads the part of a profile file that a fit has written:
//
//	calibration:
//	  fitted_on: 60 steps of steps.jsonl
//	  residual: 0.08
//	  constants:
//	    matmul_share: {value: 0.82, log_sd: 0.05}
//	    saturation_depth: {value: 81, log_sd: 0.37, correlations: [0.06]}
//
// residual and log_sd are standard deviations of logarithms; correlations are those with the
// constants before, in the order of [Constant]. Every constant must be there: a file that lacks one
// was made for another version of the model.
func (r *profileReader) calibration(p *Profile, e syntax.Field) {
	entries, ok := r.entries(e.Value)
	if !ok {
		return
	}
	c := &Calibration{Residual: priorResidual}
	given := map[string]syntax.Field{}
	for _, part := range entries {
		switch part.Name {
		case "fitted_on":
			c.FittedOn, _ = r.word(part.Value)
		case "residual":
			r.positive(part, maxLogSD, &c.Residual)
		case "constants":
			rows, ok := r.entries(part.Value)
			if !ok {
				return
			}
			for _, row := range rows {
				given[row.Name] = row
			}
		default:
			r.fault(part.At, "calibration: unknown key: %q; allowed: fitted_on, residual, constants",
				clip(part.Name))
		}
	}
	var sd [constants]float64
	for i := range constants {
		row, ok := given[i.String()]
		if !ok {
			r.fault(e.At,
				"calibration: no %s; the file was made for another version of the model: calibrate again", i)
			continue
		}
		delete(given, i.String())
		r.constant(c, i, &sd, row)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		r.fault(given[name].At, "calibration: unknown constant: %q", clip(name))
	}
	p.Calibration = c
}

// constant reads one row of a calibration.
func (r *profileReader) constant(c *Calibration, i Constant, sd *[constants]float64, row syntax.Field) {
	parts, ok := r.entries(row.Value)
	if !ok {
		return
	}
	for _, part := range parts {
		switch part.Name {
		case "value":
			r.positive(part, math.MaxFloat64, &c.Constants[i])
		case "log_sd":
			r.positive(part, maxLogSD, &sd[i])
		case "correlations":
			if part.Value.Kind != syntax.List || len(part.Value.Items) > int(i) {
				r.fault(part.At,
					"%s: not a list; allowed: the correlations with the constants before, such as [0.06, -0.2]", i)
				continue
			}
			for k, item := range part.Value.Items {
				v, ok := r.plain(item)
				if ok && math.Abs(v) > 1 {
					r.fault(item.At, "%s: a correlation of %g; allowed: −1 to 1", i, v)
					continue
				}
				c.Covariance[i][k] = v * sd[i] * sd[k]
				c.Covariance[k][i] = c.Covariance[i][k]
			}
		default:
			r.fault(part.At, "%s: unknown key: %q; allowed: value, log_sd, correlations", i,
				clip(part.Name))
		}
	}
	c.Covariance[i][i] = sd[i] * sd[i]
	if c.Constants[i] == 0 || sd[i] == 0 {
		r.fault(row.At, "%s: not a constant; allowed: value and log_sd", i)
	}
}

// maxLogSD bounds the spread of a logarithm: a factor of e^10 either way says nothing at all.
const maxLogSD = 10

// priorResidual is the spread of a calibration that does not state one: two runs of one
// configuration differ by 17 to 43 % in published tables.
const priorResidual = 0.12

// plain is a number without unit.
func (r *profileReader) plain(node *syntax.Node) (float64, bool) {
	text, ok := r.word(node)
	if !ok {
		return 0, false
	}
	v, err := quantity.Parse(quantity.Number, text)
	if err != nil {
		r.fault(node.At, "%v", err)
	}
	return v, err == nil
}

// positive reads a number without unit that is more than 0 and at most another.
func (r *profileReader) positive(e syntax.Field, most float64, into *float64) {
	v, ok := r.plain(e.Value)
	switch {
	case !ok:
	case v > 0 && v <= most:
		*into = v
	default:
		r.fault(e.At, "%s: %g; allowed: more than 0, at most %g", e.Name, v, most)
	}
}
