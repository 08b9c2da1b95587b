package shapes

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/data"
)

// recipe is everything about an architecture that its row of dimensions does not say.
type recipe struct {
	family           Family
	norm             Norm
	bias             Bias
	head             Head
	gated            bool
	activation       Activation
	encoder, decoder stackRecipe
	embeddingNorm    bool
	tokenTypes       int
	pooler           bool
}

type stackRecipe struct {
	position  Position
	positions int
	finalNorm bool
	frontend  Frontend
	parallel  bool // attention and feed-forward side by side
	window    int  // positions that a query sees; 0 = all
}

// The stacks that several recipes share.
var (
	// Raffel et al. 2020, section 2.1: 32 buckets
	t5Stack    = stackRecipe{position: Relative, positions: 32, finalNorm: true}
	llamaStack = stackRecipe{position: Rotary, finalNorm: true}
	bartStack  = stackRecipe{position: Learned, positions: 1026} // 1,024 and an offset of two
	// post-norm: no final normalisation
	sinusoidal      = stackRecipe{position: Sinusoidal}
	sinusoidalFinal = stackRecipe{position: Sinusoidal, finalNorm: true}
	whisperDecoder  = stackRecipe{position: Learned, positions: 448, finalNorm: true}
)

// recipes maps the recipe column of released_shapes.csv to its meaning. It is never written.
var recipes = map[string]recipe{
	"t5":           t5Recipe(T5, HeadTied, false, ReLU),
	"t5.1.1":       t5Recipe(T511, HeadUntied, true, GELU),
	"ul2":          t5Recipe(T511, HeadTied, true, SiLU),
	"switch":       t5Recipe(Switch, HeadTied, false, ReLU),
	"switch-gated": t5Recipe(Switch, HeadTied, true, GELU),

	"bart": {
		family: BART, norm: LayerNorm, bias: BiasAll, activation: GELU,
		encoder: bartStack, decoder: bartStack, embeddingNorm: true,
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

	"gpt2": gptRecipe(HeadTied, stackRecipe{position: Learned, positions: 1024, finalNorm: true},
		false),
	"neox": gptRecipe(HeadUntied, stackRecipe{position: Rotary, finalNorm: true, parallel: true},
		false),
	"bloom": gptRecipe(HeadTied, stackRecipe{position: ALiBi, finalNorm: true}, true),

	"llama":      llamaRecipe(HeadUntied, NoBias, SiLU),
	"mistral":    windowed(llamaRecipe(HeadUntied, NoBias, SiLU), 4096),
	"gemstone":   llamaRecipe(HeadUntied, NoBias, GELU),
	"gemma":      llamaRecipe(HeadTied, NoBias, GELU),
	"qwen2":      llamaRecipe(HeadUntied, BiasQKV, SiLU),
	"qwen2-tied": llamaRecipe(HeadTied, BiasQKV, SiLU),
}

func t5Recipe(family Family, head Head, gated bool, activation Activation) recipe {
	return recipe{
		family: family, head: head, gated: gated, activation: activation,
		encoder: t5Stack, decoder: t5Stack,
	}
}

func sinusoidalRecipe(family Family, stack stackRecipe, activation Activation) recipe {
	return recipe{
		family: family, norm: LayerNorm, bias: BiasAll, activation: activation,
		encoder: stack, decoder: stack,
	}
}

func bertRecipe(positions, tokenTypes int) recipe {
	return recipe{
		family: BERT, norm: LayerNorm, bias: BiasAll, head: HeadNone, activation: GELU,
		encoder:       stackRecipe{position: Learned, positions: positions},
		embeddingNorm: true, tokenTypes: tokenTypes, pooler: true,
	}
}

func gptRecipe(head Head, stack stackRecipe, embeddingNorm bool) recipe {
	return recipe{
		family: GPT, norm: LayerNorm, bias: BiasAll, head: head, activation: GELU,
		decoder: stack, embeddingNorm: embeddingNorm,
	}
}

func llamaRecipe(head Head, bias Bias, activation Activation) recipe {
	return recipe{
		family: Llama, head: head, bias: bias, gated: true, activation: activation,
		decoder: llamaStack,
	}
}

func windowed(r recipe, window int) recipe {
	r.decoder.window = window
	return r
}

func whisperRecipe(melBins int) recipe {
	encoder := sinusoidalFinal
	encoder.frontend = Frontend{Kind: Audio, Channels: melBins}
	return recipe{
		family: Whisper, norm: LayerNorm, bias: BiasNoKey, activation: GELU,
		encoder: encoder, decoder: whisperDecoder,
	}
}

func vitRecipe(patch int) recipe {
	return recipe{
		family: ViT, norm: LayerNorm, bias: BiasAll, head: HeadNone, activation: GELU,
		encoder: stackRecipe{
			position: Learned, finalNorm: true,
			frontend: Frontend{Kind: Patches, Channels: 3, Patch: patch},
		},
	}
}

// released returns the shape of a row of released_shapes.csv.
func released(row *data.ReleasedShape) (Shape, error) {
	r, ok := recipes[row.Recipe]
	if !ok {
		return Shape{}, fmt.Errorf("shape %q: unknown recipe %q", row.Name, row.Recipe)
	}
	s := Shape{
		Name:          row.Name,
		Family:        r.family,
		DModel:        row.DModel,
		Vocab:         row.Vocab,
		Encoder:       r.stack(&r.encoder, row, row.EncoderLayers),
		Decoder:       r.stack(&r.decoder, row, row.DecoderLayers),
		Head:          r.head,
		Norm:          r.norm,
		Bias:          r.bias,
		EmbeddingNorm: r.embeddingNorm,
		TokenTypes:    r.tokenTypes,
		Pooler:        r.pooler,
	}
	return s, s.Validate()
}

// stack returns the zero stack when layers is 0, so that shapes stay comparable.
func (r *recipe) stack(k *stackRecipe, row *data.ReleasedShape, layers int) Stack {
	if layers == 0 {
		return Stack{}
	}
	positions := k.positions
	if k.position == Learned && row.Positions != nil {
		positions = *row.Positions
	}
	return Stack{
		Layers: layers, DFF: row.DFF, Gated: r.gated, Activation: r.activation,
		DKV: row.DKV, Heads: row.Heads, KVHeads: row.KVHeads,
		Position: k.position, Positions: positions,
		FinalNorm: k.finalNorm, Frontend: k.frontend, Parallel: k.parallel, Window: k.window,
		Experts: row.Experts, ActiveExperts: row.ActiveExperts, SparseEvery: row.SparseEvery,
	}
}
