package hardware

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
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
func (r *profileReader) calibration(p *Profile, e entry) {
	entries, ok := r.entries(e.value)
	if !ok {
		return
	}
	c := &Calibration{Residual: priorResidual}
	given := map[string]entry{}
	for _, part := range entries {
		switch part.key {
		case "fitted_on":
			c.FittedOn, _ = r.word(part.value)
		case "residual":
			if v, ok := r.plain(part.value); ok && r.within(part, v, maxLogSD) {
				c.Residual = v
			}
		case "constants":
			rows, ok := r.entries(part.value)
			if !ok {
				return
			}
			for _, row := range rows {
				given[row.key] = row
			}
		default:
			r.fault(part.at, "calibration: unknown key: %q; allowed: fitted_on, residual, constants",
				clip(part.key))
		}
	}
	var sd [constants]float64
	for i := range constants {
		row, ok := given[i.String()]
		if !ok {
			r.fault(e.at,
				"calibration: no %s; the file was made for another version of the model: calibrate again", i)
			continue
		}
		delete(given, i.String())
		r.constant(c, i, &sd, row)
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		r.fault(given[name].at, "calibration: unknown constant: %q", clip(name))
	}
	p.Calibration = c
}

// constant reads one row of a calibration.
func (r *profileReader) constant(c *Calibration, i Constant, sd *[constants]float64, row entry) {
	parts, ok := r.entries(row.value)
	if !ok {
		return
	}
	for _, part := range parts {
		switch part.key {
		case "value":
			v, ok := r.plain(part.value)
			if ok && r.within(part, v, math.MaxFloat64) {
				c.Constants[i] = v
			}
		case "log_sd":
			v, ok := r.plain(part.value)
			if ok && r.within(part, v, maxLogSD) {
				sd[i] = v
			}
		case "correlations":
			list, ok := part.value.(*ast.SequenceNode)
			if !ok || len(list.Values) > int(i) {
				r.fault(part.at,
					"%s: not a list; allowed: the correlations with the constants before, such as [0.06, -0.2]", i)
				continue
			}
			for k, item := range list.Values {
				v, ok := r.plain(item)
				if ok && math.Abs(v) > 1 {
					r.fault(item.GetToken(), "%s: a correlation of %g; allowed: −1 to 1", i, v)
					continue
				}
				c.Covariance[i][k] = v * sd[i] * sd[k]
				c.Covariance[k][i] = c.Covariance[i][k]
			}
		default:
			r.fault(part.at, "%s: unknown key: %q; allowed: value, log_sd, correlations", i,
				clip(part.key))
		}
	}
	c.Covariance[i][i] = sd[i] * sd[i]
	if c.Constants[i] == 0 || sd[i] == 0 {
		r.fault(row.at, "%s: not a constant; allowed: value and log_sd", i)
	}
}

// maxLogSD bounds the spread of a logarithm: a factor of e^10 either way says nothing at all.
const maxLogSD = 10

// priorResidual is the spread of a calibration that does not state one: two runs of one
// configuration differ by 17 to 43 % in published tables.
const priorResidual = 0.12

// plain is a number without unit.
func (r *profileReader) plain(node ast.Node) (float64, bool) {
	text, ok := r.word(node)
	if !ok {
		return 0, false
	}
	negative := strings.HasPrefix(text, "-")
	v, err := quantity.Parse(quantity.Number, strings.TrimPrefix(text, "-"))
	if err != nil {
		r.fault(node.GetToken(), "%v", err)
		return 0, false
	}
	if negative {
		v = -v
	}
	return v, true
}

func (r *profileReader) within(e entry, v, most float64) bool {
	if v > 0 && v <= most {
		return true
	}
	r.fault(e.at, "%s: %g; allowed: more than 0, at most %g", e.key, v, most)
	return false
}
