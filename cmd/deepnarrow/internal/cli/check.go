package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/reports/check"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// checkFlags are the flags of check besides the plan's.
type checkFlags struct {
	rules, format, output, today string
	emit                         []string
	updateBaseline, followLinks  bool
}

func (a *app) check() *cobra.Command {
	var ask questionFlags
	var f checkFlags
	var plan *pflag.FlagSet
	c := &cobra.Command{
		Use:     "check [FILE | GLOB | -]...",
		Short:   "Check model configurations against the rules of a project",
		GroupID: groupReview,
		Long: `Check model configurations against the rules in .deepnarrow.yaml, which is looked
for from the working directory up to the root of the repository (or --rules). Without
rules, the built-in ones apply that hold anywhere.

A FILE is anything deepnarrow count reads; a GLOB in quotes may use ** for folders.
Without either, the files: of the rules are checked. The other flags say on what the
configurations would run; they win over the plan: of the rules.

The files are taken for a stranger's: what leads out of the repository over a link is
refused, unless --follow-links; what a file names is inside the repository always.

Exit code: 0 all rules hold or warn, 1 one fails, 3 a file or a rule could not be
judged.`,
		Example: `  deepnarrow check config.json
  deepnarrow check 'configs/**/*.json' --hardware tpu-v3 --devices 16
  deepnarrow check --format github --emit sarif=check.sarif --emit summary=summary.md
  deepnarrow check --update-baseline`,
		RunE: func(_ *cobra.Command, args []string) error {
			return a.runCheck(args, &f, plan, &ask)
		},
	}
	ask.register(c)
	a.files.register(c)
	plan = pflag.NewFlagSet("plan", pflag.ContinueOnError)
	plan.AddFlagSet(c.Flags())
	flags := c.Flags()
	flags.StringVar(&f.rules, "rules", "", "rules `file` (default: the nearest .deepnarrow.yaml)")
	flags.StringVar(&f.format, "format", string(check.TextFormat),
		"how to write the findings: table, json, junit, sarif, github, summary or comment")
	flags.StringVarP(&f.output, "output", "o", "",
		"write the findings to this `file` instead of standard output")
	flags.StringArrayVar(&f.emit, "emit", nil,
		"also write the findings to a file, as `FORMAT=FILE`; may be repeated")
	writes(c, aFile, "output")
	writes(c, formats, "emit")
	flags.BoolVar(&f.updateBaseline, "update-baseline", false,
		"write the baseline that max_increase compares with")
	flags.BoolVar(&f.followLinks, "follow-links", false,
		"read files over links that lead out of the repository")
	flags.StringVar(&f.today, "today", "",
		"the `day` on which waivers are judged, such as 2026-12-31 (default: today)")
	return c
}

func (a *app) runCheck(args []string, f *checkFlags, plan *pflag.FlagSet,
	ask *questionFlags,
) error {
	outputs, err := f.outputs()
	if err != nil {
		return err
	}
	today := time.Now()
	if f.today != "" {
		if today, err = time.Parse(time.DateOnly, f.today); err != nil {
			return usage("", "--today is %q; allowed: a day such as 2026-12-31", f.today)
		}
	}
	if !f.followLinks {
		a.opens = inContainer
	}
	rules, folder, err := a.findRules(f.rules)
	if err != nil {
		return err
	}
	root, err := openfile.Within(container(filepath.Join(folder, rulesName)))
	if err != nil {
		return badInput(err, "")
	}
	defer root.Close()
	set, err := applyPlan(plan, rules.Plan, folder)
	if err != nil {
		return err
	}
	if set["hardware"] || set["cluster"] {
		ask.opens = root.Open
	}
	if set["architectures"] {
		a.files.opens = root.Open
	}
	if _, err := a.files.table(); err != nil {
		return err
	}
	asked, err := ask.single()
	if err != nil {
		return err
	}
	asked.Decode = 1
	if len(rules.Rules) == 0 {
		// a gate without rules would pass everything
		rules.Rules = check.DefaultRules(asked.Profile != nil)
	}
	q := check.Request{Rules: rules, Question: asked, Today: today}
	if q.Candidates, err = a.candidates(args, &rules, folder, f.followLinks); err != nil {
		return err
	}
	if q.Baseline, err = f.baseline(&q, folder, root); err != nil {
		return err
	}
	result := check.Check(q)
	for _, w := range result.Warnings {
		fmt.Fprintln(a.Err, "warning:", w)
	}
	about := check.About{
		Version: version(), Rules: rules.Rules,
		Inputs:       map[string]any{"files": args, "rules": rules.File},
		InRepository: host.InRepository,
	}
	ask.inputs(about.Inputs)
	if delete(about.Inputs, "hardware"); asked.Profile != nil {
		about.Inputs["hardware"] = asked.Profile.Name
	}
	for _, o := range outputs {
		write := func(w io.Writer) error { return result.Write(w, o.format, about) }
		if about.Width = 0; o.file == "" {
			about.Width = a.Width
			out := a.Out
			if o.format == check.GitHubFormat { // its lines are commands of the workflow
				out = a.raw
			}
			err = write(out)
		} else {
			err = a.save(o.file, write)
		}
		if err != nil {
			return err
		}
	}
	return verdict(&result)
}

// verdict turns findings into the exit code.
func verdict(r *check.Result) error {
	failed, unknown := r.Count(check.Fail), r.Count(check.InError)
	switch {
	case unknown > 0:
		return badInput(fmt.Errorf("check: %d could not be judged, %d failed", unknown, failed), "")
	case failed > 0:
		return &failure{code: exitFinding, err: fmt.Errorf("check: %d failed", failed)}
	}
	return nil
}

// target is one output: a format and a file, or standard output.
type target struct {
	format check.Format
	file   string
}

func (f *checkFlags) outputs() ([]target, error) {
	format, err := check.ParseFormat(f.format)
	if err != nil {
		return nil, usage("", "--format: %w", err)
	}
	out := []target{{format, f.output}}
	for _, e := range f.emit {
		name, file, ok := strings.Cut(e, "=")
		if !ok || file == "" {
			return nil, usage("", "--emit is %q; allowed: FORMAT=FILE, such as sarif=check.sarif",
				e)
		}
		format, err := check.ParseFormat(name)
		if err != nil {
			return nil, usage("", "--emit: %w", err)
		}
		out = append(out, target{format, file})
	}
	return out, nil
}

// rulesName is the file that is looked for.
const rulesName = ".deepnarrow.yaml"

// inContainer opens a file whose name a glob or a hook gave: no link leads out of its [container].
func inContainer(name string) (*os.File, error) {
	return namedIn(name)(name)
}

// findRules reads the rules named, or the nearest ones up to the root of the repository; none is no
// error. folder is theirs, "." without.
func (a *app) findRules(name string) (check.Rules, string, error) {
	if name == "" {
		root, found := host.Repository()
		for folder := "."; ; folder = filepath.Join("..", folder) {
			if _, err := os.Lstat(filepath.Join(folder, rulesName)); err == nil {
				name = filepath.Join(folder, rulesName)
				break
			}
			if !found || folder == root {
				return check.Rules{}, ".", nil
			}
		}
	}
	file, err := a.opens(name)
	if err != nil {
		return check.Rules{}, "", refusedLink(err)
	}
	defer file.Close()
	within := container(name)
	root, err := openfile.Within(within)
	if err != nil {
		return check.Rules{}, "", badInput(err, "")
	}
	defer root.Close()
	rules, err := check.ReadRules(filepath.ToSlash(name), file, check.Options{
		Open: func(path string) (io.ReadCloser, error) { return root.Open(path) },
		Root: filepath.ToSlash(within),
	})
	if err != nil {
		return rules, "", badInput(err, "")
	}
	return rules, filepath.Dir(name), nil
}

// refusedLink is badInput with what allows a link out of the repository.
func refusedLink(err error) error {
	hint := ""
	if errors.Is(err, openfile.ErrOutside) {
		hint = followHint
	}
	return badInput(err, hint)
}

const followHint = "--follow-links reads it all the same, where the repository is trusted"

// applyPlan sets the flags that the plan of the rules says and the command line does not, and tells
// which. A profile file is relative to the rules.
func applyPlan(plan *pflag.FlagSet, settings []check.Setting, folder string) (map[string]bool, error) {
	set := map[string]bool{}
	var faults []config.Fault
	for _, s := range settings {
		flag := plan.Lookup(s.Key)
		if flag == nil || s.Key == "help" {
			var names []string
			plan.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
			faults = append(faults, config.Fault{
				Position: s.Position, Field: "plan." + s.Key,
				Problem: "is unknown", Allowed: "the flags of deepnarrow plan: " +
					strings.Join(names, ", "),
			})
			continue
		}
		if flag.Changed {
			continue
		}
		value := s.Value
		set[s.Key] = true
		if s.Key == "architectures" && !filepath.IsAbs(value) {
			value = filepath.Join(folder, value)
		}
		if name, rest := hardware.SplitSpec(value); s.Key == "hardware" && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")) && !filepath.IsAbs(name) {
			value = filepath.Join(folder, name)
			if rest != "" {
				value += "," + rest
			}
		}
		if err := plan.Set(s.Key, value); err != nil {
			// pflag repeats flag and value before the cause.
			if cause := errors.Unwrap(err); cause != nil {
				err = cause
			}
			faults = append(faults, config.Fault{
				Position: s.Position, Field: "plan." + s.Key,
				Problem: "is not understood: " + err.Error(), Err: err,
			})
		}
	}
	if len(faults) > 0 {
		return nil, badInput(&config.Error{Faults: faults}, "")
	}
	return set, nil
}

// baseline reads the baseline of the rules, which lies in their folder; with --update-baseline it is
// measured and written first.
func (f *checkFlags) baseline(q *check.Request, folder string, root *openfile.Root) (check.Baseline, error) {
	name := filepath.Join(folder, filepath.FromSlash(q.Rules.Baseline))
	switch {
	case q.Rules.Baseline == "" && f.updateBaseline:
		return nil,
			usage("a line such as \"baseline: .deepnarrow-baseline.json\" in the rules says where",
				"--update-baseline needs a baseline")
	case q.Rules.Baseline == "":
		return nil, nil
	case !filepath.IsLocal(filepath.FromSlash(q.Rules.Baseline)):
		return nil, badInput(fmt.Errorf(
			"%s: baseline is %q; allowed: a file below the folder of the rules", q.Rules.File,
			q.Rules.Baseline), "")
	}
	old, err := readBaseline(name, root)
	if !f.updateBaseline {
		return old, err
	}
	if err := root.Writable(name); err != nil {
		return nil, badInput(err, "")
	}
	// Files that are not checked this time keep what they had; a baseline that cannot be read is
	// replaced.
	measured := *q
	measured.Rules.Rules = nil
	b := check.BaselineOf(check.Check(measured).Costs)
	for path, measures := range old {
		if _, fresh := b[path]; !fresh {
			b[path] = measures
		}
	}
	return b, writeFile(name, b.Write)
}

// readBaseline reads a baseline; none is no error, as each rule that needs it says so.
func readBaseline(name string, root *openfile.Root) (check.Baseline, error) {
	file, err := root.Open(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, badInput(err, "")
	}
	defer file.Close()
	b, err := check.ReadBaseline(filepath.ToSlash(name), file)
	if err != nil {
		return nil, badInput(err, "deepnarrow check --update-baseline writes it anew")
	}
	return b, nil
}
