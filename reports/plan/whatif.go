package plan

import (
	"encoding"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// WhatIf is one thing stated otherwise: a flag of plan and its value, which may be a multiple of
// what it would be ("2x").
type WhatIf struct{ Name, Value string }

// variable is what can be stated otherwise.
type variable struct {
	name string
	kind quantity.Kind
	// of reads it off an answer, for multiples; nil where there are none
	of  func(*Answer) (float64, bool)
	put func(*Question, float64) // of an amount
	// whole says that only whole numbers from 1 make sense
	whole bool
	word  func(*Question) encoding.TextUnmarshaler // of a word, in place of put
}

// count is a whole number of the workload or the layout.
func count(name string, at func(*flops.Workload, *flops.Layout) *int) variable {
	return variable{
		name: name, kind: quantity.Count, whole: true,
		of: func(a *Answer) (float64, bool) {
			return float64(*at(&a.Run.Workload, &a.Run.Layout)), true
		},
		put: func(q *Question, v float64) { *at(&q.Workload, &q.Layout) = int(v) },
	}
}

// word is a choice.
func word[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](name string, at func(*Question) **T) variable {
	return variable{name: name, word: func(q *Question) encoding.TextUnmarshaler {
		v := new(T)
		*at(q) = v
		return P(v)
	}}
}

// variables lists what can be stated otherwise.
var variables = buildVariables()

func buildVariables() []variable {
	value := func(i *quantity.Interval) (float64, bool) {
		if i == nil {
			return 0, false
		}
		return i.Value, true
	}
	return []variable{
		count("batch", func(w *flops.Workload, _ *flops.Layout) *int { return &w.Batch }),
		count("encoder-length",
			func(w *flops.Workload, _ *flops.Layout) *int { return &w.EncoderLength }),
		count("decoder-length",
			func(w *flops.Workload, _ *flops.Layout) *int { return &w.DecoderLength }),
		{
			name: "devices", kind: quantity.Count, whole: true,
			of:  func(a *Answer) (float64, bool) { return float64(a.Run.Devices()), true },
			put: func(q *Question, v float64) { q.Devices = int(v) },
		},
		count("tp", func(_ *flops.Workload, l *flops.Layout) *int { return &l.TP }),
		count("pp", func(_ *flops.Workload, l *flops.Layout) *int { return &l.PP }),
		count("micro-batch",
			func(_ *flops.Workload, l *flops.Layout) *int { return &l.MicroBatch }),
		{
			name: "price", kind: quantity.HourlyPrice,
			of:  func(a *Answer) (float64, bool) { return value(a.Rates.Price.Interval) },
			put: func(q *Question, v float64) { q.Rates.PriceUSDPerHour = &v },
		},
		{
			name: "tokens", kind: quantity.Tokens,
			of:  func(a *Answer) (float64, bool) { return value(a.Schedule.Tokens.Interval) },
			put: func(q *Question, v float64) { q.Length.Steps, q.Length.Tokens = 0, v },
		},
		{
			name: "steps", kind: quantity.Count,
			of:  func(a *Answer) (float64, bool) { return value(a.Schedule.Steps.Interval) },
			put: func(q *Question, v float64) { q.Length.Steps, q.Length.Tokens = v, 0 },
		},
		{
			name: "goodput", kind: quantity.Fraction,
			of:  func(a *Answer) (float64, bool) { return value(a.Goodput.Interval) },
			put: func(q *Question, v float64) { q.Goodput = &v },
		},
		{name: "mfu", kind: quantity.Fraction, put: func(q *Question, v float64) { q.MFU = v }},
		word("precision", func(q *Question) **flops.Precision { return &q.Precision }),
		word("optimizer", func(q *Question) **flops.Optimizer { return &q.Optimizer }),
		word("recompute", func(q *Question) **flops.Recompute { return &q.Recompute }),
		word("attention", func(q *Question) **flops.Attention { return &q.Attention }),
	}
}

// Variables lists what can be stated otherwise, by the names of the flags.
func Variables() []string {
	names := make([]string, len(variables))
	for i := range variables {
		names[i] = variables[i].name
	}
	return names
}

// ParseWhatIf reads one change, or several values of one: "price=2x", "encoder-length=512,1024".
func ParseWhatIf(text string) ([]WhatIf, error) {
	name, values, found := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	if !found || !slices.Contains(Variables(), name) {
		return nil, fmt.Errorf("not a change: %q; allowed: NAME=VALUE of %s", text,
			strings.Join(Variables(), ", "))
	}
	var out []WhatIf
	for value := range strings.SplitSeq(values, ",") {
		w := WhatIf{name, strings.TrimSpace(value)}
		if _, err := w.Of(Question{}, nil); err != nil && !w.multiple() {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func (w WhatIf) multiple() bool {
	v := &variables[slices.Index(Variables(), w.Name)]
	number, found := strings.CutSuffix(strings.ToLower(w.Value), "x")
	_, err := strconv.ParseFloat(number, 64)
	return found && err == nil && v.of != nil
}

// Of returns the question with the change. A multiple is one of what base resolved it to; the error
// is that of a value that is not understood, or of a multiple of what is not known.
func (w WhatIf) Of(q Question, base *Answer) (Question, error) {
	v := &variables[slices.Index(Variables(), w.Name)]
	if v.word != nil {
		if err := v.word(&q).UnmarshalText([]byte(w.Value)); err != nil {
			return q, fmt.Errorf("%s: %w", w.Name, err)
		}
		return q, nil
	}
	var amount float64
	if w.multiple() {
		if base == nil {
			return q, fmt.Errorf("%s: %s of nothing", w.Name, w.Value)
		}
		now, known := v.of(base)
		if !known {
			return q, fmt.Errorf("%s: %s of an unknown %s; allowed: a value", w.Name, w.Value, w.Name)
		}
		factor, err := strconv.ParseFloat(w.Value[:len(w.Value)-1], 64)
		if err != nil {
			return q, err
		}
		amount = factor * now
	} else {
		var err error
		if amount, err = quantity.Parse(v.kind, w.Value); err != nil {
			return q, fmt.Errorf("%s: %w", w.Name, err)
		}
	}
	switch {
	case v.whole && (amount != math.Trunc(amount) || amount < 1 || amount > math.MaxInt32):
		return q, fmt.Errorf("%s: out of range: %s; allowed: a whole number from 1", w.Name, w.Value)
	case !(amount >= 0 && amount <= quantity.Largest) || amount == 0 && w.Name != "price":
		return q, fmt.Errorf("%s: out of range: %s; allowed: more than 0", w.Name, w.Value)
	}
	v.put(&q, amount)
	return q, nil
}
