package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// shownInversions is how many the text lists; JSON lists all.
const shownInversions = 15

// Transfer fills in the report of a transfer.
func (r *Report) Transfer(from *learn.Transferred) {
	x := result.TransferOf(from)
	r.Document.Add(x)
	part := learn.PartName(from.Part)
	headline := sentence(fmt.Sprintf("%s against %s: %s", x.Upstream, x.Downstream, x.Verdict))
	if part != "" {
		headline = part + ": " + headline
	}
	r.Headline = append(r.Headline, headline)
	t := Table{
		Title: part,
		Columns: []Column{
			{Title: "correlation"},
			{Title: fmt.Sprintf("value, %.0f %% interval", percent*x.Level), Digits: 3},
		}, Rows: [][]Cell{
			{Text("Pearson"), estimateCell(&x.Pearson)},
			{Text("Spearman"), estimateCell(&x.Spearman)},
			{Text("Kendall"), estimateCell(&x.Kendall)},
		},
	}
	if from.Transfer.Partial != nil {
		t.add(Text("Spearman given size"), estimateCell(x.Partial))
	}
	tables := []Table{t}
	last := &tables[0]
	number := func(v float64, digits int) string {
		return quantity.Format(quantity.Number, v, digits)
	}
	if l := x.Link; l != nil {
		last.Notes = append(last.Notes, fmt.Sprintf("Link %s, %s = %s: root mean square error %s.",
			l.Law, x.Downstream, l.Formula, number(l.RMSE, 3)))
	}
	if x.Unlinked != "" {
		last.Notes = append(last.Notes, "No link: "+x.Unlinked)
	}
	if c := x.Chain; c != nil {
		last.Notes = append(last.Notes, fmt.Sprintf(
			"Two steps, laws (most weight: %s) then links (%s): root mean square error %s over %s (links alone %s).",
			c.Law, weightsText(c.Links), number(c.RMSE, 3), quantity.Of(c.Scored, "row"), number(c.LinkRMSE, 3)))
	}
	if h := x.HeldOut; h != nil {
		note := fmt.Sprintf("Each of %d values of %s left out: from its loss, root mean square error %s, 80 %% intervals hold %.0f %%",
			h.Values, h.Column, number(h.GivenRMSE, 3), percent*h.GivenCoverage80)
		if h.ChainedRMSE != nil && h.ChainedCoverage80 != nil {
			note += fmt.Sprintf("; through both steps %s, %.0f %%", number(*h.ChainedRMSE, 3),
				percent**h.ChainedCoverage80)
		}
		last.Notes = append(last.Notes, note+".")
	}
	for _, p := range x.Predictions {
		text := number(p.Value, 4)
		if p.Low != nil && p.High != nil {
			text = quantity.FormatInterval(quantity.Number,
				interval{Value: p.Value, Low: *p.Low, High: *p.High})
		}
		last.Notes = append(last.Notes,
			fmt.Sprintf("At %s: %s %s.", learn.Point(p.At), x.Downstream, text))
	}
	last.Notes = append(last.Notes, derivedNotes(from.Rows)...)
	last.Notes = append(append(last.Notes, from.Notes...), dropNotes(x.Rows)...)
	if len(x.Inversions) > 0 {
		last.Notes = append(last.Notes, fmt.Sprintf("%d of %d pairs are inverted: the better loss has the worse score.", len(x.Inversions), x.Pairs))
		tables = append(tables, inversionTable(&x))
	}
	r.Tables = append(r.Tables, tables...)
}

// weightsText names the links with a tenth of the weight or more, the heaviest first.
func weightsText(links []result.Law) string {
	const told = 0.1
	sorted := slices.Clone(links)
	weight := func(l result.Law) float64 {
		if l.Weight == nil {
			return 0
		}
		return *l.Weight
	}
	slices.SortStableFunc(sorted, func(a, b result.Law) int { return cmp.Compare(weight(b), weight(a)) })
	var parts []string
	for _, l := range sorted {
		if weight(l) >= told {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", l.Law, percent*weight(l)))
		}
	}
	return strings.Join(parts, ", ")
}

func inversionTable(x *result.Transfer) Table {
	t := Table{
		Title: fmt.Sprintf("Inversions: %d of %d pairs", len(x.Inversions), x.Pairs), Detail: true,
		Columns: []Column{
			{Title: "better upstream", Cuts: true},
			{Title: "better downstream", Cuts: true},
			{Title: x.Upstream + " gap", Digits: 3},
			{Title: x.Downstream + " gap", Digits: 3},
		},
	}
	for _, v := range x.Inversions[:min(len(x.Inversions), shownInversions)] {
		t.add(Text(v.Upstream), Text(v.Downstream), Amount(v.UpstreamGap), Amount(v.DownstreamGap))
	}
	if more := len(x.Inversions) - shownInversions; more > 0 {
		t.Notes = append(t.Notes, fmt.Sprintf("and %d more; --format json lists all.", more))
	}
	return t
}
