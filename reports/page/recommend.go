package page

import (
	"fmt"
	"strconv"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// recommendations fills a section with the front: a plot and a table whose rows and points know
// each other, the answer in the first columns, and why each shape is there.
func (s *section) recommendations(d *result.Saved) error {
	t := table{Table: reports.Table{
		Title: "Recommended shapes",
		Columns: []reports.Column{
			{Title: "shape"},
			{Title: "params saved", Kind: quantity.Fraction},
			{Title: "step saved", Kind: quantity.Fraction},
			{Title: "cost saved", Kind: quantity.Fraction},
			{Title: "score", Kind: quantity.Number},
			{Title: "loss", Kind: quantity.Number},
			{Title: "params"},
			{Title: "step", Kind: quantity.Duration},
			{Title: "cost", Kind: quantity.Money},
			{Title: "memory"},
			{Title: "evidence"},
			{Title: "among"},
		},
		Notes: []string{
			"* the pick, = as good as the anchor within the error of the difference. Saved is against the anchor; negative costs more.",
		},
	}}
	why := table{Table: reports.Table{
		Title: "Why each is there", Columns: columnsOf("shape", "¶reason"),
	}}
	down := plot{Title: "Score against size", Y: "score"}
	loss := plot{Title: "Loss against size", Y: "loss"}
	for _, p := range []*plot{&down, &loss} {
		p.X, p.Kind, p.LogX = "parameters", quantity.Params, true
	}
	err := each(d.Results, func(i int, r *result.Recommended) {
		key := fmt.Sprintf("%s-%d", s.ID, i)
		t.Rows = append(t.Rows, recommendedRow(r))
		class := ""
		point := point{
			Key: key, X: float64(r.Params.Total), Label: label(r), Class: "candidate",
			Among: r.Among, Mark: strconv.Itoa(r.Rank), Measured: r.Evidence == "measured",
		}
		switch {
		case r.Among == "anchor":
			point.Class, point.Mark = "anchor", r.Shape.Name
		case r.Pick:
			class, point.Class, point.Mark = "pick", "pick", point.Mark+" "+r.Shape.Name
		}
		t.Marks = append(t.Marks, mark{key, class})
		down.add(point, r.Quality.Downstream)
		loss.add(point, r.Quality.Upstream)
		if r.Why != "" {
			why.add(r.Shape.Name, r.Why)
		}
	})
	for _, p := range []*plot{&down, &loss} {
		p.legend("anchor", "the anchor")
		p.legend("pick", "a pick")
	}
	s.Plots = append(s.Plots, laid(down, loss)...)
	s.First, s.Tables = append(s.First, t.cut()), append(s.Tables, kept(why)...)
	return err
}

// label is what hovering over a point says.
func label(r *result.Recommended) string {
	text := fmt.Sprintf("%s: %s parameters", r.Shape.Name,
		quantity.Format(quantity.Params, float64(r.Params.Total), 0))
	for _, e := range []struct {
		name string
		kind quantity.Kind
		*quantity.Interval
	}{
		{"score", quantity.Number, r.Quality.Downstream},
		{"loss", quantity.Number, r.Quality.Upstream},
		{"step", quantity.Duration, r.Time.StepSeconds},
	} {
		if e.Interval != nil {
			text += ", " + e.name + " " + quantity.FormatInterval(e.kind, *e.Interval)
		}
	}
	return text + ", evidence " + evidence(r) + ". " + r.Why
}

func evidence(r *result.Recommended) string {
	if r.Readings == "" {
		return r.Evidence
	}
	return r.Evidence + " (" + r.Readings + ")"
}

func recommendedRow(r *result.Recommended) []reports.Cell {
	name := r.Shape.Name
	if r.Among == "anchor" {
		name += " (anchor)"
	}
	if r.Pick {
		name += " *"
	}
	if r.Tie {
		name += " ="
	}
	return []reports.Cell{
		reports.Text(name), reports.OptionalAmount(r.Saved.Params),
		reports.OptionalAmount(r.Saved.StepTime), reports.OptionalAmount(r.Saved.Cost),
		reports.Optional(r.Quality.Downstream), reports.Optional(r.Quality.Upstream),
		short(quantity.Params, float64(r.Params.Total)), reports.Optional(r.Time.StepSeconds),
		reports.Optional(r.Cost.USD), short(quantity.Bytes, r.Memory.PeakBytes),
		reports.Text(evidence(r)), reports.Text(r.Among),
	}
}
