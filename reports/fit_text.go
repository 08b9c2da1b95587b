package reports

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

const (
	parameterDigits = 6 // of a parameter without interval
	shownRows       = 6 // places listed in the text of a drop; JSON lists all
	percent         = 100
)

func fitTables(fits []Fitted) []Table {
	if len(fits) == 1 && fits[0].Group == nil {
		return singleFit(&fits[0])
	}
	return []Table{groupTable(fits)}
}

// singleFit is one fit in full.
func singleFit(f *Fitted) []Table {
	var out []Table
	if f.Result != nil {
		out = append(out, parameterTable(f))
	}
	if len(f.Scores) > 0 || f.Curve != nil {
		out = append(out, lawTable(f))
	}
	if len(f.Predictions) > 0 {
		out = append(out, predictionTable(f))
	}
	out[len(out)-1].Notes = append(out[len(out)-1].Notes, fitNotes(f)...)
	return out
}

func parameterTable(f *Fitted) Table {
	r := f.Result
	t := Table{
		Title:   fmt.Sprintf("%s: %s = %s", r.Law.Name, f.Response, r.Law.Formula),
		Columns: []Column{{Title: "parameter"}, {Title: "value", Digits: parameterDigits}},
	}
	if f.Draws != nil {
		t.Columns[1].Title = fmt.Sprintf("value, %.0f %% bootstrap interval", percent*f.Draws.Level)
	}
	if len(f.Profiles) > 0 {
		t.Columns = append(t.Columns, Column{Title: "profile interval"})
	}
	for j, p := range r.Law.Params {
		row := []Cell{Text(p.Name), parameterCell(r.Params[j], nil)}
		if f.Draws != nil {
			in := f.Draws.Params[j]
			row[1] = parameterCell(r.Params[j], &interval{
				Value: r.Params[j], Low: in.Low,
				High: in.High,
			})
		}
		for _, pr := range f.Profiles {
			if pr.Param == p.Name {
				row = append(row, Text(profileText(pr.Low, pr.High, pr.OpenLow, pr.OpenHigh)))
			}
		}
		for len(row) < len(t.Columns) {
			row = append(row, Cell{})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// parameterCell prints each parameter to the digits that its own interval supports: parameters of a
// law differ by many orders of magnitude.
func parameterCell(value float64, in *interval) Cell {
	if in == nil {
		return Plain(quantity.Format(quantity.Number, value, parameterDigits))
	}
	return Plain(quantity.FormatInterval(quantity.Number, *in))
}

func profileText(low, high float64, openLow, openHigh bool) string {
	end := func(v float64, open bool) string {
		if open {
			return "open"
		}
		return quantity.Format(quantity.Number, v, 4)
	}
	return end(low, openLow) + " to " + end(high, openHigh)
}

func lawTable(f *Fitted) Table {
	if f.Curve != nil {
		t := Table{
			Title: "auto: an average of laws of " + f.Response + " in " + f.Columns[0],
			Columns: []Column{
				{Title: "law"},
				{Title: "weight", Kind: quantity.Fraction},
				{Title: "held-out error in ln", Digits: 3},
			},
		}
		for _, s := range f.Curve.Laws {
			t.Rows = append(t.Rows, []Cell{
				Text(s.Law.Name), Amount(s.Weight),
				amountOrDash(s.Validation),
			})
		}
		return t
	}
	t := Table{
		Title:   "Laws considered",
		Columns: []Column{{Title: "law"}, {Title: "held-out error", Digits: 3}, {Title: "refused"}},
		Notes:   []string{"Held-out error: root mean square on the dearer rows, fitted to the cheaper ones (rolling origin)."},
	}
	for _, s := range f.Scores {
		if s.Refused != nil {
			t.Rows = append(t.Rows, []Cell{Text(s.Law.Name), {}, Text(s.Refused.Error())})
			continue
		}
		t.Rows = append(t.Rows, []Cell{Text(s.Law.Name), amountOrDash(s.RMS), {}})
	}
	return t
}

func amountOrDash(v float64) Cell {
	if finite(v) == nil {
		return Cell{}
	}
	return Amount(v)
}

func predictionTable(f *Fitted) Table {
	t := Table{Title: "Predictions", Columns: []Column{
		{Title: "at"},
		{Title: f.Response, Digits: 4},
	}}
	for _, p := range f.Predictions {
		if p.HasInterval {
			t.Columns[1].Title = fmt.Sprintf("%s, %.0f %% prediction interval", f.Response,
				percent*p.Level)
		}
		cell := amountOrDash(p.Value)
		if p.HasInterval && finite(p.Value) != nil {
			cell = Estimate(p.interval)
		}
		t.Rows = append(t.Rows, []Cell{Text(pointText(p.At)), cell})
	}
	return t
}

func pointText(at map[string]float64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(at)) {
		parts = append(parts, name+"="+quantity.Format(records.KindOf(name), at[name], 0))
	}
	return strings.Join(parts, ", ")
}

func fitNotes(f *Fitted) []string {
	var notes []string
	if r := f.Result; r != nil {
		c := r.Certificate
		notes = append(notes,
			fmt.Sprintf("Objective %s, summed over %d rows: %s; root mean square residual %s.",
				r.Objective, r.Rows,
				quantity.Format(quantity.Number, r.Value, 12),
				quantity.Format(quantity.Number, r.RMS, 4)),
			fmt.Sprintf(
				"Certificate: %d of %d starts agree, scaled gradient %.1e, condition %.1e, bounds met: %s.", c.Agree, c.Starts, c.Gradient, c.Condition, orNone(c.Active)))
		notes = append(notes, r.Warnings...)
	}
	if f.Curve != nil {
		if noise := finite(f.Curve.Noise); noise != nil {
			notes = append(notes, fmt.Sprintf(
				"%d points; root mean square residual over the later half %s in ln.",
				f.Curve.Points, quantity.Format(quantity.Number, *noise, 3)))
		}
		notes = append(notes, f.Curve.Warnings...)
	}
	if b := f.Draws; b != nil {
		note := fmt.Sprintf("Bootstrap: %d refits over %d runs, %d failed.", len(b.Draws)+b.Failed,
			b.Units, b.Failed)
		if b.Improved > 0 {
			note += fmt.Sprintf(" %d found a better optimum elsewhere: the honest tail.",
				b.Improved)
		}
		notes = append(notes, note)
	}
	if s := f.Score; s != nil {
		notes = append(notes, fmt.Sprintf(
			"Score on %d rows not fitted: RMSLE %s; the 80 %% interval covers %.0f %% of them, the 95 %% interval %.0f %%.",
			s.Points, quantity.Format(quantity.Number, s.RMSLE, 3), percent*s.Coverage80,
			percent*s.Coverage95))
	}
	if f.Unscored != "" {
		notes = append(notes, "Not scored: "+f.Unscored)
	}
	for _, d := range f.Derived {
		notes = append(notes, fmt.Sprintf("%s: %s.", d.Column, d.How))
	}
	notes = append(notes, f.Warnings...)
	return append(notes, dropNotes(f.Used, f.Drops)...)
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func dropNotes(used int, drops []DroppedRow) []string {
	if len(drops) == 0 {
		return []string{fmt.Sprintf("Rows: %d used, none dropped.", used)}
	}
	notes := []string{fmt.Sprintf("Rows: %d used, %d dropped:", used, len(drops))}
	for _, d := range rowsOf(used, drops).Drops {
		places := placesText(d.Rows[:min(len(d.Rows), shownRows)])
		if more := d.Count - shownRows; more > 0 {
			places += fmt.Sprintf(" and %d more (--format json lists all)", more)
		}
		notes = append(notes, fmt.Sprintf("  %d %s: %s", d.Count, d.Reason, places))
	}
	return notes
}

// WhyDropped sums up the rows that a fit dropped: "2 of 5 rows were dropped: loss is 0; …". It is
// empty without such rows.
func (f *Fitted) WhyDropped() string {
	if len(f.Drops) == 0 {
		return ""
	}
	var reasons []string
	for _, d := range rowsOf(f.Used, f.Drops).Drops {
		reasons = append(reasons, fmt.Sprintf("%d × %s", d.Count, d.Reason))
	}
	more := ""
	if len(reasons) > shownRows {
		more = fmt.Sprintf("; and %d other reasons", len(reasons)-shownRows)
		reasons = reasons[:shownRows]
	}
	return fmt.Sprintf("%d of %d rows were dropped: %s%s", len(f.Drops), len(f.Drops)+f.Used,
		strings.Join(reasons, "; "), more)
}

// placesText writes "runs.csv:2, 3, 5": a file is named once.
func placesText(places []string) string {
	var b strings.Builder
	file := ""
	for i, p := range places {
		if i > 0 {
			b.WriteString(", ")
		}
		at := strings.LastIndexByte(p, ':') + 1
		if i > 0 && p[:at] == file {
			p = p[at:]
		} else {
			file = p[:at]
		}
		b.WriteString(p)
	}
	return b.String()
}

// groupTable is one row a group.
func groupTable(fits []Fitted) Table {
	t := Table{}
	var by []string
	if len(fits) > 0 {
		by = fits[0].By
	}
	for _, b := range by {
		t.Columns = append(t.Columns, Column{Title: b})
	}
	t.Columns = append(t.Columns, Column{Title: "law"}, Column{Title: "rows"},
		Column{Title: "residual", Digits: 3})
	params := sharedParameters(fits)
	for _, p := range params {
		t.Columns = append(t.Columns, Column{Title: p})
	}
	mean, anyScored := meanScore(fits)
	if anyScored > 0 {
		t.Columns = append(t.Columns, Column{Title: "scored"}, Column{Title: "RMSLE", Digits: 3},
			Column{Title: "in 80 %", Kind: quantity.Fraction, Digits: 2},
			Column{Title: "in 95 %", Kind: quantity.Fraction, Digits: 2})
	}
	t.Columns = append(t.Columns, Column{Title: "refused"})
	refused, dropped := 0, 0
	for i := range fits {
		f := &fits[i]
		doc := fitOf(f)
		var row []Cell
		for _, b := range by {
			row = append(row, Text(f.Group[b]))
		}
		row = append(row, Text(doc.Law), Count(int64(f.Used)), optionalAmount(doc.RMS))
		for _, p := range params {
			row = append(row, groupParameter(doc.Parameters[p]))
		}
		if s := f.Score; s != nil {
			row = append(row, Count(int64(s.Points)), Amount(s.RMSLE), Amount(s.Coverage80),
				Amount(s.Coverage95))
		} else if anyScored > 0 {
			row = append(row, Cell{}, Cell{}, Cell{}, Cell{})
		}
		why := f.Unscored
		if f.Refused != nil {
			why = doc.Refused.Reason
			refused++
		}
		t.Rows = append(t.Rows, append(row, Text(why)))
		dropped += len(f.Drops)
	}
	t.Notes = append(t.Notes, fmt.Sprintf(
		"%d groups, %d refused; %d rows dropped (--format json lists each with its reason).",
		len(fits), refused, dropped))
	if anyScored > 0 {
		t.Notes = append(t.Notes,
			fmt.Sprintf(
				"Mean over %d groups: RMSLE %s; coverage of the 80 %% interval %.0f %%, of the 95 %% interval %.0f %%.",
				anyScored, quantity.Format(quantity.Number, mean.RMSLE, 3), percent*mean.Coverage80,
				percent*mean.Coverage95))
	}
	return t
}

func optionalAmount(v *float64) Cell {
	if v == nil {
		return Cell{}
	}
	return Amount(*v)
}

func groupParameter(e estimateFields) Cell {
	switch {
	case e == (estimateFields{}):
		return Cell{}
	case e.Low != nil && e.High != nil:
		return parameterCell(e.Value, &interval{Value: e.Value, Low: *e.Low, High: *e.High})
	}
	return parameterCell(e.Value, nil)
}

// sharedParameters are those of the law that all groups share; none when the groups chose different
// laws.
func sharedParameters(fits []Fitted) []string {
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

func meanScore(fits []Fitted) (mean scoreFields, n int) {
	for i := range fits {
		if s := fits[i].Score; s != nil {
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
