package hardware

import (
	"math"
	"math/bits"
)

// gemm is count independent matrix products [m×k]·[k×n] on one device.
type gemm struct {
	count, m, n, k int
}

// matmulSeconds returns the time of a product in the compute format, without its launch:
//
//	max(2·c·⌈m⌉·⌈n⌉·(⌈k⌉ + k₀)·(waves + idle + tail)/waves / rate, bytes / bandwidth)
//
// On a GPU m and n are padded to tiles of 128, or narrower ones where they are smaller, and k to
// 32; waves = tiles/units, of which the last may be partly idle. On a systolic array n and k are
// padded to its edge and m to 8 rows. k₀ is the saturation depth.
//
// The efficiency η(m, n, k) is the rate this implies over the data sheet's. It rises with every
// dimension; doubling m never more than doubles the time.
func (s *Machine) matmulSeconds(p gemm, rate float64) float64 {
	c := float64(p.count)
	work := 2 * c * (up(p.k, s.pad) + s.saturation)
	if s.systolic() {
		work *= up(p.m, 8) * up(p.n, s.pad)
	} else {
		rows, columns := s.tiled(p.m), s.tiled(p.n)
		work *= rows * columns
		if s.units > 0 {
			waves := c * rows * columns / (tile * tile) / s.units
			work *= 1 + (s.quantise*(math.Ceil(waves)-waves)+s.tail)/waves
		}
	}
	return max(work/rate, s.operandSeconds(p))
}

// operandSeconds returns the time to read and write the operands of a product.
func (s *Machine) operandSeconds(p gemm) float64 { return s.readSeconds(p, s.compute) }

// readSeconds is operandSeconds with weights of that many bytes an element.
func (s *Machine) readSeconds(p gemm, stored float64) float64 {
	m, n, k := float64(p.m), float64(p.n), float64(p.k)
	return float64(p.count) * (s.compute*(m*k+m*n) + stored*k*n) / s.stream
}

// project returns the time of the product of a projection.
func (s *Machine) project(m, n, k int, rate float64) float64 {
	return s.matmulSeconds(gemm{1, m, n, k}, s.alignedRate(n, k, rate))
}

// alignedRate returns what a single large product keeps of its rate: all where n and k are
// multiples of the minimal alignment a, and less the smaller the power of two g that divides both:
//
//	rate·s^((1 − log g/log a)²)
//
// s is misalignedShare: 0.40 of the rate at odd dimensions, 0.67 at even ones and 0.90 at multiples
// of 4, for a = 8.
func (s *Machine) alignedRate(n, k int, rate float64) float64 {
	if s.aligned(n) && s.aligned(k) {
		return rate
	}
	g := 1 << min(bits.TrailingZeros(uint(n)), bits.TrailingZeros(uint(k)))
	missing := 1 - math.Log(float64(g))/math.Log(float64(s.alignMin))
	return rate * math.Pow(misalignedShare, missing*missing)
}

func (s *Machine) aligned(n int) bool { return s.slowRate == 0 || n%s.alignMin == 0 }

// misalignedShare is the part of the rate that a single large product keeps when its dimensions are
// odd: padding GPT-2's vocabulary from 50,257 to 50,304 sped nanoGPT's whole step up by about a
// quarter, of which logits are a third (Karpathy 2023; recalled). Between it and 1 the curve goes
// through the 31 % that a product with an even d_ff of 10,922 loses on H100.
const misalignedShare = 0.4

// systolic says whether the device pads to a matrix unit's edge.
func (s *Machine) systolic() bool { return s.pad > 32 }

// tiled returns a dimension of the result in whole tiles: multiples of its edge, or below that the
// power of two from 16 that holds it, for which libraries have narrower tiles.
func (s *Machine) tiled(n int) float64 {
	if n >= s.edge {
		return up(n, s.edge)
	}
	const narrowest = 16
	edge := narrowest
	for edge < n {
		edge *= 2
	}
	return float64(edge)
}

// up returns n rounded up to a multiple.
func up(n, multiple int) float64 { return float64((n + multiple - 1) / multiple * multiple) }

// coreSeconds returns the time of one forward attention core of heads·batch pairs, without launch.
//
// Fused attention runs 4·c·q·k·d_kv FLOPs, half of them when causal, at its own lower rate, which a
// head narrower than 128 cannot fill; a systolic array pads the head size to its edge. Unfused
// attention is two batched products, and scorePasses·c·q·k elements of scores move through memory.
// Its products leave the matrix unit when the head size is not aligned: heads of 108 against 216
// cost BLOOM's 182B a third of the step for a fortieth of its FLOPs (facts/step_times.csv, st0482
// and st0484).
func (s *Machine) coreSeconds(heads, queries, keys, width int, causal bool) (seconds,
	scoreBytes float64,
) {
	if !s.unfused {
		work := 4 * float64(heads) * float64(queries) * float64(keys) * float64(width)
		if causal {
			work /= 2
		}
		if s.systolic() {
			work *= up(width, s.pad) / float64(width)
		} else {
			work *= 1 + fusedHeadSaturation/float64(width)
		}
		return work / (s.headRate * s.fusedCore), 0
	}
	rate := s.headRate
	if !s.aligned(width) {
		rate = min(rate, s.slowRate)
	}
	scores := s.matmulSeconds(gemm{heads, queries, keys, width}, rate)
	values := s.matmulSeconds(gemm{heads, queries, width, keys}, rate)
	return (scores + values) / s.unfusedCore, s.scorePasses * s.compute * float64(heads) * float64(
		queries) * float64(keys)
}

// fusedHeadSaturation is the head size at which fused attention reaches half of its rate, in
// elements: forward passes at head size 64 run at 0.83 of those at 128 (Dao 2023, arXiv 2307.08691,
// figure 5: A100, 16k, not causal).
const fusedHeadSaturation = 32
