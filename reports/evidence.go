package reports

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Evidence fills in the list of published sets in which shape varies, with how far each orders its
// models as the law of recommend does.
func (r *Report) Evidence(opinions []evidence.SecondOpinion) {
	sets := Table{
		Columns: []Column{
			{Title: "set"},
			{Title: "what", Wraps: true},
			{Title: "models", Wraps: true, Optional: 1},
			{Title: "numbers", Optional: 2},
			{Title: "evidence", Optional: 3},
			{Title: "rank", Kind: quantity.Number, Digits: 2},
		},
		Notes: []string{
			"Rank: rank correlation of the law with the set's first metric, over its largest group. --format json has the sources.",
		},
	}
	for i := range opinions {
		o := &opinions[i]
		sets.add(Text(o.Name), Text(o.Title), Text(o.Models), Plain(fmt.Sprint(o.Numbers)),
			Text(string(o.Weakest)), OptionalAmount(o.Rank))
		r.Document.Add(result.SecondOpinionOf(o))
	}
	agreement := agreementTable(opinions)
	agreement.Detail = true
	r.listed(len(opinions), "published set", "recommend --details --like", "t5-base", sets)
	r.Tables = append(r.Tables, agreement)
}

// agreementTable has a line for each operation of each set.
func agreementTable(opinions []evidence.SecondOpinion) Table {
	t := Table{
		Title: "Effect of one operation alone",
		Columns: []Column{
			{Title: "op"},
			{Title: "set"},
			{Title: "pairs"},
			{Title: "agree"},
			{Title: "metric", Optional: 1},
			{Title: "per doubling", Kind: quantity.Number, Digits: 2},
			{Title: "by the law", Kind: quantity.Number, Digits: 2},
			{Title: "contradictions", Wraps: true},
		},
		Notes: []string{
			"Pairs: two models that differ in this operation only (nl layers of both stacks, el and dl of one, dm d_model, ff d_ff). Per doubling: mean change of the metric, positive is better; by the law: of SuperGLUE, or of the loss in nats. Compare signs, not sizes.",
		},
	}
	for _, op := range toldOps {
		for i := range opinions {
			for _, a := range opinions[i].Agreements {
				if a.Op != op {
					continue
				}
				t.add(Text(op), Text(opinions[i].Name), Plain(fmt.Sprint(a.Pairs)),
					Plain(fmt.Sprint(a.Agree)), Text(a.Metric), Amount(a.Slope), Amount(a.LawSlope),
					Text(strings.Join(a.Against, "; ")))
			}
		}
	}
	return t
}

// toldOps are the operations that published sets vary alone.
var toldOps = [...]string{"nl", "el", "dl", "dm", "ff"}

// agreementText says in a line how far other sets agree about each operation; empty without any.
func agreementText(opinions []evidence.SecondOpinion) string {
	var parts []string
	for _, op := range toldOps {
		pairs, agree := 0, 0
		for i := range opinions {
			for _, a := range opinions[i].Agreements {
				if a.Op == op {
					pairs, agree = pairs+a.Pairs, agree+a.Agree
				}
			}
		}
		if pairs > 0 {
			parts = append(parts, fmt.Sprintf("%s %d of %d", op, agree, pairs))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "Pairs of models in other published sets that are ordered as here: " +
		strings.Join(parts, ", ") + "; deepnarrow list evidence has them."
}

// Explain fills in the report of one recommended row: its numbers with their formulas, and the
// measured rows behind its quality. found is the answer that the row is of.
func (r *Report) Explain(listed bool, found *recommend.Result, row *recommend.Row,
	e *recommend.Explanation,
) {
	r.Document.Add(result.RecommendedOf(row, among(row, listed)))
	fields := result.Explanation{
		Costs: []result.Derived{}, Quality: []result.Derived{}, Evidence: []result.Cited{},
	}
	costs, quality := derivedTable("What "+row.Shape.Name+" costs"),
		derivedTable("How good it will probably be")
	for _, d := range e.Costs {
		fields.Costs = append(fields.Costs, result.DerivedOf(&d))
		costs.Rows = append(costs.Rows, derivedRow(&d))
	}
	for _, d := range e.Quality {
		fields.Quality = append(fields.Quality, result.DerivedOf(&d))
		quality.Rows = append(quality.Rows, derivedRow(&d))
	}
	r.Headline = []string{row.Shape.Name + ": where its numbers come from."}
	if row.Why != "" {
		r.Headline = append(r.Headline, sentence(row.Why))
	}
	r.Headline = append(r.Headline, fmt.Sprintf("Evidence: %s%s.", row.Class, nearest(row)))
	costs.Notes = append(costs.Notes,
		"deepnarrow explain says what the letters mean; names with a point are functions of this program.")
	if len(e.Quality) == 0 {
		quality.Columns, quality.Notes = nil, []string{sentence("no quality: " +
			found.Evidence.Missing)}
	}
	r.Tables = append(r.Tables, costs, quality)
	if len(e.Rows) > 0 {
		r.Tables = append(r.Tables, citedTable(e.Rows, &fields, found))
	}
	if len(e.Opinions) > 0 {
		t := agreementTable(e.Opinions)
		t.Title, t.Detail = "What other published sets say of what changes", true
		r.Tables = append(r.Tables, t)
		for i := range e.Opinions {
			fields.Opinions = append(fields.Opinions, result.SecondOpinionOf(&e.Opinions[i]))
		}
	}
	r.Document.Related = append(r.Document.Related, fields)
}

func nearest(row *recommend.Row) string {
	if row.Nearest == nil {
		return ""
	}
	return fmt.Sprintf("; nearest measured: %s, whose dimensions differ by %.2f× at most",
		row.Nearest.Name, row.Nearest.Distance)
}

func derivedTable(title string) Table {
	return Table{Title: title, Columns: []Column{
		{Title: "number"},
		{Title: "value"},
		{Title: "formula", Wraps: true},
		{Title: "from", Wraps: true},
	}}
}

func derivedRow(d *evidence.Derived) []Cell {
	value := quantity.FormatInterval(d.Kind, d.Value)
	if d.Value.HalfWidth() == 0 {
		const digits = 4
		value = quantity.Format(d.Kind, d.Value.Value, digits)
	}
	return []Cell{Text(d.Name), Plain(value), Text(d.Formula), Text(d.Where)}
}

// citedTable lists the rows behind a quality; where each comes from follows as notes, which are too
// long for a column.
func citedTable(rows []evidence.Cited, fields *result.Explanation, found *recommend.Result) Table {
	t := Table{
		Title: "The measured rows behind it, nearest first",
		Columns: []Column{
			{Title: "row"},
			{Title: "shape", Optional: 2, Cuts: true},
			{Title: "distance", Kind: quantity.Number},
			{Title: "loss", Kind: quantity.Number, Digits: 4},
			{Title: "by the law", Kind: quantity.Number, Digits: 4},
			{Title: "score", Kind: quantity.Number},
			{Title: "by the law", Kind: quantity.Number},
			{Title: "evidence", Optional: 1},
			{Title: "source"},
		},
		Notes: []string{"Distance is the largest factor by which a dimension differs."},
	}
	numbers := map[string]int{}
	for i := range rows {
		c := &rows[i]
		f := result.Cited{
			Name: c.Name, Shape: c.Shape, Distance: c.Distance,
			UpstreamLaw: c.LawUpstream, DownstreamLaw: c.LawScore,
		}
		var classes []data.Evidence
		for _, m := range []struct {
			reading *data.Reading
			into    **float64
		}{{c.Upstream, &f.Upstream}, {c.Score, &f.Downstream}} {
			if m.reading != nil {
				*m.into = &m.reading.Value
				if m.reading.Evidence != "" {
					classes = append(classes, m.reading.Evidence)
				}
			}
		}
		f.Evidence = string(data.Weakest(classes...))
		var cites []string
		for _, source := range c.Sources {
			key := source.File + ": " + source.Where
			f.Sources = append(f.Sources, source.File+", "+source.Model+": "+source.Where)
			if numbers[key] == 0 {
				numbers[key] = len(numbers) + 1
				t.Notes = append(t.Notes, fmt.Sprintf("[%d] %s", numbers[key], key))
			}
			cites = append(cites, fmt.Sprintf("[%d]", numbers[key]))
		}
		fields.Evidence = append(fields.Evidence, f)
		t.add(Text(c.Name), Text(c.Shape), Amount(c.Distance), OptionalAmount(f.Upstream),
			OptionalAmount(f.UpstreamLaw), OptionalAmount(f.Downstream),
			OptionalAmount(f.DownstreamLaw), Text(f.Evidence), Text(strings.Join(cites, "")))
	}
	t.Notes = append(t.Notes, evidenceNotes(found)...)
	return t
}
