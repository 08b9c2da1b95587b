package plan

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// megatronFile is the shape file that a user writes for the T5 of Megatron-LM: one table of 512
// learned positions serves both stacks.
const megatronFile = `
name: megatron-t5
family: t5
d_model: %[1]s
vocab: %[2]s
head_bias: true
norm: layernorm
bias: all
encoder: {layers: %[3]s, d_ff: %[4]s, activation: gelu, d_kv: %[5]s, heads: %[6]s,
          position: learned, positions: 512, final_norm: true}
decoder: {layers: %[7]s, d_ff: %[4]s, activation: gelu, d_kv: %[5]s, heads: %[6]s,
          position: none, final_norm: true}
`

// TestAllocatorBytesByTheCommandLine: what Megatron-LM's functional tests record for T5, every row
// of data/facts/published_memory.csv, asked as a user does: a shape file, a card by name and the
// flags of the run. The workspace and the accumulation are those that plan decides.
func TestAllocatorBytesByTheCommandLine(t *testing.T) {
	const (
		static = 0.05 // the bounds that the project set itself for measured bytes
		peak   = 0.12
		rows   = 56
	)
	file, err := os.Open("../../data/facts/published_memory.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range records[0] {
		column[name] = i
	}
	scored, worst := 0, map[string]float64{}
	for _, record := range records[1:] {
		text := func(name string) string { return record[column[name]] }
		if !strings.HasPrefix(text("model"), "megatron-t5") {
			continue
		}
		want, err := strconv.ParseFloat(text("value"), 64)
		if err != nil {
			t.Fatal(err)
		}
		a := answer(t, megatronQuestion(t, text))
		got, tolerance := a.Memory.StaticBytes, static
		if text("metric") == "peak_bytes_per_gpu" {
			got, tolerance = a.Memory.PeakBytes, peak
		}
		if !approx.Relative(got, want, tolerance) {
			t.Errorf("%s on %s, tp %s, micro-batch %s: %s is %.4g, recorded %.4g (%+.1f %%)",
				text("model"), text("device"), text("tp"), text("micro_batch"), text("metric"), got,
				want, 100*(got/want-1))
		}
		worst[text("metric")] = max(worst[text("metric")], math.Abs(got/want-1))
		scored++
	}
	t.Logf("%d rows, largest misses %v", scored, worst)
	if scored != rows {
		t.Errorf("%d rows; the table has %d", scored, rows)
	}
}

func megatronQuestion(t *testing.T, text func(string) string) Question {
	read, err := config.Read("megatron.yaml", strings.NewReader(fmt.Sprintf(megatronFile,
		text("d_model"), text("vocab_padded"), text("encoder_layers"), text("d_ff"), text("d_kv"),
		text("heads"), text("decoder_layers"))), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := func(name string) int {
		v, err := strconv.Atoi(text(name))
		if err != nil && text(name) != "" {
			t.Fatal(err)
		}
		return v
	}
	card := "a100"
	if strings.Contains(text("device"), "h100") {
		card = "h100"
	}
	adam, attention := flops.Adam, flops.FusedAttention
	if text("attention") == "unfused" {
		attention = flops.UnfusedAttention
	}
	return Question{
		Shape: read.Shape, Profile: profile(t, card),
		Workload: flops.Workload{
			EncoderLength: n("encoder_length"), DecoderLength: n("decoder_length"),
		},
		Optimizer: &adam, Attention: &attention,
		Dropout: text("dropout") != "off", // Megatron-LM trains with it unless told otherwise
		Layout: flops.Layout{
			TP: n("tp"), PP: n("pp"), DP: n("dp"), MicroBatch: n("micro_batch"),
			SequenceParallel: text("sequence_parallel") == "true",
		},
		Software: hardware.Software{Stack: "megatron"},
	}
}
