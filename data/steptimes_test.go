package data

import (
	"strings"
	"testing"
)

func TestStepTimes(t *testing.T) {
	count := map[string]int{}
	for _, s := range StepTimes() {
		count[s.Arch]++
		count["quality "+s.Quality]++
		if s.StepSeconds == nil {
			count["no step time"]++
		} else if *s.StepSeconds <= 0 {
			t.Errorf("%s: step of %g s", s.ID, *s.StepSeconds)
		}
		if s.MFU != nil && (*s.MFU <= 0 || *s.MFU > 1) {
			t.Errorf("%s: MFU %g", s.ID, *s.MFU)
		}
		if s.ThroughputCountsEncoderOnly {
			count["encoder tokens"]++
		}
		if s.ContextParallel > 1 {
			count["context parallel"]++
		}
		if s.Compiled != nil {
			count["compiled known"]++
		}
		if s.Interleave > 1 {
			count["interleaved"]++
		}
		if s.DevicesPerNode != nil {
			count["node width"]++
		}
		if s.Stack != "" {
			count["stack"]++
		}
		if s.Products == "fp8" {
			count["fp8"]++
		}
		if strings.HasPrefix(s.Model, "NeMo mT5") && (*s.Vocab != 250_112 || !s.VocabAssumed) {
			t.Errorf("%s: %s has the vocabulary %v", s.ID, s.Model, s.Vocab)
		}
		if strings.HasPrefix(s.Model, "NeMo T5") && (*s.Vocab != 32_128 || !s.VocabAssumed) {
			t.Errorf("%s: %s has the vocabulary %v", s.ID, s.Model, s.Vocab)
		}
		if strings.HasPrefix(s.Model, "T5-v1.1-base (nanoT5)") &&
			(s.Compiled == nil || s.VocabAssumed) {
			t.Errorf("%s: compiled %v, vocabulary assumed %v", s.ID, s.Compiled, s.VocabAssumed)
		}
	}
	// Counted in the file by its columns.
	for what, want := range map[string]int{
		"enc-dec": 58, "dec-only": 280, "enc-only": 11,
		"quality A": 244, "quality B": 85, "quality C": 20, "encoder tokens": 14,
		"no step time": 38, "compiled known": 30, "context parallel": 7,
		"interleaved": 4, "node width": 42, "stack": 349, "fp8": 18,
	} {
		if count[what] != want {
			t.Errorf("%s: %d rows, want %d", what, count[what], want)
		}
	}
}

const goodStep = "id,model,arch,hardware,metric,value,unit,step_time_s,n_devices\n" +
	"a,T5-small,enc-dec,A100,step time,0.5,s/step,0.5,8\n"

func TestReadStepTimesOfAUser(t *testing.T) {
	rows, err := ReadStepTimes("mine.csv", strings.NewReader("\ufeff"+goodStep))
	if err != nil || len(rows) != 1 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if r := rows[0]; *r.StepSeconds != 0.5 || *r.Devices != 8 || r.DModel != nil || *r.Vocab != 32_128 || r.ContextParallel != 1 {
		t.Errorf("%+v", r)
	}
}

func TestUnreadableCountsAreToldNotGuessed(t *testing.T) {
	rows, err := ReadStepTimes("mine.csv", strings.NewReader(
		strings.Replace(goodStep, ",8\n", ",8 boxes\n", 1)))
	if err != nil || rows[0].Devices != nil || len(rows[0].Unread) != 1 ||
		rows[0].Unread[0] != "n_devices: 8 boxes" {
		t.Errorf("%+v, %v", rows, err)
	}
}

// A row may leave out anything but its id: one such row must not cost the others of its file.
func TestRowsMayBeIncomplete(t *testing.T) {
	rows, err := ReadStepTimes("mine.csv", strings.NewReader(goodStep+"b,,,,,,,,\n"))
	if err != nil || len(rows) != 2 || rows[1].Value != nil || rows[1].Hardware != "" {
		t.Errorf("%+v, %v", rows, err)
	}
	rows, err = ReadStepTimes("mine.csv", strings.NewReader(
		"id,quality,n_params,mfu_pct_source,arch,layers_enc\nc,b,~7B,about 40,,12\n"))
	if err != nil || rows[0].Quality != "B" || rows[0].Params != nil || rows[0].MFU != nil ||
		rows[0].Arch != "enc-only" || rows[0].Unread != nil {
		t.Errorf("%+v, %v", rows, err)
	}
}

func TestReadStepTimesRefuses(t *testing.T) {
	for text, mention := range map[string]string{
		"": "empty file",
		strings.Replace(goodStep, "0.5,s/step", "fast,s/step",
			1): "mine.csv:2:35: value: no number",
		strings.Replace(goodStep, "0.5,8", "NaN,8", 1):          "step_time_s",
		strings.Replace(goodStep, "a,T5-small", ",T5-small", 1): "id: nothing given",
		strings.Replace(goodStep, "id,model", "model,model", 1): "stands twice",
		goodStep + "b,c\n":                                             "wrong number of fields",
		"id,model\n\"unclosed":                                         "mine.csv",
		goodStep + strings.Repeat(",,,,,,,,\n", 100):                   "id: nothing given",
		strings.ReplaceAll(goodStep, "step_time_s", "step_time_s [h]"): "",
	} {
		rows, err := ReadStepTimes("mine.csv", strings.NewReader(text))
		if mention == "" {
			if err != nil || *rows[0].StepSeconds != 1800 {
				t.Errorf("%q: %v", text, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), mention) {
			t.Errorf("%q: %v, want a mention of %q", text, err, mention)
		}
	}
}

func FuzzReadStepTimes(f *testing.F) {
	f.Add(goodStep)
	f.Add("")
	f.Add("id\n\"")
	f.Add("a [ms],a\n1,2\n")
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := ReadStepTimes("fuzz.csv", strings.NewReader(text))
		for _, r := range rows {
			if err == nil && (r.ID == "" || r.ContextParallel < 1) {
				t.Fatalf("%+v", r)
			}
		}
	})
}

func BenchmarkStepTimes(b *testing.B) {
	text, err := files.ReadFile("facts/step_times.csv")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ReadStepTimes("step_times.csv", strings.NewReader(string(text))); err != nil {
			b.Fatal(err)
		}
	}
}
