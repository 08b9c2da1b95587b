package fit

import (
	"context"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// nmt returns the runs of one language pair and vocabulary of the encoder-decoder set with more
// than 5,242,880 bytes of data, and their BLEU: N = 2·L·(4d² + 2·d·d_ff), D = bytes.
func nmt(t testing.TB, lang, bpe string) (d Data, bleu []float64) {
	c := reference(t, "results/nmt_scaling_dev.csv")
	layers, width, ff := floats(t, c["encoder_layers"]), floats(t, c["d_model"]),
		floats(t, c["d_ff"])
	size, loss, score := floats(t, c["data_bytes"]), floats(t, c["loss"]), floats(t, c["bleu"])
	d = Data{Columns: map[string][]float64{}}
	for i := range loss {
		if c["lang"][i] != lang || c["bpe"][i] != bpe || size[i] <= 5242880 {
			continue
		}
		n := 2 * layers[i] * (4*width[i]*width[i] + 2*width[i]*ff[i])
		d.Columns["params"] = append(d.Columns["params"], n)
		d.Columns["tokens"] = append(d.Columns["tokens"], size[i])
		d.Columns["loss"] = append(d.Columns["loss"], loss[i])
		d.Columns["layers"] = append(d.Columns["layers"], layers[i])
		d.Columns["d_model"] = append(d.Columns["d_model"], width[i])
		d.Y = append(d.Y, loss[i])
		bleu = append(bleu, score[i])
	}
	return d, bleu
}

// nmtGroups are the figures of the issue: root mean square residual in ln loss of Kaplan's law and
// of Chinchilla's, and of the exponential link in BLEU, as printed there.
var nmtGroups = []struct {
	lang, bpe                string
	rows                     int
	kaplan, chinchilla, link float64
}{
	{"deen", "30000", 54, 0.0217, 0.0353, 0.57},
	{"ruen", "30000", 66, 0.0247, 0.0448, 0.66},
	{"deen", "2000", 20, 0.0288, 0.0605, 0.84},
	{"ruen", "2000", 28, 0.0322, 0.0752, 0.88},
}

// Half a unit of the last printed digit of those figures.
const (
	nmtDigit  = 5e-5
	bleuDigit = 5e-3
)

func TestTranslationRuns(t *testing.T) {
	for _, g := range nmtGroups {
		t.Run(g.lang+g.bpe, func(t *testing.T) {
			d, bleu := nmt(t, g.lang, g.bpe)
			if d.Len() != g.rows {
				t.Fatalf("%d rows, want %d", d.Len(), g.rows)
			}
			kaplanFit := mustFit(t, kaplan(), d, SquaredLog(), nil)
			chinchilla := mustFit(t, Chinchilla(), d, SquaredLog(), nil)
			link := mustFit(t, exponentialLink(), Data{Columns: d.Columns, Y: bleu}, Squared(), nil)
			if kaplanFit.RMS > g.kaplan+nmtDigit {
				t.Errorf("kaplan: RMS %.6f, want %.4f", kaplanFit.RMS, g.kaplan)
			}
			if !approx.Close(chinchilla.RMS, g.chinchilla, nmtDigit) {
				t.Errorf("chinchilla: RMS %.6f, want %.4f", chinchilla.RMS, g.chinchilla)
			}
			if link.RMS > g.link+bleuDigit {
				t.Errorf("link: RMSE %.5f BLEU, want %.2f", link.RMS, g.link)
			}
			floor := mustFit(t, exponentialFloorLink(), Data{Columns: d.Columns, Y: bleu},
				Squared(), nil)
			if floor.RMS > g.link {
				t.Errorf("link with a floor: RMSE %.5f BLEU, want at most %.2f", floor.RMS, g.link)
			}
			c, err := Choose(context.Background(), []Law{Chinchilla(), kaplan(), overTraining()}, d,
				SquaredLog(), nil)
			if err != nil || c.Best.Law.Name != "kaplan" {
				t.Errorf("chose %+v, %v; want kaplan", c, err)
			}
			for _, s := range c.Scores {
				t.Logf("%s: held out %.4f, %v", s.Law.Name, s.RMS, s.Refused)
			}
		})
	}
}

// row returns the columns of one row.
func (d Data) row(columns []string, i int) []float64 {
	out := make([]float64, len(columns))
	for j, name := range columns {
		out[j] = d.Columns[name][i]
	}
	return out
}
