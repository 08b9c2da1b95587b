package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// listedShapes reads shapes separated by commas, each as [app.shape] reads it, or a file that lists
// shapes: in the column shape of a .csv or .tsv, else one a line, with comments behind #. It
// returns what the files say that is not counted.
func (a *app) listedShapes(list string) (all []shapes.Shape, warnings []string, err error) {
	for _, ref := range splitShapes(list) {
		refs, listed, err := a.shapesIn(ref)
		if err != nil {
			return nil, nil, err
		}
		reader := a
		if listed { // what a file names stays where that is
			reader = a.within(namedIn(ref))
		}
		for _, r := range refs {
			s, more, err := reader.shape(r)
			if err != nil {
				return nil, nil, fmt.Errorf("--candidates: %w", err)
			}
			all, warnings = append(all, s), append(warnings, more...)
		}
	}
	return all, warnings, nil
}

// maxListBytes bounds a file that lists shapes.
const maxListBytes = 1 << 20

// shapesIn returns the shapes that a file lists, or the reference itself where it names no such
// file.
func (a *app) shapesIn(ref string) (refs []string, listed bool, err error) {
	extension := strings.ToLower(filepath.Ext(ref))
	if info, err := os.Stat(ref); err != nil || info.IsDir() || slices.Contains(modelExtensions, extension) {
		return []string{ref}, false, nil
	}
	if _, err := shapes.Parse(ref); err == nil { // a shape's name wins over a file that has it
		return []string{ref}, false, nil
	}
	if extension == ".csv" || extension == ".tsv" {
		t, err := a.records("", ref)
		if err != nil {
			return nil, false, err
		}
		if refs, err = t.Text("shape"); err != nil {
			return nil, false, columnError(fmt.Errorf("--candidates %s: %w", ref, err))
		}
	} else {
		text, err := a.readLimited(ref, maxListBytes)
		if err != nil {
			return nil, false, badInput(err, "")
		}
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(line, "#")
			refs = append(refs, strings.TrimSpace(line))
		}
	}
	refs = slices.DeleteFunc(slices.Clone(refs), func(r string) bool { return r == "" })
	if len(refs) == 0 {
		return nil, false, badInput(fmt.Errorf("--candidates %s: lists no shape", ref),
			"one shape a line, or a column shape")
	}
	return refs, true, nil
}
