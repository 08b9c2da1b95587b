package kernel

import (
	"context"
	"errors"
	"testing"

	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// TestVersionIsRaised holds the numbers of a short run to those recorded with the version: who
// changes them raises [Version] and records them anew, so that no study mixes the two.
func TestVersionIsRaised(t *testing.T) {
	const (
		version, loss = 1, 4.634353
		tolerance     = 1e-5 // rounding of other instruction paths over 20 steps
	)
	s, o := apprentice()
	training, held := corpora(t, o, s.Vocab)
	tr := mustTrainer(t, s, o, learnerSchedule, training)
	if err := tr.Run(context.Background(), 20, nil); err != nil {
		t.Fatal(err)
	}
	got, err := tr.Evaluate(held, 2)
	if err != nil {
		t.Fatal(err)
	}
	if Version != version || !approx.Relative(got, loss, tolerance) {
		t.Errorf("version %d comes to a loss of %.9g; recorded are %d and %.9g", Version, got, version,
			loss)
	}
}

func TestShapesAndTextsByContent(t *testing.T) {
	a, _ := learner()
	b := a
	if b.Name = "another"; shapeID(&a) != shapeID(&b) {
		t.Error("the name changes the shape")
	}
	if b.Encoder.Activation = shapes.GELU; shapeID(&a) == shapeID(&b) {
		t.Error("the activation does not change the shape")
	}
	if TextID([]byte("a")) == TextID([]byte("b")) || TextID(nil) == TextID([]byte{0}) {
		t.Error("two texts share a name")
	}
}

// A record from before there were recipes is of none.
func TestOldRecordsAreOfNoRecipe(t *testing.T) {
	now := NewRecipe(&Options{Batch: 2}, Schedule{Rate: 1}, "x")
	var mixed *MixedError
	err := now.Same("run s@3", &Recipe{Batch: 2, Optimizer: "adam"})
	if !errors.As(err, &mixed) || mixed.Error() != "run s@3 was trained with kernel unknown, not 1" {
		t.Errorf("error %v", err)
	}
	if err := now.Same("itself", &now); err != nil {
		t.Error(err)
	}
}
