package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	// geluLinear = 2*sqrt(2/pi) and geluCubic = 0.044715 of it: gelu(a) = a*sigmoid(geluLinear*a +
	// geluCubic*a^3).
	geluLinear = 1.5957691216057308
	geluCubic  = 0.07135481627159822
	// geluClamp: beyond it the sigmoid is 0 or 1 and its derivative 0 in float32.
	geluClamp = 16
	signBit   = 0x80000000
)

func (t *target) activations() {
	k := t.function("relu", "func(y, x []float32)", "y", "is y = max(x, 0); NaN stays NaN.")
	y, x := k.pointer("y"), k.pointer("x")
	zero := k.zero()
	k.loop(4, func(b block) {
		v := k.load(x, b)
		VMAXPS(v, zero, v)
		k.store(v, y, b)
	})
	k.end()

	k = t.function("reluGrad", "func(dx, dy, y []float32)", "dx",
		"is dx = dy where y > 0 and 0 elsewhere.")
	dx, dy, y := k.pointer("dx"), k.pointer("dy"), k.pointer("y")
	zero = k.zero()
	k.loop(4, func(b block) {
		v, out := k.load(dy, b), k.load(y, b)
		if k.wide {
			positive := K()
			VCMPPS(Imm(notLessEqual), zero, out, positive)
			VMOVAPS_Z(v, positive, v)
		} else {
			VCMPPS(Imm(notLessEqual), zero, out, out)
			VANDPS(out, v, v)
		}
		k.store(v, dx, b)
	})
	k.end()

	t.geglu()
	t.gegluGrad()
}

// gelu holds the operands of the gate; it must be made before the loop that uses it.
type gelu struct {
	exponential
	linear, cubic, top, bottom, one, sign Op
}

func (t *target) gelu() gelu {
	g := gelu{
		exponential: t.exponential(), linear: t.constant(geluLinear),
		cubic: t.constant(geluCubic), one: t.constant(1),
	}
	g.top, g.bottom = t.constant(geluClamp), t.constant(-geluClamp)
	if t.wide {
		g.sign = t.broadcastBits(signBit)
	} else {
		g.sign = t.bits(signBit)
	}
	return g
}

// gate is a clamped, its square, s = sigmoid(v(a)) and 1-s, each without cancellation.
func (k *kernel) gate(g gelu, a reg.VecVirtual) (clamped, square, s, rest reg.VecVirtual) {
	clamped, square, s, rest = k.vector(), k.vector(), k.vector(), k.vector()
	v, negative := k.vector(), k.vector()
	VMOVUPS(g.top, clamped)
	VMINPS(a, clamped, clamped)
	VMOVUPS(g.bottom, v)
	VMAXPS(clamped, v, clamped)
	VMULPS(clamped, clamped, square)
	VMOVUPS(g.linear, v)
	VFMADD231PS(g.cubic, square, v)
	VMULPS(clamped, v, v)
	VORPS(g.sign, v, negative)
	small := k.exp(g.exponential, negative) // exp(-|v|)
	VADDPS(g.one, small, rest)
	VMOVUPS(g.one, s)
	VDIVPS(rest, s, s)      // sigmoid(|v|)
	VMULPS(s, small, small) // sigmoid(-|v|)
	if k.wide {
		below := K()
		VPXORD(rest, rest, rest)
		VCMPPS(Imm(less), rest, v, below)
		VBLENDMPS(s, small, below, rest)
		VBLENDMPS(small, s, below, s)
	} else {
		VBLENDVPS(v, s, small, rest)
		VBLENDVPS(v, small, s, s)
	}
	return clamped, square, s, rest
}

func (t *target) geglu() {
	k := t.function("geglu", "func(h, a, b []float32)", "h", "is h = gelu(a)*b.")
	h, pa, pb := k.pointer("h"), k.pointer("a"), k.pointer("b")
	g := k.gelu()
	k.loop(1, func(b block) {
		a := k.load(pa, b)
		_, _, s, _ := k.gate(g, a)
		VMULPS(a, s, s)
		VMULPS(k.load(pb, b), s, s)
		k.store(s, h, b)
	})
	k.end()
}

func (t *target) gegluGrad() {
	k := t.function("gegluGrad", "func(da, db, dh, a, b []float32)", "da",
		"is da = dh*b*gelu'(a) and db = dh*gelu(a).")
	da, db, dh, pa, pb := k.pointer("da"), k.pointer("db"), k.pointer("dh"), k.pointer("a"),
		k.pointer("b")
	g := k.gelu()
	triple := k.constant(3 * geluCubic)
	k.loop(1, func(b block) {
		a := k.load(pa, b)
		clamped, square, s, rest := k.gate(g, a)
		grad := k.load(dh, b)
		gated := k.vector()
		VMULPS(a, s, gated)
		VMULPS(grad, gated, gated)
		slope := k.vector()
		VMOVUPS(g.linear, slope)
		VFMADD231PS(triple, square, slope)
		VMULPS(clamped, slope, slope)
		VMULPS(rest, slope, slope)
		VFMADD213PS(s, s, slope) // s + s*(1-s)*a*v'(a)
		VMULPS(grad, slope, slope)
		VMULPS(k.load(pb, b), slope, slope)
		k.store(slope, da, b)
		k.store(gated, db, b)
	})
	k.end()
}
