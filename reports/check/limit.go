package check

import (
	"fmt"
	"math"
	"strconv"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// limits compares a metric with everything its rule says, one outcome for the first limit that is
// broken, else for the tightest.
func (j *judge) limits(rule *Rule) []outcome {
	if j.err != nil {
		return cannot("%v", j.err)
	}
	e := j.measures[rule.Metric]
	if e.Interval == nil {
		unknown := cannot("%s is not known: %s", rule.Metric, e.Missing)
		if j.Question.Profile == nil {
			unknown[0].hint = "--hardware, or hardware under plan: in the rules, names it"
		}
		return unknown
	}
	value := e.Interval.Value
	o := outcome{metric: rule.Metric, kind: rule.Metric.Kind(), value: &value}
	for _, l := range []struct {
		limit *Limit
		word  string
		holds func(value, limit float64) bool
	}{
		{rule.Equals, "exactly", func(v, l float64) bool { return v == l }},
		{rule.Max, "at most", func(v, l float64) bool { return v <= l }},
		{rule.Min, "at least", func(v, l float64) bool { return v >= l }},
	} {
		if l.limit == nil {
			continue
		}
		o.limit, o.broken = &l.limit.Value, !l.holds(value, l.limit.Value)
		o.message = fmt.Sprintf("%s is %s; allowed: %s %s%s", rule.Metric, amount(o.kind, value),
			l.word, l.limit.Text, margin(value, l.limit.Value))
		if o.broken {
			break
		}
	}
	if rule.MaxIncrease != nil && !o.broken {
		increased := j.increase(rule, o)
		if increased.unknown || increased.broken || o.limit == nil {
			o = increased
		}
	}
	if o.limit != nil && !o.unknown {
		if i := e.Interval; i.Low <= *o.limit && *o.limit <= i.High && i.Low != i.High {
			o.message += fmt.Sprintf("; the 80 %% interval %s to %s holds the limit",
				amount(o.kind, i.Low), amount(o.kind, i.High))
		}
	}
	if o.broken {
		o.field, o.hint = j.remedy(rule.Metric, value, *o.limit)
		if rule.Equals != nil && o.limit == &rule.Equals.Value {
			o.hint = "" // no step of a size need meet a number
		}
	}
	return []outcome{o}
}

// increase compares with the baseline.
func (j *judge) increase(rule *Rule, o outcome) outcome {
	measured, known := j.Baseline[j.candidate.Path]
	base, has := measured[rule.Metric.String()]
	switch {
	case j.Baseline == nil:
		unknown := cannot("the baseline is not there")[0]
		unknown.hint = "deepnarrow check --update-baseline writes it"
		return unknown
	case !known:
		o.message = fmt.Sprintf("new: %s is %s, and the baseline does not know this configuration yet",
			rule.Metric, amount(o.kind, *o.value))
		return o
	case !has:
		unknown := cannot("the baseline knows this configuration and not its %s", rule.Metric)[0]
		unknown.hint = "deepnarrow check --update-baseline adds it"
		return unknown
	}
	limit := base * (1 + *rule.MaxIncrease)
	o.limit, o.broken = &limit, *o.value > limit
	o.message = fmt.Sprintf("%s is %s, %s on the baseline of %s; allowed: +%s",
		rule.Metric, amount(o.kind, *o.value), signed(*o.value/base-1), amount(o.kind, base),
		percent(*rule.MaxIncrease))
	return o
}

// amount writes a value with its unit: parameters in full.
func amount(kind quantity.Kind, v float64) string {
	if kind == quantity.Params && v == math.Trunc(v) {
		return quantity.Grouped(int64(v))
	}
	return quantity.Format(kind, v, 0)
}

// margin says by how much a value misses its limit, or what is to spare.
func margin(value, limit float64) string {
	if limit == 0 || value == limit {
		return ""
	}
	return " (" + signed(value/limit-1) + ")"
}

// signed writes a share with its sign, to three digits however small: a miss by a millionth is
// still a miss. From +1000 % on it is told as a multiple: ×12.3.
func signed(share float64) string {
	const multiple = 10
	if share >= multiple {
		return "×" + quantity.Format(quantity.Count, 1+share, 3)
	}
	text := strconv.FormatFloat(100*share, 'g', 3, 64)
	if share > 0 {
		text = "+" + text
	}
	return text + " %"
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'g', 3, 64) + " %" }

// remedy returns the field that a broken limit is mended by with the least relative change, and
// how; the field that moves the metric most where no one change suffices.
func (j *judge) remedy(metric plan.Metric, value, limit float64) (field, hint string) {
	best, most := math.Inf(1), 0.0
	field = "d_model"
	q := j.Question
	if metric != plan.DecodeLatency {
		q.Decode = 0 // what is not compared need not be worked out
	}
	for _, k := range knobs(j.shape) {
		at := func(n int) (float64, bool) {
			s := *j.shape
			k.set(&s, n)
			if s.Validate() != nil {
				return 0, false
			}
			a, err := q.Of(&s).Answer()
			if err != nil {
				return 0, false
			}
			e := metric.Of(&a).Interval
			if e == nil {
				return 0, false
			}
			return e.Value, true
		}
		smaller, ok := at(max(k.unit, k.value/2))
		if effect := math.Abs(value - smaller); ok && effect > most && math.IsInf(best, 1) {
			most, field = effect, k.field
		}
		n, ok := k.reach(at, limit, value > limit)
		const farthest = 4 // a hint beyond this factor would be another model
		if change := math.Abs(math.Log(float64(n) / float64(k.value))); ok && change < min(best, math.Log(farthest)) {
			best, field = change, k.field
			verb := "reducing"
			if n > k.value {
				verb = "raising"
			}
			hint = fmt.Sprintf("%s %s alone from %d to %d would pass", verb, k.label, k.value, n)
		}
	}
	return field, hint
}
