package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/reports/figure"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

func (a *app) recommend() *cobra.Command {
	var ask asks.Question
	var f recommendFlags
	c := &cobra.Command{
		Use:     "recommend --like SHAPE | --max-...",
		Short:   "Recommend DeepNarrow shapes for a budget",
		GroupID: groupRecommend,
		Long: `Recommend shapes to train instead of one (--like), or within a budget (--max-params,
--max-flops, --max-step-time, --max-device-hours, --max-cost, --max-memory,
--max-decode-latency) or about a size (--params). The answer comes first: for each
axis the shape that saves most of it at the same quality. A table of shapes follows,
each with its cost, its predicted or measured quality with an interval, and the
evidence for it. Without --hardware there is no time and no money. With --out the
shape to start from is also written as a configuration, as export writes it.

--days, or --published with a limit, ask for size and tokens together instead, as
allocate does: what to train on the --cluster for so long or so much.`,
		Example: `  deepnarrow recommend --like t5-base --hardware tpu-v3 --devices 16
  deepnarrow recommend --like t5-large --candidates catalogue
  deepnarrow recommend --max-params 150M --el-dl free --objective quality
  deepnarrow recommend --like t5-base --hardware a100 --objective lifetime-cost --serve-tokens 1T`,
		Args: frame.NoArguments("--like SHAPE names a shape, --records FILE your runs"),
		RunE: func(c *cobra.Command, _ []string) error {
			var laws, family error
			if f.laws != "" {
				laws = frame.Word("value of --laws", f.laws, "all")
			}
			if f.like != "" && c.Flags().Changed("family") {
				family = frame.Usage("", "--family is that of --like; allowed: without --like")
			}
			if err := cmp.Or(frame.CheckPlot(f.plot), laws, frame.Needs(c, "out", "to"),
				frame.Word("format of --to", f.to, config.ExportFormats()...), family,
				frame.Needs(c, "records", "map", "where", "records-group")); err != nil {
				return err
			}
			if f.sizing() {
				return f.size(c, a, &ask)
			}
			request, err := f.request(a, &ask)
			if err != nil {
				return err
			}
			result, err := a.recommended(request)
			if err != nil {
				return err
			}
			r := frame.NewReport("recommend")
			if missing := result.Evidence.Missing; f.records != "" && missing != "" {
				r.Document.Warn("the records judge no quality, and rows stand by cost alone: " +
					missing)
			}
			r.Document.Inputs = f.inputs(reports.ObjectiveName(&result))
			ask.Inputs(r.Document.Inputs)
			r.Document.Warn(f.warnings...)
			r.Document.Conventions["flops"] = "matmul"
			r.Document.Conventions["saved"] = "fraction of the anchor saved: 0.4 is 40 % less, negative is more"
			if f.explain != "" {
				if err := explainRow(&r, request, &result, f.explain); err != nil {
					return err
				}
			} else {
				r.Recommend(&result, request.Source == recommend.Listed)
				if f.laws != "" {
					r.Opinions(&result)
				}
			}
			if err := a.Beside(plotFront(f.plot, &result)); err != nil {
				return err
			}
			if f.out != "" {
				pick := result.Pick()
				if pick == nil {
					return frame.NoAnswer(errors.New("no row is the one to start from: nothing ranks them"),
						"deepnarrow export writes any shape of the table")
				}
				if err := a.Beside(a.writeShape(&pick.Shape, f.to, f.out, f.like)); err != nil {
					return err
				}
			}
			return a.Render(r)
		},
	}
	a.Output.Register(c)
	f.register(c)
	ask.RegisterWork(c)
	return c
}

// plotFront draws the rows into a file; an empty name asks for none.
func plotFront(file string, result *recommend.Result) error {
	if file == "" {
		return nil
	}
	format, err := figure.FormatOf(file)
	if err != nil {
		return err
	}
	panel, clouds := reports.Front(result)
	if len(clouds) == 0 {
		return frame.NoAnswer(fmt.Errorf("--plot has nothing to draw: %s", result.Evidence.Missing), "")
	}
	return frame.WriteFile(file, func(w io.Writer) error { return figure.WriteClouds(w, format, panel, clouds) })
}

// recommended answers a request, with the exit code that belongs to a refusal.
func (a *app) recommended(request recommend.Request) (recommend.Result, error) {
	result, err := recommend.Recommend(request)
	var none *recommend.NoAnswerError
	switch {
	case errors.As(err, &none):
		hint := "loosen that limit, or --depth, --min-d-model and --candidates"
		switch {
		case none.Unjudged:
			hint = "deepnarrow list evidence shows what published results there are"
		case none.Unknown:
			hint = "--hardware names an accelerator, --price its price: deepnarrow list hardware"
		}
		return result, frame.NoAnswer(err, hint)
	case frame.Is[*shapes.InvalidError](err), frame.Is[*hardware.NoLayoutError](err),
		frame.Is[*hardware.RegionError](err):
		return result, asks.PlanError(err)
	case err != nil:
		return result, frame.Usage(a.hintOf("recommend"), "%w", err)
	}
	return result, nil
}

// sources lists the kinds of candidates that the flags ask for.
func (f *recommendFlags) sources() []string {
	switch {
	case f.candidates == "":
		return []string{"catalogue", "lattice"}
	case f.listed():
		return []string{"listed"}
	}
	return []string{f.candidates}
}

// listed says whether the user names the candidates.
func (f *recommendFlags) listed() bool {
	return f.candidates != "" && f.candidates != "catalogue" && f.candidates != "lattice"
}

// hintOf points at a command's help.
func (a *app) hintOf(command string) string {
	return "deepnarrow " + command + " --help lists the flags"
}

// recommendFlags are the question and its limits.
type recommendFlags struct {
	like, candidates, objective, judge, depth, tie, align, gated, family string
	records, groupBy, laws, fitted, plot, explain, out, to               string
	runs                                                                 asks.Runs
	tokensPerParam                                                       *float64
	serving                                                              asks.Traffic
	evidence                                                             []string
	caps                                                                 []limit
	published                                                            []string
	days                                                                 *float64
	minDModel, maxDModel, vocab, top                                     int
	score                                                                string
	params                                                               *float64
	// of the files that --like and --records name
	warnings []string
}

// limit is a flag --max-METRIC.
type limit struct {
	metric plan.Metric
	value  *float64
	help   string
}

// cap returns the limit on a metric, 0 where none is given.
func (f *recommendFlags) cap(m plan.Metric) float64 {
	i := slices.IndexFunc(f.caps, func(l limit) bool { return l.metric == m })
	return frame.AmountOf(f.caps[i].value)
}

func (f *recommendFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.like, "like", "", "the `shape` to beat")
	f.caps = []limit{
		{plan.Params, nil, "most parameters, such as 150M"},
		{plan.RunFLOPs, nil, "most FLOPs of the whole run, such as 1e21"},
		{plan.StepTime, nil, "longest step, such as 80ms"},
		{plan.DeviceHours, nil, "most device-hours of the whole run"},
		{plan.Cost, nil, "largest bill of the whole run, such as $5000"},
		{plan.Memory, nil, "most memory of a device, such as 16GiB"},
		{plan.DecodeLatency, nil, "longest time to generate one answer (batch 1) with one copy of the model"},
		{plan.LifetimeCost, nil, "largest bill of training and serving --serve-tokens"},
	}
	for i := range f.caps {
		cap := &f.caps[i]
		frame.OptionalFlag(c, cap.metric.Kind(), &cap.value, "max-"+cap.metric.String(), cap.help)
	}
	flags.StringVar(&f.objective, "objective", "",
		"what to save: params, flops, step-time, device-hours, cost, memory, decode-latency, lifetime-cost (with --serve-tokens); or quality within the limits (default with --like cost where it is known, else flops; without --like quality)")
	frame.OptionalFlag(c, quantity.Params, &f.params, "params", "about this size, such as 1B: within a tenth")
	flags.StringVar(&f.score, "score", "",
		"downstream score: superglue, average, glue or squad (default superglue)")
	flags.StringVar(&f.judge, "judge", "downstream",
		"which quality is compared: downstream or upstream")
	flags.StringVar(&f.candidates, "candidates", "",
		"catalogue (released shapes), lattice (any aligned shape), or shapes to rank: names or configurations separated by commas, or a file with one a line or a column shape (default catalogue and lattice)")
	flags.StringVar(&f.family, "family", "t5",
		"family of the candidates without --like: t5, t5.1.1, gpt or bert")
	frame.CountFlag(c, &f.minDModel, "min-d-model", "smallest d_model")
	frame.CountFlag(c, &f.maxDModel, "max-d-model", "largest d_model")
	flags.StringVar(&f.depth, "depth", "",
		"fewest and most layers of a stack, such as 4:48 (default 2:48; on a lattice without records 2:36, as far as the evidence goes)")
	flags.StringVar(&f.tie, "el-dl", "free", "encoder and decoder depth: free or tied")
	flags.StringVar(&f.align, "align", "",
		"dimensions are multiples of it: 64, 128 or profile (default profile where its alignment is known, else 64)")
	frame.CountFlag(c, &f.vocab, "vocab", "vocabulary (default: that of --like)")
	flags.StringVar(&f.gated, "gated", "", "gated feed-forward: yes or no (default: as --like)")
	flags.StringSliceVar(&f.evidence, "evidence", nil,
		"use evidence of these classes only: primary, secondary, figure, recalled")
	frame.CountFlag(c, &f.top, "top", "rows at most (default 12)")
	flags.StringVar(&f.records, "records", "",
		"`file` of your own runs, used instead of the published ones, as fit reads them")
	flags.StringVar(&f.fitted, "fit", "",
		"use the law in this `file`, as fit -o writes it, instead of the published results")
	flags.StringVar(&f.groupBy, "records-group", "",
		"column that tells runs apart whose losses are not on one scale")
	flags.StringArrayVar(&f.runs.Mapping, "map", nil,
		"`ours=theirs`: which column of --records is ours, such as params='Model Size'")
	flags.StringVar(&f.runs.Where, "where", "",
		"use the rows of --records that meet these `conditions`")
	flags.StringVar(&f.laws, "laws", "",
		"all: also show what each published law prefers among the rows")
	flags.StringVar(&f.plot, "plot", "",
		"also draw the cost against the quality to this `file` (.svg, .png or .pdf)")
	flags.StringVar(&f.out, "out", "",
		"also write the shape to start from into this `DIR`, as export does")
	frame.Writes(c, frame.AFile, "plot")
	frame.Writes(c, frame.AFolder, "out")
	flags.StringVar(&f.to, "to", "hf",
		"the `FORMAT` of --out: "+strings.Join(config.ExportFormats(), ", "))
	flags.StringVar(&f.explain, "explain", "",
		"show the formulas, sources and measured rows behind one `row` instead: its number, its shape, or anchor")
	flags.StringArrayVar(&f.published, "published", nil,
		"without --like: find size and tokens together for one budget by these published `laws`, as allocate does")
	f.serving.Register(c)
	frame.DaysFlag(c, &f.days, "days",
		"without --like: what to train on the cluster in this time, 14, 14d or 36h, as allocate does")
	frame.OptionalFlag(c, quantity.Ratio, &f.tokensPerParam, "tokens-per-param",
		"training tokens for each parameter of a candidate, such as 20")
}

// inputs returns the question as the JSON document states it.
func (f *recommendFlags) inputs(objective string) map[string]any {
	in := map[string]any{"objective": objective, "candidates": f.sources()}
	frame.State(in, "like", f.like)
	for _, l := range f.caps {
		frame.State(in, "max_"+strings.ReplaceAll(l.metric.String(), "-", "_"), l.value)
	}
	f.serving.Inputs(in)
	return in
}

// request turns the flags into a request.
func (f *recommendFlags) request(a *app, ask *asks.Question) (recommend.Request, error) {
	r := recommend.Request{Top: f.top, Caps: map[plan.Metric]float64{}}
	var err error
	if f.objective != "" {
		if r.Objective, err = recommend.ParseObjective(f.objective); err != nil {
			return r, frame.Usage("", "--objective: %w", err)
		}
	}
	for _, l := range f.caps {
		if err = frame.Positive("max-"+l.metric.String(), l.value); err != nil {
			return r, err
		}
		if l.value != nil {
			r.Caps[l.metric] = *l.value
		}
	}
	r.Params, r.TokensPerParam = frame.AmountOf(f.params), frame.AmountOf(f.tokensPerParam)
	if err := cmp.Or(frame.Positive("params", f.params),
		frame.Positive("tokens-per-param", f.tokensPerParam)); err != nil {
		return r, err
	}
	if f.like == "" && len(r.Caps) == 0 && r.Params == 0 && !f.listed() {
		return r, frame.Usage(a.hintOf("recommend"),
			"recommend needs a shape to beat (--like), a size (--params), a limit (--max-params, …) or shapes to rank (--candidates)")
	}
	if err := f.anchor(a, &r); err != nil {
		return r, err
	}
	if err := f.choices(a, &r); err != nil {
		return r, err
	}
	var question, serving error
	r.Question, question = ask.Searched()
	r.Question.Serving, serving = f.serving.Ask()
	if err := cmp.Or(f.constraints(&r.Constraints), question, serving); err != nil {
		return r, err
	}
	if f.fitted != "" {
		law, err := asks.SavedLaw(f.fitted)
		if err != nil {
			return r, err
		}
		r.Fitted = law.Result
	}
	if f.records != "" {
		var notes []string
		if r.Records, notes, err = a.RecordRows(&f.runs, f.records, f.groupBy); err != nil {
			return r, err
		}
		f.warnings = append(f.warnings, notes...)
	}
	return r, f.alignment(&r)
}

// anchor resolves --like, or without it --family.
func (f *recommendFlags) anchor(a *app, r *recommend.Request) error {
	if f.like == "" {
		r.Family = shapes.Family(f.family)
		return frame.Word("family", f.family, "t5", "t5.1.1", "gpt", "bert")
	}
	s, warnings, err := a.Shape(f.like)
	f.warnings = append(f.warnings, warnings...)
	r.Anchor = &s
	return err
}

// choices reads the flags that are one of a few words.
func (f *recommendFlags) choices(a *app, r *recommend.Request) error {
	if err := frame.Word("quality", f.judge, "downstream", "upstream"); err != nil {
		return err
	}
	if f.judge == "upstream" {
		r.JudgedBy = evidence.ByUpstream
	}
	if f.score != "" {
		if r.JudgedBy == evidence.ByUpstream {
			return frame.Usage("", "--score names a downstream score; allowed: with --judge downstream")
		}
		if f.records != "" || f.fitted != "" {
			return frame.Usage("", "--score is of the published results; allowed: without --records and --fit")
		}
		var err error
		if r.Score, err = evidence.ParseScore(f.score); err != nil {
			return frame.Usage("", "--score: %w", err)
		}
	}
	switch f.candidates {
	case "":
		r.Source = recommend.Mixed
	case "lattice":
		r.Source = recommend.Lattice
	case "catalogue":
		r.Source = recommend.Catalogue
	default:
		listed, warnings, err := a.ListedShapes(f.candidates)
		if err != nil {
			return err
		}
		r.Source, r.Candidates = recommend.Listed, listed
		f.warnings = append(f.warnings, warnings...)
	}
	for _, word := range f.evidence {
		e, err := data.ParseEvidence(word)
		if err != nil {
			return frame.Usage("", "--evidence: %w", err)
		}
		r.Evidence = append(r.Evidence, e)
	}
	return nil
}

func (f *recommendFlags) constraints(c *recommend.Constraints) (err error) {
	c.MinDModel, c.MaxDModel, c.Vocab = f.minDModel, f.maxDModel, f.vocab
	c.TieDepths = f.tie == "tied"
	if err = frame.Word("value of --el-dl", f.tie, "free", "tied"); err != nil {
		return err
	}
	if c.Gated, err = frame.YesNo("value of --gated", f.gated, "", "yes", "no"); err != nil {
		return err
	}
	if f.depth != "" {
		if c.MinDepth, c.MaxDepth, err = recommend.ParseDepths(f.depth); err != nil {
			return frame.Usage("", "--depth is %w", err)
		}
	}
	return nil
}

func (f *recommendFlags) alignment(r *recommend.Request) error {
	if f.align != "" {
		if err := frame.Word("alignment", f.align, "64", "128", "profile"); err != nil {
			return err
		}
	}
	if !r.Constraints.AlignTo(f.align, r.Question.Profile) {
		return frame.Usage("", "--align profile needs a --hardware whose alignment is known")
	}
	return nil
}

// explainRow reports where the numbers of one recommended row come from.
func explainRow(r *reports.Report, request recommend.Request, result *recommend.Result,
	which string,
) error {
	row := result.Row(which)
	if row == nil {
		return frame.Usage("", "--explain: no row %q; allowed: 1 to %d, the name of a row's shape, anchor",
			which, len(result.Rows))
	}
	e, err := recommend.Explain(request, row)
	if err != nil {
		return err
	}
	r.Document.Inputs["explain"] = which
	r.Document.Warn(result.Warnings...)
	r.Explain(request.Source == recommend.Listed, result, row, &e)
	return nil
}
