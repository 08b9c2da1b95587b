package result

import (
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Shape is a whole shape, in the keys of our YAML: a result is a file that says its shape.
type Shape struct {
	Name           string      `json:"name"`
	Family         string      `json:"family,omitempty"`
	DModel         int         `json:"d_model"`
	Vocab          int         `json:"vocab"`
	SourceVocab    int         `json:"source_vocab,omitempty"`
	SourceWidth    int         `json:"source_width,omitempty"`
	EmbeddingWidth int         `json:"embedding_width,omitempty"`
	TokenTypes     int         `json:"token_types,omitempty"`
	Head           shapes.Head `json:"head"`
	HeadBias       bool        `json:"head_bias,omitempty"`
	Norm           shapes.Norm `json:"norm"`
	Bias           []string    `json:"bias,omitempty"`
	EmbeddingNorm  bool        `json:"embedding_norm,omitempty"`
	Pooler         bool        `json:"pooler,omitempty"`
	Towers         bool        `json:"towers,omitempty"`
	TiedStacks     bool        `json:"tied_stacks,omitempty"`
	Dense          []Dense     `json:"dense,omitempty"`
	Encoder        *Stack      `json:"encoder,omitempty"`
	Decoder        *Stack      `json:"decoder,omitempty"`
}

// Dense is a layer beside the stacks.
type Dense struct {
	At   shapes.Place `json:"at"`
	In   int          `json:"in"`
	Out  int          `json:"out"`
	Bias bool         `json:"bias"`
}

// Stack is the encoder or the decoder.
type Stack struct {
	Layers        int               `json:"layers"`
	OwnLayers     int               `json:"own_layers,omitempty"`
	DFF           int               `json:"d_ff"`
	DKV           int               `json:"d_kv"`
	Heads         int               `json:"heads"`
	KVHeads       int               `json:"kv_heads"`
	Gated         bool              `json:"gated"`
	Activation    shapes.Activation `json:"activation"`
	Position      shapes.Position   `json:"position"`
	Positions     int               `json:"positions,omitempty"`
	QKNorm        shapes.QKNorm     `json:"qk_norm,omitempty"`
	Latent        *Latent           `json:"latent,omitempty"`
	Window        int               `json:"window,omitempty"`
	FullLayers    int               `json:"full_layers,omitempty"`
	Parallel      bool              `json:"parallel,omitempty"`
	NormsPerLayer int               `json:"norms_per_layer,omitempty"`
	FinalNorm     bool              `json:"final_norm,omitempty"`
	Experts       int               `json:"experts,omitempty"`
	ActiveExperts int               `json:"active_experts,omitempty"`
	SparseEvery   int               `json:"sparse_every,omitempty"`
	DenseFirst    int               `json:"dense_first,omitempty"`
	ExpertDFF     int               `json:"expert_d_ff,omitempty"`
	SharedDFF     int               `json:"shared_d_ff,omitempty"`
	SharedGate    bool              `json:"shared_gate,omitempty"`
	LayerExtra    int               `json:"layer_extra,omitempty"`
	Extra         int               `json:"extra,omitempty"`
	Frontend      *Frontend         `json:"frontend,omitempty"`
}

// Latent is the compressed vectors of latent attention.
type Latent struct {
	QueryRank   int `json:"query_rank,omitempty"`
	KVRank      int `json:"kv_rank"`
	RotaryWidth int `json:"rotary_width,omitempty"`
	ValueWidth  int `json:"value_width"`
}

// Frontend is what comes before a stack: patches of a picture, convolutions over sound.
type Frontend struct {
	Kind     shapes.FrontendKind `json:"kind"`
	Channels int                 `json:"channels,omitempty"`
	Patch    int                 `json:"patch,omitempty"`
	NoBias   bool                `json:"no_bias,omitempty"`
	NoClass  bool                `json:"no_class,omitempty"`
	Convs    []Conv              `json:"convs,omitempty"`
}

// Conv is one convolution of a frontend.
type Conv struct {
	In    int32 `json:"in"`
	Out   int32 `json:"out"`
	Taps  int32 `json:"taps"`
	Rate  int32 `json:"rate"`
	Extra int32 `json:"extra,omitempty"`
	Bias  bool  `json:"bias,omitempty"`
}

// ShapeOf returns a shape as JSON writes it.
func ShapeOf(s *shapes.Shape) Shape {
	f := Shape{
		Name: s.Name, Family: string(s.Family), DModel: s.DModel, Vocab: s.Vocab,
		SourceVocab: s.SourceVocab, SourceWidth: s.SourceWidth, EmbeddingWidth: s.EmbeddingWidth,
		TokenTypes: s.TokenTypes, Head: s.Head, HeadBias: s.HeadBias, Norm: s.Norm,
		EmbeddingNorm: s.EmbeddingNorm, Pooler: s.Pooler, Towers: s.Towers, TiedStacks: s.TiedStacks,
		Encoder: stackOf(&s.Encoder), Decoder: stackOf(&s.Decoder),
	}
	for _, b := range []struct {
		bit  shapes.Bias
		word string
	}{
		{shapes.BiasQ, "q"},
		{shapes.BiasK, "k"},
		{shapes.BiasV, "v"},
		{shapes.BiasO, "o"},
		{shapes.BiasFFN, "ffn"},
	} {
		if s.Bias.Has(b.bit) {
			f.Bias = append(f.Bias, b.word)
		}
	}
	for _, l := range s.Dense {
		if l.In > 0 {
			f.Dense = append(f.Dense, Dense{l.At, l.In, l.Out, l.Bias})
		}
	}
	return f
}

func stackOf(k *shapes.Stack) *Stack {
	if k.Layers == 0 {
		return nil
	}
	f := &Stack{
		Layers: k.Layers, OwnLayers: k.OwnLayers, DFF: k.DFF, DKV: k.DKV, Heads: k.Heads,
		KVHeads: k.KVHeads, Gated: k.Gated, Activation: k.Activation, Position: k.Position,
		Positions: k.Positions, QKNorm: k.QKNorm, Window: k.Window, FullLayers: k.FullLayers,
		Parallel: k.Parallel, NormsPerLayer: k.NormsPerLayer, FinalNorm: k.FinalNorm,
		Experts: k.Experts, ActiveExperts: k.ActiveExperts, SparseEvery: k.SparseEvery,
		DenseFirst: k.DenseFirst, ExpertDFF: k.ExpertDFF, SharedDFF: k.SharedDFF,
		SharedGate: k.SharedGate, LayerExtra: k.LayerExtra, Extra: k.Extra,
	}
	if l := k.Latent; l != (shapes.Latent{}) {
		f.Latent = &Latent{l.QueryRank, l.KVRank, l.RotaryWidth, l.ValueWidth}
	}
	if e := k.Frontend; e != (shapes.Frontend{}) {
		f.Frontend = &Frontend{
			Kind: e.Kind, Channels: e.Channels, Patch: e.Patch, NoBias: e.NoBias, NoClass: e.NoClass,
		}
		for _, c := range e.Convs {
			if c.In > 0 {
				f.Frontend.Convs = append(
					f.Frontend.Convs,
					Conv{c.In, c.Out, c.Taps, c.Rate, c.Extra, c.Bias},
				)
			}
		}
	}
	return f
}
