package hardware

import (
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/data"
)

func TestParseWithOverrides(t *testing.T) {
	p, err := Parse("a100,mem=40GiB, price=$1.10/h,peak-bf16=250 TFLOP/s,watts=320")
	if err != nil {
		t.Fatal(err)
	}
	if p.MemoryBytes.Value != 40<<30 || p.MemoryBytes.Origin != Flag ||
		p.PriceUSDPerHour.Value != 1.1 || p.Peaks[BF16].Value != 250e12 ||
		p.PowerWatts.Value != 320 || p.PowerKind != MeanPower {
		t.Errorf("%+v", p)
	}
	if p.BandwidthBytesPerSecond.Origin != DataSheet {
		t.Error("what is not overridden keeps its origin")
	}
	if plain, _ := Find("a100"); plain.MemoryBytes.Value != 80<<30 || plain.Peaks[BF16].Value != 312e12 {
		t.Error("an override reached the catalogue")
	}
}

func TestParseRefuses(t *testing.T) {
	for text, mention := range map[string]string{
		"a100,mem=40":                    "no unit",
		"a100,mem=0GB":                   "more than 0",
		"a100,mem=900GB/s":               "a bandwidth where an amount of bytes is needed",
		"a100,memry=40GiB":               `unknown key: "memry"; did you mean memory?; allowed: memory, reserve`,
		"a100,mem":                       "allowed: key=value",
		"a100,":                          "",
		"a100,,mem=40GiB":                "allowed: key=value",
		"a100,mem=40GiB,memory=41GiB":    "given twice",
		"a100,align=0.5":                 "not a whole number",
		"a100,peak_bf16=300 TFLOP":       "a count of FLOP where a rate is needed",
		"a100,price=-1":                  "negative",
		"a200000,mem=40GiB":              "unknown hardware",
		"a100,price=NaN":                 "not a finite number",
		"a100,mem=1e400GB":               "too large",
		"a100," + strings.Repeat(",", 9): "allowed: key=value",
	} {
		_, err := Parse(text)
		if mention == "" {
			if err != nil {
				t.Errorf("Parse(%q): %v", text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), mention) {
			t.Errorf("Parse(%q): %v, want a mention of %q", text, err, mention)
		}
	}
	_, err := Parse("a100,mem=40,bandwidth=3")
	if err == nil || strings.Count(err.Error(), "no unit") != 2 {
		t.Errorf("both faults are wanted at once: %v", err)
	}
}

const goodFile = `# the lab's cards
name: our A100
extends: a100-80gb
aliases: [lab, lab-a100]
memory: 79 GiB
price: {value: $1.10/h, source: contract of 2025, evidence: primary}
power: 330 W
power_kind: mean
peaks:
  bf16: 312 TFLOP/s
  fp32:
    value: 19.5 TFLOP/s
    note: without tensor cores
intra_topology: switch
intra_domain: 4
`

func TestReadProfile(t *testing.T) {
	p, err := ReadProfile("lab.yaml", strings.NewReader(goodFile))
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "our A100" || len(p.Aliases) != 2 || p.MemoryBytes.Value != 79<<30 ||
		p.MemoryBytes.Origin != File || p.MemoryBytes.Source != "lab.yaml" {
		t.Errorf("%+v", p)
	}
	if f := p.PriceUSDPerHour; f.Value != 1.1 || f.Source != "contract of 2025" || f.Evidence != data.Primary {
		t.Errorf("price %+v", f)
	}
	if p.Peaks[FP32].Note != "without tensor cores" || p.IntraDomain.Value != 4 ||
		p.PowerKind != MeanPower {
		t.Errorf("%+v", p)
	}
	if p.BandwidthBytesPerSecond.Value != 2039e9 || p.BandwidthBytesPerSecond.Origin != DataSheet {
		t.Errorf("the base's bandwidth: %+v", p.BandwidthBytesPerSecond)
	}
}

func TestReadProfileWithoutBase(t *testing.T) {
	p, err := ReadProfile("own.yaml", strings.NewReader(
		"name: abacus\npeaks: {fp32: 1 TFLOP/s}\npower: 9 W\n"))
	if err != nil || p.Peaks[FP32].Value != 1e12 || p.MemoryBytes != nil ||
		p.PowerKind != MeanPower {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestReadProfileRefuses(t *testing.T) {
	for text, mention := range map[string]string{
		"":                                    "f.yaml: is empty",
		"# only a remark\n":                   "f.yaml: is empty",
		"- a\n- b\n":                          "f.yaml:1:1: has no keys: a list",
		"memory: 3 GiB\n":                     "f.yaml:1:1: no name",
		"name: x\nmemory: 80\n":               "f.yaml:2:9: memory: no unit",
		"name: x\nmemory: 012 GB\n":           "leading zero",
		"name: x\nalign: 012\n":               "leading zero",
		"name: x\nalign: 1_000\n":             "separator",
		"name: x\nalign: 0x40\n":              "only decimal",
		"name: x\nalign: .nan\n":              "f.yaml:2:8",
		"name: x\nmemroy: 80 GiB\n":           "f.yaml:2:1: unknown key: \"memroy\"; did you mean memory?",
		"name: x\nmem: 80 GiB\n":              "unknown key",
		"name: x\nextends: a1000\n":           "f.yaml:2:10: extends: unknown hardware",
		"name: x\nextends: a100 sxm\n":        "several devices",
		"name: x\nname: y\n":                  "f.yaml:2:1: name stands twice",
		"name: x\npeaks: 3\n":                 "f.yaml:2:8: not keys and values",
		"name: x\npeaks: {bf61: 3 TFLOP/s}\n": "unknown precision",
		"name: x\npeaks: {bf16: 3 TFLOP}\n":   "f.yaml:2:15: bf16: a count of FLOP where a rate",
		"name: x\nmemory: [1 GB]\n":           "not a single value",
		"name: x\nmemory:\n":                  "nothing given",
		"name: |":                             "f.yaml:1:7: nothing given",
		"name: \"\"":                          "f.yaml:1:7: nothing given",
		"name: x\nmemory: {source: y}\n":      "memory: no value",
		"name: x\nmemory: {value: 3 GB, evidnce: primary}\n": "unknown key",
		"name: x\nmemory: {value: 3 GB, evidence: sure}\n":   "unknown evidence class",
		"name: &a x\nvendor: *a\n":                           "f.yaml:1:7: uses anchor",
		"name: !!str x\n":                                    "f.yaml:1:7: uses tag",
		"name: x\npower_kind: often\n":                       "allowed: mean, limit",
		"name: x\nintra_topology: ring\n":                    "allowed: torus-2d",
		"name: x\naliases: lab\n":                            "not a list",
		"name: x\n\tmemory: 3 GB\n":                          "f.yaml:",
		"name: \"x\n":                                        "not valid YAML",
		"name: x\n---\nname: y\n":                            "f.yaml:3:5: is a second document",
		"? [a]\n: b\n":                                       "f.yaml:2:1",
		"<<: {a: b}\n":                                       "is a merge key",
		"\xff\xfen\x00a\x00":                                 "UTF-16; allowed: UTF-8",
		strings.Repeat("[", 17000):                           "holds too many values",
		strings.Repeat("[", 8000):                            "f.yaml",
		strings.Repeat("a: {", 3000):                         "f.yaml",
	} {
		_, err := ReadProfile("f.yaml", strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), mention) {
			t.Errorf("%.60q: %v, want a mention of %q", text, err, mention)
		}
	}
	_, err := ReadProfile("f.yaml", strings.NewReader(
		"name: x\nmemory: 80\nbandwidth: 3\nfoo: 1\n"))
	if err == nil || strings.Count(err.Error(), "f.yaml:") != 3 {
		t.Errorf("all three faults are wanted at once: %v", err)
	}
}

// checkProfile fails on a profile that no reader should return without an error.
func checkProfile(t *testing.T, p Profile) {
	t.Helper()
	for _, f := range []*Field{
		p.MemoryBytes, p.BandwidthBytesPerSecond, p.IntraBytesPerSecond,
		p.InterBytesPerSecond, p.PowerWatts, p.Align,
	} {
		if f != nil && !(f.Value > 0) {
			t.Fatalf("%+v", p)
		}
	}
	for _, f := range p.Peaks {
		if !(f.Value > 0) {
			t.Fatalf("%+v", p)
		}
	}
}

func FuzzReadProfile(f *testing.F) {
	f.Add(goodFile)
	f.Add("name: x\nmemory: {value: 012 GB}\n")
	f.Add("? a\n: b")
	f.Add("name: &a [*a]")
	f.Add("name: |\n  x\nalign: >-\n  64\n")
	f.Add("<<: *x")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ReadProfile("f.yaml", strings.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.yaml") {
				t.Fatalf("an error without its file: %v", err)
			}
			return
		}
		if p.Name == "" {
			t.Fatalf("no name: %+v", p)
		}
		checkProfile(t, p)
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"a100", "a100,mem=40GiB,price=1.10", "h100,peak-fp8=1 PFLOP/s",
		",", "=,=", "tpu,mem=1e400GB", "a100,mem=\x00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if p, err := Parse(text); err == nil {
			checkProfile(t, p)
		} else if len(err.Error()) > 20_000 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
		if r, err := findRegion(text); err == nil && r.Key == "" {
			t.Fatalf("%q found an empty region", text)
		}
	})
}

// Every name and alias of the catalogue is a hardware flag that means its profile.
func TestCatalogueNamesParse(t *testing.T) {
	for _, want := range Catalogue() {
		for _, name := range append([]string{want.Name, want.Name + ",price=1"}, want.Aliases...) {
			if p, err := Parse(name); err != nil || p.Name != want.Name {
				t.Errorf("Parse(%q) = %q, %v", name, p.Name, err)
			}
		}
	}
}
