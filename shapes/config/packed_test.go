package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// typed is a tensor of a test file with its element type.
type typed struct {
	name, dtype string
	shape       []int64
}

// header returns a safetensors header of tensors that lie one behind the other.
func header(t *testing.T, held ...typed) *tensors.Header {
	t.Helper()
	var list []tensors.Tensor
	for _, x := range held {
		list = append(list, tensors.Tensor{Name: x.name, DType: x.dtype, Shape: x.shape})
	}
	var b bytes.Buffer
	if _, err := tensors.WriteHeader(&b, nil, list); err != nil {
		t.Fatal(err)
	}
	h, err := tensors.ReadHeader("m.safetensors", &b, -1)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// A matrix of 64 inputs and 32 outputs, 2,048 parameters, in every packing: the shapes are those of
// the formats' own writers. A norm of 32 stands beside it.
func TestPackedTensors(t *testing.T) {
	const matrix, norm = 64 * 32, 32
	plain := typed{"model.norm.weight", "F16", []int64{32}}
	for _, c := range []struct {
		name    string
		packed  string
		tensors []typed
		want    int64 // 0 where the tensors do not tell
	}{
		{"GPTQ of 4 bits", "GPTQ", []typed{
			{"l.qweight", "I32", []int64{64 / 8, 32}},
			{"l.qzeros", "I32", []int64{1, 32 / 8}},
			{"l.scales", "F16", []int64{1, 32}},
			{"l.g_idx", "I32", []int64{64}},
		}, matrix},
		{"GPTQ of 8 bits", "GPTQ", []typed{
			{"l.qweight", "I32", []int64{64 / 4, 32}},
			{"l.qzeros", "I32", []int64{1, 32 / 4}},
			{"l.scales", "F16", []int64{1, 32}},
			{"l.g_idx", "I32", []int64{64}},
		}, matrix},
		{"GPTQ without an index", "AWQ", []typed{
			{"l.qweight", "I32", []int64{64 / 8, 32}}, {"l.scales", "F16", []int64{1, 32}},
		}, 0},
		{"AWQ", "AWQ", []typed{
			{"l.qweight", "I32", []int64{64, 32 / 8}},
			{"l.qzeros", "I32", []int64{1, 32 / 8}},
			{"l.scales", "F16", []int64{1, 32}},
		}, matrix},
		{"bitsandbytes nf4", "bitsandbytes 4-bit", []typed{
			{"l.weight", "U8", []int64{matrix / 2, 1}},
			{"l.weight.absmax", "F32", []int64{32}},
			{"l.weight.quant_map", "F32", []int64{16}},
			{"l.weight.quant_state.bitsandbytes__nf4", "U8", []int64{80}},
		}, matrix},
		{"bitsandbytes int8", "bitsandbytes 8-bit", []typed{
			{"l.weight", "I8", []int64{32, 64}}, {"l.SCB", "F32", []int64{32}},
		}, matrix},
		{"MLX of 4 bits", "MLX", []typed{
			{"l.weight", "U32", []int64{32, 64 / 8}},
			{"l.scales", "F16", []int64{32, 1}},
			{"l.biases", "F16", []int64{32, 1}},
		}, matrix},
		{"compressed-tensors", "compressed-tensors", []typed{
			{"l.weight_packed", "I32", []int64{32, 64 / 8}},
			{"l.weight_scale", "F16", []int64{32, 1}},
			{"l.weight_shape", "I64", []int64{2}},
		}, 0},
		{"mxfp4", "mxfp4", []typed{
			{"l.gate_blocks", "U8", []int64{32, 2, 16}}, {"l.gate_scales", "U8", []int64{32, 2}},
		}, matrix},
		{"float8", "float8", []typed{
			{"l.weight", "F8_E4M3", []int64{32, 64}}, {"l.weight_scale_inv", "F32", []int64{1, 1}},
		}, matrix},
	} {
		h := header(t, append(c.tensors, plain)...)
		got, why := h.Parameters(), h.Countable()
		switch {
		case h.Packed != c.packed:
			t.Errorf("%s: known as %q", c.name, h.Packed)
		case c.want == 0 && !strings.Contains(why, "not counted"):
			t.Errorf("%s: %d parameters, %q", c.name, got, why)
		case c.want != 0 && (got != c.want+norm || why != ""):
			t.Errorf("%s: %d parameters, want %d; %q", c.name, got, c.want+norm, why)
		}
	}
}

// An index without its files says what their bytes would mean; with a configuration beside it, the
// shape is read. One shard of several counts its own tensors and is compared with nothing.
func TestPartialCheckpoints(t *testing.T) {
	index, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"total_size": 4000},
		"weight_map": map[string]string{
			"a": "model-00001-of-00002.safetensors",
			"b": "model-00002-of-00002.safetensors",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{
		"alone/model.safetensors.index.json": {Data: index},
		"m/model.safetensors.index.json":     {Data: index},
		"m/config.json":                      {Data: []byte(tinyT5Config)},
		"s/model-00002-of-00002.safetensors": {Data: checkpoint(tinyT5()[:3]...)},
		"s/config.json":                      {Data: []byte(tinyT5Config)},
		"bin/pytorch_model.bin.index.json": {Data: []byte(
			`{"metadata": {"total_size": 8000}, "weight_map": {"a": "pytorch_model-00001-of-00001.bin"}}`,
		)},
	}
	for name, want := range map[string]string{
		"alone/model.safetensors.index.json": "2000 parameters of 2 bytes or 1000 of 4",
		"bin/pytorch_model.bin.index.json":   "4000 parameters of 2 bytes or 2000 of 4",
	} {
		if _, err := readFrom(t, files, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := readFrom(t, files, "m/model.safetensors.index.json")
	if err != nil || parameters(r.Shape) != tinyT5Parameters || r.Tensors.Countable() == "" {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = readFrom(t, files, "s/model-00002-of-00002.safetensors")
	if err != nil || !strings.Contains(fmt.Sprint(r.Warnings), "one of 2 shards") ||
		len(Compare(r, r.Tensors)) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A gin file of the scalable T5 has a relative table in every layer.
func TestScalableT5(t *testing.T) {
	const config = "network.T5Config.vocab_size = 32128\nnetwork.T5Config.num_encoder_layers = 6\n"
	plain, err := Read(
		"a.gin",
		strings.NewReader("from t5x.examples.t5 import network\n"+config),
		Options{},
	)
	if err != nil {
		t.Fatal(err)
	}
	scalable, err := Read(
		"a.gin",
		strings.NewReader("from t5x.examples.scalable_t5 import network\n"+config),
		Options{},
	)
	if err != nil {
		t.Fatal(err)
	}
	const more = 2 * (6 - 1) * 32 * 8 // tables of the other layers of both stacks
	if got := flops.CountParameters(&scalable.Shape).Total - flops.CountParameters(&plain.Shape).Total; got != more {
		t.Errorf("%d parameters more, want %d", got, more)
	}
}
