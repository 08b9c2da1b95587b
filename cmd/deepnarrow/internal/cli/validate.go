package cli

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/data"
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
		Args:    cobra.NoArgs,
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
			r := frame.NewReport("validate")
			r.Document.Inputs["from"] = append([]string{}, from...)
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
	r := frame.NewReport("validate")
	r.Document.Inputs["recommend"], r.Document.Inputs["by"], r.Document.Inputs["y"] = file, by,
		outcome
	r.Document.Warnings = append(r.Document.Warnings, table.Notes...)
	r.Ranking(v)
	return a.Render(r)
}

// scoreSteps holds the rows of the files together against the shipped model, or the published rows
// against what the others tell.
func (a *app) scoreSteps(from []string) ([]calibrate.Validation, error) {
	if len(from) == 0 {
		rows := data.StepTimes()
		own, err := calibrate.ValidateOwn()
		out := calibrate.ValidateEach(rows, calibrate.ByGroup, calibrate.BySource, calibrate.ByDevice)
		return append(out, own, calibrate.ValidateDecoding(data.DecodeTimes())), err
	}
	var rows []data.StepTime
	var speeds []data.DecodeTime
	for _, name := range from {
		if err := a.readSteps(name, &rows, &speeds); err != nil {
			return nil, frame.BadInput(err, "")
		}
	}
	var out []calibrate.Validation
	scored, left := 0, []calibrate.Unscored{}
	if len(rows) > 0 {
		out = append(out, calibrate.ValidateNew(rows))
	}
	if len(speeds) > 0 {
		out = append(out, calibrate.ValidateNewDecoding(speeds))
	}
	for i := range out {
		scored += len(out[i].Rows)
		left = append(left, out[i].Unscored...)
	}
	if scored == 0 {
		err := errors.New("there are no rows to score")
		if len(left) > 0 {
			err = fmt.Errorf("none of %d rows can be scored; the first, %s: %s", len(left),
				left[0].ID, left[0].Reason)
		}
		return nil, frame.NoAnswer(err,
			"deepnarrow list hardware shows the devices, data/facts/step_times.csv and decode_times.csv the columns")
	}
	return out, nil
}

// readSteps adds the rows of a file: of training steps, or of generation speeds where its heading
// has a column of those.
func (a *app) readSteps(name string, rows *[]data.StepTime, speeds *[]data.DecodeTime) error {
	file, err := a.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	const longestHead = 1 << 16
	head, _ := in.Peek(longestHead)
	first, _, _ := strings.Cut(string(head), "\n")
	if data.HasDecodeRates(strings.Split(strings.TrimSpace(first), ",")) {
		some, err := data.ReadDecodeTimes(name, in)
		*speeds = append(*speeds, some...)
		return err
	}
	some, err := data.ReadStepTimes(name, in)
	*rows = append(*rows, some...)
	return err
}
