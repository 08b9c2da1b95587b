package hardware

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// setting is one number of a profile that a flag or a file may set. A new number needs one line in
// settings.
type setting struct {
	key   string
	short string // another spelling for flags
	kind  quantity.Kind
	field func(*Profile) **Field // nil for the rates of precisions
	put   func(*Profile, Field)
}

var settings = buildSettings()

func buildSettings() []setting {
	list := []setting{
		{"memory", "mem", quantity.Bytes, func(p *Profile) **Field { return &p.MemoryBytes }, nil},
		{"reserve", "", quantity.Bytes, func(p *Profile) **Field { return &p.ReserveBytes }, nil},
		{"bandwidth", "", quantity.ByteRate, func(p *Profile) **Field { return &p.BandwidthBytesPerSecond }, nil},
		{"on_chip", "", quantity.Bytes, func(p *Profile) **Field { return &p.OnChipBytes }, nil},
		{"intra_link", "", quantity.ByteRate, func(p *Profile) **Field { return &p.IntraBytesPerSecond }, nil},
		{"intra_domain", "", quantity.Count, func(p *Profile) **Field { return &p.IntraDomain }, nil},
		{"inter_link", "", quantity.ByteRate, func(p *Profile) **Field { return &p.InterBytesPerSecond }, nil},
		{"power", "watts", quantity.Power, func(p *Profile) **Field { return &p.PowerWatts }, nil},
		{"price", "", quantity.HourlyPrice, func(p *Profile) **Field { return &p.PriceUSDPerHour }, nil},
		{"mfu", "", quantity.Fraction, func(p *Profile) **Field { return &p.MFU }, nil},
		{"compute_units", "", quantity.Count, func(p *Profile) **Field { return &p.ComputeUnits }, nil},
		{"matrix_unit", "", quantity.Count, func(p *Profile) **Field { return &p.MatrixUnit }, nil},
		{"align", "", quantity.Count, func(p *Profile) **Field { return &p.Align }, nil},
		{"align_minimum", "", quantity.Count, func(p *Profile) **Field { return &p.AlignMinimum }, nil},
	}
	for i := range list {
		field, power := list[i].field, list[i].key == "power"
		list[i].put = func(p *Profile, f Field) {
			*field(p) = &f
			if power { // a stated power is what the device draws
				p.PowerKind = MeanPower
			}
		}
	}
	for _, precision := range precisions {
		list = append(list,
			setting{key: "peak_" + string(precision), kind: quantity.FLOPRate, put: func(p *Profile, f Field) { p.Peaks[precision] = f }},
			setting{key: "measured_" + string(precision), kind: quantity.FLOPRate, put: func(p *Profile, f Field) { p.Measured[precision] = f }},
		)
	}
	return list
}

// topologies are the words for IntraTopology.
var topologies = []string{"torus-2d", "torus-3d", "switch", "mesh", "hypercube", "pcie"}

// findSetting is the setting of a key; hyphens read as underscores.
func findSetting(key string) (setting, bool) {
	key = strings.ReplaceAll(strings.ToLower(key), "-", "_")
	i := slices.IndexFunc(settings, func(s setting) bool { return s.key == key || s.short != "" && s.short == key })
	if i < 0 {
		return setting{}, false
	}
	return settings[i], true
}

// unknownSetting words the refusal of a key among those of settings and others.
func unknownSetting(key string, others ...string) string {
	keys := slices.Clone(others)
	for _, s := range settings {
		keys = append(keys, s.key)
	}
	return unknownKey(key, keys)
}

// unknownKey words the refusal of a key, with all that may stand there.
func unknownKey(key string, allowed []string) string {
	return fmt.Sprintf("unknown key: %q%s; allowed: %s", clip(key),
		suggest.Hint(suggest.Nearest(key, allowed)), strings.Join(allowed, ", "))
}

// clip shortens hostile input before it is shown.
func clip(text string) string {
	const shown = 40
	if len(text) > shown {
		return text[:shown] + "…"
	}
	return text
}

// amount parses the value of a setting and refuses what no device can have.
func (s setting) amount(text string) (float64, error) {
	value, err := quantity.Parse(s.kind, text)
	if err != nil {
		return 0, err
	}
	switch {
	case s.kind == quantity.Count && value != math.Trunc(value):
		return 0, fmt.Errorf("not a whole number: %q", clip(text))
	case value == 0 && s.key != "price" && s.key != "reserve":
		return 0, fmt.Errorf("must be more than 0: %q; leave it out where it is unknown",
			clip(text))
	}
	return value, nil
}
