package plan

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// PaperSteps is how long a run is that states no length: as long as Tay et al. 2021 train (arXiv
// 2109.10686, section 3).
const PaperSteps = 524288

// mostDecisions bounds what a question can leave open.
const mostDecisions = 12

const paper = "Tay et al. 2021, arXiv 2109.10686, section 3"

// Resolved is a question with every decision made.
type Resolved struct {
	Run hardware.Run // Layout has no zero field; Profile is zero where Timed is false
	// Timed says that a machine is named.
	Timed   bool
	Length  hardware.Length
	Goodput hardware.Input
	Rates   hardware.Rates

	Decisions []Assumption // what the question left open, in the order of deciding

	rates      hardware.StatedRates
	decode     int
	generation hardware.Generation
	generate   int
	serving    *Serving
	fineTuned  bool // the run starts from a trained model
	detail     bool
}

// Resolve decides what a question leaves open.
//
//	workload   the paper's, cut to the shape's positions
//	precision  bf16-mixed; fp16-mixed where the device has float16 and no bfloat16
//	execution  Adafactor, fused attention, no recompute; on a processor as the reference kernel
//	           trains: fp32, Adam, unfused attention
//	layout     the stated axes, and the devices that remain as copies of the model; a batch that
//	           nobody stated grows to a multiple of copies · micro-batch · accumulation. With
//	           Search the fastest layout, recompute mode and sequence parallelism that fit
//	length     that of fine-tuning, see [FineTuning]; else 524,288 steps
//
// Errors: [*shapes.InvalidError] for a workload or layout that the shape does not allow,
// [*hardware.NoLayoutError] and [*hardware.MissingError] of a search, [*hardware.RegionError], an
// error for a PUE below 1.
func (q Question) Resolve() (Resolved, error) {
	r := Resolved{
		Run:       hardware.Run{Shape: q.Shape, Software: q.Software},
		Decisions: make([]Assumption, 0, mostDecisions), Length: q.Length, rates: q.Rates, decode: q.Decode, detail: q.Detail,
		generation: q.Generation, generate: q.Generate, serving: q.Serving,
	}
	q.Workload = q.FineTuning.workload(q.Workload, &q.Shape)
	if err := r.workload(&q); err != nil {
		return r, err
	}
	if q.Profile != nil {
		r.Run.Profile, r.Timed = *q.Profile, true
	}
	r.execution(&q)
	lay := r.place
	if q.Search {
		lay = r.search
	}
	if err := lay(&q); err != nil {
		return r, err
	}
	if err := r.utilise(&q); err != nil {
		return r, err
	}
	if err := r.fineTune(&q.FineTuning); err != nil {
		return r, err
	}
	if r.Length == (hardware.Length{}) {
		r.Length.Steps = PaperSteps
		r.assume("steps", "524,288", hardware.Default, paper)
	}
	return r, r.bill(&q)
}

// With returns the same decisions for another shape. The error is that of a layout which the shape
// does not allow.
func (r Resolved) With(s *shapes.Shape) (Resolved, error) {
	r.Run.Shape = *s
	return r, r.Run.Layout.Validate(s, r.Run.Workload)
}

// Stated returns the question that states every decision: its answer has the same numbers.
func (r Resolved) Stated() Question {
	run, x := &r.Run, &r.Run.Execution
	q := Question{
		Shape: run.Shape, Workload: run.Workload, Precision: &x.Precision, Optimizer: &x.Optimizer,
		Attention: &x.Attention, Recompute: &x.Recompute, Dropout: x.Dropout,
		Devices: run.Devices(), Layout: run.Layout, Software: run.Software, Length: r.Length,
		FineTuning: FineTuning{Tuning: x.Tuning}, Rates: r.rates, Decode: r.decode, Generation: r.generation, Generate: r.generate,
		Serving: r.serving,
	}
	if r.Timed {
		compiled := run.Compiled()
		q.Profile, q.Software.Compiled = &run.Profile, &compiled
	}
	if r.Goodput.Origin == hardware.Flag {
		q.Goodput = &r.Goodput.Interval.Value
	}
	return q
}

// At returns the same decisions at another layout, which leaves devices idle.
func (r Resolved) At(l flops.Layout) Resolved {
	devices := r.Run.Devices()
	r.Run.Layout = l.For(r.Run.Workload)
	r.Decisions = slices.DeleteFunc(slices.Clone(r.Decisions),
		func(a Assumption) bool { return a.Name == "layout" })
	r.assume("layout", LayoutText(&r.Run), hardware.Default, "no layout takes all devices").
		Warning = fmt.Sprintf("no layout spreads the batch over %d devices; its costs are of %d",
		devices, r.Run.Devices())
	return r
}

func (r *Resolved) assume(name, text string, origin hardware.Origin, source string) *Assumption {
	r.Decisions = append(r.Decisions,
		Assumption{Name: name, Text: text, Origin: origin, Source: source})
	return &r.Decisions[len(r.Decisions)-1]
}

// Warnings lists what everybody must be told of the decisions.
func (r *Resolved) Warnings() []string {
	var out []string
	for i := range r.Decisions {
		if w := r.Decisions[i].Warning; w != "" {
			out = append(out, w)
		}
	}
	w := &r.Run.Workload
	if positions := float64(w.Batch) * float64(w.EncoderLength+w.DecoderLength); positions > hugeBatch {
		out = append(out, fmt.Sprintf("a batch of %d is %s tokens a step; --batch counts sequences, not tokens",
			w.Batch, quantity.Format(quantity.Tokens, positions, 3)))
	}
	return out
}

// hugeBatch is ten times the positions of the largest published batch, 15,360 sequences of 4,096
// (DeepSeek-AI 2024, arXiv 2412.19437, section 4.2).
const hugeBatch = 6e8

func (r *Resolved) workload(q *Question) error {
	w := flops.DefaultWorkload(&q.Shape)
	source := paper
	if q.Shape.Encoder.Layers == 0 || w.EncoderLength != flops.PaperWorkload.EncoderLength {
		source = "the usual length of such models, or all of the shape's positions"
	}
	for _, f := range []struct {
		name    string
		stated  int
		at      *int
		present bool
		source  string
	}{
		{"batch", q.Workload.Batch, &w.Batch, true, paper},
		{
			"encoder length", q.Workload.EncoderLength, &w.EncoderLength,
			q.Shape.Encoder.Layers > 0, source,
		},
		{
			"decoder length", q.Workload.DecoderLength, &w.DecoderLength,
			q.Shape.Decoder.Layers > 0, source,
		},
	} {
		switch {
		case f.stated != 0:
			*f.at = f.stated
		case f.present:
			r.assume(f.name, strconv.Itoa(*f.at), hardware.Default, f.source)
		}
	}
	r.Run.Workload = w
	return w.Validate(&q.Shape)
}

// execution decides how the step is computed.
func (r *Resolved) execution(q *Question) {
	x := flops.Execution{Optimizer: flops.Adafactor, Dropout: q.Dropout}
	reason := "usual on accelerators"
	optimizer := paper
	var warning string
	p := &r.Run.Profile
	_, bf16 := p.Peaks[hardware.BF16]
	_, fp16 := p.Peaks[hardware.FP16]
	switch {
	case p.Class.Kind == hardware.CPU:
		own := hardware.ProcessorExecution()
		x.Precision, x.Optimizer, x.Attention = own.Precision, own.Optimizer, own.Attention
		reason = "as the reference kernel trains on a processor"
		optimizer = reason
		warning = p.Name + " is a processor: planned as the reference kernel trains, in fp32 with unfused attention and Adam; --precision, --attention and --optimizer say otherwise"
	case !bf16 && fp16:
		x.Precision = flops.FP16Mixed
		reason = p.Name + " has no bfloat16 peak"
		warning = reason + ": planned in fp16-mixed; --precision says otherwise"
	}
	if k := p.Class.Kind; k == "gpu" || q.Profile == nil {
		x.WorkspaceBytes = flops.TorchWorkspaceBytes
	}
	if decide(q.Precision, &x.Precision) {
		r.assume("precision", x.Precision.String(), hardware.Default, reason).Warning = warning
	}
	if decide(q.Optimizer, &x.Optimizer) {
		r.assume("optimizer", x.Optimizer.String(), hardware.Default, optimizer)
	}
	if decide(q.Attention, &x.Attention) {
		r.assume("attention", x.Attention.String(), hardware.Default, reason)
	}
	if open := decide(q.Recompute, &x.Recompute); open && !q.Search {
		r.assume("recompute", x.Recompute.String(), hardware.Default, "nothing is recomputed")
	}
	x.Tuning = q.FineTuning.Tuning
	r.Run.Execution = x
}

// decide sets a choice to what is stated, and reports whether it is open.
func decide[T any](stated *T, at *T) (open bool) {
	if stated != nil {
		*at = *stated
	}
	return stated == nil
}

// place lays the run out by its stated axes.
func (r *Resolved) place(q *Question) error {
	s, w, l := &q.Shape, &r.Run.Workload, q.Layout
	contexts := max(1, q.Software.ContextParallel)
	model := max(1, l.TP) * max(1, l.PP) * contexts
	axes := "tp × pp"
	if contexts > 1 {
		axes += " × context"
	}
	spread := l.DP == 0 && q.Devices > 0
	if spread {
		if q.Devices%model != 0 {
			return refuse(s, "devices", q.Devices, "a multiple of %s = %d", axes, model)
		}
		l.DP = q.Devices / model
	}
	if n := l.Devices() * contexts; q.Devices > 0 && n != q.Devices {
		return refuse(s, "dp × "+axes, n, "the number of devices, %d", q.Devices)
	}
	if unit := max(1, l.DP) * max(1, l.MicroBatch) * max(1, l.Accumulate); q.Workload.Batch == 0 {
		usual := w.Batch
		w.Batch = (usual + unit - 1) / unit * unit
		if l.MicroBatch > 0 && l.Accumulate > 0 {
			w.Batch = unit
		}
		if w.Batch != usual {
			r.grow(usual)
		}
	}
	if err := l.Validate(s, *w); err != nil {
		return err
	}
	r.Run.Layout = l.For(*w)
	if err := r.share(q); err != nil {
		return err
	}
	if spread && r.Run.Layout.DP > 1 {
		r.assume("layout", LayoutText(&r.Run), hardware.Default,
			"the devices that are left copy the model")
	}
	return nil
}

// grow notes a batch that is another than the usual one.
func (r *Resolved) grow(usual int) {
	for i := range r.Decisions {
		if a := &r.Decisions[i]; a.Name == "batch" {
			a.Text, a.Source = fmt.Sprint(r.Run.Workload.Batch), "a multiple of dp × micro-batch × accumulate"
			a.Warning = fmt.Sprintf(
				"the batch is %d, not %d, to fill every copy; --batch states another",
				r.Run.Workload.Batch, usual)
		}
	}
}

// share checks the axes that only the step time knows.
func (r *Resolved) share(q *Question) error {
	s, w := &q.Shape, r.Run.Workload
	if n := q.Software.ContextParallel; n > 1 {
		for _, k := range []struct {
			name           string
			layers, length int
		}{
			{"encoder_length", s.Encoder.Layers, w.EncoderLength},
			{"decoder_length", s.Decoder.Layers, w.DecoderLength},
		} {
			if k.layers > 0 && k.length%n != 0 {
				return refuse(s, k.name, k.length, "a multiple of context (%d)", n)
			}
		}
		r.assume("memory with context parallelism", "as without", hardware.Default,
			"an upper bound: the share of activations that each device saves is not counted").Warning = "memory is counted without context parallelism and is an upper bound"
	}
	if n := q.Software.ExpertParallel; n > 1 {
		experts := max(s.Encoder.Experts, s.Decoder.Experts)
		switch {
		case experts == 0:
			return refuse(s, "expert", n, "1 for a shape without experts")
		case r.Run.Layout.DP%n != 0 || experts%n != 0:
			return refuse(s, "expert", n, "a divisor of dp (%d) and of the experts (%d)",
				r.Run.Layout.DP, experts)
		}
		r.assume("memory with expert parallelism", "as without", hardware.Default,
			"an upper bound: every device is counted with all experts").Warning = "memory is counted without expert parallelism and is an upper bound"
	}
	return nil
}

// refuse says that a layout is not possible.
func refuse(s *shapes.Shape, field string, value int, allowed string, args ...any) error {
	return &shapes.InvalidError{Shape: s.Name, Asked: "layout", Faults: []shapes.Fault{{
		Field: field, Value: fmt.Sprint(value), Allowed: fmt.Sprintf(allowed, args...),
	}}}
}

// search lays the run out in the fastest way that fits, or else in the one that needs least.
func (r *Resolved) search(q *Question) error {
	if !r.Timed {
		return refuse(&q.Shape, "devices", max(1, q.Devices), "a machine, to search its layout")
	}
	run, devices := r.Run, max(1, q.Devices)
	if contexts := max(1, q.Software.ContextParallel); devices%contexts != 0 {
		return refuse(&q.Shape, "devices", devices, "a multiple of context (%d)", contexts)
	}
	if usable, known := run.Profile.UsableBytes(); q.SearchBytes > 0 && (!known || q.SearchBytes < usable) {
		run.Profile.ReserveBytes = nil
		run.Profile.MemoryBytes = &hardware.Field{
			Fact: data.Fact{Value: q.SearchBytes}, Origin: hardware.Flag,
		}
	}
	var modes []flops.Recompute
	if q.Recompute != nil {
		modes = append(modes, *q.Recompute)
	}
	best, err := hardware.SearchLayout(run, devices, modes...)
	var none *hardware.NoLayoutError
	if usual := run.Workload.Batch; errors.As(err, &none) && q.Workload.Batch == 0 && devices > usual {
		run.Workload.Batch = devices
		if best, err = hardware.SearchLayout(run, devices, modes...); err == nil {
			r.Run.Workload.Batch = devices
			r.grow(usual)
		}
	}
	if err != nil {
		return err
	}
	r.Run.Layout, r.Run.Execution.Recompute = best.Layout, best.Recompute
	if err := r.share(q); err != nil {
		return err
	}
	const how = "the fastest layout that fits"
	r.assume("layout", LayoutText(&r.Run), Searched, how)
	if q.Recompute == nil {
		r.assume("recompute", best.Recompute.String(), Searched, how)
	}
	return nil
}

// utilise sets the level of all times by the utilisation that the user states. A run that cannot be
// timed stays so.
func (r *Resolved) utilise(q *Question) error {
	mfu, origin := q.MFU, hardware.Flag
	if own := r.Run.Profile.MFU; mfu == 0 && own != nil {
		mfu, origin = own.Value, own.Origin
	}
	if mfu == 0 || !r.Timed {
		return nil
	}
	if !(mfu > 0 && mfu <= 1) {
		return fmt.Errorf("mfu: %g is not a utilisation; allowed: more than 0, up to 1", mfu)
	}
	p, expected, err := hardware.AtMFU(r.Run, mfu)
	if err != nil {
		if _, missing := errors.AsType[*hardware.MissingError](err); missing {
			return nil
		}
		return err
	}
	r.Run.Profile = p
	r.assume("utilisation", fmt.Sprintf("%.3g %% MFU; the model expects %.3g %%", 100*mfu,
		100*expected), origin, "the user's own runs")
	return nil
}

func (r *Resolved) bill(q *Question) error {
	r.Goodput = hardware.DefaultGoodput()
	if q.Goodput != nil {
		r.Goodput = hardware.Given("goodput", *q.Goodput)
	}
	if !r.Timed {
		r.Rates.Price.Missing = NoHardware
		return nil
	}
	var err error
	r.Rates, err = hardware.ResolveRates(*q.Profile, q.Rates)
	return err
}
