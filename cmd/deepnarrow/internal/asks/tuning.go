package asks

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Tuning say what a run from a trained model sees, and what of the model it trains.
type Tuning struct {
	preset, lora, freeze string
	Weights              flops.Storage
	epochs, examples     *float64
}

func (f *Tuning) Register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.preset, "preset", "",
		"fine-tune on a `benchmark` with the T5 paper's lengths and batch: glue, superglue or squad")
	frame.OptionalFlag(c, quantity.Count, &f.examples, "examples",
		"training examples, such as 100k: the run sees each --epochs times")
	frame.OptionalFlag(c, quantity.Number, &f.epochs, "epochs",
		"how often each of --examples, or of the --preset's, is seen (default 1)")
	flags.StringVar(&f.lora, "lora", "",
		"train low-rank `adapters` only: rank=16, with targets=q,v (default), all, or some of q, k, v, o, ffn")
	frame.TextFlag(c, &f.Weights, "weights",
		"how the layers' matrices are kept that are not trained, or that serve: whole, int8 or int4 (NF4)")
	flags.StringVar(&f.freeze, "freeze", "",
		"`parts` that are not trained: encoder, decoder, embeddings")
}

// AddTo adds what the flags state to a question. serves says that the weights are those of serving.
func (f *Tuning) AddTo(q *plan.Question, serves bool) error {
	t := &q.FineTuning
	if f.preset != "" {
		preset, err := hardware.FindFineTuning(f.preset)
		if err != nil {
			return frame.Usage("", "--preset: %w", err)
		}
		t.Preset = &preset
	}
	var err, epochs error
	t.Examples, err = amount("examples", f.examples)
	t.Epochs, epochs = amount("epochs", f.epochs)
	if err = cmp.Or(err, epochs); err != nil {
		return err
	}
	sees := t.Examples > 0 || t.Epochs > 0
	switch {
	case t.Epochs > 0 && t.Examples == 0 && t.Preset == nil:
		return frame.Usage("", "--epochs says nothing without --examples or --preset")
	case sees && q.Length != (hardware.Length{}):
		return frame.Usage("",
			"--examples and --epochs say how long the run is; allowed: without another length")
	}
	if f.lora != "" {
		if t.Tuning.Rank, t.Tuning.Targets, err = flops.ParseLoRA(f.lora); err != nil {
			return frame.Usage("", "--lora: %w", err)
		}
	}
	if f.freeze != "" {
		if t.Tuning.Frozen, err = flops.ParseParts(f.freeze); err != nil {
			return frame.Usage("", "--freeze: %w", err)
		}
	}
	if f.Weights == flops.Whole || serves {
		return nil
	}
	if f.lora == "" {
		return frame.Usage("",
			"--weights %s keeps what is not trained; allowed: with --lora or --serve", f.Weights)
	}
	t.Tuning.Stored = f.Weights
	return nil
}

// Inputs adds what the flags state to the inputs of a JSON document.
func (f *Tuning) Inputs(in map[string]any) {
	weights := ""
	if f.Weights != flops.Whole {
		weights = f.Weights.String()
	}
	frame.State(in, "preset", f.preset, "lora", f.lora, "freeze", f.freeze, "weights", weights,
		"examples", f.examples, "epochs", f.epochs)
}

// Traffic say what a model serves in its life.
type Traffic struct {
	tokens, maxLatency *float64
	prompt, generate   int
}

func (f *Traffic) Register(c *cobra.Command) {
	frame.OptionalFlag(c, quantity.Tokens, &f.tokens, "serve-tokens",
		"tokens of requests and answers that the model serves in its life, such as 1T")
	frame.OptionalFlag(c, quantity.Duration, &f.maxLatency, "max-latency",
		"with --serve-tokens: longest time of an answer, in the batch that serves cheapest")
	frame.CountFlag(c, &f.prompt, "prompt",
		"with --serve-tokens: tokens of a request (default: the encoder's length, or 512)")
	frame.CountFlag(c, &f.generate, "generate",
		"with --serve-tokens: tokens of an answer (default: the decoder's length, or 128)")
}

// Ask returns the traffic; nil where none is stated.
func (f *Traffic) Ask() (*plan.Serving, error) {
	if f.tokens == nil {
		if f.prompt+f.generate > 0 || f.maxLatency != nil {
			return nil, frame.Usage("",
				"--prompt, --generate and --max-latency say nothing without --serve-tokens")
		}
		return nil, nil
	}
	tokens, err := amount("serve-tokens", f.tokens)
	if err != nil {
		return nil, err
	}
	return &plan.Serving{
		Tokens: tokens, Prompt: f.prompt, Generate: f.generate,
		MaxSeconds: frame.AmountOf(f.maxLatency),
	}, frame.Positive("max-latency", f.maxLatency)
}

// Inputs adds what the flags state to the inputs of a JSON document.
func (f *Traffic) Inputs(in map[string]any) {
	frame.State(in, "serve_tokens", f.tokens, "max_latency_seconds", f.maxLatency,
		"prompt", f.prompt, "generate", f.generate)
}
