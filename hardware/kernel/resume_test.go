package kernel

import (
	"bytes"
	"errors"
	"testing"
)

// TestResume: a checkpoint gives back what it was saved with, to the same run only.
func TestResume(t *testing.T) {
	s, o := learner()
	text := bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog. "), 200)
	trainer := func(seed uint64, schedule Schedule) *Trainer {
		o.Seed = seed
		source, err := NewSpanCorruption(text, o, s.Vocab, seed)
		if err != nil {
			t.Fatal(err)
		}
		out, err := NewTrainer(&s, o, schedule, source)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = out.Model.Close() })
		return out
	}
	usual := Schedule{Rate: UsualRate(o.Optimizer), Warmup: 10, Linear: true}
	first := trainer(11, usual)
	if err := first.Run(t.Context(), 2, nil); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	was := Progress{Loss: 5.25, StepSeconds: 0.125}
	if err := first.Save(&file, "this text", was); err != nil {
		t.Fatal(err)
	}
	again := trainer(11, usual)
	if got, err := again.Resume("file", bytes.NewReader(file.Bytes()), "this text"); err != nil || got != was {
		t.Errorf("resumed with %v, %v; want %v", got, err, was)
	}
	if n := again.Model.Steps(); n != 2 {
		t.Errorf("%d steps are taken, want 2", n)
	}
	for field, other := range map[string]*Trainer{
		"seed": trainer(12, usual), "rate": trainer(11, Schedule{Rate: 1, Warmup: 10, Linear: true}),
	} {
		_, err := other.Resume("file", bytes.NewReader(file.Bytes()), "this text")
		if mixed := new(MixedError); !errors.As(err, &mixed) {
			t.Errorf("another %s: %v", field, err)
		}
	}
	_, err := again.Resume("file", bytes.NewReader(file.Bytes()), "another text")
	if mixed := new(MixedError); !errors.As(err, &mixed) {
		t.Errorf("another text: %v", err)
	}
	var bare bytes.Buffer
	if err := first.Model.Save(&bare, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Resume("file", &bare, "this text"); err == nil {
		t.Error("a checkpoint without choices is taken")
	}
}

func TestHoldOut(t *testing.T) {
	training, heldOut := HoldOut(make([]byte, 105))
	if len(training) != 95 || len(heldOut) != 10 {
		t.Errorf("%d and %d bytes of 105, want 95 and 10", len(training), len(heldOut))
	}
}

func TestRecorded(t *testing.T) {
	a := Record{Shape: "t5-tiny", Steps: 5, Recipe: Recipe{Text: "x"}}
	b := a
	b.Seed = 3
	text := []byte("not a record\n" + a.Line() + "\n")
	if !a.Recorded(text) || b.Recorded(text) {
		t.Errorf("recorded %v and %v, want true and false; %s", a.Recorded(text), b.Recorded(text), a.Line())
	}
}
