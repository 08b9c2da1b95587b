package cli

import (
	"github.com/deepnarrow/deepnarrow/reports"
)

func checkPlot(string) error { return nil }

func (a *app) plotFits(string, *fitJob, []reports.Fitted) error { return nil }
