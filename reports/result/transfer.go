package result

import "github.com/deepnarrow/deepnarrow/fit/learn"

// Transfer is a result of transfer.
type Transfer struct {
	Group       map[string]string `json:"group,omitempty"`
	Upstream    string            `json:"upstream"`
	Downstream  string            `json:"downstream"`
	Carries     bool              `json:"carries"`
	Verdict     string            `json:"verdict"`
	Level       float64           `json:"level"`
	Pearson     Estimate          `json:"pearson"`
	Spearman    Estimate          `json:"spearman"`
	Kendall     Estimate          `json:"kendall"`
	Partial     *Estimate         `json:"partial_spearman_given_size,omitempty"`
	Pairs       int               `json:"pairs"`
	Inversions  []Inversion       `json:"inversions"`
	Link        *Link             `json:"link,omitempty"`
	Unlinked    string            `json:"unlinked,omitempty"`
	Links       []Law             `json:"links,omitempty"`
	Chain       *Chain            `json:"chain,omitempty"`
	HeldOut     *HeldOut          `json:"held_out,omitempty"`
	Predictions []Prediction      `json:"predictions,omitempty"`
	Rows        Rows              `json:"rows"`
}

// Inversion is a pair of models that swap ranks.
type Inversion struct {
	Upstream      string  `json:"better_upstream"`
	Downstream    string  `json:"better_downstream"`
	UpstreamGap   float64 `json:"upstream_gap"`
	DownstreamGap float64 `json:"downstream_gap"`
}

// Link is the law from loss to score; RMSE is in units of the score.
type Link struct {
	Law        string             `json:"law"`
	Formula    string             `json:"formula"`
	Parameters map[string]float64 `json:"parameters"`
	RMSE       float64            `json:"rmse"`
}

// Chain is upstream laws before links: the heaviest law, the links with their weights, and the RMSE
// of both steps over the Scored rows.
type Chain struct {
	Law        string             `json:"law"`
	Parameters map[string]float64 `json:"parameters"`
	LinkRMSE   float64            `json:"link_rmse"`
	RMSE       float64            `json:"rmse"`
	Scored     int                `json:"scored"`
	Links      []Law              `json:"links,omitempty"`
}

// HeldOut is how scores were predicted from the rows of the other values of a column; coverage is of
// 80 % intervals.
type HeldOut struct {
	Column            string    `json:"column"`
	Values            int       `json:"values"`
	GivenRMSE         float64   `json:"given_rmse"`
	GivenCoverage80   float64   `json:"given_coverage80"`
	ChainedRMSE       *float64  `json:"chained_rmse,omitempty"`
	ChainedCoverage80 *float64  `json:"chained_coverage80,omitempty"`
	Rows              []HeldRow `json:"rows"`
}

// HeldRow is one row held out.
type HeldRow struct {
	Value   string    `json:"value"`
	Score   float64   `json:"score"`
	Given   Estimate  `json:"given"`
	Chained *Estimate `json:"chained,omitempty"`
}

func heldOutOf(h *learn.HeldOut) *HeldOut {
	out := &HeldOut{
		Column: h.Column, GivenRMSE: h.GivenRMSE, GivenCoverage80: h.Given80, Rows: []HeldRow{},
	}
	seen := map[string]bool{}
	for _, r := range h.Rows {
		row := HeldRow{Value: r.Name, Score: r.Score, Given: predictedOf(&r.Given)}
		if r.Chained != nil {
			e := predictedOf(r.Chained)
			row.Chained = &e
			out.ChainedRMSE, out.ChainedCoverage80 = Finite(h.ChainedRMSE), Finite(h.Chained80)
		}
		out.Rows = append(out.Rows, row)
		seen[r.Name] = true
	}
	out.Values = len(seen)
	return out
}

func predictedOf(p *learn.Predicted) Estimate {
	e := Estimate{Value: p.Value}
	if p.HasInterval {
		e.Low, e.High = Finite(p.Low), Finite(p.High)
	}
	return e
}

// TransferOf returns a transfer as JSON writes it.
func TransferOf(t *learn.Transferred) Transfer {
	x := t.Transfer
	out := Transfer{
		Group: t.Part, Upstream: t.Upstream, Downstream: t.Downstream, Carries: x.Carries, Verdict: x.Verdict,
		Level: t.Level, Pearson: estimateOf(x.Pearson), Spearman: estimateOf(x.Spearman),
		Kendall: estimateOf(x.Kendall), Pairs: x.Pairs, Inversions: []Inversion{},
		Unlinked: t.Unlinked, Links: lawsOf(t.Links), Predictions: predictionsOf(t.Predictions,
			nil),
		Rows: RowsOf(t.Used, t.Drops),
	}
	if p := x.Partial; p != nil && Finite(p.Value) != nil { // unknown where size decides the order
		e := estimateOf(*p)
		out.Partial = &e
	}
	for _, v := range x.Inversions {
		out.Inversions = append(out.Inversions, Inversion{
			v.UpstreamName, v.DownstreamName, v.UpstreamGap, v.DownstreamGap,
		})
	}
	if l := t.Link; l != nil {
		out.Link = &Link{l.Law.Name, l.Law.Formula, parametersOf(l.Law, l.Params), l.RMS}
	}
	if t.HeldOut != nil {
		out.HeldOut = heldOutOf(t.HeldOut)
	}
	if c := t.Chain; c != nil {
		out.Chain = &Chain{
			Law: c.Law.Name, Parameters: parametersOf(c.Law, c.Params), LinkRMSE: c.LinkRMS, RMSE: c.RMS,
			Scored: c.Scored,
		}
		for _, l := range c.Links {
			out.Chain.Links = append(out.Chain.Links, Law{
				Law: l.Law.Name, Weight: Finite(l.Weight), HeldOut: Finite(l.Validation),
			})
		}
	}
	return out
}
