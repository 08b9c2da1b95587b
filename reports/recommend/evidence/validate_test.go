package evidence_test

import (
	"encoding/csv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
)

// translation reads the runs of Gordon et al. 2021 (private: read where the environment says, never
// copied), with the analysis' own filter data_bytes > 5,242,880.
func translation(t *testing.T, score bool) []evidence.Record {
	folder := os.Getenv("DEEPNARROW_REFERENCE_DATA")
	if folder == "" {
		t.Skip(
			"DEEPNARROW_REFERENCE_DATA is not set: the translation runs carry no licence and are not part of the project")
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
	var rows []evidence.Record
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
		loss, bleu, d, el, dl := number("loss"), number("bleu"), number("d_model"),
			number("encoder_layers"), number("decoder_layers")
		m := evidence.Record{
			EncoderLayers: int(el), DecoderLayers: int(dl), DModel: int(d),
			Tokens: number("data_bytes"), Loss: &loss,
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

func show(t *testing.T, v evidence.Validation) {
	for _, g := range v.Groups {
		t.Logf("%s n=%d %s: regret %.4f spearman %.3f %v", g.Group, g.N, g.Law, g.Ours.Regret,
			g.Ours.Spearman, g.Baselines)
	}
	t.Logf("ours regret %.4f spearman %.3f; %v", v.Ours.Regret, v.Ours.Spearman, v.Baselines)
}

func TestValidateOnTranslation(t *testing.T) {
	for _, score := range []bool{false, true} {
		v, err := evidence.Validate(translation(t, score),
			score)
		if err != nil {
			t.Fatal(err)
		}
		show(t, v)
		for _, b := range v.Baselines {
			if v.Ours.Regret > b.Regret || v.Ours.Spearman < b.Spearman {
				t.Errorf(
					"score %t: regret %.4f and Spearman %.3f, no better than %s: %.4f and %.3f",
					score, v.Ours.Regret, v.Ours.Spearman, b.Name, b.Regret, b.Spearman)
			}
		}
	}
}

// Many groups that one law explains to four digits: weights of laws span more than floating point
// does, and the ranking stays exact.
func TestValidateOnManyGroups(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: a fit for each group left out")
	}
	const (
		groups = 60
		noise  = 1e-4 // nats
	)
	random := rand.New(rand.NewPCG(1, 60))
	var rows []evidence.Record
	for g := range groups {
		for _, shape := range [][2]float64{{512, 8}, {768, 12}, {1024, 16}, {1024, 40}} {
			width, layers := shape[0], shape[1]
			params := 12 * width * width * layers
			off := math.Log(width / layers / 60)
			loss := 2 + 400/math.Pow(params, 0.34) + 0.1*off*off + 0.01*float64(g) +
				noise*random.NormFloat64()
			rows = append(rows, evidence.Record{
				DecoderLayers: int(layers), DModel: int(width),
				Params: params, Tokens: 1e10, Loss: &loss, Group: strconv.Itoa(g),
			})
		}
	}
	v, err := evidence.Validate(rows, false)
	if err != nil {
		t.Fatal(err)
	}
	if v.Ours.Spearman < 0.999 || v.Ours.Regret > noise ||
		strings.Contains(v.Groups[0].Law, "NaN") {
		t.Errorf("Spearman %.3f, regret %.4f, law %q", v.Ours.Spearman, v.Ours.Regret,
			v.Groups[0].Law)
	}
}

// Groups of one compute budget each, where neither the largest model nor a fixed aspect ratio wins:
// losses of Hoffmann's law as Besiroglu et al. 2024 re-fitted it (arXiv 2404.10102), rounded, with
// a best aspect ratio and noise.
func TestValidateOnBudgets(t *testing.T) {
	const (
		tables = 6
		noise  = 0.005 // nats
		best   = 45    // d_model/layers
	)
	var ours evidence.RankScore
	theirs := map[string]evidence.RankScore{}
	for seed := range uint64(tables) {
		random := rand.New(rand.NewPCG(seed, 20))
		var rows []evidence.Record
		for _, budget := range []float64{1e18, 3e18, 1e19, 3e19, 1e20} {
			for range 6 {
				// Within a factor of 4 of the best size at 20 tokens a parameter.
				size := math.Sqrt(budget/120) * math.Exp(2.8*random.Float64()-1.4)
				aspect := 16 * math.Exp(2.2*random.Float64())
				width := 64 * max(1, math.Round(math.Cbrt(size*aspect/12)/64))
				layers := max(1, math.Round(width/aspect))
				params := 12*width*width*layers + 32000*width
				tokens := budget / 6 / params
				off := math.Log(width / layers / best)
				loss := 1.82 + 482/math.Pow(params, 0.348) + 2085/math.Pow(tokens, 0.366) +
					0.02*off*off + noise*random.NormFloat64()
				rows = append(rows, evidence.Record{
					DecoderLayers: int(layers), DModel: int(width),
					Params: params, Tokens: tokens, Loss: &loss,
					Group: strconv.FormatFloat(budget, 'g', 3, 64),
				})
			}
		}
		v, err := evidence.Validate(rows, false)
		if err != nil {
			t.Fatal(err)
		}
		ours.Regret += v.Ours.Regret / tables
		ours.Spearman += v.Ours.Spearman / tables
		for _, b := range v.Baselines {
			sum := theirs[b.Name]
			theirs[b.Name] = evidence.RankScore{
				Regret:   sum.Regret + b.Regret/tables,
				Spearman: sum.Spearman + b.Spearman/tables,
			}
		}
	}
	t.Logf("ours %+v, %+v", ours, theirs)
	for name, b := range theirs {
		if ours.Regret >= b.Regret || ours.Spearman <= b.Spearman {
			t.Errorf("%+v, no better than %s: %+v", ours, name, b)
		}
	}
}
