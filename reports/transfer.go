package reports

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Transferred says how upstream quality carries to a downstream task.
type Transferred struct {
	Upstream, Downstream string // columns
	Transfer             *fit.Transferred
	Level                float64
	// Link is the second step, loss to score, chosen from Links; Unlinked why there is none.
	Link     *fit.Result
	Links    []fit.LawScore
	Unlinked string
	// Chain joins the link to an upstream law; nil when none was asked for.
	Chain       *fit.Chain
	Predictions []Predicted
	Used        int
	Drops       []DroppedRow
	Notes       []string
}

type transferFields struct {
	Upstream    string             `json:"upstream"`
	Downstream  string             `json:"downstream"`
	Carries     bool               `json:"carries"`
	Verdict     string             `json:"verdict"`
	Level       float64            `json:"level"`
	Pearson     estimateFields     `json:"pearson"`
	Spearman    estimateFields     `json:"spearman"`
	Kendall     estimateFields     `json:"kendall"`
	Partial     *estimateFields    `json:"partial_spearman_given_size,omitempty"`
	Pairs       int                `json:"pairs"`
	Inversions  []inversionFields  `json:"inversions"`
	Link        *linkFields        `json:"link,omitempty"`
	Unlinked    string             `json:"unlinked,omitempty"`
	Links       []lawFields        `json:"links,omitempty"`
	Chain       *chainFields       `json:"chain,omitempty"`
	Predictions []predictionFields `json:"predictions,omitempty"`
	Rows        rowsFields         `json:"rows"`
}

type inversionFields struct {
	Upstream      string  `json:"better_upstream"`
	Downstream    string  `json:"better_downstream"`
	UpstreamGap   float64 `json:"upstream_gap"`
	DownstreamGap float64 `json:"downstream_gap"`
}

type linkFields struct {
	Law        string             `json:"law"`
	Formula    string             `json:"formula"`
	Parameters map[string]float64 `json:"parameters"`
	RMSE       float64            `json:"rmse"`
}

type chainFields struct {
	Law        string             `json:"law"`
	Parameters map[string]float64 `json:"parameters"`
	LinkRMSE   float64            `json:"link_rmse"`
	RMSE       float64            `json:"rmse"`
	Scored     int                `json:"scored"`
}

func parametersOf(r *fit.Result) map[string]float64 {
	out := map[string]float64{}
	for j, p := range r.Law.Params {
		if v := finite(r.Params[j]); v != nil {
			out[p.Name] = *v
		}
	}
	return out
}

// shownInversions is how many the text lists; JSON lists all.
const shownInversions = 15

// Transfer fills in the report of a transfer.
func (r *Report) Transfer(t *Transferred) {
	x := t.Transfer
	out := transferFields{
		Upstream: t.Upstream, Downstream: t.Downstream, Carries: x.Carries, Verdict: x.Verdict,
		Level:   t.Level,
		Pearson: estimateOf(x.Pearson), Spearman: estimateOf(x.Spearman),
		Kendall: estimateOf(x.Kendall), Pairs: x.Pairs,
		Inversions: []inversionFields{}, Unlinked: t.Unlinked, Rows: rowsOf(t.Used, t.Drops),
	}
	correlations := Table{
		Title: fmt.Sprintf("%s against %s: %s", t.Upstream, t.Downstream, x.Verdict),
		Columns: []Column{{Title: "correlation"}, {Title: fmt.Sprintf("value, %.0f %% interval",
			percent*t.Level), Digits: 3}},
		Rows: [][]Cell{
			{Text("Pearson"), estimateCell(x.Pearson)},
			{Text("Spearman"), estimateCell(x.Spearman)},
			{Text("Kendall"), estimateCell(x.Kendall)},
		},
	}
	if x.Partial != nil {
		e := estimateOf(*x.Partial)
		out.Partial = &e
		correlations.Rows = append(correlations.Rows,
			[]Cell{Text("Spearman given size"), estimateCell(*x.Partial)})
	}
	r.Tables = append(r.Tables, correlations)
	inversions := Table{
		Title: fmt.Sprintf("Inversions: %d of %d pairs", len(x.Inversions), x.Pairs),
		Columns: []Column{
			{Title: "better upstream"},
			{Title: "better downstream"},
			{Title: t.Upstream + " gap", Digits: 3},
			{Title: t.Downstream + " gap", Digits: 3},
		},
	}
	for i, v := range x.Inversions {
		out.Inversions = append(out.Inversions, inversionFields{
			v.UpstreamName, v.DownstreamName,
			v.UpstreamGap, v.DownstreamGap,
		})
		if i < shownInversions {
			inversions.Rows = append(inversions.Rows,
				[]Cell{
					Text(v.UpstreamName), Text(v.DownstreamName), Amount(v.UpstreamGap),
					Amount(v.DownstreamGap),
				})
		}
	}
	if more := len(x.Inversions) - shownInversions; more > 0 {
		inversions.Notes = append(inversions.Notes,
			fmt.Sprintf("and %d more; --format json lists all.", more))
	}
	if len(x.Inversions) > 0 {
		r.Tables = append(r.Tables, inversions)
	}
	last := &r.Tables[len(r.Tables)-1]
	if t.Link != nil {
		out.Link = &linkFields{
			Law: t.Link.Law.Name, Formula: t.Link.Law.Formula,
			Parameters: parametersOf(t.Link), RMSE: t.Link.RMS,
		}
		last.Notes = append(last.Notes, fmt.Sprintf("Link %s, %s = %s: root mean square error %s.",
			t.Link.Law.Name, t.Downstream, t.Link.Law.Formula,
			quantity.Format(quantity.Number, t.Link.RMS, 3)))
	}
	if t.Unlinked != "" {
		last.Notes = append(last.Notes, "No link: "+t.Unlinked)
	}
	for _, s := range t.Links {
		row := lawFields{Law: s.Law.Name}
		if s.Refused != nil {
			row.Refused = s.Refused.Error()
		} else {
			row.HeldOut = finite(s.RMS)
		}
		out.Links = append(out.Links, row)
	}
	if c := t.Chain; c != nil {
		out.Chain = &chainFields{
			Law: c.Upstream.Law.Name, Parameters: parametersOf(c.Upstream),
			LinkRMSE: c.LinkRMS, RMSE: c.RMS, Scored: c.Scored,
		}
		last.Notes = append(last.Notes, fmt.Sprintf(
			"Two steps, %s law then %s: root mean square error %s over %d rows (link alone %s).",
			c.Upstream.Law.Name, c.Link.Law.Name, quantity.Format(quantity.Number, c.RMS, 3),
			c.Scored, quantity.Format(quantity.Number, c.LinkRMS, 3)))
	}
	for _, p := range t.Predictions {
		if finite(p.Value) == nil {
			continue
		}
		row := predictionFields{At: p.At, Value: p.Value}
		text := quantity.Format(quantity.Number, p.Value, 4)
		if p.HasInterval {
			row.Low, row.High, row.Level = finite(p.Low), finite(p.High), p.Level
			text = quantity.FormatInterval(quantity.Number, p.interval)
		}
		out.Predictions = append(out.Predictions, row)
		last.Notes = append(last.Notes, fmt.Sprintf("At %s: %s %s.", pointText(p.At), t.Downstream,
			text))
	}
	last.Notes = append(append(last.Notes, t.Notes...), dropNotes(t.Used, t.Drops)...)
	r.Document.Results = append(r.Document.Results, out)
}
