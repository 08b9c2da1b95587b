package hardware

import (
	"maps"
	"slices"

	"github.com/deepnarrow/deepnarrow/data"
)

// Origin says where a number that a result leans on came from.
type Origin string

const (
	// DataSheet numbers come from the embedded facts.
	DataSheet Origin = "data sheet"
	// Flag numbers were given on the command line.
	Flag Origin = "flag"
	// File numbers stand in a profile file.
	File Origin = "profile file"
	// Calibrated numbers were fitted to measured steps.
	Calibrated Origin = "calibrated"
	// Default numbers are this project's assumption where nobody gave a better one.
	Default Origin = "default"
)

// Field is one number of a profile with its source and evidence. Its unit is stated where the field
// is held.
type Field struct {
	data.Fact
	Origin Origin
}

// Precision is a number format of matmul inputs.
type Precision string

// The precisions for which peaks are published. INT8 counts operations instead of FLOP.
const (
	FP32 Precision = "fp32"
	TF32 Precision = "tf32"
	FP16 Precision = "fp16"
	BF16 Precision = "bf16"
	FP8  Precision = "fp8"
	INT8 Precision = "int8"
	FP4  Precision = "fp4"
)

// precisions lists them from wide to narrow.
var precisions = [...]Precision{FP32, TF32, FP16, BF16, FP8, INT8, FP4}

// The kinds of power figure.
const (
	// MeanPower was measured over runs.
	MeanPower = "mean"
	// LimitPower is a thermal or board limit: an upper bound on what the device draws.
	LimitPower = "limit"
)

// CPU is the one of [data.Kinds] whose devices compute in vector registers, without a matrix unit.
const CPU = "cpu"

// Class is what sort of device a profile is: its kind, its family, and whether a step is compiled
// where nothing is said. What is empty or nil is unknown.
type Class struct {
	data.Class
	Origin Origin
}

// Profile is one device type. A nil field is unknown.
type Profile struct {
	Name    string
	Aliases []string
	Vendor  string
	Year    *int
	// Device is the full name of the catalogue device that this is, whose fitted effect on the
	// step time applies; a profile file inherits it from the device that it extends. Empty = none.
	Device string
	Class  Class
	// DeviceUnit says what one device is: a chip of two cores, one GPU of a superchip, a package of
	// two dies.
	DeviceUnit string

	// Peaks are dense matmul rates in FLOP/s by precision; a missing key is unknown or unsupported.
	Peaks map[Precision]Field
	// Measured are the best matmul rates anybody measured, in FLOP/s by precision.
	Measured map[Precision]Field

	// MemoryBytes is the memory that the device's own tools show, or, where nobody noted that, what
	// its data sheet states; ReserveBytes the part that the driver and runtime keep from a program.
	MemoryBytes, ReserveBytes *Field
	BandwidthBytesPerSecond   *Field
	OnChipBytes               *Field

	// IntraBytesPerSecond is the one-way rate of one device to the others of its node or torus,
	// summed over its links.
	IntraBytesPerSecond *Field
	// IntraTopology is torus-2d, torus-3d, switch, mesh, hypercube or pcie; empty is unknown.
	IntraTopology string
	// IntraDomain is how many devices those links join.
	IntraDomain *Field
	Nodes       data.Nodes // the pieces in which devices can be had
	// InterBytesPerSecond is the one-way rate between nodes for each device.
	InterBytesPerSecond *Field

	PowerWatts *Field
	PowerKind  string // MeanPower or LimitPower
	// PriceUSDPerHour is an example of what one device costs for one hour.
	PriceUSDPerHour *Field

	// MFU is the model FLOPs utilisation that the user's own runs reach, as a fraction; nil is the
	// model's. See [AtMFU].
	MFU *Field

	// ComputeUnits counts SMs of a GPU, cores of a TPU or NPU, dies of a package.
	ComputeUnits *Field
	// MatrixUnit is the edge of the systolic array in elements.
	MatrixUnit *Field
	// Align is the multiple of elements that fills the matmul unit; AlignMinimum the one below
	// which it must pad or take a slow path.
	Align, AlignMinimum *Field

	// Traps say what is easily got wrong about the device.
	Traps string

	// Calibration is the step-time model's own fit to this device, never written to once made; nil
	// is the shipped one.
	Calibration *Calibration
}

// Alias is the name that people type: the first of the aliases, the full name without any.
func (p *Profile) Alias() string {
	if len(p.Aliases) > 0 {
		return p.Aliases[0]
	}
	return p.Name
}

// Clone returns a copy that shares nothing that can be changed with the original.
func (p Profile) Clone() Profile {
	p.Aliases = slices.Clone(p.Aliases)
	p.Peaks = maps.Clone(p.Peaks)
	p.Measured = maps.Clone(p.Measured)
	return p // fields behind pointers are replaced, never written to
}

// UsableBytes returns the memory that a program may fill, MemoryBytes less ReserveBytes, and false
// where the memory is unknown.
func (p *Profile) UsableBytes() (float64, bool) {
	if p.MemoryBytes == nil {
		return 0, false
	}
	usable := p.MemoryBytes.Value
	if p.ReserveBytes != nil {
		usable -= p.ReserveBytes.Value
	}
	return max(usable, 0), true
}

// fromFacts builds the profile of a published accelerator. Links are made one-way whatever the
// source states.
func fromFacts(a data.Accelerator) Profile {
	field := func(f *data.Fact) *Field {
		if f == nil {
			return nil
		}
		return &Field{Fact: *f, Origin: DataSheet}
	}
	byPrecision := func(facts map[string]data.Fact) map[Precision]Field {
		out := make(map[Precision]Field, len(facts))
		for name, fact := range facts {
			out[Precision(name)] = Field{Fact: fact, Origin: DataSheet}
		}
		return out
	}
	p := Profile{
		Name: a.Name, Aliases: a.Aliases, Vendor: a.Vendor, Year: a.Year, DeviceUnit: a.DeviceUnit,
		Device: a.Name, Class: Class{a.Class, DataSheet}, Nodes: a.Nodes,
		Peaks: byPrecision(a.Peaks), Measured: byPrecision(a.Measured),
		MemoryBytes: field(a.Memory), BandwidthBytesPerSecond: field(a.Bandwidth),
		ReserveBytes: field(a.Reserve), OnChipBytes: field(a.OnChip),
		IntraBytesPerSecond: field(a.IntraLink), IntraTopology: a.IntraTopology,
		InterBytesPerSecond: field(a.InterLink),
		PowerWatts:          field(a.Power), PowerKind: a.PowerKind, PriceUSDPerHour: field(a.Price),
		ComputeUnits: field(a.ComputeUnits), Traps: a.Traps,
	}
	if a.Capacity != nil {
		p.MemoryBytes = field(a.Capacity)
		p.MemoryBytes.Note = "" // the note of the shared source is about the reserve
	}
	if p.IntraBytesPerSecond != nil && a.IntraTwoWay {
		p.IntraBytesPerSecond.Value /= 2
	}
	if p.BandwidthBytesPerSecond != nil {
		// the note of the shared source is about the memory's size
		p.BandwidthBytesPerSecond.Note = ""
	}
	if a.IntraDomain != nil && a.IntraLink != nil {
		p.IntraDomain = &Field{Fact: data.Fact{
			Value:  float64(*a.IntraDomain),
			Source: a.IntraLink.Source, Evidence: a.IntraLink.Evidence,
		}, Origin: DataSheet}
	}
	if al := a.Alignment; al != nil {
		elements := func(n int) *Field {
			return &Field{Fact: data.Fact{
				Value: float64(n), Source: al.Source, Evidence: al.Evidence, Note: al.Note,
			}, Origin: DataSheet}
		}
		p.Align, p.AlignMinimum = elements(al.Elements), elements(al.Minimum)
		if al.MatrixUnit != nil {
			p.MatrixUnit = elements(*al.MatrixUnit)
		}
	}
	return p
}
