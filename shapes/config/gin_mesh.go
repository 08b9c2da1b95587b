package config

import (
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// meshClasses are the classes of Mesh TensorFlow whose parameters describe the model; everything
// else of an operative configuration describes training.
var meshClasses = map[string]bool{
	"Bitransformer": true, "Unitransformer": true, "LayerStack": true, "make_layer_stack": true,
	"SelfAttention": true, "EncDecAttention": true, "DenseReluDense": true,
}

// readMesh reads the bitransformer of Mesh TensorFlow as T5 was trained with. What has no default
// in every release must be given.
func readMesh(r *reading, f *syntax.Gin, vocab int) shapes.Shape {
	m := &meshModel{reading: r, stacks: map[string]*section{}}
	for _, scope := range []string{"encoder", "decoder"} {
		m.stacks[scope] = m.stackSection(f, scope)
	}
	shape := shapes.Shape{Norm: shapes.RMSNorm, Vocab: meshVocab(r, f, vocab)}
	shape.DModel = m.stacks["encoder"].need("d_model", "Unitransformer.d_model")
	decoder := m.stacks["decoder"]
	if width := decoder.need("", "Unitransformer.d_model"); width != shape.DModel && width > 0 &&
		shape.DModel > 0 {
		f := decoder.byName["Unitransformer.d_model"]
		r.fault(f.At, "decoder/Unitransformer.d_model", "contradicts the encoder's", f.Value.Show(),
			"the same width in both stacks")
	}
	shape.Encoder = m.stack("encoder", []string{"SelfAttention", "DenseReluDense"})
	shape.Decoder = m.stack("decoder", []string{
		"SelfAttention", "EncDecAttention", "DenseReluDense",
	})
	shape.Bias = m.bias()
	shape.Head = shapes.HeadUntied
	if decoder.flag("head", false, "Unitransformer.shared_embedding_and_softmax_weights") {
		shape.Head = shapes.HeadTied
	}
	if shared, ok := decoder.take("Bitransformer.shared_embedding"); !ok || !isTrue(shared.Value) ||
		shared.Value.Kind == syntax.Null {
		at, value := f.At, "absent"
		if ok {
			at, value = shared.At, shared.Value.Show()
		}
		r.fault(at, "Bitransformer.shared_embedding", "cannot be expressed as a shape", value,
			"True: one embedding shared by both stacks")
	}
	shape.Family = t5Family(&shape)
	m.listUnknown()
	return shape
}

// meshModel is the two scopes of a bitransformer.
type meshModel struct {
	*reading
	stacks map[string]*section
}

// stackSection collects the bindings of one scope. Without a scope a binding holds for both, unless
// the scope has its own.
func (m *meshModel) stackSection(f *syntax.Gin, scope string) *section {
	scoped := map[string]bool{}
	for _, b := range f.Bindings {
		if b.Scope == scope {
			scoped[b.Class+"."+b.Parameter] = true
		}
	}
	return ginSection(m.reading, f, func(b syntax.Binding) (string, bool) {
		key := b.Class + "." + b.Parameter
		return key, meshClasses[b.Class] && (b.Scope == scope || b.Scope == "" && !scoped[key])
	})
}

// stack reads one stack; want is the layers of one of its blocks.
func (m *meshModel) stack(scope string, want []string) shapes.Stack {
	s := m.stacks[scope]
	if f, ok := s.take("make_layer_stack.layers"); ok {
		if got := wrongLayers(f.Value, want); got != "" {
			s.fault(f.Value.At, f.Name, "cannot be expressed as a shape", got,
				"["+strings.Join(want, ", ")+"]")
		}
	}
	for _, name := range []string{
		"LayerStack.sublayers_per_layer", "LayerStack.sublayers_initial",
	} {
		m.noOtherNorm(s, name)
	}
	s.refuse("SelfAttention.shared_kv", isFalse, "separate keys and values")
	s.refuse("EncDecAttention.shared_kv", isFalse, "separate keys and values")
	s.refuse("EncDecAttention.relative_attention_type", isFalse,
		"no relative positions between encoder and decoder")
	k := shapes.Stack{
		Layers: s.need(scope+".layers", "make_layer_stack.num_layers"),
		DFF:    s.need(scope+".d_ff", "DenseReluDense.hidden_size"),
		DKV:    s.need(scope+".d_kv", "SelfAttention.key_value_size"),
		Heads:  s.need(scope+".heads "+scope+".kv_heads", "SelfAttention.num_heads"),
	}
	k.Gated, k.Activation = s.ginActivations(scope, "DenseReluDense.activation")
	k.KVHeads = k.Heads
	if heads, ok := s.optional("", "SelfAttention.num_memory_heads"); ok && heads > 0 {
		s.note(scope+".kv_heads", "SelfAttention.num_memory_heads",
			s.byName["SelfAttention.num_memory_heads"].At)
		k.KVHeads = heads
	}
	m.sameInCross(s, "num_heads", k.Heads)
	m.sameInCross(s, "key_value_size", k.DKV)
	m.position(scope, &k)
	k.FinalNorm = m.noOtherNorm(s, "LayerStack.sublayers_final")
	return k
}

// sameInCross checks that cross-attention is as wide as self-attention.
func (m *meshModel) sameInCross(s *section, parameter string, value int) {
	name := "EncDecAttention." + parameter
	if v, ok := s.optional("", name); ok && v != value {
		f := s.byName[name]
		m.fault(f.At, name, "cannot be expressed as a shape", f.Value.Show(),
			"the same as in SelfAttention")
	}
}

// noOtherNorm reports whether a list of sublayers has an RMS norm; another norm is a fault. An
// absent list means the usual one, which has it.
func (m *meshModel) noOtherNorm(s *section, name string) bool {
	f, ok := s.take(name)
	if !ok || f.Value.Kind == syntax.Null {
		return true
	}
	found := false
	for _, item := range f.Value.Items {
		switch class := className(item); {
		case class == "sublayer_rms_norm" || class == "sublayer_rms_norm_subsampled":
			found = true
		case strings.Contains(class, "norm"):
			m.fault(item.At, name, "cannot be expressed as a shape", class, "sublayer_rms_norm")
		}
	}
	return found
}

// position reads how positions enter: a relative table shared by the layers of the stack, a learned
// table, sinusoids, or nothing.
func (m *meshModel) position(scope string, k *shapes.Stack) {
	s := m.stacks[scope]
	buckets := s.integer(scope+".positions", 32, "SelfAttention.relative_attention_num_buckets")
	relative := s.word(scope+".position", "", "SelfAttention.relative_attention_type")
	learned := s.flag("", true, "Unitransformer.positional_embedding")
	sinusoid := s.flag("", false, "Unitransformer.sinusoid_positional_embedding")
	length, known := s.optional("", "Unitransformer.max_length")
	switch {
	case relative == "bias_shared" && !learned && !sinusoid:
		k.Position, k.Positions = shapes.Relative, buckets
	case relative != "" && relative != "bias_shared" || relative != "" && (learned || sinusoid):
		f := s.byName["SelfAttention.relative_attention_type"]
		s.inexpressible(scope+"/"+f.Name, f.Value,
			"'bias_shared' without another positional embedding, or None")
	case learned && known:
		k.Position, k.Positions = shapes.Learned, length
		s.note(scope+".positions", "Unitransformer.max_length",
			s.byName["Unitransformer.max_length"].At)
	case learned:
		s.fault(s.at, scope+"/Unitransformer.max_length", "is missing", "",
			"the rows of the learned position table, or positional_embedding = False")
	case sinusoid:
		k.Position = shapes.Sinusoidal
	default:
		k.Position = shapes.NoPosition
	}
}

// bias reads use_bias of the feed-forward, the only bias of these models. The first releases had
// neither the parameter nor the bias.
func (m *meshModel) bias() shapes.Bias {
	encoder := m.stacks["encoder"].flag("bias", false, "DenseReluDense.use_bias")
	decoder := m.stacks["decoder"].flag("bias", false, "DenseReluDense.use_bias")
	if encoder != decoder {
		m.fault(m.place("bias"), "DenseReluDense.use_bias", "differs between the stacks", "",
			"the same in both")
	}
	if encoder && decoder {
		return shapes.BiasFFN
	}
	return shapes.NoBias
}

// listUnknown lists the parameters of model classes that were not asked for.
func (m *meshModel) listUnknown() {
	for _, scope := range []string{"encoder", "decoder"} {
		s := m.stacks[scope]
		s.skip("DenseReluDense.dropout_rate", "LayerStack.dropout_rate", "LayerStack.norm_epsilon",
			"LayerStack.recompute_grads", "make_layer_stack.block_scope",
			"SelfAttention.attention_func", "SelfAttention.attention_kwargs",
			"SelfAttention.combine_dims", "SelfAttention.dropout_rate",
			"SelfAttention.fold_scaling_into_initializer", "SelfAttention.keep_query_heads_dims",
			"Unitransformer.ensemble", "Unitransformer.input_full_attention",
			"Unitransformer.label_smoothing", "Unitransformer.loss_denominator",
			"Unitransformer.loss_fn", "Unitransformer.loss_on_targets_only",
			"Unitransformer.token_dropout_rate", "Unitransformer.vocab_divisor",
			"Unitransformer.z_loss", "Unitransformer.shared_embedding_and_softmax_weights",
			"Bitransformer.shared_embedding")
		for _, f := range s.untaken() {
			if found := (Field{Position: f.At, Name: f.Name}); !slices.Contains(m.unknown, found) {
				m.unknown = append(m.unknown, found)
			}
		}
	}
}
