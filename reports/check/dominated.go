package check

import (
	"errors"
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

// axes are the costs that a shape can be dominated on.
var axes = map[plan.Metric]recommend.Axis{
	plan.Params: recommend.ParamsAxis, plan.StepFLOPs: recommend.FLOPsAxis,
	plan.Memory:   recommend.MemoryAxis,
	plan.StepTime: recommend.StepTimeAxis, plan.DeviceHours: recommend.DeviceHoursAxis,
	plan.Cost: recommend.CostAxis,
}

// enoughSaving is what an alternative must save to be worth a change of plan, unless the rule says
// otherwise.
const enoughSaving = 0.1

// notDominated looks for a recommended shape of the same quality within the prediction error, or a
// better one, that saves enough on the rule's axis. Released shapes are tried before the lattice:
// they rest on measurements.
func (j *judge) notDominated(rule *Rule) []outcome {
	if j.err != nil {
		return cannot("%v", j.err)
	}
	metric, least := rule.Axis, rule.MinSaving
	if metric == plan.NoMetric {
		metric = plan.Params
	}
	if least == 0 {
		least = enoughSaving
	}
	axis, ok := axes[metric]
	if !ok {
		return cannot(
			"nothing is recommended by %s; allowed: params, step-flops, memory, step-time, device-hours, cost", metric)
	}
	request := j.request(axis)
	for _, source := range []recommend.Source{recommend.Catalogue, recommend.Lattice} {
		request.Source = source
		result, err := j.Recommend(request)
		var none *recommend.NoAnswerError
		switch {
		case errors.As(err, &none):
			continue
		case err != nil:
			return cannot("%v", err)
		case result.Evidence.Missing != "":
			return cannot("%s", result.Evidence.Missing)
		}
		if o, found := dominating(&result, metric, least); found {
			return []outcome{o}
		}
	}
	return []outcome{{message: fmt.Sprintf(
		"no recommended shape of the same quality saves %s of %s", percent(least), metric)}}
}

// request asks for shapes to train instead, on the run of this one.
func (j *judge) request(axis recommend.Axis) recommend.Request {
	a := &j.answer
	anchor, run := *j.shape, a.Run
	request := recommend.Request{
		Anchor: &anchor, Objective: axis, Workload: run.Workload, Execution: run.Execution,
		Software: run.Software, Devices: run.Layout.Devices(), Layout: &run.Layout,
		Profile: j.Question.Profile, Goodput: &a.Goodput, Workers: 1,
		Steps: a.Length.Steps, Tokens: a.Length.Tokens,
	}
	return request
}

// dominating returns the row that saves most among those that are as good.
func dominating(result *recommend.Result, metric plan.Metric, least float64) (outcome, bool) {
	var best *recommend.Row
	most := 0.0
	for i := range result.Rows {
		row := &result.Rows[i]
		saving, ok := savedOn(row, result.Anchor, metric)
		if ok && saving >= least && saving > most && (row.Tie || better(row, result.Anchor)) {
			best, most = row, saving
		}
	}
	if best == nil {
		return outcome{}, false
	}
	words := []string{
		fmt.Sprintf("%s is predicted as good (%s)", best.Shape.Name,
			qualities(best, result.Anchor)), fmt.Sprintf("for %s less %s", percent(most), metric),
		"evidence: " + best.Class.String(),
	}
	if best.Evidence != "" {
		words[2] += ", " + string(best.Evidence)
	}
	return outcome{
		broken: true, field: "d_model", message: strings.Join(words, "; "),
		hint: "deepnarrow recommend --like FILE shows every alternative",
	}, true
}

// savedOn is the saving on a metric, as a fraction of the anchor.
func savedOn(row, anchor *recommend.Row, metric plan.Metric) (float64, bool) {
	by := map[plan.Metric]*float64{
		plan.Params: row.Saved.Params, plan.StepFLOPs: row.Saved.FLOPs,
		plan.Memory:   row.Saved.Memory,
		plan.StepTime: row.Saved.StepTime, plan.Cost: row.Saved.Cost,
	}
	if metric == plan.DeviceHours && anchor != nil {
		mine, theirs := row.Bill.DeviceHours.Interval, anchor.Bill.DeviceHours.Interval
		if mine != nil && theirs != nil && theirs.Value > 0 {
			return 1 - mine.Value/theirs.Value, true
		}
	}
	if s := by[metric]; s != nil {
		return *s, true
	}
	return 0, false
}

// better reports whether a row's judged quality is above the anchor's.
func better(row, anchor *recommend.Row) bool {
	if anchor == nil {
		return false
	}
	if mine, theirs := row.Quality.Downstream.Interval, anchor.Quality.Downstream.Interval; mine != nil && theirs != nil {
		return mine.Value >= theirs.Value
	}
	mine, theirs := row.Quality.Upstream.Interval, anchor.Quality.Upstream.Interval
	return mine != nil && theirs != nil && mine.Value <= theirs.Value
}

// qualities writes the judged quality of both.
func qualities(row, anchor *recommend.Row) string {
	if mine := row.Quality.Downstream.Interval; mine != nil && anchor != nil && anchor.Quality.Downstream.Interval != nil {
		return fmt.Sprintf("downstream %.1f against %.1f ± %.1f", mine.Value,
			anchor.Quality.Downstream.Interval.Value,
			anchor.Quality.Downstream.Interval.HalfWidth())
	}
	if mine := row.Quality.Upstream.Interval; mine != nil && anchor != nil && anchor.Quality.Upstream.Interval != nil {
		return fmt.Sprintf("loss %.3f against %.3f ± %.3f", mine.Value,
			anchor.Quality.Upstream.Interval.Value, anchor.Quality.Upstream.Interval.HalfWidth())
	}
	return "within the prediction error"
}
