// Package tensors reads and writes the headers of safetensors files: names, types and sizes of the
// tensors of a model, and the parameters that they stand for where they are packed. Data are not
// read, and nothing is allocated on the word of a length field.
package tensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// maxHeaderBytes is the longest header the format allows (100 MB).
const maxHeaderBytes = 100_000_000

// maxTensors bounds the entries of one header; a mixture of 2,048 experts in 30 matrices has a
// quarter of it.
const maxTensors = 1 << 18

// maxDataBytes keeps the sum of all elements, even of four bits each, in int64.
const maxDataBytes = 1 << 60

// metadataKey holds free text about the file rather than a tensor.
const metadataKey = "__metadata__"

// dtypeBits are the element types of the format with their width in bits.
var dtypeBits = map[string]int{
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6,
	"F6_E3M2": 6, "U16": 16, "I16": 16, "F16": 16, "BF16": 16, "U32": 32, "I32": 32, "F32": 32,
	"U64": 64, "I64": 64, "F64": 64, "C64": 64,
}

// Tensor is one entry of a safetensors header.
type Tensor struct {
	Name  string
	DType string // F32, BF16, …
	Shape []int64
	Begin int64 // offsets into the data that follows the header
	End   int64
	Shard string // the file, when it is one of several

	number  int64 // elements
	trained int64 // parameters they stand for
}

// size returns the bytes of the tensor's data.
func (t *Tensor) size() int64 { return (t.number*int64(dtypeBits[t.DType]) + 7) / 8 }

// product returns the number of elements of a shape, or false when it is negative or so large that
// their bits overflow an int64.
func product(shape []int64) (int64, bool) {
	n := uint64(1)
	for _, dim := range shape {
		high, low := bits.Mul64(n, uint64(dim))
		if dim < 0 || high != 0 || low > math.MaxInt64/64 {
			return 0, false
		}
		n = low
	}
	return int64(n), true
}

// Header is what a safetensors file says about its tensors.
type Header struct {
	Tensors  []Tensor          // in the order of their data
	Metadata map[string]string // the file's free text, usually {"format": "pt"}

	// DataOffset is where in the file the data starts, to which the tensors' offsets are relative;
	// 0 for the joined headers of several shards.
	DataOffset int64

	Packed  string // how several parameters stand in one element, e.g. "GPTQ"; empty for plain tensors
	Partial string // why these are not all tensors of the model, e.g. "one of 4 shards"

	unpacked, unknown bool
}

// Countable returns why the parameters of the model cannot be counted from the tensors, or "".
func (h *Header) Countable() string {
	h.unpack()
	switch {
	case h.Partial != "":
		return h.Partial
	case h.unknown:
		return "packed (" + h.Packed + ") in a way that the tensors alone do not tell: not counted"
	}
	return ""
}

// Bytes returns the length of the data after the headers.
func (h *Header) Bytes() int64 {
	var sum int64
	for i := range h.Tensors {
		sum += h.Tensors[i].End - h.Tensors[i].Begin
	}
	return sum
}

// Parameters returns the parameters that the tensors stand for: all but the buffers that some
// checkpoints carry (attention masks, position ids, rotary frequencies, the fixed logits bias of
// BART and Marian), the scales of packed tensors, and further names of a table that T5 and BART
// always tie. Packed tensors count what they hold; where that is not known, see [Header.Countable],
// they count 0.
func (h *Header) Parameters() int64 {
	h.unpack()
	var sum int64
	for i := range h.Tensors {
		sum += h.Tensors[i].trained
	}
	return sum
}

// bufferSuffixes end the names of tensors that are stored and not trained.
var bufferSuffixes = []string{
	".attn.bias", ".attn.masked_bias", ".attention.bias", ".attention.masked_bias",
	".crossattention.bias", "rotary_emb.inv_freq", "EncDecAttention.relative_attention_bias.weight",
	"position_ids", "token_type_ids", "final_logits_bias", "num_batches_tracked",
}

func isBuffer(t *Tensor) bool {
	return slices.ContainsFunc(bufferSuffixes,
		func(s string) bool { return strings.HasSuffix(t.Name, s) })
}

// ReadHeader returns the header of a safetensors file and reads nothing after it: an 8-byte
// little-endian length, then that many bytes of JSON. Every entry is checked: a known type, a size
// that its offsets agree with, and data without gap or overlap. size is the length of the whole
// file, −1 where it is unknown.
func ReadHeader(name string, r io.Reader, size int64) (*Header, error) {
	raw, err := headerBytes(name, r)
	if err != nil {
		return nil, err
	}
	t, err := syntax.DecodeText(name, raw)
	if err != nil {
		return nil, err
	}
	h := &headerReader{
		json: syntax.NewJSONReader(t), header: &Header{DataOffset: int64(8 + len(raw))},
		seen: map[string]bool{},
	}
	if err := h.read(); err != nil {
		return nil, err
	}
	if size >= 0 {
		size -= h.header.DataOffset
	}
	h.layout(size)
	if len(h.faults) > 0 {
		return nil, &syntax.Error{Faults: h.faults}
	}
	return h.header, nil
}

// headerBytes reads the length and as much of the header as there is.
func headerBytes(name string, r io.Reader) ([]byte, error) {
	var prefix [8]byte
	if n, err := io.ReadFull(r, prefix[:]); err != nil {
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, syntax.ReadError(name, err)
		}
		return nil, syntax.FileError(name, "is too short for a safetensors file",
			fmt.Sprintf("%d bytes", n), "8 bytes of header length and a header")
	}
	length := binary.LittleEndian.Uint64(prefix[:])
	if length < 2 || length > maxHeaderBytes {
		return nil, syntax.FileError(name, "has an impossible safetensors header length",
			fmt.Sprintf("%d bytes", length), fmt.Sprintf("2 to %d bytes", maxHeaderBytes))
	}
	var raw bytes.Buffer // grows with what is there, not with what is promised
	n, err := io.CopyN(&raw, r, int64(length))
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, syntax.ReadError(name, err)
	case n < int64(length):
		return nil, syntax.FileError(name, "ends inside the safetensors header",
			fmt.Sprintf("%d of %d bytes", n, length), "a complete file")
	}
	return raw.Bytes(), nil
}

// headerReader walks the header entry by entry, so that only one entry at a time is a tree.
type headerReader struct {
	json   *syntax.JSONReader
	header *Header
	seen   map[string]bool
	faults []syntax.Fault
}

const MaxFaults = 20

func (h *headerReader) read() error {
	token, at, err := h.json.Next()
	if err != nil {
		return err
	}
	if fmt.Sprint(token) != "{" {
		return at.Fail("is not a safetensors header", syntax.Clip(fmt.Sprint(token)),
			"a JSON object of tensors")
	}
	for h.json.Decoder.More() && len(h.faults) < MaxFaults {
		token, at, err := h.json.Next()
		if err != nil {
			return err
		}
		name := token.(string) // the decoder accepts nothing else as a key
		if len(h.header.Tensors) == maxTensors {
			return at.Fail("holds too many tensors", "", fmt.Sprintf("at most %d", maxTensors))
		}
		h.json.Nodes = syntax.MaxNodes
		value, err := h.json.Value(1)
		if err != nil {
			return err
		}
		if h.seen[name] {
			h.fault(at, name, "occurs twice", "", "one entry a tensor")
		}
		h.seen[name] = true
		if name == metadataKey {
			h.metadata(value)
			continue
		}
		h.tensor(name, value)
	}
	if len(h.faults) >= MaxFaults {
		return &syntax.Error{Faults: h.faults}
	}
	if _, _, err := h.json.Next(); err != nil {
		return err
	}
	return h.json.End()
}

func (h *headerReader) fault(at syntax.Position, field, problem, value, allowed string) {
	h.faults = append(h.faults, syntax.Fault{
		Position: at, Field: syntax.Quote(field), Problem: problem, Value: value, Allowed: allowed,
	})
}

func (h *headerReader) metadata(n *syntax.Node) {
	h.header.Metadata = map[string]string{}
	for _, f := range n.Fields {
		if f.Value.Kind == syntax.Word {
			h.header.Metadata[f.Name] = f.Value.Text
		}
	}
}

// tensor checks and keeps one entry.
func (h *headerReader) tensor(name string, n *syntax.Node) {
	before := len(h.faults)
	t := Tensor{Name: name}
	var ok bool
	parts := map[string]*syntax.Node{}
	for _, f := range n.Fields {
		parts[f.Name] = f.Value
	}
	dtype, shape, offsets := parts["dtype"], parts["shape"], parts["data_offsets"]
	if dtype == nil || dtype.Kind != syntax.Word || dtypeBits[dtype.Text] == 0 {
		h.fault(n.At, name, "has no known dtype", showOrAbsent(dtype), strings.Join(slices.Sorted(maps.Keys(dtypeBits)), ", "))
	} else {
		t.DType = dtype.Text
	}
	if t.Shape = h.numbers(name, "shape", shape, n.At); len(h.faults) == before {
		if t.number, ok = product(t.Shape); !ok {
			h.fault(shape.At, name, "has a shape whose product overflows",
				syntax.Clip(fmt.Sprint(t.Shape)), "")
			return
		}
	}
	ends := h.numbers(name, "data_offsets", offsets, n.At)
	if len(h.faults) > before {
		return
	}
	if len(ends) != 2 || ends[0] > ends[1] || ends[1] > maxDataBytes {
		h.fault(offsets.At, name, "has wrong data_offsets", syntax.Clip(fmt.Sprint(ends)),
			"[begin, end] with begin ≤ end")
		return
	}
	t.Begin, t.End = ends[0], ends[1]
	if want := t.size(); t.End-t.Begin != want {
		h.fault(offsets.At, name, "has data that does not fit its shape",
			fmt.Sprintf("%d bytes", t.End-t.Begin),
			fmt.Sprintf("%d bytes for %s %v", want, t.DType, t.Shape))
		return
	}
	h.header.Tensors = append(h.header.Tensors, t)
}

func showOrAbsent(n *syntax.Node) string {
	if n == nil {
		return "absent"
	}
	return n.Show()
}

// numbers reads a list of whole numbers ≥ 0.
func (h *headerReader) numbers(name, part string, n *syntax.Node, at syntax.Position) []int64 {
	if n == nil || n.Kind != syntax.List {
		h.fault(at, name, "has no list "+part, showOrAbsent(n), "a list of whole numbers")
		return nil
	}
	out := make([]int64, 0, len(n.Items))
	for _, item := range n.Items {
		v, ok := syntax.WholeNumber(item.Text)
		if item.Kind != syntax.Number || !ok || v < 0 {
			h.fault(item.At, name, "has a "+part+" that is not whole numbers", item.Show(),
				"whole numbers of at least 0")
			return nil
		}
		out = append(out, v)
	}
	return out
}

// layout sorts the tensors by their data and checks that it has no gap, no overlap and, when the
// length of the data is known, the right end. A file of the header alone, which is all that is read
// here, is whole.
func (h *headerReader) layout(data int64) {
	tensors := h.header.Tensors
	slices.SortFunc(tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.End, b.End),
			cmp.Compare(a.Name, b.Name))
	})
	if len(h.faults) > 0 {
		return
	}
	at := syntax.Position{File: h.json.Text.File}
	var end int64
	for i := range tensors {
		if t := &tensors[i]; t.Begin != end {
			h.fault(at, t.Name, "has data that leaves a gap or overlaps",
				fmt.Sprintf("begins at %d", t.Begin),
				fmt.Sprintf("%d, where the tensor before ends", end))
			return
		}
		end = tensors[i].End
	}
	if data > 0 && data != end {
		h.faults = append(h.faults, syntax.Fault{
			Position: at, Problem: "has a wrong length of data",
			Value: fmt.Sprintf("%d bytes", data), Allowed: fmt.Sprintf(
				"%d bytes, as its header says", end),
		})
	}
}

// DataSize returns the length of a regular file, or −1.
func DataSize(r io.Reader) int64 {
	f, ok := r.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return -1
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return info.Size()
	}
	return -1
}
