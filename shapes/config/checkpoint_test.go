package config

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// tensorList collects the tensors of a test checkpoint under the names that transformers gives
// them.
type tensorList []stored

func (l *tensorList) add(name string, shape ...int64) { *l = append(*l, stored{name, shape}) }

// linear adds a weight of out×in and a bias of out.
func (l *tensorList) linear(name string, in, out int64) {
	l.add(name+".weight", out, in)
	l.add(name+".bias", out)
}

func (l *tensorList) norm(name string, width int64) {
	l.add(name+".weight", width)
	l.add(name+".bias", width)
}

// tinyCheckpoints are models of width 8 with two heads, one or two layers and 32 tokens, with the
// buffers and copies that released files carry.
func tinyCheckpoints() map[string]struct {
	config  string
	tensors tensorList
} {
	type checkpoint = struct {
		config  string
		tensors tensorList
	}
	const d, f, v = 8, 16, 32
	var gpt2, llama, bert, bart, whisper, neox, bloom, switches tensorList

	gpt2.add("transformer.wte.weight", v, d)
	gpt2.add("transformer.wpe.weight", 10, d)
	gpt2.norm("transformer.ln_f", d)
	gpt2.add("lm_head.weight", v, d) // a copy
	for n := range 2 {
		p := fmt.Sprintf("transformer.h.%d.", n)
		gpt2.add(p+"attn.bias", 1, 1, 10, 10) // the causal mask
		gpt2.norm(p+"ln_1", d)
		gpt2.norm(p+"ln_2", d)
		for name, size := range map[string][2]int64{
			"attn.c_attn": {d, 3 * d},
			"attn.c_proj": {d, d}, "mlp.c_fc": {d, f}, "mlp.c_proj": {f, d},
		} {
			gpt2.add(p+name+".weight", size[0], size[1]) // in×out, unlike the others
			gpt2.add(p+name+".bias", size[1])
		}
	}

	llama.add("model.embed_tokens.weight", v, d)
	llama.add("lm_head.weight", v, d)
	llama.add("model.norm.weight", d)
	p := "model.layers.0."
	llama.add(p+"self_attn.q_proj.weight", d, d)
	llama.add(p+"self_attn.k_proj.weight", d/2, d)
	llama.add(p+"self_attn.v_proj.weight", d/2, d)
	llama.add(p+"self_attn.o_proj.weight", d, d)
	llama.add(p+"self_attn.rotary_emb.inv_freq", 2)
	llama.add(p+"mlp.gate_proj.weight", f, d)
	llama.add(p+"mlp.up_proj.weight", f, d)
	llama.add(p+"mlp.down_proj.weight", d, f)
	llama.add(p+"input_layernorm.weight", d)
	llama.add(p+"post_attention_layernorm.weight", d)

	bert.add("bert.embeddings.word_embeddings.weight", v, d)
	bert.add("bert.embeddings.position_embeddings.weight", 10, d)
	bert.add("bert.embeddings.token_type_embeddings.weight", 2, d)
	bert.add("bert.embeddings.position_ids", 1, 10)
	bert.norm("bert.embeddings.LayerNorm", d)
	bert.add("cls.predictions.bias", v)
	bert.linear("cls.predictions.transform.dense", d, d)
	bert.norm("cls.predictions.transform.LayerNorm", d)
	bert.linear("cls.predictions.decoder", d, v) // copies
	p = "bert.encoder.layer.0."
	for _, name := range []string{
		"attention.self.query", "attention.self.key",
		"attention.self.value", "attention.output.dense",
	} {
		bert.linear(p+name, d, d)
	}
	bert.norm(p+"attention.output.LayerNorm", d)
	bert.linear(p+"intermediate.dense", d, f)
	bert.linear(p+"output.dense", f, d)
	bert.norm(p+"output.LayerNorm", d)

	bart.add("final_logits_bias", 1, v)
	bart.add("model.shared.weight", v, d)
	for _, stack := range []string{"encoder", "decoder"} {
		bart.add("model."+stack+".embed_tokens.weight", v, d) // a copy
		bart.add("model."+stack+".embed_positions.weight", 12, d)
		bart.norm("model."+stack+".layernorm_embedding", d)
		bart.bartLayer("model."+stack+".layers.0.", stack == "decoder", true)
	}

	whisper = tensorList{
		{"model.encoder.conv1.weight", []int64{d, 5, 3}},
		{"model.encoder.conv1.bias", []int64{d}},
		{"model.encoder.conv2.weight", []int64{d, d, 3}},
		{"model.encoder.conv2.bias", []int64{d}},
	}
	whisper.add("model.encoder.embed_positions.weight", 20, d) // fixed sinusoids
	whisper.add("model.decoder.embed_positions.weight", 10, d)
	whisper.add("model.decoder.embed_tokens.weight", v, d)
	whisper.add("proj_out.weight", v, d) // a copy
	for _, stack := range []string{"encoder", "decoder"} {
		whisper.norm("model."+stack+".layer_norm", d)
		whisper.bartLayer("model."+stack+".layers.0.", stack == "decoder", false)
	}

	neox.add("gpt_neox.embed_in.weight", v, d)
	neox.add("embed_out.weight", v, d)
	neox.norm("gpt_neox.final_layer_norm", d)
	p = "gpt_neox.layers.0."
	neox.add(p+"attention.bias", 1, 1, 10, 10)
	neox.add(p+"attention.masked_bias", []int64{}...)
	neox.add(p+"attention.rotary_emb.inv_freq", 1)
	neox.linear(p+"attention.query_key_value", d, 3*d)
	neox.linear(p+"attention.dense", d, d)
	neox.linear(p+"mlp.dense_h_to_4h", d, f)
	neox.linear(p+"mlp.dense_4h_to_h", f, d)
	neox.norm(p+"input_layernorm", d)
	neox.norm(p+"post_attention_layernorm", d)

	bloom.add("word_embeddings.weight", v, d)
	bloom.norm("word_embeddings_layernorm", d)
	bloom.norm("ln_f", d)
	p = "h.0."
	bloom.linear(p+"self_attention.query_key_value", d, 3*d)
	bloom.linear(p+"self_attention.dense", d, d)
	bloom.linear(p+"mlp.dense_h_to_4h", d, 4*d)
	bloom.linear(p+"mlp.dense_4h_to_h", 4*d, d)
	bloom.norm(p+"input_layernorm", d)
	bloom.norm(p+"post_attention_layernorm", d)

	switches.add("shared.weight", v, d)
	for _, stack := range []string{"encoder", "decoder"} {
		switches.add(stack+".final_layer_norm.weight", d)
		switches.add(stack+".block.0.layer.0.SelfAttention.relative_attention_bias.weight", 32, 2)
		for n := range 2 {
			switches.switchBlock(fmt.Sprintf("%s.block.%d.", stack, n), stack == "decoder", n == 1)
		}
	}

	return map[string]checkpoint{
		"gpt2": {
			`{"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "n_embd": 8, "n_head": 2, "n_layer": 2, "n_inner": 16, "n_positions": 10, "vocab_size": 32}`,
			gpt2,
		},
		"llama": {
			`{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1, "num_hidden_layers": 1, "intermediate_size": 16, "vocab_size": 32}`,
			llama,
		},
		"bert": {
			`{"model_type": "bert", "architectures": ["BertForMaskedLM"], "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 16, "vocab_size": 32, "max_position_embeddings": 10}`,
			bert,
		},
		"bart": {
			`{"model_type": "bart", "architectures": ["BartForConditionalGeneration"], "d_model": 8, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": 32, "max_position_embeddings": 10}`,
			bart,
		},
		"whisper": {
			`{"model_type": "whisper", "architectures": ["WhisperForConditionalGeneration"], "d_model": 8, "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "vocab_size": 32, "max_target_positions": 10, "num_mel_bins": 5}`,
			whisper,
		},
		"neox": {
			`{"model_type": "gpt_neox", "architectures": ["GPTNeoXForCausalLM"], "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "intermediate_size": 16, "vocab_size": 32}`,
			neox,
		},
		"bloom": {
			`{"model_type": "bloom", "architectures": ["BloomForCausalLM"], "hidden_size": 8, "n_head": 2, "n_layer": 1, "vocab_size": 32}`,
			bloom,
		},
		"switch": {
			`{"model_type": "switch_transformers", "architectures": ["SwitchTransformersForConditionalGeneration"], "d_model": 8, "d_kv": 4, "d_ff": 16, "num_heads": 2, "num_layers": 2, "num_decoder_layers": 2, "num_sparse_encoder_layers": 1, "num_sparse_decoder_layers": 1, "num_experts": 3, "vocab_size": 32}`,
			switches,
		},
	}
}

// bartLayer adds a layer of BART or, without bias on the keys, of Whisper.
func (l *tensorList) bartLayer(prefix string, cross, keyBias bool) {
	const d, f = 8, 16
	attentions := []string{"self_attn"}
	if cross {
		attentions = append(attentions, "encoder_attn")
	}
	for _, a := range attentions {
		for _, projection := range []string{"q_proj", "k_proj", "v_proj", "out_proj"} {
			l.add(prefix+a+"."+projection+".weight", d, d)
			if projection != "k_proj" || keyBias {
				l.add(prefix+a+"."+projection+".bias", d)
			}
		}
		l.norm(prefix+a+"_layer_norm", d)
	}
	l.linear(prefix+"fc1", d, f)
	l.linear(prefix+"fc2", f, d)
	l.norm(prefix+"final_layer_norm", d)
}

// switchBlock adds a block of Switch with three experts or a dense one.
func (l *tensorList) switchBlock(prefix string, cross, sparse bool) {
	const d, f = 8, 16
	attentions := []string{"SelfAttention"}
	if cross {
		attentions = append(attentions, "EncDecAttention")
	}
	for i, a := range attentions {
		for _, projection := range []string{"q", "k", "v", "o"} {
			l.add(fmt.Sprintf("%slayer.%d.%s.%s.weight", prefix, i, a, projection), d, d)
		}
		l.add(fmt.Sprintf("%slayer.%d.layer_norm.weight", prefix, i), d)
	}
	prefix = fmt.Sprintf("%slayer.%d.", prefix, len(attentions))
	l.add(prefix+"layer_norm.weight", d)
	if !sparse {
		l.add(prefix+"mlp.wi.weight", f, d)
		l.add(prefix+"mlp.wo.weight", d, f)
		return
	}
	l.add(prefix+"mlp.router.classifier.weight", 3, d)
	for e := range 3 {
		l.add(fmt.Sprintf("%smlp.experts.expert_%d.wi.weight", prefix, e), f, d)
		l.add(fmt.Sprintf("%smlp.experts.expert_%d.wo.weight", prefix, e), d, f)
	}
}

// A checkpoint and its configuration agree in every field and in the count, whatever the family
// names its tensors; and one changed number of the configuration is found.
func TestCheckpointsOfEveryFamily(t *testing.T) {
	edits := map[string][2]string{
		"gpt2":    {`"n_inner": 16`, `"n_inner": 24`},
		"llama":   {`"num_key_value_heads": 1`, `"num_key_value_heads": 2`},
		"bert":    {`"num_hidden_layers": 1`, `"num_hidden_layers": 3`},
		"bart":    {`"max_position_embeddings": 10`, `"max_position_embeddings": 11`},
		"whisper": {`"decoder_ffn_dim": 16`, `"decoder_ffn_dim": 8`},
		"neox":    {`"intermediate_size": 16`, `"intermediate_size": 8`},
		"bloom":   {`"vocab_size": 32`, `"vocab_size": 33`},
		"switch":  {`"num_experts": 3`, `"num_experts": 4`},
	}
	found := map[string]string{
		"gpt2": "decoder.d_ff", "llama": "decoder.kv_heads × d_kv", "bert": "encoder.layers",
		"bart":    "encoder.positions",
		"whisper": "decoder.d_ff", "neox": "decoder.d_ff", "bloom": "vocab",
		"switch": "encoder.experts",
	}
	for name, c := range tinyCheckpoints() {
		h, err := tensors.ReadHeader(name, bytes.NewReader(checkpoint(c.tensors...)), -1)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		r, err := Read("config.json", strings.NewReader(c.config), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, want := h.ParametersOf(&r.Shape), parameters(r.Shape); got != want {
			t.Errorf("%s: the header has %d parameters, the configuration %d", name, got, want)
		}
		// two of them store the head of a tied model apart, which is a finding of its own
		apart := name == "gpt2" || name == "whisper"
		if d := Compare(r, h); len(d) != 0 && !(apart && len(d) == 1 && d[0].Field == "head") {
			t.Errorf("%s: %v", name, d)
		}
		edited := strings.Replace(c.config, edits[name][0], edits[name][1], 1)
		if r, err = Read("config.json", strings.NewReader(edited), Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		seen := false
		for _, d := range Compare(r, h) {
			seen = seen || d.Field == found[name]
		}
		if !seen {
			t.Errorf("%s: %s was not found in %v", name, edits[name][1], Compare(r, h))
		}
	}
}
