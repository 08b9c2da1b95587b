package explore

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a headless Chromium spoken to in its DevTools protocol over two pipes. It keeps every
// complaint of the page and every address it asked for.
type browser struct {
	t      *testing.T
	to     *os.File
	next   int
	events chan message

	mu         sync.Mutex
	complaints []string
	requests   []string
}

type message struct {
	ID      int             `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
	Session string          `json:"sessionId,omitempty"`
}

// patience bounds every wait on the browser, so that a test that hangs says where; it is not a claim
// about speed. The first search fits the shipped evidence, which takes seconds on a busy machine.
const patience = 2 * time.Minute

// openBrowser starts Chromium on a page, or skips the test where there is none.
func openBrowser(t *testing.T, address string) (b *browser, session string) {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium on the path: the page is not opened in a browser")
	}
	fromUs, toBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromBrowser, toUs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "--headless", "--no-sandbox", "--disable-gpu",
		"--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	command.ExtraFiles = []*os.File{fromUs, toUs}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	fromUs.Close()
	toUs.Close()
	b = &browser{t: t, to: toBrowser, events: make(chan message, 1024)}
	t.Cleanup(func() {
		b.send("", "Browser.close", nil)
		done := make(chan struct{})
		go func() { command.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			command.Process.Kill()
			<-done
		}
		toBrowser.Close()
	})
	go b.listen(fromBrowser)

	var target struct{ TargetID string }
	b.call("", "Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("", "Target.attachToTarget", map[string]any{
		"targetId": target.TargetID,
		"flatten":  true,
	}, &attached)
	session = attached.SessionID
	for _, domain := range []string{
		"Runtime.enable", "Log.enable", "Network.enable",
		"Page.enable",
	} {
		b.call(session, domain, nil, nil)
	}
	b.call(session, "Page.navigate", map[string]any{"url": address}, nil)
	return b, session
}

// listen sorts what the browser says: answers, complaints and requests.
func (b *browser) listen(from *os.File) {
	defer close(b.events)
	for r := bufio.NewReaderSize(from, 1<<20); ; {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		switch m.Method {
		case "Runtime.exceptionThrown", "Log.entryAdded":
			b.complaints = append(b.complaints, string(m.Params))
		case "Runtime.consoleAPICalled":
			if strings.Contains(string(m.Params), `"type":"error"`) {
				b.complaints = append(b.complaints, string(m.Params))
			}
		case "Network.requestWillBeSent":
			var sent struct{ Request struct{ URL string } }
			if json.Unmarshal(m.Params, &sent) == nil {
				b.requests = append(b.requests, sent.Request.URL)
			}
		}
		b.mu.Unlock()
		if m.ID != 0 {
			b.events <- m
		}
	}
}

func (b *browser) send(session, method string, params any) int {
	b.next++
	text, err := json.Marshal(map[string]any{"id": b.next, "method": method, "params": params})
	if session != "" {
		text, err = json.Marshal(map[string]any{
			"id": b.next, "method": method, "params": params,
			"sessionId": session,
		})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(text, 0)); err != nil {
		b.t.Logf("%s: %v", method, err)
	}
	return b.next
}

func (b *browser) call(session, method string, params, into any) {
	b.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	id := b.send(session, method, params)
	for deadline := time.After(patience); ; {
		select {
		case m, open := <-b.events:
			switch {
			case !open:
				b.t.Fatalf("%s: the browser went away", method)
			case m.ID != id:
				continue
			case m.Error != nil:
				b.t.Fatalf("%s: %s", method, m.Error)
			case into != nil:
				if err := json.Unmarshal(m.Result, into); err != nil {
					b.t.Fatal(err)
				}
			}
			return
		case <-deadline:
			b.t.Fatalf("%s: no answer", method)
		}
	}
}

// run evaluates a script in the page and decodes the JSON of its value.
func (b *browser) run(session, script string, into any) {
	b.t.Helper()
	var out struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call(session, "Runtime.evaluate", map[string]any{
		"expression": script, "returnByValue": true,
		"awaitPromise": true,
	}, &out)
	if out.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", script, out.ExceptionDetails)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(out.Result.Value, into); err != nil {
		b.t.Fatalf("%s: %v in %s", script, err, out.Result.Value)
	}
}

// wait returns once a condition holds in the page.
func (b *browser) wait(session, condition string) {
	b.t.Helper()
	for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		var holds bool
		b.run(session, "!!("+condition+")", &holds)
		if holds {
			return
		}
		if time.Since(began) > patience {
			var text string
			b.run(session, "document.body ? document.body.innerText.slice(0, 2000) : ''", &text)
			b.t.Fatalf("never: %s\nthe page says:\n%s\ncomplaints: %v", condition, text,
				b.complaints)
		}
	}
}

// quiet fails the test where the page complained or asked the network.
func (b *browser) quiet(page string) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.t.Errorf("the page complains: %s", c)
	}
	for _, address := range b.requests {
		outside := !strings.HasPrefix(address, page) && !strings.HasPrefix(address, "blob:") &&
			!strings.HasPrefix(address, "data:") && address != "about:blank"
		if outside {
			b.t.Errorf("the page asks for %s", address)
		}
	}
}

// picture keeps a screenshot where DEEPNARROW_SCREENSHOTS names a folder.
func (b *browser) picture(session, name string, width int, dark bool) {
	b.t.Helper()
	folder := os.Getenv("DEEPNARROW_SCREENSHOTS")
	if folder == "" {
		return
	}
	scheme := b.emulate(session, width, dark)
	var shot struct{ Data []byte }
	b.call(session, "Page.captureScreenshot", map[string]any{
		"format":                "png",
		"captureBeyondViewport": true,
	}, &shot)
	if err := os.WriteFile(fmt.Sprintf("%s/%s-%d-%s.png", folder, name, width, scheme), shot.Data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// emulate shows the page on a screen of a width, in a light or a dark scheme, whose name it returns.
func (b *browser) emulate(session string, width int, dark bool) string {
	b.t.Helper()
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	b.call(session, "Emulation.setEmulatedMedia",
		map[string]any{"features": []map[string]string{{
			"name":  "prefers-color-scheme",
			"value": scheme,
		}}}, nil)
	b.call(session, "Emulation.setDeviceMetricsOverride",
		map[string]any{
			"width": width, "height": 900, "deviceScaleFactor": 1,
			"mobile": width < 600,
		}, nil)
	return scheme
}

// accessible runs axe-core, as npm install --no-save axe-core puts it or DEEPNARROW_AXE names it, and
// reports what it finds serious or critical on a desk and on a phone, light and dark; without it nothing
// is checked.
func (b *browser) accessible(session string) {
	b.t.Helper()
	file := cmp.Or(os.Getenv("DEEPNARROW_AXE"), "../../node_modules/axe-core/axe.min.js")
	checker, err := os.ReadFile(file)
	if err != nil {
		b.t.Logf("accessibility is not checked: %v; npm install --no-save axe-core, or name axe.min.js in DEEPNARROW_AXE", err)
		return
	}
	b.call(session, "Runtime.evaluate", map[string]any{"expression": string(checker)}, nil)
	for _, width := range []int{1280, 400} {
		for _, dark := range []bool{false, true} {
			scheme := b.emulate(session, width, dark)
			var found []string
			b.run(session, `axe.run().then((r) => r.passes.length < 10 ? ["little was checked"] : r.violations.filter((v) => ["serious", "critical"].includes(v.impact))
				.map((v) => v.id + ": " + v.nodes[0].html.slice(0, 200) + " " + v.nodes[0].failureSummary))`, &found)
			for _, f := range found {
				b.t.Errorf("at %d px, %s: %s", width, scheme, f)
			}
		}
	}
	b.emulate(session, 1280, false)
}
