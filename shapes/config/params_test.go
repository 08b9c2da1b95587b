package config

import "github.com/deepnarrow/deepnarrow/shapes"

// parameters counts a shape tensor by tensor, as the model classes create them. It is written
// against the published counts of read_test.go and shares nothing with the package that counts for
// users.
func parameters(s shapes.Shape) int64 {
	c := paramCounter{shape: s}
	if s.Vocab > 0 {
		c.matrix(s.Vocab, s.DModel)
	}
	c.matrix(s.TokenTypes, s.DModel)
	c.stack(&s.Encoder, false)
	c.stack(&s.Decoder, s.Encoder.Layers > 0)
	switch s.Head {
	case shapes.HeadUntied:
		c.matrix(s.Vocab, s.DModel)
	case shapes.HeadMLM:
		c.linear(s.DModel, s.DModel, true)
		c.norm()
	}
	if s.HeadBias {
		c.total += int64(s.Vocab)
	}
	if s.Pooler {
		c.linear(s.DModel, s.DModel, true)
	}
	return c.total
}

type paramCounter struct {
	shape shapes.Shape
	total int64
}

func (c *paramCounter) matrix(rows, columns int) { c.total += int64(rows) * int64(columns) }

func (c *paramCounter) linear(in, out int, bias bool) {
	c.matrix(in, out)
	if bias {
		c.total += int64(out)
	}
}

func (c *paramCounter) norm() {
	c.total += int64(c.shape.DModel)
	if c.shape.Norm == shapes.LayerNorm {
		c.total += int64(c.shape.DModel)
	}
}

func (c *paramCounter) attention(k *shapes.Stack) {
	d, b := c.shape.DModel, c.shape.Bias
	c.linear(d, k.Heads*k.DKV, b.Has(shapes.BiasQ))
	c.linear(d, k.KVHeads*k.DKV, b.Has(shapes.BiasK))
	c.linear(d, k.KVHeads*k.DKV, b.Has(shapes.BiasV))
	c.linear(k.Heads*k.DKV, d, b.Has(shapes.BiasO))
	c.norm()
}

func (c *paramCounter) feedForward(k *shapes.Stack) {
	d, bias := c.shape.DModel, c.shape.Bias.Has(shapes.BiasFFN)
	c.linear(d, k.DFF, bias)
	if k.Gated {
		c.linear(d, k.DFF, bias)
	}
	c.linear(k.DFF, d, bias)
}

func (c *paramCounter) stack(k *shapes.Stack, cross bool) {
	if k.Layers == 0 {
		return
	}
	d := c.shape.DModel
	switch k.Frontend.Kind {
	case shapes.Audio:
		c.linear(3*k.Frontend.Channels, d, true)
		c.linear(3*d, d, true)
	case shapes.Patches:
		c.linear(k.Frontend.Channels*k.Frontend.Patch*k.Frontend.Patch, d, true)
		c.total += int64(d) // class token
	}
	switch k.Position {
	case shapes.Relative:
		c.matrix(k.Positions, k.Heads)
	case shapes.Learned:
		c.matrix(k.Positions, d)
	}
	if c.shape.EmbeddingNorm {
		c.norm()
	}
	for layer := range k.Layers {
		c.attention(k)
		if cross {
			c.attention(k)
		}
		if k.Experts > 0 && (layer+1)%k.SparseEvery == 0 {
			c.matrix(d, k.Experts) // router
			for range k.Experts {
				c.feedForward(k)
			}
		} else {
			c.feedForward(k)
		}
		c.norm()
	}
	if k.FinalNorm {
		c.norm()
	}
}
