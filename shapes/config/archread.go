package config

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// modelReader applies an entry of the table to a configuration.
type modelReader struct {
	*reading
	options *Options
	a       *architecture
	class   *class
	root    *section // the whole file
	model   *section // the section that describes the model; often the whole file
	nested  map[string]*section
	shape   *shapes.Shape
	values  map[string]any
	assumed []string
	touched []field // the fields the expression being evaluated has read
	busy    []string
}

// readModel builds the shape of a config.json, or of a trainer's file as the entry says.
func readModel(r *reading, o *Options, root *node) shapes.Shape {
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
func underscored(n *node, depth int) *node {
	if n.kind != object || depth > maxDepth {
		return n
	}
	out := &node{kind: object, at: n.at}
	for _, f := range n.fields {
		key := strings.ReplaceAll(strings.TrimLeft(f.name, "-"), "-", "_")
		out.fields = append(out.fields, field{key, f.at, underscored(f.value, depth+1)})
	}
	return out
}

// apply evaluates an entry over a section.
func apply(r *reading, o *Options, a *architecture, cl *class, s *section) shapes.Shape {
	if a.refuse != "" {
		f, ok := s.byName["model_type"]
		at, what := s.at, ""
		if ok {
			at, what = f.value.at, "model_type "
		}
		r.fault(at, "", what+a.name+" cannot be counted: "+a.refuse, "", "")
		return shapes.Shape{}
	}
	shape := shapes.Shape{Family: a.family}
	m := &modelReader{
		reading: r, options: o, a: a, class: cl, root: s, model: s, shape: &shape,
		nested: map[string]*section{}, values: map[string]any{},
	}
	path := ""
	for key := range strings.SplitSeq(a.within, ".") {
		if inner := m.sectionAt(m.model, path, key); key != "" && inner != nil {
			m.model, path = inner, strings.TrimPrefix(path+"."+key, ".")
		}
	}
	for _, n := range slices.Sorted(maps.Keys(a.assume)) {
		if f, ok := m.take(a.fields[n].names); o.Vocab == 0 && (!ok || f.value.kind == null) {
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
		if f, ok := m.find(n); ok && truth(plainValue(f.value)) {
			m.warn(f.at, "%s: %s is not counted", f.name, a.leftOut[n])
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

// sectionAt returns the section of a key, opened once.
func (m *modelReader) sectionAt(s *section, path, key string) *section {
	if path != "" {
		path += "."
	}
	path += key
	if inner, ok := m.nested[path]; ok {
		return inner
	}
	f, ok := s.byName[key]
	if !ok || f.value.kind != object {
		return nil
	}
	s.taken[key] = true
	m.nested[path] = newSection(m.reading, f.value)
	return m.nested[path]
}

// find returns the field of a dotted name, of the model's section or of the whole file.
func (m *modelReader) find(dotted string) (field, bool) {
	for _, s := range []*section{m.model, m.root} {
		key, path := dotted, ""
		for {
			if f, ok := s.byName[key]; ok {
				s.taken[key] = true
				return m.interpolated(f, 0), true
			}
			head, rest, cut := strings.Cut(key, ".")
			if !cut {
				break
			}
			inner := m.sectionAt(s, path, head)
			if inner == nil {
				break
			}
			s, key, path = inner, rest, head
		}
		if m.model == m.root {
			break
		}
	}
	return field{}, false
}

// interpolated follows a value such as ${model.hidden_size} to the field it names.
func (m *modelReader) interpolated(f field, depth int) field {
	inner, ok := strings.CutPrefix(f.value.text, "${")
	if f.value.kind != word || !ok || !strings.HasSuffix(inner, "}") || depth > maxExtends {
		return f
	}
	n := m.root.at
	target := &node{kind: object, at: n}
	for _, g := range m.root.byName {
		target.fields = append(target.fields, g)
	}
	for key := range strings.SplitSeq(strings.TrimSuffix(inner, "}"), ".") {
		i := slices.IndexFunc(target.fields, func(g field) bool { return g.name == key })
		if i < 0 {
			return f
		}
		target = target.fields[i].value
	}
	return m.interpolated(field{f.name, f.at, target}, depth+1)
}

// take returns the field of one of the names; two that contradict are a fault.
func (m *modelReader) take(names []string) (field, bool) {
	var found field
	ok := false
	for _, n := range names {
		f, present := m.find(n)
		switch {
		case !present:
		case !ok:
			found, ok = f, true
		case found.value.kind == null:
			found = f
		case f.value.kind != null && !f.value.equals(found.value):
			m.fault(f.at, f.name, "contradicts "+found.name, f.value.show(),
				"the same value as "+found.value.show()+", or only one of the two")
		}
	}
	return found, ok
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
		if f, ok := m.find(n); ok && !e.allows(f.value) {
			m.fault(f.value.at, f.name, "cannot be expressed as a shape", f.value.show(), e.says())
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
			at, shown = f.value.at, f.value.show()
		}
	}
	m.fault(at, c.field, c.problem, shown, c.allowed)
}

// value returns the value of a declared field, computed once.
func (m *modelReader) value(n string) (any, bool, error) {
	d, declared := m.a.fields[n]
	if !declared {
		switch {
		case n == "labels":
			return m.labels(true), true, nil
		case n == "spans": // of an answer: labels that never have names
			return m.labels(false), true, nil
		case n == "given_vocab":
			if m.options.Vocab > 0 {
				m.usedVocab = true
				return float64(m.options.Vocab), true, nil
			}
			return nil, true, nil
		case m.a.own && m.isField(n):
			d = &declaration{names: []string{n}, nullable: true}
		default:
			return nil, false, nil
		}
	}
	if f, ok := m.take(d.names); ok && d.always == nil && f.value.kind != null {
		m.touched = append(m.touched, f)
	}
	if v, ok := m.values[n]; ok {
		if v == (failed{}) {
			return nil, true, errFaulted
		}
		return v, true, nil
	}
	if slices.Contains(m.busy, n) {
		return nil, true, &evalFault{field: n, problem: "is defined by itself"}
	}
	m.busy = append(m.busy, n)
	v, err := m.compute(n, d)
	if err == errFaulted && d.absent != nil {
		v, err = d.absent, nil // go on with the default, to find further faults
	}
	m.busy = m.busy[:len(m.busy)-1]
	m.values[n] = v
	if err != nil {
		m.values[n] = failed{}
	}
	return v, true, err
}

// isField reports whether a file has a field of that name: in a user's table, names need not be
// declared.
func (m *modelReader) isField(n string) bool {
	_, ok := m.find(n)
	return ok
}

// labels returns the classes of a task's head: the entries of id2label, num_labels, or 2.
func (m *modelReader) labels(named bool) any {
	if f, ok := m.find("id2label"); ok && f.value.kind == object && len(f.value.fields) > 0 {
		if named && strings.HasPrefix(f.value.fields[0].value.text, "LABEL_") {
			m.warnLabels(f.at, len(f.value.fields))
		}
		return float64(len(f.value.fields))
	}
	for _, n := range []string{"num_labels", "_num_labels"} {
		if f, ok := m.find(n); ok && f.value.kind == number {
			if v, ok := m.root.whole(f.name, f.value); ok {
				return float64(v)
			}
		}
	}
	if named {
		m.warnLabels(m.root.at, 2)
	}
	return 2.0 // PretrainedConfig's default
}

// warnLabels says that the head's size may be a default: the labels have no names.
func (m *modelReader) warnLabels(at Position, n int) {
	text := fmt.Sprintf("the labels have no names; the task's head is counted with %d of them", n)
	if !slices.ContainsFunc(m.warnings, func(w Warning) bool { return w.Text == text }) {
		m.warn(at, "%s", text)
	}
}

// failed is the value of a field whose fault is recorded.
type failed struct{}

// errFaulted says that the reading has the fault already.
var errFaulted = &evalFault{}

func (m *modelReader) compute(n string, d *declaration) (any, error) {
	sc := &scope{value: m.value}
	if d.always != nil {
		return d.always.eval(sc)
	}
	f, present := m.take(d.names)
	if present && f.value.kind == null && !d.nullable {
		m.fault(f.value.at, f.name, "is null", "", "a whole number")
		return d.absent, nil
	}
	switch {
	case present && f.value.kind != null:
		return m.convert(f, d)
	case d.instead != nil:
		return d.instead.eval(sc)
	case d.required:
		if d.kind == boolean {
			m.fault(m.model.at, n, "is missing", "", "true or false")
		} else {
			m.fault(m.model.at, n, "is missing", "", m.whyRequired())
		}
		return nil, errFaulted
	case present && d.kind == number: // null
		return nil, nil
	}
	if d.mention {
		m.assumed = append(m.assumed, n+" "+plain(d.absent.(float64)))
	}
	return d.absent, nil
}

func (m *modelReader) whyRequired() string {
	if m.a.when != nil || m.a.own {
		return "a whole number"
	}
	return "a whole number: its default differs between releases of transformers"
}

// convert checks a field's value against its declared kind.
func (m *modelReader) convert(f field, d *declaration) (any, error) {
	v := f.value
	switch {
	case d.kind == number && d.fraction && v.kind == number:
		if x, err := strconv.ParseFloat(v.text, 64); err == nil && x >= 0 && x < maxInteger {
			return x, nil
		}
	case v.kind == number && v.text == "-1" && d.nullable && (d.kind == number || d.kind == null):
		return nil, nil // many classes write −1 for "not set"
	case d.kind == number, d.kind == null && v.kind == number:
		n, ok := m.root.whole(f.name, v)
		if !ok {
			return nil, errFaulted
		}
		return float64(n), nil
	case d.kind == boolean:
		if v.kind != boolean {
			m.fault(v.at, f.name, "is not true or false", v.show(), "true or false")
			return nil, errFaulted
		}
	case d.kind == word && v.kind != word:
		m.fault(v.at, f.name, "is not text", v.show(), "text")
		return nil, errFaulted
	}
	return plainValue(v), nil
}

// plainValue returns a node as expressions see it.
func plainValue(n *node) any {
	switch n.kind {
	case number:
		x, err := strconv.ParseFloat(n.text, 64)
		if err != nil {
			return n.text
		}
		return x
	case boolean:
		return n.text == "true"
	case list:
		out := make([]any, len(n.items))
		for i, item := range n.items {
			out[i] = plainValue(item)
		}
		return out
	case object:
		out := make([]any, len(n.fields))
		for i, f := range n.fields {
			out[i] = f.name
		}
		return out
	case null:
		return nil
	}
	return n.text
}

// eval returns a value, nil after a fault.
func (m *modelReader) eval(shapeField string, e expression) any {
	m.touched = nil
	v, err := e.eval(&scope{value: m.value})
	if len(m.touched) > 0 && shapeField != "" {
		m.note(shapeField, m.touched[0].name, m.touched[0].at)
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
	f := field{}
	if d := m.a.fields[fault.field]; d != nil {
		f, _ = m.take(d.names)
	}
	if f.value == nil && len(m.touched) > 0 {
		f = m.touched[0]
	}
	if f.value != nil {
		at, named = f.at, f.name
	}
	m.fault(at, named, fault.problem, fault.value, fault.allowed)
}

// assign sets one field of the shape, or the field of both stacks.
func (m *modelReader) assign(set assignment) {
	stack, rest, _ := strings.Cut(set.field, ".")
	targets := map[string][]*shapes.Stack{
		"encoder": {&m.shape.Encoder}, "decoder": {&m.shape.Decoder},
		"both": {&m.shape.Encoder, &m.shape.Decoder},
	}[stack]
	noted, f := set.field, fieldNamed(stackFields, rest)
	switch {
	case targets == nil:
		f, targets = fieldNamed(modelFields, set.field), []*shapes.Stack{nil}
	case stack == "both":
		noted = "encoder." + rest + " decoder." + rest
	}
	v := m.eval(noted, set.value)
	if n, ok := v.(float64); ok && f.name == "extra" && m.a.parts != nil {
		for _, k := range targets {
			v = n + float64(*f.number(m.shape, k))
		}
	}
	for _, k := range targets {
		if err := f.assign(m.shape, k, v); err != nil {
			m.blame(err)
			return
		}
	}
}

func (m *modelReader) whole(e expression) int {
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
			Rate: int32(m.whole(r.rate)), Extra: int32(m.whole(r.extra)), Bias: truth(m.eval("", r.bias)),
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
		panic(err) // a mistake of ours
	}
	return a
})

// rest lists the fields that neither the entry nor the shared lists know.
func (m *modelReader) rest() {
	for _, n := range m.a.order {
		m.take(m.a.fields[n].names)
	}
	if m.a.rest != "" {
		m.suspicious(m.root, "")
		for _, path := range slices.Sorted(maps.Keys(m.nested)) {
			m.suspicious(m.nested[path], path+".")
		}
		return
	}
	known := func(n string) bool { return m.a.ignore[n] || harmless().ignore[n] }
	sections := []struct {
		path string
		s    *section
	}{{"", m.root}}
	for _, path := range slices.Sorted(maps.Keys(m.nested)) {
		sections = append(sections, struct {
			path string
			s    *section
		}{path + ".", m.nested[path]})
	}
	for _, part := range sections {
		for _, f := range part.s.untaken() {
			if !known(f.name) && !known(part.path+f.name) {
				m.unknown = append(m.unknown, Field{Position: f.at, Name: part.path + f.name})
			}
		}
	}
	slices.SortStableFunc(m.unknown, func(a, b Field) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// counting are parts of names that say something of a model's size. The other unread fields of a
// trainer's file are of training.
var counting = regexp.MustCompile(`expert|moe_|lora|adapter|latent|conv_|mamba|ssm|hyena|rwkv|retro|cross_att|prompt|vision|` +
	`hybrid|mtp|num_layers|_layers$|hidden_size|ffn|embed|vocab|num_heads|n_heads|_dim$|rank$`)

// training are names that look like sizes and count nothing.
var training = regexp.MustCompile(`checkpoint|parallel|dropout|lr_|loss|capacity|init|jitter|aux|grad|freq|recompute|fusion|` +
	`hysteresis|vocab_file|merge_file|lazy|scale|layers_to_keep|quant|divisible`)

// suspicious lists the unread fields of a trainer's file whose names say sizes, unless they are off.
func (m *modelReader) suspicious(s *section, path string) {
	for _, f := range s.untaken() {
		off := isFalse(f.value) || len(f.value.items)+len(f.value.fields) == 0 && f.value.text == ""
		if counting.MatchString(f.name) && !training.MatchString(f.name) && !off && !m.a.ignore[f.name] {
			m.unknown = append(m.unknown, Field{Position: f.at, Name: path + f.name})
		}
	}
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
