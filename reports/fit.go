package reports

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/figure"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

const (
	parameterDigits = 6 // of a parameter without interval
	shownRows       = 6 // places listed in the text of a drop; JSON lists all
	percent         = 100
)

// Fit fills in the report of fits, one result each, in order.
func (r *Report) Fit(fits []learn.Fitted) {
	docs := make([]result.Fit, len(fits))
	for i := range fits {
		docs[i] = result.FitOf(&fits[i])
		if fits[i].Drawing != nil {
			docs[i].Panels = panelsOf(figure.LawPanels(&fits[i])...)
		}
		r.Document.Add(docs[i])
	}
	r.Headline = fitHeadline(fits, docs)
	if len(fits) == 1 && fits[0].Group == nil {
		r.Tables = append(r.Tables, singleFit(&fits[0], &docs[0])...)
		return
	}
	r.Tables = append(r.Tables, groupTable(fits, docs))
}

// fitHeadline says what was fitted, how well, and what can be done with it.
func fitHeadline(fits []learn.Fitted, docs []result.Fit) []string {
	f, doc := &fits[0], &docs[0]
	switch {
	case len(fits) > 1 || f.Group != nil:
		refused := 0
		for i := range docs {
			if docs[i].Refused != nil {
				refused++
			}
		}
		return []string{fmt.Sprintf("%s fitted, %d refused.", quantity.Of(len(fits)-refused, "group"), refused)}
	case f.Result == nil:
		return []string{fmt.Sprintf("auto: an average of laws of %s in %s over %s.", doc.Response,
			strings.Join(doc.Columns, ", "), quantity.Of(doc.Rows.Used, "row"))}
	}
	out := []string{
		fmt.Sprintf("%s: %s = %s", doc.Law, doc.Response, doc.Formula),
		fmt.Sprintf("%s; root mean square residual %s.", quantity.Of(f.Result.Rows, "row"),
			quantity.Format(quantity.Number, f.Result.RMS, 3)),
	}
	var readers []string
	if learn.CanAllocate(f.Result.Law) {
		readers = append(readers, "allocate --fit")
	}
	plans, ranks := evidence.Uses(&f.Result.Law)
	if plans {
		readers = append(readers, "plan --fit")
	}
	if ranks {
		readers = append(readers, "recommend --fit")
	}
	if len(readers) > 0 {
		out = append(out, "Next: -o fit.json saves the law for "+quantity.Listed(readers)+".")
	}
	return out
}

// singleFit is one fit in full.
func singleFit(f *learn.Fitted, doc *result.Fit) []Table {
	var out []Table
	if f.Result != nil {
		out = append(out, parameterTable(f, doc))
	}
	if len(doc.Laws) > 0 {
		out = append(out, lawTable(f, doc))
	}
	if len(f.Predictions) > 0 {
		out = append(out, predictionTable(f))
	}
	last := &out[len(out)-1]
	notes, basis := fitNotes(f, doc)
	last.Notes, last.Basis = append(last.Notes, notes...), append(last.Basis, basis...)
	return out
}

func parameterTable(f *learn.Fitted, doc *result.Fit) Table {
	t := Table{Columns: []Column{{Title: "parameter"}, {Title: "value", Digits: parameterDigits}}}
	if b := doc.Bootstrap; b != nil {
		t.Columns[1].Title = fmt.Sprintf("value, %.0f %% bootstrap interval", percent*b.Level)
	}
	if len(f.Profiles) > 0 {
		t.Columns = append(t.Columns, Column{Title: "profile interval"})
	}
	for _, p := range f.Result.Law.Params {
		e := doc.Parameters[p.Name]
		open := doc.Bootstrap != nil && e.Low == nil
		if doc.Bootstrap == nil {
			e.Low, e.High = nil, nil
		}
		cell := ParameterCell(e)
		if open {
			cell = Plain(cell.text + " (not determined)")
		}
		row := []Cell{Text(p.Name), cell}
		switch {
		case e.Profile != nil:
			row = append(row, Text(profileEnd(e.Profile.Low)+" to "+profileEnd(e.Profile.High)))
		case len(f.Profiles) > 0:
			row = append(row, Cell{})
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// ParameterCell prints each parameter with the digits of a publication: at least three of the value,
// and as many as the first of the interval's half-width. Parameters of a law differ by many orders of
// magnitude, so that those beyond a million, or with bounds a hundredfold apart, are in scientific
// form.
func ParameterCell(e result.Estimate) Cell {
	in, ok := e.Interval()
	if !ok || in.Low == in.High { // without an interval, or held
		return Plain(number(e.Value, parameterDigits))
	}
	const apart = 100
	value := math.Abs(e.Value)
	if far(value) || in.Low > 0 && in.High > apart*in.Low {
		return Plain(fmt.Sprintf("%s (%s to %s)", scientific(e.Value), scientific(in.Low), scientific(in.High)))
	}
	digits := 0
	for _, width := range []float64{(in.High - in.Low) / 2, value / 100} {
		if width > 0 {
			digits = max(digits, -int(math.Floor(math.Log10(width))))
		}
	}
	text := func(v float64) string { return strconv.FormatFloat(v, 'f', digits, 64) }
	return Plain(fmt.Sprintf("%s (%s to %s)", text(e.Value), text(in.Low), text(in.High)))
}

// far says that a number is told in scientific form.
func far(v float64) bool { return math.Abs(v) >= 1e6 || v != 0 && math.Abs(v) < 1e-3 }

// number writes a number of digits, in scientific form where that is shorter.
func number(v float64, digits int) string {
	if far(v) {
		return exponential(v, digits)
	}
	return quantity.Format(quantity.Number, v, digits)
}

func scientific(v float64) string { return exponential(v, 3) }

// exponential writes a number of digits and an exponent: 6.02e23.
func exponential(v float64, digits int) string {
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', digits-1, 64), "e")
	n, err := strconv.Atoi(exponent)
	if err != nil || v == 0 {
		return mantissa
	}
	return mantissa + "e" + strconv.Itoa(n)
}

func profileEnd(v *float64) string {
	if v == nil {
		return "open"
	}
	return number(*v, 4)
}

func lawTable(f *learn.Fitted, doc *result.Fit) Table {
	t := Table{
		Title: "Laws considered",
		Columns: []Column{
			{Title: "law"},
			{Title: "weight", Kind: quantity.Fraction},
			{Title: "held-out error", Digits: 3},
			{Title: "ΔAICc", Digits: 3, Optional: 1},
			{Title: "refused", Wraps: true},
		}, Notes: []string{
			"* has the parameters above; predictions are the average by weight.",
			"Held-out error: RMS error on the largest runs after fitting the smaller ones.",
		},
	}
	if f.Result != nil && f.Result.Rows > fit.MostValidated {
		t.Notes = append(t.Notes, fmt.Sprintf(
			"Laws are compared, and averaged, on %d rows, evenly taken; the parameters are those of all rows.", fit.MostValidated))
	}
	least := math.Inf(1)
	for _, l := range doc.Laws {
		if l.AICc != nil {
			least = min(least, *l.AICc)
		}
	}
	if f.Curve != nil {
		t = Table{
			Title: "auto: an average of laws of " + doc.Response + " in " + doc.Columns[0],
			Columns: []Column{
				{Title: "law"},
				{Title: "weight", Kind: quantity.Fraction},
				{Title: "held-out error in ln", Digits: 3},
			},
		}
	}
	for _, l := range doc.Laws {
		name, criterion := l.Law, Cell{}
		if l.Chosen {
			name += " *"
		}
		if l.AICc != nil {
			criterion = Amount(*l.AICc - least)
		}
		row := []Cell{
			Text(name), OptionalAmount(l.Weight), OptionalAmount(l.HeldOut), criterion,
			Text(l.Refused),
		}
		if f.Curve != nil {
			row = []Cell{Text(l.Law), OptionalAmount(l.Weight), OptionalAmount(l.HeldOut)}
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

func predictionTable(f *learn.Fitted) Table {
	t := Table{Title: "Predictions", Columns: []Column{
		{Title: "at"}, {Title: f.Response, Digits: 4},
	}}
	for _, p := range f.Predictions {
		cell := amountOrDash(p.Value)
		if p.HasInterval {
			t.Columns[1].Title = fmt.Sprintf("%s, %.0f %% prediction interval", f.Response,
				percent*p.Level)
			if result.Finite(p.Value) != nil {
				cell = Estimate(interval{Value: p.Value, Low: p.Low, High: p.High})
			}
		}
		t.add(Text(p.At.String()), cell)
	}
	return t
}

// fitNotes say what the fit rests on: what everybody must know, and what experts check. They are of
// the fit rather than of its document where the order of warnings matters.
func fitNotes(f *learn.Fitted, doc *result.Fit) (notes, basis []string) {
	if r := f.Result; r != nil {
		c := doc.Certificate
		notes = append(notes, certificateText(c))
		basis = append(basis,
			fmt.Sprintf("Objective %s, summed over %d rows: %s; root mean square residual %s.",
				doc.Objective.Name, r.Rows, quantity.Format(quantity.Number, doc.Objective.Value,
					12),
				quantity.Format(quantity.Number, r.RMS, 4)),
			fmt.Sprintf("Scaled gradient %.1e, condition %.1e.", c.Gradient, r.Certificate.Condition))
		notes = append(notes, r.Warnings...)
	}
	if c := f.Curve; c != nil {
		noise := "unknown"
		if v := result.Finite(c.Noise); v != nil {
			noise = quantity.Format(quantity.Number, *v, 3)
		}
		notes = append(notes, fmt.Sprintf(
			"%s; root mean square residual over the later half %s in ln.", quantity.Of(c.Points, "point"), noise))
		notes = append(notes, c.Warnings...)
	}
	if len(doc.Outliers) > 0 && f.Group == nil {
		var told []string
		for _, o := range doc.Outliers[:min(len(doc.Outliers), 3)] {
			told = append(told, fmt.Sprintf("%s (%s, %+.1f)", o.Row,
				quantity.Format(quantity.Number, o.Value, 4), o.Studentised))
		}
		basis = append(basis, "Largest residuals (row, value, standard deviations): "+
			strings.Join(told, ", ")+".")
	}
	if b := doc.Bootstrap; b != nil {
		note := fmt.Sprintf("Bootstrap: %s over %s, %d failed.", quantity.Of(b.Refits, "refit"),
			quantity.Of(b.Units, "run"), b.Failed)
		if b.Improved > 0 {
			note += fmt.Sprintf(" %d found a better optimum elsewhere.", b.Improved)
		}
		basis = append(basis, note)
	}
	if s := doc.Score; s != nil {
		notes = append(notes, fmt.Sprintf(
			"Score on %s not fitted: RMSLE %s; the 80 %% interval covers %.0f %% of them, the 95 %% interval %.0f %%.",
			quantity.Of(s.Points, "row"), quantity.Format(quantity.Number, s.RMSLE, 3), percent*s.Coverage80,
			percent*s.Coverage95))
	}
	if f.Unscored != "" {
		notes = append(notes, "Not scored: "+f.Unscored)
	}
	notes = append(notes, derivedNotes(f.Rows)...)
	notes = append(notes, f.Warnings...)
	return append(notes, dropNotes(doc.Rows)...), basis
}

// certificateText says whether the optimum can be trusted.
func certificateText(c *result.Certificate) string {
	text := fmt.Sprintf("%d of %d starts found this optimum; ", c.Agree, c.Starts)
	if c.Agree == c.Starts {
		text = fmt.Sprintf("All %d starts found the same optimum; ", c.Starts)
	}
	if len(c.Active) == 0 {
		return text + "no parameter is at a bound."
	}
	return text + "at a bound: " + strings.Join(c.Active, ", ") + "."
}

// derivedNotes say how columns came about that no file has.
func derivedNotes(rows learn.Rows) []string {
	var notes []string
	for _, d := range rows.Derived {
		notes = append(notes, fmt.Sprintf("%s: %s.", d.Column, d.How))
	}
	return notes
}

func dropNotes(rows result.Rows) []string {
	if rows.Dropped == 0 {
		return []string{fmt.Sprintf("Rows: %d used, none dropped.", rows.Used)}
	}
	notes := []string{fmt.Sprintf("Rows: %d used, %d dropped:", rows.Used, rows.Dropped)}
	for _, d := range rows.Drops {
		places := placesText(d.Rows[:min(len(d.Rows), shownRows)])
		if more := d.Count - shownRows; more > 0 {
			places += fmt.Sprintf(" and %d more (--format json lists all)", more)
		}
		notes = append(notes, fmt.Sprintf("  %d %s: %s", d.Count, d.Reason, places))
	}
	return notes
}

// WhyDropped sums up the rows that a fit dropped: "2 of 5 rows dropped: loss is 0; …". It is
// empty without such rows.
func WhyDropped(from learn.Rows) string {
	rows := result.RowsOf(from.Used, from.Drops)
	if rows.Dropped == 0 {
		return ""
	}
	var reasons []string
	for _, d := range rows.Drops {
		reasons = append(reasons, fmt.Sprintf("%d × %s (first: %s)", d.Count, d.Reason, d.Rows[0]))
	}
	more := ""
	if len(reasons) > shownRows {
		more = fmt.Sprintf("; and %d other reasons", len(reasons)-shownRows)
		reasons = reasons[:shownRows]
	}
	return fmt.Sprintf("%d of %s dropped: %s%s", rows.Dropped, quantity.Of(rows.Dropped+rows.Used, "row"),
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

// OptionalAmount returns the value, or an absent cell for nil.
func OptionalAmount(v *float64) Cell {
	if v == nil {
		return Cell{}
	}
	return Amount(*v)
}

func amountOrDash(v float64) Cell { return OptionalAmount(result.Finite(v)) }
