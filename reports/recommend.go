package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// among says which candidates a row is of; listed says that the user listed them.
func among(row *recommend.Row, listed bool) string {
	switch {
	case row.Rank == 0:
		return "anchor"
	case listed:
		return "listed"
	case row.Released:
		return "catalogue"
	}
	return "lattice"
}

// Recommend fills in the report of a recommendation: the picks, then the anchor and the rows in
// order.
func (r *Report) Recommend(found *recommend.Result, listed bool) {
	r.Document.Warn(found.Warnings...)
	rows := make([]*recommend.Row, 0, len(found.Rows)+1)
	if found.Anchor != nil {
		rows = append(rows, found.Anchor)
	}
	for i := range found.Rows {
		rows = append(rows, &found.Rows[i])
	}
	for _, row := range rows {
		r.Document.Add(result.RecommendedOf(row, among(row, listed)))
	}
	r.Headline = recommendHeadline(found)
	t := Table{Title: recommendTitle(found), Notes: recommendNotes(found), Basis: basisNotes(found)}
	t.Rows = make([][]Cell, len(rows))
	for _, c := range recommendColumns(found) {
		t.Columns = append(t.Columns, c.Column)
		for i, row := range rows {
			cell := c.cell(row)
			if row.Pick {
				cell = cell.styled(bold)
			}
			t.Rows[i] = append(t.Rows[i], cell)
		}
	}
	r.Tables = append(r.Tables, t)
	if found.Anchor != nil && len(found.Picks) > 0 {
		r.Picks(found, "")
		r.Tables[len(r.Tables)-1].Detail = true
	}
	r.Tables = append(r.Tables, reasons(found))
}

// recommendHeadline names the shapes to train and what they save.
func recommendHeadline(found *recommend.Result) []string {
	quality := func(i *quantity.Interval) string {
		if i == nil {
			return "quality not known"
		}
		return qualityTitle(found) + " " + quantity.FormatInterval(quantity.Number, *i)
	}
	of := func(q *evidence.Quality) *quantity.Interval {
		if byLoss(found) {
			return q.Upstream.Interval
		}
		return q.Downstream.Interval
	}
	row := found.Pick()
	var out []string
	switch {
	case row == nil && len(found.Rows) == 0:
		return []string{"No shape is recommended: " + cmp.Or(found.Evidence.Missing, "none is within the limits") + "."}
	case row == nil:
		return []string{"No shape is recommended: nothing ranks the rows."}
	case found.Anchor == nil || len(found.Picks) == 0:
		text := fmt.Sprintf("Train %s: %s parameters", row.Shape.Name, quantity.Format(quantity.Params, float64(row.Params.Total), 3))
		if c := row.Schedule.Bill.CostUSD.Interval; c != nil {
			text += ", " + quantity.FormatInterval(quantity.Money, *c)
		}
		out = []string{text + ", " + quality(of(&row.Quality)) + "."}
	default:
		out = pickLines(found, quality)
	}
	return append(out, fmt.Sprintf("Next: --explain %d says where its numbers come from; --out DIR writes its configuration.", row.Rank))
}

// pickLines has a line for each shape that saves most of something.
func pickLines(found *recommend.Result, quality func(*quantity.Interval) string) []string {
	const most = 4 // lines of a headline, with room for what to do next
	var rows, out []string
	for _, p := range found.Picks {
		row := &found.Rows[p.Row]
		saved := p.Axis.Saved(&row.Answer, &found.Anchor.Answer)
		if saved == nil || slices.Contains(rows, row.Shape.Name) || len(out) == most {
			continue
		}
		rows = append(rows, row.Shape.Name)
		change := p.Difference.Downstream.Interval
		if byLoss(found) {
			change = p.Difference.Upstream.Interval
		}
		start := "Least " + axisName(p.Axis) + ": "
		if len(out) == 0 {
			start = "Instead of " + found.Anchor.Shape.Name + " train "
		}
		out = append(out, fmt.Sprintf("%s%s: %s %s, %s.", start, row.Shape.Name,
			percentText(-*saved), axisName(p.Axis), quality(change)))
	}
	return out
}

// axisName is a metric in the words of a sentence.
func axisName(m plan.Metric) string {
	return strings.NewReplacer("params", "parameters", "flops", "FLOPs", "-", " ").Replace(m.String())
}

// percentText is a signed share in whole percent.
func percentText(f float64) string {
	return strings.Replace(fmt.Sprintf("%+.0f %%", 100*f), "-", "−", 1)
}

func recommendTitle(result *recommend.Result) string {
	switch {
	case result.Anchor != nil:
		return "Shapes beside " + result.Anchor.Shape.Name + ", by " + ObjectiveName(result)
	case len(result.Picks) == 0:
		return "The listed shapes"
	}
	return "Shapes within the limits, by " + ObjectiveName(result)
}

// ObjectiveName is what the rows are ordered by, as --objective names it.
func ObjectiveName(result *recommend.Result) string {
	if result.Objective == recommend.BestQuality {
		return "quality"
	}
	return result.CostAxis.String()
}

// byLoss says whether rows are compared by upstream loss.
func byLoss(result *recommend.Result) bool {
	return result.JudgedBy == evidence.ByUpstream || !slices.ContainsFunc(result.Rows,
		func(row recommend.Row) bool { return row.Quality.Downstream.Interval != nil })
}

func qualityTitle(result *recommend.Result) string {
	if byLoss(result) {
		return "loss"
	}
	return cmp.Or(result.Evidence.Score, "score")
}

// marks are what a shape's name carries: * the pick, + at least as good on every axis, = as good.
func marks(row *recommend.Row) string {
	mark := ""
	for _, m := range []struct {
		has  bool
		mark string
	}{{row.Pick, "*"}, {row.AllRound, "+"}, {row.Tie && !row.AllRound, "="}} {
		if m.has {
			mark += m.mark
		}
	}
	if mark != "" {
		mark = " " + mark
	}
	return mark
}

func evidenceText(row *recommend.Row) string {
	text := row.Class.String()
	if row.Evidence == data.Recalled {
		text += " †"
	}
	return text
}

// recommendColumn is a column of the table with how to fill it.
type recommendColumn struct {
	Column
	cell func(row *recommend.Row) Cell
}

func recommendColumns(result *recommend.Result) []recommendColumn {
	objective := result.CostAxis
	grows := false // the tokens, with size
	for i := range result.Rows {
		grows = grows || result.Rows[i].Schedule.Tokens.Interval.Value !=
			result.Rows[0].Schedule.Tokens.Interval.Value
	}
	short := func(kind quantity.Kind, v float64) Cell {
		const digits = 3
		return Plain(quantity.Format(kind, v, digits))
	}
	saved := func(of func(s *recommend.Saved) *float64) func(*recommend.Row) Cell {
		return func(row *recommend.Row) Cell { return OptionalAmount(of(&row.Saved)) }
	}
	fraction := func(title string, axis plan.Metric, usual bool, of func(s *recommend.Saved) *float64) recommendColumn {
		return recommendColumn{
			Column{Title: title, Kind: quantity.Fraction, Wide: !usual && axis != objective}, saved(of),
		}
	}
	downstream := recommendColumn{
		Column{Title: cmp.Or(result.Evidence.Score, "score"), Kind: quantity.Number, Wide: byLoss(result)},
		func(row *recommend.Row) Cell { return Optional(row.Quality.Downstream.Interval) },
	}
	upstream := recommendColumn{
		Column{Title: "loss", Kind: quantity.Number, Wide: !byLoss(result)},
		func(row *recommend.Row) Cell { return Optional(row.Quality.Upstream.Interval) },
	}
	return []recommendColumn{
		{Column{Title: "#"}, func(row *recommend.Row) Cell { return Plain(fmt.Sprint(row.Rank)) }},
		{Column{Title: "shape", Cuts: true}, func(row *recommend.Row) Cell { return Text(row.Shape.Name).Marked(marks(row)) }},
		{Column{Title: "el/dl", Wide: true}, func(row *recommend.Row) Cell { return Plain(depths(&row.Shape)) }},
		{Column{Title: "d_model", Wide: true}, func(row *recommend.Row) Cell { return Plain(fmt.Sprint(row.Shape.DModel)) }},
		{Column{Title: "params"}, func(row *recommend.Row) Cell { return short(quantity.Params, float64(row.Params.Total)) }},
		{Column{Title: "tokens", Optional: 2, Wide: !grows}, func(row *recommend.Row) Cell { return short(quantity.Tokens, row.Schedule.Tokens.Interval.Value) }},
		fraction("params saved", plan.Params, false, func(s *recommend.Saved) *float64 { return s.Params }),
		fraction("FLOPs saved", plan.RunFLOPs, result.Rows[0].StepTime.Interval == nil, func(s *recommend.Saved) *float64 { return s.FLOPs }),
		fraction("step saved", plan.StepTime, false, func(s *recommend.Saved) *float64 { return s.StepTime }),
		fraction("memory saved", plan.Memory, false, func(s *recommend.Saved) *float64 { return s.Memory }),
		{Column{Title: "step", Kind: quantity.Duration, Wide: objective != plan.StepTime}, func(row *recommend.Row) Cell { return Optional(row.StepTime.Interval) }},
		{Column{Title: "decode", Kind: quantity.Duration, Wide: objective != plan.DecodeLatency}, func(row *recommend.Row) Cell { return Optional(row.Decode.Latency().Interval) }},
		{Column{Title: "with serving", Kind: quantity.Money, Wide: objective != plan.LifetimeCost}, func(row *recommend.Row) Cell { return Optional(row.LifetimeCost().Interval) }},
		{Column{Title: "cost", Kind: quantity.Money}, func(row *recommend.Row) Cell { return Optional(row.Schedule.Bill.CostUSD.Interval) }},
		upstream, downstream,
		{Column{Title: "evidence", Optional: 1}, func(row *recommend.Row) Cell { return Text(evidenceText(row)) }},
	}
}

// recommendNotes says how to read the table.
func recommendNotes(result *recommend.Result) []string {
	marks := []string{"* = the pick"}
	if slices.ContainsFunc(result.Rows, func(r recommend.Row) bool { return r.AllRound }) {
		marks = append(marks, "+ = at least as good on every axis")
	}
	notes := []string{quantity.Grouped(int64(result.Feasible)) + " shapes compared."}
	if result.Anchor != nil {
		if slices.ContainsFunc(result.Rows, func(r recommend.Row) bool { return r.Tie && !r.AllRound }) {
			marks = append(marks, "= = about as good as "+result.Anchor.Shape.Name+" (difference within its error)")
		}
		notes[0] += " Row 0 is " + result.Anchor.Shape.Name + "."
	}
	notes[0] += " " + strings.Join(marks, ", ") + "."
	if s := result.Rows[0].Serving; s != nil && s.Decoding != nil {
		notes = append(notes, fmt.Sprintf(
			"With serving: %s tokens, %d in and %d out a request, in the batch that is cheapest.",
			quantity.Format(quantity.Tokens, s.Tokens, 0), s.Prompt, s.Generate))
	}
	if note := layoutNote(result); note != "" {
		notes = append(notes, note)
	}
	return append(notes, recalledNote(result)...)
}

// recalledNote explains the mark of rows whose evidence nobody could check.
func recalledNote(result *recommend.Result) []string {
	if !result.Evidence.Recalled {
		return nil
	}
	return []string{"† = depends on paper results that were transcribed from memory and could not be checked."}
}

// basisNotes are the least that must be said of the evidence.
func basisNotes(result *recommend.Result) []string {
	e := &result.Evidence
	var notes []string
	if e.Missing != "" {
		notes = append(notes, sentence("no quality: "+e.Missing))
	}
	if c := e.Check; c != nil {
		notes = append(notes, sentence(c.String()))
	}
	for _, note := range e.Notes {
		notes = append(notes, sentence(note))
	}
	return notes
}

// EvidenceNotes adds what the quality of all tables rests on, once.
func (r *Report) EvidenceNotes(result *recommend.Result) {
	r.Tables = append(r.Tables, Table{
		Title: "Where the quality estimates come from",
		Notes: append(evidenceNotes(result), recalledNote(result)...),
	})
}

func reasons(result *recommend.Result) Table {
	why := Table{Title: "Why each shape is listed", Detail: true, Columns: []Column{
		{Title: "#"}, {Title: "shape"}, {Title: "reason", Wraps: true},
	}}
	if e := &result.Evidence; e.Law != "" {
		why.Notes = []string{sentence("quality: " + e.Law)}
	}
	for i := range result.Rows {
		row := &result.Rows[i]
		why.add(Plain(fmt.Sprint(row.Rank)), Text(row.Shape.Name), Text(row.Why))
	}
	return why
}

// layoutNote says at which layout the first shape is timed, as that of plan is another where it is
// searched here; empty where nothing is timed.
func layoutNote(result *recommend.Result) string {
	row := result.Anchor
	if row == nil {
		row = result.Pick()
	}
	if row == nil || row.StepTime.Interval == nil {
		return ""
	}
	return fmt.Sprintf("Step times use the fastest layout that fits (%s: %s).", row.Shape.Name, plan.LayoutText(&row.Run))
}

// evidenceNotes says what the quality of the tables rests on.
func evidenceNotes(result *recommend.Result) []string {
	var notes []string
	if e := &result.Evidence; e.Law != "" {
		notes = append(notes, sentence("quality: "+e.Law))
	}
	return append(notes, basisNotes(result)...)
}

// sentence gives a text its capital and its full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + strings.TrimSuffix(s[1:], ".") + "."
}

// Picks adds the answer in short: the shape to train for each axis, with what it saves on every one.
// hardware is told where the table is one of several.
func (r *Report) Picks(found *recommend.Result, hardware string) {
	columns := []Column{
		{Title: "to save"},
		{Title: "train", Wraps: true},
		{Title: "params"},
		{Title: "FLOPs"},
		{Title: "memory"},
		{Title: "step"},
		{Title: "cost"},
		{Title: qualityTitle(found), Kind: quantity.Number},
	}
	percent := func(f *float64) Cell {
		if f == nil {
			return Cell{}
		}
		return Plain(strings.TrimPrefix(percentText(*f), "+"))
	}
	asCost := true // step times save what costs do: on one cluster without traffic
	for _, p := range found.Picks {
		s := &found.Rows[p.Row].Saved
		asCost = asCost && percent(s.StepTime) == percent(s.Cost)
	}
	if asCost {
		columns = slices.Delete(columns, 5, 6)
		columns[5].Title = "step, cost"
	}
	like := found.Anchor.Shape.Name
	t := Table{Title: "Instead of " + like}
	if hardware != "" {
		t.Title += " on " + hardware
	}
	for _, p := range found.Picks {
		row := &found.Rows[p.Row]
		s := row.Saved
		change := p.Difference.Downstream.Interval
		if byLoss(found) {
			change = p.Difference.Upstream.Interval
		}
		f := result.PickOf(&p, row, like, hardware)
		if hardware != "" {
			r.Document.Add(f)
		} else {
			r.Document.Related = append(r.Document.Related, f)
		}
		cells := []Cell{
			Text(p.Axis.String()), Text(row.Shape.Name).Marked(marks(row)), percent(s.Params),
			percent(s.FLOPs), percent(s.Memory), percent(s.StepTime), percent(s.Cost), Optional(change),
		}
		if asCost {
			cells = slices.Delete(cells, 5, 6)
		}
		t.add(cells...)
	}
	t.Columns = columns
	t.Notes = []string{
		"Share of " + like + " saved (negative: costs more); " + qualityTitle(found) +
			" is the difference with its 80 % interval. + = at least as good on every axis.",
	}
	r.Tables = append(r.Tables, t)
}
