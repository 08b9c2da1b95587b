package reports

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

func scoredRows(rows []calibrate.Scored) []result.Scored {
	out := make([]result.Scored, len(rows))
	for i := range rows {
		s := &rows[i]
		out[i] = result.Scored{
			ID: s.ID, Class: s.Class, Device: s.Device, Predicted: s.Predicted, Low: s.Low, High: s.High,
			Measured: s.Measured, LogError: math.Log(s.Measured / s.Predicted), Assumed: append([]string{}, s.Assumed...),
		}
	}
	return out
}

// Validate fills in the report of step-time predictions held against measured ones.
func (r *Report) Validate(validations []calibrate.Validation) {
	for i := range validations {
		v := &validations[i]
		t := Table{
			Title: holdOutTitle(v),
			Columns: []Column{
				{Title: "class"},
				{Title: "hardware"},
				{Title: "rows"},
				{Title: "median |ln error|", Kind: quantity.Number, Optional: 5},
				{Title: "within 1.25×", Kind: quantity.Fraction},
				{Title: "within 2×", Kind: quantity.Fraction, Optional: 3},
				{Title: "in 80 % interval", Kind: quantity.Fraction, Optional: 4},
				{Title: "baseline |ln error|", Kind: quantity.Number, Optional: 1},
				{Title: "within 1.25×", Kind: quantity.Fraction, Optional: 2},
			},
			Notes: []string{"Baseline (last columns): the median MFU of the training rows on the same hardware family."},
		}
		if v.Decoding {
			t.Columns[0].Title = "software"
			t.Notes = []string{"Baseline (last columns): the median time per token and decoder layer of the same software."}
		}
		for n, s := range v.Table() {
			if n == 0 && len(r.Headline) < 4 {
				r.Headline = append(r.Headline, fmt.Sprintf("%s: %s of %d within 1.25× of the measured time, %s inside the 80 %% interval.",
					t.Title, quantity.Format(quantity.Fraction, s.Within125, 2), s.N, quantity.Format(quantity.Fraction, s.Coverage80, 2)))
			}
			fields := result.Validation{
				HoldOut: string(v.HoldOut), Class: s.Class, Hardware: s.Hardware, N: s.N,
				MedianAbsLogError: s.MedianAbsLog, Within125: s.Within125, Within2: s.Within2, Coverage80: s.Coverage80,
				BaselineMedian: s.BaselineMedian, BaselineWithin125: s.BaselineWithin125, BaselineWithin2: s.BaselineWithin2,
			}
			if n == 0 && v.HoldOut == calibrate.Given {
				fields.Rows = scoredRows(v.Rows)
				for _, row := range fields.Rows {
					r.Rows = append(r.Rows, row)
				}
			}
			r.Document.Add(fields)
			t.add(Text(s.Class), Text(s.Hardware), Count(int64(s.N)), Amount(s.MedianAbsLog),
				Amount(s.Within125), Amount(s.Within2), Amount(s.Coverage80),
				Amount(s.BaselineMedian), Amount(s.BaselineWithin125))
		}
		r.Tables = append(r.Tables, t)
	}
	var left []calibrate.Unscored
	for i := range validations {
		for _, u := range validations[i].Unscored {
			if !slices.Contains(left, u) { // published rows are left out of each table
				left = append(left, u)
			}
		}
	}
	r.unscored(left, validations[0].HoldOut != calibrate.Given)
}

// unscored lists the rows that are not scored, by reason in order of first appearance.
func (r *Report) unscored(rows []calibrate.Unscored, detail bool) {
	if len(rows) == 0 {
		return
	}
	ids := map[string][]string{}
	var reasons []string
	for _, u := range rows {
		r.Document.Related = append(r.Document.Related, result.Unscored(u))
		if len(ids[u.Reason]) == 0 {
			reasons = append(reasons, u.Reason)
		}
		ids[u.Reason] = append(ids[u.Reason], u.ID)
	}
	t := Table{Title: "Rows that are not scored", Detail: detail, Columns: []Column{
		{Title: "rows"}, {Title: "why", Wraps: true}, {Title: "which", Wraps: true},
	}}
	for _, reason := range reasons {
		t.add(Count(int64(len(ids[reason]))), Text(reason), Text(strings.Join(ids[reason], ", ")))
	}
	r.Tables = append(r.Tables, t)
}

func holdOutTitle(v *calibrate.Validation) string {
	switch {
	case v.Decoding && v.HoldOut == calibrate.ByDevice:
		return "Speed of generation, each device predicted from the others"
	case v.Decoding:
		return "Speed of generation of the given rows, by the shipped constants"
	}
	switch v.HoldOut {
	case calibrate.ByGroup:
		return "Step time, each group of rows predicted from the others"
	case calibrate.BySource:
		return "Step time, each source predicted from the others"
	case calibrate.ByDevice:
		return "Step time, each device type predicted from the others"
	case calibrate.ByShape:
		return "Step time of the reference kernel, unseen shapes predicted by the machine's own calibration"
	default:
		return "Step time of the given rows, by the shipped constants"
	}
}

// Ranking fills in the report of blind rankings: a result per group, then the means as the group
// "all".
func (r *Report) Ranking(v evidence.Validation) {
	t := Table{
		Title: "Shapes of each group ranked by a fit to the others",
		Columns: []Column{
			{Title: "group", Cuts: true},
			{Title: "rows", Optional: 3},
			{Title: "law", Optional: 2},
			{Title: "regret", Kind: quantity.Number},
			{Title: "Spearman", Kind: quantity.Number},
		},
		Notes: []string{"Regret: how much worse the shape ranked first is than the group's best. Spearman: rank correlation of prediction and outcome."},
	}
	for _, b := range v.Baselines {
		t.Columns = append(t.Columns, Column{Title: b.Name + ": regret", Kind: quantity.Number, Optional: 1},
			Column{Title: "Spearman", Kind: quantity.Number, Optional: 1})
	}
	n := 0
	add := func(group, law string, rows int, ours evidence.RankScore,
		baselines []evidence.NamedScore,
	) {
		f := result.Ranking{
			Group: group, N: rows, Law: law, Regret: ours.Regret,
			Spearman: ours.Spearman, Baselines: map[string]result.Ranked{},
		}
		cells := []Cell{
			Text(group), Count(int64(rows)), Text(law), Amount(ours.Regret), Amount(ours.Spearman),
		}
		for _, b := range baselines {
			f.Baselines[b.Name] = result.Ranked(b.RankScore)
			cells = append(cells, Amount(b.Regret), Amount(b.Spearman))
		}
		r.Document.Add(f)
		t.Rows = append(t.Rows, cells)
	}
	for _, g := range v.Groups {
		add(g.Group, g.Law, g.N, g.Ours, g.Baselines)
		n += g.N
	}
	add("all", "", n, v.Ours, v.Baselines)
	r.Headline = []string{fmt.Sprintf("%s: rank correlation %s, regret %s in the mean.", quantity.Of(len(v.Groups), "group"),
		quantity.Format(quantity.Number, v.Ours.Spearman, 2), quantity.Format(quantity.Number, v.Ours.Regret, 3))}
	for _, left := range v.Left {
		t.Notes = append(t.Notes, sentence("left out: "+left))
	}
	r.Tables = append(r.Tables, t)
}
