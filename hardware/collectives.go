package hardware

import "math"

// A collective runs over n devices whose ranks lie stride apart: tensor-parallel groups have stride
// 1, data-parallel ones the devices of a model copy's node share.

// gather returns the seconds of one all-gather or reduce-scatter of M bytes (the whole, over all n
// devices):
//
//	M·(g−1)/g / intra + (M/g)·(h−1)/h / inter + latency
//
// g devices of the group share a node, h = ⌈n/g⌉ nodes take part; each device sends its share
// between nodes over its own part of the network. This is the ring, and its two-level form (Thakur
// et al. 2005, section 4; Rabenseifner 2004).
//
// Not modelled: trees and in-network reduction, which help small messages, and congestion by other
// jobs.
func (s *Machine) gather(bytes float64, n, stride int) float64 {
	return s.collect(bytes, n, stride, false)
}

// start returns the time of a collective of n devices that moves nothing.
func (s *Machine) start(n int) float64 { return s.latency * math.Log2(float64(n)) }

func (s *Machine) collect(bytes float64, n, stride int, tensor bool) float64 {
	if n <= 1 || bytes == 0 {
		return 0
	}
	g, h := s.levels(n, stride)
	t := s.start(n)
	if g > 1 {
		t += bytes * float64(g-1) / float64(g) / s.rateInside(stride, tensor)
	}
	if h > 1 {
		t += bytes / float64(g) * float64(h-1) / float64(h) / s.inter
	}
	return t
}

// levels splits a group of n devices with a stride into g in each of h nodes.
func (s *Machine) levels(n, stride int) (g, h int) {
	g = min(n, max(1, s.domain/max(1, stride)))
	return g, ceilDiv(n, g)
}

// rateInside returns the one-way bytes/s of a device within a node or torus. On a torus a
// tensor-parallel group lies along one axis, and the data-parallel group beside it has the others;
// a slice that does not wrap around has lines instead of rings, at half the rate.
func (s *Machine) rateInside(stride int, tensor bool) float64 {
	rate := s.intra
	if s.axes > 0 {
		share := float64(s.axes)
		switch {
		case tensor:
			rate /= share
		case stride > 1:
			rate *= (share - 1) / share
		}
		if !s.wraps {
			rate /= 2
		}
	}
	return rate
}

// tensorReduce returns the seconds of one all-reduce of a tensor over the tensor-parallel group.
// With sequence parallelism it is a reduce-scatter and an all-gather, of the same volume.
func (s *Machine) tensorReduce(bytes float64, tp int) float64 {
	return 2 * s.collect(bytes, tp, 1, true)
}

// allToAll returns the seconds in which each device of an expert group exchanges bytes: all but its
// own share leaves it, over the network between nodes where the group is wider than one.
func (s *Machine) allToAll(bytes float64, stride int) float64 {
	if s.experts <= 1 || bytes == 0 {
		return 0
	}
	n := float64(s.experts)
	g, h := s.levels(s.experts, stride)
	inside, outside := float64(g-1)/n, float64(s.experts-g)/n
	t := s.latency + bytes*inside/s.rateInside(stride, false)
	if h > 1 {
		t += bytes * outside / s.inter
	}
	return t
}

// exposed returns what of a collective of c seconds lengthens a step in which a window of
// computation could hide it:
//
//	e·c + (w⁴ + h⁴)^¼ − w, h = (1 − e)·c
func exposed(share, c, window float64) float64 {
	if c == 0 {
		return 0
	}
	return share*c + added(window, (1-share)*c)
}

// dataParallel returns the seconds of gradient and weight collectives of one step that show, for so
// many trained parameters and that many bytes of frozen weights on a device before ZeRO splits them.
// pass is the time of one micro-batch.
//
//	ZeRO 0   one all-reduce of the gradients
//	ZeRO 1–2 one reduce-scatter of the gradients and one all-gather of the weights
//	ZeRO 3   for each micro-batch two all-gathers of the weights and a reduce-scatter of the gradients, in the weights' format
//
// The first three can hide behind the backward pass of the last micro-batch, ZeRO 3 behind all of
// the step. On a torus the parameters are split within a slice only: across slices goes one
// all-reduce of each device's gradient shard a step.
func (s *Machine) dataParallel(params, frozen float64, dp, stride, zero, accumulate, layers int,
	pass float64,
) float64 {
	if dp <= 1 {
		return 0
	}
	weights, gradients := params*s.weight, params*s.gradient
	if zero >= 3 {
		weights += frozen * 2 / 3 // gathered twice, and without gradients
	}
	behind := pass * backwardPasses / (1 + backwardPasses)
	if zero < 3 {
		// Each of the two halves moves what one of ZeRO's two collectives moves.
		if zero == 0 {
			weights = gradients
		}
		return exposed(s.dataExposed, s.gather(gradients, dp, stride)+s.gather(weights, dp, stride), behind)
	}
	if !s.torus() {
		return exposed(s.gatherExposed, 3*float64(accumulate)*(s.gather(weights, dp, stride)+float64(layers-1)*s.start(dp)),
			float64(accumulate)*pass)
	}
	g, h := s.levels(dp, stride)
	t := exposed(s.gatherExposed, 3*float64(accumulate)*(s.gather(weights, g, stride)+float64(layers-1)*s.start(g)), float64(accumulate)*pass)
	if h > 1 {
		across := s.latency + 2*weights/float64(g)*float64(h-1)/float64(h)/s.inter
		t += exposed(s.dataExposed, across, behind)
	}
	return t
}

func (s *Machine) torus() bool { return s.axes > 0 }
