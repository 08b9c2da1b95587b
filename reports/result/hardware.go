package result

import (
	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
)

// Profile is an accelerator of the list.
type Profile struct {
	Name                    string          `json:"name"`
	Aliases                 []string        `json:"aliases,omitempty"`
	Vendor                  string          `json:"vendor,omitempty"`
	DeviceUnit              string          `json:"device_unit,omitempty"`
	Kind                    string          `json:"kind,omitempty"`
	Family                  string          `json:"family,omitempty"`
	Compiled                *bool           `json:"compiled,omitempty"`
	ClassSource             string          `json:"class_source,omitempty"`
	DevicesPerNode          *int            `json:"devices_per_node,omitempty"`
	NodeSizes               []int           `json:"node_sizes,omitempty"`
	Slices                  []string        `json:"slices,omitempty"`
	NodeSource              string          `json:"node_source,omitempty"`
	PeaksFLOPsPerSecond     map[string]Fact `json:"peak_flops_per_second"`
	MeasuredFLOPsPerSecond  map[string]Fact `json:"measured_flops_per_second,omitempty"`
	MemoryBytes             *Fact           `json:"memory_bytes,omitempty"`
	ReserveBytes            *Fact           `json:"reserve_bytes,omitempty"`
	BandwidthBytesPerSecond *Fact           `json:"bandwidth_bytes_per_second,omitempty"`
	IntraBytesPerSecond     *Fact           `json:"intra_bytes_per_second,omitempty"`
	IntraTopology           string          `json:"intra_topology,omitempty"`
	InterBytesPerSecond     *Fact           `json:"inter_bytes_per_second,omitempty"`
	PowerWatts              *Fact           `json:"power_watts,omitempty"`
	PowerKind               string          `json:"power_kind,omitempty"`
	PriceUSDPerHour         *Fact           `json:"price_usd_per_hour,omitempty"`
	Align                   *Fact           `json:"align,omitempty"`
	Traps                   string          `json:"traps,omitempty"`
}

// Fact is a figure with its source.
type Fact struct {
	Value    float64 `json:"value"`
	Source   string  `json:"source"`
	Evidence string  `json:"evidence"`
	Origin   string  `json:"origin"`
	Note     string  `json:"note,omitempty"`
}

// ProfileOf returns a profile as JSON writes it.
func ProfileOf(p *hardware.Profile) Profile {
	var slices []string
	for _, axes := range p.Nodes.Slices {
		slices = append(slices, data.FormatSlice(axes))
	}
	return Profile{
		Name: p.Name, Aliases: p.Aliases, Vendor: p.Vendor, DeviceUnit: p.DeviceUnit,
		Kind: p.Class.Kind, Family: p.Class.Family, Compiled: p.Class.Compiled,
		ClassSource: p.Class.Source, DevicesPerNode: p.Nodes.Devices, NodeSizes: p.Nodes.Sizes,
		Slices: slices, NodeSource: p.Nodes.Source,
		PeaksFLOPsPerSecond: factsOf(p.Peaks), MeasuredFLOPsPerSecond: factsOf(p.Measured),
		MemoryBytes: factOf(p.MemoryBytes), ReserveBytes: factOf(p.ReserveBytes),
		BandwidthBytesPerSecond: factOf(p.BandwidthBytesPerSecond),
		IntraBytesPerSecond:     factOf(p.IntraBytesPerSecond), IntraTopology: p.IntraTopology,
		InterBytesPerSecond: factOf(p.InterBytesPerSecond),
		PowerWatts:          factOf(p.PowerWatts), PowerKind: p.PowerKind,
		PriceUSDPerHour: factOf(p.PriceUSDPerHour),
		Align:           factOf(p.Align), Traps: p.Traps,
	}
}

func factOf(f *hardware.Field) *Fact {
	if f == nil {
		return nil
	}
	return &Fact{
		Value: f.Value, Source: f.Source, Evidence: string(f.Evidence),
		Origin: string(f.Origin), Note: f.Note,
	}
}

func factsOf(fields map[hardware.Precision]hardware.Field) map[string]Fact {
	out := map[string]Fact{}
	for p, f := range fields {
		out[string(p)] = *factOf(&f)
	}
	return out
}
