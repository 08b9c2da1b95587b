package tensors

import (
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// headTensors are the names of an output projection, as suffixes.
var HeadNames = []string{
	"lm_head.weight", "embed_out.weight", "proj_out.weight", "cls.predictions.decoder.weight",
}

// EndsIn reports whether a tensor's name ends in one of the suffixes, at a dot.
func EndsIn(name string, suffixes []string) bool {
	return slices.ContainsFunc(suffixes, func(s string) bool {
		return strings.HasSuffix(name, s) && (len(name) == len(s) || s[0] == '.' ||
			name[len(name)-len(s)-1] == '.')
	})
}

// Whole reports whether a tensor holds a parameter in each element, or none: it is not packed.
func (h *Header) Whole(t *Tensor) bool {
	h.unpack()
	return t.trained == 0 || t.trained == t.number
}

// Copies reports whether a head's tensor is known to be the token table under another name.
func (h *Header) Copies(head string) bool {
	h.unpack()
	return slices.ContainsFunc(h.Tensors, func(t Tensor) bool { return t.Name == head && t.trained == 0 })
}

// ParametersOf returns the parameters a header holds as the shape counts them: without buffers,
// without fixed sinusoids, and without copies of a tied embedding that some checkpoints store.
func (h *Header) ParametersOf(s *shapes.Shape) int64 {
	h.unpack()
	shared := slices.ContainsFunc(h.Tensors,
		func(t Tensor) bool { return EndsIn(t.Name, []string{"shared.weight"}) })
	tied := s.Head == shapes.HeadTied || s.Head == shapes.HeadMLM
	var sum int64
	for i := range h.Tensors {
		t := &h.Tensors[i]
		copied := shared && EndsIn(t.Name, []string{"embed_tokens.weight"}) ||
			tied && EndsIn(t.Name, HeadNames) ||
			EndsIn(t.Name, []string{"cls.predictions.decoder.bias"})
		if !copied && !isBuffer(t) && !fixedPositions(s, t) {
			sum += t.trained
		}
	}
	return sum
}

// fixedPositions reports whether a tensor is the sinusoid table of a stack.
func fixedPositions(s *shapes.Shape, t *Tensor) bool {
	if !EndsIn(t.Name, []string{"embed_positions.weight"}) {
		return false
	}
	k := &s.Encoder
	if slices.Contains(strings.Split(t.Name, "."), "decoder") {
		k = &s.Decoder
	}
	return k.Position == shapes.Sinusoidal
}
