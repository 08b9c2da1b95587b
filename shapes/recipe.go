package shapes

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/data"
)

// The stacks that several recipes share.
var (
	// Raffel et al. 2020, section 2.1: 32 buckets
	t5Stack    = Stack{Position: Relative, Positions: 32, FinalNorm: true}
	llamaStack = Stack{Position: Rotary, FinalNorm: true, Gated: true}
	// 1,024 positions and an offset of two
	bartStack = Stack{Position: Learned, Positions: 1026, Activation: GELU}
	// post-norm: no final normalisation
	sinusoidal      = Stack{Position: Sinusoidal}
	sinusoidalFinal = Stack{Position: Sinusoidal, FinalNorm: true}
)

// recipes maps the recipe column of released_shapes.csv to everything about an architecture that its
// row of dimensions does not say. It is never written.
var recipes = map[string]Shape{
	"t5":           t5Recipe(T5, HeadTied, false, ReLU),
	"t5.1.1":       t5Recipe(T511, HeadUntied, true, GELU),
	"ul2":          t5Recipe(T511, HeadTied, true, SiLU),
	"switch":       t5Recipe(Switch, HeadTied, false, ReLU),
	"switch-gated": t5Recipe(Switch, HeadTied, true, GELU),

	"bart": {
		Family: BART, Norm: LayerNorm, Bias: BiasAll, Encoder: bartStack, Decoder: bartStack,
		EmbeddingNorm: true,
	},
	"pegasus":     sinusoidalRecipe(BART, sinusoidalFinal, ReLU),
	"translation": sinusoidalRecipe(Translation, sinusoidal, ReLU),
	"marian":      sinusoidalRecipe(Translation, sinusoidal, SiLU),
	"whisper":     whisperRecipe(80),
	"whisper-v3":  whisperRecipe(128),

	"bert":    bertRecipe(512, 2),
	"roberta": bertRecipe(514, 1), // 512 positions and an offset of two
	"vit16":   vitRecipe(16),
	"vit14":   vitRecipe(14),

	"gpt2":  gptRecipe(HeadTied, Stack{Position: Learned, Positions: 1024}, false),
	"neox":  gptRecipe(HeadUntied, Stack{Position: Rotary, Parallel: true}, false),
	"bloom": gptRecipe(HeadTied, Stack{Position: ALiBi}, true),

	"llama":      llamaRecipe(HeadUntied, NoBias, SiLU),
	"mistral":    windowed(llamaRecipe(HeadUntied, NoBias, SiLU), 4096),
	"gemstone":   llamaRecipe(HeadUntied, NoBias, GELU),
	"gemma":      llamaRecipe(HeadTied, NoBias, GELU),
	"qwen2":      llamaRecipe(HeadUntied, BiasQKV, SiLU),
	"qwen2-tied": llamaRecipe(HeadTied, BiasQKV, SiLU),
}

func t5Recipe(family Family, head Head, gated bool, activation Activation) Shape {
	k := t5Stack
	k.Gated, k.Activation = gated, activation
	return Shape{Family: family, Head: head, Encoder: k, Decoder: k}
}

func sinusoidalRecipe(family Family, k Stack, activation Activation) Shape {
	k.Activation = activation
	return Shape{Family: family, Norm: LayerNorm, Bias: BiasAll, Encoder: k, Decoder: k}
}

func bertRecipe(positions, tokenTypes int) Shape {
	return Shape{
		Family: BERT, Norm: LayerNorm, Bias: BiasAll, Head: HeadNone,
		Encoder:       Stack{Position: Learned, Positions: positions, Activation: GELU},
		EmbeddingNorm: true, TokenTypes: tokenTypes, Pooler: true,
	}
}

func gptRecipe(head Head, k Stack, embeddingNorm bool) Shape {
	k.Activation, k.FinalNorm = GELU, true
	return Shape{
		Family: GPT, Norm: LayerNorm, Bias: BiasAll, Head: head, Decoder: k,
		EmbeddingNorm: embeddingNorm,
	}
}

func llamaRecipe(head Head, bias Bias, activation Activation) Shape {
	k := llamaStack
	k.Activation = activation
	return Shape{Family: Llama, Head: head, Bias: bias, Decoder: k}
}

func windowed(s Shape, window int) Shape {
	s.Decoder.Window = window
	return s
}

func whisperRecipe(melBins int) Shape {
	encoder := sinusoidalFinal
	encoder.Activation = GELU
	encoder.Frontend = Frontend{Kind: Audio, Channels: melBins}
	return Shape{
		Family: Whisper, Norm: LayerNorm, Bias: BiasNoKey, Encoder: encoder,
		Decoder: Stack{Position: Learned, Positions: 448, FinalNorm: true, Activation: GELU},
	}
}

func vitRecipe(patch int) Shape {
	return Shape{
		Family: ViT, Norm: LayerNorm, Bias: BiasAll, Head: HeadNone,
		Encoder: Stack{
			Position: Learned, FinalNorm: true, Activation: GELU,
			Frontend: Frontend{Kind: Patches, Channels: 3, Patch: patch},
		},
	}
}

// released returns the shape of a row of released_shapes.csv. It panics on one that is not valid.
func released(row *data.ReleasedShape) Shape {
	s, ok := recipes[row.Recipe]
	if !ok {
		panic(fmt.Sprintf("shape %q: unknown recipe %q", row.Name, row.Recipe))
	}
	s.Name, s.DModel, s.Vocab = row.Name, row.DModel, row.Vocab
	s.Encoder.fill(row, row.EncoderLayers)
	s.Decoder.fill(row, row.DecoderLayers)
	if err := s.Validate(); err != nil {
		panic(err)
	}
	return s
}

// fill adds the dimensions of a row, or leaves the zero stack when layers is 0, so that shapes stay
// comparable.
func (s *Stack) fill(row *data.ReleasedShape, layers int) {
	if layers == 0 {
		*s = Stack{}
		return
	}
	if s.Position == Learned && row.Positions != nil {
		s.Positions = *row.Positions
	}
	s.Layers, s.DFF = layers, row.DFF
	s.DKV, s.Heads, s.KVHeads = row.DKV, row.Heads, row.KVHeads
	s.Experts, s.ActiveExperts, s.SparseEvery = row.Experts, row.ActiveExperts, row.SparseEvery
}
