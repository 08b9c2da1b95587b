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
	"github.com/deepnarrow/deepnarrow/reports/check"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// checkFlags are the flags of check besides the plan's.
type checkFlags struct {
	rules, format, output, today string
	emit                         []string
	updateBaseline               bool
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
	rules, folder, err := findRules(f.rules)
	if err != nil {
		return err
	}
	if err := applyPlan(plan, rules.Plan, folder); err != nil {
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
	if q.Candidates, err = a.candidates(args, rules.Files, folder); err != nil {
		return err
	}
	if q.Baseline, err = f.baseline(&q, folder); err != nil {
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
			err = write(a.Out)
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

// findRules reads the rules named, or the nearest ones up to the root of the repository; none is no
// error. folder is theirs, "." without.
func findRules(name string) (check.Rules, string, error) {
	root, found := host.Repository()
	if name == "" {
		for folder := "."; ; folder = filepath.Join("..", folder) {
			if info, err := os.Stat(filepath.Join(folder, rulesName)); err == nil && info.Mode().IsRegular() {
				name = filepath.Join(folder, rulesName)
				break
			}
			if !found || folder == root {
				return check.Rules{}, ".", nil
			}
		}
	}
	folder := filepath.Dir(name)
	// Rules may extend files of the repository they lie in, else of their folder.
	within := folder
	if rel, err := filepath.Rel(root, folder); err == nil && found && filepath.IsLocal(rel) {
		within = root
	}
	base, err := os.OpenRoot(within)
	if err != nil {
		return check.Rules{}, "", badInput(err, "")
	}
	defer base.Close()
	file, err := os.Open(name)
	if err != nil {
		return check.Rules{}, "", badInput(err, "")
	}
	defer file.Close()
	open := func(path string) (io.ReadCloser, error) {
		rel, err := filepath.Rel(within, filepath.FromSlash(path))
		if err != nil {
			return nil, err
		}
		return base.Open(rel)
	}
	rules, err := check.ReadRules(filepath.ToSlash(name), file,
		check.Options{Open: open, Root: filepath.ToSlash(within)})
	if err != nil {
		return rules, "", badInput(err, "")
	}
	return rules, folder, nil
}

// applyPlan sets the flags that the plan of the rules says and the command line does not. A profile
// file is relative to the rules.
func applyPlan(plan *pflag.FlagSet, settings []check.Setting, folder string) error {
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
		return badInput(&config.Error{Faults: faults}, "")
	}
	return nil
}

// baseline reads the baseline of the rules; with --update-baseline it is measured and written
// first.
func (f *checkFlags) baseline(q *check.Request, folder string) (check.Baseline, error) {
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
	old, err := readBaseline(name)
	if !f.updateBaseline {
		return old, err
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
func readBaseline(name string) (check.Baseline, error) {
	file, err := os.Open(name)
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
