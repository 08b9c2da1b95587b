package cli

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware/calibrate"
)

func (a *app) validate() *cobra.Command {
	var from []string
	c := &cobra.Command{
		Use:     "validate",
		Short:   "Hold predicted step times against measured ones",
		GroupID: groupMeasure,
		Long: `Replay every shipped measured step time through the predictor, each group of rows
and then each source predicted by a model that has not seen it, and print the
errors beside those of the best constant MFU per hardware family. --from scores
your own rows (the columns of data/facts/step_times.csv) by the shipped model.`,
		Example: "  deepnarrow validate\n  deepnarrow validate --from steps.csv --format json",
		Args:    cobra.NoArgs,
		RunE: func(_ *cobra.Command, _ []string) error {
			var scored []calibrate.Validation
			for _, name := range from {
				rows, err := readSteps(name)
				if err != nil {
					return badInput(err, "")
				}
				scored = append(scored, calibrate.ValidateNew(rows))
			}
			if len(from) == 0 {
				rows := data.StepTimes()
				scored = []calibrate.Validation{calibrate.Validate(rows, calibrate.ByGroup), calibrate.Validate(rows, calibrate.BySource)}
			}
			r := newReport("validate")
			r.Document.Inputs["from"] = from
			r.Validate(scored)
			return a.render(r)
		},
	}
	a.output.register(c)
	c.Flags().StringArrayVar(&from, "from", nil, "score the rows of this `file` instead; may be repeated")
	return c
}

func readSteps(name string) ([]data.StepTime, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return data.ReadStepTimes(name, file)
}
