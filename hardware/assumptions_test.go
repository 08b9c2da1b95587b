package hardware

import (
	"errors"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
)

// saidOf returns what a prediction assumes under a name, "" where it assumes nothing.
func saidOf(t *testing.T, r Run, name string) string {
	t.Helper()
	p, err := Predict(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range p.Assumptions {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// What a prediction rests on is said with the number of the profile, and what the profile does not
// say, or the layout does not use, is not said.
func TestAssumptionsSayTheNumbers(t *testing.T) {
	run := Run{
		Profile: found(t, "h100"), Shape: t5(1024, 4096, 16, 8, 8),
		Workload: flops.Workload{Batch: 64, EncoderLength: 512, DecoderLength: 128},
	}
	p := &run.Profile
	for _, set := range []struct {
		field **Field
		value float64
	}{
		{&p.MemoryBytes, 80 << 30},
		{&p.ReserveBytes, 512 << 20},
		{&p.BandwidthBytesPerSecond, 3e12},
		{&p.IntraBytesPerSecond, 450e9},
		{&p.InterBytesPerSecond, 50e9},
	} {
		f := **set.field // profiles of the catalogue share their fields
		f.Value = set.value
		*set.field = &f
	}
	says := func(name string, parts ...string) {
		t.Helper()
		said := saidOf(t, run, name)
		for _, part := range parts {
			if !strings.Contains(said, part) {
				t.Errorf("%s: %q, want %q in it", name, said, part)
			}
		}
		if len(parts) == 0 && said != "" {
			t.Errorf("%s: %q, want nothing said", name, said)
		}
	}
	says("device memory", "80.00 GiB, of which 512 MiB stay with the driver")
	says("memory bandwidth", "3.000 TB/s")
	says("links inside a node")
	says("links between nodes")
	run.Layout = flops.Layout{DP: 8}
	says("links inside a node", "450.0 GB/s one way")
	says("links between nodes") // the eight devices of one node
	run.Layout.DP = 16
	says("links between nodes", "50.00 GB/s a device, one way")
	run.Profile.ReserveBytes = nil
	if said := saidOf(t, run, "device memory"); said != "80.00 GiB" {
		t.Errorf("device memory without a reserve: %q", said)
	}
	run.Profile.MemoryBytes = nil
	says("device memory")
}

// A link is needed where devices of one node, or of several, talk; only then is its rate missed.
func TestLinksNeeded(t *testing.T) {
	for _, c := range []struct {
		devices, domain int
		intra, inter    bool
		missing         string
	}{
		{1, 8, false, false, ""},
		{2, 1, false, true, ""}, // every device is a node of its own
		{2, 1, true, false, "inter_link"},
		{2, 2, false, true, "intra_link"},
		{2, 2, true, false, ""},
		{4, 2, true, false, "inter_link"},
		{4, 2, true, true, ""},
	} {
		run := Run{
			Profile: found(t, "h100"), Shape: t5(1024, 4096, 16, 8, 8),
			Workload: flops.Workload{Batch: 64, EncoderLength: 512, DecoderLength: 128},
			Layout:   flops.Layout{DP: c.devices}, Software: Software{Domain: c.domain},
		}
		if !c.intra {
			run.Profile.IntraBytesPerSecond = nil
		}
		if !c.inter {
			run.Profile.InterBytesPerSecond = nil
		}
		_, err := Predict(run)
		var missing *MissingError
		switch {
		case c.missing == "" && err != nil:
			t.Errorf("%+v: %v", c, err)
		case c.missing != "" && (!errors.As(err, &missing) || missing.Field != c.missing):
			t.Errorf("%+v: %v", c, err)
		}
	}
}
