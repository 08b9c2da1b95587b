package config

import (
	"errors"
	"path"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// maxExtends bounds the files of one chain of extends.
const maxExtends = 16

// extend puts the shape that "extends" names under a YAML file: a file when it looks like a path
// (./a.yaml, ../a.json, a.gin), else a catalogue name or edit.
func (y *yamlShape) extend(rd *reader) error {
	f, ok := y.take("extends")
	if !ok {
		return nil
	}
	y.extended = true
	if f.Value.Kind != syntax.Word || strings.TrimSpace(f.Value.Text) == "" {
		y.fault(f.Value.At, "extends", "is not text", f.Value.Show(),
			"a catalogue name such as t5-base, or a path such as ./base.yaml")
		return nil
	}
	target := f.Value.Text
	if !looksLikePath(target) {
		y.extendCatalogue(f.Value)
		return nil
	}
	resolved, _ := rd.resolve(y.file, target)
	chain := append(slices.Clone(rd.chain), path.Clean(y.file))
	switch {
	case slices.Contains(chain, resolved):
		y.fault(f.Value.At, "extends", "goes in a circle",
			strings.Join(append(chain, resolved), " → "), "a chain that ends")
		return nil
	case len(chain) >= maxExtends:
		y.fault(f.Value.At, "extends", "is a chain of too many files", syntax.Quote(target), "at most 16")
		return nil
	}
	base, err := (&reader{Options: rd.Options, chain: chain}).nested(f.Value.At, "extends", target)
	if err != nil {
		return err
	}
	if base.Format == Safetensors && base.Shape.DModel == 0 {
		y.fault(f.Value.At, "extends", "holds tensors but no shape", syntax.Quote(target),
			"a configuration file")
		return nil
	}
	y.shape = base.Shape
	y.shape.Name = ""
	y.fields = base.Fields
	y.unknown = base.Unknown
	y.warnings = base.Warnings
	return nil
}

func (y *yamlShape) extendCatalogue(n *syntax.Node) {
	base, err := shapes.Parse(n.Text)
	var unknown *shapes.UnknownError
	if errors.As(err, &unknown) {
		y.faults = append(y.faults, syntax.Fault{
			Position: n.At, Field: "extends", Problem: "names no shape", Value: syntax.Quote(n.Text),
			Suggestion: unknown.Suggestion,
			Allowed:    "a name of the catalogue, an edit such as t5-small/nl=16, or a path such as ./base.yaml", Err: err,
		})
		return
	}
	if err != nil {
		y.faults = append(y.faults, syntax.Fault{
			Position: n.At, Field: "extends",
			Problem: "cannot be followed", Value: err.Error(), Err: err,
		})
		return
	}
	y.shape = base
	y.shape.Name = ""
}

// looksLikePath tells a file from a catalogue name: t5-small/nl=16 is a name.
func looksLikePath(s string) bool {
	if strings.HasPrefix(s, ".") || path.IsAbs(s) || strings.Contains(s, `\`) {
		return true
	}
	return slices.Contains([]string{".yaml", ".yml", ".json", ".gin", ".safetensors"},
		strings.ToLower(path.Ext(s)))
}
