package recommend

import (
	"fmt"
	"strings"
	"sync"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// directory finds catalogue names by architecture.
type directory map[shapes.Shape]string

// anonymous is the architecture of a shape: what two equal models share.
func anonymous(s shapes.Shape) shapes.Shape {
	s.Name, s.Family = "", ""
	return s
}

// catalogue is the directory of the embedded catalogue, made once. It must not be changed.
var catalogue = sync.OnceValue(func() directory {
	d := directory{}
	for _, s := range distinct() {
		key, name := anonymous(s), s.Name
		if known, ok := d[key]; ok {
			name = preferredName(known, name)
		}
		d[key] = name
	}
	return d
})

// short are well-known sizes with short names, for edits of them.
var short = map[shapes.Family][]string{
	shapes.T5:   {"t5-small", "t5-base", "t5-large"},
	shapes.T511: {"t5-v1_1-small", "t5-v1_1-base", "t5-v1_1-large"},
	shapes.GPT:  {"gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"},
}

// name gives a lattice shape the name of the released shape it equals, or the shortest edit of the
// template, of a well-known size, or of the size whose width it has.
func (d directory) name(s *shapes.Shape, sp *space, w *width) {
	if name, ok := d[anonymous(*s)]; ok {
		s.Name = name
		return
	}
	names := append([]string{sp.template.Name}, short[sp.template.Family]...)
	if w != nil && w.size != "" {
		names = append(names, w.size)
	}
	for _, root := range names {
		// the template may have another vocabulary, or be gated
		base, err := shapes.Parse(root)
		if err != nil {
			base = sp.template
		}
		if !sameKind(&base, s) && root != sp.template.Name {
			continue
		}
		if name := editName(&base, s); s.Name == "" || len(name) < len(s.Name) {
			s.Name = name
		}
	}
	if again, err := shapes.Parse(s.Name); err == nil && again.SameArchitecture(*s) {
		s.Name = again.Name
	}
}

// editName writes s as an edit of base in the paper's letters.
func editName(base, s *shapes.Shape) string {
	var edits []string
	edit := func(letters string, from, to int) {
		if from != to {
			edits = append(edits, fmt.Sprintf("%s=%d", letters, to))
		}
	}
	switch {
	case s.Encoder.Layers == 0 || s.Decoder.Layers == 0 || s.Encoder.Layers == s.Decoder.Layers:
		edit("nl", 0, max(s.Encoder.Layers, s.Decoder.Layers))
	default:
		edit("el", base.Encoder.Layers, s.Encoder.Layers)
		edit("dl", base.Decoder.Layers, s.Decoder.Layers)
	}
	from, to := mainStack(base), mainStack(s)
	edit("dm", base.DModel, s.DModel)
	edit("ff", from.DFF, to.DFF)
	edit("kv", from.DKV, to.DKV)
	edit("nh", from.Heads, to.Heads)
	if to.KVHeads != to.Heads || from.KVHeads != from.Heads {
		edit("kvh", from.KVHeads, to.KVHeads)
	}
	edit("vocab", base.Vocab, s.Vocab)
	if from.Gated != to.Gated {
		edits = append(edits, fmt.Sprintf("gated=%t", to.Gated))
	}
	root, _, _ := strings.Cut(base.Name, "/")
	if i := strings.LastIndex(base.Name, "/"); i >= 0 && !strings.Contains(base.Name[i:], "=") {
		root = base.Name // a checkpoint such as google/t5-small, not an edit
	}
	return root + "/" + strings.Join(edits, ",")
}

// widthAt returns the width of lattice candidate i, nil in a list.
func (sp *space) widthAt(i int) *width {
	if i -= len(sp.list); i < 0 {
		return nil
	}
	i /= len(sp.encoder)
	if !sp.tied {
		i /= len(sp.decoder)
	}
	return &sp.widths[i]
}
