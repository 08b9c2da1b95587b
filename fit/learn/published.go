package learn

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
)

// paperModel is one model of Tay et al. 2021 with both results.
type paperModel struct {
	name                 string
	upstream, downstream float64
	evidence             data.Evidence // the weaker of both
}

// paperModels returns the points of the figures and the rows of the tables whose shape the figures do
// not show; without are those that lack a result.
func paperModels() (figure, tables []paperModel, without []Drop) {
	shown := map[string]bool{}
	lacks := func(name string) {
		without = append(without, Drop{Row: name, Reason: "one of the two results is not known"})
	}
	for _, p := range data.PaperPoints() {
		shown[p.Shape] = true
		figure = append(figure, paperModel{p.Model, -p.Loss, p.SuperGLUE, p.Evidence})
	}
	for _, row := range data.PaperResults() {
		switch {
		case shown[row.Shape]:
		case row.Upstream == nil || row.SuperGLUE == nil:
			lacks(row.Model)
		default:
			tables = append(tables, paperModel{
				row.Model, row.Upstream.Value, row.SuperGLUE.Value,
				data.Weakest(row.Upstream.Evidence, row.SuperGLUE.Evidence),
			})
		}
	}
	return figure, tables, without
}

// PublishedTransfer compares the points of the figures of Tay et al. 2021, and then those and the rows
// of the tables, which span all sizes and are mostly recalled. Of the question it reads ties and
// level; allowed are the classes of evidence to rest on, all when empty.
//
// Errors: [*fit.Refusal].
func PublishedTransfer(q *TransferQuestion, allowed []data.Evidence) ([]*Transferred, error) {
	figure, tables, without := paperModels()
	var out []*Transferred
	for _, part := range []struct {
		about  string
		models []paperModel
	}{
		{"Figures 1 and 2 of Tay et al. 2021, arXiv 2109.10686, measured in the plots. Higher is better on both sides.", figure},
		{
			"Those figures and, for other shapes, the tables of Tay et al. 2021.",
			slices.Concat(figure, tables),
		},
	} {
		t := &Transferred{
			Upstream: "negative log perplexity", Downstream: "SuperGLUE", Level: q.Level,
			Rows: Rows{Drops: slices.Clone(without)}, Notes: []string{part.about},
		}
		in := fit.TransferInput{
			UpstreamHigher: true, UpstreamTie: q.UpstreamTie, DownstreamTie: q.DownstreamTie,
			Level: q.Level,
		}
		var recalled []string
		for _, m := range part.models {
			if len(allowed) > 0 && !slices.Contains(allowed, m.evidence) {
				t.Drops = append(t.Drops, Drop{
					Row:    m.name,
					Reason: "evidence is " + string(m.evidence),
				})
				continue
			}
			if m.evidence == data.Recalled {
				recalled = append(recalled, m.name)
			}
			in.Names = append(in.Names, m.name)
			in.Upstream, in.Downstream = append(in.Upstream, m.upstream),
				append(in.Downstream, m.downstream)
		}
		if len(recalled) > 0 {
			t.Notes = append(t.Notes, fmt.Sprintf(
				"Recalled, not checked against the paper: %s; --evidence figure leaves them out.",
				strings.Join(recalled, ", ")))
		}
		var err error
		if t.Transfer, err = fit.Transfer(in); err != nil {
			return nil, err
		}
		t.Used = len(in.Names)
		out = append(out, t)
	}
	return out, nil
}
