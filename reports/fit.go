package reports

import (
	"errors"
	"math"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/records"
)

// Fitted is one law fitted to recorded runs, or why there is none.
type Fitted struct {
	// Group holds the value of each column of By; nil without groups.
	Group map[string]string
	By    []string
	// Law is what was asked for: a law's name or auto. Columns and Response are the columns it
	// reads.
	Law      string
	Columns  []string
	Response string

	// Result is the fit of one law; nil for an average of laws and for a refusal.
	Result *fit.Result
	// Curve is the average of laws over a learning curve, SquaredError its Σ(ln ŷ − ln y)² over the
	// rows.
	Curve        *fit.Extrapolation
	SquaredError float64
	// Scores are the held-out errors by which Result's law was chosen.
	Scores   []fit.LawScore
	Draws    *fit.Bootstrapped
	Profiles []fit.Profiled
	// Score is how the fit did on rows it had not seen; Unscored why it has none although rows were
	// given.
	Score       *fit.ExtrapolationScore
	Unscored    string
	Predictions []Predicted
	Plot        *FitPlot // nil where nothing is to be drawn

	Used     int
	Drops    []DroppedRow
	Derived  []records.Derivation
	Warnings []string
	// Refused is why there is no fit.
	Refused error
}

// Predicted is what a fit says of a new row.
type Predicted struct {
	At map[string]float64
	interval
	HasInterval bool
	Level       float64
}

// DroppedRow is a row that was not used.
type DroppedRow struct {
	Row    string // file and line
	Reason string
}

type fitFields struct {
	Law         string                    `json:"law"`
	Formula     string                    `json:"formula,omitempty"`
	Source      string                    `json:"source,omitempty"`
	Group       map[string]string         `json:"group"`
	Columns     []string                  `json:"columns"`
	Response    string                    `json:"response"`
	Parameters  map[string]estimateFields `json:"parameters"`
	Objective   *objectiveFields          `json:"objective,omitempty"`
	RMS         *float64                  `json:"rms,omitempty"`
	Certificate *certificateFields        `json:"certificate,omitempty"`
	Rows        rowsFields                `json:"rows"`
	Score       *scoreFields              `json:"score,omitempty"`
	Unscored    string                    `json:"unscored,omitempty"`
	Laws        []lawFields               `json:"laws,omitempty"`
	Bootstrap   *bootstrapFields          `json:"bootstrap,omitempty"`
	Predictions []predictionFields        `json:"predictions,omitempty"`
	Plot        *plotFields               `json:"plot,omitempty"`
	Derived     map[string]string         `json:"derived,omitempty"`
	Refused     *refusedFields            `json:"refused,omitempty"`
	Warnings    []string                  `json:"warnings"`
}

// estimateFields is a value whose bounds may be unknown.
type estimateFields struct {
	Value   float64        `json:"value"`
	Low     *float64       `json:"low,omitempty"`
	High    *float64       `json:"high,omitempty"`
	SE      *float64       `json:"standard_error,omitempty"`
	Profile *profileBounds `json:"profile,omitempty"`
}

// profileBounds are absent where the rows leave an end open.
type profileBounds struct {
	Low  *float64 `json:"low,omitempty"`
	High *float64 `json:"high,omitempty"`
}

type objectiveFields struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"` // summed over rows
}

type certificateFields struct {
	Converged   bool     `json:"converged"`
	Starts      int      `json:"starts"`
	Agree       int      `json:"agree"`
	Gradient    float64  `json:"gradient"`
	Condition   *float64 `json:"condition,omitempty"`
	Active      []string `json:"active_bounds"`
	Vertex      int      `json:"rows_met_exactly,omitempty"`
	Evaluations int      `json:"evaluations"`
}

type rowsFields struct {
	Used    int          `json:"used"`
	Dropped int          `json:"dropped"`
	Drops   []dropFields `json:"drops"`
}

type dropFields struct {
	Reason string   `json:"reason"`
	Count  int      `json:"count"`
	Rows   []string `json:"rows"`
}

type scoreFields struct {
	Points      int     `json:"points"`
	RMSLE       float64 `json:"rmsle"`
	Coverage80  float64 `json:"coverage80"`
	Coverage95  float64 `json:"coverage95"`
	HalfWidth80 float64 `json:"half_width80"`
}

// lawFields is one law that auto considered: its weight in an average, or its held-out error in a
// choice.
type lawFields struct {
	Law        string             `json:"law"`
	Weight     *float64           `json:"weight,omitempty"`
	HeldOut    *float64           `json:"held_out_rms,omitempty"`
	Parameters map[string]float64 `json:"parameters,omitempty"`
	Refused    string             `json:"refused,omitempty"`
}

type bootstrapFields struct {
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

type predictionFields struct {
	At    map[string]float64 `json:"at"`
	Value float64            `json:"value"`
	Low   *float64           `json:"low,omitempty"`
	High  *float64           `json:"high,omitempty"`
	Level float64            `json:"level,omitempty"`
}

type refusedFields struct {
	Kind   string   `json:"kind"`
	Names  []string `json:"names,omitempty"`
	Reason string   `json:"reason"`
}

// Fit fills in the report of fits, one result each, in order.
func (r *Report) Fit(fits []Fitted) {
	for i := range fits {
		r.Document.Results = append(r.Document.Results, fitOf(&fits[i]))
	}
	r.Tables = append(r.Tables, fitTables(fits)...)
}

func fitOf(f *Fitted) fitFields {
	out := fitFields{
		Law: f.Law, Group: f.Group, Columns: f.Columns, Response: f.Response,
		Parameters: map[string]estimateFields{},
		Rows:       rowsOf(f.Used, f.Drops), Unscored: f.Unscored, Plot: plotOf(f.Plot),
		Warnings: append([]string{}, f.Warnings...), Refused: refusalOf(f.Refused),
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
	}
	if s := f.Score; s != nil {
		out.Score = &scoreFields{s.Points, s.RMSLE, s.Coverage80, s.Coverage95, s.HalfWidth80}
	}
	for _, p := range f.Predictions {
		if finite(p.Value) == nil {
			out.Warnings = append(out.Warnings, "no prediction at "+pointText(
				p.At)+": outside the law's domain")
			continue
		}
		row := predictionFields{At: p.At, Value: p.Value}
		if p.HasInterval {
			row.Low, row.High, row.Level = finite(p.Low), finite(p.High), p.Level
		}
		out.Predictions = append(out.Predictions, row)
	}
	return out
}

func (f *fitFields) ofResult(from *Fitted) {
	r := from.Result
	f.Law, f.Formula, f.Source = r.Law.Name, r.Law.Formula, r.Law.Source
	f.Objective = &objectiveFields{r.Objective.String(), r.Value}
	f.RMS = finite(r.RMS)
	c := r.Certificate
	f.Certificate = &certificateFields{
		Converged: c.Converged, Starts: c.Starts, Agree: c.Agree, Gradient: c.Gradient,
		Condition: finite(c.Condition),
		Active:    append([]string{}, c.Active...), Vertex: c.Vertex, Evaluations: c.Evaluations,
	}
	f.Warnings = append(f.Warnings, r.Warnings...)
	names := make([]string, len(r.Law.Params))
	for j, p := range r.Law.Params {
		names[j] = p.Name
		e := estimateFields{Value: r.Params[j]}
		if from.Draws != nil {
			in := from.Draws.Params[j]
			e.Low, e.High, e.SE = finite(in.Low), finite(in.High), finite(in.SE)
		}
		for _, p := range from.Profiles {
			if p.Param != names[j] {
				continue
			}
			e.Profile = &profileBounds{}
			if !p.OpenLow {
				e.Profile.Low = finite(p.Low)
			}
			if !p.OpenHigh {
				e.Profile.High = finite(p.High)
			}
			if from.Draws == nil {
				e.Low, e.High = e.Profile.Low, e.Profile.High
			}
		}
		f.Parameters[names[j]] = e
	}
	for _, s := range from.Scores {
		row := lawFields{Law: s.Law.Name}
		if s.Refused != nil {
			row.Refused = s.Refused.Error()
		} else {
			row.HeldOut = finite(s.RMS)
		}
		f.Laws = append(f.Laws, row)
	}
	if b := from.Draws; b != nil {
		f.Bootstrap = &bootstrapFields{
			Level: b.Level, Units: b.Units, Refits: len(b.Draws) +
				b.Failed, Failed: b.Failed, Improved: b.Improved, Parameters: names,
			Draws: thinned(b.Draws),
		}
	}
}

func (f *fitFields) ofCurve(from *Fitted) {
	c := from.Curve
	f.Formula = "ln y = Σ w·ln y_law"
	f.Objective = &objectiveFields{fit.SquaredLog().String(), from.SquaredError}
	f.RMS = finite(math.Sqrt(from.SquaredError / float64(c.Points)))
	f.Warnings = append(f.Warnings, c.Warnings...)
	for _, s := range c.Laws {
		row := lawFields{
			Law: s.Law.Name, Weight: finite(s.Weight), HeldOut: finite(s.Validation),
			Parameters: map[string]float64{},
		}
		for j, p := range s.Law.Params {
			if v := finite(s.Params[j]); v != nil {
				row.Parameters[p.Name] = *v
			}
		}
		f.Laws = append(f.Laws, row)
	}
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

// rowsOf groups drops by reason, in order of first appearance.
func rowsOf(used int, drops []DroppedRow) rowsFields {
	out := rowsFields{Used: used, Dropped: len(drops), Drops: []dropFields{}}
	at := map[string]int{}
	for _, d := range drops {
		k, ok := at[d.Reason]
		if !ok {
			k = len(out.Drops)
			at[d.Reason] = k
			out.Drops = append(out.Drops, dropFields{Reason: d.Reason})
		}
		out.Drops[k].Count++
		out.Drops[k].Rows = append(out.Drops[k].Rows, d.Row)
	}
	return out
}

func refusalOf(err error) *refusedFields {
	if err == nil {
		return nil
	}
	var r *fit.Refusal
	if errors.As(err, &r) {
		// A joined error has more to say than its first part.
		return &refusedFields{
			Kind: strings.ReplaceAll(r.Kind.String(), " ", "-"), Names: r.Names,
			Reason: strings.ReplaceAll(err.Error(), "\n", "; "),
		}
	}
	return &refusedFields{Kind: "error", Reason: strings.ReplaceAll(err.Error(), "\n", "; ")}
}

// finite returns the value, nil for what JSON cannot hold.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
