package main

import . "github.com/mmcloughlin/avo/build"

func (t *target) norms() {
	k := t.function("normApply", "func(y, x, w []float32, r float32)", "y", "is y = r*x*w.")
	y, x, w, r := k.pointer("y"), k.pointer("x"), k.pointer("w"), k.scalar("r")
	k.loop(2, func(b block) {
		v := k.load(x, b)
		VMULPS(r, v, v)
		VMULPS(k.load(w, b), v, v)
		k.store(v, y, b)
	})
	k.end()
	t.normGrad("normGrad", "is dx = r*w*dy - c*x and dw += r*dy*x.", false)
	t.normGrad("normGradAdd", "is dx += r*w*dy - c*x and dw += r*dy*x.", true)
}

func (t *target) normGrad(name, doc string, accumulate bool) {
	k := t.function(name, "func(dx, dw, dy, x, w []float32, r, c float32)", "dx", doc)
	dx, dw, dy, x, w := k.pointer("dx"), k.pointer("dw"), k.pointer("dy"), k.pointer("x"),
		k.pointer("w")
	r, c := k.scalar("r"), k.scalar("c")
	k.loop(2, func(b block) {
		g, in, weight := k.load(dy, b), k.load(x, b), k.load(dw, b)
		VMULPS(r, g, g)
		VFMADD231PS(g, in, weight)
		k.store(weight, dw, b)
		VMULPS(k.load(w, b), g, g)
		VFNMADD231PS(c, in, g)
		if accumulate {
			VADDPS(k.load(dx, b), g, g)
		}
		k.store(g, dx, b)
	})
	k.end()
}
