package config

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// recount walks every layer of a shape one by one, each tensor and each product as the modeling
// code of a family has them; it knows nothing of ledgers and closed forms.
type recount struct {
	s       *shapes.Shape
	w       flops.Workload
	params  int64
	forward float64
}

func (r *recount) tensor(dims ...int) {
	n := int64(1)
	for _, d := range dims {
		n *= int64(d)
	}
	r.params += n
}

func (r *recount) product(m, n, k int) { r.forward += 2 * float64(m) * float64(n) * float64(k) }

func (r *recount) linear(rows, in, out int, bias bool) {
	r.tensor(in, out)
	if bias {
		r.tensor(out)
	}
	r.product(rows, out, in)
}

func (r *recount) norm(width int) {
	if r.s.Norm != shapes.FixedNorm {
		r.tensor(width)
	}
	if r.s.Norm == shapes.LayerNorm {
		r.tensor(width)
	}
}

func (r *recount) has(b shapes.Bias) bool { return r.s.Bias&b == b }

// attention is one block of `from` queries a sequence over `to` keys, of which each query sees
// `seen`, made from vectors of width source.
func (r *recount) attention(k *shapes.Stack, width, source, from, to, seen int) {
	batch := r.w.Batch
	key, value := k.DKV, k.DKV
	if l := k.Latent; l != (shapes.Latent{}) {
		value = l.ValueWidth
		if l.QueryRank > 0 {
			r.linear(batch*from, width, l.QueryRank, false)
			r.tensor(l.QueryRank)
			r.linear(batch*from, l.QueryRank, k.Heads*key, false)
		} else {
			r.linear(batch*from, width, k.Heads*key, false)
		}
		r.linear(batch*to, source, l.KVRank, false)
		r.linear(batch*to, source, l.RotaryWidth, false)
		r.tensor(l.KVRank)
		for range k.Heads { // keys without position, and values
			r.linear(batch*to, l.KVRank, key-l.RotaryWidth, false)
			r.linear(batch*to, l.KVRank, value, false)
		}
	} else {
		r.linear(batch*from, width, k.Heads*key, r.has(shapes.BiasQ))
		r.linear(batch*to, source, k.KVHeads*key, r.has(shapes.BiasK))
		r.linear(batch*to, source, k.KVHeads*key, r.has(shapes.BiasV))
	}
	switch k.QKNorm {
	case shapes.QKNormHead:
		r.norm(key)
		r.norm(key)
	case shapes.QKNormFull:
		r.norm(k.Heads * key)
		r.norm(k.KVHeads * key)
	}
	for range batch {
		for range k.Heads {
			r.product(from, seen, key)
			r.product(from, value, seen)
			if k.Position == shapes.Disentangled {
				r.product(from, k.Positions, key)
				r.product(from, k.Positions, key)
			}
		}
	}
	if k.Position == shapes.Disentangled {
		r.product(k.Positions, k.Heads*key, width)
		r.product(k.Positions, k.KVHeads*key, width)
	}
	r.linear(batch*from, k.Heads*value, width, r.has(shapes.BiasO))
}

func (r *recount) feedForward(k *shapes.Stack, width, inner, rows, copies, visits int) {
	before := r.forward
	for copy := range copies {
		if copy == visits {
			before = r.forward // the other experts are not visited
		}
		r.linear(rows, width, inner, r.has(shapes.BiasFFN))
		if k.Gated {
			r.linear(rows, width, inner, r.has(shapes.BiasFFN))
		}
		r.linear(rows, inner, width, r.has(shapes.BiasFFN))
		if copy >= visits {
			r.forward = before
		}
	}
}

func (r *recount) stack(k *shapes.Stack, length int, cross bool) {
	if k.Layers == 0 {
		return
	}
	s, rows := r.s, r.w.Batch*length
	width := s.DModel
	if k == &s.Encoder && s.SourceWidth > 0 {
		width = s.SourceWidth
	}
	tied := s.TiedStacks && k == &s.Encoder
	table := width
	if width == s.DModel && s.EmbeddingWidth > 0 {
		table = s.EmbeddingWidth
	}
	switch f := k.Frontend; f.Kind {
	case shapes.Audio:
		r.linear(2*rows, 3*f.Channels, width, true)
		r.linear(rows, 3*width, width, true)
	case shapes.Patches:
		r.linear(rows, f.Patch*f.Patch*f.Channels, width, !f.NoBias)
		if !f.NoClass {
			r.tensor(width)
		}
	case shapes.Convolved:
		for _, c := range f.Convs {
			r.linear(rows*int(c.Rate), int(c.In)*int(c.Taps), int(c.Out), c.Bias)
			r.tensor(int(c.Extra))
		}
	}
	r.tensor(k.Extra)
	if s.EmbeddingNorm {
		r.norm(table)
	}
	kept := r.params
	switch k.Position {
	case shapes.Relative:
		r.tensor(k.Positions, k.Heads)
	case shapes.Learned:
		r.tensor(k.Positions, table)
	case shapes.Disentangled:
		r.tensor(k.Positions, width)
	}
	own := k.Layers
	if k.OwnLayers > 0 {
		own = k.OwnLayers
	}
	full := 0
	for layer := range k.Layers {
		before := r.params
		norms := k.NormsPerLayer
		if norms == 0 {
			norms = 2
		}
		for range norms {
			r.norm(width)
		}
		seen := length
		if k.Window > 0 {
			if (layer+1)*k.FullLayers/k.Layers > full {
				full++
			} else {
				seen = min(length, k.Window)
			}
		}
		if k.Position == shapes.RelativeLayers {
			r.tensor(k.Positions, k.Heads)
		}
		r.tensor(k.LayerExtra)
		r.attention(k, width, width, length, length, seen)
		if cross {
			for range max(1, norms/2) {
				r.norm(width)
			}
			source := s.DModel
			if s.SourceWidth > 0 {
				source = s.SourceWidth
			}
			at := k.Position
			k.Position = shapes.NoPosition
			r.attention(k, width, source, length, r.w.EncoderLength, r.w.EncoderLength)
			k.Position = at
		}
		if k.Experts > 0 && layer >= k.DenseFirst && (layer+1)%k.SparseEvery == 0 {
			inner := k.DFF
			if k.ExpertDFF > 0 {
				inner = k.ExpertDFF
			}
			r.linear(rows, width, k.Experts, false)
			r.feedForward(k, width, inner, rows, k.Experts, k.ActiveExperts)
			if k.SharedDFF > 0 {
				r.feedForward(k, width, k.SharedDFF, rows, 1, 1)
			}
			if k.SharedGate {
				r.linear(rows, width, 1, false)
			}
		} else {
			r.feedForward(k, width, k.DFF, rows, 1, 1)
		}
		if layer >= own {
			r.params = before
		}
	}
	if k.FinalNorm {
		r.norm(width)
	}
	if tied {
		r.params = kept
	}
}

func recounted(s shapes.Shape, w flops.Workload) (params int64, forward float64) {
	r := &recount{s: &s, w: w}
	table := s.DModel
	if s.EmbeddingWidth > 0 {
		table = s.EmbeddingWidth
	}
	if s.Encoder.Layers > 0 && s.Encoder.Frontend.Kind == shapes.Tokens || s.Decoder.Layers > 0 {
		r.tensor(s.Vocab, table)
	}
	if s.SourceVocab > 0 {
		width := s.DModel
		if s.SourceWidth > 0 {
			width = s.SourceWidth
		}
		r.tensor(s.SourceVocab, width)
	}
	r.tensor(s.TokenTypes, table)
	both := s.Encoder.Layers > 0 && s.Decoder.Layers > 0
	r.stack(&s.Encoder, w.EncoderLength, false)
	r.stack(&s.Decoder, w.DecoderLength, both && !s.Towers)
	rows := w.Batch * w.DecoderLength
	if s.Decoder.Layers == 0 {
		rows = w.Batch * w.EncoderLength
	}
	for _, l := range s.Dense {
		at := map[shapes.Place]int{
			shapes.EncoderInput: w.Batch * w.EncoderLength, shapes.EncoderOutput: w.Batch * w.EncoderLength,
			shapes.DecoderInput: w.Batch * w.DecoderLength, shapes.DecoderOutput: w.Batch * w.DecoderLength,
			shapes.Pooled: w.Batch,
		}[l.At]
		r.linear(at, l.In, l.Out, l.Bias)
	}
	if s.Pooler {
		r.linear(w.Batch, s.DModel, s.DModel, true)
	}
	switch s.Head {
	case shapes.HeadTied:
		r.product(rows, s.Vocab, table)
	case shapes.HeadUntied:
		r.linear(rows, table, s.Vocab, false)
	case shapes.HeadMLM:
		r.linear(rows, s.DModel, table, r.has(shapes.BiasFFN))
		r.norm(table)
		r.product(rows, s.Vocab, table)
	}
	if s.HeadBias {
		r.tensor(s.Vocab)
	}
	return r.params, r.forward
}

// TestZooRecounted holds parameters and forward FLOPs of every family to the last digit against the
// literal recount: all counts are integers below 2^53.
func TestZooRecounted(t *testing.T) {
	w := flops.Workload{Batch: 2, EncoderLength: 37, DecoderLength: 29}
	families := map[string]bool{}
	for _, text := range append(zooTexts(), families25...) {
		r, err := Read("config.json", strings.NewReader(text), Options{})
		if err != nil {
			t.Errorf("%.60s: %v", text, err)
			continue
		}
		params, forward := recounted(r.Shape, w)
		if got := flops.CountParameters(&r.Shape).Total; got != params {
			t.Errorf("%.60s: %d parameters, layer by layer %d", text, got, params)
		}
		if got := flops.Forward(&r.Shape, w); got != forward {
			t.Errorf("%.60s: %.0f forward FLOPs, layer by layer %.0f", text, got, forward)
		}
		var said struct {
			Type string `json:"model_type"`
		}
		if err := json.Unmarshal([]byte(text), &said); err != nil {
			t.Fatal(err)
		}
		families[said.Type] = true
	}
	const least = 25
	if len(families) < least {
		t.Errorf("%d families, want at least %d", len(families), least)
	}
}

func zooTexts() []string {
	var all []string
	for _, c := range zoo {
		all = append(all, c.text)
	}
	return all
}

// families25 are small shapes of what the zoo lacks.
var families25 = []string{
	`{"model_type":"t5","d_model":64,"d_ff":96,"d_kv":16,"num_heads":4,"num_layers":3,"num_decoder_layers":2,"vocab_size":100}`,
	`{"model_type":"t5","d_model":64,"d_ff":96,"d_kv":16,"num_heads":4,"num_layers":3,"vocab_size":100,"tie_encoder_decoder":true}`,
	`{"model_type":"umt5","d_model":64,"d_ff":96,"d_kv":16,"num_heads":4,"num_layers":3,"vocab_size":100}`,
	`{"model_type":"longt5","d_model":64,"d_ff":96,"d_kv":16,"num_heads":4,"num_layers":3,"vocab_size":100,"local_radius":5,"encoder_attention_type":"transient-global"}`,
	`{"model_type":"switch_transformers","d_model":64,"d_ff":96,"d_kv":16,"num_heads":4,"num_layers":6,"vocab_size":100,"num_experts":4,"num_sparse_encoder_layers":3,"num_sparse_decoder_layers":2}`,
	`{"model_type":"deepseek_v2","vocab_size":100,"hidden_size":64,"intermediate_size":96,"num_hidden_layers":4,"num_attention_heads":4,"q_lora_rank":24,"kv_lora_rank":16,"qk_nope_head_dim":8,"qk_rope_head_dim":4,"v_head_dim":12,"n_routed_experts":6,"n_shared_experts":2,"num_experts_per_tok":2,"moe_intermediate_size":20,"first_k_dense_replace":1}`,
	`{"model_type":"qwen2_moe","vocab_size":100,"hidden_size":64,"num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,"moe_intermediate_size":20,"shared_expert_intermediate_size":30,"num_experts":6,"num_experts_per_tok":2,"intermediate_size":96,"decoder_sparse_step":2}`,
	`{"model_type":"gemma3_text","vocab_size":100,"hidden_size":64,"num_hidden_layers":7,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"intermediate_size":96,"sliding_window":8}`,
	`{"model_type":"gpt_oss","vocab_size":100,"hidden_size":64,"num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,"intermediate_size":96,"num_local_experts":4,"sliding_window":8}`,
	`{"model_type":"falcon","vocab_size":100,"hidden_size":64,"num_hidden_layers":3,"num_attention_heads":4,"new_decoder_architecture":true,"num_kv_heads":2}`,
	`{"model_type":"encoder-decoder","encoder":{"model_type":"bert","hidden_size":48,"num_hidden_layers":2,"num_attention_heads":4,"intermediate_size":96,"vocab_size":90},"decoder":{"model_type":"gpt2","n_embd":48,"n_layer":2,"n_head":4,"vocab_size":80,"add_cross_attention":true}}`,
	`{"model_type":"marian","vocab_size":100,"decoder_vocab_size":90,"share_encoder_decoder_embeddings":false,"d_model":64,"encoder_layers":2,"decoder_layers":1,"encoder_ffn_dim":96,"decoder_ffn_dim":80,"encoder_attention_heads":4,"decoder_attention_heads":8}`,
}

// TestCachesByHand compares the cache of one token and of 1,000 with numbers worked from the
// configurations: 2 bytes · layers · 2 · key heads · width, a window's worth, or the latent vector.
func TestCachesByHand(t *testing.T) {
	for _, c := range []struct {
		text           string
		token, at1000  float64
		sourcePosition float64
	}{
		{`{"model_type":"llama"}`, 2 * 32 * 2 * 32 * 128, 1000 * 2 * 32 * 2 * 32 * 128, 0},
		{`{"model_type":"mistral"}`, 2 * 32 * 2 * 8 * 128, 1000 * 2 * 32 * 2 * 8 * 128, 0},
		{`{"model_type":"mistral","sliding_window":256}`, 2 * 32 * 2 * 8 * 128, 256 * 2 * 32 * 2 * 8 * 128, 0},
		{`{"model_type":"gemma3_text","num_hidden_layers":26,"num_key_value_heads":1,"head_dim":256,"sliding_window":512}`, 2 * 26 * 2 * 256, 2 * 2 * 256 * (4*1000 + 22*512), 0},
		{`{"model_type":"gpt_oss","num_hidden_layers":24}`, 2 * 24 * 2 * 8 * 64, 2 * 2 * 8 * 64 * (12*1000 + 12*128), 0},
		{`{"model_type":"deepseek_v3"}`, 2 * 61 * (512 + 64), 1000 * 2 * 61 * (512 + 64), 0},
		{`{"model_type":"falcon"}`, 2 * 32 * 2 * 64, 1000 * 2 * 32 * 2 * 64, 0},
		{`{"model_type":"gpt2"}`, 2 * 12 * 2 * 768, 1000 * 2 * 12 * 2 * 768, 0},
		{`{"model_type":"t5"}`, 2 * 6 * 2 * 512, 1000 * 2 * 6 * 2 * 512, 2 * 6 * 2 * 512},
		{`{"model_type":"llama4_text"}`, 2 * 48 * 2 * 8 * 128, 1000 * 2 * 48 * 2 * 8 * 128, 0},
	} {
		r, err := Read("config.json", strings.NewReader(c.text), Options{})
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		token, source := flops.CacheBytes(&r.Shape, 1, 2)
		long, _ := flops.CacheBytes(&r.Shape, 1000, 2)
		if token != c.token || long != c.at1000 || source != c.sourcePosition {
			t.Errorf("%s: %v, %v and %v bytes; by hand %v, %v and %v", c.text, token, long, source,
				c.token, c.at1000, c.sourcePosition)
		}
	}
}
