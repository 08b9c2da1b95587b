package cli

import (
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/reports/page"
)

func (a *app) reportPage() *cobra.Command {
	var output, bundle string
	var head page.Head
	c := &cobra.Command{
		Use:     "report RESULT.json...",
		Short:   "Write results as one HTML page that needs nothing else",
		GroupID: groupReview,
		Long: `Write one HTML file from results that any command wrote with --format json. Plans
come first, side by side: cluster, layout, tokens, price, time and cost, and cost
drawn against time. Each result follows with the command line that made it, its
charts, tables, assumptions and warnings. The page makes no request, is read in
light and dark, on a phone and on paper (A4).

--bundle FOLDER writes the same as markdown instead: report.md, and each drawing
beside it as PNG, which report.md shows, and as SVG.`,
		Example: `  deepnarrow plan t5-base --hardware tpu-v3 --devices 16 -o plan.json
  deepnarrow recommend --like t5-base -o recommend.json
  deepnarrow report plan.json recommend.json -o report.html
  deepnarrow report a100.json h100.json --title "Which cluster?" --date 2026-11-28 -o report.html
  deepnarrow report plan.json recommend.json --bundle report`,
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return frame.Usage("deepnarrow plan t5-base --hardware tpu-v3 -o plan.json makes one",
					"report needs at least one result")
			}
			if output != "" && bundle != "" {
				return frame.Usage("", "-o and --bundle exclude each other")
			}
			var sources []page.Source
			for _, name := range args {
				text, err := a.ReadLimited(name, asks.MaxSideBytes)
				if err != nil {
					return frame.BadInput(err, "")
				}
				sources = append(sources, page.Source{Name: name, Text: text})
			}
			if err := page.Write(io.Discard, head, sources); err != nil {
				return frame.BadInput(err, "a result is what a command writes with --format json")
			}
			if bundle != "" {
				return writeBundle(bundle, head, sources)
			}
			write := func(w io.Writer) error { return page.Write(w, head, sources) }
			if output == "" {
				return write(a.Raw)
			}
			return a.SaveRaw(output, write)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "",
		"write the page to this `file` instead of standard output")
	c.Flags().StringVar(&bundle, "bundle", "",
		"write markdown and its drawings into this `folder` instead of a page")
	frame.Writes(c, frame.AFile, "output")
	frame.Writes(c, frame.AFolder, "bundle")
	c.Flags().StringVar(&head.Title, "title", "Training plan", "`title` of the page")
	c.Flags().StringVar(&head.Date, "date", "",
		"`date` below the title, such as 2026-11-28; none unless given: a page made again is the same")
	return c
}

// writeBundle writes report.md and its drawings into a folder, which is made where there is none.
func writeBundle(folder string, head page.Head, sources []page.Source) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return frame.FileError(host.Unwritable(folder, err))
	}
	keep := func(name string, write func(io.Writer) error) error {
		return frame.WriteFile(filepath.Join(folder, name), write)
	}
	return keep("report.md", func(w io.Writer) error { return page.Bundle(w, head, sources, keep) })
}
