package fit

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// NormalQuantile90 is the 0.9 quantile of the standard normal distribution: how many standard
// deviations the central 80 % reach to either side.
const NormalQuantile90 = 1.2815515655446004

// twoSidedNormal returns the z with P(|Z| ≤ z) = level for a standard normal Z.
func twoSidedNormal(level float64) float64 { return math.Sqrt2 * math.Erfinv(level) }

// tQuantile returns Student's t of a central interval of that level.
func tQuantile(level, dof float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: dof}.Quantile(0.5 + level/2)
}

// Median returns the middle value, or the mean of the middle two; NaN of none.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// RMS returns the root mean square; NaN of none.
func RMS(v []float64) float64 {
	sum := 0.0
	for _, e := range v {
		sum += e * e
	}
	return math.Sqrt(sum / float64(len(v)))
}

// meanOf returns Σ v/n; 0 of none.
func meanOf(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

// deviation returns the standard deviation about the mean; 0 of one value.
func deviation(v []float64) float64 {
	m, ss := meanOf(v), 0.0
	for _, x := range v {
		ss += square(x - m)
	}
	return math.Sqrt(ss / float64(max(len(v)-1, 1)))
}

func square(v float64) float64 { return v * v }

// each returns f of every value.
func each(v []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = f(x)
	}
	return out
}

// orderOf returns the places of the values by rising value, of equal ones in their order.
func orderOf(v []float64) []int {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(v[a], v[b]) })
	return order
}

// Normalised turns logarithms of weights into weights that sum to 1, in place.
func Normalised(log []float64) []float64 {
	top, sum := slices.Max(log), 0.0
	for i := range log {
		log[i] = math.Exp(log[i] - top)
		sum += log[i]
	}
	for i := range log {
		log[i] /= sum
	}
	return log
}

// Quantile returns a quantile of values, interpolated linearly between neighbours (type 7 of Hyndman
// and Fan 1996).
func Quantile(v []float64, q float64) float64 {
	return quantile(slices.Sorted(slices.Values(v)), q)
}

// quantile is [Quantile] of sorted values.
func quantile(s []float64, q float64) float64 {
	h := q * float64(len(s)-1)
	i := int(h)
	if i >= len(s)-1 {
		return s[len(s)-1]
	}
	return s[i] + (h-float64(i))*(s[i+1]-s[i])
}

// Ranks returns ranks from 1, ties sharing their mean rank.
func Ranks(x []float64) []float64 {
	order := orderOf(x)
	out := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			out[order[k]] = float64(i+j+1) / 2
		}
		i = j
	}
	return out
}

// Spearman returns the correlation of ranks; NaN when either side is constant.
func Spearman(x, y []float64) float64 { return pearson(Ranks(x), Ranks(y)) }

// pearson returns the product-moment correlation; NaN when either is constant.
func pearson(x, y []float64) float64 {
	mx, my := meanOf(x), meanOf(y)
	var sxx, syy, sxy float64
	for i := range x {
		dx, dy := x[i]-mx, y[i]-my
		sxx += dx * dx
		syy += dy * dy
		sxy += dx * dy
	}
	if sxx == 0 || syy == 0 {
		return math.NaN()
	}
	return max(-1, min(1, sxy/math.Sqrt(sxx*syy)))
}

// Linear is a linear model of k features fitted by [LeastSquares].
type Linear struct {
	Coef []float64
	// inverse is (XᵀWX)⁻¹, row by row.
	inverse []float64
}

// maxCondition of XᵀWX, its columns scaled to one length, leaves half of the digits of a float64 to
// the coefficients.
const maxCondition = 1e8

// LeastSquares returns the b that minimise Σ w_i·(y_i − x_i·b)², x holding the features row by row;
// nil weights are 1. ok is false when there are fewer rows than features or the features are
// collinear. It panics when len(x) is not a multiple of len(y).
func LeastSquares(x, y, weight []float64) (l Linear, ok bool) {
	n := len(y)
	if n == 0 || len(x)%n != 0 {
		panic("fit: LeastSquares: features and responses of different lengths")
	}
	k := len(x) / n
	if n < k {
		return l, false
	}
	design, right := mat.NewDense(n, k, nil), mat.NewVecDense(n, nil)
	for i := range n {
		root := 1.0
		if weight != nil {
			root = math.Sqrt(weight[i])
		}
		for j := range k {
			design.Set(i, j, root*x[i*k+j])
		}
		right.SetVec(i, root*y[i])
	}
	scale := make([]float64, k) // columns of one length: the condition is about their directions
	for j := range k {
		column := design.ColView(j)
		if scale[j] = mat.Norm(column, 2); !(scale[j] > 0) {
			return l, false
		}
		for i := range n {
			design.Set(i, j, design.At(i, j)/scale[j])
		}
	}
	var qr mat.QR
	qr.Factorize(design)
	var solution mat.VecDense
	if !(qr.Cond() <= math.Sqrt(maxCondition)) || qr.SolveVecTo(&solution, false, right) != nil {
		return l, false
	}
	var upper mat.Dense
	qr.RTo(&upper)
	inverse := blas64.Triangular{
		Uplo: blas.Upper, Diag: blas.NonUnit, N: k,
		Data: upper.RawMatrix().Data, Stride: upper.RawMatrix().Stride,
	}
	if !lapack64.Trtri(inverse) {
		return l, false
	}
	l = Linear{Coef: make([]float64, k), inverse: make([]float64, k*k)}
	for a := range k {
		l.Coef[a] = solution.AtVec(a) / scale[a]
		for b := range k {
			sum := 0.0
			for j := max(a, b); j < k; j++ { // R⁻¹ is upper triangular
				sum += inverse.Data[a*inverse.Stride+j] * inverse.Data[b*inverse.Stride+j]
			}
			l.inverse[a*k+b] = sum / (scale[a] * scale[b])
		}
	}
	return l, true
}

// At returns the fitted value x·b.
func (l *Linear) At(x []float64) float64 {
	sum := 0.0
	for j, c := range l.Coef {
		sum += c * x[j]
	}
	return sum
}

// Leverage returns xᵀ(XᵀWX)⁻¹x: the variance of the fitted value in units of the residual's.
func (l *Linear) Leverage(x []float64) float64 {
	k, sum := len(l.Coef), 0.0
	for a := range k {
		for b := range k {
			sum += x[a] * l.inverse[a*k+b] * x[b]
		}
	}
	return sum
}

// kendall returns tau-b, which corrects for ties.
//
// Source: Kendall 1945, Biometrika 33(3).
func kendall(x, y []float64) float64 {
	var concordant, discordant, tiesX, tiesY float64
	for i := range x {
		for j := range i {
			dx, dy := cmp.Compare(x[i], x[j]), cmp.Compare(y[i], y[j])
			switch {
			case dx == 0 && dy == 0:
			case dx == 0:
				tiesX++
			case dy == 0:
				tiesY++
			case dx == dy:
				concordant++
			default:
				discordant++
			}
		}
	}
	c := concordant + discordant
	return (concordant - discordant) / math.Sqrt((c+tiesX)*(c+tiesY))
}

// partial returns the correlation of x and y given z from the three pairwise ones.
func partial(xy, xz, yz float64) float64 {
	d := math.Sqrt((1 - xz*xz) * (1 - yz*yz))
	if d == 0 {
		return math.NaN()
	}
	return max(-1, min(1, (xy-xz*yz)/d))
}

// fisher returns the interval of a correlation r whose Fisher transform has that standard error; a
// correlation of ±1 has none to transform and is returned as it is.
func fisher(r, se, level float64) Estimate {
	if math.Abs(r) == 1 || math.IsNaN(r) {
		return Estimate{Value: r, Low: r, High: r}
	}
	half := se * distuv.UnitNormal.Quantile(0.5+level/2)
	z := math.Atanh(r)
	return Estimate{
		Value: r, Low: math.Tanh(z - half), High: math.Tanh(z + half),
		HasInterval: true,
	}
}
