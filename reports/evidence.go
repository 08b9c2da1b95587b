package reports

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
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
