package fit

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestCorrelationsByHand(t *testing.T) {
	x := []float64{1, 2, 3, 4, 5}
	y := []float64{2, 1, 4, 3, 5}
	// Σd² = 4 of n(n²−1)/6 = 20: Spearman 1 − 4/20; 8 of 10 pairs concordant: Kendall 0.6. x and y
	// are their own ranks, so Pearson equals Spearman.
	const rounding = 1e-14
	closeTo(t, "spearman", Spearman(x, y), 0.8, rounding)
	closeTo(t, "pearson", pearson(x, y), 0.8, rounding)
	closeTo(t, "kendall", kendall(x, y), 0.6, rounding)
	// Fisher: 0.8 with n = 28 has z = 1.0986 ± 1.96/5.
	e := fisher(0.8, 0.2, 0.95)
	// digits of the quantile
	closeTo(t, "low", e.Low, math.Tanh(math.Atanh(0.8)-1.959963985*0.2), 1e-9)
}

func TestTransferTranslation(t *testing.T) {
	for _, g := range nmtGroups {
		d, bleu := nmt(t, g.lang, g.bpe)
		names := make([]string, len(bleu))
		got, err := Transfer(TransferInput{
			Names: names, Upstream: d.Y, Downstream: bleu,
			Size: d.Columns["params"],
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s %s: %+v %s", g.lang, g.bpe, got.Spearman, got.Verdict)
		if r := got.Spearman.Value; r > -0.985 || !got.Carries { // the issue: −0.99
			t.Errorf("%s %s: Spearman %.4f, %s", g.lang, g.bpe, r, got.Verdict)
		}
	}
}

// The points read off Figure 1 of the paper: the middle of the two ends of a reading; NL36 has no
// downstream reading.
func TestTransferPaperFigure(t *testing.T) {
	c := reference(t, "results/figure1_readings.csv")
	var in TransferInput
	in.UpstreamHigher = true
	for i, name := range c["model"] {
		if c["superglue_lo"][i] == "" {
			continue
		}
		mid := func(column string) float64 {
			lo, err1 := strconv.ParseFloat(c[column+"_lo"][i], 64)
			hi, err2 := strconv.ParseFloat(c[column+"_hi"][i], 64)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			return (lo + hi) / 2
		}
		in.Names = append(in.Names, name)
		in.Upstream = append(in.Upstream, mid("neg_log_ppl"))
		in.Downstream = append(in.Downstream, mid("superglue"))
	}
	got, err := Transfer(in)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", got)
	if got.Carries || !strings.Contains(got.Verdict, "says little") {
		t.Errorf("verdict %q", got.Verdict)
	}
	if !slices.ContainsFunc(got.Inversions, func(v Inversion) bool {
		return v.UpstreamName == "NL12-XXL" && v.DownstreamName == "XL"
	}) {
		t.Errorf("NL12-XXL against XL is not among %+v", got.Inversions)
	}
}

func TestTransferRefusals(t *testing.T) {
	four := []float64{1, 2, 3, 4}
	if _, err := Transfer(TransferInput{Names: make([]string, 4), Upstream: four, Downstream: four}); kind(err) != TooFewPoints {
		t.Errorf("four models: %v", err)
	}
	five := []float64{1, 2, 3, 4, 5}
	flat := []float64{1, 1, 1, 1, 1}
	if _, err := Transfer(TransferInput{Names: make([]string, 5), Upstream: five, Downstream: flat}); kind(err) != ConstantColumn {
		t.Errorf("constant score: %v", err)
	}
	if _, err := Transfer(TransferInput{Names: make([]string, 5), Upstream: five, Downstream: []float64{1, 2, math.NaN(), 4, 5}}); kind(err) != BadValue {
		t.Errorf("NaN score: %v", err)
	}
}
