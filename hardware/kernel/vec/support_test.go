package vec

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
)

// Tolerances: |got − want| against the float64 twin, in units said at each.
const (
	// mapTolerance is relative to max(1, |want|): a handful of float32 roundings of 6e-8 on values
	// of order one.
	mapTolerance = 1e-6
	// expTolerance is relative: what the kernel promises of exp.
	expTolerance = 3e-6
	// sumTolerance is relative to the sum of the terms' sizes: at 32,128 elements an AVX2 lane adds
	// 1,000 numbers with a rounding of 6e-8 each, which grows as their root.
	sumTolerance = 3e-6
	// doubleTolerance is relative, for sums carried in float64 over 1e5 terms.
	doubleTolerance = 1e-12
	// gradientTolerance is relative to the largest gradient or term of it, float32 routine against
	// central differences of the float64 twin.
	gradientTolerance = 2e-5
	// differenceStep of the central differences: their error is of order step² = 1e-10, their
	// rounding 1e-16/step = 1e-11.
	differenceStep = 1e-5
)

// oddSizes: one lane, one less and one more than a vector, a prime-like row, a vocabulary.
var oddSizes = []int{1, 7, 15, 16, 17, 33, 1000, 32128}

// eachPath runs a test on every path of this machine and build.
func eachPath(t *testing.T, test func(t *testing.T, s *Set)) {
	t.Helper()
	for _, path := range isa.Supported() {
		t.Run(path.String(), func(t *testing.T) {
			s := For(path)
			if s.Path() != path {
				t.Fatalf("For(%v) runs %v", path, s.Path())
			}
			test(t, s)
		})
	}
}

func source(seed int) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 20210)) }

// normal returns n numbers of mean 0 and deviation sd.
func normal(r *rand.Rand, n int, sd float64) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(sd * r.NormFloat64())
	}
	return x
}

// unaligned returns a copy of x that starts shift elements into its memory, with room behind it.
func unaligned(x []float32, shift int) []float32 {
	buffer := make([]float32, shift+len(x)+guardLength)
	for i := range buffer {
		buffer[i] = guard
	}
	copy(buffer[shift:], x)
	return buffer[shift : shift+len(x)]
}

// guard fills what a routine must not write.
const (
	guard       = 12345
	guardLength = 20
)

func checkGuard(t *testing.T, x []float32) {
	t.Helper()
	for i, v := range x[len(x) : len(x)+guardLength] {
		if v != guard {
			t.Fatalf("wrote %v at %d past the end of %d elements", v, i, len(x))
		}
	}
}

func doubles(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

func clone[T any](x []T) []T { return append([]T(nil), x...) }

// checkNear fails where got is further than tolerance·max(1, |want|) from want.
func checkNear(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= tolerance*max(1, math.Abs(w))) {
			t.Fatalf("%s[%d of %d] = %v, want %v (difference %.2g)", what, i, len(want), got[i], w,
				d)
		}
	}
}

// checkGradient fails where got is further from the central difference of loss at x than
// gradientTolerance times the largest difference, or terms if that is larger: the size of what
// cancels in the gradient.
func checkGradient(t *testing.T, what string, got []float32, x []float64, terms float64,
	loss func() float64,
) {
	t.Helper()
	want, largest := make([]float64, len(x)), terms
	for i, v := range x {
		x[i] = v + differenceStep
		up := loss()
		x[i] = v - differenceStep
		want[i] = (up - loss()) / (2 * differenceStep)
		x[i] = v
		largest = max(largest, math.Abs(want[i]))
	}
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - w); !(d <= gradientTolerance*largest) {
			t.Fatalf("%s[%d of %d] = %v, central difference %v", what, i, len(x), got[i], w)
		}
	}
}

// checkSame fails unless the slices are equal bit for bit.
func checkSame(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s[%d] = %v, want the same bits as %v", what, i, got[i], want[i])
		}
	}
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

func sizeName(n int) string { return fmt.Sprintf("n=%d", n) }

func dotOf(x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}
