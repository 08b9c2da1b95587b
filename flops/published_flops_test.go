package flops

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// comparableFLOPs says which published counts use one of our conventions, and how to read their
// workload and model. The keys are the models of data/facts/published_flops.csv; the tolerance is
// the row's own.
var comparableFLOPs = map[string]struct {
	body  bool // the count leaves the head out
	build func(p *data.PublishedFLOPs) shapes.Shape
	of    func(c Count) float64
}{
	"pythia-12b (body only)": {body: true, build: decoder, of: forwardOf},
	"chinese-roberta-wwm-ext (BERT-base)": {build: func(p *data.PublishedFLOPs) shapes.Shape {
		return bert(p.EncoderLayers, p.DModel, p.DFF, p.Heads, p.Vocab)
	}, of: forwardOf},
	"llama2-13b":           {build: decoder, of: stepOf},
	"llama-7b / llama2-7b": {build: decoder, of: forwardOf},
	"chinese-llama-7b":     {build: decoder, of: forwardOf},
	"bloom-1b7":            {body: true, build: decoder, of: forwardOf},
	"gemma-2b":             {build: decoder, of: stepOf},
	"llama2-7b":            {build: decoder, of: stepOf},
}

// notComparable says why each other row cannot be met by any convention.
var notComparable = map[string]string{
	"t5_11b":                "backward priced at one forward, attention output at d·d, steps of 2,048 sequences: a convention of its own",
	"gpt (117M)":            "backward priced at one forward, one-hot embedding and dropout counted",
	"bert_large":            "backward priced at one forward, one-hot embedding and dropout counted",
	"T5-XL":                 "no workload and no convention stated",
	"T5-Large":              "no workload and no convention stated",
	"T5-Base":               "no workload and no convention stated",
	"T5-XXL":                "no workload and no convention stated",
	"T5-Small (LM-adapted)": "no workload and no convention stated",
	"T5-XXL (v1.1 shape)":   "lengths not stated; no attention core and no logits in the smaller siblings",
	"Switch-XXL":            "lengths not stated; no attention core and no logits in the smaller siblings",
}

func decoder(p *data.PublishedFLOPs) shapes.Shape {
	if !p.Gated {
		return gpt(p.DecoderLayers, p.DModel, p.DFF, p.DKV, p.Heads, p.Vocab)
	}
	return llama(p.DecoderLayers, p.DModel, p.DFF, p.DKV, p.Heads, p.KVHeads, p.Vocab)
}

func forwardOf(c Count) float64 { return c.Forward }
func stepOf(c Count) float64    { return c.Step }

// TestPublishedFLOPs compares every published count whose convention is one of our own, and lists the
// others with the reason.
func TestPublishedFLOPs(t *testing.T) {
	met := 0
	for _, p := range data.AllPublishedFLOPs() {
		if why, listed := notComparable[p.Model]; listed {
			t.Logf("%-38s not comparable: %s", p.Model, why)
			continue
		}
		how, known := comparableFLOPs[p.Model]
		if !known {
			t.Errorf("%s is neither compared nor explained", p.Model)
			continue
		}
		s := how.build(&p)
		if how.body {
			s.Head = shapes.HeadNone
		}
		w := Workload{
			Batch: *p.Batch, EncoderLength: orZero(p.EncoderLength),
			DecoderLength: orZero(p.DecoderLength),
		}
		got := how.of(CountUnder(MatmulConvention, &s, w, RecomputeNone))
		off := got/p.FLOPs - 1
		t.Logf("%-38s %.6g, published %.6g: %+.4f %% (allowed %g %%)", p.Model, got, p.FLOPs,
			100*off, 100*p.Tolerance)
		if !approx.Close(off, 0, p.Tolerance) {
			t.Errorf("%s: off by %+.4f %%", p.Model, 100*off)
		}
		met++
	}
	if met != len(comparableFLOPs) {
		t.Errorf("%d rows compared, %d described", met, len(comparableFLOPs))
	}
}

func orZero(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}
