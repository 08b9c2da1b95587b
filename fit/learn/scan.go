package learn

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// DefaultSpread is the largest ratio of FLOPs within one budget.
const DefaultSpread = 1.1

// Scanned is an isoFLOP fit or an envelope, with the rows it used.
type Scanned struct {
	// IsoFLOP is the answer of [IsoFLOP], and Ends the runs it was fitted to.
	IsoFLOP *fit.IsoFLOPFit
	Ends    []fit.Run
	Spread  float64
	// Envelope is the answer of [Envelope], and Curves the runs that its front indexes.
	Envelope *fit.EnvelopeFit
	Curves   []NamedCurve
	Level    float64
	Rows
}

// NamedCurve is a run of an envelope: its name, or its size where no run is recorded.
type NamedCurve struct {
	Name string
	fit.Curve
}

// IsoFLOP finds the best size at each compute budget, see [fit.IsoFLOP], from runs with positive
// flops, params, tokens and response. Rows whose FLOPs differ by less than spread share a budget.
//
// Errors: [*records.ColumnError]; [*fit.Refusal], joined with why each budget was refused.
func IsoFLOP(runs *Runs, response string, spread, level float64) (*Scanned, error) {
	c, err := runs.columns("flops", "params", "tokens", response)
	if err != nil {
		return nil, err
	}
	c.keepPositive()
	out := &Scanned{Level: level, Spread: spread}
	for _, row := range c.Selection.Rows {
		out.Ends = append(out.Ends, fit.Run{
			FLOPs: c.at("flops", row), Params: c.at("params", row), Tokens: c.at("tokens", row),
			Loss: c.at(response, row),
		})
	}
	out.Rows = c.rows(len(out.Ends), c.Drops)
	out.IsoFLOP, err = fit.IsoFLOP(out.Ends, &fit.IsoFLOPSettings{Spread: spread, Level: level})
	if err == nil || out.IsoFLOP == nil {
		return out, err
	}
	reasons := []error{err}
	const most = 3 // they are alike
	more := 0
	for _, g := range out.IsoFLOP.Groups {
		switch {
		case g.Refused == nil:
		case len(reasons) > most:
			more++
		default:
			reasons = append(reasons, fmt.Errorf("budget %.3g FLOP, %s: %w", g.FLOPs, quantity.Of(g.Rows, "run"),
				g.Refused))
		}
	}
	if more > 0 {
		reasons = append(reasons, fmt.Errorf("and %s", quantity.Of(more, "more budget")))
	}
	return out, errors.Join(reasons...)
}

// Budget returns sizes and losses of the runs of one budget.
func (s *Scanned) Budget(g *fit.IsoFLOPGroup) (params, loss []float64) {
	for _, r := range s.Ends {
		if math.Abs(math.Log(r.FLOPs/g.FLOPs)) <= math.Log(s.Spread) {
			params, loss = append(params, r.Params), append(loss, r.Loss)
		}
	}
	return params, loss
}

// Envelope finds the Pareto front of training curves, see [fit.Envelope], from rows with positive
// flops, params and response.
//
// Errors: [*records.ColumnError], [*fit.Refusal].
func Envelope(runs *Runs, response string, level float64) (*Scanned, error) {
	c, err := runs.columns("flops", "params", response)
	if err != nil {
		return nil, err
	}
	c.keepPositive()
	out := &Scanned{
		Level: level, Curves: c.curves(response),
		Rows: c.rows(len(c.Selection.Rows), c.Drops),
	}
	curves := make([]fit.Curve, len(out.Curves))
	for i := range curves {
		curves[i] = out.Curves[i].Curve
	}
	out.Envelope, err = fit.Envelope(curves, level)
	return out, err
}

// curves joins the rows of a run, or of a size when no run is recorded, in order of FLOPs.
func (c *columns) curves(response string) []NamedCurve {
	rows := slices.Clone(c.Selection.Rows)
	slices.SortStableFunc(rows, func(a, b int) int { return cmp.Compare(c.at("flops", a), c.at("flops", b)) })
	at := map[string]int{}
	var out []NamedCurve
	of := func(row int) *NamedCurve {
		params := c.at("params", row)
		name, key := quantity.Format(quantity.Params, params, 0), quantity.Shortest(params)
		if c.runOf != nil && c.runOf[row] != "" {
			// One run of two sizes would be two curves.
			name, key = c.runOf[row], c.runOf[row]+"\x00"+key
		}
		k, ok := at[key]
		if !ok {
			k = len(out)
			at[key] = k
			out = append(out, NamedCurve{Name: name, Curve: fit.Curve{Params: params}})
		}
		return &out[k]
	}
	for _, row := range c.Selection.Rows { // curves come in the order of the table
		of(row)
	}
	for _, row := range rows {
		curve := of(row)
		curve.FLOPs = append(curve.FLOPs, c.at("flops", row))
		curve.Loss = append(curve.Loss, c.at(response, row))
	}
	return out
}
