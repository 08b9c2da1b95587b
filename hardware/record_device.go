package hardware

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/data"
)

// deviceNames are the words by which sources name devices, the more special first, with the profile meant.
var deviceNames = []struct{ word, profile, family string }{
	{"GB300", "gb200", "blackwell"}, // the same dense bf16 and fp8 rates; its larger memory does not enter a step time
	{"GB200", "gb200", "blackwell"},
	{"B200", "b200", "blackwell"},
	{"GH200", "gh200", "hopper"},
	{"H200", "h200", "hopper"},
	{"H100-PCIE", "h100-pcie", "hopper"},
	{"H100", "h100", "hopper"},
	{"A100-40GB", "a100-40gb", "ampere"},
	{"A100-SXM-40GB", "a100-40gb", "ampere"},
	{"A100-PCIE", "a100-pcie", "ampere"},
	{"A100", "a100", "ampere"},
	{"V100", "v100", "volta"},
	{"TPU V2", "tpu-v2", "tpu"},
	{"TPU V3", "tpu-v3", "tpu"},
	{"TPU V4", "tpu-v4", "tpu"},
	{"TPU V5E", "tpu-v5e", "tpu"},
	{"TPU V5P", "tpu-v5p", "tpu"},
	{"TPU V6E", "tpu-v6e", "tpu"},
	{"TPU7X", "tpu7x", "tpu"},
	{"TRAINIUM1", "trainium1", "trainium"},
	{"TRAINIUM2", "trainium2", "trainium"},
	{"MI300X", "mi300x", "cdna"},
	{"MI325X", "mi325x", "cdna"},
	{"MI355X", "mi355x", "cdna"},
	{"MI250X", "mi250x", "cdna"},
	{"GAUDI2", "gaudi2", "gaudi"},
	{"GAUDI3", "gaudi3", "gaudi"},
	{"P100", "p100", "pascal"},
	{"L40S", "l40s", "ada"},
	{"RTX 4090", "rtx4090", "ada"},
	{"RTX 3090", "rtx3090", "ampere"},
	{"A10G", "a10g", "ampere"},
}

// assumedLinks are rates in bytes/s that no source at hand states and that rows need. They serve the scoring of rows only:
// a plan on such a device asks for them.
var assumedLinks = []struct {
	profile      string
	intra, inter float64
	note         string
}{
	{"tpu-v6e", 0, 12.5e9, "four 200 Gbit/s ports for a host of 8 chips"},
	{"trainium1", 192e9, 0, "768 GB/s of NeuronLink a node, taken as both ways, four links a chip"},
}

func recalledLink(rate float64, note string) *Field {
	return &Field{Fact: data.Fact{Value: rate, Evidence: data.Recalled, Note: note}, Origin: Default}
}

// powerExponent relates matmul rate to a lowered power limit. Dynamic power goes with clock × voltage², and voltage falls
// with the clock over part of the range: the rate goes with power to between 1/3 and 1/2.
const powerExponent = 0.4

// capPower lowers the measured ceilings of a device that a source runs below its limit.
func capPower(p *Profile, watts float64) {
	if p.PowerWatts == nil || p.PowerKind != LimitPower || watts >= p.PowerWatts.Value {
		return
	}
	share := math.Pow(watts/p.PowerWatts.Value, powerExponent)
	for format, f := range p.Measured {
		f.Value *= share
		p.Measured[format] = f
	}
	p.Name += fmt.Sprintf(" at %.0f W", watts)
}

var statedPower = regexp.MustCompile(`(\d+) W limit`)

var statedBandwidth = regexp.MustCompile(`([0-9.]+) ?TB/s`)

func (r *rowReader) profile(out *MeasuredRun) {
	text := strings.ToUpper(r.row.Hardware)
	name := r.row.Hardware
	for _, d := range deviceNames {
		if strings.Contains(text, d.word) {
			name = d.profile
			break
		}
	}
	p, err := Find(name)
	if err != nil {
		r.refuse("%v", err)
		return
	}
	out.Family = p.Family()
	if m := statedBandwidth.FindStringSubmatch(r.row.Hardware); m != nil {
		if tb, err := strconv.ParseFloat(m[1], 64); err == nil && tb > 0 {
			p.BandwidthBytesPerSecond = &Field{Fact: data.Fact{Value: tb * 1e12, Source: r.row.Source, Evidence: r.row.Evidence}, Origin: File}
		}
	}
	if watts := firstNumber(statedPower, r.row.Hardware); watts != nil {
		capPower(&p, float64(*watts))
	}
	for _, a := range assumedLinks {
		if a.profile == name && p.InterBytesPerSecond == nil && a.inter > 0 {
			p.InterBytesPerSecond = recalledLink(a.inter, a.note)
		}
		if a.profile == name && p.IntraBytesPerSecond == nil && a.intra > 0 {
			p.IntraBytesPerSecond = recalledLink(a.intra, a.note)
		}
	}
	out.Device, out.Run.Profile = p.Name, p
	if out.Family == "trainium" {
		r.cores = 2 // tp, pp and dp of these rows count NeuronCores, two a chip
	}
	r.xla = compiled(&p, Software{})
}
