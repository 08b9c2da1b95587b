package cli

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
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
	frame.OptionalFlag(c, quantity.PerSecond, &f.requests, "requests",
		"with --serve: requests a second, such as 20/s (default: what the devices answer)")
	frame.OptionalFlag(c, quantity.Duration, &f.maxLatency, "max-latency",
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
	var none plan.Limits
	stray := frame.Stray(c, servable...)
	switch {
	case stray != "":
		return q, none, frame.Usage("", "--%s is not of serving; allowed: without --serve", stray)
	case p.Devices.Auto:
		return q, none, frame.Usage("--requests finds how many serve",
			"--devices is auto; allowed: a number")
	case len(lists(c, plan.Variables())) > 0:
		return q, none, frame.Usage("", "--serve takes one value of a flag")
	}
	ask := plan.Serving{
		Prompt: p.generation.Prompt, Generate: p.generate, Stored: p.tuning.Weights,
		Batch: p.Work.Batch, TP: p.Layout.TP,
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
		if v := amount.flag; v != nil {
			if *amount.at = *v; !(*v > 0 && *v <= asks.MostLength) || amount.name == "sure" && *v >= 1 {
				return q, none, frame.Usage("",
					"--%s is %s; allowed: more than 0, up to 1e18, and --sure below 1", amount.name,
					quantity.Shortest(*v))
			}
		}
	}
	q.Workload, q.Layout, q.Search, q.Serving = flops.Workload{}, flops.Layout{}, false, &ask
	return q, none, nil
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *serveFlags) inputs(in map[string]any) {
	frame.State(in, "serve", f.on, "requests_per_second", f.requests, "max_latency_seconds", f.maxLatency)
}
