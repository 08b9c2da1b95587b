package reports

// FitPlot is what a drawing of a fit shows: the rows and what the fit says of them, in the order of
// X, and the fitted curve where the law has one predictor. X is that predictor, else the
// prediction.
type FitPlot struct {
	X     string // name of the horizontal axis
	Level float64
	Curve FitCurve
	Rows  FitRows
	// HeldOut are the rows that the fit was scored on.
	HeldOut FitRows
}

// FitCurve is the prediction over a grid. Bounds are those of the prediction interval of a new run,
// empty where there is none.
type FitCurve struct {
	X     []float64 `json:"x"`
	Value []float64 `json:"value"`
	Low   []float64 `json:"low,omitempty"`
	High  []float64 `json:"high,omitempty"`
}

// FitRows are rows as lists of one length, so that they are one cell each in a CSV. Residuals are
// ln(recorded/predicted).
type FitRows struct {
	X         []float64 `json:"x"`
	Recorded  []float64 `json:"recorded"`
	Predicted []float64 `json:"predicted"`
	Low       []float64 `json:"low,omitempty"`
	High      []float64 `json:"high,omitempty"`
	Residual  []float64 `json:"residual"`
}

type plotFields struct {
	X       string    `json:"x"`
	Level   float64   `json:"level"`
	Curve   *FitCurve `json:"curve,omitempty"`
	Rows    FitRows   `json:"rows"`
	HeldOut *FitRows  `json:"held_out,omitempty"`
}

func plotOf(p *FitPlot) *plotFields {
	if p == nil {
		return nil
	}
	out := &plotFields{X: p.X, Level: p.Level, Rows: p.Rows}
	if len(p.Curve.X) > 0 {
		out.Curve = &p.Curve
	}
	if len(p.HeldOut.X) > 0 {
		out.HeldOut = &p.HeldOut
	}
	return out
}
