package page

import (
	"encoding/json"
	"fmt"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// recommended is a result of recommend, as far as it is shown.
type recommended struct {
	Rank    int    `json:"rank"`
	Among   string `json:"among"`
	Shape   shape  `json:"shape"`
	Pick    bool   `json:"pick"`
	Tie     bool   `json:"tie"`
	Params  total  `json:"params"`
	Memory  peak   `json:"memory"`
	Time    times  `json:"time"`
	Cost    costs  `json:"cost"`
	Saved   saved  `json:"saved"`
	Quality struct {
		Upstream   estimate `json:"upstream"`
		Downstream estimate `json:"downstream"`
	} `json:"quality"`
	Evidence string `json:"evidence"`
	Readings string `json:"readings"`
	Why      string `json:"why"`
}

type (
	total struct {
		Total float64 `json:"total"`
	}
	peak struct {
		Peak float64 `json:"peak_bytes"`
	}
	times struct {
		Step estimate `json:"step_seconds"`
	}
	costs struct {
		USD estimate `json:"usd"`
	}
	saved struct {
		Params *float64 `json:"params"`
		Step   *float64 `json:"step_time"`
		Cost   *float64 `json:"cost"`
	}
)

// recommendations fills a section with the front: a plot and a table whose rows and points know
// each other.
func (s *section) recommendations(results []json.RawMessage) error {
	t := table{
		Title: "Recommended shapes",
		Note:  "* the pick, = a tie with the anchor within the error of the difference. Saved is against the anchor; negative costs more.",
		Columns: columnsOf(
			"#", "shape", "among", "#params", "#params saved", "#step", "#step saved",
			"#memory", "#cost", "#upstream loss", "#downstream", "evidence", "¶why",
		),
	}
	down := plot{
		Title: "Quality after fine-tuning against size", X: "parameters", Y: "score after fine-tuning",
		Kind: quantity.Params, LogX: true,
	}
	loss := plot{
		Title: "Pre-training loss against size", X: "parameters", Y: "loss",
		Kind: quantity.Params, LogX: true,
	}
	for i, raw := range results {
		var r recommended
		if err := json.Unmarshal(raw, &r); err != nil {
			return err
		}
		key := fmt.Sprintf("%s-%d", s.ID, i)
		t.Rows = append(t.Rows, r.row(key))
		point := point{
			Key: key, X: r.Params.Total, Label: r.label(), Class: "candidate",
			Among: r.Among, Mark: fmt.Sprint(r.Rank), Measured: r.Evidence == "measured",
		}
		switch {
		case r.Among == "anchor":
			point.Class, point.Mark = "anchor", r.Shape.Name
		case r.Pick:
			point.Class, point.Mark = "pick", point.Mark+" "+r.Shape.Name
		}
		down.add(point, r.Quality.Downstream)
		loss.add(point, r.Quality.Upstream)
	}
	for _, p := range []*plot{&down, &loss} {
		if p.lay() {
			s.Plots = append(s.Plots, *p)
		}
	}
	s.Tables = append(s.Tables, t.cut())
	return nil
}

// label is what hovering over a point says.
func (r *recommended) label() string {
	text := fmt.Sprintf("%s: %s parameters", r.Shape.Name,
		quantity.Format(quantity.Params, r.Params.Total, 0))
	if d := r.Quality.Downstream; d.Interval != nil {
		text += ", score " + d.text(quantity.Number)
	}
	if u := r.Quality.Upstream; u.Interval != nil {
		text += ", loss " + u.text(quantity.Number)
	}
	if r.Time.Step.Interval != nil {
		text += ", step " + r.Time.Step.text(quantity.Duration)
	}
	return text + ", evidence " + r.evidence() + ". " + r.Why
}

func (r *recommended) evidence() string {
	if r.Readings == "" {
		return r.Evidence
	}
	return r.Evidence + " (" + r.Readings + ")"
}

func (r *recommended) row(key string) row {
	rank := number(fmt.Sprint(r.Rank), float64(r.Rank))
	if r.Among == "anchor" {
		rank.Text = "anchor"
	}
	name := r.Shape.Name
	if r.Pick {
		name += " *"
	}
	if r.Tie {
		name += " ="
	}
	share := func(f *float64) cell {
		if f == nil {
			return words("–")
		}
		return number(quantity.Format(quantity.Number, 100**f, 3)+" %", *f)
	}
	class := ""
	if r.Pick {
		class = "pick"
	}
	return row{Key: key, Class: class, Cells: []cell{
		rank, words(name), words(r.Among), number(
			quantity.Format(quantity.Params, r.Params.Total, 0), r.Params.Total),
		share(r.Saved.Params),
		r.Time.Step.cell(quantity.Duration), share(r.Saved.Step),
		number(quantity.Format(quantity.Bytes, r.Memory.Peak, 0), r.Memory.Peak),
		r.Cost.USD.cell(quantity.Money), r.Quality.Upstream.cell(quantity.Number),
		r.Quality.Downstream.cell(quantity.Number),
		words(r.evidence()), words(r.Why),
	}}
}
