package reports

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// groupTable is one row a group.
func groupTable(fits []learn.Fitted, docs []result.Fit) Table {
	t := Table{Alike: "group refused"}
	var by []string
	if len(fits) > 0 {
		by = fits[0].By
	}
	for _, b := range by {
		t.Columns = append(t.Columns, Column{Title: b})
	}
	t.Columns = append(t.Columns, Column{Title: "law"}, Column{Title: "rows", Optional: 3},
		Column{Title: "residual", Digits: 3, Optional: 4})
	params := sharedParameters(fits)
	for _, p := range params {
		t.Columns = append(t.Columns, Column{Title: p, Optional: 2})
	}
	mean, anyScored := meanScore(docs)
	if anyScored > 0 {
		t.Columns = append(t.Columns, Column{Title: "scored", Optional: 1}, Column{Title: "RMSLE", Digits: 3},
			Column{Title: "in 80 %", Kind: quantity.Fraction, Digits: 2, Optional: 1},
			Column{Title: "in 95 %", Kind: quantity.Fraction, Digits: 2, Optional: 1})
	}
	t.Columns = append(t.Columns, Column{Title: "refused", Wraps: true})
	dropped := 0
	for i := range docs {
		doc := &docs[i]
		var row []Cell
		for _, b := range by {
			row = append(row, Text(doc.Group[b]))
		}
		row = append(row, Text(doc.Law), Count(int64(doc.Rows.Used)), OptionalAmount(doc.RMS))
		for _, p := range params {
			if e, ok := doc.Parameters[p]; ok {
				row = append(row, ParameterCell(e))
			} else {
				row = append(row, Cell{})
			}
		}
		if s := doc.Score; s != nil {
			row = append(row, Count(int64(s.Points)), Amount(s.RMSLE), Amount(s.Coverage80),
				Amount(s.Coverage95))
		} else if anyScored > 0 {
			row = append(row, Cell{}, Cell{}, Cell{}, Cell{})
		}
		why := doc.Unscored
		if doc.Refused != nil {
			why = doc.Refused.Reason
			t.Folded = append(t.Folded, i)
		}
		t.Rows = append(t.Rows, append(row, Text(why)))
		dropped += doc.Rows.Dropped
	}
	if dropped > 0 {
		t.Notes = append(t.Notes, quantity.Of(dropped, "row")+" dropped (--format json lists each with its reason).")
	}
	if anyScored > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf(
			"Mean over %s: RMSLE %s; coverage of the 80 %% interval %.0f %%, of the 95 %% interval %.0f %%.",
			quantity.Of(anyScored, "group"), quantity.Format(quantity.Number, mean.RMSLE, 3), percent*mean.Coverage80,
			percent*mean.Coverage95))
	}
	return t
}

// sharedParameters are those of the law that all groups share; none when the groups chose different
// laws.
func sharedParameters(fits []learn.Fitted) []string {
	name := ""
	var params []string
	for i := range fits {
		r := fits[i].Result
		if r == nil || r.Law.Name == name {
			continue
		}
		if name != "" {
			return nil
		}
		name = r.Law.Name
		for _, p := range r.Law.Params {
			params = append(params, p.Name)
		}
	}
	return params
}

func meanScore(docs []result.Fit) (mean result.Score, n int) {
	for i := range docs {
		if s := docs[i].Score; s != nil {
			mean.RMSLE += s.RMSLE
			mean.Coverage80 += s.Coverage80
			mean.Coverage95 += s.Coverage95
			n++
		}
	}
	if n > 0 {
		mean.RMSLE /= float64(n)
		mean.Coverage80 /= float64(n)
		mean.Coverage95 /= float64(n)
	}
	return mean, n
}
