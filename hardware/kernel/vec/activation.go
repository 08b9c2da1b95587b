package vec

// ReLU writes y = max(x, 0); NaN stays NaN. y may be x.
func (s *Set) ReLU(y, x []float32) { s.k.relu(y, exactly(x, len(y))) }

// ReLUBackward writes dx = dy where the output y of ReLU is positive and 0 elsewhere. dx may be dy.
func (s *Set) ReLUBackward(dx, dy, y []float32) {
	s.k.reluGrad(dx, exactly(dy, len(dx)), exactly(y, len(dx)))
}

// GEGLU writes h = gelu(a)·b, the gated activation of T5 1.1, with the tanh form of gelu.
//
//	gelu(a) = a/2·(1 + tanh(√(2/π)·(a + 0.044715·a³))) = a·sigmoid(2·√(2/π)·(a + 0.044715·a³))
//
// h may be a or b. Source: Hendrycks and Gimpel 2016, arXiv 1606.08415; Shazeer 2020, arXiv
// 2002.05202.
func (s *Set) GEGLU(h, a, b []float32) {
	s.k.geglu(h, exactly(a, len(h)), exactly(b, len(h)))
}

// GEGLUBackward writes da = dh·b·gelu'(a) and db = dh·gelu(a). da and db may be any of the inputs,
// but not each other.
func (s *Set) GEGLUBackward(da, db, dh, a, b []float32) {
	n := len(da)
	s.k.gegluGrad(da, exactly(db, n), exactly(dh, n), exactly(a, n), exactly(b, n))
}
