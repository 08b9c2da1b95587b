package measured

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/hardware"
)

// deviceNames are words by which sources name devices, the more special first, each a name of the
// catalogue. A name holds all words of its entry, whatever stands around and between them; a word of
// memory is one of the sizes that it states.
var deviceNames = []string{
	"gb200", "b200", "gh200", "h200", "h100 pcie", "h100", "a100 pcie", "a100 40gb", "a100", "a10g",
	"v100 16gb", "v100", "p100", "l40s", "rtx5090", "rtx4090", "rtx3090", "tpuv2", "tpuv3", "tpuv4",
	"v5e", "v5lite", "v5p", "v6e", "trillium", "tpu7x", "tpuv7", "ironwood", "trainium1", "trn1",
	"trainium2", "trn2", "mi300x", "mi325x", "mi355x", "mi250x", "gaudi2", "gaudi3",
}

// otherDevices are words of devices that resemble one of the catalogue and are not: slower links,
// fewer units.
var otherDevices = []string{
	"h100nvl", "h200nvl", "3090ti", "4090d", "5090d", "v4i", "a1000",
	"p1000", "laptop", "mobile", "maxq",
}

var (
	countedDevices = regexp.MustCompile(`(?i)^\s*(\d+) ?[x×] ?([a-z])`)
	bareSlice      = regexp.MustCompile(`(?i)^\s*v(\d)`)
	linkNames      = regexp.MustCompile(`(?i)\bnv(?:link|switch)\b|\bici\b`)
	statedMemory   = regexp.MustCompile(`(?i)(\d+) ?gi?b\b`)
)

// findDevice returns the profile that a source's words for a device mean. It takes no part of a
// name for the whole, as [hardware.Find] does: "GPU" is not a device.
func findDevice(words string) (hardware.Profile, error) {
	name := countedDevices.ReplaceAllString(words, "$2") // 8xA100
	name = bareSlice.ReplaceAllString(name, "TPU v$1")   // v4-128
	var memory []string
	for _, m := range statedMemory.FindAllStringSubmatch(name, -1) {
		memory = append(memory, m[1]+"gb")
	}
	text := hardware.Fold(linkNames.ReplaceAllString(statedMemory.ReplaceAllString(name, ""), ""))
	if slices.ContainsFunc(otherDevices, func(other string) bool { return strings.Contains(text, other) }) {
		return hardware.Profile{}, &hardware.NameError{Name: words}
	}
	// the same dense bf16 and fp8 rates; its larger memory does not enter a step time
	text = strings.ReplaceAll(text, "gb300", "gb200")
	for _, known := range deviceNames {
		missing := func(word string) bool { return !strings.Contains(text, word) && !slices.Contains(memory, word) }
		if !slices.ContainsFunc(strings.Fields(known), missing) {
			return hardware.Find(known)
		}
	}
	if text = makers.Replace(text); text != "" {
		for _, p := range hardware.Catalogue() {
			if slices.ContainsFunc(append([]string{p.Name}, p.Aliases...), func(full string) bool { return hardware.Fold(full) == text }) {
				return p, nil
			}
		}
	}
	return hardware.Profile{}, &hardware.NameError{Name: words}
}

// makers are words that stand before the names of devices.
var makers = strings.NewReplacer("nvidia", "", "geforce", "", "tesla", "", "amd", "", "instinct",
	"", "intel", "", "google", "", "aws", "")

// assumedLinks are rates in bytes/s that no source at hand states and that rows need. They serve
// the scoring of rows only: a plan on such a device asks for them.
var assumedLinks = []struct {
	profile      string
	intra, inter float64
	note         string
}{
	{"tpu-v6e", 0, 12.5e9, "four 200 Gbit/s ports for a host of 8 chips"},
	{"trainium1", 192e9, 0, "768 GB/s of NeuronLink a node, taken as both ways, four links a chip"},
}

func recalledLink(rate float64, note string) *hardware.Field {
	return &hardware.Field{
		Fact:   data.Fact{Value: rate, Evidence: data.Recalled, Note: note},
		Origin: hardware.Default,
	}
}

// powerExponent relates matmul rate to a lowered power limit. Dynamic power goes with clock ×
// voltage², and voltage falls with the clock over part of the range: the rate goes with power to
// between 1/3 and 1/2.
const powerExponent = 0.4

// capPower lowers the measured ceilings of a device that a source runs below its limit.
func capPower(p *hardware.Profile, watts float64) {
	if p.PowerWatts == nil || p.PowerKind != hardware.LimitPower || watts >= p.PowerWatts.Value {
		return
	}
	share := math.Pow(watts/p.PowerWatts.Value, powerExponent)
	for format, f := range p.Measured {
		f.Value *= share
		p.Measured[format] = f
	}
	p.Name += fmt.Sprintf(" at %.0f W", watts)
	p.Device = p.Name // with an effect of its own
}

var (
	statedPower     = regexp.MustCompile(`(\d+) W limit`)
	statedBandwidth = regexp.MustCompile(`([0-9.]+) ?TB/s`)
)

func (r *rowReader) profile(out *Run) {
	if r.row.Hardware == "" {
		r.refuse("the hardware is not stated")
		return
	}
	p, err := findDevice(r.row.Hardware)
	if err != nil {
		r.refuse("%v", err)
		return
	}
	out.Family = p.Class.Family
	if m := statedBandwidth.FindStringSubmatch(r.row.Hardware); m != nil {
		if tb, err := strconv.ParseFloat(m[1], 64); err == nil && tb > 0 {
			p.BandwidthBytesPerSecond = &hardware.Field{Fact: data.Fact{
				Value: tb * 1e12, Source: r.row.Source, Evidence: r.row.Evidence,
			}, Origin: hardware.File}
		}
	}
	if watts := firstNumber(statedPower, r.row.Hardware); watts != nil {
		capPower(&p, float64(*watts))
	}
	for _, a := range assumedLinks {
		if !slices.Contains(p.Aliases, a.profile) {
			continue
		}
		if p.InterBytesPerSecond == nil && a.inter > 0 {
			p.InterBytesPerSecond = recalledLink(a.inter, a.note)
		}
		if p.IntraBytesPerSecond == nil && a.intra > 0 {
			p.IntraBytesPerSecond = recalledLink(a.intra, a.note)
		}
	}
	out.Device, out.Run.Profile = p.Name, p
	if out.Family == "trainium" {
		r.cores = 2 // tp, pp and dp of these rows count NeuronCores, two a chip
	}
	r.xla = out.Run.Compiled()
}
