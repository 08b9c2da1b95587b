package result

import "github.com/deepnarrow/deepnarrow/fit/learn"

// Transfer is a result of transfer.
type Transfer struct {
	Upstream    string       `json:"upstream"`
	Downstream  string       `json:"downstream"`
	Carries     bool         `json:"carries"`
	Verdict     string       `json:"verdict"`
	Level       float64      `json:"level"`
	Pearson     Estimate     `json:"pearson"`
	Spearman    Estimate     `json:"spearman"`
	Kendall     Estimate     `json:"kendall"`
	Partial     *Estimate    `json:"partial_spearman_given_size,omitempty"`
	Pairs       int          `json:"pairs"`
	Inversions  []Inversion  `json:"inversions"`
	Link        *Link        `json:"link,omitempty"`
	Unlinked    string       `json:"unlinked,omitempty"`
	Links       []Law        `json:"links,omitempty"`
	Chain       *Chain       `json:"chain,omitempty"`
	Predictions []Prediction `json:"predictions,omitempty"`
	Rows        Rows         `json:"rows"`
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

// Chain is the upstream law before the link: RMSE of both steps, over Scored rows.
type Chain struct {
	Law        string             `json:"law"`
	Parameters map[string]float64 `json:"parameters"`
	LinkRMSE   float64            `json:"link_rmse"`
	RMSE       float64            `json:"rmse"`
	Scored     int                `json:"scored"`
}

// TransferOf returns a transfer as JSON writes it.
func TransferOf(t *learn.Transferred) Transfer {
	x := t.Transfer
	out := Transfer{
		Upstream: t.Upstream, Downstream: t.Downstream, Carries: x.Carries, Verdict: x.Verdict,
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
	if c := t.Chain; c != nil {
		out.Chain = &Chain{
			c.Upstream.Law.Name, parametersOf(c.Upstream.Law, c.Upstream.Params), c.LinkRMS, c.RMS,
			c.Scored,
		}
	}
	return out
}
