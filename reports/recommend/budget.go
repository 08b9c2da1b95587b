package recommend

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Budget is what a model may cost; one of the amounts is set.
type Budget struct {
	FLOPs       float64 // matmul convention, of both stacks
	WallSeconds float64 // of the cluster, restarts and checkpoints included
	DeviceHours float64
	USD         float64
}

// SizeQuestion asks which model to train, on how many tokens, for a budget.
type SizeQuestion struct {
	Law    *learn.Law // of loss in params and tokens
	Family shapes.Family
	Budget Budget
	// Question is how every candidate is planned. Its profile and devices may be absent where the
	// budget is in FLOP; a batch that it leaves open is a million tokens.
	Question plan.Question
	// ServeTokens is how many tokens the model serves in its life, on the same budget; ServeMFU the
	// utilisation at which, 0 for that of training.
	ServeTokens, ServeMFU float64
	Level                 float64 // of the intervals
}

// Sizing is the model that a budget buys.
type Sizing struct {
	Rows    []SizedRow // the best first, then others to compare with
	Level   float64
	Priced  int // candidates that were planned
	OffEdge int // draws of the law whose best size is at an end of the candidates
	Notes   []string
}

// SizedRow is a shape and the tokens that the budget trains it on.
type SizedRow struct {
	Why    string // it is shown
	Answer plan.Answer
	// Params holds the interval of the best size; of other rows the count alone.
	Params, Tokens, Loss quantity.Interval
	Served               float64 // share of the budget that serving takes
}

// Answer returns the shape whose predicted loss is lowest when the whole budget is spent on it.
//
//	tokens = (budget − served)/cost of a token
//	cost of a token = FLOPs of a step/tokens of a step                    of a budget in FLOP
//	                = devices · step seconds/(goodput · tokens of a step)   of time and money, in device-seconds
//	served = tokens served · forward FLOPs of a token [/(peak · MFU)]
//
// Candidates are the released shapes of the family and an aligned lattice of usual proportions, whose
// heads shard, each in its fastest layout that fits; so the FLOPs that money buys are those that the
// predicted utilisation of that very size gives. Size and tokens follow together.
//
// The interval of the size holds the sizes that are best under the draws of the law and at the ends of
// the step time; of tokens and loss likewise, law and speed being independent. A published law has no
// draws: the interval is then of the speed alone.
//
// Errors: [*NoAnswerError] where no candidate fits or is affordable, [*fit.Refusal] of the law,
// [*hardware.MissingError] for what the profile lacks.
//
// Not modelled: the batch is the same for all sizes; serving runs at one utilisation, whatever the
// lengths of prompts and answers.
//
// Source: Hoffmann et al. 2022, §3, arXiv 2203.15556; of serving Sardana et al. 2024, eq. 1, arXiv
// 2401.00448.
func (q SizeQuestion) Answer() (*Sizing, error) {
	s := &sizer{SizeQuestion: &q}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	window, err := s.window()
	if err != nil {
		return nil, err
	}
	priced, err := s.priceAround(window)
	if err != nil {
		return nil, err
	}
	out := &Sizing{Level: q.Level, Priced: len(priced)}
	out.Notes = []string{"The law sees size alone: of shapes of one size the fastest is taken. recommend compares shapes."}
	best := s.best(priced, s.Law.Result.Params, 1)
	if best < 0 {
		return nil, &NoAnswerError{Reason: "the budget trains no candidate for a single step"}
	}
	s.rows(out, priced, best)
	return out, s.plan(out)
}

// sizer is one question being answered.
type sizer struct {
	*SizeQuestion
	template   shapes.Shape
	budget     float64 // in FLOP, or in device-seconds
	stepTokens float64
}

const secondsPerHour = 3600

// sizeTemplates are the shapes whose recipe the candidates of a family follow.
var sizeTemplates = map[shapes.Family]string{
	shapes.T5: "t5-base", shapes.T511: "t5-v1_1-base", shapes.BERT: "bert-base",
	shapes.GPT: "gpt2", shapes.Llama: "llama-2-7b",
}

// SizeFamilies lists the families of candidates.
func SizeFamilies() []string { return families(sizeTemplates) }

func (s *sizer) prepare() error {
	name, ok := sizeTemplates[s.Family]
	if !ok {
		return fmt.Errorf("unknown family: %q; allowed: %v", s.Family, SizeFamilies())
	}
	var err error
	if s.template, err = shapes.Parse(name); err != nil {
		return err
	}
	if !learn.CanAllocate(s.Law.Result.Law) {
		return fmt.Errorf("the law %s does not read params and tokens alone", s.Law.Result.Law.Name)
	}
	q := &s.Question
	w := q.Workload
	usual := flops.DefaultWorkload(&s.template)
	w.EncoderLength = cmp.Or(w.EncoderLength, usual.EncoderLength)
	w.DecoderLength = cmp.Or(w.DecoderLength, usual.DecoderLength)
	devices := max(1, q.Devices)
	if w.Batch == 0 {
		one := w
		one.Batch = 1
		w.Batch = max(1, millionTokens/one.TrainingTokens(&s.template))
		w.Batch = (w.Batch + devices - 1) / devices * devices
	}
	q.Workload = w
	s.stepTokens = float64(w.TrainingTokens(&s.template))
	q.Search = q.Profile != nil && q.Layout == flops.Layout{}
	b := s.Budget
	switch {
	case b.FLOPs > 0:
		s.budget = b.FLOPs
		return nil
	case q.Profile == nil:
		return errors.New("a budget in time or money needs a cluster")
	case b.WallSeconds > 0 && s.ServeTokens > 0:
		return errors.New("serving takes no part of a training time; allowed: a budget in FLOP, money or device-hours")
	case b.WallSeconds > 0:
		s.budget = b.WallSeconds * float64(devices)
	case b.DeviceHours > 0:
		s.budget = b.DeviceHours * secondsPerHour
	default:
		price := q.Profile.Price(q.Rates.PriceUSDPerHour)
		if price.Interval == nil {
			return &hardware.MissingError{
				Profile: q.Profile.Name, Field: "price", Why: "a budget in money",
			}
		}
		if s.budget = b.USD / price.Interval.Value * secondsPerHour; math.IsInf(s.budget, 0) {
			return errors.New("at a price of 0 no bill limits the run")
		}
	}
	return nil
}

// loss is what the law says at parameters of its own.
func (s *sizer) loss(law []float64, params, tokens float64) float64 {
	return s.Law.Result.Law.OfSize(law, params, tokens)
}

// rows fills in the best candidate with its intervals, and those it is compared with: the best released
// shape, half and twice the size.
func (s *sizer) rows(out *Sizing, list []candidate, best int) {
	main := s.row(&list[best], "best")
	s.intervals(out, &main, list, best)
	if best == 0 || best == len(list)-1 {
		out.Notes = append(out.Notes, "It is the smallest or the largest candidate that fits: a better one may lie beyond.")
	}
	out.Rows = append(out.Rows, main)
	b := &list[best]
	const around = 1.25
	nearest := func(why string, keep func(c *candidate) bool) {
		var some []candidate
		for i := range list {
			if i != best && keep(&list[i]) {
				some = append(some, list[i])
			}
		}
		if at := s.best(some, s.Law.Result.Params, 1); at >= 0 && !slices.ContainsFunc(out.Rows,
			func(r SizedRow) bool { return r.Answer.Run.Shape.SameArchitecture(some[at].shape) }) {
			out.Rows = append(out.Rows, s.row(&some[at], why))
		}
	}
	if !b.released {
		nearest("best released", func(c *candidate) bool { return c.released })
	}
	for _, f := range []struct {
		why string
		by  float64
	}{{"half the size", 0.5}, {"twice the size", 2}} {
		nearest(f.why, func(c *candidate) bool {
			return math.Abs(math.Log(c.params/(b.params*f.by))) < math.Log(around)
		})
	}
}

func (s *sizer) row(c *candidate, why string) SizedRow {
	d := c.tokens(s.budget, c.perToken.Value)
	r := SizedRow{Why: why, Params: *hardware.Exactly(c.params).Interval, Served: c.served / s.budget}
	r.Tokens = quantity.Interval{
		Value: d, Low: c.tokens(s.budget, c.perToken.High), High: c.tokens(s.budget, c.perToken.Low),
	}
	law := s.Law.Result.Params
	r.Loss = quantity.Interval{
		Value: s.loss(law, c.params, d), Low: s.loss(law, c.params, r.Tokens.High),
		High: s.loss(law, c.params, r.Tokens.Low),
	}
	r.Answer.Run.Shape = c.shape
	return r
}

// intervals of the best row: by the ends of the step time, and by the draws of the law.
func (s *sizer) intervals(out *Sizing, r *SizedRow, list []candidate, best int) {
	law, c := s.Law.Result.Params, &list[best]
	half := &sizeSpread{at: [3]float64{r.Params.Value, r.Tokens.Value, r.Loss.Value}}
	for _, per := range []float64{c.perToken.Low, c.perToken.High} {
		costlier := per / c.perToken.Value
		if i := s.best(list, law, costlier); i >= 0 {
			x := &list[i]
			d := x.tokens(s.budget, costlier*x.perToken.Value)
			half.speed(x.params, d, s.loss(law, x.params, d), speedScale(s.Level))
		}
	}
	if draws := s.Law.Draws; draws != nil {
		var n, d, l []float64
		for _, draw := range draws.Draws {
			i := s.best(list, draw, 1)
			if i <= 0 || i == len(list)-1 {
				out.OffEdge++
				continue
			}
			x := &list[i]
			tokens := x.tokens(s.budget, x.perToken.Value)
			n, d, l = append(n, x.params), append(d, tokens), append(l, s.loss(draw, x.params, tokens))
		}
		half.law(n, d, l, s.Level)
	} else {
		out.Notes = append(out.Notes,
			"A published law has no interval of its own: those shown are of the step time alone.")
	}
	half.apply(r)
}

// plan answers the rows in full, as long as the budget lets each train.
func (s *sizer) plan(out *Sizing) error {
	for i := range out.Rows {
		r := &out.Rows[i]
		q := s.Question
		q.Length = hardware.Length{Tokens: r.Tokens.Value}
		var err error
		if r.Answer, err = q.Of(&r.Answer.Run.Shape).Answer(); err != nil {
			return err
		}
	}
	return nil
}
