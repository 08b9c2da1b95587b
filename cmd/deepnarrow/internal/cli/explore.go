package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/reports/explore"
)

func (a *app) explore() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:     "explore -o FILE",
		Short:   "Write an offline page with sliders for shape, data and hardware",
		GroupID: groupReview,
		Long: `Write one page that needs no network: the same code as plan and recommend,
compiled to WebAssembly, recomputes counts, memory, step time and cost while you
move sliders of shape, data, devices and layout and choose precision, optimizer,
ZeRO, recompute and price. Up to four plans stand side by side; a run that does
not fit is offered what makes it fit. The address holds the state, so that a link
shares it, and the page shows the command line that gives the same numbers.`,
		Example: "  deepnarrow explore -o explorer.html",
		Args:    frame.NoArguments("-o FILE names the page"),
		RunE: func(*cobra.Command, []string) error {
			if file == "" {
				return frame.Usage("deepnarrow explore -o explorer.html",
					"-o is needed: which file to write?")
			}
			if file == "-" {
				return explore.Write(a.Raw)
			}
			return frame.WriteFile(file, func(w io.Writer) error { return explore.Write(w) })
		},
	}
	c.Flags().StringVarP(&file, "output", "o", "",
		"write the page to this `file`, or - for standard output")
	frame.Writes(c, frame.AFile, "output")
	return c
}
