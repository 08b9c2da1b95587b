package vec

import "math"

// Each runs task(i) once for every i from 0 to n−1, in any order and on any threads, and returns
// when all have ended: the For of a pool.
type Each func(n int, task func(i int))

// optimizerBlock is about how many elements one task of an optimizer handles.
const optimizerBlock = 1 << 16

// AdamOptions configures Adam. The zero value means β1 0.9, β2 0.999, ε 1e-8 and no decay.
type AdamOptions struct {
	Beta1, Beta2, Epsilon float64 // 0 for the default
	WeightDecay           float64 // decoupled from the gradient
}

// Adam is the optimizer's state over one flat buffer of parameters.
type Adam struct {
	M, V []float32 // first and second moments, for checkpoints

	set  *Set
	o    AdamOptions
	task func(i int)

	p, g                    []float32 // of the step under way
	scale, root, rate, keep float32
}

// NewAdam returns an Adam whose moments live in m and v, of the length of the parameters: zeros, or
// those of a checkpoint.
func NewAdam(s *Set, o AdamOptions, m, v []float32) *Adam {
	orDefault(&o.Beta1, 0.9)
	orDefault(&o.Beta2, 0.999)
	orDefault(&o.Epsilon, 1e-8)
	a := &Adam{M: m, V: exactly(v, len(m)), set: s, o: o}
	a.task = a.block
	return a
}

func orDefault(v *float64, value float64) {
	if *v == 0 {
		*v = value
	}
}

// Step moves p against the gradient g·gradScale. step counts from 1.
//
//	m = β1·m + (1−β1)·g, v = β2·v + (1−β2)·g²
//	p = p·(1 − rate·decay) − rate·(m/(1−β1^step)) / (√(v/(1−β2^step)) + ε)
//
// The result does not depend on how each spreads its tasks; nil runs them one after another.
// Nothing is allocated. Source: Kingma and Ba 2015, algorithm 1, arXiv 1412.6980; decay as in
// Loshchilov and Hutter 2019, arXiv 1711.05101.
func (a *Adam) Step(step int, rate float64, p, g []float32, gradScale float64, each Each) {
	a.p, a.g = exactly(p, len(a.M)), exactly(g, len(a.M))
	a.scale = float32(gradScale)
	a.root = float32(1 / math.Sqrt(1-math.Pow(a.o.Beta2, float64(step))))
	a.rate = float32(rate / (1 - math.Pow(a.o.Beta1, float64(step))))
	a.keep = float32(1 - rate*a.o.WeightDecay)
	run(each, (len(p)+optimizerBlock-1)/optimizerBlock, a.task)
	a.p, a.g = nil, nil
}

func (a *Adam) block(i int) {
	lo, hi := i*optimizerBlock, min(len(a.p), (i+1)*optimizerBlock)
	o := &a.o
	a.set.k.adam(a.p[lo:hi], a.M[lo:hi], a.V[lo:hi], a.g[lo:hi], a.scale,
		float32(o.Beta1), float32(1-o.Beta1), float32(o.Beta2), float32(1-o.Beta2), a.root,
		float32(o.Epsilon), a.rate, a.keep)
}

func run(each Each, n int, task func(i int)) {
	if each != nil {
		each(n, task)
		return
	}
	for i := range n {
		task(i)
	}
}
