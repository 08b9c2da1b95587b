package data

import (
	"slices"
	"sync"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// ShapeSet is one published set of results in which the shape of models varies.
type ShapeSet struct {
	Name, Title string
	Models      string // the kind of models
	Source      string
	Note        string // what to beware of
}

var shapeSets = embedded("facts/shape_sets.csv", func(r *row) ShapeSet {
	return ShapeSet{
		Name: r.required("set"), Title: r.required("title"), Models: r.required("models"),
		Source: r.required("source"), Note: r.text("note"),
	}
})

// ShapeSets returns the 16 sets.
func ShapeSets() []ShapeSet { return slices.Clone(shapeSets()) }

// Better says which way a metric improves; it is empty for what is neither, such as speed.
type Better string

// The ways.
const (
	Higher Better = "high"
	Lower  Better = "low"
)

// ShapeResult is one number of one model of a [ShapeSet]. Only rows of one set, group and metric
// are on one scale.
type ShapeResult struct {
	Set, Group, Model string
	// The shape; zero where it is not known, or for a stack that the model lacks.
	EncoderLayers, DecoderLayers, DModel, DFF, Heads int
	Params                                           *float64
	Metric                                           string
	Better                                           Better
	Value                                            float64
	Source                                           string // of the set
	Evidence                                         Evidence
	Note                                             string
}

var shapeResults = sync.OnceValue(func() []ShapeResult {
	sources := map[string]string{}
	for _, s := range shapeSets() {
		sources[s.Name] = s.Source
	}
	return embedded("facts/shape_results.csv", func(r *row) ShapeResult {
		size := func(name string) int {
			if n := r.optionalCount(name); n != nil {
				return *n
			}
			return 0
		}
		out := ShapeResult{
			Set: r.required("set"), Group: r.required("group"), Model: r.required("model"),
			EncoderLayers: size("encoder_layers"), DecoderLayers: size("decoder_layers"),
			DModel: size("d_model"), DFF: size("d_ff"), Heads: size("heads"),
			Params: r.optional("params", quantity.Params), Metric: r.required("metric"),
			Better: Better(r.text("better")), Value: r.amount("value", quantity.Number),
			Evidence: r.evidence("evidence"), Note: r.text("note"),
		}
		out.Source = sources[out.Set]
		if out.Source == "" {
			r.fault("set", "no such set in shape_sets.csv: %q", out.Set)
		}
		if out.Better != "" && out.Better != Higher && out.Better != Lower {
			r.fault("better", "unknown way: %q; allowed: %s, %s or empty", out.Better, Higher, Lower)
		}
		return out
	})()
})

// ShapeResults returns the 810 numbers.
func ShapeResults() []ShapeResult { return slices.Clone(shapeResults()) }

// ShapePair is two models that many fine-tuning runs compare at equal settings.
type ShapePair struct {
	Task, Model, Beside string
	Layers, DModel      int // of each stack of Model
	BesideLayers        int
	BesideDModel        int
	// MedianDifference is Model less Beside, in points: the median over settings. A mean would
	// include collapsed runs.
	MedianDifference float64
	Provenance
}

var shapePairs = embedded("facts/arabict5_pairs.csv", func(r *row) ShapePair {
	return ShapePair{
		Task: r.required("task"), Model: r.required("model"), Beside: r.required("beside"),
		Layers: r.count("layers"), DModel: r.count("d_model"),
		BesideLayers: r.count("beside_layers"), BesideDModel: r.count("beside_d_model"),
		MedianDifference: r.amount("median_difference", quantity.Number),
		Provenance:       r.provenance(""),
	}
})

// ShapePairs returns the 15 pairs of ArabicT5.
func ShapePairs() []ShapePair { return slices.Clone(shapePairs()) }
