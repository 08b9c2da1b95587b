package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/reports/page"
)

func (a *app) reportPage() *cobra.Command {
	var output, title string
	c := &cobra.Command{
		Use:     "report RESULT.json...",
		Short:   "Write results as one HTML page that needs nothing else",
		GroupID: groupReview,
		Long: `Write one HTML file from results that any command wrote with --format json: cards,
where parameters, FLOPs, memory and time go, the recommended front with details and
a sortable table, findings, assumptions and warnings. The page makes no request, is
read in light and dark, on a phone and on paper.`,
		Example: `  deepnarrow plan t5-base --hardware tpu-v3 --devices 16 -o plan.json
  deepnarrow recommend --like t5-base -o recommend.json
  deepnarrow report plan.json recommend.json -o report.html`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("deepnarrow plan t5-base --hardware tpu-v3 -o plan.json makes one", "report needs at least one result")
			}
			var sources []page.Source
			for _, name := range args {
				text, err := a.readResult(name)
				if err != nil {
					return badInput(err, "")
				}
				sources = append(sources, page.Source{Name: name, Text: text})
			}
			if err := page.Write(io.Discard, title, sources); err != nil {
				return badInput(err, "a result is what a command writes with --format json")
			}
			write := func(w io.Writer) error { return page.Write(w, title, sources) }
			if output == "" {
				return write(a.Out)
			}
			return writeFile(output, write)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "", "write the page to this `file` instead of standard output")
	c.Flags().StringVar(&title, "title", "Training plan", "title of the page")
	return c
}

// readResult reads a result file, or standard input for -.
func (a *app) readResult(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(a.In, maxSideBytes))
	}
	return readLimited(name)
}
