package page

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// samples are results of every command that has a section of its own, made by the commands in their
// names' order and cut to a few rows; see testdata.
func samples(t testing.TB) []Source {
	t.Helper()
	names, err := filepath.Glob("testdata/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	var out []Source
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Source{Name: filepath.Base(name), Text: text})
	}
	return out
}

func pageOf(t testing.TB, title string, sources []Source) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, Head{Title: title}, sources); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// maxPageBytes is what a page of all samples may take.
const maxPageBytes = 1_500_000

// TestSelfContained: nothing in the page points anywhere else, and it is small.
func TestSelfContained(t *testing.T) {
	text := pageOf(t, "A plan", samples(t))
	if len(text) > maxPageBytes {
		t.Errorf("%d bytes", len(text))
	}
	for _, bad := range []string{`src=`, `@import`, `url(`, `<link rel="stylesheet"`, `fetch(`, `XMLHttpRequest`} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	for _, link := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(link[1], "#") && link[1] != "data:," {
			t.Errorf("a link to %s", link[1])
		}
	}
}

// TestHostileNames: HTML in a model name is shown, not run.
func TestHostileNames(t *testing.T) {
	text := pageOf(t, hostile, hostileSources(t))
	if strings.Contains(text, "<script>alert") || strings.Contains(text, "<img") ||
		strings.Count(text, "<script") != 1 {
		t.Error("a name became an element")
	}
	if regexp.MustCompile(`<[^>]*"onload=`).MatchString(text) {
		t.Error("a name became an attribute")
	}
}

// hostile is a name that would be an element, an attribute, an image or a row.
const hostile = `<script>alert(1)</script>"onload="x" {{.}} ' & <img src=x onerror=alert(1)> | ![](http://x) @all`

// hostileSources has the name in every place that a user's text reaches.
func hostileSources(t *testing.T) []Source {
	t.Helper()
	const name = hostile
	quoted, err := json.Marshal(name)
	if err != nil {
		t.Fatal(err)
	}
	var sources []Source
	for _, command := range []string{"count", "plan", "recommend", "check", "diff", "fit", "list"} {
		text := strings.ReplaceAll(`{"schema":"deepnarrow/COMMAND/v1","tool":{"name":"deepnarrow","version":NAME},"conventions":{NAME:NAME},"warnings":[NAME],"results":[
			{"shape":{"name":NAME},"name":NAME,"file":NAME,"rule":NAME,"message":NAME,"hint":NAME,"status":"fail","hardware":NAME,"devices":1,"metric":NAME,"law":NAME,"why":NAME,
			 "params":{"total":10,"by_component":{NAME:10}},"assumptions":[{"name":NAME,"text":NAME,"source":NAME}],"attribution":[{"field":NAME,"delta":1}],
			 "parameters":{NAME:{"value":1}},"plot":{"x":NAME,"rows":{"x":[1,2],"recorded":[1,2],"predicted":[1,2],"residual":[0,0]}},"quality":{"downstream":{"value":1,"low":1,"high":1}}},
			{"shape":{"name":"b"},"params":{"total":20},"quality":{"downstream":{"value":2,"low":2,"high":2}}}]}`, "NAME", string(quoted))
		sources = append(sources, Source{
			Name: name,
			Text: []byte(strings.ReplaceAll(text, "COMMAND", command)),
		})
	}
	return sources
}

// TestOneWayIn: no string is turned into HTML of our own, so that all text from
// results is escaped.
func TestOneWayIn(t *testing.T) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "_test.go") && regexp.MustCompile(`\bstatic\)?\(`).Match(text) {
			t.Errorf("%s converts to static", name)
		}
	}
}

// TestBundle: the markdown shows every drawing that is written, in both
// formats, and nothing from elsewhere.
func TestBundle(t *testing.T) {
	for _, sources := range [][]Source{samples(t), hostileSources(t)} {
		kept := map[string][]byte{}
		var b bytes.Buffer
		err := Bundle(&b, Head{Title: "A plan"}, sources, func(name string, write func(io.Writer) error) error {
			var file bytes.Buffer
			defer func() { kept[name] = file.Bytes() }()
			return write(&file)
		})
		if err != nil {
			t.Fatal(err)
		}
		shown := 0
		for _, link := range regexp.MustCompile(`[^\\]\]\(([^)]*)\)`).FindAllStringSubmatch(b.String(), -1) {
			shown++
			if kept[link[1]] == nil {
				t.Errorf("a link to %s, which was not written", link[1])
			}
		}
		if shown == 0 || shown != len(kept) {
			t.Errorf("%d drawings, %d links", len(kept), shown)
		}
		for name, file := range kept {
			if _, err := png.Decode(bytes.NewReader(file)); strings.HasSuffix(name, ".png") && err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if strings.HasSuffix(name, ".svg") && xml.Unmarshal(file, new(struct{})) != nil {
				t.Errorf("%s is not XML", name)
			}
		}
		for _, bad := range []string{"<script", "<img", "http://", "@all"} {
			if strings.Contains(b.String(), bad) {
				t.Errorf("%q is not escaped", bad)
			}
		}
	}
}

// TestManyFits: every fit of a result draws all it may, and the page stays small.
func TestManyFits(t *testing.T) {
	var values, fits []string
	for i := range 200 {
		values = append(values, strconv.FormatFloat(1+math.Sqrt(float64(i)), 'g', -1, 64))
	}
	list := "[" + strings.Join(values, ",") + "]"
	rows := strings.ReplaceAll(`{"x":LIST,"recorded":LIST,"predicted":LIST,"low":LIST,"high":LIST,"residual":LIST}`, "LIST", list)
	for range 12 {
		fits = append(fits, `{"law":"auto","plot":{"x":"tokens","level":0.95,"curve":{"x":`+list+`,"value":`+list+`},"rows":`+rows+`,"held_out":`+rows+`}}`)
	}
	text := pageOf(t, "x", []Source{{Name: "fits.json", Text: []byte(`{"schema":"deepnarrow/fit/v1","results":[` + strings.Join(fits, ",") + `]}`)}})
	if len(text) > maxPageBytes || strings.Count(text, "<circle") != 12*2*400 {
		t.Errorf("%d bytes, %d dots", len(text), strings.Count(text, "<circle"))
	}
}

// TestNotResults: what is not a result is refused by name.
func TestNotResults(t *testing.T) {
	for _, bad := range []string{"", "{", "[]", `{"model_type":"t5"}`, `{"schema":"deepnarrow/plan"}`, `{"schema":"deepnarrow/plan/v1","results":[3]}`, `{"schema":"deepnarrow/plan/v1","results":{}}`} {
		err := Write(&bytes.Buffer{}, Head{Title: "x"}, []Source{{Name: "bad.json", Text: []byte(bad)}})
		if err == nil || !strings.HasPrefix(err.Error(), "bad.json: is not a result") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestManyRows: a result of any length gives a page of bounded size.
func TestManyRows(t *testing.T) {
	rows := strings.Repeat(`{"file":"configs/some/model.json","rule":"small-enough","status":"fail","message":"params is 737,668,608; allowed: at most 300M"},`, 50_000)
	text := pageOf(t, "x", []Source{{Name: "many.json", Text: []byte(`{"schema":"deepnarrow/check/v1","results":[` + rows[:len(rows)-1] + `]}`)}})
	if len(text) > maxPageBytes || !strings.Contains(text, "49000 more rows are in the JSON") {
		t.Errorf("%d bytes", len(text))
	}
}

// TestInBrowser loads the page in Chromium, sorts a table in both directions,
// points at a mark, and asserts that nothing was reported on the console,
// nothing was requested, and nothing is wider than the window.
func TestInBrowser(t *testing.T) {
	b := openBrowser(t)
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(pageOf(t, "A plan <b>", samples(t))), 0o644); err != nil {
		t.Fatal(err)
	}
	url := "file://" + filepath.ToSlash(file)
	b.open(url)
	for _, width := range []int{1280, 400} {
		for _, colours := range []string{"light", "dark"} {
			b.look(width, colours)
			var wide int
			if b.evaluate("document.documentElement.scrollWidth", &wide); wide > width {
				t.Errorf("%d pixels of %d, %s", wide, width, colours)
			}
			var paper string
			b.evaluate("getComputedStyle(document.body).backgroundColor", &paper)
			if want := map[string]string{"light": "rgb(252, 252, 251)", "dark": "rgb(20, 22, 26)"}[colours]; paper != want {
				t.Errorf("%s paper is %s, want %s", colours, paper, want)
			}
		}
	}

	// The column "params" of the recommended shapes.
	const column = `const head = [...document.querySelectorAll("th")].find(h => h.textContent === "params");
		const table = head.closest("table");
		const values = () => [...table.tBodies[0].rows].map(r => Number(r.cells[head.cellIndex].dataset.v));`
	var up, down []float64
	b.evaluate(`(() => {`+column+` head.querySelector("button").click(); return values(); })()`, &up)
	b.evaluate(`(() => {`+column+` head.querySelector("button").click(); return values(); })()`, &down)
	if len(up) < 3 || !slices.IsSorted(up) {
		t.Errorf("ascending: %v", up)
	}
	slices.Reverse(down)
	if !slices.Equal(up, down) {
		t.Errorf("descending: %v", down)
	}
	var order string
	b.evaluate(`(() => {`+column+` return head.getAttribute("aria-sort"); })()`, &order)
	if order != "descending" {
		t.Errorf("aria-sort is %q", order)
	}

	var detail struct {
		Text string
		Row  bool
	}
	b.evaluate(`(() => { const p = [...document.querySelectorAll(".point[data-key]")].find(p => p.dataset.key.startsWith("s3-")); p.focus();
		return {Text: p.closest("figure").querySelector(".details").textContent, Row: document.querySelector('tr[data-key="' + p.dataset.key + '"]').classList.contains("on")}; })()`, &detail)
	if !strings.Contains(detail.Text, "parameters") || !detail.Row {
		t.Errorf("details of a point: %+v", detail)
	}

	// The fits: a band or a line, and a dot a row in both drawings.
	var drawn struct{ Lines, Dots, Outside int }
	b.evaluate(`(() => { const fits = [...document.querySelectorAll("#s7, #s9")], all = q => fits.flatMap(s => [...s.querySelectorAll(q)]), dots = all("circle.dot");
		const outside = dots.filter(d => { const f = d.ownerSVGElement.getBoundingClientRect(), r = d.getBoundingClientRect(); return r.left < f.left || r.right > f.right || r.top < f.top || r.bottom > f.bottom; });
		return {Lines: all("path.line").length, Dots: dots.length, Outside: outside.length}; })()`, &drawn)
	if want := 2 * (40 + 14); drawn.Lines != 2 || drawn.Dots != want || drawn.Outside != 0 {
		t.Errorf("fits drawn as %+v, want 2 lines, %d dots, none outside", drawn, want)
	}

	b.accessible()
	b.onPaper()

	for _, e := range b.events {
		switch e.Method {
		case "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded":
			t.Errorf("console: %s", e.Params)
		case "Network.requestWillBeSent":
			var r struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &r); err != nil {
				t.Fatal(err)
			}
			if r.Request.URL != url && !strings.HasPrefix(r.Request.URL, "data:") &&
				r.Request.URL != "about:blank" {
				t.Errorf("request: %s", r.Request.URL)
			}
		}
	}
}

// The documents that the tests show were made in the folder of their files: they name no machine's.
func TestDocumentsNameNoMachine(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	absolute := regexp.MustCompile(`"/[A-Za-z0-9._-]+/[^"]*"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if found := absolute.Find(text); found != nil {
			t.Errorf("%s names %s", file, found)
		}
	}
}

// TestServingIsToldAsServing: a plan to serve says what serving takes and costs, nothing of a training run
// that nobody asked for, and stands beside no training run.
func TestServingIsToldAsServing(t *testing.T) {
	var served []Source
	for _, s := range samples(t) {
		if s.Name == "1-plan.json" || s.Name == "d-serve.json" {
			served = append(served, s)
		}
	}
	text := pageOf(t, "Serving", served)
	_, serving, _ := strings.Cut(text, "d-serve.json")
	for _, want := range []string{"a million tokens out", "a month", "to the first token", "2 devices each"} {
		if !strings.Contains(serving, want) {
			t.Errorf("no %q", want)
		}
	}
	if strings.Contains(serving, "wall clock") || strings.Contains(serving, "does not fit") || strings.Contains(text, "Side by side") {
		t.Error("serving is told as training")
	}
}

// TestWideTablesPrintAsParagraphs: a table of more columns than paper holds says in each cell which column
// it is of, which print shows in place of the heading.
func TestWideTablesPrintAsParagraphs(t *testing.T) {
	text := pageOf(t, "A protocol", slices.DeleteFunc(samples(t), func(s Source) bool { return s.Name != "e-protocol.json" }))
	if !strings.Contains(text, `<table class="many">`) || !strings.Contains(text, `data-h="params change"`) {
		t.Error("the columns of a wide table are not named in its cells")
	}
	if !strings.Contains(text, `.many td::before { content: attr(data-h)`) {
		t.Error("print does not show them")
	}
}
