package vec

import "math"

func add(dst, a []float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] += a[i]
	}
}

func scale(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}

func axpy(dst, a []float32, s float32) {
	a = a[:len(dst)]
	for i := range dst {
		dst[i] += s * a[i]
	}
}

const (
	// expCutoff: exp of less is 0, so that every power of two in exp is a normal number.
	expCutoff = -87
	// The coefficients of 2^f on [-1/2, 1/2]: the minimax polynomial of the relative error (Remez
	// exchange), then the constant set to 1 so that exp(0) is 1; relative error 1.5e-7.
	exp2C1, exp2C2, exp2C3, exp2C4, exp2C5 = 0.6931469671, 0.2402211972, 0.05550713274,
		0.009675541334, 0.001327647198
	mantissaBits = 23
)

// exp returns e^x for x <= 0, and 0 below expCutoff; NaN stays NaN.
//
//	n = round(x*log2 e), f = x*log2 e - n, e^x = 2^n * p(f)
func exp(x float32) float32 {
	if x < expCutoff {
		return 0
	}
	if x != x {
		return x
	}
	t := float64(x) * math.Log2E
	n := int32(t - 0.5)
	f := float32(t - float64(n))
	p := 1 + f*(exp2C1+f*(exp2C2+f*(exp2C3+f*(exp2C4+f*exp2C5))))
	return math.Float32frombits(uint32(int32(math.Float32bits(p)) + n<<mantissaBits))
}

func expSum(x []float32, m float32) float32 {
	var sum float64
	for i, v := range x {
		e := exp(v - m)
		x[i] = e
		sum += float64(e)
	}
	return float32(sum)
}

func softmaxGrad(dx, dy, p []float32, c float32) {
	dy, p = dy[:len(dx)], p[:len(dx)]
	for i := range dx {
		dx[i] = p[i] * (dy[i] - c)
	}
}

func normApply(y, x, w []float32, r float32) {
	x, w = x[:len(y)], w[:len(y)]
	for i := range y {
		y[i] = r * x[i] * w[i]
	}
}

func normGrad(dx, dw, dy, x, w []float32, r, c float32) {
	dw, dy, x, w = dw[:len(dx)], dy[:len(dx)], x[:len(dx)], w[:len(dx)]
	for i := range dx {
		g := r * dy[i]
		dw[i] += g * x[i]
		dx[i] = g*w[i] - c*x[i]
	}
}

func normGradAdd(dx, dw, dy, x, w []float32, r, c float32) {
	dw, dy, x, w = dw[:len(dx)], dy[:len(dx)], x[:len(dx)], w[:len(dx)]
	for i := range dx {
		g := r * dy[i]
		dw[i] += g * x[i]
		dx[i] += g*w[i] - c*x[i]
	}
}

func relu(y, x []float32) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] = max(v, 0)
	}
}

func reluGrad(dx, dy, y []float32) {
	dy, y = dy[:len(dx)], y[:len(dx)]
	for i := range dx {
		// integers, so that the compiler selects without a branch that half the elements would
		// mispredict
		bits := math.Float32bits(dy[i])
		if y[i] <= 0 {
			bits = 0
		}
		dx[i] = math.Float32frombits(bits)
	}
}

const (
	// geluLinear = 2*sqrt(2/pi) and geluCubic = 0.044715 of it: gelu(a) = a*sigmoid(geluLinear*a +
	// geluCubic*a^3).
	geluLinear = 1.5957691216057308
	geluCubic  = 0.07135481627159822
	// geluClamp: beyond it the sigmoid is 0 or 1 and its derivative 0 in float32.
	geluClamp = 16
)

// gate returns sigmoid(v), 1-sigmoid(v), each without cancellation, and the product a*dv/da for v =
// geluLinear*a + geluCubic*a^3.
func gate(a float32) (s, rest, slope float32) {
	a = min(max(a, -geluClamp), geluClamp)
	v := a * (geluLinear + geluCubic*a*a)
	small := exp(-max(v, -v))
	s = 1 / (1 + small)
	rest = small * s
	if v < 0 {
		s, rest = rest, s
	}
	return s, rest, a * (geluLinear + 3*geluCubic*a*a)
}

func geglu(h, a, b []float32) {
	a, b = a[:len(h)], b[:len(h)]
	for i := range h {
		s, _, _ := gate(a[i])
		h[i] = a[i] * s * b[i]
	}
}

func gegluGrad(da, db, dh, a, b []float32) {
	db, dh, a, b = db[:len(da)], dh[:len(da)], a[:len(da)], b[:len(da)]
	for i := range da {
		s, rest, slope := gate(a[i])
		g, gated := dh[i], a[i]*s
		da[i] = g * (s + s*rest*slope) * b[i]
		db[i] = g * gated
	}
}
