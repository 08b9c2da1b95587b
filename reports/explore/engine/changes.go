package engine

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Aside is what takes too long for every move of a slider: what would make a run fit, or faster, and
// what its model takes to generate an answer.
type Aside struct {
	Fits    *bool    `json:"fits,omitempty"`
	Changes []Change `json:"changes"`
	Serving []Card   `json:"serving"`
}

// Change is one thing that could be different. Fragment is the state with it; empty where no control
// makes it.
type Change struct {
	What     string `json:"what"`
	Gain     string `json:"gain"`
	Fits     string `json:"fits"`
	Fragment string `json:"fragment,omitempty"`
	Command  string `json:"command,omitempty"`
}

// Beside answers a state's [Aside].
func Beside(fragment string) (Aside, error) {
	out := Aside{Changes: []Change{}, Serving: []Card{}}
	state, a, err := ask(fragment, func(q *plan.Question) {
		q.Detail, q.Decode, q.Serving = true, 1, &plan.Serving{}
	})
	if err != nil {
		return out, err
	}
	out.Fits = a.Fits
	unfit := a.Fits != nil && !*a.Fits
	gain := func(c *hardware.Change) float64 { return c.Gain }
	for _, c := range plan.Told(a.Changes, unfit, gain) {
		change := Change{
			What: c.What, Gain: quantity.Format(quantity.Fraction, c.Gain, 2),
			Fits: plan.YesNo(c.Fits),
		}
		if next, ok := state.with(&a.Run, &c); ok {
			change.Fragment, change.Command = next.fragment(), next.planCommand()
		}
		out.Changes = append(out.Changes, change)
	}
	if d := a.Decode; d != nil && d.Decoding != nil {
		g := d.Decoding
		out.Serving = []Card{
			{
				Title: "one answer", Text: quantity.FormatInterval(quantity.Duration, g.TotalSeconds),
				Note: strconv.Itoa(g.Generated) + " tokens, one sequence at a time",
			},
			{
				Title: "one token", Text: quantity.FormatInterval(quantity.Duration, g.StepSeconds),
				Note: "bottleneck: " + string(g.Bound),
			},
			{
				Title: "memory to serve", Text: quantity.Format(quantity.Bytes, g.Memory.PeakBytes, 0),
				Note: "weights, caches and workspace of one copy",
			},
		}
	}
	if v := a.Serving; v != nil && v.PerMillionOut.Interval != nil {
		on := "one device"
		if v.TP > 1 {
			on = fmt.Sprintf("a copy of %d devices", v.TP)
		}
		out.Serving = append(out.Serving, Card{
			Title: "a million tokens generated",
			Text:  quantity.FormatInterval(quantity.Money, *v.PerMillionOut.Interval),
			Note: fmt.Sprintf("%s always busy, answering %d requests of %d tokens at once; a million of those %s",
				on, v.Batch, v.Prompt, quantity.Format(quantity.Money, v.PerMillionIn.Interval.Value, 2)),
		})
	}
	return out, nil
}

// with returns the state with a change, and false where no control makes it.
func (s State) with(run *hardware.Run, c *hardware.Change) (State, bool) {
	flags, ok := plan.ChangeFlags(run, &c.Run, false)
	if !ok && c.Kind != hardware.ClusterChange {
		return s, false
	}
	s.Devices = c.Run.Devices()
	if c.Run.Profile.Name != run.Profile.Name {
		s.Hardware = c.Run.Profile.Alias()
	}
	numbers, words := s.numbers(), s.words()
	if slices.ContainsFunc(flags, func(f plan.Flag) bool { return f.Name == "dp" }) { // a whole layout
		s.TP, s.PP, s.Interleave, s.ZeRO, s.MicroBatch = 0, 0, 0, 0, 0
		s.Recompute, s.SequenceParallel = "", ""
	}
	for _, f := range flags {
		if f.Name == "dp" { // what the devices leave
			continue
		}
		if i := slices.IndexFunc(numbers, func(n number) bool { return n.flag == f.Name }); i >= 0 {
			n, err := strconv.Atoi(f.Value)
			if err != nil {
				return s, false
			}
			*numbers[i].at = n
			continue
		}
		i := slices.IndexFunc(words, func(w word) bool { return w.flag == f.Name })
		if i < 0 {
			return s, false
		}
		if *words[i].at = f.Value; f.Value == "" {
			*words[i].at = "yes"
		}
	}
	return s, true
}
