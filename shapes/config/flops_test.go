package config_test

import (
	"os"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// The counter that users see gives the published number of gpt2, BERT with its
// masked-language-model head, and whisper-tiny from their configurations; the sources are in
// read_test.go.
func TestCounterOfConfigurations(t *testing.T) {
	for file, want := range map[string]int64{
		"gpt2.json":                  124_439_808,
		"bert-base-uncased-mlm.json": 109_514_298,
		"whisper-tiny.json":          37_184_640,
		"vit-base-patch16-224.json":  86_389_248,
		"switch-base-8.json":         619_339_008,
		"qwen2-0.5b.json":            494_032_768,
	} {
		content, err := os.ReadFile("testdata/good/" + file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := config.Read(file, strings.NewReader(string(content)), config.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := flops.CountParameters(&r.Shape).Total; got != want {
			t.Errorf("%s: %d parameters, want %d", file, got, want)
		}
	}
}
