package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/check"
)

// checkFlags are the flags of check besides the plan's.
type checkFlags struct {
	rules, format, output, today, failOn, since string
	emit                                        []string
	updateBaseline, followLinks, strict         bool
	start, ifListed                             bool

	given  func(flag string) bool
	limits func() ([]check.Rule, error) // of the --max- flags
}

func (a *app) check() *cobra.Command {
	var ask asks.Question
	var f checkFlags
	var plan *pflag.FlagSet
	c := &cobra.Command{
		Use:     "check [FILE | GLOB | -]...",
		Short:   "Check model configurations against the rules of a project",
		GroupID: groupReview,
		Long: `Check model configurations against the rules in .deepnarrow.yaml, which is looked
for from the working directory up to the root of the repository (or --rules). Without
rules, the built-in ones apply that hold anywhere. Every --max- flag is one rule more.

A FILE is anything deepnarrow count reads; a GLOB in quotes may use ** for folders.
Without either, the files: of the rules are checked. The other flags say on what the
configurations would run; they win over the plan: of the rules.

--changed-since main judges only what differs from the branch point with main, files
that are not committed included, and says by how much each cost changed. When the rules
themselves changed, every file is judged.

The files are taken for a stranger's: what leads out of the repository over a link is
refused, unless --follow-links; what a file names is inside the repository always.

Exit code: 0 all rules hold or warn, 1 one fails, 3 a file or a rule could not be
judged.`,
		Example: `  deepnarrow check --init
  deepnarrow check config.json --max-params 300M
  deepnarrow check 'configs/**/*.json' --hardware tpu-v3 --devices 16
  deepnarrow check --changed-since main --format github --emit sarif=check.sarif --emit summary=summary.md
  deepnarrow check --update-baseline`,
		RunE: func(c *cobra.Command, args []string) error {
			if f.start {
				return a.startRules(c, args, f.rules)
			}
			return a.runCheck(c.Context(), args, &f, plan, &ask)
		},
	}
	ask.RegisterWork(c)
	a.Files.Register(c)
	plan = pflag.NewFlagSet("plan", pflag.ContinueOnError)
	plan.AddFlagSet(c.Flags())
	flags := c.Flags()
	f.given, f.limits = flags.Changed, limitFlags(c)
	flags.BoolVar(&f.start, "init", false,
		"write a commented rules file to start from (.deepnarrow.yaml, or what --rules names), never over another")
	flags.StringVar(&f.failOn, "fail-on", string(check.Error),
		"the least `severity` that makes the exit code 1: error or warning")
	flags.BoolVar(&f.strict, "strict", false, "the same as --fail-on warning")
	flags.StringVar(&f.since, "changed-since", "",
		"judge only what changed since a git `revision`, such as main, and tell the change of every cost")
	flags.BoolVar(&f.ifListed, "if-listed", false,
		"of the files named, judge those that files: of the rules lists (without it, those called as models are)")
	flags.StringVar(&f.rules, "rules", "", "rules `file` (default: the nearest .deepnarrow.yaml)")
	flags.StringVarP(&f.format, "format", "f", string(check.TextFormat),
		"how to write the findings: table, json, junit, sarif, github, summary or comment")
	flags.StringVarP(&f.output, "output", "o", "",
		"write the findings to this `file`; its ending is the format (.txt .json .xml .sarif .md)")
	flags.StringArrayVar(&f.emit, "emit", nil,
		"also write the findings to a file, as `FORMAT=FILE`; may be repeated")
	frame.Writes(c, frame.AFile, "output")
	frame.Writes(c, frame.Formats, "emit")
	flags.BoolVar(&f.updateBaseline, "update-baseline", false,
		"write the baseline that max_increase compares with")
	flags.BoolVar(&f.followLinks, "follow-links", false,
		"read files over links that lead out of the repository")
	flags.StringVar(&f.today, "today", "",
		"the `day` on which waivers are judged, such as 2026-12-31 (default: today)")
	return c
}

func (a *app) runCheck(ctx context.Context, args []string, f *checkFlags, plan *pflag.FlagSet,
	ask *asks.Question,
) error {
	outputs, err := f.outputs()
	if err != nil {
		return err
	}
	limits, err := f.limits()
	if err != nil {
		return err
	}
	today := time.Now()
	if f.today != "" {
		if today, err = time.Parse(time.DateOnly, f.today); err != nil {
			return frame.Usage("", "--today is %q; allowed: a day such as 2026-12-31", f.today)
		}
	}
	if !f.followLinks {
		a.Opens = asks.InContainer
	}
	rules, folder, err := a.FindRules(f.rules)
	if err != nil {
		return err
	}
	root, err := openfile.Within(asks.Container(filepath.Join(folder, asks.RulesFile)))
	if err != nil {
		return frame.BadInput(err, "")
	}
	defer root.Close()
	set, err := applyPlan(plan, &rules, folder)
	if err != nil {
		return frame.BadInput(err, "")
	}
	if set["hardware"] || set["cluster"] {
		ask.Opens = root.Open
	}
	if set["architectures"] {
		a.TableOpens = root.Open
	}
	if _, err := a.Files.Table(); err != nil {
		return err
	}
	asked, err := ask.Single()
	if err != nil {
		return err
	}
	asked.Decode = 1
	if rules.Silent() && a.Common.Verbose {
		a.Tell("hint: " + rules.File + " replaces the built-in rules; \"extends: builtin\" keeps them, \"extends: []\" hides this hint")
	}
	rules.Complete(asked.Profile != nil, limits) // a gate without rules would pass everything
	if f.strict || f.failOn == string(check.Warning) {
		rules.Harden()
	}
	if f.ifListed {
		if args = asks.ListedFiles(args, &rules, folder); len(args) == 0 {
			return nil
		}
	}
	q := check.Request{Rules: rules, Question: asked, Today: today, Since: f.since}
	if q.Candidates, err = a.Candidates(args, &rules, folder, f.followLinks); err != nil {
		return err
	}
	for _, o := range outputs {
		for i := range q.Candidates {
			if file := q.Candidates[i].File; o.file != "" && host.Same(o.file, file) {
				return frame.Usage("", "%s is a file to judge; allowed: findings in a file of their own", file)
			}
		}
	}
	if f.since != "" {
		since, err := a.Changes(ctx, f.since, folder)
		if err != nil {
			return frame.BadInput(fmt.Errorf("--changed-since: %w", err),
				"a shallow clone knows no branch point: fetch the whole history (fetch-depth: 0)")
		}
		var globs []string
		for _, arg := range args {
			globs = append(globs, filepath.ToSlash(arg))
		}
		q.OnlyChanged(since, globs, append(ask.Profiles, a.Files.Architectures)...)
	}
	if q.Baseline, err = f.baseline(&q, folder, root); err != nil {
		return err
	}
	if f.updateBaseline {
		return a.updateBaseline(&q, folder, root)
	}
	result := check.Check(q)
	a.Warn(result.Warnings)
	about := check.About{
		Version: frame.Version(), Rules: rules.Rules,
		Inputs:       map[string]any{"files": args, "rules": rules.File},
		InRepository: host.InRepository,
	}
	ask.Inputs(about.Inputs)
	for _, l := range limits {
		about.Inputs[strings.ReplaceAll(l.ID, "-", "_")] = l.Max.Value
	}
	if f.since != "" {
		about.Inputs["changed_since"] = f.since
	}
	if delete(about.Inputs, "hardware"); asked.Profile != nil {
		about.Inputs["hardware"] = asked.Profile.Name
	}
	if err := a.writeFindings(&result, outputs, about); err != nil {
		return err
	}
	return verdict(&result)
}

// writeFindings writes the findings to every output.
func (a *app) writeFindings(result *check.Result, outputs []target, about check.About) (err error) {
	for _, o := range outputs {
		write := func(w io.Writer) error { return result.Write(w, o.format, about) }
		out, save := a.Out, a.Save
		if o.format == check.GitHubFormat { // its lines are commands of the workflow
			out, save = a.Raw, a.SaveRaw
		}
		about.Width, about.Color, about.Quiet, about.Verbose = 0, false, a.Common.Quiet, a.Common.Verbose
		if o.file == "" {
			if about.Width = a.Width; o.format == check.TextFormat {
				out, about.Color = a.Text(true)
			}
			err = write(out)
		} else {
			err = save(o.file, write)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// verdict turns findings into the exit code.
func verdict(r *check.Result) error {
	failed, unknown := r.Count(check.Fail), r.Count(check.InError)
	switch {
	case unknown > 0:
		return frame.BadInput(fmt.Errorf("check: %d could not be judged, %d failed", unknown, failed), "")
	case failed > 0:
		return frame.Finding("check: %d failed", failed)
	}
	return nil
}

// target is one output: a format and a file, or standard output.
type target struct {
	format check.Format
	file   string
}

func (f *checkFlags) outputs() ([]target, error) {
	if err := frame.Word("severity", f.failOn, string(check.Error), string(check.Warning)); err != nil {
		return nil, err
	}
	for _, name := range []string{"format", "output", "emit", "strict", "fail-on", "changed-since"} {
		if f.updateBaseline && f.given(name) {
			return nil, frame.Usage("", "--update-baseline judges nothing, so that --%s says nothing", name)
		}
	}
	format, err := check.ParseFormat(f.format)
	if err != nil {
		return nil, frame.Usage("", "--format: %w", err)
	}
	if f.output != "" && !f.given("format") {
		if format, err = findingsFormat(f.output); err != nil {
			return nil, err
		}
	}
	out := []target{{format, f.output}}
	for _, e := range f.emit {
		name, file, ok := strings.Cut(e, "=")
		if !ok || file == "" {
			return nil, frame.Usage("", "--emit is %q; allowed: FORMAT=FILE, such as sarif=check.sarif",
				e)
		}
		format, err := check.ParseFormat(name)
		if err != nil {
			return nil, frame.Usage("", "--emit: %w", err)
		}
		out = append(out, target{format, file})
	}
	return out, nil
}

// findingsFormat is the format of findings that the name of a file ends in.
func findingsFormat(name string) (check.Format, error) {
	format, ok := check.FormatOfFile(name)
	if !ok && !frame.IsDevice(name) {
		return "", frame.Usage("--format names the format whatever the ending is",
			"-o %s: the ending names no format; allowed: .txt, .json, .xml (junit), .sarif, .md (summary)", name)
	}
	return format, nil
}

// applyPlan sets the flags that the plan of the rules says and the command line does not, and tells
// which.
func applyPlan(plan *pflag.FlagSet, rules *check.Rules, folder string) (map[string]bool, error) {
	var flags []string
	plan.VisitAll(func(f *pflag.Flag) { flags = append(flags, f.Name) })
	set := map[string]bool{}
	return set, rules.Apply(folder, flags, func(name, value string) error {
		if plan.Changed(name) {
			return nil
		}
		set[name] = true
		err := plan.Set(name, value)
		if cause := errors.Unwrap(err); cause != nil { // pflag repeats flag and value before it
			return cause
		}
		return err
	})
}

// baseline reads the baseline of the rules, which lies in their folder.
func (f *checkFlags) baseline(q *check.Request, folder string, root *openfile.Root) (check.Baseline, error) {
	switch {
	case q.Rules.Baseline == "" && f.updateBaseline:
		return nil,
			frame.Usage("a line such as \"baseline: .deepnarrow-baseline.json\" in the rules says where",
				"--update-baseline needs a baseline")
	case q.Rules.Baseline == "":
		return nil, nil
	case !filepath.IsLocal(filepath.FromSlash(q.Rules.Baseline)):
		return nil, frame.BadInput(fmt.Errorf(
			"%s: baseline is %q; allowed: a file below the folder of the rules", q.Rules.File,
			q.Rules.Baseline), "")
	}
	old, err := readBaseline(baselineFile(q, folder), root)
	if f.updateBaseline { // one that cannot be read is replaced
		err = nil
	}
	return old, err
}

func baselineFile(q *check.Request, folder string) string {
	return filepath.Join(folder, filepath.FromSlash(q.Rules.Baseline))
}

// updateBaseline measures the configurations and writes the baseline, and says what is new and what
// changed in it. Files that are not checked this time keep what they had.
func (a *app) updateBaseline(q *check.Request, folder string, root *openfile.Root) error {
	name := baselineFile(q, folder)
	if err := root.Writable(name); err != nil {
		return frame.BadInput(err, "")
	}
	measured := *q
	measured.Rules.Rules = nil
	r := check.Check(measured)
	b, fresh, changed := q.Baseline.Updated(r.Costs)
	if err := frame.WriteFile(name, b.Write); err != nil {
		return err
	}
	if !a.Common.Quiet {
		for i := range r.Costs {
			switch file := r.Costs[i].Path; {
			case slices.Contains(fresh, file):
				fmt.Fprintf(a.Out, "new      %s\n", file)
			case slices.Contains(changed, file):
				fmt.Fprintf(a.Out, "changed  %s\n", file)
			}
		}
		fmt.Fprintf(a.Out, "wrote %s: %s, %d new, %d changed\n", filepath.ToSlash(name), quantity.Of(len(b), "configuration"),
			len(fresh), len(changed))
	}
	if !slices.ContainsFunc(q.Rules.Rules, func(r check.Rule) bool { return r.MaxIncrease != nil }) {
		a.Tell("hint: no rule compares with it; one with a line max_increase: 10% does")
	}
	if missing := len(q.Candidates) - len(r.Costs); missing > 0 {
		for _, f := range r.Findings {
			a.Tell(f.File + ": " + f.Message)
		}
		return frame.BadInput(fmt.Errorf("check: %d of %d files could not be measured and are not in the baseline",
			missing, len(q.Candidates)), "")
	}
	return nil
}

// readBaseline reads a baseline; having none is not an error, as each rule that needs it says so.
func readBaseline(name string, root *openfile.Root) (check.Baseline, error) {
	file, err := root.Open(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, frame.BadInput(err, "")
	}
	defer file.Close()
	b, err := check.ReadBaseline(filepath.ToSlash(name), file)
	if err != nil {
		return nil, frame.BadInput(err, "deepnarrow check --update-baseline writes it anew")
	}
	return b, nil
}
