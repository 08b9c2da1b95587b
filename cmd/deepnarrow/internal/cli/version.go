package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

func (a *app) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  frame.NoArguments(""),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(a.Out, "deepnarrow %s %s/%s %s\n", frame.Version(), runtime.GOOS,
				runtime.GOARCH, runtime.Version())
			return err
		},
	}
}
