package hardware

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// WriteProfile writes a profile file that [ReadProfile] reads: what extends a catalogue profile
// only names it, every number that did not come from its data sheet stands in full with its source,
// and the calibration with all constants.
func WriteProfile(w io.Writer, p *Profile) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	words := func(key string, list []string) {
		for i := range list {
			list[i] = quoted(list[i])
		}
		if len(list) > 0 {
			line("%s: [%s]", key, strings.Join(list, ", "))
		}
	}
	line("name: %s", quoted(p.Name))
	var base Profile // what the file inherits
	found, err := Find(p.Device)
	inherited := err == nil
	if inherited {
		base = found
		line("extends: %s", quoted(base.Aliases[0]))
	}
	if !inherited || !slices.Equal(p.Aliases, base.Aliases) {
		words("aliases", slices.Clone(p.Aliases))
	}
	text := func(key, value, inherited string) {
		if value != inherited {
			line("%s: %s", key, quoted(value))
		}
	}
	text("vendor", p.Vendor, base.Vendor)
	text("device_unit", p.DeviceUnit, base.DeviceUnit)
	text("kind", p.Class.Kind, base.Class.Kind)
	text("family", p.Class.Family, base.Class.Family)
	if c := p.Class.Compiled; c != nil && (base.Class.Compiled == nil || *c != *base.Class.Compiled) {
		line("compiled: %s", map[bool]string{true: "yes", false: "no"}[*c])
	}
	text("intra_topology", p.IntraTopology, base.IntraTopology)
	text("traps", p.Traps, base.Traps)
	writeNodes(line, words, &p.Nodes, &base.Nodes)
	own := func(f *Field) bool { return f != nil && (!inherited || f.Origin != DataSheet) }
	number := func(indent, key, unit string, f *Field) {
		if !own(f) {
			return
		}
		source := ""
		if f.Source != "" {
			source = ", source: " + quoted(f.Source)
		}
		if f.Evidence != "" {
			source += ", evidence: " + string(f.Evidence)
		}
		line("%s%s: {value: %s%s}", indent, key, quoted(
			strings.TrimSpace(quantity.Shortest(f.Value)+" "+unit)), source)
	}
	units := map[quantity.Kind]string{
		quantity.Bytes: "B", quantity.ByteRate: "B/s", quantity.Power: "W", quantity.HourlyPrice: "USD/h",
	}
	for _, s := range settings {
		if s.field != nil {
			number("", s.key, units[s.kind], *s.field(p))
		}
	}
	if p.PowerWatts != nil && own(p.PowerWatts) && p.PowerKind != "" {
		line("power_kind: %s", p.PowerKind)
	}
	for _, rates := range [...]struct {
		key    string
		fields map[Precision]Field
	}{{"peaks", p.Peaks}, {"measured", p.Measured}} {
		head := false
		for _, precision := range precisions {
			f, ok := rates.fields[precision]
			if !ok || !own(&f) {
				continue
			}
			if !head {
				line("%s:", rates.key)
				head = true
			}
			number("  ", string(precision), "FLOP/s", &f)
		}
	}
	if p.Calibration != nil {
		writeCalibration(line, p.Calibration)
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// writeNodes writes the pieces in which devices can be had where they differ from the inherited.
func writeNodes(line func(string, ...any), words func(string, []string), n, base *data.Nodes) {
	if n.Devices != nil && (base.Devices == nil || *n.Devices != *base.Devices) {
		line("devices_per_node: %d", *n.Devices)
	}
	if !slices.Equal(n.Sizes, base.Sizes) {
		var sizes []string
		for _, size := range n.Sizes {
			sizes = append(sizes, strconv.Itoa(size))
		}
		words("node_sizes", sizes)
	}
	if !slices.EqualFunc(n.Slices, base.Slices, slices.Equal[[]int]) {
		var shapes []string
		for _, axes := range n.Slices {
			shapes = append(shapes, data.FormatSlice(axes))
		}
		words("slices", shapes)
	}
}

func writeCalibration(line func(string, ...any), c *Calibration) {
	line("calibration:")
	if c.FittedOn != "" {
		line("  fitted_on: %s", quoted(c.FittedOn))
	}
	line("  residual: %s", quantity.Shortest(c.Residual))
	line("  constants:")
	for i := range constants {
		sd := math.Sqrt(c.Covariance[i][i])
		var correlations []string
		for k := range i {
			r := c.Covariance[i][k] / (sd * math.Sqrt(c.Covariance[k][k]))
			correlations = append(correlations, strconv.FormatFloat(r, 'f', 9, 64))
		}
		row := fmt.Sprintf("value: %s, log_sd: %s", quantity.Shortest(c.Constants[i]),
			quantity.Shortest(sd))
		if len(correlations) > 0 {
			row += ", correlations: [" + strings.Join(correlations, ", ") + "]"
		}
		line("    %s: {%s}", i, row)
	}
}

// quoted is a YAML string in double quotes, whose escapes are those of Go.
func quoted(text string) string { return strconv.Quote(text) }
