package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// StageLayers returns how many layers of the encoder and of the decoder pipeline stage r holds, for
// a valid layout whose zero fields are filled ([Layout.For]). It does not allocate.
func (l Layout) StageLayers(s *shapes.Shape, r int) (encoder, decoder int) {
	e, d := l.spans(s, r)
	return e.layers, d.layers
}
