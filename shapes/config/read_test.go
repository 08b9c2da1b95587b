package config

import (
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// testOptions reads references from testdata.
func testOptions() Options {
	files := os.DirFS("testdata")
	return Options{
		Root: ".",
		Open: func(name string) (io.ReadCloser, error) { return files.Open(name) },
	}
}

// t5Small is written out so that the readers are compared with a literal.
func t5Small() shapes.Shape {
	stack := shapes.Stack{
		Layers: 6, DFF: 2048, DKV: 64, Heads: 8, KVHeads: 8,
		Position: shapes.Relative, Positions: 32, FinalNorm: true,
	}
	return shapes.Shape{
		Name: "t5-small", Family: shapes.T5, DModel: 512, Vocab: 32128,
		Encoder: stack, Decoder: stack,
	}
}

func readTestFile(t *testing.T, name string) (*Result, error) {
	t.Helper()
	f, err := fs.FS(os.DirFS("testdata")).Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return Read(name, f, testOptions())
}

// The expected counts are the numbers that loading the released checkpoints reports; where a source
// gives none, the arithmetic stands in the note.
func TestReadCountsPublishedModels(t *testing.T) {
	tests := []struct {
		file   string
		family shapes.Family
		want   int64
		source string
	}{
		{"t5-small.json", shapes.T5, 60_506_624, "params.csv t5-efficient-small (the same shape)"},
		{
			"t5-small-encoder.json", shapes.T5, 35_330_816,
			"32,128·512 + 6·(4·512² + 2·512·2048 + 2·512) + 32·8 + 512",
		},
		{"t5-v1_1-base.json", shapes.T511, 247_577_856, "params.csv t5-v1_1-base"},
		{"mt5-small.json", shapes.T511, 300_176_768, "num_parameters of google/mt5-small"},
		{
			"switch-base-8.json", shapes.Switch, 619_339_008,
			"t5-base 222,903,552 + 12·7·4,718,592 experts + 12·768·8 routers; the checkpoint is published as 620M",
		},
		{"bart-base.json", shapes.BART, 139_420_416, "num_parameters of facebook/bart-base"},
		{"bart-large.json", shapes.BART, 406_291_456, "num_parameters of facebook/bart-large"},
		{
			"opus-mt-en-de.json", shapes.Translation, 73_886_208,
			"58,101·512 + 6·(4·262,656 + 2,099,712 + 2,048) + 6·(8·262,656 + 2,099,712 + 3,072)",
		},
		{
			"pegasus-large.json", shapes.BART, 568_699_904,
			"num_parameters of google/pegasus-large, 570,797,056, less two fixed 1,024·1,024 sinusoid tables",
		},
		{
			"whisper-tiny.json", shapes.Whisper, 37_184_640,
			"openai/whisper-tiny, 37,760,640, less the fixed 1,500·384 sinusoid table",
		},
		{
			"bert-base-uncased.json", shapes.BERT, 109_482_240,
			"num_parameters of BertModel bert-base-uncased",
		},
		{
			"bert-base-uncased-mlm.json", shapes.BERT, 109_514_298,
			"num_parameters of BertForMaskedLM bert-base-uncased",
		},
		{
			"vit-base-patch16-224.json", shapes.ViT, 86_389_248,
			"num_parameters of ViTModel: 85,798,656 and the pooler's 590,592",
		},
		{"gpt2.json", shapes.GPT, 124_439_808, "num_parameters of gpt2"},
		{
			"pythia-160m.json", shapes.GPT, 162_322_944,
			"Biderman et al. 2023, arXiv 2304.01373, table 1",
		},
		{"bloom-560m.json", shapes.GPT, 559_214_592, "bigscience/bloom-560m model card"},
		{"llama-2-7b.json", shapes.Llama, 6_738_415_616, "params.csv llama2-7b"},
		{
			"mistral-7b-v0.1.json", shapes.Llama, 7_241_732_096,
			"num_parameters of mistralai/Mistral-7B-v0.1",
		},
		{"qwen2-0.5b.json", shapes.Llama, 494_032_768, "num_parameters of Qwen/Qwen2-0.5B"},
		{"gemma-2b.json", shapes.Llama, 2_506_172_416, "num_parameters of google/gemma-2b"},
		{"t5x-t5_1_1-base.gin", shapes.T511, 247_577_856, "params.csv t5-v1_1-base"},
		{"t5x-t5_1_0-small.gin", shapes.T5, 60_506_624, "params.csv t5-efficient-small"},
		{
			"mesh-small-el32.gin", shapes.T5, 142_322_176,
			"params.csv t5-small 60,506,624 + 26·(4·512² + 2·512·2,048 + 2·512)",
		},
		{"t5-small.yaml", shapes.T5, 60_506_624, "params.csv t5-efficient-small"},
		{"deep.yaml", shapes.T5, 117_148_160, "t5-small + 18·3,146,752"},
		{
			"deeper.yaml", shapes.T5, 136_034_688,
			"t5-small + 30·3,146,752 − 36·4·512·256 − 32·4: half the heads of the encoder",
		},
		{"t5-encoder-only.yaml", shapes.T5, 35_330_816, "as t5-small-encoder.json"},
		{
			"bert-base.yaml", shapes.BERT, 109_482_240,
			"num_parameters of BertModel bert-base-uncased",
		},
	}
	seen := map[string]bool{}
	for _, tt := range tests {
		seen[tt.file] = true
		t.Run(tt.file, func(t *testing.T) {
			r, err := readTestFile(t, "good/"+tt.file)
			if err != nil {
				t.Fatal(err)
			}
			if got := parameters(r.Shape); got != tt.want {
				t.Errorf("parameters = %d, want %d (%s), off by %d\n%+v", got, tt.want, tt.source,
					got-tt.want, r.Shape)
			}
			if r.Shape.Family != tt.family {
				t.Errorf("family = %s, want %s", r.Shape.Family, tt.family)
			}
			if len(r.Unknown) > 0 {
				t.Errorf("unknown fields %v", r.Unknown)
			}
			if r.Shape.Name == "" {
				t.Error("no name")
			}
		})
	}
	files, err := os.ReadDir("testdata/good")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !seen[f.Name()] {
			t.Errorf("testdata/good/%s is in no row", f.Name())
		}
	}
}

// Every file must also be readable without a name, as from standard input.
func TestReadFromStream(t *testing.T) {
	files, err := os.ReadDir("testdata/good")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		content, err := os.ReadFile("testdata/good/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), "extends:") {
			continue // needs the folder
		}
		named, err := readTestFile(t, "good/"+f.Name())
		if err != nil {
			t.Fatal(err)
		}
		r, err := Read("-", strings.NewReader(string(content)), Options{})
		if err != nil {
			t.Errorf("%s: %v", f.Name(), err)
			continue
		}
		if r.Format != named.Format || !r.Shape.SameArchitecture(named.Shape) {
			t.Errorf("%s from a stream is %v %+v, by name %v %+v", f.Name(), r.Format, r.Shape,
				named.Format, named.Shape)
		}
	}
}

// Files saved on Windows end their lines with a carriage return too.
func TestCarriageReturns(t *testing.T) {
	files, err := os.ReadDir("testdata/good")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := "good/" + f.Name()
		want, err := readTestFile(t, name)
		if err != nil {
			t.Fatal(err)
		}
		content := strings.ReplaceAll(string(mustRead(t, "testdata/"+name)), "\n", "\r\n")
		got, err := Read(name, strings.NewReader(content), testOptions())
		if err != nil {
			t.Error(err)
			continue
		}
		if got.Shape != want.Shape {
			t.Errorf("%s: %+v", name, got.Shape)
		}
		if diff := cmp.Diff(want.Fields, got.Fields); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// The readers of three formats must agree with one literal.
func TestReadersAgree(t *testing.T) {
	for _, file := range []string{"t5-small.json", "t5-small.yaml", "t5x-t5_1_0-small.gin"} {
		r, err := readTestFile(t, "good/"+file)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Shape.SameArchitecture(t5Small()) {
			t.Errorf("%s: %+v", file, r.Shape)
		}
	}
}

// The configuration of a released model is the shape of its catalogue name: two ways to write it
// down that were made apart.
func TestReadersAgreeWithCatalogue(t *testing.T) {
	names := map[string]string{
		"t5-small.json": "t5-small", "t5-v1_1-base.json": "t5-v1_1-base",
		"mt5-small.json": "mt5-small", "switch-base-8.json": "switch-base-8",
		"bart-large.json": "bart-large", "opus-mt-en-de.json": "opus-mt-en-de",
		"pegasus-large.json": "pegasus-large",
		"whisper-tiny.json":  "whisper-tiny", "bert-base-uncased.json": "bert-base",
		"vit-base-patch16-224.json": "vit-base-patch16",
		"gpt2.json":                 "gpt2", "pythia-160m.json": "pythia-160m", "bloom-560m.json": "bloom-560m",
		"llama-2-7b.json":      "llama-2-7b",
		"mistral-7b-v0.1.json": "mistral-7b", "qwen2-0.5b.json": "qwen2-0.5b",
		"gemma-2b.json":       "gemma-2b",
		"t5x-t5_1_1-base.gin": "t5-v1_1-base", "mesh-small-el32.gin": "t5-efficient-small-el32",
		"t5-small.yaml": "t5-small", "deep.yaml": "t5-small/el=24",
	}
	for file, name := range names {
		r, err := readTestFile(t, "good/"+file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := shapes.Parse(name)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		r.Shape.Pooler = want.Pooler // the catalogue's class, not the file's
		if !r.Shape.SameArchitecture(want) {
			t.Errorf("%s is not %s (-catalogue +file):\n%s", file, name, cmp.Diff(want, r.Shape))
		}
	}
}

// Lines and columns counted by hand in testdata/good.
func TestFieldsKnowTheirLines(t *testing.T) {
	tests := []struct {
		file, field, name string
		line, column      int
	}{
		{"t5-small.json", "d_model", "d_model", 6, 3},
		{"t5-small.json", "encoder.layers", "num_layers", 11, 3},
		{"t5-small.json", "decoder.layers", "num_layers", 11, 3},
		{"t5-v1_1-base.json", "decoder.layers", "num_decoder_layers", 8, 3},
		{"mistral-7b-v0.1.json", "decoder.kv_heads", "num_key_value_heads", 8, 3},
		{"t5x-t5_1_1-base.gin", "d_model", "emb_dim", 13, 1},
		{"t5x-t5_1_0-small.gin", "vocab", "vocab_size", 3, 3},
		{"mesh-small-el32.gin", "encoder.layers", "make_layer_stack.num_layers", 33, 1},
		{"t5-small.yaml", "encoder.d_ff", "d_ff", 11, 3},
		{"deep.yaml", "encoder.layers", "layers", 4, 3},
		{"deep.yaml", "decoder.layers", "layers", 20, 3}, // in t5-small.yaml
	}
	for _, tt := range tests {
		r, err := readTestFile(t, "good/"+tt.file)
		if err != nil {
			t.Fatal(err)
		}
		got := r.Fields[tt.field]
		if got.Name != tt.name || got.Line != tt.line || got.Column != tt.column {
			t.Errorf("%s: %s is %+v, want %s at %d:%d", tt.file, tt.field, got, tt.name, tt.line,
				tt.column)
		}
	}
}
