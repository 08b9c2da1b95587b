package main

import . "github.com/mmcloughlin/avo/build"

func (t *target) adam() {
	k := t.function("adam",
		"func(p, m, v, g []float32, gradScale, beta1, rest1, beta2, rest2, root, eps, rate, keep float32)", "p",
		"is m = beta1*m + rest1*h, v = beta2*v + rest2*h*h, p = keep*p - rate*m/(root*sqrt(v)+eps) with h = gradScale*g.")
	p, m, v, g := k.pointer("p"), k.pointer("m"), k.pointer("v"), k.pointer("g")
	scale, beta1, rest1, beta2, rest2 := k.scalar("gradScale"), k.scalar("beta1"),
		k.scalar("rest1"), k.scalar("beta2"), k.scalar("rest2")
	root, eps, rate, keep := k.scalar("root"), k.scalar("eps"), k.scalar("rate"), k.scalar("keep")
	k.loop(1, func(b block) {
		h, first, second := k.load(g, b), k.load(m, b), k.load(v, b)
		t := k.vector()
		VMULPS(scale, h, h)
		VMULPS(beta1, first, first)
		VFMADD231PS(rest1, h, first)
		k.store(first, m, b)
		VMULPS(h, h, h)
		VMULPS(beta2, second, second)
		VFMADD231PS(rest2, h, second)
		k.store(second, v, b)
		VSQRTPS(second, t)
		VFMADD213PS(eps, root, t)
		VMULPS(rate, first, first)
		VDIVPS(t, first, first)
		w := k.load(p, b)
		VMULPS(keep, w, w)
		VSUBPS(first, w, w)
		k.store(w, p, b)
	})
	k.end()
}

func (t *target) adafactor() {
	k := t.function("squares", "func(col, g []float32) float32", "col",
		"is col += g*g and the sum of g*g.")
	col, g := k.pointer("col"), k.pointer("g")
	accs := k.zeros(accumulators)
	k.loop(accumulators, func(b block) {
		v, c := k.load(g, b), k.load(col, b)
		VMULPS(v, v, v)
		VADDPS(v, c, c)
		VADDPS(v, accs[b.u], accs[b.u])
		k.store(c, col, b)
	})
	k.endFloat(k.fold(VADDPS, accs))

	k = t.function("scaledSquares", "func(g, c []float32) float32", "g",
		"is the sum of (g*c)*(g*c).")
	g, c := k.pointer("g"), k.pointer("c")
	accs = k.zeros(accumulators)
	k.loop(accumulators, func(b block) {
		v := k.load(g, b)
		VMULPS(k.load(c, b), v, v)
		VFMADD231PS(v, v, accs[b.u])
	})
	k.endFloat(k.fold(VADDPS, accs))

	k = t.function("scaledSubtract", "func(p, g, c []float32, s float32)", "p", "is p -= s*g*c.")
	p, g, c := k.pointer("p"), k.pointer("g"), k.pointer("c")
	s := k.scalar("s")
	k.loop(4, func(b block) {
		u, w := k.load(g, b), k.load(p, b)
		VMULPS(k.load(c, b), u, u)
		VFNMADD231PS(u, s, w)
		k.store(w, p, b)
	})
	k.end()

	k = t.function("moment", "func(v, g []float32, beta, rest, eps float32) float32", "v",
		"is v = beta*v + rest*(g*g+eps) and the sum of g*g/v.")
	v, g := k.pointer("v"), k.pointer("g")
	beta, rest, eps := k.scalar("beta"), k.scalar("rest"), k.scalar("eps")
	accs = k.zeros(2)
	k.loop(2, func(b block) {
		h, second := k.load(g, b), k.load(v, b)
		VMULPS(h, h, h)
		VMULPS(beta, second, second)
		t := k.vector()
		VADDPS(eps, h, t)
		VFMADD231PS(rest, t, second)
		k.store(second, v, b)
		VDIVPS(second, h, h)
		k.only(h, b)
		VADDPS(h, accs[b.u], accs[b.u])
	})
	k.endFloat(k.fold(VADDPS, accs))

	k = t.function("rootSubtract", "func(p, g, v []float32, s float32)", "p",
		"is p -= s*g/sqrt(v).")
	p, g, v = k.pointer("p"), k.pointer("g"), k.pointer("v")
	s = k.scalar("s")
	k.loop(2, func(b block) {
		u, d, w := k.load(g, b), k.load(v, b), k.load(p, b)
		VSQRTPS(d, d)
		VDIVPS(d, u, u)
		VFNMADD231PS(u, s, w)
		k.store(w, p, b)
	})
	k.end()
}
