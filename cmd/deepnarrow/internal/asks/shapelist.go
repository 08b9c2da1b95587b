package asks

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// SplitShapes splits a list of shapes at commas, but for those between the edits of one shape:
// t5-small/el=8,dl=4,t5-base.
func SplitShapes(list string) []string {
	var out []string
	for _, part := range strings.Split(list, ",") {
		if len(out) > 0 && strings.Contains(part, "=") && !strings.Contains(part, "/") {
			out[len(out)-1] += "," + part
			continue
		}
		out = append(out, part)
	}
	return out
}

// ListedShapes reads shapes separated by commas, each as [Files.Shape] reads it, or a file that lists
// shapes: in the column shape of a .csv or .tsv, else one a line, with comments behind #. It
// returns what the files say that is not counted.
func (a *Files) ListedShapes(list string) (all []shapes.Shape, warnings []string, err error) {
	for _, ref := range SplitShapes(list) {
		refs, listed, err := a.shapesIn(ref)
		if err != nil {
			return nil, nil, err
		}
		reader := a
		if listed { // what a file names stays where that is
			reader = a.Within(NamedIn(ref))
		}
		for _, r := range refs {
			s, more, err := reader.Shape(r)
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
func (a *Files) shapesIn(ref string) (refs []string, listed bool, err error) {
	extension := strings.ToLower(filepath.Ext(ref))
	if info, err := os.Stat(ref); err != nil || info.IsDir() || slices.Contains(modelExtensions, extension) {
		return []string{ref}, false, nil
	}
	if _, err := shapes.Parse(ref); err == nil { // a shape's name wins over a file that has it
		return []string{ref}, false, nil
	}
	if extension == ".csv" || extension == ".tsv" {
		t, err := a.Records("", ref)
		if err != nil {
			return nil, false, err
		}
		if refs, err = t.Text("shape"); err != nil {
			return nil, false, ColumnError(fmt.Errorf("--candidates %s: %w", ref, err))
		}
	} else {
		text, err := a.ReadLimited(ref, maxListBytes)
		if err != nil {
			return nil, false, frame.BadInput(err, "")
		}
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(line, "#")
			refs = append(refs, strings.TrimSpace(line))
		}
	}
	refs = slices.DeleteFunc(slices.Clone(refs), func(r string) bool { return r == "" })
	if len(refs) == 0 {
		return nil, false, frame.BadInput(fmt.Errorf("--candidates %s: lists no shape", ref),
			"one shape a line, or a column shape")
	}
	return refs, true, nil
}
