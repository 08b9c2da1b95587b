package kernel

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// momentsName is the tensor of a checkpoint that holds the optimizer's state as it lies in memory.
const momentsName = "optimizer.moments"

// Keys of a checkpoint's metadata that the package writes itself.
const (
	stepKey      = "step"
	optimizerKey = "optimizer"
	formatKey    = "format" // what the Hugging Face loaders ask for
)

// CheckpointError reports a checkpoint that does not belong to the model.
type CheckpointError struct {
	Name, Problem, Value, Want string
}

func (e *CheckpointError) Error() string {
	return fmt.Sprintf("%s: %s: %s; allowed: %s", e.Name, e.Problem, e.Value, e.Want)
}

// Save writes weights, optimizer state and the count of steps in the safetensors format, weights
// under the names and in the layout of Hugging Face's T5. The caller's metadata, such as the seed
// of its data, is kept beside them.
func (m *Model) Save(w io.Writer, metadata map[string]string) error {
	all := map[string]string{}
	maps.Copy(all, metadata)
	all[stepKey], all[optimizerKey], all[formatKey] = strconv.Itoa(m.steps),
		m.options.Optimizer.String(), "pt"
	stored := m.stored()
	entries := make([]tensors.Tensor, len(stored))
	for n, t := range stored {
		entries[n] = tensors.Tensor{Name: t.Name, DType: "F32"}
		for _, dim := range t.Dims {
			entries[n].Shape = append(entries[n].Shape, int64(dim))
		}
	}
	b := bufio.NewWriterSize(w, 1<<16)
	if _, err := tensors.WriteHeader(b, all, entries); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	for _, t := range stored {
		var number [floatBytes]byte
		for _, v := range t.Values {
			binary.LittleEndian.PutUint32(number[:], math.Float32bits(v))
			_, _ = b.Write(number[:]) // the writer keeps its error for Flush
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	return nil
}

// stored lists the tensors of a checkpoint in their order.
func (m *Model) stored() []Tensor {
	return append(slices.Clone(m.Tensors), Tensor{
		Name: momentsName, Dims: []int{len(m.moments)},
		Values: m.moments,
	})
}

// Load reads what [Model.Save] wrote into a model of the same shape and optimizer, and returns the
// metadata. The name is for errors: a [*CheckpointError], or those of [config.ReadHeader]. If the
// error comes after the header, the model is half read and must not be used.
func (m *Model) Load(name string, r io.Reader) (map[string]string, error) {
	buffered := bufio.NewReaderSize(r, 1<<16)
	header, err := tensors.ReadHeader(name, buffered, -1)
	if err != nil {
		return nil, err
	}
	steps, err := m.matches(name, header)
	if err != nil {
		return nil, err
	}
	into := map[string][]float32{}
	for _, t := range m.stored() {
		into[t.Name] = t.Values
	}
	for i := range header.Tensors {
		t := &header.Tensors[i]
		if err := readFloats(buffered, into[t.Name]); err != nil {
			return nil, fmt.Errorf("%s: reading %s: %w", name, t.Name, err)
		}
	}
	m.steps = steps
	return header.Metadata, nil
}

// matches checks that a checkpoint holds exactly the model's tensors, and returns its steps.
func (m *Model) matches(name string, header *tensors.Header) (steps int, err error) {
	wrong := func(problem, value, want string) error {
		return &CheckpointError{Name: name, Problem: problem, Value: value, Want: want}
	}
	if got, want := header.Metadata[optimizerKey], m.options.Optimizer.String(); got != want {
		return 0, wrong("was written with another optimizer", strconv.Quote(got), want)
	}
	steps, err = strconv.Atoi(header.Metadata[stepKey])
	if err != nil || steps < 0 {
		return 0, wrong("has no count of steps", strconv.Quote(header.Metadata[stepKey]), "a whole number")
	}
	want := map[string]string{}
	for _, t := range m.stored() {
		want[t.Name] = fmt.Sprint("F32 ", t.Dims)
	}
	for i := range header.Tensors {
		t := &header.Tensors[i]
		if got := fmt.Sprint(t.DType, " ", t.Shape); got != want[t.Name] {
			return 0, wrong("has another "+t.Name, got, cmp.Or(want[t.Name], "no such tensor"))
		}
		delete(want, t.Name)
	}
	for _, missing := range slices.Sorted(maps.Keys(want)) {
		return 0, wrong("lacks "+missing, "absent", want[missing])
	}
	return steps, nil
}

func readFloats(r io.Reader, into []float32) error {
	var block [1 << 12]byte
	for len(into) > 0 {
		n := min(len(into), len(block)/floatBytes)
		if _, err := io.ReadFull(r, block[:floatBytes*n]); err != nil {
			return err
		}
		for i := range n {
			into[i] = math.Float32frombits(binary.LittleEndian.Uint32(block[floatBytes*i:]))
		}
		into = into[n:]
	}
	return nil
}
