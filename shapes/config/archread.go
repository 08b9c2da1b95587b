package config

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// modelReader applies an entry of the table to a configuration.
type modelReader struct {
	*reading
	options *Options
	a       *architecture
	root    *section // the whole file
	model   *section // the section that describes the model; often the whole file
	nested  map[string]*section
	shape   *shapes.Shape
	values  map[string]any
	assumed []string
	touched []syntax.Field // the fields the expression being evaluated has read
	busy    []string
}

// readModel builds the shape of a config.json, or of a trainer's file as the entry says.
func readModel(r *reading, o *Options, root *syntax.Node) shapes.Shape {
	s := newSection(r, root)
	table := o.table()
	a, cl, ok := identify(s, table)
	if !ok {
		return shapes.Shape{}
	}
	if a.when != nil { // of a trainer
		s = newSection(r, underscored(root, 0))
	}
	return apply(r, o, a, cl, s)
}

// underscored returns a file with its keys as trainers read them: - and _ are alike.
func underscored(n *syntax.Node, depth int) *syntax.Node {
	if n.Kind != syntax.Object || depth > syntax.MaxDepth {
		return n
	}
	out := &syntax.Node{Kind: syntax.Object, At: n.At}
	for _, f := range n.Fields {
		key := strings.ReplaceAll(strings.TrimLeft(f.Name, "-"), "-", "_")
		out.Fields = append(out.Fields, syntax.Field{Name: key, At: f.At, Value: underscored(f.Value, depth+1)})
	}
	return out
}

// apply evaluates an entry over a section.
func apply(r *reading, o *Options, a *architecture, cl *class, s *section) shapes.Shape {
	if a.refuse != "" {
		f, ok := s.byName["model_type"]
		at, what := s.at, ""
		if ok {
			at, what = f.Value.At, "model_type "
		}
		r.fault(at, "", what+a.name+" cannot be counted: "+a.refuse, "", "")
		return shapes.Shape{}
	}
	shape := shapes.Shape{Family: a.family}
	m := &modelReader{
		reading: r, options: o, a: a, root: s, model: s, shape: &shape,
		nested: map[string]*section{}, values: map[string]any{},
	}
	path := ""
	for key := range strings.SplitSeq(a.within, ".") {
		if inner := m.sectionAt(m.model, path, key); key != "" && inner != nil {
			m.model, path = inner, strings.TrimPrefix(path+"."+key, ".")
		}
	}
	for _, n := range slices.Sorted(maps.Keys(a.assume)) {
		if f, ok := m.take(a.fields[n].names); o.Vocab == 0 && (!ok || f.Value.Kind == syntax.Null) {
			r.warn(s.at, "%s is absent; taken are %s", n, a.assume[n])
		}
	}
	m.expectations()
	if a.parts != nil {
		m.compose(a.parts)
	}
	for _, c := range a.checks {
		m.check(&c)
	}
	for _, n := range slices.Sorted(maps.Keys(a.leftOut)) {
		if f, ok := m.find(n); ok && truth(plainValue(f.Value)) {
			m.warn(f.At, "%s: %s is not counted", f.Name, a.leftOut[n])
		}
	}
	m.warnUncounted(a.uncounted)
	m.warnUncounted(cl.uncounted)
	for _, set := range a.shape {
		m.assign(set)
	}
	for _, set := range cl.shape {
		m.assign(set)
	}
	m.convolutions()
	m.dense(append(slices.Clone(a.dense), cl.dense...))
	if len(m.assumed) > 0 {
		r.warn(s.at, "absent, so the default of model_type %s is used: %s", a.name,
			strings.Join(m.assumed, ", "))
	}
	shape = canonical(shape)
	if shape.Family == shapes.T5 {
		shape.Family = t5Family(&shape)
	}
	m.rest()
	return shape
}

func (m *modelReader) warnUncounted(what string) {
	if what != "" {
		m.warn(m.place("architectures"), "%s is not counted", what)
	}
}

// expectations refuses the fields that would change the shape in a way no assignment reads.
func (m *modelReader) expectations() {
	all := maps.Clone(harmless().expect)
	for n := range all {
		if m.a.fields[n] != nil || m.a.parts != nil || m.a.ignore[n] {
			delete(all, n)
		}
	}
	maps.Copy(all, m.a.expect)
	for _, n := range slices.Sorted(maps.Keys(all)) {
		e := all[n]
		if f, ok := m.find(n); ok && !e.allows(f.Value) {
			m.inexpressible(f.Name, f.Value, e.says())
		}
	}
}

// check records a fault unless a condition holds.
func (m *modelReader) check(c *check) {
	before := len(m.faults)
	v := m.eval("", c.must)
	if truth(v) || len(m.faults) > before {
		return
	}
	at, shown := m.model.at, ""
	if d := m.a.fields[c.field]; d != nil {
		if f, ok := m.take(d.names); ok {
			at, shown = f.Value.At, f.Value.Show()
		}
	}
	m.fault(at, c.field, c.problem, shown, c.allowed)
}

// eval returns a value, nil after a fault.
func (m *modelReader) eval(shapeField string, e *expression) any {
	m.touched = nil
	v, err := e.eval(m.value)
	if len(m.touched) > 0 && shapeField != "" {
		m.note(shapeField, m.touched[0].Name, m.touched[0].At)
	}
	if err != nil {
		m.blame(err)
		for f := range strings.FieldsSeq(shapeField) {
			delete(m.fields, f) // its zero is a consequence
		}
		return nil
	}
	return v
}

// blame records what kept an expression from having a value, at the field that is to blame.
func (m *modelReader) blame(err error) {
	fault, ok := err.(*evalFault)
	if !ok || fault == errFaulted {
		return
	}
	at, named := m.root.at, fault.field
	f := syntax.Field{}
	if d := m.a.fields[fault.field]; d != nil {
		f, _ = m.take(d.names)
	}
	if f.Value == nil && len(m.touched) > 0 {
		f = m.touched[0]
	}
	if f.Value != nil {
		at, named = f.At, f.Name
	}
	m.fault(at, named, fault.problem, fault.value, fault.allowed)
}

// assign sets one field of the shape, or the field of both stacks.
func (m *modelReader) assign(set assignment) {
	stack, rest, _ := strings.Cut(set.field, ".")
	noted := set.field
	var targets []*shapeField
	for _, k := range map[string][]*shapes.Stack{
		"encoder": {&m.shape.Encoder}, "decoder": {&m.shape.Decoder},
		"both": {&m.shape.Encoder, &m.shape.Decoder},
	}[stack] {
		targets = append(targets, fieldNamed(stackFields(k), rest))
	}
	switch {
	case targets == nil:
		targets = append(targets, fieldNamed(modelFields(m.shape), set.field))
	case stack == "both":
		noted = "encoder." + rest + " decoder." + rest
	}
	v := m.eval(noted, set.value)
	for _, f := range targets {
		value := v
		if n, ok := v.(float64); ok && f.name == "extra" && m.a.parts != nil {
			value = n + float64(*f.at.(*int))
		}
		if err := f.assign(value); err != nil {
			m.blame(err)
			return
		}
	}
}

func (m *modelReader) whole(e *expression) int {
	v := m.eval("", e)
	n, ok := v.(float64)
	if !ok || n < 0 || n > maxInteger || n != float64(int(n)) {
		if v != nil {
			m.blame(&evalFault{problem: "does not give a whole number", value: fmt.Sprint(v)})
		}
		return 0
	}
	return int(n)
}

func (m *modelReader) dense(rules []denseRule) {
	n := 0
	for n < shapes.MaxDense && m.shape.Dense[n].In > 0 { // of the parts
		n++
	}
	for _, r := range rules {
		l := shapes.Dense{In: m.whole(r.in), Out: m.whole(r.out), Bias: r.bias, At: r.at}
		if l.In == 0 || l.Out == 0 {
			continue // a layer that the configuration leaves out
		}
		if n == shapes.MaxDense {
			m.fault(m.root.at, "dense", "has more layers than a shape can say", "", "")
			return
		}
		m.shape.Dense[n] = l
		n++
	}
}

func (m *modelReader) convolutions() {
	count := map[string]int{}
	for _, r := range m.a.convs {
		k := &m.shape.Encoder
		if r.stack == "decoder" {
			k = &m.shape.Decoder
		}
		c := shapes.Conv{
			In: int32(m.whole(r.in)), Out: int32(m.whole(r.out)), Taps: int32(m.whole(r.taps)),
			Rate: int32(
				m.whole(r.rate)), Extra: int32(m.whole(r.extra)), Bias: truth(m.eval("", r.bias)),
		}
		if c.In == 0 || c.Out == 0 || c.Taps == 0 {
			continue
		}
		if count[r.stack] == shapes.MaxConvs {
			m.fault(m.root.at, "convs", "has more convolutions than a shape can say", "", "")
			return
		}
		k.Frontend.Convs[count[r.stack]] = c
		count[r.stack]++
	}
}

// harmless is the entry of what every configuration may say.
var harmless = sync.OnceValue(func() *architecture {
	a, err := builtin().find("_harmless")
	if err != nil {
		panic(err) // a mistake made here
	}
	return a
})

// rest lists the fields that neither the entry nor the shared lists know.
func (m *modelReader) rest() {
	for _, n := range m.a.order {
		m.take(m.a.fields[n].names)
	}
	known := func(n string) bool { return m.a.ignore[n] || harmless().ignore[n] }
	list := func(s *section, path string) {
		for _, f := range s.untaken() {
			told := !known(f.Name) && !known(path+f.Name)
			if m.a.rest != "" {
				told = m.suspicious(f)
			}
			if told {
				m.unknown = append(m.unknown, Field{Position: f.At, Name: path + f.Name})
			}
		}
	}
	list(m.root, "")
	for _, path := range slices.Sorted(maps.Keys(m.nested)) {
		list(m.nested[path], path+".")
	}
	if m.a.rest == "" {
		slices.SortStableFunc(m.unknown, func(a, b Field) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
	}
}

// counting are parts of names that say something of a model's size. The other unread fields of a
// trainer's file are of training.
var counting = regexp.MustCompile(
	`expert|moe_|lora|adapter|latent|conv_|mamba|ssm|hyena|rwkv|retro|cross_att|prompt|vision|` +
		`hybrid|mtp|num_layers|_layers$|hidden_size|ffn|embed|vocab|num_heads|n_heads|_dim$|rank$`,
)

// training are names that look like sizes and count nothing.
var training = regexp.MustCompile(
	`checkpoint|parallel|dropout|lr_|loss|capacity|init|jitter|aux|grad|freq|recompute|fusion|` +
		`hysteresis|vocab_file|merge_file|lazy|scale|layers_to_keep|quant|divisible`,
)

// suspicious reports whether the name of an unread field of a trainer's file says a size, unless it
// is off.
func (m *modelReader) suspicious(f syntax.Field) bool {
	off := isFalse(f.Value) || len(f.Value.Items)+len(f.Value.Fields) == 0 && f.Value.Text == ""
	return counting.MatchString(f.Name) && !training.MatchString(f.Name) && !off && !m.a.ignore[f.Name]
}

// canonical drops what a shape need not say: stacks without layers, and values that repeat another.
func canonical(s shapes.Shape) shapes.Shape {
	for _, k := range []*shapes.Stack{&s.Encoder, &s.Decoder} {
		if k.Layers == 0 {
			*k = shapes.Stack{}
			continue
		}
		if k.NormsPerLayer == 2 {
			k.NormsPerLayer = 0
		}
		if k.ExpertDFF == k.DFF {
			k.ExpertDFF = 0
		}
		if k.OwnLayers == k.Layers {
			k.OwnLayers = 0
		}
		if k.Experts == 0 {
			k.ActiveExperts, k.SparseEvery, k.ExpertDFF, k.SharedDFF = 0, 0, 0, 0
			k.SharedGate, k.DenseFirst = false, 0
		}
		if k.Window == 0 || k.FullLayers == k.Layers {
			k.Window, k.FullLayers = 0, 0
		}
		if !k.Position.Table() {
			k.Positions = 0
		}
		if k.Latent.KVRank == 0 {
			k.Latent = shapes.Latent{}
		}
	}
	if s.EmbeddingWidth == s.DModel {
		s.EmbeddingWidth = 0
	}
	if s.SourceWidth == s.DModel {
		s.SourceWidth = 0
	}
	return s
}
