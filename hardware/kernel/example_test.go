package kernel_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// Train a tiny T5 on a text for a few steps, save it, and go on from the checkpoint.
func Example() {
	shape, err := shapes.Parse("t5-tiny/nl=1,dm=32,ff=64,nh=2,kv=16,vocab=384")
	if err != nil {
		panic(err)
	}
	options := kernel.Options{
		Batch: 4, EncoderLength: 48, DecoderLength: 16,
		Optimizer: kernel.Adafactor, Seed: 1,
	}
	text := strings.Repeat("the cat sat on the mat and looked at the moon; ", 40)
	source, err := kernel.NewSpanCorruption([]byte(text), options, shape.Vocab, options.Seed)
	if err != nil {
		panic(err)
	}
	schedule := kernel.Schedule{Rate: 0.01, Warmup: 10000}

	train := func(until int, from []byte) (checkpoint bytes.Buffer, loss float64) {
		t, err := kernel.NewTrainer(&shape, options, schedule, source)
		if err != nil {
			panic(err)
		}
		defer func() { _ = t.Model.Close() }()
		if from != nil {
			if _, err := t.Model.Load("checkpoint", bytes.NewReader(from)); err != nil {
				panic(err)
			}
		}
		if err := t.Run(context.Background(), until, func(_ int, r kernel.Result) { loss = r.Loss }); err != nil {
			panic(err)
		}
		if err := t.Model.Save(&checkpoint, nil); err != nil {
			panic(err)
		}
		return checkpoint, loss
	}
	_, uninterrupted := train(30, nil)
	half, _ := train(15, nil)
	_, resumed := train(30, half.Bytes())
	fmt.Println("same loss after resuming:", resumed == uninterrupted)
	fmt.Println("below the loss of a guess:", resumed < 5.95) // ln 384
	// Output:
	// same loss after resuming: true
	// below the loss of a guess: true
}
