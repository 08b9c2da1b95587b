package recommend

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
)

// Explanation is where the numbers of one row come from.
type Explanation struct {
	Costs   []evidence.Derived // the costs that are known
	Quality []evidence.Derived // from the shape to the predicted quality, in the order of the calculation
	Rows    []evidence.Cited   // the readings or records behind the quality, the nearest first
	// Opinions are what other published sets say of what changes from the anchor to the row, where
	// the published results judge.
	Opinions []evidence.SecondOpinion
}

// Explain returns where the numbers of a row of the request's result come from. The errors are
// those of [Recommend].
func Explain(r Request, row *Row) (Explanation, error) {
	q, err := r.ask()
	if err != nil {
		return Explanation{}, err
	}
	out := Explanation{Costs: row.derived(&q.Request)}
	out.Quality, out.Rows = q.judge.Derived(row.subject()), q.judge.Cited(row.subject())
	if q.Anchor != nil {
		out.Opinions, err = q.judge.Opinions(q.Anchor, &row.Shape)
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
func (k *Row) derived(r *Request) []evidence.Derived {
	exact := func(name string, kind quantity.Kind, v float64, formula, where string) evidence.Derived {
		return evidence.Derived{
			Name: name, Kind: kind, Value: *hardware.Exactly(v).Interval, Formula: formula, Where: where,
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
	out := []evidence.Derived{exact("parameters", quantity.Params, float64(k.Params.Total), formula, where)}
	formula, where = glossary("matmul", "flops.CountUnder")
	out = append(
		out, exact("FLOPs of a step", quantity.FLOP, k.FLOPs.Step, formula, where),
		exact("FLOPs of the run", quantity.FLOP, k.RunFLOPs.Interval.Value,
			fmt.Sprintf("step · %.6g steps", k.Schedule.Steps.Interval.Value),
			"plan.Answer"), exact("peak memory of a device", quantity.Bytes, k.Memory.PeakBytes,
			"largest sum of parts over the phases of a step, here in "+strings.ReplaceAll(k.Memory.PeakPhase.String(), "_", " "),
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
			"wall clock · " + quantity.Of(k.Run.Devices(), "device"), "hardware.Occupancy",
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
			out = append(out, evidence.Derived{
				Name: e.name, Kind: e.kind, Value: *e.estimate.Interval, Formula: e.formula, Where: e.where,
			})
		}
	}
	return out
}
