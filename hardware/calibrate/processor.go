package calibrate

import (
	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// run is the point on a processor, as the kernel executes it.
func (p *Point) run(profile hardware.Profile) hardware.Run {
	return hardware.Run{
		Profile: profile, Shape: p.Shape, Workload: p.Workload,
		Execution: hardware.ProcessorExecution(),
	}
}

// nominalProcessor is two cores of a server of 2020: it orders the design and predicts nothing.
func nominalProcessor() hardware.Profile {
	return Processor("nominal", ProcessorFacts{
		PeakFLOPsPerSecond:      150e9,
		BandwidthBytesPerSecond: 20e9,
	})
}

// ProcessorFacts are what probes tell of a processor.
type ProcessorFacts struct {
	PeakFLOPsPerSecond      float64
	BandwidthBytesPerSecond float64
	MemoryBytes             float64 // 0 = unknown
	Threads                 int
	Machine                 string
}

// Processor returns the profile of the processor that was probed. One device is all of its threads
// together.
func Processor(name string, f ProcessorFacts) hardware.Profile {
	field := func(v float64, how string) *hardware.Field {
		return &hardware.Field{
			Fact:   data.Fact{Value: v, Source: how, Evidence: data.MeasuredHere},
			Origin: hardware.File,
		}
	}
	p := hardware.Profile{
		Name: name, Class: hardware.Class{
			Class: data.Class{
				Kind: hardware.CPU, Provenance: data.Provenance{Source: "probe of the processor"},
			},
			Origin: hardware.File,
		},
		DeviceUnit: f.Machine + ", " + quantity.Of(f.Threads, "thread"),
		Peaks: map[hardware.Precision]hardware.Field{hardware.FP32: *field(
			f.PeakFLOPsPerSecond, "probe: multiply-adds in registers, best beside the points")},
		Measured: map[hardware.Precision]hardware.Field{},
		BandwidthBytesPerSecond: field(f.BandwidthBytesPerSecond,
			"probe: triad over 96 MB, median beside the points"),
	}
	if f.MemoryBytes > 0 {
		p.MemoryBytes = field(f.MemoryBytes, "the operating system")
	}
	return p
}

// kernelPriors is what is expected of the kernel on a processor where it differs from an
// accelerator's frameworks. Its products reach 80 to 95 % of the peak, their tiles are a few
// registers deep, it calls its operations from a list, and small tensors stay in caches.
var kernelPriors = map[hardware.Constant]struct{ value, sd float64 }{
	hardware.MatmulShare:      {0.85, 0.10},
	hardware.SaturationDepth:  {20, 0.8},
	hardware.UnfusedCore:      {0.7, 0.4},
	hardware.ScorePasses:      {5, 0.7},
	hardware.EagerTraffic:     {1, 0.7},
	hardware.OptimizerTraffic: {1.5, 0.5},
	hardware.BandwidthShare:   {0.9, 0.2},
	hardware.EagerLaunch:      {3e-6, 1},
	hardware.EagerFixed:       {3e-4, 1},
}

// kernelResidual is the spread of ln(measured/predicted) of the kernel before any step was seen.
const kernelResidual = 0.08

// kernelPrior returns the calibration from which a fit to steps of the kernel starts.
func kernelPrior(p *hardware.Profile) hardware.Calibration {
	c := hardware.Calibration{
		Constants: hardware.Priors(), Residual: kernelResidual,
		FittedOn: "priors of the reference kernel",
	}
	for k := range c.Constants {
		_, sd := hardware.Constant(k).Prior()
		if own, ok := kernelPriors[hardware.Constant(k)]; ok {
			c.Constants[k], sd = own.value, own.sd
		}
		c.Covariance[k][k] = sd * sd
	}
	return c
}
