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
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// RecommendView says how much of a recommendation is shown.
type RecommendView struct {
	Listed  bool // the candidates were listed by the user
	Wide    bool // all columns
	Details bool // why each row is there, and all that the quality rests on
}

func (v RecommendView) among(row *recommend.Row) string {
	switch {
	case row.Rank == 0:
		return "anchor"
	case v.Listed:
		return "listed"
	case row.Released:
		return "catalogue"
	}
	return "lattice"
}

// Recommend fills in the report of a recommendation: the picks, then the anchor and the rows in
// order.
func (r *Report) Recommend(found *recommend.Result, view RecommendView) {
	r.Document.Warnings = append(r.Document.Warnings, found.Warnings...)
	rows := make([]*recommend.Row, 0, len(found.Rows)+1)
	if found.Anchor != nil {
		rows = append(rows, found.Anchor)
	}
	for i := range found.Rows {
		rows = append(rows, &found.Rows[i])
	}
	for _, row := range rows {
		r.Document.Results = append(r.Document.Results, result.RecommendedOf(row, view.among(row)))
	}
	if found.Anchor != nil && len(found.Picks) > 0 {
		r.Picks(found, "")
	}
	t := Table{Title: recommendTitle(found), Notes: recommendNotes(found, view)}
	for _, c := range recommendColumns(found, view) {
		shown := view.Wide || !c.wide
		some := slices.ContainsFunc(rows, func(row *recommend.Row) bool { return c.cell(row) != Cell{} })
		if !shown || !some {
			continue
		}
		t.Columns = append(t.Columns, c.Column)
		for i, row := range rows {
			if len(t.Rows) <= i {
				t.Rows = append(t.Rows, nil)
			}
			t.Rows[i] = append(t.Rows[i], c.cell(row))
		}
	}
	r.Tables = append(r.Tables, t)
	if view.Details {
		r.Tables = append(r.Tables, reasons(found))
	}
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
	return result.JudgedBy == recommend.ByUpstream || !slices.ContainsFunc(result.Rows,
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
	wide bool // shown with --wide only
	cell func(row *recommend.Row) Cell
}

func recommendColumns(result *recommend.Result, view RecommendView) []recommendColumn {
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
		return func(row *recommend.Row) Cell { return share(of(&row.Saved)) }
	}
	fraction := func(title string, axis plan.Metric, usual bool, of func(s *recommend.Saved) *float64) recommendColumn {
		return recommendColumn{
			Column{Title: title, Kind: quantity.Fraction}, !usual && axis != objective, saved(of),
		}
	}
	downstream := recommendColumn{
		Column{Title: cmp.Or(result.Evidence.Score, "score"), Kind: quantity.Number},
		byLoss(result),
		func(row *recommend.Row) Cell { return Optional(row.Quality.Downstream.Interval) },
	}
	upstream := recommendColumn{
		Column{Title: "loss", Kind: quantity.Number},
		!byLoss(result),
		func(row *recommend.Row) Cell { return Optional(row.Quality.Upstream.Interval) },
	}
	return []recommendColumn{
		{Column{Title: "#"}, false, func(row *recommend.Row) Cell { return Plain(fmt.Sprint(row.Rank)) }},
		{Column{Title: "shape"}, false, func(row *recommend.Row) Cell { return Text(row.Shape.Name).Marked(marks(row)) }},
		{Column{Title: "el/dl"}, true, func(row *recommend.Row) Cell { return Plain(depths(&row.Shape)) }},
		{Column{Title: "d_model"}, true, func(row *recommend.Row) Cell { return Plain(fmt.Sprint(row.Shape.DModel)) }},
		{Column{Title: "params"}, false, func(row *recommend.Row) Cell { return short(quantity.Params, float64(row.Params.Total)) }},
		{Column{Title: "tokens"}, !grows, func(row *recommend.Row) Cell { return short(quantity.Tokens, row.Schedule.Tokens.Interval.Value) }},
		fraction("params saved", plan.Params, false, func(s *recommend.Saved) *float64 { return s.Params }),
		fraction("FLOPs saved", plan.RunFLOPs, result.Rows[0].StepTime.Interval == nil, func(s *recommend.Saved) *float64 { return s.FLOPs }),
		fraction("step saved", plan.StepTime, false, func(s *recommend.Saved) *float64 { return s.StepTime }),
		fraction("memory saved", plan.Memory, false, func(s *recommend.Saved) *float64 { return s.Memory }),
		{Column{Title: "step", Kind: quantity.Duration}, objective != plan.StepTime, func(row *recommend.Row) Cell { return Optional(row.StepTime.Interval) }},
		{Column{Title: "decode", Kind: quantity.Duration}, objective != plan.DecodeLatency, func(row *recommend.Row) Cell { return Optional(row.Decode.Latency().Interval) }},
		{Column{Title: "cost", Kind: quantity.Money}, false, func(row *recommend.Row) Cell { return Optional(row.Schedule.Bill.CostUSD.Interval) }},
		upstream, downstream,
		{Column{Title: "evidence"}, false, func(row *recommend.Row) Cell { return Text(evidenceText(row)) }},
	}
}

// recommendNotes says how to read the table, and in a line what the quality rests on.
func recommendNotes(result *recommend.Result, view RecommendView) []string {
	notes := []string{fmt.Sprintf(
		"%s shapes qualify. * is the pick, = as good within the error of the difference.",
		quantity.Grouped(int64(result.Feasible)))}
	if result.Anchor != nil {
		notes[0] += " 0 is the anchor."
	}
	if note := layoutNote(result); note != "" {
		notes = append(notes, note)
	}
	if view.Details {
		return notes
	}
	return append(notes, append(basisNotes(result), "--details says why each row is there and what the quality rests on; --wide shows all columns.")...)
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
	if e.Recalled {
		notes = append(notes,
			"† rests on results written down from memory of the paper (evidence: recalled).")
	}
	return notes
}

// EvidenceNotes adds what the quality of all tables rests on, once.
func (r *Report) EvidenceNotes(result *recommend.Result) {
	r.Tables = append(r.Tables, Table{Title: "What the quality rests on", Notes: evidenceNotes(result)})
}

func reasons(result *recommend.Result) Table {
	why := Table{Title: "Why each is there", Columns: []Column{
		{Title: "#"},
		{Title: "shape"},
		{Title: "reason", Wraps: true},
	}, Notes: evidenceNotes(result)}
	for i := range result.Rows {
		row := &result.Rows[i]
		why.Rows = append(why.Rows, []Cell{
			Plain(fmt.Sprint(row.Rank)), Text(row.Shape.Name), Text(row.Why),
		})
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
	return fmt.Sprintf("The step of %s is at layout %s.", row.Shape.Name, plan.LayoutText(&row.Run))
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

// share is an optional fraction.
func share(f *float64) Cell {
	if f == nil {
		return Cell{}
	}
	return Amount(*f)
}
