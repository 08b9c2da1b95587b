package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/reports"
)

// paperModel is one model of Tay et al. 2021 with both results.
type paperModel struct {
	name, shape           string
	upstream, downstream  float64
	upstreamBy, downstrBy data.Evidence
}

// paperModels returns the points of Figure 1, each at the middle of its reading, and the rows of
// the tables whose shape the figure does not show.
func paperModels() (models []paperModel, without []string) {
	shown := map[string]bool{}
	for _, p := range data.Figure1Readings() {
		shown[p.Shape] = p.Shape != ""
		if p.SuperGLUELow == nil || p.SuperGLUEHigh == nil {
			without = append(without, p.Label)
			continue
		}
		models = append(models, paperModel{
			p.Label, p.Shape, (p.UpstreamLow + p.UpstreamHigh) / 2,
			(*p.SuperGLUELow + *p.SuperGLUEHigh) / 2, p.Evidence, p.Evidence,
		})
	}
	for _, row := range data.PaperResults() {
		switch {
		case shown[row.Shape]:
		case row.Upstream == nil || row.SuperGLUE == nil:
			without = append(without, row.Model)
		default:
			models = append(models, paperModel{
				row.Model, row.Shape, row.Upstream.Value,
				row.SuperGLUE.Value, row.Upstream.Evidence, row.SuperGLUE.Evidence,
			})
		}
	}
	return models, without
}

// publishedTransfer compares the points of Figure 1, and then those and the rows of the tables,
// which span all sizes and are mostly recalled.
func (a *app) publishedTransfer(f *transferFlags, r *reports.Report) error {
	var allowed []data.Evidence
	for _, word := range f.evidence {
		e, err := data.ParseEvidence(strings.TrimSpace(word))
		if err != nil {
			return usage("", "--evidence: %w", err)
		}
		allowed = append(allowed, e)
	}
	r.Document.Inputs["published"] = true
	if len(allowed) > 0 {
		r.Document.Inputs["evidence"] = allowed
	}
	models, without := paperModels()
	figure := models[:slices.IndexFunc(models, func(m paperModel) bool { return m.upstreamBy != data.Figure || m.downstrBy != data.Figure })]
	for _, part := range []struct {
		about  string
		models []paperModel
	}{
		{"Figure 1 of Tay et al. 2021, arXiv 2109.10686, read off the plot. Higher is better on both sides.", figure},
		{"Figure 1 and, for other shapes, the tables of Tay et al. 2021.", models},
	} {
		out := &reports.Transferred{
			Upstream: "negative log perplexity", Downstream: "SuperGLUE",
			Level: f.level, Notes: []string{part.about},
		}
		for _, name := range without {
			out.Drops = append(out.Drops, reports.DroppedRow{
				Row:    name,
				Reason: "one of the two results is not known",
			})
		}
		in := f.ofPaper(part.models, allowed, out)
		result, err := fit.Transfer(in)
		if err != nil {
			return refused(err)
		}
		out.Transfer, out.Used = result, len(in.Names)
		r.Transfer(out)
	}
	return nil
}

// ofPaper keeps the models with the evidence that is allowed (all, when none is named) and notes
// what was recalled.
func (f *transferFlags) ofPaper(models []paperModel, allowed []data.Evidence,
	out *reports.Transferred,
) fit.TransferInput {
	in := fit.TransferInput{
		UpstreamHigher: true, UpstreamTie: f.upstreamTie,
		DownstreamTie: f.downstreamTie, Level: f.level,
	}
	var recalled []string
	for _, m := range models {
		weakest := data.Weakest(m.upstreamBy, m.downstrBy)
		if len(allowed) > 0 && !slices.Contains(allowed, weakest) {
			out.Drops = append(out.Drops, reports.DroppedRow{Row: m.name, Reason: "evidence is " +
				string(weakest)})
			continue
		}
		if weakest == data.Recalled {
			recalled = append(recalled, m.name)
		}
		in.Names = append(in.Names, m.name)
		in.Upstream, in.Downstream = append(in.Upstream, m.upstream),
			append(in.Downstream, m.downstream)
	}
	if len(recalled) > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf(
			"Recalled, not checked against the paper: %s; --evidence figure leaves them out.",
			strings.Join(recalled, ", ")))
	}
	return in
}
