package check

import "github.com/deepnarrow/deepnarrow/shapes"

// knob is a size of a shape that a person could turn.
type knob struct {
	field string // where the file says it
	label string // what a hint calls it
	value int
	unit  int // steps in which it is turned
	set   func(s *shapes.Shape, n int)
}

// knobs lists the sizes of a shape: depths one by one, widths in steps that keep a matrix unit
// filled. The feed-forward widths of both stacks turn as one where they are equal.
func knobs(s *shapes.Shape) []knob {
	const width = 64
	var out []knob
	add := func(field, label string, value, unit int, set func(s *shapes.Shape, n int)) {
		if value >= unit {
			out = append(out, knob{field, label, value, unit, set})
		}
	}
	add("encoder.layers", "encoder layers", s.Encoder.Layers, 1, func(s *shapes.Shape, n int) { s.Encoder.Layers = n })
	add("decoder.layers", "decoder layers", s.Decoder.Layers, 1, func(s *shapes.Shape, n int) { s.Decoder.Layers = n })
	switch {
	case s.Encoder.Layers > 0 && s.Decoder.Layers > 0 && s.Encoder.DFF == s.Decoder.DFF:
		add("encoder.d_ff", "d_ff", s.Encoder.DFF, width, func(s *shapes.Shape, n int) { s.Encoder.DFF, s.Decoder.DFF = n, n })
	default:
		if s.Encoder.Layers > 0 {
			add("encoder.d_ff", "encoder d_ff", s.Encoder.DFF, width, func(s *shapes.Shape, n int) { s.Encoder.DFF = n })
		}
		if s.Decoder.Layers > 0 {
			add("decoder.d_ff", "decoder d_ff", s.Decoder.DFF, width, func(s *shapes.Shape, n int) { s.Decoder.DFF = n })
		}
	}
	add("d_model", "d_model", s.DModel, width, func(s *shapes.Shape, n int) { s.DModel = n })
	return out
}

// reach returns the value nearest to the present one that meets a limit, by bisection over
// multiples of the unit: metrics rise with every size. down says that the metric must fall.
func (k *knob) reach(at func(int) (float64, bool), limit float64, down bool) (int, bool) {
	meets := func(steps int) bool {
		v, ok := at(steps * k.unit)
		return ok && (down && v <= limit || !down && v >= limit)
	}
	good, bad := 1, (k.value+k.unit-1)/k.unit
	if !down {
		const farthest = 8 // times the present size
		good, bad = farthest*bad, max(1, k.value/k.unit)
	}
	if !meets(good) {
		return 0, false
	}
	for max(good, bad)-min(good, bad) > 1 {
		if middle := (good + bad) / 2; meets(middle) {
			good = middle
		} else {
			bad = middle
		}
	}
	return good * k.unit, true
}
