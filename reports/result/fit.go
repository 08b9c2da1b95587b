package result

import (
	"math"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
)

// Fit is a result of fit: a law fitted to a group of rows, or why there is none.
type Fit struct {
	Law        string              `json:"law"`
	Formula    string              `json:"formula,omitempty"`
	Source     string              `json:"source,omitempty"`
	Group      map[string]string   `json:"group"`
	Columns    []string            `json:"columns"`
	Response   string              `json:"response"`
	Parameters map[string]Estimate `json:"parameters"`
	Objective  *Objective          `json:"objective,omitempty"`
	RMS        *float64            `json:"rms,omitempty"`
	Validation *float64            `json:"validation_rms,omitempty"`
	// PerParamToken is k of training FLOPs = k·params·tokens in the rows, absent where it is 6.
	PerParamToken *float64 `json:"flops_per_param_token,omitempty"`
	// TokensOf is "both" where tokens are the positions of encoder and decoder, else absent.
	TokensOf    string            `json:"tokens_of,omitempty"`
	Certificate *Certificate      `json:"certificate,omitempty"`
	Rows        Rows              `json:"rows"`
	Score       *Score            `json:"score,omitempty"`
	Unscored    string            `json:"unscored,omitempty"`
	Laws        []Law             `json:"laws,omitempty"`
	Bootstrap   *Bootstrap        `json:"bootstrap,omitempty"`
	Outliers    []Outlier         `json:"outliers,omitempty"`
	Predictions []Prediction      `json:"predictions,omitempty"`
	Plot        *Plot             `json:"plot,omitempty"`
	Panels      []Panel           `json:"panels,omitempty"`
	Derived     map[string]string `json:"derived,omitempty"`
	Refused     *Refused          `json:"refused,omitempty"`
	Warnings    []string          `json:"warnings"`
}

// Objective is what the fit minimised, summed over rows.
type Objective struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Certificate is [fit.Certificate].
type Certificate struct {
	Converged   bool     `json:"converged"`
	Starts      int      `json:"starts"`
	Agree       int      `json:"agree"`
	Gradient    float64  `json:"gradient"`
	Condition   *float64 `json:"condition,omitempty"`
	Active      []string `json:"active_bounds"`
	Vertex      int      `json:"rows_met_exactly,omitempty"`
	Evaluations int      `json:"evaluations"`
}

// Rows counts the rows that an answer rests on, and those it leaves out by reason.
type Rows struct {
	Used    int    `json:"used"`
	Dropped int    `json:"dropped"`
	Drops   []Drop `json:"drops"`
}

// Drop is the rows left out for one reason: file and line of each.
type Drop struct {
	Reason string   `json:"reason"`
	Count  int      `json:"count"`
	Rows   []string `json:"rows"`
}

// Score is how a fit did on rows it had not seen.
type Score struct {
	Points      int     `json:"points"`
	RMSLE       float64 `json:"rmsle"`
	Coverage80  float64 `json:"coverage80"`
	Coverage95  float64 `json:"coverage95"`
	HalfWidth80 float64 `json:"half_width80"`
}

// Law is one law that was considered: its weight in the average that predicts, and the error by
// which the parameters told are chosen.
type Law struct {
	Law     string   `json:"law"`
	Chosen  bool     `json:"chosen,omitempty"`
	Weight  *float64 `json:"weight,omitempty"`
	HeldOut *float64 `json:"held_out_rms,omitempty"`
	// AICc is of the fit to all rows; only differences mean anything.
	AICc       *float64           `json:"aicc,omitempty"`
	Parameters map[string]float64 `json:"parameters,omitempty"`
	Refused    string             `json:"refused,omitempty"`
}

// Outlier is a row with a large residual: ln(recorded/predicted), or recorded − predicted for an
// objective in the raw response, and over its standard deviation.
type Outlier struct {
	Row         string  `json:"row"`
	Value       float64 `json:"value"`
	Residual    float64 `json:"residual"`
	Studentised float64 `json:"studentised"`
	Diverged    bool    `json:"diverged"`
}

// Bootstrap is the refits behind the intervals.
type Bootstrap struct {
	Level    float64 `json:"level"`
	Units    int     `json:"units"`
	Refits   int     `json:"refits"`
	Failed   int     `json:"failed"`
	Improved int     `json:"better_elsewhere"`
	// Draws are at most maxDraws refits, evenly taken, in the order of Parameters: other commands
	// make intervals of them.
	Parameters []string    `json:"parameters"`
	Draws      [][]float64 `json:"draws"`
}

const maxDraws = 500

// Prediction is what a fit says of a new row.
type Prediction struct {
	At    map[string]float64 `json:"at"`
	Value float64            `json:"value"`
	Low   *float64           `json:"low,omitempty"`
	High  *float64           `json:"high,omitempty"`
	Level float64            `json:"level,omitempty"`
}

// Plot is a [learn.Drawing].
type Plot struct {
	X       string    `json:"x"`
	Level   float64   `json:"level"`
	Curve   *Curve    `json:"curve,omitempty"`
	Rows    PlotRows  `json:"rows"`
	HeldOut *PlotRows `json:"held_out,omitempty"`
}

// Curve is a [learn.Curve].
type Curve struct {
	X     []float64 `json:"x"`
	Value []float64 `json:"value"`
	Low   []float64 `json:"low,omitempty"`
	High  []float64 `json:"high,omitempty"`
}

// PlotRows are [learn.DrawnRows]: lists, so that they are one cell each in a CSV.
type PlotRows struct {
	X         []float64 `json:"x"`
	Recorded  []float64 `json:"recorded"`
	Predicted []float64 `json:"predicted"`
	Low       []float64 `json:"low,omitempty"`
	High      []float64 `json:"high,omitempty"`
	Residual  []float64 `json:"residual"`
}

// FitOf returns a fit as JSON writes it.
func FitOf(f *learn.Fitted) Fit {
	out := Fit{
		Law: f.Law, Group: f.Group, Columns: f.Columns, Response: f.Response,
		Parameters: map[string]Estimate{}, Rows: RowsOf(f.Used, f.Drops), Unscored: f.Unscored,
		Plot: plotOf(f.Drawing), Warnings: append([]string{}, f.Warnings...),
		Refused: refusedOf(f.Refused),
	}
	if out.Group == nil {
		out.Group = map[string]string{}
	}
	for _, d := range f.Derived {
		if out.Derived == nil {
			out.Derived = map[string]string{}
		}
		out.Derived[d.Column] = d.How
	}
	switch {
	case f.Result != nil:
		out.ofResult(f)
	case f.Curve != nil:
		out.ofCurve(f)
	case f.Average != nil:
		out.Formula, out.Laws = averageFormula, comparedOf(f)
	}
	if k := f.PerParamToken; k != 0 && k != 6 {
		out.PerParamToken = &k
	}
	if f.BothStacks {
		out.TokensOf = bothStacks
	}
	if f.Average != nil {
		out.Validation = Finite(f.Average.Validation)
	}
	if s := f.Score; s != nil {
		out.Score = &Score{s.Points, s.RMSLE, s.Coverage80, s.Coverage95, s.HalfWidth80}
	}
	out.Predictions = predictionsOf(f.Predictions, &out.Warnings)
	return out
}

// predictionsOf leaves out points outside the law's domain and says so.
func predictionsOf(all []learn.Predicted, warnings *[]string) []Prediction {
	var out []Prediction
	for _, p := range all {
		if Finite(p.Value) == nil {
			if warnings != nil {
				*warnings = append(*warnings,
					"no prediction at "+p.At.String()+": outside the law's domain")
			}
			continue
		}
		row := Prediction{At: p.At, Value: p.Value}
		if p.HasInterval {
			row.Low, row.High, row.Level = Finite(p.Low), Finite(p.High), p.Level
		}
		out = append(out, row)
	}
	return out
}

func (f *Fit) ofResult(from *learn.Fitted) {
	r := from.Result
	f.Law, f.Formula, f.Source = r.Law.Name, r.Law.Formula, r.Law.Source
	f.Objective = &Objective{r.Objective.String(), r.Value}
	f.RMS = Finite(r.RMS)
	c := r.Certificate
	f.Certificate = &Certificate{
		Converged: c.Converged, Starts: c.Starts, Agree: c.Agree, Gradient: c.Gradient,
		Condition: Finite(c.Condition), Active: append([]string{}, c.Active...), Vertex: c.Vertex,
		Evaluations: c.Evaluations,
	}
	f.Warnings = append(f.Warnings, r.Warnings...)
	names := make([]string, len(r.Law.Params))
	for j, p := range r.Law.Params {
		names[j] = p.Name
		f.Parameters[p.Name] = parameterOf(from, j)
	}
	f.Laws = comparedOf(from)
	for _, o := range from.Outliers {
		f.Outliers = append(f.Outliers, Outlier{o.Row, o.Value, o.Residual, o.Studentised, o.Diverged()})
	}
	if b := from.Draws; b != nil {
		f.Bootstrap = &Bootstrap{
			Level: b.Level, Units: b.Units, Refits: len(b.Draws) + b.Failed, Failed: b.Failed,
			Improved: b.Improved, Parameters: names, Draws: thinned(b.Draws),
		}
	}
}

// parameterOf returns the j-th parameter: with the bounds of the bootstrap or, without one, those
// of
// the profile.
func parameterOf(from *learn.Fitted, j int) Estimate {
	e := Estimate{Value: from.Result.Params[j]}
	if from.Draws != nil {
		in := from.Draws.Params[j]
		if log := from.Result.Law.Params[j].Log && in.LogSE > 0; log {
			e.LogSE = Finite(in.LogSE)
		}
		if in.LogSE < unknownFactor {
			e.Low, e.High, e.SE = Finite(in.Low), Finite(in.High), Finite(in.SE)
		}
	}
	for _, p := range from.Profiles {
		if p.Param != from.Result.Law.Params[j].Name {
			continue
		}
		e.Profile = &Bounds{}
		if !p.OpenLow {
			e.Profile.Low = Finite(p.Low)
		}
		if !p.OpenHigh {
			e.Profile.High = Finite(p.High)
		}
		if from.Draws == nil {
			e.Low, e.High = e.Profile.Low, e.Profile.High
		}
	}
	return e
}

// unknownFactor is the standard error in ln from which a number is not known at all: a factor of
// e^5 = 150 either way.
const unknownFactor = 5.0

const averageFormula = "ln y = Σ w·ln y_law"

// comparedOf lists the laws compared, with their weights in the average.
func comparedOf(from *learn.Fitted) []Law {
	out := lawsOf(from.Scores)
	for i := range out {
		out[i].Chosen = from.Result != nil && out[i].Law == from.Result.Law.Name
		if from.Average == nil {
			continue
		}
		for _, share := range from.Average.Laws {
			if share.Law.Name == out[i].Law {
				out[i].Weight = Finite(share.Weight)
			}
		}
	}
	return out
}

func lawsOf(scores []fit.LawScore) []Law {
	var out []Law
	for _, s := range scores {
		row := Law{Law: s.Law.Name}
		if s.Refused != nil {
			row.Refused = s.Refused.Error()
		} else {
			row.HeldOut, row.AICc = Finite(s.RMS), Finite(s.AICc)
		}
		out = append(out, row)
	}
	return out
}

func (f *Fit) ofCurve(from *learn.Fitted) {
	c := from.Curve
	f.Formula = averageFormula
	f.Objective = &Objective{fit.SquaredLog().String(), from.SquaredError}
	f.RMS = Finite(math.Sqrt(from.SquaredError / float64(c.Points)))
	f.Warnings = append(f.Warnings, c.Warnings...)
	for _, s := range c.Laws {
		f.Laws = append(f.Laws, Law{
			Law: s.Law.Name, Weight: Finite(s.Weight), HeldOut: Finite(s.Validation),
			Parameters: parametersOf(s.Law, s.Params),
		})
	}
}

func parametersOf(law fit.Law, values []float64) map[string]float64 {
	out := map[string]float64{}
	for j, p := range law.Params {
		if v := Finite(values[j]); v != nil {
			out[p.Name] = *v
		}
	}
	return out
}

// thinned returns at most maxDraws draws, evenly taken.
func thinned(draws [][]float64) [][]float64 {
	if len(draws) <= maxDraws {
		return draws
	}
	out := make([][]float64, maxDraws)
	for i := range out {
		out[i] = draws[i*len(draws)/maxDraws]
	}
	return out
}

// RowsOf groups drops by reason, in order of first appearance.
func RowsOf(used int, drops []learn.Drop) Rows {
	out := Rows{Used: used, Dropped: len(drops), Drops: []Drop{}}
	at := map[string]int{}
	for _, d := range drops {
		reason, _, _ := strings.Cut(d.Reason, ": \"") // the first cell stands for the others
		k, ok := at[reason]
		if !ok {
			k = len(out.Drops)
			at[reason] = k
			out.Drops = append(out.Drops, Drop{Reason: d.Reason})
		}
		out.Drops[k].Count++
		out.Drops[k].Rows = append(out.Drops[k].Rows, d.Row)
	}
	return out
}

func plotOf(d *learn.Drawing) *Plot {
	if d == nil {
		return nil
	}
	out := &Plot{X: d.X, Level: d.Level, Rows: PlotRows(d.Rows)}
	if len(d.Curve.X) > 0 {
		curve := Curve(d.Curve)
		out.Curve = &curve
	}
	if len(d.HeldOut.X) > 0 {
		held := PlotRows(d.HeldOut)
		out.HeldOut = &held
	}
	return out
}
