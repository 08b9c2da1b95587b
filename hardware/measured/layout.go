package measured

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
)

var (
	tpuSlices    = regexp.MustCompile(`\b(\d+)x (?:v\d\w*)-\d+`)
	statedBatch  = regexp.MustCompile(`(?i)\b(?:GBS|global batch(?: size)?)[ =:]*(\d+)`)
	microBatched = regexp.MustCompile(`(?i)micro-batch (\d+)`)

	// FSDP keeps weights split (stage 3), or splits gradients only (PyTorch's word for stage 2).
	zero2   = regexp.MustCompile(`(?i)SHARD_GRAD_OP|\bZeRO[- ]?(?:stage[- ]?)?2\b`)
	zero3   = regexp.MustCompile(`(?i)FSDP|FULL_SHARD|fully sharded|\bZeRO[- ]?(?:stage[- ]?)?3\b`)
	negated = regexp.MustCompile(`(?i)\b(?:no|not|without) (?:FSDP|ZeRO)\b`)
	zero1   = regexp.MustCompile(`(?i)\bZeRO[- ]?(?:stage[- ]?)?1\b|distributed optimizer|Megatron-Bridge`)

	sequenceParallel = regexp.MustCompile(`(?i)\bsequence[- ]parallel|\bTP ?\+ ?SP\b|\bSP\b`)
)

func firstNumber(pattern *regexp.Regexp, text string) *int {
	if m := pattern.FindStringSubmatch(text); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return &n
		}
	}
	return nil
}

func (r *rowReader) layout(out *Run) {
	row, run := &r.row, &out.Run
	run.Software.ContextParallel = row.ContextParallel
	tp, pp := max(1, or(row.TP, 1)/r.cores), or(row.PP, 1)
	stated := row.Devices
	if stated == nil {
		stated = firstNumber(countedDevices, row.Hardware)
	}
	if stated == nil && row.DP != nil && r.cores == 1 {
		product := *row.DP * tp * pp * max(1, row.ContextParallel)
		stated = &product
	}
	devices := r.need(stated, "the number of devices")
	l := flops.Layout{TP: tp, PP: pp}
	for _, part := range []int{tp, pp, row.ContextParallel} {
		if part > devices {
			r.refuse("tp, pp and cp of %d, %d and %d are more than the %d devices", tp, pp,
				row.ContextParallel, devices)
			return
		}
	}
	copies := tp * pp * max(1, row.ContextParallel)
	if l.DP = devices / copies; l.DP*copies != devices {
		r.refuse("tp × pp × cp = %d does not divide the %d devices", copies, devices)
		return
	}
	batch := row.GlobalBatch
	if batch == nil {
		batch = firstNumber(statedBatch, row.NoteText)
	}
	if batch == nil && row.MicroBatch != nil && row.Accumulate != nil {
		product := *row.MicroBatch * *row.Accumulate * l.DP
		batch = &product
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

	words := negated.ReplaceAllString(row.Parallelism+" "+row.NoteText+" "+row.Source, "")
	switch {
	case zero2.MatchString(words):
		l.ZeRO = 2
	case zero3.MatchString(words), r.xla && run.Shape.Encoder.Layers == 0 && r.cores == 1:
		l.ZeRO = 3
	case zero1.MatchString(words):
		l.ZeRO = 1
	}
	l.SequenceParallel = tp > 1 && (l.ZeRO == 3 || sequenceParallel.MatchString(words) ||
		strings.Contains(strings.ToLower(row.Source), "megatron-bridge"))
	if l.Interleave = row.Interleave; l.PP == 1 {
		l.Interleave = 0
	}
	run.Layout = l.For(run.Workload)
	if row.DevicesPerNode != nil && *row.DevicesPerNode > 0 {
		run.Software.Domain = *row.DevicesPerNode
	} else if n := firstNumber(tpuSlices, row.Parallelism); n != nil && *n > 0 && devices%*n == 0 {
		run.Software.Domain = devices / *n
	} else if run.Profile.MatrixUnit != nil {
		run.Software.Domain = devices // one slice, or whole pods
		if pod := run.Profile.IntraDomain; pod != nil {
			run.Software.Domain = min(devices, int(pod.Value))
		}
	}
	if !r.recomputeStated {
		run.Execution.Recompute = leastRecompute(run)
		r.assume("recompute %s: the least that fits", run.Execution.Recompute)
	}
	if row.MicroBatch == nil {
		r.assume("micro-batch %d", run.Layout.MicroBatch)
	}
	r.assume("zero %d", run.Layout.ZeRO)
}
