package shapes

import (
	"fmt"
	"strings"
)

// Fault is one thing wrong with a shape.
type Fault struct {
	Field   string // the field, as config files and edits name it, e.g. "encoder.d_ff"
	Value   string // what it is
	Allowed string // what it may be
}

func (f Fault) String() string {
	return fmt.Sprintf("%s is %s; allowed: %s", f.Field, f.Value, f.Allowed)
}

// InvalidError lists everything that is wrong with a shape, or with what is asked of it.
type InvalidError struct {
	Shape  string // empty when no shape is concerned
	Asked  string // what is asked of the shape ("layout", "workload"); empty when the shape itself is wrong
	Faults []Fault
}

func (e *InvalidError) Error() string {
	var b strings.Builder
	switch {
	case e.Asked == "":
		fmt.Fprintf(&b, "shape %q is not valid: ", e.Shape)
	case e.Shape == "":
		fmt.Fprintf(&b, "%s is not valid: ", e.Asked)
	default:
		fmt.Fprintf(&b, "%s is not valid for shape %q: ", e.Asked, e.Shape)
	}
	for n, f := range e.Faults {
		if n > 0 {
			b.WriteString("; and ")
		}
		b.WriteString(f.String())
	}
	return b.String()
}

// Upper bounds of single dimensions. Each is an order of magnitude above any model ever trained;
// with [maxWork] they keep every parameter count inside int64 and every product of three dimensions
// exact.
const (
	maxDim     = 1 << 20 // d_model, heads·d_kv, positions, channels
	maxFFN     = 1 << 22
	maxVocab   = 1 << 24
	maxLayers  = 1 << 13
	maxExperts = 1 << 16
	maxParams  = 1e18 // < 2^63 with room for optimizer bytes
)

// Validate returns nil or an [*InvalidError] that lists every fault at once.
func (s *Shape) Validate() error {
	c := checker{}
	c.within("d_model", s.DModel, 1, maxDim)
	c.within("vocab", s.Vocab, 0, maxVocab)
	c.within("token_types", s.TokenTypes, 0, maxDim)
	if s.Encoder.Layers == 0 && s.Decoder.Layers == 0 {
		c.fault("layers", "0 in both stacks", "at least one layer in the encoder or the decoder")
	}
	c.stack("encoder", &s.Encoder)
	c.stack("decoder", &s.Decoder)
	if s.Vocab == 0 && (s.Head != HeadNone || s.ReadsTokens()) {
		c.fault("vocab", "0", "a positive size, as the model reads or predicts tokens")
	}
	if s.TokenTypes > 0 && !s.ReadsTokens() {
		c.fault("token_types", fmt.Sprint(s.TokenTypes), "0 in a model that reads no tokens")
	}
	if s.Pooler && s.Encoder.Layers == 0 {
		c.fault("pooler", "true", "false without an encoder")
	}
	if int(s.Norm) >= len(normNames) {
		c.fault("norm", s.Norm.String(), strings.Join(normNames, ", "))
	}
	if int(s.Head) >= len(headNames) {
		c.fault("head", s.Head.String(), strings.Join(headNames, ", "))
	}
	if len(c) == 0 && s.roughParams() > maxParams {
		c.fault("size", fmt.Sprintf("about %.3g parameters", s.roughParams()),
			fmt.Sprintf("at most %g", float64(maxParams)))
	}
	if len(c) == 0 {
		return nil
	}
	return &InvalidError{Shape: s.Name, Faults: c}
}

// ReadsTokens reports whether any present stack starts from token embeddings.
func (s *Shape) ReadsTokens() bool {
	return s.Encoder.Layers > 0 && s.Encoder.Frontend.Kind == Tokens ||
		s.Decoder.Layers > 0 && s.Decoder.Frontend.Kind == Tokens
}

// roughParams is a float upper estimate of the parameter count, used only to refuse shapes whose
// exact count would not fit an int64.
func (s *Shape) roughParams() float64 {
	d := float64(s.DModel)
	total := 2*float64(s.Vocab)*d + d*d
	for _, k := range []*Stack{&s.Encoder, &s.Decoder} {
		ffn := float64(k.FFNMatrices()) * d * float64(k.DFF) * float64(max(1, k.Experts))
		total += float64(k.Layers) * (ffn + 8*d*float64(k.Inner()+k.KVInner()+1))
		total += float64(k.Positions) * float64(max(s.DModel, k.Heads))
	}
	return total
}

type checker []Fault

func (c *checker) fault(field, value, allowed string) {
	*c = append(*c, Fault{Field: field, Value: value, Allowed: allowed})
}

func (c *checker) within(field string, v, low, high int) {
	if v < low || v > high {
		c.fault(field, fmt.Sprint(v), fmt.Sprintf("%d to %d", low, high))
	}
}

func (c *checker) stack(name string, k *Stack) {
	c.within(name+".layers", k.Layers, 0, maxLayers)
	if k.Layers == 0 {
		return
	}
	c.within(name+".d_ff", k.DFF, 1, maxFFN)
	c.within(name+".d_kv", k.DKV, 1, maxDim)
	c.within(name+".heads", k.Heads, 1, maxDim)
	c.within(name+".kv_heads", k.KVHeads, 1, maxDim)
	if k.Heads > 0 && k.DKV > 0 && k.Heads <= maxDim && k.DKV <= maxDim {
		c.within(name+".heads × d_kv", k.Inner(), 1, maxDim)
	}
	if k.KVHeads > 0 && k.Heads > 0 && k.Heads%k.KVHeads != 0 {
		c.fault(name+".kv_heads", fmt.Sprint(k.KVHeads),
			fmt.Sprintf("a divisor of heads (%d)", k.Heads))
	}
	if int(k.Activation) >= len(activationNames) {
		c.fault(name+".activation", k.Activation.String(), strings.Join(activationNames, ", "))
	}
	c.position(name, k)
	c.experts(name, k)
	c.frontend(name, k)
}

func (c *checker) position(name string, k *Stack) {
	switch {
	case int(k.Position) >= len(positionNames):
		c.fault(name+".position", k.Position.String(), strings.Join(positionNames, ", "))
	case k.Position == Relative || k.Position == Learned:
		c.within(name+".positions", k.Positions, 1, maxDim)
	case k.Positions != 0:
		c.fault(name+".positions", fmt.Sprint(k.Positions),
			fmt.Sprintf("0 with %s positions", k.Position))
	}
}

func (c *checker) experts(name string, k *Stack) {
	c.within(name+".experts", k.Experts, 0, maxExperts)
	if k.Experts == 0 {
		if k.ActiveExperts != 0 || k.SparseEvery != 0 {
			c.fault(name+".active_experts and sparse_every",
				fmt.Sprintf("%d and %d", k.ActiveExperts, k.SparseEvery), "0 without experts")
		}
		return
	}
	c.within(name+".active_experts", k.ActiveExperts, 1, max(1, k.Experts))
	c.within(name+".sparse_every", k.SparseEvery, 1, max(1, k.Layers))
}

func (c *checker) frontend(name string, k *Stack) {
	f := k.Frontend
	switch f.Kind {
	case Tokens:
		if f.Channels != 0 || f.Patch != 0 {
			c.fault(name+".frontend", fmt.Sprintf("%d channels, patch %d", f.Channels, f.Patch),
				"0 and 0 for tokens")
		}
	case Audio:
		c.within(name+".frontend.channels", f.Channels, 1, maxDim)
	case Patches:
		c.within(name+".frontend.channels", f.Channels, 1, maxDim)
		c.within(name+".frontend.patch", f.Patch, 1, 1<<10)
	default:
		c.fault(name+".frontend", f.Kind.String(), strings.Join(frontendNames, ", "))
	}
}
