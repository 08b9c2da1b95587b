package recommend

import "testing"

func TestLOO(t *testing.T) {
	rows := readings(nil)
	p, err := newPredictor(rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	l, err := leaveOneOut(rows, p.law)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(l.String(), len(rows))
	t.Log(p.law.loss.Params, p.law.link.coef, p.lossError, p.scoreError, p.low, p.high, p.meanCurve, p.meanLink)
	for _, h := range l.Rows {
		t.Logf("%+v", h)
	}
}

func BenchmarkLOO(b *testing.B) {
	for b.Loop() {
		rows := readings(nil)
		p, _ := newPredictor(rows, nil)
		leaveOneOut(rows, p.law)
	}
}

func BenchmarkPredictor(b *testing.B) {
	for b.Loop() {
		rows := readings(nil)
		newPredictor(rows, nil)
	}
}
