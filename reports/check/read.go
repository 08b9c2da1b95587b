package check

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/internal/suggest"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// Limits on what a set of rules may be.
const (
	maxExtends = 16
	maxRules   = 500
)

// Options say what a rules file may refer to.
type Options struct {
	// Open opens a file that extends names; nil: extends is a fault.
	Open func(name string) (io.ReadCloser, error)
	// Root is the folder that extends may not leave, in the same terms as the name of the file; ""
	// for the folder of the file.
	Root string
}

// ReadRules reads a rules file and those it extends. The error is a [*syntax.Error] with every
// fault of a file, each with its line.
func ReadRules(name string, in io.Reader, o Options) (Rules, error) {
	if o.Root == "" {
		o.Root = path.Dir(name)
	}
	out, err := readRules(name, in, o, nil)
	if err != nil {
		return Rules{}, err
	}
	return out, out.resolve()
}

// readRules reads one file of a chain of extends.
func readRules(name string, in io.Reader, o Options, chain []string) (Rules, error) {
	root, err := syntax.ReadYAML(name, in)
	if err != nil {
		return Rules{}, err
	}
	r := &reader{file: name, options: o, chain: append(slices.Clone(chain), path.Clean(name))}
	rules := r.read(root)
	if len(r.faults) > 0 {
		return Rules{}, &syntax.Error{Faults: r.faults}
	}
	return rules, nil
}

// reader collects the faults of one file.
type reader struct {
	file    string
	options Options
	chain   []string
	faults  []syntax.Fault
}

// fault notes a fault; of names that a value may have meant the nearest is suggested.
func (r *reader) fault(at syntax.Position, field, problem, value, allowed string, names ...string) {
	f := syntax.Fault{
		Position: at, Field: field, Problem: problem, Value: shorten(value), Allowed: allowed,
	}
	f.Suggestion = suggest.Nearest(value, names)
	r.faults = append(r.faults, f)
}

// shorten quotes a value for a message, cut when long.
func shorten(value string) string {
	const most = 80
	if value == "" {
		return ""
	}
	if runes := []rune(value); len(runes) > most {
		return fmt.Sprintf("%q…", string(runes[:most]))
	}
	return fmt.Sprintf("%q", value)
}

var topKeys = []string{"extends", "files", "plan", "rules", "waivers", "baseline"}

func (r *reader) read(root *syntax.Node) Rules {
	out := Rules{File: r.file, At: root.At}
	// What a file extends comes first, wherever the line stands.
	for _, e := range root.Fields {
		if e.Name == "extends" {
			out = r.extend(e.Value)
			out.File, out.At, out.extends = r.file, root.At, true
		}
	}
	for _, e := range root.Fields {
		v := e.Value
		switch e.Name {
		case "extends":
		case "files":
			out.Files = r.globs(e.Name, v)
		case "plan":
			r.plan(&out, v)
		case "rules":
			for _, item := range r.list(e.Name, v, "items such as \"- id: small-enough\"") {
				if rule, ok := r.rule(item); ok {
					out.put(rule)
				}
			}
		case "waivers":
			for _, item := range r.list(e.Name, v, "items such as \"- rule: small-enough\"") {
				if w, ok := r.waiver(item); ok {
					out.Waivers = append(out.Waivers, w)
				}
			}
		case "baseline":
			out.Baseline = r.text(e.Name, v)
		default:
			r.unknown(e.At, e.Name, topKeys)
		}
	}
	if len(out.Rules) > maxRules {
		r.fault(out.At, "rules", "are too many", fmt.Sprint(len(out.Rules)),
			fmt.Sprintf("at most %d", maxRules))
	}
	return out
}

// put adds a rule, instead of one of the same id that was extended.
func (rules *Rules) put(rule Rule) {
	for i := range rules.Rules {
		if old := &rules.Rules[i]; old.ID == rule.ID && old.File != rule.File {
			*old = rule
			return
		}
	}
	rules.Rules = append(rules.Rules, rule)
}

// resolve checks what can only be seen with all files read.
func (rules *Rules) resolve() error {
	var r reader
	var ids []string
	seen := map[string]syntax.Position{}
	for i := range rules.Rules {
		rule := &rules.Rules[i]
		if first, twice := seen[rule.ID]; twice {
			r.fault(rule.Position, "id", "stands twice", rule.ID,
				fmt.Sprintf("ids that differ; first in line %d", first.Line))
		}
		seen[rule.ID] = rule.Position
		ids = append(ids, rule.ID)
		if rule.MaxIncrease != nil && rules.Baseline == "" {
			r.fault(rule.Position, "max_increase", "has no baseline to compare with", "",
				"a line such as \"baseline: .deepnarrow-baseline.json\"")
		}
	}
	for _, w := range rules.Waivers {
		if _, known := seen[w.Rule]; !known {
			r.fault(w.Position, "rule", "names no rule", w.Rule, "the id of a rule above", ids...)
		}
	}
	if len(r.faults) > 0 {
		return &syntax.Error{Faults: r.faults}
	}
	return nil
}

// extend reads the files that extends names, in order.
func (r *reader) extend(v *syntax.Node) Rules {
	var out Rules
	targets := []*syntax.Node{v}
	if v.Kind == syntax.List {
		targets = v.Items
	}
	for _, target := range targets {
		name := r.text("extends", target)
		if name == "" {
			continue
		}
		if name == BuiltInRules {
			for _, rule := range defaultRules(true) {
				out.put(rule)
			}
			continue
		}
		base, ok := r.open(target.At, name)
		if !ok {
			continue
		}
		out.Files, out.Plan = append(out.Files, base.Files...), append(out.Plan, base.Plan...)
		out.Waivers = append(out.Waivers, base.Waivers...)
		if base.Baseline != "" {
			out.Baseline = base.Baseline
		}
		for _, rule := range base.Rules {
			out.put(rule)
		}
	}
	return out
}

func (r *reader) open(at syntax.Position, target string) (Rules, bool) {
	resolved := path.Join(path.Dir(r.file), target)
	root := path.Clean(r.options.Root)
	switch {
	case path.IsAbs(target) || strings.Contains(target, `\`):
		r.fault(at, "extends", "is not a relative path with slashes", target,
			"a path such as ./rules/base.yaml")
	case !openfile.Inside(root, resolved):
		r.fault(at, "extends", "leaves the folder "+root, target, "a file inside the folder")
	case slices.Contains(r.chain, resolved):
		r.fault(at, "extends", "goes in a circle", strings.Join(append(r.chain, resolved), " → "),
			"a chain that ends")
	case len(r.chain) >= maxExtends:
		r.fault(at, "extends", "is a chain of too many files", target,
			fmt.Sprintf("at most %d", maxExtends))
	case r.options.Open == nil:
		r.fault(at, "extends", "refers to a file, which cannot be opened from here", target,
			"rules read from a file")
	default:
		file, err := r.options.Open(resolved)
		if err != nil {
			reason := err
			var pathError *fs.PathError
			if errors.As(err, &pathError) {
				reason = pathError.Err
			}
			r.faults = append(r.faults, syntax.Fault{
				Position: at, Field: "extends",
				Problem: "cannot be opened: " + reason.Error(), Value: shorten(target), Err: err,
			})
			return Rules{}, false
		}
		defer file.Close()
		rules, err := readRules(resolved, file, r.options, r.chain)
		var nested *syntax.Error
		switch {
		case errors.As(err, &nested):
			r.faults = append(r.faults, nested.Faults...)
		case err != nil:
			r.fault(at, "extends", "cannot be read: "+err.Error(), target, "")
		}
		return rules, err == nil
	}
	return Rules{}, false
}

// plan reads flags of the command line: one value each. A later file wins.
func (r *reader) plan(out *Rules, v *syntax.Node) {
	if !r.section("plan", v, "lines such as \"hardware: tpu-v3\"") {
		return
	}
	for _, e := range v.Fields {
		text := r.text(e.Name, e.Value)
		if text == "" {
			continue
		}
		s := Setting{
			Position: e.Value.At, Key: strings.ReplaceAll(e.Name, "_", "-"),
			Value: text,
		}
		if i := slices.IndexFunc(out.Plan, func(old Setting) bool { return old.Key == s.Key }); i >= 0 {
			out.Plan[i] = s
			continue
		}
		out.Plan = append(out.Plan, s)
	}
}
