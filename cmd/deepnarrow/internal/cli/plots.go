package cli

import (
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/reports"
)

func checkPlot(string) error { return nil }

func (a *app) plotFits(string, *fitJob, []reports.Fitted) error { return nil }

func (a *app) plotIsoFLOP(string, []fit.Run, *fit.IsoFLOPFit, float64) error { return nil }

func (a *app) plotEnvelope(string, []fit.Curve, []reports.NamedCurve, *fit.EnvelopeFit) error {
	return nil
}
