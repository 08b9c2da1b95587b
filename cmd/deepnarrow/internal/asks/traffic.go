package asks

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

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
