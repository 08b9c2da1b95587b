package cli

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// values are the words that a shell completes for each flag that takes one of a few.
var values = map[string]func() []string{
	"hardware": hardwareNames,
	"profile":  hardwareNames,
	"check":    hardwareNames,
	"like":     shapes.Names,
	"shapes":   shapes.Names,
	"region": func() []string {
		var out []string
		for _, r := range hardware.Regions() {
			out = append(out, r.Key+"\t"+r.Name)
		}
		return out
	},
	"law": func() []string {
		out := []string{"auto"}
		for _, l := range fit.Laws() {
			out = append(out, l.Name)
		}
		return out
	},
	"convention": func() []string {
		out := []string{"all"}
		for _, c := range flops.Conventions() {
			out = append(out, string(c))
		}
		return out
	},
	"format": func() []string {
		var out []string
		for _, f := range append(reports.Formats(), frame.HtmlFormat) {
			out = append(out, string(f))
		}
		return out
	},
	"to":        config.ExportFormats,
	"color":     frame.ColorChoices,
	"layout":    frame.Words("auto"),
	"compiled":  frame.Words("yes no auto"),
	"gated":     frame.Words("yes no"),
	"el-dl":     frame.Words("free tied"),
	"align":     frame.Words("64 128 profile"),
	"family":    frame.Words("t5 t5.1.1 gpt bert"),
	"judge":     frame.Words("downstream upstream"),
	"evidence":  frame.Words("primary secondary figure recalled"),
	"objective": frame.Words("params flops step-time device-hours cost memory decode-latency quality"),
	"zero":      frame.Words("0 1 2 3"),
}

func hardwareNames() []string {
	var out []string
	for _, p := range hardware.Catalogue() {
		for _, alias := range p.Aliases {
			out = append(out, alias+"\t"+p.Name)
		}
	}
	return out
}

// ofColumns are the flags whose values are columns of the files that a command reads.
var ofColumns = []string{"x", "y", "by", "group", "run-key", "where", "upstream", "downstream", "size"}

// columns completes names of columns of the files on the command line.
func (a *app) columns(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, file := range args {
		if t, err := a.Records("", file); err == nil {
			out = append(out, t.Names()...)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
