package result

import (
	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// ListedShape is a shape of the catalogue.
type ListedShape struct {
	Shape        Shape    `json:"shape"`
	Params       *int64   `json:"params,omitempty"`
	Aliases      []string `json:"aliases,omitempty"`
	Checkpoints  []string `json:"checkpoints,omitempty"`
	NotCountable string   `json:"not_countable,omitempty"`
	Evidence     string   `json:"evidence"`
	Source       string   `json:"source"`
	Note         string   `json:"note,omitempty"`
}

// ListedShapeOf returns an entry of the catalogue as JSON writes it; params is nil for one that is
// not counted.
func ListedShapeOf(e *shapes.Entry, params *int64) ListedShape {
	return ListedShape{
		ShapeOf(&e.Shape), params, e.Aliases, e.Checkpoints, e.NotCountable, string(e.Evidence),
		e.Source, e.Note,
	}
}

// Convention is a way to count FLOPs.
type Convention struct {
	Convention flops.Convention `json:"convention"`
	Meaning    string           `json:"meaning"`
}

// Region is a place whose electricity is known.
type Region struct {
	Region       string  `json:"region"`
	Name         string  `json:"name"`
	Kind         string  `json:"kind"`
	Provider     string  `json:"provider,omitempty"`
	KgCO2ePerKWh float64 `json:"kg_co2e_per_kwh"`
	Source       string  `json:"source"`
	Evidence     string  `json:"evidence"`
}

// RegionOf returns a region as JSON writes it.
func RegionOf(r *hardware.Region) Region {
	g := &r.Grid
	return Region{r.Key, r.Name, r.Kind, r.Provider, g.Intensity, g.Source, string(g.Evidence)}
}

// ListedLaw is a law that can be fitted.
type ListedLaw struct {
	Law        string   `json:"law"`
	Response   string   `json:"response"`
	Columns    []string `json:"columns"`
	Parameters []string `json:"parameters"`
	Formula    string   `json:"formula"`
	Source     string   `json:"source"`
}

// ListedLawOf returns a law as JSON writes it.
func ListedLawOf(l *fit.Law) ListedLaw {
	names := make([]string, len(l.Params))
	for i, p := range l.Params {
		names[i] = p.Name
	}
	return ListedLaw{l.Name, l.Response, l.Columns, names, l.Formula, l.Source}
}

// Term is an entry of the glossary.
type Term struct {
	Term    string   `json:"term"`
	Aliases []string `json:"aliases,omitempty"`
	Meaning string   `json:"meaning"`
	Formula string   `json:"formula,omitempty"`
	Source  string   `json:"source,omitempty"`
}

// TermOf returns an entry of the glossary as JSON writes it.
func TermOf(t *data.Term) Term { return Term{t.Name, t.Aliases, t.Meaning, t.Formula, t.Source} }
