package recommend

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/parallel"
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
	Workers               int
}

// Sizing is the model that a budget buys.
type Sizing struct {
	Rows      []SizedRow // the best first, then others to compare with
	Level     float64
	Priced    int // candidates that were planned
	OffEdge   int // draws of the law whose best size is at an end of the candidates
	StepBatch int
	Notes     []string
}

// SizedRow is a shape and the tokens that the budget trains it on.
type SizedRow struct {
	Why    string // it is shown
	Answer plan.Answer
	// Params holds the interval of the best size; of other rows the count alone.
	Params, Tokens, Loss quantity.Interval
	Served               float64 // share of the budget that serving takes
}

// candidate is a shape with what the budget buys of it. Amounts are in FLOP, or in device-seconds.
type candidate struct {
	shape    shapes.Shape
	released bool
	params   float64
	perToken quantity.Interval // of training; the low end is the cheap one
	served   float64
}

// tokens is how many the rest of a budget trains on, at a cost of each.
func (c *candidate) tokens(budget, perToken float64) float64 { return (budget - c.served) / perToken }

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
	out := &Sizing{Level: q.Level, Priced: len(priced), StepBatch: s.Question.Workload.Batch}
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
	columns    [2]int // of params and tokens in the law
}

const secondsPerHour = 3600

// sizeTemplates are the shapes whose recipe the candidates of a family follow.
var sizeTemplates = map[shapes.Family]string{
	shapes.T5: "t5-base", shapes.T511: "t5-v1_1-base", shapes.BERT: "bert-base",
	shapes.GPT: "gpt2", shapes.Llama: "llama-2-7b",
}

// SizeFamilies lists the families of candidates.
func SizeFamilies() []string {
	var out []string
	for f := range sizeTemplates {
		out = append(out, string(f))
	}
	slices.Sort(out)
	return out
}

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
	s.columns = [2]int{0, 1}
	if s.Law.Result.Law.Columns[0] == "tokens" {
		s.columns = [2]int{1, 0}
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
	var x [2]float64
	x[s.columns[0]], x[s.columns[1]] = params, tokens
	return s.Law.Result.Law.Predict(law, x[:])
}

// best returns the candidate of the lowest loss when tokens cost that many times what is expected; −1
// where none can be trained at all.
func (s *sizer) best(list []candidate, law []float64, costlier float64) int {
	at, least := -1, math.Inf(1)
	for i := range list {
		c := &list[i]
		d := c.tokens(s.budget, costlier*c.perToken.Value)
		if d < s.stepTokens {
			continue
		}
		if l := s.loss(law, c.params, d); l < least {
			at, least = i, l
		}
	}
	return at
}

// window returns the candidates within a factor of eight of the best size at a utilisation of 40 %, by
// rising size.
func (s *sizer) window() ([]candidate, error) {
	const usualMFU, reach = 0.4, 8
	work := s.budget
	if s.Budget.FLOPs == 0 {
		peak := hardware.Run{Profile: *s.Question.Profile, Execution: flops.Execution{}}
		if s.Question.Precision != nil {
			peak.Execution.Precision = *s.Question.Precision
		}
		if work *= usualMFU * peak.PeakFLOPsPerSecond(); !(work > 0) {
			return nil, &hardware.MissingError{
				Profile: s.Question.Profile.Name, Field: "peaks", Why: "a budget in time or money",
			}
		}
	}
	set := &fit.AllocateSettings{}
	if s.ServeTokens > 0 {
		set.FLOPs = func(n, d float64) float64 { return 6*n*d + 2*n*s.ServeTokens }
		if set.MaxParams = work / (2 * s.ServeTokens); set.MaxParams < leastServed {
			return nil, &NoAnswerError{Reason: "serving alone takes the budget"}
		}
	}
	a, err := fit.Allocate(s.Law.Result, work, set)
	if err != nil {
		return nil, err
	}
	all := s.candidates()
	near := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool {
		return c.params > a.Params*reach || c.params < a.Params/reach
	})
	if len(near) == 0 {
		return nil, &NoAnswerError{Reason: fmt.Sprintf(
			"the best size is near %s, and the candidates have %s to %s",
			quantity.Format(quantity.Params, a.Params, 2),
			quantity.Format(quantity.Params, all[0].params, 2),
			quantity.Format(quantity.Params, all[len(all)-1].params, 2))}
	}
	return near, nil
}

// leastServed is the size below which nothing is served: half of what the smallest candidates have.
const leastServed = 1e6

// proportions are how many times the layers of a stack d_model is in the lattice: of decoder-only models
// as from GPT-2 Large to Llama, of the others as from T5 Large to T5 XL.
func proportions(s *shapes.Shape) (deep, wide int) {
	if s.Encoder.Layers == 0 {
		return 64, 128
	}
	return 43, 86
}

// candidates are the released shapes of the template's kind and the lattice, by rising size.
//
// The lattice has widths in multiples of 128 with heads of 128 or, up to 1,024 first, of 64 that shard
// over the devices of a node; d_ff in the template's ratio, in multiples of 256; and for each width up to
// some sixteen depths within the usual proportions.
func (s *sizer) candidates() []candidate {
	const depths, widest, align, headed = 16, 16384, 128, 256
	var all []candidate
	add := func(shape shapes.Shape, released bool) {
		same := func(c candidate) bool { return c.shape.SameArchitecture(shape) }
		if shape.Validate() == nil && !slices.ContainsFunc(all, same) {
			n := float64(flops.CountParameters(&shape).Total)
			all = append(all, candidate{shape: shape, released: released, params: n})
		}
	}
	deep, wide := proportions(&s.template)
	for _, shape := range released(&s.template) {
		const unusual = 2 // the law, which sees size alone, would take the fastest of any proportions
		if r := shape.DModel / mainStack(&shape).Layers; r >= deep/unusual && r <= wide*unusual {
			add(shape, true)
		}
	}
	k := mainStack(&s.template)
	for d := align; d <= widest; d += align {
		dkv := headOf(d)
		if dkv == 0 {
			continue
		}
		dff := (d*k.DFF/s.template.DModel + headed - 1) / headed * headed
		least, most := max(2, d/wide), max(2, d/deep)
		step := max(1, (most-least)/depths)
		if most > everyDepth && step%2 == 1 {
			step++
		}
		for layers := least; layers <= most; layers += step {
			shape, err := shapes.Parse(s.name(d, dff, dkv, layers))
			if err == nil {
				add(shape, false)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.params, b.params) })
	return all
}

// name returns a lattice shape as an edit of the template.
func (s *sizer) name(d, dff, dkv, layers int) string {
	return fmt.Sprintf("%s/nl=%d,dm=%d,ff=%d,kv=%d,nh=%d", s.template.Name, layers, d, dff, dkv, d/dkv)
}

// headOf returns the width of the heads of a model, 0 where none spreads over the devices of a node.
func headOf(d int) int {
	const narrow = 1024
	widths := [2]int{128, 64}
	if d <= narrow {
		widths = [2]int{64, 128}
	}
	for _, dkv := range widths {
		if d%dkv == 0 && shardable(d/dkv) {
			return dkv
		}
	}
	return 0
}

// priceAround prices every third candidate, and then all within a factor of 1.6 of the best of them:
// the loss along the sizes has one valley, up to the steps of the utilisation.
func (s *sizer) priceAround(window []candidate) ([]candidate, error) {
	const stride, near = 3, 1.6
	var first, rest []candidate
	for i := range window {
		if i%stride == 0 || window[i].released {
			first = append(first, window[i])
		} else {
			rest = append(rest, window[i])
		}
	}
	priced, err := s.priceAll(first)
	if err != nil {
		return nil, err
	}
	if at := s.best(priced, s.Law.Result.Params, 1); at >= 0 {
		n := priced[at].params
		rest = slices.DeleteFunc(rest, func(c candidate) bool {
			return c.params > n*near || c.params < n/near
		})
	}
	more, err := s.priceAll(rest)
	if err != nil {
		return nil, err
	}
	priced = append(priced, more...)
	if len(priced) == 0 {
		return nil, &NoAnswerError{Reason: "no candidate near the best size fits in memory: more devices are needed"}
	}
	slices.SortStableFunc(priced, func(a, b candidate) int { return cmp.Compare(a.params, b.params) })
	return priced, nil
}

// priceAll prices candidates and leaves out those that no layout takes or fits.
func (s *sizer) priceAll(list []candidate) ([]candidate, error) {
	kept, errs := make([]bool, len(list)), make([]error, len(list))
	parallel.Each(len(list), s.Workers, func(i int) { kept[i], errs[i] = s.price(&list[i]) })
	var out []candidate
	for i := range list {
		if errs[i] != nil {
			return nil, errs[i]
		}
		if kept[i] {
			out = append(out, list[i])
		}
	}
	return out, nil
}

func (s *sizer) price(c *candidate) (ok bool, err error) {
	w := s.Question.Workload
	forward := flops.Forward(&c.shape, w)
	serve := s.ServeTokens * forward / s.stepTokens
	if s.Budget.FLOPs > 0 {
		per := flops.CountUnder(flops.MatmulConvention, &c.shape, w, flops.RecomputeNone).Step /
			s.stepTokens
		c.perToken, c.served = quantity.Interval{Value: per, Low: per, High: per}, serve
		return true, nil
	}
	q := s.Question
	q.Length.Tokens = s.stepTokens
	a, err := q.Of(&c.shape).Answer()
	var none *hardware.NoLayoutError
	var invalid *shapes.InvalidError
	switch {
	case errors.As(err, &none) || errors.As(err, &invalid):
		return false, nil
	case err != nil:
		return false, err
	case a.StepTime.Interval == nil:
		return false, errors.New(a.StepTime.Missing)
	case a.Fits != nil && !*a.Fits:
		return false, nil
	}
	t, g := a.StepTime.Interval, a.Schedule.Goodput.Interval
	devices := float64(a.Run.Devices())
	c.perToken = quantity.Interval{
		Value: devices * t.Value / g.Value / s.stepTokens,
		Low:   devices * t.Low / g.High / s.stepTokens,
		High:  devices * t.High / g.Low / s.stepTokens,
	}
	mfu := a.Prediction.MFU
	if s.ServeMFU > 0 {
		mfu = s.ServeMFU
	}
	c.served = serve / (a.Prediction.PeakFLOPsPerSecond * mfu)
	return true, nil
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
	half := newSizeSpread(r)
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
