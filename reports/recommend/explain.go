package recommend

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Explanation is where the numbers of one row come from.
type Explanation struct {
	Costs   []Derived // the costs that are known
	Quality []Derived // from the shape to the predicted quality, in the order of the calculation
	Rows    []Cited   // the readings or records behind the quality, the nearest first
	// Opinions are what other published sets say of what changes from the anchor to the row, where
	// the published results judge.
	Opinions []SecondOpinion
}

// Derived is one number with the formula that gives it.
type Derived struct {
	Name    string
	Kind    quantity.Kind
	Value   quantity.Interval
	Formula string // in the letters of the rows before it, with numbers where they were fitted
	Where   string // the source of the formula: a paper, and the code here that works it out
}

// Cited is one measured shape behind a prediction.
type Cited struct {
	Name     string
	Shape    string  // canonical name; empty for records
	Distance float64 // the largest factor by which a dimension differs, as in [Neighbour]
	// Measured and what the law says of that very shape; nil where the row lacks it.
	Upstream, Score       *data.Reading
	LawUpstream, LawScore *float64
	Sources               []Citation
}

// Explain returns where the numbers of a row of the request's result come from. The errors are
// those of [Recommend].
func Explain(r Request, row *Row) (Explanation, error) {
	q, err := r.ask()
	if err != nil {
		return Explanation{}, err
	}
	out := Explanation{Costs: row.derived(&q.Request)}
	out.Quality, out.Rows = q.judge.derived(row), q.judge.cited(row)
	if _, ok := q.judge.(*publishedJudge); ok && q.Anchor != nil {
		out.Opinions, err = Opine(q.Anchor, &row.Shape)
	}
	return out, err
}

// bound is what limits a step of a row, empty where it is not timed.
func (k *Row) bound() hardware.Bound {
	if k.Prediction == nil {
		return ""
	}
	return k.Prediction.Bound
}

// derived lists the costs with their formulas.
func (k *Row) derived(r *Request) []Derived {
	exact := func(name string, kind quantity.Kind, v float64, formula, where string) Derived {
		return Derived{
			Name: name, Kind: kind, Value: quantity.Interval{Value: v, Low: v, High: v},
			Formula: formula, Where: where,
		}
	}
	glossary := func(term, function string) (formula, where string) {
		t, ok := data.FindTerm(term)
		if !ok {
			panic("recommend: no term " + term) // a mistake made here
		}
		return t.Formula, t.Source + "; " + function
	}
	formula, where := glossary("params", "flops.CountParameters")
	out := []Derived{exact("parameters", quantity.Params, float64(k.Params.Total), formula, where)}
	formula, where = glossary("matmul", "flops.CountUnder")
	out = append(
		out,
		exact("FLOPs of a step", quantity.FLOP, k.FLOPs.Step, formula, where),
		exact("FLOPs of the run", quantity.FLOP, k.RunFLOPs.Interval.Value,
			fmt.Sprintf("step · %.6g steps", k.Schedule.Steps.Interval.Value),
			"plan.Answer"),
		exact("peak memory of a device", quantity.Bytes, k.Memory.PeakBytes,
			"largest sum of parts over the phases of a step, here in "+k.Memory.PeakPhase.String(),
			"flops.TrainingMemory; deepnarrow plan lists the parts"),
	)
	for _, e := range []struct {
		name           string
		kind           quantity.Kind
		estimate       hardware.Estimate
		formula, where string
	}{
		{
			"step time", quantity.Duration, k.StepTime,
			fmt.Sprintf(
				"sum over operations of max(FLOPs/(peak·η), bytes/bandwidth) + launch, with collectives and pipeline; bottleneck: %s", k.bound()), "hardware.Predict; deepnarrow plan lists what it rests on",
		},
		{
			"wall clock", quantity.Duration, k.Schedule.Occupancy.WallSeconds, "step time · steps / goodput",
			"hardware.Occupy",
		},
		{
			"device-hours", quantity.Count, k.Schedule.Bill.DeviceHours,
			fmt.Sprintf("wall clock · %d devices", k.Run.Devices()), "hardware.Occupancy",
		},
		{
			"cost", quantity.Money, k.Schedule.Bill.CostUSD, "device-hours · price",
			"hardware.Profile.Price; deepnarrow list hardware shows the prices",
		},
		{
			"cost of training and serving", quantity.Money, k.LifetimeCost(),
			"cost + requests · answer time / batch · devices of a copy · price",
			"plan.Served; deepnarrow plan --serve shows its parts",
		},
	} {
		if e.estimate.Interval != nil && r.Question.Profile != nil {
			out = append(out, Derived{e.name, e.kind, *e.estimate.Interval, e.formula, e.where})
		}
	}
	return out
}

// derived follows the published law through one shape.
func (j *publishedJudge) derived(row *Row) []Derived {
	by, t := row.Params.By, traitsOf(&row.Shape, &row.Params)
	encoder := float64(by[flops.EncoderAttention] + by[flops.EncoderFFN])
	decoder := float64(by[flops.DecoderAttention] + by[flops.DecoderCrossAttention] +
		by[flops.DecoderFFN])
	p, k, law := j.law.loss, j.law.link.Coef, j.predict(&t)
	curve, link := j.scales(law.loss, &t)
	const own = "fitted here to the rows below; recommend.publishedLaw"
	exact := func(name string, kind quantity.Kind, v float64, formula, where string) Derived {
		return Derived{name, kind, around(v, 0), formula, where}
	}
	out := []Derived{
		exact("Ne", quantity.Params, encoder, "matrix parameters of the encoder layers",
			"flops.CountParameters"),
		exact("Nd", quantity.Params, decoder, "matrix parameters of the decoder layers",
			"flops.CountParameters"),
		exact("s", quantity.Params, t.size, "2/(1/Ne + 1/Nd) + V·d_model/4",
			"after Ghorbani et al. 2021, arXiv 2109.07740; recommend.publishedLaw"),
		exact("a", quantity.Number, t.aspect, "d_model/((el + dl)/2)", "recommend.publishedLaw"),
		exact("σ of the loss", quantity.Number, curve,
			fmt.Sprintf("√(1 + h) · 2^%.2f: leverage, and doublings beyond the evidence",
				j.near.outside(t.position())),
			"Lei et al. 2018, arXiv 1604.04173; the last factor is a rule"),
		exact("σ of the score", quantity.Number, link, "likewise", "Lei et al. 2018, arXiv 1604.04173"),
		{
			"loss by the law", quantity.Number, around(law.loss, law.lossHalf),
			fmt.Sprintf("%.4g + %.4g/s^%.4g · exp(%.3g·ln²(a/%d)) ± %.3g·σ", p[0], p[1], p[2], p[3],
				bestAspect, j.lossError), own,
		},
		{
			j.title + " by the law", quantity.Number, around(law.score, law.scoreHalf),
			fmt.Sprintf("%.5g − %.4g·loss − %.3g/el ± %.3g·σ", k[0], -k[1], -k[2], j.scoreError), own,
		},
	}
	return append(out, shown(row)...)
}

// shown is the quality as the row has it.
func shown(row *Row) []Derived {
	var out []Derived
	for _, q := range []struct {
		name string
		hardware.Estimate
	}{
		{"upstream loss shown", row.Quality.Upstream},
		{"downstream score shown", row.Quality.Downstream},
	} {
		if q.Interval != nil {
			out = append(out, Derived{
				Name: q.name, Kind: quantity.Number, Value: *q.Interval,
				Formula: row.Basis, Where: "80 % interval; recommend.Quality",
			})
		}
	}
	return out
}

func (j *publishedJudge) cited(row *Row) []Cited {
	t := traitsOf(&row.Shape, &row.Params)
	all := make([][]float64, len(j.rows))
	for i := range j.rows {
		all[i] = j.rows[i].traits.position()
	}
	where, here := regionOf(all), t.position()
	var out []Cited
	for i := range j.rows {
		m := &j.rows[i]
		c := Cited{
			Name: m.name, Shape: m.shape.Name, Distance: math.Exp2(where.distance(i, here)),
			Upstream: m.loss, Score: m.score, Sources: m.from,
		}
		if m.loss != nil {
			loss := j.law.lossAt(&m.traits)
			c.LawUpstream = &loss
		}
		if m.score != nil {
			score := j.law.scoreAt(&m.traits)
			c.LawScore = &score
		}
		out = append(out, c)
	}
	return nearestFirst(out)
}

func nearestFirst(all []Cited) []Cited {
	slices.SortStableFunc(all, func(a, b Cited) int { return cmp.Compare(a.Distance, b.Distance) })
	return all
}

func (j *recordJudge) derived(row *Row) []Derived { return shown(row) }

func (j *recordJudge) cited(row *Row) []Cited {
	t := j.traits(&row.Shape, &row.Params)
	here := t.position()
	var out []Cited
	for i := range j.records {
		m := &j.records[i]
		loss := j.law.loss(&j.runs[i])
		c := Cited{
			Name: m.label(), Distance: math.Exp2(j.near.distance(i, here)),
			Upstream: &data.Reading{Value: *m.Loss, Evidence: m.Evidence}, LawUpstream: &loss,
		}
		if m.Score != nil {
			c.Score = &data.Reading{Value: *m.Score, Evidence: m.Evidence}
		}
		out = append(out, c)
	}
	return nearestFirst(out)
}
