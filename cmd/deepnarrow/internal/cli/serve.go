package cli

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// serveFlags ask what serving takes.
type serveFlags struct {
	on                   bool
	requests, maxLatency *float64
}

func (f *serveFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&f.on, "serve", false,
		"plan serving instead of training: batch, devices, dollars per million tokens and per month")
	f.requests = optionalFlag(c, quantity.PerSecond, "requests",
		"with --serve: requests a second, such as 20/s (default: what the devices answer)")
	f.maxLatency = optionalFlag(c, quantity.Duration, "max-latency",
		"with --serve: longest time of a whole answer, such as 2s")
}

// servable are the flags of plan that serving reads besides those of output.
var servable = []string{
	"serve", "requests", "max-latency", "prompt", "generate", "sure", "weights", "batch", "tp",
	"hardware", "cluster", "devices", "price", "prices", "region", "precision", "attention", "stack",
	"compiled", "vocab", "architectures",
}

// ask turns a question of training into one of serving.
func (f *serveFlags) ask(
	c *cobra.Command,
	p *planFlags,
	q plan.Question,
) (plan.Question, plan.Limits, error) {
	var stray string
	c.Flags().Visit(func(flag *pflag.Flag) {
		if stray == "" && !slices.Contains(servable, flag.Name) && !ofOutput(flag.Name) {
			stray = flag.Name
		}
	})
	var none plan.Limits
	switch {
	case stray != "":
		return q, none, usage("", "--%s is not of serving; allowed: without --serve", stray)
	case p.devices.auto:
		return q, none, usage(
			"--requests finds how many serve",
			"--devices is auto; allowed: a number",
		)
	case len(lists(c, plan.Variables())) > 0:
		return q, none, usage("", "--serve takes one value of a flag")
	}
	ask := plan.Serving{
		Prompt: p.generation.Prompt, Generate: p.generate, Stored: p.tuning.weights,
		Batch: p.workload.Batch, TP: p.layout.TP,
	}
	for _, amount := range []struct {
		name string
		flag *float64
		at   *float64
	}{
		{"requests", f.requests, &ask.PerSecond},
		{"max-latency", f.maxLatency, &ask.MaxSeconds},
		{"sure", p.sure, &ask.Sure},
	} {
		if v := given(amount.flag); v != nil {
			if *amount.at = *v; !(*v > 0 && *v <= mostLength) || amount.name == "sure" && *v >= 1 {
				return q, none, usage(
					"",
					"--%s is %s; allowed: more than 0, up to 1e18, and --sure below 1",
					amount.name,
					quantity.Shortest(*v),
				)
			}
		}
	}
	q.Workload, q.Layout, q.Search, q.Serving = flops.Workload{}, flops.Layout{}, false, &ask
	return q, none, nil
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *serveFlags) inputs(in map[string]any) {
	if f.on {
		in["serve"] = true
	}
	for name, v := range map[string]*float64{
		"requests_per_second": given(f.requests), "max_latency_seconds": given(f.maxLatency),
	} {
		if v != nil {
			in[name] = *v
		}
	}
}

// trafficFlags say what a model serves in its life.
type trafficFlags struct {
	tokens, maxLatency *float64
	prompt, generate   int
}

func (f *trafficFlags) register(c *cobra.Command) {
	f.tokens = optionalFlag(c, quantity.Tokens, "serve-tokens",
		"tokens of requests and answers that the model serves in its life, such as 1T")
	f.maxLatency = optionalFlag(c, quantity.Duration, "max-latency",
		"with --serve-tokens: longest time of an answer, in the batch that serves cheapest")
	countFlag(c, &f.prompt, "prompt",
		"with --serve-tokens: tokens of a request (default: the encoder's length, or 512)")
	countFlag(c, &f.generate, "generate",
		"with --serve-tokens: tokens of an answer (default: the decoder's length, or 128)")
}

// ask returns the traffic; nil where none is stated.
func (f *trafficFlags) ask() (*plan.Serving, error) {
	v, longest := given(f.tokens), given(f.maxLatency)
	switch {
	case v == nil && (f.prompt+f.generate > 0 || longest != nil):
		return nil, usage(
			"",
			"--prompt, --generate and --max-latency say nothing without --serve-tokens",
		)
	case v == nil:
		return nil, nil
	case !(*v > 0 && *v <= mostLength):
		return nil, usage("", "--serve-tokens is %s; allowed: more than 0, up to 1e18",
			quantity.Shortest(*v))
	}
	ask := plan.Serving{Tokens: *v, Prompt: f.prompt, Generate: f.generate}
	if longest != nil {
		if ask.MaxSeconds = *longest; *longest == 0 {
			return nil, usage("", "--max-latency is 0; allowed: more than 0")
		}
	}
	return &ask, nil
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *trafficFlags) inputs(in map[string]any) {
	for name, v := range map[string]*float64{
		"serve_tokens": given(f.tokens), "max_latency_seconds": given(f.maxLatency),
	} {
		if v != nil {
			in[name] = *v
		}
	}
	for name, n := range map[string]int{"prompt": f.prompt, "generate": f.generate} {
		if n > 0 {
			in[name] = n
		}
	}
}
