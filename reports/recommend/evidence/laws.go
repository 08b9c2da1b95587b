package evidence

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Opinion is what one published law says of some shapes. Opinions are shown side by side and never
// averaged: they were fitted to other data than each other.
type Opinion struct {
	Law, Source string
	// Missing says why the law does not apply, and then nothing below is set.
	Missing string
	// Loss is the predicted loss of each shape in nats; nil for a law of shape alone.
	Loss []float64
	// WidthRatio is d_model over the best d_model for that depth; nil for laws of loss.
	WidthRatio []float64
	// Best is the index of the shape that the law prefers; laws in size alone prefer the largest.
	Best int
}

// Opinions returns what the published laws say of shapes trained on these tokens each (tokens[i]
// of list[i]). All were fitted to decoder-only models: for other shapes each is absent with the
// reason.
//
// Parameters are total ones. The levels belong to the laws' own data and tokenizers; what can be
// compared is which shape each prefers.
func Opinions(list []shapes.Shape, tokens []float64) []Opinion {
	var out []Opinion
	for _, law := range printedLaws() {
		o := Opinion{Law: law.name, Source: law.source}
		for i := range list {
			if list[i].Encoder.Layers > 0 || list[i].Decoder.Layers == 0 {
				o.Missing = "fitted to decoder-only models, and " + list[i].Name + " is none"
			}
		}
		if o.Missing == "" {
			for i := range list {
				law.add(&o, &list[i], tokens[i])
			}
			o.prefer()
		}
		out = append(out, o)
	}
	return out
}

// prefer fills in the best shape: the first of the least loss, or of the width nearest to the
// law's.
func (o *Opinion) prefer() {
	least := math.Inf(1)
	for i, v := range o.Loss {
		if v < least {
			least, o.Best = v, i
		}
	}
	for i, v := range o.WidthRatio {
		if miss := math.Abs(math.Log(v)); miss < least {
			least, o.Best = miss, i
		}
	}
}

// printedLaw is a law of data.LawParameters.
type printedLaw struct {
	name, source string
	constants    map[string]float64
}

func printedLaws() []printedLaw {
	var all []printedLaw
	at := map[string]int{}
	for _, p := range data.LawParameters() {
		i, ok := at[p.Law]
		if !ok {
			i = len(all)
			at[p.Law] = i
			all = append(all, printedLaw{p.Law, p.Source, map[string]float64{}})
		}
		all[i].constants[p.Parameter] = p.Value
	}
	return slices.DeleteFunc(all, func(l printedLaw) bool { return l.kind() == noLaw })
}

type lawKind uint8

const (
	noLaw     lawKind = iota // constants of something else, such as repeated data
	sizeLaw                  // loss in N and D
	shapeLaw                 // loss in width, depth, N and D
	aspectLaw                // best width for a depth
)

func (l *printedLaw) kind() lawKind {
	has := func(name string) bool { _, ok := l.constants[name]; return ok }
	switch {
	case has("c_width"):
		return shapeLaw
	case has("beta"):
		return sizeLaw
	case has("a") && has("b"):
		return aspectLaw
	}
	return noLaw
}

// add appends what the law says of one shape.
func (l *printedLaw) add(o *Opinion, s *shapes.Shape, tokens float64) {
	width, depth := float64(s.DModel), float64(s.Decoder.Layers)
	if c := l.constants; l.kind() == aspectLaw {
		o.WidthRatio = append(o.WidthRatio, width/math.Exp(c["a"]+c["b"]*depth))
		return
	}
	params := float64(flops.CountParameters(s).Total)
	o.Loss = append(o.Loss, l.loss([4]float64{width, depth, params, tokens}))
}

// loss returns what a law in size, or in shape and size, says in nats at a width, depth, size and
// number of tokens.
func (l *printedLaw) loss(x [4]float64) float64 {
	c := l.constants
	switch l.kind() {
	case sizeLaw:
		return evaluate(fit.Chinchilla(), c, x[2:]...)
	case shapeLaw:
		// The table prints the logarithms of coefficients and offset.
		natural := map[string]float64{"E": math.Exp(c["E"])}
		for _, of := range []string{"width", "depth", "params", "tokens"} {
			natural["A_"+of], natural["alpha_"+of] = math.Exp(c["c_"+of]), c["alpha_"+of]
		}
		return evaluate(fit.ShapeAware(), natural, x[:]...)
	}
	return math.NaN()
}

// evaluate returns a law of package fit at named constants.
func evaluate(law fit.Law, constants map[string]float64, x ...float64) float64 {
	params := make([]float64, len(law.Params))
	for i, p := range law.Params {
		params[i] = constants[p.Name]
	}
	return law.Predict(params, x)
}
