package check

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"
)

// The elements of a JUnit report, as Jenkins and GitLab read it: a suite a file, a case a rule. A
// warning passes and says so in its output. Names of the cases of a suite differ: GitLab shows the
// first of those that do not. The line is in the text of a case alone: Jenkins'
// schema refuses a report whose cases have attributes for file and line.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	File     string      `xml:"file,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Skipped   *junitSkipped `xml:"skipped"`
	Error     *junitProblem `xml:"error"`
	Failure   *junitProblem `xml:"failure"`
	Output    string        `xml:"system-out,omitempty"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

type junitProblem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

func (r *Result) writeJUnit(w io.Writer) error {
	out := junitSuites{Name: "deepnarrow check"}
	findings := map[string]int{} // of a rule in a file
	for i := range r.Findings {
		findings[r.Findings[i].File+"\x00"+r.Findings[i].Rule]++
	}
	named := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if len(out.Suites) == 0 || out.Suites[len(out.Suites)-1].Name != f.File {
			out.Suites = append(out.Suites, junitSuite{Name: f.File, File: f.File})
		}
		s := &out.Suites[len(out.Suites)-1]
		c := junitCase{Name: f.Rule, ClassName: f.File}
		if findings[f.File+"\x00"+f.Rule] > 1 && f.Line > 0 {
			c.Name += fmt.Sprintf(" %d:%d", f.Line, f.Column)
		}
		if named[f.File+"\x00"+c.Name]++; named[f.File+"\x00"+c.Name] > 1 {
			c.Name += fmt.Sprintf(" #%d", named[f.File+"\x00"+c.Name])
		}
		problem := junitProblem{Message: f.Message, Type: string(f.Severity), Text: f.place() +
			": " + f.Message}
		if f.Hint != "" {
			problem.Text += "\nhint: " + f.Hint
		}
		switch {
		case f.Status == InError:
			c.Error = &problem
			s.Errors++
			out.Errors++
		case f.Status == Fail:
			c.Failure = &problem
			s.Failures++
			out.Failures++
		case f.Status == Warn:
			c.Output = "warning: " + problem.Text
		case f.Waiver != nil:
			c.Skipped = &junitSkipped{fmt.Sprintf("waived until %s: %s",
				f.Waiver.Expires.Format(time.DateOnly), f.Waiver.Reason)}
			s.Skipped++
		}
		s.Tests++
		out.Tests++
		s.Cases = append(s.Cases, c)
	}
	text, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}
