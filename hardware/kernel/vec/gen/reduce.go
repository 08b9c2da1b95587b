package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// accumulators per reduction: enough to hide the latency of an addition at two a cycle.
const accumulators = 4

type binary func(ops ...Op)

// fold combines vectors into one register whose lowest lane is the result.
func (k *kernel) fold(op binary, accs []reg.VecVirtual) reg.Register {
	for step := len(accs) / 2; step > 0; step /= 2 {
		for i := range step {
			op(accs[i+step], accs[i], accs[i])
		}
	}
	x, t := k.toXMM(op, accs[0]), XMM()
	VMOVHLPS(x, x, t)
	op(t, x, x)
	VMOVSHDUP(x, t)
	op(t, x, x)
	return x
}

func (k *kernel) toXMM(op binary, v reg.VecVirtual) reg.VecVirtual {
	if k.wide {
		y := YMM()
		VEXTRACTF64X4(Imm(1), v, y)
		op(y, v.AsY(), y)
		v = y
	}
	x := XMM()
	VEXTRACTF128(Imm(1), v, x)
	op(x, v.AsX(), x)
	return x
}

func (t *target) reductions() {
	t.max("maxOf", "is the largest element of x (-Inf when x is empty). A NaN may or may not show.",
		"x")
	t.max("addMaxOf", "is x += a and the largest element of the sum.", "x", "a")
	t.max("addAddMaxOf", "is x += a + b and the largest element of the sum.", "x", "a", "b")
	t.dot("dot", "is the sum of x*y.", "x", "y")
	t.dot("dotDot", "is the sum of x*y*z.", "x", "y", "z")
	t.sumSquares()
	t.poison()
}

func (t *target) max(name, doc string, names ...string) {
	k := t.function(name, signature(names, nil, "float32"), "x", doc)
	ps := k.pointers(names)
	lowest := k.broadcast(float32(math.Inf(-1)))
	accs := make([]reg.VecVirtual, accumulators)
	for i := range accs {
		accs[i] = k.vector()
		VMOVAPS(lowest, accs[i])
	}
	k.loop(accumulators, func(b block) {
		x := k.load(ps[0], b)
		if len(ps) > 1 {
			for _, p := range ps[1:] {
				VADDPS(k.load(p, b), x, x)
			}
			k.store(x, ps[0], b)
		}
		k.orElse(x, lowest, b)
		VMAXPS(x, accs[b.u], accs[b.u])
	})
	k.endFloat(k.fold(VMAXPS, accs))
}

func (t *target) dot(name, doc string, names ...string) {
	k := t.function(name, signature(names, nil, "float32"), "x", doc)
	ps := k.pointers(names)
	accs := k.zeros(accumulators)
	k.loop(accumulators, func(b block) {
		x, y := k.load(ps[0], b), k.load(ps[1], b)
		if len(ps) > 2 {
			VMULPS(k.load(ps[2], b), x, x)
		}
		VFMADD231PS(x, y, accs[b.u])
	})
	k.endFloat(k.fold(VADDPS, accs))
}

func (t *target) sumSquares() {
	k := t.function("sumSquares", "func(x []float32) float64", "x",
		"is the sum of x*x, squared and added in float64.")
	x := k.pointer("x")
	accs := k.zeros(2 * accumulators)
	k.loop(accumulators, func(b block) {
		for half, v := range k.halves(k.load(x, b)) {
			VFMADD231PD(v, v, accs[2*b.u+half])
		}
	})
	k.endFloat(k.foldDouble(accs))
}

// halves is v in float64.
func (k *kernel) halves(v reg.VecVirtual) []reg.VecVirtual {
	low, high := k.vector(), k.vector()
	if k.wide {
		y := YMM()
		VEXTRACTF64X4(Imm(1), v, y)
		VCVTPS2PD(v.AsY(), low)
		VCVTPS2PD(y, high)
	} else {
		x := XMM()
		VEXTRACTF128(Imm(1), v, x)
		VCVTPS2PD(v.AsX(), low)
		VCVTPS2PD(x, high)
	}
	return []reg.VecVirtual{low, high}
}

func (k *kernel) foldDouble(accs []reg.VecVirtual) reg.Register {
	for step := len(accs) / 2; step > 0; step /= 2 {
		for i := range step {
			VADDPD(accs[i+step], accs[i], accs[i])
		}
	}
	x, t := k.toXMM(VADDPD, accs[0]), XMM()
	VUNPCKHPD(x, x, t)
	VADDSD(t, x, x)
	return x
}

func (t *target) poison() {
	k := t.function("poison", "func(x []float32) float32", "x",
		"is 0 when every element is finite and NaN otherwise: the sum of 0*x.")
	x := k.pointer("x")
	zero := k.zero()
	accs := k.zeros(accumulators)
	k.loop(accumulators, func(b block) { VFMADD231PS(k.load(x, b), zero, accs[b.u]) })
	k.endFloat(k.fold(VADDPS, accs))
}
