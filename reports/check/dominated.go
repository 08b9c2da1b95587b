package check

import (
	"errors"
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

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
	objective := metric
	if metric == plan.StepFLOPs {
		objective = plan.RunFLOPs
	}
	anchor, run := *j.shape, j.answer.Stated()
	if steps := j.answer.Schedule.Steps.Interval; run.Length.Steps == 0 && steps != nil {
		run.Length = hardware.Length{Steps: steps.Value}
	}
	request := recommend.Request{Anchor: &anchor, Objective: objective, Question: run, Workers: 1}
	if _, err := recommend.ParseObjective(objective.String()); err != nil {
		return cannot("nothing is recommended by %s: %v", metric, err)
	}
	for _, source := range []recommend.Source{recommend.Catalogue, recommend.Lattice} {
		request.Source = source
		result, err := j.Recommend(request)
		var none *recommend.NoAnswerError
		switch {
		case errors.As(err, &none) && none.Unjudged:
			return cannot("%s", none.Reason)
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

// dominating returns the row that saves most among those that are as good.
func dominating(result *recommend.Result, metric plan.Metric, least float64) (outcome, bool) {
	var best *recommend.Row
	most := 0.0
	for i := range result.Rows {
		row := &result.Rows[i]
		saving := metric.Saved(&row.Answer, &result.Anchor.Answer)
		if saving != nil && *saving >= least && *saving > most &&
			(row.Tie || better(row, result.Anchor)) {
			best, most = row, *saving
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
