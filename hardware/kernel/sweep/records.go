package sweep

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware/kernel"
)

// recordSuffix ends the names of record files; others in a folder are left alone.
const recordSuffix = ".jsonl"

// FileName is the name of the file that holds the record of a run. It tells runs of different
// shapes, steps and seeds apart, which is what runs of one study differ in.
func FileName(r *kernel.Record) string {
	run := fileName(fmt.Sprintf("%s@%d", r.Shape, r.Steps))
	return fmt.Sprintf("%s.%s.b%d.e%d.d%d.s%d%s", run, r.Optimizer, r.Batch, r.EncoderLength,
		r.DecoderLength, r.Seed, recordSuffix)
}

// Read returns every record in the files of a folder that end in .jsonl, in the order of their
// names.
func Read(folder fs.FS) ([]kernel.Record, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, err
	}
	var records []kernel.Record
	for _, e := range entries {
		if e.IsDir() || path.Ext(e.Name()) != recordSuffix || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		file, err := folder.Open(e.Name())
		if err != nil {
			return nil, err
		}
		some, err := kernel.ReadRecords(e.Name(), file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, err
		}
		records = append(records, some...)
	}
	return records, nil
}

// DisagreementError reports two records of one run that cannot both be right.
type DisagreementError struct {
	Run   string
	Field string
	A, B  float64
}

func (e *DisagreementError) Error() string {
	return fmt.Sprintf("two records of run %s disagree: %s is %v and %v", e.Run, e.Field, e.A, e.B)
}

// pathTolerance is how far the losses of one run may lie apart on different instruction paths,
// whose rounding differs: runs drift apart by the last digits, not by their mean. On one path the
// losses of a run are the same number.
const pathTolerance = 0.01

// Merge joins the records of several machines. Of a run that occurs twice the first is kept,
// provided both agree on what does not depend on the machine: parameters, tokens, FLOPs, and the
// losses. The result is sorted by shape, steps and seed. The error is a [*DisagreementError], or a
// [*kernel.MixedError] if the records are not of one study.
func Merge(sets ...[]kernel.Record) ([]kernel.Record, error) {
	var study kernel.Recipe
	byRun := map[string]kernel.Record{}
	var merged []kernel.Record
	for _, set := range sets {
		for _, r := range set {
			name := strings.TrimSuffix(FileName(&r), recordSuffix)
			if len(merged) == 0 {
				study = r.Recipe
			}
			if err := study.Same(name, &r.Recipe); err != nil {
				return nil, err
			}
			first, seen := byRun[name]
			if !seen {
				byRun[name] = r
				merged = append(merged, r)
				continue
			}
			if err := agree(name, &first, &r); err != nil {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(merged, func(a, b kernel.Record) int {
		return cmp.Or(cmp.Compare(a.Shape, b.Shape), cmp.Compare(a.Steps, b.Steps),
			cmp.Compare(a.Seed, b.Seed))
	})
	return merged, nil
}

func agree(run string, a, b *kernel.Record) error {
	var tolerance float64
	if a.Path != b.Path {
		tolerance = pathTolerance
	}
	for _, c := range []struct {
		field     string
		a, b      float64
		tolerance float64
	}{
		{"params", float64(a.Params), float64(b.Params), 0},
		{"tokens", float64(a.Tokens), float64(b.Tokens), 0},
		{"flops", a.FLOPs, b.FLOPs, 0},
		{"loss", a.Loss, b.Loss, tolerance},
		{"train_loss", a.TrainLoss, b.TrainLoss, tolerance},
	} {
		if difference := max(c.a-c.b, c.b-c.a); difference > c.tolerance*max(c.a, c.b) {
			return &DisagreementError{Run: run, Field: c.field, A: c.a, B: c.b}
		}
	}
	return nil
}
