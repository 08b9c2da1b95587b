package config

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// stored is a tensor of a test checkpoint, as F32.
type stored struct {
	name  string
	shape []int64
}

func (s stored) elements() int64 {
	n := int64(1)
	for _, d := range s.shape {
		n *= d
	}
	return n
}

// checkpoint returns a safetensors file of these tensors with all its data.
func checkpoint(held ...stored) []byte {
	header := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	var end int64
	for _, t := range held {
		begin := end
		end += 4 * t.elements()
		header[t.name] = map[string]any{
			"dtype": "F32", "shape": t.shape,
			"data_offsets": []int64{begin, end},
		}
	}
	text, err := json.Marshal(header)
	if err != nil {
		panic(err)
	}
	return append(headerFile(string(text)), make([]byte, end)...)
}

// headerFile returns a safetensors file with this header and no data.
func headerFile(header string) []byte {
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
}

// tinyT5 lists the tensors of a T5 v1.0 checkpoint as transformers stores it: d_model 8, d_ff 16, 2
// heads of 4, vocabulary 32, one encoder layer, two decoder layers, 4 buckets.
func tinyT5() []stored {
	square, up, down, norm := []int64{8, 8}, []int64{16, 8}, []int64{8, 16}, []int64{8}
	all := []stored{
		{"shared.weight", []int64{32, 8}},
		{"encoder.embed_tokens.weight", []int64{32, 8}}, // a stored copy
		{"lm_head.weight", []int64{32, 8}},              // a stored copy
		{"encoder.final_layer_norm.weight", norm},
		{"decoder.final_layer_norm.weight", norm},
		{"encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", []int64{4, 2}},
		{"decoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", []int64{4, 2}},
		// a relic
		{"decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight", []int64{4, 2}},
	}
	block := func(stack string, n int, attentions ...string) {
		for i, a := range attentions {
			prefix := fmt.Sprintf("%s.block.%d.layer.%d.", stack, n, i)
			for _, p := range []string{"q", "k", "v", "o"} {
				all = append(all, stored{prefix + a + "." + p + ".weight", square})
			}
			all = append(all, stored{prefix + "layer_norm.weight", norm})
		}
		prefix := fmt.Sprintf("%s.block.%d.layer.%d.", stack, n, len(attentions))
		all = append(all, stored{prefix + "DenseReluDense.wi.weight", up},
			stored{prefix + "DenseReluDense.wo.weight", down},
			stored{prefix + "layer_norm.weight", norm})
	}
	block("encoder", 0, "SelfAttention")
	block("decoder", 0, "SelfAttention", "EncDecAttention")
	block("decoder", 1, "SelfAttention", "EncDecAttention")
	return all
}

const tinyT5Config = `{"model_type": "t5", "architectures": ["T5ForConditionalGeneration"],
 "d_model": 8, "d_ff": 16, "d_kv": 4, "num_heads": 2, "vocab_size": 32,
 "num_layers": 1, "num_decoder_layers": 2, "relative_attention_num_buckets": 4}`

// tinyT5Parameters is 32·8 + (4·64 + 2·128 + 2·8) + 2·(8·64 + 2·128 + 3·8) + 2·4·2 + 2·8, worked by
// hand.
const tinyT5Parameters = 256 + 528 + 1584 + 16 + 16

func TestHeaderCountsTensors(t *testing.T) {
	h, err := tensors.ReadHeader("m.safetensors", bytes.NewReader(checkpoint(tinyT5()...)), -1)
	if err != nil {
		t.Fatal(err)
	}
	var want int64
	for _, s := range tinyT5() {
		want += s.elements()
	}
	if elementsOf(h) != want || h.Bytes() != 4*want {
		t.Errorf("elements %d, bytes %d; want %d, %d", elementsOf(h), h.Bytes(), want, 4*want)
	}
	const relic = 4 * 2      // relative table of cross-attention
	const names = 2 * 32 * 8 // the token table under two more names
	if got := h.Parameters(); got != want-relic-names {
		t.Errorf("parameters %d, want %d", got, want-relic-names)
	}
	if h.Metadata["format"] != "pt" {
		t.Errorf("metadata %v", h.Metadata)
	}
	r, err := Read("config.json", strings.NewReader(tinyT5Config), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := h.ParametersOf(&r.Shape); got != tinyT5Parameters ||
		parameters(r.Shape) != tinyT5Parameters {
		t.Errorf("of the shape: header %d, config %d, want %d", got, parameters(r.Shape),
			tinyT5Parameters)
	}
	if d := Compare(r, h); len(d) != 0 {
		t.Errorf("disagreements %v", d)
	}
}

// Each edit of the configuration contradicts the same checkpoint in the fields named; the last part
// of a message is what the tensors say.
func TestCompareFindsDisagreements(t *testing.T) {
	tests := []struct {
		from, to string
		want     []string
	}{
		{
			`"d_model": 8`,
			`"d_model": 16`,
			[]string{"d_model is 16 here, but tensor encoder.embed_tokens.weight says 8"},
		},
		{
			`"vocab_size": 32`,
			`"vocab_size": 64`,
			[]string{"vocab is 64 here, but tensor encoder.embed_tokens.weight says 32"},
		},
		{`"d_ff": 16`, `"d_ff": 24`, []string{
			"encoder.d_ff is 24 here, but tensor encoder.block.0.layer.1.DenseReluDense.wi.weight says 16",
			"decoder.d_ff is 24 here, but tensor decoder.block.0.layer.2.DenseReluDense.wi.weight says 16",
		}},
		{
			`"num_layers": 1`,
			`"num_layers": 3`,
			[]string{
				"encoder.layers is 3 here, but tensor encoder.block.0.layer.0.SelfAttention.k.weight says 1",
			},
		},
		{
			`"num_decoder_layers": 2`,
			`"num_decoder_layers": 1`,
			[]string{
				"decoder.layers is 1 here, but tensor decoder.block.1.layer.0.SelfAttention.k.weight says 2",
			},
		},
		{`"d_ff"`, `"feed_forward_proj": "gated-gelu", "d_ff"`, []string{
			"encoder.gated is true here, but tensor encoder.block.0.layer.1.DenseReluDense.wi.weight says false",
			"decoder.gated is true here, but tensor decoder.block.0.layer.2.DenseReluDense.wi.weight says false",
		}},
		{
			`"d_kv": 4`,
			`"d_kv": 8`,
			[]string{
				"encoder.heads × d_kv is 16 here",
				"encoder.kv_heads × d_kv is 16 here",
				"decoder.heads × d_kv is 16 here",
				"decoder.kv_heads × d_kv is 16 here",
			},
		},
		{
			`"relative_attention_num_buckets": 4`,
			`"relative_attention_num_buckets": 32`,
			[]string{"encoder.positions is 32 here", "decoder.positions is 32 here"},
		},
	}
	held := tinyT5()
	// The header lists by data; put what these tests name first.
	h, err := tensors.ReadHeader("m.safetensors", bytes.NewReader(checkpoint(sorted(held)...)), -1)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		r, err := Read("config.json", strings.NewReader(
			strings.Replace(tinyT5Config, tt.from, tt.to, 1)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		found := Compare(r, h)
		for _, want := range tt.want {
			matched := false
			for _, d := range found {
				if strings.HasPrefix(d.String(), want) {
					matched = d.Line > 0
				}
			}
			if !matched {
				t.Errorf("%s: no %q with a line in %v", tt.to, want, found)
			}
		}
		if len(found) != len(tt.want) {
			t.Errorf("%s: found %v", tt.to, found)
		}
	}
}

func sorted(held []stored) []stored {
	out := append([]stored(nil), held...)
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if out[j].name < out[i].name {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}

// An untied configuration needs a head among the tensors.
func TestCompareMissesHead(t *testing.T) {
	var held []stored
	for _, s := range tinyT5() {
		if s.name != "lm_head.weight" {
			held = append(held, s)
		}
	}
	h, err := tensors.ReadHeader("m.safetensors", bytes.NewReader(checkpoint(held...)), -1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(
		"config.json",
		strings.NewReader(
			strings.Replace(tinyT5Config, `"d_ff"`, `"tie_word_embeddings": false, "d_ff"`, 1),
		),
		Options{},
	)
	if err != nil {
		t.Fatal(err)
	}
	if d := Compare(r, h); len(d) != 1 || d[0].Field != "head" {
		t.Errorf("found %v", d)
	}
}

func openFrom(files fstest.MapFS) Options {
	return Options{Open: func(name string) (io.ReadCloser, error) { return files.Open(name) }}
}

func readFrom(t *testing.T, files fstest.MapFS, name string) (*Result, error) {
	t.Helper()
	f, err := files.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return Read(name, f, openFrom(files))
}

func TestReadSafetensorsWithConfigBeside(t *testing.T) {
	files := fstest.MapFS{
		"m/model.safetensors": {Data: checkpoint(tinyT5()...)},
		"m/config.json": {
			Data: []byte(strings.Replace(tinyT5Config, `"d_ff": 16`, `"d_ff": 24`, 1)),
		},
		"n/model.safetensors": {Data: checkpoint(tinyT5()...)},
		"o/model.safetensors": {Data: checkpoint(tinyT5()...)[:3000]},
		"p/model.safetensors": {Data: checkpoint(tinyT5()...)},
		"p/config.json":       {Data: []byte(`{"model_type": "no-such"}`)},
	}
	r, err := readFrom(t, files, "m/model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if r.Format != Safetensors || r.Shape.DModel != 8 || r.Tensors == nil || len(r.Warnings) != 2 {
		t.Errorf("%+v", r)
	}
	if r, err = readFrom(t, files, "n/model.safetensors"); err != nil || r.Shape.DModel != 0 ||
		elementsOf(r.Tensors) == 0 {
		t.Errorf("without a config: %+v, %v", r, err)
	}
	if _, err = readFrom(t, files, "o/model.safetensors"); err == nil ||
		!strings.Contains(err.Error(), "ends inside the safetensors header") {
		t.Errorf("truncated header: %v", err)
	}
	r, err = readFrom(t, files, "p/model.safetensors")
	if err != nil || r.Tensors == nil || len(r.Warnings) != 1 ||
		!strings.Contains(r.Warnings[0].String(), "model_type") {
		t.Errorf("unknown config: %+v, %v", r, err)
	}
	// A header is also told by its content, without a name.
	if r, err = Read("-", bytes.NewReader(checkpoint(tinyT5()...)), Options{}); err != nil ||
		r.Format != Safetensors {
		t.Errorf("from a stream: %+v, %v", r, err)
	}
}

func TestReadShards(t *testing.T) {
	all := tinyT5()
	index := map[string]any{"metadata": map[string]any{"total_size": 1}}
	weights := map[string]string{}
	for i, s := range all {
		weights[s.name] = fmt.Sprintf("model-%d.safetensors", i%2)
	}
	index["weight_map"] = weights
	text, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	var halves [2][]stored
	for i, s := range all {
		halves[i%2] = append(halves[i%2], s)
	}
	files := fstest.MapFS{
		"m/model.safetensors.index.json": {Data: text},
		"m/model-0.safetensors":          {Data: checkpoint(halves[0]...)},
		"m/model-1.safetensors":          {Data: checkpoint(halves[1]...)},
		"m/config.json":                  {Data: []byte(tinyT5Config)},
	}
	r, err := readFrom(t, files, "m/model.safetensors.index.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Tensors.ParametersOf(&r.Shape); got != tinyT5Parameters {
		t.Errorf("parameters %d, want %d", got, tinyT5Parameters)
	}
	files["m/model-1.safetensors"] = &fstest.MapFile{Data: checkpoint(halves[1][1:]...)}
	if _, err = readFrom(t, files, "m/model.safetensors.index.json"); err == nil ||
		!strings.Contains(err.Error(), "is in the index but not in its shard") {
		t.Errorf("missing tensor: %v", err)
	}
	delete(files, "m/model-1.safetensors")
	if _, err = readFrom(t, files, "m/model.safetensors.index.json"); err == nil ||
		!strings.Contains(err.Error(), "cannot be opened: file does not exist") {
		t.Errorf("missing shard: %v", err)
	}
	files["m/model.safetensors.index.json"] = &fstest.MapFile{
		Data: []byte(`{"weight_map": {"a": "../secret.safetensors"}}`),
	}
	if _, err = readFrom(t, files, "m/model.safetensors.index.json"); err == nil ||
		!strings.Contains(err.Error(), "is in no file of this folder") {
		t.Errorf("traversal: %v", err)
	}
}

func TestBadHeaders(t *testing.T) {
	long := binary.LittleEndian.AppendUint64(nil, 2<<30)
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "is too short for a safetensors file: 0 bytes"},
		{"five bytes", []byte("hello"), "is too short for a safetensors file: 5 bytes"},
		{
			"2 GiB length", append(long, '{'),
			"has an impossible safetensors header length: 2147483648 bytes; allowed: 2 to 100000000 bytes",
		},
		{
			"99 MB promised", append(binary.LittleEndian.AppendUint64(nil, 99_000_000), "{}"...),
			"ends inside the safetensors header: 2 of 99000000 bytes",
		},
		{"zero length", make([]byte, 20), "has an impossible safetensors header length: 0 bytes"},
		{
			"a list",
			headerFile(`[1]`),
			"m.safetensors:1:1: is not a safetensors header: [; allowed: a JSON object of tensors",
		},
		{"text", headerFile(`"abc"`), "is not a safetensors header: abc"},
		{"cut JSON", headerFile(`{"a": {"dtype": "F32"`), "ends in the middle of the JSON object"},
		{"two objects", headerFile(`{}{}`), "has text after the closing bracket"},
		{
			"dtype",
			headerFile(`{"a": {"dtype": "F31", "shape": [], "data_offsets": [0, 4]}}`),
			`"a" has no known dtype: "F31"`,
		},
		{
			"no shape",
			headerFile(`{"a": {"dtype": "F32", "data_offsets": [0, 4]}}`),
			`"a" has no list shape: absent`,
		},
		{
			"negative",
			headerFile(`{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}`),
			`has a shape that is not whole numbers: -1`,
		},
		{
			"fraction",
			headerFile(`{"a": {"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]}}`),
			`has a shape that is not whole numbers: 1.5`,
		},
		{
			"overflow",
			headerFile(
				`{"a": {"dtype": "F32", "shape": [4294967296, 4294967296], "data_offsets": [0, 4]}}`,
			),
			`has a shape whose product overflows`,
		},
		{
			"offsets",
			headerFile(`{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}`),
			`has wrong data_offsets: [4 0]`,
		},
		{
			"size",
			headerFile(`{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}`),
			`has data that does not fit its shape: 4 bytes; allowed: 8 bytes for F32 [2]`,
		},
		{
			"gap",
			headerFile(`{"a": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}}`),
			`leaves a gap or overlaps: begins at 1; allowed: 0`,
		},
		{
			"overlap",
			headerFile(
				`{"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}, "b": {"dtype": "U8", "shape": [2], "data_offsets": [1, 3]}}`,
			),
			`begins at 1; allowed: 2`,
		},
		{
			"twice",
			headerFile(
				`{"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}, "a": {"dtype": "U8", "shape": [2], "data_offsets": [2, 4]}}`,
			),
			`"a" occurs twice`,
		},
		{
			"a long name",
			headerFile(`{"` + strings.Repeat("a", 10<<20) + `": 3}`),
			`"… has no known dtype: absent`,
		},
		{
			"many tensors",
			headerFile(
				"{" + strings.Repeat(
					`"a": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}, `,
					tensors.MaxFaults+1,
				) + `"b": 1}`,
			),
			`"a" occurs twice`,
		},
		{"number", headerFile(`{"a": 3}`), `"a" has no known dtype: absent`},
	}
	for _, tt := range tests {
		_, err := tensors.ReadHeader("m.safetensors", bytes.NewReader(tt.data), -1)
		if _, ok := err.(*syntax.Error); !ok || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// The data after the header must be as long as the header says, where the reader can tell.
func TestTruncatedData(t *testing.T) {
	whole := checkpoint(tinyT5()...)
	files := fstest.MapFS{"model.safetensors": {Data: whole[:len(whole)-10]}}
	f, err := files.Open("model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := Read("model.safetensors", f, Options{}); err == nil ||
		!strings.Contains(err.Error(), "has a wrong length of data") {
		t.Errorf("got %v", err)
	}
}

// A file of the header alone holds all that is read.
func TestHeaderAlone(t *testing.T) {
	whole := checkpoint(tinyT5()...)
	header := 8 + binary.LittleEndian.Uint64(whole)
	files := fstest.MapFS{"model.safetensors": {Data: whole[:header]}}
	f, err := files.Open("model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if r, err := Read("model.safetensors", f, Options{}); err != nil ||
		len(r.Tensors.Tensors) == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// A header's claim alone must not cost memory: 99 MB promised, two bytes there.
func TestHeaderAllocatesWhatIsThere(t *testing.T) {
	data := append(binary.LittleEndian.AppendUint64(nil, 99_000_000), "{}"...)
	const runs = 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		_, _ = tensors.ReadHeader("m.safetensors", bytes.NewReader(data), -1)
	}
	runtime.ReadMemStats(&after)
	const most = 64 << 10 // a few read buffers
	if got := (after.TotalAlloc - before.TotalAlloc) / runs; got > most {
		t.Errorf("%d bytes allocated for a header of two bytes, at most %d expected", got, most)
	}
}

// elementsOf returns the numbers stored in all tensors, buffers included.
func elementsOf(h *tensors.Header) int64 {
	var sum int64
	for _, t := range h.Tensors {
		n := int64(1)
		for _, dim := range t.Shape {
			n *= dim
		}
		sum += n
	}
	return sum
}
