package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/cli"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
)

// TestDocumentsMatchTheirSchema validates what commands write as JSON against the schema of that
// name in docs/schema. Fields that no schema names are errors.
func TestDocumentsMatchTheirSchema(t *testing.T) {
	t.Chdir(root)
	for _, args := range [][]string{
		{"count", "t5-base", "gpt2", "switch-base-8", "bert-base-uncased", "whisper-tiny"},
		{"count", "t5-base", "--convention", "all", "--by", "op", "--recompute", "full"},
		{"count", "llama-2-7b", "--convention", "causal", "--by", "layer", "--optimizer", "adam"},
		{
			"plan", "t5-base", "gpt2", "--hardware", "a100", "--hardware", "tpu-v3", "--hardware",
			"tpu7x", "--hardware", "l40s", "--devices", "8",
		},
		{
			"plan", "t5-11b", "--hardware", "h100", "--devices", "64", "--layout", "auto",
			"--deadline", "14d", "--region", "us-central1",
		},
		{"plan", "t5-base", "--hardware", "a100", "--max-cost", "$500", "--price", "2"},
		{"plan", "t5-base", "bert-base-uncased", "--hardware", "a100", "--decode"},
		{
			"plan", "t5-base", "--cluster", "8xh100,64xa100,price=1.20,region=us-central1", "--batch",
			"256,512", "--tokens", "300B", "--deadline", "10d", "--what-if", "price=2x",
		},
		{
			"plan", "t5-11b", "--hardware", "a100,v100", "--devices", "auto", "--tokens", "100B",
			"--max-cost", "$50000", "--max-devices", "64", "--sure", "75%",
		},
		{"plan", "t5-11b", "--hardware", "v100", "--devices", "8", "--optimizer", "adamw"},
		{
			"plan", "llama-2-7b", "--hardware", "l4", "--preset", "superglue", "--epochs", "3", "--lora",
			"rank=16", "--weights", "int4", "--freeze", "embeddings",
		},
		{
			"plan", "t5-base", "llama-2-7b", "--hardware", "h100,l4", "--serve", "--requests", "20/s",
			"--max-latency", "3s", "--weights", "int8", "--sure", "75%",
		},
		{
			"recommend", "--like", "t5-base", "--hardware", "tpu-v3", "--devices", "16", "--laws",
			"all",
		},
		{"recommend", "--max-flops", "1e20", "--family", "gpt"},
		{
			"recommend", "--like", "t5-base", "--hardware", "a100", "--objective", "lifetime-cost",
			"--serve-tokens", "1T", "--max-latency", "5s", "--generate", "64",
		},
		{"recommend", "--like", "t5-base", "--hardware", "a100", "--explain", "2"},
		{"tables"},
		{"recommend", "--max-params", "150M", "--objective", "quality", "--evidence", "figure"},
		{"list", "shapes"},
		{"list", "hardware"},
		{"list", "conventions"},
		{"list", "regions"},
		{"list", "laws"},
		{"list", "evidence"},
		{"list", "shapes", "no-such-word"},
		{"explain", "mesh-tf"},
		{"explain", "kv_heads"},
		{"validate"},
		{
			"fit", "docs/data/sweep.csv", "--law", "chinchilla", "--profile", "--predict",
			"params=1B,tokens=20B",
		},
		{"fit", "docs/data/sweep.csv", "--bootstrap", "20", "--bootstrap-global"},
		{
			"fit", "docs/data/sweep.csv", "--law", "kaplan", "--objective", "lad", "--bootstrap", "0",
			"--drop-highest", "2", "--where", "tokens>1B",
		},
		{
			"fit", "docs/data/curves.csv", "--x", "tokens", "--by", "run", "--fit-where", "part=fit",
			"--score-where", "part=later", "--predict", "tokens=1e12",
		},
		{"fit", "docs/data/curves.csv", "--law", "chinchilla", "--by", "part,run"},
		{"isoflop", "docs/data/sweep.csv"},
		{"envelope", "docs/data/curves.csv"},
		{"allocate", "docs/data/sweep.csv", "--budget", "1e22"},
		{"allocate", "--published", "chinchilla", "--budget", "1e22", "--serve-tokens", "1T"},
		{"allocate", "--published", "chinchilla", "--cluster", "8xa100", "--max-cost", "500", "--serve-tokens", "10B"},
		{"allocate", "--published", "chinchilla", "--budget", "1e20", "--family", "t5"},
		{"track", "docs/data/plan.json", "--run", "docs/data/run.csv"},
		{"transfer", "docs/data/downstream.csv"},
		{"transfer", "docs/data/downstream.csv", "--link", "exponential-link", "--hold-out", "shape"},
		{"transfer", "--published"},
		{
			"check", "t5-base", "cmd/deepnarrow/testdata/review/bad/*", "--rules",
			"cmd/deepnarrow/testdata/review/rules.yaml",
		},
		{"diff", "t5-base", "t5-large/dl=6", "--hardware", "tpu-v3", "--devices", "16"},
		{"diff", "t5-base", "t5-base"},
	} {
		command := args[0]
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			if command == "validate" && testing.Short() {
				t.Skip("fits the constants a hundred times")
			}
			var out, errs bytes.Buffer
			code := cli.Run(context.Background(), append(args, "--format", "json"), frame.Streams{In: strings.NewReader(""), Out: &out, Err: &errs, Env: func(string) string { return "" }})
			if out.Len() == 0 {
				t.Fatalf("exit %d: %s", code, errs.String())
			}
			schema, err := jsonschema.NewCompiler().Compile(
				filepath.Join("docs", "schema", command+".schema.json"))
			if err != nil {
				t.Fatal(err)
			}
			document, err := jsonschema.UnmarshalJSON(&out)
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(document); err != nil {
				t.Error(err)
			}
		})
	}
	schemas, err := os.ReadDir(filepath.Join("docs", "schema"))
	if err != nil || len(schemas) == 0 {
		t.Errorf("no schemas: %v", err)
	}
}
