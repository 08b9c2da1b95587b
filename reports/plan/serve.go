package plan

import (
	"cmp"
	"fmt"
	"math"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Serving is the traffic that a model answers. What is zero is open.
type Serving struct {
	// Prompt and Generate are the tokens of a request and of its answer; 0 the workload's, and of a
	// decoder-only model those of the paper.
	Prompt, Generate int
	PerSecond        float64 // requests; 0 = one copy of the model, always busy
	MaxSeconds       float64 // of a whole answer; 0 = no limit
	Sure             float64 // probability that MaxSeconds and PerSecond are kept; 0 = [UsualSure]
	Stored           flops.Storage
	Batch, TP        int     // of a copy; 0 = what is cheapest within the limits
	Rented           int     // devices at hand; 0 = as many as the traffic takes
	Tokens           float64 // of requests and answers in the model's life, for the lifetime cost
}

// Served is how a model serves its traffic, and what that costs.
type Served struct {
	Serving // with Prompt, Generate, Batch and TP as resolved
	Run     hardware.Run
	// Decoding is of one batch on one copy; nil with Missing where it cannot be known.
	Decoding *hardware.Decoding
	Missing  string

	// Copies is how many the traffic takes; without PerSecond how many the rented devices hold, or 1.
	Copies   int
	Load     float64           // share of their time that they are busy; 1 without PerSecond
	Requests hardware.Estimate // a second that one copy answers
	// Dollars: of a million tokens of the requests and of the answers, of a month, and of the
	// model's life.
	PerMillionIn, PerMillionOut, PerMonth, Life hardware.Estimate
}

// Devices is how many serve. With traffic they may be more than are rented.
func (s *Served) Devices() int { return s.Copies * s.TP }

// TokensPerSecond is how many a copy generates that is always busy.
func (s *Served) TokensPerSecond() hardware.Estimate { return scaled(s.Requests, float64(s.Generate)) }

// Seconds is the time of a whole answer.
func (s *Served) Seconds() hardware.Estimate {
	if s.Decoding == nil {
		return hardware.Estimate{Missing: s.Missing}
	}
	return hardware.Estimate{Interval: &s.Decoding.TotalSeconds}
}

const (
	// MostServed is the largest batch of a copy that is tried, in sequences.
	MostServed = 1 << 12
	mostShards = 16 // devices of a copy
	// mostRequests is a second of everybody's; copies are counted in whole numbers.
	mostRequests = 1e9
	// secondsPerMonth is a twelfth of a year of 365.25 days.
	secondsPerMonth = 365.25 * 86400 / 12
	million         = 1e6
)

// served finds how to serve: every batch that is a power of two, on every power of two of devices of
// a fast link that the shape allows, as long as it fits in memory and its answers take no longer than
// allowed. The fewest devices win where the traffic is stated, else the fewest device-seconds of a
// request, then the shorter answer.
//
//	requests/s of a copy = batch / answer time
//	copies               = ⌈requests/s · answer time / batch⌉, the time at the probability Sure
//	dollars of a request = devices · price / requests/s, of which the passes over the input are the
//	                       input's and the decoder steps the output's
//
// Requests join a batch as others leave it (Yu et al. 2022, Orca, section 4), so that a copy is full
// whenever the traffic fills it, and none waits for the others. Weights are merged with adapters.
//
// Not modelled: waiting where requests come in bursts, caches shared by prompts, speculation, idle
// nights.
func (r *Resolved) served(ask Serving) *Served {
	none := func(why string) *Served { return &Served{Serving: ask, Missing: why} }
	shape := &r.Run.Shape
	switch {
	case !r.Timed:
		return none(NoHardware)
	case shape.Decoder.Layers == 0:
		return none(shape.Name + " has no decoder and generates nothing")
	}
	if !(ask.PerSecond <= mostRequests) {
		return none(fmt.Sprintf("%.3g requests a second; allowed: up to %.0g", ask.PerSecond,
			mostRequests))
	}
	ask = ask.resolved(r.Run.Workload, shape)
	base := Copy(r.Run, 1)
	base.Layout = flops.Layout{}
	base.Execution.Tuning = flops.Tuning{Stored: ask.Stored}
	if base.Software.Compiled == nil && base.Software.Stack == "" {
		yes := true
		base.Software.Compiled = &yes
	}
	var best *Served
	var why, remedy string
	for _, tp := range shards(&base, &ask) {
		for batch := max(1, ask.Batch); batch <= max(MostServed, ask.Batch); batch *= 2 {
			run := base
			run.Layout = flops.Layout{TP: tp}
			run.Workload.Batch, run.Generation.Prompt = batch, ask.Prompt
			d := generated(run, ask.Generate)
			if d.Decoding == nil {
				why = d.Missing
				break
			}
			remedy = "; allowed: more memory, quantised weights or a longer answer time"
			if fits := d.Decoding.Fits; fits != nil && !*fits {
				if batch == max(1, ask.Batch) {
					why = fmt.Sprintf("a batch of %d over %s needs %s of each", batch, quantity.Of(tp, "device"),
						quantity.Format(quantity.Bytes, d.Decoding.Memory.PeakBytes, 3))
				}
				break
			}
			s := &Served{Serving: ask, Run: run, Decoding: d.Decoding}
			s.Batch, s.TP, s.Run.Workload = batch, tp, d.Workload
			if shape.Encoder.Layers > 0 {
				s.Run.Generation.Prompt = 0 // it is the encoder's input
			}
			seconds, _ := s.Seconds().AtMost(ask.Sure)
			if ask.MaxSeconds > 0 && seconds > ask.MaxSeconds {
				if batch == max(1, ask.Batch) {
					why = fmt.Sprintf("one answer takes up to %s with a probability of %.0f %%",
						quantity.Format(quantity.Duration, seconds, 2), 100*ask.Sure)
				}
				break
			}
			s.bill(seconds, r.Rates.Price)
			if best == nil || s.beats(best) {
				best = s
			}
			if ask.Batch > 0 {
				break
			}
		}
	}
	if best == nil {
		return none(why + remedy)
	}
	return best
}

// Served is how the model serves the question's traffic; nil where it has none.
func (r *Resolved) Served() *Served {
	if r.serving == nil {
		return nil
	}
	return r.served(*r.serving)
}

// Serves returns the same decisions with other traffic.
func (r Resolved) Serves(s Serving) Resolved {
	r.serving = &s
	return r
}

// resolved fills in the lengths and the probability.
func (s Serving) resolved(w flops.Workload, shape *shapes.Shape) Serving {
	usual := flops.PaperWorkload
	if shape.Encoder.Layers > 0 {
		usual = w
	}
	s.Prompt = cmp.Or(s.Prompt, usual.EncoderLength)
	s.Generate = cmp.Or(s.Generate, usual.DecoderLength)
	s.Sure = cmp.Or(s.Sure, UsualSure)
	return s
}

// shards lists the tensor-parallel groups that may hold a copy.
func shards(run *hardware.Run, ask *Serving) []int {
	if ask.TP > 0 {
		return []int{ask.TP}
	}
	out := []int{1}
	most := mostShards
	if ask.Rented > 0 {
		most = min(most, ask.Rented)
	}
	if d := run.Profile.IntraDomain; d != nil {
		most = min(most, int(d.Value))
	}
	for tp := 2; tp <= most; tp *= 2 {
		if run.Profile.IntraBytesPerSecond != nil &&
			(flops.Layout{TP: tp}).Validate(&run.Shape, run.Workload) == nil {
			out = append(out, tp)
		}
	}
	return out
}

// beats says whether one way to serve is better than another.
func (s *Served) beats(t *Served) bool {
	mine, theirs := float64(s.Devices()), float64(t.Devices())
	if s.PerSecond == 0 {
		mine, theirs = s.deviceSeconds(), t.deviceSeconds()
	}
	if mine != theirs {
		return mine < theirs
	}
	return s.Decoding.TotalSeconds.Value < t.Decoding.TotalSeconds.Value
}

// deviceSeconds is what one request takes of a copy that is always busy.
func (s *Served) deviceSeconds() float64 {
	return float64(s.TP) * s.Decoding.TotalSeconds.Value / float64(s.Batch)
}

// bill adds how many copies the traffic takes, and the dollars. seconds is the time of an answer that
// copies are counted with.
func (s *Served) bill(seconds float64, price hardware.Input) {
	total, batch := s.Decoding.TotalSeconds, float64(s.Batch)
	s.Requests = hardware.Estimate{Interval: &quantity.Interval{
		Value: batch / total.Value, Low: batch / total.High, High: batch / total.Low,
	}}
	s.Copies, s.Load = max(1, s.Rented/s.TP), 1
	// device-seconds of a request, as billed
	each := scaled(s.Seconds(), float64(s.TP)/batch)
	busy := each
	if s.PerSecond > 0 {
		s.Copies = int(max(1, math.Ceil(s.PerSecond*seconds/batch)))
		s.Load = s.PerSecond * total.Value / batch / float64(s.Copies)
		each = hardware.Exactly(float64(s.Devices()) / s.PerSecond)
	}
	const secondsPerHour = 3600
	if price.Interval == nil {
		none := hardware.Estimate{Missing: price.Missing}
		s.PerMillionIn, s.PerMillionOut, s.PerMonth, s.Life = none, none, none, none
		return
	}
	perSecond := price.Interval.Value / secondsPerHour
	input := (s.Decoding.EncoderSeconds.Value + s.Decoding.PrefillSeconds.Value) / total.Value
	s.PerMillionIn = scaled(each, million*perSecond*input/float64(s.Prompt))
	s.PerMillionOut = scaled(each, million*perSecond*(1-input)/float64(s.Generate))
	s.PerMonth = hardware.Exactly(float64(s.Devices()) * perSecond * secondsPerMonth)
	s.Life = scaled(busy, perSecond*s.Tokens/float64(s.Prompt+s.Generate))
}

// LifetimeCost is the bill of training and of serving that many tokens after it, in dollars. Its bounds
// are the sums of theirs: both rest on the same price, and the errors of their times differ.
func (a *Answer) LifetimeCost() hardware.Estimate {
	train := a.Schedule.Bill.CostUSD
	switch {
	case a.Serving == nil || a.Serving.Tokens == 0:
		return hardware.Estimate{Missing: "no tokens are to be served"}
	case train.Interval == nil:
		return train
	case a.Serving.Decoding == nil:
		return hardware.Estimate{Missing: a.Serving.Missing}
	case a.Serving.Life.Interval == nil:
		return a.Serving.Life
	}
	t, s := train.Interval, a.Serving.Life.Interval
	return hardware.Estimate{Interval: &quantity.Interval{
		Value: t.Value + s.Value, Low: t.Low + s.Low, High: t.High + s.High,
	}}
}

// Decoded is what generating answers with one copy of the model takes.
type Decoded struct {
	Workload flops.Workload     // DecoderLength positions are generated for each sequence
	Devices  int                // of one copy
	Run      hardware.Run       // of one copy
	Decoding *hardware.Decoding // nil where it cannot be known
	Missing  string             // why
}

// Latency is the time to generate a whole answer, in seconds.
func (d *Decoded) Latency() hardware.Estimate {
	switch {
	case d == nil:
		return hardware.Estimate{Missing: "no decoding is asked for"}
	case d.Decoding == nil:
		return hardware.Estimate{Missing: d.Missing}
	}
	return hardware.Estimate{Interval: &d.Decoding.TotalSeconds}
}

// decoded predicts the answers of one copy of the model: data parallelism, ZeRO and micro-batches
// are of training.
func (r *Resolved) decoded() *Decoded {
	switch {
	case !r.Timed:
		return &Decoded{Missing: NoHardware}
	case r.Run.Shape.Decoder.Layers == 0:
		return &Decoded{Missing: r.Run.Shape.Name + " has no decoder and generates nothing"}
	}
	run := Copy(r.Run, r.decode)
	run.Generation = r.generation
	return generated(run, r.generate)
}

// generated predicts the answers of a run that generates: that many positions of each sequence, 0 as
// many as the workload says.
func generated(run hardware.Run, positions int) *Decoded {
	w := &run.Workload
	switch {
	case run.Shape.Encoder.Layers > 0:
		if run.Generation.Prompt > 0 {
			w.EncoderLength, run.Generation.Prompt = run.Generation.Prompt, 0
		}
		if positions > 0 {
			w.DecoderLength = positions
		}
	case positions > 0:
		w.DecoderLength = run.Generation.Prompt + positions
	}
	if w.DecoderLength <= run.Generation.Prompt {
		return &Decoded{Missing: fmt.Sprintf("a prompt of %d leaves nothing of %d positions to generate",
			run.Generation.Prompt, w.DecoderLength)}
	}
	d := &Decoded{Workload: run.Workload, Devices: run.Layout.Devices(), Run: run}
	if decoding, err := hardware.PredictDecoding(run); err != nil {
		d.Missing = err.Error()
	} else {
		d.Decoding = &decoding
	}
	return d
}

// Copy returns the run of one copy of a training run's model that generates answers for a number of
// sequences at once.
func Copy(run hardware.Run, sequences int) hardware.Run {
	l := &run.Layout
	l.DP, l.MicroBatch, l.Accumulate, l.ZeRO = 1, 0, 0, 0
	run.Workload.Batch = sequences
	return run
}

// Generating is the memory of generating one sequence on one device.
type Generating struct {
	Workload         flops.Workload
	Memory           flops.Memory
	TokenBytes       float64 // cached for the first position; more positions than a window add less
	SourceTokenBytes float64 // cached for each position of the encoder
}

// Generate counts what generating that many positions holds. The error is that of a shape that
// generates nothing, or not that many.
func Generate(s *shapes.Shape, w flops.Workload, x flops.Execution, positions int) (
	*Generating, error,
) {
	w.Batch, w.DecoderLength = 1, positions
	m, err := flops.DecodingMemory(s, w, x, flops.Layout{})
	if err != nil {
		return nil, err
	}
	g := &Generating{Workload: w, Memory: m}
	g.TokenBytes, g.SourceTokenBytes = flops.CacheBytes(s, 1, float64(x.Precision.Bytes().Compute))
	return g, nil
}
