package vec

import "math"

func adam(p, m, v, g []float32, gradScale, beta1, rest1, beta2, rest2, root, eps, rate,
	keep float32,
) {
	m, v, g = m[:len(p)], v[:len(p)], g[:len(p)]
	for i := range p {
		h := gradScale * g[i]
		m[i] = beta1*m[i] + rest1*h
		v[i] = beta2*v[i] + rest2*h*h
		p[i] = keep*p[i] - rate*m[i]/(root*sqrt(v[i])+eps)
	}
}

// sqrt compiles to the float32 instruction: rounding the float64 root is exact.
func sqrt(x float32) float32 { return float32(math.Sqrt(float64(x))) }

func squares(col, g []float32) float32 {
	g = g[:len(col)]
	var sum float64
	for i := range col {
		square := g[i] * g[i]
		col[i] += square
		sum += float64(square)
	}
	return float32(sum)
}

func scaledSquares(g, c []float32) float32 {
	c = c[:len(g)]
	var sum float64
	for i := range g {
		u := g[i] * c[i]
		sum += float64(u) * float64(u)
	}
	return float32(sum)
}

func scaledSubtract(p, g, c []float32, s float32) {
	g, c = g[:len(p)], c[:len(p)]
	for i := range p {
		p[i] -= s * (g[i] * c[i])
	}
}

func moment(v, g []float32, beta, rest, eps float32) float32 {
	g = g[:len(v)]
	var sum float64
	for i := range v {
		square := g[i] * g[i]
		v[i] = beta*v[i] + rest*(square+eps)
		sum += float64(square) / float64(v[i])
	}
	return float32(sum)
}

func rootSubtract(p, g, v []float32, s float32) {
	g, v = g[:len(p)], v[:len(p)]
	for i := range p {
		p[i] -= s * (g[i] / sqrt(v[i]))
	}
}
