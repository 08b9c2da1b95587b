package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	log2E = 1.4426950408889634
	// expCutoff: exp of less is 0, so that every power of two in exp is a normal number.
	expCutoff = -87
	// notLess and notLessEqual are true for NaN too, which must pass through.
	notLess, notLessEqual, less = 0x15, 0x16, 0x11
	// nearest rounds to the nearest integer, ties to even, without raising flags.
	nearest = 8
)

// exp2Coefficients of 2^f on [-1/2, 1/2], ascending: the minimax polynomial of the relative error
// (Remez exchange), then the first coefficient set to 1 so that exp(0) is 1; relative error 1.5e-7.
var exp2Coefficients = []float32{
	1, 0.6931469671, 0.2402211972, 0.05550713274, 0.009675541334,
	0.001327647198,
}

// exponential holds the operands of exp; it must be made before the loop that uses it.
type exponential struct {
	log2e, cutoff Op
	coefficients  []Op
}

func (t *target) exponential() exponential {
	e := exponential{log2e: t.constant(log2E), cutoff: t.constant(expCutoff)}
	for _, c := range exp2Coefficients {
		e.coefficients = append(e.coefficients, t.constant(c))
	}
	return e
}

// exp is exp(x) for x <= 0: n = round(x*log2 e), f = x*log2 e - n in one rounding, 2^n * p(f). It
// spoils x.
func (k *kernel) exp(e exponential, x reg.VecVirtual) reg.VecVirtual {
	n, p := k.vector(), k.vector()
	var keep reg.Register
	VMULPS(e.log2e, x, n)
	if k.wide {
		VRNDSCALEPS(Imm(nearest), n, n)
		keep = K()
	} else {
		VROUNDPS(Imm(nearest), n, n)
		keep = YMM()
	}
	VCMPPS(Imm(notLess), e.cutoff, x, keep)
	VFMSUB132PS(e.log2e, n, x)
	last := len(e.coefficients) - 1
	VMOVUPS(e.coefficients[last], p)
	for i := last - 1; i >= 0; i-- {
		VFMADD213PS(e.coefficients[i], x, p)
	}
	if k.wide {
		VSCALEFPS_Z(n, p, keep, p)
		return p
	}
	VCVTPS2DQ(n, n)
	VPSLLD(Imm(23), n, n)
	VPADDD(n, p, p)
	VANDPS(keep, p, p)
	return p
}

func (t *target) softmax() {
	k := t.function("expSum", "func(x []float32, m float32) float32", "x",
		"is x = exp(x-m) for m >= max(x), and the sum of the result.")
	x, m := k.pointer("x"), k.scalar("m")
	e := k.exponential()
	accs := k.zeros(accumulators)
	k.loop(accumulators, func(b block) {
		v := k.load(x, b)
		VSUBPS(m, v, v)
		v = k.exp(e, v)
		k.only(v, b)
		k.store(v, x, b)
		VADDPS(v, accs[b.u], accs[b.u])
	})
	k.endFloat(k.fold(VADDPS, accs))

	k = t.function("softmaxGrad", "func(dx, dy, p []float32, c float32)", "dx", "is dx = p*(dy-c).")
	dx, dy, p, c := k.pointer("dx"), k.pointer("dy"), k.pointer("p"), k.scalar("c")
	k.loop(2, func(b block) {
		v := k.load(dy, b)
		VSUBPS(c, v, v)
		VMULPS(k.load(p, b), v, v)
		k.store(v, dx, b)
	})
	k.end()
}
