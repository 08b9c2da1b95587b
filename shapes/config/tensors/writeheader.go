package tensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
)

// headerAlignment is what the data of a written file is aligned to; spaces after the JSON fill the
// header up.
const headerAlignment = 8

// WriteHeader writes the header of a safetensors file and returns it with the offsets filled in.
// The caller then writes the data of the tensors, little- endian, in the order given here. Only
// Name, DType and Shape are read; the bytes depend on nothing else.
//
// It is an error when a name is empty, reserved or used twice, a type is unknown, or a shape is
// negative or overflows.
func WriteHeader(w io.Writer, metadata map[string]string, tensors []Tensor) (*Header, error) {
	h := &Header{Metadata: metadata, Tensors: slices.Clone(tensors)}
	var text bytes.Buffer
	text.WriteByte('{')
	if len(metadata) > 0 {
		fmt.Fprintf(&text, "%s:{", jsonText(metadataKey))
		for i, key := range slices.Sorted(maps.Keys(metadata)) {
			if i > 0 {
				text.WriteByte(',')
			}
			fmt.Fprintf(&text, "%s:%s", jsonText(key), jsonText(metadata[key]))
		}
		text.WriteByte('}')
	}
	seen := map[string]bool{"": true, metadataKey: true}
	var end int64
	for i := range h.Tensors {
		t := &h.Tensors[i]
		var ok bool
		if t.number, ok = product(t.Shape); !ok || seen[t.Name] || dtypeBits[t.DType] == 0 {
			return nil, fmt.Errorf("tensor %q of type %q and shape %v cannot be written", t.Name,
				t.DType, t.Shape)
		}
		seen[t.Name] = true
		t.Begin, t.End = end, end+t.size()
		if end = t.End; end < t.Begin {
			return nil, fmt.Errorf("the data up to tensor %q overflows", t.Name)
		}
		if text.Len() > 1 {
			text.WriteByte(',')
		}
		shape, _ := json.Marshal(append([]int64{}, t.Shape...)) // of integers: cannot fail
		fmt.Fprintf(&text, `%s:{"dtype":%s,"shape":%s,"data_offsets":[%d,%d]}`, jsonText(t.Name),
			jsonText(t.DType), shape, t.Begin, t.End)
	}
	text.WriteByte('}')
	for text.Len()%headerAlignment != 0 {
		text.WriteByte(' ')
	}
	if text.Len() > maxHeaderBytes {
		return nil, fmt.Errorf("a header of %d bytes is over the %d that the format allows",
			text.Len(), maxHeaderBytes)
	}
	h.DataOffset = int64(8 + text.Len())
	if _, err := w.Write(binary.LittleEndian.AppendUint64(nil, uint64(text.Len()))); err != nil {
		return nil, err
	}
	_, err := w.Write(text.Bytes())
	return h, err
}

// jsonText returns a string as JSON; a string cannot fail.
func jsonText(s string) []byte {
	b, _ := json.Marshal(s)
	return b
}
