package tensors_test

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// What is written is read back the same, and its data starts aligned.
func TestWriteHeader(t *testing.T) {
	held := []tensors.Tensor{
		{Name: "b", DType: "F32", Shape: []int64{3, 5}},
		{Name: "a \"quoted\" <name>", DType: "BF16", Shape: []int64{7}},
		{Name: "scalar", DType: "I64"},
		{Name: "none", DType: "F32", Shape: []int64{0, 4}},
	}
	metadata := map[string]string{"step": "12", "format": "deepnarrow"}
	var out bytes.Buffer
	wrote, err := tensors.WriteHeader(&out, metadata, held)
	if err != nil {
		t.Fatal(err)
	}
	if wrote.DataOffset != int64(out.Len()) || wrote.DataOffset%8 != 0 {
		t.Errorf("data at %d, header of %d bytes", wrote.DataOffset, out.Len())
	}
	const bytesOfData = 60 + 14 + 8 + 0
	if wrote.Bytes() != bytesOfData {
		t.Errorf("%d bytes of data, want %d", wrote.Bytes(), bytesOfData)
	}
	read, err := tensors.ReadHeader("m.safetensors", &out, -1)
	if err != nil {
		t.Fatal(err)
	}
	if read.DataOffset != wrote.DataOffset || read.Metadata["step"] != "12" ||
		len(read.Tensors) != len(held) {
		t.Errorf("read %+v, wrote %+v", read, wrote)
	}
	byName := map[string]tensors.Tensor{}
	for _, r := range read.Tensors {
		byName[r.Name] = r
	}
	for _, w := range wrote.Tensors {
		r := byName[w.Name]
		if r.Begin != w.Begin || r.End != w.End || r.DType != w.DType ||
			!slices.Equal(r.Shape, w.Shape) {
			t.Errorf("read %+v, wrote %+v", r, w)
		}
	}
	for _, bad := range [][]tensors.Tensor{
		{{Name: "a", DType: "F32"}, {Name: "a", DType: "F32"}},
		{{Name: "", DType: "F32"}},
		{{Name: "__metadata__", DType: "F32"}},
		{{Name: "a", DType: "F33"}},
		{{Name: "a", DType: "F32", Shape: []int64{-1}}},
		{{Name: "a", DType: "F32", Shape: []int64{1 << 40, 1 << 40}}},
	} {
		if _, err := tensors.WriteHeader(io.Discard, nil, bad); err == nil {
			t.Errorf("%+v was written", bad)
		}
	}
}
