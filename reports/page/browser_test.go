package page

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// browser is a headless Chromium that is spoken to over a pipe: JSON messages that end in a zero
// byte (Chrome DevTools Protocol).
type browser struct {
	t       *testing.T
	in      io.Writer
	out     *bufio.Reader
	id      int
	session string
	events  []event
}

type event struct {
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

// openBrowser starts a browser with one empty page, or skips the test.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a browser")
	}
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Skip("no chromium here: the page is not looked at")
	}
	// Not t.TempDir: helpers of the browser may still write while it is removed.
	profile, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	fromTest, toBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromBrowser, toTest, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
		"--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--remote-debugging-pipe", "--user-data-dir="+profile)
	c.ExtraFiles = []*os.File{fromTest, toTest} // descriptors 3 and 4
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	fromTest.Close()
	toTest.Close()
	const patience = 5 * time.Minute // a slow machine; the browser itself takes a second, axe ten
	watchdog := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	t.Cleanup(func() {
		watchdog.Stop()
		toBrowser.Close()
		fromBrowser.Close()
		_ = c.Process.Kill()
		_ = c.Wait()
		_ = os.RemoveAll(profile)
	})
	b := &browser{t: t, in: toBrowser, out: bufio.NewReader(fromBrowser)}
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true},
		&attached)
	b.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	return b
}

// call sends a command and waits for its answer; events are kept.
func (b *browser) call(method string, params any, result any) {
	b.t.Helper()
	b.id++
	message := map[string]any{"id": b.id, "method": method}
	if params != nil {
		message["params"] = params
	}
	if b.session != "" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.in.Write(append(text, 0)); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
	for {
		reply := b.read(method)
		if reply.ID != b.id {
			continue
		}
		if reply.Error != nil {
			b.t.Fatalf("%s: %s", method, reply.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(reply.Result, result); err != nil {
				b.t.Fatalf("%s: %v", method, err)
			}
		}
		return
	}
}

type reply struct {
	event
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string `json:"message"`
	} `json:"error"`
}

func (b *browser) read(waitingFor string) reply {
	b.t.Helper()
	text, err := b.out.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("waiting for %s: %v", waitingFor, err)
	}
	var r reply
	if err := json.Unmarshal(text[:len(text)-1], &r); err != nil {
		b.t.Fatal(err)
	}
	if r.Method != "" {
		b.events = append(b.events, r.event)
	}
	return r
}

// open loads a page and waits until it is complete.
func (b *browser) open(url string) {
	b.t.Helper()
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	for {
		for _, e := range b.events {
			if e.Method == "Page.loadEventFired" {
				return
			}
		}
		b.read("Page.loadEventFired")
	}
}

// evaluate runs JavaScript in the page and reads its value.
func (b *browser) evaluate(script string, into any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", script, r.ExceptionDetails)
	}
	if err := json.Unmarshal(r.Result.Value, into); err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
}

// look sets the size and colours of the window; with DEEPNARROW_SCREENSHOTS set to a folder the
// page is drawn there, for people.
func (b *browser) look(width int, colours string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": width, "height": 900,
		"deviceScaleFactor": 1, "mobile": width < 600,
	}, nil)
	b.call("Emulation.setEmulatedMedia",
		map[string]any{"features": []map[string]string{{
			"name":  "prefers-color-scheme",
			"value": colours,
		}}}, nil)
	folder := os.Getenv("DEEPNARROW_SCREENSHOTS")
	if folder == "" {
		return
	}
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &shot)
	image, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(fmt.Sprintf("%s/report-%d-%s.png", folder, width, colours), image, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// axe is where npm puts axe-core, the checker of accessibility: npm install --no-save axe-core.
const axe = "../../node_modules/axe-core/axe.min.js"

// accessible runs axe-core in the page, in light and dark, and reports what it finds serious or
// critical. Without axe-core, which DEEPNARROW_AXE may name, nothing is checked.
func (b *browser) accessible() {
	b.t.Helper()
	file := cmp.Or(os.Getenv("DEEPNARROW_AXE"), axe)
	checker, err := os.ReadFile(file)
	if err != nil {
		b.t.Logf("accessibility is not checked: %v; npm install --no-save axe-core, or name axe.min.js in DEEPNARROW_AXE", err)
		return
	}
	b.call("Runtime.evaluate", map[string]any{"expression": string(checker)}, nil)
	for _, colours := range []string{"light", "dark"} {
		b.look(1280, colours)
		var r struct {
			Result           struct{ Value string }
			ExceptionDetails json.RawMessage
		}
		b.call("Runtime.evaluate", map[string]any{
			"awaitPromise": true, "returnByValue": true,
			"expression": `axe.run().then(r => r.passes.length < 10 ? "little was checked" : r.violations.filter(v => ["serious", "critical"].includes(v.impact)).map(v =>
				v.impact + " " + v.id + ": " + v.help + ", such as " + v.nodes[0].html.slice(0, 200) + " " + v.nodes[0].failureSummary).join("\n"))`,
		}, &r)
		if r.ExceptionDetails != nil {
			b.t.Fatalf("axe: %s", r.ExceptionDetails)
		}
		if r.Result.Value != "" {
			b.t.Errorf("%s: %s", colours, r.Result.Value)
		}
	}
}

// onPaper asserts that no table is wider than an A4 sheet between its margins.
func (b *browser) onPaper() {
	b.t.Helper()
	const paper = 703 // pixels: 186 mm, of 96 an inch
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "print"}, nil)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{
		"width": paper, "height": 1000, "deviceScaleFactor": 1, "mobile": false,
	}, nil)
	var wide []string
	b.evaluate(`[...document.querySelectorAll("table, .card, figure svg")].filter(e => e.getBoundingClientRect().right > document.body.clientWidth + 1)
		.map(e => e.textContent.slice(0, 60) + " " + e.getBoundingClientRect().right)`, &wide)
	if len(wide) > 0 {
		b.t.Errorf("wider than paper: %q", wide)
	}
}
