package measured

import (
	"errors"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/approx"
)

// llama is a complete row of another source than the published ones; edit changes cells of it.
func llama(t *testing.T, edit map[string]string) data.StepTime {
	t.Helper()
	cells := map[string]string{
		"id": "x", "quality": "A", "model": "Llama2-7B", "arch": "dec-only", "layers_dec": "32",
		"d_model": "4096", "d_ff": "11008", "n_heads": "32",
		"d_head": "128", "n_kv_heads": "32", "ffn_gated": "1", "vocab": "32000",
		"tied_embeddings": "0", "seq_dec": "4096", "global_batch_seqs": "128",
		"micro_batch_per_device": "1", "precision": "bf16", "hardware": "A100-80GB",
		"n_devices": "64", "parallelism_note": "FSDP",
		"activation_ckpt": "full", "metric": "step time", "value": "5", "unit": "s/step",
	}
	for column, cell := range edit {
		cells[column] = cell
	}
	var head, row []string
	for column, cell := range cells {
		head, row = append(head, column), append(row, `"`+cell+`"`)
	}
	rows, err := data.ReadStepTimes("x.csv", strings.NewReader(
		strings.Join(head, ",")+"\n"+strings.Join(row, ",")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return rows[0]
}

// Devices are found as papers write them, and what only resembles one is not taken for it.
func TestDeviceNames(t *testing.T) {
	for words, want := range map[string]string{
		"A100-SXM4-80GB": "a100", "NVIDIA A100 (40 GB)": "a100-40gb", "8xA100-40GB": "a100-40gb",
		"A100-SXM4-40GB": "a100-40gb", "DGX A100 (640GB)": "a100",
		"A100-PCIE-40GB": "a100-pcie", "A100 PCIe": "a100-pcie", "H100 SXM5": "h100",
		"H100 PCIe": "h100-pcie", "DGX-H100": "h100", "GH200 480GB": "gh200",
		"H200": "h200", "HGX B200": "b200", "GB200 NVL72": "gb200",
		"Tesla V100-SXM2-16GB": "v100-16gb", "DGX-1 V100": "v100", "NVIDIA L4": "l4",
		"L40S":     "l40s",
		"Tesla T4": "t4", "GeForce RTX 4090": "rtx4090", "RTX-3090 24GB": "rtx3090",
		"TPUv4-256": "tpu-v4", "v3-32": "tpu-v3", "TPU v5litepod-256": "tpu-v5e",
		"TPU v5 lite": "tpu-v5e", "v5p-128": "tpu-v5p", "Trillium": "tpu-v6e", "TPU v7": "tpu7x",
		"AMD Instinct MI300X": "mi300x", "MI250X": "mi250x",
		"trn1.32xlarge": "trainium1", "Trainium 2": "trainium2", "Gaudi 2": "gaudi2",
		"P100": "p100", "A10G": "a10g",
		"8x H100 (NVLink)": "h100", "TPU v4 (ICI)": "tpu-v4",
	} {
		p, err := findDevice(words)
		if err != nil || p.Aliases[0] != want && !strings.Contains(strings.Join(p.Aliases, " "),
			want) {
			t.Errorf("%s: %s %v, %v; want %s", words, p.Name, p.Aliases, err, want)
		}
	}
	for _, p := range hardware.Catalogue() {
		for _, name := range append([]string{p.Name}, p.Aliases...) {
			if got, err := findDevice(name); err != nil || got.Name != p.Name {
				t.Errorf("%s: %s, %v; want %s", name, got.Name, err, p.Name)
			}
		}
	}
	for _, words := range []string{
		"H800", "A800", "H100 NVL", "A10", "L40", "MI250", "RTX 3090 Ti",
		"RTX A1000", "Quadro P1000", "RTX 4090 Laptop GPU", "RTX 5090 D", "TPU v5", "Trainium",
		"GPU", "NVIDIA", "unknown", "type not stated",
	} {
		if p, err := findDevice(words); err == nil {
			t.Errorf("%s is taken for %s", words, p.Name)
		}
	}
}

// One run of 5 s, stated in every unit that tables use. 128 sequences of 4,096 tokens are 524,288
// tokens on 64 devices.
func TestMetricsOfOneRun(t *testing.T) {
	r := readRun(t, llama(t, nil))
	model := flops.CountUnder(flops.MatmulConvention, &r.Run.Shape, r.Run.Workload,
		flops.RecomputeFull).Step
	all := flops.CountUnder(flops.HardwareConvention, &r.Run.Shape, r.Run.Workload,
		flops.RecomputeFull).Step
	const peak = 312e12   // bf16, dense
	const rounded = 1e-12 // of a few divisions
	for _, c := range []struct {
		metric, unit string
		value        float64
	}{
		{"throughput", "tokens/s", 524_288.0 / 5},
		{"throughput", "tokens/s per GPU", 524_288.0 / 5 / 64},
		{"throughput", "tokens/GPU/s", 524_288.0 / 5 / 64},
		{"throughput", "tokens/sec/GPU", 524_288.0 / 5 / 64},
		{"throughput", "tokens per second per chip", 524_288.0 / 5 / 64},
		{"throughput", "k tokens/s", 524.288 / 5},
		{"throughput per GPU", "tokens/s", 524_288.0 / 5 / 64},
		{"throughput", "sequences/s", 128.0 / 5},
		{"throughput", "samples/s per GPU", 2.0 / 5},
		{"step time", "s/step", 5},
		{"step time", "s/iteration", 5},
		{"step time", "seconds", 5},
		{"step time", "ms/step", 5000},
		{"step time", "ms", 5000},
		{"step rate", "steps/s", 0.2},
		{"step rate", "it/s", 0.2},
		{"achieved compute", "TFLOP/s per GPU", model / 5 / 64 / 1e12},
		{"achieved compute", "TFLOPS/GPU", model / 5 / 64 / 1e12},
		{"achieved compute", "TFLOP/s", model / 5 / 1e12},
		{"achieved compute", "PFLOP/s", model / 5 / 1e15},
		{"achieved compute incl. recompute", "TFLOP/s per GPU", all / 5 / 64 / 1e12},
		{"MFU", "%", 100 * model / 5 / 64 / peak},
		{"MFU", "", model / 5 / 64 / peak},
		{"model FLOPs utilization", "% of peak", 100 * model / 5 / 64 / peak},
		{"HFU", "%", 100 * all / 5 / 64 / peak},
	} {
		row := llama(t, map[string]string{"metric": c.metric, "unit": c.unit})
		row.Value = &c.value
		got, err := Read(row)
		if err != nil || !approx.Relative(got.Seconds, 5, rounded) {
			t.Errorf("%s of %g %s: %g s, %v", c.metric, c.value, c.unit, got.Seconds, err)
		}
	}
	for _, c := range [][2]string{
		{"throughput", "days"},
		{"throughput", "hours for the run"},
		{"throughput", "tokens/s per node"},
		{"throughput", "tokens/s per server"},
		{"throughput", "tokens/s per 8 GPUs"},
		{"throughput", "tokens/day"},
		{"throughput", "words/s"},
		{"throughput", "items/s"},
		{"throughput", "%"},
		{"throughput", "W"},
		{"throughput", ""},
		{"time to train", "s"},
		{"epoch time", "s"},
		{"time", "s/sample"},
		{"time", "s/epoch"},
		{"latency", "ms/token"},
		{"GPU utilization", "%"},
		{"memory utilization", "%"},
	} {
		if got, err := Read(llama(t, map[string]string{"metric": c[0], "unit": c[1]})); err == nil {
			t.Errorf("a %s in %s is a step of %g s", c[0], c[1], got.Seconds)
		}
	}
}

// NeMo's quirk may stand in the notes alone.
func TestEncoderTokensOfTheNotes(t *testing.T) {
	edit := map[string]string{
		"model": "T5-base", "arch": "enc-dec", "layers_enc": "12", "layers_dec": "12",
		"d_model": "768", "d_ff": "3072", "n_heads": "12", "d_head": "64",
		"n_kv_heads": "12", "ffn_gated": "", "vocab": "", "seq_enc": "512", "seq_dec": "128",
		"metric": "throughput", "value": "65536", "unit": "tokens/s",
	}
	if got := readRun(t, llama(t, edit)).Seconds; got != 128*640/65536.0 {
		t.Errorf("%g s with both stacks counted", got)
	}
	edit["notes"] = "Source counts ENCODER tokens only"
	if got := readRun(t, llama(t, edit)).Seconds; got != 1 {
		t.Errorf("%g s with encoder tokens counted", got)
	}
}

// A word that only begins like "no" or "on" says nothing of recomputation.
func TestWordsOfRecomputation(t *testing.T) {
	for text, want := range map[string]flops.Recompute{
		"none": flops.RecomputeNone, "no": flops.RecomputeNone, "off": flops.RecomputeNone,
		"No recomputation": flops.RecomputeNone,
		"full":             flops.RecomputeFull, "Yes": flops.RecomputeFull,
		"full (all layers)": flops.RecomputeFull, "gradient checkpointing": flops.RecomputeFull,
		"selective": flops.RecomputeSelective, "minimal": flops.RecomputeSelective,
	} {
		if got, ok := recomputeOf(text); !ok || got != want {
			t.Errorf("%s: %s, %t; want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "not stated", "norm layers recomputed", "offloaded to host",
		"only attention", "once per block", "1 of 4 layers", "not full",
	} {
		if got, ok := recomputeOf(text); ok {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}

// How the words of a row become its run.
func TestWordsOfARow(t *testing.T) {
	yes, no := true, false
	type run = hardware.Run
	for _, c := range []struct {
		column, cell string
		as           func(*run) bool
	}{
		{"parallelism_note", "ZeRO-3", func(r *run) bool { return r.Layout.ZeRO == 3 }},
		{"parallelism_note", "DeepSpeed zero stage 2", func(r *run) bool { return r.Layout.ZeRO == 2 }},
		{"parallelism_note", "SHARD_GRAD_OP", func(r *run) bool { return r.Layout.ZeRO == 2 }},
		{"parallelism_note", "Distributed Optimizer", func(r *run) bool { return r.Layout.ZeRO == 1 }},
		{"parallelism_note", "DDP", func(r *run) bool { return r.Layout.ZeRO == 0 }},
		{"parallelism_note", "CP=4", func(r *run) bool { return r.Software.ContextParallel == 4 && r.Layout.DP == 16 }},
		{"parallelism_note", "context parallelism 2", func(r *run) bool { return r.Software.ContextParallel == 2 && r.Layout.DP == 32 }},
		{"notes", "eager", func(r *run) bool { return *r.Software.Compiled == no }},
		{"notes", "not compiled", func(r *run) bool { return *r.Software.Compiled == no }},
		{"notes", "no torch.compile", func(r *run) bool { return *r.Software.Compiled == no }},
		{"notes", "with torch.compile", func(r *run) bool { return *r.Software.Compiled == yes }},
		{"notes", "compiler flags", func(r *run) bool { return r.Software.Compiled == nil }},
		{"precision", "float16", func(r *run) bool { return r.Execution.Precision == flops.FP16Mixed }},
		{"precision", "bfloat16", func(r *run) bool { return r.Execution.Precision == flops.BF16Mixed }},
		{"precision", "float32", func(r *run) bool { return r.Execution.Precision == flops.FP32 }},
		{"precision", "", func(r *run) bool { return r.Execution.Precision == flops.BF16Mixed }},
		{"activation_ckpt", "gradient checkpointing", func(r *run) bool { return r.Execution.Recompute == flops.RecomputeFull }},
		{"activation_ckpt", "True", func(r *run) bool { return r.Execution.Recompute == flops.RecomputeFull }},
		{"activation_ckpt", "no", func(r *run) bool { return r.Execution.Recompute == flops.RecomputeNone }},
		{"arch", "decoder-only", func(r *run) bool { return r.Shape.Decoder.Layers == 32 }},
		{"arch", "", func(r *run) bool { return r.Shape.Decoder.Layers == 32 }},
		{"ffn_gated", "", func(r *run) bool { return r.Shape.Decoder.Gated }},
		{"ffn_gated", "1.0", func(r *run) bool { return r.Shape.Decoder.Gated }},
		{"n_devices", "64.0", func(r *run) bool { return r.Devices() == 64 }},
	} {
		r := readRun(t, llama(t, map[string]string{c.column: c.cell})).Run
		if !c.as(&r) {
			t.Errorf("%s %q: %+v %+v %+v", c.column, c.cell, r.Layout, r.Execution, r.Software)
		}
	}
	if r := readRun(t, llama(t, map[string]string{"hardware": "V100-32GB", "precision": "mixed"})).Run; r.Execution.Precision != flops.FP16Mixed {
		t.Errorf("mixed on a V100: %s", r.Execution.Precision)
	}
}

// What a row leaves out is filled from what it says.
func TestCellsFilledFromOthers(t *testing.T) {
	for name, edit := range map[string]map[string]string{
		"devices of the axes":     {"n_devices": "", "dp": "64", "tp": "1", "pp": "1"},
		"devices of the hardware": {"n_devices": "", "hardware": "64x A100-80GB"},
		"batch of the passes":     {"global_batch_seqs": "", "grad_accum": "2"},
		"batch of the notes":      {"global_batch_seqs": "", "notes": "global batch size 128"},
		"length of the one stack": {"seq_dec": "", "seq_enc": "4096"},
		"layers of the one stack": {"layers_dec": "", "layers_enc": "32"},
	} {
		r := readRun(t, llama(t, edit)).Run
		if r.Devices() != 64 || r.Workload != (flops.Workload{Batch: 128, DecoderLength: 4096}) ||
			r.Shape.Decoder.Layers != 32 || r.Shape.Encoder.Layers != 0 {
			t.Errorf("%s: %d devices, %+v, %+v", name, r.Devices(), r.Workload, r.Shape)
		}
	}
}

// A row that would be read as another run than it was is refused with the reason.
func TestMisleadingRowsAreRefused(t *testing.T) {
	for reason, edit := range map[string]map[string]string{
		"mixture of experts":       {"model": "Mixtral-8x7B"},
		"parameters are stated":    {"n_params": "46.7e9"},
		"the architecture is":      {"arch": "ssm"},
		"tp: 4-8":                  {"tp": "4-8"},
		"n_devices: 8 boxes":       {"n_devices": "8 boxes"},
		"does not divide":          {"n_devices": "60", "tp": "8"},
		"more than the 64 devices": {"tp": "4294967296", "pp": "4294967296"},
		"kv_heads":                 {"n_kv_heads": "7"},
		"hardware is not stated":   {"hardware": ""},
		"neither a step time":      {"value": "", "metric": "", "unit": ""},
		"not positive":             {"value": "-1"},
		"global batch is not":      {"global_batch_seqs": ""},
		"decoder.layers is 100000": {"layers_dec": "1000000000000"},
	} {
		_, err := Read(llama(t, edit))
		var why *UnscoredError
		if !errors.As(err, &why) || !strings.Contains(why.Reason, reason) {
			t.Errorf("%v: %v; want a reason that names %q", edit, err, reason)
		}
	}
}
