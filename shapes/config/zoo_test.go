package config

import (
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

// zoo are configurations of released models, one a family and more where a family has variants, cut
// to what the reader needs. The counts are the numbers of parameters that loading the models
// reports, as far as they are published; they were recalled, not looked up, and every one was met
// before it was written here. Fixed tables of sinusoids are taken off (Whisper).
var zoo = []struct {
	text string
	want int64
}{
	{
		`{"model_type":"albert","architectures":["AlbertModel"],"vocab_size":30000,"embedding_size":128,"hidden_size":768,"num_hidden_layers":12,"num_hidden_groups":1,"num_attention_heads":12,"intermediate_size":3072,"max_position_embeddings":512,"type_vocab_size":2}`,
		11683584,
	},
	{
		`{"model_type":"electra","architectures":["ElectraModel"],"vocab_size":30522,"embedding_size":768,"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072,"max_position_embeddings":512,"type_vocab_size":2}`,
		108891648,
	},
	{
		`{"model_type":"mpnet","architectures":["MPNetModel"],"vocab_size":30527,"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072,"max_position_embeddings":514,"relative_attention_num_buckets":32}`,
		109486464,
	},
	{
		`{"model_type":"modernbert","architectures":["ModernBertForMaskedLM"],"vocab_size":50368,"hidden_size":768,"num_hidden_layers":22,"num_attention_heads":12,"intermediate_size":1152}`,
		149655232,
	},
	{
		`{"model_type":"deberta","architectures":["DebertaModel"],"vocab_size":50265,"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072,"relative_attention":true,"max_relative_positions":-1,"position_biased_input":false,"pos_att_type":["c2p","p2c"],"type_vocab_size":0,"max_position_embeddings":512}`,
		138601728,
	},
	{
		`{"model_type":"esm","architectures":["EsmForMaskedLM"],"vocab_size":33,"hidden_size":320,"num_hidden_layers":6,"num_attention_heads":20,"intermediate_size":1280,"position_embedding_type":"rotary","emb_layer_norm_before":false,"token_dropout":true,"max_position_embeddings":1026}`,
		7512474,
	},
	{
		`{"model_type":"opt","architectures":["OPTForCausalLM"],"vocab_size":50272,"hidden_size":1024,"num_hidden_layers":24,"num_attention_heads":16,"ffn_dim":4096,"max_position_embeddings":2048,"word_embed_proj_dim":512,"do_layer_norm_before":false}`,
		331196416,
	},
	{
		`{"model_type":"opt","architectures":["OPTForCausalLM"],"vocab_size":50272,"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"ffn_dim":3072,"max_position_embeddings":2048,"word_embed_proj_dim":768}`,
		125239296,
	},
	{
		`{"model_type":"led","architectures":["LEDForConditionalGeneration"],"vocab_size":50265,"d_model":768,"encoder_layers":6,"decoder_layers":6,"encoder_ffn_dim":3072,"decoder_ffn_dim":3072,"encoder_attention_heads":12,"decoder_attention_heads":12,"attention_window":[1024,1024,1024,1024,1024,1024]}`,
		161844480,
	},
	{
		`{"model_type":"blenderbot","architectures":["BlenderbotForConditionalGeneration"],"vocab_size":8008,"d_model":1280,"encoder_layers":2,"decoder_layers":12,"encoder_ffn_dim":5120,"decoder_ffn_dim":5120,"encoder_attention_heads":32,"decoder_attention_heads":32}`,
		364802560,
	},
	{
		`{"model_type":"deit","architectures":["DeiTForImageClassification"],"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072,"image_size":224,"patch_size":16,"num_labels":1000}`,
		86569192,
	},
	{
		`{"model_type":"clip","architectures":["CLIPModel"],"projection_dim":512,"text_config":{"model_type":"clip_text_model","hidden_size":512,"num_hidden_layers":12,"num_attention_heads":8,"intermediate_size":2048},"vision_config":{"model_type":"clip_vision_model","hidden_size":768,"patch_size":32,"image_size":224,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072}}`,
		151277313,
	},
	{
		`{"model_type":"siglip","architectures":["SiglipModel"],"text_config":{"model_type":"siglip_text_model"},"vision_config":{"model_type":"siglip_vision_model","patch_size":16,"image_size":224}}`,
		203155970,
	},
	{
		`{"model_type":"wav2vec2","architectures":["Wav2Vec2ForCTC"],"vocab_size":32,"hidden_size":768,"num_hidden_layers":12,"num_attention_heads":12,"intermediate_size":3072,"feat_extract_norm":"group","conv_bias":false}`,
		94396320,
	},
	{
		`{"model_type":"wav2vec2","architectures":["Wav2Vec2Model"],"hidden_size":1024,"num_hidden_layers":24,"num_attention_heads":16,"intermediate_size":4096,"feat_extract_norm":"layer","conv_bias":true}`,
		315438720,
	},
	{
		`{"model_type":"phi","architectures":["PhiForCausalLM"],"vocab_size":51200,"hidden_size":2560,"intermediate_size":10240,"num_hidden_layers":32,"num_attention_heads":32}`,
		2779683840,
	},
	{
		`{"model_type":"phimoe","architectures":["PhimoeForCausalLM"],"vocab_size":32064,"hidden_size":4096,"intermediate_size":6400,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,"num_local_experts":16,"num_experts_per_tok":2,"attention_bias":true,"lm_head_bias":true}`,
		41873153344,
	},
	{
		`{"model_type":"olmoe","architectures":["OlmoeForCausalLM"],"vocab_size":50304,"hidden_size":2048,"intermediate_size":1024,"num_hidden_layers":16,"num_attention_heads":16,"num_experts":64,"num_experts_per_tok":8}`,
		6919161856,
	},
	{
		`{"model_type":"olmo","architectures":["OlmoForCausalLM"],"vocab_size":50304,"hidden_size":2048,"intermediate_size":8192,"num_hidden_layers":16,"num_attention_heads":16,"tie_word_embeddings":true}`,
		1176764416,
	},
	{
		`{"model_type":"cohere","architectures":["CohereForCausalLM"],"vocab_size":256000,"hidden_size":8192,"intermediate_size":22528,"num_hidden_layers":40,"num_attention_heads":64,"num_key_value_heads":64}`,
		34980831232,
	},
	{
		`{"model_type":"cohere2","architectures":["Cohere2ForCausalLM"],"vocab_size":256000,"hidden_size":4096,"intermediate_size":14336,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,"head_dim":128}`,
		8028033024,
	},
	{
		`{"model_type":"gemma2","architectures":["Gemma2ForCausalLM"],"vocab_size":256000,"hidden_size":3584,"intermediate_size":14336,"num_hidden_layers":42,"num_attention_heads":16,"num_key_value_heads":8,"head_dim":256}`,
		9241705984,
	},
	{
		`{"model_type":"smollm3","architectures":["SmolLM3ForCausalLM"],"vocab_size":128256,"hidden_size":2048,"intermediate_size":11008,"num_hidden_layers":36,"num_attention_heads":16,"num_key_value_heads":4,"tie_word_embeddings":true}`,
		3075098624,
	},
	{
		`{"model_type":"ernie4_5","architectures":["Ernie4_5ForCausalLM"],"vocab_size":103424,"hidden_size":1024,"intermediate_size":3072,"num_hidden_layers":18,"num_attention_heads":16,"num_key_value_heads":2,"head_dim":128,"tie_word_embeddings":true}`,
		360748032,
	},
	{
		`{"model_type":"glm4","architectures":["Glm4ForCausalLM"],"vocab_size":151552,"hidden_size":4096,"intermediate_size":13696,"num_hidden_layers":40,"num_attention_heads":32,"num_key_value_heads":2,"head_dim":128,"attention_bias":true}`,
		9400279040,
	},
	{
		`{"model_type":"glm4_moe","architectures":["Glm4MoeForCausalLM"],"vocab_size":151552,"hidden_size":4096,"intermediate_size":10944,"num_hidden_layers":46,"num_attention_heads":96,"num_key_value_heads":8,"head_dim":128,"attention_bias":true,"n_routed_experts":128,"n_shared_experts":1,"num_experts_per_tok":8,"moe_intermediate_size":1408,"first_k_dense_replace":1,"use_qk_norm":false}`,
		106852245504,
	},
	{
		`{"model_type":"xglm","architectures":["XGLMForCausalLM"],"vocab_size":256008,"d_model":1024,"num_layers":24,"attention_heads":16,"ffn_dim":4096}`,
		564463616,
	},
	{
		`{"model_type":"biogpt","architectures":["BioGptForCausalLM"],"vocab_size":42384,"hidden_size":1024,"num_hidden_layers":24,"num_attention_heads":16,"intermediate_size":4096,"max_position_embeddings":1024}`,
		346763264,
	},
	{
		`{"model_type":"gpt_neo","architectures":["GPTNeoForCausalLM"],"vocab_size":50257,"hidden_size":768,"num_layers":12,"num_heads":12,"max_position_embeddings":2048}`,
		125198592,
	},
	{
		`{"model_type":"gptj","architectures":["GPTJForCausalLM"],"vocab_size":50400,"n_embd":4096,"n_layer":28,"n_head":16}`,
		6050882784,
	},
	{
		`{"model_type":"gpt_bigcode","architectures":["GPTBigCodeForCausalLM"],"vocab_size":49152,"n_embd":6144,"n_layer":40,"n_head":48,"n_positions":8192,"n_inner":24576}`,
		15517456384,
	},
	{
		`{"model_type":"whisper","architectures":["WhisperForConditionalGeneration"],"vocab_size":51866,"d_model":1280,"encoder_layers":32,"decoder_layers":32,"encoder_attention_heads":20,"decoder_attention_heads":20,"encoder_ffn_dim":5120,"decoder_ffn_dim":5120,"num_mel_bins":128}`,
		1543490560 - 1500*1280,
	},
	{
		`{"model_type":"seed_oss","architectures":["SeedOssForCausalLM"],"vocab_size":155136,"hidden_size":5120,"intermediate_size":27648,"num_hidden_layers":64,"num_attention_heads":80,"num_key_value_heads":8,"head_dim":128}`,
		36151104512,
	},
	{
		`{"model_type":"longformer","architectures":["LongformerModel"],"vocab_size":50265,"max_position_embeddings":4098,"type_vocab_size":1,"attention_window":[512]}`,
		148659456,
	},
	{
		`{"model_type":"dinov2_with_registers","architectures":["Dinov2WithRegistersModel"],"hidden_size":768,"image_size":518,"patch_size":14}`,
		86583552,
	},
	{
		`{"model_type":"speech_to_text","architectures":["Speech2TextForConditionalGeneration"]}`,
		29536256,
	},
	{
		`{"model_type":"openai-gpt","architectures":["OpenAIGPTLMHeadModel"],"vocab_size":40478,"n_positions":512,"n_embd":768,"n_layer":12,"n_head":12,"afn":"gelu"}`,
		116534784,
	},
	{
		`{"model_type":"beit","architectures":["BeitForImageClassification"],"hidden_size":768,"image_size":224,"patch_size":16,"use_relative_position_bias":true,"num_labels":1000}`,
		86530984,
	},
	{
		`{"model_type":"audio-spectrogram-transformer","architectures":["ASTForAudioClassification"],"hidden_size":768,"num_labels":527}`,
		86594063,
	},
	{
		`{"model_type":"nomic_bert","architectures":["NomicBertModel"],"vocab_size":30528,"n_embd":768,"n_layer":12,"n_head":12,"n_inner":3072,"activation_function":"swiglu","rotary_emb_fraction":1.0,"qkv_proj_bias":false,"mlp_fc1_bias":false,"mlp_fc2_bias":false,"type_vocab_size":2}`,
		136731648,
	},
	{
		`{"model_type":"llava","architectures":["LlavaForConditionalGeneration"],"text_config":{"model_type":"llama","vocab_size":32064},"vision_config":{"model_type":"clip_vision_model","hidden_size":1024,"image_size":336,"intermediate_size":4096,"num_attention_heads":16,"num_hidden_layers":24,"patch_size":14}}`,
		7063427072,
	},
	{
		`{"model_type":"llava_next","architectures":["LlavaNextForConditionalGeneration"],"text_config":{"model_type":"mistral","vocab_size":32064,"intermediate_size":14336,"num_key_value_heads":8},"vision_config":{"model_type":"clip_vision_model","hidden_size":1024,"image_size":336,"intermediate_size":4096,"num_attention_heads":16,"num_hidden_layers":24,"patch_size":14}}`,
		7566747648,
	},
}

func TestZoo(t *testing.T) {
	for _, c := range zoo {
		r, err := Read("config.json", strings.NewReader(c.text), Options{})
		if err != nil {
			t.Errorf("%.60s: %v", c.text, err)
			continue
		}
		if got := flops.CountParameters(&r.Shape).Total; got != c.want {
			t.Errorf("%.60s: %d, want %d (%d)", c.text, got, c.want, got-c.want)
		}
		if len(r.Unknown) > 0 {
			t.Errorf("%.60s: unknown fields %v", c.text, r.Unknown)
		}
	}
}
