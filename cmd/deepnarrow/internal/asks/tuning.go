package asks

import (
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
	var err error
	if t.Examples, err = amount("examples", f.examples); err != nil {
		return err
	}
	if t.Epochs, err = amount("epochs", f.epochs); err != nil {
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
