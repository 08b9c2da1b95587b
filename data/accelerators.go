package data

import (
	"slices"

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
	// Peaks are dense matmul rates in FLOP/s (int8: operations/s) by precision; a missing key is
	// unknown.
	Peaks map[string]Fact
	// Memory in bytes, with GB or GiB as the source states it; Bandwidth in bytes/s.
	Memory, Bandwidth *Fact
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

// Alignment is the multiple of elements that matmul dimensions should have.
type Alignment struct {
	Elements   int  // multiples that use the unit fully
	Minimum    int  // multiples below which a slow path or padding is certain
	MatrixUnit *int // edge of the systolic array, where there is one
	Source     string
	Evidence   Evidence
	Note       string
}

var accelerators = embedded("accelerators.csv", func(r *row) Accelerator {
	a := Accelerator{
		Name: r.required("name"), Aliases: r.list("aliases"), Vendor: r.required("vendor"),
		Year: r.optionalCount("year"), DeviceUnit: r.required("device_unit"),
		Peaks: map[string]Fact{}, Measured: map[string]Fact{},
		Memory:        r.fact("memory", quantity.Bytes, "memory"),
		Bandwidth:     r.fact("bandwidth", quantity.ByteRate, "memory"),
		OnChip:        r.fact("onchip", quantity.Bytes, "onchip"),
		IntraLink:     r.fact("intra_link", quantity.ByteRate, "intra"),
		IntraTwoWay:   r.text("intra_direction") == "two-way",
		IntraTopology: r.text("intra_topology"), IntraDomain: r.optionalCount("intra_domain"),
		InterLink: r.fact("inter_link", quantity.ByteRate, "inter"),
		Power:     r.fact("power", quantity.Power, "power"), PowerKind: r.text("power_kind"),
		Price: r.fact("price", quantity.HourlyPrice, "price"),
		Traps: r.text("traps"),
	}
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
			MatrixUnit: r.optionalCount("matrix_unit"),
			Source:     r.required("alignment_source"), Evidence: r.evidence("alignment_evidence"),
			Note: r.text("alignment_note"),
		}
	}
	return a
})

// Accelerators returns the 35 device types, by vendor and age.
func Accelerators() []Accelerator { return slices.Clone(accelerators()) }

// MatmulCeiling is the best rate that a search over shapes reached on a device, beside its data
// sheet.
type MatmulCeiling struct {
	Device      string
	Accelerator string // the name in [Accelerators], empty where there is none
	Precision   string
	Measured    float64 // FLOP/s
	DataSheet   float64 // FLOP/s
	M, N, K     int     // the shape that reached it
	Software    string
	Source      string
	Evidence    Evidence
}

var matmulCeilings = embedded("matmul_ceilings.csv", func(r *row) MatmulCeiling {
	return MatmulCeiling{
		Device: r.required("device"), Accelerator: r.text("accelerator"),
		Precision: r.required("precision"),
		Measured:  r.amount("measured", quantity.FLOPRate),
		DataSheet: r.amount("data_sheet", quantity.FLOPRate),
		M:         r.count("m"), N: r.count("n"), K: r.count("k"), Software: r.text("software"),
		Source: r.required("source"), Evidence: r.evidence("evidence"),
	}
})

// MatmulCeilings returns the 20 measurements.
func MatmulCeilings() []MatmulCeiling { return slices.Clone(matmulCeilings()) }
