package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

// signature is that of a function over slices and scalars.
func signature(slices, scalars []string, result string) string {
	s := "func(" + strings.Join(slices, ", ") + " []float32"
	if len(scalars) > 0 {
		s += ", " + strings.Join(scalars, ", ") + " float32"
	}
	return strings.TrimSpace(s + ") " + result)
}

func (k *kernel) pointers(names []string) []reg.Register {
	ps := make([]reg.Register, len(names))
	for i, name := range names {
		ps[i] = k.pointer(name)
	}
	return ps
}

func (t *target) maps() {
	k := t.function("add", "func(dst, a []float32)", "dst", "is dst += a.")
	dst, a := k.pointer("dst"), k.pointer("a")
	k.loop(4, func(b block) {
		v := k.load(dst, b)
		VADDPS(k.load(a, b), v, v)
		k.store(v, dst, b)
	})
	k.end()

	k = t.function("scale", "func(x []float32, s float32)", "x", "is x *= s.")
	x, s := k.pointer("x"), k.scalar("s")
	k.loop(4, func(b block) {
		v := k.load(x, b)
		VMULPS(s, v, v)
		k.store(v, x, b)
	})
	k.end()

	k = t.function("axpy", "func(dst, a []float32, s float32)", "dst", "is dst += s*a.")
	dst, a, s = k.pointer("dst"), k.pointer("a"), k.scalar("s")
	k.loop(4, func(b block) {
		v := k.load(dst, b)
		VFMADD231PS(k.load(a, b), s, v)
		k.store(v, dst, b)
	})
	k.end()
}
