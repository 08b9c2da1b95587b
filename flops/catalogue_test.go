package flops_test

import (
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// The counts of the T5-Efficient rows, exact by the formula of T5 (data/facts/t5_efficient.csv).
func TestCountsOfT5Efficient(t *testing.T) {
	counted, shared := 0, 0
	for _, row := range data.Checkpoints() {
		if row.Params == nil {
			shared++
			if _, err := shapes.Lookup(row.Name); err == nil {
				t.Errorf("%s shares heads or key-values and was given a shape", row.Name)
			}
			continue
		}
		counted++
		if got := count(t, row.Name); got != *row.Params {
			t.Errorf("%s counts %d, want %d", row.Name, got, *row.Params)
		}
	}
	if counted != 160 || shared != 10 { // Tay et al. 2021: 170 names, 10 of them sh, skv or shkv
		t.Errorf("%d counted and %d refused, want 160 and 10", counted, shared)
	}
}

// One literal a family, each with where it was published.
func TestCountsOfFamilies(t *testing.T) {
	for name, want := range map[string]int64{
		"t5-efficient-tiny-nl32": 66_986_752, // size of the published weights, 268 MB / 4
		// DeepSpeed documentation, memory.rst: 2851 million
		"t5-3b": 2_851_598_336,
		// num_parameters() of google/flan-t5-base, printed by many users
		"t5-v1_1-base": 247_577_856,
		"flan-t5-xl":   2_849_757_184,  // model card of a T5 v1.1 derivative
		"mt5-small":    300_176_768,    // counted by users of google/mt5-small
		"byt5-small":   299_637_760,    // counted by users of google/byt5-small
		"ul2":          19_459_613_696, // counted by a user of google/flan-ul2
		// unique parameters of google/switch-large-128, counted by a user
		"switch-large-128": 26_309_291_008,
		"switch-base-8":    619_339_008, // safetensors header of google/switch-base-8
		"bart-base":        139_420_416, // counted by users of facebook/bart-base
		"bart-large":       406_291_456, // counted by users of facebook/bart-large
		// 570,797,056 counted by users, less 2 × 1024 × 1024 of fixed sinusoids
		"pegasus-large": 568_699_904,
		// trainable parameters of Helsinki-NLP/opus-mt-en-de
		"opus-mt-en-de": 73_886_208,
		"whisper-tiny":  37_184_640, // trainable parameters of openai/whisper-tiny
		// 1,543,304,960 of large-v2, less 1500 × 1280 of fixed sinusoids
		"whisper-large":      1_541_384_960,
		"bert-base-uncased":  109_482_240,     // counted by users of bert-base-uncased
		"bert-large-uncased": 335_141_888,     // counted by users of bert-large-uncased
		"gpt2":               124_439_808,     // counted by users of gpt2
		"gpt2-xl":            1_557_611_200,   // counted by users of gpt2-xl
		"pythia-6.9b":        6_857_302_016,   // Pythia README
		"pythia-12b":         11_846_072_320,  // Pythia README
		"bloom-560m":         559_214_592,     // model card
		"bloom-176b":         176_247_271_424, // model card
		"llama-2-7b":         6_738_415_616,   // MrYxJ/calculate-flops.pytorch README
		"llama-2-70b":        68_976_648_192,  // counted by users of meta-llama/Llama-2-70b-hf
		"gemma-2b":           2_506_172_416,   // safetensors metadata of google/gemma-2b
		"vit-base-16":        85_798_656,      // timm, num_classes=0
	} {
		if got := count(t, name); got != want {
			t.Errorf("%s counts %d, want %d", name, got, want)
		}
	}
}

// Every row of released_shapes.csv that has a published count has exactly that count.
func TestCountsOfReleasedShapes(t *testing.T) {
	const fewest = 70 // rows with a count when this was written: guards against a test of nothing
	compared := 0
	for _, row := range data.ReleasedShapes() {
		if row.Params == nil {
			continue
		}
		compared++
		if got := count(t, row.Name); got != *row.Params {
			t.Errorf("%s counts %d, published %d (%s)", row.Name, got, *row.Params, row.ParamsSource)
		}
	}
	if compared < fewest {
		t.Errorf("only %d rows have a published count", compared)
	}
}

// Sizes of which only a rounded value was published. "recalled" marks those that could not be read
// again when this was written.
func TestRoundedSizes(t *testing.T) {
	const half = 0.5 // of the last digit printed
	for name, want := range map[string]struct{ billions, digit float64 }{
		// Tay et al. 2021, row T5-XXL (data/facts/paper_results.csv)
		"t5-11b": {11.3, 0.1},
		"t5-xxl": {11.3, 0.1}, // the same
		// Tay et al. 2021, Table 3 (data/facts/paper_results.csv)
		"NL12-XXL": {3.6, 0.1},
		// Tay et al. 2021, Table 3 (data/facts/paper_results.csv)
		"NL32-XL":          {3.8, 0.1},
		"XL 32L":           {3.8, 0.1},        // Tay et al. 2021 (data/facts/paper_results.csv)
		"mt5-xxl":          {12.9, 0.1},       // Xue et al. 2022, Table 1 (recalled)
		"byt5-xl":          {3.74, 0.01},      // Xue et al. 2022, Table 1 (recalled)
		"byt5-large":       {1.23, 0.01},      // Xue et al. 2022, Table 1 (recalled)
		"switch-large-128": {26, 1},           // Fedus et al. 2022, Table 9 (recalled)
		"switch-xxl-128":   {395, 1},          // Fedus et al. 2022, Table 9 (recalled)
		"switch-c-2048":    {1571, 1},         // Fedus et al. 2022, Table 9 (recalled)
		"gemstone-256x23":  {0.0484, 0.0001},  // model page of the checkpoint: 48.4M
		"gemstone-512x14":  {0.107, 0.001},    // model page of the checkpoint: 107M
		"gemstone-2048x27": {1.9, 0.1},        // model page of the checkpoint: 1.9B
		"gemstone-384x13":  {0.067, 0.001},    // list of the suite: 67M
		"megatron-1t":      {1008.039, 0.001}, // calculon's count of the shape
		"turing-530b":      {529.601, 0.001},  // calculon's count of the shape
		"gpt3-175b":        {174.616, 0.001},  // calculon's count of the shape
		"megatron-22b":     {22.074, 0.001},   // calculon's count of the shape
	} {
		if got := float64(count(t, name)) / 1e9; !approx.Close(
			got, want.billions, half*want.digit) {
			t.Errorf("%s has %.6gB parameters, published %gB", name, got, want.billions)
		}
	}
}

// Every row of published_params.csv within its tolerance, the whole numbers exactly.
func TestPublishedParams(t *testing.T) {
	for _, row := range data.AllPublishedParams() {
		name, remark, _ := strings.Cut(row.Model, " (")
		name, _, _ = strings.Cut(name, " / ")
		s, err := shapes.Parse(name)
		if err != nil {
			t.Errorf("%s: %v", row.Model, err)
			continue
		}
		if strings.HasPrefix(remark, "body only") { // the count leaves out the untied head
			s.Head = shapes.HeadTied
		}
		got := float64(flops.CountParameters(&s).Total)
		if !approx.Relative(got, row.Params, row.Tolerance) {
			t.Errorf("%s counts %.0f, published %.0f ± %g %%", row.Model, got, row.Params,
				100*row.Tolerance)
		}
	}
}

func count(t *testing.T, name string) int64 {
	t.Helper()
	s, err := shapes.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return flops.CountParameters(&s).Total
}
