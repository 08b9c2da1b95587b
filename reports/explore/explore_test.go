package explore

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/explore/engine"
)

var update = flag.Bool("update", false, "rebuild the embedded program")

// builtWith names the Go version of the embedded program: another one gives other bytes.
const builtWith = "explorer.go-version"

// TestProgramIsFresh rebuilds the embedded program and compares its bytes.
func TestProgramIsFresh(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program for WebAssembly")
	}
	version, err := os.ReadFile(builtWith)
	if err != nil {
		t.Fatal(err)
	}
	if was := strings.TrimSpace(string(version)); was != runtime.Version() && !*update {
		t.Skipf("the program was built with %s, this is %s: their bytes differ", was,
			runtime.Version())
	}
	name := filepath.Join(t.TempDir(), "explorer.wasm")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o",
		name, "github.com/deepnarrow/deepnarrow/cmd/explorer")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=",
		"GOEXPERIMENT=", "GOWASM=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	fresh, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	embedded, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case bytes.Equal(fresh, embedded):
	case !*update:
		t.Errorf(
			"the embedded program is %d bytes, a fresh build %d, and they differ: go test ./reports/explore -run Fresh -update", len(embedded), len(fresh))
	default:
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := z.Write(fresh); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("explorer.wasm.gz", packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(builtWith, []byte(runtime.Version()+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// largestPage is the limit.
const largestPage = 12 << 20

func TestPageHoldsAll(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b); err != nil {
		t.Fatal(err)
	}
	if b.Len() > largestPage {
		t.Errorf("the page is %d bytes; allowed: %d", b.Len(), largestPage)
	}
	text := b.String()
	for _, slot := range []string{"{style}", "{loader}", "{worker}", "{script}", "{program}"} {
		if strings.Contains(text, slot) {
			t.Errorf("the page still has %s", slot)
		}
	}
	if got := strings.Count(text, "</script>"); got != 4 {
		t.Errorf("%d ends of scripts; want the four of page.html", got)
	}
	for _, outside := range []string{" src=", "http://", "@import"} {
		if strings.Contains(strings.ReplaceAll(text, "http://www.w3.org/2000/svg", ""), outside) {
			t.Errorf("the page refers to something outside: %q", outside)
		}
	}
}

// TestPageInBrowser moves sliders in a real browser and compares the page's numbers with the native
// engine's, which engine's own test compares with the command's JSON.
func TestPageInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a browser")
	}
	name := filepath.Join(t.TempDir(), "explorer.html")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	address := (&url.URL{Scheme: "file", Path: name}).String()
	b, session := openBrowser(t, address)
	b.wait(session, "document.body && document.body.dataset.fragment")

	move := func(slider, value string) engine.Plan {
		t.Helper()
		b.run(session, `(() => { const r = document.getElementById("range-`+slider+`"); r.value = `+value+`; r.dispatchEvent(new Event("input")); })()`, nil)
		return compare(t, b, session)
	}
	compare(t, b, session)
	if got := move("el", "24").Name; got != "t5-base/el=24" {
		t.Errorf("the slider of encoder layers gives %s", got)
	}
	move("dl", "6")
	move("dm", "512")
	move("ff", "2048")
	move("nh", "8")
	move("batch", "8")
	move("enc", "10")
	move("dec", "8")
	move("devices", "5")
	if got := move("steps", "16").Dimensions["steps"]; got != 1<<16 {
		t.Errorf("the slider of steps gives %d", got)
	}
	b.run(session, `(() => { const s = document.getElementById("hardware"); s.value = "v100"; s.dispatchEvent(new Event("change")); })()`, nil)
	if got := compare(t, b, session); !strings.Contains(got.Command, "--hardware v100") {
		t.Errorf("the list of hardware gives %s", got.Command)
	}

	// A state that cannot be: the page says why and keeps the last answer.
	b.run(session, `(() => { const n = document.getElementById("number-devices"); n.value = "100"; n.dispatchEvent(new Event("change")); })()`, nil)
	b.wait(session, `!document.getElementById("error").hidden && document.getElementById("error").textContent`)

	// Choices, and a price of one's own.
	b.run(session, `(() => { const n = document.getElementById("number-devices"); n.value = "16"; n.dispatchEvent(new Event("change"));
		for (const [id, value] of [["word-optimizer", "adam"], ["word-zero", "1"], ["price", "1.25"]]) { const s = document.getElementById(id); s.value = value; s.dispatchEvent(new Event("change")); } })()`, nil)
	if got := compare(t, b, session); !strings.Contains(got.Command, "--zero 1 --optimizer adam --price 1.25") {
		t.Errorf("the choices give %s", got.Command)
	}

	// A model with a decoder alone that does not fit: the first change that is offered makes it fit.
	b.run(session, `location.hash = "shape=llama-3-8b&hardware=h100&devices=8&optimizer=adam"`, nil)
	b.wait(session, `document.body.dataset.aside && document.body.dataset.aside.includes("llama-3-8b")`)
	var offer struct {
		Title  string
		Hidden []bool
	}
	b.run(session, `({ Title: document.getElementById("changes-title").textContent,
		Hidden: ["el", "dl", "enc", "dec"].map((k) => document.getElementById("range-" + k).parentElement.hidden) })`, &offer)
	if !strings.Contains(offer.Title, "does not fit") || !reflect.DeepEqual(offer.Hidden, []bool{true, false, true, false}) {
		t.Errorf("a decoder that does not fit: %+v", offer)
	}
	b.run(session, `document.getElementById("keep").click()`, nil)
	b.run(session, `document.querySelector("#changes button").click()`, nil)
	if got := compare(t, b, session); got.Memory.Fits == nil || !*got.Memory.Fits || len(got.Beside) != 1 {
		t.Errorf("the change gives %+v, %d beside", got.Memory, len(got.Beside))
	}
	var columns int
	b.run(session, `document.querySelectorAll("#beside thead th").length`, &columns)
	if columns != 3 {
		t.Errorf("%d columns side by side; want the names, this plan and the one kept", columns)
	}
	b.accessible(session)

	// A shared address opens the same state.
	b.run(session, `location.hash = "shape=t5-large&hardware=a100&nh=8&devices=8"`, nil)
	b.wait(session, `document.body.dataset.fragment.includes("t5-large")`)
	compare(t, b, session)

	// The front of that state.
	b.wait(session, `document.body.dataset.front === document.body.dataset.fragment`)
	var page struct {
		Names   []string
		Command string
		Milli   string
	}
	b.run(session, `({
		Names: [...document.querySelectorAll("#rows tbody button")].map(b => b.textContent),
		Command: document.getElementById("frontcommand").textContent,
		Milli: document.body.dataset.moveMilliseconds + " ms a move, front: " + document.getElementById("frontstate").textContent })`, &page)
	var fragment string
	b.run(session, `document.body.dataset.fragment`, &fragment)
	want, err := engine.Recommend(fragment)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range want.Rows {
		names = append(names, r.Name)
	}
	if !reflect.DeepEqual(page.Names, names) || page.Command != want.Command {
		t.Errorf("the page's front is %v of %q, the engine's %v of %q", page.Names, page.Command,
			names, want.Command)
	}
	t.Log(page.Milli)
	var spent []float64
	b.run(session, `(() => { const r = document.getElementById("range-dl"), spent = [];
		for (let i = 0; i < 60; i++) { r.value = 1 + i; r.dispatchEvent(new Event("input")); spent.push(+document.body.dataset.moveMilliseconds); }
		return spent; })()`, &spent)
	slices.Sort(spent)
	t.Logf("%d moves: median %.1f ms, slowest %.1f ms (shown, not asserted)", len(spent),
		spent[len(spent)/2], spent[len(spent)-1])
	b.run(session, `location.hash = ""`, nil)
	b.wait(session, `document.body.dataset.fragment.includes("t5-base") && document.body.dataset.front === document.body.dataset.fragment`)
	for _, width := range []int{1280, 400} {
		for _, dark := range []bool{false, true} {
			b.picture(session, "explorer", width, dark)
		}
	}
	b.call(session, "Emulation.setDeviceMetricsOverride",
		map[string]any{"width": 400, "height": 900, "deviceScaleFactor": 1, "mobile": true}, nil)
	var overflow int
	b.run(session, `document.documentElement.scrollWidth - 400`, &overflow)
	if overflow > 0 {
		t.Errorf("at 400 px the page is %d px too wide", overflow)
	}
	b.quiet(address)
}

// rounding is how far two builds of one formula may differ: some processors fuse a multiply and an
// add, WebAssembly does not.
const rounding = 1e-12

// near says where two plans differ by more than rounding, or "".
func near(a, b engine.Plan) string {
	for _, f := range []struct {
		name string
		a, b *quantity.Interval
	}{
		{"step", a.Time.StepSeconds, b.Time.StepSeconds},
		{"total", a.Time.TotalSeconds, b.Time.TotalSeconds},
		{"cost", a.Cost.USD, b.Cost.USD},
		{"energy", a.Cost.EnergyKWh, b.Cost.EnergyKWh},
		{"CO2", a.Cost.CO2Kg, b.Cost.CO2Kg},
	} {
		if (f.a == nil) != (f.b == nil) {
			return f.name + " is known to one of them"
		}
		if f.a == nil {
			continue
		}
		for _, v := range [][2]float64{
			{f.a.Value, f.b.Value},
			{f.a.Low, f.b.Low},
			{f.a.High, f.b.High},
		} {
			if !approx.Relative(v[0], v[1], rounding) {
				return fmt.Sprintf("%s: %v and %v", f.name, v[0], v[1])
			}
		}
	}
	if !reflect.DeepEqual(a.Params, b.Params) || a.FLOPs != b.FLOPs ||
		a.Memory.PeakBytes != b.Memory.PeakBytes ||
		!reflect.DeepEqual(a.Memory.Fits, b.Memory.Fits) {
		return fmt.Sprintf("counts: %+v %+v %+v and %+v %+v %+v", a.Params, a.FLOPs, a.Memory,
			b.Params, b.FLOPs, b.Memory)
	}
	return ""
}

// compare returns the page's plan, after checking its numbers and what it shows against the native
// engine's.
func compare(t *testing.T, b *browser, session string) engine.Plan {
	t.Helper()
	var fragment, text string
	b.run(session, `document.body.dataset.fragment`, &fragment)
	b.run(session, `deepnarrow("plan", document.body.dataset.fragment)`, &text)
	var page struct {
		Answer engine.Plan
		Error  string
	}
	if err := json.Unmarshal([]byte(text), &page); err != nil || page.Error != "" {
		t.Fatalf("%s: %v %s", fragment, err, page.Error)
	}
	want, err := engine.Answer(fragment)
	if err != nil {
		t.Fatal(err)
	}
	if err := near(page.Answer, want); err != "" {
		t.Errorf("%s: the page and the engine differ: %s", fragment, err)
	}
	var shown []string
	b.run(session, `[...document.querySelectorAll("#cards b")].map(e => e.textContent)`, &shown)
	for i, c := range want.Cards {
		if i >= len(shown) || shown[i] != c.Text {
			t.Errorf("%s: the page shows %q, want %s %q", fragment, shown, c.Title, c.Text)
			break
		}
	}
	var command string
	b.run(session, `document.getElementById("command").textContent`, &command)
	if command != want.Command {
		t.Errorf("%s: the page shows %q, want %q", fragment, command, want.Command)
	}
	return page.Answer
}
