package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// Disagreement is a field that a configuration and the tensors say differently.
type Disagreement struct {
	syntax.Position        // of the field in the configuration, or the file
	Field           string // the shape's field, e.g. "encoder.layers"
	Config          string // what the configuration says
	Header          string // what the tensors say
	Tensor          string // the tensor that says it
}

func (d Disagreement) String() string {
	return fmt.Sprintf("%s is %s here, but tensor %s says %s", d.Field, d.Config, d.Tensor,
		d.Header)
}

// Compare returns every field of a configuration that the tensors contradict: widths, depths,
// vocabulary, heads, experts and the presence of an untied head. It knows the tensor names of the
// supported Hugging Face architectures; tensors with other names say nothing. Whether the counts
// agree as well is for the caller to see from [Header.ParametersOf].
func Compare(r *Result, h *tensors.Header) []Disagreement {
	if h.Partial != "" {
		return nil
	}
	c := &comparison{
		result: r, shape: &r.Shape, said: map[string]bool{}, deepest: map[string]observed{},
	}
	for i := range h.Tensors {
		c.tensor(h, &h.Tensors[i])
	}
	c.depths()
	switch {
	case len(h.Tensors) == 0 || c.shape.Head != shapes.HeadUntied && c.shape.Head != shapes.HeadTied:
	case c.shape.Head == shapes.HeadUntied && c.headSeen == "":
		c.differ("head", "untied", "tied (there is no head)", h.Tensors[0].Name)
	case c.shape.Head == shapes.HeadTied && c.headSeen != "" && !h.Copies(c.headSeen):
		c.differ("head", "tied", "untied (it is stored apart)", c.headSeen)
	}
	return c.found
}

// observed is a number and the tensor that says it.
type observed struct {
	value  int64
	tensor string
}

type comparison struct {
	result   *Result
	shape    *shapes.Shape
	said     map[string]bool
	deepest  map[string]observed // per "encoder.layers", "decoder.experts", …
	headSeen string              // the tensor of a head
	found    []Disagreement
}

// differ records the first contradiction of a field.
func (c *comparison) differ(fieldName, config, header, tensor string) {
	if c.said[fieldName] {
		return
	}
	c.said[fieldName] = true
	at := whereIn(c.result.Fields, c.result.file, fieldName)
	c.found = append(c.found, Disagreement{
		Position: at.Position, Field: fieldName, Config: config, Header: header, Tensor: tensor,
	})
}

func (c *comparison) number(fieldName string, config int, header int64, tensor string) {
	if int64(config) != header {
		c.differ(fieldName, strconv.Itoa(config), strconv.FormatInt(header, 10), tensor)
	}
}

// Names of tensors by what their dimensions mean, as suffixes.
var (
	embeddingNames = []string{
		"shared.weight", "embed_tokens.weight", "word_embeddings.weight",
		"wte.weight", "embed_in.weight",
	}
	positionNames = []string{"embed_positions.weight", "wpe.weight", "position_embeddings.weight"}
	queryNames    = []string{".q.weight", "q_proj.weight", "query.weight"}
	keyNames      = []string{".k.weight", "k_proj.weight", "key.weight"}
	innerRows     = []string{
		"wi.weight", "wi_0.weight", "fc1.weight", "intermediate.dense.weight",
		"gate_proj.weight", "dense_h_to_4h.weight",
	}
)

// stack returns the stack a tensor belongs to: the only one, or the one whose name is part of the
// tensor's.
func (c *comparison) stack(parts []string) (string, *shapes.Stack) {
	s := c.shape
	switch {
	case s.Decoder.Layers == 0:
		return "encoder", &s.Encoder
	case s.Encoder.Layers == 0:
		return "decoder", &s.Decoder
	case slices.Contains(parts, "encoder"):
		return "encoder", &s.Encoder
	case slices.Contains(parts, "decoder"):
		return "decoder", &s.Decoder
	}
	return "", nil
}

// tensor compares what one tensor says.
func (c *comparison) tensor(h *tensors.Header, t *tensors.Tensor) {
	if len(t.Shape) != 2 || !h.Whole(t) {
		return // not a matrix, or packed
	}
	rows, columns := t.Shape[0], t.Shape[1]
	parts := strings.Split(t.Name, ".")
	switch {
	case tensors.EndsIn(t.Name, embeddingNames):
		c.number("vocab", c.shape.Vocab, rows, t.Name)
		c.number("d_model", c.shape.DModel, columns, t.Name)
		return
	case tensors.EndsIn(t.Name, tensors.HeadNames):
		c.headSeen = t.Name
		if c.shape.Head != shapes.HeadNone {
			c.number("vocab", c.shape.Vocab, rows, t.Name)
		}
		return
	}
	name, k := c.stack(parts)
	if k == nil {
		return
	}
	c.deeper(name, parts, t.Name)
	switch {
	case tensors.EndsIn(t.Name, positionNames):
		if k.Position == shapes.Learned {
			c.number(name+".positions", k.Positions, rows, t.Name)
		}
	case tensors.EndsIn(t.Name, []string{"relative_attention_bias.weight"}):
		if k.Position == shapes.Relative {
			c.number(name+".positions", k.Positions, rows, t.Name)
			c.number(name+".heads", k.Heads, columns, t.Name)
		}
	case tensors.EndsIn(t.Name, queryNames):
		c.number(name+".heads × d_kv", k.Inner(), rows, t.Name)
	case tensors.EndsIn(t.Name, keyNames):
		c.number(name+".kv_heads × d_kv", k.KVInner(), rows, t.Name)
	case tensors.EndsIn(t.Name, []string{"c_attn.weight"}):
		c.number(name+".heads × d_kv", k.Inner()+2*k.KVInner(), columns, t.Name)
	case tensors.EndsIn(t.Name, []string{"query_key_value.weight"}):
		c.number(name+".heads × d_kv", k.Inner()+2*k.KVInner(), rows, t.Name)
	case tensors.EndsIn(t.Name, innerRows):
		c.number(name+".d_ff", k.DFF, rows, t.Name)
		c.gated(name, k, t.Name)
	case tensors.EndsIn(t.Name, []string{"c_fc.weight"}):
		c.number(name+".d_ff", k.DFF, columns, t.Name)
	}
}

// gated compares the kind of T5's feed-forward, which its names tell.
func (c *comparison) gated(stack string, k *shapes.Stack, tensor string) {
	one, two := tensors.EndsIn(tensor, []string{"wi.weight"}), tensors.EndsIn(tensor, []string{"wi_0.weight"})
	if k.Gated && one || !k.Gated && two {
		c.differ(stack+".gated", strconv.FormatBool(k.Gated), strconv.FormatBool(two), tensor)
	}
}

// deeper notes the highest layer and expert that a stack's names count.
func (c *comparison) deeper(stack string, parts []string, tensor string) {
	layered := false
	for _, p := range parts {
		field, digits := stack+".layers", p
		if rest, ok := strings.CutPrefix(p, "expert_"); ok {
			field, digits = stack+".experts", rest
		} else if layered {
			continue // T5 numbers the sublayers of a block as well
		}
		n, ok := syntax.WholeNumber(digits)
		if !ok || n < 0 {
			continue
		}
		layered = true
		if o, seen := c.deepest[field]; !seen || n+1 > o.value {
			c.deepest[field] = observed{n + 1, tensor}
		}
	}
}

// depths compares the layers and experts that were counted.
func (c *comparison) depths() {
	for _, s := range []struct {
		name string
		k    *shapes.Stack
	}{{"encoder", &c.shape.Encoder}, {"decoder", &c.shape.Decoder}} {
		if o, ok := c.deepest[s.name+".layers"]; ok {
			c.number(s.name+".layers", s.k.Layers, o.value, o.tensor)
		}
		if o, ok := c.deepest[s.name+".experts"]; ok {
			c.number(s.name+".experts", s.k.Experts, o.value, o.tensor)
		}
	}
}
