package hardware

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deepnarrow/deepnarrow/flops"
)

// planOf is a run of T5-Base on a device, in the precision that its data sheet states.
func planOf(p Profile) Run {
	x := flops.Execution{Optimizer: flops.Adam, Precision: flops.BF16Mixed}
	if _, ok := p.Peaks[BF16]; !ok {
		x.Precision = flops.FP16Mixed
		if _, ok := p.Peaks[FP16]; !ok {
			x.Precision = flops.FP32
		}
	}
	return Run{
		Profile: p, Shape: t5(768, 3072, 12, 12, 12), Workload: flops.PaperWorkload, Execution: x,
		Layout: flops.Layout{DP: 1},
	}
}

// extending is the profile of a file that only renames a device.
func extending(t *testing.T, p *Profile) Profile {
	t.Helper()
	own, err := ReadProfile("own.yaml",
		strings.NewReader("name: mine\nextends: "+p.Name+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	return own
}

// A file that extends a device and changes nothing is that device: the same step time, interval and
// parts to the last bit, for every device of the catalogue. A file that was read and written again
// is too, and so is one written from the device itself.
func TestExtendedDevicesAreTheDevice(t *testing.T) {
	for _, p := range Catalogue() {
		own := extending(t, &p)
		again := readBack(t, &own)
		direct := readBack(t, &p)
		want, wantErr := Predict(planOf(p))
		for name, q := range map[string]Profile{"read": own, "rewritten": again, "direct": direct} {
			class, nodes := q.Class, q.Nodes
			q.Name = p.Name // which assumptions and warnings cite
			got, err := Predict(planOf(q))
			if (err == nil) != (wantErr == nil) {
				t.Errorf("%s, %s: %v, want %v", p.Name, name, err, wantErr)
				continue
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s (-device +file):\n%s", p.Name, name, diff)
			}
			if diff := cmp.Diff(p.Class, class); diff != "" {
				t.Errorf("%s, %s: class (-device +file):\n%s", p.Name, name, diff)
			}
			if diff := cmp.Diff(p.Nodes, nodes); diff != "" {
				t.Errorf("%s, %s: nodes (-device +file):\n%s", p.Name, name, diff)
			}
		}
		a, b := Shipped(&p, Software{}), Shipped(&own, Software{})
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%s: shipped constants (-device +file):\n%s", p.Name, diff)
		}
	}
}

// Every device of the catalogue says what it is, and every family of the fitted effects is a family
// of the catalogue.
func TestEveryDeviceHasAClass(t *testing.T) {
	families := map[string]bool{}
	for _, p := range Catalogue() {
		c := p.Class
		if c.Kind == "" || c.Family == "" || c.Compiled == nil || c.Source == "" ||
			c.Evidence == "" || c.Origin != DataSheet || p.Device != p.Name {
			t.Errorf("%s: %+v, device %q", p.Name, c, p.Device)
		}
		families["family:"+c.Family] = true
		for _, axes := range p.Nodes.Slices {
			if want := map[string]int{"torus-2d": 2, "torus-3d": 3}[p.IntraTopology]; len(axes) != want {
				t.Errorf("%s: a slice %v on a %s", p.Name, axes, p.IntraTopology)
			}
		}
		if c.Kind == "tpu" && (p.Nodes.Slices == nil || p.Nodes.Devices == nil) {
			t.Errorf("%s: no slices", p.Name)
		}
		if _, fp32 := p.Peaks[FP32]; c.Kind == CPU && !fp32 {
			t.Errorf("%s is a processor without a float32 peak", p.Name)
		}
	}
	for name := range shipped().index {
		if strings.HasPrefix(name, "family:") && !families[name] {
			t.Errorf("%s is the effect of no device", name)
		}
	}
}

// A GPU whose 16-bit peak is unknown is not a processor: its plan asks for the peak.
func TestMissingPeakIsAskedFor(t *testing.T) {
	p := found(t, "a10g")
	r := planOf(p)
	r.Execution.Precision = flops.BF16Mixed
	var missing *MissingError
	if _, err := Predict(r); !errors.As(err, &missing) || missing.Field != "peak_bf16" {
		t.Errorf("%v, want that peak_bf16 is unknown", err)
	}
	given, err := Override(p, "peak_bf16=70TFLOP/s")
	if err != nil {
		t.Fatal(err)
	}
	r.Profile = given
	m, err := NewMachine(&r.Profile, r.Execution, r.Software)
	if err != nil || m.edge != tile {
		t.Errorf("tile %d, want a GPU's %d (%v)", m.edge, tile, err)
	}
}

// What the vendor's frameworks do by default: compiled on TPU, Trainium and Gaudi whatever peaks
// are known, eager on GPUs and processors, and eager where nothing is known. A flag wins.
func TestCompiledByDefault(t *testing.T) {
	for alias, want := range map[string]bool{
		"tpu-v3": true, "tpu-v6e": true, "gaudi2": true, "gaudi3": true, "trainium1": true,
		"a100": false, "mi300x": false, "cpu": false,
	} {
		p := found(t, alias)
		if got := compiled(&p, Software{}); got != want {
			t.Errorf("%s: compiled %t, want %t", alias, got, want)
		}
		p.Peaks, p.Vendor = map[Precision]Field{BF16: p.Peaks[BF16]}, ""
		if got := compiled(&p, Software{}); got != want {
			t.Errorf("%s with one peak and no vendor: compiled %t, want %t", alias, got, want)
		}
		other := !want
		if got := compiled(&p, Software{Compiled: &other}); got != other {
			t.Errorf("%s: the flag does not win", alias)
		}
	}
	if compiled(&Profile{Vendor: "Google"}, Software{}) {
		t.Error("a profile that states nothing is compiled")
	}
}

// Facts of a file are read, stand in its name, and are written back.
func TestClassAndNodesOfAFile(t *testing.T) {
	text := `name: lab
extends: tpu-v5e
kind: other
family: lab
compiled: no
devices_per_node: 16
node_sizes: [16, 4]
slices: [4x4, 2x2]
`
	p, err := ReadProfile("lab.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	check := func(p *Profile) {
		t.Helper()
		c, n := p.Class, p.Nodes
		if c.Kind != "other" || c.Family != "lab" || c.Compiled == nil || *c.Compiled ||
			c.Origin != File || n.Devices == nil || *n.Devices != 16 || n.Source != c.Source {
			t.Errorf("%+v, %+v", c, n)
		}
		if diff := cmp.Diff([]int{4, 16}, n.Sizes); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([][]int{{4, 4}, {2, 2}}, n.Slices); diff != "" {
			t.Error(diff)
		}
	}
	check(&p)
	if p.Class.Source != "lab.yaml" || p.Nodes.Source != "lab.yaml" {
		t.Errorf("sources %q and %q", p.Class.Source, p.Nodes.Source)
	}
	back := readBack(t, &p)
	check(&back)

	var file bytes.Buffer
	plain := found(t, "h100")
	if err := WriteProfile(&file, &plain); err != nil {
		t.Fatal(err)
	}
	if got := file.String(); got != "name: \"H100 SXM 80GB\"\nextends: \"h100\"\n" {
		t.Errorf("a device that nothing was changed of is written as\n%s", got)
	}
}

func TestFaultyClassesAndNodes(t *testing.T) {
	for text, want := range map[string]string{
		"kind: asic":             "kind: \"asic\"; allowed: gpu, tpu, cpu, other",
		"compiled: maybe":        "compiled: \"maybe\"; allowed: yes, no",
		"devices_per_node: 0":    "not a number of devices: \"0\"",
		"devices_per_node: 1.5":  "not a number of devices: \"1.5\"",
		"node_sizes: 8":          "not a list",
		"node_sizes: [8, many]":  "not a number of devices: \"many\"",
		"slices: [4x4x4x4]":      "not the shape of a slice",
		"slices: [4x-4]":         "not the shape of a slice",
		"slices: [99999999x4]":   "not the shape of a slice",
		"slices: [\"4\"]":        "not the shape of a slice",
		"devices_per_node: [8]":  "not a single value",
		"devices_per_node: 1e99": "not a number of devices",
	} {
		_, err := ReadProfile("bad.yaml", strings.NewReader("name: x\n"+text+"\n"))
		if err == nil || !strings.Contains(err.Error(), want) ||
			!strings.HasPrefix(err.Error(), "bad.yaml:2:") {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// The memory that a plan may fill is what the device's tools show less what the driver keeps:
// nvidia-smi shows 81,559 MiB on an H100 and 143,771 on an H200; a TPU v4 has 32 GiB by its data
// sheet. A memory or a reserve that a flag gives replaces it.
func TestUsableMemory(t *testing.T) {
	const mib = 1 << 20
	for spec, want := range map[string]float64{
		"h100": (81559 - 512) * mib, "h200": (143771 - 512) * mib, "rtx4090": (24564 - 512) * mib,
		"gaudi2": (98304 - 768) * mib, "tpu-v4": (32768 - 256) * mib, "trainium1": 32768 * mib,
		"h100,mem=40GiB": (40960 - 512) * mib, "h100,reserve=2GiB": (81559 - 2048) * mib,
		"h100,reserve=0B": 81559 * mib, "h100,mem=1GiB,reserve=2GiB": 0,
	} {
		p, err := Parse(spec)
		if err != nil {
			t.Fatal(err)
		}
		got, known := p.UsableBytes()
		if !known || got != want {
			t.Errorf("%s: %g usable, want %g", spec, got, want)
		}
		for _, peak := range []float64{want, want + 1} {
			fits := p.Fits(&flops.Memory{PeakBytes: peak})
			if fits == nil || *fits != (peak <= want) {
				t.Errorf("%s: %g bytes fit: %v", spec, peak, fits)
			}
		}
	}
	if p := (&Profile{}); p.Fits(&flops.Memory{}) != nil {
		t.Error("an unknown memory holds something")
	}
}
