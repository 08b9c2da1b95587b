package shapes

import (
	"errors"
	"fmt"
	"strings"
)

// A reference longer than this, in bytes or in parts, was not written by hand.
const (
	maxRef   = 256
	maxParts = 2
)

// Parse returns the shape that a reference names. In this order, it is
//
//  1. a catalogue name, alias or checkpoint, as in [Lookup];
//  2. an edit of a reference: base/letter=value,…, with the letters of Tay et
//     al. 2021: nl (layers of both stacks), el, dl, dm (d_model), ff (d_ff), kv
//     (d_kv), nh (heads), and kvh (kv_heads), vocab, gated, tied;
//  3. a Gemstones-like decoder w1024x20 or w1024d20: width, then depth;
//  4. a row of the paper or a model card: small-nl16, Small 16L, Mini-8L,
//     Small 32EL, NL32-LG, NL36 (of base).
//
// A catalogue name wins over an edit that looks alike: t5-efficient-tiny-el8 has 12 decoder layers,
// t5-efficient-tiny/el=8 has 4. The name of the result is a reference to it: Parse(s.Name) returns
// s again.
//
// Errors: [*UnknownError], [*NotCountableError], [*AmbiguousError], [*EditError], and
// [*InvalidError] for an edit whose result is not a valid shape.
func Parse(ref string) (Shape, error) {
	if len(ref) > maxRef {
		return Shape{}, &UnknownError{
			Ref:    ref[:maxRef/8] + "…",
			Reason: fmt.Sprintf("%d bytes long, at most %d are read", len(ref), maxRef),
		}
	}
	if strings.Count(ref, "/") > maxParts {
		return Shape{}, &UnknownError{Ref: ref, Reason: fmt.Sprintf("more than %d slashes",
			maxParts)}
	}
	c := catalogue()
	shape, changes, err := c.resolve(ref, ref)
	if err != nil {
		var unknown *UnknownError
		if errors.As(err, &unknown) && unknown.Reason == "" {
			unknown.Suggestion = c.nearest(unknown.Ref)
			if slash := strings.LastIndexByte(ref, '/'); unknown.Suggestion == "" && slash >= 0 { // of an organisation
				unknown.Suggestion = c.nearest(ref[slash+1:])
			}
		}
		return Shape{}, err
	}
	if changes == (edits{}) {
		return shape, nil
	}
	if fault := changes.apply(&shape); fault != nil {
		fault.Ref = ref
		return Shape{}, fault
	}
	shape.Name += "/" + changes.String()
	if err := shape.Validate(); err != nil {
		return Shape{}, err
	}
	return shape, nil
}

// resolve returns the shape that part of a reference starts from, and the edits still to make.
// whole is the reference that errors show.
func (c *index) resolve(part, whole string) (Shape, edits, error) {
	key := normalise(part)
	if e, ok := c.find(key); ok {
		shape, err := e.countable()
		return shape, edits{}, err
	}
	if slash := strings.LastIndexByte(part, '/'); slash >= 0 {
		base, changes, err := c.resolve(part[:slash], whole)
		if err == nil {
			if fault := changes.add(part[slash+1:]); fault != nil {
				fault.Ref = whole
				return Shape{}, edits{}, fault
			}
			return base, changes, nil
		}
		if strings.Contains(part[slash:], "=") {
			return Shape{}, edits{}, err
		}
	}
	key = strings.TrimPrefix(key, "google/")
	if shape, ok, err := c.gemstone(key, whole); ok {
		return shape, edits{}, err
	}
	key = strings.TrimPrefix(strings.TrimPrefix(key, "t5-"), "efficient-")
	if e, ok := c.find(efficientPrefix + key); ok &&
		strings.Contains(key, "-") { // a bare "small" is not a name
		shape, err := e.countable()
		return shape, edits{}, err
	}
	if row, ok := parsePaperName(key); ok {
		return c.resolvePaper(&row, whole)
	}
	return Shape{}, edits{}, &UnknownError{Ref: part}
}

// normalise folds the spellings of one name: letter case, blanks, "_", "." and repeated "-" do not
// matter.
func normalise(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	pending := false
	for _, r := range strings.ToLower(strings.TrimSpace(name)) {
		switch r {
		case ' ', '\t', '_', '.', '-':
			pending = true
			continue
		}
		if pending && b.Len() > 0 {
			b.WriteByte('-')
		}
		pending = false
		b.WriteRune(r)
	}
	return b.String()
}

// gemstone reads w1024x20 and w1024d20. The shape follows the published configurations of the
// Gemstones (McLeish et al. 2025, arXiv 2502.06857; 512x14, 1024x28 and 3072x12 were read): heads
// of 128, one key-value head for two query heads, d_ff = 4·d_model, gated, untied, vocabulary
// 50,304. At an odd number of heads, where two do not divide it, kv_heads is the largest divisor
// below half of it; that is confirmed by published sizes for width 384 only.
func (c *index) gemstone(key, whole string) (s Shape, ok bool, err error) {
	const headWidth, vocabulary = 128, 50304
	digits, found := strings.CutPrefix(key, "gemstone-")
	if !found {
		digits, found = strings.CutPrefix(key, "w")
	}
	cut := strings.IndexAny(digits, "xd")
	if !found || cut < 0 {
		return Shape{}, false, nil
	}
	width, depth := positive(digits[:cut]), positive(digits[cut+1:])
	if width == 0 || depth == 0 {
		return Shape{}, false, nil
	}
	if width%headWidth != 0 {
		return Shape{}, true, &UnknownError{
			Ref: whole,
			Reason: fmt.Sprintf(
				"the width of a Gemstones-like shape is a multiple of %d, its head width, not %d",
				headWidth, width),
		}
	}
	heads := width / headWidth
	kvHeads := 1
	for n := heads / 2; n > 1 && kvHeads == 1; n-- {
		if heads%n == 0 {
			kvHeads = n
		}
	}
	s = Shape{
		Name: fmt.Sprintf("w%dx%d", width, depth), Family: Llama,
		DModel: width, Vocab: vocabulary, Head: HeadUntied,
		Decoder: Stack{
			Layers: depth, DFF: 4 * width, Gated: true, Activation: GELU,
			DKV: headWidth, Heads: heads, KVHeads: kvHeads,
			Position: Rotary, FinalNorm: true,
		},
	}
	return s, true, s.Validate()
}
