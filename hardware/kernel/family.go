package kernel

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// UnsupportedError lists everything that keeps a valid shape out of the T5 family as it is trained
// here.
type UnsupportedError struct {
	Shape     string
	Obstacles shapes.Faults
}

func (e *UnsupportedError) Error() string {
	parts := make([]string, len(e.Obstacles))
	for n, o := range e.Obstacles {
		parts[n] = o.String()
	}
	return fmt.Sprintf("the kernel cannot train shape %q: %s", e.Shape,
		strings.Join(parts, "; and "))
}

// Bounds of relative-position buckets: with fewer than four, or with more than the longest
// distance, the logarithmic half of the bucket rule is not defined.
const (
	fewestBuckets = 4
	mostBuckets   = 128
)

// Supported returns nil for a shape that the kernel trains, an [*UnsupportedError] with every
// obstacle for another, or the [*shapes.InvalidError] of a shape that is not valid.
//
// Supported is an encoder-decoder over tokens with RMSNorm, relative positions, no biases, a tied
// or untied head, and a feed-forward that is either ReLU or gated GELU.
func Supported(s *shapes.Shape) error {
	if err := s.Validate(); err != nil {
		return err
	}
	var c obstacles
	c.unless(s.CrossAttention(), "layers", fmt.Sprintf("%d and %d", s.Encoder.Layers,
		s.Decoder.Layers), "an encoder and a decoder")
	c.unless(s.Norm == shapes.RMSNorm, "norm", s.Norm, shapes.RMSNorm.String())
	c.unless(s.Bias == shapes.NoBias, "bias", s.Bias, "none")
	c.unless(!s.HeadBias, "head_bias", true, "false")
	c.unless(s.Head == shapes.HeadTied || s.Head == shapes.HeadUntied, "head", s.Head, "tied or untied")
	c.unless(!s.EmbeddingNorm, "embedding_norm", true, "false")
	c.unless(s.TokenTypes == 0, "token_types", s.TokenTypes, "0")
	c.unless(!s.Pooler, "pooler", true, "false")
	c.stack("encoder", &s.Encoder)
	c.stack("decoder", &s.Decoder)
	if len(c.Faults) == 0 {
		return nil
	}
	return &UnsupportedError{Shape: s.Name, Obstacles: c.Faults}
}

type obstacles struct{ shapes.Faults }

func (c *obstacles) unless(ok bool, field string, value any, allowed string) {
	if !ok {
		c.Add(field, value, allowed)
	}
}

func (c *obstacles) stack(name string, k *shapes.Stack) {
	if k.Layers == 0 {
		return
	}
	c.unless(k.KVHeads == k.Heads, name+".kv_heads", k.KVHeads,
		fmt.Sprintf("heads (%d): grouped queries are not trained here", k.Heads))
	c.unless(k.Gated == (k.Activation == shapes.GELU) && k.Activation != shapes.SiLU,
		name+".activation",
		fmt.Sprintf("%s, gated %t", k.Activation, k.Gated), "relu ungated or gelu gated")
	c.unless(k.Position == shapes.Relative, name+".position", k.Position, shapes.Relative.String())
	c.unless(k.Position != shapes.Relative || k.Positions >= fewestBuckets &&
		k.Positions <= mostBuckets && k.Positions%2 == 0,
		name+".positions", k.Positions,
		fmt.Sprintf("an even number of buckets from %d to %d", fewestBuckets, mostBuckets))
	c.unless(k.FinalNorm, name+".final_norm", false, "true")
	c.unless(k.Experts == 0, name+".experts", k.Experts, "0")
	c.unless(k.Frontend.Kind == shapes.Tokens, name+".frontend", k.Frontend.Kind, shapes.Tokens.String())
}
