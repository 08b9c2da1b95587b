package asks

import (
	"errors"
	"slices"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/fit/learn"
	"github.com/deepnarrow/deepnarrow/fit/records"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Conditions reads a flag of conditions; nil when it is empty.
func Conditions(flag, text string) (records.Where, error) {
	if text == "" {
		return nil, nil
	}
	w, err := records.ParseWhere(text)
	if err != nil {
		return nil, frame.Usage("", "--%s: %w", flag, err)
	}
	if w == nil { // blanks and commas: every row meets them
		w = records.Where{}
	}
	return w, nil
}

// Refused gives a refusal its exit code and what may help.
func Refused(err error) error {
	var r *fit.Refusal
	hint := ""
	if errors.As(err, &r) {
		switch r.Kind {
		case fit.TooFewPoints:
			hint = "--fix NAME=VALUE holds a parameter; a law with fewer may do (deepnarrow list laws)"
		case fit.ConstantColumn, fit.Unidentified:
			hint = "the rows do not vary in what the law needs: --fix NAME=VALUE holds a parameter; a simpler law may do (deepnarrow list laws)"
		case fit.BadValue:
			hint = "--where drops rows, such as --where 'loss>0'"
		case fit.AtBound, fit.NotConverged:
			hint = "the law does not describe the rows; --law auto compares laws, --bound NAME=LOW:HIGH keeps a parameter in a range"
		case fit.NoInteriorMinimum:
			hint = "runs of more sizes at the same budget would show where the loss turns"
		}
	}
	return frame.NoAnswer(err, hint)
}

// SavedLaw reads the one fit of a document.
func SavedLaw(file string) (*learn.Law, error) {
	const writer = "deepnarrow fit runs.csv -o fit.json writes one"
	f, err := openfile.Named(file)
	if err != nil {
		return nil, frame.BadInput(err, writer)
	}
	defer f.Close()
	law, err := result.ReadLaw(file, f)
	if err != nil {
		return nil, frame.BadInput(err, writer)
	}
	return law, nil
}

// CheckLaw refuses an unknown name before any file is read; others are allowed beside the laws.
func CheckLaw(kind, name string, list []fit.Law, others ...string) error {
	names := others
	for _, law := range list {
		names = append(names, law.Name)
	}
	if !slices.Contains(names, name) {
		return frame.UnknownWord(kind, name, names)
	}
	return nil
}

func ObjectiveFlag(text string) (*fit.Objective, error) {
	if text == "" {
		return nil, nil
	}
	o, err := fit.ParseObjective(text)
	if err != nil {
		return nil, frame.Usage("", "--objective: %w", err)
	}
	return &o, nil
}

func PointsFlag(texts []string) ([]learn.Point, error) {
	var out []learn.Point
	for _, text := range texts {
		p, err := learn.ParsePoint(text)
		if err != nil {
			return nil, frame.Usage("", "--predict: %w", err)
		}
		out = append(out, p)
	}
	return out, nil
}

const UsualLevel = 0.95

func CheckLevel(level float64) error {
	if !(level > 0 && level < 1) {
		return frame.Usage("", "--level is %v; allowed: between 0 and 1", level)
	}
	return nil
}
