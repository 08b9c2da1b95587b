package check

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// builtin is one of the rules that ship with the program.
type builtin struct {
	id         string
	severity   Severity // unless the project says otherwise
	everywhere bool     // part of [defaultRules]
	settings   []string // keys it reads
	help       string   // what it demands
	judge      func(*judge, *Rule) []outcome
}

// fitsInMemory is the built-in rule that needs hardware.
const fitsInMemory = "fits-in-memory"

var builtins = []builtin{
	{
		fitsInMemory, Error, false,
		[]string{"headroom"},
		"The training step fits in the memory of a device.", (*judge).fitsInMemory,
	},
	{
		"aligned-dimensions", Warning, true,
		[]string{"multiple"},
		"Dimensions of matrix products are multiples of what fills the matrix unit.",
		(*judge).alignedDimensions,
	},
	{
		"head-size", Warning, true,
		[]string{"sizes"},
		"Attention heads have a width that kernels are made for.", (*judge).headSize,
	},
	{
		"vocab-padded", Warning, true,
		[]string{"multiple"},
		"The vocabulary is padded to a multiple that fills the matrix unit.", (*judge).vocabPadded,
	},
	{
		"not-dominated", Warning, false,
		[]string{"axis", "min_saving"},
		"No recommended shape gives the same predicted quality for clearly less.",
		(*judge).notDominated,
	},
	{
		"depth-plateau", Warning, true,
		[]string{"max"},
		"No stack is deeper than where depth stops to pay.", (*judge).depthPlateau,
	},
	{
		"config-inconsistent", Error, true, nil,
		"The configuration agrees with the tensors of the checkpoint beside it.",
		(*judge).configInconsistent,
	},
	{
		"unknown-field", Warning, true, nil, "Every field of the configuration is understood.",
		(*judge).unknownField,
	},
}

// builtIn lists the ids of the built-in rules.
func builtIn() []string {
	var out []string
	for _, b := range builtins {
		out = append(out, b.id)
	}
	return out
}

// builtIn returns the built-in rule that a rule is, nil for a limit.
func (rule *Rule) builtIn() *builtin {
	i := slices.IndexFunc(builtins, func(b builtin) bool { return b.id == rule.ID })
	if i < 0 || rule.Metric != plan.NoMetric {
		return nil
	}
	return &builtins[i]
}

// help returns what a rule demands, in a sentence.
func (rule *Rule) help() string {
	if b := rule.builtIn(); b != nil {
		return b.help
	}
	return fmt.Sprintf("The limit of %s holds.", rule.Metric)
}

// stacks visits the stacks that a shape has, by name.
func stacks(s *shapes.Shape) iter.Seq2[string, *shapes.Stack] {
	return func(yield func(string, *shapes.Stack) bool) {
		if s.Encoder.Layers > 0 && !yield("encoder", &s.Encoder) {
			return
		}
		if s.Decoder.Layers > 0 {
			yield("decoder", &s.Decoder)
		}
	}
}

func (j *judge) fitsInMemory(rule *Rule) []outcome {
	switch {
	case j.err != nil:
		return cannot("%v", j.err)
	case j.Question.Profile == nil:
		return cannot("no hardware is named; plan: hardware: or --hardware says which")
	case j.Question.Profile.MemoryBytes == nil:
		return cannot("the memory of %s is not known", j.Question.Profile.Name)
	}
	peak := j.answer.Memory.PeakBytes
	usable, _ := j.Question.Profile.UsableBytes()
	limit := usable * (1 - rule.Headroom)
	o := outcome{
		metric: plan.Memory, kind: quantity.Bytes, value: &peak, limit: &limit,
		broken: peak > limit,
	}
	o.message = fmt.Sprintf("a device needs %s and %s has %s usable%s", amount(o.kind, peak),
		j.Question.Profile.Name, amount(o.kind, usable), margin(peak, limit))
	if rule.Headroom > 0 {
		o.message += fmt.Sprintf(", %s of it to stay free", percent(rule.Headroom))
	}
	if o.broken {
		o.field, o.hint = j.remedy(plan.Memory, peak, limit)
		if o.hint != "" {
			o.hint += "; or "
		}
		o.hint += "more devices, --zero 3 or --recompute full"
	}
	return []outcome{o}
}

// unit returns the multiple that dimensions are to have: the rule's, the profile's, or 64.
func (j *judge) unit(rule *Rule) int {
	const usual = 64
	switch {
	case rule.Multiple > 0:
		return rule.Multiple
	case j.Question.Profile != nil && j.Question.Profile.Align != nil:
		return int(j.Question.Profile.Align.Value)
	}
	return usual
}

func up(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }

func (j *judge) alignedDimensions(rule *Rule) []outcome {
	multiple := j.unit(rule)
	padded := *j.shape
	var odd []string
	var first string
	look := func(field string, n *int) {
		if *n%multiple == 0 {
			return
		}
		first = cmp.Or(first, field)
		odd = append(odd, fmt.Sprintf("%s %d", field, *n))
		*n = up(*n, multiple)
	}
	look("d_model", &padded.DModel)
	for name, stack := range stacks(&padded) {
		look(name+".d_ff", &stack.DFF)
		if inner := stack.Inner(); inner%multiple != 0 {
			odd = append(odd, fmt.Sprintf("%s.heads × d_kv %d", name, inner))
			first = cmp.Or(first, name+".heads")
			// The next head size at which all heads together are aligned.
			for stack.Inner()%multiple != 0 {
				stack.DKV++
			}
		}
	}
	if len(odd) == 0 {
		return []outcome{{message: fmt.Sprintf("every dimension is a multiple of %d", multiple)}}
	}
	return []outcome{{
		broken: true, field: first, message: fmt.Sprintf("%s: no multiple of %d%s",
			strings.Join(odd, ", "), multiple, j.price(&padded)),
		hint: "round up to " + dimensions(&padded),
	}}
}

// price says what padding would change, from the step-time model, whose loss on misaligned products
// was measured.
func (j *judge) price(padded *shapes.Shape) string {
	if j.err != nil || padded.Validate() != nil {
		return ""
	}
	a, err := j.Question.Of(padded).Answer()
	if err != nil {
		return ""
	}
	before, after := j.answer.StepTime.Interval, a.StepTime.Interval
	if before == nil || after == nil {
		return " (its price is not known without hardware)"
	}
	share := after.Value/before.Value - 1
	return fmt.Sprintf("; padded, a step takes %s (%s)", amount(quantity.Duration, after.Value),
		signed(share))
}

func dimensions(s *shapes.Shape) string {
	parts := []string{fmt.Sprintf("d_model %d", s.DModel)}
	for name, stack := range stacks(s) {
		parts = append(parts, fmt.Sprintf("%s d_ff %d and d_kv %d", name, stack.DFF, stack.DKV))
	}
	return strings.Join(parts, ", ")
}

func (j *judge) headSize(rule *Rule) []outcome {
	sizes := rule.Sizes
	if len(sizes) == 0 {
		sizes = []int{64, 128}
	}
	allowed := make([]string, len(sizes))
	for i, n := range sizes {
		allowed[i] = fmt.Sprint(n)
	}
	words := strings.Join(allowed, " or ")
	for name, stack := range stacks(j.shape) {
		if !slices.Contains(sizes, stack.DKV) {
			value := float64(stack.DKV)
			field := name + ".d_kv"
			if j.place(field).Line == 0 {
				field = name + ".heads" // files that state the number of heads only
			}
			return []outcome{{
				broken: true, field: field, value: &value, kind: quantity.Count,
				message: fmt.Sprintf("heads of the %s are %d wide; allowed: %s", name, stack.DKV,
					words),
				hint: fmt.Sprintf("keep heads × d_kv = %d with another number of heads", stack.Inner()),
			}}
		}
	}
	return []outcome{{message: "heads are " + words + " wide"}}
}

func (j *judge) vocabPadded(rule *Rule) []outcome {
	multiple, v := j.unit(rule), j.shape.Vocab
	value := float64(v)
	o := outcome{field: "vocab", kind: quantity.Count, value: &value}
	if v%multiple == 0 {
		o.message = fmt.Sprintf("the vocabulary of %s is a multiple of %d",
			quantity.Grouped(int64(v)), multiple)
		return []outcome{o}
	}
	padded := *j.shape
	padded.Vocab = up(v, multiple)
	o.broken = true
	o.message = fmt.Sprintf("the vocabulary of %s is not a multiple of %d%s",
		quantity.Grouped(int64(v)), multiple, j.price(&padded))
	o.hint = fmt.Sprintf("pad it to %d: %s parameters more", padded.Vocab,
		quantity.Grouped(parameters(&padded)-parameters(j.shape)))
	return []outcome{o}
}

func parameters(s *shapes.Shape) int64 { return flops.CountParameters(s).Total }

// plateau is the depth of a stack from which Tay et al. 2021 (arXiv 2109.10686, section 4.4) see no
// more gain: "32-36 layers".
const plateau = 36

func (j *judge) depthPlateau(rule *Rule) []outcome {
	limit := float64(plateau)
	if rule.Max != nil {
		limit = rule.Max.Value
	}
	for name, stack := range stacks(j.shape) {
		if value := float64(stack.Layers); value > limit {
			return []outcome{{
				broken: true, field: name + ".layers", value: &value, limit: &limit,
				kind: quantity.Count,
				message: fmt.Sprintf(
					"the %s has %d layers; gains of depth fade from 32 to 36 (Tay et al. 2021), allowed: at most %g", name, stack.Layers, limit),
				hint: "spend the parameters on d_model or d_ff instead",
			}}
		}
	}
	return []outcome{{message: fmt.Sprintf("no stack has more than %g layers", limit)}}
}

func (j *judge) configInconsistent(*Rule) []outcome {
	header, file := j.candidate.Checkpoint, j.candidate.CheckpointFile
	if err := j.candidate.CheckpointErr; err != nil {
		return cannot("%v", err)
	}
	if header == nil {
		header, file = j.candidate.Config.Tensors, j.candidate.File
	}
	if header == nil {
		return []outcome{{message: "there is no checkpoint beside it to disagree with"}}
	}
	if why := header.Countable(); why != "" {
		return []outcome{{message: fmt.Sprintf("not compared with %s: %s", file, why)}}
	}
	var out []outcome
	for _, d := range config.Compare(j.candidate.Config, header) {
		out = append(out, outcome{broken: true, at: d.Position, message: d.String()})
	}
	want, got := parameters(j.shape), header.ParametersOf(j.shape)
	if len(out) == 0 && want != got {
		value, limit := float64(got), float64(want)
		out = append(out, outcome{
			broken: true, value: &value, limit: &limit, kind: quantity.Params,
			message: fmt.Sprintf("the tensors of %s hold %s parameters, the configuration has %s",
				file, quantity.Grouped(got), quantity.Grouped(want)),
		})
	}
	if len(out) == 0 {
		return []outcome{{message: fmt.Sprintf("agrees with %s: %s parameters", file,
			quantity.Grouped(want))}}
	}
	return out
}

func (j *judge) unknownField(*Rule) []outcome {
	const most = 50 // nobody reads more
	unknown := j.candidate.Config.Unknown
	if len(unknown) == 0 {
		return []outcome{{message: "every field is known"}}
	}
	var out []outcome
	for _, f := range unknown[:min(most, len(unknown))] {
		out = append(out, outcome{broken: true, at: f.Position, message: "field " +
			shorten(f.Name) + " is not known and not counted"})
	}
	if more := len(unknown) - most; more > 0 {
		message := fmt.Sprintf("%d more fields are not known", more)
		out = append(out, outcome{broken: true, message: message})
	}
	return out
}
