package config

import (
	"bufio"
	"errors"
	"io"
	"path"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// Options say what a file may refer to. The zero value reads files that stand alone.
type Options struct {
	// Open opens another file that the one read refers to: the target of extends, the shards of an
	// index, the config.json beside a safetensors file. Paths use slashes and are built from the
	// name given to Read. Read keeps them inside Root by their text alone; an Open that follows
	// symbolic links should be one that keeps to a folder itself, such as [os.Root.Open]. Nil:
	// references to files are faults.
	Open func(name string) (io.ReadCloser, error)

	// Root is the folder that references may not leave, written in the same terms as the name of
	// the file (both relative, or both absolute); "" for the folder of the file itself.
	Root string

	// Vocab is the vocabulary of a Mesh TensorFlow gin file, which names a tokenizer but not its
	// size. 0: such a file must be recognised by its tokenizer or is refused.
	Vocab int

	// Architectures is a user's table, looked into before the built-in one; nil for none.
	Architectures *Table
}

func (o *Options) table() *Table {
	if o.Architectures != nil {
		return o.Architectures
	}
	return builtin()
}

// Result is what a file says.
type Result struct {
	Format Format

	// Shape is the architecture, already validated. It is the zero Shape when only tensors are
	// known: a safetensors file without a config.json beside.
	Shape shapes.Shape

	// Tensors is the header of a safetensors file or of all shards of an index; nil for the other
	// formats.
	Tensors *tensors.Header

	// Fields tells for each field of the shape, named as in [shapes.Fault] ("d_model",
	// "encoder.layers"), what the file calls it and where it stands. Fields that come from a
	// default or a catalogue are absent.
	Fields map[string]Field

	UsedVocab bool // the shape has the vocabulary of [Options]

	Unknown  []Field   // fields this reader has never heard of, in file order
	Warnings []Warning // what was noticed and not counted

	file string
}

// Read returns what a configuration file says. The format is told by the content; the name decides
// only between YAML and the others that look like it, and is used in messages ("-" for standard
// input) and to find other files.
//
// The error is an [*syntax.Error] with every fault of the file.
func Read(name string, r io.Reader, o Options) (*Result, error) {
	if o.Root == "" {
		o.Root = path.Dir(name)
	}
	o.Root = path.Clean(o.Root)
	return readFile(name, r, &reader{Options: o})
}

// reader is one call of Read with the files it is in the middle of.
type reader struct {
	Options
	chain []string
}

// readFile reads one file of the chain.
func readFile(name string, r io.Reader, rd *reader) (*Result, error) {
	buffered := bufio.NewReader(r)
	start, err := buffered.Peek(64)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, syntax.ReadError(name, err)
	}
	if err := foreignFormat(name, start); err != nil {
		return nil, err
	}
	if isSafetensors(name, start) {
		return readTensorFile(name, buffered, tensors.DataSize(r), rd)
	}
	t, err := syntax.ReadText(name, buffered, syntax.MaxTextBytes)
	if err != nil {
		return nil, err
	}
	switch format := detect(name, t.Bytes); format {
	case HuggingFace:
		t.Bytes = pythonJSON(t.Bytes)
		root, err := syntax.ParseJSON(t)
		if err != nil {
			return nil, err
		}
		if shape := ourResult(root); shape != nil {
			return readOurs(shape, rd)
		}
		if isIndex(root) {
			return readIndex(name, root, rd)
		}
		in := newReading(name)
		return result(format, in, readModel(in, &rd.Options, root))
	case Trainer:
		root := syntax.ParseArguments(t)
		if !syntax.ArgumentLine.Match(t.Bytes) {
			if root, err = syntax.ParseTOML(t); err != nil {
				return nil, err
			}
		}
		in := newReading(name)
		return result(format, in, readModel(in, &rd.Options, root))
	case Gin:
		file, err := syntax.ParseGin(t, rd.includeGin)
		if err != nil {
			return nil, err
		}
		in := newReading(name)
		return result(format, in, readGin(in, file, rd.Vocab))
	default:
		return readYAML(t, rd)
	}
}

// result names, validates and returns a shape, or the faults of the reading.
func result(format Format, in *reading, shape shapes.Shape) (*Result, error) {
	if shape.Name == "" {
		shape.Name = in.file
	}
	if shape.DModel != 0 || len(in.faults) == 0 {
		in.validate(&shape)
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	return &Result{
		Format: format, Shape: shape, Fields: in.fields, Unknown: in.unknown,
		Warnings: in.warnings, UsedVocab: in.usedVocab, file: in.file,
	}, nil
}

// nested opens and reads a file that another one refers to at a position.
func (rd *reader) nested(from syntax.Position, field, target string) (*Result, error) {
	resolved, problem := rd.resolve(from.File, target)
	if problem != "" {
		return nil, &syntax.Error{Faults: []syntax.Fault{{
			Position: from, Field: field, Problem: problem, Value: syntax.Quote(target),
			Allowed: "a file inside the folder",
		}}}
	}
	f, err := rd.opened(from, field, target, resolved)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readFile(resolved, f, rd)
}

// opened opens the file that a field means by a target.
func (rd *reader) opened(from syntax.Position, field, target, resolved string) (io.ReadCloser, error) {
	fault := syntax.Fault{
		Position: from, Field: field, Value: syntax.Quote(target),
		Problem: "refers to a file, which cannot be opened from here",
		Allowed: "a configuration read from a file rather than a stream",
	}
	if rd.Open != nil {
		f, err := rd.Open(resolved)
		if err == nil {
			return f, nil
		}
		fault.Problem, fault.Allowed, fault.Err = "cannot be opened: "+syntax.Reason(err), "", err
	}
	return nil, &syntax.Error{Faults: []syntax.Fault{fault}}
}

// resolve returns the path a file's reference means, or what is wrong with it.
func (rd *reader) resolve(from, target string) (resolved, problem string) {
	resolved = path.Join(path.Dir(from), target)
	return resolved, rd.problem(target, resolved)
}

// problem says what is wrong with a reference and the path that it means, or "".
func (rd *reader) problem(target, resolved string) string {
	switch {
	case path.IsAbs(target):
		return "is an absolute path"
	case strings.Contains(target, `\`):
		return "has a backslash"
	case !openfile.Inside(rd.Root, resolved):
		return "leaves the folder " + rd.Root
	}
	return ""
}
