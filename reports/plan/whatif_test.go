package plan_test

import (
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// A change states one thing otherwise and nothing else; a multiple is one of what the plan has.
func TestWhatIfByHand(t *testing.T) {
	s, err := shapes.Parse("t5-base")
	if err != nil {
		t.Fatal(err)
	}
	p, err := hardware.Parse("a100")
	if err != nil {
		t.Fatal(err)
	}
	q := plan.Question{Shape: s, Profile: &p, Devices: 8, Length: hardware.Length{Tokens: 1e9}}
	base, err := q.Answer()
	if err != nil {
		t.Fatal(err)
	}
	for text, holds := range map[string]func(plan.Question) bool{
		// the price of the facts is 2.79
		"price=2x":            func(q plan.Question) bool { return *q.Rates.PriceUSDPerHour == 2*2.79 },
		"price=1.5":           func(q plan.Question) bool { return *q.Rates.PriceUSDPerHour == 1.5 },
		"tokens=0.5x":         func(q plan.Question) bool { return q.Length.Tokens == 5e8 },
		"batch=2x":            func(q plan.Question) bool { return q.Workload.Batch == 256 },
		"encoder-length=1024": func(q plan.Question) bool { return q.Workload.EncoderLength == 1024 },
		"optimizer=adamw":     func(q plan.Question) bool { return *q.Optimizer == flops.Adam },
	} {
		changes, err := plan.ParseWhatIf(text)
		if err != nil || len(changes) != 1 || changes[0].Name+"="+changes[0].Value != text {
			t.Errorf("%s: %v, %v", text, changes, err)
			continue
		}
		if got, err := changes[0].Of(q, &base); err != nil || !holds(got) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	if q.Optimizer != nil || q.Rates.PriceUSDPerHour != nil {
		t.Error("the question itself was changed")
	}
	if changes, err := plan.ParseWhatIf("encoder-length=512,1024,4096"); err != nil || len(changes) != 3 {
		t.Errorf("three lengths: %v, %v", changes, err)
	}
	for text, told := range map[string]string{
		"price":          "not a change",
		"colour=2x":      "not a change",
		"batch=0":        "batch: out of range",
		"batch=many":     "batch: ",
		"mfu=2x":         "mfu: ", // of no known value
		"optimizer=fast": "optimizer: ",
		"price=-1":       "price: a negative amount",
	} {
		if _, err := plan.ParseWhatIf(text); err == nil || !strings.Contains(err.Error(), told) {
			t.Errorf("%s: %v, want %q", text, err, told)
		}
	}
	thirds, err := plan.ParseWhatIf("batch=0.3x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := thirds[0].Of(q, &base); err == nil || !strings.Contains(err.Error(), "whole number") {
		t.Errorf("0.3 of a batch of 128: %v", err)
	}
}
