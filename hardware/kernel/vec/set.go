package vec

import "github.com/deepnarrow/deepnarrow/hardware/kernel/isa"

// Set is the routines of one instruction path. It has no state and may be shared by goroutines.
type Set struct {
	path isa.Path
	k    kernels
}

// For returns the routines of a path, which the machine must support (isa.Choose says); where the
// build has no assembly for it, those in plain Go.
func For(path isa.Path) *Set {
	k, compiled := assembly(path)
	if !compiled {
		return &Set{path: isa.Generic, k: twins()}
	}
	return &Set{path: path, k: k}
}

// kernels are the routines that exist once per path. Every slice has at least the length of the
// first; results may overwrite inputs only where a caller in this package says so.
type kernels struct {
	maxOf       func(x []float32) float32
	addMaxOf    func(x, a []float32) float32    // x += a first
	addAddMaxOf func(x, a, b []float32) float32 // x += a + b first
	dot         func(x, y []float32) float32
	dotDot      func(x, y, z []float32) float32
	sumSquares  func(x []float32) float64
	poison      func(x []float32) float32 // NaN unless all of x is finite

	add   func(dst, a []float32)
	scale func(x []float32, s float32)
	axpy  func(dst, a []float32, s float32)

	expSum      func(x []float32, m float32) float32 // x = exp(x-m), m >= max(x)
	softmaxGrad func(dx, dy, p []float32, c float32)

	normApply   func(y, x, w []float32, r float32)
	normGrad    func(dx, dw, dy, x, w []float32, r, c float32)
	normGradAdd func(dx, dw, dy, x, w []float32, r, c float32)

	relu      func(y, x []float32)
	reluGrad  func(dx, dy, y []float32)
	geglu     func(h, a, b []float32)
	gegluGrad func(da, db, dh, a, b []float32)

	adam func(p, m, v, g []float32, gradScale, beta1, rest1, beta2, rest2, root, eps, rate,
		keep float32)

	squares        func(col, g []float32) float32 // col += g*g
	scaledSquares  func(g, c []float32) float32
	scaledSubtract func(p, g, c []float32, s float32)
	moment         func(v, g []float32, beta, rest, eps float32) float32
	rootSubtract   func(p, g, v []float32, s float32)
}

func twins() kernels {
	return kernels{
		maxOf: maxOf, addMaxOf: addMaxOf, addAddMaxOf: addAddMaxOf, dot: dot, dotDot: dotDot,
		sumSquares: sumSquares, poison: poison,
		add: add, scale: scale, axpy: axpy,
		expSum: expSum, softmaxGrad: softmaxGrad,
		normApply: normApply, normGrad: normGrad, normGradAdd: normGradAdd,
		relu: relu, reluGrad: reluGrad, geglu: geglu, gegluGrad: gegluGrad,
		adam:    adam,
		squares: squares, scaledSquares: scaledSquares, scaledSubtract: scaledSubtract,
		moment: moment, rootSubtract: rootSubtract,
	}
}
