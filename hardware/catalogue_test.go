package hardware

import (
	"errors"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	cases := map[string]string{
		"TPU v3": "TPU v3", "tpu-v3": "TPU v3", "tpuv3": "TPU v3",
		"a100": "A100 SXM 80GB", "A100-40GB": "A100 SXM 40GB", "a100 pcie": "A100 PCIe 80GB",
		"h100": "H100 SXM 80GB", "H100 SXM 80GB": "H100 SXM 80GB", "h100-pcie": "H100 PCIe 80GB",
		"h200": "H200 SXM 141GB", "trillium": "TPU v6e (Trillium)", "4090": "RTX 4090",
		"v100":  "V100 SXM2 32GB",
		"gb200": "GB200 (per GPU)", "b200": "B200 SXM",
		"cpu":  "Generic CPU (Xeon Platinum 8160 class, 24 cores AVX-512)",
		"xeon": "Generic CPU (Xeon Platinum 8160 class, 24 cores AVX-512)", // part of one name only
		"gh2":  "GH200 96GB",
	}
	for name, want := range cases {
		if p, err := Find(name); err != nil || p.Name != want {
			t.Errorf("Find(%q) = %q, %v; want %q", name, p.Name, err, want)
		}
	}
}

func TestFindRefuses(t *testing.T) {
	for name, mention := range map[string]string{
		"":          "unknown hardware",
		"a100 sxm":  "several devices",
		"tpu":       "several devices",
		"tpu-v33":   "did you mean",
		"h10":       "several devices",
		"hx100":     "did you mean h100?",
		"v":         "unknown hardware",
		"☃":         "unknown hardware",
		"abacus-11": "unknown hardware",
	} {
		_, err := Find(name)
		var wrong *NameError
		if !errors.As(err, &wrong) || !strings.Contains(err.Error(), mention) {
			t.Errorf("Find(%q): %v, want a mention of %q", name, err, mention)
		}
	}
}

// Each value stands in the data sheet or page that the field's source names.
func TestProfilesHoldWhatTheSourcesSay(t *testing.T) {
	get := func(name string) Profile {
		p, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	v3 := get("tpu-v3")
	if v3.Peaks[BF16].Value != 123e12 || v3.MemoryBytes.Value != 32<<30 ||
		v3.BandwidthBytesPerSecond.Value != 900e9 {
		t.Errorf("TPU v3: %+v", v3)
	}
	if _, known := v3.Peaks[FP32]; known {
		t.Error("TPU v3 has no published fp32 matmul peak: it must be absent, not 0")
	}
	if v3.PowerKind != MeanPower || v3.PowerWatts.Value != 220 || v3.MatrixUnit.Value != 128 ||
		v3.Align.Value != 128 || v3.ComputeUnits.Value != 2 {
		t.Errorf("TPU v3: %+v", v3)
	}
	a100 := get("a100")
	if a100.MemoryBytes.Value != 81920<<20 || a100.Peaks[BF16].Value != 312e12 ||
		a100.Measured[BF16].Value != 271.2e12 || a100.ComputeUnits.Value != 108 ||
		a100.PowerKind != LimitPower {
		t.Errorf("A100: %+v", a100)
	}
	if _, known := a100.Peaks[FP8]; known {
		t.Error("the A100 has no fp8 units")
	}
	if get("a100").MemoryBytes.Origin != DataSheet {
		t.Error("catalogue fields come from data sheets")
	}
}

// One-way rates of one device: half of what the source states for both directions, as stated
// otherwise.
func TestLinksAreOneWay(t *testing.T) {
	for name, want := range map[string]float64{
		"tpu-v3":  400e9, // "unidirectional sum over 4 links"
		"tpu-v5e": 200e9, // 400 both ways
		"tpu-v5p": 600e9, // 1200 both ways
		"tpu-v6e": 400e9, // 800 both ways
		"tpu7x":   600e9, // 1200 both ways
		"a100":    300e9, // 600 duplex is stated as 300 one-way
		"trn2":    640e9, // 1280 stated both ways, 640 in the row
		"mi300x":  448e9,
	} {
		p, err := Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.IntraBytesPerSecond == nil || p.IntraBytesPerSecond.Value != want {
			t.Errorf("%s: %+v, want %g", name, p.IntraBytesPerSecond, want)
		}
	}
	// 4 x 100 Gbit/s for 8 devices is 6.25 GB/s each.
	if p, _ := Find("a100"); p.InterBytesPerSecond.Value != 6.25e9 {
		t.Errorf("A100 between nodes: %+v", p.InterBytesPerSecond)
	}
}

// Every field of every profile is positive and says where it comes from; clones share nothing.
func TestCatalogueIsSoundAndSafe(t *testing.T) {
	profiles := Catalogue()
	if len(profiles) != 35 {
		t.Fatalf("%d profiles, want the 35 of the facts", len(profiles))
	}
	for _, p := range profiles {
		fields := []*Field{
			p.MemoryBytes, p.BandwidthBytesPerSecond, p.OnChipBytes,
			p.IntraBytesPerSecond, p.IntraDomain, p.InterBytesPerSecond, p.PowerWatts,
			p.PriceUSDPerHour, p.ComputeUnits, p.MatrixUnit, p.Align, p.AlignMinimum,
		}
		for _, f := range p.Peaks {
			fields = append(fields, &f)
		}
		for _, f := range p.Measured {
			fields = append(fields, &f)
		}
		for i, f := range fields {
			if f != nil && (f.Value <= 0 || f.Source == "" || f.Evidence == "") {
				t.Errorf("%s: field %d: %+v", p.Name, i, *f)
			}
		}
		if len(p.Peaks) == 0 && p.Name != "A10G" {
			t.Errorf("%s: no peak at all", p.Name)
		}
	}
	profiles[0].Peaks[BF16] = Field{}
	profiles[0].Aliases[0] = "changed"
	if again := Catalogue()[0]; again.Peaks[BF16].Value == 0 {
		t.Error("a change of a returned profile reached the catalogue")
	}
}

func BenchmarkFind(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Find("a100"); err != nil {
			b.Fatal(err)
		}
	}
}
