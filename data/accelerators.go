package data

import (
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Precisions are the number formats of a matmul peak, in the order of the columns.
var precisionNames = [...]string{"fp32", "tf32", "fp16", "bf16", "fp8", "int8", "fp4"}

// Accelerator is one device type as published. Only dense peaks stand here; sparse marketing
// figures do not.
type Accelerator struct {
	Name       string
	Aliases    []string
	Vendor     string
	Year       *int
	DeviceUnit string // what "one device" is: a chip, one GPU of two, a package of two
	Class      Class
	// Peaks are dense matmul rates in FLOP/s (int8: operations/s) by precision; a missing key is
	// unknown.
	Peaks map[string]Fact
	// Memory in bytes, with GB or GiB as the source states it; Bandwidth in bytes/s.
	Memory, Bandwidth *Fact
	// Capacity is the memory in bytes that the device's own tools show, and Reserve the part of it
	// that the driver and runtime keep from a program.
	Capacity, Reserve *Fact
	// OnChip is the on-chip memory or last-level cache in bytes.
	OnChip *Fact
	// IntraLink is the rate between devices of one node or torus in bytes/s a device, as stated:
	// see IntraTwoWay.
	IntraLink *Fact
	// IntraTwoWay is whether the stated rate sums both directions; halve it before use.
	IntraTwoWay bool
	// IntraTopology is torus-2d, torus-3d, switch, mesh, hypercube or pcie; IntraDomain how many
	// devices it joins.
	IntraTopology string
	IntraDomain   *int
	Nodes         Nodes
	// InterLink is a typical one-way rate between nodes in bytes/s a device, with the arithmetic in
	// its note.
	InterLink *Fact
	// Power in watts a device. PowerKind is "mean" (measured in use) or "limit" (TDP, TBP: an upper
	// bound).
	Power     *Fact
	PowerKind string
	// Price is an example in US dollars a device-hour, with region and basis in its note. Prices
	// age.
	Price *Fact
	// ComputeUnits is the number of SMs of a GPU, of cores of a TPU or NPU, of dies of a package.
	ComputeUnits *Fact
	// Alignment is nil where no source states one.
	Alignment *Alignment
	// Measured are the best matmul rates reached in FLOP/s by precision.
	Measured map[string]Fact
	// Traps say what is easily got wrong about this device.
	Traps string
}

// Class is what sort of device an accelerator is. Each field is empty or nil where no source states
// it; one source stands for all three.
type Class struct {
	Kind   string // one of [Kinds]
	Family string // the architecture whose devices compute alike, e.g. "hopper"
	// Compiled is whether the vendor's frameworks compile a whole step by default.
	Compiled *bool
	Provenance
}

// Kinds are the words for the kind of a device.
var Kinds = []string{"gpu", "tpu", "cpu", "other"}

// Nodes are the pieces in which devices can be had.
type Nodes struct {
	Devices *int  // of a whole server, host or tray
	Sizes   []int // of the servers and machines that are offered, ascending
	// Slices are the shapes in which chips of a torus are offered: the number along each axis.
	Slices [][]int
	Provenance
}

// ParseSlice reads the shape of a slice as "4x4x8": the chips along each axis.
func ParseSlice(text string) (axes []int, ok bool) {
	for part := range strings.SplitSeq(strings.ToLower(text), "x") {
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || n > maxAxis {
			return nil, false
		}
		axes = append(axes, n)
	}
	return axes, len(axes) == 2 || len(axes) == 3
}

// maxAxis bounds the axis of a slice, well above the 96 of the largest pod.
const maxAxis = 1024

// FormatSlice writes the shape of a slice as [ParseSlice] reads it.
func FormatSlice(axes []int) string {
	parts := make([]string, len(axes))
	for i, n := range axes {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, "x")
}

// Alignment is the multiple of elements that matmul dimensions should have.
type Alignment struct {
	Elements   int  // multiples that use the unit fully
	Minimum    int  // multiples below which a slow path or padding is certain
	MatrixUnit *int // edge of the systolic array, where there is one
	Provenance
}

var accelerators = embedded("facts/accelerators.csv", func(r *row) Accelerator {
	a := Accelerator{
		Name: r.required("name"), Aliases: r.list("aliases"), Vendor: r.required("vendor"),
		Year: r.optionalCount("year"), DeviceUnit: r.required("device_unit"),
		Peaks: map[string]Fact{}, Measured: map[string]Fact{},
		Memory:        r.fact("memory", quantity.Bytes, "memory"),
		Bandwidth:     r.fact("bandwidth", quantity.ByteRate, "memory"),
		Capacity:      r.fact("capacity", quantity.Bytes, "capacity"),
		Reserve:       r.fact("reserve", quantity.Bytes, "capacity"),
		OnChip:        r.fact("onchip", quantity.Bytes, "onchip"),
		IntraLink:     r.fact("intra_link", quantity.ByteRate, "intra"),
		IntraTwoWay:   r.text("intra_direction") == "two-way",
		IntraTopology: r.text("intra_topology"), IntraDomain: r.optionalCount("intra_domain"),
		InterLink: r.fact("inter_link", quantity.ByteRate, "inter"),
		Power:     r.fact("power", quantity.Power, "power"), PowerKind: r.text("power_kind"),
		Price: r.fact("price", quantity.HourlyPrice, "price"),
		Traps: r.text("traps"),
	}
	a.Class, a.Nodes = class(r), nodes(r)
	for _, precision := range precisionNames {
		if f := r.fact(precision+"_peak", quantity.FLOPRate, "peak"); f != nil {
			a.Peaks[precision] = *f
		}
	}
	for _, precision := range []string{"bf16", "fp8"} {
		if f := r.fact("measured_"+precision, quantity.FLOPRate, "measured"); f != nil {
			a.Measured[precision] = *f
		}
	}
	if n := r.optional("compute_units", quantity.Count); n != nil {
		source, class := r.text("onchip_source"), r.text("onchip_evidence")
		if source == "" {
			source, class = r.text("peak_source"), r.text("peak_evidence")
		}
		a.ComputeUnits = &Fact{Value: *n, Source: source, Evidence: Evidence(class)}
	}
	if n := r.optionalCount("align"); n != nil {
		a.Alignment = &Alignment{
			Elements: *n, Minimum: r.count("align_minimum"),
			MatrixUnit: r.optionalCount("matrix_unit"), Provenance: r.provenance("alignment_"),
		}
	}
	return a
})

func class(r *row) Class {
	c := Class{Kind: r.text("kind"), Family: r.text("family"), Compiled: r.flag("compiled")}
	if c.Kind != "" && !slices.Contains(Kinds, c.Kind) {
		r.fault("kind", "unknown kind: %q; allowed: %s", c.Kind, strings.Join(Kinds, ", "))
	}
	if c.Kind != "" || c.Family != "" || c.Compiled != nil {
		c.Provenance = r.provenance("class_")
	}
	return c
}

func nodes(r *row) Nodes {
	n := Nodes{Devices: r.optionalCount("devices_per_node")}
	for _, text := range r.list("node_sizes") {
		size, err := quantity.ParseExact(quantity.Count, text)
		if err != nil {
			r.fault("node_sizes", "%v", err)
		}
		n.Sizes = append(n.Sizes, int(size))
	}
	for _, text := range r.list("slices") {
		axes, ok := ParseSlice(text)
		if !ok {
			r.fault("slices", "not the shape of a slice: %q; allowed: such as 4x4 or 2x2x4", text)
		}
		n.Slices = append(n.Slices, axes)
	}
	if n.Devices != nil || n.Sizes != nil || n.Slices != nil {
		n.Provenance = r.provenance("node_")
	}
	return n
}

// Accelerators returns the 35 device types, by vendor and age.
func Accelerators() []Accelerator { return slices.Clone(accelerators()) }
