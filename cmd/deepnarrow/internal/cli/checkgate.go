package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/reports/check"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// limitFlags registers --max-METRIC for every metric, and refuses what sets the length of a run in
// other commands and would look like a limit here. It returns what reads the rules that were given.
func limitFlags(c *cobra.Command) func() ([]check.Rule, error) {
	flags := c.Flags()
	for _, m := range plan.Metrics() {
		frame.OptionalFlag(c, m.Kind(), new(*float64), "max-"+m.String(), "limit on "+m.Label())
	}
	for _, name := range []string{"days", "deadline"} {
		flags.Var(noFlag("would set the length of the run; allowed: --steps or --tokens for the length, --max-total-time for a limit"), name, "")
		if err := flags.MarkHidden(name); err != nil {
			panic("cli: " + err.Error()) // no such flag
		}
	}
	return func() ([]check.Rule, error) {
		var out []check.Rule
		for _, m := range plan.Metrics() {
			name := "max-" + m.String()
			if !flags.Changed(name) {
				continue
			}
			rule, err := check.AtMost(m, flags.Lookup(name).Value.String())
			if err != nil {
				return nil, frame.Usage("", "--%s: %w", name, err)
			}
			out = append(out, rule)
		}
		return out, nil
	}
}

// noFlag is a flag of other commands that this one refuses, and why.
type noFlag string

func (f noFlag) Set(string) error { return errors.New(string(f)) }

func (noFlag) String() string { return "" }

func (noFlag) Type() string { return "value" }

// startGlobs are the files that a first rules file lists where there are such.
var startGlobs = []string{"**/config.json", "**/*.gin", "**/model_config.yaml", "**/*.safetensors"}

// startRules writes a rules file to start from.
func (a *app) startRules(c *cobra.Command, args []string, name string) error {
	var other string
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Name != "init" && f.Name != "rules" && c.InheritedFlags().Lookup(f.Name) == nil {
			other = f.Name
		}
	})
	switch {
	case len(args) > 0:
		return frame.Usage("files: in the rules lists what is checked", "--init takes no files; found %q", args[0])
	case other != "":
		return frame.Usage("", "--init judges nothing, so that --%s says nothing", other)
	case name == "":
		name = asks.RulesFile
	}
	var files strings.Builder
	for _, g := range startGlobs {
		found, err := host.Expand(g, 1, check.Match, func(start string) (fs.FS, error) { return os.DirFS(start), nil })
		if err == nil && len(found) > 0 {
			fmt.Fprintf(&files, "- %q\n", g)
		}
	}
	if files.Len() == 0 {
		files.WriteString("- \"**/config.json\" # none is there yet\n")
	}
	text := strings.Replace(firstRules, "FILES\n", files.String(), 1)
	if err := host.CreateFile(name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		hint := ""
		if errors.Is(err, fs.ErrExist) {
			hint = "--rules names another file; one that is there is never replaced"
		}
		return frame.BadInput(err, hint)
	}
	fmt.Fprintf(a.Out, "wrote %s\n", name)
	a.Tell("next: deepnarrow check")
	return nil
}

// firstRules is the rules file of --init.
const firstRules = `# What deepnarrow check demands of the model configurations of this repository.
# docs/check.md of deepnarrow describes every line.

# The built-in rules stay; without this line the rules below replace them.
extends: builtin

# What is checked when no files are named: ** stands for any folders.
files:
FILES

# On what the models would run: the flags of deepnarrow plan. Times, money and
# "fits in memory" need a machine.
# plan:
#   hardware: a100          # deepnarrow list hardware
#   devices: 8
#   tokens: 34.4B

# Limits: params, non-embedding-params, step-flops, flops, memory, step-time,
# total-time, device-hours, cost, energy, co2, decode-latency.
# rules:
# - id: small-enough
#   metric: params
#   max: 300M
# - id: affordable
#   metric: cost
#   max: $500
#   severity: warning        # told, and the exit code stays 0
# - id: no-silent-growth
#   metric: params
#   max_increase: 10%        # against the baseline below

# deepnarrow check --update-baseline writes it; commit it.
# baseline: .deepnarrow-baseline.json

# waivers:
# - rule: small-enough
#   files: configs/xl.json
#   reason: the last model of the old fleet
#   expires: 2030-12-31      # the last day it holds
`
