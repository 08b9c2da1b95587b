package cli

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// tuningFlags say what a run from a trained model sees, and what of the model it trains.
type tuningFlags struct {
	preset, lora, freeze string
	weights              flops.Storage
	epochs, examples     *float64
}

func (f *tuningFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(
		&f.preset,
		"preset",
		"",
		"fine-tune on a `benchmark` with the T5 paper's lengths and batch: glue, superglue or squad",
	)
	f.examples = optionalFlag(c, quantity.Count, "examples",
		"training examples, such as 100k: the run sees each --epochs times")
	f.epochs = optionalFlag(c, quantity.Number, "epochs",
		"how often each of --examples, or of the --preset's, is seen (default 1)")
	flags.StringVar(
		&f.lora,
		"lora",
		"",
		"train low-rank `adapters` only: rank=16, with targets=q,v (default), all, or some of q, k, v, o, ffn",
	)
	textFlag(
		c,
		&f.weights,
		"weights",
		"how the layers' matrices are kept that are not trained, or that serve: whole, int8 or int4 (NF4)",
	)
	flags.StringVar(&f.freeze, "freeze", "",
		"`parts` that are not trained: encoder, decoder, embeddings")
}

// ask adds what the flags state to a question. serves says that the weights are those of serving.
func (f *tuningFlags) ask(q *plan.Question, serves bool) error {
	t := &q.FineTuning
	if f.preset != "" {
		preset, err := hardware.FindFineTuning(f.preset)
		if err != nil {
			return usage("", "--preset: %w", err)
		}
		t.Preset = &preset
	}
	for _, amount := range []struct {
		name string
		flag *float64
		at   *float64
	}{{"examples", f.examples, &t.Examples}, {"epochs", f.epochs, &t.Epochs}} {
		if v := given(amount.flag); v != nil {
			if *amount.at = *v; !(*v > 0 && *v <= mostLength) {
				return usage("", "--%s is %s; allowed: more than 0, up to 1e18", amount.name,
					quantity.Shortest(*v))
			}
		}
	}
	sees := t.Examples > 0 || t.Epochs > 0
	switch {
	case t.Epochs > 0 && t.Examples == 0 && t.Preset == nil:
		return usage("", "--epochs says nothing without --examples or --preset")
	case sees && q.Length != (hardware.Length{}):
		return usage(
			"",
			"--examples and --epochs say how long the run is; allowed: without another length",
		)
	}
	var err error
	if f.lora != "" {
		if t.Tuning.Rank, t.Tuning.Targets, err = flops.ParseLoRA(f.lora); err != nil {
			return usage("", "--lora: %w", err)
		}
	}
	if f.freeze != "" {
		if t.Tuning.Frozen, err = flops.ParseParts(f.freeze); err != nil {
			return usage("", "--freeze: %w", err)
		}
	}
	if f.weights == flops.Whole || serves {
		return nil
	}
	if f.lora == "" {
		return usage(
			"",
			"--weights %s keeps what is not trained; allowed: with --lora or --serve",
			f.weights,
		)
	}
	t.Tuning.Stored = f.weights
	return nil
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *tuningFlags) inputs(in map[string]any) {
	weights := ""
	if f.weights != flops.Whole {
		weights = f.weights.String()
	}
	for name, word := range map[string]string{
		"preset": f.preset, "lora": f.lora, "freeze": f.freeze, "weights": weights,
	} {
		if word != "" {
			in[name] = word
		}
	}
	for name, v := range map[string]*float64{"examples": given(f.examples), "epochs": given(f.epochs)} {
		if v != nil {
			in[name] = *v
		}
	}
}
