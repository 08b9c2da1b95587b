package frame

import (
	"io"

	"github.com/deepnarrow/deepnarrow/reports/figure"
)

func CheckPlot(file string) error {
	if file == "" {
		return nil
	}
	if _, err := figure.FormatOf(file); err != nil {
		return Usage("", "--plot: %w", err)
	}
	return nil
}

// Plot draws panels into a file; an empty name asks for none.
func Plot(file string, panels ...figure.Panel) error {
	if file == "" {
		return nil
	}
	format, err := figure.FormatOf(file)
	if err != nil {
		return err
	}
	return WriteFile(file, func(w io.Writer) error { return figure.Write(w, format, panels...) })
}
