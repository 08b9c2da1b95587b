package reports

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

type opinionOf struct {
	Set        string            `json:"set"`
	Title      string            `json:"title"`
	Models     string            `json:"models"`
	Numbers    int               `json:"numbers"`
	Evidence   string            `json:"evidence"` // weakest class of the numbers
	Rank       *float64          `json:"rank_correlation,omitempty"`
	Agreements []agreementFields `json:"agreements"`
	Source     string            `json:"source"`
	Note       string            `json:"note,omitempty"`
}

type agreementFields struct {
	Op       string   `json:"op"`
	Pairs    int      `json:"pairs"`
	Agree    int      `json:"agree"`
	Metric   string   `json:"metric"`
	Slope    float64  `json:"slope"`
	LawSlope float64  `json:"law_slope"`
	Against  []string `json:"against,omitempty"`
}

func opinionFieldsOf(o *recommend.SecondOpinion) opinionOf {
	f := opinionOf{
		Set: o.Name, Title: o.Title, Models: o.Models, Numbers: o.Numbers,
		Evidence: string(o.Weakest), Rank: o.Rank, Agreements: []agreementFields{},
		Source: o.Source, Note: o.Note,
	}
	for _, a := range o.Agreements {
		f.Agreements = append(f.Agreements,
			agreementFields{a.Op, a.Pairs, a.Agree, a.Metric, a.Slope, a.LawSlope, a.Against})
	}
	return f
}

// Evidence fills in the list of published sets in which shape varies, with how far each orders its
// models as the law of recommend does.
func (r *Report) Evidence(opinions []recommend.SecondOpinion) {
	sets := Table{
		Columns: []Column{
			{Title: "set"},
			{Title: "what"},
			{Title: "models"},
			{Title: "numbers"},
			{Title: "evidence"},
			{Title: "rank", Kind: quantity.Number, Digits: 2},
		},
		Notes: []string{
			"Rank is the rank correlation of the law with the first metric of the set, over its largest group of models of known shape. --format json has sources and notes.",
		},
	}
	for i := range opinions {
		o := &opinions[i]
		sets.Rows = append(sets.Rows, []Cell{
			Text(o.Name), Text(o.Title), Text(o.Models), Plain(fmt.Sprint(o.Numbers)),
			Text(string(o.Weakest)), share(o.Rank),
		})
		r.Document.Results = append(r.Document.Results, opinionFieldsOf(o))
	}
	r.Tables = append(r.Tables, sets, agreementTable(opinions))
}

// agreementTable has a line for each operation of each set.
func agreementTable(opinions []recommend.SecondOpinion) Table {
	t := Table{
		Title: "What each says of one operation alone",
		Columns: []Column{
			{Title: "op"},
			{Title: "set"},
			{Title: "pairs"},
			{Title: "as the law"},
			{Title: "metric"},
			{Title: "a doubling", Kind: quantity.Number, Digits: 2},
			{Title: "by the law", Kind: quantity.Number, Digits: 2},
			{Title: "contradictions", Wraps: true},
		},
		Notes: []string{
			"Pairs are two models of one group that differ in that operation alone, over all metrics of the set: nl layers of both stacks, el and dl of one, dm d_model, ff d_ff. A doubling is the mean change of the metric, better is positive; by the law that of SuperGLUE, or of the loss in nats. Scales differ: signs can be compared, sizes cannot.",
		},
	}
	for _, op := range toldOps {
		for i := range opinions {
			for _, a := range opinions[i].Agreements {
				if a.Op != op {
					continue
				}
				t.Rows = append(t.Rows, []Cell{
					Text(op), Text(opinions[i].Name), Plain(fmt.Sprint(a.Pairs)),
					Plain(fmt.Sprint(a.Agree)), Text(a.Metric), Amount(a.Slope), Amount(a.LawSlope),
					Text(strings.Join(a.Against, "; ")),
				})
			}
		}
	}
	return t
}

// toldOps are the operations that published sets vary alone.
var toldOps = [...]string{"nl", "el", "dl", "dm", "ff"}

// agreementText says in a line how far other sets agree about each operation; empty without any.
func agreementText(opinions []recommend.SecondOpinion) string {
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
