package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/explore/engine"
)

// exploredStates cross what the sliders can reach: edits of every letter, decoder-only and
// encoder-only shapes, a device without bfloat16, one without a price, a batch that must grow, a
// run that does not fit.
var exploredStates = []string{
	"",
	"shape=t5-base&el=24&dl=6&dm=512&ff=2048&nh=8",
	"shape=t5-base&el=12",
	"shape=t5-large&hardware=a100&devices=8&batch=64&enc=1024&dec=256&steps=100000",
	"shape=t5-11b&hardware=v100&devices=4",
	"shape=gpt2&hardware=h100&devices=8&dl=13",
	"shape=bert-base-uncased&hardware=a100&devices=2",
	"shape=t5-small/nl=16&hardware=gb200&devices=256",
	"shape=t5-efficient-tiny-el8&hardware=a100,price=1.10&devices=3",
	"shape=t5-large&hardware=a100&devices=8&tp=2&zero=1&micro=4&precision=fp32&recompute=full&price=1.25",
	"shape=llama-3-8b&kvh=4&hardware=h100&devices=16&batch=16&tp=4&sp=yes&optimizer=adam&attention=unfused&compiled=yes",
	"shape=llama-3-8b&hardware=h100&devices=16&batch=16&pp=4&interleave=2&micro=1&optimizer=adam8bit",
}

// TestExplorerChangesAreTheirCommands: what the explorer offers for a run that does not fit makes it
// fit, on its own controls.
func TestExplorerChangesAreTheirCommands(t *testing.T) {
	for _, state := range []string{
		"shape=llama-3-8b&hardware=h100&devices=8&optimizer=adam&batch=64",
		"shape=t5-11b&hardware=v100&devices=4",
		"shape=t5-large&hardware=a100&devices=8",
	} {
		aside, err := engine.Beside(state)
		if err != nil {
			t.Fatalf("%s: %v", state, err)
		}
		offered := 0
		for _, c := range aside.Changes {
			if c.Fragment == "" {
				continue
			}
			offered++
			got, err := engine.Answer(c.Fragment)
			if err != nil {
				t.Errorf("%s, %s: %v", state, c.What, err)
				continue
			}
			if got.Command != c.Command || got.Memory.Fits == nil || *got.Memory.Fits != (c.Fits == "yes") {
				t.Errorf("%s, %s: %s, fits %v, want %s and %s", state, c.What, got.Command,
					*got.Memory.Fits, c.Command, c.Fits)
			}
		}
		if offered == 0 {
			t.Errorf("%s: nothing is offered", state)
		}
	}
}

// TestExplorerAgreesWithCommands runs the command lines that the explorer shows and compares their
// JSON with the explorer's numbers.
func TestExplorerAgreesWithCommands(t *testing.T) {
	for _, state := range append(deviceStates(), exploredStates...) {
		got, err := engine.Answer(state)
		if err != nil {
			t.Errorf("%s: %v", state, err)
			continue
		}
		var want engine.Plan
		resultOf(t, got.Command, &want)
		if !reflect.DeepEqual(got.Params, want.Params) || got.FLOPs != want.FLOPs ||
			got.Memory.PeakBytes != want.Memory.PeakBytes {
			t.Errorf("%s: counts %+v %+v %+v, the command's %+v %+v %+v", state, got.Params,
				got.FLOPs, got.Memory, want.Params, want.FLOPs, want.Memory)
		}
		if a, b := got.Memory.Fits, want.Memory.Fits; (a == nil) != (b == nil) || a != nil && *a != *b {
			t.Errorf("%s: fits differs from the command's", state)
		}
		for name, pair := range map[string][2]*quantity.Interval{
			"step":  {got.Time.StepSeconds, want.Time.StepSeconds},
			"total": {got.Time.TotalSeconds, want.Time.TotalSeconds},
			"usd":   {got.Cost.USD, want.Cost.USD}, "energy": {
				got.Cost.EnergyKWh,
				want.Cost.EnergyKWh,
			}, "co2": {got.Cost.CO2Kg, want.Cost.CO2Kg},
		} {
			if a, b := pair[0], pair[1]; (a == nil) != (b == nil) || a != nil && *a != *b {
				t.Errorf("%s: %s %v, the command's %v", state, name, a, b)
			}
		}
		again, err := engine.Answer(got.Fragment)
		if err != nil || again.Fragment != got.Fragment || again.Command != got.Command {
			t.Errorf("%s: its own address %s gives %s and %s, %v", state, got.Fragment,
				again.Fragment, again.Command, err)
		}
	}
}

// TestExplorerFrontAgreesWithRecommend does the same for the front.
func TestExplorerFrontAgreesWithRecommend(t *testing.T) {
	for _, state := range []string{
		"",
		"shape=t5-large&hardware=a100&devices=8&objective=memory",
		"shape=t5-large&objective=cost",
		"shape=t5-base&el=13&among=lattice",
	} {
		front, err := engine.Recommend(state)
		if err != nil {
			t.Errorf("%s: %v", state, err)
			continue
		}
		var document struct {
			Results []struct {
				Shape   struct{ Name string }
				Params  struct{ Total int64 }
				Quality struct{ Downstream *quantity.Interval }
			}
		}
		decode(t, front.Command, &document)
		if len(document.Results) != len(front.Rows) {
			t.Errorf("%s: %d rows, the command's %d", state, len(front.Rows), len(document.Results))
			continue
		}
		for i, want := range document.Results {
			got := front.Rows[i]
			same := (got.Quality == nil) == (want.Quality.Downstream == nil) &&
				(got.Quality == nil || *got.Quality == *want.Quality.Downstream)
			if got.Name != want.Shape.Name || got.Params != want.Params.Total || !same {
				t.Errorf("%s: row %d is %+v, the command's %+v", state, i, got, want)
			}
		}
	}
}

// TestExplorerRefusesDamagedAddresses: an address is text from anyone.
func TestExplorerRefusesDamagedAddresses(t *testing.T) {
	for _, state := range []string{
		"el=0", "el=-1", "el=1e99", "devices=99999999999", "batch=x", "shape=", "shape=no-such",
		"hardware=no-such", "what=1", "%zz",
		"among=all", "objective=fame", "shape=t5-base&el=4096&dm=16777216&ff=16777216",
		"devices=100&batch=8", "shape=t5-efficient-tiny-sh", "precision=fp7", "optimizer=sgdd",
		"sp=maybe", "compiled=x", "price=-1", "price=x", "beside=a=b", "beside=&beside=&beside=&beside=",
		"beside=beside%3D", "zero=9", "recompute=some",
	} {
		if got, err := engine.Answer(state); err == nil && got.Params.Total <= 0 {
			t.Errorf("%s: an answer without parameters", state)
		} else if err == nil && !strings.Contains(state, "4096") {
			t.Errorf("%s: accepted as %s", state, got.Command)
		}
	}
}

func TestExploreWritesAPage(t *testing.T) {
	name := filepath.Join(t.TempDir(), "explorer.html")
	var out, complaints bytes.Buffer
	streams := frame.Streams{In: strings.NewReader(""), Out: &out, Err: &complaints, Env: func(string) string { return "" }}
	if code := Run(context.Background(), []string{"explore", "-o", name}, streams); code != 0 || out.Len() > 0 || complaints.Len() > 0 {
		t.Fatalf("exit %d, %s%s", code, out.String(), complaints.String())
	}
	if page, err := os.ReadFile(name); err != nil || !bytes.HasPrefix(page, []byte("<!doctype html>")) {
		t.Errorf("no page was written: %v", err)
	}
	if code := Run(context.Background(), []string{"explore"}, streams); code != frame.ExitUsage {
		t.Errorf("without -o: exit %d, want %d", code, frame.ExitUsage)
	}
}

func resultOf(t *testing.T, command string, into any) {
	t.Helper()
	var document struct{ Results []json.RawMessage }
	decode(t, command, &document)
	if err := json.Unmarshal(document.Results[0], into); err != nil {
		t.Fatal(err)
	}
}

func decode(t *testing.T, command string, into any) {
	t.Helper()
	args := append(strings.Fields(command)[1:], "--format", "json")
	var out, complaints bytes.Buffer
	if code := Run(context.Background(), args, frame.Streams{In: strings.NewReader(""), Out: &out, Err: &complaints, Env: func(string) string { return "" }}); code != 0 {
		t.Fatalf("%s: exit %d\n%s", command, code, complaints.String())
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		t.Fatal(err)
	}
}
