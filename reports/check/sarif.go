package check

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// SARIF 2.1.0 (OASIS standard, 2020-03-27), as far as it is needed. Passing rules are not results:
// code hosts would list them as alerts.
type sarifLog struct {
	Schema  string     `json:"$schema"`
	Version string     `json:"version"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool struct {
		Driver struct {
			Name    string      `json:"name"`
			Version string      `json:"version"`
			Rules   []sarifRule `json:"rules"`
		} `json:"driver"`
	} `json:"tool"`
	Invocations [1]struct {
		ExecutionSuccessful bool `json:"executionSuccessful"`
	} `json:"invocations"`
	ColumnKind string        `json:"columnKind"`
	Results    []sarifResult `json:"results"`
}

type sarifRule struct {
	ID            string    `json:"id"`
	Short         sarifText `json:"shortDescription"`
	Configuration struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	RuleID       string             `json:"ruleId"`
	RuleIndex    int                `json:"ruleIndex"`
	Level        string             `json:"level"`
	Message      sarifText          `json:"message"`
	Locations    [1]sarifLocation   `json:"locations"`
	Fingerprints map[string]string  `json:"partialFingerprints"`
	Suppressions []sarifSuppression `json:"suppressions,omitempty"`
	Properties   *sarifProperties   `json:"properties,omitempty"`
}

type sarifProperties struct {
	Value *float64 `json:"value,omitempty"`
	Limit *float64 `json:"limit,omitempty"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	} `json:"physicalLocation"`
}

type sarifRegion struct {
	StartLine   int `json:"startLine"`
	StartColumn int `json:"startColumn,omitempty"`
}

type sarifSuppression struct {
	Kind          string `json:"kind"`
	Justification string `json:"justification"`
}

const sarifSchema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"

func (r *Result) writeSARIF(w io.Writer, a About) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Invocations[0].ExecutionSuccessful = r.Count(InError) == 0
	driver := &run.Tool.Driver
	driver.Name, driver.Version = "deepnarrow", a.Version
	index := map[string]int{}
	describe := func(id, text string, severity Severity) {
		if _, known := index[id]; !known {
			index[id] = len(index)
			rule := sarifRule{ID: id, Short: sarifMessage(text)}
			rule.Configuration.Level = string(severity)
			driver.Rules = append(driver.Rules, rule)
		}
	}
	describe(readable, "Every configuration can be read.", Error)
	for i := range a.Rules {
		describe(a.Rules[i].ID, a.Rules[i].help(), a.Rules[i].Severity)
	}
	seen := map[string]int{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Status == Pass && f.Waiver == nil {
			continue
		}
		describe(f.Rule, f.Rule, f.Severity)
		level := string(f.Severity)
		if f.Status == InError {
			level = string(Error)
		}
		key := f.File + "\x00" + f.Rule
		out := sarifResult{
			RuleID: f.Rule, RuleIndex: index[f.Rule], Level: level, Message: sarifMessage(f.Message),
			Locations:    [1]sarifLocation{f.location()},
			Fingerprints: map[string]string{"fileRule/v1": fingerprint(key, seen[key])},
		}
		seen[key]++
		if f.Hint != "" {
			out.Message = sarifMessage(f.Message, "Hint: "+f.Hint)
		}
		if f.Value != nil {
			out.Properties = &sarifProperties{f.Value, f.Limit}
		}
		if f.Waiver != nil {
			out.Suppressions = []sarifSuppression{{"external", plain.Line(f.Waiver.Reason)}}
		}
		run.Results = append(run.Results, out)
	}
	return writeIndented(w, sarifLog{sarifSchema, "2.1.0", []sarifRun{run}})
}

// writeIndented writes JSON that is harmless in a log.
func writeIndented(w io.Writer, document any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(document); err != nil {
		return err
	}
	_, err := w.Write(plain.JSON(b.Bytes()))
	return err
}

// sarifMessage is a plain-text message, in which [text](target) would be a link (§3.11.6 of the
// standard); its lines are ours.
func sarifMessage(lines ...string) sarifText {
	for i, line := range lines {
		if line = plain.Line(line); strings.Contains(line, "](") {
			line = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`).Replace(line)
		}
		lines[i] = line
	}
	return sarifText{strings.Join(lines, "\n")}
}

func (f *Finding) location() (l sarifLocation) {
	// A relative path whose first folder holds a colon would read as a scheme; URL.String puts ./
	// before it.
	uri := url.URL{Path: strings.TrimPrefix(filepath.ToSlash(f.File), "./")}
	l.Physical.Artifact.URI = uri.String()
	if f.Line > 0 {
		l.Physical.Region = &sarifRegion{f.Line, f.Column}
	}
	return l
}

// fingerprint stays the same while lines move: a file, a rule, and which of its findings it is.
func fingerprint(key string, n int) string {
	sum := sha256.Sum256([]byte(key + "\x00" + strconv.Itoa(n)))
	return hex.EncodeToString(sum[:8])
}
