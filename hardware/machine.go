package hardware

import (
	"fmt"
	"math"
	"sync"

	"github.com/deepnarrow/deepnarrow/flops"
)

// Software is what runs on the devices and changes the time but not the arithmetic.
type Software struct {
	// Compiled says whether the whole step is one compiled graph (XLA, torch.compile) or dispatched
	// kernel by kernel. nil is what the vendor's frameworks do by default, see [Class].
	Compiled *bool
	// Matmul is the number format of layer products where it differs from the execution's: TF32
	// under FP32, or FP8 under BF16Mixed. Attention and logits stay in the execution's own format
	// under FP8. Empty is the execution's.
	Matmul Precision
	// ContextParallel is how many devices share each sequence besides the layout's axes; 0 and 1
	// are one.
	ContextParallel int
	// ExpertParallel is how many of the data-parallel devices share the experts; 0 and 1 are one.
	ExpertParallel int
	// Stack names the trainer whose fitted effect applies, e.g. "megatron"; empty is a trainer like
	// the average.
	Stack string
	// Domain is how many devices the fast links join, e.g. the chips of one TPU slice; 0 is the
	// profile's.
	Domain int
}

// MissingError says that a profile lacks a number the answer needs.
type MissingError struct {
	Profile string
	Field   string // as in a profile file, e.g. "bandwidth"
	Why     string // what needs it
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("%s: %s is unknown, and %s needs it; give it as %s=…", e.Profile, e.Field,
		e.Why, e.Field)
}

// Machine is one device under one software stack with every number of the step-time model worked
// out. It is small, immutable once made and safe for concurrent use; make it once and price many
// shapes.
type Machine struct {
	name     string  // of the profile
	rate     float64 // FLOP/s of a large aligned product in the layers
	headRate float64 // the same for attention and logits
	// FLOP/s of a product that misses the matrix unit's alignment; 0 = no such path
	slowRate float64
	peak     float64 // data-sheet FLOP/s that MFU is reported against
	stream   float64 // bytes/s of element-wise kernels

	units      float64 // tiles that run at once; 0 = unknown or one
	edge       int     // of an output tile of a device that is not a systolic array
	pad        int     // elements that k is padded to, and n on a systolic array
	alignMin   int
	saturation float64
	quantise   float64
	tail       float64

	fusedCore, unfusedCore float64
	scorePasses            float64
	traffic                float64
	launch                 float64
	fixed                  float64

	intra, inter   float64 // bytes/s a device, one way
	latency        float64
	domain         int
	axes           int  // of a torus; 0 = no torus
	wraps          bool // the torus closes into rings
	dataExposed    float64
	tensorExposed  float64
	gatherExposed  float64
	cast           float64 // bytes moved for each element that is cast to the products' format
	scaleLoss      float64
	slowdown       float64 // of everything, by the software
	contexts       int
	experts        int
	compute        float64 // bytes of an activation
	weight         float64 // bytes of a working weight
	gradient       float64 // bytes of a gradient
	optimizerBytes float64 // moved per parameter by one update
	recompute      flops.Recompute
	unfused        bool
	host           decodeHost // of generation
	dropout        bool
	exec           flops.Execution
}

// tile is the edge of an output tile of a GPU matmul, in elements: 128 × 128 is the common large
// choice (CUTLASS documentation, "Efficient GEMM in CUDA").
const tile = 128

// processorTile is the edge of a tile that a processor holds in its vector registers, in elements:
// 6 × 16 to 14 × 32 in the usual kernels (Goto & van de Geijn 2008, section 6; Van Zee & van de
// Geijn 2015).
const processorTile = 16

// castBytes is what casting one element of a product's input to fp8 moves: two bytes read, one
// written, and one of its transpose, which the backward pass multiplies by.
const castBytes = 4

// unmeasuredCeiling is the part of peak assumed for the best matmul where nobody measured it: the
// middle of the measured ones, 0.51 to 0.97 over 12 devices in facts/matmul_ceilings.csv.
const unmeasuredCeiling = 0.8

// vectorUnitCeiling is the part of the float32 peak that products off the matrix unit reach, which
// draw too little power to slow the clock: single-precision products are the one case where
// libraries come within a few per cent of the sheet.
const vectorUnitCeiling = 0.95

// systolicCeiling is the same for systolic arrays, whose products are scheduled when compiled and
// padded to the array: the one that was measured, Gaudi 2, reaches 0.97, and the published roofs of
// TPU products (scaling-book, roofline.md) are drawn at the peak.
const systolicCeiling = 0.95

// NewMachine works a profile out for an execution and a software stack, with the constants of the
// profile's calibration or the shipped ones. Links are checked when a layout needs them. The error
// is a [*MissingError].
func NewMachine(p *Profile, x flops.Execution, s Software) (Machine, error) {
	c := p.calibration(s)
	return NewMachineWith(p, x, s, &c.Constants)
}

// NewMachineWith is [NewMachine] with given constants, as a fit needs it.
func NewMachineWith(p *Profile, x flops.Execution, s Software, c *Constants) (Machine, error) {
	missing := func(field, why string) error { return &MissingError{p.Name, field, why} }
	format := MatmulFormat(x.Precision)
	s.Matmul = productFormat(x, s)
	peak, ok := p.Peaks[format]
	if !ok {
		return Machine{}, missing("peak_"+string(format), "the time of its matrix products")
	}
	if p.BandwidthBytesPerSecond == nil {
		return Machine{}, missing("bandwidth", "the time of element-wise work")
	}
	m := Machine{
		name: p.Name, peak: peak.Value, exec: x, recompute: x.Recompute,
		unfused: x.Attention == flops.UnfusedAttention, dropout: x.Dropout,
	}
	m.slowdown = c[SoftwareTime]
	m.rate = peak.Value * ceiling(p, format) * c[MatmulShare] * c[DeviceRate]
	m.headRate = m.rate
	if s.Matmul != "" && s.Matmul != format {
		fast, ok := p.Peaks[s.Matmul]
		if !ok {
			return Machine{}, missing("peak_"+string(s.Matmul), "the time of its matrix products")
		}
		m.peak = fast.Value
		share := c[MatmulShare]
		if s.Matmul == FP8 {
			m.cast = castBytes
			share = c[FP8Share]
		}
		m.rate = fast.Value * ceiling(p, s.Matmul) * share * c[DeviceRate]
		if s.Matmul != FP8 {
			m.headRate = m.rate
		}
	}
	if fp32, ok := p.Peaks[FP32]; ok && p.MatrixUnit == nil {
		m.slowRate = min(fp32.Value*c[MatmulShare], m.headRate)
	}
	m.stream = p.BandwidthBytesPerSecond.Value * c[BandwidthShare]

	m.edge, m.pad, m.alignMin = tile, 32, 1
	if p.Class.Kind == CPU {
		m.edge, m.pad = processorTile, 1
	}
	if p.MatrixUnit != nil {
		m.pad = int(p.MatrixUnit.Value)
	} else if p.ComputeUnits != nil {
		m.units = p.ComputeUnits.Value
	}
	if p.AlignMinimum != nil {
		m.alignMin = int(p.AlignMinimum.Value)
	}
	m.saturation, m.quantise, m.tail = c[SaturationDepth], c[WaveQuantisation], c[WaveTail]
	m.fusedCore, m.unfusedCore, m.scorePasses = c[FusedCore], c[UnfusedCore], c[ScorePasses]
	if p.Class.Family == "hopper" && !newKernels(s.Stack) {
		m.fusedCore *= c[HopperCore]
	}
	m.traffic, m.launch, m.fixed = c[EagerTraffic], c[EagerLaunch], c[EagerFixed]
	if compiled(p, s) {
		m.traffic, m.launch, m.fixed = c[CompiledTraffic], c[CompiledLaunch], c[CompiledFixed]
	}

	m.latency = c[CollectiveLatency]
	if p.IntraBytesPerSecond != nil {
		m.intra = p.IntraBytesPerSecond.Value * c[IntraShare]
	}
	if p.InterBytesPerSecond != nil {
		m.inter = p.InterBytesPerSecond.Value * c[InterShare]
	}
	m.domain = math.MaxInt
	switch {
	case s.Domain > 0:
		m.domain = s.Domain
	case p.IntraDomain != nil:
		m.domain = int(p.IntraDomain.Value)
	}
	m.axes, m.wraps = torus(p, m.domain)
	m.dataExposed, m.tensorExposed, m.scaleLoss = min(1, c[DataExposed]), min(1, c[TensorExposed]),
		c[ScaleLoss]
	m.gatherExposed = min(1, c[GatherExposed])
	m.contexts, m.experts = max(1, s.ContextParallel), max(1, s.ExpertParallel)

	m.host = decodeHostOf(p, x, s, c)
	b := x.Precision.Bytes()
	if x.GradientBytes != 0 {
		b.Gradient = x.GradientBytes
	}
	m.compute, m.weight, m.gradient = float64(b.Compute), float64(b.Weight), float64(b.Gradient)
	m.optimizerBytes = c[OptimizerTraffic] * updateBytes(x.Optimizer, b)
	return m, nil
}

// ProcessorExecution is how a processor is taken to train, as the reference kernel does: float32
// throughout, Adam, attention whose probabilities are kept.
func ProcessorExecution() flops.Execution {
	return flops.Execution{
		Precision: flops.FP32, Optimizer: flops.Adam, Attention: flops.UnfusedAttention,
	}
}

// torus returns the axes of a torus and whether a slice of that many chips closes into rings: a 2D
// torus does so as a whole pod, a 3D one from 4×4×4 chips (scaling-book, tpus.md; the traps of
// facts/accelerators.csv).
func torus(p *Profile, domain int) (axes int, wraps bool) {
	const cube = 64
	switch p.IntraTopology {
	case "torus-2d":
		return 2, p.IntraDomain == nil || domain >= int(p.IntraDomain.Value)
	case "torus-3d":
		return 3, domain >= cube
	}
	return 0, false
}

// ceiling returns the best measured matmul rate over the data sheet's. Where nobody measured the
// device, it is that of its family, or what such devices reach elsewhere.
func ceiling(p *Profile, format Precision) float64 {
	if best, ok := p.Measured[format]; ok {
		return best.Value / p.Peaks[format].Value
	}
	if format == FP16 || format == TF32 {
		if _, ok := p.Measured[BF16]; ok {
			return ceiling(p, BF16)
		}
	}
	switch share, ok := familyCeilings()[[2]string{p.Class.Family, string(format)}]; {
	case ok:
		return share
	case p.MatrixUnit != nil:
		return systolicCeiling
	case format == FP32:
		return vectorUnitCeiling
	}
	return unmeasuredCeiling
}

// familyCeilings are the means of the measured ceilings of each family and format.
var familyCeilings = sync.OnceValue(func() map[[2]string]float64 {
	sum, n := map[[2]string]float64{}, map[[2]string]float64{}
	for _, p := range catalogue() {
		for format, best := range p.Measured {
			key := [2]string{p.Class.Family, string(format)}
			sum[key] += best.Value / p.Peaks[format].Value
			n[key]++
		}
	}
	for key := range sum {
		sum[key] /= n[key]
	}
	return sum
})

// compiled resolves what the vendor's frameworks do by default: eager where that is unknown.
func compiled(p *Profile, s Software) bool {
	byStack, known := compiles[StackKind(s.Stack)]
	switch {
	case s.Compiled != nil:
		return *s.Compiled
	case known:
		return byStack
	case p.Class.Compiled != nil:
		return *p.Class.Compiled
	}
	return false
}

// MatmulFormat is the format of matrix products under a precision.
func MatmulFormat(p flops.Precision) Precision {
	switch p {
	case flops.FP16Mixed:
		return FP16
	case flops.FP32:
		return FP32
	}
	return BF16
}

// productFormat is the format of the layers' products.
func productFormat(x flops.Execution, s Software) Precision {
	switch {
	case s.Matmul != "":
		return s.Matmul
	case x.Precision == flops.FP8Mixed:
		return FP8
	}
	return MatmulFormat(x.Precision)
}

// updateBytes returns the bytes one optimizer update moves per parameter: the gradient read, the
// updated copy read and written, the working copy written where it is another one, and the state
// read and written.
func updateBytes(o flops.Optimizer, b flops.PrecisionBytes) float64 {
	master := b.Master
	copyBack := float64(b.Weight)
	if master == 0 {
		master, copyBack = b.Weight, 0
	}
	moved := float64(b.Gradient) + 2*float64(master) + copyBack
	switch o {
	case flops.SGD:
		return moved
	case flops.SGDMomentum:
		return moved + 2*float64(b.State)
	case flops.Adafactor:
		// row and column means, then the update and its norm, each read the gradient again
		return moved + 3*float64(b.Gradient)
	case flops.Adam8bit:
		return moved + 4
	case flops.Muon:
		// five Newton–Schulz iterations over the momentum
		return moved + 2*float64(b.State) + 10*float64(b.Weight)
	}
	return moved + 4*float64(b.State)
}
