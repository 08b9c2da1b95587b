package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
)

func (a *app) validate() *cobra.Command {
	var from []string
	var ranked, by, outcome string
	var runs runFlags
	c := &cobra.Command{
		Use:     "validate",
		Short:   "Hold predicted step times against measured ones",
		GroupID: groupMeasure,
		Long: `Replay every shipped measured step time through the predictor, each group of rows
and then each source predicted by a model that has not seen it, and our own steps of
the reference kernel by the calibration of their machine. Print the errors beside
those of the best constant MFU per hardware family. --from scores your own rows (the
columns of data/facts/step_times.csv; only id must be filled) by the shipped model.
Rows that cannot be scored are listed with the reason.

--recommend scores the ranking of shapes instead: fits to all groups of your runs
but one, ranks the shapes of that one blind, and prints the regret of the first
choice and the rank correlation beside those of three baselines.`,
		Example: "  deepnarrow validate\n  deepnarrow validate --from steps.csv --format json\n  deepnarrow validate --recommend runs.csv --by budget --y loss",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case ranked != "" && len(from) > 0:
				return usage("", "--from and --recommend are two questions; allowed: one of them")
			case ranked != "":
				return a.validateRanking(&runs, ranked, by, outcome)
			}
			if err := needs(c, "recommend", "by", "y", "map", "where"); err != nil {
				return err
			}
			scored, err := a.scoreSteps(from)
			if err != nil {
				return err
			}
			r := newReport("validate")
			r.Document.Inputs["from"] = append([]string{}, from...)
			r.Validate(scored)
			return a.render(r)
		},
	}
	a.output.register(c)
	c.Flags().StringArrayVar(&from, "from", nil,
		"score the rows of this `file` instead; may be repeated")
	c.Flags().StringVar(&ranked, "recommend", "",
		"score the ranking of shapes on this `file` of runs")
	c.Flags().StringVar(&by, "by", "",
		"`column` of the groups that are held out in turn, or several with commas between (with --recommend)")
	c.Flags().StringVar(&outcome, "y", "loss",
		"outcome: loss, smaller is better; or score, larger is better (with --recommend)")
	c.Flags().StringArrayVar(&runs.mapping, "map", nil,
		"`ours=theirs`: which column of --recommend is ours")
	c.Flags().StringVar(&runs.where, "where", "",
		"use the rows of --recommend that meet these `conditions`")
	return c
}

// validateRanking scores blind rankings of held-out groups.
func (a *app) validateRanking(f *runFlags, file, by, outcome string) error {
	if by == "" {
		return usage("", "--recommend needs --by: which column tells the groups apart?")
	}
	if outcome != "loss" && outcome != "score" {
		return unknownKind("outcome", outcome, []string{"loss", "score"})
	}
	table, err := a.evidence(f, file)
	if err != nil {
		return err
	}
	table.StandIn("params", "non_embedding_params")
	table.StandIn("tokens", "data_bytes")
	if err := table.Need(outcome); err != nil {
		return columnError(err)
	}
	rows, err := table.Records(by)
	if err != nil {
		return columnError(err)
	}
	v, err := recommend.Validate(rows, recommend.ValidateSettings{ByScore: outcome == "score"})
	if err != nil {
		return noAnswer(err, "")
	}
	r := newReport("validate")
	r.Document.Inputs["recommend"], r.Document.Inputs["by"], r.Document.Inputs["y"] = file, by,
		outcome
	r.Document.Warnings = append(r.Document.Warnings, table.Notes...)
	r.Ranking(v)
	return a.render(r)
}

// scoreSteps holds the rows of the files together against the shipped model, or the published rows
// against what the others tell.
func (a *app) scoreSteps(from []string) ([]calibrate.Validation, error) {
	if len(from) == 0 {
		rows := data.StepTimes()
		own, err := calibrate.ValidateOwn()
		return []calibrate.Validation{
			calibrate.Validate(rows, calibrate.ByGroup),
			calibrate.Validate(rows, calibrate.BySource), own,
		}, err
	}
	var rows []data.StepTime
	for _, name := range from {
		some, err := a.readSteps(name)
		if err != nil {
			return nil, badInput(err, "")
		}
		rows = append(rows, some...)
	}
	v := calibrate.ValidateNew(rows)
	if len(v.Rows) == 0 {
		err := errors.New("there are no rows to score")
		if len(v.Unscored) > 0 {
			err = fmt.Errorf("none of %d rows can be scored; the first, %s: %s", len(v.Unscored),
				v.Unscored[0].ID, v.Unscored[0].Reason)
		}
		return nil, noAnswer(err,
			"deepnarrow list hardware shows the devices, data/facts/step_times.csv the columns")
	}
	return []calibrate.Validation{v}, nil
}

func (a *app) readSteps(name string) ([]data.StepTime, error) {
	file, err := a.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return data.ReadStepTimes(name, file)
}
