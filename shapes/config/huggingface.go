package config

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// model is one model_type of Hugging Face transformers.
type model struct {
	family   shapes.Family
	variants map[string]variant // by class name in "architectures"
	usual    string             // the variant of a config that names none
	read     func(*hfConfig)
	ignored  []string // fields of its class without influence on the shape
}

// variant says what a model class adds to or leaves out of the backbone.
type variant struct {
	head      bool // a language-model head (masked for BERT)
	pooler    bool
	encoder   bool   // only the encoder exists
	uncounted string // a task head that a shape cannot say
}

// hfConfig is a config.json being read.
type hfConfig struct {
	*section
	variant variant
	shape   *shapes.Shape
	assumed []string // sizes taken from the class because the file is silent
}

// huggingFace holds the supported model types. Defaults of absent fields are those of the
// configuration classes of transformers 4.x; where releases disagree about a default, the field is
// required.
var huggingFace = map[string]model{
	"t5":                  t5Model,
	"mt5":                 mt5Model,
	"switch_transformers": switchModel,
	"bart":                bartModel,
	"marian":              marianModel,
	"pegasus":             pegasusModel,
	"whisper":             whisperModel,
	"bert":                bertModel,
	"vit":                 vitModel,
	"gpt2":                gpt2Model,
	"gpt_neox":            gptNeoXModel,
	"bloom":               bloomModel,
	"llama":               llamaModel,
	"mistral":             mistralModel,
	"qwen2":               qwen2Model,
	"gemma":               gemmaModel,
}

// Architectures returns the model types of Hugging Face config.json files that [Read] understands,
// sorted.
func Architectures() []string { return slices.Sorted(maps.Keys(huggingFace)) }

// readHuggingFace builds the shape of a config.json.
func readHuggingFace(r *reading, root *node) shapes.Shape {
	s := newSection(r, root)
	name, architecture, ok := identify(s)
	if !ok {
		return shapes.Shape{}
	}
	m := huggingFace[name]
	shape := shapes.Shape{Family: m.family}
	c := &hfConfig{section: s, variant: m.variants[architecture], shape: &shape}
	if c.variant.uncounted != "" {
		r.warn(r.place("architectures"), "%s: %s is not counted", architecture, c.variant.uncounted)
	}
	s.refuse("pruned_heads", isEmpty, "every layer needs the same number of heads")
	m.read(c)
	if len(c.assumed) > 0 {
		r.warn(root.at, "absent, so the default of model_type %s is used: %s", name,
			strings.Join(c.assumed, ", "))
	}
	s.skip(ignoredByAll...)
	s.skip(m.ignored...)
	for _, f := range s.untaken() {
		r.unknown = append(r.unknown, Field{Position: f.at, Name: f.name})
	}
	return shape
}

// identify returns the model type and the class to build. Either of the two fields may be missing,
// none may be unknown, and they may not disagree.
func identify(s *section) (name, architecture string, ok bool) {
	before := len(s.faults)
	architecture, architectureAt := firstArchitecture(s)
	typeField, typed := s.take("model_type")
	name = s.word("model_type", "", "model_type")
	if len(s.faults) > before {
		return "", "", false
	}
	if name == "" {
		if name = modelOf(architecture); name == "" {
			at, value := s.at, ""
			if architecture != "" {
				at, value = architectureAt, quote(architecture)
			}
			s.fault(at, "model_type", "is missing and architectures does not tell it", value,
				"one of "+strings.Join(Architectures(), ", "))
			return "", "", false
		}
	}
	m, known := huggingFace[name]
	if !known {
		at := s.at
		if typed {
			at = typeField.value.at
		}
		s.fault(at, "model_type", "is an architecture this reader does not know", quote(name),
			"one of "+strings.Join(Architectures(), ", "))
		return "", "", false
	}
	if architecture == "" {
		s.warn(s.at, "architectures is absent; read as %s", m.usual)
		return name, m.usual, true
	}
	if _, known := m.variants[architecture]; !known {
		s.fault(architectureAt, "architectures",
			"is not a class of model_type "+name+" this reader knows", quote(architecture),
			allowedWords(m.variants))
		return "", "", false
	}
	return name, architecture, true
}

// firstArchitecture returns the first class name of "architectures".
func firstArchitecture(s *section) (string, Position) {
	f, present := s.take("architectures")
	if !present || f.value.kind == null || f.value.kind == list && len(f.value.items) == 0 {
		return "", s.at
	}
	s.note("architectures", f.name, f.at)
	if f.value.kind != list || f.value.items[0].kind != word {
		s.fault(f.value.at, f.name, "is not a list of class names", f.value.show(), `such as ["T5ForConditionalGeneration"]`)
		return "", s.at
	}
	first := f.value.items[0]
	if len(f.value.items) > 1 {
		s.warn(f.value.items[1].at, "only the first of %d architectures is read",
			len(f.value.items))
	}
	return first.text, first.at
}

// modelOf returns the model type that owns a class name, or "".
func modelOf(architecture string) string {
	for _, name := range Architectures() {
		if _, ok := huggingFace[name].variants[architecture]; ok {
			return name
		}
	}
	return ""
}

// size reads a dimension; absent, it is the class's default and is mentioned.
func (c *hfConfig) size(shapeFields string, absent int, names ...string) int {
	before := len(c.faults)
	v, ok := c.optional(shapeFields, names...)
	if !ok && len(c.faults) == before {
		if f, present := c.byName[names[0]]; present {
			c.fault(f.value.at, f.name, "is null", "", "a whole number")
		}
		c.assumed = append(c.assumed, names[0]+" "+strconv.Itoa(absent))
		return absent
	}
	if !ok {
		return absent
	}
	return v
}

// required reads a dimension whose default differs between releases.
func (c *hfConfig) required(shapeFields string, names ...string) int {
	v, ok := c.optional(shapeFields, names...)
	if f, present := c.take(names...); !ok && (!present || f.value.kind == null) {
		c.fault(c.at, names[0], "is missing", "",
			"a whole number: its default differs between releases of transformers")
	}
	return v
}

// headWidth returns d_model / heads, or 0 and a fault when it is not whole.
func (c *hfConfig) headWidth(headsField string, width, heads int) int {
	if heads == 0 || width == 0 {
		return 0 // validation names the one that is zero
	}
	if width%heads != 0 {
		f := c.where(headsField)
		c.fault(f.Position, f.Name, "does not divide the width", strconv.Itoa(heads),
			"a divisor of "+strconv.Itoa(width))
		return 0
	}
	return width / heads
}

// lmHead returns the head of a language model with or without tied embedding.
func (c *hfConfig) lmHead(tiedWhenAbsent bool) shapes.Head {
	tied := c.flag("head", tiedWhenAbsent, "tie_word_embeddings")
	switch {
	case !c.variant.head:
		return shapes.HeadNone
	case tied:
		return shapes.HeadTied
	}
	return shapes.HeadUntied
}

// activations are the names transformers and gin give to what [shapes.Shape] tells apart.
var activations = map[string]shapes.Activation{
	"relu": shapes.ReLU,
	"gelu": shapes.GELU, "gelu_new": shapes.GELU, "gelu_fast": shapes.GELU,
	"gelu_python": shapes.GELU, "gelu_pytorch_tanh": shapes.GELU, "quick_gelu": shapes.GELU,
	"silu": shapes.SiLU, "swish": shapes.SiLU,
}

// activation reads the non-linearity of the feed-forward of both stacks.
func (s *section) activation(absent shapes.Activation, names ...string) shapes.Activation {
	w := s.word("encoder.activation decoder.activation", absent.String(), names...)
	a, known := activations[w]
	if !known {
		f := s.where("decoder.activation")
		s.fault(f.Position, f.Name, "is an activation this reader does not know", quote(w),
			allowedWords(activations))
	}
	return a
}

// slidingWindow warns when attention is windowed, which changes operations but not parameters.
func (c *hfConfig) slidingWindow() {
	if f, ok := c.take("sliding_window"); ok && f.value.kind == number {
		c.warn(f.at,
			"sliding_window %s is not modelled: attention is counted over the whole sequence",
			f.value.show())
	}
}

// ignoredByAll are fields of every configuration class that say how a model is run, generated from
// or trained, not what it is.
var ignoredByAll = []string{
	"_name_or_path", "transformers_version", "torch_dtype", "dtype", "torchscript", "use_bfloat16",
	"use_cache",
	"output_attentions", "output_hidden_states", "output_past", "return_dict",
	"return_dict_in_generate", "is_encoder_decoder", "tie_encoder_decoder",
	"pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "decoder_start_token_id",
	"forced_bos_token_id", "forced_eos_token_id",
	"max_length", "min_length", "do_sample", "early_stopping", "num_beams", "num_beam_groups",
	"diversity_penalty", "temperature", "top_k", "top_p",
	"typical_p", "repetition_penalty", "length_penalty", "no_repeat_ngram_size",
	"encoder_no_repeat_ngram_size", "bad_words_ids", "num_return_sequences",
	"output_scores", "remove_invalid_values", "exponential_decay_length_penalty", "suppress_tokens",
	"begin_suppress_tokens", "prefix", "task_specific_params",
	"id2label", "label2id", "num_labels", "_num_labels", "problem_type", "finetuning_task",
	"tokenizer_class", "gradient_checkpointing", "chunk_size_feed_forward",
	"initializer_range", "initializer_factor", "init_std", "attn_implementation",
	"_attn_implementation_autoset", "auto_map", "quantization_config",
	"dropout", "dropout_rate", "attention_dropout", "activation_dropout", "classifier_dropout",
	"hidden_dropout", "layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps",
	"scale_embedding", "cross_attention_hidden_size", "forced_decoder_ids",
	"force_bos_token_to_be_generated", "renormalize_logits", "xla_device",
}
