package cli

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

func (a *app) export() *cobra.Command {
	var to, out string
	c := &cobra.Command{
		Use:     "export SHAPE --to FORMAT",
		Short:   "Write a shape as the configuration of a trainer",
		GroupID: groupPlan,
		Long: `Write a shape as the configuration of a trainer: hf (config.json of Hugging Face),
t5x and mesh (gin), megatron (arguments, as YAML keys), nanotron, or yaml (our own
format). The file goes to standard output, or with --out into a folder.

What is written was read back and gives the same shape. A format that cannot say
a field of the shape is refused with the field's name. Training settings are the
trainer's own: the file holds the shape alone.`,
		Example: `  deepnarrow export t5-small/nl=16 --to hf
  deepnarrow export t5-efficient-base-el16 --to t5x --out configs/el16`,
		Args: frame.Arguments(1, 1, "deepnarrow list shapes shows what there is",
			"%[1]s needs one shape, not %[2]d"),
		ValidArgsFunction: asks.CompleteShapes,
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(config.ExportFormats(), to) {
				return frame.UnknownWord("format of --to", to, config.ExportFormats())
			}
			s, warnings, err := a.Shape(args[0])
			if err != nil {
				return err
			}
			a.Warn(warnings)
			return a.writeShape(&s, to, out, args[0])
		},
	}
	a.Files.Register(c)
	c.Flags().StringVar(&to, "to", "", "the `FORMAT`: "+strings.Join(config.ExportFormats(), ", "))
	c.Flags().StringVar(&out, "out", "", "write into this `DIR`, which is made if it is not there")
	frame.Writes(c, frame.AFolder, "out")
	return c
}

// writeShape writes a shape in a format of [config.Export]: into the folder out, which is made if it
// is not there, or where out is empty to standard output; never over the file that it was read from.
func (a *app) writeShape(s *shapes.Shape, to, out, from string) error {
	file, err := config.Export(s, to)
	if frame.Is[*config.InexpressibleError](err) {
		return frame.NoAnswer(err, "--to yaml writes every shape")
	}
	if err != nil {
		return err
	}
	if out == "" {
		_, err := io.WriteString(a.Out, file.Text)
		return err
	}
	name := filepath.Join(out, file.Name)
	if host.Same(name, from) || host.Same(name, filepath.Join(from, file.Name)) {
		return frame.Usage("", "%s is read by this command; allowed: another folder to write", name)
	}
	if err := os.MkdirAll(out, 0o777); err != nil {
		return frame.BadInput(err, "")
	}
	return frame.WriteFile(name, func(w io.Writer) error {
		_, err := io.WriteString(w, file.Text)
		return err
	})
}
