package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/internal/plain"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
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
		flags.Var(frame.NoFlag("would set the length of the run; allowed: --steps or --tokens for the length, --max-total-time for a limit"), name, "")
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
	a.Opens = asks.InContainer
	globs := a.Configurations(check.FirstGlobs())
	text := check.FirstRules(globs)
	if err := host.CreateFile(name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
		hint := ""
		if errors.Is(err, fs.ErrExist) {
			hint = "--rules names another file; one that is there is never replaced"
		}
		return frame.BadInput(err, hint)
	}
	if len(globs) == 0 {
		fmt.Fprintf(a.Out, "wrote %s: no model configuration was found here\n", name)
		a.Tell("next: say under files: of " + name + " which files are to be checked, then deepnarrow check")
		return nil
	}
	const most = 3
	told, more := quantity.Listed(globs), ""
	if n := len(globs) - most; n > 0 {
		told, more = strings.Join(globs[:most], ", "), fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(a.Out, "wrote %s: it lists %s%s\n", name, told, more)
	if name == asks.RulesFile {
		a.Tell("next: deepnarrow check")
	} else {
		a.Tell("next: deepnarrow check --rules " + plain.Quoted(name))
	}
	return nil
}
