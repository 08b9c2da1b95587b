package check

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// hostile is what a config value may hold to break out of a format.
var hostile = "a|b <script>alert('x')</script> & \r\n::error file=x,line=1::owned %0A ]]> `code` [link](http://x) @all #1 \x1b[31m\u2028 " + strings.Repeat("w", 300)

// hostileResult has the string in every place that a user's text reaches.
func hostileResult(findings int) Result {
	var r Result
	value, limit := 2.0, 1.0
	for i := range findings {
		for _, s := range []Status{InError, Fail, Warn, Pass} {
			f := Finding{
				File: hostile, Line: i + 1, Column: 3, Rule: "a-rule", Severity: Error,
				Status: s, Value: &value, Limit: &limit, Message: hostile, Hint: hostile,
			}
			switch s {
			case Warn:
				f.Severity = Warning
			case Pass:
				f.Waiver = &Waiver{
					Rule: "a-rule", Reason: hostile,
					Expires: time.Date(2030, 1, 31, 0, 0, 0, 0, time.UTC),
				}
			}
			r.Findings = append(r.Findings, f)
		}
	}
	r.Costs = []Cost{{File: hostile, Shape: hostile}}
	return r
}

func written(t *testing.T, r Result, f Format) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b, f, About{Version: "test", Rules: []Rule{{ID: "a-rule", Metric: plan.Params, Severity: Error}}}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHostileText: no format is broken by what a configuration says.
func TestHostileText(t *testing.T) {
	r := hostileResult(1)

	t.Run("table", func(t *testing.T) {
		text := written(t, r, TextFormat)
		if strings.ContainsAny(text, "\x1b\r\u2028") || strings.Contains(text, "\n::error") {
			t.Error("a control character or a workflow command reaches the terminal")
		}
	})
	t.Run("github", func(t *testing.T) {
		// Workflow commands are lines; what does not start with :: is log text.
		lines := strings.Split(strings.TrimSuffix(written(t, r, GitHubFormat), "\n"), "\n")
		if len(lines) != 3 {
			t.Errorf("%d lines for 3 findings", len(lines))
		}
		property := regexp.MustCompile(`^::(error|warning) file=[^:,]*,line=\d+,col=\d+,title=[^:,]*::[^\r]*$`)
		for _, line := range lines {
			if !property.MatchString(line) {
				t.Errorf("not one command: %q", line)
			}
		}
	})
	t.Run("junit", func(t *testing.T) {
		var suites junitSuites
		if err := xml.Unmarshal([]byte(written(t, r, JUnitFormat)), &suites); err != nil {
			t.Fatal(err)
		}
		// Everything comes back but the escape character, which XML 1.0 cannot hold.
		if got, want := suites.Suites[0].Name, strings.ReplaceAll(hostile, "\x1b", "\ufffd"); got != want {
			t.Errorf("name %q, want %q", got, want)
		}
	})
	t.Run("sarif", func(t *testing.T) {
		var log sarifLog
		if err := json.Unmarshal([]byte(written(t, r, SARIFFormat)), &log); err != nil {
			t.Fatal(err)
		}
		if uri := log.Runs[0].Results[0].Locations[0].Physical.Artifact.URI; strings.ContainsAny(uri, " <>|\n`\"") {
			t.Errorf("uri %q", uri)
		}
	})
	t.Run("markdown", func(t *testing.T) {
		text := written(t, r, CommentFormat)
		for _, line := range strings.Split(text, "\n") {
			if cells := len(regexp.MustCompile(`(^|[^\\])\|`).FindAllString(line, -1)); strings.HasPrefix(line, "| ") && strings.Contains(line, "a-rule") && cells != 5 {
				t.Errorf("%d bars in a row of 4 cells: %s", cells, line)
			}
		}
		for _, bad := range []string{"<script", "@all", "http://", " #1"} {
			if strings.Contains(text, bad) {
				t.Errorf("%q is not escaped", bad)
			}
		}
		if !strings.HasPrefix(text, Marker+"\n") {
			t.Error("the marker is not the first line")
		}
	})
}

// TestAnnotationsAreFew: GitHub shows 10 of a level; the last says what is left.
func TestAnnotationsAreFew(t *testing.T) {
	for _, c := range []struct{ findings, lines int }{{1, 1}, {10, 10}, {11, 10}, {50, 10}} {
		var r Result
		for range c.findings {
			r.Findings = append(r.Findings, Finding{
				File: "f", Rule: "a", Status: Warn,
				Severity: Warning,
			})
		}
		lines := strings.Split(strings.TrimSpace(written(t, r, GitHubFormat)), "\n")
		if len(lines) != c.lines {
			t.Errorf("%d lines for %d warnings, want %d", len(lines), c.findings, c.lines)
		}
		if last := lines[len(lines)-1]; c.findings > 10 && !strings.HasSuffix(last, fmt.Sprintf("::%d more", c.findings-9)) {
			t.Errorf("last line %q", last)
		}
	}
}

// TestCommentFits: a comment stays under what code hosts take (GitHub: 65,536 characters) with the
// longest realistic messages.
func TestCommentFits(t *testing.T) {
	const most = 65_536
	r := hostileResult(500)
	for i := range r.Findings {
		r.Findings[i].Message = strings.Repeat("m", 300)
		r.Findings[i].Hint, r.Findings[i].File = "hint", "configs/a.json"
		if r.Findings[i].Waiver != nil {
			r.Findings[i].Waiver.Reason = "because"
		}
	}
	if n := len(written(t, r, CommentFormat)); n > most {
		t.Errorf("%d characters", n)
	}
}

// validated are results that reach every element a format has.
func validated(t *testing.T) []Result {
	return []Result{{}, hostileResult(2), Check(request(t,
		"rules: [{id: a, metric: params, max: 100M}, {id: head-size}, {id: b, metric: cost, max: $1}]", "", "t5-base", "t5-small"))}
}

// TestSchemas holds JSON to the project's schema and SARIF to the published one
// (testdata/published/NOTICE.md).
func TestSchemas(t *testing.T) {
	for _, c := range []struct {
		format Format
		schema string
	}{
		{JSONFormat, "../../docs/schema/check.schema.json"},
		{SARIFFormat, "testdata/published/sarif-2.1.0-rtm.5.json"},
	} {
		schema, err := jsonschema.NewCompiler().Compile(c.schema)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range validated(t) {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, r, c.format)))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(value); err != nil {
				t.Errorf("%s: %v", c.format, err)
			}
		}
	}
}

// TestJUnitSchema holds JUnit to the schema by which Jenkins accepts it
// (testdata/published/NOTICE.md). Go has no reader of XML Schema: xmllint is one.
func TestJUnitSchema(t *testing.T) {
	program, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("no xmllint here: JUnit is not held to its schema")
	}
	for _, r := range validated(t) {
		c := exec.Command(program, "--noout", "--nonet", "--schema",
			"testdata/published/junit-10.xsd", "-")
		c.Stdin = strings.NewReader(written(t, r, JUnitFormat))
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestJUnitStructure: the counts of a suite are those of its cases, and every case has at most one
// outcome, as readers expect and no schema can say.
func TestJUnitStructure(t *testing.T) {
	var suites junitSuites
	if err := xml.Unmarshal([]byte(written(t, hostileResult(3), JUnitFormat)), &suites); err != nil {
		t.Fatal(err)
	}
	tests, failures, errors := 0, 0, 0
	for _, s := range suites.Suites {
		failed, broken, skipped := 0, 0, 0
		for _, c := range s.Cases {
			outcomes := 0
			if c.Failure != nil {
				failed++
				outcomes++
			}
			if c.Error != nil {
				broken++
				outcomes++
			}
			if c.Skipped != nil {
				skipped++
				outcomes++
			}
			if outcomes > 1 || c.Name == "" || c.ClassName == "" {
				t.Errorf("case %+v", c)
			}
		}
		if s.Tests != len(s.Cases) || s.Failures != failed || s.Errors != broken ||
			s.Skipped != skipped {
			t.Errorf("suite counts %d %d %d %d", s.Tests, s.Failures, s.Errors, s.Skipped)
		}
		tests, failures, errors = tests+s.Tests, failures+failed, errors+broken
	}
	if suites.Tests != tests || suites.Failures != failures || suites.Errors != errors {
		t.Errorf("totals %+v", suites)
	}
}

// Cases of one rule have names of their own, even of findings on one line; files are called as the
// repository calls them.
func TestJUnitNamesDiffer(t *testing.T) {
	r := Result{Findings: []Finding{
		{File: "config.json", Rule: "unknown-field", Line: 14, Column: 2, Status: Fail},
		{File: "config.json", Rule: "unknown-field", Line: 15, Column: 2, Status: Fail},
		{File: "config.json", Rule: "unknown-field", Line: 15, Column: 2, Status: Fail},
		{File: "config.json", Rule: "head-size", Line: 9, Column: 2, Status: Pass},
		{File: "other.json", Rule: "unknown-field", Line: 3, Column: 2, Status: Fail},
	}}
	about := About{InRepository: func(file string) string { return "models/" + file }}
	for f, want := range map[Format][]string{
		JUnitFormat: {
			`name="unknown-field 14:2" classname="models/config.json"`,
			`name="unknown-field 15:2" `, `name="unknown-field 15:2 #2" `, `name="head-size" `,
			`name="unknown-field" classname="models/other.json"`,
		},
		SARIFFormat:  {`"uri": "models/config.json"`},
		GitHubFormat: {"::error file=models/config.json,line=14"},
		JSONFormat:   {`"file": "config.json"`},
	} {
		var b bytes.Buffer
		if err := r.Write(&b, f, about); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s lacks %s:\n%s", f, w, &b)
			}
		}
	}
}

// A text of many files lists what fails, three warnings of each rule and twenty costs; Verbose lists all.
func TestTextOfManyFiles(t *testing.T) {
	var r Result
	for i := range 50 {
		name := fmt.Sprintf("m%d.json", i)
		for status, rule := range map[Status]string{Warn: "odd", Fail: "large"} {
			r.Findings = append(r.Findings, Finding{File: name, Rule: rule, Status: status, Message: "message"})
		}
		r.Costs = append(r.Costs, Cost{File: name})
	}
	for verbose, want := range map[bool]int{false: 50 + 3 + 20, true: 150} {
		var b bytes.Buffer
		if err := r.Write(&b, TextFormat, About{Verbose: verbose}); err != nil {
			t.Fatal(err)
		}
		if got := strings.Count(b.String(), ".json"); got != want {
			t.Errorf("%v: %d names, want %d:\n%s", verbose, got, want, b.String())
		}
		for _, more := range []string{"and 47 more warnings of odd: -v shows all", "and 30 more files: -v shows all"} {
			if strings.Contains(b.String(), more) == verbose {
				t.Errorf("%v: %q\n%s", verbose, more, b.String())
			}
		}
	}
}
