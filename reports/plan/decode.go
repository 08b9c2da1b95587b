package plan

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Decoded is what generating answers with one copy of the model takes.
type Decoded struct {
	Workload flops.Workload     // DecoderLength positions are generated for each sequence
	Devices  int                // of one copy
	Run      hardware.Run       // of one copy
	Decoding *hardware.Decoding // nil where it cannot be known
	Missing  string             // why
}

// Latency is the time to generate a whole answer, in seconds.
func (d *Decoded) Latency() hardware.Estimate {
	switch {
	case d == nil:
		return hardware.Estimate{Missing: "no decoding is asked for"}
	case d.Decoding == nil:
		return hardware.Estimate{Missing: d.Missing}
	}
	return hardware.Estimate{Interval: &d.Decoding.TotalSeconds}
}

// decoded predicts the answers of one copy of the model: data parallelism, ZeRO and micro-batches
// are of training.
func (r *Resolved) decoded() *Decoded {
	switch {
	case !r.Timed:
		return &Decoded{Missing: NoHardware}
	case r.Run.Shape.Decoder.Layers == 0:
		return &Decoded{Missing: r.Run.Shape.Name + " has no decoder and generates nothing"}
	}
	run := Copy(r.Run, r.decode)
	run.Generation = r.generation
	return generated(run, r.generate)
}

// generated predicts the answers of a run that generates: that many positions of each sequence, 0 as
// many as the workload says.
func generated(run hardware.Run, positions int) *Decoded {
	w := &run.Workload
	switch {
	case run.Shape.Encoder.Layers > 0:
		if run.Generation.Prompt > 0 {
			w.EncoderLength, run.Generation.Prompt = run.Generation.Prompt, 0
		}
		if positions > 0 {
			w.DecoderLength = positions
		}
	case positions > 0:
		w.DecoderLength = run.Generation.Prompt + positions
	}
	if w.DecoderLength <= run.Generation.Prompt {
		return &Decoded{Missing: fmt.Sprintf("a prompt of %d leaves nothing of %d positions to generate",
			run.Generation.Prompt, w.DecoderLength)}
	}
	d := &Decoded{Workload: run.Workload, Devices: run.Layout.Devices(), Run: run}
	if decoding, err := hardware.PredictDecoding(run); err != nil {
		d.Missing = err.Error()
	} else {
		d.Decoding = &decoding
	}
	return d
}

// Copy returns the run of one copy of a training run's model that generates answers for a number of
// sequences at once.
func Copy(run hardware.Run, sequences int) hardware.Run {
	l := &run.Layout
	l.DP, l.MicroBatch, l.Accumulate, l.ZeRO = 1, 0, 0, 0
	run.Workload.Batch = sequences
	return run
}

// Generating is the memory of generating one sequence on one device.
type Generating struct {
	Workload         flops.Workload
	Memory           flops.Memory
	TokenBytes       float64 // cached for the first position; more positions than a window add less
	SourceTokenBytes float64 // cached for each position of the encoder
}

// Generate counts what generating that many positions holds. The error is that of a shape that
// generates nothing, or not so many.
func Generate(s *shapes.Shape, w flops.Workload, x flops.Execution, positions int) (
	*Generating, error,
) {
	w.Batch, w.DecoderLength = 1, positions
	m, err := flops.DecodingMemory(s, w, x, flops.Layout{})
	if err != nil {
		return nil, err
	}
	g := &Generating{Workload: w, Memory: m}
	g.TokenBytes, g.SourceTokenBytes = flops.CacheBytes(s, 1, float64(x.Precision.Bytes().Compute))
	return g, nil
}
