package kernel

import (
	"runtime"

	"github.com/deepnarrow/deepnarrow/hardware/kernel/gemm"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/vec"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Model is a T5 model with its optimizer, ready to take steps on batches of one size. One goroutine
// may use it at a time; Close ends it.
type Model struct {
	Tensors []Tensor // every trained tensor, in the order of the flat buffer

	shape   shapes.Shape
	options Options
	path    isa.Path

	pool   *pool.Pool
	each   vec.Each // the loop of pool
	vec    *vec.Set
	engine *gemm.Engine   // products over all rows, on all threads
	core   []*gemm.Engine // one a thread: products of one sequence and head
	alone  []*pool.Pool   // the pool of each core engine, the thread itself

	held    Footprint
	release func() error

	index              map[string]int // tensors by name
	weights, gradients []float32      // flat
	moments            []float32      // of the optimizer, flat
	adam               *vec.Adam
	adafactor          *vec.Adafactor
	steps              int // taken so far

	encoder, decoder stack
	logits           []float32 // B·Sd×V
	feed             feed
	program          program
	norm             gradientNorm
	productsOnly     bool // skip what is not a matrix product, to time those alone
}

// stack is one stack of the model with its memory.
type stack struct {
	name  string
	e     extents
	saved stackSaved
	back  gradients
}

// New returns a model with fresh weights. Errors: those of [Supported], an [*OptionError], an
// [*isa.OverrideError], or the system's refusal of memory.
func New(s *shapes.Shape, o Options) (*Model, error) {
	if err := Supported(s); err != nil {
		return nil, err
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	path, err := isa.Choose(o.Path)
	if err != nil {
		return nil, err
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	m := &Model{shape: *s, options: o, path: path, vec: vec.For(path), index: map[string]int{}}
	m.encoder = stack{name: "encoder", e: extentsOf(s, &s.Encoder, o.Batch, o.EncoderLength, 0)}
	m.decoder = stack{name: "decoder", e: extentsOf(s, &s.Decoder, o.Batch, o.DecoderLength,
		o.EncoderLength)}
	if err := m.reserve(); err != nil {
		return nil, err
	}
	m.start()
	m.record()
	m.watchRest()
	m.each(len(m.Tensors), func(i int) { m.Tensors[i].initialise(o.Seed, i) })
	return m, nil
}

// reserve lays out the arena: once to measure it, once to cut it.
func (m *Model) reserve() error {
	var measured arena
	m.cut(&measured)
	if measured.next == mostElements {
		return &OptionError{"batch and lengths", "a step of more than 64 TiB", "what memory holds"}
	}
	data, release, err := allocate(measured.next)
	if err != nil {
		return err
	}
	m.release = release
	a := arena{data: data}
	m.cut(&a)
	m.held = a.held
	return nil
}

func (m *Model) cut(a *arena) {
	tensors, length := layoutOf(&m.shape)
	m.weights = a.take(WeightMemory, length)
	m.gradients = a.take(GradientMemory, length)
	views := make([]vec.View, len(tensors))
	for n := range tensors {
		views[n] = tensors[n].view()
	}
	moments := 2 * length
	if m.options.Optimizer == Adafactor {
		moments = vec.AdafactorState(m.options.Adafactor, views)
	}
	m.moments = a.take(OptimizerMemory, moments)
	recompute := m.options.Recompute
	m.encoder.saved = a.stack(&m.encoder.e, recompute)
	m.decoder.saved = a.stack(&m.decoder.e, recompute)
	m.logits = a.take(LogitMemory, m.decoder.e.rows*m.shape.Vocab)
	// The gradient of the encoder's output gathers while the decoder is differentiated.
	m.encoder.back.residual = a.take(WorkingMemory, m.encoder.e.rows*m.shape.DModel)
	m.decoder.back.residual = a.take(WorkingMemory, m.decoder.e.rows*m.shape.DModel)
	a.overlay(
		func() { a.working(&m.encoder.e, &m.encoder.saved, &m.encoder.back, recompute) },
		func() { a.working(&m.decoder.e, &m.decoder.saved, &m.decoder.back, recompute) },
	)
	if a.data == nil {
		return
	}
	m.Tensors = tensors
	for n := range tensors {
		t := &m.Tensors[n]
		m.index[t.Name] = n
		from, to := t.offset, t.offset+t.elements()
		t.Values, t.Gradient = m.weights[from:to:to], m.gradients[from:to:to]
	}
	if m.options.Optimizer == Adafactor {
		m.adafactor = vec.NewAdafactor(m.vec, m.options.Adafactor, views, m.moments)
	} else {
		m.adam = vec.NewAdam(m.vec, m.options.Adam, m.moments[:length], m.moments[length:])
	}
}

// start brings up the threads and their engines.
func (m *Model) start() {
	m.pool = pool.New(m.options.Threads)
	m.each = m.pool.For
	m.engine = gemm.New(m.pool, m.path)
	for range m.options.Threads {
		p := pool.New(1)
		m.alone = append(m.alone, p)
		m.core = append(m.core, gemm.New(p, m.path))
	}
	m.feed = newFeed(m.encoder.e.rows, m.decoder.e.rows)
	m.norm.watched = map[int]bool{}
}

// Close ends the threads and gives the memory back. A closed model and its tensors must not be
// used; closing it twice is allowed.
func (m *Model) Close() error {
	if m.release == nil {
		return nil
	}
	m.pool.Close()
	for _, p := range m.alone {
		p.Close()
	}
	release := m.release
	m.Tensors, m.release = nil, nil
	return release()
}

// Threads returns how many threads share a step.
func (m *Model) Threads() int { return m.options.Threads }

// Parameters returns how many numbers are trained.
func (m *Model) Parameters() int64 {
	var sum int64
	for n := range m.Tensors {
		sum += int64(m.Tensors[n].elements())
	}
	return sum
}

// linear returns the matrix of one tensor, or of several that lie side by side.
func (m *Model) linear(names ...string) linear {
	first, last := &m.Tensors[m.index[names[0]]], &m.Tensors[m.index[names[len(names)-1]]]
	from, to := first.offset, last.offset+last.elements()
	in := first.Dims[1]
	return linear{
		weight: m.weights[from:to:to], gradient: m.gradients[from:to:to], offset: from,
		out: (to - from) / in, in: in,
	}
}

// tensor returns a tensor by name.
func (m *Model) tensor(name string) *Tensor {
	n, ok := m.index[name]
	if !ok {
		panic("kernel: no tensor " + name)
	}
	return &m.Tensors[n]
}
