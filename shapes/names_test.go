package shapes_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// The expected names follow the naming rules of Tay et al. 2021 (arXiv 2109.10686): xLy and NLxx
// are layers of both stacks, xEL of the encoder.
func TestParseNames(t *testing.T) {
	for ref, want := range map[string]string{
		"t5-small":                         "t5-small",
		"T5 Small":                         "t5-small",
		"google/t5_small":                  "t5-small",
		"t5-tiny":                          "t5-efficient-tiny",
		"t5-mini":                          "t5-efficient-mini",
		"t5-xl":                            "t5-3b",
		"t5-xxl":                           "t5-11b",
		"google/t5-v1_1-base":              "t5-v1_1-base",
		"t5-v1.1-base":                     "t5-v1_1-base",
		"google/flan-t5-xl":                "t5-v1_1-xl",
		"flan-ul2":                         "ul2",
		"google/t5-efficient-small-el16":   "t5-efficient-small-el16",
		"small-nl16":                       "t5-efficient-small-nl16",
		"Small 16L":                        "t5-efficient-small-nl16",
		"Small 32EL":                       "t5-efficient-small-el32",
		"Mini-8L":                          "t5-efficient-mini-nl8",
		"Base-36L":                         "t5-efficient-base-nl36",
		"Large 36L":                        "t5-efficient-large-nl36",
		"NL36":                             "t5-efficient-base-nl36",
		"NL32-LG":                          "t5-efficient-large-nl32",
		"NL12-XXL":                         "t5-efficient-xxl-nl4/nl=12",
		"XL 32L":                           "t5-efficient-xl/nl=32",
		"NL32-XL":                          "t5-efficient-xl/nl=32",
		"T5-Efficient-Small-NL28":          "t5-efficient-small/nl=28",
		"small-dl2-el16":                   "t5-efficient-small-el16-dl2",
		"large-nl16-nh8":                   "t5-efficient-large-nh8-nl16",
		"small-nl16/ff=4096":               "t5-efficient-small-nl16/ff=4096",
		"XL 32L/ff=4096":                   "t5-efficient-xl/nl=32,ff=4096",
		"tiny-el10-dl4":                    "t5-efficient-tiny/el=10,dl=4",
		"t5-small/nl=16":                   "t5-small/nl=16",
		"google/t5-small/NL=16":            "t5-small/nl=16",
		"t5-base/ff=2048, dl=6 ,el=24":     "t5-base/el=24,dl=6,ff=2048",
		"llama-2-70b/nh=32,kvh=4":          "llama-2-70b/nh=32,kvh=4",
		"t5-small/gated=TRUE,tied=false":   "t5-small/gated=true,tied=false",
		"t5-small/vocab=32000":             "t5-small/vocab=32000",
		"w1024d28":                         "gemstone-1024x28",
		"Gemstone-1024x28":                 "gemstone-1024x28",
		"w1024d20":                         "w1024x20",
		"w1024x20/ff=2048":                 "w1024x20/ff=2048",
		"eleutherai/pythia-1.4b":           "pythia-1.4b",
		"tomg-group-umd/Gemstone-512x14":   "gemstone-512x14",
		"openai-community/gpt2/nl=24":      "gpt2/nl=24",
		"meta-llama/Llama-2-7b-hf/kvh=8":   "llama-2-7b/kvh=8",
		"Helsinki-NLP/opus-mt-en-de/el=12": "opus-mt-en-de/el=12",
	} {
		s, err := shapes.Parse(ref)
		if err != nil {
			t.Errorf("Parse(%q): %v", ref, err)
			continue
		}
		if s.Name != want {
			t.Errorf("Parse(%q).Name = %q, want %q", ref, s.Name, want)
		}
	}
}

// Every shape that Parse returns names itself.
func TestParseOfNameIsIdentity(t *testing.T) {
	for _, e := range shapes.Catalogue() {
		if e.NotCountable != "" {
			continue
		}
		for _, name := range append(append([]string{e.Name}, e.Aliases...), e.Checkpoints...) {
			got, err := shapes.Parse(name)
			if err != nil {
				t.Errorf("Parse(%q): %v", name, err)
				continue
			}
			if diff := cmp.Diff(e.Shape, got); diff != "" {
				t.Errorf("Parse(%q) (-catalogue +parsed):\n%s", name, diff)
			}
		}
	}
}

// The shapes of three Gemstones configurations, as published (config.json of
// tomg-group-umd/Gemstone-512x14, -1024x28 and -3072x12), and the rule agree.
func TestGemstonesRuleFollowsPublishedConfigs(t *testing.T) {
	for _, e := range shapes.Catalogue() {
		width, found := strings.CutPrefix(e.Name, "gemstone-")
		if !found {
			continue
		}
		// "w512x14" finds the entry; a leading layer edit of another depth forces the rule.
		byRule, err := shapes.Parse("w" + strings.Split(width, "x")[0] + "x9999")
		if err == nil {
			t.Fatalf("a depth above the bound was accepted: %+v", byRule)
		}
		byRule, err = shapes.Parse("w" + strings.Split(width, "x")[0] + "x99")
		if err != nil {
			t.Fatal(err)
		}
		byRule.Decoder.Layers = e.Shape.Decoder.Layers
		if !byRule.SameArchitecture(e.Shape) {
			t.Errorf("%s: rule %+v, catalogue %+v", e.Name, byRule, e.Shape)
		}
	}
}

// shared/data README: tiny-elN was released with 12 decoder layers, an edit leaves the 4 of tiny.
func TestCatalogueNameWinsOverEdit(t *testing.T) {
	for ref, want := range map[string][2]int{
		"t5-efficient-tiny-el8":    {8, 12},
		"tiny-el8":                 {8, 12},
		"t5-efficient-tiny/el=8":   {8, 4},
		"t5-efficient-tiny-dl6":    {12, 6},
		"t5-efficient-tiny/dl=6":   {4, 6},
		"t5-efficient-small-el8":   {8, 6},
		"t5-efficient-small/nl=12": {12, 12},
	} {
		s, err := shapes.Parse(ref)
		if err != nil {
			t.Errorf("Parse(%q): %v", ref, err)
			continue
		}
		if got := [2]int{s.Encoder.Layers, s.Decoder.Layers}; got != want {
			t.Errorf("Parse(%q) has %v layers, want %v", ref, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	var (
		unknown   *shapes.UnknownError
		ambiguous *shapes.AmbiguousError
		edit      *shapes.EditError
		invalid   *shapes.InvalidError
		shared    *shapes.NotCountableError
	)
	for ref, test := range map[string]struct {
		as   any
		text string // part of the message
	}{
		"":                                {&unknown, "unknown shape"},
		"7b":                              {&unknown, `did you mean "llama-2-7b" or "mistral-7b" or `},
		"t5-smal":                         {&unknown, `did you mean "t5-small"`},
		"t5-smal/nl=4":                    {&unknown, `did you mean "t5-small"`},
		"flan-t5-bas":                     {&unknown, `did you mean "flan-t5-base"`},
		"small":                           {&unknown, "unknown shape"},
		"el8":                             {&unknown, "unknown shape"},
		"facebook/t5-small":               {&unknown, "unknown shape"},
		"a/b/c/d":                         {&unknown, "slashes"},
		"w1000x20":                        {&unknown, "multiple of 128"},
		"w1024x0":                         {&unknown, "unknown shape"},
		strings.Repeat("t5-small/", 1000): {&unknown, "bytes long"},
		"tiny-el10": {
			&ambiguous,
			"t5-efficient-tiny/el=10,dl=4 or t5-efficient-tiny/el=10,dl=12",
		},
		"small-ff4000": {
			&ambiguous,
			"t5-efficient-small/ff=4096 or t5-efficient-small/ff=4000",
		},
		"small-nl8-nl9":                {&edit, "twice"},
		"t5-small/":                    {&edit, "name=value"},
		"t5-small/nl16":                {&edit, "name=value"},
		"t5-small/nl=0":                {&edit, "from 1"},
		"t5-small/nl=-3":               {&edit, "from 1"},
		"t5-small/nl=1e400":            {&edit, "from 1"},
		"t5-small/nl=NaN":              {&edit, "from 1"},
		"t5-small/nl=012":              {&edit, "from 1"},
		"t5-small/nl=1_000":            {&edit, "from 1"},
		"t5-small/nl=9999999999":       {&edit, "from 1"},
		"t5-small/nl=4,nl=4":           {&edit, "twice"},
		"t5-small/nl=4,el=4":           {&edit, "both stacks"},
		"t5-small/depth=4":             {&edit, `unknown name "depth"`},
		"t5-small/gated=yes":           {&edit, "true or false"},
		"gpt2/el=4":                    {&edit, "no encoder"},
		"bert-base/dl=4":               {&edit, "no decoder"},
		"bert-base/tied=true":          {&edit, "head none"},
		"vit-base-16/vocab=10":         {&edit, "no vocabulary"},
		"t5-small/nl=999999999":        {&invalid, "encoder.layers"},
		"t5-small/kvh=3":               {&invalid, "kv_heads"},
		"w1024x99999":                  {&invalid, "decoder.layers"},
		"t5-efficient-xl-skv":          {&shared, "cannot be counted"},
		"small-sh":                     {&shared, "t5-efficient-small-sh cannot be counted"},
		"t5-efficient-small-shkv/nl=4": {&shared, "cannot be counted"},
	} {
		s, err := shapes.Parse(ref)
		if err == nil {
			t.Errorf("Parse(%.40q) = %s, want an error", ref, s.Name)
			continue
		}
		if !errors.As(err, test.as) {
			t.Errorf("Parse(%.40q): error %T %v, want a %T", ref, err, err, test.as)
		}
		if !strings.Contains(err.Error(), test.text) {
			t.Errorf("Parse(%.40q): %q does not say %q", ref, err, test.text)
		}
	}
}

// An edit changes what it names and nothing else.
func TestEditsChangeOneThing(t *testing.T) {
	base := mustParse(t, "t5-base")
	for ref, change := range map[string]func(*shapes.Shape){
		"t5-base/nl=2":       func(s *shapes.Shape) { s.Encoder.Layers, s.Decoder.Layers = 2, 2 },
		"t5-base/el=2":       func(s *shapes.Shape) { s.Encoder.Layers = 2 },
		"t5-base/dl=2":       func(s *shapes.Shape) { s.Decoder.Layers = 2 },
		"t5-base/dm=512":     func(s *shapes.Shape) { s.DModel = 512 },
		"t5-base/ff=512":     func(s *shapes.Shape) { s.Encoder.DFF, s.Decoder.DFF = 512, 512 },
		"t5-base/kv=32":      func(s *shapes.Shape) { s.Encoder.DKV, s.Decoder.DKV = 32, 32 },
		"t5-base/kvh=4":      func(s *shapes.Shape) { s.Encoder.KVHeads, s.Decoder.KVHeads = 4, 4 },
		"t5-base/vocab=256":  func(s *shapes.Shape) { s.Vocab = 256 },
		"t5-base/gated=true": func(s *shapes.Shape) { s.Encoder.Gated, s.Decoder.Gated = true, true },
		"t5-base/tied=false": func(s *shapes.Shape) { s.Head = shapes.HeadUntied },
		"t5-base/tied=true":  func(*shapes.Shape) {},
		"t5-base/nh=8": func(s *shapes.Shape) {
			s.Encoder.Heads, s.Decoder.Heads, s.Encoder.KVHeads, s.Decoder.KVHeads = 8, 8, 8, 8
		},
	} {
		want := base
		want.Name = ref
		change(&want)
		if diff := cmp.Diff(want, mustParse(t, ref)); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", ref, diff)
		}
	}
	if got := mustParse(t, "llama-2-70b/nh=32").Decoder.KVHeads; got != 8 {
		t.Errorf("nh changed the 8 key-value heads of grouped-query attention to %d", got)
	}
}

func mustParse(t *testing.T, ref string) shapes.Shape {
	t.Helper()
	s, err := shapes.Parse(ref)
	if err != nil {
		t.Fatalf("Parse(%q): %v", ref, err)
	}
	return s
}

// Parse never panics, and the name of what it returns is a reference to it.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"t5-small", "t5-small/nl=16", "t5-base/el=24,dl=6,ff=2048", "Small 16L", "NL12-XXL",
		"w1024x20", "gemstone-9x9",
		"google/t5-v1_1-base", "tiny-el10", "a/b=c", "t5-small/gated=true,tied=false,kvh=2,vocab=7",
		"t5-efficient-xl-skv",
		"XL 32L/ff=1", "-_. ", "İ/nl=1", "t5-small/nl=1/dl=2",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		s, err := shapes.Parse(ref)
		if err != nil {
			return
		}
		if err := s.Validate(); err != nil {
			t.Fatalf("Parse(%q) is not valid: %v", ref, err)
		}
		again, err := shapes.Parse(s.Name)
		if err != nil || again != s {
			t.Fatalf("Parse(%q).Name = %q reads as %+v, %v; want %+v", ref, s.Name, again, err, s)
		}
	})
}

func BenchmarkParseEdit(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := shapes.Parse("t5-base/el=24,dl=6,ff=2048"); err != nil {
			b.Fatal(err)
		}
	}
}
