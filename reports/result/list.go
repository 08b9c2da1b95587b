package result

import (
	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/fit"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// ListedShape is a shape of the catalogue.
type ListedShape struct {
	Shape        Shape    `json:"shape"`
	Params       *int64   `json:"params,omitempty"`
	Aliases      []string `json:"aliases,omitempty"`
	Checkpoints  []string `json:"checkpoints,omitempty"`
	NotCountable string   `json:"not_countable,omitempty"`
	Evidence     string   `json:"evidence"`
	Source       string   `json:"source"`
	Note         string   `json:"note,omitempty"`
}

// ListedShapeOf returns an entry of the catalogue as JSON writes it; params is nil for one that is
// not counted.
func ListedShapeOf(e *shapes.Entry, params *int64) ListedShape {
	return ListedShape{
		ShapeOf(&e.Shape), params, e.Aliases, e.Checkpoints, e.NotCountable, string(e.Evidence),
		e.Source, e.Note,
	}
}

// Convention is a way to count FLOPs.
type Convention struct {
	Convention flops.Convention `json:"convention"`
	Meaning    string           `json:"meaning"`
}

// Region is a place whose electricity is known.
type Region struct {
	Region       string  `json:"region"`
	Name         string  `json:"name"`
	Kind         string  `json:"kind"`
	Provider     string  `json:"provider,omitempty"`
	KgCO2ePerKWh float64 `json:"kg_co2e_per_kwh"`
	Source       string  `json:"source"`
	Evidence     string  `json:"evidence"`
}

// RegionOf returns a region as JSON writes it.
func RegionOf(r *hardware.Region) Region {
	g := &r.Grid
	return Region{r.Key, r.Name, r.Kind, r.Provider, g.Intensity, g.Source, string(g.Evidence)}
}

// ListedLaw is a law that can be fitted.
type ListedLaw struct {
	Law        string   `json:"law"`
	Response   string   `json:"response"`
	Columns    []string `json:"columns"`
	Parameters []string `json:"parameters"`
	Formula    string   `json:"formula"`
	Source     string   `json:"source"`
}

// ListedLawOf returns a law as JSON writes it.
func ListedLawOf(l *fit.Law) ListedLaw {
	names := make([]string, len(l.Params))
	for i, p := range l.Params {
		names[i] = p.Name
	}
	return ListedLaw{l.Name, l.Response, l.Columns, names, l.Formula, l.Source}
}

// Term is an entry of the glossary.
type Term struct {
	Term    string   `json:"term"`
	Aliases []string `json:"aliases,omitempty"`
	Meaning string   `json:"meaning"`
	Formula string   `json:"formula,omitempty"`
	Source  string   `json:"source,omitempty"`
}

// TermOf returns an entry of the glossary as JSON writes it.
func TermOf(t *data.Term) Term { return Term{t.Name, t.Aliases, t.Meaning, t.Formula, t.Source} }

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
