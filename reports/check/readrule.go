package check

import (
	"math"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

var (
	ruleKeys = []string{
		"id", "metric", "max", "min", "equals", "max_increase", "severity",
		"message", "files", "multiple", "sizes", "headroom", "axis", "min_saving",
	}
	waiverKeys = []string{"rule", "files", "reason", "expires"}
	idPattern  = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
)

// rule reads one item of the list of rules.
func (r *reader) rule(v *syntax.Node) (Rule, bool) {
	rule := Rule{Position: v.At}
	faults := len(r.faults)
	if !r.section("a rule", v, "lines such as \"id: small-enough\"") {
		return rule, false
	}
	by := map[string]*syntax.Node{}
	for _, e := range v.Fields {
		if !slices.Contains(ruleKeys, e.Name) {
			r.unknown(e.At, e.Name, ruleKeys)
			continue
		}
		by[e.Name] = e.Value
	}
	r.identity(&rule, by, v.At)
	for key, value := range orderedKeys(by) {
		switch key {
		case "max":
			rule.Max = r.limit(&rule, key, value)
		case "min":
			rule.Min = r.limit(&rule, key, value)
		case "equals":
			rule.Equals = r.limit(&rule, key, value)
		case "max_increase":
			if f, ok := r.amount(key, quantity.Ratio, value); ok {
				rule.MaxIncrease = &f
			}
		case "severity":
			r.severity(&rule, value)
		case "message":
			rule.Message = r.text(key, value)
		case "files":
			rule.Files = r.globs(key, value)
		case "multiple":
			rule.Multiple = r.whole(key, value)
		case "sizes":
			for _, item := range r.list(key, value, "numbers such as [64, 128]") {
				rule.Sizes = append(rule.Sizes, r.whole(key, item))
			}
		case "headroom":
			rule.Headroom, _ = r.amount(key, quantity.Fraction, value)
		case "min_saving":
			rule.MinSaving, _ = r.amount(key, quantity.Fraction, value)
		case "axis":
			rule.Axis = r.metric(key, value)
		}
	}
	if len(r.faults) == faults {
		r.together(&rule, by)
	}
	return rule, len(r.faults) == faults
}

// orderedKeys visits the keys in the order of the documentation, so that faults come in the same
// order at every run.
func orderedKeys(by map[string]*syntax.Node) func(func(string, *syntax.Node) bool) {
	return func(yield func(string, *syntax.Node) bool) {
		for _, key := range ruleKeys {
			if v, ok := by[key]; ok && !yield(key, v) {
				return
			}
		}
	}
}

// identity reads what a rule is about: its id and its metric.
func (r *reader) identity(rule *Rule, by map[string]*syntax.Node, at syntax.Position) {
	id, ok := by["id"]
	if !ok {
		r.fault(at, "id", "is missing", "", "a line such as \"id: small-enough\"")
		return
	}
	rule.Position = id.At
	rule.ID = r.text("id", id)
	if rule.ID != "" && !idPattern.MatchString(rule.ID) {
		r.fault(id.At, "id", "is not an id", rule.ID,
			"up to 64 small letters, digits, dots and hyphens")
	}
	if metric, ok := by["metric"]; ok {
		rule.Metric, rule.Severity = r.metric("metric", metric), Error
		return
	}
	b := rule.builtIn()
	if b == nil {
		r.fault(id.At, "id", "has no metric and is not a built-in rule", rule.ID,
			"a metric, or one of "+strings.Join(builtIn(), ", "), builtIn()...)
		return
	}
	rule.Severity = b.severity
}

// together refuses keys that mean nothing together.
func (r *reader) together(rule *Rule, by map[string]*syntax.Node) {
	common := []string{"id", "severity", "message", "files"}
	allowed := slices.Concat(common, []string{"metric", "max", "min", "equals", "max_increase"})
	if b := rule.builtIn(); b != nil {
		allowed = slices.Concat(common, b.settings)
	}
	for key, v := range orderedKeys(by) {
		if !slices.Contains(allowed, key) {
			r.fault(v.At, key, "is not a setting of "+rule.ID, "",
				strings.Join(allowed[1:], ", "))
		}
	}
	if rule.Metric != plan.NoMetric && rule.Max == nil && rule.Min == nil && rule.Equals == nil &&
		rule.MaxIncrease == nil {
		r.fault(rule.Position, "id", "limits nothing", rule.ID, "max, min, equals or max_increase")
	}
	if rule.Max != nil && rule.Min != nil && rule.Min.Value > rule.Max.Value {
		r.fault(by["min"].At, "min", "is more than max", rule.Min.Text,
			"at most "+rule.Max.Text)
	}
}

// limit reads an amount of the rule's metric; of layers where it has none.
func (r *reader) limit(rule *Rule, key string, v *syntax.Node) *Limit {
	kind := quantity.Count
	if rule.Metric != plan.NoMetric {
		kind = rule.Metric.Kind()
	}
	if _, ok := r.amount(key, kind, v); !ok {
		return nil
	}
	limit, _ := readLimit(kind, v.Text)
	return limit
}

// readLimit reads an amount: parameters exactly, where they are whole.
func readLimit(kind quantity.Kind, text string) (*Limit, error) {
	value, err := quantity.Parse(kind, text)
	if err != nil {
		return nil, err
	}
	if kind == quantity.Params {
		if exact, err := quantity.ParseExact(kind, text); err == nil {
			value = float64(exact)
		}
	}
	return &Limit{Value: value, Text: strings.TrimSpace(text)}, nil
}

func (r *reader) amount(key string, kind quantity.Kind, v *syntax.Node) (float64, bool) {
	text := r.text(key, v)
	if text == "" {
		return 0, false
	}
	value, err := quantity.Parse(kind, text)
	if err != nil {
		r.faults = append(r.faults, syntax.Fault{
			Position: v.At, Field: key,
			Problem: "is not understood: " + err.Error(), Err: err,
		})
		return 0, false
	}
	return value, true
}

func (r *reader) whole(key string, v *syntax.Node) int {
	text := r.text(key, v)
	n, err := strconv.Atoi(text)
	if text != "" && (err != nil || n < 1 || n > math.MaxInt32 || strconv.Itoa(n) != text) {
		r.fault(v.At, key, "is not a whole number from 1 up", text, "a number such as 64")
		return 0
	}
	return n
}

func (r *reader) metric(key string, v *syntax.Node) plan.Metric {
	name := r.text(key, v)
	m, known := plan.ParseMetric(name)
	if name == "" || known && m != plan.LifetimeCost {
		return m
	}
	var names []string
	for _, m := range plan.Metrics() {
		if m != plan.LifetimeCost { // rests on traffic that no rule states
			names = append(names, m.String())
		}
	}
	r.fault(v.At, key, "is unknown", name, strings.Join(names, ", "), names...)
	return plan.NoMetric
}

func (r *reader) severity(rule *Rule, v *syntax.Node) {
	rule.Severity = Severity(r.text("severity", v))
	if rule.Severity != "" && rule.Severity != Error && rule.Severity != Warning {
		r.fault(v.At, "severity", "is unknown", string(rule.Severity), "error or warning")
	}
}

// waiver reads one item of the list of waivers. Reason and expiry are not optional: a waiver
// without an end is a rule that does not hold.
func (r *reader) waiver(v *syntax.Node) (Waiver, bool) {
	w := Waiver{Position: v.At}
	faults := len(r.faults)
	if !r.section("a waiver", v, "lines such as \"rule: small-enough\"") {
		return w, false
	}
	for _, e := range v.Fields {
		switch e.Name {
		case "rule":
			w.Rule, w.Position = r.text(e.Name, e.Value), e.Value.At
		case "files":
			w.Files = r.globs(e.Name, e.Value)
		case "reason":
			w.Reason = r.text(e.Name, e.Value)
		case "expires":
			text := r.text(e.Name, e.Value)
			day, err := time.Parse(time.DateOnly, text)
			if text != "" && err != nil {
				r.fault(e.Value.At, e.Name, "is not a date", text, "a day such as 2026-12-31")
			}
			w.Expires = day
		default:
			r.unknown(e.At, e.Name, waiverKeys)
		}
	}
	if len(r.faults) == faults {
		for _, need := range []struct {
			key     string
			missing bool
		}{{"rule", w.Rule == ""}, {"reason", w.Reason == ""}, {"expires", w.Expires.IsZero()}} {
			if need.missing {
				r.fault(v.At, need.key, "is missing", "",
					"every waiver names its rule, its reason and the last day it holds")
			}
		}
	}
	return w, len(r.faults) == faults
}

// text reads a single value.
func (r *reader) text(key string, v *syntax.Node) string {
	if !v.Scalar() || strings.TrimSpace(v.Text) == "" {
		found := "nothing"
		if !v.Scalar() {
			found = v.Is()
		}
		r.fault(v.At, key, "is "+found, "", "a single value")
		return ""
	}
	return strings.TrimSpace(v.Text)
}

// list reads a list.
func (r *reader) list(key string, v *syntax.Node, allowed string) []*syntax.Node {
	if v.Kind != syntax.List {
		r.fault(v.At, key, "is "+v.Is(), "", "a list of "+allowed)
		return nil
	}
	return v.Items
}

func (r *reader) section(key string, v *syntax.Node, allowed string) bool {
	if v.Kind != syntax.Object {
		r.fault(v.At, key, "is "+v.Is(), "", allowed)
		return false
	}
	return true
}

// globs reads one glob or a list of them.
func (r *reader) globs(key string, v *syntax.Node) []string {
	items := []*syntax.Node{v}
	if v.Kind == syntax.List {
		items = v.Items
	}
	var out []string
	for _, item := range items {
		glob := r.text(key, item)
		if _, err := path.Match(strings.ReplaceAll(glob, "**", "*"), ""); err != nil {
			r.fault(item.At, key, "is not a glob", glob, "a path with *, ** and ?")
			continue
		}
		if glob != "" {
			out = append(out, glob)
		}
	}
	return out
}

func (r *reader) unknown(at syntax.Position, key string, keys []string) {
	r.fault(at, "key", "is unknown", key, strings.Join(keys, ", "), keys...)
}
