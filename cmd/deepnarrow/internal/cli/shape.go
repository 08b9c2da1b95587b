package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// shape resolves a SHAPE argument. Warnings are what a config says that is not
// counted.
func (a *app) shape(ref string) (shapes.Shape, []string, error) {
	s, err := shapes.Parse(ref)
	if err != nil {
		return s, nil, shapeError(err)
	}
	return s, nil, nil
}

// shapeError gives a shape error its exit code.
func shapeError(err error) error {
	var notCountable *shapes.NotCountableError
	if errors.As(err, &notCountable) {
		return noAnswer(err, "deepnarrow list shapes marks the names that cannot be counted")
	}
	return badInput(err, "deepnarrow list shapes shows what there is; an edit looks like t5-small/nl=16")
}

// completeShapes offers the catalogue to the shell.
func completeShapes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return shapes.Names(), cobra.ShellCompDirectiveDefault
}
