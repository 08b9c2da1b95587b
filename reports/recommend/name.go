package recommend

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// directory finds catalogue names by architecture.
type directory map[shapes.Shape]string

// anonymous is the architecture of a shape: what two equal models share.
func anonymous(s shapes.Shape) shapes.Shape {
	s.Name, s.Family = "", ""
	return s
}

func newDirectory() directory {
	d := directory{}
	for _, e := range shapes.Catalogue() {
		if e.NotCountable != "" {
			continue
		}
		key := anonymous(e.Shape)
		if known, ok := d[key]; ok {
			d[key] = preferredName(known, e.Name)
			continue
		}
		d[key] = e.Name
	}
	return d
}

// name gives a lattice shape the name of the released shape it equals, or an edit of the size whose
// width it has, or of the template.
func (d directory) name(s *shapes.Shape, sp *space, w *width) {
	if name, ok := d[anonymous(*s)]; ok {
		s.Name = name
		return
	}
	base := sp.template
	// the template may have another vocabulary, or be gated
	if named, err := shapes.Parse(base.Name); err == nil {
		base = named
	}
	if w != nil && w.size != "" {
		if size, err := shapes.Parse(w.size); err == nil && size.Vocab == s.Vocab && size.Head == s.Head {
			base = size
		}
	}
	s.Name = editName(&base, s)
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
	if sp.list != nil {
		return nil
	}
	i /= len(sp.encoder)
	if !sp.tied {
		i /= len(sp.decoder)
	}
	return &sp.widths[i]
}
