package track

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Verdict says whether a run keeps to its plan.
type Verdict string

// The verdicts, from bad to good. The first that applies is the run's.
const (
	Diverging  Verdict = "diverging"   // the loss rises, is not a number, or ends above the law of the plan
	OverBudget Verdict = "over budget" // the bill at the end exceeds the stated budget
	Slower     Verdict = "slower"      // steps, or the whole run, take longer than the plan's interval
	OnPlan     Verdict = "on plan"
)

// Finding is one thing that a reader must know. Off is the verdict that it brings about; empty where
// it is none.
type Finding struct {
	Off  Verdict
	Text string
}

// Question asks how a run does.
type Question struct {
	Plan *Plan
	Log  *Log
	Now  time.Time // zero: the last time in the log
	// MaxUSD is the largest bill allowed; 0 is the plan's, or none.
	MaxUSD float64
	// USDPerHour is the price of a device; nil is the plan's.
	USDPerHour *float64
}

// Answer is where a run stands. Nil is not known.
type Answer struct {
	Plan     *Plan
	Log      *Log
	Verdict  Verdict
	Findings []Finding

	Step, Tokens, Share float64 // done; Tokens as the plan counts them
	Pace                *Pace
	Ratio               *float64 // recent step time over the predicted
	Goodput             *float64 // measured
	Elapsed             *float64 // seconds since the start, estimated before the first row
	USD                 *float64 // to date
	RemainingSeconds    *quantity.Interval
	RemainingUSD        *quantity.Interval
	TotalSeconds        *quantity.Interval
	TotalUSD            *quantity.Interval
	Finish              *[3]time.Time // expected, earliest, latest
	Loss                *float64      // the last
	LossAtEnd           *quantity.Interval
	Notes               []string
}

// slack is how far beyond a limit that a plan exactly fills a run may head before it is off: the noise
// of a step time.
const slack = 1.02

// Answer holds the log against the plan.
//
//	remaining = steps left · recent step / goodput
//	goodput   = share · measured + (1 − share) · planned, share of the plan that is done
//	bill      = devices · price · (elapsed + remaining)
//
// The high end of what remains has a drift of the step time go on to the end and the lower goodput of
// the two; its low end the higher. The log's own clock, or Now, says what has elapsed; without either
// it is what the steps took over the planned goodput.
func (q Question) Answer() *Answer {
	log := *q.Log
	log.Points = slices.Clone(log.Points)
	a := &Answer{Plan: q.Plan, Log: &log, Notes: slices.Clone(log.Notes)}
	a.batch()
	a.Step = log.Points[len(log.Points)-1].Step
	a.Tokens = a.Step * q.Plan.StepTokens
	a.Share = min(1, a.Step/q.Plan.Steps)
	price := q.Plan.USDPerHour
	if q.USDPerHour != nil {
		price = *q.USDPerHour
	}
	if p, ok := paceOf(&log); ok {
		a.Pace = &p
		a.project(&q, price)
		a.speed()
		a.limits(&q, price)
	} else {
		a.Notes = append(a.Notes,
			"The log has no step times and no clock: speed, cost and end are not known.")
	}
	a.losses()
	a.restarts()
	if a.Step > slack*q.Plan.Steps {
		a.find("", "the log goes on to step %s, the plan ends at %s: is it of another run?",
			quantity.Format(quantity.Count, a.Step, 0), quantity.Format(quantity.Count, q.Plan.Steps, 0))
	}
	a.judge()
	return a
}

// find notes something; a verdict says that it is off the plan.
func (a *Answer) find(off Verdict, format string, args ...any) {
	a.Findings = append(a.Findings, Finding{off, fmt.Sprintf(format, args...)})
}

func (a *Answer) judge() {
	a.Verdict = OnPlan
	for _, v := range []Verdict{Slower, OverBudget, Diverging} {
		for _, f := range a.Findings {
			if f.Off == v {
				a.Verdict = v
			}
		}
	}
}

// batch compares the tokens of a step with the plan's. A run of another batch is followed in steps of
// the planned size; one that counts the positions of both stacks is not of another batch.
func (a *Answer) batch() {
	points := a.Log.Points
	first, last := points[0], points[len(points)-1]
	per := (last.Tokens - first.Tokens) / (last.Step - first.Step)
	if len(points) == 1 {
		per = last.Tokens / last.Step
	}
	const same = 0.02
	near := func(want float64) bool { return math.Abs(per/want-1) <= same }
	const fewest, most = 1e-3, 1e3 // times the plan's: beyond, the log counts something else
	if scale := per / a.Plan.StepTokens; !(scale >= fewest && scale <= most) || near(a.Plan.StepTokens) || near(a.Plan.BothTokens) {
		return
	}
	scale := per / a.Plan.StepTokens
	for i := range points {
		points[i].Step *= scale
		points[i].StepSeconds /= scale
	}
	a.find("", "the run takes %s tokens a step, the plan %s: it is followed in steps of the planned size",
		quantity.Format(quantity.Tokens, per, 0),
		quantity.Format(quantity.Tokens, a.Plan.StepTokens, 0))
}

// project works out what has passed and what is left.
func (a *Answer) project(q *Question, price float64) {
	p, plan := a.Pace, a.Plan
	good := plan.Goodput
	if g, ok := p.goodput(); ok {
		a.Goodput = &g
		good.Value = a.Share*g + (1-a.Share)*good.Value
		good.Low, good.High = min(good.Low, g), max(good.High, good.Value)
	}
	before := max(0, a.Step-p.Steps) * p.Step.Value / plan.Goodput.Value // the first row
	elapsed := p.Elapsed + before
	if !p.Clocked {
		elapsed = p.Elapsed/plan.Goodput.Value + before
	}
	at := a.Log.Last()
	if !q.Now.IsZero() {
		if wait := q.Now.Sub(at).Seconds(); !at.IsZero() && wait > 0 && a.Share < 1 {
			elapsed += wait
			a.waiting(wait)
		}
		at = q.Now
	}
	a.Elapsed = &elapsed
	left := max(0, plan.Steps-a.Step)
	drift := math.Exp(p.PerStep * left / 2)
	const most = 3 // no drift goes on for ever
	rest := quantity.Interval{
		Value: left * p.Recent.Value / good.Value,
		Low:   left * p.Recent.Low * max(min(1, drift), 1./most) / good.High,
		High:  left * p.Recent.High * min(max(1, drift), most) / good.Low,
	}
	a.RemainingSeconds = &rest
	a.TotalSeconds = &quantity.Interval{
		Value: elapsed + rest.Value, Low: elapsed + rest.Low, High: elapsed + rest.High,
	}
	if !at.IsZero() {
		after := func(s float64) time.Time {
			return at.Add(time.Duration(min(s, maxAhead) * float64(time.Second)))
		}
		a.Finish = &[3]time.Time{after(rest.Value), after(rest.Low), after(rest.High)}
	}
	if price > 0 {
		perSecond := float64(plan.Devices) * price / 3600
		usd := perSecond * elapsed
		a.USD = &usd
		a.RemainingUSD, a.TotalUSD = times(rest, perSecond), times(*a.TotalSeconds, perSecond)
	}
}

// maxAhead is about a hundred years: time.Duration ends at 292.
const maxAhead = 3e9

func timeOf(seconds float64) time.Time {
	return time.Unix(0, 0).Add(time.Duration(seconds * float64(time.Second))).UTC().Truncate(time.Second)
}

func times(i quantity.Interval, by float64) *quantity.Interval {
	return &quantity.Interval{Value: by * i.Value, Low: by * i.Low, High: by * i.High}
}

// waiting judges the time since the last row.
func (a *Answer) waiting(wait float64) {
	var gaps []float64
	for i := 1; i < len(a.Log.Points); i++ {
		if g := a.Log.Points[i].Clock - a.Log.Points[i-1].Clock; g > 0 {
			gaps = append(gaps, g)
		}
	}
	const patience, least = 10, 600 // times the usual distance of rows, and seconds
	if len(gaps) > 0 && wait > max(patience*fit.Median(gaps), least) {
		a.find(Slower, "no row for %s: the run may have stopped",
			quantity.Format(quantity.Duration, wait, 0))
	}
}

// elsewhere is how many times the predicted step time no step of the planned run takes.
const elsewhere = 100.0

// speed compares step times.
func (a *Answer) speed() {
	p, predicted := a.Pace, a.Plan.StepSeconds
	if predicted != nil {
		ratio := p.Recent.Value / predicted.Value
		a.Ratio = &ratio
		times := fmt.Sprintf("%.2g", ratio)
		if ratio >= elsewhere {
			times = fmt.Sprintf("%.0f", ratio)
		}
		said := fmt.Sprintf("recent steps take %s, %s times the predicted %s",
			quantity.FormatInterval(quantity.Duration, p.Recent), times,
			quantity.FormatInterval(quantity.Duration, *predicted))
		if ratio >= elsewhere || ratio <= 1/elsewhere {
			said += " (in another unit, or of another run?)"
		}
		switch {
		case p.Recent.Value > predicted.High:
			a.find(Slower, "%s", said)
		case p.Recent.Value < predicted.Low:
			a.find("", "%s: faster than its interval", said)
		}
	}
	if p.Drift != 0 {
		a.find("", "the step time drifts: %+.0f %% from the first third of the log to the last",
			100*math.Expm1(p.Drift))
	}
	const worthwhile = 0.01 // of the time elapsed
	if lost := p.lost(); lost > worthwhile*p.Elapsed {
		longest := p.Stalls[0]
		for _, s := range p.Stalls {
			if s.Seconds > longest.Seconds {
				longest = s
			}
		}
		a.find("", "%s lost %s, the longest %s after step %.0f", counted(len(p.Stalls), "stall"),
			quantity.Format(quantity.Duration, lost, 0),
			quantity.Format(quantity.Duration, longest.Seconds, 0), longest.AfterStep)
	}
}

// limits compares the end with what was planned.
func (a *Answer) limits(q *Question, price float64) {
	plan := a.Plan
	budget := plan.MaxUSD
	if q.MaxUSD > 0 {
		budget = q.MaxUSD
	}
	money := func(v float64) string { return quantity.Format(quantity.Money, v, 0) }
	switch total := a.TotalUSD; {
	case total == nil:
		if budget > 0 {
			a.Notes = append(a.Notes, "No price is known: the budget is not judged.")
		}
	case budget > 0 && total.Value > slack*budget:
		a.find(OverBudget, "the run will cost %s, the budget is %s",
			quantity.FormatInterval(quantity.Money, *total), money(budget))
	case budget == 0 && plan.USD != nil && total.Value > plan.USD.High:
		off := OverBudget
		if a.Ratio != nil && plan.StepSeconds != nil && a.Pace.Recent.Value > plan.StepSeconds.High {
			off = Slower // the step time says it already
		}
		a.find(off, "the run will cost %s, above the planned %s",
			quantity.FormatInterval(quantity.Money, *total),
			quantity.FormatInterval(quantity.Money, *plan.USD))
	}
	planned := plan.WallSeconds
	if planned == nil {
		return
	}
	most := planned.High
	if planned.Low == planned.High { // a time that was asked for
		most *= slack
	}
	if a.TotalSeconds.Value > most {
		a.find(Slower, "the run will take %s, the plan says %s",
			quantity.FormatInterval(quantity.Duration, *a.TotalSeconds),
			quantity.FormatInterval(quantity.Duration, *planned))
	}
}

// losses judges the loss and continues it.
func (a *Answer) losses() {
	if n := a.Log.Broken; n > 0 {
		a.find(Diverging, "the loss of the last %d rows is not a finite number", n)
	}
	x, y := a.Log.losses()
	if len(y) == 0 {
		return
	}
	a.Loss = &y[len(y)-1]
	up, sure := rise(y)
	if sure {
		a.find(Diverging, "the loss rises: %.3g %% above the lowest level it had", 100*up)
	}
	law := a.Plan.Loss
	switch {
	case sure || a.Log.Broken > 0:
		return
	case a.Share >= 1:
		a.LossAtEnd = hardware.Exactly(*a.Loss).Interval
	default:
		var notes []string
		a.LossAtEnd, notes = continued(x, y, a.Plan.Steps, a.Plan.Level)
		a.Notes = append(a.Notes, notes...)
	}
	if end := a.LossAtEnd; end != nil && law != nil && end.Low > law.High {
		a.find(Diverging, "the loss will end at %s, above the %s that the law of the plan says",
			quantity.FormatInterval(quantity.Number, *end),
			quantity.FormatInterval(quantity.Number, *law))
	}
}

// restarts tells what was done twice.
func (a *Answer) restarts() {
	if n := a.Log.Restarts; n > 0 {
		a.find("", "%s undid %s", counted(n, "restart"), counted(a.Log.Redone, "logged row"))
	}
}

// counted words a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Result returns the answer as JSON writes it.
func (a *Answer) Result() result.Track {
	p := a.Plan
	out := result.Track{
		Run: p.Name, Verdict: string(a.Verdict), Findings: []result.TrackFinding{}, Level: p.Level,
		Progress: result.TrackProgress{
			Share: a.Share, Step: a.Step, Steps: p.Steps, Tokens: a.Tokens, Rows: len(a.Log.Points),
		},
		Predicted: result.TrackPredicted{
			StepSeconds: p.StepSeconds, TotalSeconds: p.WallSeconds, USD: p.USD, Goodput: p.Goodput,
			Loss: p.Loss,
		},
		Measured: result.TrackMeasured{
			Ratio: a.Ratio, Stalls: []result.Stall{}, Restarts: a.Log.Restarts, RedoneRows: a.Log.Redone,
			Elapsed: a.Elapsed, Goodput: a.Goodput, USD: a.USD, Loss: a.Loss,
		},
		ToComplete: result.TrackRest{
			Seconds: a.RemainingSeconds, USD: a.RemainingUSD, TotalSeconds: a.TotalSeconds,
			TotalUSD: a.TotalUSD, Loss: a.LossAtEnd,
		},
		Notes: append([]string{}, a.Notes...),
	}
	for _, f := range a.Findings {
		out.Findings = append(out.Findings, result.TrackFinding{Verdict: string(f.Off), Text: f.Text})
	}
	if pace := a.Pace; pace != nil {
		drift := pace.driftShare()
		out.Measured.StepSeconds, out.Measured.RecentSeconds = &pace.Step, &pace.Recent
		out.Measured.Drift = &drift
		for _, s := range pace.Stalls {
			out.Measured.Stalls = append(out.Measured.Stalls, result.Stall(s))
		}
	}
	if f := a.Finish; f != nil {
		text := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
		out.ToComplete.Finish = &result.Finish{Value: text(f[0]), Low: text(f[1]), High: text(f[2])}
	}
	return out
}
