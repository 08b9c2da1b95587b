package cli

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
)

func (a *app) validate() *cobra.Command {
	var from []string
	var ranked, by, outcome string
	var runs asks.Runs
	c := &cobra.Command{
		Use:     "validate",
		Short:   "Compare predicted and measured step times",
		GroupID: groupMeasure,
		Long: `Replay every shipped measured step time through the predictor, each group of rows
and then each source predicted by a model that has not seen it, and our own steps of
the reference kernel by the calibration of their machine. Print the errors beside
those of the best constant MFU per hardware family. --from scores your own rows (the
columns of data/facts/step_times.csv, only id must be filled, or those of
decode_times.csv) by the shipped model: JSON and CSV have a line for each row with its
prediction, interval and error, and what it leaves to be assumed. Rows that cannot be
scored are listed with the reason.

--recommend scores the ranking of shapes instead: fits to all groups of your runs
but one, ranks the shapes of that one blind, and prints the regret of the first
choice and the rank correlation beside those of three baselines.`,
		Example: "  deepnarrow validate\n  deepnarrow validate --from steps.csv --format json\n  deepnarrow validate --recommend runs.csv --by budget --y loss",
		Args:    frame.NoArguments("--from FILE reads measured steps"),
		RunE: func(c *cobra.Command, _ []string) error {
			switch {
			case ranked != "" && len(from) > 0:
				return frame.Usage("", "--from and --recommend are two questions; allowed: one of them")
			case ranked != "":
				return a.validateRanking(&runs, ranked, by, outcome)
			}
			if err := frame.Needs(c, "recommend", "by", "y", "map", "where"); err != nil {
				return err
			}
			scored, err := a.scoreSteps(from)
			if err != nil {
				return err
			}
			r := frame.NewReport("validate", "from", append([]string{}, from...))
			r.Validate(scored)
			return a.Render(r)
		},
	}
	a.Output.Register(c)
	c.Flags().StringArrayVar(&from, "from", nil,
		"score the rows of this `file` instead; may be repeated")
	c.Flags().StringVar(&ranked, "recommend", "",
		"score the ranking of shapes on this `file` of runs")
	c.Flags().StringVar(&by, "by", "",
		"`column` of the groups that are held out in turn, or several with commas between (with --recommend)")
	c.Flags().StringVar(&outcome, "y", "loss",
		"outcome: loss, smaller is better; or score, larger is better (with --recommend)")
	c.Flags().StringArrayVar(&runs.Mapping, "map", nil,
		"`ours=theirs`: which column of --recommend is ours")
	c.Flags().StringVar(&runs.Where, "where", "",
		"use the rows of --recommend that meet these `conditions`")
	return c
}

// validateRanking scores blind rankings of held-out groups.
func (a *app) validateRanking(f *asks.Runs, file, by, outcome string) error {
	if by == "" {
		return frame.Usage("", "--recommend needs --by: which column tells the groups apart?")
	}
	if outcome != "loss" && outcome != "score" {
		return frame.UnknownWord("outcome", outcome, []string{"loss", "score"})
	}
	table, err := a.Evidence(f, file)
	if err != nil {
		return err
	}
	table.StandIn("params", "non_embedding_params")
	table.StandIn("tokens", "data_bytes")
	if err := table.Need(outcome); err != nil {
		return asks.ColumnError(err)
	}
	rows, err := table.Records(by)
	if err != nil {
		return asks.ColumnError(err)
	}
	v, err := evidence.Validate(rows, outcome == "score")
	if err != nil {
		return frame.NoAnswer(err, "")
	}
	r := frame.NewReport("validate", "recommend", file, "by", by, "y", outcome)
	r.Document.Warn(table.Notes...)
	r.Ranking(v)
	return a.Render(r)
}

// scoreSteps holds the rows of the files together against the shipped model, or the published rows
// against what the others tell.
func (a *app) scoreSteps(from []string) ([]calibrate.Validation, error) {
	if len(from) == 0 {
		return calibrate.ScorePublished()
	}
	var rows calibrate.Rows
	for _, name := range from {
		file, err := a.Open(name)
		if err == nil {
			err = rows.Read(name, file)
			file.Close()
		}
		if err != nil {
			return nil, frame.BadInput(err, "")
		}
	}
	scored, err := rows.Score()
	if err != nil {
		return nil, frame.NoAnswer(err,
			"deepnarrow list hardware shows the devices, data/facts/step_times.csv and decode_times.csv the columns")
	}
	return scored, nil
}
