package vec

import (
	"math"
	"testing"
)

// kernelCase compares one routine of kernels with the same formula in float64.
type kernelCase struct {
	name      string
	tolerance float64
	positive  int // arguments from this one on are positive: moments
	arguments int
	run       func(k *kernels, a [][]float32) float64
	// twin changes a as run does and returns the result and the size its error is relative to.
	twin func(a [][]float64) (result, size float64)
}

// Scalars of the cases.
const (
	caseS, caseR, caseC              = 0.37, 1.7, -0.6
	caseBeta1, caseBeta2, caseKeep   = 0.9, 0.999, 0.98
	caseRoot, caseEps, caseRate      = 1.3, 1e-3, 0.05
	caseMomentEps, caseGradientScale = 0.125, 0.5
)

var kernelCases = []kernelCase{
	{
		"maxOf", 0, 9, 1,
		func(k *kernels, a [][]float32) float64 { return float64(k.maxOf(a[0])) },
		func(a [][]float64) (float64, float64) { return largestOf(a[0]), 1 },
	},
	{
		"addMaxOf", mapTolerance, 9, 2,
		func(k *kernels, a [][]float32) float64 { return float64(k.addMaxOf(a[0], a[1])) },
		func(a [][]float64) (float64, float64) {
			for i := range a[0] {
				a[0][i] += a[1][i]
			}
			return largestOf(a[0]), 1
		},
	},
	{
		"addAddMaxOf", mapTolerance, 9, 3,
		func(k *kernels, a [][]float32) float64 { return float64(k.addAddMaxOf(a[0], a[1], a[2])) },
		func(a [][]float64) (float64, float64) {
			for i := range a[0] {
				a[0][i] += a[1][i] + a[2][i]
			}
			return largestOf(a[0]), 1
		},
	},
	{
		"dot", sumTolerance, 9, 2,
		func(k *kernels, a [][]float32) float64 { return float64(k.dot(a[0], a[1])) },
		func(a [][]float64) (float64, float64) {
			return sumOf(a[0], func(i int) float64 { return a[0][i] * a[1][i] })
		},
	},
	{
		"dotDot", sumTolerance, 9, 3,
		func(k *kernels, a [][]float32) float64 { return float64(k.dotDot(a[0], a[1], a[2])) },
		func(a [][]float64) (float64, float64) {
			return sumOf(a[0], func(i int) float64 { return a[0][i] * a[1][i] * a[2][i] })
		},
	},
	{
		"sumSquares", doubleTolerance, 9, 1,
		func(k *kernels, a [][]float32) float64 { return k.sumSquares(a[0]) },
		func(a [][]float64) (float64, float64) {
			return sumOf(a[0], func(i int) float64 { return a[0][i] * a[0][i] })
		},
	},
	{
		"poison", 0, 9, 1,
		func(k *kernels, a [][]float32) float64 { return float64(k.poison(a[0])) },
		func([][]float64) (float64, float64) { return 0, 1 },
	},
	{
		"add", mapTolerance, 9, 2,
		func(k *kernels, a [][]float32) float64 {
			k.add(a[0], a[1])
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] += a[1][i]
		}),
	},
	{
		"scale", mapTolerance, 9, 1,
		func(k *kernels, a [][]float32) float64 {
			k.scale(a[0], caseS)
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] *= caseS
		}),
	},
	{
		"axpy", mapTolerance, 9, 2,
		func(k *kernels, a [][]float32) float64 {
			k.axpy(a[0], a[1], caseS)
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] += caseS * a[1][i]
		}),
	},
	{
		"expSum", expTolerance, 9, 1,
		func(k *kernels, a [][]float32) float64 { return float64(k.expSum(a[0], 6)) },
		func(a [][]float64) (float64, float64) {
			return sumOf(a[0], func(i int) float64 {
				a[0][i] = math.Exp(a[0][i] - 6)
				return a[0][i]
			})
		},
	},
	{
		"softmaxGrad", mapTolerance, 9, 3,
		func(k *kernels, a [][]float32) float64 {
			k.softmaxGrad(a[0], a[1], a[2], caseC)
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] = a[2][i] * (a[1][i] - caseC)
		}),
	},
	{
		"normApply", mapTolerance, 9, 3,
		func(k *kernels, a [][]float32) float64 {
			k.normApply(a[0], a[1], a[2], caseR)
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] = caseR * a[1][i] * a[2][i]
		}),
	},
	{
		"normGrad", mapTolerance, 9, 5,
		func(k *kernels, a [][]float32) float64 {
			k.normGrad(a[0], a[1], a[2], a[3], a[4], caseR, caseC)
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] = caseR*a[4][i]*a[2][i] - caseC*a[3][i]
			a[1][i] += caseR * a[2][i] * a[3][i]
		}),
	},
	{
		"normGradAdd", 2 * mapTolerance, 9, 5,
		func(k *kernels, a [][]float32) float64 {
			k.normGradAdd(a[0], a[1], a[2], a[3], a[4], caseR, caseC)
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] += caseR*a[4][i]*a[2][i] - caseC*a[3][i]
			a[1][i] += caseR * a[2][i] * a[3][i]
		}),
	},
	{
		"relu", 0, 9, 2,
		func(k *kernels, a [][]float32) float64 {
			k.relu(a[0], a[1])
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] = max(a[1][i], 0)
		}),
	},
	{
		"reluGrad", 0, 9, 3,
		func(k *kernels, a [][]float32) float64 {
			k.reluGrad(a[0], a[1], a[2])
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] = 0
			if a[2][i] > 0 {
				a[0][i] = a[1][i]
			}
		}),
	},
	{
		"geglu", expTolerance, 9, 3,
		func(k *kernels, a [][]float32) float64 {
			k.geglu(a[0], a[1], a[2])
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] = gelu64(a[1][i]) * a[2][i]
		}),
	},
	{
		"gegluGrad", expTolerance, 9, 5,
		func(k *kernels, a [][]float32) float64 {
			k.gegluGrad(a[0], a[1], a[2], a[3], a[4])
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i], a[1][i] = a[2][i]*a[4][i]*geluSlope64(a[3][i]), a[2][i]*gelu64(a[3][i])
		}),
	},
	{
		"adam", mapTolerance, 2, 4,
		func(k *kernels, a [][]float32) float64 {
			k.adam(a[0], a[1], a[2], a[3], caseGradientScale, caseBeta1, 1-caseBeta1, caseBeta2,
				1-caseBeta2, caseRoot, caseEps, caseRate, caseKeep)
			return 0
		},
		maps(func(a [][]float64, i int) {
			h := caseGradientScale * a[3][i]
			a[1][i] = caseBeta1*a[1][i] + (1-caseBeta1)*h
			a[2][i] = caseBeta2*a[2][i] + (1-caseBeta2)*h*h
			a[0][i] = caseKeep*a[0][i] - caseRate*a[1][i]/(caseRoot*math.Sqrt(a[2][i])+caseEps)
		}),
	},
	{
		"squares", sumTolerance, 9, 2,
		func(k *kernels, a [][]float32) float64 { return float64(k.squares(a[0], a[1])) },
		func(a [][]float64) (float64, float64) {
			return sumOf(a[0], func(i int) float64 {
				a[0][i] += a[1][i] * a[1][i]
				return a[1][i] * a[1][i]
			})
		},
	},
	{
		"scaledSquares", sumTolerance, 9, 2,
		func(k *kernels, a [][]float32) float64 { return float64(k.scaledSquares(a[0], a[1])) },
		func(a [][]float64) (float64, float64) {
			return sumOf(a[0], func(i int) float64 { return a[0][i] * a[0][i] * a[1][i] * a[1][i] })
		},
	},
	{
		"scaledSubtract", mapTolerance, 9, 3,
		func(k *kernels, a [][]float32) float64 {
			k.scaledSubtract(a[0], a[1], a[2], caseS)
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] -= caseS * a[1][i] * a[2][i]
		}),
	},
	{
		"rootSubtract", mapTolerance, 2, 3,
		func(k *kernels, a [][]float32) float64 {
			k.rootSubtract(a[0], a[1], a[2], caseS)
			return 0
		},
		maps(func(a [][]float64, i int) {
			a[0][i] -= caseS * a[1][i] / math.Sqrt(a[2][i])
		}),
	},
	momentCase("moment", caseMomentEps), momentCase("moment without epsilon", 0),
}

// momentCase with eps = 0 makes 0/0 of any lane past the end that were not left out.
func momentCase(name string, eps float32) kernelCase {
	run := func(k *kernels, a [][]float32) float64 {
		return float64(k.moment(a[0], a[1], caseBeta1, 1-caseBeta1, eps))
	}
	return kernelCase{name, sumTolerance, 0, 2, run, func(a [][]float64) (float64, float64) {
		return sumOf(a[0], func(i int) float64 {
			a[0][i] = caseBeta1*a[0][i] + (1-caseBeta1)*(a[1][i]*a[1][i]+float64(eps))
			return a[1][i] * a[1][i] / a[0][i]
		})
	}}
}

func maps(f func(a [][]float64, i int)) func(a [][]float64) (float64, float64) {
	return func(a [][]float64) (float64, float64) {
		for i := range a[0] {
			f(a, i)
		}
		return 0, 1
	}
}

func largestOf(x []float64) float64 {
	m := math.Inf(-1)
	for _, v := range x {
		m = max(m, v)
	}
	return m
}

// sumOf is the sum of the terms, and of their sizes.
func sumOf(x []float64, term func(i int) float64) (sum, size float64) {
	for i := range x {
		v := term(i)
		sum += v
		size += math.Abs(v)
	}
	return sum, size
}

// gelu64 and geluSlope64 are written with tanh as published, unlike the kernel.
func gelu64(a float64) float64 {
	return a / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(a+0.044715*a*a*a)))
}

func geluSlope64(a float64) float64 {
	th := math.Tanh(math.Sqrt(2/math.Pi) * (a + 0.044715*a*a*a))
	return (1+th)/2 + a/2*(1-th*th)*math.Sqrt(2/math.Pi)*(1+3*0.044715*a*a)
}

// TestKernels holds every routine against its float64 twin over odd sizes and all alignments that
// matter, and looks for writes past the end.
func TestKernels(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		for _, c := range kernelCases {
			for seed, n := range append([]int{0}, oddSizes...) {
				for shift := range 3 {
					c.check(t, s, n, shift, seed)
				}
			}
		}
	})
}

func (c kernelCase) check(t *testing.T, s *Set, n, shift, seed int) {
	t.Helper()
	r := source(seed)
	got, want := make([][]float32, c.arguments), make([][]float64, c.arguments)
	for i := range got {
		x := normal(r, n, 1)
		if i >= c.positive {
			for j, v := range x {
				x[j] = 0.01 + max(v, -v)
			}
		}
		got[i], want[i] = unaligned(x, shift+i), doubles(x)
	}
	result := c.run(&s.k, got)
	wanted, size := c.twin(want)
	if d := math.Abs(result - wanted); result != wanted && !(d <= c.tolerance*size) {
		t.Fatalf("%s of %d elements at %d = %v, want %v (%.2g of its terms)", c.name, n, shift,
			result, wanted, d/size)
	}
	for i := range got {
		checkNear(t, c.name+" argument", got[i], want[i], c.tolerance)
		checkGuard(t, got[i])
	}
}

// TestExp holds exp against math.Exp over its whole domain.
func TestExp(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		var x []float32
		const stride = 1009 // of bit patterns: every binade is hit thousands of times
		for bits := math.Float32bits(-1e-8); bits <= math.Float32bits(expCutoff); bits += stride {
			x = append(x, math.Float32frombits(bits))
		}
		want, worst := doubles(x), 0.0
		s.k.expSum(x, 0)
		for i, w := range want {
			d := math.Abs(float64(x[i])/math.Exp(w) - 1)
			if worst = max(worst, d); !(d <= expTolerance) {
				t.Fatalf("exp(%v) = %v, want %v", w, x[i], math.Exp(w))
			}
		}
		t.Logf("largest relative error %.2g over %d points", worst, len(x))

		special := []float32{0, -87.00001, -1e30, float32(math.Inf(-1)), float32(math.NaN()), -3e38}
		s.k.expSum(special, 0)
		for i, want := range []float32{1, 0, 0, 0} {
			if special[i] != want {
				t.Errorf("special value %d gives %v, want exactly %v", i, special[i], want)
			}
		}
		if special[4] == special[4] || special[5] != 0 {
			t.Errorf("exp(NaN), exp(-3e38) = %v", special[4:])
		}
	})
}
