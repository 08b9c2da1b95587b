package hardware

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
)

var (
	tpuSlices    = regexp.MustCompile(`\b(\d+)x (?:v\d\w*)-\d+`)
	statedBatch  = regexp.MustCompile(`GBS ?(\d+)`)
	microBatched = regexp.MustCompile(`(?i)micro-batch (\d+)`)
)

func firstNumber(pattern *regexp.Regexp, text string) *int {
	if m := pattern.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return &n
		}
	}
	return nil
}

func (r *rowReader) layout(out *MeasuredRun) {
	row, run := &r.row, &out.Run
	devices := r.need(row.Devices, "the number of devices")
	run.Software.ContextParallel = row.ContextParallel
	tp, pp := max(1, or(row.TP, 1)/r.cores), or(row.PP, 1)
	l := flops.Layout{TP: tp, PP: pp}
	l.DP = devices / (tp * pp * max(1, row.ContextParallel))
	if l.DP < 1 {
		r.refuse("tp × pp × cp is more than the devices")
		return
	}
	batch := row.GlobalBatch
	if batch == nil {
		batch = firstNumber(statedBatch, row.NoteText)
	}
	run.Workload.Batch = r.need(batch, "the global batch")
	micro := or(row.MicroBatch, 0)
	if micro == 0 {
		if n := firstNumber(microBatched, row.NoteText); n != nil {
			micro = *n * r.cores
		}
	}
	each := max(1, run.Workload.Batch/l.DP)
	switch {
	case micro == 0 && pp > 1:
		micro = 1
	case micro == 0, row.PP == nil && row.Accumulate == nil && micro*devices == run.Workload.Batch:
		micro = each // one pass; "per device" batches of sharded programs count the model's copies as one
	}
	l.Accumulate = max(1, (each+micro/2)/micro)
	l.MicroBatch = max(1, (each+l.Accumulate/2)/l.Accumulate)

	words := row.Parallelism + " " + row.NoteText
	switch {
	case strings.Contains(words, "SHARD_GRAD_OP"):
		l.ZeRO = 2
	case strings.Contains(words, "FSDP"), r.xla && run.Shape.Encoder.Layers == 0 && r.cores == 1:
		l.ZeRO = 3
	case strings.Contains(words, "ZeRO-1"), strings.Contains(words, "istributed optimizer"), strings.Contains(row.Source, "Megatron-Bridge"):
		l.ZeRO = 1
	}
	l.SequenceParallel = tp > 1 && (l.ZeRO == 3 || strings.Contains(row.Source, "Megatron-Bridge"))
	run.Layout = l.For(run.Workload)
	if n := firstNumber(tpuSlices, row.Parallelism); n != nil && *n > 0 && devices%*n == 0 {
		run.Software.Domain = devices / *n
	} else if run.Profile.MatrixUnit != nil {
		run.Software.Domain = devices // one slice, or whole pods
		if pod := run.Profile.IntraDomain; pod != nil {
			run.Software.Domain = min(devices, int(pod.Value))
		}
	}
	if row.Checkpointing == "" {
		run.Execution.Recompute = leastRecompute(run)
	}
}

// seconds takes the row's step time, or works one out from its own metric.
func (r *rowReader) seconds(out *MeasuredRun) {
	row, run := &r.row, &out.Run
	if row.StepSeconds != nil {
		out.Seconds, out.Basis = *row.StepSeconds, "step time"
		if *row.StepSeconds <= 0 {
			r.refuse("the step time is not positive")
		}
		return
	}
	rate := row.Value
	if strings.Contains(row.Unit, "per GPU") || strings.Contains(row.Unit, "per chip") || strings.Contains(row.Unit, "per device") {
		rate *= float64(run.Devices())
	}
	if !(rate > 0) {
		r.refuse("its metric is not positive")
		return
	}
	w := run.Workload
	tokens := float64(w.Batch * max(w.EncoderLength, w.DecoderLength))
	if run.Shape.CrossAttention() && !row.ThroughputCountsEncoderOnly {
		tokens = float64(w.Tokens(&run.Shape))
	}
	out.Basis = row.Metric
	switch {
	case strings.HasPrefix(row.Unit, "tokens/s"):
		out.Seconds = tokens / rate
	case strings.HasPrefix(row.Unit, "sequences/s"):
		out.Seconds = float64(w.Batch) / rate
	case strings.HasPrefix(row.Unit, "TFLOP/s"):
		convention := flops.MatmulConvention
		if strings.Contains(row.Metric, "recompute") {
			convention = flops.HardwareConvention
		}
		out.Seconds = flops.CountUnder(convention, &run.Shape, w, run.Execution.Recompute).Step / (rate * 1e12)
	default:
		r.refuse("a %s in %s says nothing of one step", row.Metric, row.Unit)
	}
}
