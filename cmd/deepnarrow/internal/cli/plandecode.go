package cli

import (
	"errors"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// decodeRun predicts an answer of one copy of the model: the batch is 1 unless given, and data
// parallelism only adds copies.
func decodeRun(run hardware.Run, batchGiven bool) (*reports.Decoded, error) {
	if !batchGiven {
		run.Workload.Batch = 1
	}
	l := run.Layout
	l.DP, l.MicroBatch, l.Accumulate, l.ZeRO = 1, 0, 0, 0
	run.Layout = l
	d := reports.Decoded{Workload: run.Workload, Devices: l.Devices()}
	var err error
	d.Decoding, err = hardware.PredictDecoding(run)
	var missing *hardware.MissingError
	var invalid *shapes.InvalidError
	switch {
	case err == nil:
	case errors.As(err, &missing):
		d.Unknown = err.Error()
	case errors.As(err, &invalid) && run.Shape.Decoder.Layers == 0:
		d.Unknown = run.Shape.Name + " has no decoder and generates nothing"
	default:
		return nil, usage("", "--decode: %w", err)
	}
	return &d, nil
}
