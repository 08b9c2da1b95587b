package fit

import (
	"math"
	"slices"
)

// startPoints returns n starts in θ: a shifted Halton sequence through the ranges of the law's
// exponents, with the coefficients projected onto the data (variable projection), or through the
// law's own Start.
func (pb *problem) startPoints(n int, seed uint64) [][]float64 {
	s := pb.summary()
	out := make([][]float64, 0, n)
	u := make([]float64, pb.p)
	shift := make([]float64, pb.p)
	state := seed
	for j := range shift {
		shift[j] = splitmix(&state)
	}
	for i := range n {
		for j := range u {
			u[j] = math.Mod(RadicalInverse(i+1, primes[j])+shift[j], 1)
		}
		t := make([]float64, pb.p)
		if pb.law.Start != nil {
			pb.law.Start(u, s, t)
		} else {
			exponents := 0
			for j, pa := range pb.law.Params {
				if !pa.Log {
					t[j] = pa.Start[0] + u[exponents]*(pa.Start[1]-pa.Start[0])
					exponents++
				}
			}
			pb.projectCoefficients(t)
		}
		if !slices.ContainsFunc(t, math.IsNaN) {
			out = append(out, t)
		}
	}
	return out
}

var primes = [maxParams]int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53}

// RadicalInverse returns element i of the van der Corput sequence of a prime base, in (0, 1).
func RadicalInverse(i, base int) float64 {
	v, f := 0.0, 1/float64(base)
	for ; i > 0; i /= base {
		v += f * float64(i%base)
		f /= float64(base)
	}
	return v
}

// splitmix advances the state and returns a number in [0, 1).
//
// Source: Steele, Lea and Flood 2014, SplitMix64.
func splitmix(state *uint64) float64 {
	return float64(splitmix64(state)>>11) / (1 << 53)
}

func splitmix64(state *uint64) uint64 {
	*state += 0x9e3779b97f4a7c15
	z := *state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (pb *problem) summary() Summary {
	q := pb.q
	s := Summary{
		ZMin: make([]float64, q), ZMax: make([]float64, q), ZMean: make([]float64, q),
		Slope: make([]float64, q),
		YMin:  slices.Min(pb.y), YMax: slices.Max(pb.y),
	}
	v := pb.lnY
	if s.YMin <= 0 {
		v = pb.y
	}
	for j := range q {
		lo, hi, sum := math.Inf(1), math.Inf(-1), 0.0
		for i := range pb.n {
			zj := pb.z[i*q+j]
			lo, hi, sum = min(lo, zj), max(hi, zj), sum+zj
		}
		mean := sum / float64(pb.n)
		var szz, szy float64
		for i := range pb.n {
			d := pb.z[i*q+j] - mean
			szz += d * d
			szy += d * v[i]
		}
		s.ZMin[j], s.ZMax[j], s.ZMean[j] = lo, hi, mean
		if szz > 0 {
			s.Slope[j] = szy / szz
		}
	}
	return s
}

// projectCoefficients sets the coefficients of θ to the non-negative least squares solution of Σ_k
// coef_k·φ_k(row)/y = 1, relative errors standing in for logarithmic ones. A coefficient the
// projection would drop gets a small share of the response instead, so that the descent can bring
// it back.
func (pb *problem) projectCoefficients(theta []float64) {
	k := len(pb.ct)
	a := make([]float64, k*k)
	b := make([]float64, k)
	scale := make([]float64, k) // largest φ_k, to keep the matrix tame
	phi := make([]float64, k)
	for t := range scale {
		scale[t] = math.Inf(-1)
	}
	exponentPart := func(t int, z []float64) float64 {
		eta := 0.0
		for _, e := range pb.ct[t][1:] {
			eta += theta[e.param] * e.at(z)
		}
		return eta
	}
	for i := range pb.n {
		for t := range k {
			scale[t] = max(scale[t], exponentPart(t, pb.row(i))-pb.lnY[i])
		}
	}
	for i := range pb.n {
		for t := range k {
			phi[t] = math.Exp(exponentPart(t, pb.row(i)) - pb.lnY[i] - scale[t])
		}
		for t := range k {
			b[t] += pb.w[i] * phi[t]
			for s := range k {
				a[t*k+s] += pb.w[i] * phi[t] * phi[s]
			}
		}
	}
	c := nonNegative(a, b, k)
	for t := range k {
		theta[pb.ct[t][0].param] = math.Log(max(c[t], 1e-3)) - scale[t]
	}
}

// nonNegative minimises ½·cᵀAc − bᵀc over c ≥ 0 by trying every support: with at most maxTerms
// columns that is exact and quick.
func nonNegative(a, b []float64, k int) []float64 {
	best, bestValue := make([]float64, k), math.Inf(1)
	m := make([]float64, k*k)
	c := make([]float64, k)
	for support := 1; support < 1<<k; support++ {
		copy(m, a)
		copy(c, b)
		for t := range k {
			if support>>t&1 == 0 {
				for s := range k {
					m[t*k+s], m[s*k+t] = 0, 0
				}
				m[t*k+t], c[t] = 1, 0
			}
		}
		for t := range k {
			m[t*k+t] *= 1 + 1e-12
		}
		if !cholesky(m, k) {
			continue
		}
		choleskySolve(m, c, k)
		value := 0.0
		for t := range k {
			if c[t] < 0 {
				value = math.Inf(1)
			}
			value -= 0.5 * b[t] * c[t]
		}
		if value < bestValue {
			bestValue = value
			copy(best, c)
		}
	}
	return best
}
