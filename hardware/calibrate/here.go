package calibrate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// leastClean is how many undisturbed points a fit to them alone needs; with fewer the disturbed
// ones count too.
const leastClean = 12

// sessionSD is what the same step differs by from one session to the next on one machine, in the
// logarithm, beside what a session shows of itself: the pairs of data/measured differ by a median
// of 6 to 7 % on a virtual machine whose processors are moved now and then.
const sessionSD = 0.065

// impossibleHere is how far a step of the kernel may be from the model with the probes taken beside
// it, as a factor, before any fit: no machine is off by 10, and a wrong unit by 1,000.
const impossibleHere = 300

// Here is the calibrated profile of a processor.
type Here struct {
	Profile hardware.Profile
	Fit     Result
	Used    []Record // what the fit rests on
	Left    []Record // disturbed points that it leaves out
	// ByProcessorTime counts the points used whose wall clock other work stretched.
	ByProcessorTime int
}

// FitHere fits the step-time model to steps of the reference kernel on one processor. Disturbed
// points are left out where at least twelve others remain; else all count, the disturbed ones with
// the processor time that they got instead of the wall clock, which is what an idle machine would
// have taken if the threads shared the work evenly. Errors are those of [Fit], and a record whose
// shape is unknown.
func FitHere(profile hardware.Profile, records []Record) (Here, error) {
	h := Here{Profile: profile}
	for _, r := range records {
		if r.Contended == "" {
			h.Used = append(h.Used, r)
		} else {
			h.Left = append(h.Left, r)
		}
	}
	if len(h.Used) < leastClean {
		h.Used, h.Left = slices.Clone(records), nil
	}
	steps := make([]Measurement, len(h.Used))
	for i := range h.Used {
		var err error
		if steps[i], err = h.Used[i].measurement(profile); err != nil {
			return h, fmt.Errorf("%s: %w", cmp.Or(h.Used[i].where, fmt.Sprintf("record %d", i+1)), err)
		}
		if steps[i].Seconds != h.Used[i].StepSeconds {
			h.ByProcessorTime++
		}
	}
	if len(steps) == 0 {
		return h, ErrNoMeasurements
	}
	r := h.Used[0]
	base := kernelPrior(&profile)
	err := plausible(steps, &base, impossibleHere)
	if err != nil {
		return h, err
	}
	h.Fit, err = fitFrom(&base, steps, fmt.Sprintf(
		"%s of the reference kernel, %s, %s, %s", quantity.Of(len(steps), "step"), r.Machine, r.Path,
		quantity.Of(r.Threads, "thread")))
	if err != nil {
		return h, err
	}
	if h.ByProcessorTime > 0 {
		h.Fit.Calibration.FittedOn += fmt.Sprintf(
			", %d of them by processor time on a busy machine", h.ByProcessorTime)
	}
	h.Fit.Calibration.FittedOn += h.Fit.quality()
	h.Fit.Calibration.Residual = math.Hypot(h.Fit.Calibration.Residual, sessionSD)
	h.Profile.Calibration = &h.Fit.Calibration
	return h, nil
}

// measurement is the record as a step of a run. Of a disturbed step the processor time counts.
func (r *Record) measurement(profile hardware.Profile) (Measurement, error) {
	shape, err := shapes.Parse(r.Shape)
	if err != nil {
		return Measurement{}, err
	}
	p := Point{shape, flops.Workload{
		Batch: r.Batch, EncoderLength: r.EncoderLength,
		DecoderLength: r.DecoderLength,
	}}
	run := p.run(profile)
	if err := run.Execution.Optimizer.UnmarshalText([]byte(r.Optimizer)); err != nil {
		return Measurement{}, err
	}
	seconds := r.StepSeconds
	if r.Contended != "" && r.CPUShare != nil {
		seconds *= min(1, *r.CPUShare)
	}
	return Measurement{Run: run, Seconds: seconds, Group: r.Shape, Where: r.where}, nil
}

// quality words the error of the fit for those who only see the profile; empty where nothing could
// be left out.
func (r *Result) quality() string {
	if !r.HeldOut {
		return ""
	}
	return fmt.Sprintf(
		"; each shape predicted from the others: median error %.1f %%, worst %.1f %%, %.0f %% inside the 80 %% interval before it was widened to hold 80 %%",
		100*math.Expm1(r.MedianAbsLogError), 100*math.Expm1(r.Worst), 100*r.Coverage80)
}

// fitFrom is [Fit] with a prior of the caller's.
func fitFrom(base *hardware.Calibration, steps []Measurement, fittedOn string) (Result, error) {
	if err := plausible(steps, base, math.Inf(1)); err != nil {
		return Result{}, err
	}
	post := fitSingle(steps, base, nil, nil)
	converged := post.converged
	// the spread may go back and forth between two residuals, which moves no prediction
	if !converged {
		again := fitSingle(steps, base, post.theta, nil)
		converged = again.converged || settled(steps, &post, &again)
		post = again
	}
	out := Result{Calibration: calibrationOf(&post, fittedOn), Converged: converged}
	out.holdOut(steps, base, &post)
	return out, nil
}

// settled says whether two fits predict the same steps.
func settled(steps []Measurement, a, b *posterior) bool {
	const apart = 2e-3 // in the logarithm: a tenth of the least spread that a fit believes
	first, second := constantsOf(a.theta), constantsOf(b.theta)
	for i := range steps {
		if math.Abs(logSeconds(&steps[i].Run, &first)-logSeconds(&steps[i].Run, &second)) > apart {
			return false
		}
	}
	return true
}

// Contended counts the disturbed points, used or not.
func (h *Here) Contended() int {
	n := len(h.Left)
	for _, r := range h.Used {
		if r.Contended != "" {
			n++
		}
	}
	return n
}

// Warnings say what keeps the profile from being as good as it could.
func (h *Here) Warnings() []string {
	var out []string
	if n := h.Contended(); n > 0 {
		out = append(out, fmt.Sprintf(
			"other work disturbed %d of %d points: measure again when the machine is idle", n,
			len(h.Used)+len(h.Left)))
	}
	if h.ByProcessorTime > 0 {
		out = append(out, fmt.Sprintf(
			"too few points were undisturbed, so that %d count with their processor time: the profile is provisional", h.ByProcessorTime))
	}
	if low, _, high := bandwidths(h.Used); high > steadyMemory*low {
		out = append(out, fmt.Sprintf(
			"the memory bandwidth went from %.0f to %.0f GB/s: the machine changed while it was measured, as virtual ones do; the profile stands for the average", low/1e9, high/1e9))
	}
	if !h.Fit.Converged {
		out = append(out, "the fit did not converge: the constants are those of its last step")
	}
	return out
}
