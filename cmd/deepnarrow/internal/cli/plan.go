package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// planFlags are the flags of plan besides the question's.
type planFlags struct {
	asks.Question
	tuning     asks.Tuning
	fitted     string
	decode     bool
	serve      serveFlags
	generation hardware.Generation
	generate   int

	prices     string
	sure       *float64
	maxDevices int
	whatIf     []string
}

func (a *app) plan() *cobra.Command {
	var f planFlags
	c := &cobra.Command{
		Use:     "plan {SHAPE... --cluster CLUSTER | RUN.yaml}",
		Short:   "Plan a run: does it fit, how long, how much, and the bottleneck",
		GroupID: groupPlan,
		Long: `Plan a training run: whether it fits in memory, how long a step and the whole
run take, what it costs in money, energy and CO2, each with an 80 % interval, and
the bottleneck. Several shapes, clusters and values of a flag stand side by side.

A run is as long as --steps, --tokens or --days say (default 524,288 steps, as in
the paper). --max-cost and --deadline ask the inverse: the most tokens for them.
With --tokens or --steps they are limits that the run keeps to, with the probability
--sure; --devices auto then asks which clusters do, on how many devices.

With --serve the answer is what serving takes instead: the batch that is cheapest and
answers within --max-latency, the devices for --requests, dollars per million tokens.

A YAML file with phases, such as pre-training and fine-tuning on GLUE, is planned
phase by phase and added up to one bill (docs/plan.md).`,
		Example: `  deepnarrow plan t5-base --hardware tpu-v3 --devices 16
  deepnarrow plan t5-large --cluster 8xh100,64xa100,256xtpu-v5e --tokens 300B --batch 2048
  deepnarrow plan t5-xxl --hardware all --devices auto --tokens 1T --deadline 30d --batch 2048
  deepnarrow plan t5-11b --hardware a100 --devices 64 --layout auto
  deepnarrow plan t5-base --hardware a100 --devices 8 --max-cost '$5000'
  deepnarrow plan t5-base --cluster 8xa100 --what-if price=2x --what-if batch=256,512
  deepnarrow plan llama-2-7b --hardware a100 --decode --prompt 512 --generate 64
  deepnarrow plan llama-2-7b --cluster 1xrtx-4090 --lora rank=16 --weights int4 --epochs 3 --examples 50k
  deepnarrow plan llama-2-7b --hardware h100 --serve --prompt 512 --generate 64 --requests 20/s
  deepnarrow plan run.yaml`,
		Args:              asks.AtLeastOneShape(),
		ValidArgsFunction: asks.CompleteShapes,
		RunE: func(c *cobra.Command, args []string) error {
			text, err := a.runFile(args)
			switch {
			case err != nil:
				return err
			case text != nil:
				return a.planPhases(c, args[0], text)
			}
			return a.runPlan(c, args, &f)
		},
	}
	a.Output.Register(c)
	f.register(c)
	a.Files.Register(c)
	frame.ListEach(c, plan.Variables())
	return c
}

func (f *planFlags) register(c *cobra.Command) {
	f.Question.Register(c)
	f.tuning.Register(c)
	flags := c.Flags()
	flags.BoolVar(&f.decode, "decode", false,
		"also predict how long generating an answer takes, of 1 sequence or --batch")
	frame.CountFlag(c, &f.generation.Prompt, "prompt",
		"with --decode or --serve: positions of a sequence that are given (default: the encoder's)")
	frame.CountFlag(c, &f.generate, "generate",
		"with --decode or --serve: positions to generate for each sequence (default: the decoder's)")
	frame.CountFlag(c, &f.generation.Beams, "beams",
		"with --decode: hypotheses that beam search keeps of each sequence (default 1)")
	f.serve.register(c)
	flags.StringVar(&f.fitted, "fit", "",
		"also predict the loss by the law in this `file`, as fit -o writes it")
	flags.StringVar(&f.prices, "prices", "",
		"`file` of your own prices: CSV with accelerator, region, kind, usd_per_device_hour, date")
	frame.OptionalFlag(c, quantity.Fraction, &f.sure, "sure",
		"probability with which --deadline and --max-cost are kept (default 90%)")
	frame.CountFlag(c, &f.maxDevices, "max-devices",
		"most devices that --devices auto goes up to (default 1024)")
	flags.StringArrayVar(&f.whatIf, "what-if", nil,
		"also plan with one thing `changed`: price=2x, tokens=0.5x, encoder-length=512,1024")
}

// runPlan plans every shape on every cluster, or searches the clusters that can do the run.
func (a *app) runPlan(c *cobra.Command, args []string, f *planFlags) error {
	clusters, err := f.rented(a)
	if err != nil {
		return err
	}
	q, limits, err := f.limited(c)
	if err != nil {
		return err
	}
	variants, err := f.variants(c)
	if err != nil {
		return err
	}
	const most = 1000 // a few seconds
	if n := len(args) * len(clusters) * max(1, len(variants)); n > most {
		return frame.Usage("", "%d plans are asked for; allowed: at most %d side by side", n, most)
	}
	var law *learn.Law
	if f.fitted != "" {
		if law, err = asks.SavedLaw(f.fitted); err != nil {
			return err
		}
	}
	r := frame.NewReport("plan", "shapes", args)
	f.inputs(c, clusters, r.Document.Inputs)
	r.Document.Conventions["flops"] = flops.MatmulConvention
	r.Document.Conventions["tokens"] = "positions of the encoder's inputs, or of the decoder's without encoder"
	ask := planAsk{flags: c.Flags(), question: q, limits: limits, law: law, report: &r, auto: f.Devices.Auto}
	if f.prices != "" {
		if unpriced := plan.Unquoted(clusters); len(unpriced) > 0 {
			ask.warn("%s has no price of %s: that of the catalogue is taken", f.prices, strings.Join(unpriced, ", "))
		}
	}
	for _, ref := range args {
		s, warnings, err := a.Shape(ref)
		if err != nil {
			return err
		}
		r.Document.Warn(warnings...)
		ask.ref, ask.question.Shape = ref, s
		if len(args) > 1 {
			ask.of = " for " + ref
		}
		if f.Devices.Auto {
			err = ask.search(clusters)
		} else {
			err = ask.compare(clusters, variants)
		}
		if err != nil {
			return asks.PlanError(err)
		}
	}
	if len(ask.plans) == 0 && ask.none != nil {
		return asks.PlanError(ask.none)
	}
	switch {
	case f.serve.on:
		r.Serve(ask.plans)
	case !f.Devices.Auto:
		r.Plan(ask.plans, ask.limited())
	}
	err = a.Render(r)
	if f.serve.on && err == nil && !slices.ContainsFunc(ask.plans, reports.Planned.Serves) {
		s := ask.plans[0].Serving
		return frame.NoAnswer(fmt.Errorf("nothing can be served: %s", s.Missing), "")
	}
	return err
}
