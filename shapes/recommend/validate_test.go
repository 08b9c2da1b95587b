package recommend_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/deepnarrow/deepnarrow/shapes/recommend"
)

// translation reads the runs of Gordon et al. 2021 (private: read where the
// environment says, never copied), with the analysis' own filter data_bytes > 5,242,880.
func translation(t *testing.T, score bool) []recommend.Record {
	folder := os.Getenv("DEEPNARROW_REFERENCE_DATA")
	if folder == "" {
		t.Skip("DEEPNARROW_REFERENCE_DATA is not set: the translation runs carry no licence and are not part of the project")
	}
	file, err := os.Open(filepath.Join(folder, "results", "nmt_scaling_dev.csv"))
	if err != nil {
		t.Skip(err)
	}
	defer file.Close()
	table, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range table[0] {
		column[name] = i
	}
	var rows []recommend.Record
	for _, line := range table[1:] {
		number := func(name string) float64 {
			v, err := strconv.ParseFloat(line[column[name]], 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if number("data_bytes") <= 5242880 {
			continue
		}
		loss, bleu, d, el, dl := number("loss"), number("bleu"), number("d_model"), number("encoder_layers"), number("decoder_layers")
		m := recommend.Record{
			EncoderLayers: int(el), DecoderLayers: int(dl), DModel: int(d), Tokens: number("data_bytes"), Loss: &loss,
			Params: el*(4*d*d+2*d*number("d_ff")) + dl*(8*d*d+2*d*number("d_ff")), // layers only
			Group:  line[column["lang"]] + " " + line[column["bpe"]],
		}
		if score {
			m.Score = &bleu
		}
		rows = append(rows, m)
	}
	return rows
}

func show(t *testing.T, v recommend.Validation) {
	for _, g := range v.Groups {
		t.Logf("%s n=%d %s: regret %.4f spearman %.3f %v", g.Group, g.N, g.Law, g.Regret, g.Spearman, g.Baselines)
	}
	t.Logf("ours regret %.4f spearman %.3f; %v", v.Ours.Regret, v.Ours.Spearman, v.Baselines)
}

func TestValidateOnTranslation(t *testing.T) {
	for _, score := range []bool{false, true} {
		v, err := recommend.Validate(translation(t, score), recommend.ValidateSettings{ByScore: score})
		if err != nil {
			t.Fatal(err)
		}
		show(t, v)
		for _, b := range v.Baselines {
			if v.Ours.Regret > b.Regret || v.Ours.Spearman < b.Spearman {
				t.Errorf("score %t: regret %.4f and Spearman %.3f, no better than %s: %.4f and %.3f", score, v.Ours.Regret, v.Ours.Spearman, b.Name, b.Regret, b.Spearman)
			}
		}
	}
}

// The sweep's groups are its widths' parameter classes: the best depth of a
// class follows from the others.
func TestValidateOnSweep(t *testing.T) {
	rows := sweep(t, []float64{20})
	for i := range rows {
		rows[i].Group = strconv.Itoa(int(math.Round(math.Log2(rows[i].Params / 1e6))))
	}
	v, err := recommend.Validate(rows, recommend.ValidateSettings{})
	if err != nil {
		t.Fatal(err)
	}
	show(t, v)
	for _, b := range v.Baselines {
		if v.Ours.Regret > b.Regret || v.Ours.Spearman < b.Spearman {
			t.Errorf("regret %.4f and Spearman %.3f, no better than %s: %.4f and %.3f", v.Ours.Regret, v.Ours.Spearman, b.Name, b.Regret, b.Spearman)
		}
	}
}
