package calibrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/isa"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/pool"
	"github.com/deepnarrow/deepnarrow/hardware/kernel/probe"
)

// Bench measures steps of the reference kernel on this machine.
type Bench struct {
	Points  []Point // in order
	Threads int
	Path    string // instruction path by name; "" for the best
	Machine string // for the records
	Budget  time.Duration
	Now     func() time.Time
	// CPUSeconds returns the processor time that the process has used; nil where the system does
	// not tell.
	CPUSeconds func() float64
	// MemoryBytes bounds the arena of a step; 0 for no bound.
	MemoryBytes float64
	Done        []Record           // of earlier calls: their points are not measured again
	Keep        func(Record) error // called as soon as a record is made
	// Progress is called before each point with the share of the budget that is spent; it may be
	// nil.
	Progress func(p Point, spent float64)
}

// BenchResult is what a bench found.
type BenchResult struct {
	// done before and now, of this machine, path and number of threads; the last of a point stands
	Records []Record
	Facts   ProcessorFacts
	ISA     isa.Path
	Left    int // points of the design that the budget left over
}

const (
	// repeatShare of the budget is kept for measuring again what was disturbed, once something was.
	repeatShare = 0.2
	// A point is timed for leastSteps and leastSeconds, but no longer than it takes to reach
	// mostSteps or enoughSeconds.
	leastSteps, mostSteps       = 3, 40
	leastSeconds, enoughSeconds = 0.5, 3
	// longestShare of the budget is the most that one point may take.
	longestShare = 0.25
)

// Measure takes the points that are not done in their order, leaving out those that would not end
// within the budget, and then measures disturbed ones again while time is left. When ctx ends it
// returns what is there with the error of ctx.
//
// The peak among the facts is the best of the probes beside the points, the bandwidth their median.
func (b *Bench) Measure(ctx context.Context) (BenchResult, error) {
	path, err := isa.Choose(b.Path)
	if err != nil {
		return BenchResult{}, err
	}
	workers := pool.New(b.Threads)
	defer workers.Close()
	m := bench{Bench: b, workers: workers, start: b.Now(), triad: probe.NewTriad(path)}
	m.ISA, m.Facts = path, ProcessorFacts{
		Threads: b.Threads, Machine: b.Machine,
		MemoryBytes: b.MemoryBytes,
	}
	for _, r := range b.Done {
		if r.Machine == b.Machine && r.Path == path.String() && r.Threads == b.Threads {
			m.keep(r)
		}
	}
	m.Left, err = m.pass(ctx, m.firstShare, func(p *Point) bool {
		return !slices.ContainsFunc(m.Records, func(r Record) bool { return r.of(p) })
	})
	if err == nil {
		err = m.again(ctx)
	}
	_, m.Facts.BandwidthBytesPerSecond, _ = bandwidths(m.Records)
	return m.BenchResult, err
}

type bench struct {
	*Bench
	BenchResult
	workers *pool.Pool
	triad   *probe.Triad
	start   time.Time
	// measured seconds over those of the nominal processor, of the slowest point so far
	pace float64
}

// spent is the share of the budget.
func (m *bench) spent() float64 { return m.Now().Sub(m.start).Seconds() / m.Budget.Seconds() }

// keep adds a record to the points' best.
func (m *bench) keep(r Record) {
	m.Facts.PeakFLOPsPerSecond = max(m.Facts.PeakFLOPsPerSecond, r.PeakFLOPsPerSecond)
	m.Records = withBetter(m.Records, r)
}

// pass takes the wanted points that a share of the budget allows, in their order, and counts the others.
func (m *bench) pass(ctx context.Context, share func() float64, wanted func(p *Point) bool) (left int, err error) {
	for i := range m.Points {
		switch p := &m.Points[i]; {
		case !wanted(p):
		case m.spent() > share() || !m.affordable(p):
			left++
		default:
			if err := m.take(ctx, p); err != nil {
				return left, err
			}
		}
	}
	return left, nil
}

// firstShare is the share of the budget that the first pass may use.
func (m *bench) firstShare() float64 {
	if slices.ContainsFunc(m.Records, func(r Record) bool { return r.Contended != "" }) {
		return 1 - repeatShare
	}
	return 1
}

// again measures disturbed points a second time, until the budget ends.
func (m *bench) again(ctx context.Context) error {
	for i := range m.Records { // the best rate may have been seen after the point
		m.Records[i].Contended = m.Records[i].disturbance(m.Facts.PeakFLOPsPerSecond)
	}
	_, err := m.pass(ctx, func() float64 { return 1 }, func(p *Point) bool {
		return slices.ContainsFunc(m.Records, func(r Record) bool { return r.of(p) && r.Contended != "" })
	})
	return err
}

// affordable says whether a point would end within what is left, by the slowest point so far, and
// fits in memory.
func (m *bench) affordable(p *Point) bool {
	run := p.run(nominalProcessor())
	memory, err := flops.TrainingMemory(&run.Shape, run.Workload, run.Execution, run.Layout)
	if err != nil || m.MemoryBytes > 0 && memory.PeakBytes > m.MemoryBytes/2 {
		return false
	}
	// Building the model and drawing batches take half a step; then comes the warm-up.
	const overhead = 1.5
	step := m.pace * p.nominalSeconds()
	timed := min(leastSteps*step, enoughSeconds+step)
	return overhead*step+timed <= min(longestShare, 1-m.spent())*m.Budget.Seconds()
}

// nominalSeconds is the step by the model on a nominal processor: what points are compared by
// before any is measured.
func (p *Point) nominalSeconds() float64 {
	profile := nominalProcessor()
	base, run := kernelPrior(&profile), p.run(profile)
	return math.Exp(logSeconds(&run, &base.Constants))
}

// probes are what the machine can do at a moment.
type probes struct{ peak, bandwidth float64 }

func (m *bench) probe() probes {
	return probes{
		probe.PeakFLOPsPerSecond(m.workers, m.ISA, m.Now),
		m.triad.BytesPerSecond(m.workers, m.Now),
	}
}

// take measures one point.
func (m *bench) take(ctx context.Context, p *Point) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.Progress != nil {
		m.Progress(*p, m.spent())
	}
	w := p.Workload
	o := kernel.Options{
		Batch: w.Batch, EncoderLength: w.EncoderLength,
		DecoderLength: w.DecoderLength, Threads: m.Threads, Path: m.ISA.String(),
	}
	before := m.probe()
	t, err := kernel.NewTrainer(&p.Shape, o, kernel.Schedule{Rate: 1e-4},
		kernel.RandomTokens{Vocab: p.Shape.Vocab})
	if err != nil {
		return fmt.Errorf("%s: %w", p.Shape.Name, err)
	}
	defer func() { err = errors.Join(err, t.Model.Close()) }()
	steps, share, err := m.steps(ctx, t, p.Shape.Vocab)
	if err != nil {
		return err
	}
	after := m.probe()
	r := Record{
		Shape: p.Shape.Name, Batch: w.Batch, EncoderLength: w.EncoderLength,
		DecoderLength: w.DecoderLength,
		StepSeconds:   fit.Quantile(steps, 0.5), Steps: len(steps), CPUShare: share,
		Precision: flops.FP32.String(), Optimizer: kernel.Adam.String(),
		Attention: flops.UnfusedAttention.String(), Path: m.ISA.String(), Threads: m.Threads,
		Machine:                 m.Machine,
		PeakFLOPsPerSecond:      min(before.peak, after.peak),
		BandwidthBytesPerSecond: math.Sqrt(before.bandwidth * after.bandwidth),
		Date:                    m.Now().UTC().Format(time.RFC3339),
	}
	r.Spread = (fit.Quantile(steps, 0.75) - fit.Quantile(steps, 0.25)) / 2 / r.StepSeconds
	m.Facts.PeakFLOPsPerSecond = max(m.Facts.PeakFLOPsPerSecond, before.peak, after.peak)
	r.Contended = r.disturbance(m.Facts.PeakFLOPsPerSecond)
	m.pace = max(m.pace, r.StepSeconds/p.nominalSeconds())
	m.keep(r)
	return m.Keep(r)
}

// steps times steps after a warm-up, the drawing of batches left out, and says which share of its
// time the process got.
func (m *bench) steps(ctx context.Context, t *kernel.Trainer, vocab int) (seconds []float64,
	share *float64, err error,
) {
	batch := t.Model.NewBatch()
	source := kernel.RandomTokens{Vocab: vocab}
	one := func(n int) error {
		_, err := t.Model.Step(&batch, t.Schedule.At(n))
		return err
	}
	source.Fill(0, &batch)
	if err := one(1); err != nil {
		return nil, nil, err
	}
	var wall, busy float64
	enough := func(n int) bool {
		return wall >= enoughSeconds || n >= leastSteps && wall >= leastSeconds || n >= mostSteps
	}
	for n := 1; !enough(n - 1); n++ {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		source.Fill(n, &batch)
		from, used := m.Now(), m.cpu()
		if err := one(n + 1); err != nil {
			return nil, nil, err
		}
		took := m.Now().Sub(from).Seconds()
		busy += m.cpu() - used
		wall += took
		seconds = append(seconds, took)
	}
	if m.CPUSeconds != nil && wall > 0 {
		part := busy / (wall * float64(m.Threads))
		share = &part
	}
	return seconds, share, nil
}

func (m *bench) cpu() float64 {
	if m.CPUSeconds == nil {
		return 0
	}
	return m.CPUSeconds()
}
