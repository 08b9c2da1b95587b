package calibrate

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Point is one step to measure.
type Point struct {
	Shape    shapes.Shape
	Workload flops.Workload
}

// The box of the design: from Tiny to Small, shallow to deep, one sequence to a batch that fills
// two cores.
var (
	designWidths  = []string{"t5-tiny", "t5-mini", "t5-small"}
	designBatches = []int{1, 2, 3, 4, 6, 8, 12, 16}
	designLengths = [][2]int{{64, 16}, {128, 32}, {256, 64}, {512, 128}}
)

const (
	designLayersLow, designLayersHigh = 2, 24
	// designCandidates fill the box evenly; the order is chosen among them.
	designCandidates = 160
	// designCore is about what three minutes on two cores allow, a power of two up to 256.
	designCore = 64
	// designNoise is the spread of ln(measured step) that a measurement is worth when points are
	// weighed.
	designNoise = 0.03
)

// Design returns points of the T5 family to measure, the most telling first: each is the one that
// teaches most about the constants for its time, given those before it.
//
//	gain = ln(1 + gᵀ·C·g/s²)/√seconds, C ← C − C·g·gᵀ·C/(s² + gᵀ·C·g)
//
// g ∂ ln step/∂ ln constants and seconds by the model on a nominal processor, C the covariance of
// what is known so far, s the noise
// of a measurement: sequential D-optimal design with a price on time. Candidates are the Halton
// sequence over depths, width, batch
// and lengths, so that the box is covered evenly however wrong the model is; shapes differ from
// point to point. The list is the same on every machine.
//
// The price puts quick points first. The first designCore are therefore taken in the order of their
// indices' bits reversed, so that quick and slow ones alternate from the start: a machine that
// changes while it is measured then changes for all sizes alike.
//
// Source: Fedorov 1972, Theory of Optimal Experiments, chapter 2; Halton 1960, Numerische
// Mathematik 2, 84–90.
func Design() []Point {
	candidates := designBox(1, designCandidates)
	profile := nominalProcessor()
	base := kernelPrior(&profile)
	n := hardware.ConstantCount
	known := mat.NewDense(n, n, nil)
	for j := range n {
		for k := range n {
			known.Set(j, k, base.Covariance[j][k])
		}
	}
	seconds := make([]float64, len(candidates))
	slopes := make([]*mat.VecDense, len(candidates))
	for i, p := range candidates {
		run := p.run(profile)
		at := logSeconds(&run, &base.Constants)
		slopes[i] = mat.NewVecDense(n, nil)
		for k := range n {
			slopes[i].SetVec(k, constantSlope(&run, base.Constants, k, at))
		}
		seconds[i] = math.Exp(at)
	}
	order := make([]Point, 0, len(candidates))
	taken := make([]bool, len(candidates))
	var c mat.VecDense
	for range candidates {
		best, most := -1, math.Inf(-1)
		for i := range candidates {
			if taken[i] {
				continue
			}
			c.MulVec(known, slopes[i])
			gain := math.Log1p(mat.Dot(slopes[i], &c)/(designNoise*designNoise)) / math.Sqrt(
				seconds[i])
			if gain > most {
				best, most = i, gain
			}
		}
		taken[best] = true
		order = append(order, candidates[best])
		c.MulVec(known, slopes[best])
		var update mat.Dense
		update.Outer(1/(designNoise*designNoise+mat.Dot(slopes[best], &c)), &c, &c)
		known.Sub(known, &update)
	}
	mixed := slices.Clone(order)
	for i := range designCore {
		mixed[i] = order[bits.Reverse8(uint8(i))>>(8-bits.Len8(designCore-1))]
	}
	return mixed
}

// Unseen returns points of the same box whose shapes are not in the design: what a calibrated
// profile is checked with.
func Unseen() []Point {
	const tried, wanted = 80, 20
	known := map[string]bool{}
	for _, p := range designBox(1, designCandidates) {
		known[p.Shape.Name] = true
	}
	var out []Point
	for _, p := range designBox(designCandidates+1, designCandidates+tried) {
		if !known[p.Shape.Name] && p.Shape.Encoder.Layers != p.Shape.Decoder.Layers &&
			len(out) < wanted {
			out = append(out, p)
		}
	}
	return out
}

// designBox spreads candidates evenly: elements first to last of the sequence.
func designBox(first, last int) []Point {
	var points []Point
	seen := map[string]bool{}
	halton := fit.RadicalInverse
	pick := func(u float64, n int) int { return min(n-1, int(u*float64(n))) }
	depth := func(u float64) int {
		return int(math.Round(designLayersLow * math.Pow(designLayersHigh/designLayersLow, u)))
	}
	for i := first; i <= last; i++ {
		ref := fmt.Sprintf("%s/el=%d,dl=%d", designWidths[pick(halton(i, 2), len(designWidths))],
			depth(halton(i, 3)), depth(halton(i, 5)))
		if seen[ref] {
			continue
		}
		seen[ref] = true
		shape, err := shapes.Parse(ref)
		if err != nil {
			panic("calibrate: the design names no shape: " + err.Error())
		}
		lengths := designLengths[pick(halton(i, 11), len(designLengths))]
		points = append(points, Point{shape, flops.Workload{
			Batch: designBatches[pick(halton(i, 7), len(designBatches))], EncoderLength: lengths[0],
			DecoderLength: lengths[1],
		}})
	}
	return points
}
