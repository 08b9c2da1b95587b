package calibrate

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func base(t *testing.T) hardware.Run {
	t.Helper()
	p, err := hardware.Find("a100")
	if err != nil {
		t.Fatal(err)
	}
	return hardware.Run{Profile: p}
}

// The same two steps as CSV and as JSON lines are the same measurements.
func TestReadSteps(t *testing.T) {
	for _, text := range []string{
		"shape,batch,encoder_length,step_seconds,recompute,compiled,gpu\nt5-small,64,256,0.125,full,yes please\n",
		"shape,batch,encoder_length,step_seconds,recompute,compiled\nt5-small,64,256,125ms,full,true\n",
		"{\"shape\":\"t5-small\",\"batch\":64,\"encoder_length\":256,\"step_seconds\":0.125,\"recompute\":\"full\",\"compiled\":true,\"note\":null}\n\n",
	} {
		steps, err := ReadSteps("steps", strings.NewReader(text), base(t), shapes.Parse)
		if strings.Contains(text, "please") {
			if err == nil {
				t.Error("a short row was read")
			}
			continue
		}
		if err != nil || len(steps) != 1 {
			t.Fatalf("%d steps, %v", len(steps), err)
		}
		s := steps[0]
		// T5's default target length
		want := flops.Workload{Batch: 64, EncoderLength: 256, DecoderLength: 128}
		if s.Seconds != 0.125 || s.Run.Workload != want ||
			s.Run.Execution.Recompute != flops.RecomputeFull || s.Run.Software.Compiled == nil ||
			!*s.Run.Software.Compiled || s.Group != "t5-small" {
			t.Errorf("%+v", s)
		}
	}
}

func TestReadStepsTellsEveryFault(t *testing.T) {
	_, err := ReadSteps("s.csv", strings.NewReader(
		"shape,batch,step_second,recompute\nt5-smal,8,1,none\nt5-small,8,1,some\nt5-small,7.5,1,none\n"), base(t), shapes.Parse)
	if err == nil {
		t.Fatal("no fault")
	}
	for _, want := range []string{
		"s.csv:2: shape", "s.csv:3: recompute",
		"is the column step_second meant?", "s.csv:4: batch",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in:\n%v", want, err)
		}
	}
	for _, text := range []string{"", "shape\n", "{", "{}\n{"} {
		if _, err := ReadSteps("s", strings.NewReader(text), base(t), shapes.Parse); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

// A published table in its own columns is read too.
func TestReadStepsOfAPublishedTable(t *testing.T) {
	text :=
		"id,model,arch,layers_enc,layers_dec,d_model,d_ff,n_heads,d_head,seq_enc,seq_dec,global_batch_seqs,hardware,n_devices,metric,value,unit,step_time_s\n" +
			"a,T5,enc-dec,6,6,512,2048,8,64,512,128,64,A100,8,step time,0.1,s/step,0.1\n"
	steps, err := ReadSteps("s", strings.NewReader(text), base(t), shapes.Parse)
	if err != nil || len(steps) != 1 || steps[0].Run.Devices() != 8 || steps[0].Seconds != 0.1 {
		t.Errorf("%+v, %v", steps, err)
	}
	_, err = ReadSteps("s", strings.NewReader(text+strings.Replace(
		text[strings.Index(text, "\n")+1:], "64,A100", ",A100",
		1)+"c,T5,enc-dec,,,,,,,,,,A100,8,step time,0.1,s/step,0.1\n"), base(t), shapes.Parse)
	for _, want := range []string{
		"a: not scored: the global batch is not stated",
		"c: not scored: the source gives no shape",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

func FuzzReadSteps(f *testing.F) {
	f.Add("shape,batch,step_seconds\nt5-small,8,0.1\n")
	f.Add("{\"shape\":\"t5-small\",\"batch\":8,\"step_seconds\":1e400}\n")
	f.Add("id,model,arch,hardware,metric,value,unit\n")
	p, err := hardware.Find("a100")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		steps, err := ReadSteps("steps", strings.NewReader(text), hardware.Run{Profile: p}, shapes.Parse)
		for _, s := range steps {
			if err == nil && !(s.Seconds > 0) {
				t.Errorf("a step of %v s", s.Seconds)
			}
		}
	})
}

// The twin writes the shape itself, under a name that may be a file of another machine.
func TestStepsOfShapesWithoutAName(t *testing.T) {
	for _, ref := range []string{
		"t5-small", "t5-v1.1-base", "mt5-small", "t5-tiny/el=3,dl=7,kv=32,nh=6,ff=192,vocab=384",
	} {
		want, err := shapes.Parse(ref)
		if err != nil {
			t.Fatal(err)
		}
		model, err := json.Marshal(twinShapeOf(&want))
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf(`{"shape":"models/mine.yaml","model":%s,"batch":64,"step_seconds":0.5}`, model)
		steps, err := ReadSteps("steps", strings.NewReader(line), base(t), shapes.Parse)
		if err != nil || len(steps) != 1 {
			t.Fatalf("%s: %d steps, error %v", ref, len(steps), err)
		}
		want.Name, want.Family = "models/mine.yaml", steps[0].Run.Shape.Family
		if steps[0].Run.Shape != want {
			t.Errorf("%s: got %+v, want %+v", ref, steps[0].Run.Shape, want)
		}
	}
	for _, model := range []string{`{}`, `{"d_model":-1}`, `{"d_model":1e99}`, `{"d_model":"a"}`} {
		line := `{"shape":"x","model":` + model + `,"batch":64,"step_seconds":0.5}`
		if _, err := ReadSteps("steps", strings.NewReader(line), base(t), shapes.Parse); err == nil {
			t.Errorf("%s was read", model)
		}
	}
}
