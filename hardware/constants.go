package hardware

// Constant is one free number of the step-time model. Everything else in the model is arithmetic,
// the data sheet, or the run. All are positive; they are fitted in the logarithm, each with a
// prior.
type Constant uint8

// The free constants. Each prior says what physics or a measurement expects before any step time
// was seen.
const (
	// MatmulShare is the part of the measured matmul ceiling that large products keep inside a
	// training step: clocks fall under sustained load, operands are real numbers and not zeros,
	// kernels share the memory system.
	MatmulShare Constant = iota
	// SaturationDepth is the inner dimension, in elements, at which a product reaches half of its
	// rate: filling and draining the pipeline of a tile costs as much as this many steps along k.
	SaturationDepth
	// WaveQuantisation is how much of an unfilled last wave of tiles is lost: 1 all (one tile
	// size), 0 none (kernels that split work evenly).
	WaveQuantisation
	// WaveTail is the ramp of a kernel in waves: a product of w waves takes the time of w +
	// WaveTail.
	WaveTail
	// FusedCore is the rate of fused attention against a large matmul.
	FusedCore
	// HopperCore is what fused attention keeps of that on Hopper, whose asynchronous matrix units
	// the kernels written for Ampere, those of most trainers so far, cannot fill.
	HopperCore
	// UnfusedCore is the rate of unfused attention products against what their dimensions allow.
	UnfusedCore
	// ScorePasses is how often unfused attention reads or writes the score matrix in one forward
	// pass.
	ScorePasses
	// EagerTraffic is how many bytes eager element-wise operations move for each one the ledger
	// needs.
	EagerTraffic
	// CompiledTraffic is the same for compiled graphs, which fuse neighbours.
	CompiledTraffic
	// OptimizerTraffic is the same for the update of the weights, with clipping, zeroing and what
	// else touches gradients.
	OptimizerTraffic
	// BandwidthShare is the part of the data-sheet memory bandwidth that streaming kernels reach.
	BandwidthShare
	// EagerLaunch is the time from one kernel launch to the next of an eager framework, in seconds.
	EagerLaunch
	// CompiledLaunch is the same for a compiled graph.
	CompiledLaunch
	// IntraShare is the part of the links' rate inside a node or torus that collectives reach.
	IntraShare
	// InterShare is the same between nodes.
	InterShare
	// DataExposed is the part of gradient and weight collectives that no computation hides.
	DataExposed
	// GatherExposed is the part of the weight gathers of ZeRO 3 that no computation hides.
	GatherExposed
	// TensorExposed is the part of tensor-parallel collectives that no computation hides.
	TensorExposed
	// EagerFixed is what an eager step costs besides: input, logging, scalar reductions, in
	// seconds.
	EagerFixed
	// CompiledFixed is the same for a compiled step.
	CompiledFixed
	// CollectiveLatency is the time of a collective that moves nothing, in seconds.
	CollectiveLatency
	// ScaleLoss is the slow-down at each doubling of the nodes: the step waits for the slowest.
	ScaleLoss
	// FP8Share is the part of the measured fp8 ceiling that layer products keep, casts and scales
	// included.
	FP8Share
	// DeviceRate multiplies the matmul rate of one device type: what its data sheet and its ceiling
	// do not tell.
	DeviceRate
	// SoftwareTime multiplies the step under one software stack.
	SoftwareTime

	// TokenLaunch is the time from one kernel to the next when a framework generates token by token
	// and dispatches kernel by kernel, in seconds, on a host of 2019.
	TokenLaunch
	// EngineLaunch is what each kernel of an inference engine or a compiled graph takes besides its
	// work, in seconds, on a machine of 2019.
	EngineLaunch
	// HostGain is how much faster hosts and frameworks get each year, in the logarithm.
	HostGain
	// CacheTraffic is how many bytes one step moves for each byte of the caches it attends to.
	CacheTraffic
	// BeamCopies is how much of the caches a step of beam search copies where no engine avoids it.
	BeamCopies
	// LogitPasses is how often choosing a token reads or writes the logits in float32.
	LogitPasses
	// LengthSpread is the spread of the lengths of generated sequences over their mean: a batch runs
	// until its longest has ended.
	LengthSpread

	constants
)

// firstOfDecoding is the first constant that only generation reads.
const firstOfDecoding = TokenLaunch

// Effects are what the runs of one kind of place share beside the constants that all runs share:
// the names of the fit's unknowns, such as "device:H100 SXM 80GB", empty where there is none. They
// are of the hardware family, the device type, the kind of trainer, the trainer and the place.
type Effects [5]string

// EffectSDs are the priors of the effects: standard deviations of the logarithm. They were chosen
// by leaving whole sources and whole devices out (see docs/steptime.md), and are the width that an
// effect which no fit has seen adds to an interval.
var EffectSDs = [len(Effects{})]float64{
	0.08,  // of a hardware family's matmul rate: how far its data sheets can be reached
	0.05,  // of one device type within its family
	0.08,  // of the time under one kind of trainer
	0.05,  // of one trainer among its kind
	0.085, // of one place: clocks, cooling, network, versions
}

// EffectConstants are the constants that the effects multiply.
var EffectConstants = [len(Effects{})]Constant{
	DeviceRate, DeviceRate, SoftwareTime, SoftwareTime, SoftwareTime,
}

// UnseenFamilySD is what a hardware family without published steps adds to the spread of the matmul
// rate, and as much to that of the time of everything: an interval of about a factor of 1.6 either
// way. Families of the published rows, each left out in turn, would do with less; CDNA 2, which no
// constant was fitted to, was off by a factor of two.
const UnseenFamilySD = 0.27

// HostSDs are what the host of a new place differs by from others, in the logarithm: its processors
// launch kernels, and its input, logging and synchronisation are the user's own code.
var HostSDs = [...]struct {
	Constant Constant
	SD       float64
}{{EagerLaunch, 0.4}, {CompiledLaunch, 0.4}, {EagerFixed, 0.6}, {CompiledFixed, 0.6}, {TokenLaunch, 0.25}, {EngineLaunch, 0.2}}

// ModelSD is what a model that the fit has not seen adds to the spread of ln(measured/predicted),
// at whatever place: what the constants miss of one shape and layout.
const ModelSD = 0.04

// EffectsOf returns the effects of a run on a device of a family, under a software stack, at a
// place; an empty stack or site is unknown.
func EffectsOf(family, device, stack, site string) Effects {
	e := Effects{"family:" + family, "device:" + device}
	if kind := StackKind(stack); kind != "" {
		e[2], e[3] = "kind:"+kind, "stack:"+stack
	}
	if site != "" {
		e[4] = "site:" + site
	}
	return e
}

// ConstantCount is how many constants there are; they are numbered from 0.
const ConstantCount = int(constants)

// Constants are the values of all [Constant]s.
type Constants [constants]float64

// prior is what is expected of a constant before fitting: value and standard deviation of its
// logarithm.
type prior struct {
	name   string
	value  float64
	sd     float64
	origin string
}

var priors = [constants]prior{
	MatmulShare: {
		"matmul_share", 0.82, 0.08,
		"llm-foundry class runs reach 80 to 90 % of the best measured matmul on A100",
	},
	SaturationDepth: {
		"saturation_depth", 100, 0.4, "three to four 32-deep stages of a tile pipeline",
	},
	WaveQuantisation: {
		"wave_quantisation", 0.4, 0.4,
		"libraries choose among tile sizes and split-k, which recovers about half",
	},
	WaveTail: {"wave_tail", 0.3, 0.5, "prologue and epilogue of a tile against its main loop"},
	FusedCore: {
		"fused_core", 0.65, 0.2,
		"Dao 2023 (arXiv 2307.08691, figures 4 to 6): 50 to 73 % of peak forward, less backward, head size 64 to 128",
	},
	HopperCore: {
		"hopper_core", 0.65, 0.2,
		"FlashAttention-2 reaches 35 % of peak on H100 against 50 to 73 % on A100 (Shah et al. 2024, arXiv 2407.08608, section 1)",
	},
	UnfusedCore: {
		"unfused_core", 0.6, 0.3, "batched products of small matrices against single large ones",
	},
	ScorePasses: {
		"score_passes", 5, 0.3,
		"write scores, bias or mask, softmax read and write, read by the second product; dropout and casts on top",
	},
	EagerTraffic: {
		"eager_traffic", 1.6, 0.25, "separate kernels for bias, dropout, residual, casts",
	},
	CompiledTraffic: {
		"compiled_traffic", 0.9, 0.25, "norm, residual and activation fused with neighbours",
	},
	OptimizerTraffic: {
		"optimizer_traffic", 1.3, 0.3,
		"one fused kernel moves what it needs; norms, clipping and zeroing read gradients again",
	},
	BandwidthShare: {
		"bandwidth_share", 0.8, 0.08, "STREAM-like kernels reach 80 to 90 % of the data sheet",
	},
	EagerLaunch: {
		"eager_launch", 30e-6, 0.6,
		"5 to 10 µs a launch through a dispatcher, about three times that with autograd and Python: eager models take 0.5 to 1 ms a layer forward however small",
	},
	CompiledLaunch: {"compiled_launch", 2.5e-6, 0.5, "2 to 3 µs a launch from a graph"},
	IntraShare: {
		"intra_share", 0.75, 0.15,
		"node all-reduce tops out near 370 of 450 GB/s on H100, and at about 150 for 58 MB messages",
	},
	InterShare: {"inter_share", 0.7, 0.25, "bus bandwidth of collectives over several nodes"},
	DataExposed: {
		"data_exposed", 0.15, 0.5,
		"the first gather, the last reduction and what contention leaves visible",
	},
	GatherExposed: {
		"gather_exposed", 0.3, 0.5, "gathers wait for the one before, and for memory to be freed",
	},
	TensorExposed: {
		"tensor_exposed", 0.9, 0.2, "tensor-parallel collectives stand between dependent products",
	},
	CollectiveLatency: {
		"collective_latency", 10e-6, 0.6,
		"a ring step takes 3 to 10 µs in NCCL's tuning tables, a kernel launch 5",
	},
	EagerFixed: {
		"eager_fixed", 0.02, 0.6, "tens of milliseconds of host work and synchronisation a step",
	},
	CompiledFixed: {"compiled_fixed", 0.004, 0.6, "milliseconds of dispatch and input"},
	ScaleLoss: {
		"scale_loss", 0.01, 0.5, "one to two per cent a doubling in published weak-scaling tables",
	},
	DeviceRate:   {"device_rate", 1, 0.12, "the data sheet and the measured ceiling are right"},
	SoftwareTime: {"software_time", 1, 0.08, "a trainer like the average"},
	TokenLaunch: {
		"token_launch", 40e-6, 0.5,
		"eager PyTorch dispatches 20 to 30 thousand kernels a second from Python",
	},
	EngineLaunch: {
		"engine_launch", 5e-6, 0.5, "a kernel of a few rows lasts 3 to 8 µs whatever it does",
	},
	HostGain: {
		"host_gain", 0.18, 0.25,
		"single-thread speed gains about a tenth a year, the frameworks' own overhead as much",
	},
	CacheTraffic: {
		"cache_traffic", 2, 0.3,
		"a framework appends to the caches by copying them; heads of few positions read in part",
	},
	BeamCopies: {"beam_copies", 1, 0.5, "each hypothesis takes the caches of the one it continues"},
	LogitPasses: {
		"logit_passes", 5, 0.5,
		"cast, log-softmax, penalties, top-k",
	},
	LengthSpread: {
		"length_spread", 0.4, 0.4,
		"lengths of translated sentences: standard deviation over mean of 0.4 to 0.6",
	},
	FP8Share: {
		"fp8_share", 0.8, 0.1, "casts, scales and amax reductions beside the faster products",
	},
}

// OfTraining reports whether training steps read the constant.
func (c Constant) OfTraining() bool { return c < firstOfDecoding }

// String returns the name of a constant in data files, e.g. "matmul_share".
func (c Constant) String() string { return priors[c].name }

// Prior returns what is expected of a constant before any fit, and the standard deviation of its
// logarithm.
func (c Constant) Prior() (value, sd float64) { return priors[c].value, priors[c].sd }

// Priors returns the prior values: what the model assumes where nothing was fitted.
func Priors() Constants {
	var c Constants
	for i := range c {
		c[i] = priors[i].value
	}
	return c
}
