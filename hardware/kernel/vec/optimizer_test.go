package vec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// optimizerTolerance is relative to max(1, |want|) after five steps of size 0.01: each moves a
// parameter by a few roundings of mapTolerance, and Adafactor's factors carry sumTolerance.
const optimizerTolerance = 1e-6

func TestAdam(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		for seed, n := range append([]int{optimizerBlock + 3}, oddSizes...) {
			r := source(seed)
			p := normal(r, n, 1)
			p64, m64, v64 := doubles(p), make([]float64, n), make([]float64, n)
			a := NewAdam(s, AdamOptions{WeightDecay: 0.1}, make([]float32, n), make([]float32, n))
			const rate, gradScale = 0.01, 0.5
			for step := 1; step <= 5; step++ {
				g := normal(r, n, 3)
				a.Step(step, rate, p, g, gradScale, nil)
				for i := range p64 {
					h := gradScale * float64(g[i])
					m64[i] = 0.9*m64[i] + 0.1*h
					v64[i] = 0.999*v64[i] + 0.001*h*h
					m, v := m64[i]/(1-math.Pow(0.9, float64(step))),
						v64[i]/(1-math.Pow(0.999, float64(step)))
					p64[i] -= rate * (m/(math.Sqrt(v)+1e-8) + 0.1*p64[i])
				}
			}
			checkNear(t, "parameters of "+sizeName(n), p, p64, optimizerTolerance)
			checkNear(t, "first moments", a.M, m64, mapTolerance)
			checkNear(t, "second moments", a.V, v64, mapTolerance)
		}
	})
}

// TestAdamFirstStep: after one step from zero moments the update is rate·sign(g), by the bias
// correction.
func TestAdamFirstStep(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		p := []float32{1, 1, 1}
		NewAdam(s, AdamOptions{}, make([]float32, 3), make([]float32, 3)).Step(1, 0.25, p,
			[]float32{4, -1e-3, 0}, 1, nil)
		// ε = 1e-8 beside a gradient of 1e-3
		checkNear(t, "parameters", p, []float64{0.75, 1.25, 1}, 1e-5)
	})
}

// adafactor64 is the algorithm as written for one matrix; v has rows+cols moments where it is
// factored, else one per element.
func adafactor64(step int, rate float64, p, g, v []float64, rows, cols int, factored bool) {
	beta, n := 1-math.Pow(float64(step), -0.8), float64(rows*cols)
	u := make([]float64, len(g))
	if factored {
		for k := range v {
			v[k] *= beta
		}
		for i, x := range g {
			v[i/cols] += (1 - beta) * (x*x + 1e-30) / float64(cols)
			v[rows+i%cols] += (1 - beta) * (x*x + 1e-30) / float64(rows)
		}
		mean := 0.0
		for _, r := range v[:rows] {
			mean += r / float64(rows)
		}
		for i, x := range g {
			u[i] = x / math.Sqrt(v[i/cols]*v[rows+i%cols]/mean)
		}
	} else {
		for i, x := range g {
			v[i] = beta*v[i] + (1-beta)*(x*x+1e-30)
			u[i] = x / math.Sqrt(v[i])
		}
	}
	clip := max(1, math.Sqrt(dotOf(u, u)/n))
	size := max(1e-3, math.Sqrt(dotOf(p, p)/n))
	for i := range p {
		p[i] -= rate * size * u[i] / clip
	}
}

// adafactorViews: a vector, a narrow matrix, factored ones of one and of several blocks, with gaps
// between them.
func adafactorViews() (views []View, total int) {
	for _, shape := range [][2]int{
		{1, 257},
		{300, 7},
		{128, 128},
		{1000, 131},
		{129, 1025},
		{1, 2*optimizerBlock + 9},
	} {
		views = append(views, View{Offset: total + 1, Rows: shape[0], Cols: shape[1]})
		total += shape[0]*shape[1] + 2
	}
	return views, total
}

// adafactorGradients have rows and columns of different size, and some of them zero.
func adafactorGradients(r *rand.Rand, views []View, total int) []float32 {
	g := normal(r, total, 1)
	for _, v := range views {
		for i := range v.Rows * v.Cols {
			row, col := i/v.Cols, i%v.Cols
			f := float32(0.1+float64(row%5)) * float32(0.5+float64(col%3))
			if row%50 == 49 || col%40 == 39 {
				f = 0
			}
			g[v.Offset+i] *= f
		}
	}
	return g
}

func TestAdafactor(t *testing.T) {
	views, total := adafactorViews()
	eachPath(t, func(t *testing.T, s *Set) {
		r := source(1)
		p := normal(r, total, 0.5)
		p64, start := doubles(p), clone(p)
		state := make([]float32, AdafactorState(AdafactorOptions{}, views))
		a, moments := NewAdafactor(s, AdafactorOptions{}, views, state),
			make([][]float64, len(views))
		count := 0
		for i, v := range views {
			moments[i] = make([]float64, v.Rows*v.Cols)
			if v.Rows >= 128 && v.Cols >= 128 {
				moments[i] = make([]float64, v.Rows+v.Cols)
			}
			count += len(moments[i])
		}
		if count != len(state) {
			t.Fatalf("state of %d elements, want %d: rows + columns where both are at least 128",
				len(state), count)
		}
		for step := 1; step <= 5; step++ {
			g := adafactorGradients(r, views, total)
			a.Step(step, RelativeStep(step), p, g, nil)
			g64 := doubles(g)
			for i, v := range views {
				lo, hi := v.Offset, v.Offset+v.Rows*v.Cols
				adafactor64(step, 0.01, p64[lo:hi], g64[lo:hi], moments[i], v.Rows, v.Cols,
					len(moments[i]) < hi-lo)
			}
		}
		checkNear(t, "parameters", p, p64, optimizerTolerance)
		at := 0
		for i := range views {
			checkNear(t, "moments", state[at:at+len(moments[i])], moments[i], sumTolerance)
			at += len(moments[i])
		}
		for i, v := range views {
			for _, gap := range []int{v.Offset - 1, v.Offset + v.Rows*v.Cols} {
				if p[gap] != start[gap] {
					t.Errorf("view %d: parameter %d outside it was changed", i, gap)
				}
			}
		}
	})
}

// TestAdafactorFirstStep: by hand. Unfactored, step 1 has β = 0, so u = sign(g); rms(p) = 2, so the
// step is 0.01·2. The update of a zero gradient is 0.
func TestAdafactorFirstStep(t *testing.T) {
	eachPath(t, func(t *testing.T, s *Set) {
		p := []float32{2, -2, 2, -2}
		a := NewAdafactor(s, AdafactorOptions{}, []View{{Rows: 2, Cols: 2}}, make([]float32, 4))
		a.Step(1, RelativeStep(1), p, []float32{5, 1e-3, -7, 0}, nil)
		checkNear(t, "parameters", p, []float64{1.98, -2.02, 2.02, -2}, mapTolerance)
		clear(p) // the size of parameters counts as at least 1e-3
		a.Step(1, RelativeStep(1), p, []float32{5, 1e-3, -7, 0}, nil)
		s.Scale(p, 1e5)
		checkNear(t, "parameters from zero", p, []float64{-1, -1, 1, 0}, mapTolerance)
	})
	for step, want := range map[int]float64{
		1: 0.01, 10_000: 0.01, 40_000: 0.005,
		1_000_000: 0.001,
	} {
		if got := RelativeStep(step); !approx.Close(got, want, 1e-15) {
			t.Errorf("relative step %d is %v, want %v", step, got, want)
		}
	}
}

// TestOptimizersAnyOrder: the same bits whatever the order and the threads of the tasks, and when
// the state moves to a fresh optimizer half-way.
func TestOptimizersAnyOrder(t *testing.T) {
	views, total := adafactorViews()
	workers := pool.New(3)
	defer workers.Close()
	backwards := func(n int, task func(i int)) {
		for i := n - 1; i >= 0; i-- {
			task(i)
		}
	}
	eachPath(t, func(t *testing.T, s *Set) {
		run := func(each Each) (adam, adafactor []float32) {
			r := source(1)
			adam = normal(r, total, 1)
			adafactor = clone(adam)
			m, v := make([]float32, total), make([]float32, total)
			state := make([]float32, AdafactorState(AdafactorOptions{}, views))
			for step := 1; step <= 2; step++ {
				g := adafactorGradients(r, views, total)
				NewAdam(s, AdamOptions{}, m, v).Step(step, 0.01, adam, g, 1, each)
				NewAdafactor(s, AdafactorOptions{}, views, state).Step(step, 0.01, adafactor, g,
					each)
			}
			return adam, adafactor
		}
		adam, adafactor := run(nil)
		for _, each := range []Each{backwards, workers.For} {
			gotAdam, gotAdafactor := run(each)
			checkSame(t, "Adam", gotAdam, adam)
			checkSame(t, "Adafactor", gotAdafactor, adafactor)
		}
	})
}

// TestNothingAllocated: a training step must not wake the garbage collector.
func TestNothingAllocated(t *testing.T) {
	views, total := adafactorViews()
	s := For(isa.Best())
	p, g := normal(source(1), total, 1), normal(source(2), total, 1)
	adam := NewAdam(s, AdamOptions{}, make([]float32, total), make([]float32, total))
	adafactor := NewAdafactor(s, AdafactorOptions{}, views,
		make([]float32, AdafactorState(AdafactorOptions{}, views)))
	workers := pool.New(2)
	defer workers.Close()
	targets, losses := make([]int32, 4), make([]RowLoss, 4)
	allocations := testing.AllocsPerRun(3, func() {
		adam.Step(1, 0.01, p, g, 1, workers.For)
		adafactor.Step(1, 0.01, p, g, workers.For)
		s.Softmax(g[:4000], 1000, SoftmaxOptions{})
		s.CrossEntropy(g[:4000], 1000, targets, nil, LossOptions{GradScale: 1}, losses)
	})
	if allocations != 0 {
		t.Errorf("%v allocations a step, want none", allocations)
	}
}
