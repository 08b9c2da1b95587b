package track

import (
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Pace is how fast a run steps. Intervals are of the median, 80 %.
type Pace struct {
	Step   quantity.Interval // seconds of a step, over the whole log
	Recent quantity.Interval // over the last fifth of its rows
	// Drift is ln(last third/first third) of the step time, 0 where noise explains it; PerStep is its
	// slope in ln a step.
	Drift, PerStep float64
	Stalls         []Stall
	// Elapsed is the seconds from the first to the last row: by the clock or, without one, of the steps
	// alone; Steps is how many they were.
	Elapsed, Steps float64
	Clocked        bool
}

// Stall is a stretch between two rows that took several times as long as its steps do.
type Stall struct {
	AfterStep float64
	Seconds   float64 // lost: beyond what its steps take
}

const (
	stalled      = 3   // times the usual time of a step
	recentShare  = 0.2 // of the rows
	fewestRecent = 5
	fewestTrend  = 9    // rows, three a third
	leastDrift   = 0.03 // in ln; what two runs of one configuration differ by on one machine
	sureDrift    = 3    // standard errors
	normal80     = 1.2816
)

// stretch is the steps between two rows.
type stretch struct {
	from, steps, rate float64 // first step, how many, seconds of one
}

// paceOf returns the pace of a log; ok is false where it tells no times.
//
// The time of a step is the recorded one, else clock over steps between rows. Its level is the median,
// so that stalls and evaluations do not move it:
//
//	se = 1.2533 · 1.4826 · MAD(ln t)/√n,  drift = ln(median of the last third/of the first third)
//
// A drift counts beyond 3 standard errors and 3 %.
func paceOf(l *Log) (Pace, bool) {
	var rates, clocked []stretch
	p := Pace{}
	var last *Point
	for i := range l.Points {
		x := &l.Points[i]
		if !math.IsNaN(x.StepSeconds) {
			from := 0.0
			if i > 0 {
				from = l.Points[i-1].Step
			}
			rates = append(rates, stretch{from, x.Step - from, x.StepSeconds})
		}
		if math.IsNaN(x.Clock) {
			continue
		}
		switch {
		case last == nil:
		case !(x.Clock > last.Clock): // within the resolution of the clock
			continue
		default:
			n := x.Step - last.Step
			rate := (x.Clock - last.Clock) / n
			if !possible(rate) {
				continue
			}
			clocked = append(clocked, stretch{last.Step, n, rate})
			p.Elapsed += x.Clock - last.Clock
			p.Steps += n
		}
		last = x
	}
	if p.Clocked = len(clocked) > 0; !p.Clocked {
		for _, r := range rates {
			p.Elapsed += r.rate * max(r.steps, 1)
			p.Steps += max(r.steps, 1)
		}
	}
	if len(rates) == 0 {
		rates = clocked
	}
	if len(rates) == 0 {
		return p, false
	}
	usual := medianOf(rates).Value
	waits := clocked
	if len(waits) == 0 {
		waits = rates
	}
	for _, r := range waits {
		if r.rate > stalled*usual {
			p.Stalls = append(p.Stalls, Stall{r.from, (r.rate - usual) * r.steps})
		}
	}
	steady := slices.DeleteFunc(slices.Clone(rates), func(r stretch) bool {
		return r.rate > stalled*usual
	})
	n := len(steady)
	p.Step = medianOf(steady)
	p.Recent = medianOf(steady[n-min(n, max(fewestRecent, int(math.Ceil(recentShare*float64(n))))):])
	p.drift(steady)
	return p, true
}

// drift compares the last third of the rows with the first.
func (p *Pace) drift(rates []stretch) {
	third := len(rates) / 3
	if len(rates) < fewestTrend {
		return
	}
	early, late := rates[:third], rates[len(rates)-third:]
	a, b := medianOf(early), medianOf(late)
	se := math.Hypot(math.Log(a.High/a.Value), math.Log(b.High/b.Value)) / normal80
	d := math.Log(b.Value / a.Value)
	span := late[third/2].from - early[third/2].from
	if math.Abs(d) > max(leastDrift, sureDrift*se) && span > 0 {
		p.Drift, p.PerStep = d, d/span
	}
}

// medianOf returns the median of step times with its 80 % interval.
func medianOf(rates []stretch) quantity.Interval {
	logs := make([]float64, len(rates))
	for i, r := range rates {
		logs[i] = math.Log(r.rate)
	}
	m := fit.Median(logs)
	off := make([]float64, len(logs))
	for i, v := range logs {
		off[i] = math.Abs(v - m)
	}
	const ofMedian, ofMAD = 1.2533, 1.4826
	half := normal80 * ofMedian * ofMAD * fit.Median(off) / math.Sqrt(float64(len(logs)))
	return quantity.Interval{Value: math.Exp(m), Low: math.Exp(m - half), High: math.Exp(m + half)}
}

// lost is the seconds of all stalls.
func (p *Pace) lost() (sum float64) {
	for _, s := range p.Stalls {
		sum += s.Seconds
	}
	return sum
}

// goodput is the share of the clock that was steps; ok is false without a clock.
func (p *Pace) goodput() (share float64, ok bool) {
	if !p.Clocked || !(p.Elapsed > 0) {
		return 0, false
	}
	return min(1, p.Step.Value*p.Steps/p.Elapsed), true
}

// driftShare is the drift as a share of the step time: 0.1 is 10 % slower.
func (p *Pace) driftShare() float64 { return math.Expm1(p.Drift) }
