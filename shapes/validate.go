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
	what := fmt.Sprintf("%s is not valid for shape %q", e.Asked, e.Shape)
	switch {
	case e.Asked == "":
		what = fmt.Sprintf("shape %q is not valid", e.Shape)
	case e.Shape == "":
		what = e.Asked + " is not valid"
	}
	parts := make([]string, len(e.Faults))
	for n, f := range e.Faults {
		parts[n] = f.String()
	}
	return what + ": " + strings.Join(parts, "; and ")
}

// Faults collects what is wrong.
type Faults []Fault

// Add records a fault of a field.
func (f *Faults) Add(field string, value any, allowed string) {
	*f = append(*f, Fault{Field: field, Value: fmt.Sprint(value), Allowed: allowed})
}

// Within records a fault unless a number is in its bounds.
func (f *Faults) Within(field string, v, low, high int) {
	if v < low || v > high {
		f.Add(field, v, fmt.Sprintf("%d to %d", low, high))
	}
}

// Invalid returns nil without faults, else an [*InvalidError] of a shape, or of what is asked of it.
func (f Faults) Invalid(shape, asked string) error {
	if len(f) == 0 {
		return nil
	}
	return &InvalidError{Shape: shape, Asked: asked, Faults: f}
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
	maxLength  = 1 << 24
	maxExtra   = 1 << 30
	maxParams  = 1e18 // < 2^63 with room for optimizer bytes
)

// Validate returns nil or an [*InvalidError] that lists every fault at once.
func (s *Shape) Validate() error {
	var c checker
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
		c.fault("token_types", s.TokenTypes, "0 in a model that reads no tokens")
	}
	if s.Pooler && s.Encoder.Layers == 0 {
		c.fault("pooler", "true", "false without an encoder")
	}
	c.word("norm", uint8(s.Norm), normNames)
	c.word("head", uint8(s.Head), headNames)
	c.within("source_vocab", s.SourceVocab, 0, maxVocab)
	c.within("embedding_width", s.EmbeddingWidth, 0, maxDim)
	c.within("source_width", s.SourceWidth, 0, maxDim)
	both := s.TwoStacks()
	if s.SourceVocab > 0 && (!both || s.Encoder.Frontend.Kind != Tokens) {
		c.fault("source_vocab", s.SourceVocab, "0 unless an encoder of two stacks reads tokens")
	}
	if s.SourceWidth > 0 && (!both || s.Encoder.Frontend.Kind == Tokens && s.SourceVocab == 0) {
		c.fault("source_width", s.SourceWidth, "0 unless an encoder of two stacks has its own input")
	}
	if s.Towers && !both {
		c.fault("towers", "true", "false without two stacks")
	}
	if s.TiedStacks && (!both || !s.tieable()) {
		c.fault("tied_stacks", "true", "false unless both stacks are alike")
	}
	if s.CrossAttention() && s.Decoder.Latent != (Latent{}) {
		c.fault("decoder.latent", "given", "ordinary attention in a decoder with cross-attention")
	}
	c.dense(s)
	if len(c.faults) == 0 && s.roughParams() > maxParams {
		c.fault("size", fmt.Sprintf("about %.3g parameters", s.roughParams()),
			fmt.Sprintf("at most %g", float64(maxParams)))
	}
	return c.faults.Invalid(s.Name, "")
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
	total := 2*float64(s.Vocab)*(d+float64(s.EmbeddingWidth)) + d*d
	for _, l := range s.Dense {
		total += float64(l.In+1) * float64(l.Out)
	}
	for _, k := range []*Stack{&s.Encoder, &s.Decoder} {
		d := max(d, float64(s.SourceWidth))
		inner := float64(max(k.DFF, k.ExpertDFF))*float64(max(1, k.Experts)) + float64(k.SharedDFF)
		wide := float64(k.Inner()+k.KVInner()+1) + float64(k.OutputInner())
		ranks := float64(k.Latent.QueryRank + k.Latent.KVRank + k.Latent.RotaryWidth)
		total += float64(k.Layers) * (float64(k.FFNMatrices())*d*inner + 8*(d+ranks)*(wide+ranks) +
			float64(k.LayerExtra) + float64(k.Positions)*float64(k.Heads))
		total += float64(k.Positions)*max(d, float64(k.Heads)) + float64(k.Extra)
		total += float64(s.SourceVocab) * d
		for _, v := range k.Frontend.Convs {
			total += float64(v.In+1)*float64(v.Out)*float64(v.Taps) + float64(v.Extra)
		}
	}
	return total
}

// tieable reports whether the decoder's layers can be the encoder's too.
func (s *Shape) tieable() bool {
	e, d := s.Encoder, s.Decoder
	return e == d && e.Frontend.Kind == Tokens && s.SourceVocab == 0
}

// checker collects faults. The names of fields are put together only for a fault: the catalogue
// checks hundreds of shapes at the start of a command.
type checker struct {
	at     string // what leads the fields' names: "encoder." within a stack
	faults Faults
}

func (c *checker) fault(field string, value any, allowed string) {
	c.faults.Add(c.at+field, value, allowed)
}

func (c *checker) within(field string, v, low, high int) {
	if v < low || v > high {
		c.faults.Within(c.at+field, v, low, high)
	}
}

func (c *checker) word(field string, v uint8, names []string) {
	if int(v) >= len(names) {
		c.fault(field, WordOf(names, v), strings.Join(names, ", "))
	}
}

func (c *checker) stack(name string, k *Stack) {
	c.at = name + "."
	defer func() { c.at = "" }()
	c.within("layers", k.Layers, 0, maxLayers)
	if k.Layers == 0 {
		return
	}
	c.within("d_ff", k.DFF, 1, maxFFN)
	c.within("d_kv", k.DKV, 1, maxDim)
	c.within("heads", k.Heads, 1, maxDim)
	c.within("kv_heads", k.KVHeads, 1, maxDim)
	if k.Heads > 0 && k.DKV > 0 && k.Heads <= maxDim && k.DKV <= maxDim {
		c.within("heads × d_kv", k.Inner(), 1, maxDim)
	}
	if k.KVHeads > 0 && k.Heads > 0 && k.Heads%k.KVHeads != 0 {
		c.fault("kv_heads", k.KVHeads, fmt.Sprintf("a divisor of heads (%d)", k.Heads))
	}
	c.word("activation", uint8(k.Activation), activationNames)
	c.within("own_layers", k.OwnLayers, 0, k.Layers)
	if k.OwnLayers > 0 && (k.Experts > 0 || k.Window > 0 || k.Position == RelativeLayers) {
		c.fault("own_layers", k.OwnLayers, "0 where layers are not alike")
	}
	c.within("norms_per_layer", k.NormsPerLayer, 0, 4)
	c.within("window", k.Window, 0, maxLength)
	c.within("full_layers", k.FullLayers, 0, k.Layers)
	if k.Window == 0 && k.FullLayers != 0 {
		c.fault("full_layers", k.FullLayers, "0 without a window")
	}
	c.within("layer_extra", k.LayerExtra, 0, maxExtra)
	c.within("extra", k.Extra, 0, maxExtra)
	c.word("qk_norm", uint8(k.QKNorm), qkNormNames)
	c.latent(k)
	c.position(k)
	c.experts(k)
	c.frontend(k)
}

func (c *checker) latent(k *Stack) {
	l := k.Latent
	if l == (Latent{}) {
		return
	}
	c.within("latent.query_rank", l.QueryRank, 0, maxDim)
	c.within("latent.kv_rank", l.KVRank, 1, maxDim)
	c.within("latent.rotary_width", l.RotaryWidth, 0, max(0, k.DKV))
	c.within("latent.value_width", l.ValueWidth, 1, maxDim)
	if k.KVHeads != k.Heads {
		c.fault("kv_heads", k.KVHeads, "as many as heads with latent attention")
	}
	if k.QKNorm != NoQKNorm {
		c.fault("qk_norm", k.QKNorm, "none with latent attention")
	}
	if k.Position == Disentangled {
		c.fault("position", k.Position, "another with latent attention")
	}
}

// dense checks the layers outside the stacks.
func (c *checker) dense(s *Shape) {
	for n, l := range s.Dense {
		if l == (Dense{}) {
			continue
		}
		field := fmt.Sprintf("dense.%d", n)
		if l.In == 0 && l.Out == 0 {
			c.fault(field, "a layer without a width", "in and out")
			continue
		}
		c.within(field+".in", l.In, 1, maxFFN)
		c.within(field+".out", l.Out, 1, maxVocab)
		c.word(field+".at", uint8(l.At), placeNames)
		switch {
		case s.Encoder.Layers == 0 && (l.At == EncoderInput || l.At == EncoderOutput),
			s.Decoder.Layers == 0 && (l.At == DecoderInput || l.At == DecoderOutput):
			c.fault(field+".at", l.At.String(), "a stack that the model has")
		}
	}
}

func (c *checker) position(k *Stack) {
	c.word("position", uint8(k.Position), positionNames)
	switch {
	case k.Position.Table():
		c.within("positions", k.Positions, 1, maxDim)
	case k.Positions != 0:
		c.fault("positions", k.Positions, fmt.Sprintf("0 with %s positions", k.Position))
	}
}

func (c *checker) experts(k *Stack) {
	c.within("experts", k.Experts, 0, maxExperts)
	if k.Experts == 0 {
		if k.ActiveExperts != 0 || k.SparseEvery != 0 {
			c.fault("active_experts and sparse_every",
				fmt.Sprintf("%d and %d", k.ActiveExperts, k.SparseEvery), "0 without experts")
		}
		if k.ExpertDFF != 0 || k.SharedDFF != 0 || k.SharedGate || k.DenseFirst != 0 {
			c.fault("expert_d_ff, shared_d_ff, shared_gate and dense_first", "given",
				"none of them without experts")
		}
		return
	}
	c.within("active_experts", k.ActiveExperts, 1, max(1, k.Experts))
	c.within("sparse_every", k.SparseEvery, 1, max(1, k.Layers))
	c.within("expert_d_ff", k.ExpertDFF, 0, maxFFN)
	c.within("shared_d_ff", k.SharedDFF, 0, maxFFN)
	c.within("dense_first", k.DenseFirst, 0, k.Layers)
	if k.SharedGate && k.SharedDFF == 0 {
		c.fault("shared_gate", "true", "false without shared experts")
	}
}

func (c *checker) frontend(k *Stack) {
	f := k.Frontend
	if f.Kind != Convolved && f.Convs != [MaxConvs]Conv{} {
		c.fault("frontend.convs", "given", "none unless kind is convolutions")
	}
	if f.Kind != Patches && (f.NoBias || f.NoClass) {
		c.fault("frontend.no_bias and no_class", "given", "neither unless kind is patches")
	}
	switch f.Kind {
	case Tokens:
		if f.Channels != 0 || f.Patch != 0 {
			c.fault("frontend", fmt.Sprintf("%d channels, patch %d", f.Channels, f.Patch),
				"0 and 0 for tokens")
		}
	case Audio:
		c.within("frontend.channels", f.Channels, 1, maxDim)
	case Patches:
		c.within("frontend.channels", f.Channels, 1, maxDim)
		c.within("frontend.patch", f.Patch, 1, 1<<10)
	case Convolved:
		for n, v := range f.Convs {
			field := fmt.Sprintf("frontend.convs.%d", n)
			if v == (Conv{}) && n > 0 {
				continue
			}
			c.within(field+".in", int(v.In), 1, maxDim)
			c.within(field+".out", int(v.Out), 1, maxDim)
			c.within(field+".taps", int(v.Taps), 1, 1<<14)
			c.within(field+".rate", int(v.Rate), 1, 1<<14)
			c.within(field+".extra", int(v.Extra), 0, maxExtra)
		}
	default:
		c.fault("frontend", f.Kind, strings.Join(frontendNames, ", "))
	}
}
