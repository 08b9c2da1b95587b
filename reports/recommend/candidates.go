package recommend

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// space is the set of candidates: a lattice, or a list.
type space struct {
	template         shapes.Shape
	widths           []width
	encoder, decoder []int // depths; one 0 where the template lacks the stack
	tied             bool
	// list is the candidates, or those before a lattice's: index len(list) is the lattice's first.
	list    []shapes.Shape
	lattice bool
}

// width is every dimension of a candidate but its depths.
type width struct {
	// catalogue name of a shape with these dimensions, or empty
	size                            string
	dModel, dff, dkv, heads, kvHead int
}

// sizes are the canonical shapes of each family, small to large: the widths that DeepNarrow moves
// start from. The wide T5 size is xxl-nl4 with its 32 heads of 64: that is what the paper's NL-XXL
// rows are.
var sizes = map[shapes.Family][]string{
	shapes.T5: {
		"t5-efficient-tiny", "t5-efficient-mini", "t5-efficient-small", "t5-efficient-base",
		"t5-efficient-large", "t5-efficient-xl", "t5-efficient-xxl-nl4", "t5-efficient-xxl",
	},
	shapes.T511: {"t5-v1_1-small", "t5-v1_1-base", "t5-v1_1-large", "t5-v1_1-xl", "t5-v1_1-xxl"},
	shapes.BERT: {"bert-base", "bert-large"},
	shapes.GPT:  {"gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"},
}

// middle is the size whose recipe a family's candidates follow without anchor.
var middle = map[shapes.Family]string{
	shapes.T5: "t5-efficient-base", shapes.T511: "t5-v1_1-base", shapes.BERT: "bert-base",
	shapes.GPT: "gpt2", shapes.Llama: "w1024x16",
}

// families lists those of a table of shapes.
func families(of map[shapes.Family]string) []string {
	var out []string
	for _, f := range slices.Sorted(maps.Keys(of)) {
		out = append(out, string(f))
	}
	return out
}

// everyDepth is up to where a lattice has every depth; above it has the even ones, which pipelines
// halve and within which the evidence tells nothing apart.
const everyDepth = 12

// maxLatticeWidth is the widest d_model of the lattice without an anchor, that of T5 v1.1 XXL; of
// decoder-only models twice that, as in models of 70B parameters.
const maxLatticeWidth = 4096

// byLaws says whether published laws of decoder-only models judge the request.
func (r *Request) byLaws() bool {
	return r.template.Encoder.Layers == 0 && len(r.Records) == 0 && r.Fitted == nil
}

// recipe returns the shape that candidates are like.
func (r *Request) recipe() (s shapes.Shape, err error) {
	switch {
	case r.Anchor != nil:
		s = *r.Anchor
	case r.Source == Listed:
		s = r.Candidates[0]
	default:
		name, ok := middle[r.Family]
		if !ok {
			return s, fmt.Errorf(
				"no candidates are known for the family %q without an anchor; allowed: %s", r.Family,
				strings.Join(families(middle), ", "))
		}
		if s, err = shapes.Parse(name); err != nil {
			return s, err
		}
	}
	c := &r.Constraints
	if c.Vocab != 0 {
		s.Vocab = c.Vocab
	}
	if c.Gated != nil {
		s.Encoder.Gated, s.Decoder.Gated = *c.Gated && s.Encoder.Layers > 0, *c.Gated &&
			s.Decoder.Layers > 0
	}
	return s, nil
}

// space returns the candidates of a filled request.
func (r *Request) space() (sp space, err error) {
	c, template := &r.Constraints, &r.template
	sp.template, sp.tied = *template, c.TieDepths
	switch r.Source {
	case Listed:
		sp.list = r.within(r.Candidates)
		return sp, listable(r.Candidates, template)
	case Catalogue, Mixed:
		sp.list = r.within(released(template))
		if r.Source == Catalogue {
			return sp, nil
		}
	}
	sp.lattice = true
	depths := func(k *shapes.Stack) []int {
		if k.Layers == 0 {
			return []int{0}
		}
		var all []int
		for n := c.MinDepth; n <= r.latticeDepth; n++ {
			if n <= everyDepth || n%2 == 0 || n == c.MinDepth || n == r.latticeDepth {
				all = append(all, n)
			}
		}
		return all
	}
	sp.encoder, sp.decoder = depths(&template.Encoder), depths(&template.Decoder)
	sp.tied = sp.tied && template.CrossAttention()
	sp.widths, err = r.latticeWidths()
	return sp, err
}

// listable refuses lists of models that cannot be compared.
func listable(list []shapes.Shape, template *shapes.Shape) error {
	want := evidence.KindOf(template)
	for i := range list {
		if err := list[i].Validate(); err != nil {
			return err
		}
		if k := evidence.KindOf(&list[i]); k != want {
			return fmt.Errorf("%s is %s and %s is %s: nothing says how the two compare",
				list[i].Name, k, template.Name, want)
		}
	}
	return nil
}

// latticeWidths returns the canonical widths of the family, the anchor's, and every aligned one
// with a feed-forward of the usual ratios.
func (r *Request) latticeWidths() ([]width, error) {
	c, k := &r.Constraints, mainStack(&r.template)
	var all []width
	add := func(w width) {
		allowed := w.dModel >= c.MinDModel && (c.MaxDModel == 0 || w.dModel <= c.MaxDModel) &&
			w.dModel%c.Align == 0 && w.dff%c.Align == 0 && w.heads*w.dkv%c.Align == 0
		same := func(v width) bool { v.size = w.size; return v == w }
		if allowed && !slices.ContainsFunc(all, same) {
			all = append(all, w)
		}
	}
	for _, name := range sizes[r.Family] {
		s, err := shapes.Lookup(name)
		if err != nil {
			return nil, err
		}
		add(widthOf(&s, name))
	}
	if r.Anchor != nil {
		add(widthOf(&r.template, ""))
	}
	limit := maxLatticeWidth
	if r.byLaws() {
		limit = 2 * maxLatticeWidth
	}
	if r.Anchor != nil {
		limit = max(2*r.Anchor.DModel, 1024)
	}
	limit = max(limit, (c.MinDModel+c.Align-1)/c.Align*c.Align)
	ratios := []int{2, 3, 4}
	if k.Gated {
		ratios = []int{2, 3}
	}
	if r.byLaws() { // which read no d_ff: that of the family stays
		ratios = []int{max(1, k.DFF/r.template.DModel)}
	}
	for d := c.Align; d <= limit; d += c.Align {
		for _, ratio := range ratios {
			for _, dkv := range []int{64, 128} {
				if d%dkv != 0 {
					continue
				}
				group := k.Heads / k.KVHeads // grouped queries keep their group
				if heads := d / dkv; shardable(heads) && heads%group == 0 {
					add(width{
						dModel: d, dff: ratio * d, dkv: dkv, heads: heads, kvHead: heads / group,
					})
				}
			}
		}
	}
	return all, nil
}

// shardable says whether heads spread over the tensor-parallel widths in use: above 8 they are a
// multiple of 8, the devices of a node.
func shardable(heads int) bool { return heads <= 8 || heads%8 == 0 }

func mainStack(s *shapes.Shape) *shapes.Stack {
	if s.Encoder.Layers > 0 {
		return &s.Encoder
	}
	return &s.Decoder
}

func widthOf(s *shapes.Shape, name string) width {
	k := mainStack(s)
	return width{
		size: name, dModel: s.DModel, dff: k.DFF, dkv: k.DKV, heads: k.Heads, kvHead: k.KVHeads,
	}
}

// len returns how many candidates there are.
func (sp *space) len() int {
	switch {
	case !sp.lattice:
		return len(sp.list)
	case sp.tied:
		return len(sp.list) + len(sp.widths)*len(sp.encoder)
	}
	return len(sp.list) + len(sp.widths)*len(sp.encoder)*len(sp.decoder)
}

// at writes candidate i into s, without allocating. Lattice shapes have no name.
func (sp *space) at(i int, s *shapes.Shape) {
	if i < len(sp.list) {
		*s = sp.list[i]
		return
	}
	i -= len(sp.list)
	*s = sp.template
	s.Name = ""
	e := i % len(sp.encoder)
	i /= len(sp.encoder)
	d := e
	if !sp.tied {
		d = i % len(sp.decoder)
		i /= len(sp.decoder)
	}
	w := &sp.widths[i]
	s.DModel = w.dModel
	w.stack(&s.Encoder, sp.encoder[e])
	w.stack(&s.Decoder, sp.decoder[d])
}

// deeper returns the end of the candidates from i on that differ from it in nothing but deeper stacks:
// in a lattice those of its row, in which the encoder grows, or of its width where the row begins with
// it.
func (sp *space) deeper(i int) int {
	if !sp.lattice || i < len(sp.list) {
		return i + 1
	}
	i -= len(sp.list)
	end := len(sp.encoder)
	if !sp.tied && i%end == 0 {
		end *= len(sp.decoder)
	}
	return len(sp.list) + (i/end+1)*end
}

func (w *width) stack(k *shapes.Stack, layers int) {
	if k.Layers == 0 {
		return
	}
	k.Layers, k.DFF, k.DKV, k.Heads, k.KVHeads = layers, w.dff, w.dkv, w.heads, w.kvHead
}

// released returns the countable catalogue shapes of the template's kind: the same stacks, head,
// norm, vocabulary and gating.
func released(template *shapes.Shape) []shapes.Shape {
	return slices.DeleteFunc(slices.Clone(distinct()), func(s shapes.Shape) bool { return !sameKind(&s, template) })
}

// distinct are the countable architectures of the catalogue, each once in a family. They must not be
// changed.
var distinct = sync.OnceValue(func() []shapes.Shape {
	var list []shapes.Shape
	for _, e := range shapes.Catalogue() {
		if e.NotCountable != "" {
			continue
		}
		known := slices.IndexFunc(list, func(s shapes.Shape) bool {
			return s.Family == e.Shape.Family && s.SameArchitecture(e.Shape)
		})
		if known >= 0 {
			list[known].Name = preferredName(list[known].Name, e.Name)
			continue
		}
		list = append(list, e.Shape)
	}
	return list
})

// efficient begins the names of the T5-Efficient release.
const efficient = "t5-efficient-"

// preferredName picks among two names of one shape: that of the T5-Efficient release, whose names
// say the dimensions.
func preferredName(a, b string) string {
	if strings.HasPrefix(b, efficient) {
		return b
	}
	return a
}

func sameKind(a, b *shapes.Shape) bool {
	stack := func(x, y *shapes.Stack) bool {
		return (x.Layers > 0) == (y.Layers > 0) && x.Gated == y.Gated && x.Position == y.Position &&
			x.Experts == y.Experts
	}
	return a.Family == b.Family && a.Vocab == b.Vocab && a.Head == b.Head && a.Norm == b.Norm &&
		a.Bias == b.Bias && stack(&a.Encoder, &b.Encoder) && stack(&a.Decoder, &b.Decoder)
}

// within drops what the constraints exclude.
func (r *Request) within(list []shapes.Shape) []shapes.Shape {
	c := &r.Constraints
	kept := []shapes.Shape{}
	for i := range list {
		s := &list[i]
		depth := func(k *shapes.Stack) bool {
			return k.Layers == 0 || k.Layers >= c.MinDepth && k.Layers <= c.MaxDepth
		}
		switch {
		case s.DModel < c.MinDModel || c.MaxDModel != 0 && s.DModel > c.MaxDModel:
		case !depth(&s.Encoder) || !depth(&s.Decoder):
		case c.TieDepths && s.CrossAttention() && s.Encoder.Layers != s.Decoder.Layers:
		case c.Vocab != 0 && s.Vocab != c.Vocab:
		default:
			kept = append(kept, *s)
		}
	}
	return kept
}

func (r *Request) lattices() bool { return r.Source == Lattice || r.Source == Mixed }

// whyEmpty says which constraint leaves no candidates, and the nearest that does.
func (r *Request) whyEmpty() string {
	c := &r.Constraints
	up := max(1, (c.MinDModel+c.Align-1)/c.Align) * c.Align
	switch {
	case c.MinDepth > r.latticeDepth:
		return fmt.Sprintf(
			"stacks of at least %d and at most %d layers contradict each other; %d is the nearest most", c.MinDepth, r.latticeDepth, c.MinDepth)
	case c.MaxDModel != 0 && c.MinDModel > c.MaxDModel:
		return fmt.Sprintf(
			"d_model of at least %d and at most %d contradict each other; %d is the nearest most",
			c.MinDModel, c.MaxDModel, c.MinDModel)
	case r.lattices() && c.MaxDModel != 0 && up > c.MaxDModel:
		return fmt.Sprintf("no multiple of %d lies between d_model %d and %d; %d is the nearest",
			c.Align, c.MinDModel, c.MaxDModel, up)
	case r.lattices():
		return fmt.Sprintf(
			"no width has d_model, d_ff and heads·d_kv in multiples of %d; 64 and 128 do", c.Align)
	}
	return "none of the candidates is within the constraints on d_model, depth and vocabulary"
}
