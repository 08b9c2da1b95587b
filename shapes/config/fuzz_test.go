package config

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// seed adds the files of testdata with one of the extensions.
func seed(f *testing.F, extensions ...string) {
	for _, folder := range []string{"good", "bad", "lint"} {
		files, err := os.ReadDir("testdata/" + folder)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			for _, e := range extensions {
				if path.Ext(file.Name()) == e {
					content, err := os.ReadFile("testdata/" + folder + "/" + file.Name())
					if err != nil {
						f.Fatal(err)
					}
					f.Add(content)
				}
			}
		}
	}
}

// readAnything reads under a name and checks what every outcome has in common: either faults with
// places, or a shape that is valid.
func readAnything(t *testing.T, name string, content []byte) {
	files := fstest.MapFS{name: {Data: content}, "t5-small.yaml": {Data: []byte("extends: " +
		name)}}
	o := testOptions()
	o.Open = func(name string) (io.ReadCloser, error) { return files.Open(name) }
	r, err := Read(name, bytes.NewReader(content), o)
	if err != nil {
		var typed *syntax.Error
		if !errors.As(err, &typed) || len(typed.Faults) == 0 {
			t.Fatalf("error of type %T: %v", err, err)
		}
		for _, fault := range typed.Faults {
			if fault.File == "" || fault.Problem == "" || fault.Line < 0 || fault.Column < 0 {
				t.Fatalf("fault without a place or problem: %+v", fault)
			}
		}
		return
	}
	if r.Shape.DModel == 0 && r.Tensors != nil {
		return
	}
	if err := r.Shape.Validate(); err != nil {
		t.Fatalf("an invalid shape was returned: %v", err)
	}
	if n := parameters(r.Shape); n < 0 {
		t.Fatalf("%d parameters", n)
	}
}

func FuzzHuggingFace(f *testing.F) {
	seed(f, ".json")
	f.Fuzz(func(t *testing.T, content []byte) { readAnything(t, "config.json", content) })
}

func FuzzGin(f *testing.F) {
	seed(f, ".gin")
	f.Fuzz(func(t *testing.T, content []byte) { readAnything(t, "operative_config.gin", content) })
}

func FuzzYAML(f *testing.F) {
	seed(f, ".yaml")
	f.Fuzz(func(t *testing.T, content []byte) { readAnything(t, "shape.yaml", content) })
}

func FuzzDetect(f *testing.F) {
	seed(f, ".json", ".gin", ".yaml")
	f.Add(checkpoint(tinyT5()...)[:4000])
	f.Fuzz(func(t *testing.T, content []byte) { readAnything(t, "-", content) })
}

func FuzzHeader(f *testing.F) {
	f.Add(checkpoint(tinyT5()...))
	f.Add(checkpoint(stored{"model.embed_tokens.weight", []int64{4, 4}},
		stored{"lm_head.weight", []int64{4, 4}}))
	for _, header := range []string{`{}`, `{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}`, `{"__metadata__": {"a": "b"}}`} {
		f.Add(headerFile(header))
	}
	r, err := Read("config.json", bytes.NewReader([]byte(tinyT5Config)), Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		h, err := tensors.ReadHeader("m.safetensors", bytes.NewReader(content), -1)
		if err != nil {
			var typed *syntax.Error
			if !errors.As(err, &typed) {
				t.Fatalf("error of type %T", err)
			}
			return
		}
		Compare(r, h)
		if h.ParametersOf(&r.Shape) > elementsOf(h) || h.Parameters() > elementsOf(h) ||
			elementsOf(h) < 0 {
			t.Fatalf("counts %d, %d of %d", h.ParametersOf(&r.Shape), h.Parameters(), elementsOf(h))
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"weight_map": {"a": "m.safetensors"}}`))
	f.Add(
		[]byte(
			`{"metadata": {"total_size": 4}, "weight_map": {"a": "m.safetensors", "b": "../x", "a": "m.safetensors"}}`,
		),
	)
	shard := headerFile(`{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}`)
	f.Fuzz(func(t *testing.T, content []byte) {
		files := fstest.MapFS{"m.safetensors": {Data: append(shard, 0, 0, 0, 0)}}
		o := Options{Open: func(name string) (io.ReadCloser, error) { return files.Open(name) }}
		if _, err := Read("model.safetensors.index.json", bytes.NewReader(content), o); err != nil {
			var typed *syntax.Error
			if !errors.As(err, &typed) {
				t.Fatalf("error of type %T", err)
			}
		}
	})
}

func FuzzTrainer(f *testing.F) {
	f.Add([]byte("[model]\nname = \"llama3\"\nflavor = \"8B\" # the shape\na.b = [1]\n"))
	f.Add([]byte("ARGS=(\n --num-layers 24 \\\n --hidden-size=1024 --swiglu\n)\n"))
	f.Fuzz(func(t *testing.T, content []byte) { readAnything(t, "run.toml", content) })
}

// FuzzTable reads a user's table, and with it the configuration that the table may describe.
func FuzzTable(f *testing.F) {
	f.Add([]byte("ours:\n  like: llama\n  fields: {hidden_size | width: 4096, n: \"= 2 * n\"}\n"))
	f.Add(
		[]byte(
			"t:\n  when: [a.b]\n  shape:\n    d_model: a.b\n    decoder.layers: \"a.c ? 1 : 2 // 0\"\n",
		),
	)
	f.Fuzz(func(t *testing.T, content []byte) {
		table, err := ReadTable("t.yaml", bytes.NewReader(content))
		if err != nil {
			var typed *syntax.Error
			if !errors.As(err, &typed) {
				t.Fatalf("error of type %T: %v", err, err)
			}
			return
		}
		for _, text := range []string{`{"model_type": "ours", "width": 128}`, `{"a": {"b": 64, "c": 1}}`} {
			r, err := Read("-", strings.NewReader(text), Options{Architectures: table})
			if err == nil && r.Shape.Validate() != nil {
				t.Fatalf("an invalid shape was returned: %+v", r.Shape)
			}
		}
	})
}
